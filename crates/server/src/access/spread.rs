//! A map that whoever reads keeps as it is while the next one is made of it: in parts, of which a change copies one.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

/// Of a million entries a change copies four thousand; and that many parts are copied for each.
const PARTS: usize = 256;

/// A map of which each copy costs little, and a change of a copy too.
#[derive(Clone, Debug)]
pub struct Spread<K, V> {
    parts: Vec<Arc<HashMap<K, V>>>,
    /// Into which part a key belongs.
    hasher: RandomState,
}

impl<K, V> Default for Spread<K, V> {
    fn default() -> Self {
        Self { parts: vec![Arc::default(); PARTS], hasher: RandomState::new() }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Spread<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.parts[self.part_of(key)].get(key)
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.part_mut(&key).insert(key, value)
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        // What is not there is worth no copy.
        self.get(key)?;
        self.part_mut(key).remove(key)
    }

    fn part_mut(&mut self, key: &K) -> &mut HashMap<K, V> {
        let part = self.part_of(key);
        Arc::make_mut(&mut self.parts[part])
    }

    fn part_of(&self, key: &K) -> usize {
        self.hasher.hash_one(key) as usize % PARTS
    }
}

impl<K: Hash + Eq + Clone, V: Clone> FromIterator<(K, V)> for Spread<K, V> {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(entries: T) -> Self {
        let mut spread = Self::default();
        entries.into_iter().for_each(|(key, value)| _ = spread.insert(key, value));
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_copy_is_changed_and_the_one_before_stays_as_it_is() {
        let before: Spread<u32, u32> = (0..10_000).map(|number| (number, number)).collect();
        let mut after = before.clone();
        assert_eq!((after.remove(&7), after.remove(&10_000), after.insert(8, 0)), (Some(7), None, Some(8)));
        assert_eq!((before.get(&7), before.get(&8)), (Some(&7), Some(&8)));
        assert_eq!((after.get(&7), after.get(&8), after.get(&9_999)), (None, Some(&0), Some(&9_999)));
    }
}
