//! Writing one owner with its records, as [`super::owner`] reads it.

use std::collections::HashSet;

use dns::{NameRef, RecordRef, Type, rdata};

use super::build::{Notes, TooLarge};
use super::owner::{Rrsets, blob, rrset};
use crate::limits::Limits;

/// What an owner's blob begins with.
pub(super) struct Head<'a> {
    pub(super) number: u32,
    /// Where its parent is, in units.
    pub(super) parent: u32,
    pub(super) flags: u8,
    pub(super) name: NameRef<'a>,
}

/// Writes an owner with its records, which [`sort`] has sorted, behind what is there; how many records it is then.
pub(super) fn write(
    octets: &mut Vec<u8>,
    head: &Head<'_>,
    records: &[RecordRef<'_>],
    limits: &Limits,
    notes: &mut Notes,
) -> Result<u64, TooLarge> {
    let at = octets.len();
    write_head(octets, head, 0);
    let (mut rrsets, mut count): (u16, u64) = (0, 0);
    for group in records.chunk_by(|a, b| rrset_key(a).0 == rrset_key(b).0) {
        let limit = limits.types_per_name;
        if rrsets == limit {
            return Err(TooLarge::Types { owner: head.name.to_name(), limit });
        }
        count += write_rrset(octets, head.name, group, limits, notes)?;
        rrsets += 1;
    }
    octets[at + blob::RRSETS..at + blob::RRSETS + 2].copy_from_slice(&rrsets.to_le_bytes());
    Ok(count)
}

/// Writes an owner with RRsets that were written before; how many records they have.
pub(super) fn copy(octets: &mut Vec<u8>, head: &Head<'_>, rrsets: &Rrsets<'_>) -> u64 {
    write_head(octets, head, rrsets.count());
    octets.extend_from_slice(rrsets.as_written());
    let records = rrsets.clone().map(|rrset| u64::from(rrset.record_count()) + u64::from(rrset.signature_count()));
    records.sum()
}

fn write_head(octets: &mut Vec<u8>, head: &Head<'_>, rrsets: u16) {
    octets.extend_from_slice(&head.number.to_le_bytes());
    octets.extend_from_slice(&head.parent.to_le_bytes());
    octets.extend_from_slice(&rrsets.to_le_bytes());
    octets.extend_from_slice(&[head.flags, head.name.octets() as u8]);
    octets.extend_from_slice(head.name.as_wire());
}

/// What an owner is called: of several spellings the lowest, so that it does not depend on the order of arrival.
pub(super) fn spelling<'a>(records: &[RecordRef<'a>]) -> Option<NameRef<'a>> {
    let (first, others) = records.split_first()?;
    let lowest = others.iter().map(|record| record.owner).filter(|name| !name.same_spelling(first.owner));
    Some(lowest.fold(first.owner, |lowest, name| if name.as_wire() < lowest.as_wire() { name } else { lowest }))
}

/// The order of an owner's records: RRsets by type, each followed by its RRSIGs.
pub(super) fn sort(records: &mut [RecordRef<'_>]) {
    records.sort_by(|a, b| rrset_key(a).cmp(&rrset_key(b)).then_with(|| a.rdata.cmp(b.rdata)));
}

/// What an owner is by its own records, as long as nothing is below it.
pub(super) fn own_flags(is_apex: bool, rrsets: &Rrsets<'_>) -> u8 {
    let (mut flags, mut is_hash) = (0, false);
    for rrset in rrsets.clone().filter(|rrset| rrset.has_records()) {
        match rrset.rtype() {
            Type::NS if !is_apex => flags |= blob::CUT,
            Type::DNAME => flags |= blob::DNAME,
            Type::NSEC3 => is_hash = true,
            _ => {}
        }
    }
    let is_hash = is_hash && rrsets.clone().all(|rrset| rrset.rtype() == Type::NSEC3);
    if is_hash { flags | blob::HASH } else { flags }
}

/// Records, or the RRSIGs over them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Records,
    Signatures,
}

/// What an RRset is sorted by: the type that it is or covers, records before signatures.
fn rrset_key(record: &RecordRef<'_>) -> (Type, Part) {
    match record.rtype {
        Type::RRSIG => (rdata::type_covered(record.rdata), Part::Signatures),
        rtype => (rtype, Part::Records),
    }
}

/// Writes the records of one type and the RRSIGs that cover it.
fn write_rrset(
    octets: &mut Vec<u8>,
    name: NameRef<'_>,
    group: &[RecordRef<'_>],
    limits: &Limits,
    notes: &mut Notes,
) -> Result<u64, TooLarge> {
    let signatures_from = group.partition_point(|record| record.rtype != Type::RRSIG);
    let (records, signatures) = group.split_at(signatures_from);
    let (ttl, signature_ttl) = (lowest_ttl(records, notes), lowest_ttl(signatures, notes));
    let at = octets.len();
    let behind = at + rrset::END;
    octets.resize(behind, 0);
    let mut flags = 0;
    if !signatures.is_empty() {
        flags |= rrset::SIGNED;
        octets.extend([0; rrset::SIGNED_OCTETS]);
        if signature_ttl != ttl {
            flags |= rrset::SIGNATURE_TTL;
            octets.extend(signature_ttl.to_le_bytes());
        }
    }
    for (part, flag) in [(records, rrset::RECORDS_SPELLED), (signatures, rrset::SIGNATURES_SPELLED)] {
        if let Some(own) = spelling(part).filter(|own| !own.same_spelling(name)) {
            flags |= flag;
            octets.extend(own.as_wire());
        }
    }
    let record_count = write_rdata(octets, records, limits, notes)?;
    let signature_count = write_rdata(octets, signatures, limits, notes)?;
    if !signatures.is_empty() {
        octets[behind..][..rrset::SIGNED_OCTETS].copy_from_slice(&signature_count.to_le_bytes());
    }
    let records_said = u8::try_from(record_count).unwrap_or(u8::MAX);
    let octets_said = u16::try_from(octets.len() - behind).unwrap_or(u16::MAX);
    if u16::from(records_said) < record_count || usize::from(octets_said) < octets.len() - behind {
        flags |= rrset::LARGE;
        let count = octets.len() - behind + rrset::LARGE_OCTETS;
        let count = u32::try_from(count).map_err(|_| TooLarge::Zone)?;
        octets.splice(behind..behind, record_count.to_le_bytes().into_iter().chain(count.to_le_bytes()));
    }
    let header = &mut octets[at..behind];
    let (rtype, _) = rrset_key(&group[0]);
    header[rrset::TYPE..][..2].copy_from_slice(&rtype.0.to_le_bytes());
    header[rrset::FLAGS] = flags;
    header[rrset::RECORDS] = records_said;
    header[rrset::TTL..][..4].copy_from_slice(&ttl.to_le_bytes());
    header[rrset::OCTETS..][..2].copy_from_slice(&octets_said.to_le_bytes());
    Ok(u64::from(record_count) + u64::from(signature_count))
}

fn write_rdata(
    octets: &mut Vec<u8>,
    records: &[RecordRef<'_>],
    limits: &Limits,
    notes: &mut Notes,
) -> Result<u16, TooLarge> {
    let mut seen = Seen::of(records);
    let mut count: u16 = 0;
    for record in records {
        if !seen.is_first(record) {
            notes.duplicates += 1;
            continue;
        }
        let limit = limits.records_per_rrset;
        if count == limit {
            return Err(TooLarge::Rrset { owner: record.owner.to_name(), rtype: record.rtype, limit });
        }
        count += 1;
        octets.extend_from_slice(&(record.rdata.len() as u16).to_le_bytes());
        octets.extend_from_slice(record.rdata);
    }
    Ok(count)
}

fn lowest_ttl(records: &[RecordRef<'_>], notes: &mut Notes) -> u32 {
    let lowest = records.iter().map(|record| record.ttl).min().unwrap_or(0);
    if records.iter().any(|record| record.ttl != lowest) {
        notes.ttls_mixed += 1;
    }
    lowest
}

/// So many records are compared with each other; of more, each is looked up.
const COMPARED_MAX: usize = 8;

/// Finds records that are the same but for the case of names in their data: of those the first is kept.
enum Seen<'a> {
    /// Same octets follow each other.
    Sorted(Option<&'a [u8]>),
    Few {
        seen: [&'a [u8]; COMPARED_MAX],
        count: usize,
    },
    Folded(HashSet<Vec<u8>>),
}

impl<'a> Seen<'a> {
    fn of(records: &[RecordRef<'_>]) -> Self {
        let holds_names = |record: &RecordRef<'_>| {
            rdata::parts(record.rtype, record.rdata).any(|part| !matches!(part, rdata::Part::Octets(_)))
        };
        match records {
            [first, _, ..] if holds_names(first) && records.len() <= COMPARED_MAX => {
                Self::Few { seen: [&[]; COMPARED_MAX], count: 0 }
            }
            [first, _, ..] if holds_names(first) => Self::Folded(HashSet::new()),
            _ => Self::Sorted(None),
        }
    }

    fn is_first(&mut self, record: &RecordRef<'a>) -> bool {
        match self {
            Self::Sorted(last) => last.replace(record.rdata) != Some(record.rdata),
            Self::Few { seen, count } => {
                let is_same = |before: &&[u8]| rdata::same(record.rtype, before, record.rdata);
                if seen[..*count].iter().any(is_same) {
                    return false;
                }
                seen[*count] = record.rdata;
                *count += 1;
                true
            }
            Self::Folded(seen) => {
                let mut folded = Vec::with_capacity(record.rdata.len());
                rdata::fold_into(record.rtype, record.rdata, &mut folded);
                seen.insert(folded)
            }
        }
    }
}
