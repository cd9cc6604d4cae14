//! NOTIFYs on their way to the ledger: those that are alike are added up where they come in, and taken away now and
//! then, all at once.
//!
//! ```text
//! desk ──▶ what one thread has heard ──pour, once a batch──▶ a shelf of its own, alike ones added up ──take──▶ ledger
//! ```
//!
//! Invariants: a NOTIFY costs no more than one addition in a table of its thread's own, whose lock only [`Heard::take`]
//! ever holds besides; strangers have a table of their own, so that they do not crowd out who is known, and both are
//! bounded; what finds no room is counted and is nowhere else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use dns::{Name, Serial};
use tokio::sync::Notify;
use xfr::Prefix;
use xfr::notify::{Channel, Decline};
use zone::ZoneId;

/// Kinds of NOTIFYs from the known that one thread remembers until they are taken away: a primary that starts anew sends
/// one for each of its zones. Some 5 MiB, for a second.
const KNOWN_MAX: usize = 16_384;
/// Of strangers, who may be anybody.
const STRANGERS_MAX: usize = 256;

/// NOTIFYs that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardNotify {
    pub who: Who,
    /// At least one.
    pub count: u64,
    pub first: Instant,
    pub last: Instant,
    pub latest: Latest,
}

/// What NOTIFYs have in common that are added up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Somebody whom the zone's owner has named.
    Known {
        zone: ZoneId,
        from: IpAddr,
        channel: Channel,
        signed_by: Option<Name>,
        /// None when it was taken.
        declined: Option<Decline>,
    },
    /// Anybody else, by where they are; without a zone when the one that they named is not here.
    Stranger { zone: Option<ZoneId>, site: Prefix, why: Decline },
}

/// What may differ among them, of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    pub from: IpAddr,
    pub channel: Channel,
    /// What it said about the serial.
    pub serial: Option<Serial>,
    /// The zone that it named, if it was not taken and that could be read.
    pub zone: Option<Name>,
}

/// The shelves of all threads; cheap to clone.
#[derive(Clone, Debug)]
pub struct Heard {
    shelves: Arc<[Arc<Shelf>]>,
    came: Arc<Notify>,
}

/// What one thread has heard since it was last taken away.
#[derive(Debug)]
pub(crate) struct Shelf {
    tables: Mutex<Tables>,
    came: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Tables {
    known: HashMap<Who, Sum>,
    strangers: HashMap<Who, Sum>,
}

#[derive(Debug)]
struct Sum {
    count: u64,
    first: Instant,
    last: Instant,
    latest: Latest,
}

impl Heard {
    /// One with so many shelves.
    pub(crate) fn new(shelves: usize) -> Self {
        let came = Arc::new(Notify::new());
        let shelf = || Arc::new(Shelf { tables: Mutex::default(), came: came.clone() });
        Self { shelves: (0..shelves).map(|_| shelf()).collect(), came }
    }

    pub(crate) fn shelf(&self, index: usize) -> Arc<Shelf> {
        self.shelves[index].clone()
    }

    /// Waits until there is something to take, or may be.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// Everything that was heard since it was last taken; alike ones of several threads are several.
    pub fn take(&self) -> Vec<HeardNotify> {
        let mut taken = Vec::new();
        for shelf in self.shelves.iter() {
            let tables = std::mem::take(&mut *shelf.tables.lock().unwrap_or_else(PoisonError::into_inner));
            let sums = tables.known.into_iter().chain(tables.strangers);
            taken.extend(sums.map(|(who, Sum { count, first, last, latest })| HeardNotify {
                who,
                count,
                first,
                last,
                latest,
            }));
        }
        taken
    }
}

impl Shelf {
    /// Adds what a thread has heard, and gives the number of those that found no room. `heard` is empty then.
    pub(crate) fn pour(&self, heard: &mut Vec<(Who, Latest)>) -> u64 {
        if heard.is_empty() {
            return 0;
        }
        let now = Instant::now();
        let mut lost = 0;
        let was_empty = {
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            let was_empty = tables.known.is_empty() && tables.strangers.is_empty();
            for (who, latest) in heard.drain(..) {
                let (table, most) = match &who {
                    Who::Known { .. } => (&mut tables.known, KNOWN_MAX),
                    Who::Stranger { .. } => (&mut tables.strangers, STRANGERS_MAX),
                };
                if let Some(sum) = table.get_mut(&who) {
                    *sum = Sum { count: sum.count + 1, first: sum.first, last: now, latest };
                } else if table.len() < most {
                    table.insert(who, Sum { count: 1, first: now, last: now, latest });
                } else {
                    lost += 1;
                }
            }
            was_empty
        };
        if was_empty {
            self.came.notify_one();
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use xfr::Prefix;
    use xfr::notify::{Channel, Decline};
    use zone::ZoneId;

    use super::{Heard, KNOWN_MAX, Latest, STRANGERS_MAX, Sum, Who};

    fn latest(from: [u8; 4]) -> Latest {
        Latest { from: from.into(), channel: Channel::Udp, serial: None, zone: None }
    }

    fn stranger(from: [u8; 4]) -> (Who, Latest) {
        let who = Who::Stranger { zone: None, site: Prefix::of_site(from.into()), why: Decline::UnknownZone };
        (who, latest(from))
    }

    fn known(zone: u64) -> (Who, Latest) {
        let (zone, from, channel) = (ZoneId(zone), [192, 0, 2, 1].into(), Channel::Udp);
        (Who::Known { zone, from, channel, signed_by: None, declined: None }, latest([192, 0, 2, 1]))
    }

    #[test]
    fn a_flood_of_strangers_takes_bounded_memory_and_none_of_what_is_for_the_known() {
        let heard = Heard::new(2);
        let mut lost = 0;
        for number in 0..100_000_u32 {
            let [_, a, b, c] = number.to_be_bytes();
            lost += heard.shelf(0).pour(&mut vec![stranger([10 + a, b, c, 1]), stranger([192, 0, 2, 1])]);
        }
        assert_eq!(heard.shelf(1).pour(&mut vec![known(1)]), 0);
        assert_eq!(heard.shelf(0).pour(&mut vec![known(1)]), 0);
        let taken = heard.take();
        assert_eq!(taken.len(), STRANGERS_MAX + 2);
        assert_eq!(taken.iter().map(|heard| heard.count).sum::<u64>() + lost, 200_002);
        let most = taken.iter().find(|heard| heard.count == 100_000).expect("one prefix sent half of them");
        assert_eq!(most.latest.from, std::net::IpAddr::from([192, 0, 2, 1]));
        assert!(heard.take().is_empty());
    }

    #[test]
    fn a_primary_that_starts_anew_is_heard_for_each_of_its_ten_thousand_zones() {
        let heard = Heard::new(1);
        let lost: u64 = (0..10_000).map(|zone| heard.shelf(0).pour(&mut vec![known(zone), known(zone)])).sum();
        assert_eq!((lost, heard.take().len()), (0, 10_000));
        let octets = size_of::<(Who, Sum)>() * KNOWN_MAX.next_power_of_two() * 2;
        assert!(octets <= 6 << 20, "{octets}");
    }

    #[tokio::test]
    async fn whoever_takes_it_away_is_told_when_something_comes() {
        let heard = Heard::new(1);
        let waiting = heard.clone();
        let taken = tokio::spawn(async move {
            waiting.came().await;
            waiting.take().len()
        });
        heard.shelf(0).pour(&mut vec![stranger([192, 0, 2, 1])]);
        assert_eq!(taken.await.unwrap(), 1);
    }
}
