//! What is asked of each zone: counted where it is answered, taken away outside of that.
//!
//! ```text
//! front ──▶ notes of one thread ──pour, once a batch──▶ a sheet: one record for each zone ──take──▶ who writes it down
//!                 ├─ the first queries: their names ───▶ samples, each of which counts once ──┤
//!                 └─ one query in 1,024 of the others ─▶ samples, a bounded number ───────────┘
//! ```
//!
//! Each UDP thread has a sheet of its own; all connections share one. [`Queries::take`] puts an empty table in the place of
//! each and adds up the old ones, as soon as no thread has hold of them.
//!
//! Invariants: whoever answers waits for nobody and, for a zone that its sheet has a record for, allocates nothing; each query
//! is taken once; records and samples are bounded, and what finds no room is counted; names, which are strangers' octets,
//! are never logged.
//!
//! Does not do: keeping anything beyond the next taking, nor knowing what time it is.

mod notes;
mod samples;
mod sheet;

use std::collections::HashMap;
use std::sync::Arc;

use dns::{Name, Type};
use zone::ZoneId;

pub(crate) use notes::Notes;
pub(crate) use sheet::{Sheet, Writers};

/// What is asked for, as far as it is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedFor {
    A,
    Aaaa,
    Ns,
    Mx,
    Txt,
    Soa,
    Https,
    Other,
}

impl AskedFor {
    pub const ALL: [Self; 8] =
        [Self::A, Self::Aaaa, Self::Ns, Self::Mx, Self::Txt, Self::Soa, Self::Https, Self::Other];

    /// RFC 9460 §14.1.
    const HTTPS: Type = Type(65);

    fn of(qtype: Option<Type>) -> Self {
        match qtype {
            Some(Type::A) => Self::A,
            Some(Type::AAAA) => Self::Aaaa,
            Some(Type::NS) => Self::Ns,
            Some(Type::MX) => Self::Mx,
            Some(Type::TXT) => Self::Txt,
            Some(Type::SOA) => Self::Soa,
            Some(Self::HTTPS) => Self::Https,
            _ => Self::Other,
        }
    }
}

/// What came of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameOf {
    /// Records of the type that was asked for, or an alias.
    Answer,
    /// The name is there, and has nothing of the type (RFC 2308 §2.2).
    NoData,
    /// The name is not there.
    NameError,
    Referral,
    /// SERVFAIL and the like.
    Failure,
}

impl CameOf {
    pub const ALL: [Self; 5] = [Self::Answer, Self::NoData, Self::NameError, Self::Referral, Self::Failure];

    fn of(kind: answer::Kind) -> Self {
        match kind {
            answer::Kind::Answer => Self::Answer,
            answer::Kind::NoData => Self::NoData,
            answer::Kind::NameError => Self::NameError,
            answer::Kind::Referral => Self::Referral,
            answer::Kind::Failure | answer::Kind::Ignored => Self::Failure,
        }
    }
}

/// How often a zone was asked: each query once by what it asked for, and once by what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryCounts {
    by_type: [u64; AskedFor::ALL.len()],
    by_result: [u64; CameOf::ALL.len()],
}

impl QueryCounts {
    pub fn for_type(&self, asked_for: AskedFor) -> u64 {
        self.by_type[asked_for as usize]
    }

    pub fn with_result(&self, came_of: CameOf) -> u64 {
        self.by_result[came_of as usize]
    }

    pub fn total(&self) -> u64 {
        self.by_result.iter().sum()
    }
}

/// What was asked since it was last taken.
#[derive(Clone, Debug, Default)]
pub struct TakenQueries {
    pub zones: HashMap<ZoneId, QueryCounts>,
    /// About how often which name was asked for, in lower case: of a busy server those that are seldom asked for are missing.
    pub names: HashMap<(ZoneId, Name), u64>,
    /// Queries for zones for which there was no room.
    pub unplaced: u64,
}

/// The sheets of all threads; cheap to clone.
#[derive(Clone, Debug)]
pub struct Queries(Arc<[Arc<Sheet>]>);

impl Queries {
    pub(crate) fn new(sheets: &[Arc<Sheet>]) -> Self {
        Self(sheets.into())
    }

    /// What was asked since it was last taken; what a thread is just writing down comes the next time.
    pub fn take(&self) -> TakenQueries {
        let mut taken = TakenQueries::default();
        self.0.iter().for_each(|sheet| sheet.take_into(&mut taken));
        taken
    }
}

/// For the benchmark, which has what is counted apart from sockets.
#[doc(hidden)]
pub mod benching {
    use std::sync::Arc;

    use answer::Outcome;

    use super::{Notes, Queries, Sheet, TakenQueries, Writers};

    /// What a UDP thread counts with.
    pub struct Counting {
        notes: Notes,
        sheet: Arc<Sheet>,
    }

    impl Default for Counting {
        fn default() -> Self {
            Self { notes: Notes::default(), sheet: Arc::new(Sheet::of(Writers::One)) }
        }
    }

    impl Counting {
        pub fn note(&mut self, outcome: &Outcome, query: &[u8]) {
            self.notes.note(outcome, query);
        }

        /// At the end of a batch.
        pub fn pour(&mut self) {
            self.notes.pour(&self.sheet);
        }

        pub fn take(&self) -> TakenQueries {
            Queries::new(std::slice::from_ref(&self.sheet)).take()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Barrier};

    use zone::ZoneId;

    use super::samples::Sample;
    use super::sheet::{FIRST_MAX, SAMPLES_MAX};
    use super::{AskedFor, CameOf, Queries, Sheet, Writers};

    #[test]
    fn what_is_counted_and_taken_at_the_same_time_is_there_once() {
        let sheets = [Arc::new(Sheet::of(Writers::Many)), Arc::new(Sheet::of(Writers::One))];
        let queries = Queries::new(&sheets);
        let is_over = AtomicBool::new(false);
        const TIMES: u64 = 1_000_000;
        // One that all ask for at all times, beside many.
        const HOT: ZoneId = ZoneId(1 << 40);
        let begin = Barrier::new(3);
        let (mut one, mut all) = (0, 0);
        std::thread::scope(|scope| {
            let counting: Vec<_> = [&sheets[0], &sheets[0], &sheets[1]]
                .into_iter()
                .map(|sheet| {
                    scope.spawn(|| {
                        begin.wait();
                        for number in 0..TIMES {
                            let asked = |zone| (zone, AskedFor::A, CameOf::Answer);
                            sheet.count(&[asked(ZoneId(number % 3_000)), asked(HOT)]);
                        }
                    })
                })
                .collect();
            let taking = scope.spawn(|| {
                let mut sums = (0, 0);
                while !is_over.load(Ordering::Relaxed) {
                    let taken = queries.take();
                    assert_eq!(taken.unplaced, 0);
                    sums.0 += taken.zones.get(&HOT).map_or(0, |counts| counts.for_type(AskedFor::A));
                    sums.1 += taken.zones.values().map(super::QueryCounts::total).sum::<u64>();
                }
                sums
            });
            counting.into_iter().for_each(|thread| thread.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
            (one, all) = taking.join().unwrap();
        });
        let rest = queries.take();
        one += rest.zones.get(&HOT).map_or(0, |counts| counts.for_type(AskedFor::A));
        all += rest.zones.values().map(super::QueryCounts::total).sum::<u64>();
        assert_eq!((one, all), (3 * TIMES, 6 * TIMES));
        assert!(queries.take().zones.is_empty());
    }

    #[test]
    fn a_hundred_thousand_zones_have_a_record_each_whatever_their_ids_are() {
        let sheet = Arc::new(Sheet::of(Writers::One));
        let ids: Vec<u64> = (0..50_000).chain((0..50_000_u64).map(|number| number << 40 | 1)).collect();
        for _ in 0..2 {
            for id in &ids {
                sheet.count(&[(ZoneId(*id), AskedFor::Mx, CameOf::NoData)]);
            }
            let taken = Queries::new(std::slice::from_ref(&sheet)).take();
            assert_eq!((taken.zones.len(), taken.unplaced), (ids.len() - 1, 0), "0 is in both");
            assert!(taken.zones.iter().all(|(zone, counts)| counts.total() == 1 + u64::from(zone.0 == 1)));
        }
    }

    #[test]
    fn a_flood_of_names_takes_bounded_room_and_hides_no_name_that_is_asked_for_often() {
        let sheet = Arc::new(Sheet::of(Writers::One));
        let mut random = 4711;
        for number in 0..20 * SAMPLES_MAX as u64 {
            let name = if number % 4 == 0 { "WWW.example.".to_owned() } else { format!("x{number}.example.") };
            let sample = Sample::new(ZoneId(1), name.parse::<dns::Name>().unwrap().borrow());
            sheet.sample(sample, super::notes::next(&mut random));
        }
        let taken = Queries::new(std::slice::from_ref(&sheet)).take();
        assert!(taken.names.len() <= SAMPLES_MAX);
        let (often, all) =
            (taken.names[&(ZoneId(1), "www.example.".parse().unwrap())], taken.names.values().sum::<u64>());
        let asked = 20 * SAMPLES_MAX as u64 * super::notes::SAMPLED_EVERY;
        assert!(all.abs_diff(asked) < asked / 100, "{all}");
        assert!(often.abs_diff(asked / 4) < asked / 40, "{often}");
        let names = |name: &dns::Name| name.to_string();
        assert_eq!(taken.names.keys().filter(|(_, name)| names(name).to_lowercase() == "www.example.").count(), 1);
    }

    #[test]
    fn the_first_names_are_all_known_and_the_others_are_counted_on_average() {
        let sheet = Arc::new(Sheet::of(Writers::One));
        let name = |number: usize| format!("x{number}.example.").parse::<dns::Name>().unwrap();
        for _ in 0..2 {
            assert!(sheet.wants_each());
            for number in 0..2 * FIRST_MAX {
                sheet.keep_first(Sample::new(ZoneId(1), name(number % (FIRST_MAX / 2)).borrow()));
            }
            assert!(!sheet.wants_each());
            sheet.sample(Sample::new(ZoneId(1), name(0).borrow()), 4711);
            let taken = Queries::new(std::slice::from_ref(&sheet)).take();
            let times: Vec<u64> = (0..FIRST_MAX / 2).map(|number| taken.names[&(ZoneId(1), name(number))]).collect();
            assert_eq!((times[0], &times[1..]), (2 + super::notes::SAMPLED_EVERY, &[2; FIRST_MAX / 2 - 1][..]));
        }
    }
}
