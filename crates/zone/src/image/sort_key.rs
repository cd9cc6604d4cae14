//! Keys in which canonical order (RFC 4034 §6.1) is an order of octets, and an ancestor's key is a prefix of its
//! descendants'.

use std::ops::Deref;

use dns::NameRef;

/// Ends a label in a sort key.
const LABEL_END: [u8; 2] = [0, 0];

/// Puts the key of `name` behind what is there.
pub(super) fn push_key(name: NameRef<'_>, apex_octets: usize, key: &mut Vec<u8>) {
    for_each_label(name, apex_octets, |label| {
        if label.contains(&0) {
            octets_of(label, |octet| key.push(octet));
        } else {
            key.extend(label.iter().map(u8::to_ascii_lowercase));
            key.extend(LABEL_END);
        }
    });
}

/// The labels of `name` below the apex, from the right.
fn for_each_label<'a>(name: NameRef<'a>, apex_octets: usize, mut each: impl FnMut(&'a [u8])) {
    let wire = name.as_wire();
    let mut starts = [0_u8; dns::name::LABELS_MAX + 1];
    let (mut count, mut at) = (0, 0);
    while wire.len() > at + apex_octets && wire[at] != 0 {
        starts[count] = at as u8;
        count += 1;
        at += 1 + usize::from(wire[at]);
    }
    for start in starts[..count].iter().rev().map(|start| usize::from(*start)) {
        each(&wire[start + 1..=start + usize::from(wire[start])]);
    }
}

/// A label's letters folded, a zero octet followed by a one, and two zeros at its end: shorter labels sort first
/// (RFC 4034 §6.1), and no label's end can be mistaken.
fn octets_of(label: &[u8], mut put: impl FnMut(u8)) {
    for octet in label {
        put(octet.to_ascii_lowercase());
        if *octet == 0 {
            put(1);
        }
    }
    LABEL_END.into_iter().for_each(&mut put);
}

/// Where each label of a key ends.
pub(super) fn label_ends(key: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(pair) = key.get(at..at + 2) {
            let step = if pair[0] == 0 { 2 } else { 1 };
            at += step;
            if pair == LABEL_END {
                return Some(at);
            }
        }
        None
    })
}

/// Octets of the longest key: each label takes at most two for each octet that it has in a name, its length's included.
const OCTETS_MAX: usize = 2 * dns::name::NAME_OCTETS_MAX;

/// The key of one name, in memory of its own.
pub(super) struct SortKey {
    octets: [u8; OCTETS_MAX],
    count: usize,
}

impl SortKey {
    pub(super) fn of(name: NameRef<'_>, apex_octets: usize) -> Self {
        let mut key = Self { octets: [0; OCTETS_MAX], count: 0 };
        for_each_label(name, apex_octets, |label| {
            octets_of(label, |octet| {
                key.octets[key.count] = octet;
                key.count += 1;
            });
        });
        key
    }
}

impl Deref for SortKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets[..self.count]
    }
}
