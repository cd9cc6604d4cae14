//! Where the root refers for each TLD, kept from one walk to the next for a while.
//!
//! Whoever looks after a hundred thousand zones day by day would ask the root's servers, which are everybody's, the same
//! few hundred things each time. Nothing else is kept: what the servers of a TLD and those below it say is looked for
//! anew, so that a changed delegation is seen at once. A TLD none of whose kept servers gives an answer is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dns::{Name, NameRef};
use tokio::time::Instant;

use crate::walk::Cut;

/// There are about 1,450, and no more can come from the root; the bound is for other roots.
const TLDS_MAX: usize = 4096;

/// The cuts right below the root, and when they were learned.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<BTreeMap<Name, (Instant, Arc<Cut>)>>);

impl Kept {
    /// The TLD that `name` lies in or is, if it was learned within `age_max`.
    pub(crate) fn above(&self, name: NameRef<'_>, age_max: Duration) -> Option<Arc<Cut>> {
        let tld = name.suffix(1).to_name();
        let (learned, cut) = self.cuts().get(&tld)?.clone();
        (learned.elapsed() < age_max).then_some(cut)
    }

    /// Keeps the cut if it is a TLD's.
    pub(crate) fn keep(&self, cut: &Arc<Cut>) {
        if cut.zone.borrow().label_count() != 1 {
            return;
        }
        let mut cuts = self.cuts();
        if cuts.len() >= TLDS_MAX {
            cuts.clear();
        }
        cuts.insert(cut.zone.clone(), (Instant::now(), cut.clone()));
    }

    pub(crate) fn forget(&self, zone: &Name) {
        self.cuts().remove(zone);
    }

    fn cuts(&self) -> MutexGuard<'_, BTreeMap<Name, (Instant, Arc<Cut>)>> {
        // Whole between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
