//! Old contents and a change become the next contents.
//!
//! The law: `advance(old, between(old, new)) == new`, octet for octet, and so digest for digest and answer for answer.
//! A rejected change leaves nothing behind.
//!
//! Steps are applied strictly, record by record (a deletion must find its record, an addition must not): contents
//! that have drifted from the primary's are noticed, and the caller fetches the whole zone instead. Only the end of
//! several steps is judged, never a state between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dns::{Name, NameRef, RecordRef, Records, Serial, Soa, Type, rdata};

use crate::between::{between, between_at};
use crate::check::{self, Insane};
use crate::diff::{Change, Diff};
use crate::digest::Digest;
use crate::image::{self, Image, Notes, Owner, Seed, TooLarge, Touched};
use crate::limits::Limits;

/// Of more steps at a time than history usually keeps, none is kept by itself.
const STEPS_MAX: usize = 1000;

/// A change that was accepted.
#[derive(Clone, Debug)]
pub struct Advanced {
    pub image: Image,
    /// What leads from the old contents to the new, in order: the primary's own steps where they say it exactly and are
    /// no more than twice the old contents, one diff otherwise, also where nothing changed. Empty for the first contents.
    pub diffs: Vec<Diff>,
    pub notes: Notes,
}

/// Why a change cannot become contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("the zone has no SOA record at {apex}")]
    NoSoa { apex: Name },
    #[error("the zone has more than one SOA record at {apex}")]
    SeveralSoas { apex: Name },
    #[error("there is an SOA record at {owner}, which is not the zone's name")]
    ForeignSoa { owner: Name },
    #[error("{owner} has a record of type {rtype}, which no zone can have")]
    MetaType { owner: Name, rtype: Type },
    #[error(transparent)]
    Insane(#[from] Insane),
    #[error("{owner} has more than {limit} records of type {rtype}")]
    RrsetTooLarge { owner: Name, rtype: Type, limit: u16 },
    #[error("{owner} has records of more than {limit} types")]
    TooManyTypes { owner: Name, limit: u16 },
    #[error("the zone has more names without records, {owner} being the last, than can be meant")]
    TooManyEmptyNames { owner: Name },
    #[error("the zone has more than 16 GiB")]
    ZoneTooLarge,
    #[error("the steps start at serial {theirs}, and we hold {ours}")]
    WrongStart { ours: Serial, theirs: Serial },
    #[error("a step from serial {from} follows one that ended at {ended}")]
    BrokenChain { ended: Serial, from: Serial },
    #[error("there are steps, but nothing that they could lead on from")]
    NothingToStepFrom,
    #[error("a step deletes {owner} {rtype}, which we do not have so")]
    DeleteAbsent { owner: Name, rtype: Type },
    #[error("a step adds {owner} {rtype}, which we have already")]
    AddPresent { owner: Name, rtype: Type },
}

impl From<TooLarge> for Rejection {
    fn from(error: TooLarge) -> Self {
        match error {
            TooLarge::Rrset { owner, rtype, limit } => Self::RrsetTooLarge { owner, rtype, limit },
            TooLarge::Types { owner, limit } => Self::TooManyTypes { owner, limit },
            TooLarge::EmptyNames { owner } => Self::TooManyEmptyNames { owner },
            TooLarge::Zone => Self::ZoneTooLarge,
        }
    }
}

/// Makes the next contents of the zone `apex` from the old ones and a change; `seed` keys the new owner index. What is
/// within `limits` is counted after duplicates are gone.
pub fn advance(
    apex: NameRef<'_>,
    old: Option<&Image>,
    change: &Change,
    seed: Seed,
    limits: Limits,
) -> Result<Advanced, Rejection> {
    match (change, old) {
        (Change::Full(records), _) => replace(apex, old, records, seed, limits),
        (Change::Steps(steps), Some(old)) => step(apex, old, steps, seed, limits),
        (Change::Steps(_), None) => Err(Rejection::NothingToStepFrom),
    }
}

pub(crate) fn replace(
    apex: NameRef<'_>,
    old: Option<&Image>,
    records: &Records,
    seed: Seed,
    limits: Limits,
) -> Result<Advanced, Rejection> {
    let mut notes = Notes::default();
    let admitted = admit(apex, records.iter(), &mut notes)?;
    let draft = image::build(apex, sole_soa(apex, &admitted)?.serial, &admitted, seed, limits, &mut notes)?;
    let digest = {
        let built = draft.peek();
        check::check(&built)?;
        Digest::of(built.records())
    };
    let image = draft.seal(digest);
    let diffs = old.map(|old| between(old, &image)).into_iter().collect();
    Ok(Advanced { image, diffs, notes })
}

/// Owners that a change may make other ones for it to be applied at once.
const OWNERS_AT_ONCE_MAX: usize = 256;

/// The same for steps and a large zone where only a few owners become other ones, so that it takes a millisecond at the
/// most; none where more is to be done, for which there is [`advance`].
pub fn advance_at_once(
    apex: NameRef<'_>,
    old: &Image,
    steps: &[Diff],
    limits: Limits,
) -> Result<Option<Advanced>, Rejection> {
    let pending = Pending::of(old, steps)?;
    let revised = pending.revise(apex, steps.len(), limits, OWNERS_AT_ONCE_MAX)?;
    Ok(revised.map(|(image, notes)| pending.advanced(steps, image, notes)))
}

fn step(apex: NameRef<'_>, old: &Image, steps: &[Diff], seed: Seed, limits: Limits) -> Result<Advanced, Rejection> {
    let pending = Pending::of(old, steps)?;
    let (image, notes) = match pending.revise(apex, steps.len(), limits, usize::MAX)? {
        Some(revised) => revised,
        None => pending.rebuild(apex, seed, limits)?,
    };
    Ok(pending.advanced(steps, image, notes))
}

/// Whether the steps one by one are no more than twice what they lead from. The way back to the version before is
/// always kept, so that it must be bounded, whatever is added and removed on the way.
fn is_worth_keeping(old: &Image, steps: &[Diff]) -> bool {
    let octets: usize = steps.iter().map(Diff::octets).sum();
    steps.len() <= STEPS_MAX && octets <= 2 * old.octets_below()
}

/// Keeps records that belong to the zone, their TTLs in range (RFC 2181 §8).
fn admit<'a>(
    apex: NameRef<'_>,
    records: impl Iterator<Item = RecordRef<'a>>,
    notes: &mut Notes,
) -> Result<Vec<RecordRef<'a>>, Rejection> {
    let mut admitted = Vec::with_capacity(records.size_hint().0);
    for record in records {
        admitted.extend(admit_one(apex, record, notes)?);
    }
    Ok(admitted)
}

/// The record as it may be served; none where it does not belong to the zone.
#[inline]
pub(crate) fn admit_one<'a>(
    apex: NameRef<'_>,
    mut record: RecordRef<'a>,
    notes: &mut Notes,
) -> Result<Option<RecordRef<'a>>, Rejection> {
    if record.rtype.is_meta() {
        return Err(Rejection::MetaType { owner: record.owner.to_name(), rtype: record.rtype });
    }
    if !record.owner.is_at_or_below(apex) {
        notes.out_of_zone += 1;
        return Ok(None);
    }
    if record.rtype == Type::SOA && record.owner != apex {
        return Err(Rejection::ForeignSoa { owner: record.owner.to_name() });
    }
    if record.ttl >= 1 << 31 {
        notes.ttls_too_large += 1;
        record.ttl = 0;
    }
    Ok(Some(record))
}

fn sole_soa(apex: NameRef<'_>, records: &[RecordRef<'_>]) -> Result<Soa, Rejection> {
    let mut soas = records.iter().filter(|record| record.rtype == Type::SOA);
    let no_soa = || Rejection::NoSoa { apex: apex.to_name() };
    let first = soas.next().ok_or_else(no_soa)?;
    if soas.any(|other| !rdata::same(Type::SOA, first.rdata, other.rdata)) {
        return Err(Rejection::SeveralSoas { apex: apex.to_name() });
    }
    Soa::parse(first.rdata).ok_or_else(no_soa)
}

/// Whether the steps, as the primary sent them, lead from one snapshot to the other exactly.
fn leads_to(old: &Image, steps: &[Diff], new: &Image) -> bool {
    let mut digest = old.digest();
    for diff in steps {
        diff.removed.iter().for_each(|record| digest.subtract(record));
        diff.added.iter().for_each(|record| digest.add(record));
    }
    digest == new.digest()
}

/// A record without what does not tell it apart: the case of names, the TTL.
#[derive(PartialEq, Eq, Hash)]
struct RecordKey(Vec<u8>);

impl RecordKey {
    fn of(record: RecordRef<'_>) -> Self {
        let mut key = Vec::with_capacity(record.owner.octets() + 2 + record.rdata.len());
        key.extend(record.owner.as_wire().iter().map(u8::to_ascii_lowercase));
        key.extend(record.rtype.0.to_be_bytes());
        rdata::fold_into(record.rtype, record.rdata, &mut key);
        Self(key)
    }
}

/// What steps have done to the old contents so far.
struct Pending<'a> {
    old: &'a Image,
    changes: HashMap<RecordKey, Fate<'a>>,
    /// Owners that any step has touched.
    touched: BTreeSet<Name>,
}

enum Fate<'a> {
    /// Was in the old contents.
    Removed,
    /// Was not in the old contents, or was removed before.
    Added { record: RecordRef<'a>, replaces: Replaces },
    /// Was added by one step and removed by a later one.
    CameAndWent,
}

#[derive(Clone, Copy, PartialEq)]
enum Replaces {
    Nothing,
    OldRecord,
}

impl<'a> Pending<'a> {
    /// What comes of all steps, each of which must fit what is there.
    fn of(old: &'a Image, steps: &'a [Diff]) -> Result<Self, Rejection> {
        let mut serial = old.serial();
        let mut pending = Self { old, changes: HashMap::new(), touched: BTreeSet::new() };
        for (index, diff) in steps.iter().enumerate() {
            if diff.from != serial {
                return Err(match index {
                    0 => Rejection::WrongStart { ours: serial, theirs: diff.from },
                    _ => Rejection::BrokenChain { ended: serial, from: diff.from },
                });
            }
            // RFC 1995 §4: what goes comes before what comes.
            diff.removed.iter().try_for_each(|record| pending.remove(record))?;
            diff.added.iter().try_for_each(|record| pending.add(record))?;
            serial = diff.to;
        }
        Ok(pending)
    }

    /// The new version with what leads there.
    fn advanced(&self, steps: &[Diff], image: Image, notes: Notes) -> Advanced {
        let is_kept = leads_to(self.old, steps, &image) && is_worth_keeping(self.old, steps);
        let diffs = if is_kept { steps.to_vec() } else { vec![between_at(self.old, &image, &self.touched)] };
        Advanced { image, diffs, notes }
    }

    fn remove(&mut self, record: RecordRef<'a>) -> Result<(), Rejection> {
        let absent = || Rejection::DeleteAbsent { owner: record.owner.to_name(), rtype: record.rtype };
        self.touch(record.owner);
        let key = RecordKey::of(record);
        let fate = match self.changes.get(&key) {
            Some(Fate::Removed | Fate::CameAndWent) => return Err(absent()),
            Some(Fate::Added { replaces: Replaces::OldRecord, .. }) => Fate::Removed,
            Some(Fate::Added { replaces: Replaces::Nothing, .. }) => Fate::CameAndWent,
            None if self.is_in_old(record) => Fate::Removed,
            None => return Err(absent()),
        };
        self.changes.insert(key, fate);
        Ok(())
    }

    fn add(&mut self, record: RecordRef<'a>) -> Result<(), Rejection> {
        let present = || Rejection::AddPresent { owner: record.owner.to_name(), rtype: record.rtype };
        self.touch(record.owner);
        let key = RecordKey::of(record);
        let replaces = match self.changes.get(&key) {
            Some(Fate::Removed) => Replaces::OldRecord,
            Some(Fate::CameAndWent) => Replaces::Nothing,
            Some(Fate::Added { .. }) => return Err(present()),
            None if self.is_in_old(record) => return Err(present()),
            None => Replaces::Nothing,
        };
        self.changes.insert(key, Fate::Added { record, replaces });
        Ok(())
    }

    fn touch(&mut self, owner: NameRef<'_>) {
        self.touched.insert(owner.to_name());
    }

    fn is_in_old(&self, record: RecordRef<'_>) -> bool {
        self.old.owner(record.owner).is_some_and(|owner| {
            owner.records().any(|old| old.rtype == record.rtype && rdata::same(record.rtype, old.rdata, record.rdata))
        })
    }

    /// The next version built anew.
    fn rebuild(&self, apex: NameRef<'_>, seed: Seed, limits: Limits) -> Result<(Image, Notes), Rejection> {
        let mut notes = Notes::default();
        let admitted = admit(apex, self.records().into_iter(), &mut notes)?;
        let draft = image::build(apex, sole_soa(apex, &admitted)?.serial, &admitted, seed, limits, &mut notes)?;
        let digest = {
            let built = draft.peek();
            check::check(&built)?;
            self.digest(&built)
        };
        Ok((draft.seal(digest), notes))
    }

    /// The next version of a large zone as the old one with an overlay; none where that is not the way.
    fn revise(
        &self,
        apex: NameRef<'_>,
        steps: usize,
        limits: Limits,
        owners_max: usize,
    ) -> Result<Option<(Image, Notes)>, Rejection> {
        let is_large = self.old.octets_below() > limits.rebuilt_octets_max;
        // A version without a change of its SOA is for others to judge.
        if !is_large || !self.touched.contains(&apex.to_name()) {
            return Ok(None);
        }
        let mut notes = Notes::default();
        let mut touched = Vec::with_capacity(self.touched.len());
        for (name, records) in self.records_of_touched() {
            let records = admit(apex, records.into_iter(), &mut notes)?;
            if name.borrow() == apex {
                sole_soa(apex, &records)?;
            }
            if name.borrow().is_at_or_below(apex) {
                touched.push(Touched { name: name.clone(), records });
            }
        }
        let Some(image) = image::revise(self.old, &mut touched, &limits, owners_max, &mut notes)? else {
            return Ok(None);
        };
        check::check_at(&image, touched.iter().map(|touched| touched.name.borrow()))?;
        let digest = self.digest(&image);
        Ok(Some((image.settled(digest, steps), notes)))
    }

    /// Every owner that any step has touched, and the records that it has then.
    fn records_of_touched(&self) -> BTreeMap<&Name, Vec<RecordRef<'a>>> {
        let kept = |name: &Name| -> Vec<RecordRef<'a>> {
            let records = self.old.owner(name.borrow()).into_iter().flat_map(Owner::records);
            records.filter(|record| !self.changes.contains_key(&RecordKey::of(*record))).collect()
        };
        let mut records: BTreeMap<_, _> = self.touched.iter().map(|name| (name, kept(name))).collect();
        for record in self.added() {
            let touched = records.get_mut(&record.owner.to_name());
            touched.expect("the owner of what was added has been touched").push(record);
        }
        records
    }

    fn added(&self) -> impl Iterator<Item = RecordRef<'a>> {
        self.changes.values().filter_map(|fate| match fate {
            Fate::Added { record, .. } => Some(*record),
            Fate::Removed | Fate::CameAndWent => None,
        })
    }

    fn records(&self) -> Vec<RecordRef<'a>> {
        let mut records = Vec::with_capacity(self.old.record_count() as usize + self.changes.len());
        for owner in self.old.owners() {
            if self.touched.contains(&owner.name().to_name()) {
                let is_kept = |record: &RecordRef<'_>| !self.changes.contains_key(&RecordKey::of(*record));
                records.extend(owner.records().filter(is_kept));
            } else {
                records.extend(owner.records());
            }
        }
        records.extend(self.added());
        records
    }

    /// The new digest, in time proportional to the change: only touched owners can differ.
    fn digest(&self, new: &Image) -> Digest {
        let mut digest = self.old.digest();
        for name in &self.touched {
            self.old.owner(name.borrow()).into_iter().flat_map(Owner::records).for_each(|r| digest.subtract(r));
            new.owner(name.borrow()).into_iter().flat_map(Owner::records).for_each(|r| digest.add(r));
        }
        digest
    }
}
