//! The data directory: whose it is, and what happens when parts of it are gone or damaged.

use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use testing::peer::{Peer, Setup, Software};
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::{eventually, port, query, zone_text};

use crate::scene::{SOON, ZONE, add, secondo, serves, zones};

/// Enough for what the program keeps of a few small zones, and not for a large one.
const FILE_OCTETS_MAX: u64 = 4 << 20;

/// A killed server with two zones, one of them removed again, and no primary.
fn killed_with_one_zone_removed() -> Secondo {
    let setup = Setup::zone(ZONE, zone_text::small(1)).and_zone("removed.test", zone_text::small(2));
    let peer = Peer::start(Software::Knot, setup);
    let mut secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    add(&secondo, "removed.test", peer.address());
    serves(&secondo, ZONE, 1);
    serves(&secondo, "removed.test", 2);
    secondo.expect(&["zone", "remove", "--now", "removed.test"]);
    secondo.kill();
    secondo
}

fn serves_only_what_was_not_removed(secondo: &Secondo) {
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    let reply = query::ask(secondo.dns(), "removed.test", dns::Type::SOA).unwrap();
    assert_eq!(reply.rcode, dns::Rcode::REFUSED, "{reply:?}");
}

/// The inventory's files: the database and what SQLite keeps beside it.
fn inventory_files(secondo: &Secondo) -> Vec<PathBuf> {
    let entries = fs::read_dir(secondo.data()).unwrap();
    let files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("inventory"))
        .collect();
    assert!(!files.is_empty(), "there is no inventory in {}", secondo.data().display());
    files
}

#[test]
fn a_removed_zone_stays_removed_after_a_kill() {
    let mut secondo = killed_with_one_zone_removed();
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    assert_eq!(zones(&secondo).len(), 1);
}

#[test]
fn without_the_inventory_stored_zones_are_served_and_this_is_said() {
    let mut secondo = killed_with_one_zone_removed();
    for file in inventory_files(&secondo) {
        fs::remove_file(file).unwrap();
    }
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    says_that_the_inventory_is_in_trouble(&secondo);
    // And once more: nothing decided in the meantime that the zones should not exist.
    secondo.kill_and_restart();
    serves_only_what_was_not_removed(&secondo);
}

/// As after `sqlite3 inventory.db` typed to have a look, or after a backup that took the database and not its log.
#[test]
fn an_empty_inventory_deletes_nothing_and_can_be_filled_again() {
    let setup = Setup::zone(ZONE, zone_text::small(1)).and_zone("other.test", zone_text::small(2));
    let mut peer = Peer::start(Software::Bind, setup);
    let mut secondo = secondo().started();
    for (zone, serial) in [(ZONE, 1), ("other.test", 2)] {
        add(&secondo, zone, peer.address());
        serves(&secondo, zone, serial);
    }
    let before = secondo.zone(ZONE);
    secondo.kill();
    peer.switch_off();
    for file in inventory_files(&secondo) {
        fs::remove_file(file).unwrap();
    }
    fs::write(secondo.data().join("inventory.db"), "").unwrap();
    for _ in 0..2 {
        secondo.start();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        assert_eq!(query::serial(secondo.dns(), "other.test"), Ok(2));
        let status = secondo.json(&["status"]);
        assert_eq!(status["inventory"], "available");
        assert!(status["warnings"].to_string().contains("2 stored zones are not in the inventory"), "{status}");
        secondo.kill();
    }
    secondo.start();
    // Added again it is the same zone: with its contents, without its primary.
    add(&secondo, ZONE, peer.address());
    let after = secondo.zone(ZONE);
    assert_eq!((&after["id"], &after["digest"]), (&before["id"], &before["digest"]));
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    // And what is no longer wanted can be removed.
    secondo.expect(&["zone", "remove", "--now", "other.test"]);
    secondo.kill_and_restart();
    let reply = query::ask(secondo.dns(), "other.test", dns::Type::SOA).unwrap();
    assert_eq!(reply.rcode, dns::Rcode::REFUSED, "{reply:?}");
    peer.change_while_off(ZONE, &zone_text::small(3));
    peer.switch_on();
    secondo.expect(&["zone", "refresh", ZONE]);
    serves(&secondo, ZONE, 3);
    assert_eq!(zones(&secondo).len(), 1);
}

/// An old copy knows the zone under the id that it had before it was removed and added again.
#[test]
fn with_an_old_copy_of_the_inventory_the_same_contents_are_served_at_each_start() {
    let mut peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)));
    let mut secondo = secondo().started();
    let database = secondo.data().join("inventory.db");
    let copy = secondo.data().join("copy.db");
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    let backup =
        std::process::Command::new("sqlite3").arg(&database).arg(format!(".backup {}", copy.display())).status();
    assert!(backup.unwrap().success());
    secondo.expect(&["zone", "remove", "--now", ZONE]);
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    secondo.kill();
    inventory_files(&secondo).iter().for_each(|file| fs::remove_file(file).unwrap());
    fs::rename(&copy, &database).unwrap();
    peer.switch_off();
    for _ in 0..3 {
        secondo.start();
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
        assert_eq!(zones(&secondo).len(), 1);
        secondo.kill();
    }
    secondo.start();
    peer.change_while_off(ZONE, &zone_text::small(2));
    peer.switch_on();
    secondo.expect(&["zone", "refresh", ZONE]);
    for _ in 0..3 {
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(2));
        secondo.kill_and_restart();
    }
    secondo.expect(&["zone", "remove", "--now", ZONE]);
    let reply = query::ask(secondo.dns(), ZONE, dns::Type::SOA).unwrap();
    assert_eq!(reply.rcode, dns::Rcode::REFUSED, "{reply:?}");
    secondo.kill_and_restart();
    assert_eq!(zones(&secondo).len(), 0);
}

/// Nothing of what file and flags ask for keeps stored zones from being served.
#[test]
fn a_configured_key_that_is_gone_keeps_no_stored_zone_from_being_served() {
    let mut secondo = killed_with_one_zone_removed();
    secondo.configure("[[zone]]\nname = \"keyed.test\"\nprimaries = [\"127.0.0.1:1\"]\nkey = \"gone.test\"\n");
    secondo.start();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    assert!(secondo.log().contains("[[key]]"), "{}", secondo.log());
    // What the log says to do works.
    secondo.expect(&["key", "add", "gone.test"]);
    secondo.kill_and_restart();
    assert_eq!(zones(&secondo).len(), 2);
}

#[test]
fn an_inventory_that_is_locked_stops_no_answer_and_gets_what_is_configured_once_it_is_free() {
    let setup = Setup::zone(ZONE, zone_text::small(1)).and_zone("more.test", zone_text::small(2));
    let peer = Peer::start(Software::Knot, setup);
    let mut secondo = secondo().started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    secondo.kill();
    let mut lock = Lock::of(&secondo.data().join("inventory.db"));
    secondo = secondo.with_zone("more.test", peer.address());
    secondo.start();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    assert_eq!(secondo.json(&["status"])["inventory"], "unavailable");
    // A primary that is told anything about its zone might take that for the end of the matter.
    let notify = || query::request(dns::Opcode::NOTIFY, ZONE, dns::Type::SOA, Some(2));
    let rcode = |reply: Vec<u8>| query::read_reply(&reply).unwrap().rcode;
    assert_eq!(query::exchange_tcp(secondo.dns(), &notify()).map(rcode), Ok(dns::Rcode::SERVFAIL));
    lock.release();
    serves(&secondo, "more.test", 2);
    assert_eq!(query::exchange_tcp(secondo.dns(), &notify()).map(rcode), Ok(dns::Rcode::NOERROR));
}

/// Somebody at SQLite's shell in the middle of a transaction.
struct Lock(std::process::Child);

impl Lock {
    fn of(database: &std::path::Path) -> Self {
        let mut shell = std::process::Command::new("sqlite3");
        let pipe = std::process::Stdio::piped;
        let mut shell = shell.arg(database).stdin(pipe()).stdout(pipe()).spawn().unwrap();
        writeln!(shell.stdin.as_mut().unwrap(), "BEGIN EXCLUSIVE; SELECT 'locked';").unwrap();
        let mut line = String::new();
        std::io::BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Self(shell)
    }

    fn release(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.release();
    }
}

/// As on a full disk: the files that only help clients to find the server cannot be written.
#[test]
fn files_for_the_convenience_of_clients_are_no_reason_not_to_serve() {
    let mut secondo = killed_with_one_zone_removed();
    let socket = secondo.data().join("api-socket");
    fs::remove_file(&socket).unwrap();
    fs::create_dir(&socket).unwrap();
    fs::create_dir(secondo.data().join("dns-address.new")).unwrap();
    secondo.start_unannounced();
    eventually(SOON, "the zone to be served", || query::has_serial(secondo.dns(), ZONE, 1));
    eventually(SOON, "the log to say what clients need", || {
        let log = secondo.log();
        if log.contains("--server") { Ok(()) } else { Err(log) }
    });
    secondo.client(&["status"]).must_fail(&["--server"]);
    fs::remove_dir(secondo.data().join("dns-address.new")).unwrap();
    eventually(SOON, "the addresses to be written", || match secondo.client(&["status"]).code {
        Some(0) => Ok(()),
        _ => Err(secondo.log()),
    });
}

#[test]
fn clients_find_the_socket_where_the_addresses_cannot_be_written() {
    let mut secondo = killed_with_one_zone_removed();
    fs::create_dir(secondo.data().join("dns-address.new")).unwrap();
    secondo.start_unannounced();
    eventually(SOON, "the log to say what clients find", || {
        let log = secondo.log();
        if log.contains("clients find the socket alone") { Ok(()) } else { Err(log) }
    });
    assert_eq!(secondo.json(&["zone", "list"]).as_array().map(Vec::len), Some(1));
}

/// Writes octets by chance over ten pages of the stored zones.
fn damage_pages(secondo: &Secondo, seed: u64) {
    let path = secondo.data().join("zones.redb");
    let mut octets = fs::read(&path).unwrap();
    let mut state = seed;
    let mut roll = || {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..10 {
        let page = roll() % (octets.len() / 4096);
        octets[page * 4096..(page + 1) * 4096].fill_with(|| roll() as u8);
    }
    fs::write(&path, octets).unwrap();
}

fn put_aside(secondo: &Secondo) -> usize {
    let names = fs::read_dir(secondo.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("zones.redb.damaged-")).count()
}

#[test]
fn damaged_stored_zones_are_put_aside_and_copied_again() {
    const LARGE: &str = "large.test";
    const DISABLED: &str = "disabled.test";
    let setup = Setup::zone(ZONE, zone_text::small(1))
        .and_zone(LARGE, zone_text::of_hosts(1, 20_000))
        .and_zone(DISABLED, zone_text::small(1));
    let mut peer = Peer::start(Software::Knot, setup);
    let mut secondo = secondo().started();
    for zone in [ZONE, LARGE, DISABLED] {
        add(&secondo, zone, peer.address());
        serves(&secondo, zone, 1);
    }
    secondo.expect(&["zone", "disable", DISABLED]);
    let rcode = |secondo: &Secondo, zone| query::ask(secondo.dns(), zone, dns::Type::SOA).unwrap().rcode;
    for seed in 0..5 {
        secondo.kill();
        damage_pages(&secondo, seed);
        secondo.start();
        assert_eq!(rcode(&secondo, DISABLED), dns::Rcode::REFUSED, "seed {seed}");
        for zone in [ZONE, LARGE] {
            serves(&secondo, zone, 1);
        }
    }
    secondo.kill();
    peer.switch_off();
    let (database, before) = (secondo.data().join("zones.redb"), put_aside(&secondo));
    let half = fs::metadata(&database).unwrap().len() / 2;
    fs::File::options().write(true).open(&database).unwrap().set_len(half).unwrap();
    // Without an inventory nobody knows what to copy: all stays as it is.
    let inventory = secondo.data().join("inventory.db");
    let away = secondo.data().join("away.db");
    fs::rename(&inventory, &away).unwrap();
    let refused = secondo.serve_in_vain();
    assert!(refused.code == Some(1) && refused.stderr.contains("stored zones are damaged"), "{refused:?}");
    assert_eq!(put_aside(&secondo), before);
    // Nor with one that is damaged too.
    fs::write(&inventory, [0x5a; 8192]).unwrap();
    let refused = secondo.serve_in_vain();
    assert!(refused.code == Some(1) && refused.stderr.contains("the inventory is damaged"), "{refused:?}");
    assert_eq!(put_aside(&secondo), before);
    fs::rename(&away, &inventory).unwrap();
    secondo.start();
    assert_eq!(put_aside(&secondo), before + 1);
    for (zone, expected) in
        [(ZONE, dns::Rcode::SERVFAIL), (LARGE, dns::Rcode::SERVFAIL), (DISABLED, dns::Rcode::REFUSED)]
    {
        assert_eq!(rcode(&secondo, zone), expected, "{zone}");
    }
    let status = secondo.json(&["status"]);
    assert!(status["warnings"].to_string().contains("zones.redb.damaged-"), "{status}");
    assert!(secondo.log().contains("no zone is frozen any more"), "{}", secondo.log());
    peer.switch_on();
    for zone in [ZONE, LARGE] {
        secondo.expect(&["zone", "refresh", zone]);
        serves(&secondo, zone, 1);
    }
    secondo.kill_and_restart();
    assert_eq!(put_aside(&secondo), before + 1, "it happens once");
    assert_eq!(query::serial(secondo.dns(), LARGE), Ok(1));
}

/// `ulimit -f`, which systems set by default here and there; the kernel ends whoever does not take the signal.
#[test]
fn a_limit_of_file_sizes_is_as_a_full_disk() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().with_files_of_at_most(FILE_OCTETS_MAX).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    for serial in 2..4 {
        primary.publish(ZONE, &zone_text::of_hosts(serial, 100_000));
        secondo.expect(&["zone", "refresh", ZONE]);
        assert_eq!(query::serial(secondo.dns(), ZONE), Ok(serial));
        assert_eq!(secondo.zone(ZONE)["volatile"], true, "so small a limit hinders nothing");
    }
    assert!(secondo.log().contains("the disk is full"), "{}", secondo.log());
    secondo.lift_limit_of_files();
    eventually(SOON, "the version to be on disk", || match secondo.zone(ZONE) {
        zone if zone["volatile"] == false => Ok(()),
        zone => Err(zone.to_string()),
    });
    secondo.kill_and_restart();
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(3));
}

#[test]
fn with_a_corrupt_inventory_stored_zones_are_served_and_this_is_said() {
    let mut secondo = killed_with_one_zone_removed();
    for file in inventory_files(&secondo) {
        fs::write(file, "this is no database. ".repeat(1_000)).unwrap();
    }
    secondo.start();
    serves_only_what_was_not_removed(&secondo);
    says_that_the_inventory_is_in_trouble(&secondo);
    secondo.client(&["zone", "add", "more.test", "--primary", "127.0.0.1:1"]).must_fail(&["inventory"]);
}

fn says_that_the_inventory_is_in_trouble(secondo: &Secondo) {
    let status = secondo.json(&["status"]);
    let warned = status["warnings"].to_string().contains("inventory");
    assert!(status["inventory"] == "unavailable" || warned, "{status}");
    assert!(secondo.log().to_lowercase().contains("inventory"), "{}", secondo.log());
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let secondo = secondo().started();
    let refused = secondo.serve_in_vain_at(port::free(), "127.0.0.1:0");
    refused.must_fail(&[&secondo.data().display().to_string()]);
    secondo.expect(&["status"]);
}

#[test]
fn nobody_else_can_read_it() {
    let mut secondo = secondo().started();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(secondo.data()), 0o700);
    // As after a restore.
    fs::set_permissions(secondo.data(), fs::Permissions::from_mode(0o755)).unwrap();
    secondo.kill_and_restart();
    assert_eq!(mode(secondo.data()), 0o700);
    assert_eq!(mode(secondo.data().join("admin-token")), 0o600);
}
