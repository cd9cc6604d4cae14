//! What somebody says who has no say: NOTIFYs from elsewhere, updates, clients without the token.

use std::net::Ipv4Addr;

use dns::Rcode;
use testing::peer::{Peer, Setup, Software};
use testing::primary::{Behaviour, Kind, Primary};
use testing::{eventually, query, zone_text};

use crate::scene::{SOON, ZONE, add, attempts, secondo, serves, zones};

const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[test]
fn a_notify_from_a_stranger_is_refused_and_starts_nothing() {
    // RFC 1996 §3.10: only known primaries are heard.
    let mut peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    peer.replace(ZONE, &zone_text::small(2));
    let before = attempts(&secondo, ZONE);
    let reply = query::notify(STRANGER, secondo.dns(), ZONE, 2).unwrap();
    assert!([Rcode::REFUSED, Rcode::NOTAUTH].contains(&reply.rcode), "{reply:?}");
    // The same from the primary's address is heard; by then the stranger's would have been, too.
    let reply = query::notify(Ipv4Addr::LOCALHOST, secondo.dns(), ZONE, 2).unwrap();
    assert_eq!((reply.rcode, reply.is_authoritative()), (Rcode::NOERROR, true), "{reply:?}");
    serves(&secondo, ZONE, 2);
    let after = attempts(&secondo, ZONE);
    let from_notify = after.iter().filter(|attempt| attempt["trigger"] == "notify").count();
    assert!(from_notify == 1 && after.len() == before.len() + 1, "{before:#?}\n{after:#?}");
}

#[test]
fn a_notify_for_a_zone_that_is_not_here_is_refused() {
    let secondo = secondo().started();
    let reply = query::notify(Ipv4Addr::LOCALHOST, secondo.dns(), "nowhere.test", 2).unwrap();
    assert!([Rcode::REFUSED, Rcode::NOTAUTH].contains(&reply.rcode), "{reply:?}");
    assert_eq!(zones(&secondo).len(), 0);
}

#[test]
fn a_serial_in_a_notify_that_the_primary_never_reaches_changes_nothing() {
    let peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    for _ in 0..50 {
        let reply = query::notify(Ipv4Addr::LOCALHOST, secondo.dns(), ZONE, 1_000).unwrap();
        assert_eq!(reply.rcode, Rcode::NOERROR);
    }
    let attempt =
        crate::scene::attempt(&secondo, ZONE, "the checks on record", |attempt| attempt["trigger"] == "notify");
    assert_eq!(attempt["outcome"], "unchanged");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
}

#[test]
fn notifies_that_come_during_a_check_are_one_check_afterwards() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let checks = || -> u64 {
        let attempts = attempts(&secondo, ZONE);
        let checks = attempts.iter().filter(|attempt| attempt["kind"] == "check");
        checks.map(|attempt| attempt["count"].as_u64().unwrap()).sum()
    };
    primary.behave(Behaviour::Silent(Kind::SoaOverUdp));
    let asked = primary.count(Kind::SoaOverUdp);
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    primary.wait_for(Kind::SoaOverUdp, asked + 1);
    // The check waits for its answer now.
    for _ in 0..50 {
        assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    }
    primary.behave_well();
    eventually(SOON, "both checks", || match checks() {
        2 => Ok(()),
        other => Err(other.to_string()),
    });
    // What else waited would come before this.
    secondo.expect(&["zone", "refresh", ZONE]);
    assert_eq!(checks(), 3);
}

#[test]
fn the_api_is_closed_without_the_token() {
    let secondo = secondo().started();
    let token = std::fs::read_to_string(secondo.data().join("admin-token")).unwrap();
    std::fs::write(secondo.data().join("admin-token"), "wrong\n").unwrap();
    secondo.client(&["zone", "list"]).must_fail(&["token"]);
    std::fs::write(secondo.data().join("admin-token"), token).unwrap();
    secondo.expect(&["zone", "list"]);
}
