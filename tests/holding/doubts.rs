//! Doubtful contents: other ones than their ZONEMD record (RFC 8976) is about, or with signatures that have run out.

use testing::peer::{Peer, Setup, Software};
use testing::primary::Primary;
use testing::{eventually, query, zone_text};

use crate::scene::{SOON, ZONE, add, failure, has_nothing_to_serve, is_told, secondo, serves};
use crate::signing::{Denial, signed};

#[test]
fn contents_that_their_zonemd_is_not_about_are_refused_or_served_with_a_warning() {
    let text = |serial| format!("{}@ ZONEMD {serial} 1 1 {}\n", zone_text::small(serial), "0".repeat(96));
    let setup = Setup::zone("warned.test", text(1)).and_zone("refused.test", text(1));
    let peer = Peer::start(Software::Bind, setup);
    let secondo = secondo().started();
    let address = peer.address().to_string();
    secondo.expect(&["zone", "add", "warned.test", "--primary", &address]);
    secondo.expect(&["zone", "add", "refused.test", "--primary", &address, "--set", "zonemd=refuse"]);
    serves(&secondo, "warned.test", 1);
    let warnings = secondo.zone("warned.test")["warnings"].clone();
    assert_eq!(warnings[0]["code"], "zonemd_mismatch", "{warnings}");
    let shown = secondo.expect(&["zone", "show", "warned.test"]);
    assert!(shown.contains("zonemd_mismatch"), "{shown}");
    assert!(secondo.log().contains("zonemd=\"mismatch\""), "{}", secondo.log());
    is_told(&secondo, "contents_doubtful", &["the zone warned.test.", "its ZONEMD record: mismatch"]);

    let reason = failure(&secondo, "refused.test");
    assert_eq!(reason["code"], "zonemd_failed", "{reason}");
    has_nothing_to_serve(&secondo, "refused.test");
    secondo.expect(&["zone", "set", "refused.test", "zonemd=warn"]);
    secondo.expect(&["zone", "refresh", "refused.test"]);
    assert_eq!(query::serial(secondo.dns(), "refused.test"), Ok(1));
}

#[test]
fn signatures_that_have_run_out_are_served_and_said() {
    let signature = "@ 300 RRSIG NS 8 2 300 20200201000000 20200101000000 1 example.test. c2lnbmVk";
    let primary = Primary::with_zone(ZONE, &format!("{}{signature}\n", zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let shown = secondo.expect(&["zone", "show", ZONE]);
    assert!(shown.contains("signature_expired"), "{shown}");
    assert!(secondo.log().contains("signature_expired"), "{}", secondo.log());
    is_told(&secondo, "contents_doubtful", &[ZONE]);
    is_told(&secondo, "signatures_end", &["the signatures over example.test. NS", "ran out at 2020-02-01"]);
}

#[test]
fn when_the_first_signature_ends_is_shown_of_a_signed_zone_and_of_no_other() {
    let primary = Primary::with_zone("signed.test", &signed("signed.test", &zone_text::small(1), Denial::Nsec).text);
    primary.publish(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    for zone in ["signed.test", ZONE] {
        add(&secondo, zone, primary.address());
        serves(&secondo, zone, 1);
    }
    let shown = eventually(SOON, "somebody to have looked at the signatures", || {
        let zone = secondo.zone("signed.test");
        if zone["signed_until"].is_string() { Ok(zone) } else { Err(zone.to_string()) }
    });
    // Times are text that is in the order of time; signatures are made for a month.
    assert!(shown["signed_until"].as_str() > shown["expires_at"].as_str(), "{shown:#}");
    assert!(secondo.zone(ZONE)["signed_until"].is_null());
}
