//! IXFR (RFC 1995), from serial 1 where nothing else is said.

use dns::Type;
use xfr::SessionLimits;
use xfr::session::Fetch;

use crate::script::{check_ixfr, feed, ixfr, messages, records, say, session};

const ONE_STEP: &str = "soa 2\nsoa 1\na 60 A 192.0.2.1\nsoa 2\na 60 A 192.0.2.2\nb 60 A 192.0.2.3\nsoa 2";
const TWO_STEPS: &str =
    "soa 3\nsoa 1\na 60 A 192.0.2.1\nsoa 2\na 60 A 192.0.2.2\nsoa 2\nsoa 3\nb 60 A 192.0.2.3\nsoa 3";

#[test]
fn the_request_shows_our_soa() {
    // RFC 1995 §3.
    let soa_rdata = records("soa 1").iter().next().unwrap().rdata.to_vec();
    let zone: dns::Name = "example.".parse().unwrap();
    let request = xfr::Session::new(zone, Fetch::Ixfr { soa_rdata }, 7, None, SessionLimits::default()).request(0);
    let mut reader = dns::MessageReader::new(&request).unwrap();
    assert_eq!(reader.header().counts, [1, 0, 1, 0]);
    assert_eq!(reader.question().unwrap().unwrap().qtype, Type::IXFR);
    let record = reader.record().unwrap().unwrap();
    assert_eq!((record.section, record.rtype), (dns::Section::Authority, Type::SOA));
    assert_eq!(dns::Soa::parse(reader.raw_rdata(&record)).unwrap().serial.0, 1);
    assert_eq!(reader.finish(), Ok(()));
}

#[test]
fn one_condensed_step_and_many_steps_are_both_legal() {
    // NSD 4.8.0.
    check_ixfr(ONE_STEP, "1→2 -2 +3");
    check_ixfr(TWO_STEPS, "1→2 -2 +2, 2→3 -1 +2");
    // Serials go round: RFC 1982.
    let text = "soa 5\nsoa 4294967290\nsoa 5\nb 60 A 192.0.2.3\nsoa 5";
    assert_eq!(say(feed(&mut ixfr(u32::MAX - 5), &messages(Type::IXFR, text))), "4294967290→5 -1 +2");
}

#[test]
fn steps_one_record_a_message_are_the_same() {
    let lines: Vec<&str> = TWO_STEPS.lines().collect();
    check_ixfr(&lines.join("\n---\n"), "1→2 -2 +2, 2→3 -1 +2");
}

#[test]
fn a_lone_soa_says_how_far_the_primary_is() {
    // RFC 1995 §2: the same serial, nothing new; newer, the rest is still to come; older, the primary went back.
    check_ixfr("soa 1", "unchanged 1");
    check_ixfr("soa 2", "more");
    check_ixfr("soa 0", "serial_went_back");
    check_ixfr(&format!("soa {}", 1_u32 << 31 | 1), "serial_incomparable");
    check_ixfr("soa 1\nsoa 1", "unchanged 1");
    check_ixfr("soa 1\nsoa 1\nsoa 1", "records_after_end");
}

#[test]
fn an_answer_without_any_record_says_nothing() {
    // PDNS #7494: no SOA, so neither "nothing new" nor an empty zone.
    check_ixfr("", "no_soa");
    check_ixfr("soa 2\n---\n", "more");
}

#[test]
fn an_answer_whose_second_record_is_no_soa_is_the_whole_zone() {
    // RFC 1995 §4; PDNS #12984, RT#35137, cascade #594.
    check_ixfr("soa 2\n@ 60 NS ns\nsoa 2", "full 2 records");
    check_ixfr("soa 2\n---\n@ 60 NS ns\n---\nsoa 2", "full 2 records");
    check_ixfr("soa 2\nsoa 2", "full 1 records");
    check_ixfr("soa 1\n@ 60 NS ns\nsoa 1", "full 2 records");
    check_ixfr("soa 2\n@ 60 NS ns\nsoa 3", "soa_mismatch");
    check_ixfr("soa 2\n@ 60 NS ns", "more");
}

#[test]
fn steps_start_at_our_serial_follow_each_other_and_end_where_announced() {
    // NSD 827e617c, Knot 3.2.7.
    check_ixfr("soa 9\nsoa 5\nsoa 9\nsoa 9", "ixfr_not_from_ours");
    check_ixfr("soa 9\nsoa 1\nsoa 2\nsoa 5\nsoa 9\nsoa 9", "ixfr_gap");
    check_ixfr("soa 9\nsoa 1\nsoa 2\nsoa 9", "ixfr_gap");
    check_ixfr("soa 9\nsoa 1\nsoa 9\nsoa 8", "ixfr_gap");
    check_ixfr("soa 9\nsoa 1\nsoa 1\nsoa 9", "ixfr_cycle");
    check_ixfr("soa 9\nsoa 1\nsoa 5\nsoa 5\nsoa 3\nsoa 3\nsoa 5", "ixfr_cycle");
    check_ixfr("soa 9\nsoa 1\nsoa 10\nsoa 10", "ixfr_cycle");
    check_ixfr("soa 0\nsoa 1\nsoa 0\nsoa 0", "serial_went_back");
    check_ixfr("soa 9\nsoa 1\n@ 60 SOA other host 9 20 30 40 50\nsoa 9", "soa_mismatch");
    check_ixfr("soa 9\nsoa 1\nsoa 9\n@ 60 SOA other host 9 20 30 40 50", "soa_mismatch");
    check_ixfr("soa 9\nsoa 1\nsub 60 SOA ns host 9 20 30 40 50", "foreign_soa");
    check_ixfr(&format!("{ONE_STEP}\na 60 A 192.0.2.7"), "records_after_end");
    check_ixfr(&format!("{ONE_STEP}\nsoa 2"), "records_after_end");
}

#[test]
fn what_is_not_whole_is_no_step() {
    let lines: Vec<&str> = TWO_STEPS.lines().collect();
    for cut in 1..lines.len() {
        check_ixfr(&lines[..cut].join("\n"), "more");
    }
}

#[test]
fn steps_are_bounded() {
    // GL#4389.
    let soa_rdata = records("soa 1").iter().next().unwrap().rdata.to_vec();
    let limits = SessionLimits { steps: 1, ..SessionLimits::default() };
    let mut session = session(Fetch::Ixfr { soa_rdata }, limits);
    assert_eq!(say(feed(&mut session, &messages(Type::IXFR, TWO_STEPS))), "ixfr_too_many_steps");
}
