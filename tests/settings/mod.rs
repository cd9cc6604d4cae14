//! What is set for a zone (`zone set`, `zone add --set`, the configuration) is what is done about it, also later.

mod limits;
mod notify;
mod service;

use testing::peer::{Peer, Setup, Software};
use testing::primary::{Kind, Primary};
use testing::secondo::Secondo;
use testing::{query, zone_text};

use crate::scene::{SOON, ZONE, add, attempt, attempts, secondo, serves};

#[test]
fn a_zone_is_checked_as_often_as_is_set_for_it() {
    // The zone's own timers are hours, and nobody sends NOTIFY.
    let mut peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    let said = secondo.expect(&["zone", "set", ZONE, "refresh-min=1s", "refresh-max=1s"]);
    assert!(said.contains("refresh-max=1s"), "{said}");
    peer.replace(ZONE, &zone_text::small(2));
    serves(&secondo, ZONE, 2);
    let update = attempt(&secondo, ZONE, "the update on record", |attempt| attempt["to_serial"] == 2);
    assert_eq!(update["trigger"], "refresh", "{update}");
    // Without a value the default counts again: the checks stop for hours.
    let said = secondo.expect(&["zone", "set", ZONE, "refresh-min=", "refresh-max="]);
    assert!(said.contains("defaults"), "{said}");
    let in_the_first_minute = |zone: &serde_json::Value| {
        let time = |field: &str| zone[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        time("next_refresh").as_second() < time("last_success").as_second() + 60
    };
    testing::eventually(SOON, "the next check to be hours away", || match secondo.zone(ZONE) {
        zone if in_the_first_minute(&zone) => Err(zone.to_string()),
        _ => Ok(()),
    });
}

#[test]
fn an_older_serial_is_taken_where_that_is_set_and_kept_away_where_it_no_longer_is() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(50));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 50);
    primary.publish(ZONE, &zone_text::small(40));
    is_kept_away(&secondo, ZONE);
    secondo.expect(&["zone", "set", ZONE, "serial-went-back=accept"]);
    secondo.kill_and_restart();
    assert_eq!(secondo.zone(ZONE)["settings"]["serial_went_back"], "accept");
    secondo.expect(&["zone", "refresh", ZONE]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(40));
    secondo.expect(&["zone", "set", ZONE, "serial-went-back="]);
    primary.publish(ZONE, &zone_text::small(30));
    is_kept_away(&secondo, ZONE);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(40));
}

#[test]
fn what_is_set_for_a_zone_goes_before_the_defaults_of_the_configuration() {
    let primary = Primary::start();
    for zone in ["added.test", "set.test", "configured.test"] {
        primary.publish(zone, &zone_text::small(50));
    }
    let address = primary.address().to_string();
    let secondo = secondo()
        .configured(&format!(
            "[defaults]\nserial_went_back = \"accept\"\n\n[[zone]]\nname = \"configured.test\"\nprimaries = \
             [\"{address}\"]\nsettings = {{ serial_went_back = \"wait\" }}\n"
        ))
        .started();
    secondo.expect(&["zone", "add", "added.test", "--primary", &address]);
    secondo.expect(&["zone", "add", "set.test", "--primary", &address, "--set", "serial-went-back=wait"]);
    for zone in ["added.test", "set.test", "configured.test"] {
        serves(&secondo, zone, 50);
        primary.publish(zone, &zone_text::small(40));
    }
    secondo.expect(&["zone", "refresh", "added.test"]);
    assert_eq!(query::serial(secondo.dns(), "added.test"), Ok(40));
    is_kept_away(&secondo, "set.test");
    is_kept_away(&secondo, "configured.test");
}

#[test]
fn what_cannot_be_set_is_said_in_a_sentence_and_changes_nothing() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    let address = primary.address().to_string();
    secondo.expect(&["zone", "add", ZONE, "--primary", &address, "--set", "hold-for=2d"]);
    for (typed, said) in [
        ("colour=red", "there are: refresh_min"),
        ("refresh-max", "sets nothing"),
        ("refresh-max=soon", "no length of time"),
        ("serial-went-back=maybe", "wait or accept"),
        ("notify=never", "any or signed"),
        ("notify-from=nobody", "nobody"),
        ("zonemd=ignore", "warn or refuse"),
        ("shrink-limit=0%", "1% to 100%, or off"),
        ("history-versions=0", "1 to 10000"),
        // More than the default of the longest.
        ("refresh-min=2d", "refresh_max (1d)"),
    ] {
        secondo.client(&["zone", "set", ZONE, typed]).must_be_wrong_usage(&[said]);
        let add = ["zone", "add", "other.test", "--primary", &address, "--set", typed];
        secondo.client(&add).must_be_wrong_usage(&[said]);
    }
    secondo.client(&["zone", "set", ZONE]).must_be_wrong_usage(&["NAME=VALUE"]);
    secondo.client(&["zone", "set", ZONE, "--primary", "nowhere"]).must_be_wrong_usage(&["nowhere"]);
    secondo.client(&["zone", "set", "other.test", "notify=any"]).must_fail(&["zone_unknown"]);
    assert_eq!(secondo.zone(ZONE)["settings"], serde_json::json!({ "hold_for": "2d" }));
    let configured =
        format!("[[zone]]\nname = \"{ZONE}\"\nprimaries = [\"{address}\"]\nsettings = {{ refresh_min = \"2d\" }}\n");
    crate::scene::secondo().configured(&configured).serve_in_vain().must_be_wrong_usage(&["refresh_max (1d)"]);
}

#[test]
fn new_primaries_are_asked_at_once() {
    let before = Primary::with_zone(ZONE, &zone_text::small(1));
    let after = Primary::with_zone(ZONE, &zone_text::small(2));
    let secondo = secondo().started();
    add(&secondo, ZONE, before.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["zone", "set", ZONE, "--primary", &after.address().to_string()]);
    serves(&secondo, ZONE, 2);
    let primaries = secondo.zone(ZONE)["primaries"].clone();
    assert_eq!(primaries[0]["address"], after.address().to_string(), "{primaries}");
    assert_eq!((primaries.as_array().unwrap().len(), before.count(Kind::Axfr)), (1, 1), "{primaries}");
    // And the one of before has no say any more.
    before.publish(ZONE, &zone_text::small(3));
    secondo.expect(&["zone", "refresh", ZONE]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
}

#[test]
fn a_primary_that_was_configured_in_anothers_place_is_asked_for_the_whole_zone() {
    // Differences from what it calls by our serial need not lead on from what we have.
    let before = Primary::with_zone(ZONE, &zone_text::small(1));
    let after = Primary::with_zone(ZONE, &zone_text::small(1));
    let configured =
        |primary: &Primary| format!("[[zone]]\nname = \"{ZONE}\"\nprimaries = [\"{}\"]\n", primary.address());
    let mut secondo = secondo().configured(&configured(&before)).started();
    serves(&secondo, ZONE, 1);
    assert!(secondo.terminate().success());
    secondo.configure(&configured(&after));
    after.publish(ZONE, &zone_text::small(2));
    secondo.start();
    secondo.expect(&["zone", "refresh", ZONE]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
    let update = attempt(&secondo, ZONE, "the update on record", |attempt| attempt["to_serial"] == 2);
    assert_eq!((&update["kind"], after.count(Kind::Ixfr)), (&"axfr".into(), 0), "{update}");
}

/// Asks for the zone, whose primary has an older one.
#[track_caller]
fn is_kept_away(secondo: &Secondo, zone: &str) {
    let before = query::serial(secondo.dns(), zone);
    secondo.client(&["zone", "refresh", zone]).must_fail(&["serial_went_back"]);
    assert_eq!(query::serial(secondo.dns(), zone), before);
    assert_eq!(attempts(secondo, zone)[0]["reason"]["code"], "serial_went_back");
}
