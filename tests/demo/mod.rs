//! `secondo demo`, the first thing that people try.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use testing::process::Process;
use testing::{eventually, query};

use crate::scene::PROGRAM;

const LONG: Duration = Duration::from_secs(60);

fn demo(temporary: &TempDir) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("demo").env("TMPDIR", temporary.path()).current_dir(temporary.path());
    command
}

/// That nothing is left of it.
fn is_empty(temporary: &TempDir) -> bool {
    fs::read_dir(temporary.path()).unwrap().next().is_none()
}

#[test]
fn the_demonstration_shows_what_it_says_and_leaves_nothing_behind() {
    let temporary = TempDir::new().unwrap();
    let shown = demo(&temporary).arg("--exit").output().unwrap();
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success() && shown.stderr.is_empty(), "{text}\n{}", String::from_utf8_lossy(&shown.stderr));
    let mut rest = &text[..];
    // Each behind the one before it.
    for expected in [
        "A primary for example.test runs on 127.0.0.1:",
        "$ secondo zone add example.test --primary 127.0.0.1:",
        "axfr from 127.0.0.1:",
        "www.example.test. 300 IN A 192.0.2.10",
        "www.example.test. 300 IN A 192.0.2.20",
        "notify   ixfr",
        "The primary is stopped",
        "$ secondo zone refresh example.test",
        "(unreachable)",
        "www.example.test. 300 IN A 192.0.2.20",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("{expected:?} is not in its place:\n{text}"));
        rest = &rest[at + expected.len()..];
    }
    assert!(is_empty(&temporary));
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    let (temporary, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let log = elsewhere.path().join("log");
    let mut process = Process::start(demo(&temporary), &log);
    eventually(LONG, "it to begin", || match fs::read_to_string(&log).unwrap_or_default() {
        shown if shown.contains("The zone is created") => Ok(()),
        shown => Err(shown),
    });
    process.hang_up();
    eventually(LONG, "it to end", || if process.ended().is_some() { Ok(()) } else { Err("it runs".to_owned()) });
    assert!(is_empty(&temporary));
}

#[test]
fn who_kills_it_ends_the_service_too() {
    let (temporary, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let log = elsewhere.path().join("log");
    let process = Process::start(demo(&temporary), &log);
    let shown = || fs::read_to_string(&log).unwrap_or_default();
    let line = eventually(LONG, "a question to be shown", || {
        shown().lines().find(|line| line.starts_with("$ dig @")).map(ToOwned::to_owned).ok_or_else(shown)
    });
    let mut words = line.split_whitespace();
    let address = words.find_map(|word| word.strip_prefix('@')).unwrap();
    let dns: SocketAddr = format!("{address}:{}", words.nth(1).unwrap()).parse().unwrap();
    assert!(query::serial(dns, "example.test").is_ok());
    process.kill_alone();
    eventually(LONG, "the service to end", || match query::serial(dns, "example.test") {
        Ok(serial) => Err(format!("it answers with serial {serial}")),
        Err(_) => Ok(()),
    });
}

#[test]
fn the_service_goes_on_until_it_is_ended() {
    let (temporary, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let log = elsewhere.path().join("log");
    let mut process = Process::start(demo(&temporary), &log);
    let shown = || fs::read_to_string(&log).unwrap_or_default();
    eventually(LONG, "all to be shown", || if shown().contains("until Ctrl-C") { Ok(()) } else { Err(shown()) });
    let line = shown().lines().find(|line| line.starts_with("  dig @")).unwrap().to_owned();
    let dig = Command::new("dig").args(line.split_whitespace().skip(1)).arg("+short").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&dig.stdout).trim(), "192.0.2.20");
    assert!(process.ended().is_none() && process.terminate().success(), "{}", shown());
    assert!(is_empty(&temporary));
}
