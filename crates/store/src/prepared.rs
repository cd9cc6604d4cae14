//! A commit made ready for the database: checked, encoded and summed up before the one committer has it.

use zone::{Diff, Generation, Image, ZoneId};

use crate::StoreError;
use crate::rows::{ImageRow, Place, VersionRow, seal};
use crate::stored::{Commit, Origin, Version};

/// The largest image that the database holds itself; a larger one gets a file. Below it, a file would cost more (an
/// inode, two syncs) than copying its octets into a page.
pub(crate) const INLINE_OCTETS_MAX: usize = 256 << 10;
/// History may always be as large as this, however small the zone.
const HISTORY_OCTETS_MIN: u64 = 1 << 20;
/// No kept diff is larger: redb's own limit is 3 GiB.
const DIFF_OCTETS_MAX: u64 = 1 << 30;

/// A commit, ready to be written.
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    pub(crate) image: ImageRow,
    /// One for each step, or one for a version that came whole; with each, its sealed diff, if it is to be kept.
    pub(crate) versions: Vec<(VersionRow, Option<Vec<u8>>)>,
    pub(crate) limits: HistoryLimits,
    /// The image's file, if one was written for this commit.
    pub(crate) file: Option<String>,
}

/// How much history a zone keeps besides the steps of the newest commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HistoryLimits {
    pub(crate) versions_max: u64,
    pub(crate) octets_max: u64,
    /// Versions that others took the place of before this go, in Unix milliseconds.
    pub(crate) oldest_ms: u64,
}

/// Whether a commit takes so long to prepare that others should not wait behind it.
pub(crate) fn is_large(commit: &Commit) -> bool {
    let diffs: usize = commit.steps.iter().map(|step| step.diff.octets()).sum();
    commit.image.as_bytes().len() > INLINE_OCTETS_MAX || diffs > INLINE_OCTETS_MAX
}

/// Checks and encodes a commit; takes time proportional to the image and the diffs.
pub(crate) fn prepare(commit: Commit) -> Result<Prepared, StoreError> {
    if !leads_to_head(&commit) {
        return Err(StoreError::BrokenSteps { zone: commit.zone, head: commit.head.generation });
    }
    let octets = commit.image.as_bytes();
    let image = ImageRow {
        place: if octets.len() > INLINE_OCTETS_MAX { Place::File } else { Place::Inline },
        octets: octets.len() as u64,
        checksum: crc32c::crc32c(octets),
    };
    let age_max_ms = u64::try_from(commit.history.age_max.as_millis()).unwrap_or(u64::MAX);
    let limits = HistoryLimits {
        versions_max: commit.history.versions_max.max(1),
        octets_max: image.octets.max(HISTORY_OCTETS_MIN),
        oldest_ms: commit.at_ms.saturating_sub(age_max_ms),
    };
    let versions = versions(&commit);
    Ok(Prepared { commit, image, versions, limits, file: None })
}

/// Whether the steps follow one another, with growing generations, to the head; no steps do.
fn leads_to_head(commit: &Commit) -> bool {
    let linked = commit.steps.windows(2).all(|pair| pair[0].to == pair[1].from);
    let growing = commit.steps.iter().all(|step| step.from < step.to);
    let arrives = commit
        .steps
        .last()
        .is_none_or(|last| last.to == commit.head.generation && last.diff.to == commit.head.serial);
    linked && growing && arrives
}

fn versions(commit: &Commit) -> Vec<(VersionRow, Option<Vec<u8>>)> {
    let version =
        |generation: Generation, serial, origin| Version { generation, serial, at_ms: commit.at_ms, origin };
    if commit.steps.is_empty() {
        let version = version(commit.head.generation, commit.head.serial, Origin::Whole);
        return vec![(VersionRow { version, diff_octets: 0 }, None)];
    }
    let sealed = |diff: &Diff| (diff.octets() as u64 <= DIFF_OCTETS_MAX).then(|| seal(diff.to_bytes()));
    commit
        .steps
        .iter()
        .map(|step| {
            let diff = &step.diff;
            let origin = Origin::Step {
                from: step.from,
                from_serial: diff.from,
                removed: diff.removed.len() as u64,
                added: diff.added.len() as u64,
            };
            let sealed = sealed(diff);
            let diff_octets = sealed.as_ref().map_or(0, |octets| octets.len() as u64);
            (VersionRow { version: version(step.to, diff.to, origin), diff_octets }, sealed)
        })
        .collect()
}

impl Prepared {
    pub(crate) fn zone(&self) -> ZoneId {
        self.commit.zone
    }

    pub(crate) fn generation(&self) -> Generation {
        self.commit.head.generation
    }

    /// The oldest version that is kept whatever there is: the one that the commit's steps lead from, so that it can
    /// always be served again, or the new one itself if nothing leads to it.
    pub(crate) fn way_back(&self) -> Generation {
        self.commit.steps.first().map_or(self.generation(), |step| step.from)
    }

    /// Octets of its own diffs.
    pub(crate) fn diff_octets(&self) -> u64 {
        self.versions.iter().map(|(row, _)| row.diff_octets).sum()
    }

    pub(crate) fn contents(&self) -> &Image {
        &self.commit.image
    }
}
