//! Names that are sold, handed on and taken back: who has them then, with all that is below them.

use std::net::UdpSocket;
use std::time::Duration;

use dns::Type;
use serde_json::json;
use testing::namespace::in_a_network_of_its_own;
use testing::peer::{Peer, Setup, Software};
use testing::{eventually, query};

use super::{NOW, OTHER, World, address, challenge, ip, to, to_now, zone};
use crate::scene::SOON;

/// Claims that are due are found every half minute.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_name_that_was_handed_over_and_then_sold_falls_to_who_shows_it() {
    let test = "ownership::moves::a_name_that_was_handed_over_and_then_sold_falls_to_who_shows_it";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("sold.test"));
        let (alice, mallory, second) =
            (world.organisation("Alice"), world.organisation("Mallory"), world.organisation("Mallory too"));
        let mut now = Peer::start(Software::Nsd, Setup::zone("sold.test", zone("sold.test", 7, "")).at(address(NOW)));
        for one in [&alice, &mallory, &second] {
            one.creates("sold.test", &now, 7);
        }
        let of_mallory = challenge("sold.test", &mallory.text("sold.test"));
        now.replace("sold.test", &zone("sold.test", 8, &of_mallory));
        assert_eq!(mallory.looks("sold.test")["state"], "proven");
        mallory.expect(&["zone", "hand-over", "sold.test", &second.text("sold.test")]);
        // What she had to show shows still: for who has it now, and not for her.
        assert_eq!(second.looks("sold.test")["state"], "proven");
        assert_eq!(mallory.looks("sold.test")["state"], "claimed");
        assert_ne!(challenge("sold.test", &mallory.text("sold.test")), of_mallory, "a text proves one name once");
        // Sold: whoever it was handed to shows nothing, and Alice does.
        let of_alice = challenge("sold.test", &alice.text("sold.test"));
        now.replace("sold.test", &zone("sold.test", 9, &of_alice));
        let seen = alice.looks("sold.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("challenge")), "{seen:#}");
        second.is("sold.test", "claimed", None);
    });
}

#[test]
fn a_name_that_was_handed_over_stays_so_while_the_parent_still_names_the_givers_servers() {
    let test =
        "ownership::moves::a_name_that_was_handed_over_stays_so_while_the_parent_still_names_the_givers_servers";
    in_a_network_of_its_own(test, || {
        let mut world = World::new("");
        let hidden =
            Peer::start(Software::Bind, Setup::zone("given.test", zone("given.test", 7, "")).at(address(OTHER)));
        let (of_bob, of_carol) = {
            let (bob, carol) = (world.organisation("Bob"), world.organisation("Carol"));
            for one in [&bob, &carol] {
                one.creates("given.test", &hidden, 7);
                one.looks("given.test");
            }
            (bob.name_servers("given.test"), carol.name_servers("given.test"))
        };
        world.delegates(&to("given.test", &of_bob));
        {
            let (bob, carol) = (world.again("2"), world.again("3"));
            assert_eq!(bob.looks("given.test")["proof"], "delegation");
            bob.expect(&["zone", "hand-over", "given.test", &carol.text("given.test")]);
            for _ in 0..2 {
                assert_eq!(bob.looks("given.test")["state"], "claimed");
                assert_eq!(carol.looks("given.test")["proof"], "handed-over");
            }
            carol.is("given.test", "proven", Some("handed-over"));
        }
        world.delegates(&to("given.test", &of_carol));
        assert_eq!(world.again("3").looks("given.test")["proof"], "delegation");
        assert_eq!(world.again("2").looks("given.test")["state"], "claimed");
    });
}

#[test]
fn what_the_zone_above_no_longer_delegates_is_answered_as_that_says() {
    let test = "ownership::moves::what_the_zone_above_no_longer_delegates_is_answered_as_that_says";
    in_a_network_of_its_own(test, || {
        let mut world = World::new(&to_now("alice.test"));
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        let sub = zone("sub.alice.test", 70, "sub.alice.test. 60 IN A 127.0.53.66\n");
        let hidden = Peer::start(Software::Bind, Setup::zone("sub.alice.test", sub).at(address(OTHER)));
        let of_carol = {
            let (alice, carol) = (world.organisation("Alice"), world.organisation("Carol"));
            alice.creates("alice.test", &now, 7);
            carol.creates("sub.alice.test", &hidden, 70);
            alice.looks("alice.test");
            to("sub.alice.test", &carol.name_servers("sub.alice.test"))
        };
        // The end of every move: the zone above is delegated to us, and we do not ask ourselves.
        let of_alice = world.again("2").name_servers("alice.test");
        world.delegates(&to("alice.test", &of_alice));
        now.replace("alice.test", &zone("alice.test", 8, &of_carol));
        let (alice, carol) = (world.again("2"), world.again("3"));
        assert_eq!(alice.looks("alice.test")["proof"], "delegation");
        alice.expect(&["zone", "refresh", "alice.test"]);
        world.answers("alice.test", 8);
        assert_eq!(carol.looks("sub.alice.test")["proof"], "delegation");
        world.answers("sub.alice.test", 70);
        // She takes it back, and has an address there instead.
        now.replace("alice.test", &zone("alice.test", 9, "sub.alice.test. 60 IN A 127.0.53.6\n"));
        alice.expect(&["zone", "refresh", "alice.test"]);
        world.answers("alice.test", 9);
        let seen = carol.looks("sub.alice.test");
        assert_eq!((&seen["state"], &seen["neighbour"]), (&json!("claimed"), &json!("above")), "{seen:#}");
        carol.was_told("zone.proof-taken", "sub.alice.test.");
        eventually(SOON, "Alice's address to be answered", || {
            let answer = query::ask(world.secondo.dns(), "sub.alice.test", Type::A).unwrap().answer;
            if answer.iter().any(|record| record.ends_with("127.0.53.6")) {
                Ok(())
            } else {
                Err(format!("{answer:?}"))
            }
        });
    });
}

#[test]
fn what_is_below_a_name_that_was_sold_does_not_outlive_it() {
    let test = "ownership::moves::what_is_below_a_name_that_was_sold_does_not_outlive_it";
    in_a_network_of_its_own(test, || {
        let mut world = World::new(&to_now("sold.test"));
        let www = zone("www.sold.test", 70, "");
        // One below is shown by a text of its own, the others hang on the zone above.
        let delegated = "www.sold.test. 60 IN NS ns.www.sold.test.\nns.www.sold.test. 60 IN A 127.0.53.8\n";
        let setup = Setup::zone("sold.test", zone("sold.test", 7, delegated));
        let mut now = Peer::start(Software::Nsd, setup.at(address(NOW)));
        let mut at_www = Peer::start(Software::Nsd, Setup::zone("www.sold.test", www).at(address(8)));
        let below: Vec<Peer> = [("shop.sold.test", OTHER), ("given.sold.test", 6)]
            .map(|(name, last)| Peer::start(Software::Nsd, Setup::zone(name, zone(name, 70, "")).at(address(last))))
            .into();
        let hidden = Peer::start(Software::Bind, Setup::zone("sold.test", zone("sold.test", 700, "")).at(address(7)));
        {
            let (bob, second, alice) =
                (world.organisation("Bob"), world.organisation("Bob too"), world.organisation("Alice"));
            bob.creates("www.sold.test", &at_www, 70);
            let text = challenge("www.sold.test", &bob.text("www.sold.test"));
            at_www.replace("www.sold.test", &zone("www.sold.test", 71, &text));
            assert_eq!(bob.looks("www.sold.test")["proof"], "challenge");
            bob.creates("sold.test", &now, 7);
            let text = challenge("sold.test", &bob.text("sold.test"));
            now.replace("sold.test", &zone("sold.test", 8, &[delegated, &text].concat()));
            assert_eq!(bob.looks("sold.test")["proof"], "challenge");
            bob.creates("shop.sold.test", &below[0], 70);
            assert_eq!(bob.looks("shop.sold.test")["proof"], "above");
            bob.creates("given.sold.test", &below[1], 70);
            assert_eq!(bob.looks("given.sold.test")["proof"], "above");
            second.creates("given.sold.test", &below[1], 70);
            bob.expect(&["zone", "hand-over", "given.sold.test", &second.text("given.sold.test")]);
            assert_eq!(second.looks("given.sold.test")["proof"], "handed-over");
            alice.creates("sold.test", &hidden, 700);
            alice.looks("sold.test");
        }
        // Sold, and delegated to Alice's name servers at once: there is no third place where anything could be seen.
        let of_alice = world.again("4").name_servers("sold.test");
        world.delegates(&to("sold.test", &of_alice));
        let alice = world.again("4");
        let seen = alice.looks("sold.test");
        assert_eq!((&seen["state"], &seen["proof"]), (&json!("proven"), &json!("delegation")), "{seen:#}");
        assert_eq!(world.answered("sold.test"), Ok(700));
        for (organisation, name) in [("2", "www.sold.test"), ("2", "shop.sold.test"), ("3", "given.sold.test")] {
            let theirs = world.again(organisation);
            assert_eq!(theirs.looks(name)["state"], "claimed", "{name}");
            theirs.was_told("zone.proof-taken", &format!("{name}."));
            // Alice's zone has no such name.
            let reply = query::ask(world.secondo.dns(), name, Type::SOA).unwrap();
            assert_eq!((reply.rcode, reply.answer.len()), (dns::Rcode::NXDOMAIN, 0), "{name}");
        }
    });
}

#[test]
fn a_zone_that_is_handed_over_says_what_is_below_it_from_then_on() {
    let test = "ownership::moves::a_zone_that_is_handed_over_says_what_is_below_it_from_then_on";
    in_a_network_of_its_own(test, || {
        let world = World::new(&to_now("given.test"));
        let (bob, carol) = (world.organisation("Bob"), world.organisation("Carol"));
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("given.test", zone("given.test", 7, "")).at(address(NOW)));
        let www = zone("www.given.test", 70, "");
        let hidden = Peer::start(Software::Nsd, Setup::zone("www.given.test", www).at(address(OTHER)));
        bob.creates("given.test", &now, 7);
        now.replace("given.test", &zone("given.test", 8, &challenge("given.test", &bob.text("given.test"))));
        assert_eq!(bob.looks("given.test")["proof"], "challenge");
        bob.creates("www.given.test", &hidden, 70);
        assert_eq!(bob.looks("www.given.test")["proof"], "above");
        world.answers("www.given.test", 70);
        carol.creates("given.test", &now, 8);
        bob.expect(&["zone", "hand-over", "given.test", &carol.text("given.test")]);
        // Nobody asks for a look: it is due.
        eventually(LOOKED_AT_WITHIN, "Bob's zone below to be answered no more", || {
            let reply = query::ask(world.secondo.dns(), "www.given.test", Type::SOA).unwrap();
            if reply.rcode == dns::Rcode::NXDOMAIN { Ok(()) } else { Err(format!("{reply:?}")) }
        });
        bob.is("www.given.test", "claimed", None);
        bob.was_told("zone.proof-taken", "www.given.test.");
    });
}

#[test]
fn nobody_waits_for_the_silent_name_servers_of_another() {
    let test = "ownership::moves::nobody_waits_for_the_silent_name_servers_of_another";
    in_a_network_of_its_own(test, || {
        let names: Vec<String> = (0..12).map(|number| format!("silent-{number}.test")).collect();
        let silent: String = names
            .iter()
            .map(|name| {
                let addresses = format!("ns.{name}. 60 IN A {}\nns.{name}. 60 IN A {}\n", ip(7), ip(8));
                format!("{name}. 60 IN NS ns.{name}.\n{addresses}")
            })
            .collect();
        let world = World::new(&[to_now("alice.test"), silent].concat());
        // They are there, and never say a word.
        let _silent = [7, 8].map(|last| UdpSocket::bind(address(last)).unwrap());
        let (mallory, alice) = (world.organisation("Mallory"), world.organisation("Alice"));
        let mut now =
            Peer::start(Software::Nsd, Setup::zone("alice.test", zone("alice.test", 7, "")).at(address(NOW)));
        for name in &names {
            mallory.expect(&["zone", "add", name, "--primary", &now.address().to_string()]);
        }
        alice.creates("alice.test", &now, 7);
        let text = challenge("alice.test", &alice.text("alice.test"));
        now.replace("alice.test", &zone("alice.test", 8, &text));
        alice.expect(&["zone", "refresh", "alice.test"]);
        // Nobody asks for it: hers are in a row of their own.
        let looked_at = || {
            let claims = world.secondo.json(&["claim", "list"]);
            let claims = claims.as_array().unwrap().clone();
            claims.into_iter().filter(|claim| !claim["looked_at"].is_null()).count()
        };
        eventually(SOON, "Alice's claim to be looked at", || {
            let seen = alice.json(&["zone", "ownership", "alice.test"]);
            if seen["seen"].is_null() { Err(format!("{seen:#}")) } else { Ok(()) }
        });
        assert!(looked_at() < names.len(), "all of Mallory's came first");
        alice.looks("alice.test");
        world.answers("alice.test", 8);
    });
}
