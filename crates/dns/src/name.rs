//! Domain names in wire form.
//!
//! Three shapes of one thing: [`Name`] owns, [`NameRef`] borrows, [`NameBuf`] lives on the stack (for reading
//! messages without allocating). All hold an absolute, uncompressed name of at most 255 octets whose labels have at
//! most 63 (RFC 1035 §2.3.4), with its letters as they were sent. Equality, hashing and order ignore ASCII case
//! (RFC 4343); order is the canonical one of RFC 4034 §6.1. [`NameRef::same_spelling`] is for the few places
//! where case matters.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// The longest name, in octets with its length octets and root label (RFC 1035 §2.3.4).
pub const NAME_OCTETS_MAX: usize = 255;
/// The longest label, in octets (RFC 1035 §2.3.4).
pub const LABEL_OCTETS_MAX: usize = 63;
/// The most labels that fit into a name, without the root.
pub const LABELS_MAX: usize = 127;

/// Room for [`fold`]ing any name.
pub const FOLDED_OCTETS_MAX: usize = 256;
/// The octets or the text are not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name may have at most 255 octets")]
    TooLong,
    #[error("a label may have at most 63 octets")]
    LabelTooLong,
    #[error("the name ends before its last label does")]
    Truncated,
    /// RFC 1035 §4.1.4: to a prior occurrence.
    #[error("a compression pointer does not point backwards")]
    Pointer,
    #[error("{0}")]
    Text(String),
}

/// A name that owns its octets. Clones share them: a zone's name stands in many tables.
#[derive(Clone)]
pub struct Name(Arc<[u8]>);

impl Name {
    /// The root, `.`.
    pub fn root() -> Self {
        Self(Arc::new([0]))
    }

    /// The name that fills `wire` entirely, without compression.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        let name = NameRef::prefix_of(wire)?;
        if name.0.len() != wire.len() {
            return Err(NameError::Truncated);
        }
        Ok(name.to_name())
    }

    #[inline]
    pub fn borrow(&self) -> NameRef<'_> {
        NameRef(&self.0)
    }

    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The same name with every ASCII letter in lower case: the form for keys in tables and databases.
    pub fn to_lower(&self) -> Self {
        Self(self.0.to_ascii_lowercase().into())
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads presentation format (RFC 1035 §5.1), absolute with or without the last dot.
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Text("a name cannot be empty".into()));
        }
        let name = domain::base::name::Name::<Vec<u8>>::from_str(text)
            .map_err(|error| NameError::Text(error.to_string()))?;
        Self::from_wire(name.as_slice())
    }
}

/// A name borrowed from somewhere: its octets are always a whole, valid, uncompressed name.
#[derive(Clone, Copy)]
pub struct NameRef<'a>(&'a [u8]);

impl<'a> NameRef<'a> {
    pub const ROOT: NameRef<'static> = NameRef(&[0]);

    /// The uncompressed name at the start of `wire`; what follows it is ignored.
    #[inline]
    pub fn prefix_of(wire: &'a [u8]) -> Result<Self, NameError> {
        let mut end = 0;
        loop {
            let label = usize::from(*wire.get(end).ok_or(NameError::Truncated)?);
            if label > LABEL_OCTETS_MAX {
                return Err(NameError::LabelTooLong);
            }
            end += 1 + label;
            if end > NAME_OCTETS_MAX {
                return Err(NameError::TooLong);
            }
            if label == 0 {
                return Ok(Self(&wire[..end]));
            }
        }
    }

    /// The name that fills `wire`, which was checked when it was written: an image's own octets.
    ///
    /// In octets that are no name, labels may be missing; nothing panics.
    #[inline]
    pub fn from_checked(wire: &'a [u8]) -> Self {
        Self(wire)
    }

    #[inline]
    pub fn as_wire(self) -> &'a [u8] {
        self.0
    }

    /// Octets, length octets and root label included.
    #[inline]
    pub fn octets(self) -> usize {
        self.0.len()
    }

    #[inline]
    pub fn is_root(self) -> bool {
        self.0.len() <= 1
    }

    #[inline]
    pub fn is_wildcard(self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// The labels from the left, without the root.
    #[inline]
    pub fn labels(self) -> Labels<'a> {
        Labels(self.0)
    }

    /// The number of labels, without the root.
    #[inline]
    pub fn label_count(self) -> usize {
        self.labels().count()
    }

    /// The name without its first label; none for the root.
    #[inline]
    pub fn parent(self) -> Option<NameRef<'a>> {
        let first = usize::from(*self.0.first()?);
        if first == 0 {
            return None;
        }
        self.0.get(1 + first..).map(NameRef)
    }

    /// The last `labels` labels of the name (and the root); the whole name if it has no more.
    #[inline]
    pub fn suffix(self, labels: usize) -> NameRef<'a> {
        let mut name = self;
        for _ in labels..self.label_count() {
            match name.parent() {
                Some(parent) => name = parent,
                None => break,
            }
        }
        name
    }

    /// Whether this name is `ancestor` or lies below it.
    #[inline]
    pub fn is_at_or_below(self, ancestor: NameRef<'_>) -> bool {
        let mut name = self;
        while name.0.len() > ancestor.0.len() {
            match name.parent() {
                Some(parent) => name = parent,
                None => return false,
            }
        }
        name == ancestor
    }

    pub fn is_below(self, ancestor: NameRef<'_>) -> bool {
        self.0.len() > ancestor.0.len() && self.is_at_or_below(ancestor)
    }

    /// Whether the octets are the same, letter case included.
    pub fn same_spelling(self, other: NameRef<'_>) -> bool {
        self.0 == other.0
    }

    pub fn to_name(self) -> Name {
        Name(self.0.into())
    }
}

/// The labels of a name from the left, without the root.
#[derive(Clone)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(*self.0.first()?);
        if length == 0 {
            return None;
        }
        let label = self.0.get(1..1 + length)?;
        self.0 = &self.0[1 + length..];
        Some(label)
    }
}

/// A name on the stack, for reading compressed names without allocating.
#[derive(Clone, Copy)]
pub struct NameBuf {
    length: u8,
    octets: [u8; NAME_OCTETS_MAX],
}

impl NameBuf {
    #[inline]
    pub fn root() -> Self {
        Self { length: 1, octets: [0; NAME_OCTETS_MAX] }
    }

    #[inline]
    pub fn borrow(&self) -> NameRef<'_> {
        NameRef(&self.octets[..usize::from(self.length)])
    }

    /// `prefix`, whole labels without a root, followed by `suffix`.
    ///
    /// # Errors
    /// When the two together have more than 255 octets (RFC 6672 §2.2 makes that YXDOMAIN).
    pub fn concatenate(prefix: &[u8], suffix: NameRef<'_>) -> Result<Self, NameError> {
        let length = prefix.len() + suffix.octets();
        if length > NAME_OCTETS_MAX {
            return Err(NameError::TooLong);
        }
        let mut octets = [0; NAME_OCTETS_MAX];
        octets[..prefix.len()].copy_from_slice(prefix);
        octets[prefix.len()..length].copy_from_slice(suffix.as_wire());
        Ok(Self { length: length as u8, octets })
    }

    /// Reads the name at `start` of `message`, following compression pointers (RFC 1035 §4.1.4), and the offset
    /// just behind its first part.
    ///
    /// A pointer must lead to before the label run that holds it, so that reading always ends.
    pub fn read(message: &[u8], start: usize) -> Result<(Self, usize), NameError> {
        let mut name = Self::root();
        let after = name.set_to(message, start)?;
        Ok((name, after))
    }

    /// The same into a name that is there already, whose octets need not be cleared first; after an error it is the root.
    #[inline]
    pub fn set_to(&mut self, message: &[u8], start: usize) -> Result<usize, NameError> {
        let mut length = 0;
        let after = read_runs(message, start, |run| {
            self.octets[length..length + run.len()].copy_from_slice(run);
            length += run.len();
        });
        if after.is_err() {
            *self = Self::root();
        } else {
            self.length = length as u8;
        }
        after
    }
}

/// As [`NameBuf::read`], with the octets put behind those of `out`; after an error a part of them.
#[inline]
pub(crate) fn read_into(message: &[u8], start: usize, out: &mut Vec<u8>) -> Result<usize, NameError> {
    read_runs(message, start, |run| out.extend_from_slice(run))
}

/// Gives the octets of a name in a message, as many at a time as stand there together: at most 255 in all.
#[inline]
fn read_runs(message: &[u8], start: usize, mut put: impl FnMut(&[u8])) -> Result<usize, NameError> {
    let (mut length, mut after) = (0, None);
    let (mut run_start, mut at) = (start, start);
    loop {
        let first = *message.get(at).ok_or(NameError::Truncated)?;
        match first >> 6 {
            0 => {
                let label = usize::from(first);
                at += 1 + label;
                if at > message.len() {
                    return Err(NameError::Truncated);
                }
                // The root label must still fit behind this one.
                if length + (at - run_start) + usize::from(label != 0) > NAME_OCTETS_MAX {
                    return Err(NameError::TooLong);
                }
                if label == 0 {
                    put(&message[run_start..at]);
                    return Ok(after.unwrap_or(at));
                }
            }
            3 => {
                let second = *message.get(at + 1).ok_or(NameError::Truncated)?;
                let target = usize::from(first & 0x3f) << 8 | usize::from(second);
                after.get_or_insert(at + 2);
                if target >= run_start {
                    return Err(NameError::Pointer);
                }
                put(&message[run_start..at]);
                length += at - run_start;
                (run_start, at) = (target, target);
            }
            _ => return Err(NameError::LabelTooLong),
        }
    }
}

impl From<NameRef<'_>> for NameBuf {
    fn from(name: NameRef<'_>) -> Self {
        let wire = &name.0[..name.0.len().min(NAME_OCTETS_MAX)];
        let mut octets = [0; NAME_OCTETS_MAX];
        octets[..wire.len()].copy_from_slice(wire);
        Self { length: wire.len() as u8, octets }
    }
}

impl PartialEq for NameRef<'_> {
    #[inline]
    fn eq(&self, other: &NameRef<'_>) -> bool {
        // Length octets are below 64, so that folding letters never touches them.
        self.0 == other.0 || self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for NameRef<'_> {}

/// The octets of a name, or of a part of one, with all letters in lower case: as many as there is `room` for, which is a
/// multiple of eight.
#[inline]
pub fn fold<'a, const ROOM: usize>(octets: &[u8], room: &'a mut [u8; ROOM]) -> &'a [u8] {
    const { assert!(ROOM.is_multiple_of(8)) };
    let count = octets.len().min(ROOM);
    room[..count].copy_from_slice(&octets[..count]);
    for eight in &mut room.as_chunks_mut::<8>().0[..count.div_ceil(8)] {
        *eight = eight_folded(u64::from_le_bytes(*eight)).to_le_bytes();
    }
    &room[..count]
}

/// Eight octets at once. Length octets are no letters: they are below 64.
#[inline]
fn eight_folded(octets: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    const HIGH: u64 = 0x80 * EACH;
    // Without their highest bits, so that no octet's sum runs over into the next one.
    let low = octets & !HIGH;
    let from_a = low + (0x80 - u64::from(b'A')) * EACH;
    let behind_z = low + (0x7f - u64::from(b'Z')) * EACH;
    let is_letter = from_a & !behind_z & !octets & HIGH;
    octets | is_letter >> 2
}

/// Adds the octets of a name, or of a part of one, to a hash: all letters in lower case.
#[inline]
pub fn hash_folded(octets: &[u8], hasher: &mut impl Hasher) {
    let (eights, rest) = octets.as_chunks();
    for eight in eights {
        let folded = eight_folded(u64::from_le_bytes(*eight)).to_le_bytes();
        hasher.write_u64(u64::from_ne_bytes(folded));
    }
    let [a, b, c, d, e, f, g, _] = eight_folded(number_of(rest)).to_le_bytes();
    match rest.len() {
        0 => {}
        1 => hasher.write_u8(a),
        2 => hasher.write_u16(u16::from_ne_bytes([a, b])),
        3 => {
            hasher.write_u16(u16::from_ne_bytes([a, b]));
            hasher.write_u8(c);
        }
        4 => hasher.write_u32(u32::from_ne_bytes([a, b, c, d])),
        _ => {
            hasher.write_u32(u32::from_ne_bytes([a, b, c, d]));
            hasher.write(&[e, f, g][..rest.len() - 4]);
        }
    }
}

/// Up to eight octets as one number: the first one is the lowest.
#[inline]
pub(crate) fn number_of(octets: &[u8]) -> u64 {
    let count = octets.len();
    match (octets.first_chunk::<4>(), octets.last_chunk::<4>()) {
        // The two may overlap, and are the same there.
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
        }
        _ => match *octets {
            [] => 0,
            [a] => u64::from(a),
            [a, b, ..] => u64::from(a) | u64::from(b) << 8 | u64::from(octets[count - 1]) << (8 * (count - 1)),
        },
    }
}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(fold(self.0, &mut [0; FOLDED_OCTETS_MAX]));
    }
}

impl Ord for NameRef<'_> {
    /// The canonical order of names (RFC 4034 §6.1): label by label from the right, letters folded.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (LabelStarts::of(self.0), LabelStarts::of(other.0));
        let common = mine.count.min(theirs.count);
        for back in 1..=common {
            let a = label_at(self.0, mine.starts[mine.count - back]);
            let b = label_at(other.0, theirs.starts[theirs.count - back]);
            let order = compare_folded(a, b);
            if order != Ordering::Equal {
                return order;
            }
        }
        mine.count.cmp(&theirs.count)
    }
}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct LabelStarts {
    count: usize,
    starts: [u8; LABELS_MAX + 1],
}

impl LabelStarts {
    fn of(wire: &[u8]) -> Self {
        let mut starts = [0; LABELS_MAX + 1];
        let mut count = 0;
        let mut at = 0;
        while let Some(&length) = wire.get(at) {
            if length == 0 || count == LABELS_MAX || at > usize::from(u8::MAX) {
                break;
            }
            starts[count] = at as u8;
            count += 1;
            at += 1 + usize::from(length);
        }
        Self { count, starts }
    }
}

fn label_at(wire: &[u8], start: u8) -> &[u8] {
    let start = usize::from(start);
    let length = usize::from(wire[start]);
    wire.get(start + 1..start + 1 + length).unwrap_or_default()
}

fn compare_folded(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().map(u8::to_ascii_lowercase).cmp(b.iter().map(u8::to_ascii_lowercase))
}

/// Stands for itself in presentation format.
fn is_plain(octet: u8) -> bool {
    matches!(octet, 0x21..=0x7e) && !matches!(octet, b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$')
}

impl fmt::Display for NameRef<'_> {
    /// Presentation format (RFC 1035 §5.1) with the last dot; the root is `.`. What means something in a zone file is
    /// escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            for run in label.chunk_by(|&one, &next| is_plain(one) && is_plain(next)) {
                match run {
                    [octet] if !is_plain(*octet) && octet.is_ascii_graphic() => write!(f, "\\{}", char::from(*octet)),
                    [octet] if !is_plain(*octet) => write!(f, "\\{octet:03}"),
                    plain => f.write_str(std::str::from_utf8(plain).map_err(|_| fmt::Error)?),
                }?;
            }
            f.write_char('.')?;
        }
        Ok(())
    }
}

macro_rules! like_its_borrowed_form {
    ($($name:ty),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.borrow() == other.borrow()
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.borrow().hash(state);
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.borrow().cmp(&other.borrow())
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.borrow().fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.borrow().fmt(f)
            }
        }
    )*};
}

like_its_borrowed_form!(Name, NameBuf);

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, NameBuf, NameError, NameRef, fold};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn text_goes_there_and_back_with_its_case() {
        for text in [
            ".",
            "example.org.",
            "WwW.Example.ORG.",
            "a\\.b.example.",
            "\\001\\200.example.",
            "\\(\\)\\;\\\"\\@\\$#.x.",
        ] {
            assert_eq!(name(text).to_string(), text);
        }
        assert_eq!(name("example.org").to_string(), "example.org.");
    }

    #[test]
    fn text_that_is_no_name_is_refused() {
        let long_label = "a".repeat(64);
        let long_name = vec!["abcdefg"; 33].join(".");
        for text in ["", "..", "a..b", long_label.as_str(), long_name.as_str()] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn letters_are_folded_and_nothing_else() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(fold(&all, &mut [0; 256]), all.to_ascii_lowercase());
        for count in 0..=64 {
            let some = &all[b'A' as usize..][..count];
            assert_eq!(fold(some, &mut [0xff; 64]), some.to_ascii_lowercase());
        }
        assert_eq!(fold(&all, &mut [0; 64]).len(), 64);
    }

    #[test]
    fn folded_octets_are_hashed_as_they_would_be_one_by_one() {
        #[derive(Default)]
        struct Collected(Vec<u8>);
        impl std::hash::Hasher for Collected {
            fn write(&mut self, octets: &[u8]) {
                self.0.extend(octets);
            }
            fn finish(&self) -> u64 {
                0
            }
        }
        let wire: Vec<u8> = (b'@'..=b'~').collect();
        for start in 0..wire.len() {
            for end in start..wire.len() {
                let mut hashed = Collected::default();
                super::hash_folded(&wire[start..end], &mut hashed);
                assert_eq!(hashed.0, wire[start..end].to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn order_is_the_example_of_rfc_4034() {
        // RFC 4034 §6.1.
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let names: Vec<Name> = sorted.iter().map(|text| name(text)).collect();
        for pair in names.windows(2) {
            assert!(pair[0] < pair[1], "{} before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn case_is_kept_but_does_not_matter() {
        assert_eq!(name("EXAMPLE.org"), name("example.ORG"));
        assert!(!name("EXAMPLE.org").borrow().same_spelling(name("example.org").borrow()));
        assert!(name("a.B.example").borrow().is_below(name("b.EXAMPLE").borrow()));
        assert!(!name("ab.example").borrow().is_below(name("b.example").borrow()));
    }

    #[test]
    fn pointers_must_lead_backwards() {
        let message = b"\x03www\x07example\x00\xc0\x04\xc0\x0f";
        let (read, after) = NameBuf::read(message, 13).unwrap();
        assert_eq!((read.to_string().as_str(), after), ("example.", 15));
        for (octets, start) in [(&b"\xc0\x00"[..], 0), (b"\x01a\xc0\x00", 0), (b"\xc0\x02\xc0\x00", 2)] {
            assert!(NameBuf::read(octets, start).is_err());
        }
        assert_eq!(NameBuf::read(b"\x05ab", 0), Err(NameError::Truncated));
        assert_eq!(NameBuf::read(b"\x80", 0), Err(NameError::LabelTooLong));
    }

    #[test]
    fn a_name_of_255_octets_fits_and_256_do_not() {
        let mut wire = Vec::new();
        for _ in 0..3 {
            wire.push(63);
            wire.extend([b'a'; 63]);
        }
        let mut fits = wire.clone();
        fits.push(61);
        fits.extend([b'b'; 61]);
        fits.push(0);
        assert_eq!(fits.len(), 255);
        assert!(NameBuf::read(&fits, 0).is_ok() && NameRef::prefix_of(&fits).is_ok());
        wire.push(62);
        wire.extend([b'b'; 62]);
        wire.push(0);
        assert_eq!(NameBuf::read(&wire, 0), Err(NameError::TooLong));
        assert_eq!(NameRef::prefix_of(&wire).err(), Some(NameError::TooLong));
    }

    #[test]
    fn suffixes_count_labels_from_the_right() {
        let deep = name("a.b.c.example.");
        assert_eq!(deep.borrow().suffix(2).to_string(), "c.example.");
        assert_eq!(deep.borrow().suffix(9).to_string(), "a.b.c.example.");
        assert_eq!(deep.borrow().suffix(0).to_string(), ".");
    }
}
