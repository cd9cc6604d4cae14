//! The zones that a node follows: by their ids, and by tenants and names in the order in which they are listed.
//!
//! Invariant: both know the same zones. Two of a tenant may have one name: what is stored, until the inventory says which it is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use dns::Name;
use zone::{TenantId, ZoneId};

use crate::followed::Followed;

#[derive(Default)]
pub(crate) struct Roster {
    /// In the order of their ids, so that nothing depends on chance that nobody asked for.
    by_id: BTreeMap<ZoneId, Arc<Followed>>,
    /// A place before all names has none.
    by_name: BTreeSet<(TenantId, Option<Listed>, ZoneId)>,
}

/// A name in the order of [`sort_key`], without one: with a million zones these would take as much as their names.
#[derive(PartialEq, Eq)]
struct Listed(Name);

impl Listed {
    /// The octets of the name's text in lower case; none where some of them are written otherwise than they are.
    fn text(&self) -> Option<impl Iterator<Item = u8>> {
        let name = self.0.borrow();
        let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        let is_as_it_is = !name.is_root() && name.labels().all(|label| label.iter().all(is_plain));
        is_as_it_is.then(|| name.labels().flat_map(|label| label.iter().map(u8::to_ascii_lowercase).chain([b'.'])))
    }

    /// The octets of [`sort_key`].
    fn octets(&self) -> Vec<u8> {
        self.text().map_or_else(|| sort_key(&self.0).into_bytes(), Iterator::collect)
    }
}

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.text(), other.text()) {
            (Some(one), Some(other)) => one.cmp(other),
            _ => sort_key(&self.0).cmp(&sort_key(&other.0)),
        }
    }
}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromIterator<Arc<Followed>> for Roster {
    /// Of many zones at once: each of them with another id.
    fn from_iter<T: IntoIterator<Item = Arc<Followed>>>(zones: T) -> Self {
        let by_id: BTreeMap<_, _> = zones.into_iter().map(|zone| (zone.id, zone)).collect();
        // Each compared with many others: so their texts are made once.
        let mut zones: Vec<&Arc<Followed>> = by_id.values().collect();
        zones.sort_by_cached_key(|zone| (zone.tenant, Listed(zone.name.clone()).octets(), zone.id));
        let by_name = zones.into_iter().map(|zone| (zone.tenant, Some(Listed(zone.name.clone())), zone.id)).collect();
        Self { by_id, by_name }
    }
}

impl Roster {
    pub(crate) fn insert(&mut self, zone: Arc<Followed>) {
        self.remove(zone.id);
        self.by_name.insert((zone.tenant, Some(Listed(zone.name.clone())), zone.id));
        self.by_id.insert(zone.id, zone);
    }

    pub(crate) fn remove(&mut self, id: ZoneId) -> Option<Arc<Followed>> {
        let zone = self.by_id.remove(&id)?;
        self.by_name.remove(&(zone.tenant, Some(Listed(zone.name.clone())), id));
        Some(zone)
    }

    pub(crate) fn get(&self, id: ZoneId) -> Option<&Arc<Followed>> {
        self.by_id.get(&id)
    }

    /// In the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Followed>> {
        self.by_id.values()
    }

    /// The tenant's zones of this name, in the order of their ids.
    pub(crate) fn named(&self, tenant: TenantId, name: &Name) -> impl DoubleEndedIterator<Item = &Arc<Followed>> {
        let listed = |id| (tenant, Some(Listed(name.clone())), ZoneId(id));
        let of_this_name = listed(0)..=listed(u64::MAX);
        self.by_name.range(of_this_name).filter_map(|(_, _, id)| self.get(*id))
    }

    /// The tenant's zones after this name, in the order of [`sort_key`].
    pub(crate) fn after(&self, tenant: TenantId, name: Option<&Name>) -> impl Iterator<Item = &Arc<Followed>> {
        let after = match name {
            Some(name) => Bound::Excluded((tenant, Some(Listed(name.clone())), ZoneId(u64::MAX))),
            None => Bound::Included((tenant, None, ZoneId(0))),
        };
        let of_tenant = self.by_name.range((after, Bound::Unbounded)).take_while(move |(of, _, _)| *of == tenant);
        of_tenant.filter_map(|(_, _, id)| self.get(*id))
    }
}

/// The order of lists: names as text in lower case.
pub(crate) fn sort_key(name: &Name) -> String {
    name.to_lower().to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xfr::{Bounds, Moment, Timers};
    use zone::{Generation, TenantId, ZoneId};

    use super::{Roster, sort_key};
    use crate::followed::Followed;

    const OURS: TenantId = TenantId::DEFAULT;

    fn zone(id: u64, name: &str) -> Arc<Followed> {
        let timers = Timers::pending(&Bounds::default(), Moment(0));
        Arc::new(Followed::new(ZoneId(id), OURS, name.parse().unwrap(), timers, Generation(0)))
    }

    #[test]
    fn a_tenants_list_holds_no_other_tenants_zones() {
        let mut roster = Roster::default();
        for (id, tenant) in [(1, OURS), (2, TenantId(OURS.0 + 1)), (3, OURS), (4, TenantId(OURS.0 + 1))] {
            let timers = Timers::pending(&Bounds::default(), Moment(0));
            let name = format!("z{id}.example.").parse().unwrap();
            roster.insert(Arc::new(Followed::new(ZoneId(id), tenant, name, timers, Generation(0))));
        }
        let listed = |tenant| roster.after(tenant, None).map(|zone| zone.id.0).collect::<Vec<_>>();
        assert_eq!((listed(OURS), listed(TenantId(OURS.0 + 1))), (vec![1, 3], vec![2, 4]));
        assert_eq!(listed(TenantId(OURS.0 + 2)), Vec::<u64>::new());
    }

    #[test]
    fn names_that_are_written_otherwise_than_they_are_stand_where_their_text_does() {
        let names = ["a.", "a-b.", "A.b.", "a\\.b.", "a\\000.", "a\\255b.", "b.", "B.a.", "_a.", "a_.", "a*.", "."];
        let mut zones: Vec<_> = (0..).zip(names).map(|(id, name)| zone(id, name)).collect();
        let roster: Roster = zones.iter().cloned().collect();
        zones.sort_by_key(|zone| sort_key(&zone.name));
        let ids = |zones: Vec<&Arc<Followed>>| zones.iter().map(|zone| zone.id).collect::<Vec<_>>();
        assert_eq!(ids(roster.after(OURS, None).collect()), ids(zones.iter().collect()));
    }

    #[test]
    fn zones_are_found_by_name_and_listed_in_its_order() {
        let mut roster = Roster::default();
        for (id, name) in [(4, "b.example."), (1, "C.example."), (3, "a.example."), (2, "B.example.")] {
            roster.insert(zone(id, name));
        }
        let listed = |roster: &Roster, after: Option<&str>| -> Vec<u64> {
            let after = after.map(|name| name.parse().unwrap());
            roster.after(OURS, after.as_ref()).map(|zone| zone.id.0).collect()
        };
        let named = |roster: &Roster, name: &str| -> Vec<u64> {
            roster.named(OURS, &name.parse().unwrap()).map(|zone| zone.id.0).collect()
        };
        assert_eq!(listed(&roster, None), [3, 2, 4, 1]);
        assert_eq!(listed(&roster, Some("A.example.")), [2, 4, 1]);
        assert_eq!(listed(&roster, Some("b.example.")), [1], "both of that name stand before it");
        assert_eq!(named(&roster, "b.EXAMPLE."), [2, 4]);
        roster.remove(ZoneId(2));
        assert_eq!((named(&roster, "b.example."), named(&roster, "bb.example.")), (vec![4], vec![]));
        assert_eq!(roster.iter().map(|zone| zone.id.0).collect::<Vec<_>>(), [1, 3, 4]);
    }
}
