//! The catalog of all our zones, and who follows it.

use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

use dns::Rcode;
use testing::peer::{Follows, Peer, Setup, Software, TsigKey, system_program};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::zone_text::{of_hosts, small};
use testing::{eventually, process, query};

use crate::scene::{SOON, secondo, serves, zones};

const LONG: Duration = Duration::from_secs(60);
const CATALOG: &str = "catalog.test";

fn configured(key: &TsigKey, notify: &str) -> String {
    let TsigKey { name, algorithm, secret } = key;
    format!(
        "[transfer_out]\nallow = [\"key={name}\"]\ncatalog = \"{CATALOG}\"\nnotify = [{notify}]\n\
         [[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n"
    )
}

fn add(secondo: &Secondo, primary: &Primary, zone: &str) {
    primary.publish(zone, &small(1));
    secondo.expect(&["zone", "add", zone, "--primary", &primary.address().to_string()]);
    serves(secondo, zone, 1);
}

#[track_caller]
fn answers(peer: &Peer, zone: &str, serial: u32) {
    let what = format!("{:?} to serve {zone} with serial {serial}", peer.software());
    eventually(LONG, &what, || {
        query::has_serial(peer.address(), zone, serial).map_err(|seen| format!("{seen}\n{}", peer.log()))
    });
}

#[track_caller]
fn refuses(peer: &Peer, zone: &str) {
    eventually(LONG, &format!("{:?} to serve {zone} no more", peer.software()), || {
        let reply = query::ask(peer.address(), zone, dns::Type::SOA)?;
        if reply.rcode == Rcode::REFUSED { Ok(()) } else { Err(format!("{reply:?}\n{}", peer.log())) }
    });
}

/// What dig is given of the catalog: the serial, and the zones that are listed.
fn catalog(secondo: &Secondo, key: &TsigKey) -> Option<(u32, Vec<String>)> {
    let (ip, port) = (secondo.dns().ip().to_string(), secondo.dns().port().to_string());
    let signed = format!("{}:{}:{}", key.algorithm, key.name, key.secret);
    let dig = ["-p", &port, CATALOG, "axfr", "-y", &signed, "+noall", "+answer"];
    let printed = process::run(Command::new("dig").arg(format!("@{ip}")).args(dig));
    let of_type = |rtype: &str| -> Vec<Vec<&str>> {
        let lines = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|fields| fields.get(3) == Some(&rtype)).collect()
    };
    let serial = of_type("SOA").first()?[6].parse().ok()?;
    let mut zones: Vec<String> = of_type("PTR").iter().map(|fields| fields[4].to_owned()).collect();
    zones.sort();
    Some((serial, zones))
}

#[track_caller]
fn lists(secondo: &Secondo, key: &TsigKey, zones: &[&str]) -> u32 {
    eventually(LONG, &format!("the catalog to list {zones:?}"), || match catalog(secondo, key) {
        Some((serial, listed)) if listed == zones => Ok(serial),
        other => Err(format!("{other:?}\n{}", secondo.log())),
    })
}

#[test]
fn knot_bind_and_powerdns_follow_all_our_zones_by_the_catalog() {
    let key = TsigKey::of("hmac-sha256");
    let primary = Primary::start();
    let mut secondo = secondo().configured(&configured(&key, "")).started();
    add(&secondo, &primary, "a.test");
    add(&secondo, &primary, "b.test");
    lists(&secondo, &key, &["a.test.", "b.test."]);
    // PowerDNS 4.7 signs for the catalog and not for its members.
    let key_or_here = |targets: &str| configured(&key, targets).replace("allow = [", "allow = [\"127.0.0.0/8\", ");
    let peers: Vec<Peer> = Software::ALL
        .into_iter()
        .filter(|software| software.follows_catalogs())
        .map(|software| {
            let follows = Follows::catalog(secondo.dns(), CATALOG);
            Peer::start(software, Setup::default().key(key.clone()).following(follows))
        })
        .collect();
    let targets = peers.iter().map(|peer| format!("\"{},key={}\"", peer.address(), key.name));
    secondo.configure(&key_or_here(&targets.collect::<Vec<_>>().join(", ")));
    secondo.kill_and_restart();
    for peer in &peers {
        answers(peer, "a.test", 1);
        answers(peer, "b.test", 1);
    }
    // All further news come by NOTIFY: the catalog's timers are an hour.
    add(&secondo, &primary, "c.test");
    secondo.expect(&["zone", "remove", "a.test"]);
    primary.publish("b.test", &small(2));
    secondo.expect(&["zone", "refresh", "b.test"]);
    // PowerDNS fails with its own lock now and then, and tries again only with the next change.
    let is_changed = Cell::new(false);
    for peer in &peers {
        eventually(LONG, &format!("{:?} to serve c.test", peer.software()), || {
            let seen = query::has_serial(peer.address(), "c.test", 1);
            if seen.is_err() && peer.log().contains("database is locked") && !is_changed.replace(true) {
                add(&secondo, &primary, "d.test");
            }
            seen
        });
        answers(peer, "b.test", 2);
        refuses(peer, "a.test");
    }
}

#[test]
fn the_catalog_is_for_those_who_may_copy_and_its_serial_never_goes_back() {
    let key = TsigKey::of("hmac-sha256");
    let primary = Primary::start();
    let mut secondo = secondo().configured(&configured(&key, "")).started();
    let empty = lists(&secondo, &key, &[]);
    add(&secondo, &primary, "a.test");
    let first = lists(&secondo, &key, &["a.test."]);
    assert!(first > empty);
    for (name, qtype) in
        [(CATALOG, dns::Type::SOA), (CATALOG, dns::Type::NS), ("version.catalog.test", dns::Type::TXT)]
    {
        let reply = query::ask(secondo.dns(), name, qtype).unwrap();
        assert_eq!((reply.rcode, reply.answer.len()), (Rcode::REFUSED, 0), "{reply:?}");
    }
    assert!(query::transfer(secondo.dns(), CATALOG).is_err());
    let names = secondo.json(&["zone", "list"]).to_string();
    assert!(!names.contains(CATALOG), "it is no zone of anybody's: {names}");
    secondo.kill_and_restart();
    assert_eq!(catalog(&secondo, &key), Some((first, vec!["a.test.".into()])), "at once, and as it was");
    secondo.expect(&["zone", "disable", "a.test"]);
    let second = lists(&secondo, &key, &[]);
    assert!(second > first);
    secondo.expect(&["zone", "enable", "a.test"]);
    assert!(lists(&secondo, &key, &["a.test."]) > second);
}

#[test]
fn no_zone_takes_the_catalogs_name_and_one_that_has_it_goes_before() {
    let key = TsigKey::of("hmac-sha256");
    let primary = Primary::start();
    primary.publish(CATALOG, &small(7));
    let primary_address = primary.address().to_string();
    let mut secondo = secondo().configured(&configured(&key, "")).started();
    lists(&secondo, &key, &[]);
    for command in [["zone", "add"], ["catalog", "add"]] {
        let refused = secondo.client(&[&command[..], &[CATALOG, "--primary", &primary_address]].concat());
        refused.must_fail(&["the catalog that is made here", "[transfer_out] catalog"]);
    }
    let list = secondo.scratch_file("list", &format!("{CATALOG} {primary_address}\na.test {primary_address}\n"));
    secondo.client(&["zone", "import", &list]).must_fail(&["the catalog that is made here"]);
    lists(&secondo, &key, &[]);
    assert_eq!(zones(&secondo).len(), 1);
    // The zone was here before the catalog was wanted.
    secondo.kill();
    secondo.configure(&configured(&key, "").replace("catalog = ", "# "));
    secondo.start();
    secondo.expect(&["zone", "add", CATALOG, "--primary", &primary_address]);
    serves(&secondo, CATALOG, 7);
    secondo.kill();
    secondo.configure(&configured(&key, ""));
    secondo.start();
    serves(&secondo, CATALOG, 7);
    assert_eq!(catalog(&secondo, &key), Some((7, vec![])), "what is answered is what is transferred");
    let warnings = secondo.json(&["status"])["warnings"].to_string();
    assert!(warnings.contains("goes to nobody") && warnings.contains(CATALOG), "{warnings}");
}

#[test]
fn nsd_takes_the_plain_list_of_names() {
    let primary = Primary::start();
    let secondo = secondo().started();
    for zone in ["a.test", "b.test"] {
        add(&secondo, &primary, zone);
    }
    secondo.expect(&["zone", "disable", "b.test"]);
    let peer = Peer::start(Software::Nsd, Setup::default().following(Follows::zones(secondo.dns(), &[])));
    let names = secondo.expect(&["zone", "list", "--names"]);
    assert_eq!(names, "a.test.\n");
    let list: String = names.lines().map(|name| format!("{name} copied\n")).collect();
    let list = secondo.scratch_file("zones", &list);
    let nsd_control = |what: &str| {
        let mut command = Command::new(system_program("nsd-control"));
        command.args(["-c", &peer.configuration(), what]);
        command
    };
    // It answers DNS before it can be controlled.
    eventually(SOON, "NSD to be controlled", || match nsd_control("status").output() {
        Ok(output) if output.status.success() => Ok(()),
        other => Err(format!("{other:?}")),
    });
    process::run(nsd_control("addzones").stdin(std::fs::File::open(list).unwrap()));
    answers(&peer, "a.test", 1);
}

#[test]
fn a_second_secondo_follows_the_first_and_goes_on_alone() {
    use testing::certificate::Authority;

    let (key, authority) = (TsigKey::of("hmac-sha256"), Authority::new());
    let primary = Peer::start(Software::Knot, Setup::zone("a.test", of_hosts(1, 50)).and_zone("b.test", small(1)));
    let (mut first, over_tls) = (secondo(), testing::port::free());
    let mut second = secondo();
    let directory = first.data().parent().unwrap().to_owned();
    let (certificate, private) = authority.server(&["first.test"]).write_files(&directory, "ours");
    let told = format!("\"{},key={}\"", second.dns(), key.name);
    first.configure(&format!(
        "{}[timers]\nexpire_max = \"2d\"\n[dns]\ntls_listen = [\"{over_tls}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        configured(&key, &told),
        certificate.display(),
        private.display()
    ));
    let trusted = second.scratch_file("authority.pem", authority.pem());
    let TsigKey { name, algorithm, secret } = &key;
    second.configure(&format!(
        "[tls]\nauthorities = [\"{trusted}\"]\n\
         [[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n\
         [[catalog]]\nname = \"{CATALOG}\"\nprimaries = [\"{over_tls},key={name},tls=first.test\"]\n"
    ));
    first.start();
    second.start();
    for zone in ["a.test", "b.test"] {
        first.expect(&["zone", "add", zone, "--primary", &primary.address().to_string()]);
        serves(&first, zone, 1);
        serves(&second, zone, 1);
    }
    let mut primary = primary;
    primary.replace("a.test", &of_hosts(2, 51));
    first.expect(&["zone", "refresh", "a.test"]);
    serves(&second, "a.test", 2);
    let attempts = second.json(&["zone", "history", "a.test"])["attempts"].to_string();
    assert!(attempts.contains("\"ixfr\"") && attempts.contains("\"notify\""), "{attempts}");
    let queries = &first.json(&["status"])["queries"];
    assert!(queries["tls"].as_u64().unwrap() > 3, "{queries}");
    // EXPIRE is passed on (RFC 7314), in whole seconds: the zone's own is a week, and the first keeps it for two days.
    let expires = |secondo: &Secondo| -> jiff::Timestamp {
        secondo.zone("a.test")["expires_at"].as_str().unwrap().parse().unwrap()
    };
    let (theirs, ours) = (expires(&second), expires(&first));
    assert!(theirs <= ours + jiff::SignedDuration::from_secs(1), "{theirs} {ours}");

    primary.switch_off();
    first.kill();
    for _ in 0..2 {
        for (zone, serial) in [("a.test", 2), ("b.test", 1)] {
            assert_eq!(query::serial(second.dns(), zone), Ok(serial));
        }
        second.kill_and_restart();
    }
    assert_eq!(second.json(&["zone", "list"]).as_array().unwrap().len(), 3, "the catalog and its members");
}
