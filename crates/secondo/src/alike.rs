//! What is the same for many zones is there once.
//!
//! Zones that were imported together have the same primaries and the same settings, and next to each other they stand in the
//! inventory too. So it does to remember the last few: most zones find theirs among them, and nobody has to look for one that
//! nobody needs any more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// So many different ones are remembered: some tenants at a time, each with a few sorts of zones.
const REMEMBERED: usize = 16;

pub(crate) struct Alike<T>(Mutex<VecDeque<Arc<T>>>);

impl<T> Default for Alike<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: PartialEq> Alike<T> {
    /// The value, in one piece of memory with those like it that were shared lately.
    pub(crate) fn share(&self, value: T) -> Arc<T> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lately.iter().find(|one| ***one == value) {
            return found.clone();
        }
        let shared = Arc::new(value);
        lately.truncate(REMEMBERED - 1);
        lately.push_front(shared.clone());
        shared
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Alike, REMEMBERED};

    #[test]
    fn what_is_alike_is_there_once_as_long_as_it_is_remembered() {
        let alike = Alike::default();
        let (one, two) = (alike.share("a".to_owned()), alike.share("b".to_owned()));
        assert!(Arc::ptr_eq(&one, &alike.share("a".to_owned())) && Arc::ptr_eq(&two, &alike.share("b".to_owned())));
        (0..REMEMBERED).for_each(|number| _ = alike.share(number.to_string()));
        let again = alike.share("a".to_owned());
        assert!(again == one && !Arc::ptr_eq(&again, &one));
    }
}
