//! Where a walk begins: the root's servers and their addresses.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use dns::text::zone_from_text;
use dns::{Name, NameRef, Type};

/// From <https://www.internic.net/domain/named.root> as of the root zone 2026082201, which names the same servers. They
/// change one address in some years, and the old ones go on answering for long (RFC 9609 §2).
const IANA: &str = "\
. 3600000 NS A.ROOT-SERVERS.NET.
A.ROOT-SERVERS.NET. 3600000 A 198.41.0.4
A.ROOT-SERVERS.NET. 3600000 AAAA 2001:503:ba3e::2:30
. 3600000 NS B.ROOT-SERVERS.NET.
B.ROOT-SERVERS.NET. 3600000 A 170.247.170.2
B.ROOT-SERVERS.NET. 3600000 AAAA 2801:1b8:10::b
. 3600000 NS C.ROOT-SERVERS.NET.
C.ROOT-SERVERS.NET. 3600000 A 192.33.4.12
C.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:2::c
. 3600000 NS D.ROOT-SERVERS.NET.
D.ROOT-SERVERS.NET. 3600000 A 199.7.91.13
D.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:2d::d
. 3600000 NS E.ROOT-SERVERS.NET.
E.ROOT-SERVERS.NET. 3600000 A 192.203.230.10
E.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:a8::e
. 3600000 NS F.ROOT-SERVERS.NET.
F.ROOT-SERVERS.NET. 3600000 A 192.5.5.241
F.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:2f::f
. 3600000 NS G.ROOT-SERVERS.NET.
G.ROOT-SERVERS.NET. 3600000 A 192.112.36.4
G.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:12::d0d
. 3600000 NS H.ROOT-SERVERS.NET.
H.ROOT-SERVERS.NET. 3600000 A 198.97.190.53
H.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:1::53
. 3600000 NS I.ROOT-SERVERS.NET.
I.ROOT-SERVERS.NET. 3600000 A 192.36.148.17
I.ROOT-SERVERS.NET. 3600000 AAAA 2001:7fe::53
. 3600000 NS J.ROOT-SERVERS.NET.
J.ROOT-SERVERS.NET. 3600000 A 192.58.128.30
J.ROOT-SERVERS.NET. 3600000 AAAA 2001:503:c27::2:30
. 3600000 NS K.ROOT-SERVERS.NET.
K.ROOT-SERVERS.NET. 3600000 A 193.0.14.129
K.ROOT-SERVERS.NET. 3600000 AAAA 2001:7fd::1
. 3600000 NS L.ROOT-SERVERS.NET.
L.ROOT-SERVERS.NET. 3600000 A 199.7.83.42
L.ROOT-SERVERS.NET. 3600000 AAAA 2001:500:9f::42
. 3600000 NS M.ROOT-SERVERS.NET.
M.ROOT-SERVERS.NET. 3600000 A 202.12.27.33
M.ROOT-SERVERS.NET. 3600000 AAAA 2001:dc3::35
";

/// The root's servers, each with at least one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hints {
    servers: BTreeMap<Name, Vec<IpAddr>>,
}

/// The text names no servers of the root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHints {
    #[error("root hints are a zone file as IANA's named.root is, and this is none: {0}")]
    NoZoneFile(String),
    #[error("the root hints have no NS record of the root whose name has an A or AAAA record beside it")]
    NoServer,
}

impl Hints {
    /// Those of the internet's root.
    pub fn iana() -> Self {
        IANA.parse().expect("the text above is a zone file with NS and address records")
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = (&Name, &Vec<IpAddr>)> {
        self.servers.iter()
    }
}

impl FromStr for Hints {
    type Err = NoHints;

    /// Reads a zone file; records of other types or names are passed over, and so are servers without an address.
    fn from_str(text: &str) -> Result<Self, NoHints> {
        let records = zone_from_text(".", text).map_err(|error| NoHints::NoZoneFile(error.to_string()))?;
        let names = records.iter().filter(|record| record.rtype == Type::NS && record.owner.is_root());
        let names = names.filter_map(|record| NameRef::prefix_of(record.rdata).ok());
        let mut servers: BTreeMap<Name, Vec<IpAddr>> = names.map(|name| (name.to_name(), Vec::new())).collect();
        for record in &records {
            if let Some(address) = address_in(record.rtype, record.rdata)
                && let Some(addresses) = servers.get_mut(&record.owner.to_name())
            {
                addresses.push(address);
            }
        }
        servers.retain(|_, addresses| !addresses.is_empty());
        if servers.is_empty() { Err(NoHints::NoServer) } else { Ok(Self { servers }) }
    }
}

/// The address in an A or AAAA record's data.
pub(crate) fn address_in(rtype: Type, rdata: &[u8]) -> Option<IpAddr> {
    match rtype {
        Type::A => <[u8; 4]>::try_from(rdata).ok().map(|octets| Ipv4Addr::from(octets).into()),
        Type::AAAA => <[u8; 16]>::try_from(rdata).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Hints, NoHints};

    #[test]
    fn the_hints_built_in_are_those_that_the_root_zone_names() {
        // A root zone as it was published; its own records are delegations and not the root's, but for these.
        let root = include_str!("../../../testing/data/root-2026082201.zone");
        let ours = Hints::iana();
        assert_eq!(ours.servers().map(|(_, addresses)| addresses.len()).collect::<Vec<_>>(), [2; 13]);
        let mut theirs: Hints = root.parse().unwrap();
        let mut ours = ours;
        for hints in [&mut theirs, &mut ours] {
            hints.servers.values_mut().for_each(|addresses| addresses.sort());
        }
        assert_eq!(ours, theirs);
    }

    #[test]
    fn other_hints_are_read_and_what_names_no_server_is_said() {
        let hints: Hints = ". NS a.root.test.\na.root.test. A 127.0.0.53\n. NS b.root.test.\n".parse().unwrap();
        assert_eq!(hints.servers().count(), 1);
        for text in ["", ". 60 NS a.root.test.\n", "test. 60 NS a.test.\na.test. 60 A 127.0.0.1\n"] {
            assert_eq!(text.parse::<Hints>(), Err(NoHints::NoServer), "{text}");
        }
        let error = ". NS".parse::<Hints>().unwrap_err().to_string();
        assert!(error.contains("as IANA's named.root is"), "{error}");
    }
}
