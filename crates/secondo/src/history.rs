//! Versions of before: what led from one to another, and what they held.

use std::collections::BTreeMap;

use dns::RecordRef;
use store::{Origin, Store, StoreError};
use zone::{Advanced, Change, Diff, Generation, Limits, Notes, Snapshot, ZoneId};

use crate::followed::Followed;
use crate::node::Node;

/// Why there is no way from one version to another.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoWay {
    #[error("the generation {0} is not among the versions that are kept")]
    Unknown(Generation),
    #[error("what led to the generation {0} is not kept: the zone came whole then, or has changed too much since")]
    NotKept(Generation),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a fault of our own: {0}")]
    Internal(String),
}

/// The steps from one generation to a later one, in their order. Reads the disk: call it from a thread that may wait.
pub(crate) fn steps(store: &Store, zone: ZoneId, from: Generation, to: Generation) -> Result<Vec<Diff>, NoWay> {
    let versions = store.history(zone)?;
    let find = |generation| versions.iter().find(|version| version.generation == generation);
    find(from).ok_or(NoWay::Unknown(from))?;
    let mut steps = Vec::new();
    let mut at = to;
    while at > from {
        let version = find(at).ok_or(NoWay::Unknown(at))?;
        let Origin::Step { from: before, .. } = version.origin else { return Err(NoWay::NotKept(at)) };
        steps.push(store.diff(zone, at)?.ok_or(NoWay::NotKept(at))?);
        at = before;
    }
    if at != from {
        return Err(NoWay::NotKept(from));
    }
    steps.reverse();
    Ok(steps)
}

/// What a version of before held, as the one that comes after `held`.
pub(crate) async fn version(
    node: &Node,
    zone: &Followed,
    held: &Snapshot,
    generation: Generation,
) -> Result<Advanced, NoWay> {
    let (store, id, apex, held) = (node.store.clone(), zone.id, zone.name.clone(), held.clone());
    let internal = |error: &dyn std::fmt::Display| NoWay::Internal(error.to_string());
    let mut seed = [0; 16];
    node.clock.machine().random(&mut seed).map_err(|error| internal(&error))?;
    let work = move || {
        let steps = steps(&store, id, generation, held.generation)?;
        let back = steps.into_iter().rev().map(Diff::reversed).collect();
        let old = &held.image;
        let image = zone::advance(apex.borrow(), Some(old), &Change::Steps(back), seed, Limits::NONE)
            .map_err(|error| internal(&error))?
            .image;
        // One step, however many led there.
        let diffs = vec![zone::between(old, &image)];
        Ok(Advanced { image, diffs, notes: Notes::default() })
    };
    let version = node.long_work.begin(work).await;
    version.map_err(|error| NoWay::Internal(error.to_string()))?
}

/// What differs at the end of some steps: lines of records with `-` or `+` before them, in the order of their text.
pub(crate) fn lines(steps: &[Diff]) -> impl Iterator<Item = String> + use<> {
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    let text = |record: RecordRef<'_>| dns::text::record_to_text(record);
    for step in steps {
        for record in step.removed.iter() {
            *changes.entry(text(record)).or_default() -= 1;
        }
        for record in step.added.iter() {
            *changes.entry(text(record)).or_default() += 1;
        }
    }
    changes.into_iter().filter(|(_, count)| *count != 0).map(|(record, count)| {
        let sign = if count < 0 { '-' } else { '+' };
        format!("{sign} {record}\n")
    })
}
