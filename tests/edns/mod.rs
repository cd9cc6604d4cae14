//! EDNS options, class CHAOS and cookies as dig, kdig and drill see them.

mod cookies;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use testing::certificate::Authority;
use testing::port;
use testing::primary::Primary;
use testing::process::run;
use testing::secondo::Secondo;
use testing::zone_text::small;

use crate::scene::{ZONE, secondo, serves};

/// What dig prints of one answer or several.
fn dig(server: SocketAddr, arguments: &[&str]) -> String {
    run(&mut dig_command(server, arguments))
}

fn dig_command(server: SocketAddr, arguments: &[&str]) -> Command {
    let (ip, port) = (server.ip().to_string(), server.port().to_string());
    let mut command = Command::new("dig");
    command.args([&format!("@{ip}"), "-p", &port, "+tries=1", "+nocookie"]).args(arguments);
    command
}

/// What kdig prints, over TLS; who speaks there is known by the certificate.
fn kdig_over_tls(server: SocketAddr, authority: &str, arguments: &[&str]) -> String {
    let (ip, port) = (server.ip().to_string(), server.port().to_string());
    let trusted = format!("+tls-ca={authority}");
    run(Command::new("kdig")
        .args([&format!("@{ip}"), "-p", &port, &trusted, "+tls-host=dns.example"])
        .args(arguments))
}

fn drill(server: SocketAddr, arguments: &[&str]) -> String {
    let (ip, port) = (server.ip().to_string(), server.port().to_string());
    run(Command::new("drill").args(["-p", &port, &format!("@{ip}")]).args(arguments))
}

#[track_caller]
fn assert_says(printed: &str, words: &[&str]) {
    for words in words {
        assert!(printed.contains(words), "{words} is not in {printed}");
    }
}

#[track_caller]
fn assert_does_not_say(printed: &str, words: &[&str]) {
    for words in words {
        assert!(!printed.contains(words), "{words} is in {printed}");
    }
}

/// Secondo with the small zone, and with these lines below `[dns]`.
fn with_zone(lines: &str) -> (Secondo, Primary) {
    let primary = Primary::with_zone(ZONE, &small(1));
    let secondo = secondo().configured(lines).with_zone(ZONE, primary.address()).started();
    serves(&secondo, ZONE, 1);
    (secondo, primary)
}

#[test]
fn the_server_says_of_itself_what_is_configured_and_else_nothing() {
    let (named, _primary) =
        with_zone("[dns]\nname = \"node-1\"\nversion = \"one of ours\"\nreport_agent = \"reports.test\"\n");
    let printed = dig(named.dns(), &[ZONE, "SOA", "+nsid"]);
    assert_says(&printed, &["status: NOERROR", "; NSID: 6e 6f 64 65 2d 31 (\"node-1\")"]);
    // Report-Channel (RFC 9567), which dig 9.18 shows by its number: whom to tell is said without being asked.
    assert_says(&printed, &["; OPT=18: 07 72 65 70 6f 72 74 73 04 74 65 73 74 00"]);
    assert_does_not_say(&dig(named.dns(), &[ZONE, "SOA"]), &["NSID"]);
    for (name, text) in [
        ("id.server", "node-1"),
        ("hostname.bind", "node-1"),
        ("version.server", "one of ours"),
        ("version.bind", "one of ours"),
    ] {
        let printed = dig(named.dns(), &[name, "TXT", "CH"]);
        assert_says(&printed, &["status: NOERROR", &format!("CH\tTXT\t\"{text}\"")]);
        let printed = drill(named.dns(), &[name, "TXT", "CH"]);
        assert_says(&printed, &["rcode: NOERROR", &format!("CH\tTXT\t\"{text}\"")]);
    }
    let (nameless, _primary) = with_zone("");
    let printed = dig(nameless.dns(), &[ZONE, "SOA", "+nsid"]);
    assert_says(&printed, &["status: NOERROR", "EDNS: version: 0"]);
    assert_does_not_say(&printed, &["NSID", "OPT=18"]);
    for name in ["id.server", "hostname.bind", "version.server", "version.bind", "authors.bind"] {
        assert_says(&dig(nameless.dns(), &[name, "TXT", "CH"]), &["status: REFUSED", "ANSWER: 0"]);
    }
}

#[test]
fn options_are_answered_as_they_are_asked_for() {
    let (authority, over_tls, directory) = (Authority::new(), port::free(), tempfile::tempdir().unwrap());
    let (chain, key) = authority.server(&["dns.example"]).write_files(directory.path(), "ours");
    let trusted: PathBuf = authority.write_file(directory.path());
    let (secondo, _primary) = with_zone(&format!(
        "[dns]\ntls_listen = [\"{over_tls}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        chain.display(),
        key.display()
    ));
    let asked = |option: &str| dig(secondo.dns(), &[ZONE, "SOA", option]);
    // The small zone is good for a week, which has just begun.
    assert_says(&asked("+expire"), &["; EXPIRE: 604"]);
    // The zone's name has two labels, its version is of type 0, the SOA's serial (RFC 9660), which is 1.
    assert_says(&asked("+ednsopt=19"), &["; OPT=19: 02 00 00 00 00 01"]);
    assert_does_not_say(&asked("+subnet=192.0.2.0/24"), &["CLIENT-SUBNET"]);
    assert_says(&asked("+edns=1"), &["status: NOERROR"]);
    assert_says(&dig(secondo.dns(), &[ZONE, "SOA", "+edns=1", "+noednsneg"]), &["status: BADVERS"]);
    // Only a connection can be kept.
    assert_says(&dig(secondo.dns(), &[ZONE, "SOA", "+tcp", "+keepalive"]), &["; TCP KEEPALIVE: "]);
    assert_does_not_say(&asked("+keepalive"), &["; TCP KEEPALIVE: "]);
    // RFC 8467 §4.1: in blocks of 468 octets, where nobody sees more than lengths.
    let trusted = trusted.display().to_string();
    let padded = kdig_over_tls(over_tls, &trusted, &[ZONE, "SOA", "+padding"]);
    assert_says(&padded, &["status: NOERROR", ";; PADDING: ", ";; Received 468 B"]);
    assert_does_not_say(&kdig_over_tls(over_tls, &trusted, &[ZONE, "SOA", "+nopadding"]), &["PADDING"]);
    assert_does_not_say(&asked("+padding=128"), &["PAD"]);
}
