//! A whole internet of real name servers in a network of its own: root, TLDs and zones, by NSD and BIND, at port 53.

#![allow(clippy::unwrap_used)]

mod internet;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use delegation::{
    Challenge, Delegation, Denial, Differences, Ds, Examined, Failure, Found, Hints, Limits, NameServer, Said,
    Trouble, Verdict, Walker, Whose,
};
use dns::{Name, Serial};
use testing::namespace::{add_address, in_a_network_of_its_own};
use testing::peer::{Peer, Setup, Software};
use xfr::Destinations;

use crate::internet::{CHALLENGED, Internet, address, ip, of_test, zone};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn names(texts: &[&str]) -> BTreeSet<Name> {
    texts.iter().map(|text| name(text)).collect()
}

fn walker() -> Walker {
    let hints = ". NS a.root.\na.root. A 127.0.53.1\n".parse().unwrap();
    // All servers are on this machine, which may be busy.
    let limits = Limits { udp_try: Duration::from_secs(5), time: Duration::from_secs(60), ..Limits::default() };
    Walker::new(hints, Destinations::Anything).within(limits)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn delegation(zone: &str) -> Delegation {
    wait(walker().delegation(&name(zone))).unwrap_or_else(|failure| panic!("{zone}: {failure}"))
}

fn servers(zone: &str) -> Examined {
    wait(walker().servers(&name(zone))).unwrap_or_else(|failure| panic!("{zone}: {failure}"))
}

fn challenge(zone: &str) -> Challenge {
    wait(walker().challenge(&name(zone))).unwrap_or_else(|failure| panic!("{zone}: {failure}"))
}

#[test]
fn the_parent_says_what_it_delegates_wherever_the_cuts_are() {
    in_a_network_of_its_own("the_parent_says_what_it_delegates_wherever_the_cuts_are", || {
        let _internet = Internet::start();

        let found = delegation("Delegated.Test");
        assert_eq!((found.parent.clone(), found.views.len()), (name("test"), 2));
        let two = names(&["ns1.delegated.test", "ns2.delegated.test"]);
        assert_eq!(found.verdict(), Verdict::Delegated(&two), "the parent's, and not the zone's own");
        assert_eq!(found.differences(), Differences::default());
        assert_eq!(found.fit(&two), Some(delegation::compare::Fit::Exactly));
        for view in &found.views {
            let Said::Delegated { ns, ds: Ds::Records(ds) } = &view.said else { panic!("{view:?}") };
            assert_eq!((ns.glue.len(), ds.len()), (2, 1), "{view:?}");
            assert_eq!(ns.glue[&name("ns1.delegated.test")], [ip(5)].into());
        }

        let found = delegation("deep.ent.test");
        assert_eq!(found.parent, name("test"), "an empty non-terminal is between them");
        assert_eq!(found.verdict(), Verdict::Delegated(&names(&["ns.deep.ent.test"])));

        let found = delegation("example.co.uk");
        assert_eq!(found.parent, name("co.uk"), "one server has uk and co.uk");
        assert_eq!(found.verdict(), Verdict::Delegated(&names(&["ns.example.co.uk"])));
        let found = delegation("co.uk");
        assert_eq!(found.parent, name("uk"));
        assert_eq!(found.verdict(), Verdict::OnlyItself(&names(&["ns.nic.uk"])));

        let found = delegation("test");
        assert_eq!(found.parent, Name::root());
        assert_eq!(found.verdict(), Verdict::Delegated(&names(&["ns1.nic.test", "ns2.nic.test"])));
    });
}

#[test]
fn what_is_not_delegated_and_where_the_parents_servers_differ_is_shown() {
    in_a_network_of_its_own("what_is_not_delegated_and_where_the_parents_servers_differ_is_shown", || {
        let _internet = Internet::start();
        for (zone, denial) in [
            ("nobody.test", Denial::NxDomain),
            ("below.nobody.test", Denial::NxDomain),
            ("records.test", Denial::NoData),
            ("ent.test", Denial::NoData),
            ("nobody", Denial::NxDomain),
        ] {
            let found = delegation(zone);
            assert_eq!(found.verdict(), Verdict::NotDelegated(denial), "{zone}");
            assert_eq!(found.fit(&names(&["ns.wanted.other"])), Some(delegation::compare::Fit::None));
            let parent = if zone == "nobody" { Name::root() } else { name("test") };
            assert_eq!(found.parent, parent, "{zone}");
        }

        let found = delegation("differing.test");
        assert_eq!(found.verdict(), Verdict::Differing);
        assert!(found.differences().name_servers && found.fit(&names(&["ns1.differing.test"])).is_none());
        assert_eq!(found.views.len(), 2);

        let found = delegation("new.test");
        assert_eq!(found.verdict(), Verdict::Differing, "one knows of it, and the other does not yet");

        let found = delegation("regluing.test");
        assert_eq!(found.verdict(), Verdict::Delegated(&names(&["ns.regluing.test"])));
        assert_eq!(found.differences(), Differences { name_servers: false, glue: true, ds: true });
    });
}

#[test]
fn a_server_that_has_parent_and_zone_hides_what_the_parent_delegates() {
    in_a_network_of_its_own("a_server_that_has_parent_and_zone_hides_what_the_parent_delegates", || {
        let mut internet = Internet::start();
        // BIND has both, NSD only the parent: what counts is what NSD shows.
        let found = delegation("half.test");
        assert_eq!(found.verdict(), Verdict::Delegated(&names(&["ns.half.test"])));
        let itself = found.views.iter().find_map(|view| match &view.said {
            Said::Itself { ns, ds } => Some((ns.names.clone(), ds.clone())),
            _ => None,
        });
        let own = names(&["ns.own.half.test"]);
        assert!(itself.is_none_or(|(ns, ds)| ns == own && ds == Ds::Records([].into())), "{:?}", found.views);

        // Both have both: nothing but the zone's own word, and the parent's DS records.
        let found = delegation("both.test");
        let own = names(&["ns.both.test", "ns.hoster.other"]);
        assert_eq!(found.verdict(), Verdict::OnlyItself(&own));
        assert_eq!(found.fit(&own), None, "no word of the parent's");
        for view in &found.views {
            assert!(matches!(&view.said, Said::Itself { ds: Ds::Records(ds), .. } if ds.len() == 1), "{view:?}");
        }

        // The only one that could show it is gone.
        internet.test[1].switch_off();
        let found = delegation("half.test");
        assert_eq!(found.verdict(), Verdict::OnlyItself(&names(&["ns.own.half.test"])));
    });
}

#[test]
fn dead_servers_of_the_parent_are_shown_and_made_up_for() {
    in_a_network_of_its_own("dead_servers_of_the_parent_are_shown_and_made_up_for", || {
        let mut internet = Internet::start();
        internet.test[0].switch_off();
        let found = delegation("delegated.test");
        let two = names(&["ns1.delegated.test", "ns2.delegated.test"]);
        assert_eq!(found.verdict(), Verdict::Delegated(&two));
        let dead: Vec<_> = found.views.iter().filter(|view| matches!(view.said, Said::Nothing(_))).collect();
        assert!(dead.iter().all(|view| view.server.address == ip(2)) && !dead.is_empty(), "{:?}", found.views);

        // Mute is not dead, and costs patience; but no more than the walk has.
        internet.test[1].freeze();
        let failure = wait(walker().delegation(&name("delegated.test"))).unwrap_err();
        assert_eq!((failure.code(), failure.whose()), ("nobody_answers", Whose::Network), "{failure}");
        let Failure::NobodyAnswers { zone, troubles } = &failure else { panic!("{failure}") };
        assert_eq!((zone, troubles.len()), (&name("test"), 2), "{failure}");
        internet.test[1].thaw();
    });
}

#[test]
fn each_delegated_server_is_asked_and_lame_ones_are_named() {
    in_a_network_of_its_own("each_delegated_server_is_asked_and_lame_ones_are_named", || {
        let _internet = Internet::start();
        let at = |examined: &Examined| -> Vec<(String, Vec<(IpAddr, Found)>)> {
            let one = |server: &NameServer| (server.name.to_string(), server.at.clone());
            examined.servers.iter().map(one).collect()
        };
        let serves = |last, serial| (ip(last), Found::Serves { serial: Serial(serial) });
        let examined = servers("delegated.test");
        assert_eq!(
            at(&examined),
            [("ns1.delegated.test.".into(), vec![serves(5, 5)]), ("ns2.delegated.test.".into(), vec![serves(6, 6)])]
        );

        let glueless = servers("glueless.test");
        assert_eq!(at(&glueless), [("ns.hoster.other.".into(), vec![serves(5, 7)])]);

        let lame = servers("lame.test");
        let found: Vec<(String, bool, bool)> =
            lame.servers.iter().map(|server| (server.name.to_string(), server.serves(), server.is_lame())).collect();
        assert_eq!(
            found,
            [
                ("nowhere.other.".into(), false, false),
                ("ns1.lame.test.".into(), false, true),
                ("ns2.lame.test.".into(), true, false),
                ("ns3.lame.test.".into(), false, false),
            ]
        );
        assert!(lame.servers[0].at.is_empty(), "a name without an address");
        assert!(matches!(&lame.servers[1].at[..], [(_, Found::Lame(Trouble::Answers(dns::Rcode::REFUSED)))]));
        assert!(matches!(&lame.servers[3].at[..], [(_, Found::Nothing(Trouble::Unreachable { .. }))]));
    });
}

#[test]
fn a_challenge_counts_only_at_the_servers_that_the_parent_delegates_to_now() {
    in_a_network_of_its_own("a_challenge_counts_only_at_the_servers_that_the_parent_delegates_to_now", || {
        let mut internet = Internet::start();
        // A copy of the zone with another text, to which nobody delegates.
        let text = format!("{CHALLENGED} \"elsewhere\"\n");
        let elsewhere = zone("delegated.test", 99, &["ns.elsewhere.test."], &text);
        let _elsewhere = Peer::start(Software::Nsd, Setup::zone("delegated.test", elsewhere).at(address(8)));
        let found = challenge("delegated.test");
        assert_eq!(found.name, name("_secondo-challenge.delegated.test"));
        let mut asked: Vec<IpAddr> = found.answers.iter().map(|(server, _)| server.address).collect();
        asked.sort();
        assert_eq!(asked, [ip(5), ip(6)]);
        assert!(found.shows("first") && !found.shows("elsewhere"), "{found:?}");
        assert!(!found.shows("another"), "one of the two does not have it");
        assert!(!found.shows(""));

        let bare = challenge("glueless.test");
        assert!(matches!(&bare.answers[..], [(_, Ok(texts))] if texts.is_empty()), "{bare:?}");
        assert!(!bare.shows("first"));
        let nobody = challenge("nobody.test");
        assert!(nobody.answers.is_empty() && !nobody.shows("first"));

        // The parent delegates to the other one: what it says is what counts, and what was said before does not.
        let moved = of_test(2, "").replace("127.0.53.5", "127.0.53.8").replace("127.0.53.6", "127.0.53.8");
        internet.test.iter_mut().for_each(|parent| parent.replace("test", &moved));
        let found = challenge("delegated.test");
        assert!(found.shows("elsewhere") && !found.shows("first"), "{found:?}");
        assert_eq!(found.answers.len(), 1, "two names are one server: {found:?}");
    });
}

#[test]
fn a_walk_from_ianas_hints_asks_public_addresses_alone() {
    in_a_network_of_its_own("a_walk_from_ianas_hints_asks_public_addresses_alone", || {
        // One of the thirteen root servers is there; to the others no way leads.
        let (root, tld) = ("199.7.83.42", "185.49.140.1");
        [root, tld].iter().for_each(|address| add_address(address.parse().unwrap()));
        let at_root = ". 60 IN SOA l.root-servers.net. host. 1 60 60 600 60\n. 60 IN NS l.root-servers.net.\n\
                       test. 60 IN NS ns.nic.test.\nns.nic.test. 60 IN A 185.49.140.1\n";
        let inner = zone(
            "test",
            1,
            &["ns.nic.test."],
            "ns.nic.test. 60 IN A 185.49.140.1\n\
                         inside.test. 60 IN NS ns1.inside.test.\ninside.test. 60 IN NS ns2.inside.test.\n\
                         ns1.inside.test. 60 IN A 127.0.53.5\nns2.inside.test. 60 IN A 169.254.169.254\n",
        );
        let port = |address: &str| SocketAddr::new(address.parse().unwrap(), 53);
        let _root = Peer::start(Software::Nsd, Setup::zone(".", at_root).at(port(root)));
        let _tld = Peer::start(Software::Bind, Setup::zone("test", inner).at(port(tld)));
        let secret = zone("inside.test", 1, &["ns1.inside.test."], "ns1.inside.test. 60 IN A 127.0.53.5\n");
        let inside = Peer::start(Software::Nsd, Setup::zone("inside.test", secret).at(address(5)));
        let judge = Destinations::PublicOnly { allowed: Vec::new(), ours: Vec::new() };
        let walker = Walker::new(Hints::iana(), judge);
        let examined = wait(walker.servers(&name("inside.test"))).unwrap();
        let both = names(&["ns1.inside.test", "ns2.inside.test"]);
        assert_eq!(examined.delegation.verdict(), Verdict::Delegated(&both));
        for server in &examined.servers {
            assert!(matches!(&server.at[..], [(_, Found::Nothing(Trouble::AddressRefused(_)))]), "{server:?}");
        }
        // Whoever may ask it finds it.
        let examined =
            wait(Walker::new(Hints::iana(), Destinations::Anything).servers(&name("inside.test"))).unwrap();
        assert!(examined.servers[0].serves(), "{:?}\n{}", examined.servers, inside.log());
    });
}
