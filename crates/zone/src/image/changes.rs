//! What has changed of a list that lies in an image: a tree of which versions share what they have in common.
//!
//! ```text
//!   changes, by key          a ─> there     c ─> gone      d ─> there
//!   list below, by rank      a 0     b 1    c 2       e 3      f 4
//!   what is read             a'      b                d   e    f
//! ```
//!
//! A change copies the way from the root to it, and no more; where nobody else has a part of the way, it is changed in
//! place. Searching takes no memory, and as long as the tree is deep: a part of which all is gone, here or in the list, is
//! passed over by its size.
//!
//! Invariants: keys grow from left to right; neither side of a node is much larger than the other (the bounds are those of
//! Hirai and Yamamoto, *Balancing weight-balanced trees*, 2011); what is gone was in the list.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// A change of something.
pub(super) trait Change: Clone {
    /// What it is found by; its order is that of the list.
    fn key(&self) -> &[u8];
    /// How many in the list sort before it.
    fn at(&self) -> usize;
    /// Whether the list has one with this key.
    fn replaces(&self) -> bool;
    /// Whether there is one now; otherwise it is gone.
    fn is_there(&self) -> bool;
}

/// See the module.
#[derive(Clone)]
pub(super) struct Changes<C> {
    root: Link<C>,
}

type Link<C> = Option<Arc<Node<C>>>;

#[derive(Clone)]
struct Node<C> {
    change: C,
    left: Link<C>,
    right: Link<C>,
    /// Changes from here down.
    count: u32,
    /// Whether any of them left something.
    has_any: bool,
}

/// One of what is there.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a, C> {
    Changed(&'a C),
    /// In the list, at this rank.
    Below(usize),
}

impl<C> Default for Changes<C> {
    fn default() -> Self {
        Self { root: None }
    }
}

impl<C: Change> Changes<C> {
    pub(super) fn count(&self) -> usize {
        count(&self.root)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<&C> {
        let mut link = &self.root;
        while let Some(node) = link {
            link = match key.cmp(node.change.key()) {
                Ordering::Less => &node.left,
                Ordering::Greater => &node.right,
                Ordering::Equal => return Some(&node.change),
            };
        }
        None
    }

    /// Puts a change in the place of the one with its key, if there is one.
    pub(super) fn put(&mut self, change: C) {
        put(&mut self.root, change);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if self.get(key).is_some() {
            remove(&mut self.root, key);
        }
    }

    /// All in the order of their keys.
    pub(super) fn iter(&self) -> Iter<'_, C> {
        self.from(&[])
    }

    /// Those from a key on.
    pub(super) fn from(&self, key: &[u8]) -> Iter<'_, C> {
        let mut way = Vec::new();
        let mut link = &self.root;
        while let Some(node) = link {
            if key <= node.change.key() {
                way.push(&**node);
                link = &node.left;
            } else {
                link = &node.right;
            }
        }
        Iter { way }
    }

    /// The last up to a key that is there, among the changes and what is left of the list, which has `rank` up to that key.
    pub(super) fn last(&self, up_to: Bound<&[u8]>, rank: usize) -> Option<Found<'_, C>> {
        let (changes, last) = self.last_changed(up_to);
        // Behind that change all others are gone.
        let (from, gone) = match last {
            Some((index, change)) => (change.at() + usize::from(change.replaces()), changes - index - 1),
            None => (0, changes),
        };
        if from + gone == rank {
            return last.map(|(_, change)| Found::Changed(change));
        }
        // Those at the end may be gone, one beside the other: as many as there are changes from the first of them on.
        let first = self.first_where(|index, change| {
            let is_behind = index >= changes - gone;
            index >= changes || (is_behind && change.at() + (changes - index) == rank)
        });
        Some(Found::Below(rank - (changes - first) - 1))
    }

    /// How many changes there are up to a key; and which of them is the last that left something, with how many are before it.
    fn last_changed(&self, up_to: Bound<&[u8]>) -> (usize, Option<(usize, &C)>) {
        let is_in = |key: &[u8]| match up_to {
            Bound::Included(last) => key <= last,
            Bound::Excluded(behind) => key < behind,
            Bound::Unbounded => true,
        };
        let (mut before, mut link) = (0, &self.root);
        // It is here or to the left of here, behind so many others.
        let mut last: Option<(usize, &Node<C>)> = None;
        while let Some(node) = link {
            if !is_in(node.change.key()) {
                link = &node.left;
                continue;
            }
            if node.change.is_there() || has_any(&node.left) {
                last = Some((before, node));
            }
            before += count(&node.left) + 1;
            link = &node.right;
        }
        (before, last.map(|(before, node)| node.last_up_to_here(before)))
    }

    /// How many changes are before the first of which this is so, as it is of all behind that one.
    fn first_where(&self, is_so: impl Fn(usize, &C) -> bool) -> usize {
        let (mut before, mut link) = (0, &self.root);
        while let Some(node) = link {
            let index = before + count(&node.left);
            if is_so(index, &node.change) {
                link = &node.left;
            } else {
                before = index + 1;
                link = &node.right;
            }
        }
        before
    }
}

impl<C: Change> Node<C> {
    fn of(change: C) -> Self {
        Self { has_any: change.is_there(), change, left: None, right: None, count: 1 }
    }

    fn recount(&mut self) {
        self.count = 1 + (count(&self.left) + count(&self.right)) as u32;
        self.has_any = self.change.is_there() || has_any(&self.left) || has_any(&self.right);
    }

    /// The last that is there of this one and those to its left, of which there is one; and how many are before it, with
    /// those `before` them all.
    fn last_up_to_here(&self, mut before: usize) -> (usize, &C) {
        let mut node = self;
        while !node.change.is_there() {
            node = node.left.as_ref().expect("one of those that are counted left something");
            while let Some(right) = node.right.as_ref().filter(|right| right.has_any) {
                before += count(&node.left) + 1;
                node = right;
            }
        }
        (before + count(&node.left), &node.change)
    }
}

fn count<C>(link: &Link<C>) -> usize {
    link.as_ref().map_or(0, |node| node.count as usize)
}

fn has_any<C>(link: &Link<C>) -> bool {
    link.as_ref().is_some_and(|node| node.has_any)
}

fn put<C: Change>(link: &mut Link<C>, change: C) {
    let Some(top) = link else {
        *link = Some(Arc::new(Node::of(change)));
        return;
    };
    let node = Arc::make_mut(top);
    match change.key().cmp(node.change.key()) {
        Ordering::Less => put(&mut node.left, change),
        Ordering::Greater => put(&mut node.right, change),
        Ordering::Equal => node.change = change,
    }
    balance(top);
}

/// Takes away a change that is there.
fn remove<C: Change>(link: &mut Link<C>, key: &[u8]) {
    let Some(top) = link else { return };
    let node = Arc::make_mut(top);
    match key.cmp(node.change.key()) {
        Ordering::Less => remove(&mut node.left, key),
        Ordering::Greater => remove(&mut node.right, key),
        Ordering::Equal => match take_first(&mut node.right) {
            Some(next) => node.change = next,
            None => {
                *link = node.left.take();
                return;
            }
        },
    }
    balance(top);
}

fn take_first<C: Change>(link: &mut Link<C>) -> Option<C> {
    let top = link.as_mut()?;
    let node = Arc::make_mut(top);
    if let Some(first) = take_first(&mut node.left) {
        balance(top);
        return Some(first);
    }
    let first = node.change.clone();
    *link = node.right.take();
    Some(first)
}

/// So many times as large as the other may one side be.
const SIDE_MAX: usize = 3;
/// A side that has become too large is turned as a whole if its inner part is smaller than so many times its outer part.
const INNER_MAX: usize = 2;

/// Puts right one node of which the sides are right, and one of them has become larger or smaller by one.
fn balance<C: Change>(top: &mut Arc<Node<C>>) {
    let node = Arc::make_mut(top);
    let (left, right) = (count(&node.left), count(&node.right));
    if left + right > 1 && right > SIDE_MAX * left {
        let side = node.right.as_mut().expect("what is larger than nothing is there");
        if count(&side.left) >= INNER_MAX * count(&side.right) {
            turn_right(side);
        }
        turn_left(top);
    } else if left + right > 1 && left > SIDE_MAX * right {
        let side = node.left.as_mut().expect("what is larger than nothing is there");
        if count(&side.right) >= INNER_MAX * count(&side.left) {
            turn_left(side);
        }
        turn_right(top);
    } else {
        node.recount();
    }
}

/// Puts a node's right side above it.
fn turn_left<C: Change>(top: &mut Arc<Node<C>>) {
    let node = Arc::make_mut(top);
    let Some(mut other) = node.right.take() else { return };
    node.right = Arc::make_mut(&mut other).left.take();
    node.recount();
    std::mem::swap(top, &mut other);
    let node = Arc::make_mut(top);
    node.left = Some(other);
    node.recount();
}

/// Puts a node's left side above it.
fn turn_right<C: Change>(top: &mut Arc<Node<C>>) {
    let node = Arc::make_mut(top);
    let Some(mut other) = node.left.take() else { return };
    node.left = Arc::make_mut(&mut other).right.take();
    node.recount();
    std::mem::swap(top, &mut other);
    let node = Arc::make_mut(top);
    node.right = Some(other);
    node.recount();
}

/// See [`Changes::from`].
pub(super) struct Iter<'a, C> {
    /// Nodes that come next with what is to their right, the first one last.
    way: Vec<&'a Node<C>>,
}

impl<'a, C> Iterator for Iter<'a, C> {
    type Item = &'a C;

    fn next(&mut self) -> Option<&'a C> {
        let node = self.way.pop()?;
        let mut link = &node.right;
        while let Some(below) = link {
            self.way.push(below);
            link = &below.left;
        }
        Some(&node.change)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::{Change, Changes, Found, Link, SIDE_MAX, count, has_any};

    #[derive(Clone, Debug, PartialEq)]
    struct Octet {
        key: [u8; 1],
        at: usize,
        replaces: bool,
        is_there: bool,
    }

    impl Change for Octet {
        fn key(&self) -> &[u8] {
            &self.key
        }

        fn at(&self) -> usize {
            self.at
        }

        fn replaces(&self) -> bool {
            self.replaces
        }

        fn is_there(&self) -> bool {
            self.is_there
        }
    }

    fn assert_sound(link: &Link<Octet>) {
        let Some(node) = link else { return };
        let (left, right) = (count(&node.left), count(&node.right));
        assert_eq!(node.count as usize, left + right + 1);
        assert!(left + right <= 1 || left.max(right) <= SIDE_MAX * left.min(right), "{left} beside {right}");
        assert_eq!(node.has_any, node.change.is_there || has_any(&node.left) || has_any(&node.right));
        assert_sound(&node.left);
        assert_sound(&node.right);
    }

    /// What the changes are, and what is there for them and a list.
    struct Model {
        list: Vec<u8>,
        changes: BTreeMap<u8, bool>,
    }

    impl Model {
        fn change(&self, key: u8, is_there: bool) -> Octet {
            let at = self.list.partition_point(|below| *below < key);
            Octet { key: [key], at, replaces: self.list.contains(&key), is_there }
        }

        fn last(&self, up_to: Bound<u8>) -> Option<u8> {
            let below = self.list.iter().filter(|key| !self.changes.contains_key(key)).copied();
            let changed = self.changes.iter().filter(|(_, is_there)| **is_there).map(|(key, _)| *key);
            below.chain(changed).filter(|key| std::ops::RangeBounds::contains(&(Bound::Unbounded, up_to), key)).max()
        }

        fn assert_fits(&self, changes: &Changes<Octet>) {
            assert_sound(&changes.root);
            let expected: Vec<Octet> = self.changes.iter().map(|(key, there)| self.change(*key, *there)).collect();
            assert_eq!(changes.count(), expected.len());
            assert!(changes.iter().eq(&expected));
            for key in 0..=u8::MAX {
                let found = self.changes.get(&key).map(|there| self.change(key, *there));
                assert_eq!(changes.get(&[key]), found.as_ref());
                assert!(changes.from(&[key]).eq(expected.iter().filter(|change| change.key[0] >= key)));
                for bound in [Bound::Included(key), Bound::Excluded(key), Bound::Unbounded] {
                    let in_bound = |below: &u8| std::ops::RangeBounds::contains(&(Bound::Unbounded, bound), below);
                    let rank = self.list.partition_point(in_bound);
                    let octets = [key];
                    let last = changes.last(bound.map(|_| &octets[..]), rank).map(|found| match found {
                        Found::Changed(change) => change.key[0],
                        Found::Below(rank) => self.list[rank],
                    });
                    assert_eq!(last, self.last(bound), "up to {bound:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn changes_over_a_list_are_what_a_walk_along_both_finds(
            list in prop::collection::btree_set(any::<u8>(), 0..60),
            // Whole runs go and come, so that there is nothing for long on either side.
            runs in prop::collection::vec((any::<u8>(), 0_u8..80, any::<bool>()), 0..12),
        ) {
            let mut model = Model { list: list.into_iter().collect(), changes: BTreeMap::new() };
            let mut changes = Changes::default();
            let mut versions = Vec::new();
            for (first, length, comes) in runs {
                for key in first..first.saturating_add(length) {
                    if comes || model.list.contains(&key) {
                        model.changes.insert(key, comes);
                        changes.put(model.change(key, comes));
                    } else {
                        model.changes.remove(&key);
                        changes.remove(&[key]);
                    }
                }
                model.assert_fits(&changes);
                versions.push((changes.clone(), model.changes.clone()));
            }
            // Nothing that came later has changed a version that somebody still has.
            for (changes, expected) in versions {
                prop_assert!(changes.iter().map(|change| (change.key[0], change.is_there)).eq(expected));
            }
        }
    }
}
