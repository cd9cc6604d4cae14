//! NOTIFYs: who is heard, over what, and what is on record of them afterwards, the refused ones with why.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dns::{Opcode, Rcode, Type};
use serde_json::Value;
use testing::certificate::Authority;
use testing::peer::{Peer, Setup, Software};
use testing::primary::{Kind, Primary};
use testing::secondo::Secondo;
use testing::tls::Client;
use testing::{eventually, port, query, zone_text};
use xfr::{Algorithm, Key};

use crate::scene::{SOON, ZONE, add, following, is_told, secondo, serves, with_each_primary};

const PRIMARY: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Of another /24 than the primary.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 9, 9);

/// The zone's NOTIFYs on record, the last to come first.
#[track_caller]
fn notifies(secondo: &Secondo) -> Vec<Value> {
    secondo.json(&["zone", "notifies", ZONE]).as_array().expect("NOTIFYs are a list").clone()
}

/// The row that stands for those from there, for this reason; null stands for accepted ones.
#[track_caller]
fn row(secondo: &Secondo, from: &str, code: impl Into<Value>) -> Value {
    let (rows, code) = (notifies(secondo), code.into());
    let found = rows.iter().find(|row| row["from"] == from && row["reason"]["code"] == code);
    found.cloned().unwrap_or_else(|| panic!("nothing from {from} for {code}: {rows:#?}"))
}

fn notify(from: Ipv4Addr, secondo: &Secondo, serial: u32) -> Rcode {
    query::notify(from, secondo.dns(), ZONE, serial).unwrap().rcode
}

/// Secondo with the first version of the zone, of a primary that sends no NOTIFYs by itself.
fn holding(secondo: Secondo) -> (Secondo, Primary) {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo.started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    (secondo, primary)
}

#[test]
fn accepted_and_refused_notifies_are_on_record_with_why() {
    with_each_primary(|software| {
        let (secondo, mut peer) = following(secondo(), software, ZONE, &zone_text::small(1));
        peer.replace(ZONE, &zone_text::small(2));
        serves(&secondo, ZONE, 2);
        assert_eq!(notify(STRANGER, &secondo, 9), Rcode::REFUSED);

        let accepted = row(&secondo, "127.0.0.1", Value::Null);
        assert_eq!((&accepted["outcome"], &accepted["standing"]), (&"accepted".into(), &"known".into()));
        // Knot sends its NOTIFYs over TCP.
        let transport = if software == Software::Knot { "tcp" } else { "udp" };
        assert_eq!(accepted["transport"], transport);
        let refused = row(&secondo, "127.0.9.0/24", "stranger");
        assert_eq!((&refused["outcome"], &refused["count"]), (&"refused".into(), &1.into()));
        assert!(refused["reason"]["advice"].as_str().unwrap().contains("notify-from"), "{refused}");
        is_told(&secondo, "stranger_notifies", &["come from 127.0.9.0/24 and are not heeded"]);
        let shown = secondo.expect(&["zone", "notifies", ZONE]);
        assert!(shown.contains("accepted") && shown.contains("refused (stranger)"), "{shown}");
        let status = secondo.json(&["status"]);
        // Some primaries sent one before the zone was added here.
        assert!(status["notifies"]["refused"].as_u64() >= Some(1), "{status}");
        assert!(status["notifies"]["accepted"].as_u64() >= Some(1), "{status}");
    });
}

#[test]
fn what_is_on_record_outlives_a_restart() {
    let (mut secondo, _primary) = holding(secondo());
    assert_eq!(notify(PRIMARY, &secondo, 7), Rcode::NOERROR);
    secondo.terminate();
    secondo.start();
    assert_eq!(row(&secondo, "127.0.0.1", Value::Null)["serial"], 7);
}

#[test]
fn a_flood_of_strangers_is_answered_and_is_a_handful_of_rows() {
    let (secondo, _primary) = holding(secondo());
    let request = |zone| query::request(Opcode::NOTIFY, zone, Type::SOA, Some(9));
    for (message, expected) in [(request(ZONE), Rcode::REFUSED), (request("nowhere.test"), Rcode::NOTAUTH)] {
        for site in 1..=20 {
            let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, site, 1), 0)).unwrap();
            socket.connect(secondo.dns()).unwrap();
            socket.set_read_timeout(Some(SOON)).unwrap();
            for _burst in 0..10 {
                (0..50).for_each(|_| assert_eq!(socket.send(&message).unwrap(), message.len()));
                for _ in 0..50 {
                    let mut reply = [0; 512];
                    let length = socket.recv(&mut reply).unwrap();
                    assert_eq!(query::read_reply(&reply[..length]).unwrap().rcode, expected);
                }
            }
        }
    }
    let rows = notifies(&secondo);
    let counts: Vec<u64> = rows.iter().map(|row| row["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [500; 20], "{rows:#?}");
    let strangers = secondo.json(&["notifies"]);
    let strangers = strangers.as_array().unwrap();
    assert_eq!(strangers.len(), 20, "{strangers:#?}");
    for stranger in strangers {
        assert_eq!((&stranger["count"], &stranger["last_reason"]["code"]), (&500.into(), &"unknown_zone".into()));
        assert_eq!(stranger["last_zone"], "nowhere.test.");
    }
    assert!(secondo.expect(&["notifies"]).contains("127.0.20.0/24"));
    let status = secondo.json(&["status"]);
    assert_eq!((&status["notifies"]["refused"], &status["notifies"]["unrecorded"]), (&20_000.into(), &0.into()));
    // And the primary is heard as before.
    assert_eq!(notify(PRIMARY, &secondo, 2), Rcode::NOERROR);
}

#[test]
fn notifies_that_bring_nothing_are_a_few_checks_and_then_one_a_second_and_none_is_lost() {
    let (secondo, primary) = holding(secondo());
    let asked = || primary.count(Kind::SoaOverUdp);
    let (before, started) = (asked(), Instant::now());
    while started.elapsed() < Duration::from_millis(1_500) {
        assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
    }
    let checks = asked() - before;
    // Four at once, and those of these seconds, the last of which is not over.
    assert!((1..=4 + started.elapsed().as_secs() + 1).contains(&checks), "{checks}");
    // The last of them came when the primary had nothing to show yet.
    primary.notify(ZONE, secondo.dns());
    primary.publish(ZONE, &zone_text::small(2));
    serves(&secondo, ZONE, 2);
}

#[test]
fn where_signatures_are_wanted_the_primarys_own_unsigned_notify_is_refused_and_this_is_said() {
    let (secondo, primary) = holding(secondo());
    let secret = "c2Vjb25kbyB0ZXN0cyB1c2UgdGhpcyBzZWNyZXQsIDMyKw==";
    let file = secondo.scratch_file("secret", secret);
    secondo.expect(&["key", "add", "notify.test", "--secret-file", &file]);
    assert_eq!(notify(PRIMARY, &secondo, 1), Rcode::NOERROR, "by default an address is enough");
    secondo.expect(&["zone", "set", ZONE, "notify=signed", "notify-keys=notify.test"]);
    eventually(SOON, "the unsigned NOTIFY to be refused", || match notify(PRIMARY, &secondo, 2) {
        Rcode::REFUSED => Ok(()),
        other => Err(other.to_string()),
    });
    let refused = row(&secondo, "127.0.0.1", "unsigned");
    assert_eq!((&refused["standing"], &refused["serial"]), (&"known".into(), &2.into()));
    assert!(refused["reason"]["message"].as_str().unwrap().contains("not signed"), "{refused}");

    let key = |name: &str, secret: &str| {
        Arc::new(Key::from_base64(name.parse().unwrap(), Algorithm::HmacSha256, secret).unwrap())
    };
    primary.publish(ZONE, &zone_text::small(2));
    let signed = primary.notify_signed(ZONE, secondo.dns(), Some(key("notify.test.", secret)));
    assert_eq!(signed, Some(Rcode::NOERROR));
    serves(&secondo, ZONE, 2);
    let rows = notifies(&secondo);
    assert!(rows.iter().any(|row| row["signed_by"] == "notify.test." && row["outcome"] == "accepted"), "{rows:#?}");

    for (key, code) in [
        (key("unknown.test.", secret), "tsig_bad_key"),
        (key("notify.test.", "YW5vdGhlciBzZWNyZXQsIHdoaWNoIG5vYm9keSBrbm93cw=="), "tsig_bad_sig"),
    ] {
        assert_eq!(primary.notify_signed(ZONE, secondo.dns(), Some(key)), Some(Rcode::NOTAUTH));
        assert_eq!(row(&secondo, "127.0.0.1", code)["standing"], "known");
    }
}

#[test]
fn another_sender_is_let_in_by_notify_from() {
    let (secondo, primary) = holding(secondo());
    assert_eq!(notify(STRANGER, &secondo, 2), Rcode::REFUSED);
    secondo.expect(&["zone", "set", ZONE, "notify-from=127.0.9.0/24"]);
    primary.publish(ZONE, &zone_text::small(2));
    eventually(SOON, "the sender to be heard", || match notify(STRANGER, &secondo, 2) {
        Rcode::NOERROR => Ok(()),
        other => Err(other.to_string()),
    });
    serves(&secondo, ZONE, 2);
    assert_eq!(row(&secondo, "127.0.9.9", Value::Null)["standing"], "known");
}

#[test]
fn a_paused_zone_hears_without_waking_and_says_so() {
    let (secondo, primary) = holding(secondo());
    secondo.expect(&["zone", "pause", ZONE]);
    primary.publish(ZONE, &zone_text::small(2));
    let paused = eventually(SOON, "the pause to hold for NOTIFYs", || {
        assert_eq!(notify(PRIMARY, &secondo, 2), Rcode::NOERROR);
        let rows = notifies(&secondo);
        rows.iter().find(|row| row["reason"]["code"] == "zone_paused").cloned().ok_or_else(|| format!("{rows:#?}"))
    });
    assert_eq!(paused["outcome"], "refused");
    // Nothing of it is lost: the zone is checked when it is followed again.
    secondo.expect(&["zone", "resume", ZONE]);
    serves(&secondo, ZONE, 2);
}

/// Secondo that speaks TLS too, where, and who vouches for it.
fn over_tls(directory: &Path) -> (Secondo, SocketAddr, Authority) {
    let authority = Authority::new();
    let (certificate, key) = authority.server(&["127.0.0.1"]).write_files(directory, "secondo");
    let address = port::free();
    let configuration = format!(
        "[dns]\ntls_listen = [\"{address}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    (secondo().configured(&configuration), address, authority)
}

#[test]
fn a_notify_over_tcp_or_tls_wakes_the_zone() {
    let directory = tempfile::tempdir().unwrap();
    let (secondo, tls_address, authority) = over_tls(directory.path());
    let mut peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)));
    let secondo = secondo.started();
    add(&secondo, ZONE, peer.address());
    serves(&secondo, ZONE, 1);
    let request = |serial| query::request(Opcode::NOTIFY, ZONE, Type::SOA, Some(serial));
    let accepted = |reply: &[u8]| assert_eq!(query::read_reply(reply).unwrap().rcode, Rcode::NOERROR);

    peer.replace(ZONE, &zone_text::small(2));
    accepted(&query::exchange_tcp(secondo.dns(), &request(2)).unwrap());
    serves(&secondo, ZONE, 2);

    peer.replace(ZONE, &zone_text::small(3));
    let mut connection = Client::trusting(&authority).connect(tls_address, "127.0.0.1").unwrap();
    query::send(&mut connection, &request(3)).unwrap();
    accepted(&query::receive(&mut connection).unwrap());
    serves(&secondo, ZONE, 3);

    // And from a client that is not ours.
    peer.replace(ZONE, &zone_text::small(4));
    let root = authority.write_file(directory.path());
    let sent = Command::new("kdig")
        .args([&format!("@{}", tls_address.ip()), "-p", &tls_address.port().to_string(), ZONE, "NOTIFY=4"])
        .args(["+tls", &format!("+tls-ca={}", root.display()), "+tls-hostname=127.0.0.1", "+time=10", "+retry=0"])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&sent.stdout);
    assert!(sent.status.success() && printed.contains("NOERROR"), "{printed}");
    serves(&secondo, ZONE, 4);

    let transports: Vec<Value> = notifies(&secondo).iter().map(|row| row["transport"].clone()).collect();
    assert_eq!(transports, ["tls", "tcp"]);
    let status = secondo.json(&["status"]);
    assert_eq!((&status["dns_over_tls"][0], &status["queries"]["tls"]), (&tls_address.to_string().into(), &2.into()));
}

#[test]
fn an_address_for_tls_without_a_certificate_is_named_and_a_certificate_that_is_not_there_too() {
    let directory = tempfile::tempdir().unwrap();
    let without = "[dns]\ntls_listen = [\"127.0.0.1:853\"]\n";
    secondo().configured(without).serve_in_vain().must_be_wrong_usage(&["secondo.toml:2:", "certificate"]);
    let missing = directory.path().join("missing.pem");
    let text = format!(
        "[dns]\ntls_listen = [\"127.0.0.1:0\"]\n[tls]\ncertificate = \"{0}\"\nkey = \"{0}\"\n",
        missing.display()
    );
    secondo().configured(&text).serve_in_vain().must_be_wrong_usage(&["missing.pem"]);
}

/// How long a dead primary is watched: many retries of a second.
const WATCHED: u64 = 4;

#[test]
fn a_dead_primary_does_not_push_everything_else_out_of_the_history() {
    let text = zone_text::with_timers(1, zone_text::Timers { retry: 1, ..zone_text::Timers::SECONDS });
    let primary = Primary::with_zone(ZONE, &text);
    let secondo = secondo().configured(crate::scene::FAST_TIMERS).started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    drop(primary);
    let retried = eventually(Duration::from_secs(60), "some retries on record", || {
        let attempts = crate::scene::attempts(&secondo, ZONE);
        let retried = attempts.iter().find(|attempt| attempt["trigger"] == "retry").cloned();
        retried.filter(|retried| retried["count"].as_u64() >= Some(WATCHED)).ok_or_else(|| format!("{attempts:#?}"))
    });
    assert_eq!((&retried["outcome"], &retried["kind"]), (&"failed".into(), &"check".into()));
    assert_ne!(retried["at"], retried["last_at"]);
    let attempts = crate::scene::attempts(&secondo, ZONE);
    assert_eq!(attempts.iter().filter(|attempt| attempt["trigger"] == "retry").count(), 1, "{attempts:#?}");
    assert_eq!(attempts.last().unwrap()["trigger"], "first");
}
