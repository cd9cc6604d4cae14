//! What a transaction does to the tables, as octets that do the same again.
//!
//! A [`Written`] table takes down what is done to it, as long as that is not too much for a record of the journal. Each change
//! is a key with its new value, or with none: doing it twice is doing it once, and no rule of a later program can make
//! something else of it.

use std::ops::RangeInclusive;

use redb::{AccessGuard, Key, ReadableTable, Table, Value};

use crate::rows::Fields;

const REMOVED: u8 = 0;
const PUT: u8 = 1;

/// What is said of a record of the journal that cannot be read.
pub(crate) fn damaged(what: &str) -> redb::Error {
    redb::Error::Corrupted(format!("a record of the journal: {what}"))
}

/// A table that is written, and what was done to it. Its keys are numbers, which all have as many octets.
pub(crate) struct Written<'t, K: Key + 'static> {
    table: Table<'t, K, &'static [u8]>,
    changes: Changes,
}

/// The changes of one table.
struct Changes {
    octets: Vec<u8>,
    /// With more than this they are not needed, and no longer kept.
    octets_max: Option<usize>,
}

impl<'t, K> Written<'t, K>
where
    K: Key + Copy + for<'a> Value<SelfType<'a> = K>,
{
    pub(crate) fn new(table: Table<'t, K, &'static [u8]>, octets_max: Option<usize>) -> Self {
        Self { table, changes: Changes { octets: Vec::new(), octets_max } }
    }

    pub(crate) fn get(&self, key: K) -> Result<Option<AccessGuard<'_, &'static [u8]>>, redb::Error> {
        Ok(self.table.get(key)?)
    }

    pub(crate) fn range(&self, keys: RangeInclusive<K>) -> Result<redb::Range<'_, K, &'static [u8]>, redb::Error> {
        Ok(self.table.range(keys)?)
    }

    pub(crate) fn insert(&mut self, key: K, value: &[u8]) -> Result<(), redb::Error> {
        self.changes.put(K::as_bytes(&key).as_ref(), value);
        self.table.insert(key, value)?;
        Ok(())
    }

    pub(crate) fn remove(&mut self, key: K) -> Result<(), redb::Error> {
        self.changes.removed(K::as_bytes(&key).as_ref());
        self.table.remove(key)?;
        Ok(())
    }

    pub(crate) fn remove_in(&mut self, keys: RangeInclusive<K>) -> Result<(), redb::Error> {
        let changes = &mut self.changes;
        self.table.retain_in(keys, |key, _| {
            changes.removed(K::as_bytes(&key).as_ref());
            false
        })?;
        Ok(())
    }

    /// Does again what octets of [`Self::changes`] say; whether they say it whole.
    pub(crate) fn repeat(&mut self, octets: &[u8]) -> Result<(), redb::Error> {
        let mut fields = Fields(octets);
        while !fields.is_empty() {
            let [change] = fields.take().map_err(damaged)?;
            let key = fields.octets(K::fixed_width().unwrap_or(0)).map_err(damaged)?;
            let key = K::from_bytes(key);
            if change == PUT {
                let octets = fields.u32().map_err(damaged)? as usize;
                self.table.insert(key, fields.octets(octets).map_err(damaged)?)?;
            } else {
                self.table.remove(key)?;
            }
        }
        Ok(())
    }

    /// What was done, if it is not too much.
    pub(crate) fn changes(&self) -> Option<&[u8]> {
        self.changes.octets_max.map(|_| &*self.changes.octets)
    }
}

impl Changes {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        if !self.has_room(1 + key.len() + 4 + value.len()) {
            return;
        }
        self.octets.push(PUT);
        self.octets.extend(key);
        // What is longer has no room.
        self.octets.extend((value.len() as u32).to_be_bytes());
        self.octets.extend(value);
    }

    fn removed(&mut self, key: &[u8]) {
        if !self.has_room(1 + key.len()) {
            return;
        }
        self.octets.push(REMOVED);
        self.octets.extend(key);
    }

    /// Whether there is room for another change; if not, none is kept any more.
    fn has_room(&mut self, octets: usize) -> bool {
        let has_room = self.octets_max.is_some_and(|most| self.octets.len() + octets <= most);
        if !has_room {
            *self = Self { octets: Vec::new(), octets_max: None };
        }
        has_room
    }
}
