//! Record types.

use std::fmt;
use std::str::FromStr;

/// A record type or query type, known to us or not (RFC 3597).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type(pub u16);

impl Type {
    pub const A: Self = Self(1);
    pub const NS: Self = Self(2);
    pub const MD: Self = Self(3);
    pub const MF: Self = Self(4);
    pub const CNAME: Self = Self(5);
    pub const SOA: Self = Self(6);
    pub const MB: Self = Self(7);
    pub const MG: Self = Self(8);
    pub const MR: Self = Self(9);
    pub const PTR: Self = Self(12);
    pub const HINFO: Self = Self(13);
    pub const MINFO: Self = Self(14);
    pub const MX: Self = Self(15);
    pub const TXT: Self = Self(16);
    pub const RP: Self = Self(17);
    pub const AFSDB: Self = Self(18);
    pub const X25: Self = Self(19);
    pub const ISDN: Self = Self(20);
    pub const RT: Self = Self(21);
    pub const SIG: Self = Self(24);
    pub const PX: Self = Self(26);
    pub const AAAA: Self = Self(28);
    pub const NXT: Self = Self(30);
    pub const SRV: Self = Self(33);
    pub const NAPTR: Self = Self(35);
    pub const KX: Self = Self(36);
    pub const DNAME: Self = Self(39);
    pub const OPT: Self = Self(41);
    pub const DS: Self = Self(43);
    pub const RRSIG: Self = Self(46);
    pub const NSEC: Self = Self(47);
    pub const DNSKEY: Self = Self(48);
    pub const NSEC3: Self = Self(50);
    pub const NSEC3PARAM: Self = Self(51);
    pub const SPF: Self = Self(99);
    pub const ZONEMD: Self = Self(63);
    pub const SVCB: Self = Self(64);
    pub const HTTPS: Self = Self(65);
    pub const TKEY: Self = Self(249);
    pub const TSIG: Self = Self(250);
    pub const IXFR: Self = Self(251);
    pub const AXFR: Self = Self(252);
    pub const MAILB: Self = Self(253);
    pub const MAILA: Self = Self(254);
    pub const ANY: Self = Self(255);

    /// Whether this is SVCB or a type like it (RFC 9460 §6).
    #[inline]
    pub fn is_service_binding(self) -> bool {
        matches!(self, Self::SVCB | Self::HTTPS)
    }

    /// Whether this is a question or a part of the protocol and never data in a zone (RFC 6895 §3.1).
    #[inline]
    pub fn is_meta(self) -> bool {
        self == Self::OPT || (128..=255).contains(&self.0)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        domain::base::iana::Rtype::from_int(self.0).fmt(f)
    }
}

/// The text is neither a type's mnemonic nor `TYPE` and a number (RFC 3597 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such record type")]
pub struct UnknownType;

impl FromStr for Type {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        let known = domain::base::iana::Rtype::from_str(text).map_err(|_| UnknownType)?;
        Ok(Self(known.to_int()))
    }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn unknown_types_are_written_as_rfc_3597_says() {
        assert_eq!(Type(65280).to_string(), "TYPE65280");
        assert_eq!("TYPE65280".parse(), Ok(Type(65280)));
        assert_eq!("aaaa".parse(), Ok(Type::AAAA));
        assert!("nonsense".parse::<Type>().is_err());
    }
}
