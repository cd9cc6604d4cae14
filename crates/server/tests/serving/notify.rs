//! NOTIFY in.

use std::sync::Arc;

use dns::{Header, Opcode, Rcode, Section, Serial, Type};
use server::{Access, Event, Notified, Rules, Who};
use xfr::notify::{Channel, Checks, Decline, NotifyRule};
use xfr::policy::NotifyTrust;
use xfr::tsig::{Algorithm, Signature, sign_request};
use zone::{TenantId, ZoneId};

use crate::support::{Setup, header, key, live, message, now_secs, query, rcode, types, with_edns};

fn notify(zone: &str) -> Vec<u8> {
    message(Opcode::NOTIFY, zone, Type::SOA, Some((Section::Answer, 2026)))
}

fn rule(zone: u64, address: &str, keys: &[&str]) -> NotifyRule {
    NotifyRule {
        zone: ZoneId(zone),
        tenant: TenantId::DEFAULT,
        senders: [address.parse().unwrap()].into(),
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        trust: NotifyTrust::Any,
        checks: Checks::Made,
    }
}

fn access(zone: &str, rules: Vec<NotifyRule>) -> Access {
    let mut access = Access::default();
    access.notify.insert(zone.parse().unwrap(), rules.into());
    for name in ["ours.", "others."] {
        access.keys.add(TenantId::DEFAULT, key(name, Algorithm::HmacSha256));
    }
    access
}

#[test]
fn a_notify_from_a_primary_wakes_the_zone() {
    let access = access("example.", vec![rule(1, "127.0.0.1", &[])]);
    let mut server = Setup { access, ..Setup::default() }.start();
    let client = server.udp();
    let reply = client.ask(&notify("Example."));
    // RFC 1996 §4.7; Technitium #1723.
    let flags = Header::QR | Header::AA | Header::request_flags(Opcode::NOTIFY);
    assert_eq!((header(&reply).flags, header(&reply).counts, header(&reply).id), (flags, [1, 0, 0, 0], 4711));
    let from = client.0.local_addr().unwrap();
    let expected = Notified { zone: ZoneId(1), from, serial: Some(Serial(2026)), signed_by: None };
    assert_eq!(server.notifies.blocking_recv(), Some(expected));

    let mut client = server.tcp();
    assert_eq!(rcode(&client.ask(&notify("example."))), Rcode::NOERROR);
    assert_eq!(server.notifies.blocking_recv().unwrap().from, client.0.local_addr().unwrap());
    assert_eq!(server.stop().of(Event::NotifyAccepted), 2);
}

#[test]
fn a_notify_with_options_gets_options_back() {
    let access = access("example.", vec![rule(1, "127.0.0.1", &[])]);
    let server = Setup { access, ..Setup::default() }.start();
    assert_eq!(types(&server.udp().ask(&with_edns(notify("example."), 1232))), [Type::OPT]);
}

#[test]
fn strangers_and_unknown_zones_wake_nobody() {
    let access = access("example.", vec![rule(1, "192.0.2.1", &["ours."])]);
    let mut server = Setup { access, ..Setup::default() }.start();
    assert_eq!(rcode(&server.udp().ask(&notify("example."))), Rcode::REFUSED);
    // CVE-2026-42001: for a zone that we do not have there is no work at all.
    assert_eq!(rcode(&server.udp().ask(&notify("sub.example."))), Rcode::NOTAUTH);
    // RFC 9859: a NOTIFY about something else than the zone's contents.
    let about_cds = message(Opcode::NOTIFY, "example.", Type(59), None);
    assert_eq!(rcode(&server.udp().ask(&about_cds)), Rcode::NOTIMP);
    let mut two_questions = notify("example.");
    two_questions[5] = 2;
    assert_eq!(rcode(&server.udp().ask(&two_questions)), Rcode::FORMERR);
    assert!(server.notifies.try_recv().is_err());
}

#[test]
fn a_key_is_as_good_as_an_address_and_the_reply_is_signed() {
    let access = access("example.", vec![rule(1, "192.0.2.1", &["ours."]), rule(2, "192.0.2.1", &["others."])]);
    let mut server = Setup { access, ..Setup::default() }.start();
    let mut signed = notify("example.");
    let mut verifier = sign_request(&mut signed, key("OURS.", Algorithm::HmacSha256), now_secs());
    let reply = server.udp().ask(&signed);
    assert_eq!((rcode(&reply), types(&reply)), (Rcode::NOERROR, vec![Type::TSIG]));
    assert_eq!(verifier.verify(&reply, now_secs()).unwrap(), Signature::Verified);
    let notified = server.notifies.blocking_recv().unwrap();
    assert_eq!((notified.zone, notified.signed_by), (ZoneId(1), Some("ours.".parse().unwrap())));
    assert!(server.notifies.try_recv().is_err(), "the other tenant's zone is not woken");
}

#[test]
fn a_bad_signature_wakes_nobody_even_from_a_primary() {
    let access = access("example.", vec![rule(1, "127.0.0.1", &["ours."])]);
    let mut server = Setup { access, ..Setup::default() }.start();
    let mut forged = notify("example.");
    sign_request(&mut forged, key("ours.", Algorithm::HmacSha256), now_secs());
    let last = forged.len() - 10;
    forged[last] ^= 1;
    assert_eq!(rcode(&server.udp().ask(&forged)), Rcode::NOTAUTH);
    // PDNS #10867: unsigned it would pass, but a key that we do not know is an error (RFC 8945 §5.2.1).
    let mut unknown = notify("example.");
    sign_request(&mut unknown, key("unknown.", Algorithm::HmacSha256), now_secs());
    assert_eq!(rcode(&server.udp().ask(&unknown)), Rcode::NOTAUTH);
    assert!(server.notifies.try_recv().is_err());
}

#[test]
fn what_was_not_taken_is_told_with_its_reason_and_strangers_by_where_they_are() {
    let rule = NotifyRule { trust: NotifyTrust::Signed, ..rule(1, "127.0.0.1", &["ours."]) };
    let mut access = access("example.", vec![rule]);
    for (zone, name) in [(2, "elsewhere."), (3, "claimed.")] {
        access.notify.insert(name.parse().unwrap(), [self::rule(zone, "192.0.2.1", &[])].into());
    }
    let zones =
        vec![live(2, "elsewhere.", "elsewhere. 60 IN SOA ns. host. 1 60 60 600 60\nelsewhere. 60 IN NS ns.\n")];
    let server = Setup { access, zones, ..Setup::default() }.start();
    let told = |message: &[u8], code| {
        assert_eq!(rcode(&server.udp().ask(message)), code);
        let [heard] = server.heard.take().try_into().unwrap();
        heard
    };
    let from = "127.0.0.1".parse().unwrap();
    let known = |declined, signed_by: Option<&str>| {
        let signed_by = signed_by.map(|key| key.parse().unwrap());
        Who::Known { zone: ZoneId(1), from, channel: Channel::Udp, signed_by, declined }
    };
    let unsigned = told(&notify("example."), Rcode::REFUSED);
    assert_eq!((unsigned.who, unsigned.latest.serial), (known(Some(Decline::Unsigned), None), Some(Serial(2026))));
    let mut signed = notify("example.");
    sign_request(&mut signed, key("ours.", Algorithm::HmacSha256), now_secs());
    assert_eq!(told(&signed, Rcode::NOERROR).who, known(None, Some("ours.")));
    let mut late = notify("example.");
    sign_request(&mut late, key("ours.", Algorithm::HmacSha256), now_secs() - 3_600);
    assert_eq!(told(&late, Rcode::NOTAUTH).who, known(Some(Decline::BadTime), None));
    let mut cut = notify("example.");
    cut.truncate(cut.len() - 1);
    assert_eq!(told(&cut, Rcode::FORMERR).who, known(Some(Decline::Malformed), None));

    let site = "127.0.0.0/24".parse().unwrap();
    let stranger = told(&notify("elsewhere."), Rcode::REFUSED);
    assert_eq!(stranger.who, Who::Stranger { zone: Some(ZoneId(2)), site, why: Decline::Stranger });
    // Of a zone that is not answered it sounds as if there were none.
    let claimed = told(&notify("claimed."), Rcode::NOTAUTH);
    assert_eq!(claimed.who, Who::Stranger { zone: Some(ZoneId(3)), site, why: Decline::Stranger });
    // Of one socket of ours one thread serves all.
    let client = server.udp();
    for zone in ["nowhere.", "sub.nowhere.", "last.nowhere."] {
        assert_eq!(rcode(&client.ask(&notify(zone))), Rcode::NOTAUTH);
    }
    let [nowhere] = server.heard.take().try_into().unwrap();
    assert_eq!(nowhere.who, Who::Stranger { zone: None, site, why: Decline::UnknownZone });
    assert_eq!((nowhere.count, nowhere.latest.zone.unwrap().to_string()), (3, "last.nowhere.".into()));
}

#[test]
fn a_paused_zone_is_not_woken_and_its_primary_need_not_send_again() {
    let rule = NotifyRule { checks: Checks::Paused, ..rule(1, "127.0.0.1", &[]) };
    let mut server = Setup { access: access("example.", vec![rule]), ..Setup::default() }.start();
    assert_eq!(rcode(&server.udp().ask(&notify("example."))), Rcode::NOERROR);
    assert!(server.notifies.try_recv().is_err());
    let heard = server.heard.take();
    assert!(matches!(heard[0].who, Who::Known { declined: Some(Decline::ZonePaused), .. }), "{heard:?}");
}

#[test]
fn before_the_rules_are_known_the_primary_is_left_to_send_again() {
    let awaited = Access { rules: Rules::Awaited, ..Access::default() };
    let server = Setup { access: awaited, ..Setup::default() }.start();
    let client = server.udp();
    let mut signed = notify("example.");
    sign_request(&mut signed, key("ours.", Algorithm::HmacSha256), now_secs());
    for message in [notify("example."), notify("nowhere."), signed] {
        client.send(&message);
        // Replies come in order on one socket: there was none to the NOTIFY.
        let next = client.ask(&query("www.example.", Type::A));
        assert_eq!((header(&next).opcode(), rcode(&next)), (Opcode::QUERY, Rcode::NOERROR));
        assert_eq!(rcode(&server.tcp().ask(&message)), Rcode::SERVFAIL);
    }
    let access = access("example.", vec![rule(1, "127.0.0.1", &[])]);
    server.access.store(Arc::new(access));
    assert_eq!(rcode(&client.ask(&notify("example."))), Rcode::NOERROR);
    assert_eq!(rcode(&client.ask(&notify("nowhere."))), Rcode::NOTAUTH);
    let tally = server.stop();
    let counts = [Event::NotifyAccepted, Event::NotifyRefused, Event::NotifyOverflow].map(|event| tally.of(event));
    assert_eq!(counts, [1, 1, 6]);
}

#[test]
fn when_too_many_wait_the_primary_is_left_to_send_again() {
    let access = access("example.", vec![rule(1, "127.0.0.1", &[])]);
    let mut server = Setup { access, notifies_max: 1, ..Setup::default() }.start();
    let client = server.udp();
    assert_eq!(rcode(&client.ask(&notify("example."))), Rcode::NOERROR);
    client.send(&notify("example."));
    // Replies come in order on one socket: there was none to the second NOTIFY.
    let next = client.ask(&query("www.example.", Type::A));
    assert_eq!(header(&next).opcode(), Opcode::QUERY);
    assert_eq!(rcode(&server.tcp().ask(&notify("example."))), Rcode::SERVFAIL);

    server.notifies.blocking_recv().unwrap();
    assert_eq!(rcode(&client.ask(&notify("example."))), Rcode::NOERROR);
    let heard = server.heard.clone();
    let tally = server.stop();
    assert_eq!((tally.of(Event::NotifyAccepted), tally.of(Event::NotifyOverflow)), (2, 2));
    let lost =
        |heard: &server::HeardNotify| matches!(heard.who, Who::Known { declined: Some(Decline::QueueFull), .. });
    assert_eq!(heard.take().iter().filter(|heard| lost(heard)).count(), 2, "one over UDP, one over TCP");
}
