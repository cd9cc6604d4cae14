//! Which of the service's name servers a tenant's names are delegated to.
//!
//! Where each tenant has a set of its own, a delegation says whose the name is. No set is ever given twice (the inventory sees
//! to that), so that nobody gets one by making accounts until it comes up. Where all share all, or the sets are used up,
//! a delegation shows that a name is served here, and not for whom.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use dns::Name;
use inventory::{Inventory, TenantId};

use super::NotLooked;

/// Sets that are tried at random for a tenant, where there are more than can be counted out.
const DRAWN: usize = 64;
/// As many sets as that are counted out.
const COUNTED_MAX: usize = 2_000;

/// A tenant's name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameServers {
    pub(crate) names: BTreeSet<Name>,
    /// Whether they are this tenant's and nobody else's.
    pub(crate) is_own: bool,
}

/// All of the service's name servers.
pub(crate) struct Pool {
    names: BTreeSet<Name>,
    per_tenant: Option<usize>,
    /// Sets that are known to be given: they never change.
    given: Mutex<HashMap<TenantId, NameServers>>,
}

impl Pool {
    pub(crate) fn new(names: BTreeSet<Name>, per_tenant: Option<usize>) -> Self {
        Self { names, per_tenant, given: Mutex::default() }
    }

    /// All of them, which are nobody's own.
    pub(super) fn shared(&self) -> NameServers {
        NameServers { names: self.names.clone(), is_own: false }
    }

    /// The tenant's set; it is given one if it has none.
    pub(crate) async fn of(&self, inventory: &Inventory, tenant: TenantId) -> Result<NameServers, NotLooked> {
        let shared = self.shared();
        if let Some(known) = self.given.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant) {
            return Ok(known.clone());
        }
        // A set that was given stays the tenant's, whatever others are given now.
        let own = match (inventory.name_servers(tenant).await?, self.per_tenant) {
            (Some(own), _) => Some(own),
            (None, None) => return Ok(shared),
            (None, Some(per_tenant)) => inventory.give_name_servers(tenant, &sets(&self.names, per_tenant)?).await?,
        };
        let set = match own {
            Some(names) => NameServers { names, is_own: true },
            None => {
                tracing::warn!(
                    tenant = tenant.0,
                    "all sets of name servers are given: add names to [delegation] name_servers; until then this organisation's \
                     names are proven in other ways than by their delegation"
                );
                return Ok(shared);
            }
        };
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, set.clone());
        Ok(set)
    }
}

/// Sets of so many of these, in an order that nobody can foresee: all of them, or as many as are worth trying.
fn sets(names: &BTreeSet<Name>, size: usize) -> Result<Vec<BTreeSet<Name>>, NotLooked> {
    let mut all: Vec<BTreeSet<Name>> = Vec::new();
    if count(names.len(), size) <= COUNTED_MAX {
        let names: Vec<&Name> = names.iter().collect();
        let mut places: Vec<usize> = (0..size).collect();
        loop {
            all.push(places.iter().map(|place| names[*place].clone()).collect());
            let Some(moved) = (0..size).rev().find(|at| places[*at] < names.len() - size + at) else { break };
            places[moved] += 1;
            for at in moved + 1..size {
                places[at] = places[at - 1] + 1;
            }
        }
        shuffle(&mut all)?;
        return Ok(all);
    }
    let mut drawn = HashSet::new();
    let mut names: Vec<Name> = names.iter().cloned().collect();
    for _ in 0..DRAWN {
        shuffle(&mut names)?;
        let set: BTreeSet<Name> = names[..size].iter().cloned().collect();
        if drawn.insert(set.clone()) {
            all.push(set);
        }
    }
    Ok(all)
}

/// In how many ways `size` can be taken of `all`; no more than can be counted.
fn count(all: usize, size: usize) -> usize {
    (0..size).fold(1_usize, |ways, at| ways.saturating_mul(all - at) / (at + 1))
}

/// Fisher and Yates, with random numbers of the kernel's; that some orders are a little likelier does not matter here.
fn shuffle<T>(all: &mut [T]) -> Result<(), NotLooked> {
    for at in (1..all.len()).rev() {
        let mut octets = [0; 8];
        getrandom::fill(&mut octets).map_err(NotLooked::NoRandom)?;
        all.swap(at, (u64::from_le_bytes(octets) % (at as u64 + 1)) as usize);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use dns::Name;

    use super::{count, sets};

    fn names(many: usize) -> BTreeSet<Name> {
        (0..many).map(|number| format!("ns{number}.us.").parse().unwrap()).collect()
    }

    #[test]
    fn each_set_comes_once_and_in_another_order_each_time() {
        for (many, size, expected) in [(4, 2, 6), (5, 5, 1), (6, 1, 6), (20, 3, 1140)] {
            let all = sets(&names(many), size).unwrap();
            assert_eq!((all.len(), count(many, size)), (expected, expected));
            assert_eq!(all.iter().cloned().collect::<HashSet<_>>().len(), expected);
            assert!(all.iter().all(|set| set.len() == size));
        }
        assert_ne!(sets(&names(20), 3).unwrap(), sets(&names(20), 3).unwrap());
        let drawn = sets(&names(32), 6).unwrap();
        assert!(drawn.len() > 60 && drawn.iter().all(|set| set.len() == 6), "906,192 are too many to count out");
    }
}
