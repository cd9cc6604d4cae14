//! NOTIFYs out: when they are sent, and what ends them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dns::text::rdata_from_text;
use dns::{Header, Name, Rcode, RecordRef, Serial, Type};
use xfr::announce::{Announcements, Due, News, Recipient, Taken};
use xfr::notify::{self, Checks, Judgement, NotifyRule};
use xfr::policy::NotifyTrust;
use xfr::tsig::{Verified, verify_request};
use xfr::{Algorithm, Key, Moment, Prefix};
use zone::{TenantId, ZoneId};

const NOW_SECS: u64 = 1_800_000_000;

fn news(zone: u64, serial: u32) -> Arc<News> {
    let name: Name = format!("z{zone}.example").parse().unwrap();
    let rdata = rdata_from_text(Type::SOA, &format!("ns. host. {serial} 1 2 3 4")).unwrap();
    let soa = RecordRef { owner: name.borrow(), rtype: Type::SOA, ttl: 60, rdata: &rdata };
    Arc::new(News::of(ZoneId(zone), name.clone(), soa))
}

fn at(port: u16) -> SocketAddr {
    ([192, 0, 2, 1], port).into()
}

fn to(port: u16) -> Recipient {
    Recipient { address: at(port), source: None, key: None }
}

fn key() -> Arc<Key> {
    Arc::new(Key::new("key.".parse().unwrap(), Algorithm::HmacSha256, vec![7; 32]).unwrap())
}

/// What is to be sent by now, and where.
fn sent(announcements: &mut Announcements, now: Moment) -> Option<(SocketAddr, Vec<u8>)> {
    match announcements.take_due(now, NOW_SECS, 0)? {
        Due::Send { to, message, .. } => Some((to, message)),
        Due::Unanswered { .. } => None,
    }
}

fn serial_of(message: &[u8]) -> Option<Serial> {
    let zone = ZoneId(1);
    let sender = Prefix::of_one([127, 0, 0, 1].into());
    let (tenant, senders, trust) = (TenantId::DEFAULT, [sender].into(), NotifyTrust::Any);
    let rule = NotifyRule { zone, tenant, senders, keys: [].into(), trust, checks: Checks::Made };
    match notify::judge(message, [127, 0, 0, 1].into(), None, |_| std::slice::from_ref(&rule)) {
        Judgement::Accept { serial, .. } => serial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_notify_is_sent_five_times_with_growing_waits_and_then_given_up() {
    let mut announcements = Announcements::default();
    announcements.announce(news(1, 7), to(53), Moment(0), || 4711);
    let mut times = Vec::new();
    loop {
        let due = announcements.next_due().unwrap();
        match announcements.take_due(due, NOW_SECS, 0).unwrap() {
            Due::Send { to, message, .. } => {
                assert_eq!((to, serial_of(&message)), (at(53), Some(Serial(7))));
                assert!(Header::parse(&message).unwrap().has(Header::AA));
                times.push(due.0);
            }
            Due::Unanswered { news, to } => {
                assert_eq!((news.serial(), to, due.0), (Some(Serial(7)), at(53), 31_000));
                break;
            }
        }
        assert!(announcements.take_due(due, NOW_SECS, 0).is_none(), "not before its time");
    }
    assert_eq!(times, [0, 1_000, 3_000, 7_000, 15_000]);
    assert!(announcements.is_empty() && announcements.next_due().is_none());
    announcements.announce(news(1, 8), to(53), Moment(0), || 4711);
    announcements.take_due(Moment(0), NOW_SECS, 1023);
    let jittered = announcements.next_due().unwrap();
    assert!(Moment(1_200) < jittered && jittered < Moment(1_250), "{jittered:?}");
}

#[test]
fn the_reply_to_it_ends_it_and_nothing_else_does() {
    let mut announcements = Announcements::default();
    announcements.announce(news(1, 7), to(53), Moment(0), || 4711);
    announcements.announce(news(2, 7), to(53), Moment(0), || 4711);
    let (_, first) = sent(&mut announcements, Moment(0)).unwrap();
    let reply = notify::response(&first, Rcode::NOERROR);
    let other_id = |mut message: Vec<u8>| {
        message[0] ^= 1;
        message
    };
    let (mut query, mut other_zone) = (reply.clone(), reply.clone());
    query[2] &= !0x78;
    other_zone[14] = b'9';
    let no_question = [&reply[..4], &[0; 8]].concat();
    let cases = [(at(54), reply.clone()), (at(53), other_id(reply.clone())), (at(53), first), (at(53), query)];
    for (from, message) in cases.into_iter().chain([(at(53), other_zone), (at(53), no_question), (at(53), vec![7])]) {
        assert!(announcements.receive(from, &message, NOW_SECS).is_none(), "{message:?}");
    }
    let replied = announcements.receive(at(53), &reply, NOW_SECS).unwrap();
    assert_eq!((replied.news.zone, replied.rcode), (ZoneId(1), Rcode::NOERROR));
    assert!(announcements.receive(at(53), &reply, NOW_SECS).is_none(), "it has ended");
    let (_, second) = sent(&mut announcements, Moment(0)).unwrap();
    let declined = announcements.receive(at(53), &notify::response(&second, Rcode::REFUSED), NOW_SECS).unwrap();
    assert_eq!((declined.news.zone, declined.rcode), (ZoneId(2), Rcode::REFUSED));
    assert!(announcements.is_empty());
}

#[test]
fn a_newer_version_takes_the_place_of_the_pending_one_and_is_not_sent_at_once_again() {
    let mut announcements = Announcements::default();
    announcements.announce(news(1, 7), to(53), Moment(0), || 1);
    announcements.announce(news(1, 8), to(53), Moment(0), || 2);
    assert_eq!(announcements.len(), 1);
    let (_, message) = sent(&mut announcements, Moment(0)).unwrap();
    assert_eq!(serial_of(&message), Some(Serial(8)));
    announcements.announce(news(1, 9), to(53), Moment(100), || 3);
    assert!(sent(&mut announcements, Moment(999)).is_none());
    let late = notify::response(&message, Rcode::NOERROR);
    assert!(announcements.receive(at(53), &late, NOW_SECS).is_none(), "that was about the version before");
    assert_eq!(serial_of(&sent(&mut announcements, Moment(1_000)).unwrap().1), Some(Serial(9)));
}

#[test]
fn a_signed_notify_is_ended_by_a_signed_reply() {
    let mut announcements = Announcements::default();
    announcements.announce(news(1, 7), Recipient { key: Some(key()), ..to(53) }, Moment(0), || 4711);
    let (_, message) = sent(&mut announcements, Moment(0)).unwrap();
    let Ok(Verified::Signed(signed)) = verify_request(&message, |_| Some(key()), NOW_SECS) else {
        panic!("it is signed");
    };
    let mut reply = notify::response(&message, Rcode::NOERROR);
    assert!(announcements.receive(at(53), &reply, NOW_SECS).is_none(), "unsigned");
    signed.signer().sign(&mut reply, NOW_SECS);
    assert!(matches!(announcements.take_due(Moment(1_000), NOW_SECS + 1, 0), Some(Due::Send { .. })));
    assert!(announcements.receive(at(53), &reply, NOW_SECS).is_none(), "signed for what was sent before");
    let Some(Due::Send { message, .. }) = announcements.take_due(Moment(3_000), NOW_SECS + 3, 0) else {
        panic!("it is sent again");
    };
    let Ok(Verified::Signed(signed)) = verify_request(&message, |_| Some(key()), NOW_SECS) else {
        panic!("it is signed");
    };
    let mut reply = notify::response(&message, Rcode::NOERROR);
    signed.signer().sign(&mut reply, NOW_SECS);
    assert_eq!(announcements.receive(at(53), &reply, NOW_SECS).unwrap().rcode, Rcode::NOERROR);
}

#[test]
fn one_who_is_mute_takes_neither_all_places_nor_others_time() {
    let mut announcements = Announcements::default();
    let taken = (0..60_000).filter(|zone| {
        let id = *zone as u16;
        announcements.announce(news(*zone, 1), to(53), Moment(0), || id) == Taken::Pending
    });
    assert_eq!(taken.count(), 25_000);
    while sent(&mut announcements, Moment(0)).is_some() {}
    assert_eq!(announcements.announce(news(1, 1), to(54), Moment(1), || 1), Taken::Pending);
    assert_eq!(sent(&mut announcements, Moment(1)).map(|(to, _)| to), Some(at(54)));
    assert!(announcements.next_due().unwrap() >= Moment(0).plus(Duration::from_secs(1)));
}
