//! Root, TLDs and zones, each at addresses of its own.

use std::net::{IpAddr, SocketAddr};

use testing::namespace::add_address;
use testing::peer::{Peer, Setup, Software};

pub(crate) const CHALLENGED: &str = "_secondo-challenge.delegated.test. 60 IN TXT";

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
pub(crate) struct Internet {
    _root: Peer,
    _other: Peer,
    _uk: Peer,
    /// BIND and NSD.
    pub(crate) test: [Peer; 2],
    /// NSD and BIND.
    _children: [Peer; 2],
}

pub(crate) fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 53, last], 53))
}

pub(crate) fn of_test(serial: u32, more: &str) -> String {
    let signed = format!("delegated.test. 60 IN DS {DS}\nboth.test. 60 IN DS {DS}\n");
    format!("test. 60 IN SOA ns1.nic.test. host.test. {serial} 60 60 600 60\n{TEST}{signed}{more}")
}

/// A zone whose own NS records are these.
pub(crate) fn zone(name: &str, serial: u32, ns: &[&str], more: &str) -> String {
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
    pub(crate) fn start() -> Self {
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

pub(crate) fn ip(last: u8) -> IpAddr {
    address(last).ip()
}
