//! A zone is copied from a real primary and served within moments.

use testing::peer::{Peer, Setup};
use testing::primary::{Behaviour, Kind, Primary};
use testing::{query, zone_text};

use crate::scene::{FAST_TIMERS, ZONE, add, holds_what_the_primary_holds, secondo, serves, with_each_primary, zones};

#[test]
fn serve_with_a_zone_flag_copies_the_zone_and_serves_it() {
    with_each_primary(|software| {
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::varied(7)));
        let secondo = secondo().with_zone(ZONE, peer.address()).started();
        serves(&secondo, ZONE, 7);
        holds_what_the_primary_holds(&secondo, &peer, ZONE);
        let reply = query::ask(secondo.dns(), "www.example.test", dns::Type::A).unwrap();
        assert!(reply.is_authoritative(), "{reply:?}");
        assert_eq!(reply.answer, ["www.example.test. 300 IN A 192.0.2.8"]);
    });
}

#[test]
fn zone_add_copies_the_zone_and_show_tells_everything_about_it() {
    with_each_primary(|software| {
        let peer = Peer::start(software, Setup::zone(ZONE, zone_text::small(7)));
        let secondo = secondo().started();
        add(&secondo, ZONE, peer.address());
        serves(&secondo, ZONE, 7);
        let zone = testing::eventually(crate::scene::SOON, "the zone to be active", || {
            let zone = secondo.zone(ZONE);
            if zone["state"] == "active" { Ok(zone) } else { Err(zone.to_string()) }
        });
        assert_eq!(zone["name"], "example.test.");
        assert_eq!(
            (&zone["freshness"], &zone["hold"], &zone["service"]),
            (&"current".into(), &"none".into(), &"answering".into())
        );
        assert_eq!(zone["serial"], 7);
        assert!(zone["generation"].is_u64(), "{zone}");
        assert_eq!(zone["digest"].as_str().unwrap().len(), 64, "{zone}");
        let records = query::transfer(peer.address(), ZONE).unwrap().len();
        assert_eq!(zone["records"], records, "{zone}");
        assert!(zone["primaries"].to_string().contains(&peer.address().to_string()), "{zone}");
        for time in ["last_success", "next_refresh", "expires_at"] {
            assert!(zone[time].is_string(), "{time} in {zone}");
        }
        let attempt = &zone["last_attempt"];
        assert_eq!(
            (&attempt["kind"], &attempt["outcome"], &attempt["to_serial"]),
            (&"axfr".into(), &"updated".into(), &7.into())
        );
        for field in ["at", "primary", "trigger", "from_serial", "bytes", "millis", "reason"] {
            assert!(attempt.get(field).is_some(), "{field} is missing in {attempt}");
        }
        assert!(attempt["bytes"].as_u64().unwrap() > 100, "{attempt}");
    });
}

#[test]
fn the_zone_flag_may_be_repeated_and_left_away() {
    let peer = Peer::start(testing::peer::Software::Knot, Setup::zone(ZONE, zone_text::small(7)));
    let mut secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 7);
    secondo.terminate();
    secondo.start();
    serves(&secondo, ZONE, 7);
    assert_eq!(zones(&secondo).len(), 1);
    secondo.terminate();
    let mut secondo = secondo.without_zone_flags();
    secondo.start();
    serves(&secondo, ZONE, 7);
}

#[test]
fn what_the_zone_does_not_hold_is_answered_as_rfc_2308_says() {
    let peer = Peer::start(testing::peer::Software::Nsd, Setup::zone(ZONE, zone_text::small(7)));
    let secondo = secondo().with_zone(ZONE, peer.address()).started();
    serves(&secondo, ZONE, 7);
    for (name, qtype, rcode) in [
        ("nothing.example.test", dns::Type::A, dns::Rcode::NXDOMAIN),
        ("www.example.test", dns::Type::MX, dns::Rcode::NOERROR),
        ("deep.below.example.test", dns::Type::TXT, dns::Rcode::NOERROR),
        ("elsewhere.invalid", dns::Type::A, dns::Rcode::REFUSED),
    ] {
        let reply = query::ask(secondo.dns(), name, qtype).unwrap();
        assert_eq!((reply.rcode, reply.answer.len()), (rcode, 0), "{name}: {reply:?}");
        let soa_expected = usize::from(rcode != dns::Rcode::REFUSED);
        assert_eq!(reply.authority.len(), soa_expected, "{name}: {reply:?}");
    }
    let referral = query::ask(secondo.dns(), "www.child.example.test", dns::Type::A).unwrap();
    assert!(!referral.is_authoritative() && referral.authority.len() == 1, "{referral:?}");
    assert_eq!(referral.additional, ["ns.child.example.test. 300 IN A 192.0.2.54"]);
}

#[test]
fn a_first_copy_that_failed_is_tried_again_until_it_comes() {
    // CoreDNS #4663, Knot 3.1.3.
    let primary = Primary::with_zone(ZONE, &zone_text::small(7));
    primary.behave(Behaviour::Answer(Kind::Axfr, dns::Rcode::SERVFAIL));
    let secondo = secondo().configured(FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    primary.wait_for(Kind::Axfr, 3);
    primary.behave_well();
    serves(&secondo, ZONE, 7);
}
