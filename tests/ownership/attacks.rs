//! What does not get anybody's name.

use std::collections::BTreeSet;

use dns::{Rcode, Type};
use serde_json::json;
use testing::namespace::in_a_network_of_its_own;
use testing::peer::{Peer, Setup, Software};
use testing::{eventually, query};

use super::{NOW, OTHER, Organisation, World, address, challenge, to, to_now, zone};
use crate::scene::SOON;

#[test]
fn a_text_in_the_claimants_own_zone_proves_nothing() {
    let test = "ownership::attacks::a_text_in_the_claimants_own_zone_proves_nothing";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("victim.test"));
        let mallory = world.organisation("Mallory");
        let _now =
            Peer::start(Software::Nsd, Setup::zone("victim.test", zone("victim.test", 7, "")).at(address(NOW)));
        let mut hers =
            Peer::start(Software::Bind, Setup::zone("victim.test", zone("victim.test", 70, "")).at(address(OTHER)));
        mallory.creates("victim.test", &hers, 70);
        let text = mallory.text("victim.test");
        hers.replace("victim.test", &zone("victim.test", 71, &challenge("victim.test", &text)));
        mallory.expect(&["zone", "refresh", "victim.test"]);
        assert!(mallory.expect(&["zone", "export", "victim.test"]).contains(&text), "her text is in what is copied");
        let seen = mallory.looks("victim.test");
        assert_eq!((&seen["state"], &seen["seen"]["text_shown"]), (&json!("claimed"), &json!(false)), "{seen:#}");
        world.is_refused("victim.test");
        world.is_refused("_secondo-challenge.victim.test");
    });
}

#[test]
fn a_delegation_that_was_left_behind_proves_nothing() {
    let test = "ownership::attacks::a_delegation_that_was_left_behind_proves_nothing";
    in_a_network_of_its_own(test, || {
        let mut world = World::new("");
        let hers =
            Peer::start(Software::Bind, Setup::zone("left.test", zone("left.test", 70, "")).at(address(OTHER)));
        let servers = {
            let mallory = world.organisation("Mallory");
            // She has got that set; the name pointed to it before she asked for the name.
            mallory.expect(&["zone", "add", "other.test", "--primary", &hers.address().to_string()]);
            mallory.name_servers("other.test")
        };
        world.delegates(&to("left.test", &servers));
        let mallory = world.again("2");
        mallory.creates("left.test", &hers, 70);
        for _ in 0..2 {
            let seen = mallory.looks("left.test");
            assert_eq!(seen["state"], "claimed", "{seen:#}");
            assert_eq!(seen["seen"]["delegated_to"].as_array().map(Vec::len), Some(2), "{seen:#}");
        }
        // Nor if she takes her claim back and makes it again.
        mallory.expect(&["zone", "remove", "left.test"]);
        mallory.expect(&["zone", "add", "left.test", "--primary", &hers.address().to_string()]);
        assert_eq!(mallory.looks("left.test")["state"], "claimed");
        world.is_refused("left.test");
    });
}

#[test]
fn nobody_gets_a_set_of_name_servers_that_somebody_had_by_making_accounts() {
    let test = "ownership::attacks::nobody_gets_a_set_of_name_servers_that_somebody_had_by_making_accounts";
    in_a_network_of_its_own(test, || {
        let world = World::new("");
        let primary = address(OTHER).to_string();
        let mut sets = BTreeSet::new();
        // Two of four: six sets. One in two accounts is given up again.
        for account in 0..6 {
            let name = format!("Account {account}");
            let organisation = world.organisation(&name);
            organisation.expect(&["zone", "add", "any.test", "--primary", &primary]);
            assert!(sets.insert(organisation.name_servers("any.test")), "a set was given twice");
            if account % 2 == 0 {
                world.secondo.expect(&["tenant", "remove", &organisation.id, "--name", &name]);
            }
        }
        let last = world.organisation("Too late");
        last.expect(&["zone", "add", "any.test", "--primary", &primary]);
        let shown = last.json(&["zone", "ownership", "any.test"]);
        assert_eq!(
            (&shown["name_servers_are_own"], shown["name_servers"].as_array().unwrap().len()),
            (&json!(false), 4)
        );
    });
}

#[test]
fn neither_below_nor_above_somebodys_zone_is_anything_answered_without_them() {
    let test = "ownership::attacks::neither_below_nor_above_somebodys_zone_is_anything_answered_without_them";
    in_a_network_of_its_own(test, || {
        let world = World::new(&[to_now("victim.test"), to_now("above.test")].concat());
        let (alice, mallory) = (world.organisation("Alice"), world.organisation("Mallory"));
        let (victim, above) = (zone("victim.test", 7, ""), zone("above.test", 7, ""));
        let mut now = Peer::start(
            Software::Nsd,
            Setup::zone("victim.test", victim).and_zone("above.test", above).at(address(NOW)),
        );
        alice.creates("victim.test", &now, 7);
        let text = challenge("victim.test", &alice.text("victim.test"));
        now.replace("victim.test", &zone("victim.test", 8, &text));
        assert_eq!(alice.looks("victim.test")["state"], "proven");
        world.answers("victim.test", 8);

        // Below: what Alice's zone says counts, and nothing that Mallory's does.
        let below = zone("www.victim.test", 70, "www.victim.test. 60 IN A 127.0.53.66\n");
        let hers = Peer::start(Software::Bind, Setup::zone("www.victim.test", below).at(address(OTHER)));
        mallory.creates("www.victim.test", &hers, 70);
        assert_eq!(mallory.looks("www.victim.test")["state"], "claimed");
        assert_eq!(query::ask(world.secondo.dns(), "www.victim.test", Type::A).unwrap().answer.len(), 0);
        // Alice delegates it to Mallory's name servers: now it is hers, as Alice's zone says.
        let servers = to("www.victim.test", &mallory.name_servers("www.victim.test"));
        now.replace("victim.test", &zone("victim.test", 9, &[text, servers].concat()));
        alice.expect(&["zone", "refresh", "victim.test"]);
        world.answers("victim.test", 9);
        let seen = mallory.looks("www.victim.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("delegation")), "{seen:#}");
        world.answers("www.victim.test", 70);

        // Above: Mallory has the zone above one of Alice's, and shows it; Alice's was here first.
        let deep =
            Peer::start(Software::Nsd, Setup::zone("deep.above.test", zone("deep.above.test", 3, "")).at(address(6)));
        alice.creates("deep.above.test", &deep, 3);
        let claims = world.secondo.json(&["claim", "list"]);
        let of = |name: &str| {
            let found = claims.as_array().unwrap().iter().find(|claim| claim["name"] == name).cloned();
            found.unwrap_or_else(|| panic!("{claims:#}"))["id"].to_string()
        };
        world.secondo.expect(&["claim", "approve", &of("deep.above.test.")]);
        world.answers("deep.above.test", 3);
        mallory.creates("above.test", &now, 7);
        now.replace("above.test", &zone("above.test", 8, &challenge("above.test", &mallory.text("above.test"))));
        let seen = mallory.looks("above.test");
        assert_eq!((&seen["state"], &seen["seen"]["text_shown"]), (&json!("claimed"), &json!(true)), "{seen:#}");
        assert!(seen["seen"]["message"].as_str().unwrap().contains("lies above a zone of another"), "{seen:#}");
        world.is_refused("above.test");
        assert_eq!(world.answered("deep.above.test"), Ok(3));
    });
}

#[test]
fn a_public_suffix_is_given_by_whoever_runs_the_service_alone() {
    let test = "ownership::attacks::a_public_suffix_is_given_by_whoever_runs_the_service_alone";
    in_a_network_of_its_own(test, || {
        let world = World::new("");
        let mallory = world.organisation("Mallory");
        for (last, name) in [(OTHER, "test"), (6, "co.uk"), (7, ".")] {
            let text = if name == "." { super::ROOT.to_owned() } else { zone(name, 70, "") };
            let hers = Peer::start(Software::Nsd, Setup::zone(name, text).at(address(last)));
            mallory.expect(&["zone", "add", name, "--primary", &hers.address().to_string()]);
            let seen = mallory.looks(name);
            let found = (&seen["state"], &seen["is_public_suffix"], &seen["challenge"]);
            assert_eq!(found, (&json!("claimed"), &json!(true), &json!(null)), "{seen:#}");
        }
        world.is_refused("anything.test");
        let claims = world.secondo.json(&["claim", "list"]);
        let claims = claims.as_array().unwrap();
        assert!(claims.len() == 3 && claims.iter().all(|claim| claim["is_public_suffix"] == true), "{claims:#?}");
        let id = claims.iter().find(|claim| claim["name"] == "test.").unwrap()["id"].to_string();
        world.secondo.expect(&["claim", "approve", &id]);
        world.answers("test", 70);
    });
}

#[test]
fn a_catalog_brings_an_organisation_the_names_that_it_has_and_nobody_elses() {
    let test = "ownership::attacks::a_catalog_brings_an_organisation_the_names_that_it_has_and_nobody_elses";
    in_a_network_of_its_own(test, || {
        let world = World::new(&[to_now("victim.test"), to_now("own.test")].concat());
        let (alice, mallory) = (world.organisation("Alice"), world.organisation("Mallory"));
        let (victim, own) = (zone("victim.test", 7, ""), zone("own.test", 7, ""));
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("victim.test", victim).and_zone("own.test", own).at(address(NOW)));
        let proves = |organisation: &Organisation<'_>, name: &str, now: &mut Peer| {
            organisation.creates(name, now, 7);
            now.replace(name, &zone(name, 8, &challenge(name, &organisation.text(name))));
            assert_eq!(organisation.looks(name)["state"], "proven");
            world.answers(name, 8);
        };
        proves(&alice, "victim.test", &mut now);
        proves(&mallory, "own.test", &mut now);

        // Mallory's catalog lists a zone below her own, Alice's zone, one below that, and a name that nobody has proven.
        let listed = ["www.own.test", "victim.test", "www.victim.test", "free.test"];
        let members: String =
            listed.iter().enumerate().map(|(label, name)| format!("l{label}.zones PTR {name}.\n")).collect();
        let catalog =
            format!("$TTL 0\n@ SOA invalid. invalid. 1 1 1 600 60\n@ NS invalid.\nversion TXT \"2\"\n{members}");
        let setup = listed.iter().fold(Setup::zone("catalog.test", catalog).at(address(OTHER)), |setup, name| {
            setup.and_zone(name, zone(name, 66, ""))
        });
        let hers = Peer::start(Software::Bind, setup);
        mallory.expect(&["catalog", "add", "catalog.test", "--primary", &hers.address().to_string()]);
        for name in listed {
            eventually(SOON, &format!("{name} to be copied for Mallory"), || {
                let ran = world.secondo.client_with(&mallory.variables(), &["zone", "show", name, "--json"]);
                if ran.stdout.contains("\"serial\": 66") { Ok(()) } else { Err(ran.words()) }
            });
        }
        world.answers("www.own.test", 66);
        assert_eq!(world.answered("victim.test"), Ok(8));
        world.is_refused("free.test");
        let below = query::ask(world.secondo.dns(), "www.victim.test", Type::SOA).unwrap();
        assert_eq!(below.rcode, Rcode::NXDOMAIN, "it is answered as Alice's zone says: {below:?}");
        for name in &listed[1..] {
            mallory.is(name, "claimed", None);
        }
    });
}
