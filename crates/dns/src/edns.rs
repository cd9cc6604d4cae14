//! EDNS(0) (RFC 6891): the OPT record of a message.

use crate::message::{Malformed, MessageReader};
use crate::rtype::Type;

/// The EDNS version that we speak (RFC 6891 §6.1.3).
pub const VERSION: u8 = 0;
/// The UDP payload that we offer, and send at the most, in octets: what passes every path without fragments.
pub const UDP_OCTETS: u16 = 1232;

/// Option codes (RFC 6891 §9 registry).
pub mod option {
    pub const NSID: u16 = 3;
    pub const EXPIRE: u16 = 9;
    pub const COOKIE: u16 = 10;
    pub const KEEPALIVE: u16 = 11;
    pub const PADDING: u16 = 12;
    pub const EXTENDED_ERROR: u16 = 15;
    pub const REPORT_CHANNEL: u16 = 18;
    pub const ZONE_VERSION: u16 = 19;
}

/// Extended DNS error codes (RFC 8914 §4).
pub mod extended_error {
    pub const OTHER: u16 = 0;
    pub const NOT_READY: u16 = 14;
    pub const NOT_AUTHORITATIVE: u16 = 20;
    pub const INVALID_DATA: u16 = 24;
    pub const UNSUPPORTED_NSEC3_ITERATIONS: u16 = 27;
}

/// What an OPT record says.
#[derive(Clone, Copy, Debug)]
pub struct Edns<'a> {
    /// The sender's UDP payload size in octets, as sent: values below 512 mean 512.
    pub udp_octets: u16,
    pub version: u8,
    /// DNSSEC OK (RFC 3225).
    pub dnssec_ok: bool,
    /// The upper eight bits of the response code.
    pub rcode_high: u8,
    options: &'a [u8],
}

impl<'a> Edns<'a> {
    /// Reads an OPT record from its class, TTL and RDATA.
    ///
    /// # Errors
    /// When an option's length does not fit the RDATA (RFC 6891 §6.1.2).
    #[inline]
    pub fn parse(class: u16, ttl: u32, rdata: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = rdata;
        while !rest.is_empty() {
            let (_, _, after) = split_option(rest).ok_or(Malformed::Edns)?;
            rest = after;
        }
        let [rcode_high, version, flags, _] = ttl.to_be_bytes();
        Ok(Self { udp_octets: class, version, dnssec_ok: flags & 0x80 != 0, rcode_high, options: rdata })
    }

    /// What the message's OPT record says, if it has one that can be read; `reader` is wherever it is.
    pub fn of(mut reader: MessageReader<'a>) -> Option<Self> {
        while let Ok(Some(record)) = reader.record() {
            if record.rtype == Type::OPT {
                return Self::parse(record.class, record.ttl, reader.raw_rdata(&record)).ok();
            }
        }
        None
    }

    /// The options: code and data.
    #[inline]
    pub fn options(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let mut rest = self.options;
        std::iter::from_fn(move || {
            let (code, data, after) = split_option(rest)?;
            rest = after;
            Some((code, data))
        })
    }

    /// Whether the sender wants to know when the zone's copy expires: an EXPIRE option without data (RFC 7314 §2).
    pub fn asks_expire(&self) -> bool {
        self.options().any(|(code, data)| code == option::EXPIRE && data.is_empty())
    }

    /// The TTL field that says this.
    #[inline]
    pub fn ttl(rcode_high: u8, version: u8, dnssec_ok: bool) -> u32 {
        u32::from_be_bytes([rcode_high, version, if dnssec_ok { 0x80 } else { 0 }, 0])
    }
}

/// A whole OPT record, to be appended to a message; `options` are in wire form.
pub fn opt_record(rcode_high: u8, version: u8, options: &[u8]) -> Vec<u8> {
    let head = opt_head(UDP_OCTETS, Edns::ttl(rcode_high, version, false), options.len() as u16);
    [&head, options].concat()
}

/// Octets of an OPT record without its options.
pub const OPT_HEAD_OCTETS: usize = 11;

/// What an OPT record begins with (RFC 6891 §6.1.2): the root's name, its type, the sender's UDP payload size, what
/// [`Edns::ttl`] says, and how many octets of options follow.
pub(crate) fn opt_head(udp_octets: u16, ttl: u32, options_octets: u16) -> [u8; OPT_HEAD_OCTETS] {
    let mut head = [0; OPT_HEAD_OCTETS];
    head[1..3].copy_from_slice(&Type::OPT.0.to_be_bytes());
    head[3..5].copy_from_slice(&udp_octets.to_be_bytes());
    head[5..9].copy_from_slice(&ttl.to_be_bytes());
    head[9..].copy_from_slice(&options_octets.to_be_bytes());
    head
}

/// The option that asks when the server's copy of the zone expires (RFC 7314 §3).
pub const EXPIRE_QUESTION: [u8; 4] = [0, option::EXPIRE as u8, 0, 0];

/// Octets of the option that [`expire_option`] makes.
pub const EXPIRE_OPTION_OCTETS: usize = 8;

/// The option that says in how many seconds the zone's copy expires (RFC 7314 §2).
pub fn expire_option(secs: u32) -> [u8; EXPIRE_OPTION_OCTETS] {
    let [code_high, code_low] = option::EXPIRE.to_be_bytes();
    let [a, b, c, d] = secs.to_be_bytes();
    [code_high, code_low, 0, 4, a, b, c, d]
}

fn split_option(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let head = octets.get(..4)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let data = octets.get(4..4 + length)?;
    Some((u16::from_be_bytes([head[0], head[1]]), data, &octets[4 + length..]))
}

#[cfg(test)]
mod tests {
    use super::{EXPIRE_QUESTION, Edns, UDP_OCTETS, VERSION, opt_record};

    #[test]
    fn what_is_written_is_read_back() {
        let record = opt_record(1, VERSION, &EXPIRE_QUESTION);
        // RFC 6891 §6.1.2: the root, the type, the size, the response code's upper bits and the version, the options.
        assert_eq!(record, [0, 0, 41, 0x04, 0xd0, 1, 0, 0, 0, 0, 4, 0, 9, 0, 0]);
        assert!(Edns::parse(UDP_OCTETS, 0, &EXPIRE_QUESTION).unwrap().asks_expire());
    }

    #[test]
    fn options_are_read_and_lying_lengths_refused() {
        let edns = Edns::parse(1232, 0x0000_8000, &[0, 3, 0, 0, 0, 10, 0, 2, 7, 8]).unwrap();
        assert!(edns.dnssec_ok && edns.version == 0);
        assert_eq!(edns.options().collect::<Vec<_>>(), [(3, &[][..]), (10, &[7, 8])]);
        assert!(!edns.asks_expire());
        assert!(Edns::parse(512, 0, &[0, 3, 0, 0, 0, 9, 0, 0]).unwrap().asks_expire());
        assert!(!Edns::parse(512, 0, &super::expire_option(7)).unwrap().asks_expire(), "that is an answer");
        assert!(Edns::parse(512, 0, &[0, 3, 0, 1]).is_err());
        assert!(Edns::parse(512, 0, &[0, 3, 0]).is_err());
    }
}
