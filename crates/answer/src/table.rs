//! The zones that are answered from.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use dns::name::hash_folded;
use dns::{Name, NameRef, Type};
use siphasher::sip::SipHasher13;
use zone::{Snapshot, TenantId, ZoneId};

/// What a zone has to answer from.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each zone, and a box would be one more place to go to"
)]
pub enum Contents {
    /// Never transferred: SERVFAIL, "not ready" (RFC 8914 §4.15).
    Absent,
    /// Past its EXPIRE (RFC 1034 §4.3.5): SERVFAIL, "invalid data" (RFC 8914 §4.25).
    Expired,
    Live(Snapshot),
}

/// One answered zone. Publishing swaps its contents; a query that is under way keeps what it has.
pub struct ServedZone {
    pub id: ZoneId,
    /// Whose it is: answers go on into other zones of the same tenant, and into no others.
    pub tenant: TenantId,
    pub apex: Name,
    contents: ArcSwap<Contents>,
    /// In Unix milliseconds; 0 as long as it is not known.
    expires_at_ms: AtomicU64,
    answers_any_in_full: AtomicBool,
}

impl ServedZone {
    pub fn new(id: ZoneId, tenant: TenantId, apex: Name, contents: Contents) -> Self {
        Self {
            id,
            tenant,
            apex,
            contents: ArcSwap::from_pointee(contents),
            expires_at_ms: AtomicU64::new(0),
            answers_any_in_full: AtomicBool::new(false),
        }
    }

    pub fn contents(&self) -> Guard<Arc<Contents>> {
        self.contents.load()
    }

    /// The snapshot that is being served.
    pub fn snapshot(&self) -> Option<Snapshot> {
        match &**self.contents.load() {
            Contents::Live(snapshot) => Some(snapshot.clone()),
            Contents::Absent | Contents::Expired => None,
        }
    }

    /// In how many seconds this copy of the zone expires (RFC 7314): 0 when it has, none when that is not known.
    pub fn expires_in_secs(&self, now_ms: u64) -> Option<u32> {
        let at_ms = self.expires_at_ms.load(Ordering::Relaxed);
        let left_secs = at_ms.saturating_sub(now_ms) / 1000;
        (at_ms > 0).then(|| u32::try_from(left_secs).unwrap_or(u32::MAX))
    }

    /// Has it said from now on that the zone expires at this moment, in Unix milliseconds.
    pub fn set_expires_at(&self, at_ms: u64) {
        self.expires_at_ms.store(at_ms, Ordering::Relaxed);
    }

    /// Whether ANY gets all RRsets of a name, and not one alone (RFC 8482 §4.1).
    /// Whether what is served delegates this name.
    fn delegates(&self, name: NameRef<'_>) -> bool {
        let is_cut = |snapshot: Snapshot| {
            let owner = snapshot.image.owner(name);
            owner.is_some_and(|owner| owner.is_cut() && !owner.is_occluded())
        };
        self.snapshot().is_some_and(is_cut)
    }

    pub fn answers_any_in_full(&self) -> bool {
        self.answers_any_in_full.load(Ordering::Relaxed)
    }

    pub fn set_answers_any_in_full(&self, in_full: bool) {
        self.answers_any_in_full.store(in_full, Ordering::Relaxed);
    }

    /// One swap: a query sees all of it or none.
    pub fn publish(&self, contents: Contents) {
        self.contents.store(Arc::new(contents));
    }
}

/// All answered zones by name: immutable, replaced as a whole when a zone comes or goes.
pub struct ZoneTable {
    zones: Vec<Arc<ServedZone>>,
    /// By the hash of the apex: half of it, and the zone's index. A power of two, at least a third of them free.
    slots: Vec<Option<(u32, u32)>>,
    /// Keyed anew for each table, so that nobody can choose names that collide.
    hasher: SipHasher13,
    /// How many labels apexes have: each number once, the largest first.
    depths: Vec<usize>,
}

impl Default for ZoneTable {
    fn default() -> Self {
        Self::new([])
    }
}

impl ZoneTable {
    /// Of zones of the same name the last one is taken.
    pub fn new(zones: impl IntoIterator<Item = Arc<ServedZone>>) -> Self {
        let by_name: HashMap<Name, Arc<ServedZone>> =
            zones.into_iter().map(|zone| (zone.apex.clone(), zone)).collect();
        let zones: Vec<_> = by_name.into_values().collect();
        let mut depths: Vec<_> = zones.iter().map(|zone| zone.apex.borrow().label_count()).collect();
        depths.sort_unstable_by(|one, other| other.cmp(one));
        depths.dedup();
        let random = RandomState::new();
        let hasher = SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1));
        let slots = vec![None; (zones.len() + zones.len() / 2 + 1).next_power_of_two()];
        let mut table = Self { zones: Vec::new(), slots, hasher, depths };
        for (index, zone) in zones.iter().enumerate() {
            let hash = table.hash(zone.apex.borrow());
            let mut slot = hash as usize & table.mask();
            while table.slots[slot].is_some() {
                slot = (slot + 1) & table.mask();
            }
            table.slots[slot] = Some((tag(hash), index as u32));
        }
        Self { zones, ..table }
    }

    /// The zone of exactly this name.
    #[inline]
    pub fn get(&self, apex: NameRef<'_>) -> Option<&Arc<ServedZone>> {
        let hash = self.hash(apex);
        let mut slot = hash as usize & self.mask();
        // At least a third of the slots is free: this ends.
        while let Some((found, index)) = self.slots[slot] {
            let zone = &self.zones[index as usize];
            if found == tag(hash) && zone.apex.borrow() == apex {
                return Some(zone);
            }
            slot = (slot + 1) & self.mask();
        }
        None
    }

    /// The zone that `name` is in: the one with the longest apex.
    pub fn find(&self, name: NameRef<'_>) -> Option<&Arc<ServedZone>> {
        let mut labels = name.label_count();
        let mut suffix = name;
        for depth in &self.depths {
            while labels > *depth {
                suffix = suffix.parent()?;
                labels -= 1;
            }
            if labels == *depth
                && let Some(zone) = self.get(suffix)
            {
                return Some(zone);
            }
        }
        None
    }

    #[inline]
    fn hash(&self, apex: NameRef<'_>) -> u64 {
        let mut hasher = self.hasher;
        hash_folded(apex.as_wire(), &mut hasher);
        hasher.finish()
    }

    #[inline]
    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    /// The zone that answers for this type of `name`: the one that it is in; but the DS of a zone is the business of the zone
    /// above it (RFC 4035 §3.1.4.1). Where that is another tenant's, it counts if it delegates the name: then it is what the
    /// world takes for the parent. Otherwise it is as if it were elsewhere.
    pub fn find_for(&self, name: NameRef<'_>, qtype: Type) -> Option<&Arc<ServedZone>> {
        let zone = self.find(name)?;
        if qtype != Type::DS || zone.apex.borrow() != name {
            return Some(zone);
        }
        let above = name.parent().and_then(|parent| self.find(parent));
        above.filter(|above| above.tenant == zone.tenant || above.delegates(name)).or(Some(zone))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<ServedZone>> {
        self.zones.iter()
    }

    pub fn len(&self) -> usize {
        self.zones.len()
    }

    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }
}

/// The half of a hash that is in its slot.
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dns::{Name, Type};
    use zone::{TenantId, ZoneId};

    use super::{Contents, ServedZone, ZoneTable};

    #[test]
    fn the_longest_apex_wins_and_case_does_not_matter() {
        let zone = |id, apex: &str| {
            Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex.parse().unwrap(), Contents::Absent))
        };
        let table = ZoneTable::new([zone(1, "Example.org."), zone(2, "sub.example.ORG."), zone(3, "net.")]);
        let find = |name: &str| table.find(name.parse::<Name>().unwrap().borrow()).map(|zone| zone.id.0);
        assert_eq!(find("a.b.SUB.example.org."), Some(2));
        assert_eq!(find("xsub.example.org."), Some(1));
        assert_eq!(find("example.org."), Some(1));
        assert_eq!(find("org."), None);
        assert_eq!(find("."), None);
        let for_ds =
            |name: &str| table.find_for(name.parse::<Name>().unwrap().borrow(), Type::DS).map(|zone| zone.id.0);
        assert_eq!((for_ds("sub.example.org."), for_ds("a.sub.example.org.")), (Some(1), Some(2)));
        assert_eq!((for_ds("example.org."), for_ds("org.")), (Some(1), None));
        assert_eq!(
            ZoneTable::new([zone(9, ".")]).find("any.thing.".parse::<Name>().unwrap().borrow()).unwrap().id.0,
            9
        );
    }
}
