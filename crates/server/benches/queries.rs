//! What counting costs the answer path: `cargo bench -p server --bench queries`.
//!
//! What a UDP thread does with a batch of 32 queries, but for the system calls: looking ahead, answering, and counting by
//! zone, type and result with one name in 1,024 sampled. Rounds with counting and without it take turns, so that whatever
//! else the machine does hits both; each pair gives a ratio, of which the median is shown. The calls, which are not in it,
//! take several times as long as an answer: of a whole query, counting is a smaller part still.
//!
//! *One zone*: sixteen names in turn, all in caches, where an addition is as large a part of an answer as it can be. *Many
//! zones*: 100,000 zones at random, so that each query's record is in no cache. Each zone has been asked for before: a record
//! is made once a minute at the most, which is no part of a round.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use answer::{AHEAD_MAX, Asker, Contents, Persona, Scratch, ServedZone, Transport, ZoneTable, answer, look_ahead};
use dns::{Name, Records};
use server::benching::Counting;
use zone::{Change, Generation, Limits, Snapshot, TenantId, ZoneId, advance};

const ZONES: u32 = 100_000;
const QUERIES: usize = 200_000;
const ROUNDS: usize = 41;

fn main() {
    println!("{:<12} {:>16} {:>16} {:>8}", "", "without (ns)", "counting (ns)", "ratio");
    for (what, zones, names) in [("one zone", 1, 16), ("many zones", ZONES, 1)] {
        let mut bench = Bench::new(zones, names);
        let mut rounds = Vec::new();
        // With all records made, and a table of the right size, as after the first minute.
        bench.counted();
        bench.counting.take();
        // The first pair warms up.
        for round in 0..=ROUNDS {
            // Who goes first has no advantage over all.
            let pair = if round % 2 == 0 {
                let without = bench.round(None);
                (without, bench.counted())
            } else {
                let counting = bench.counted();
                (bench.round(None), counting)
            };
            rounds.extend((round > 0).then_some(pair));
        }
        let median = |mut figures: Vec<f64>| {
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        let without = median(rounds.iter().map(|round| round.0).collect());
        let counting = median(rounds.iter().map(|round| round.1).collect());
        let ratio = median(rounds.iter().map(|round| round.1 / round.0).collect());
        let counted: u64 = bench.counting.take().zones.values().map(server::QueryCounts::total).sum();
        assert_eq!(counted, (QUERIES * (1 + ROUNDS)) as u64, "each query is counted once");
        println!("{what:<12} {without:>16.1} {counting:>16.1} {ratio:>8.3}");
    }
}

struct Bench {
    zones: ZoneTable,
    queries: Vec<Vec<u8>>,
    scratch: Scratch,
    out: Vec<u8>,
    counting: Counting,
}

impl Bench {
    fn new(zones: u32, names: u32) -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let queries = (0..QUERIES).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (zone, name) = (state as u32 % zones, (state >> 32) as u32 % names);
            query(&format!("n{name}.z{zone}.test."))
        });
        Self {
            queries: queries.collect(),
            zones: ZoneTable::new((0..zones).map(|number| zone(number, names))),
            scratch: Scratch::new(),
            out: vec![0; 1232],
            counting: Counting::default(),
        }
    }

    fn counted(&mut self) -> f64 {
        let mut counting = std::mem::take(&mut self.counting);
        let nanos = self.round(Some(&mut counting));
        self.counting = counting;
        nanos
    }

    /// Nanoseconds for one query.
    fn round(&mut self, mut counting: Option<&mut Counting>) -> f64 {
        let asker = Asker::plain(Transport::Udp, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let persona = Persona::default();
        let start = Instant::now();
        for batch in self.queries.chunks(AHEAD_MAX) {
            look_ahead(batch.iter().map(Vec::as_slice), &self.zones);
            for query in batch {
                let (scratch, out) = (&mut self.scratch, &mut self.out);
                let outcome = answer(query, &self.zones, &asker, &persona, || 0, scratch, out);
                if let Some(counting) = &mut counting {
                    counting.note(&outcome, query);
                }
                black_box((&outcome, &self.out));
            }
            if let Some(counting) = &mut counting {
                counting.pour();
            }
        }
        start.elapsed().as_nanos() as f64 / self.queries.len() as f64
    }
}

fn zone(number: u32, names: u32) -> Arc<ServedZone> {
    let apex: Name = format!("z{number}.test.").parse().unwrap();
    let mut text = "@ 3600 SOA ns host 1 7200 3600 1209600 300\n@ 3600 NS ns\nns 3600 A 192.0.2.1\n".to_owned();
    (0..names).for_each(|name| text.push_str(&format!("n{name} 3600 A 192.0.2.2\n")));
    let mut records = Records::new();
    dns::text::zone_from_text(&format!("z{number}.test."), &text)
        .unwrap()
        .iter()
        .for_each(|record| records.push(record));
    let built = advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap();
    let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image: built.image }));
    Arc::new(ServedZone::new(ZoneId(u64::from(number) + 1), TenantId::DEFAULT, apex, contents))
}

fn query(name: &str) -> Vec<u8> {
    let mut query = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0".to_vec();
    query.extend(name.parse::<Name>().unwrap().as_wire());
    query.extend([0, 1, 0, 1]);
    query
}
