//! AXFR (RFC 5936).

use dns::{Header, Rcode, Type};
use xfr::session::Fetch;
use xfr::{Progress, SessionLimits};

use crate::script::{Envelope, ID, NOW, axfr, check_axfr, feed, messages, records, say, session};

const ZONE: &str = "soa 7\n@ 60 NS ns\nns 60 A 192.0.2.1\nsoa 7";

fn parts() -> Vec<Vec<u8>> {
    messages(Type::AXFR, "soa 7\n---\n@ 60 NS ns\n---\nns 60 A 192.0.2.1\n---\nsoa 7")
}

#[test]
fn a_zone_in_one_message_or_one_record_a_message_is_the_same() {
    // RFC 5936 §2.2; hickory #2619, #1277 took the lone SOA for the whole.
    check_axfr(ZONE, "full 3 records");
    let (mut one, mut many) = (axfr(), axfr());
    assert_eq!(feed(&mut one, &messages(Type::AXFR, ZONE)), feed(&mut many, &parts()));
    assert_eq!((many.messages(), many.records()), (4, 4));
}

#[test]
fn the_soa_is_kept_once_and_comes_first() {
    let Ok(Progress::Done(xfr::Outcome::Change(zone::Change::Full(zone)))) =
        feed(&mut axfr(), &messages(Type::AXFR, ZONE))
    else {
        panic!("no zone");
    };
    assert_eq!(zone, records("soa 7\n@ 60 NS ns\nns 60 A 192.0.2.1"));
}

#[test]
fn what_is_not_whole_is_no_zone() {
    // RFC 5936 §6; CVE-2022-27227.
    for cut in 0..parts().len() {
        let mut session = axfr();
        assert_eq!(feed(&mut session, &parts()[..cut]), Ok(Progress::More));
        assert_eq!(session.closed().code(), "connection_closed");
    }
}

#[test]
fn shapes_that_are_no_transfer_have_their_own_reasons() {
    check_axfr("@ 60 NS ns\nsoa 7", "no_soa");
    check_axfr("", "no_soa");
    check_axfr("sub 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns", "no_soa");
    // GL#2528, PDNS #16366.
    check_axfr("soa 7\n@ 60 NS ns\nsoa 8", "soa_mismatch");
    check_axfr("soa 7\n@ 60 NS ns\nsoa 8\nns 60 A 192.0.2.1\nsoa 8", "soa_in_the_middle");
    // CVE-2021-25214.
    check_axfr("soa 7\nsub 60 SOA ns host 7 2 3 4 5\nsoa 7", "foreign_soa");
    check_axfr("soa 7\n@ 60 NS ns\nsoa 7\n@ 60 NS ns2", "records_after_end");
    check_axfr("soa 7\n@ 60 NS ns\nsoa 7\nsoa 7", "records_after_end");
    check_axfr("soa 7\nx 60 TYPE250 \\# 0\nsoa 7", "meta_type");
    check_axfr("soa 7\nsoa 7", "full 1 records");
}

#[test]
fn octets_behind_the_records_are_refused() {
    let mut message = messages(Type::AXFR, ZONE).remove(0);
    message.push(0);
    assert_eq!(say(axfr().receive(&message, NOW)), "trailing_octets");
    assert_eq!(say(axfr().receive(&[], NOW)), "empty_message");
}

#[test]
fn every_message_is_checked_for_its_envelope() {
    // GL#1674, PDNS #11953, GL#5767: also the messages after the first.
    let good = Envelope::answering(Type::AXFR);
    let cases = [
        (Envelope { id: ID + 1, ..good }, "wrong_id"),
        (Envelope { flags: Header::AA, ..good }, "not_a_response"),
        (Envelope { flags: good.flags | 5 << 11, ..good }, "not_a_response"),
        (Envelope { flags: good.flags | Header::TC, ..good }, "truncated_over_tcp"),
        (Envelope { flags: good.flags | Rcode::REFUSED.0, ..good }, "refused"),
        (Envelope { flags: good.flags | Rcode::NOTAUTH.0, ..good }, "notauth"),
        (Envelope { flags: good.flags | Rcode::SERVFAIL.0, ..good }, "servfail"),
        (Envelope { flags: good.flags | Rcode::FORMERR.0, ..good }, "formerr"),
        (Envelope { flags: good.flags | Rcode::NOTIMP.0, ..good }, "notimp"),
        (Envelope { flags: good.flags | Rcode::NXDOMAIN.0, ..good }, "other_rcode"),
        (Envelope { question: Some(Type::SOA), ..good }, "wrong_question"),
    ];
    for (envelope, expect) in cases {
        let first = [envelope.message(&records(ZONE))];
        assert_eq!(say(feed(&mut axfr(), &first)), expect, "as the first message");
        let later = [parts()[0].clone(), envelope.message(&records("@ 60 NS ns\nsoa 7"))];
        let mut session = axfr();
        assert_eq!(say(feed(&mut session, &later)), expect, "as a later message");
        assert_eq!(say(session.receive(&parts()[3], NOW)), expect, "what failed stays failed");
    }
}

#[test]
fn questions_may_be_repeated_left_out_and_spelt_otherwise() {
    // dnspython #1151; RFC 5936 §2.2.2.
    let good = Envelope::answering(Type::AXFR);
    for question in [None, Some(Type::AXFR)] {
        let message = Envelope { question, ..good }.message(&records(ZONE));
        assert_eq!(say(axfr().receive(&message, NOW)), "full 3 records");
    }
    let mut shouting = good.message(&records(ZONE));
    shouting[13..20].make_ascii_uppercase();
    assert_eq!(say(axfr().receive(&shouting, NOW)), "full 3 records");
    shouting[13] = b'Y';
    assert_eq!(say(axfr().receive(&shouting, NOW)), "wrong_question");
}

#[test]
fn a_record_of_another_class_is_refused() {
    let mut message = messages(Type::AXFR, ZONE).remove(0);
    // The first record's class: behind the header, the question, a compressed owner and the type.
    let class_at = 12 + 9 + 4 + 2 + 2;
    assert_eq!(message[class_at..class_at + 2], [0, 1]);
    message[class_at + 1] = 3;
    assert_eq!(say(axfr().receive(&message, NOW)), "class_not_in");
}

#[test]
fn data_of_unknown_types_is_kept_to_the_octet() {
    // RFC 3597 §4, §7: what looks like a compression pointer is none, and what looks like a letter has no case.
    let text = "soa 7\n@ 60 NS ns\nx 60 TYPE65280 \\# 6 C00C01416100";
    let Ok(Progress::Done(xfr::Outcome::Change(zone::Change::Full(zone)))) =
        feed(&mut axfr(), &messages(Type::AXFR, &format!("{text}\nsoa 7")))
    else {
        panic!("no zone");
    };
    assert_eq!(zone, records(text));
}

#[test]
fn an_answer_without_aa_is_still_a_transfer() {
    // RFC 5936 §2.2.1 wants AA set; some servers do not, and the zone is no worse for it.
    let plain = Envelope { flags: Header::QR, ..Envelope::answering(Type::AXFR) };
    assert_eq!(say(axfr().receive(&plain.message(&records(ZONE)), NOW)), "full 3 records");
}

#[test]
fn limits_hold() {
    let limited = |limits| say(feed(&mut session(Fetch::Axfr, limits), &parts()));
    let limits = SessionLimits::default();
    assert_eq!(limited(SessionLimits { records: 3, ..limits }), "too_many_records");
    assert_eq!(limited(SessionLimits { octets: 100, ..limits }), "too_many_octets");
    let octets = parts().iter().map(|message| message.len() as u64).sum();
    assert_eq!(limited(SessionLimits { octets, ..limits }), "full 3 records");
}

#[test]
fn memory_is_bounded_where_compression_hides_it() {
    let name = ["x".repeat(63), "y".repeat(63), "z".repeat(63)].join(".");
    let text: String = (0..100).map(|host| format!("{name} 60 NS h{host}.{name}\n")).collect();
    let message = Envelope::answering(Type::AXFR).message(&records(&format!("soa 7\n{text}soa 7")));
    let limits = SessionLimits { octets: 30_000, ..SessionLimits::default() };
    assert!(message.len() < 10_000);
    assert_eq!(say(session(Fetch::Axfr, limits).receive(&message, NOW)), "too_many_octets");
}
