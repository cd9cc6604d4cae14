//! How soon a NOTIFY is followed by the secondary's question, beside BIND, Knot and NSD as secondaries:
//! `cargo bench -p secondo --bench notify`.
//!
//! One zone and one scripted primary on this machine for each server. The primary has a new version and sends one NOTIFY;
//! taken is the time until the first request of any kind (SOA, IXFR, AXFR) arrives. The next round begins when the new
//! version is served, so that each server is idle. What the primary itself needs to see a request is in every figure.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use dns::{Opcode, Type};
use tempfile::TempDir;
use testing::peer::system_program;
use testing::primary::Primary;
use testing::process::Process;
use testing::secondo::Secondo;
use testing::{eventually, port, query, zone_text};

const ROUNDS: u32 = 200;
const ZONE: &str = "example.test";
const SOON: Duration = Duration::from_secs(60);

fn main() {
    println!("{:<8} {:>9} {:>9} {:>9}   of {ROUNDS} NOTIFYs", "", "p50 ms", "p99 ms", "most ms");
    let secondo = Secondo::new(env!("CARGO_BIN_EXE_secondo")).started();
    measure("secondo", secondo.dns(), |primary| {
        secondo.expect(&["zone", "add", ZONE, "--primary", &primary.to_string()]);
    });
    drop(secondo);
    for (name, program, configure) in [
        ("bind", "named", bind as fn(&Path, SocketAddr, SocketAddr) -> Command),
        ("knot", "knotd", knot),
        ("nsd", "nsd", nsd),
    ] {
        if Command::new(system_program(program)).arg("-V").output().is_err() {
            println!("{name:<8} is not here ({program}): ./test installs it");
            continue;
        }
        let directory = TempDir::with_prefix("secondo-bench-").unwrap();
        let (address, mut running) = (port::free(), None);
        measure(name, address, |primary| {
            let command = configure(directory.path(), address, primary);
            running = Some(Process::start(command, &directory.path().join("log")));
        });
    }
}

/// Has a secondary at `address` follow a primary of its own, and prints how long it takes to ask.
fn measure(name: &str, address: SocketAddr, follow: impl FnOnce(SocketAddr)) {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    follow(primary.address());
    eventually(SOON, "the first copy", || query::has_serial(address, ZONE, 1));
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect(address).unwrap();
    let mut took: Vec<Duration> = (2..ROUNDS + 2)
        .map(|serial| {
            primary.publish(ZONE, &zone_text::small(serial));
            let asked = primary.requests();
            let began = Instant::now();
            socket.send(&query::request(Opcode::NOTIFY, ZONE, Type::SOA, None)).unwrap();
            primary.wait_for_requests(asked + 1);
            let took = began.elapsed();
            eventually(SOON, "the new version", || query::has_serial(address, ZONE, serial));
            took
        })
        .collect();
    took.sort();
    let at = |part: f64| took[((took.len() as f64 * part) as usize).min(took.len() - 1)].as_secs_f64() * 1000.0;
    println!("{name:<8} {:>9.3} {:>9.3} {:>9.3}", at(0.5), at(0.99), at(1.0));
}

fn bind(directory: &Path, address: SocketAddr, primary: SocketAddr) -> Command {
    let (path, ip, port) = (directory.display(), address.ip(), address.port());
    let (primary_ip, primary_port) = (primary.ip(), primary.port());
    // The limits of queries and of transfers are for many zones, and would be measured here otherwise.
    let text = format!(
        "options {{ directory \"{path}\"; pid-file none; session-keyfile \"{path}/session.key\"; lock-file none;\n\
         listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no;\n\
         allow-notify {{ 127.0.0.0/8; }}; serial-query-rate 2000; transfers-in 100; transfers-per-ns 100; }};\n\
         controls {{ }};\n\
         zone \"{ZONE}\" {{ type secondary; file \"zone\"; primaries {{ {primary_ip} port {primary_port}; }}; }};\n"
    );
    std::fs::write(directory.join("named.conf"), text).unwrap();
    let mut command = Command::new(system_program("named"));
    command.args(["-g", "-c"]).arg(directory.join("named.conf"));
    command
}

fn knot(directory: &Path, address: SocketAddr, primary: SocketAddr) -> Command {
    let path = directory.display();
    let at = |address: SocketAddr| format!("{}@{}", address.ip(), address.port());
    let text = format!(
        "server:\n  listen: {}\n  rundir: {path}\nlog:\n  - target: stderr\n    any: warning\n\
         database:\n  storage: {path}/database\n  journal-db-max-size: 64M\n  timer-db-max-size: 4M\n\
         remote:\n  - id: primary\n    address: {}\n\
         acl:\n  - id: notify\n    address: 127.0.0.0/8\n    action: notify\n\
         zone:\n  - domain: {ZONE}\n    storage: {path}\n    master: primary\n    acl: notify\n",
        at(address),
        at(primary)
    );
    std::fs::create_dir(directory.join("database")).unwrap();
    std::fs::write(directory.join("knot.conf"), text).unwrap();
    let mut command = Command::new(system_program("knotd"));
    command.arg("-c").arg(directory.join("knot.conf"));
    command
}

fn nsd(directory: &Path, address: SocketAddr, primary: SocketAddr) -> Command {
    let path = directory.display();
    let at = |address: SocketAddr| format!("{}@{}", address.ip(), address.port());
    let text = format!(
        "server:\n  ip-address: {}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{path}\"\n  pidfile: \"{path}/pid\"\n\
         \x20 xfrdfile: \"{path}/xfrd\"\n  zonelistfile: \"{path}/list\"\n  xfrdir: \"{path}\"\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: \"{ZONE}\"\n  zonefile: \"zone\"\n  request-xfr: {} NOKEY\n  allow-notify: 127.0.0.0/8 NOKEY\n",
        at(address),
        at(primary)
    );
    std::fs::write(directory.join("nsd.conf"), text).unwrap();
    let mut command = Command::new(system_program("nsd"));
    command.args(["-d", "-c"]).arg(directory.join("nsd.conf"));
    command
}
