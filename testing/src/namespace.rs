//! Tests in a network of their own: every address and every port of this machine is free there, port 53 too, and nothing
//! leads out.
//!
//! The test's program starts itself again in a new network namespace (`unshare`, `ip`) and runs the one test there, so that
//! sockets, name servers and all else are in it, and nothing is left when it ends. Without the right to make one the test
//! fails: one that is left out would look as if it had passed.

use std::net::IpAddr;
use std::process::Command;

use crate::process;

/// Set inside, to the name of the test.
const INSIDE: &str = "SECONDO_TEST_NAMESPACE";

/// Runs `body` in a network of its own, for the test that is called so.
///
/// # Panics
/// When no namespace can be made, or the test fails in it.
pub fn in_a_network_of_its_own(test: &str, body: impl FnOnce()) {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        process::run(Command::new("ip").args(["link", "set", "lo", "up"]));
        return body();
    }
    let program = std::env::current_exe().expect("a test has a program");
    let mut command = Command::new("unshare");
    command.arg("--net");
    if !is_root() {
        command.arg("--map-root-user");
    }
    let output = command
        .arg(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, test)
        .output()
        .unwrap_or_else(|error| panic!("cannot start unshare of the Debian package util-linux: {error}"));
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    assert!(
        said.contains("running 1 test"),
        "this test needs a network namespace, and none can be made: run it as root, where the system lets root do so \
         (unshare --net true), or allow users to have namespaces: {said}"
    );
    assert!(output.status.success() && said.contains("1 passed"), "in a network of its own:\n{said}");
}

/// Gives this network another address, besides 127.0.0.0/8 and ::1, which it has; one of these by itself, too, which BIND
/// needs to listen there.
///
/// # Panics
/// When it cannot be had.
pub fn add_address(address: IpAddr) {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    process::run(Command::new("ip").args(["address", "add", &format!("{address}/{bits}"), "dev", "lo"]));
}

/// Has what goes to `to`, an address of this network, come from `from`, as if there were two machines.
///
/// # Panics
/// When the network has none of these addresses.
pub fn comes_from(to: IpAddr, from: IpAddr) {
    let route = format!("route change local {to} dev lo table local proto kernel scope host src {from}");
    process::run(Command::new("ip").args(route.split(' ')));
}

fn is_root() -> bool {
    // Of the four numbers behind it the second is the one that rights come from.
    let status = process::read_lossy("/proc/self/status".as_ref());
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}
