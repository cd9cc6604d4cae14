//! Blocks of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses: those whose first `bits` bits are those of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    address: IpAddr,
    bits: u8,
}

/// The text is no block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no block of addresses: write one such as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1")]
pub struct NoPrefix(String);

impl Prefix {
    /// The block of one address.
    pub fn of_one(address: IpAddr) -> Self {
        Self { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }

    pub(crate) const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), bits }
    }

    pub(crate) const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], bits: u8) -> Self {
        Self { address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), bits }
    }

    /// Whether it is one address and no more.
    pub fn is_of_one(&self) -> bool {
        self.bits == if self.address.is_ipv4() { 32 } else { 128 }
    }

    /// 127.0.0.0/8 (RFC 1122 §3.2.1.3).
    pub fn loopback_v4() -> Self {
        Self { address: [127, 0, 0, 0].into(), bits: 8 }
    }

    /// The block that stands for all of somebody's addresses where many are counted as one: an IPv4 /24, or an IPv6
    /// /48, which is what a site has (RFC 6177 §2).
    pub fn of_site(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self { address: Ipv4Addr::from(address.to_bits() & !0 << 8).into(), bits: 24 },
            IpAddr::V6(address) => Self { address: Ipv6Addr::from(address.to_bits() & !0 << 80).into(), bits: 48 },
        }
    }

    /// The block that stands for one customer's addresses: an IPv4 address, or an IPv6 /64, of which nobody has less.
    pub fn of_customer(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::of_one(address.into()),
            IpAddr::V6(address) => Self { address: Ipv6Addr::from(address.to_bits() & !0 << 64).into(), bits: 64 },
        }
    }

    /// Whether `address` is in the block; an IPv4 address that came over IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(theirs)) => {
                let shared = mine.to_bits() ^ theirs.to_bits();
                shared.leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(mine), IpAddr::V6(theirs)) => {
                let shared = mine.to_bits() ^ theirs.to_bits();
                shared.leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = NoPrefix;

    /// Reads `ADDRESS/BITS`, or one address by itself.
    fn from_str(text: &str) -> Result<Self, NoPrefix> {
        let wrong = || NoPrefix(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        if bits > all {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::Prefix;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_contains_what_shares_its_bits() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ];
        for (prefix, of, expected) in cases {
            let parsed: Prefix = prefix.parse().unwrap();
            assert_eq!(parsed.contains(address(of)), expected, "{prefix} {of}");
        }
    }

    #[test]
    fn a_site_is_the_block_around_an_address() {
        for (of, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ] {
            assert_eq!(Prefix::of_site(address(of)).to_string(), expected);
        }
    }

    #[test]
    fn a_customer_has_an_address_or_a_64() {
        for (of, expected) in [
            ("192.0.2.77", "192.0.2.77/32"),
            ("::ffff:192.0.2.77", "192.0.2.77/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(Prefix::of_customer(address(of)), expected.parse().unwrap());
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused() {
        for text in ["", "192.0.2.0/33", "::/129", "192.0.2/24", "192.0.2.0/-1", "here/8", "192.0.2.0/"] {
            let error = text.parse::<Prefix>().unwrap_err();
            assert!(error.to_string().contains("no block of addresses"), "{error}");
        }
    }
}
