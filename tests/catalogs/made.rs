//! What members are made of: groups, and zones that move from one catalog to another.

use testing::peer::{Peer, Setup, Software};
use testing::{eventually, query, zone_text};

use super::{CATALOG, add_catalog, catalog_text, followed, listed, producer};
use crate::scene::{SOON, secondo, serves};

#[test]
fn a_group_has_primaries_and_settings_of_its_own() {
    let secondo = secondo().started();
    let lines =
        ["l1.zones PTR a.test.", "l2.zones PTR b.test.", "group.l2.zones TXT \"gold\"", "group.l2.zones TXT odd"];
    let mut peer = producer(Software::Bind, &secondo, &lines, &["a.test", "b.test"]);
    let golden = Peer::start(Software::Knot, Setup::zone("b.test", zone_text::small(7)));
    let template = format!("[gold]\nprimaries = [\"{}\"]\nsettings = {{ refresh-max = \"2h\" }}\n", golden.address());
    let groups = secondo.scratch_file("groups.toml", &template);
    let spare = peer.address().to_string();
    add_catalog(&secondo, &peer, &["--groups", &groups, "--member-set", "retry-max=10m", "--member-primary", &spare]);
    serves(&secondo, "a.test", 1);
    serves(&secondo, "b.test", 7);
    let (plain, gold) = (secondo.zone("a.test"), secondo.zone("b.test"));
    assert_eq!(plain["settings"], serde_json::json!({ "retry_max": "10m" }));
    assert_eq!(gold["settings"], serde_json::json!({ "refresh_max": "2h" }));
    assert_eq!(listed(&followed(&secondo, CATALOG, 1), "b.test")["group"], "gold");

    let settings_become = |zone: &str, wanted: serde_json::Value| {
        eventually(SOON, "the template to be followed", || {
            let zone = secondo.zone(zone);
            if zone["settings"] == wanted { Ok(()) } else { Err(zone.to_string()) }
        });
    };
    // Another template: those that are here follow it too.
    secondo.expect(&["catalog", "set", CATALOG, "--member-set", "retry-max=20m"]);
    settings_become("a.test", serde_json::json!({ "retry_max": "20m" }));
    let members = secondo.json(&["catalog", "show", CATALOG])["members"].clone();
    assert_eq!(members["primaries"][0]["address"], spare, "what is not given stays: {members}");
    // And another group, or none that is known.
    peer.replace(CATALOG, &catalog_text(2, &lines[..2]));
    settings_become("b.test", serde_json::json!({ "retry_max": "20m" }));
    assert_eq!(secondo.zone("b.test")["id"], gold["id"], "the same zone");
}

#[test]
fn a_zone_that_a_catalog_gives_away_moves_with_its_contents() {
    let secondo = secondo().started();
    let member = "l1.zones PTR a.test.";
    let setup = Setup::zone("from.test", catalog_text(1, &[member]))
        .and_zone("to.test", catalog_text(1, &[]))
        .and_zone("a.test", zone_text::small(1))
        .notifying(secondo.dns());
    let mut peer = Peer::start(Software::Bind, setup);
    for catalog in ["from.test", "to.test"] {
        secondo.expect(&["catalog", "add", catalog, "--primary", &peer.address().to_string()]);
    }
    serves(&secondo, "a.test", 1);
    followed(&secondo, "to.test", 1);
    let before = secondo.zone("a.test");
    assert_eq!(before["catalog"], "from.test.");
    // Listed by both it stays where it is, until the first one gives it away.
    peer.replace("to.test", &catalog_text(2, &[member]));
    let clash = followed(&secondo, "to.test", 2);
    assert_eq!(listed(&clash, "a.test")["state"], "skipped", "{clash}");
    peer.replace("from.test", &catalog_text(2, &[member, "coo.l1.zones PTR to.test."]));
    let after = eventually(SOON, "the zone to have moved", || {
        let zone = secondo.zone("a.test");
        if zone["catalog"] == "to.test." { Ok(zone) } else { Err(zone.to_string()) }
    });
    assert_eq!((&after["id"], &after["generation"]), (&before["id"], &before["generation"]));
    assert_eq!(query::serial(secondo.dns(), "a.test"), Ok(1));
    // What the first one says of it is of no interest any more.
    peer.replace("from.test", &catalog_text(3, &[]));
    followed(&secondo, "from.test", 3);
    serves(&secondo, "a.test", 1);
}
