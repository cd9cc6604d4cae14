//! The difference between two snapshots.

use std::cmp::Ordering;

use dns::{Name, RecordRef, Records};

use crate::diff::Diff;
use crate::image::{Image, Owner};

/// What leads from `old` to `new`: exactly the records that `new` has not or has otherwise, to the letter and the TTL.
pub fn between(old: &Image, new: &Image) -> Diff {
    let mut diff = Diff { from: old.serial(), to: new.serial(), removed: Records::new(), added: Records::new() };
    let (mut olds, mut news) = (old.owners().peekable(), new.owners().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return diff,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name().cmp(&new.name()),
        };
        let gone = if order.is_le() { olds.next() } else { None };
        let came = if order.is_ge() { news.next() } else { None };
        compare(gone, came, &mut diff);
    }
}

/// The same where all that differs is at these names, which are in canonical order.
pub(crate) fn between_at<'n>(old: &Image, new: &Image, names: impl IntoIterator<Item = &'n Name>) -> Diff {
    let mut diff = Diff { from: old.serial(), to: new.serial(), removed: Records::new(), added: Records::new() };
    for name in names.into_iter().map(Name::borrow).filter(|name| name.is_at_or_below(old.apex())) {
        compare(old.owner(name), new.owner(name), &mut diff);
    }
    diff
}

fn compare(gone: Option<Owner<'_>>, came: Option<Owner<'_>>, diff: &mut Diff) {
    if let (Some(gone), Some(came)) = (gone, came)
        && gone.records().eq(came.records())
    {
        return;
    }
    let (olds, news) = (sorted(gone), sorted(came));
    for (from, other, to) in [(&olds, &news, &mut diff.removed), (&news, &olds, &mut diff.added)] {
        for record in from {
            if other.binary_search_by_key(&sort_key(record), sort_key).is_err() {
                to.push(*record);
            }
        }
    }
}

fn sorted(owner: Option<Owner<'_>>) -> Vec<RecordRef<'_>> {
    let mut records: Vec<_> = owner.into_iter().flat_map(Owner::records).collect();
    records.sort_by_key(sort_key);
    records
}

fn sort_key<'a>(record: &RecordRef<'a>) -> (dns::Type, &'a [u8], u32, &'a [u8]) {
    (record.rtype, record.rdata, record.ttl, record.owner.as_wire())
}
