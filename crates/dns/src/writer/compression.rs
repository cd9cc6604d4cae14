//! Where names start in a message that is being written.

use crate::name::number_of;

/// Slots that one look-up may visit.
const PROBES_MAX: usize = 8;
/// Offsets from here on cannot be pointed to (RFC 1035 §4.1.4).
pub(super) const POINTER_TARGETS: usize = 0x4000;
/// Where no name is: in the header. What follows the last label of a name stands there.
pub(super) const NOWHERE: u16 = 0;

/// Where names start in the message being written: memory that writers use one after the other.
///
/// Each entry is for a label and what follows it, so that one who looks for a name goes from its last label to its first,
/// and compares one label at each step.
pub struct CompressionTable(pub(super) Box<[Entry]>);

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Entry {
    /// Where what follows the label starts.
    pub(super) parent: u16,
    /// Where the label starts.
    pub(super) offset: u16,
}

impl Entry {
    pub(super) const FREE: Self = Self { parent: NOWHERE, offset: NOWHERE };
    /// Behind it there may be others.
    const REMOVED: Self = Self { parent: u16::MAX, offset: NOWHERE };
}

impl CompressionTable {
    /// For answers: some dozens of names.
    pub fn small() -> Self {
        Self(vec![Entry::FREE; 128].into())
    }

    /// For messages of a transfer: as many names as can be pointed to.
    pub fn large() -> Self {
        Self(vec![Entry::FREE; 8192].into())
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(Entry::FREE);
    }

    #[inline]
    pub(super) fn probes(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let mask = self.0.len() - 1;
        (0..PROBES_MAX).map(move |step| (hash as usize + step) & mask)
    }

    /// The first slot for this hash that nothing is in.
    #[inline]
    pub(super) fn vacancy(&self, hash: u32) -> Option<usize> {
        self.probes(hash).find(|slot| self.0[*slot].offset == NOWHERE)
    }

    #[inline]
    pub(super) fn fill(&mut self, vacancy: Option<usize>, entry: Entry) {
        if let Some(slot) = vacancy {
            self.0[slot] = entry;
        }
    }

    /// Has the labels found that are written at `start`; behind them is what is at `parent`.
    pub(super) fn learn(&mut self, labels: &[u8], parent: u16, start: usize) {
        let mut at = 0;
        while at < labels.len() {
            let label = label_at(labels, at);
            let next = at + label.len();
            let behind = if next < labels.len() { (start + next) as u16 } else { parent };
            let vacancy = self.vacancy(hash(label, behind));
            self.fill(vacancy, Entry { parent: behind, offset: (start + at) as u16 });
            at = next;
        }
    }

    pub(super) fn remove_from(&mut self, offset: usize) {
        for entry in &mut self.0 {
            if entry.offset != NOWHERE && usize::from(entry.offset) >= offset {
                *entry = Entry::REMOVED;
            }
        }
    }
}

/// A label and its length.
#[inline]
pub(super) fn label_at(wire: &[u8], start: usize) -> &[u8] {
    &wire[start..=start + usize::from(wire[start])]
}

/// A hash goes by the first and the last eight octets of a label: those that it takes for the same are compared, and there
/// are no more of those than [`PROBES_MAX`] to compare.
#[inline]
pub(super) fn hash(label: &[u8], parent: u16) -> u32 {
    let parent = u64::from(parent);
    let hash = match (label.first_chunk(), label.last_chunk()) {
        (Some(first), Some(last)) => mixed(mixed(parent, u64::from_le_bytes(*first)), u64::from_le_bytes(*last)),
        _ => mixed(parent, number_of(label)),
    };
    (hash >> 32) as u32
}

#[inline]
fn mixed(hash: u64, octets: u64) -> u64 {
    (hash.rotate_left(5) ^ octets).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
