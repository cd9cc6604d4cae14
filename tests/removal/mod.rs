//! A zone that somebody removed is gone at once, and for a while it can be had back as it was.

use dns::{Rcode, Type};
use testing::primary::{Kind, Primary};
use testing::{query, zone_text};

use crate::scene::{ZONE, add, attempt, secondo, serves};

#[test]
fn a_removed_zone_is_refused_through_restarts_and_comes_back_as_it_was_without_its_primary() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.publish(ZONE, &zone_text::small(2));
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(&secondo, ZONE, 2);
    secondo.expect(&["zone", "set", ZONE, "shrink-limit=20%"]);
    attempt(&secondo, ZONE, "the second version on record", |attempt| attempt["to_serial"] == 2);
    let (before, history) = (secondo.zone(ZONE), secondo.json(&["zone", "history", ZONE]));
    let said = secondo.expect(&["zone", "remove", ZONE]);
    assert!(said.contains("secondo zone restore"), "{said}");
    let asked = primary.count(Kind::SoaOverUdp);
    for _ in 0..2 {
        assert_eq!(query::ask(secondo.dns(), ZONE, Type::SOA).unwrap().rcode, Rcode::REFUSED);
        secondo.client(&["zone", "show", ZONE]).must_fail(&["zone_unknown"]);
        secondo.client(&["zone", "remove", ZONE]).must_fail(&["zone_unknown", "--now"]);
        let removed = secondo.json(&["zone", "removed"]);
        assert_eq!(removed["zones"].as_array().map(Vec::len), Some(1), "{removed:#}");
        secondo.kill_and_restart();
    }
    assert_eq!(primary.count(Kind::SoaOverUdp), asked, "it is not followed");
    drop(primary);
    let back = secondo.json(&["zone", "restore", ZONE]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2), "from what was kept: there is no primary");
    for same in ["id", "name", "digest", "settings", "primaries", "service", "created_at"] {
        assert_eq!(back[same], before[same], "{same}: {back:#}");
    }
    // Its versions and its ledger came back with it; what was tried since stands before them.
    for _ in 0..2 {
        let again = secondo.json(&["zone", "history", ZONE]);
        assert_eq!(again["versions"], history["versions"], "{again:#}");
        let (attempts, known) = (again["attempts"].as_array().unwrap(), history["attempts"].as_array().unwrap());
        assert!(known.len() >= 2 && attempts.ends_with(known), "{again:#}\nand not\n{history:#}");
        secondo.kill_and_restart();
    }
    secondo.client(&["zone", "restore", ZONE]).must_fail(&["zone_unknown"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
}

#[test]
fn what_is_deleted_at_once_cannot_be_had_back_before_or_after_a_removal() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    for words in [&["zone", "remove", "--now", ZONE][..], &["zone", "remove", ZONE]] {
        add(&secondo, ZONE, primary.address());
        serves(&secondo, ZONE, 1);
        secondo.expect(words);
        if words.len() == 3 {
            secondo.expect(&["zone", "remove", "--now", ZONE]);
        }
        secondo.client(&["zone", "restore", ZONE]).must_fail(&["zone_unknown"]);
        assert_eq!(secondo.json(&["zone", "removed"])["zones"].as_array().map(Vec::len), Some(0));
        assert_eq!(query::ask(secondo.dns(), ZONE, Type::SOA).unwrap().rcode, Rcode::REFUSED);
    }
}

#[test]
fn a_zone_that_is_added_again_goes_on_with_what_was_kept_of_it() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let before = secondo.zone(ZONE);
    secondo.expect(&["zone", "remove", ZONE]);
    let address = primary.address().to_string();
    drop(primary);
    let again = secondo.json(&["zone", "add", ZONE, "--primary", &address]);
    assert_eq!((&again["id"], &again["serial"]), (&before["id"], &before["serial"]));
    assert_eq!(secondo.json(&["zone", "removed"])["zones"].as_array().map(Vec::len), Some(0));
}
