//! What Secondo answers, beside BIND, Knot, NSD and PowerDNS with the same zones.
//!
//! ```text
//!  zones ──► signing ──► servers ──► contents ──► queries ──► asking ──► answers
//!  (features, draft)                                                        │
//!                          report ◄── differences (known ones) ◄── comparison
//! ```
//!
//! Whatever differs is explained by a rule of [`differences`] with the RFC's section that makes us right, or fails with
//! the seed, the zone around the name, the question in `dig`'s words and the answers.
//!
//! ```text
//! cargo test --release -p secondo --test differential                                            the standard run
//! SECONDO_SEED=7 SECONDO_QUERIES=1000000 cargo test --release -p secondo --test differential     a long one
//! ```

#![expect(clippy::unwrap_used, reason = "tests may")]

mod answers;
mod asking;
mod comparison;
mod contents;
mod differences;
mod draft;
mod features;
mod queries;
mod report;
mod rounds;
mod servers;
mod signing;
mod zones;

use report::Report;

/// Of the standard run. Its seed is fixed: every rule must be needed in it.
const SEED: u64 = 1;
const QUERIES: usize = 22_000;

#[test]
fn every_answer_is_the_peers_or_differs_for_a_known_reason() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().expect("a number"));
    let (seed, queries) = (number("SECONDO_SEED"), number("SECONDO_QUERIES"));
    let is_standard = seed.is_none() && queries.is_none();
    let queries_wanted = queries.map_or(QUERIES, |queries| queries as usize);
    let mut report = Report::default();
    let mut seed = seed.unwrap_or(SEED);
    while report.queries < queries_wanted {
        rounds::run(seed, &mut report);
        seed = seed.wrapping_add(1);
    }
    tell(&report.table());
    assert!(!report.has_failures(), "\n{}", report.failures());
    let unused = report.unused_rules();
    assert!(!is_standard || unused.is_empty(), "these differences are none any more: {unused:?}");
}

#[expect(clippy::print_stdout, reason = "shown with --nocapture, and when the test fails")]
fn tell(text: &str) {
    println!("{text}");
}
