//! Which addresses may be asked: whoever lets strangers name the address of a primary lends them this machine's place in
//! its network, and they would use it to look around there.
//!
//! Judged is the address that a socket is to send to, at each connect and each datagram, because what was judged when
//! it was typed may be another address by then. Pure; an address without a rule against it is public. The rules are
//! the IANA registries of special-purpose addresses (RFC 6890), read so: what is not globally reachable is refused, and of
//! what is, all that no name server of somebody's has (IETF protocol assignments, anycast relays).
//!
//! IPv6 addresses that hold an IPv4 address are refused whatever they hold. A translator or a tunnel somewhere decides
//! where they lead, and the registries promise nothing for it; and nobody needs them: a primary can be named by the IPv4
//! address itself, which is then judged as such. Where the operator allows such a block (a NAT64 of their own), what an
//! address in it holds is judged too, so that 64:ff9b::/96 is no way around the rule for 169.254.169.254.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::Prefix;

/// The judge of addresses that something is to be sent to.
#[derive(Clone, Debug, Default)]
pub enum Destinations {
    /// Whoever names addresses runs this machine, and may ask any.
    #[default]
    Anything,
    /// Strangers name them.
    PublicOnly {
        /// What the operator allows all the same.
        allowed: Vec<Prefix>,
        /// Addresses of ours, which strangers are to reach from outside or not at all. An allowed block opens one only if
        /// it is that address alone: who allows their network does not think of the one machine in it that we are.
        ours: Vec<IpAddr>,
    },
}

/// An address that is not to be asked, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub struct RefusedAddress {
    pub address: IpAddr,
    pub rule: Rule,
}

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, rule } = self;
        match rule {
            // It may be public, or lie in a block of the list.
            Rule::Ours => {
                write!(f, "{address} is {rule}: it is asked only if the operator's list has this one address")
            }
            _ => write!(
                f,
                "{address} is {rule}: only public addresses are asked, and those that the operator's list allows"
            ),
        }
    }
}

/// What speaks against an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    Ours,
    /// "This network"; a socket takes it for this machine.
    Unspecified,
    Loopback,
    Private,
    Shared,
    LinkLocal,
    SiteLocal,
    /// Where clouds tell a machine its secrets.
    Metadata,
    Multicast,
    Broadcast,
    Documentation,
    Benchmarking,
    Protocol,
    Discard,
    Orchid,
    /// Holds an IPv4 address: mapped or compatible.
    Embedded,
    Translated,
    SixToFour,
    Teredo,
    Segments,
    Reserved,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "an address of this service itself",
            Self::Unspecified => "an unspecified address (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2)",
            Self::Loopback => "a loopback address (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3)",
            Self::Private => "a private address (RFC 1918, RFC 4193)",
            Self::Shared => "an address shared by a provider's customers (RFC 6598)",
            Self::LinkLocal => "a link-local address (RFC 3927, RFC 4291 §2.5.6)",
            Self::SiteLocal => "a site-local address (RFC 3879)",
            Self::Metadata => "the address of a cloud's metadata service",
            Self::Multicast => "a multicast address (RFC 5771, RFC 4291 §2.7)",
            Self::Broadcast => "the broadcast address (RFC 919)",
            Self::Documentation => "an address for documentation (RFC 5737, RFC 3849, RFC 9637)",
            Self::Benchmarking => "an address for benchmarks (RFC 2544, RFC 5180)",
            Self::Protocol => "an address of a protocol's own (RFC 6890 §2.2, RFC 2928)",
            Self::Discard => "an address whose packets are thrown away (RFC 6666, RFC 9780)",
            Self::Orchid => "an identifier and no address (RFC 4843, RFC 7343)",
            Self::Embedded => "an IPv4 address in the form of an IPv6 address (RFC 4291 §2.5.5)",
            Self::Translated => "an IPv4 address behind a translator (RFC 6052, RFC 8215)",
            Self::SixToFour => "an IPv4 address behind a 6to4 relay (RFC 7526)",
            Self::Teredo => "an IPv4 address behind a Teredo tunnel (RFC 4380)",
            Self::Segments => "a segment of a route and no host (RFC 9602)",
            Self::Reserved => "a reserved address (RFC 1112 §4, RFC 4291 §2.4)",
        })
    }
}

/// The first block that an address is in counts. IANA IPv4 Special-Purpose Address Registry, RFC 6890 §2.2.2.
const IPV4: [(Prefix, Rule); 19] = [
    (Prefix::v4([0, 0, 0, 0], 8), Rule::Unspecified),
    (Prefix::v4([10, 0, 0, 0], 8), Rule::Private),
    (Prefix::v4([100, 64, 0, 0], 10), Rule::Shared),
    (Prefix::v4([127, 0, 0, 0], 8), Rule::Loopback),
    // Azure's, which stands in no registry.
    (Prefix::v4([168, 63, 129, 16], 32), Rule::Metadata),
    (Prefix::v4([169, 254, 169, 254], 32), Rule::Metadata),
    (Prefix::v4([169, 254, 0, 0], 16), Rule::LinkLocal),
    (Prefix::v4([172, 16, 0, 0], 12), Rule::Private),
    (Prefix::v4([192, 0, 0, 0], 24), Rule::Protocol),
    (Prefix::v4([192, 0, 2, 0], 24), Rule::Documentation),
    // Anycast relays of AMT (RFC 7450).
    (Prefix::v4([192, 52, 193, 0], 24), Rule::Protocol),
    (Prefix::v4([192, 88, 99, 0], 24), Rule::SixToFour),
    (Prefix::v4([192, 168, 0, 0], 16), Rule::Private),
    (Prefix::v4([198, 18, 0, 0], 15), Rule::Benchmarking),
    (Prefix::v4([198, 51, 100, 0], 24), Rule::Documentation),
    (Prefix::v4([203, 0, 113, 0], 24), Rule::Documentation),
    (Prefix::v4([224, 0, 0, 0], 4), Rule::Multicast),
    (Prefix::v4([255, 255, 255, 255], 32), Rule::Broadcast),
    (Prefix::v4([240, 0, 0, 0], 4), Rule::Reserved),
];

/// IANA IPv6 Special-Purpose Address Registry, RFC 6890 §2.2.3; mapped addresses are seen before it.
const IPV6: [(Prefix, Rule); 21] = [
    (Prefix::v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Rule::Unspecified),
    (Prefix::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Rule::Loopback),
    (Prefix::v6([0, 0, 0, 0, 0, 0, 0, 0], 96), Rule::Embedded),
    (Prefix::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), Rule::Translated),
    (Prefix::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Rule::Translated),
    (Prefix::v6([0x100, 0, 0, 0, 0, 0, 0, 0], 63), Rule::Discard),
    (Prefix::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Rule::Teredo),
    (Prefix::v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), Rule::Benchmarking),
    (Prefix::v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), Rule::Orchid),
    (Prefix::v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), Rule::Orchid),
    (Prefix::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Rule::Protocol),
    (Prefix::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Rule::Documentation),
    (Prefix::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), Rule::SixToFour),
    (Prefix::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Rule::Documentation),
    (Prefix::v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), Rule::Segments),
    // Of two clouds; both are private anyway.
    (Prefix::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), Rule::Metadata),
    (Prefix::v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), Rule::Metadata),
    (Prefix::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Rule::Private),
    (Prefix::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Rule::LinkLocal),
    (Prefix::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Rule::SiteLocal),
    (Prefix::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Rule::Multicast),
];

/// All of IPv6 that is given to hosts (RFC 4291 §2.4, IANA IPv6 Global Unicast Address Assignments).
const GLOBAL_UNICAST: Prefix = Prefix::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

impl Destinations {
    /// # Errors
    /// When nothing is to be sent to this address.
    pub fn judge(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        let Self::PublicOnly { allowed, ours } = self else { return Ok(()) };
        let refused = |rule| Err(RefusedAddress { address, rule });
        let mut allowing = allowed.iter().filter(|block| block.contains(address));
        let is_ours = ours.iter().any(|own| own.to_canonical() == address.to_canonical());
        if is_ours {
            return if allowing.any(Prefix::is_of_one) { Ok(()) } else { refused(Rule::Ours) };
        }
        match rule_against(address) {
            None => Ok(()),
            Some(rule) if allowing.next().is_none() => refused(rule),
            Some(_) => held_by(address).map_or(Ok(()), |held| {
                self.judge(held.into()).map_err(|inner| RefusedAddress { address, rule: inner.rule })
            }),
        }
    }
}

fn rule_against(address: IpAddr) -> Option<Rule> {
    let first = |rules: &[(Prefix, Rule)]| {
        let rule = rules.iter().find(|(block, _)| block.contains(address));
        rule.map(|(_, rule)| *rule)
    };
    match address {
        IpAddr::V4(_) => first(&IPV4),
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Some(Rule::Embedded),
        IpAddr::V6(_) => first(&IPV6).or((!GLOBAL_UNICAST.contains(address)).then_some(Rule::Reserved)),
    }
}

/// The IPv4 address that an IPv6 address holds at a place that is known.
fn held_by(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [a, b, ..] = address.segments();
    let bits = address.to_bits();
    match (a, b) {
        // RFC 3056 §2: behind the first sixteen bits.
        (0x2002, _) => Some(Ipv4Addr::from((bits >> 80) as u32)),
        // RFC 4291 §2.5.5, RFC 6052 §2.1: the last 32 bits. Where RFC 8215's block is used, its operator knows the place.
        (0, 0) | (0x64, 0xff9b) if address != Ipv6Addr::LOCALHOST && address != Ipv6Addr::UNSPECIFIED => {
            Some(Ipv4Addr::from(bits as u32))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Destinations, Rule};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn public_only(allowed: &[&str], ours: &[&str]) -> Destinations {
        let allowed = allowed.iter().map(|block| block.parse().unwrap()).collect();
        Destinations::PublicOnly { allowed, ours: ours.iter().map(|own| address(own)).collect() }
    }

    fn rule(judge: &Destinations, text: &str) -> Option<Rule> {
        judge.judge(address(text)).err().map(|refused| refused.rule)
    }

    #[test]
    fn every_address_that_is_not_public_is_refused_by_its_rule() {
        let judge = public_only(&[], &["198.41.0.200", "2a00::53"]);
        for (rule_expected, addresses) in [
            (Rule::Ours, "198.41.0.200 2a00::53 ::ffff:198.41.0.200"),
            (Rule::Unspecified, "0.0.0.0 0.1.2.3 0.255.255.255 ::"),
            (Rule::Private, "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255"),
            (Rule::Private, "fc00:: fd12:3456::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            (Rule::Shared, "100.64.0.0 100.127.255.255 100.100.100.200"),
            (Rule::Loopback, "127.0.0.1 127.255.255.255 ::1"),
            (Rule::LinkLocal, "169.254.0.0 169.254.169.253 169.254.255.255 fe80:: fe80::1 febf:ffff::1"),
            (Rule::SiteLocal, "fec0:: feff:ffff::1"),
            (Rule::Metadata, "169.254.169.254 168.63.129.16 fd00:ec2::254 fd20:ce::254"),
            (Rule::Protocol, "192.0.0.0 192.0.0.192 192.0.0.255 192.52.193.1 2001:1::1 2001:4:112::1 2001:1ff::1"),
            (Rule::Documentation, "192.0.2.1 198.51.100.255 203.0.113.0 2001:db8::1 2001:db8:ffff::1 3fff:fff::1"),
            (Rule::Benchmarking, "198.18.0.0 198.19.255.255 2001:2::1"),
            (Rule::Multicast, "224.0.0.0 239.255.255.255 ff02::1 ffff::1"),
            (Rule::Broadcast, "255.255.255.255"),
            (Rule::Reserved, "240.0.0.0 255.255.255.254 1::1 200::1 4000::1 5eff::1 6000::1 c000::1 fe00::1"),
            (Rule::Embedded, "::ffff:8.8.8.8 ::ffff:10.0.0.1 ::8.8.8.8 ::2 ::ffff:0.0.0.0"),
            (Rule::Translated, "64:ff9b::808:808 64:ff9b::a00:1 64:ff9b:1::808:808 64:ff9b:1:ffff::1"),
            (Rule::SixToFour, "192.88.99.1 2002:808:808::1 2002:a00:1::1"),
            (Rule::Teredo, "2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2"),
            (Rule::Orchid, "2001:10::1 2001:1f:ffff::1 2001:20::1 2001:2f:ffff::1"),
            (Rule::Discard, "100::1 100:0:0:1::1"),
            (Rule::Segments, "5f00::1"),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(rule(&judge, address), Some(rule_expected), "{address}");
                assert_eq!(rule(&Destinations::Anything, address), None, "{address}");
            }
        }
    }

    #[test]
    fn public_addresses_are_asked_up_to_the_edges_of_what_is_refused() {
        let judge = public_only(&[], &["198.41.0.200"]);
        let of_v4 = "1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 \
                     168.63.129.15 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 \
                     192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
                     198.41.0.4 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255";
        let of_v6 = "2000::1 2001:200::1 2001:503:ba3e::2:30 2001:db7:ffff::1 2001:db9::1 2003::1 2a00::53 3ffe::1 \
                     3fff:1000::1 3fff:ffff::1";
        for address in of_v4.split_whitespace().chain(of_v6.split_whitespace()) {
            assert_eq!(rule(&judge, address), None, "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_asked_and_nothing_beside_it() {
        let judge = public_only(&["10.1.0.0/16", "fd00:1::/32", "127.0.0.2"], &["10.1.0.9", "127.0.0.2"]);
        for allowed in ["10.1.0.1", "10.1.255.255", "fd00:1::53", "8.8.8.8", "127.0.0.2", "::ffff:10.1.0.1"] {
            assert_eq!(rule(&judge, allowed), None, "{allowed}");
        }
        for (refused, by) in [
            ("10.2.0.1", Rule::Private),
            ("fd00:2::53", Rule::Private),
            ("127.0.0.1", Rule::Loopback),
            ("169.254.169.254", Rule::Metadata),
            // A whole network is allowed, and the one machine in it that is this one is not.
            ("10.1.0.9", Rule::Ours),
            ("::ffff:10.1.0.9", Rule::Ours),
        ] {
            assert_eq!(rule(&judge, refused), Some(by), "{refused}");
        }
    }

    #[test]
    fn an_allowed_translator_leads_only_to_what_could_be_asked_itself() {
        let judge = public_only(&["64:ff9b::/96", "2002::/16", "::/96"], &["198.41.0.200"]);
        for allowed in ["64:ff9b::808:808", "2002:808:808::1", "::8.8.8.8"] {
            assert_eq!(rule(&judge, allowed), None, "{allowed}");
        }
        for (refused, by) in [
            ("64:ff9b::a9fe:a9fe", Rule::Metadata),
            ("2002:a00:1::1", Rule::Private),
            ("::127.0.0.1", Rule::Loopback),
            ("64:ff9b::c629:c8", Rule::Ours),
            ("64:ff9b:1::808:808", Rule::Translated),
        ] {
            assert_eq!(rule(&judge, refused), Some(by), "{refused}");
        }
    }

    #[test]
    fn a_refusal_says_the_rule_and_who_could_allow_it() {
        let refused = public_only(&[], &[]).judge(address("10.0.0.1")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "10.0.0.1 is a private address (RFC 1918, RFC 4193): only public addresses are asked, and those that the \
             operator's list allows"
        );
        let ours = public_only(&["10.0.0.0/8"], &["10.0.0.1"]).judge(address("10.0.0.1")).unwrap_err();
        assert_eq!(
            ours.to_string(),
            "10.0.0.1 is an address of this service itself: it is asked only if the operator's list has this one address"
        );
    }
}
