//! The shape of RDATA by type: where names are, which of them may be compressed, and what makes it invalid.
//!
//! One table ([`layout`]) serves reading (names expanded, lengths checked), comparing (names without case) and
//! writing (names compressed). A type that is not in the table is opaque (RFC 3597), never refused. The checks are as
//! strict as storing, comparing and printing need, and no stricter: a primary is the judge of its own data.

use std::ops::Range;

use crate::message::Malformed;
use crate::name::{self, NameRef};
use crate::rtype::Type;
use crate::serial::Serial;

#[derive(Clone, Copy)]
enum Field {
    /// A name, and who may compress it.
    Name(Compression),
    /// So many octets.
    Octets(usize),
    /// A character string (RFC 1035 §3.3).
    Text,
    /// One or more character strings up to the end.
    Texts,
    /// An octet that counts the octets that follow it.
    Counted,
    /// Type bitmap windows up to the end (RFC 4034 §4.1.2).
    Bitmap,
    /// Service parameters up to the end: keys strictly grow (RFC 9460 §2.2).
    Parameters,
    /// At least so many octets, up to the end.
    Rest(usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Compression {
    /// A type of RFC 1035: compressed by us and by others.
    Both,
    /// RFC 3597 §4: may arrive compressed, is never sent so.
    Received,
    /// Never compressed.
    Never,
}

use Compression::{Both, Never, Received};
use Field::{Bitmap, Counted, Name, Octets, Parameters, Rest, Text, Texts};

const fn layout(rtype: Type) -> Option<&'static [Field]> {
    Some(match rtype {
        Type::A => &[Octets(4)],
        Type::AAAA => &[Octets(16)],
        Type::NS | Type::MD | Type::MF | Type::CNAME | Type::MB | Type::MG | Type::MR | Type::PTR => &[Name(Both)],
        Type::SOA => &[Name(Both), Name(Both), Octets(20)],
        Type::MINFO => &[Name(Both), Name(Both)],
        Type::MX => &[Octets(2), Name(Both)],
        Type::HINFO => &[Text, Text],
        Type::TXT | Type::SPF => &[Texts],
        Type::X25 => &[Text],
        Type::ISDN => &[Texts],
        Type::RP => &[Name(Received), Name(Received)],
        Type::AFSDB | Type::RT => &[Octets(2), Name(Received)],
        Type::SIG => &[Octets(18), Name(Received), Rest(0)],
        Type::PX => &[Octets(2), Name(Received), Name(Received)],
        Type::NXT => &[Name(Received), Rest(0)],
        Type::SRV => &[Octets(6), Name(Received)],
        Type::NAPTR => &[Octets(4), Text, Text, Text, Name(Received)],
        Type::KX => &[Octets(2), Name(Never)],
        Type::DNAME => &[Name(Never)],
        Type::DS => &[Octets(4), Rest(1)],
        Type::RRSIG => &[Octets(18), Name(Never), Rest(0)],
        Type::NSEC => &[Name(Never), Bitmap],
        Type::DNSKEY => &[Octets(4), Rest(0)],
        Type::NSEC3 => &[Octets(4), Counted, Counted, Bitmap],
        Type::NSEC3PARAM => &[Octets(4), Counted],
        Type::ZONEMD => &[Octets(6), Rest(12)],
        Type::SVCB | Type::HTTPS => &[Octets(2), Name(Never), Parameters],
        _ => return None,
    })
}

/// The types below this number are those of RFC 1035, and no others may be compressed (RFC 3597 §4).
const COMPRESSED_BELOW: u16 = 16;

/// For each of these types, by its bit, whether [`layout`] has names for it that may be compressed.
const COMPRESSED: u16 = {
    let mut types = 0;
    let mut number = 0;
    while number < COMPRESSED_BELOW {
        let fields = match layout(Type(number)) {
            Some(fields) => fields,
            None => &[],
        };
        let mut index = 0;
        while index < fields.len() {
            if matches!(fields[index], Name(Both)) {
                types |= 1 << number;
            }
            index += 1;
        }
        number += 1;
    }
    types
};

/// Whether a message may hold names in the RDATA of `rtype` compressed.
#[inline]
pub fn has_compressible_names(rtype: Type) -> bool {
    rtype.0 < COMPRESSED_BELOW && COMPRESSED >> rtype.0 & 1 == 1
}

/// Whether names in the RDATA of `rtype` compare without case (RFC 4034 §6.2 as amended by RFC 6840 §5.1).
fn names_fold(rtype: Type) -> bool {
    !matches!(rtype, Type::NSEC | Type::SVCB | Type::HTTPS)
}

/// A piece of RDATA.
#[derive(Clone, Copy)]
pub enum Part<'a> {
    /// A name that a message may hold compressed.
    Compressible(NameRef<'a>),
    /// A name that is always written out.
    Name(NameRef<'a>),
    Octets(&'a [u8]),
}

/// The pieces of RDATA that [`expand`] has accepted; together they are all of it.
pub fn parts(rtype: Type, rdata: &[u8]) -> Parts<'_> {
    Parts { fields: layout(rtype).unwrap_or_default().iter(), rest: rdata }
}

/// See [`parts`].
pub struct Parts<'a> {
    fields: std::slice::Iter<'static, Field>,
    rest: &'a [u8],
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let (length, name) = match self.fields.next() {
            Some(Name(compression)) => match NameRef::prefix_of(self.rest) {
                Ok(name) => (name.octets(), Some((name, *compression))),
                Err(_) => (self.rest.len(), None),
            },
            Some(Octets(count)) => (*count, None),
            Some(Text | Counted) => (self.rest.first().map_or(0, |count| 1 + usize::from(*count)), None),
            Some(Texts | Bitmap | Parameters | Rest(_)) | None => (self.rest.len(), None),
        };
        if self.rest.is_empty() {
            return None;
        }
        let (part, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        Some(match name {
            Some((name, Both)) => Part::Compressible(name),
            Some((name, _)) => Part::Name(name),
            None => Part::Octets(part),
        })
    }
}

/// Whether two RDATA are the same record data: names without case where DNSSEC folds them, the rest to the octet.
pub fn same(rtype: Type, a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    if a.len() != b.len() || !names_fold(rtype) || !a.eq_ignore_ascii_case(b) {
        return false;
    }
    parts(rtype, a).zip(parts(rtype, b)).all(|pair| match pair {
        (Part::Compressible(a) | Part::Name(a), Part::Compressible(b) | Part::Name(b)) => a == b,
        (Part::Octets(a), Part::Octets(b)) => a == b,
        _ => false,
    })
}

/// Appends RDATA with every letter that [`same`] ignores in lower case: equal keys, same record data.
pub fn fold_into(rtype: Type, rdata: &[u8], out: &mut Vec<u8>) {
    for part in parts(rtype, rdata) {
        match part {
            Part::Compressible(name) | Part::Name(name) if names_fold(rtype) => {
                out.extend(name.as_wire().iter().map(u8::to_ascii_lowercase));
            }
            Part::Compressible(name) | Part::Name(name) => out.extend(name.as_wire()),
            Part::Octets(octets) => out.extend(octets),
        }
    }
}

/// Checks the RDATA at `range` of `message` and appends it to `out` with its names uncompressed.
///
/// # Errors
/// When it does not have its type's shape; `out` may then hold a part of it.
pub fn expand(rtype: Type, message: &[u8], range: Range<usize>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let bad = Malformed::Rdata(rtype);
    let whole = message.get(range.clone()).ok_or(Malformed::Truncated)?;
    let Some(fields) = layout(rtype) else {
        out.extend(whole);
        return Ok(());
    };
    let mut at = range.start;
    for field in fields {
        let rest = message.get(at..range.end).ok_or(bad)?;
        let length = match *field {
            Name(Never) => NameRef::prefix_of(rest).map_err(|_| bad)?.octets(),
            Name(_) => {
                let after = name::read_into(message, at, out).map_err(|_| bad)?;
                if after > range.end {
                    return Err(bad);
                }
                at = after;
                continue;
            }
            Octets(count) => count,
            Text | Counted => 1 + usize::from(*rest.first().ok_or(bad)?),
            Texts => texts(rest).ok_or(bad)?,
            Bitmap => bitmap(rest).ok_or(bad)?,
            Parameters => parameters(rest).ok_or(bad)?,
            Rest(least) => (rest.len() >= least).then_some(rest.len()).ok_or(bad)?,
        };
        out.extend(rest.get(..length).ok_or(bad)?);
        at += length;
    }
    if at == range.end { Ok(()) } else { Err(bad) }
}

/// Checks uncompressed RDATA by itself.
pub fn check(rtype: Type, rdata: &[u8]) -> Result<(), Malformed> {
    let mut expanded = Vec::with_capacity(rdata.len());
    expand(rtype, rdata, 0..rdata.len(), &mut expanded)?;
    if expanded == rdata { Ok(()) } else { Err(Malformed::Rdata(rtype)) }
}

fn texts(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < octets.len() {
        at += 1 + usize::from(octets[at]);
    }
    (at == octets.len() && at > 0).then_some(at)
}

fn bitmap(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut last_window = None;
    while at < octets.len() {
        let (window, length) = (octets[at], usize::from(*octets.get(at + 1)?));
        if !(1..=32).contains(&length) || last_window.is_some_and(|last| window <= last) {
            return None;
        }
        last_window = Some(window);
        at += 2 + length;
    }
    (at == octets.len()).then_some(at)
}

fn parameters(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut last_key = None;
    while at < octets.len() {
        let head = octets.get(at..at + 4)?;
        let key = u16::from_be_bytes([head[0], head[1]]);
        if last_key.is_some_and(|last| key <= last) {
            return None;
        }
        last_key = Some(key);
        at += 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
    }
    (at == octets.len()).then_some(at)
}

/// The name for which an answer's additional section gives addresses (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1).
pub fn additional_target(rtype: Type, rdata: &[u8]) -> Option<NameRef<'_>> {
    if !names_hosts(rtype) {
        return None;
    }
    parts(rtype, rdata).find_map(|part| match part {
        Part::Compressible(name) | Part::Name(name) => Some(name),
        Part::Octets(_) => None,
    })
}

/// Whether records of this type name hosts, for which see [`additional_target`].
#[inline]
pub fn names_hosts(rtype: Type) -> bool {
    matches!(rtype, Type::NS | Type::MX | Type::SRV | Type::SVCB | Type::HTTPS)
}

/// The name that CNAME or DNAME data leads to.
pub fn alias_target(rdata: &[u8]) -> Option<NameRef<'_>> {
    NameRef::prefix_of(rdata).ok()
}

/// The type that an RRSIG covers (RFC 4034 §3.1.1).
pub fn type_covered(rdata: &[u8]) -> Type {
    Type(u16::from_be_bytes([rdata.first().copied().unwrap_or(0), rdata.get(1).copied().unwrap_or(0)]))
}

/// The numbers of an SOA record (RFC 1035 §3.3.13), in seconds but for the serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soa {
    pub serial: Serial,
    pub refresh: u32,
    pub retry: u32,
    pub expire: u32,
    pub minimum: u32,
}

impl Soa {
    /// Reads uncompressed SOA RDATA; none when it is not.
    pub fn parse(rdata: &[u8]) -> Option<Self> {
        let mname = NameRef::prefix_of(rdata).ok()?;
        let rname = NameRef::prefix_of(&rdata[mname.octets()..]).ok()?;
        let numbers: &[u8; 20] = rdata[mname.octets() + rname.octets()..].try_into().ok()?;
        let number = |at: usize| u32::from_be_bytes([numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]]);
        Some(Self {
            serial: Serial(number(0)),
            refresh: number(4),
            retry: number(8),
            expire: number(12),
            minimum: number(16),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Soa, check, same};
    use crate::Type;
    use crate::text;

    fn rdata(rtype: Type, text: &str) -> Vec<u8> {
        text::rdata_from_text(rtype, text).unwrap()
    }

    #[test]
    fn what_a_zone_file_can_say_passes_the_checks() {
        for (rtype, text) in [
            (Type::A, "192.0.2.1"),
            (Type::SOA, "ns1.example. hostmaster.example. 1 2 3 4 5"),
            (Type::MX, "10 mail.example."),
            (Type::TXT, "\"one\" \"two\""),
            (Type::SRV, "1 2 3 host.example."),
            (Type::NAPTR, "1 2 \"u\" \"E2U\" \"!.*!x!\" ."),
            (Type::NSEC, "a.example. A NS TYPE1234"),
            (Type::NSEC3, "1 0 10 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"),
            (Type::SVCB, "1 svc.example. alpn=h2 port=443"),
            (Type::RRSIG, "A 13 2 3600 20300101000000 20200101000000 1 example. AAAA"),
        ] {
            check(rtype, &rdata(rtype, text)).unwrap_or_else(|error| panic!("{rtype} {text}: {error}"));
        }
    }

    #[test]
    fn crafted_rdata_is_refused() {
        // CVE-2026-12244 (SVCB), CVE-2026-10822 (DNSKEY) and their like: lengths that lie.
        let cases: [(Type, &[u8]); 12] = [
            (Type::A, &[1, 2, 3]),
            (Type::A, &[1, 2, 3, 4, 5]),
            (Type::TXT, &[]),
            (Type::TXT, &[5, b'a']),
            (Type::SOA, &[0, 0, 1, 2, 3]),
            (Type::DNSKEY, &[1, 0]),
            (Type::NSEC, &[0, 0, 0]),
            (Type::NSEC, &[0, 1, 1, 0x40, 0, 1, 0x40]),
            (Type::NSEC3, &[1, 0, 0, 1, 200, 1]),
            (Type::SVCB, &[0, 1, 0, 0, 1, 0, 9]),
            (Type::SVCB, &[0, 1, 0, 0, 3, 0, 0, 0, 3, 0, 0]),
            (Type::NS, &[3, b'a', b'b']),
        ];
        for (rtype, octets) in cases {
            assert!(check(rtype, octets).is_err(), "{rtype} {octets:?}");
        }
        assert!(check(Type(65280), &[1, 2, 3]).is_ok(), "an unknown type is opaque");
    }

    #[test]
    fn only_names_compare_without_case() {
        assert!(same(Type::MX, &rdata(Type::MX, "10 Mail.example."), &rdata(Type::MX, "10 mail.EXAMPLE.")));
        assert!(!same(Type::TXT, &rdata(Type::TXT, "\"A\""), &rdata(Type::TXT, "\"a\"")));
        assert!(!same(Type::NSEC, &rdata(Type::NSEC, "A.example. A"), &rdata(Type::NSEC, "a.example. A")));
        assert!(!same(Type(65280), b"A", b"a"));
    }

    #[test]
    fn soa_numbers_are_read_behind_both_names() {
        let soa = Soa::parse(&rdata(Type::SOA, "ns1.example. hostmaster.example. 4294967295 2 3 4 5")).unwrap();
        assert_eq!((soa.serial.0, soa.refresh, soa.retry, soa.expire, soa.minimum), (u32::MAX, 2, 3, 4, 5));
        assert_eq!(Soa::parse(&[0, 0, 1]), None);
    }
}
