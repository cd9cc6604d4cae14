//! Which transfers out are told in the log at the level `info`: that a secondary has got a version is what an operator
//! wants to read, that it asks for it again and again is not. So of those of one zone to one client that ended alike
//! there is one line in a minute, with how many there were beside it since the last; the others are told at `debug`. All
//! are counted, and what brings no contents (a poll, a refusal) is no transfer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use zone::ZoneId;

use crate::connections::Client;

/// How long those of the same kind are not told.
const SILENCE: Duration = Duration::from_secs(60);
/// Kinds that are remembered, and so the lines that there are in a minute at the most.
const KINDS_MAX: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Sent,
    CutOff,
}

#[derive(Default)]
pub(crate) struct Told(Mutex<HashMap<(Client, ZoneId, Outcome), Lately>>);

struct Lately {
    told_at: Instant,
    untold: u64,
}

impl Told {
    /// How many of the same kind were not told since the last, if this one is to be told.
    pub(crate) fn tell(&self, client: Client, zone: ZoneId, outcome: Outcome, now: Instant) -> Option<u64> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |lately: &Lately| now.saturating_duration_since(lately.told_at) < SILENCE;
        let kind = (client, zone, outcome);
        if let Some(lately) = lately.get_mut(&kind) {
            if is_recent(lately) {
                lately.untold += 1;
                return None;
            }
            let untold = lately.untold;
            *lately = Lately { told_at: now, untold: 0 };
            return Some(untold);
        }
        if lately.len() >= KINDS_MAX {
            lately.retain(|_, lately| is_recent(lately));
        }
        if lately.len() >= KINDS_MAX {
            return None;
        }
        lately.insert(kind, Lately { told_at: now, untold: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::{Duration, Instant};

    use zone::ZoneId;

    use super::{KINDS_MAX, Outcome, SILENCE, Told};
    use crate::connections::Client;

    fn client(number: u32) -> Client {
        IpAddr::from(number.to_be_bytes()).into()
    }

    #[test]
    fn of_the_same_transfers_one_is_told_in_a_minute_with_how_many_were_not() {
        let (told, start) = (Told::default(), Instant::now());
        let tell = |number, zone, outcome, secs| {
            told.tell(client(number), ZoneId(zone), outcome, start + Duration::from_secs(secs))
        };
        assert_eq!(tell(1, 1, Outcome::Sent, 0), Some(0));
        assert_eq!((tell(1, 1, Outcome::Sent, 1), tell(1, 1, Outcome::Sent, 59)), (None, None));
        assert_eq!(tell(1, 1, Outcome::CutOff, 1), Some(0), "another end");
        assert_eq!(tell(1, 2, Outcome::Sent, 1), Some(0), "another zone");
        assert_eq!(tell(2, 1, Outcome::Sent, 1), Some(0), "another client");
        assert_eq!(tell(1, 1, Outcome::Sent, 60), Some(2));
        assert_eq!((tell(1, 1, Outcome::Sent, 61), tell(1, 1, Outcome::Sent, 121)), (None, Some(1)));
    }

    #[test]
    fn whatever_there_is_to_tell_there_are_so_many_lines_in_a_minute_and_no_more() {
        let (told, start) = (Told::default(), Instant::now());
        let lines = |from: u32, at| {
            let tell = |number| told.tell(client(number), ZoneId(1), Outcome::Sent, at);
            (from..from + 2 * KINDS_MAX as u32).filter_map(tell).count()
        };
        assert_eq!(lines(0, start), KINDS_MAX);
        assert_eq!(lines(100_000, start + SILENCE / 2), 0);
        assert_eq!(lines(200_000, start + SILENCE), KINDS_MAX);
    }
}
