//! Differences for whoever copies zones from us: the kept history, as far as it is one unbroken row.
//!
//! Invariants: what is given leads exactly to the version that is asked for, which is on disk; serials strictly grow on
//! the way (RFC 1982). A version that came whole, that lives in memory only, or whose serial is not newer than the one
//! before (accepted, or frozen back to) is a barrier: from before it nothing leads on, and the whole zone is sent.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dns::Serial;
use server::{Differences, Way};
use store::{Origin, Step, Store, Version};
use zone::{Diff, Generation, Snapshot, ZoneId};

/// Zones whose newest steps are kept in memory, for those who ask over UDP: the ones that changed last. With
/// [`SMALL_OCTETS_MAX`] that takes no more than some 2 MiB.
const SMALL_MAX: usize = 1024;
/// What one datagram may carry when names are compressed, in octets of records that are not.
const SMALL_OCTETS_MAX: usize = 2048;

pub(crate) struct KeptDifferences {
    store: Store,
    small: Mutex<Small>,
}

/// The newest steps of some zones.
#[derive(Default)]
struct Small {
    news: HashMap<ZoneId, News>,
    /// Who came first goes first.
    order: VecDeque<ZoneId>,
}

/// What an update has led over.
#[derive(Clone)]
pub(crate) struct News {
    from: Generation,
    to: Generation,
    diffs: Arc<[Diff]>,
    /// The oldest serial that is kept, if all that are kept grow from it on: no number is there twice then.
    grows_from: Option<Serial>,
}

impl News {
    /// None if that is not little.
    pub(crate) fn of(steps: &[Step]) -> Option<Self> {
        let (first, last) = (steps.first()?, steps.last()?);
        let octets: usize = steps.iter().map(|step| step.diff.octets()).sum();
        let diffs = || steps.iter().map(|step| step.diff.clone()).collect();
        (octets <= SMALL_OCTETS_MAX).then(|| Self { from: first.from, to: last.to, diffs: diffs(), grows_from: None })
    }

    fn first_serial(&self) -> Option<Serial> {
        self.diffs.first().map(|diff| diff.from)
    }

    /// Where the row began that these go on with, if it has only grown and goes on growing.
    fn goes_on_from(&self, before: &Self) -> Option<Serial> {
        let oldest = before.grows_from.filter(|_| before.to == self.from)?;
        let grows = |diff: &Diff| diff.to.is_newer_than(diff.from) && diff.to.is_newer_than(oldest);
        self.diffs.iter().all(grows).then_some(oldest)
    }
}

impl KeptDifferences {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, small: Mutex::default() }
    }

    /// Takes note of what has led to a version that is on disk; none where it came whole, or by much.
    pub(crate) async fn note(self: &Arc<Self>, zone: ZoneId, news: Option<News>) {
        let Some(mut news) = news else {
            self.small().news.remove(&zone);
            return;
        };
        let before = self.small().news.get(&zone).cloned();
        news.grows_from = before.and_then(|before| news.goes_on_from(&before));
        if news.grows_from.is_some() {
            return self.keep(zone, Some(news));
        }
        let differences = self.clone();
        let look = move || differences.keep(zone, differences.known(zone, news));
        if let Err(error) = tokio::task::spawn_blocking(look).await {
            tracing::error!(%zone, "looking at the history ended by a fault of ours: {error}");
        }
    }

    /// The news, if a client with the version before them can be told from all others by its serial. Reads the disk.
    fn known(&self, zone: ZoneId, news: News) -> Option<News> {
        let versions = self.versions(zone)?;
        way(&versions, news.first_serial()?, news.to)?;
        Some(News { grows_from: grows_from(&versions), ..news })
    }

    fn keep(&self, zone: ZoneId, news: Option<News>) {
        let mut small = self.small();
        let Some(news) = news else {
            small.news.remove(&zone);
            return;
        };
        if small.news.insert(zone, news).is_some() {
            return;
        }
        small.order.push_back(zone);
        // Who is in the order twice, having gone and come again, goes the first time.
        while small.order.len() > SMALL_MAX {
            let Some(first) = small.order.pop_front() else { return };
            small.news.remove(&first);
        }
    }

    fn versions(&self, zone: ZoneId) -> Option<Vec<Version>> {
        let versions = self.store.history(zone);
        versions.inspect_err(|error| tracing::warn!(%zone, "the history cannot be read: {error}")).ok()
    }

    fn small(&self) -> MutexGuard<'_, Small> {
        // Whoever panicked with the lock held has left whole steps.
        self.small.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Differences for KeptDifferences {
    fn way(&self, zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Way> {
        way(&self.versions(zone)?, from, to.generation)
    }

    fn step(&self, zone: ZoneId, to: Generation) -> Option<Diff> {
        let step = self.store.diff(zone, to);
        step.inspect_err(|error| tracing::warn!(%zone, "a difference cannot be read: {error}")).ok().flatten()
    }

    fn at_hand(&self, zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Arc<[Diff]>> {
        let small = self.small();
        let news = small.news.get(&zone)?;
        let leads_there = news.to == to.generation && news.first_serial() == Some(from);
        leads_there.then(|| news.diffs.clone())
    }
}

/// The oldest serial of all versions, if each is newer than the one before, and than the oldest: serials go round in a circle.
fn grows_from(versions: &[Version]) -> Option<Serial> {
    let oldest = versions.first()?.serial;
    let grows =
        |pair: &[Version]| pair[1].serial.is_newer_than(pair[0].serial) && pair[1].serial.is_newer_than(oldest);
    versions.windows(2).all(grows).then_some(oldest)
}

/// The steps that lead from the version of this serial to a generation; `versions` are those that are kept, oldest first.
fn way(versions: &[Version], from: Serial, to: Generation) -> Option<Way> {
    let find = |generation: Generation| {
        let at = versions.binary_search_by_key(&generation, |version| version.generation).ok()?;
        Some(&versions[at])
    };
    // A number that two versions have had does not tell which of them the client holds.
    if versions.iter().filter(|version| version.serial == from).count() != 1 {
        return None;
    }
    let newest = find(to)?;
    let (mut way, mut at) = (Way::default(), newest);
    while at.serial != from {
        let Origin::Step { from: before, from_serial, removed, added } = at.origin else { return None };
        let before = find(before).filter(|before| before.generation < at.generation)?;
        // From the newest one too: serials go round in a circle.
        let grows = at.serial.is_newer_than(from_serial) && newest.serial.is_newer_than(from_serial);
        if !grows || before.serial != from_serial {
            return None;
        }
        way.steps.push(at.generation);
        way.records += removed + added;
        at = before;
    }
    way.steps.reverse();
    Some(way).filter(|way| !way.steps.is_empty())
}

#[cfg(test)]
mod tests {
    use dns::Serial;
    use store::{Origin, Version};
    use zone::Generation;

    use super::{grows_from, way};

    /// A version for each word: `5` came by a step from the one before, `=5` came whole.
    fn history(words: &str) -> Vec<Version> {
        let mut versions: Vec<Version> = Vec::new();
        for (number, word) in (1..).zip(words.split_whitespace()) {
            let serial = Serial(word.trim_start_matches('=').parse().unwrap());
            let origin = match versions.last() {
                Some(before) if !word.starts_with('=') => {
                    Origin::Step { from: before.generation, from_serial: before.serial, removed: 1, added: 2 }
                }
                _ => Origin::Whole,
            };
            versions.push(Version { generation: Generation(number), serial, at_ms: 0, origin });
        }
        versions
    }

    /// Where the steps to the newest version lead to.
    fn steps(words: &str, from: u32) -> Option<Vec<u64>> {
        let versions = history(words);
        let way = way(&versions, Serial(from), versions.last().unwrap().generation)?;
        assert_eq!(way.records, 3 * way.steps.len() as u64);
        Some(way.steps.iter().map(|generation| generation.0).collect())
    }

    #[test]
    fn an_unbroken_row_leads_from_each_of_its_serials() {
        assert_eq!(steps("=1 2 5 9", 1), Some(vec![2, 3, 4]));
        assert_eq!(steps("=1 2 5 9", 5), Some(vec![4]));
        assert_eq!(steps("=1 2 5 9", 3), None, "nobody was given this one");
        assert_eq!(steps("=1 2 5 9", 9), None, "there is nothing to lead over");
        assert_eq!(steps("=4294967295 0 3", 4_294_967_295), Some(vec![2, 3]));
    }

    #[test]
    fn what_breaks_the_row_is_a_barrier() {
        assert_eq!(steps("=1 2 =3 4", 2), None, "it came whole");
        assert_eq!(steps("=1 2 =3 4", 3), Some(vec![4]));
        assert_eq!(steps("=7 8 2 3", 7), None, "an older serial was accepted");
        assert_eq!(steps("=7 8 2 3", 2), Some(vec![4]));
        assert_eq!(steps("=7 7 8", 7), None, "other contents under the same serial");
        assert_eq!(steps("=1 2 3 1 4", 2), None, "frozen back");
        assert_eq!(steps("=1 2 3 1 4", 1), None, "which of the two is not known");
        assert_eq!(steps("=0 2000000000 4000000000 1705032704", 2_000_000_000), None, "round the circle");
    }

    #[test]
    fn a_row_that_grows_has_no_number_twice() {
        for (words, oldest) in [
            ("=1 2 5 9", Some(1)),
            ("=1 2 =3 4", Some(1)),
            ("=4294967295 0 3", Some(4_294_967_295)),
            ("=7 7 8", None),
            ("=1 2 3 1 4", None),
            ("=0 2000000000 4000000000 1", None),
            ("", None),
        ] {
            assert_eq!(grows_from(&history(words)), oldest.map(Serial), "{words}");
        }
    }

    #[test]
    fn a_version_that_is_not_on_disk_has_no_way() {
        let versions = history("=1 2 3");
        assert_eq!(way(&versions, Serial(1), Generation(9)), None);
        assert_eq!(way(&versions[1..], Serial(1), Generation(3)), None, "what it led from is not kept any more");
        assert_eq!(way(&versions, Serial(1), Generation(2)).map(|way| way.steps), Some(vec![Generation(2)]));
    }
}
