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
    /// None: the diffs lead to it from what is stored.
    pub(crate) image: Option<WholeImage>,
    /// One for each step, or one for a version that came whole; with each, its sealed diff, if it is to be kept.
    pub(crate) versions: Vec<(VersionRow, Option<Vec<u8>>)>,
    pub(crate) limits: HistoryLimits,
    /// The image's file, if one was written for this commit.
    pub(crate) file: Option<String>,
}

/// An image that is to be written, in one piece.
pub(crate) struct WholeImage {
    pub(crate) row: ImageRow,
    pub(crate) image: Image,
}

impl WholeImage {
    /// Takes time proportional to the image.
    pub(crate) fn of(image: &Image) -> Self {
        let image = image.merged();
        let octets = image.as_bytes();
        let row = ImageRow {
            place: if octets.len() > INLINE_OCTETS_MAX { Place::File } else { Place::Inline },
            octets: octets.len() as u64,
            checksum: crc32c::crc32c(octets),
        };
        Self { row, image }
    }
}

/// An image of a version on the way to the head, ready to take the place of the one before.
pub(crate) struct Rebase {
    pub(crate) zone: ZoneId,
    pub(crate) generation: Generation,
    pub(crate) whole: WholeImage,
    /// The image's file, if one was written.
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
    !commit.image.is_merged() || commit.image.octets() > INLINE_OCTETS_MAX || diff_octets(commit) > INLINE_OCTETS_MAX
}

/// Whether a commit can be written as what leads to it.
pub(crate) fn is_patch(commit: &Commit) -> bool {
    !commit.image.is_merged() && !commit.steps.is_empty() && diff_octets(commit) <= INLINE_OCTETS_MAX
}

fn diff_octets(commit: &Commit) -> usize {
    commit.steps.iter().map(|step| step.diff.octets()).sum()
}

/// Checks and encodes a commit; takes time proportional to the image and the diffs.
pub(crate) fn prepare(commit: Commit) -> Result<Prepared, StoreError> {
    let image = WholeImage::of(&commit.image);
    prepare_with(commit, Some(image))
}

/// The same without the image: what is stored, and the diffs, say all. Takes time proportional to the diffs.
pub(crate) fn prepare_patch(commit: Commit) -> Result<Prepared, StoreError> {
    prepare_with(commit, None)
}

fn prepare_with(commit: Commit, image: Option<WholeImage>) -> Result<Prepared, StoreError> {
    if !leads_to_head(&commit) {
        return Err(StoreError::BrokenSteps { zone: commit.zone, head: commit.head.generation });
    }
    let age_max_ms = u64::try_from(commit.history.age_max.as_millis()).unwrap_or(u64::MAX);
    let limits = HistoryLimits {
        versions_max: commit.history.versions_max.max(1),
        octets_max: (commit.image.octets() as u64).max(HISTORY_OCTETS_MIN),
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
}
