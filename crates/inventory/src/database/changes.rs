//! What has changed of what should exist, for whoever makes the node match it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dns::Name;
use tokio::sync::watch;
use zone::ZoneId;

use crate::TenantId;

/// With more than that it is less work to read everything at once than one after the other.
const MANY: usize = 200;

/// What has changed since somebody asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Something that may concern every zone, or nobody knows what: everything is to be read.
    Everything,
    /// These alone: added, changed or removed. Of tenants it is their plan: what goes by that are their zones.
    Only { zones: BTreeSet<ZoneId>, keys: BTreeSet<(TenantId, Name)>, tenants: BTreeSet<TenantId> },
}

impl Default for Changed {
    fn default() -> Self {
        Self::Only { zones: BTreeSet::new(), keys: BTreeSet::new(), tenants: BTreeSet::new() }
    }
}

impl Changed {
    pub(crate) fn zones(ids: impl IntoIterator<Item = ZoneId>) -> Self {
        Self::Only { zones: ids.into_iter().collect(), keys: BTreeSet::new(), tenants: BTreeSet::new() }
    }

    pub(crate) fn key(tenant: TenantId, name: &Name) -> Self {
        let keys = BTreeSet::from([(tenant, name.clone())]);
        Self::Only { zones: BTreeSet::new(), keys, tenants: BTreeSet::new() }
    }

    /// One that is new, or whose plan is another one now.
    pub(crate) fn tenant(id: TenantId) -> Self {
        Self::Only { zones: BTreeSet::new(), keys: BTreeSet::new(), tenants: BTreeSet::from([id]) }
    }

    fn and(self, other: Self) -> Self {
        let Self::Only { mut zones, mut keys, mut tenants } = self else { return Self::Everything };
        let Self::Only { zones: more_zones, keys: more_keys, tenants: more_tenants } = other else {
            return Self::Everything;
        };
        zones.extend(more_zones);
        keys.extend(more_keys);
        tenants.extend(more_tenants);
        match zones.len() + keys.len() + tenants.len() {
            0..=MANY => Self::Only { zones, keys, tenants },
            _ => Self::Everything,
        }
    }
}

/// Where changes are noted; all copies are the same place.
#[derive(Clone)]
pub(super) struct Changes {
    count: watch::Sender<u64>,
    untaken: Arc<Mutex<Changed>>,
}

impl Changes {
    /// With everything untaken: whoever opens a database knows nothing of it.
    pub(super) fn new() -> Self {
        Self { count: watch::Sender::new(0), untaken: Arc::new(Mutex::new(Changed::Everything)) }
    }

    pub(super) fn note(&self, changed: Changed) {
        {
            let mut untaken = self.untaken();
            *untaken = std::mem::take(&mut *untaken).and(changed);
        }
        self.count.send_modify(|count| *count += 1);
    }

    pub(super) fn take(&self) -> Changed {
        std::mem::take(&mut *self.untaken())
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    fn untaken(&self) -> MutexGuard<'_, Changed> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use zone::ZoneId;

    use super::{Changed, Changes, MANY};

    #[test]
    fn changes_are_taken_once_and_many_are_everything() {
        let changes = Changes::new();
        assert_eq!(changes.take(), Changed::Everything);
        assert_eq!(changes.take(), Changed::default());
        changes.note(Changed::zones([ZoneId(1)]));
        changes.note(Changed::zones([ZoneId(2), ZoneId(1)]));
        assert_eq!(changes.take(), Changed::zones([ZoneId(1), ZoneId(2)]));
        changes.note(Changed::zones((0..MANY as u64).map(ZoneId)));
        changes.note(Changed::zones([ZoneId(MANY as u64)]));
        assert_eq!(changes.take(), Changed::Everything);
        changes.note(Changed::Everything);
        changes.note(Changed::zones([ZoneId(1)]));
        assert_eq!(changes.take(), Changed::Everything);
    }
}
