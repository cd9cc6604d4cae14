//! What proves a name, how it is lost, and how it is given away.

use dns::Rcode;
use serde_json::json;
use testing::eventually;
use testing::namespace::in_a_network_of_its_own;
use testing::peer::{Peer, Setup, Software};

use super::{NOW, OTHER, World, address, challenge, to, to_now, zone};
use crate::scene::SOON;

#[test]
fn a_text_where_the_name_is_delegated_to_proves_it_before_it_is_delegated_to_us() {
    let test = "ownership::proofs::a_text_where_the_name_is_delegated_to_proves_it_before_it_is_delegated_to_us";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("alice.test"));
        let alice = world.organisation("Alice");
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        alice.creates("alice.test", &now, 7);
        world.is_refused("alice.test");
        let seen = alice.looks("alice.test");
        assert_eq!((&seen["state"], &seen["seen"]["text_shown"]), (&json!("claimed"), &json!(false)), "{seen:#}");
        assert_eq!(seen["seen"]["delegated_to"], json!(["ns.alice.test."]));
        now.replace("alice.test", &zone("alice.test", 8, &challenge("alice.test", &alice.text("alice.test"))));
        let seen = alice.looks("alice.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("challenge")), "{seen:#}");
        // Whoever is told that it is proven gets it answered.
        assert!(world.answered("alice.test").is_ok());
        world.answers("alice.test", 8);
        // And below it, as the zone above is theirs.
        let below =
            Peer::start(Software::Nsd, Setup::zone("a.alice.test", zone("a.alice.test", 3, "")).at(address(OTHER)));
        alice.creates("a.alice.test", &below, 3);
        assert_eq!(alice.looks("a.alice.test")["proof"], "above");
        world.answers("a.alice.test", 3);
    });
}

#[test]
fn a_delegation_that_is_seen_to_change_proves_the_name_and_a_restart_knows_it() {
    let test = "ownership::proofs::a_delegation_that_is_seen_to_change_proves_the_name_and_a_restart_knows_it";
    in_a_network_of_its_own(test, || {
        let mut world = World::new("");
        let hidden =
            Peer::start(Software::Bind, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(OTHER)));
        let servers = {
            let (alice, bob) = (world.organisation("Alice"), world.organisation("Bob"));
            alice.creates("alice.test", &hidden, 7);
            bob.creates("alice.test", &hidden, 7);
            // A name that nobody has is not ours, and is seen so.
            assert_eq!(alice.looks("alice.test")["seen"]["delegated_to"], json!([]));
            bob.looks("alice.test");
            let servers = alice.name_servers("alice.test");
            assert_ne!(servers, bob.name_servers("alice.test"), "each has a set of its own");
            servers
        };
        world.delegates(&to("alice.test", &servers));
        let (alice, bob) = (world.again("2"), world.again("3"));
        let theirs = bob.looks("alice.test");
        assert_eq!(theirs["state"], "claimed", "{theirs:#}");
        let seen = alice.looks("alice.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("delegation")), "{seen:#}");
        assert_eq!(world.answered("alice.test"), Ok(7));
        drop((alice, bob));
        // A claim is not answered for a moment, nor is a proven name not.
        world.secondo.kill_and_restart();
        assert_eq!(world.answered("alice.test"), Ok(7));
    });
}

#[test]
fn a_name_that_moves_to_another_organisations_name_servers_is_theirs_from_then_on() {
    let test = "ownership::proofs::a_name_that_moves_to_another_organisations_name_servers_is_theirs_from_then_on";
    in_a_network_of_its_own(test, || {
        let mut world = World::new("");
        let hidden =
            Peer::start(Software::Bind, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(OTHER)));
        let (of_alice, of_bob) = {
            let (alice, bob) = (world.organisation("Alice"), world.organisation("Bob"));
            for one in [&alice, &bob] {
                one.creates("alice.test", &hidden, 7);
                one.looks("alice.test");
            }
            (alice.name_servers("alice.test"), bob.name_servers("alice.test"))
        };
        world.delegates(&to("alice.test", &of_alice));
        assert_eq!(world.again("2").looks("alice.test")["state"], "proven");
        // Sold, and nothing was at a third place in between, where a text could have stood.
        world.delegates(&to("alice.test", &of_bob));
        let seen = world.again("3").looks("alice.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("delegation")), "{seen:#}");
        world.again("2").is("alice.test", "claimed", None);
        world.again("2").was_told("zone.proof-lapsed", "alice.test.");
        assert_eq!(world.answered("alice.test"), Ok(7));
    });
}

#[test]
fn a_proof_that_is_lost_stops_nothing_and_falls_to_who_shows_one() {
    let test = "ownership::proofs::a_proof_that_is_lost_stops_nothing_and_falls_to_who_shows_one";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("alice.test"));
        let (alice, bob) = (world.organisation("Alice"), world.organisation("Bob"));
        let of_alice = zone("alice.test", 7, &challenge("alice.test", "nothing yet"));
        let mut now = Peer::start(Software::Nsd, Setup::zone("alice.test", of_alice).at(address(NOW)));
        alice.creates("alice.test", &now, 7);
        now.replace("alice.test", &zone("alice.test", 8, &challenge("alice.test", &alice.text("alice.test"))));
        assert_eq!(alice.looks("alice.test")["state"], "proven");
        world.answers("alice.test", 8);
        let hidden =
            Peer::start(Software::Bind, Setup::zone("alice.test", zone("alice.test", 70, "")).at(address(OTHER)));
        bob.creates("alice.test", &hidden, 70);
        // Both texts stand there: whoever has the name keeps it.
        let both =
            [challenge("alice.test", &alice.text("alice.test")), challenge("alice.test", &bob.text("alice.test"))];
        now.replace("alice.test", &zone("alice.test", 9, &both.concat()));
        let seen = bob.looks("alice.test");
        assert_eq!(seen["state"], "claimed");
        assert!(seen["seen"]["message"].as_str().unwrap().contains("proven for another organisation"), "{seen:#}");
        world.answers("alice.test", 9);
        // Bob's alone: Alice's is looked at before it falls to him.
        now.replace("alice.test", &zone("alice.test", 10, &both[1]));
        let seen = bob.looks("alice.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("challenge")), "{seen:#}");
        world.answers("alice.test", 70);
        alice.is("alice.test", "claimed", None);
        alice.was_told("zone.proof-lapsed", "alice.test.");
        alice.was_told("zone.proof-taken", "alice.test.");
        let nothing_of_bob = alice.expect(&["audit"]);
        assert!(!nothing_of_bob.contains("Bob") && !nothing_of_bob.contains("127.0.53.5"), "{nothing_of_bob}");
    });
}

#[test]
fn a_lost_proof_alone_is_told_and_the_name_is_answered_on() {
    let test = "ownership::proofs::a_lost_proof_alone_is_told_and_the_name_is_answered_on";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("alice.test"));
        let alice = world.organisation("Alice");
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        alice.creates("alice.test", &now, 7);
        let with_text = |serial| zone("alice.test", serial, &challenge("alice.test", &alice.text("alice.test")));
        now.replace("alice.test", &with_text(8));
        assert_eq!(alice.looks("alice.test")["state"], "proven");
        now.replace("alice.test", &zone("alice.test", 9, ""));
        assert_eq!(alice.looks("alice.test")["state"], "lapsed");
        world.answers("alice.test", 9);
        alice.was_told("zone.proof-lapsed", "alice.test.");
        now.replace("alice.test", &with_text(10));
        assert_eq!(alice.looks("alice.test")["state"], "proven");
    });
}

#[test]
fn a_name_is_handed_over_and_given_by_whoever_runs_the_service() {
    let test = "ownership::proofs::a_name_is_handed_over_and_given_by_whoever_runs_the_service";
    in_a_network_of_its_own(test, || {
        let world = World::new("");
        let (alice, bob) = (world.organisation("Alice"), world.organisation("Bob"));
        let one = Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        let other =
            Peer::start(Software::Bind, Setup::zone("alice.test", zone("alice.test", 70, "")).at(address(OTHER)));
        alice.creates("alice.test", &one, 7);
        bob.creates("alice.test", &other, 70);
        let claims = world.secondo.json(&["claim", "list"]);
        let of = |tenant: &str| {
            let claims = claims.as_array().unwrap().iter();
            let found = claims.clone().find(|claim| claim["tenant"].as_u64() == tenant.parse().ok()).unwrap();
            found["id"].to_string()
        };
        world.secondo.expect(&["claim", "approve", &of(&alice.id)]);
        world.answers("alice.test", 7);
        alice.is("alice.test", "proven", Some("operator"));
        let text = bob.text("alice.test");
        for wrong in ["secondo-0123", &alice.text("alice.test")] {
            let ran = world.secondo.client_with(&alice.variables(), &["zone", "hand-over", "alice.test", wrong]);
            ran.must_fail(&["no other organisation's claim", "(claim_unknown)"]);
        }
        let ran = world.secondo.client_with(&bob.variables(), &["zone", "hand-over", "alice.test", &text]);
        ran.must_fail(&["is not proven for you", "(name_not_proven)"]);
        alice.expect(&["zone", "hand-over", "alice.test", &text]);
        assert_eq!(world.answered("alice.test"), Ok(70));
        alice.is("alice.test", "claimed", None);
        bob.is("alice.test", "proven", Some("handed-over"));
        // Nothing shows it yet, and a word lasts all the same.
        assert_eq!(bob.looks("alice.test")["state"], "proven");
        assert_eq!(alice.looks("alice.test")["state"], "claimed");
        bob.is("alice.test", "proven", Some("handed-over"));
        world.secondo.expect(&["claim", "disprove", &of(&bob.id)]);
        eventually(SOON, "nobody to have the name", || match world.answered("alice.test") {
            Err(Rcode::REFUSED) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    });
}
