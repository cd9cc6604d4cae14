//! The zones that are answered from.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwapOption, Guard};
use dns::name::hash_folded;
use dns::{Name, NameRef, Type};
use siphasher::sip::SipHasher13;
use zone::{Snapshot, TenantId, ZoneId};

/// What a zone has to answer from.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Never transferred: SERVFAIL, "not ready" (RFC 8914 §4.15).
    Absent,
    /// Past its EXPIRE (RFC 1034 §4.3.5): SERVFAIL, "invalid data" (RFC 8914 §4.25).
    Expired,
    Live(Arc<Snapshot>),
}

impl Contents {
    fn into_snapshot(self) -> Option<Arc<Snapshot>> {
        match self {
            Self::Live(snapshot) => Some(snapshot),
            Self::Absent | Self::Expired => None,
        }
    }
}

/// One answered zone. Publishing swaps its contents; a query that is under way keeps what it has.
pub struct ServedZone {
    pub id: ZoneId,
    /// Whose it is: answers go on into other zones of the same tenant, and into no others.
    pub tenant: TenantId,
    pub apex: Name,
    /// None: there is nothing to answer from, and the next field says why.
    snapshot: ArcSwapOption<Snapshot>,
    has_expired: AtomicBool,
    /// In Unix milliseconds; 0 as long as it is not known.
    expires_at_ms: AtomicU64,
    answers_any_in_full: AtomicBool,
}

impl ServedZone {
    pub fn new(id: ZoneId, tenant: TenantId, apex: Name, contents: Contents) -> Self {
        let has_expired = matches!(contents, Contents::Expired);
        Self {
            id,
            tenant,
            apex,
            snapshot: ArcSwapOption::new(contents.into_snapshot()),
            has_expired: AtomicBool::new(has_expired),
            expires_at_ms: AtomicU64::new(0),
            answers_any_in_full: AtomicBool::new(false),
        }
    }

    pub fn contents(&self) -> Contents {
        match self.snapshot() {
            Some(snapshot) => Contents::Live(snapshot),
            None if self.has_expired() => Contents::Expired,
            None => Contents::Absent,
        }
    }

    /// The snapshot that is being served.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// The same for as long as an answer takes, without counting who has it.
    #[inline]
    pub(crate) fn lent(&self) -> Guard<Option<Arc<Snapshot>>> {
        self.snapshot.load()
    }

    /// Why there is no snapshot.
    pub(crate) fn has_expired(&self) -> bool {
        self.has_expired.load(Ordering::Relaxed)
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

    /// Whether what is served delegates this name.
    fn delegates(&self, name: NameRef<'_>) -> bool {
        let is_cut = |snapshot: Arc<Snapshot>| {
            let owner = snapshot.image.owner(name);
            owner.is_some_and(|owner| owner.is_cut() && !owner.is_occluded())
        };
        self.snapshot().is_some_and(is_cut)
    }

    /// Whether ANY gets all RRsets of a name, and not one alone (RFC 8482 §4.1).
    pub fn answers_any_in_full(&self) -> bool {
        self.answers_any_in_full.load(Ordering::Relaxed)
    }

    pub fn set_answers_any_in_full(&self, in_full: bool) {
        self.answers_any_in_full.store(in_full, Ordering::Relaxed);
    }

    /// Has what an answer needs of it fetched, but for its contents and the octets of its name.
    #[inline]
    pub(crate) fn touch(&self) -> u64 {
        // It may lie on two cache lines.
        self.id.0 ^ self.expires_at_ms.load(Ordering::Relaxed)
    }

    /// One swap: a query sees all of it or none.
    pub fn publish(&self, contents: Contents) {
        self.has_expired.store(matches!(contents, Contents::Expired), Ordering::Relaxed);
        self.snapshot.store(contents.into_snapshot());
    }
}

/// All answered zones by name: immutable. One in which a few zones are others is made of it without going through all.
pub struct ZoneTable {
    /// By the hash of the apex; a power of two of them.
    shards: Box<[Shard]>,
    /// Keyed anew for each table that is built, so that nobody can choose names that collide.
    hasher: SipHasher13,
    /// How many labels apexes have: each number once, the largest first.
    depths: Vec<Depth>,
}

/// Zones whose hashes lie together: a power of two of places, at least a third of them free.
type Shard = Arc<[Option<Place>]>;

#[derive(Clone)]
struct Place {
    tag: u32,
    zone: Arc<ServedZone>,
}

/// Apexes with so many labels, and how many zones have one.
#[derive(Clone, Copy)]
struct Depth {
    labels: usize,
    zones: usize,
}

/// The hashes of the apexes that a name may lie below, the longest first. They give nothing: whoever has followed them for many
/// names at once finds the zones of these sooner.
#[derive(Clone, Copy, Default)]
pub(crate) struct Leads {
    hashes: [u64; LEADS_MAX],
    count: usize,
}

/// Lengths of apexes that are looked for ahead: few servers have zones of so many different ones above one name.
const LEADS_MAX: usize = 4;

/// Zones of a shard when the table is built: a change makes the shard anew, and copies a pointer for each of the others.
const SHARD_ZONES: usize = 64;
/// With more than that on the average the table is built anew.
const SHARD_ZONES_MAX: usize = 256;

impl Default for ZoneTable {
    fn default() -> Self {
        Self::new([])
    }
}

impl ZoneTable {
    /// Of zones of the same name the last one is taken.
    pub fn new(zones: impl IntoIterator<Item = Arc<ServedZone>>) -> Self {
        let zones: Vec<Arc<ServedZone>> = zones.into_iter().collect();
        let random = RandomState::new();
        let hasher = SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1));
        let shards = vec![pack(&[]); (zones.len() / SHARD_ZONES).next_power_of_two()];
        let mut table = Self { shards: shards.into(), hasher, depths: Vec::new() };
        let mut sorted: Vec<Vec<(u64, Arc<ServedZone>)>> = vec![Vec::new(); table.shards.len()];
        for zone in zones {
            let hash = table.hash(zone.apex.borrow());
            let shard = &mut sorted[table.shard_of(hash)];
            let same = shard.iter_mut().find(|(other, named)| *other == hash && named.apex == zone.apex);
            match same {
                Some(same) => same.1 = zone,
                None => {
                    table.count(&zone.apex, 1);
                    shard.push((hash, zone));
                }
            }
        }
        table.shards = sorted.iter().map(|zones| pack(zones)).collect();
        table
    }

    /// The table without the zones with these ids and apexes, and then with those that come: each in the place of whichever
    /// had its name. A few microseconds for each, whatever the number of others.
    pub fn with(&self, gone: &[(ZoneId, Name)], come: &[Arc<ServedZone>]) -> Self {
        let mut table = Self { shards: self.shards.clone(), hasher: self.hasher, depths: self.depths.clone() };
        let gone = gone.iter().filter(|(id, apex)| self.get(apex.borrow()).is_some_and(|zone| zone.id == *id));
        for (_, apex) in gone {
            table.put(apex, None);
        }
        for zone in come {
            table.put(&zone.apex, Some(zone));
        }
        if table.len() > table.shards.len() * SHARD_ZONES_MAX {
            return Self::new(table.iter().cloned());
        }
        table
    }

    /// Has the zone answered under the name, or none.
    fn put(&mut self, apex: &Name, zone: Option<&Arc<ServedZone>>) {
        let shard = self.shard_of(self.hash(apex.borrow()));
        let others = self.shards[shard].iter().flatten().filter(|place| place.zone.apex != *apex);
        let others = others.map(|place| place.zone.clone());
        let zones: Vec<_> = others.chain(zone.cloned()).map(|zone| (self.hash(zone.apex.borrow()), zone)).collect();
        let before = self.shards[shard].iter().flatten().count();
        match zones.len().cmp(&before) {
            std::cmp::Ordering::Less => self.count(apex, -1),
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => self.count(apex, 1),
        }
        self.shards[shard] = pack(&zones);
    }

    fn count(&mut self, apex: &Name, more: isize) {
        let labels = apex.borrow().label_count();
        match self.depths.binary_search_by(|depth| labels.cmp(&depth.labels)) {
            Ok(found) => {
                self.depths[found].zones = self.depths[found].zones.saturating_add_signed(more);
                self.depths.retain(|depth| depth.zones > 0);
            }
            Err(place) => self.depths.insert(place, Depth { labels, zones: more.max(0).unsigned_abs() }),
        }
    }

    /// The zone of exactly this name.
    #[inline]
    pub fn get(&self, apex: NameRef<'_>) -> Option<&Arc<ServedZone>> {
        self.tagged(self.hash(apex)).find(|zone| zone.apex.borrow() == apex)
    }

    /// The zone that `name` is in: the one with the longest apex.
    pub fn find(&self, name: NameRef<'_>) -> Option<&Arc<ServedZone>> {
        let mut labels = name.label_count();
        let mut suffix = name;
        for depth in &self.depths {
            while labels > depth.labels {
                suffix = suffix.parent()?;
                labels -= 1;
            }
            if labels == depth.labels
                && let Some(zone) = self.get(suffix)
            {
                return Some(zone);
            }
        }
        None
    }

    /// The way to the zone that `name` is in, for those who look for many at once.
    #[inline]
    pub(crate) fn leads(&self, name: NameRef<'_>) -> Leads {
        let mut leads = Leads::default();
        let mut labels = name.label_count();
        let mut suffix = name;
        for depth in &self.depths {
            while labels > depth.labels {
                suffix = suffix.parent().unwrap_or(suffix);
                labels -= 1;
            }
            if labels == depth.labels && leads.count < LEADS_MAX {
                leads.hashes[leads.count] = self.hash(suffix);
                leads.count += 1;
            }
        }
        leads
    }

    /// The first step: to the places.
    #[inline]
    pub(crate) fn touch(&self, leads: &Leads) -> u32 {
        let at_place = |hash: u64| {
            let places = &self.shards[self.shard_of(hash)];
            places[hash as usize & (places.len() - 1)].as_ref().map_or(0, |place| place.tag)
        };
        leads.hashes[..leads.count].iter().fold(0, |all, hash| all ^ at_place(*hash))
    }

    /// The second step: to the zone, as far as one can know without a look at its name.
    #[inline]
    pub(crate) fn follow(&self, leads: &Leads) -> Option<&ServedZone> {
        leads.hashes[..leads.count].iter().find_map(|hash| self.tagged(*hash).next()).map(|zone| &**zone)
    }

    /// The zones whose names may have this hash.
    #[inline]
    fn tagged(&self, hash: u64) -> impl Iterator<Item = &Arc<ServedZone>> {
        let places = &self.shards[self.shard_of(hash)];
        let mut slot = hash as usize & (places.len() - 1);
        std::iter::from_fn(move || {
            // At least a third of the places is free: this ends.
            while let Some(Place { tag: found, zone }) = &places[slot] {
                slot = (slot + 1) & (places.len() - 1);
                if *found == tag(hash) {
                    return Some(zone);
                }
            }
            None
        })
    }

    #[inline]
    fn hash(&self, apex: NameRef<'_>) -> u64 {
        let mut hasher = self.hasher;
        hash_folded(apex.as_wire(), &mut hasher);
        hasher.finish()
    }

    #[inline]
    fn shard_of(&self, hash: u64) -> usize {
        (hash >> 48) as usize & (self.shards.len() - 1)
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
        self.shards.iter().flat_map(|shard| shard.iter().flatten()).map(|place| &place.zone)
    }

    pub fn len(&self) -> usize {
        self.depths.iter().map(|depth| depth.zones).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.depths.is_empty()
    }
}

/// The shard of these zones with their hashes.
fn pack(zones: &[(u64, Arc<ServedZone>)]) -> Shard {
    let mut places = vec![None; (zones.len() + zones.len() / 2 + 1).next_power_of_two()];
    let mask = places.len() - 1;
    for (hash, zone) in zones {
        let mut slot = *hash as usize & mask;
        while places[slot].is_some() {
            slot = (slot + 1) & mask;
        }
        places[slot] = Some(Place { tag: tag(*hash), zone: zone.clone() });
    }
    places.into()
}

/// The bits of a hash that stand in its place, which say neither the shard nor, where it is small, the slot.
#[inline]
fn tag(hash: u64) -> u32 {
    (hash >> 16) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use dns::{Name, Type};
    use zone::{TenantId, ZoneId};

    use super::{Contents, ServedZone, ZoneTable};

    #[test]
    fn a_table_with_changes_is_like_one_that_is_built_of_what_there_is_then() {
        let zone = |id: u64, apex: String| {
            Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex.parse().unwrap(), Contents::Absent))
        };
        let name = |number: u64| match number % 3 {
            0 => format!("n{number}."),
            1 => format!("n{number}.example."),
            _ => format!("n{number}.a.example."),
        };
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        let mut table = ZoneTable::default();
        let mut dice = 1_u64;
        // Grown by itself alone until it is built anew, and then shrunk to nothing.
        for step in 0..4_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (dice >> 33) % 900;
            let goes = step >= 2_000 || dice >> 62 == 0;
            if goes {
                let id = wanted.remove(&name(number)).unwrap_or(step);
                // Whoever has the name under another id keeps it.
                let gone = [
                    (ZoneId(id), name(number).parse().unwrap()),
                    (ZoneId(u64::MAX), name(number + 1).parse().unwrap()),
                ];
                table = table.with(&gone, &[]);
            } else {
                wanted.insert(name(number), step);
                table = table.with(&[], &[zone(step, name(number).to_uppercase())]);
            }
            assert_eq!(table.len(), wanted.len());
        }
        for number in 0..900 {
            let name = name(number).parse::<Name>().unwrap();
            assert_eq!(table.get(name.borrow()).map(|zone| zone.id.0), wanted.get(&name.to_string()).copied());
            let below: Name = format!("x.{name}").parse().unwrap();
            assert_eq!(table.find(below.borrow()).map(|zone| zone.id.0), wanted.get(&name.to_string()).copied());
        }
        let all: Vec<_> = table.iter().map(|zone| (ZoneId(zone.id.0), zone.apex.clone())).collect();
        let empty = table.with(&all, &[]);
        assert!(empty.is_empty() && empty.iter().next().is_none() && table.len() == wanted.len());
    }

    #[test]
    fn leads_lead_to_the_zone_that_is_found() {
        let zone = |id, apex: &str| {
            Arc::new(ServedZone::new(ZoneId(id), TenantId::DEFAULT, apex.parse().unwrap(), Contents::Absent))
        };
        let small = (100..400).map(|number| zone(number, &format!("z{number}.test.")));
        let others = [zone(1, "Example.org."), zone(2, "sub.example.ORG."), zone(3, "a.b.c.sub.example.org.")];
        let table = ZoneTable::new(small.chain(others));
        let mut found = 0;
        for name in
            ["Z7.test.", "z107.TEST.", "x.y.z399.test.", "a.b.c.SUB.example.org.", "b.c.sub.example.org.", "org."]
        {
            let name: Name = name.parse().unwrap();
            let (zone, leads) = (table.find(name.borrow()), table.leads(name.borrow()));
            table.touch(&leads);
            assert_eq!(table.follow(&leads).map(|zone| zone.id), zone.map(|zone| zone.id), "{name}");
            found += usize::from(zone.is_some());
        }
        assert_eq!(found, 4);
    }

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
