//! Primaries as people type them: `ADDR`, `ADDR:PORT`, `[V6]:PORT`, each with `,key=NAME` behind it if need be.

use std::net::{IpAddr, SocketAddr};

use super::name::{key_name, zone_name};
use crate::doors::{NewZone, Primary};
use crate::problem::{Code, Problem};

/// The port that DNS is asked on unless another is named (RFC 1035 §4.2).
pub const DNS_PORT: u16 = 53;

/// Reads a primary with its key.
///
/// # Errors
/// [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`].
pub fn primary(text: &str) -> Result<Primary, Problem> {
    let mut parts = text.split(',');
    let address = address(parts.next().unwrap_or_default())?;
    let mut key = None;
    for option in parts {
        match option.split_once('=') {
            Some(("key", name)) if key.is_none() => key = Some(key_name(name)?),
            Some(("key", _)) => return Err(invalid(text, "it names two keys")),
            _ if option == "tls" || option.starts_with("tls=") => {
                return Err(invalid(text, "transfers over TLS are not there yet"));
            }
            _ => return Err(invalid(text, &format!("{option:?} is no option"))),
        }
    }
    Ok(Primary { address, key })
}

/// Reads an address that one server can be reached at, with [`DNS_PORT`] unless it names a port.
///
/// # Errors
/// [`Code::PrimaryInvalid`].
pub fn address(text: &str) -> Result<SocketAddr, Problem> {
    let address = bare_address(text).or_else(|| text.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        return Err(invalid(text, "it is not an IP address"));
    };
    let host = address.ip().to_canonical();
    if host.is_unspecified() {
        return Err(invalid(text, "no server can be reached at this address"));
    }
    if host.is_multicast() || host == IpAddr::from([255, 255, 255, 255]) {
        return Err(invalid(text, "it is the address of many servers at once"));
    }
    if address.port() == 0 {
        return Err(invalid(text, "port 0 cannot be asked"));
    }
    Ok(address)
}

/// Reads `NAME@PRIMARY`, a zone with one primary.
///
/// # Errors
/// [`Code::ZoneNameInvalid`], [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`].
pub fn zone_at_primary(text: &str) -> Result<NewZone, Problem> {
    let Some((name, at)) = text.split_once('@') else {
        let detail = format!(
            "{text:?} names no primary; write it like example.org@192.0.2.1 or example.org@[2001:db8::1]:5353"
        );
        return Err(Problem::new(Code::PrimaryInvalid, detail));
    };
    NewZone::new(zone_name(name)?, vec![primary(at)?])
}

fn bare_address(text: &str) -> Option<SocketAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match bracketed {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => text.parse().ok()?,
    };
    Some(SocketAddr::new(host, DNS_PORT))
}

fn invalid(text: &str, why: &str) -> Problem {
    let detail = format!(
        "{text:?} is not a primary: {why}; write it like 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:5353, with ,key=NAME behind it to sign requests"
    );
    Problem::new(Code::PrimaryInvalid, detail)
}

#[cfg(test)]
mod tests {
    use super::{primary, zone_at_primary};
    use crate::problem::Code;

    #[test]
    fn every_form_of_a_primary_is_read() {
        for (text, address, key) in [
            ("192.0.2.1", "192.0.2.1:53", None),
            ("192.0.2.1:5353", "192.0.2.1:5353", None),
            ("2001:db8::1", "[2001:db8::1]:53", None),
            ("[2001:db8::1]", "[2001:db8::1]:53", None),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353", None),
            ("192.0.2.1,key=Transfer.example", "192.0.2.1:53", Some("Transfer.example.")),
            ("[2001:db8::1]:5353,key=k", "[2001:db8::1]:5353", Some("k.")),
        ] {
            let primary = primary(text).unwrap();
            assert_eq!(primary.address.to_string(), address, "{text}");
            assert_eq!(primary.key.map(|name| name.to_string()).as_deref(), key, "{text}");
        }
    }

    #[test]
    fn what_is_no_primary_is_refused_with_a_sentence() {
        for text in [
            "",
            "ns1.example.org",
            "192.0.2",
            "192.0.2.256",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1:0",
            "[192.0.2.1]:53",
            "[2001:db8::1]:",
            "2001:db8::1]:53",
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "fe80::1%eth0",
            " 192.0.2.1",
            "192.0.2.1 ",
            "192.0.2.1,",
            "192.0.2.1,tls",
            "192.0.2.1,keys=a",
            "192.0.2.1,key=a,key=b",
        ] {
            let problem = primary(text).unwrap_err();
            assert_eq!(problem.code(), Code::PrimaryInvalid, "{text:?}");
            assert!(problem.detail().contains("is not a primary: "), "{}", problem.detail());
        }
        assert_eq!(primary("192.0.2.1,key=").unwrap_err().code(), Code::KeyNameInvalid);
    }

    #[test]
    fn a_zone_with_its_primary_is_one_word() {
        let zone = zone_at_primary("example.org@[2001:db8::1]:5353").unwrap();
        assert_eq!(zone.name().to_string(), "example.org.");
        assert_eq!(zone.primaries()[0].address.to_string(), "[2001:db8::1]:5353");
        assert_eq!(zone_at_primary("example.org").unwrap_err().code(), Code::PrimaryInvalid);
        assert_eq!(zone_at_primary("@192.0.2.1").unwrap_err().code(), Code::ZoneNameInvalid);
        assert_eq!(zone_at_primary("example.org@").unwrap_err().code(), Code::PrimaryInvalid);
    }
}
