//! A whole internet of real name servers in a network of its own: root, TLDs and zones, by NSD and BIND, at port 53.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use delegation::{
    Challenge, Delegation, Denial, Differences, Ds, Examined, Failure, Found, Hints, NameServer, Said, Trouble,
    Verdict, Walker, Whose,
};
use dns::{Name, Serial};
use testing::namespace::{add_address, in_a_network_of_its_own};
use testing::peer::{Peer, Setup, Software};
use xfr::Destinations;

const DS: &str = "12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const ROOT: &str = "\
. 60 IN SOA a.root. host.root. 1 60 60 600 60
. 60 IN NS a.root.
a.root. 60 IN A 127.0.53.1
test. 60 IN NS ns1.nic.test.
test. 60 IN NS ns2.nic.test.
ns1.nic.test. 60 IN A 127.0.53.2
ns2.nic.test. 60 IN A 127.0.53.3
other. 60 IN NS ns.nic.other.
ns.nic.other. 60 IN A 127.0.53.4
uk. 60 IN NS ns.nic.uk.
ns.nic.uk. 60 IN A 127.0.53.7
";

const OTHER: &str = "\
other. 60 IN SOA ns.nic.other. host.other. 1 60 60 600 60
other. 60 IN NS ns.nic.other.
ns.nic.other. 60 IN A 127.0.53.4
hoster.other. 60 IN NS ns.hoster.other.
ns.hoster.other. 60 IN A 127.0.53.5
";

const UK: &str = "\
uk. 60 IN SOA ns.nic.uk. host.uk. 1 60 60 600 60
uk. 60 IN NS ns.nic.uk.
ns.nic.uk. 60 IN A 127.0.53.7
co.uk. 60 IN NS ns.nic.uk.
";

const CO_UK: &str = "\
co.uk. 60 IN SOA ns.nic.uk. host.uk. 1 60 60 600 60
co.uk. 60 IN NS ns.nic.uk.
example.co.uk. 60 IN NS ns.example.co.uk.
ns.example.co.uk. 60 IN A 127.0.53.5
";

/// What both servers of `test.` have; each has more by itself.
const TEST: &str = "\
test. 60 IN NS ns1.nic.test.
test. 60 IN NS ns2.nic.test.
ns1.nic.test. 60 IN A 127.0.53.2
ns2.nic.test. 60 IN A 127.0.53.3
delegated.test. 60 IN NS ns1.delegated.test.
delegated.test. 60 IN NS ns2.delegated.test.
ns1.delegated.test. 60 IN A 127.0.53.5
ns2.delegated.test. 60 IN A 127.0.53.6
glueless.test. 60 IN NS ns.hoster.other.
lame.test. 60 IN NS ns1.lame.test.
lame.test. 60 IN NS ns2.lame.test.
lame.test. 60 IN NS ns3.lame.test.
lame.test. 60 IN NS nowhere.other.
ns1.lame.test. 60 IN A 127.0.53.5
ns2.lame.test. 60 IN A 127.0.53.6
ns3.lame.test. 60 IN A 127.0.53.99
deep.ent.test. 60 IN NS ns.deep.ent.test.
ns.deep.ent.test. 60 IN A 127.0.53.5
half.test. 60 IN NS ns.half.test.
ns.half.test. 60 IN A 127.0.53.2
both.test. 60 IN NS ns.both.test.
ns.both.test. 60 IN A 127.0.53.2
records.test. 60 IN TXT \"no zone\"
";

/// The zones whose names these are, at one server.
struct Internet {
    _root: Peer,
    _other: Peer,
    _uk: Peer,
    /// BIND and NSD.
    test: [Peer; 2],
    /// NSD and BIND.
    _children: [Peer; 2],
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 53, last], 53))
}

fn of_test(serial: u32, more: &str) -> String {
    let signed = format!("delegated.test. 60 IN DS {DS}\nboth.test. 60 IN DS {DS}\n");
    format!("test. 60 IN SOA ns1.nic.test. host.test. {serial} 60 60 600 60\n{TEST}{signed}{more}")
}

/// A zone whose own NS records are these.
fn zone(name: &str, serial: u32, ns: &[&str], more: &str) -> String {
    let ns: String = ns.iter().map(|ns| format!("{name}. 60 IN NS {ns}\n")).collect();
    format!("{name}. 60 IN SOA ns.{name}. host.{name}. {serial} 60 60 600 60\n{ns}{more}")
}

const AT_BIND: &str = "differing.test. 60 IN NS ns1.differing.test.\nns1.differing.test. 60 IN A 127.0.53.5\n\
                       regluing.test. 60 IN NS ns.regluing.test.\nns.regluing.test. 60 IN A 127.0.53.5\n";
const AT_NSD: &str = "differing.test. 60 IN NS ns2.differing.test.\nns2.differing.test. 60 IN A 127.0.53.6\n\
                      regluing.test. 60 IN NS ns.regluing.test.\nns.regluing.test. 60 IN A 127.0.53.6\n\
                      regluing.test. 60 IN DS 1 13 2 \
                      0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\
                      new.test. 60 IN NS ns.new.test.\nns.new.test. 60 IN A 127.0.53.5\n";

impl Internet {
    fn start() -> Self {
        let (nsd, bind) = (Software::Nsd, Software::Bind);
        // BIND listens only at addresses that an interface has as its own.
        (1..=8).for_each(|last| add_address(ip(last)));
        let one =
            |software, at, name: &str, text: &str| Peer::start(software, Setup::zone(name, text).at(address(at)));
        let hoster = zone("hoster.other", 1, &["ns.hoster.other."], "ns.hoster.other. 60 IN A 127.0.53.5\n");
        let both = zone("both.test", 3, &["ns.both.test.", "ns.hoster.other."], "ns.both.test. 60 IN A 127.0.53.2\n");
        let half = zone("half.test", 3, &["ns.own.half.test."], "ns.own.half.test. 60 IN A 127.0.53.2\n");
        let uk = Setup::zone("uk", UK).and_zone("co.uk", CO_UK).at(address(7));
        let test_at_bind = Setup::zone("test", of_test(1, AT_BIND)).and_zone("both.test", both.clone());
        let test_at_bind = test_at_bind.and_zone("half.test", half).at(address(2));
        let test_at_nsd = Setup::zone("test", of_test(1, AT_NSD)).and_zone("both.test", both).at(address(3));
        let delegated = |serial, more: &str| zone("delegated.test", serial, &["ns.own.delegated.test."], more);
        let at_nsd = Setup::zone("delegated.test", delegated(5, &format!("{CHALLENGED} \"first\"\n")))
            .and_zone("glueless.test", zone("glueless.test", 7, &["ns.hoster.other."], ""))
            .and_zone("hoster.other", hoster)
            .at(address(5));
        let at_bind = Setup::zone(
            "delegated.test",
            delegated(6, &format!("{CHALLENGED} \"fir\" \"st\"\n{CHALLENGED} \"another\"\nns.own.delegated.test. 60 IN A 127.0.53.6\n")),
        )
        .and_zone("lame.test", zone("lame.test", 9, &["ns2.lame.test."], "ns2.lame.test. 60 IN A 127.0.53.6\n"))
        .at(address(6));
        Self {
            _root: one(nsd, 1, ".", ROOT),
            _other: one(nsd, 4, "other", OTHER),
            _uk: Peer::start(nsd, uk),
            test: [Peer::start(bind, test_at_bind), Peer::start(nsd, test_at_nsd)],
            _children: [Peer::start(nsd, at_nsd), Peer::start(bind, at_bind)],
        }
    }
}

const CHALLENGED: &str = "_secondo-challenge.delegated.test. 60 IN TXT";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn names(texts: &[&str]) -> BTreeSet<Name> {
    texts.iter().map(|text| name(text)).collect()
}

fn walker() -> Walker {
    Walker::new(". NS a.root.\na.root. A 127.0.53.1\n".parse().unwrap(), Destinations::Anything)
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

fn ip(last: u8) -> IpAddr {
    address(last).ip()
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
