//! Zones whose time has come: at how many of them is looked at the same time, and in which order.
//!
//! A hundred thousand may be due at once, after a start for one. An attempt takes some ten thousand octets from its beginning,
//! also where it waits for a place; a zone that waits here takes thirty. There is a line for each primary, so that a slow one
//! keeps nobody waiting but its own zones, and in that one for zones of which nothing is there yet and one for all others.
//!
//! Not for those who want to know now, or have heard that there is news: they wait for nobody.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use zone::ZoneId;

/// Zones of one line that are looked at together: many more than have places at their primary, so that none of these is
/// ever empty, and enough to share the waits for our disk.
const TOGETHER_MAX: usize = 256;

/// Where a zone waits: with those of its first primary, and whether there is something of it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(crate) primary: Option<SocketAddr>,
    pub(crate) has_contents: bool,
}

#[derive(Default)]
pub(crate) struct Crowd {
    lines: Mutex<Lines>,
    /// Some zone has got its turn: see [`Crowd::next`].
    pub(crate) advanced: Notify,
}

#[derive(Default)]
struct Lines {
    by_line: HashMap<Line, Standing>,
    waiting: HashSet<ZoneId>,
    /// Lines in which there is room for one more.
    with_room: VecDeque<Line>,
}

#[derive(Default)]
struct Standing {
    under_way: usize,
    waiting: VecDeque<ZoneId>,
}

/// A zone's turn, until this is dropped.
pub(crate) struct Turn {
    crowd: Arc<Crowd>,
    line: Line,
}

impl Crowd {
    /// The zone's turn, if it need not wait. If it must, [`Crowd::next`] gives it; once, however often it comes.
    pub(crate) fn enter(self: &Arc<Self>, line: Line, zone: ZoneId) -> Option<Turn> {
        let mut lines = self.lines();
        let standing = lines.by_line.entry(line).or_default();
        if standing.under_way < TOGETHER_MAX && standing.waiting.is_empty() {
            standing.under_way += 1;
            return Some(Turn { crowd: self.clone(), line });
        }
        if lines.waiting.insert(zone) {
            lines.by_line.entry(line).or_default().waiting.push_back(zone);
        }
        None
    }

    /// A zone that has waited and whose turn it is now.
    pub(crate) fn next(self: &Arc<Self>) -> Option<(ZoneId, Turn)> {
        let mut lines = self.lines();
        while let Some(line) = lines.with_room.pop_front() {
            let Some(standing) = lines.by_line.get_mut(&line) else { continue };
            let Some(zone) = standing.waiting.pop_front() else { continue };
            standing.under_way += 1;
            lines.waiting.remove(&zone);
            return Some((zone, Turn { crowd: self.clone(), line }));
        }
        // It was as large as the crowd.
        if lines.waiting.is_empty() {
            (lines.waiting, lines.with_room) = Default::default();
        }
        None
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.crowd.lines();
        let Entry::Occupied(mut standing) = lines.by_line.entry(self.line) else { return };
        standing.get_mut().under_way -= 1;
        if !standing.get().waiting.is_empty() {
            lines.with_room.push_back(self.line);
            drop(lines);
            self.crowd.advanced.notify_one();
        } else if standing.get().under_way == 0 {
            standing.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use zone::ZoneId;

    use super::{Crowd, Line, TOGETHER_MAX};

    #[test]
    fn who_waits_is_next_in_its_line_once_and_keeps_nobody_in_another_waiting() {
        let crowd = Arc::new(Crowd::default());
        let slow = Line { primary: Some(([192, 0, 2, 1], 53).into()), has_contents: false };
        let mut turns: Vec<_> =
            (0..TOGETHER_MAX as u64).map(|zone| crowd.enter(slow, ZoneId(zone)).unwrap()).collect();
        for zone in [1001, 1002, 1001] {
            assert!(crowd.enter(slow, ZoneId(zone)).is_none());
        }
        assert!(crowd.next().is_none(), "nobody has gone");
        let others = [Line { primary: None, ..slow }, Line { has_contents: true, ..slow }];
        assert!(others.iter().all(|line| crowd.enter(*line, ZoneId(7)).is_some()));
        turns.truncate(TOGETHER_MAX - 3);
        let next = || crowd.next().map(|(zone, turn)| (zone.0, turn));
        let (first, second) = (next().unwrap(), next().unwrap());
        assert_eq!((first.0, second.0), (1001, 1002));
        assert!(next().is_none());
        drop((turns, first, second));
        let lines = crowd.lines();
        assert!(lines.by_line.is_empty() && lines.waiting.is_empty());
    }
}
