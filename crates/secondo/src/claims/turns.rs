//! Claims that wait to be looked at: each tenant's in a row of its own, and the tenants in turn, one claim of each at a time.
//! A look can take long where somebody's name servers are silent, and nobody is to wait for another's.

use std::collections::{HashMap, HashSet, VecDeque};

use inventory::{Claim, TenantId, ZoneId};

/// Claims of one tenant that wait; the others are found again later.
const WAITING_MAX: usize = 100;

#[derive(Default)]
pub(super) struct Turns {
    rows: HashMap<TenantId, VecDeque<Claim>>,
    /// Tenants with claims that wait and none under way.
    order: VecDeque<TenantId>,
    /// Those that wait or are under way.
    known: HashSet<ZoneId>,
    under_way: HashSet<TenantId>,
}

impl Turns {
    /// Has the claim wait unless it does, or is being looked at. One that nobody has ever looked at comes first of its tenant's.
    pub(super) fn add(&mut self, claim: Claim) {
        let (tenant, row) = (claim.tenant, self.rows.entry(claim.tenant).or_default());
        if row.len() >= WAITING_MAX || !self.known.insert(claim.zone) {
            return;
        }
        if row.is_empty() && !self.under_way.contains(&tenant) {
            self.order.push_back(tenant);
        }
        match claim.looked_at {
            None => {
                let at = row.partition_point(|waiting| waiting.looked_at.is_none());
                row.insert(at, claim);
            }
            Some(_) => row.push_back(claim),
        }
    }

    /// The next to be looked at.
    pub(super) fn next(&mut self) -> Option<Claim> {
        let tenant = self.order.pop_front()?;
        let claim = self.rows.get_mut(&tenant)?.pop_front()?;
        self.under_way.insert(tenant);
        Some(claim)
    }

    /// It was looked at.
    pub(super) fn ended(&mut self, tenant: TenantId, zone: ZoneId) {
        self.known.remove(&zone);
        self.under_way.remove(&tenant);
        match self.rows.get(&tenant) {
            Some(row) if !row.is_empty() => self.order.push_back(tenant),
            _ => _ = self.rows.remove(&tenant),
        }
    }
}

#[cfg(test)]
mod tests {
    use inventory::{Claim, TenantId, ZoneId};
    use xfr::Moment;

    use super::{Turns, WAITING_MAX};

    fn claim(tenant: u64, zone: u64, looked_at: Option<u64>) -> Claim {
        Claim {
            zone: ZoneId(zone),
            tenant: TenantId(tenant),
            name: "example.".parse().unwrap(),
            claimed_at: Moment(1),
            proven: None,
            seen_elsewhere_at: None,
            looked_at: looked_at.map(Moment),
            challenge: None,
            handed: None,
            taken_at: None,
            disproven_at: None,
        }
    }

    fn next(turns: &mut Turns) -> Option<u64> {
        turns.next().map(|claim| claim.zone.0)
    }

    #[test]
    fn tenants_have_their_turn_one_claim_after_the_other_however_many_one_has() {
        let mut turns = Turns::default();
        (1..=5).for_each(|zone| turns.add(claim(1, zone, Some(9))));
        turns.add(claim(2, 11, Some(9)));
        turns.add(claim(1, 6, None));
        turns.add(claim(1, 6, None));
        // The first tenant's new one, and then the other's, although four of the first were there before.
        assert_eq!((next(&mut turns), next(&mut turns), next(&mut turns)), (Some(6), Some(11), None));
        turns.add(claim(2, 11, Some(9)));
        turns.ended(TenantId(2), ZoneId(11));
        assert_eq!(next(&mut turns), None, "it was under way when it was found again");
        turns.add(claim(2, 12, Some(9)));
        turns.ended(TenantId(1), ZoneId(6));
        assert_eq!((next(&mut turns), next(&mut turns), next(&mut turns)), (Some(12), Some(1), None));
        turns.ended(TenantId(1), ZoneId(1));
        assert_eq!((next(&mut turns), next(&mut turns)), (Some(2), None));
    }

    #[test]
    fn a_row_has_an_end_and_nothing_is_left_of_tenants_that_are_done() {
        let mut turns = Turns::default();
        (1..=1_000).for_each(|zone| turns.add(claim(1, zone, None)));
        let mut seen = 0;
        while let Some(claim) = turns.next() {
            seen += 1;
            turns.ended(claim.tenant, claim.zone);
        }
        assert_eq!(seen, WAITING_MAX);
        assert!(turns.rows.is_empty() && turns.known.is_empty() && turns.order.is_empty());
    }
}
