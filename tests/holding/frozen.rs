//! Zones that are frozen at a version, and what differs between versions.

use testing::peer::Software;
use testing::query;
use testing::secondo::Secondo;
use testing::zone_text::small;

use crate::scene::{ZONE, attempt, following, secondo, serves};

/// The generations that are kept, oldest first.
fn generations(secondo: &Secondo) -> Vec<String> {
    let history = secondo.json(&["zone", "history", ZONE]);
    let mut generations: Vec<String> =
        history["versions"].as_array().unwrap().iter().map(|version| version["generation"].to_string()).collect();
    generations.reverse();
    generations
}

#[test]
fn a_frozen_zone_stays_as_it_is_until_it_is_thawed() {
    for software in [Software::Bind, Software::Knot] {
        let (mut secondo, mut peer) = following(secondo(), software, ZONE, &small(1));
        secondo.expect(&["zone", "freeze", ZONE]);
        peer.replace(ZONE, &small(2));
        attempt(&secondo, ZONE, "the check on record", |attempt| attempt["reason"]["code"] == "zone_frozen");
        let zone = secondo.zone(ZONE);
        assert_eq!((&zone["state"], &zone["serial"]), (&"frozen".into(), &1.into()), "{zone}");
        secondo.client(&["zone", "refresh", ZONE, "--full"]).must_fail(&["zone_paused", "zone thaw"]);
        let status = secondo.json(&["status"]);
        assert!(status["zones"]["frozen"] == 1 && status["warnings"].to_string().contains("frozen"), "{status}");
        secondo.kill_and_restart();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        secondo.expect(&["zone", "thaw", ZONE]);
        serves(&secondo, ZONE, 2);
        secondo.client(&["zone", "thaw", ZONE]).must_fail(&["nothing_held"]);
    }
}

#[test]
fn a_version_of_before_is_served_again_while_the_primary_cannot_be_trusted() {
    let (mut secondo, mut peer) = following(secondo(), Software::Knot, ZONE, &small(1));
    for serial in 2..=3 {
        peer.replace(ZONE, &small(serial));
        serves(&secondo, ZONE, serial);
    }
    let kept = generations(&secondo);
    secondo.expect(&["zone", "freeze", ZONE, &kept[0]]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    let reply = query::ask(secondo.dns(), "www.example.test", dns::Type::A).unwrap();
    assert_eq!(reply.answer, ["www.example.test. 300 IN A 192.0.2.2"]);
    secondo.kill_and_restart();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    secondo.client(&["zone", "freeze", ZONE, "7"]).must_fail(&["generation_unknown"]);
    secondo.expect(&["zone", "thaw", ZONE]);
    serves(&secondo, ZONE, 3);
}

#[test]
fn a_diff_shows_what_changed_between_two_versions() {
    let (secondo, mut peer) = following(secondo(), Software::Bind, ZONE, &small(1));
    for serial in 2..=3 {
        peer.replace(ZONE, &format!("{}new-{serial} A 192.0.2.77\n", small(serial)));
        serves(&secondo, ZONE, serial);
    }
    let kept = generations(&secondo);
    let diff = |from: usize, to: usize| secondo.expect(&["zone", "diff", ZONE, &kept[from], &kept[to]]);
    let mut lines: Vec<String> = diff(0, 2).lines().map(str::to_owned).collect();
    lines.retain(|line| !line.contains(" SOA "));
    lines.sort();
    assert_eq!(
        lines,
        [
            "+ new-3.example.test. 300 IN A 192.0.2.77",
            "+ serial.example.test. 300 IN TXT \"3\"",
            "+ www.example.test. 300 IN A 192.0.2.4",
            "- serial.example.test. 300 IN TXT \"1\"",
            "- www.example.test. 300 IN A 192.0.2.2",
        ]
    );
    let last = diff(1, 2);
    assert!(last.contains("- new-2.example.test.") && !last.contains("\"1\""), "{last}");
    secondo.client(&["zone", "diff", ZONE, "7", &kept[2]]).must_fail(&["generation_unknown"]);
}
