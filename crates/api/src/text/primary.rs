//! Primaries as people type them: `ADDR`, `ADDR:PORT`, `[V6]:PORT`, each with options behind it if need be, such as
//! `,key=NAME` or `,tls=NAME`.

use std::net::{IpAddr, SocketAddr};

use xfr::{Alpn, Identity, Pin, Primary, Tls};

use super::name::{key_name, zone_name};
use crate::doors::NewZone;
use crate::json;
use crate::problem::{Code, Problem};

/// The port that DNS is asked on unless another is named (RFC 1035 §4.2).
pub const DNS_PORT: u16 = 53;
/// The same over TLS (RFC 7858 §3.1).
pub const DNS_OVER_TLS_PORT: u16 = 853;

/// Reads a primary with its options.
///
/// # Errors
/// [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`].
pub fn primary(text: &str) -> Result<Primary, Problem> {
    let written = Written::Line(text);
    let mut options = text.split(',');
    let mut read =
        json::Primary { address: options.next().unwrap_or_default().to_owned(), ..json::Primary::default() };
    for option in options {
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let tls = || read.tls.clone().unwrap_or_default();
        match (name, value) {
            ("key", Some(key)) => once(&mut read.key, key, written, "keys")?,
            ("source", Some(source)) => once(&mut read.source, source, written, "sources")?,
            ("tls", name) => {
                let mut tls = tls();
                if let Some(name) = name {
                    once(&mut tls.name, name, written, "names for TLS")?;
                }
                read.tls = Some(tls);
            }
            ("pin", Some(pin)) => {
                let mut tls = tls();
                once(&mut tls.pin, pin, written, "pins")?;
                read.tls = Some(tls);
            }
            ("alpn", Some("may-be-missing")) => {
                read.tls = Some(json::PrimaryTls { alpn_may_be_missing: true, ..tls() });
            }
            ("alpn", Some("required")) => {}
            _ => return Err(written.wrong(&format!("{option:?} is no option"))),
        }
    }
    parsed(&read, written)
}

/// Reads a primary of the API.
///
/// # Errors
/// [`Code::PrimaryInvalid`], [`Code::KeyNameInvalid`].
pub fn primary_of(primary: &json::Primary) -> Result<Primary, Problem> {
    parsed(primary, Written::Fields(&primary.address))
}

fn once(place: &mut Option<String>, value: &str, written: Written<'_>, what: &str) -> Result<(), Problem> {
    match place.replace(value.to_owned()) {
        None => Ok(()),
        Some(_) => Err(written.wrong(&format!("it names two {what}"))),
    }
}

fn parsed(primary: &json::Primary, written: Written<'_>) -> Result<Primary, Problem> {
    let tls = primary.tls.as_ref().map(|tls| parsed_tls(tls, written)).transpose()?;
    let port = if tls.is_some() { DNS_OVER_TLS_PORT } else { DNS_PORT };
    let address = address_at(&primary.address, port, written)?;
    let key = primary.key.as_deref().map(key_name).transpose()?;
    let source = primary.source.as_deref().map(|source| parsed_source(source, address, written)).transpose()?;
    Ok(Primary { address, key, source, tls })
}

fn parsed_tls(tls: &json::PrimaryTls, written: Written<'_>) -> Result<Tls, Problem> {
    let identity = match (&tls.name, &tls.pin) {
        (None, None) => Identity::Address,
        (Some(name), None) => Identity::Name(host_name(name, written)?),
        (None, Some(pin)) => {
            let wrong = || written.wrong("a pin is the SHA-256 of a public key, 44 characters of base64");
            Identity::Pin(Pin::from_base64(pin).ok_or_else(wrong)?)
        }
        (Some(_), Some(_)) => return Err(written.wrong("a pinned key needs no name beside it: give one of the two")),
    };
    let alpn = if tls.alpn_may_be_missing { Alpn::MayBeMissing } else { Alpn::Required };
    Ok(Tls { identity, alpn })
}

/// A host's name as certificates have it (RFC 6125 §6.4.1): letters, digits and hyphens, without a dot at its end.
fn host_name(name: &str, written: Written<'_>) -> Result<String, Problem> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        let is_expected = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(is_expected) && !label.starts_with('-')
    };
    if bare.len() > 253 || !bare.split('.').all(is_label) || bare.parse::<IpAddr>().is_ok() {
        return Err(written.wrong(&format!("{name:?} is no host name that a certificate could have")));
    }
    Ok(bare.to_ascii_lowercase())
}

fn parsed_source(source: &str, address: SocketAddr, written: Written<'_>) -> Result<IpAddr, Problem> {
    let Ok(source) = source.parse::<IpAddr>() else {
        return Err(written.wrong(&format!("its source {source:?} is not an IP address")));
    };
    if source.is_unspecified() || source.is_multicast() {
        return Err(written.wrong("its source is no address that a machine has"));
    }
    if source.is_ipv4() != address.is_ipv4() {
        return Err(written.wrong("its source is of the other IP version than its address"));
    }
    Ok(source)
}

/// Reads an address that one server can be reached at, with [`DNS_PORT`] unless it names a port.
///
/// # Errors
/// [`Code::PrimaryInvalid`].
pub fn address(text: &str) -> Result<SocketAddr, Problem> {
    address_at(text, DNS_PORT, Written::Fields(text))
}

/// Reads an IP address of ours, without a port.
///
/// # Errors
/// [`Code::AddressInvalid`].
pub fn own_address(text: &str) -> Result<IpAddr, Problem> {
    let wrong =
        || Problem::new(Code::AddressInvalid, format!("{text:?} is not an IP address: write it like 192.0.2.7"));
    text.parse().map_err(|_| wrong())
}

fn address_at(address: &str, port: u16, written: Written<'_>) -> Result<SocketAddr, Problem> {
    let address = bare_address(address, port).or_else(|| address.parse::<SocketAddr>().ok());
    let Some(address) = address else {
        return Err(written.wrong("it is not an IP address"));
    };
    let host = address.ip().to_canonical();
    if host.is_unspecified() {
        return Err(written.wrong("no server can be reached at this address"));
    }
    if host.is_multicast() || host == IpAddr::from([255, 255, 255, 255]) {
        return Err(written.wrong("it is the address of many servers at once"));
    }
    if address.port() == 0 {
        return Err(written.wrong("port 0 cannot be asked"));
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

fn bare_address(text: &str, port: u16) -> Option<SocketAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match bracketed {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => text.parse().ok()?,
    };
    Some(SocketAddr::new(host, port))
}

/// A primary as somebody wrote it, for complaints.
#[derive(Clone, Copy)]
enum Written<'a> {
    /// All of it in one.
    Line(&'a str),
    /// Its address, which has a field of its own as everything else has.
    Fields(&'a str),
}

impl Written<'_> {
    fn wrong(self, why: &str) -> Problem {
        let (Self::Line(text) | Self::Fields(text)) = self;
        let options = match self {
            Self::Line(_) => {
                ", with ,key=NAME behind it to sign requests, ,tls=NAME to ask over TLS, ,source=ADDR to ask from an address"
            }
            Self::Fields(_) => "",
        };
        let detail = format!(
            "{text:?} is not a primary: {why}; write it like 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or \
             [2001:db8::1]:5353{options}"
        );
        Problem::new(Code::PrimaryInvalid, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::{primary, primary_of, zone_at_primary};
    use crate::json;
    use crate::problem::Code;

    #[test]
    fn every_form_of_a_primary_is_read() {
        for (text, written) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
            ("192.0.2.1,key=Transfer.example", "192.0.2.1:53,key=Transfer.example."),
            ("[2001:db8::1]:5353,key=k", "[2001:db8::1]:5353,key=k."),
            ("192.0.2.1,tls", "192.0.2.1:853,tls"),
            ("192.0.2.1:8853,tls=NS1.example.,key=k", "192.0.2.1:8853,key=k.,tls=ns1.example"),
            ("192.0.2.1,alpn=may-be-missing,tls=ns1", "192.0.2.1:853,tls=ns1,alpn=may-be-missing"),
            ("192.0.2.1,tls,alpn=required", "192.0.2.1:853,tls"),
            (
                "2001:db8::1,source=2001:db8::53,pin=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "[2001:db8::1]:853,source=2001:db8::53,pin=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            ),
        ] {
            let read = primary(text).unwrap();
            assert_eq!(read.to_string(), written, "{text}");
            assert_eq!(primary(written).unwrap(), read, "{text}");
            assert_eq!(primary_of(&json::Primary::from(&read)).unwrap(), read, "{text}");
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
            "192.0.2.1,keys=a",
            "192.0.2.1,key=a,key=b",
            "192.0.2.1,tls=",
            "192.0.2.1,tls=a..b",
            "192.0.2.1,tls=192.0.2.1",
            "192.0.2.1,tls=a,tls=b",
            "192.0.2.1,tls=a,pin=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "192.0.2.1,pin=47DEQpj8",
            "192.0.2.1,pin",
            "192.0.2.1,alpn=never",
            "192.0.2.1,source=here",
            "192.0.2.1,source=2001:db8::1",
            "192.0.2.1,source=0.0.0.0",
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
