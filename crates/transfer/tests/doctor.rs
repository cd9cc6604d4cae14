//! What the doctor finds at primaries that are well, and at those that are not.

#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dns::{Name, Rcode, Serial};
use rustls::RootCertStore;
use testing::certificate::{Authority, Certificate};
use testing::peer::{Peer, Setup, Software as Installed, TsigKey};
use testing::primary::{Behaviour, Kind, OldBind, Primary as Scripted};
use testing::process::Process;
use testing::{eventually, query, zone_text};
use transfer::doctor::{Examination, Notifies, Ours, Outcome, Part, Paste, Patient, Software, Takes, Us, Way};
use transfer::{Deadlines, Internet, Limits, Primary, TlsClient, Transfers};
use xfr::{Algorithm, Alpn, Destinations, Identity, Key, Pin, Tls};

const ZONE: &str = "@ 60 SOA ns host 7 7200 3600 604800 60\n@ 60 NS ns\n@ 60 NS ns2.other.\nns 60 A 192.0.2.1\n";
const NAME: &str = "primary.test";

/// For primaries that keep us waiting; those that answer do so much faster.
fn limits() -> Limits {
    let deadlines = Deadlines {
        udp_try: Duration::from_millis(400),
        connect: Duration::from_secs(2),
        idle: Duration::from_secs(1),
        ..Deadlines::default()
    };
    Limits { deadlines, ..Limits::default() }
}

fn key(secret: &str) -> Arc<Key> {
    Arc::new(Key::new("key.example.".parse().unwrap(), Algorithm::HmacSha256, secret.as_bytes().to_vec()).unwrap())
}

fn behaving(behaviours: &[Behaviour]) -> (Scripted, Primary) {
    let scripted = Scripted::with_zone("example.", ZONE);
    behaviours.iter().for_each(|behaviour| scripted.behave(behaviour.clone()));
    let primary = Primary::at(scripted.address());
    (scripted, primary)
}

fn patient(zone: &str, primaries: &[Primary]) -> Patient {
    let (zone, primaries) = (zone.parse().unwrap(), primaries.to_vec());
    Patient { zone, primaries, own_addresses: Vec::new(), notifies: Notifies::None, ours: None }
}

async fn examined_by(tls: TlsClient, patient: &Patient) -> Examination {
    Transfers::new(limits(), Arc::new(Internet::new(Destinations::Anything)), tls).examine(patient).await
}

async fn examined(primaries: &[Primary]) -> Examination {
    examined_by(TlsClient::default(), &patient("example.", primaries)).await
}

/// Whether the zone cannot be copied, or kept up to date.
fn has_failed(examination: &Examination) -> bool {
    examination.steps.iter().any(|step| matches!(step.outcome, Outcome::Failed(_)))
}

/// Every step that did not pass, in short: `axfr failed refused`, `own_ns skipped`.
fn told(examination: &Examination) -> Vec<String> {
    let steps = examination.steps.iter().filter(|step| step.outcome != Outcome::Passed);
    steps
        .map(|step| match &step.outcome {
            Outcome::Passed => unreachable!("they were left out"),
            Outcome::Skipped => format!("{} skipped", step.name),
            Outcome::Warning(cause) => format!("{} warning {}", step.name, cause.code),
            Outcome::Failed(cause) => format!("{} failed {}", step.name, cause.code),
        })
        .collect()
}

/// The same without what cannot be seen from here.
fn complaints(examination: &Examination) -> Vec<String> {
    told(examination).into_iter().filter(|line| !line.ends_with("skipped")).collect()
}

fn dead_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_primary_that_is_well_passes_every_step() {
    let (scripted, primary) = behaving(&[]);
    let examination = examined(&[primary]).await;
    // The scripted one does not look at EDNS's version.
    assert_eq!(told(&examination), ["edns warning edns_versions", "own_ns skipped", "notify skipped"]);
    assert!(!has_failed(&examination));
    assert_eq!(examination.primaries[0].source, Some(Ipv4Addr::LOCALHOST.into()));
    assert_eq!(scripted.count(Kind::Axfr), 1);
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_found_by_its_step() {
    let (udp, tcp) = (Kind::SoaOverUdp, Kind::SoaOverTcp);
    for (behaviours, found) in [
        (vec![Behaviour::Silent(udp)], vec!["udp_soa warning timed_out"]),
        (vec![Behaviour::Silent(tcp)], vec!["tcp_soa failed timed_out"]),
        (vec![Behaviour::CloseAtOnce(tcp)], vec!["tcp_soa failed connection_closed"]),
        (
            vec![Behaviour::Silent(udp), Behaviour::Silent(tcp)],
            vec!["udp_soa failed timed_out", "tcp_soa failed timed_out"],
        ),
        (vec![Behaviour::Answer(udp, Rcode::SERVFAIL)], vec!["udp_soa failed servfail"]),
        (
            vec![Behaviour::Answer(udp, Rcode::REFUSED), Behaviour::Answer(tcp, Rcode::REFUSED)],
            vec!["udp_soa failed refused", "tcp_soa failed refused"],
        ),
        (vec![Behaviour::NotAuthoritative], vec!["authority failed not_authoritative"]),
        (vec![Behaviour::DislikeEdns(Rcode::NOTIMP)], vec!["edns warning edns_unknown"]),
        (vec![Behaviour::DropEdns], vec!["edns warning edns_dropped"]),
        (vec![Behaviour::Answer(Kind::Axfr, Rcode::REFUSED)], vec!["axfr failed refused"]),
        (vec![Behaviour::Answer(Kind::Axfr, Rcode::NOTAUTH)], vec!["axfr failed notauth"]),
        (vec![Behaviour::Silent(Kind::Axfr)], vec!["axfr failed timed_out"]),
        (vec![Behaviour::HangHalfWay, Behaviour::Answer(Kind::Ixfr, Rcode::NOTIMP)], vec!["axfr failed hung"]),
        (vec![Behaviour::OtherLastSoa], vec!["axfr failed soa_mismatch"]),
        (vec![Behaviour::OtherZone], vec!["axfr failed no_soa"]),
        (
            vec![Behaviour::Answer(Kind::Ixfr, Rcode::NOTIMP)],
            vec!["ixfr_current warning notimp", "ixfr_older warning notimp"],
        ),
    ] {
        let (_scripted, primary) = behaving(&behaviours);
        let examination = examined(&[primary]).await;
        // What the scripted primary does not do: other versions of EDNS, and NS records that nobody asked for.
        let usual = ["edns warning edns_versions"];
        let complaints: Vec<String> =
            complaints(&examination).into_iter().filter(|line| !usual.contains(&line.as_str())).collect();
        assert_eq!(complaints, found, "{behaviours:?}");
        let fails = found.iter().any(|line| line.contains(" failed "));
        assert_eq!(has_failed(&examination), fails, "{behaviours:?}");
    }
}

#[tokio::test]
async fn nobody_there_and_no_zone_there_are_told_apart() {
    let examination = examined(&[Primary::at(dead_port())]).await;
    assert_eq!(complaints(&examination), ["udp_soa failed unreachable", "tcp_soa failed unreachable"]);
    let skipped = told(&examination);
    for name in ["authority", "edns", "axfr", "ixfr_current", "ixfr_older", "ns_records", "own_ns", "timers"] {
        assert!(skipped.contains(&format!("{name} skipped")), "{skipped:?}");
    }
    let other = Scripted::with_zone("other.", ZONE);
    let examination = examined(&[Primary::at(other.address())]).await;
    assert_eq!(complaints(&examination), ["udp_soa failed notauth", "tcp_soa failed notauth", "edns skipped"][..2]);
}

#[tokio::test]
async fn keys_that_do_not_fit_are_told_apart() {
    for (ours, behaviours, found) in [
        ("a secret", vec![], vec![]),
        ("a secret", vec![Behaviour::TakesUnsigned], vec!["unsigned_axfr warning unsigned_allowed"]),
        ("another", vec![], vec!["tsig failed tsig_bad_sig"]),
        ("a secret", vec![Behaviour::ClockAhead(412)], vec!["tsig failed tsig_bad_time"]),
        ("a secret", vec![Behaviour::Unsigned], vec!["tsig failed tsig_missing"]),
        ("a secret", vec![Behaviour::WrongMac], vec!["tsig failed tsig_wrong_mac"]),
    ] {
        let (scripted, primary) = behaving(&behaviours);
        scripted.add_key(key("a secret"));
        let examination = examined(&[Primary { key: Some(key(ours)), ..primary }]).await;
        let complaints: Vec<String> =
            complaints(&examination).into_iter().filter(|line| !line.starts_with("edns ")).collect();
        assert_eq!(complaints, found, "{behaviours:?}");
        if found == ["tsig failed tsig_bad_time"] {
            let said = examination.steps.iter().map(|step| step.found.clone()).collect::<String>();
            assert!(said.contains("their clock is 41"), "{said}");
        }
    }
    let (scripted, primary) = behaving(&[]);
    scripted.add_key(key("a secret"));
    let address = primary.address;
    let wrong = examined(&[Primary { key: Some(key("another")), ..primary }]).await;
    for step in wrong.steps.iter().filter(|step| ["ns_records", "own_ns", "timers"].contains(&step.name.as_str())) {
        assert_eq!(
            step.found,
            format!("{address} was not asked for it, because our signed query to it failed (see tsig)")
        );
    }
    let (scripted, primary) = behaving(&[]);
    scripted.add_key(Arc::new(Key::generate("other.".parse().unwrap(), Algorithm::HmacSha256).unwrap()));
    let unknown = examined(&[Primary { key: Some(key("a secret")), ..primary.clone() }]).await;
    assert!(complaints(&unknown).contains(&"tsig failed tsig_bad_key".into()), "{:?}", told(&unknown));
    let unsigned = examined(&[primary]).await;
    assert_eq!(complaints(&unsigned), ["udp_soa failed refused", "tcp_soa failed refused"]);
}

#[tokio::test]
async fn old_primaries_are_well_in_their_way() {
    for which in OldBind::ALL {
        let old = Scripted::old_bind(which);
        old.publish("example.", ZONE);
        let examination = examined(&[Primary::at(old.address())]).await;
        assert!(!has_failed(&examination), "{which:?}: {:?}", told(&examination));
    }
}

#[tokio::test]
async fn a_large_zone_is_not_fetched_to_see_whether_it_could_be() {
    let scripted = Scripted::with_zone(
        "example.",
        &(0..50_000)
            .fold(ZONE.to_owned(), |text, host| text + &format!("host-{host} 60 TXT \"{}\"\n", "x".repeat(100))),
    );
    scripted.behave(Behaviour::Trickle { octets: 16_384, pause: Duration::from_millis(20) });
    let examination = examined(&[Primary::at(scripted.address())]).await;
    assert!(!has_failed(&examination), "{:?}", told(&examination));
    assert!(examination.steps.iter().any(|step| step.found.contains("given up after")));
}

#[tokio::test]
async fn primaries_that_keep_us_waiting_are_not_waited_for_long() {
    for behaviours in [
        vec![Behaviour::Trickle { octets: 1, pause: Duration::from_millis(100) }],
        vec![Behaviour::Endless],
        vec![Behaviour::Garbage(Kind::SoaOverUdp), Behaviour::Garbage(Kind::SoaOverTcp)],
        vec![Behaviour::Silent(Kind::Other), Behaviour::Silent(Kind::Ixfr)],
        vec![Behaviour::Garbage(Kind::Other), Behaviour::Garbage(Kind::Axfr)],
    ] {
        let (_scripted, primary) = behaving(&behaviours);
        let began = Instant::now();
        examined(&[primary]).await;
        assert!(began.elapsed() < Duration::from_secs(45), "{behaviours:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn several_primaries_are_compared() {
    let (one, first) = behaving(&[]);
    let (two, second) = behaving(&[]);
    let both = [first, second];
    let of_all = |examination: &Examination| -> Vec<String> {
        let of_all = examination.steps.iter().filter(|step| step.primary.is_none()).cloned().collect();
        complaints(&Examination { steps: of_all, primaries: Vec::new() })
    };
    assert_eq!(of_all(&examined(&both).await), [""; 0]);

    two.behave(Behaviour::ClaimSerial(5));
    assert_eq!(of_all(&examined(&both).await), ["serials warning serials_differ"]);
    two.behave_well();
    two.behave(Behaviour::ClaimSerial(7 ^ 1 << 31));
    assert_eq!(of_all(&examined(&both).await), ["serials failed serial_incomparable"]);
    two.behave_well();
    two.publish("example.", &ZONE.replace("3600", "1800"));
    assert_eq!(of_all(&examined(&both).await), ["versions failed same_serial_differs"]);
    // A serial that has wrapped around is the newer one.
    two.publish("example.", &ZONE.replace(" 7 ", " 4294967295 "));
    let examination = examined(&both).await;
    let newest = format!("newest is {}'s", one.address());
    assert!(examination.steps.iter().any(|step| step.found.contains(&newest)), "{:?}", examination.steps);
}

#[tokio::test]
async fn serials_are_compared_with_ours() {
    let (one, first) = behaving(&[]);
    let (_two, second) = behaving(&[]);
    let told = async |primaries: &[Primary], serial: u32, takes: Takes| {
        let ours = Some(Ours { serial: Serial(serial), takes });
        let examination =
            examined_by(TlsClient::default(), &Patient { ours, ..patient("example.", primaries) }).await;
        let steps = examination.steps.iter().filter(|step| step.name.as_str() == "our_serial").cloned().collect();
        Examination { steps, primaries: Vec::new() }
    };
    let alone = std::slice::from_ref(&first);
    let older = told(alone, 10, Takes::Newer).await;
    assert_eq!(complaints(&older), ["our_serial failed serial_went_back"]);
    assert_eq!(older.steps[0].found, format!("older than ours, 10, and not taken: 7 at {}", one.address()));
    let Outcome::Failed(cause) = &older.steps[0].outcome else { unreachable!("it failed") };
    assert!(cause.advice.contains("secondo zone set example. serial-went-back=accept"), "{}", cause.advice);
    for (serial, takes, found) in [
        (10, Takes::OlderToo, "older ones are taken too"),
        (10, Takes::None, "frozen here at the serial 10"),
        (7, Takes::Newer, "the serial that is shown, 7"),
        (6, Takes::Newer, "newer than ours, 6: 7 at"),
        // Around the circle.
        (u32::MAX, Takes::Newer, "newer than ours"),
    ] {
        let examination = told(alone, serial, takes).await;
        assert_eq!(complaints(&examination), [""; 0], "{serial} {takes:?}");
        assert!(examination.steps[0].found.contains(found), "{}", examination.steps[0].found);
    }
    let far = told(alone, 7 ^ 1 << 31, Takes::Newer).await;
    assert_eq!(complaints(&far), ["our_serial failed serial_incomparable"]);
    // One that lags behind another is not what keeps the zone from being up to date.
    one.behave(Behaviour::ClaimSerial(5));
    let both = told(&[first, second], 7, Takes::Newer).await;
    assert_eq!(complaints(&both), ["our_serial warning serial_went_back"]);
    assert!(both.steps[0].found.ends_with(&format!("not taken: 5 at {}", one.address())), "{}", both.steps[0].found);
}

#[tokio::test]
async fn the_zones_name_servers_and_timers_are_looked_at() {
    let peer = |text: &str| Peer::start(Installed::Knot, Setup::zone("example.test", text));
    let alone = peer("@ 60 SOA ns host 1 7200 3600 3600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n");
    let mut patient = patient("example.test", &[Primary::at(alone.address())]);
    patient.own_addresses = vec![IpAddr::from([192, 0, 2, 9])];
    patient.notifies = Notifies::Taken;
    let examination = examined_by(TlsClient::default(), &patient).await;
    let expected = [
        "ns_records warning ns_single",
        "own_ns warning ns_without_us",
        "timers warning expire_before_refresh",
        "timers warning expire_short",
    ];
    assert_eq!(told(&examination), expected);
    patient.own_addresses = vec![IpAddr::from([192, 0, 2, 1])];
    let examination = examined_by(TlsClient::default(), &patient).await;
    assert!(!told(&examination).iter().any(|line| line.starts_with("own_ns")), "{:?}", told(&examination));
}

fn software(installed: Installed) -> Software {
    match installed {
        Installed::Bind => Software::Bind,
        Installed::Knot => Software::Knot,
        Installed::Nsd => Software::Nsd,
        Installed::PowerDns => Software::PowerDns,
    }
}

#[tokio::test]
async fn the_real_ones_pass_and_are_recognised() {
    for installed in Installed::ALL {
        let mut peer = Peer::start(installed, Setup::zone("example.test", zone_text::small(1)));
        peer.replace("example.test", &zone_text::small(2));
        let patient = patient("example.test", &[Primary::at(peer.address())]);
        let examination = examined_by(TlsClient::default(), &patient).await;
        assert_eq!(told(&examination), ["own_ns skipped", "notify skipped"], "{installed:?}");
        assert_eq!(examination.primaries[0].guess.software, Some(software(installed)));
        let older = examination.steps.iter().find(|step| step.name.as_str() == "ixfr_older").unwrap();
        let wanted = if installed.sends_differences() { "differences: 1" } else { "whole zone" };
        assert!(older.found.contains(wanted), "{installed:?}: {}", older.found);
    }
}

#[tokio::test]
async fn the_real_ones_say_what_is_wrong_with_a_key() {
    let good = TsigKey::of("hmac-sha256");
    let of = |key: &TsigKey| {
        let name: Name = key.name.parse().unwrap();
        Arc::new(Key::from_base64(name, Algorithm::HmacSha256, &key.secret).unwrap())
    };
    for installed in Installed::ALL {
        let peer = Peer::start(installed, Setup::zone("example.test", zone_text::small(1)).key(good.clone()));
        let unsigned = Primary::at(peer.address());
        let signed = |key| Primary { key: Some(key), ..unsigned.clone() };
        let ask = async |primary: Primary| {
            let patient = patient("example.test", &[primary]);
            examined_by(TlsClient::default(), &patient).await
        };
        assert_eq!(complaints(&ask(signed(of(&good))).await), [""; 0], "{installed:?}");

        let wrong = ask(signed(of(&good.with_wrong_secret()))).await;
        let code = if installed == Installed::PowerDns { "tsig_rejected" } else { "tsig_bad_sig" };
        assert_eq!(complaints(&wrong), [format!("tsig failed {code}")], "{installed:?}");
        assert_eq!(wrong.primaries[0].guess.software, Some(software(installed)));

        let refused = complaints(&ask(unsigned.clone()).await);
        assert!(
            refused == ["axfr failed refused"] || refused == ["axfr failed notauth"],
            "{installed:?} {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_transfer_that_is_denied_to_a_key_is_said_to_be_a_matter_of_the_key() {
    let there = TsigKey::of("hmac-sha256");
    let peer = Peer::start(Installed::Nsd, Setup::zone("example.test", zone_text::small(1)).key(there.clone()));
    let here = Key::from_base64(there.name.parse().unwrap(), Algorithm::HmacSha512, &there.secret).unwrap();
    let primary = Primary { key: Some(Arc::new(here)), ..Primary::at(peer.address()) };
    let examination = examined_by(TlsClient::default(), &patient("example.test", &[primary])).await;
    assert_eq!(complaints(&examination), ["axfr failed refused"]);
    let step = examination.steps.iter().find(|step| step.name.as_str() == "axfr").unwrap();
    let Outcome::Failed(cause) = &step.outcome else { unreachable!("it failed") };
    let said = &cause.advice;
    let name = there.name.trim_end_matches('.');
    assert!(said.contains(&format!("{name} with hmac-sha512")) && !said.contains("NOKEY"), "{said}");
    assert!(said.contains("activate-tsig-key example.test. "), "{said}");
}

struct Secured {
    authority: Authority,
    certificate: Certificate,
}

impl Secured {
    fn new() -> Self {
        let authority = Authority::new();
        let certificate = authority.server(&[NAME, "127.0.0.1"]);
        Self { authority, certificate }
    }

    fn client(&self) -> TlsClient {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.root()).unwrap();
        TlsClient::new(roots, None)
    }

    fn primary(address: SocketAddr, identity: Identity, alpn: Alpn) -> Primary {
        Primary { tls: Some(Tls { identity, alpn }), ..Primary::at(address) }
    }
}

#[tokio::test]
async fn bind_and_nsd_over_tls_pass_and_show_their_pin() {
    let secured = Secured::new();
    for installed in Installed::ALL.into_iter().filter(|installed| installed.speaks_tls()) {
        let setup = Setup::zone("example.test", zone_text::small(1)).over_tls(secured.certificate.clone());
        let peer = Peer::start(installed, setup);
        let alpn = if installed == Installed::Nsd { Alpn::MayBeMissing } else { Alpn::Required };
        let ask = async |identity: Identity, alpn: Alpn| {
            let primary = Secured::primary(peer.tls_address(), identity, alpn);
            examined_by(secured.client(), &patient("example.test", &[primary])).await
        };
        let well = ask(Identity::Name(NAME.into()), alpn).await;
        assert_eq!(told(&well), ["own_ns skipped", "notify skipped"], "{installed:?}");
        assert_eq!(well.primaries[0].pin.unwrap().to_string(), secured.certificate.pin());
        assert_eq!(well.primaries[0].guess.software, Some(software(installed)));

        let other = ask(Identity::Name("other.test".into()), alpn).await;
        assert_eq!(complaints(&other), ["tls failed tls_certificate"]);
        assert!(other.steps[0].found.ends_with(secured.certificate.pin()), "{}", other.steps[0].found);
        let nobody = Identity::Pin(Pin::from_base64(Certificate::of_nobody().pin()).unwrap());
        assert_eq!(complaints(&ask(nobody, alpn).await), ["tls failed tls_pin"]);
        if installed == Installed::Nsd {
            let strict = ask(Identity::Name(NAME.into()), Alpn::Required).await;
            assert_eq!(complaints(&strict), ["tls failed tls_no_alpn"]);
        }
    }
}

#[tokio::test]
async fn what_is_to_go_over_tls_goes_over_nothing_else() {
    let secured = Secured::new();
    let scripted = Scripted::over_tls(&secured.certificate);
    scripted.publish("example.", ZONE);
    for behaviour in [None, Some(Behaviour::CloseAfterHandshake), Some(Behaviour::OldTls)] {
        scripted.behave_well();
        behaviour.iter().for_each(|behaviour| scripted.behave(behaviour.clone()));
        let primary = Secured::primary(scripted.tls_address(), Identity::Name(NAME.into()), Alpn::Required);
        let examination = examined_by(secured.client(), &patient("example.", &[primary])).await;
        assert_eq!(has_failed(&examination), behaviour.is_some(), "{:?}", told(&examination));
    }
    let udp_and_tcp = [Kind::SoaOverUdp, Kind::SoaOverTcp].map(|kind| scripted.count(kind));
    assert_eq!((udp_and_tcp, scripted.connections_over_tcp()), ([0, 0], 0));
}

/// Every way to be known to a primary.
fn all_of_us() -> Vec<Us> {
    let mut all = Vec::new();
    for address in [IpAddr::from([192, 0, 2, 7]), "2001:db8::7".parse().unwrap()] {
        for port in [53, 5300] {
            for key in [None, Some(("Transfer.example.".parse().unwrap(), Algorithm::HmacSha512))] {
                for way in [Way::ClearText, Way::Tls] {
                    all.push(Us { address: Some(address), notified: None, port, key: key.clone(), way });
                }
            }
        }
    }
    all
}

fn is_for_options(part: &Part) -> bool {
    part.place.contains("within the options block")
}

fn lines(part: &Part) -> Vec<String> {
    part.lines.clone()
}

/// The lines as they would be pasted: those of a zone that is there into its block, those of one that is not as they are.
fn pasted(software: Software, paste: &Paste, is_there: bool) -> Vec<String> {
    let parts = if is_there { &paste.parts } else { &paste.holding };
    let (last, others) = parts.split_last().unwrap();
    let mut text: Vec<String> = others.iter().filter(|part| !is_for_options(part)).flat_map(lines).collect();
    if software == Software::Bind {
        // As everybody's: one options block, which is there before.
        text.push("options { directory \"/\";".into());
        text.extend(others.iter().filter(|part| is_for_options(part)).flat_map(lines));
        text.push("};".into());
    }
    match software {
        Software::Bind if is_there => {
            text.push("zone \"example.org\" { type primary; file \"example.org.zone\";".into());
            text.extend(last.lines.clone());
            text.push("};".into());
        }
        Software::Nsd if is_there => {
            text.push("zone:\n    name: example.org\n    zonefile: example.org.zone".into());
            text.extend(last.lines.iter().map(|line| format!("    {line}")));
        }
        _ => text.extend(last.lines.clone()),
    }
    text
}

/// What the server's own checker says about the lines.
fn check(software: Software, text: &[String]) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let program = match software {
        Software::Bind => "named-checkconf",
        Software::Knot => "knotc",
        Software::Nsd => "nsd-checkconf",
        Software::PowerDns | Software::Yadifa | Software::WindowsDns => return Ok(()),
    };
    let file = directory.path().join("pasted.conf");
    // Any base64 will do.
    std::fs::write(&file, text.join("\n").replace("SECRET", "c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=") + "\n").unwrap();
    let mut command = Command::new(program);
    match software {
        Software::Knot => command.arg("-c").arg(&file).arg("conf-check"),
        _ => command.arg(&file),
    };
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned()).concat();
    if output.status.success() { Ok(()) } else { Err(format!("{printed}\n{}", text.join("\n"))) }
}

#[test]
fn what_is_to_be_pasted_is_taken_by_the_servers_own_checkers() {
    let zone: Name = "example.org.".parse().unwrap();
    for us in all_of_us() {
        for software in Software::ALL {
            let paste = Paste::of(software, &zone, &us);
            for is_there in [true, false] {
                let text = pasted(software, &paste, is_there);
                check(software, &text).unwrap_or_else(|said| panic!("{software} does not take it: {said}"));
                let text = text.join("\n");
                assert!(text.contains(&us.address.unwrap().to_string()), "{text}");
                if us.key.is_some() && software != Software::WindowsDns {
                    assert!(text.contains("Transfer.example") && text.contains("SECRET"), "{text}");
                }
                assert!(is_there || text.contains("example.org."), "with its file: {text}");
            }
        }
    }
}

#[test]
fn bind_that_is_told_to_listen_with_tls_goes_on_answering_the_world() {
    let us = Us { address: Some(Ipv4Addr::LOCALHOST.into()), notified: None, port: 53, key: None, way: Way::Tls };
    let paste = Paste::of(Software::Bind, &"example.org.".parse().unwrap(), &us);
    let (for_options, others): (Vec<Part>, Vec<Part>) = paste.parts.into_iter().partition(is_for_options);
    let directory = tempfile::tempdir().unwrap();
    Secured::new().certificate.write_files(directory.path(), "transfers");
    std::fs::write(directory.path().join("example.org.zone"), ZONE).unwrap();
    let (plain, secure) = (testing::port::free(), testing::port::free());
    let here = directory.path().display();
    let text = format!(
        "{}\noptions {{ directory \"{here}\"; pid-file none; session-keyfile none; lock-file none; port {};\n\
         managed-keys-directory \"{here}\"; recursion no; dnssec-validation no;\n{}\n}};\ncontrols {{ }};\n\
         zone \"example.org\" {{ type primary; file \"example.org.zone\";\n{}\n}};\n",
        lines(&others[0]).join("\n").replace("/etc/bind", &here.to_string()),
        plain.port(),
        for_options.iter().flat_map(lines).collect::<Vec<_>>().join("\n"),
        lines(&others[1]).join("\n"),
    );
    // The ports and addresses of a test in the place of the world's.
    let text = text.replace("port 853", &format!("port {}", secure.port()));
    let text = text.replace("{ any; }", "{ 127.0.0.1; ::1; }").replace("notify yes", "notify no");
    let process = bind(directory.path(), &text);
    let output = |seen: String| format!("{seen}\n{}\n{text}", process.output());
    eventually(Duration::from_secs(20), "BIND to answer in clear text", || {
        query::has_serial(plain, "example.org", 7).map_err(output)
    });
    eventually(Duration::from_secs(20), "BIND to listen with TLS", || {
        TcpStream::connect(secure).map_err(|error| output(error.to_string()))
    });
}

/// BIND with this configuration, and whatever is in the directory.
fn bind(directory: &Path, configuration: &str) -> Process {
    let file = directory.join("named.conf");
    std::fs::write(&file, configuration).unwrap();
    // AppArmor would keep Debian's own out of temporary directories.
    let named = directory.join("named");
    std::fs::copy(testing::peer::system_program("named"), &named).unwrap();
    let mut command = Command::new(named);
    command.args(["-g", "-n", "1", "-c"]).arg(&file);
    Process::start(command, &directory.join("log"))
}

/// The lines for whom BIND does not hold the zone yet, in a BIND whose options let nobody ask: it is asked for the SOA, and gives
/// the zone, to us and to nobody else.
#[test]
fn bind_that_did_not_hold_the_zone_shows_and_gives_it_with_the_lines_for_that() {
    let us = Us { address: Some([127, 0, 0, 7].into()), notified: None, port: 53, key: None, way: Way::ClearText };
    let paste = Paste::of(Software::Bind, &"example.org.".parse().unwrap(), &us);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("example.org.zone"), ZONE).unwrap();
    let (plain, here) = (testing::port::free(), directory.path().display());
    let held = lines(&paste.holding[0]).join("\n").replace("localhost; ", "").replace("notify yes", "notify no");
    let text = format!(
        "options {{ directory \"{here}\"; pid-file none; session-keyfile none; lock-file none;\n\
         listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-query {{ none; }};\n\
         managed-keys-directory \"{here}\"; recursion no; dnssec-validation no; }};\ncontrols {{ }};\n{held}\n",
        plain.port(),
    );
    let process = bind(directory.path(), &text);
    let dig = |from: &str, rtype: &str| {
        let mut dig = Command::new("dig");
        dig.args([
            "+tcp",
            "+tries=1",
            "+time=5",
            "-b",
            from,
            "-p",
            &plain.port().to_string(),
            "@127.0.0.1",
            "example.org",
            rtype,
        ]);
        String::from_utf8(dig.output().unwrap().stdout).unwrap()
    };
    eventually(Duration::from_secs(20), "BIND to show the zone to us", || {
        let said = dig("127.0.0.7", "SOA");
        if said.contains("status: NOERROR") { Ok(()) } else { Err(format!("{said}\n{}\n{text}", process.output())) }
    });
    assert!(dig("127.0.0.7", "AXFR").contains("XFR size"), "{}", process.output());
    assert!(dig("127.0.0.8", "SOA").contains("status: REFUSED"), "{}", process.output());
    assert!(dig("127.0.0.8", "AXFR").contains("Transfer failed"), "{}", process.output());
}

/// A zone's list in PowerDNS's database, with one entry before the lines are run and whatever is there behind them.
fn powerdns_list(us: &Us, list: &str, before: &str) -> String {
    let paste = Paste::of(Software::PowerDns, &"example.org.".parse().unwrap(), us);
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display();
    let configuration = format!("launch=gsqlite3\ngsqlite3-database={here}/db\ngsqlite3-dnssec=yes\n");
    std::fs::write(directory.path().join("pdns.conf"), configuration).unwrap();
    let script = format!(
        "set -e\nsqlite3 {here}/db < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql\n\
         pdnsutil() {{ command pdnsutil --config-dir={here} \"$@\"; }}\n\
         pdnsutil create-zone example.org\npdnsutil set-meta example.org {list} {before}\n{}\n\
         pdnsutil get-meta example.org {list} | grep =\n",
        lines(paste.parts.last().unwrap()).join("\n").replace("SECRET", "c2VjcmV0"),
    );
    let output = Command::new("sh").arg("-c").arg(&script).output().unwrap();
    assert!(output.status.success(), "{output:?} of\n{script}");
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

#[test]
fn what_is_to_be_pasted_takes_nothing_from_others_who_copy_the_zone() {
    let mut us =
        Us { address: Some([192, 0, 2, 7].into()), notified: None, port: 53, key: None, way: Way::ClearText };
    let list = |us: &Us, list, before| powerdns_list(us, list, before);
    assert_eq!(list(&us, "ALSO-NOTIFY", "192.0.2.8"), "ALSO-NOTIFY = 192.0.2.8, 192.0.2.7:53");
    assert_eq!(list(&us, "ALLOW-AXFR-FROM", "192.0.2.8"), "ALLOW-AXFR-FROM = 192.0.2.8, 192.0.2.7");
    us.key = Some(("transfer.example.".parse().unwrap(), Algorithm::HmacSha512));
    assert_eq!(list(&us, "TSIG-ALLOW-AXFR", "other"), "TSIG-ALLOW-AXFR = other, transfer.example");
    // No PowerShell is here to try it with.
    let windows = Paste::of(Software::WindowsDns, &"example.org.".parse().unwrap(), &us);
    assert!(lines(&windows.parts[0])[0].contains("replaces both lists"), "{:?}", windows.parts);
}

#[test]
fn nsd_is_to_be_restarted_for_what_its_control_does_not_apply() {
    for way in [Way::ClearText, Way::Tls] {
        let us = Us { address: Some([192, 0, 2, 7].into()), notified: None, port: 53, key: None, way };
        let paste = Paste::of(Software::Nsd, &"example.org.".parse().unwrap(), &us);
        // nsd-control(8): reconfig applies neither addresses nor ports.
        let restarts = |part: &Part| part.place.contains("restart NSD");
        for part in &paste.parts {
            assert_eq!(restarts(part), part.lines[0] == "server:", "{part:?}");
        }
        assert_eq!(paste.parts.iter().any(restarts), way == Way::Tls);
    }
}

#[test]
fn an_address_that_is_not_known_is_left_to_be_filled_in() {
    let us = Us { address: None, notified: None, port: 53, key: None, way: Way::ClearText };
    for software in Software::ALL {
        let paste = Paste::of(software, &"example.org.".parse().unwrap(), &us);
        assert!(paste.parts.iter().flat_map(|part| &part.lines).any(|line| line.contains("OUR-ADDRESS")));
        assert!(paste.notes.iter().any(|note| note.contains("OUR-ADDRESS")), "{:?}", paste.notes);
    }
}

#[test]
fn the_lines_name_who_copies_and_where_notifies_are_taken_if_that_is_elsewhere() {
    let (address, notified) = (Some([192, 0, 2, 7].into()), Some([198, 51, 100, 9].into()));
    let us = Us { address, notified, port: 53, key: None, way: Way::ClearText };
    for software in Software::ALL {
        let paste = Paste::of(software, &"example.org.".parse().unwrap(), &us);
        for parts in [&paste.parts, &paste.holding] {
            let lines: Vec<&String> = parts.iter().flat_map(|part| &part.lines).collect();
            let with = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
            assert_eq!(with("198.51.100.9"), 1, "{software}: {lines:#?}");
            assert!(with("192.0.2.7") >= 1, "{software}: {lines:#?}");
        }
    }
}
