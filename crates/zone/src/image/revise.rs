//! The next version of a large zone: the owners that a change touches are written into an overlay.
//!
//! What a change of one owner makes of others is made here too: names above a new one that have no records, names that are
//! there only for what was below them, cuts and DNAMEs and all that they occlude, wildcards, the ring of NSEC3 records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dns::{Name, NameRef, RecordRef, Type};

use super::build::{Notes, TooLarge};
use super::changes::Change as _;
use super::overlay::{Change, HashChange, Overlay};
use super::owner::{Owner, Rrset, blob};
use super::sort_key::SortKey;
use super::writing::{self, Head, own_flags};
use super::{Image, Ring, wildcard_below};
use crate::digest::Digest;
use crate::limits::Limits;
use crate::nsec3::{self, Parameters};

/// An owner that a change touches, with all records that it has then.
pub(crate) struct Touched<'a> {
    pub(crate) name: Name,
    /// In any order; none if it has none any more.
    pub(crate) records: Vec<RecordRef<'a>>,
}

/// An overlay may have this share of the owners below it as changes.
const CHANGES_SHARE: usize = 16;
/// Owners that may be written, and owners whose flags may be others, for each that may become another one: itself, and those
/// above it.
const AFFECTED_PER_OWNER: usize = 4;
/// Steps after which the flat buffer should be built anew: each is applied again at a start.
const STEPS_MAX: usize = 8_192;

fn changes_max(image: &Image, limits: &Limits) -> usize {
    limits.changes_min.max(image.owner_count_below() / CHANGES_SHARE)
}

/// The version in which these owners have these records; their apex is among them, with an SOA that can be read.
///
/// None where an overlay is not the way: more than `owners_max` owners would be other ones, or too many in all, or the zone
/// gets another ring, or its names without records have to be counted.
pub(crate) fn revise(
    old: &Image,
    touched: &mut [Touched<'_>],
    limits: &Limits,
    owners_max: usize,
    notes: &mut Notes,
) -> Result<Option<Image>, TooLarge> {
    let mut revision = Revision::of(old, changes_max(old, limits), owners_max);
    if touched.len() > owners_max || revision.is_too_much(touched.len()) {
        return Ok(None);
    }
    for owner in &mut *touched {
        revision.write(owner, limits, notes)?;
        // A long name may bring a hundred others.
        if revision.is_too_much(0) {
            return Ok(None);
        }
    }
    if revision.drop_empty().is_none()
        || revision.settle_flags(owners_max).is_none()
        || revision.settle_ring(touched).is_none()
        || revision.is_too_much(0)
        || !revision.image.excess().is_within(limits)
    {
        return Ok(None);
    }
    Ok(Some(revision.finish()))
}

impl Image {
    /// The same with the digest of its contents, which so many steps have led to.
    pub(crate) fn settled(mut self, digest: Digest, steps: usize) -> Self {
        let overlay = self.overlay.as_mut().expect("only the digest of a revised image is found afterwards");
        let overlay = Arc::make_mut(overlay);
        overlay.digest = digest;
        overlay.steps += steps;
        self
    }

    /// Whether so much lies over the flat buffer that it should be built anew.
    pub fn is_worth_merging(&self, limits: &Limits) -> bool {
        let changes_max = changes_max(self, limits) / 2;
        self.overlay
            .as_ref()
            .is_some_and(|overlay| overlay.changes.count() > changes_max || overlay.steps > STEPS_MAX)
    }

    /// The same contents over `merged`, which is [`Image::merged`] of `before`, an earlier version of this one. None where
    /// that is not so, or too much has changed since.
    pub fn laid_over(&self, merged: &Self, before: &Self) -> Option<Self> {
        let (now, then) = (self.overlay.as_ref()?, before.overlay.as_ref()?);
        if !self.bytes.is_same(&before.bytes) || !merged.is_merged() {
            return None;
        }
        let changes = now.changes.iter().chain(then.changes.iter());
        let names: BTreeSet<Name> = changes.map(|change| self.name_of(change).to_name()).collect();
        let mut touched: Vec<Touched<'_>> = Vec::new();
        for name in names {
            let (now, then) = (self.owner(name.borrow()), merged.owner(name.borrow()));
            let is_same = match (now, then) {
                (Some(now), Some(then)) => now.records().eq(then.records()),
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                touched.push(Touched { name, records: now.into_iter().flat_map(Owner::records).collect() });
            }
        }
        if touched.is_empty() {
            return Some(merged.clone());
        }
        let laid_over = revise(merged, &mut touched, &Limits::NONE, usize::MAX, &mut Notes::default()).ok()??;
        Some(laid_over.settled(self.digest(), now.steps - then.steps))
    }

    /// The name that has changed.
    fn name_of<'a>(&'a self, change: &'a Change) -> NameRef<'a> {
        change.owner(self).unwrap_or_else(|| self.ranked(change.at())).name()
    }
}

struct Revision<'o> {
    old: &'o Image,
    /// With an overlay that nobody else has.
    image: Image,
    /// Owners whose flags may be others, by their keys: what is above comes first.
    affected: BTreeMap<Box<[u8]>, Name>,
    /// Owners without records, which are gone unless something is below them.
    empty: BTreeMap<Box<[u8]>, Name>,
    changes_max: usize,
    /// Owners that may be written yet, or taken away.
    writes_left: usize,
}

impl<'o> Revision<'o> {
    fn of(old: &'o Image, changes_max: usize, owners_max: usize) -> Self {
        let writes_left = owners_max.saturating_mul(AFFECTED_PER_OWNER);
        let overlay = old.overlay.as_ref().map_or_else(|| Overlay::over(old), |overlay| (**overlay).clone());
        let image = Image { overlay: Some(Arc::new(overlay)), ..old.clone() };
        Self { old, image, affected: BTreeMap::new(), empty: BTreeMap::new(), changes_max, writes_left }
    }

    fn overlay(&mut self) -> &mut Overlay {
        self.image.overlay.as_mut().and_then(Arc::get_mut).expect("nobody else has seen it yet")
    }

    fn changes(&self) -> usize {
        self.image.overlay.as_ref().map_or(0, |overlay| overlay.changes.count())
    }

    fn is_too_much(&self, more: usize) -> bool {
        self.changes() + more > self.changes_max || self.writes_left == 0
    }

    fn key(&self, name: NameRef<'_>) -> SortKey {
        SortKey::of(name, self.image.apex_octets())
    }

    fn write(&mut self, touched: &mut Touched<'_>, limits: &Limits, notes: &mut Notes) -> Result<(), TooLarge> {
        // Of several spellings the lowest, as when an image is built.
        let spelling = touched.records.iter().map(|record| record.owner).min_by_key(|name| name.as_wire());
        let Some(name) = spelling else {
            self.note_empty(touched.name.borrow());
            return Ok(());
        };
        self.write_above(name)?;
        writing::sort(&mut touched.records);
        self.write_owner(name, &touched.records, limits, notes)
    }

    /// Has all names there that are above this one.
    fn write_above(&mut self, name: NameRef<'_>) -> Result<(), TooLarge> {
        let apex_labels = self.image.apex().label_count();
        for labels in apex_labels + 1..name.label_count() {
            let above = name.suffix(labels);
            if self.image.owner(above).is_none() {
                self.write_owner(above, &[], &Limits::NONE, &mut Notes::default())?;
            }
        }
        Ok(())
    }

    fn write_owner(
        &mut self,
        name: NameRef<'_>,
        records: &[RecordRef<'_>],
        limits: &Limits,
        notes: &mut Notes,
    ) -> Result<(), TooLarge> {
        let number = self.number_for(name);
        let mut octets = Vec::new();
        writing::write(&mut octets, &Head { number, parent: 0, flags: 0, name }, records, limits, notes)?;
        if self.image.owner(name).is_none() {
            self.affect(name.parent());
        }
        self.put(name, Some(&octets));
        self.affect(Some(name));
        Ok(())
    }

    /// The number of an owner of this name, which it keeps for as long as there is one.
    fn number_for(&mut self, name: NameRef<'_>) -> u32 {
        let held = self.image.owner(name).or_else(|| self.image.owner_below(name)).map(Owner::number);
        held.unwrap_or_else(|| {
            let overlay = self.overlay();
            overlay.next_number += 1;
            overlay.next_number - 1
        })
    }

    fn affect(&mut self, name: Option<NameRef<'_>>) {
        if let Some(name) = name.filter(|name| name.is_at_or_below(self.image.apex())) {
            let key = self.key(name);
            self.affected.insert((*key).into(), name.to_name());
        }
    }

    fn note_empty(&mut self, name: NameRef<'_>) {
        let key = self.key(name);
        self.empty.insert((*key).into(), name.to_name());
    }

    fn put(&mut self, name: NameRef<'_>, blob: Option<&[u8]>) {
        let records_of = |owner: Owner<'_>| {
            owner.rrsets().map(|rrset| u64::from(rrset.record_count()) + u64::from(rrset.signature_count())).sum()
        };
        let before: Option<u64> = self.image.owner(name).map(records_of);
        let after: Option<u64> = blob.map(|blob| records_of(Owner::of(&self.image, blob)));
        let below = self.image.owner_below(name).map(|owner| owner.number() as usize);
        let at = below.unwrap_or_else(|| self.image.count_below_before(name));
        let hash = self.image.hash(name);
        self.writes_left = self.writes_left.saturating_sub(1);
        let key = self.key(name);
        let depth = name.label_count() - self.image.apex().label_count();
        let overlay = self.overlay();
        overlay.excess = match (before > Some(0), after > Some(0)) {
            (false, true) => overlay.excess.with(depth),
            (true, false) => overlay.excess.without(depth),
            _ => overlay.excess,
        };
        overlay.owners = overlay.owners + usize::from(after.is_some()) - usize::from(before.is_some());
        overlay.records = overlay.records + after.unwrap_or(0) - before.unwrap_or(0);
        overlay.put(&key, hash, at, below.is_some(), blob);
    }

    /// Takes names away that have neither records nor names below them, and those above them that are there for nothing
    /// else; none where that is too much.
    fn drop_empty(&mut self) -> Option<()> {
        // What is below comes first.
        while let Some((_, name)) = self.empty.pop_last() {
            if self.is_too_much(0) {
                return None;
            }
            let name = name.borrow();
            let Some(owner) = self.image.owner(name) else { continue };
            if self.has_child(name) {
                if !owner.is_empty_non_terminal() {
                    let spelling = owner.name().to_name();
                    let written = self.write_owner(spelling.borrow(), &[], &Limits::NONE, &mut Notes::default());
                    written.expect("a name without records is within all limits");
                }
                self.affect(Some(name));
                continue;
            }
            self.put(name, None);
            let Some(parent) = name.parent().filter(|parent| *parent != self.image.apex()) else {
                self.affect(name.parent());
                continue;
            };
            self.affect(Some(parent));
            if self.image.owner(parent).is_some_and(Owner::is_empty_non_terminal) {
                self.note_empty(parent);
            }
        }
        Some(())
    }

    fn has_child(&self, name: NameRef<'_>) -> bool {
        let mut others = self.image.owners_from(name).filter(|owner| owner.name() != name);
        others.next().is_some_and(|owner| owner.name().is_below(name))
    }

    /// Has each owner say what it is, and all below it that depends on that; none where that is too much.
    fn settle_flags(&mut self, owners_max: usize) -> Option<()> {
        let below_max = owners_max.min(self.changes_max);
        while let Some((_, name)) = self.affected.pop_first() {
            let name = name.borrow();
            let Some(owner) = self.image.owner(name) else { continue };
            let flags = self.flags(owner);
            let occluded = self.old.owner(name).map(|old| old.flags() & blob::OCCLUDES != 0);
            let is_renewed = flags != owner.flags();
            let renewed = is_renewed.then(|| {
                let mut octets = owner.to_blob();
                octets[blob::FLAGS] = flags;
                octets
            });
            if occluded.is_some_and(|occluded| occluded != (flags & blob::OCCLUDES != 0)) {
                let below = self.image.owners_from(name).skip(1).take_while(|owner| owner.name().is_below(name));
                let below: Vec<Name> = below.map(|owner| owner.name().to_name()).take(below_max + 1).collect();
                if below.len() > below_max {
                    return None;
                }
                below.iter().for_each(|name| self.affect(Some(name.borrow())));
                if self.affected.len() > AFFECTED_PER_OWNER * below_max {
                    return None;
                }
            }
            if let Some(octets) = renewed {
                self.put(name, Some(&octets));
            }
        }
        Some(())
    }

    fn flags(&self, owner: Owner<'_>) -> u8 {
        let name = owner.name();
        let mut flags = own_flags(owner.is_apex(), &owner.rrsets());
        if flags & blob::HASH != 0 && self.has_child(name) {
            flags &= !blob::HASH;
        }
        if wildcard_below(name).is_some_and(|wildcard| self.image.owner(wildcard.borrow()).is_some()) {
            flags |= blob::WILDCARD_BELOW;
        }
        if owner.parent().is_some_and(|parent| parent.flags() & blob::OCCLUDES != 0) {
            flags |= blob::OCCLUDED;
        }
        flags
    }

    /// Has the ring say which NSEC3 records there are; none where another ring may be the one in use.
    fn settle_ring(&mut self, touched: &[Touched<'_>]) -> Option<()> {
        let parameters = |image: &Image| -> Vec<Vec<u8>> {
            let rrset = image.apex_owner().rrset(Type::NSEC3PARAM);
            rrset.into_iter().flat_map(Rrset::records).map(|record| record.rdata.to_vec()).collect()
        };
        let known = parameters(self.old);
        if known != parameters(&self.image) {
            return None;
        }
        let in_use: Vec<_> = known.iter().filter_map(|rdata| Parameters::in_use(rdata)).collect();
        let [parameters] = in_use[..] else { return in_use.is_empty().then_some(()) };
        let apex_labels = self.old.apex().label_count();
        for Touched { name, .. } in
            touched.iter().filter(|touched| touched.name.borrow().label_count() == apex_labels + 1)
        {
            let Some(hash) = name.borrow().labels().next().and_then(nsec3::from_label) else { continue };
            let belongs = |owner: Owner<'_>| belongs(owner, parameters);
            let was = self.old.owner(name.borrow()).is_some_and(belongs);
            let is = self.image.owner(name.borrow()).is_some_and(belongs);
            if was != is {
                let (at, replaces) = Ring { image: self.old, layout: self.old.ring.as_ref()? }.place_below(&hash);
                let overlay = self.overlay();
                overlay.ring_count = overlay.ring_count + usize::from(is) - usize::from(was);
                match is || replaces {
                    true => overlay.ring.put(HashChange { hash, at: at as u32, replaces, is_there: is }),
                    false => overlay.ring.remove(&hash),
                }
            }
        }
        // An image whose ring has no records has none.
        let count = self.overlay().ring_count;
        ((count > 0) == self.image.ring.is_some()).then_some(())
    }

    fn finish(mut self) -> Image {
        let soa = {
            let rrset = self.image.apex_owner().rrset(Type::SOA);
            let record = rrset.and_then(|rrset| rrset.records().next());
            record.and_then(|record| dns::Soa::parse(record.rdata)).expect("the apex has an SOA that can be read")
        };
        let overlay = self.overlay();
        overlay.serial = soa.serial;
        overlay.minimum_secs = soa.minimum;
        self.image.minimum_secs = soa.minimum;
        self.image
    }
}

/// Whether an owner has an NSEC3 record of the ring with these parameters.
fn belongs(owner: Owner<'_>, parameters: Parameters<'_>) -> bool {
    let mut records = owner.rrset(Type::NSEC3).into_iter().flat_map(Rrset::records);
    records.any(|record| Parameters::parse(record.rdata).is_some_and(|(found, ..)| found == parameters))
}
