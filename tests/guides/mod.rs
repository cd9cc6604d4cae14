//! The guides in `docs/guides`, carried out as they stand there: in a network of its own that has their addresses, with the real
//! primary, its own checker, and the real commands.

mod promote;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use testing::namespace::{add_address, comes_from, in_a_network_of_its_own};
use testing::peer::{named, system_program};
use testing::process::{self, Process};
use testing::secondo::Secondo;
use testing::zone_text;

use crate::scene::{SOON, secondo, serves};

const NAME: &str = "example.org";
const PRIMARY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OURS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 53));
const SECRET: &str = "c2Vjb25kbydzIGd1aWRlcyBhcmUgcnVuIGJ5IHRlc3Rz";
const POWERDNS_SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

/// A guide, and the primary's directory.
struct Guide {
    text: String,
    directory: tempfile::TempDir,
}

impl Guide {
    fn read(file: &str) -> Self {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../docs", file].iter().collect();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let directory = tempfile::TempDir::with_prefix("secondo-guide-").unwrap();
        Self { text, directory }
    }

    /// What stands in the blocks that begin so, such as `sh secondo`.
    fn blocks(&self, begin: &str) -> String {
        let mut found = String::new();
        let mut is_inside = false;
        for line in self.text.lines() {
            match line.strip_prefix("```") {
                Some(said) => is_inside = said == begin,
                None if is_inside => found.extend([line, "\n"]),
                None => {}
            }
        }
        assert!(!found.is_empty(), "the guide has no block ```{begin}");
        found
    }

    fn path(&self, file: &str) -> String {
        self.directory.path().join(file).display().to_string()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.directory.path().join(file), text).unwrap();
    }

    /// The configuration that the guide has, with its zone file where the primary may read it.
    fn configuration(&self, begin: &str) -> String {
        let text = self.blocks(begin);
        assert!(text.contains(SECRET), "the guide's secret is that of its key: {text}");
        text.replace("/var/lib/bind", &self.path("")).replace("/var/lib/knot", &self.path(""))
    }

    fn publish(&self, serial: u32) {
        self.write("example.org.zone", &zone_text::small(serial));
    }

    /// The guide's commands of Secondo, one after the other.
    fn commands(&self, secondo: &Secondo) {
        let secret = secondo.scratch_file("transfer.secret", SECRET);
        for line in self.blocks("sh secondo").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words[0], "secondo", "{line}");
            let words: Vec<&str> =
                words.iter().map(|word| if *word == "transfer.secret" { &secret } else { *word }).collect();
            secondo.expect(&words[1..]);
        }
    }
}

/// Carries out a guide with its primary, and sees a change come by NOTIFY: the zone's own timers are hours.
fn carried_out(guide: &Guide, start: impl FnOnce(&Guide) -> Process, reload: impl FnOnce(&Guide, &Process)) {
    guide.publish(1);
    let primary = start(guide);
    answers(PRIMARY, &primary);
    let secondo = secondo().at(SocketAddr::new(OURS, 53)).started();
    guide.commands(&secondo);
    serves(&secondo, NAME, 1);
    guide.publish(2);
    reload(guide, &primary);
    serves(&secondo, NAME, 2);
    let shown = secondo.zone(NAME);
    assert_eq!(shown["primaries"][0]["key"], "transfer.example.org.", "{shown:#}");
}

/// Waits until a primary answers for the zone.
fn answers(address: IpAddr, primary: &Process) {
    testing::eventually(SOON, "the primary to answer", || {
        let serial = testing::query::serial(SocketAddr::new(address, 53), NAME);
        serial.map(drop).map_err(|error| format!("{error}\n{}", primary.output()))
    });
}

/// Has both addresses, each with packets from the other as if between two machines.
fn in_the_network_of_the_guides(test: &str, body: impl FnOnce()) {
    in_a_network_of_its_own(test, || {
        [PRIMARY, OURS].into_iter().for_each(add_address);
        comes_from(PRIMARY, OURS);
        comes_from(OURS, PRIMARY);
        body();
    });
}

fn started(guide: &Guide, program: PathBuf, arguments: &[&str]) -> Process {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(guide.directory.path());
    Process::start(command, &guide.directory.path().join("log"))
}

fn hang_up(_: &Guide, primary: &Process) {
    primary.hang_up();
}

/// BIND with this in its `named.conf.local`, and otherwise what the Debian package brings, but for the places.
fn bind(guide: &Guide, address: IpAddr, local: &str) -> Process {
    let directory = guide.path("");
    guide.write("named.conf.local", local);
    guide.write(
        "named.conf",
        &format!(
            "controls {{ }};\noptions {{ directory \"{directory}\"; pid-file none; session-keyfile none; lock-file none; \
             listen-on {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify-delay 0; }};\n\
             include \"{directory}/named.conf.local\";\n"
        ),
    );
    process::run(Command::new("named-checkconf").arg(guide.path("named.conf")));
    started(guide, named(Path::new(&directory)), &["-g", "-n", "1", "-c", &guide.path("named.conf")])
}

/// What Knot is told besides what the Debian package's configuration has.
fn knot_places(guide: &Guide, address: IpAddr) -> String {
    let directory = guide.path("");
    format!(
        "server:\n    rundir: {directory}\n    user: root:root\n    listen: {address}@53\ndatabase:\n    storage: {directory}/database\n    \
         journal-db-max-size: 64M\n    timer-db-max-size: 16M\n    kasp-db-max-size: 16M\n    catalog-db-max-size: 16M\n"
    )
}

/// The same of NSD.
fn nsd_places(guide: &Guide) -> String {
    let directory = guide.path("");
    format!(
        "server:\n    username: \"\"\n    chroot: \"\"\n    zonesdir: \"{directory}\"\n    database: \"\"\n    \
         pidfile: \"{directory}/nsd.pid\"\n    xfrdfile: \"{directory}/xfrd.state\"\n    zonelistfile: \"{directory}/zone.list\"\n    \
         xfrdir: \"{directory}\"\nremote-control:\n    control-enable: yes\n    control-interface: \"{directory}/nsd.sock\"\n"
    )
}

#[test]
fn bind_is_set_up_as_its_guide_says() {
    in_the_network_of_the_guides("guides::bind_is_set_up_as_its_guide_says", || {
        let guide = Guide::read("guides/bind.md");
        let start = |guide: &Guide| bind(guide, PRIMARY, &guide.configuration("conf named.conf.local"));
        carried_out(&guide, start, hang_up);
    });
}

#[test]
fn knot_is_set_up_as_its_guide_says() {
    in_the_network_of_the_guides("guides::knot_is_set_up_as_its_guide_says", || {
        let guide = Guide::read("guides/knot.md");
        let places = knot_places(&guide, PRIMARY);
        let text = guide.configuration("yaml knot.conf").replace("server:\n    listen: 192.0.2.1@53\n", &places);
        guide.write("knot.conf", &text);
        std::fs::create_dir(guide.path("database")).unwrap();
        process::run(Command::new(system_program("knotc")).args(["-c", &guide.path("knot.conf"), "conf-check"]));
        let start = |guide: &Guide| started(guide, system_program("knotd"), &["-c", &guide.path("knot.conf")]);
        carried_out(&guide, start, hang_up);
    });
}

#[test]
fn nsd_is_set_up_as_its_guide_says() {
    in_the_network_of_the_guides("guides::nsd_is_set_up_as_its_guide_says", || {
        let guide = Guide::read("guides/nsd.md");
        guide.write("nsd.conf", &(nsd_places(&guide) + &guide.configuration("conf nsd.conf")));
        process::run(Command::new(system_program("nsd-checkconf")).arg(guide.path("nsd.conf")));
        let start = |guide: &Guide| started(guide, system_program("nsd"), &["-d", "-c", &guide.path("nsd.conf")]);
        let reload = |guide: &Guide, _: &Process| {
            let mut control = Command::new(system_program("nsd-control"));
            process::run(control.args(["-c", &guide.path("nsd.conf"), "reload", NAME]));
        };
        carried_out(&guide, start, reload);
    });
}

#[test]
fn powerdns_is_set_up_as_its_guide_says() {
    in_the_network_of_the_guides("guides::powerdns_is_set_up_as_its_guide_says", || {
        let guide = Guide::read("guides/powerdns.md");
        let directory = guide.path("");
        let places = format!(
            "launch=gsqlite3\ngsqlite3-database={directory}/pdns.sqlite3\ngsqlite3-dnssec=yes\nsocket-dir={directory}\n\
             daemon=no\nguardian=no\nsecurity-poll-suffix=\nzone-cache-refresh-interval=0\ncache-ttl=0\nquery-cache-ttl=0\n"
        );
        guide.write("pdns.conf", &(places + &guide.blocks("conf pdns.conf")));
        let schema = std::fs::File::open(POWERDNS_SCHEMA).unwrap();
        process::run(Command::new("sqlite3").arg(guide.path("pdns.sqlite3")).stdin(schema));
        let config = format!("--config-dir={directory}");
        let load = |guide: &Guide| {
            let mut tool = Command::new("pdnsutil");
            process::run(tool.args([&config, "load-zone", NAME, &guide.path("example.org.zone")]));
        };
        let start = |guide: &Guide| {
            load(guide);
            for line in guide.blocks("sh pdnsutil").lines() {
                let words: Vec<&str> = line.split(' ').collect();
                process::run(Command::new(words[0]).arg(&config).args(&words[1..]));
            }
            started(guide, system_program("pdns_server"), &[config.as_str()])
        };
        let reload = |guide: &Guide, _: &Process| {
            load(guide);
            process::run(Command::new("pdns_control").args([&config, "notify", NAME]));
        };
        carried_out(&guide, start, reload);
    });
}

#[test]
fn yadifa_is_set_up_as_its_guide_says() {
    in_the_network_of_the_guides("guides::yadifa_is_set_up_as_its_guide_says", || {
        let guide = Guide::read("guides/yadifa.md");
        let directory = guide.path("");
        // What the Debian package brings, but for the places.
        let places = format!(
            "<main>\n  daemon off\n  logpath {directory}\n  pidfile {directory}/yadifad.pid\n  datapath {directory}\n  \
             keyspath {directory}\n  xfrpath {directory}\n  listen 192.0.2.1, 127.0.0.1\n  user root\n  group root\n  \
             allow-transfer none\n  allow-control controller\n</main>\n<control>\n  enabled true\n</control>\n\
             <acl>\n  controller 127.0.0.0/8, ::1\n</acl>\n\
             <channels>\n  stdout STDOUT\n</channels>\n<loggers>\n  all * stdout\n</loggers>\n"
        );
        guide.write("yadifad.conf", &(places + &guide.configuration("conf yadifad.conf")));
        guide.write("yadifa.conf", &guide.blocks("conf yadifa.conf"));
        let start = |guide: &Guide| started(guide, system_program("yadifad"), &["-c", &guide.path("yadifad.conf")]);
        let reload = |guide: &Guide, _: &Process| {
            let line = guide.blocks("sh reload").replace("/etc/yadifa", guide.path("").trim_end_matches('/'));
            let words: Vec<&str> = line.trim_end().split(' ').collect();
            process::run(Command::new(words[0]).args(&words[1..]));
        };
        carried_out(&guide, start, reload);
    });
}
