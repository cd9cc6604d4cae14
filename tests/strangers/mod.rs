//! What somebody says who has no say: NOTIFYs from elsewhere, updates, clients without the token.

use std::net::Ipv4Addr;

use dns::Rcode;
use testing::peer::{Peer, Setup, Software};
use testing::{query, zone_text};

use crate::scene::{ZONE, add, attempts, secondo, serves, zones};

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
    // Coalesced: fifty NOTIFYs are a handful of checks.
    let checks: u64 = attempts(&secondo, ZONE)
        .iter()
        .filter(|attempt| attempt["trigger"] == "notify")
        .map(|attempt| attempt["count"].as_u64().unwrap())
        .sum();
    assert!(checks <= 50, "{checks} checks");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
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
