//! Who may wake which zone (RFC 1996).

use std::net::IpAddr;

use dns::{Header, Name, Rcode, RecordRef, Serial};
use xfr::notify::{Checks, Decline, Judgement, NotifyRule, SignedBy, Standing, decline, judge, response};
use xfr::policy::NotifyTrust;
use zone::{TenantId, ZoneId};

use crate::script::{Envelope, ID, example, records, short_soa};

const NOTIFY: u16 = 4 << 11;

fn envelope() -> Envelope {
    Envelope { id: ID, flags: NOTIFY | Header::AA, question: Some(dns::Type::SOA) }
}

fn notify(text: &str) -> Vec<u8> {
    envelope().message(&records(text))
}

fn rule(zone: u64, addresses: &[&str], keys: &[&str]) -> NotifyRule {
    NotifyRule {
        zone: ZoneId(zone),
        tenant: TenantId(zone),
        senders: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        trust: NotifyTrust::Any,
        checks: Checks::Made,
    }
}

fn rules() -> Vec<NotifyRule> {
    vec![
        rule(1, &["192.0.2.1", "192.0.2.2"], &["one."]),
        rule(2, &["192.0.2.2"], &[]),
        rule(3, &["2001:db8::3"], &["three."]),
    ]
}

fn judged(message: &[u8], from: &str, key: Option<&str>) -> Judgement {
    let rules = rules();
    let example: Name = "EXAMPLE.".parse().unwrap();
    let key: Option<Name> = key.map(|key| key.parse().unwrap());
    // Of whichever tenant has a key of this name.
    let tenant =
        |key: &Name| rules.iter().find(|rule| rule.keys.contains(key)).map_or(TenantId(0), |rule| rule.tenant);
    let signed_by = key.as_ref().map(|key| SignedBy { tenant: tenant(key), key });
    let from: IpAddr = from.parse().unwrap();
    judge(message, from, signed_by, |name| if name == example.borrow() { &rules } else { &[] })
}

fn zones(from: &str, key: Option<&str>) -> Vec<u64> {
    match judged(&notify(""), from, key) {
        Judgement::Accept { zones, .. } => zones.iter().map(|zone| zone.0).collect(),
        Judgement::Decline(declined) => {
            assert_eq!(declined.why.rcode(), Rcode::REFUSED);
            vec![]
        }
        other => panic!("{other:?}"),
    }
}

/// Why it is declined, whom that concerns, and whether the sender is known to any of them.
fn declined(message: &[u8], from: &str, key: Option<&str>) -> (Decline, Vec<u64>, Standing) {
    match judged(message, from, key) {
        Judgement::Decline(declined) => {
            (declined.why, declined.zones.iter().map(|zone| zone.0).collect(), declined.standing)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_zone_of_the_name_that_fits_the_sender_is_woken_and_no_other() {
    assert_eq!(zones("192.0.2.1", None), [1]);
    assert_eq!(zones("192.0.2.2", None), [1, 2]);
    assert_eq!(zones("::ffff:192.0.2.2", None), [1, 2]);
    assert_eq!(zones("2001:db8::3", None), [3]);
    assert_eq!(zones("203.0.113.9", None), [] as [u64; 0]);
    assert_eq!(zones("203.0.113.9", Some("Three.")), [3]);
    assert_eq!(zones("192.0.2.2", Some("one.")), [1, 2]);
    assert_eq!(zones("203.0.113.9", Some("unknown.")), [] as [u64; 0]);
}

#[test]
fn the_serial_is_a_hint_where_there_is_one() {
    let serial = |text| match judged(&notify(text), "192.0.2.1", None) {
        Judgement::Accept { serial, .. } => serial,
        other => panic!("{other:?}"),
    };
    assert_eq!(serial(""), None);
    assert_eq!(serial("soa 7"), Some(Serial(7)));
    assert_eq!(serial("sub 60 SOA ns host 7 2 3 4 5"), None);
}

#[test]
fn what_cannot_wake_a_zone_gets_its_code() {
    // CVE-2026-42001 (unknown zone), CVE-2026-5946 (class), RFC 9859 (other types).
    let base = notify("");
    let changed = |at: usize, octet: u8| {
        let mut message = base.clone();
        message[at] = octet;
        message
    };
    let declines = |message: &[u8], why: Decline, rcode| {
        assert_eq!((declined(message, "192.0.2.1", None).0, why.rcode()), (why, rcode), "{message:?}");
    };
    declines(&changed(13, b'X'), Decline::UnknownZone, Rcode::NOTAUTH);
    declines(&changed(22, 59), Decline::Type, Rcode::NOTIMP);
    declines(&changed(24, 3), Decline::Class, Rcode::NOTIMP);
    declines(&changed(2, 0x2c), Decline::Opcode, Rcode::NOTIMP);
    declines(&changed(5, 0), Decline::QuestionCount, Rcode::FORMERR);
    declines(&changed(5, 2), Decline::QuestionCount, Rcode::FORMERR);
    declines(&changed(7, 1), Decline::Malformed, Rcode::FORMERR);
    declines(&base[..20], Decline::Malformed, Rcode::FORMERR);
    declines(&envelope().message(&short_soa()), Decline::Malformed, Rcode::FORMERR);
    assert_eq!(judged(&base[..11], "192.0.2.1", None), Judgement::Ignore);
    assert_eq!(judged(&changed(2, 0xa4), "192.0.2.1", None), Judgement::Ignore, "a response is never answered");
}

#[test]
fn a_decline_says_whom_it_concerns_and_whether_they_know_the_sender() {
    use Standing::{Known, Stranger};

    let ours = notify("");
    assert_eq!(declined(&ours, "203.0.113.9", None), (Decline::Stranger, vec![1, 2, 3], Stranger));
    assert_eq!(declined(&ours, "203.0.113.9", Some("other.")), (Decline::OtherKey, vec![1, 2, 3], Stranger));
    let mut nowhere = ours.clone();
    nowhere[13] = b'X';
    assert_eq!(declined(&nowhere, "192.0.2.1", None), (Decline::UnknownZone, vec![], Stranger));
    // What is wrong with the message itself is the zone's affair too.
    assert_eq!(declined(&ours[..ours.len() - 1], "192.0.2.1", None).0, Decline::Malformed);
    let mut with_tail = ours.clone();
    with_tail.push(0);
    assert_eq!(declined(&with_tail, "192.0.2.1", None), (Decline::Malformed, vec![1, 2, 3], Known));
    let rules = rules();
    let found = decline(&ours, "192.0.2.1".parse().unwrap(), Decline::BadKey, |_| &rules);
    assert_eq!((found.why, found.zones.len(), found.standing), (Decline::BadKey, 3, Known));
}

#[test]
fn an_unsigned_one_from_the_primary_itself_is_declined_where_signatures_are_wanted() {
    let rule = |checks| [NotifyRule { trust: NotifyTrust::Signed, checks, ..rule(1, &["192.0.2.1"], &["one."]) }];
    let key: Name = "one.".parse().unwrap();
    let signed = Some(SignedBy { tenant: TenantId(1), key: &key });
    let judged = |checks, key| {
        let rules = rule(checks);
        judge(&notify(""), "192.0.2.1".parse().unwrap(), key, |_| &rules)
    };
    let Judgement::Decline(declined) = judged(Checks::Made, None) else { panic!("unsigned") };
    assert_eq!((declined.why, declined.standing), (Decline::Unsigned, Standing::Known));
    assert_eq!(judged(Checks::Made, signed), Judgement::Accept { zones: vec![ZoneId(1)], serial: None });
    let Judgement::Decline(declined) = judged(Checks::Paused, signed) else { panic!("paused") };
    // It was heard: the primary need not send it again.
    assert_eq!((declined.why, declined.why.rcode()), (Decline::ZonePaused, Rcode::NOERROR));
}

#[test]
fn a_hint_that_is_no_soa_is_malformed_however_long() {
    // CVE-2026-5946, NSD 576ae5cd.
    let rdata = records("soa 7").iter().next().unwrap().rdata.to_vec();
    let owner = example();
    for octets in [0, 1, rdata.len() - 1, rdata.len() + 1, 60_000] {
        let mut rdata = rdata.clone();
        rdata.resize(octets, 0);
        let soa = RecordRef { owner: owner.borrow(), rtype: dns::Type::SOA, ttl: 60, rdata: &rdata };
        // As another type first: our own writer would not write such an SOA.
        let mut message = envelope().message([RecordRef { rtype: dns::Type(65_280), ..soa }]);
        message[27..29].copy_from_slice(&dns::Type::SOA.0.to_be_bytes());
        assert_eq!(declined(&message, "192.0.2.1", None).0, Decline::Malformed, "{octets} octets");
    }
}

#[test]
fn of_several_hints_the_first_counts() {
    let message = notify("soa 7\nsoa 8");
    assert!(matches!(judged(&message, "192.0.2.1", None), Judgement::Accept { serial: Some(Serial(7)), .. }));
}

#[test]
fn the_answer_copies_id_opcode_and_question() {
    // Technitium #1723.
    let message = notify("soa 7");
    let answer = response(&message, Rcode::NOTAUTH);
    let header = Header::parse(&answer).unwrap();
    assert_eq!((header.id, header.flags), (ID, Header::QR | Header::AA | NOTIFY | Rcode::NOTAUTH.0));
    assert_eq!(header.counts, [1, 0, 0, 0]);
    assert_eq!(answer[12..], message[12..25]);
    assert!(response(&message[..5], Rcode::FORMERR).is_empty());
    assert_eq!(response(&message[..14], Rcode::FORMERR).len(), 12);
}

#[test]
fn a_key_is_its_tenants_and_another_tenants_key_of_the_same_name_is_not() {
    let rules = [rule(1, &[], &["same."]), rule(2, &[], &["same."])];
    let key: Name = "same.".parse().unwrap();
    let judged =
        |tenant| judge(&notify(""), "192.0.2.9".parse().unwrap(), Some(SignedBy { tenant, key: &key }), |_| &rules);
    for tenant in [1, 2] {
        assert_eq!(judged(TenantId(tenant)), Judgement::Accept { zones: vec![ZoneId(tenant)], serial: None });
    }
    let Judgement::Decline(declined) = judged(TenantId(3)) else { panic!("nobody's key") };
    assert_eq!((declined.why, declined.standing), (Decline::OtherKey, Standing::Stranger));
}
