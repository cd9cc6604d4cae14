//! Real name servers as primaries, and as secondaries: BIND, Knot, NSD and PowerDNS from Debian's packages.
//!
//! Each runs in a directory of its own on a free loopback port, as whoever runs the tests, with zones given as text.
//! What differs between them (configuration, how a zone is changed, what their logs say) is in one file each; the
//! rest is here. What trying them showed is written where it matters. Beside them PostgreSQL, which the inventory may be on.

mod bind;
mod knot;
mod nsd;
pub mod postgres;
mod powerdns;
mod setup;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub use bind::named;
pub use setup::{Answers, Follows, Setup, TsigKey};
use tempfile::TempDir;

use crate::eventually::pause;
use crate::process::{Process, read_lossy};
use crate::{eventually, port, query};

/// How long a server may take to start or to load a zone, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Starts that may fail because somebody else took the port first.
const STARTS_MAX: u32 = 3;

/// The name servers that we test with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Software {
    Bind,
    Knot,
    Nsd,
    PowerDns,
}

impl Software {
    pub const ALL: [Self; 4] = [Self::Bind, Self::Knot, Self::Nsd, Self::PowerDns];

    /// Whether it answers IXFR with differences; PowerDNS always sends the whole zone.
    pub fn sends_differences(self) -> bool {
        self != Self::PowerDns
    }

    /// Whether this version of it answers over TLS.
    pub fn speaks_tls(self) -> bool {
        matches!(self, Self::Bind | Self::Nsd)
    }

    /// Whether it copies over TLS as a secondary.
    pub fn follows_over_tls(self) -> bool {
        self.speaks_tls()
    }

    /// Whether it can follow a catalog.
    pub fn follows_catalogs(self) -> bool {
        self != Self::Nsd
    }

    /// Whether it can be told to speak over TLS only with clients that somebody vouches for.
    pub fn checks_clients(self) -> bool {
        self == Self::Bind
    }

    /// Whether it can be told to take its zones from another server.
    pub fn copies(self) -> bool {
        self == Self::PowerDns
    }

    fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Bind => &bind::Bind,
            Self::Knot => &knot::Knot,
            Self::Nsd => &nsd::Nsd,
            Self::PowerDns => &powerdns::PowerDns,
        }
    }
}

/// Where a server lives and what it was told.
struct Place {
    directory: PathBuf,
    address: SocketAddr,
    /// For servers whose control channel is a port.
    control: SocketAddr,
    tls_address: SocketAddr,
    setup: Setup,
}

impl Place {
    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    fn zone_file(&self, zone: &str) -> PathBuf {
        self.directory.join(zone_file_name(zone))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.join(name), text).expect("the test's directory is writable");
    }

    /// What the setup has of `tls.pem`, `tls.key` and `clients.pem`.
    fn write_tls_files(&self) {
        if let Some(certificate) = &self.setup.tls {
            certificate.write_files(&self.directory, "tls");
        }
        if let Some(authority) = &self.setup.clients_of {
            self.write("clients.pem", authority);
        }
        if let Some((_, authority)) = self.setup.follows.as_ref().and_then(|follows| follows.over_tls.as_ref()) {
            self.write("primary.pem", authority);
        }
    }

    /// Puts the zone's file in place as a whole: a server may be reading it.
    fn write_zone(&self, zone: &str, text: &str) {
        let beside = self.directory.join(format!("{}.next", zone_file_name(zone)));
        std::fs::write(&beside, text).expect("the test's directory is writable");
        std::fs::rename(&beside, self.zone_file(zone)).expect("a file can be renamed in its directory");
    }
}

fn zone_file_name(zone: &str) -> String {
    match zone.trim_end_matches('.') {
        "" => "root.zone".into(),
        name => format!("{name}.zone"),
    }
}

/// One kind of server: how it is configured, run and told of changes.
trait Dialect {
    /// Writes everything that the server reads at its start but the zone files.
    fn prepare(&self, place: &Place);
    /// The name of the file in which it finds everything.
    fn configuration(&self) -> &'static str;
    /// The server in the foreground, printing its log.
    fn command(&self, place: &Place) -> Command;
    /// Takes the zone's file over into a database, where there is one.
    fn take_over(&self, _place: &Place, _zone: &str) {}
    /// Makes the running server read the zone again.
    fn reload(&self, place: &Place, zone: &str);
    /// Makes it answer what differences have brought.
    fn settle(&self, _place: &Place, _zone: &str) {}
    /// Whether this line of its log says that it has sent differences of the zone.
    fn tells_of_differences(&self, line: &str, zone: &str) -> bool;
}

/// A running (or switched off) primary.
pub struct Peer {
    software: Software,
    place: Place,
    process: Option<Process>,
    _directory: TempDir,
}

impl Peer {
    /// Starts a server and waits until it answers for all its zones.
    ///
    /// # Panics
    /// When it does not, with what it printed; when it cannot do what the setup wants.
    #[track_caller]
    pub fn start(software: Software, setup: Setup) -> Self {
        assert!(setup.tls.is_none() || software.speaks_tls(), "{software:?} speaks no TLS");
        assert!(setup.clients_of.is_none() || software.checks_clients(), "{software:?} checks no clients");
        assert!(setup.copied_from.is_none() || software.copies(), "{software:?} is not told here how to copy");
        let mut printed = String::new();
        for _ in 0..STARTS_MAX {
            let directory = TempDir::with_prefix("secondo-peer-").expect("there is room for temporary files");
            let place = Place {
                directory: directory.path().to_owned(),
                address: setup.at.unwrap_or_else(port::free),
                control: port::free(),
                tls_address: port::free(),
                setup: setup.clone(),
            };
            for (zone, text) in &setup.zones {
                place.write_zone(zone, text);
            }
            place.write_tls_files();
            software.dialect().prepare(&place);
            let mut peer = Self { software, place, process: None, _directory: directory };
            match peer.launch() {
                Ok(()) => return peer,
                Err(reason) => printed = reason,
            }
        }
        panic!("{software:?} does not start: {printed}");
    }

    /// Where it answers; it may do so only later for what it copies from others.
    pub fn address(&self) -> SocketAddr {
        self.place.address
    }

    /// Where it answers over TLS.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn tls_address(&self) -> SocketAddr {
        assert!(self.place.setup.tls.is_some() && self.software.speaks_tls(), "this server speaks no TLS");
        self.place.tls_address
    }

    /// Has it answer what differences have brought, where it does not do so by itself.
    pub fn settle(&self, zone: &str) {
        self.software.dialect().settle(&self.place, zone);
    }

    /// The file that it was configured with, for its control programs.
    pub fn configuration(&self) -> String {
        self.place.path(self.software.dialect().configuration())
    }

    pub fn software(&self) -> Software {
        self.software
    }

    /// Replaces the zone and waits until the server itself answers with the new serial.
    #[track_caller]
    pub fn replace(&mut self, zone: &str, text: &str) {
        let wanted = serial_of(zone, text);
        self.change_while_off(zone, text);
        self.software.dialect().reload(&self.place, zone);
        let address = self.address();
        let what = format!("{:?} to serve {zone} with serial {wanted}", self.software);
        eventually(PATIENCE, &what, || query::has_serial(address, zone, wanted).map_err(|seen| self.with_log(&seen)));
    }

    /// Replaces the zone without waiting, so that changes can follow each other closely.
    pub fn replace_soon(&mut self, zone: &str, text: &str) {
        self.change_while_off(zone, text);
        self.software.dialect().reload(&self.place, zone);
    }

    /// Replaces the zone without telling the server, which is off.
    pub fn change_while_off(&mut self, zone: &str, text: &str) {
        self.place.write_zone(zone, text);
        self.software.dialect().take_over(&self.place, zone);
    }

    /// Kills it: nobody listens at its address any more.
    pub fn switch_off(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was, with the zones that it had last.
    #[track_caller]
    pub fn switch_on(&mut self) {
        if let Err(printed) = self.launch() {
            panic!("{:?} does not start again: {printed}", self.software);
        }
    }

    /// Keeps it alive but mute: it holds its sockets and answers nothing.
    pub fn freeze(&self) {
        self.process.as_ref().expect("only a running server can be frozen").freeze();
    }

    pub fn thaw(&self) {
        self.process.as_ref().expect("only a running server can be thawed").thaw();
    }

    /// Everything that it has printed.
    pub fn log(&self) -> String {
        read_lossy(&self.log_file())
    }

    /// How often it has answered IXFR for the zone with differences, by its own log.
    pub fn differences_sent(&self, zone: &str) -> usize {
        let dialect = self.software.dialect();
        self.log().lines().filter(|line| dialect.tells_of_differences(line, zone)).count()
    }

    fn log_file(&self) -> PathBuf {
        self.place.directory.join("log")
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut process = Process::start(self.software.dialect().command(&self.place), &self.log_file());
        let deadline = Instant::now() + PATIENCE;
        for (zone, _) in &self.place.setup.zones {
            while let Err(seen) = query::serial(self.address(), zone) {
                if let Some(status) = process.ended() {
                    return Err(self.with_log(&format!("it ended with {status}")));
                }
                if Instant::now() > deadline {
                    return Err(self.with_log(&seen));
                }
                pause();
            }
        }
        self.process = Some(process);
        Ok(())
    }

    fn with_log(&self, words: &str) -> String {
        let log = self.log();
        let skipped = log.lines().count().saturating_sub(40);
        let tail: Vec<&str> = log.lines().skip(skipped).collect();
        format!("{words}\n--- the end of its log:\n{}\n---", tail.join("\n"))
    }
}

fn serial_of(zone: &str, text: &str) -> u32 {
    let records =
        dns::text::zone_from_text(zone, text).unwrap_or_else(|error| panic!("zone file of {zone}: {error}"));
    let soa = records.iter().find(|record| record.rtype == dns::Type::SOA).expect("a zone file has an SOA record");
    dns::Soa::parse(soa.rdata).expect("SOA records from text are whole").serial.0
}

/// The zone's name as most logs write it: with its last dot.
fn dotted(zone: &str) -> String {
    format!("{}.", zone.trim_end_matches('.'))
}

/// A program of a package in `/usr/sbin`, which is not in everybody's path.
pub fn system_program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.exists() { path } else { name.into() }
}
