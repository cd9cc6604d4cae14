//! What was asked and is not written yet: bounded.

use std::collections::{BTreeMap, HashMap};

use dns::Name;
use inventory::{AskedName, AskedZone, Day, Hour, QueryCounts, STATISTICS_AT_ONCE_MAX};
use zone::{TenantId, ZoneId};

/// Zones' hours that wait: those of 100,000 zones for four hours, some 80 MiB.
const COUNTS_MAX: usize = 400_000;
/// Names that wait, some 10 MiB: a name that finds no room is not missed.
const NAMES_MAX: usize = 50_000;

#[derive(Default)]
pub(super) struct Pending {
    /// By tenants first, so that a portion is of few of them.
    counts: BTreeMap<(TenantId, ZoneId, Hour), QueryCounts>,
    names: HashMap<(ZoneId, Day, Name), u64>,
}

impl Pending {
    /// Adds them, and gives the number of queries that there was no room for.
    pub(super) fn add(&mut self, tenant: TenantId, zone: ZoneId, hour: Hour, counts: &QueryCounts) -> u64 {
        let key = (tenant, zone, hour);
        if self.counts.len() >= COUNTS_MAX && !self.counts.contains_key(&key) {
            return counts.total();
        }
        self.counts.entry(key).or_default().add(counts);
        0
    }

    pub(super) fn add_name(&mut self, zone: ZoneId, day: Day, name: Name, queries: u64) {
        let key = (zone, day, name);
        if self.names.len() < NAMES_MAX || self.names.contains_key(&key) {
            let sum = self.names.entry(key).or_default();
            *sum = sum.saturating_add(queries);
        }
    }

    /// As many as are written at once.
    pub(super) fn take_counts(&mut self) -> Vec<AskedZone> {
        let first = std::iter::from_fn(|| self.counts.pop_first());
        let asked = |((tenant, zone, hour), counts)| AskedZone { zone, tenant, hour, counts };
        first.take(STATISTICS_AT_ONCE_MAX).map(asked).collect()
    }

    /// The number of queries that there was no room for any more.
    pub(super) fn put_back(&mut self, portion: Vec<AskedZone>) -> u64 {
        portion.iter().map(|asked| self.add(asked.tenant, asked.zone, asked.hour, &asked.counts)).sum()
    }

    pub(super) fn take_names(&mut self) -> Vec<AskedName> {
        let keys: Vec<_> = self.names.keys().take(STATISTICS_AT_ONCE_MAX).cloned().collect();
        let removed = keys.into_iter().filter_map(|key| self.names.remove_entry(&key));
        removed.map(|((zone, day, name), queries)| AskedName { zone, day, name, queries }).collect()
    }

    pub(super) fn put_back_names(&mut self, portion: Vec<AskedName>) {
        portion.into_iter().for_each(|asked| self.add_name(asked.zone, asked.day, asked.name, asked.queries));
    }

    /// What was asked of the tenant's zone from this hour on.
    pub(super) fn of_zone(&self, tenant: TenantId, zone: ZoneId, since: Hour) -> Vec<(Hour, QueryCounts)> {
        let hours = (tenant, zone, since)..=(tenant, zone, Hour(u64::MAX));
        self.counts.range(hours).map(|((.., hour), counts)| (*hour, *counts)).collect()
    }

    /// About how often which of the zone's names were asked for from this day on.
    pub(super) fn names_of_zone(&self, zone: ZoneId, since: Day) -> Vec<(Name, u64)> {
        let wanted = self.names.iter().filter(|((of, day, _), _)| *of == zone && *day >= since);
        wanted.map(|((_, _, name), queries)| (name.clone(), *queries)).collect()
    }

    /// What was asked of tenants' zones, by the hour.
    pub(super) fn all(&self) -> impl Iterator<Item = (TenantId, Hour, u64)> {
        self.counts.iter().map(|((tenant, _, hour), counts)| (*tenant, *hour, counts.total()))
    }
}

#[cfg(test)]
mod tests {
    use inventory::{Hour, QueryCounts, STATISTICS_AT_ONCE_MAX};
    use zone::{TenantId, ZoneId};

    use super::{COUNTS_MAX, NAMES_MAX, Pending};

    const OURS: TenantId = TenantId::DEFAULT;
    const HOUR: Hour = Hour(498_683);

    fn answered(answered: u64) -> QueryCounts {
        QueryCounts { a: answered, answered, ..QueryCounts::default() }
    }

    #[test]
    fn what_waits_is_added_up_bounded_and_what_finds_no_room_is_told() {
        let mut pending = Pending::default();
        for zone in 0..COUNTS_MAX as u64 {
            assert_eq!(pending.add(OURS, ZoneId(zone), HOUR, &answered(1)), 0);
        }
        assert_eq!(pending.add(OURS, ZoneId(u64::MAX), HOUR, &answered(7)), 7);
        assert_eq!(pending.add(OURS, ZoneId(0), HOUR, &answered(7)), 0);
        assert_eq!(pending.of_zone(OURS, ZoneId(0), HOUR), [(HOUR, answered(8))]);
        assert!(pending.of_zone(OURS, ZoneId(0), Hour(HOUR.0 + 1)).is_empty());
        let name = |number: usize| format!("x{number}.example.").parse().unwrap();
        (0..2 * NAMES_MAX).for_each(|number| pending.add_name(ZoneId(1), HOUR.day(), name(number), 1));
        pending.add_name(ZoneId(1), HOUR.day(), name(0), 5);
        let names = pending.names_of_zone(ZoneId(1), HOUR.day());
        assert_eq!(names.len(), NAMES_MAX);
        assert!(names.contains(&(name(0), 6)) && pending.names_of_zone(ZoneId(2), HOUR.day()).is_empty());
    }

    #[test]
    fn a_portion_that_is_put_back_is_there_again() {
        let mut pending = Pending::default();
        for zone in 0..1_000 {
            pending.add(OURS, ZoneId(zone), HOUR, &answered(2));
        }
        let portion = pending.take_counts();
        assert_eq!(portion.len(), STATISTICS_AT_ONCE_MAX);
        pending.add(OURS, ZoneId(0), HOUR, &answered(1));
        assert_eq!(pending.put_back(portion), 0);
        assert_eq!(pending.all().map(|(_, _, queries)| queries).sum::<u64>(), 2_001);
    }
}
