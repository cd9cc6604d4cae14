//! Who copies zones from us, as people type them: whom zones are given to, and who is told of news.
//!
//! An entry is an address with options behind commas; several stand apart by spaces, so that nobody takes a key for
//! one of the whole list.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use dns::Name;

use crate::prefix::Prefix;

/// The port that NOTIFYs go to unless another is named (RFC 1035 §4.2).
const DNS_PORT: u16 = 53;

/// Some who may copy a zone: from these addresses, by signing with this key, or only both together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    from: Option<Prefix>,
    pub(crate) key: Option<Name>,
}

/// A server that is told of each new version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub address: SocketAddr,
    /// The key that NOTIFYs to it are signed with.
    pub key: Option<Name>,
    /// Our own address that they are sent from.
    pub source: Option<IpAddr>,
}

/// The text names nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NobodyNamed {
    #[error("{0:?} does not say who may copy: write 192.0.2.0/24, key=NAME, or both as 192.0.2.0/24,key=NAME")]
    Admission(String),
    #[error(
        "{0:?} is no server to be notified: write 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:53, and what it needs behind it as ,key=NAME or ,source=ADDRESS"
    )]
    Target(String),
}

impl Admission {
    pub fn of(from: Prefix) -> Self {
        Self { from: Some(from), key: None }
    }

    /// Whether it means somebody who asks from `address`, with the key that the request was signed with and verified by.
    pub fn admits(&self, address: IpAddr, signed_by: Option<&Name>) -> bool {
        self.from.is_none_or(|from| from.contains(address))
            && self.key.as_ref().is_none_or(|key| signed_by == Some(key))
    }

    /// This machine, and nobody else.
    pub fn loopback() -> Vec<Self> {
        let v6 = Prefix::of_one(std::net::Ipv6Addr::LOCALHOST.into());
        vec![Self::of(Prefix::loopback_v4()), Self::of(v6)]
    }
}

impl FromStr for Admission {
    type Err = NobodyNamed;

    fn from_str(text: &str) -> Result<Self, NobodyNamed> {
        let wrong = || NobodyNamed::Admission(text.to_owned());
        let mut read = Self { from: None, key: None };
        for word in text.split(',') {
            let is_new = match word.strip_prefix("key=") {
                Some(key) => read.key.replace(key.parse().map_err(|_| wrong())?).is_none(),
                None => read.from.replace(word.parse().map_err(|_| wrong())?).is_none() && read.key.is_none(),
            };
            if !is_new {
                return Err(wrong());
            }
        }
        Ok(read)
    }
}

impl fmt::Display for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.key) {
            (Some(from), Some(key)) => write!(f, "{from},key={key}"),
            (Some(from), None) => from.fmt(f),
            (None, Some(key)) => write!(f, "key={key}"),
            (None, None) => Ok(()),
        }
    }
}

impl FromStr for Target {
    type Err = NobodyNamed;

    fn from_str(text: &str) -> Result<Self, NobodyNamed> {
        let wrong = || NobodyNamed::Target(text.to_owned());
        let mut words = text.split(',');
        let address = words.next().unwrap_or_default();
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let address = match bare.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, DNS_PORT),
            Err(_) => address.parse().map_err(|_| wrong())?,
        };
        let ip = address.ip();
        if address.port() == 0 || ip.is_unspecified() || ip.is_multicast() {
            return Err(wrong());
        }
        let mut target = Self { address, key: None, source: None };
        for word in words {
            let is_new = match word.split_once('=') {
                Some(("key", key)) => target.key.replace(key.parse().map_err(|_| wrong())?).is_none(),
                Some(("source", source)) => target.source.replace(source.parse().map_err(|_| wrong())?).is_none(),
                _ => false,
            };
            if !is_new {
                return Err(wrong());
            }
        }
        let is_of_one_family = target.source.is_none_or(|source| source.is_ipv4() == ip.is_ipv4());
        if is_of_one_family { Ok(target) } else { Err(wrong()) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        if let Some(key) = &self.key {
            write!(f, ",key={key}")?;
        }
        self.source.map_or(Ok(()), |source| write!(f, ",source={source}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Target};

    #[test]
    fn an_address_a_key_or_both_together_admit() {
        let (a, b) = ("a.example".parse().unwrap(), "b.example".parse().unwrap());
        let cases = [
            ("192.0.2.0/24", "192.0.2.7", None, true),
            ("192.0.2.0/24", "192.0.2.7", Some(&a), true),
            ("192.0.2.0/24", "198.51.100.7", Some(&a), false),
            ("key=a.example", "198.51.100.7", Some(&a), true),
            ("key=A.Example.", "198.51.100.7", Some(&a), true),
            ("key=a.example", "198.51.100.7", Some(&b), false),
            ("key=a.example", "198.51.100.7", None, false),
            ("192.0.2.0/24,key=a.example", "192.0.2.7", Some(&a), true),
            ("192.0.2.0/24,key=a.example", "192.0.2.7", None, false),
            ("192.0.2.0/24,key=a.example", "198.51.100.7", Some(&a), false),
        ];
        for (text, from, signed_by, expected) in cases {
            let admission: Admission = text.parse().unwrap();
            assert_eq!(admission.admits(from.parse().unwrap(), signed_by), expected, "{text} {from}");
            assert_eq!(admission.to_string().parse(), Ok(admission));
        }
    }

    #[test]
    fn targets_are_read_as_they_are_written() {
        for (text, written) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353,key=a.example", "192.0.2.1:5353,key=a.example."),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353,source=2001:db8::2", "[2001:db8::1]:5353,source=2001:db8::2"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), written);
            assert_eq!(written.parse(), Ok(target));
        }
    }

    #[test]
    fn what_names_nobody_is_said() {
        for text in ["", "key=", "192.0.2.0/24,192.0.3.0/24", "key=a,key=b", "key=a,192.0.2.0/24", "everybody"] {
            let error = text.parse::<Admission>().unwrap_err().to_string();
            assert!(error.contains("does not say who may copy"), "{error}");
        }
        for text in ["", "ns.example", "0.0.0.0", "192.0.2.1:0", "192.0.2.1,tls", "192.0.2.1,source=::1", "224.0.0.1"]
        {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains("no server to be notified"), "{error}");
        }
    }
}
