//! Primaries in forms: rows of fields, each with what is wrong with it.

use xfr::Primary;

use crate::console::session::Form;
use crate::console::words::sentence;
use crate::doors::PRIMARIES_MAX;
use crate::json;
use crate::problem::Problem;
use crate::text;

/// A row as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) address: String,
    pub(crate) port: String,
    pub(crate) key: String,
    /// Nothing, `address`, `name` or `pin`.
    pub(crate) tls: String,
    /// The name or the pin.
    pub(crate) identity: String,
    /// The address of ours that it is asked from.
    pub(crate) source: String,
    pub(crate) error: String,
    /// Whether whoever gets the form begins here.
    pub(crate) is_focused: bool,
}

impl Row {
    /// Whether something is typed in that hides behind "more".
    pub(crate) fn has_more(&self) -> bool {
        [&self.port, &self.key, &self.tls, &self.identity, &self.source].iter().any(|field| !field.is_empty())
    }

    pub(crate) fn of(primary: &json::Primary) -> Self {
        // Always with its port, and an IPv6 address in brackets.
        let (address, port) = primary.address.rsplit_once(':').unwrap_or((&primary.address, ""));
        let (tls, identity) = match &primary.tls {
            None => ("", String::new()),
            Some(json::PrimaryTls { name: Some(name), .. }) => ("name", name.clone()),
            Some(json::PrimaryTls { pin: Some(pin), .. }) => ("pin", pin.clone()),
            Some(_) => ("address", String::new()),
        };
        let is_usual = port == if tls.is_empty() { "53" } else { "853" };
        Self {
            address: address.trim_matches(['[', ']']).to_owned(),
            port: if is_usual { String::new() } else { port.to_owned() },
            key: primary.key.clone().unwrap_or_default(),
            tls: tls.to_owned(),
            identity,
            source: primary.source.clone().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// One more, to be filled in.
    pub(crate) fn another() -> Self {
        Self { is_focused: true, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.address.is_empty() && !self.has_more()
    }

    fn read(&self, check: impl Fn(&Primary) -> Result<(), Problem>) -> Result<Primary, Problem> {
        let address = match (self.port.is_empty(), self.address.contains(':') && !self.address.starts_with('[')) {
            (true, _) => self.address.clone(),
            // A port may stand in either place, and an IPv6 address has colons of its own.
            (false, true) if self.address.parse::<std::net::Ipv6Addr>().is_ok() => {
                format!("[{}]:{}", self.address, self.port)
            }
            (false, _) => format!("{}:{}", self.address, self.port),
        };
        let identity = (!self.identity.is_empty()).then(|| self.identity.clone());
        let tls = match self.tls.as_str() {
            "" => None,
            "name" => Some(json::PrimaryTls { name: identity, ..json::PrimaryTls::default() }),
            "pin" => Some(json::PrimaryTls { pin: identity, ..json::PrimaryTls::default() }),
            _ => Some(json::PrimaryTls::default()),
        };
        let [key, source] = [&self.key, &self.source].map(|field| (!field.is_empty()).then(|| field.clone()));
        let primary = text::primary_of(&json::Primary { address, key, source, tls })?;
        check(&primary)?;
        Ok(primary)
    }
}

/// The rows of a form: at least one, and no more than a zone may have primaries.
pub(crate) fn rows(form: &Form) -> Vec<Row> {
    let all = |name| form.all(name).map(str::to_owned).collect::<Vec<_>>();
    let columns = ["address", "port", "key", "tls", "identity", "source"].map(all);
    let count = columns.iter().map(Vec::len).max().unwrap_or_default().clamp(1, PRIMARIES_MAX);
    let at = |column: &Vec<String>, row: usize| column.get(row).cloned().unwrap_or_default();
    let [addresses, ports, keys, tls, identities, sources] = &columns;
    let row = |row| Row {
        address: at(addresses, row),
        port: at(ports, row),
        key: at(keys, row),
        tls: at(tls, row),
        identity: at(identities, row),
        source: at(sources, row),
        ..Row::default()
    };
    (0..count).map(row).collect()
}

/// Reads the rows in which anything is typed; what is wrong with one is said beside it, addresses that nothing is sent to
/// included.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn read(
    rows: &mut Vec<Row>,
    check: impl Fn(&Primary) -> Result<(), Problem>,
) -> Result<Vec<Primary>, Problem> {
    if rows.iter().any(|row| !row.is_empty()) {
        rows.retain(|row| !row.is_empty());
    }
    let mut primaries = Vec::new();
    let mut first = None;
    for row in rows {
        match row.read(&check) {
            Ok(primary) => primaries.push(primary),
            Err(problem) => {
                row.error = sentence(problem.detail());
                row.is_focused = first.is_none();
                first.get_or_insert(problem);
            }
        }
    }
    first.map_or(Ok(primaries), Err)
}

#[cfg(test)]
mod tests {
    use xfr::Primary;

    use super::{Row, read};
    use crate::json;
    use crate::problem::{Code, Problem};

    fn any(_: &Primary) -> Result<(), Problem> {
        Ok(())
    }

    fn row(address: &str, port: &str) -> Row {
        Row { address: address.into(), port: port.into(), ..Row::default() }
    }

    #[test]
    fn an_address_and_its_port_may_stand_in_one_field_or_in_two() {
        for (address, port, expected) in [
            ("192.0.2.1", "", "192.0.2.1:53"),
            ("192.0.2.1", "5353", "192.0.2.1:5353"),
            ("192.0.2.1:5353", "", "192.0.2.1:5353"),
            ("2001:db8::1", "", "[2001:db8::1]:53"),
            ("2001:db8::1", "5353", "[2001:db8::1]:5353"),
            ("[2001:db8::1]", "5353", "[2001:db8::1]:5353"),
        ] {
            let primaries = read(&mut vec![row(address, port)], any).unwrap();
            assert_eq!(primaries[0].address.to_string(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_beside_its_row_and_empty_rows_do_not_count() {
        let mut rows = vec![row("", ""), row("192.0.2.1", ""), row("not an address", ""), row("192.0.2.2", "70000")];
        assert!(read(&mut rows, any).is_err());
        let errors: Vec<bool> = rows.iter().map(|row| row.error.is_empty()).collect();
        assert_eq!(errors, [true, false, false]);
        assert_eq!(rows.iter().position(|row| row.is_focused), Some(1));
        assert!(read(&mut vec![Row::default()], any).is_err());
    }

    #[test]
    fn an_address_that_nothing_is_sent_to_is_said_beside_its_row() {
        let check = |primary: &Primary| match primary.address.ip() {
            address if address.is_loopback() => {
                Err(Problem::new(Code::AddressRefused, format!("{address} is private")))
            }
            _ => Ok(()),
        };
        let mut rows = vec![row("192.0.2.1", ""), row("::1", "5353"), row("[::1]:5353", "")];
        assert_eq!(read(&mut rows, check).unwrap_err().code(), Code::AddressRefused);
        let errors: Vec<&str> = rows.iter().map(|row| row.error.as_str()).collect();
        assert_eq!(errors, ["", "::1 is private.", "::1 is private."]);
    }

    #[test]
    fn a_primary_goes_into_a_row_and_back() {
        for text in [
            "192.0.2.1",
            "192.0.2.1:5353,key=k.example,source=192.0.2.7",
            "[2001:db8::1]:853,tls=ns1.example.org",
            "192.0.2.1,tls",
        ] {
            let primary = crate::text::primary(text).unwrap();
            let mut rows = vec![Row::of(&json::Primary::from(&primary))];
            assert_eq!(read(&mut rows, any).unwrap(), [primary]);
        }
    }
}
