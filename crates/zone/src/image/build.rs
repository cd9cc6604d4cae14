//! Building an image from records in any order.
//!
//! Records are sorted by a key that makes canonical order an order of octets, and in which an ancestor's key is a
//! prefix of its descendants' keys: one pass then finds empty non-terminals, cuts, and what they occlude.

use std::ops::Range;
use std::sync::Arc;

use dns::{Name, NameRef, RecordRef, Serial, Type};

use super::sort_key::push_key;
use super::writer::ImageWriter;
use super::{Image, Seed, field};
use crate::digest::Digest;
use crate::limits::Limits;

/// What was changed on the way from the primary's records to what is served (each is logged).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Records outside of the zone, dropped.
    pub out_of_zone: u64,
    /// Records that were there before, dropped (RFC 2181 §5).
    pub duplicates: u64,
    /// TTLs of 2³¹ and more, taken as 0 (RFC 2181 §8).
    pub ttls_too_large: u64,
    /// RRsets whose records had different TTLs and got the lowest (RFC 2181 §5.2).
    pub ttls_mixed: u64,
}

impl Notes {
    pub(crate) fn add(&mut self, other: Self) {
        self.out_of_zone += other.out_of_zone;
        self.duplicates += other.duplicates;
        self.ttls_too_large += other.ttls_too_large;
        self.ttls_mixed += other.ttls_mixed;
    }
}

/// The zone does not fit into an image, or into the limits given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TooLarge {
    /// More records of one owner and type than the limit.
    Rrset { owner: Name, rtype: Type, limit: u16 },
    /// More types of one owner than the limit.
    Types { owner: Name, limit: u16 },
    /// More names without records than the limit allows beside those with records.
    EmptyNames { owner: Name },
    /// More than 16 GiB, or 2³² records or owners.
    Zone,
}

/// An image whose digest is not known yet.
pub(crate) struct Draft {
    octets: Arc<Vec<u8>>,
}

impl Draft {
    pub(super) fn of(octets: Vec<u8>) -> Self {
        Self { octets: Arc::new(octets) }
    }

    /// Reads what was built; the digest in it means nothing yet.
    pub(crate) fn peek(&self) -> Image {
        Image::trusted(self.octets.clone().into())
    }

    pub(crate) fn seal(self, digest: Digest) -> Image {
        let mut octets = Arc::unwrap_or_clone(self.octets);
        octets[field::DIGEST].copy_from_slice(&digest.to_bytes());
        let checksum = crc32c::crc32c(&octets[field::CHECKED_FROM..]);
        octets[field::CHECKSUM..field::CHECKSUM + 4].copy_from_slice(&checksum.to_le_bytes());
        Image::trusted(octets.into())
    }
}

/// Builds the image of a zone from its records, which are all at or below `apex`.
///
/// # Panics
/// If there is no record at the apex: the caller has seen an SOA there.
pub(crate) fn build(
    apex: NameRef<'_>,
    serial: Serial,
    records: &[RecordRef<'_>],
    seed: Seed,
    limits: Limits,
    notes: &mut Notes,
) -> Result<Draft, TooLarge> {
    let mut keys = SortKeys::of(apex, records);
    keys.sort();
    let mut writer = ImageWriter::new(apex, limits);
    let mut owner_records = Vec::new();
    let mut runs = keys.runs.as_slice();
    while let Some(first) = runs.first() {
        let key = keys.key(first);
        let same = runs.iter().take_while(|run| keys.key(run) == key).count();
        owner_records.clear();
        for run in &runs[..same] {
            owner_records.extend_from_slice(&records[run.records.clone()]);
        }
        writer.owner(key, &mut owner_records, notes)?;
        runs = &runs[same..];
    }
    writer.finish(serial, seed)
}

/// Records that follow each other under one spelling of one name.
struct Run {
    key: Range<usize>,
    records: Range<usize>,
}

struct SortKeys {
    octets: Vec<u8>,
    runs: Vec<Run>,
}

impl SortKeys {
    fn of(apex: NameRef<'_>, records: &[RecordRef<'_>]) -> Self {
        let mut all = Self { octets: Vec::new(), runs: Vec::new() };
        let mut start = 0;
        for run in records.chunk_by(|a, b| a.owner.same_spelling(b.owner)) {
            let key_start = all.octets.len();
            push_key(run[0].owner, apex.octets(), &mut all.octets);
            all.runs.push(Run { key: key_start..all.octets.len(), records: start..start + run.len() });
            start += run.len();
        }
        all
    }

    fn key(&self, run: &Run) -> &[u8] {
        &self.octets[run.key.clone()]
    }

    /// Stable, and linear when the primary sends in canonical order, as most do.
    fn sort(&mut self) {
        let octets = &self.octets;
        self.runs.sort_by(|a, b| octets[a.key.clone()].cmp(&octets[b.key.clone()]));
    }
}
