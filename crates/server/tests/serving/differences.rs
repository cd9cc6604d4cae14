//! IXFR out: what a client makes of it, with a secondary's own code and with dig.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use answer::{Contents, ServedZone};
use dns::{Name, Opcode, Rcode, Section, Serial, Type};
use proptest::prelude::*;
use server::{Access, Differences, Event, Way};
use testing::process::run;
use xfr::session::Fetch;
use xfr::tsig::Algorithm;
use xfr::{Key, Outcome, Progress, Session, SessionLimits};
use zone::{Change, Diff, Generation, Image, Snapshot, TenantId, ZoneId, advance, between};

use crate::support::{Server, Setup, TcpClient, header, key, message, now_secs, rcode, types, with_edns};

const SEED: [u8; 16] = [7; 16];

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn image(serial: u32, hosts: impl IntoIterator<Item = String>) -> Image {
    let mut text = format!("@ 3600 SOA ns1 Hostmaster {serial} 7200 3600 1209600 300\n@ 3600 NS ns1\n");
    hosts.into_iter().for_each(|line| writeln!(text, "{line}").unwrap());
    let records = dns::text::zone_from_text("example.", &text).unwrap();
    advance(apex().borrow(), None, &Change::Full(records), SEED, zone::Limits::default()).unwrap().image
}

/// A version with so many hosts, one of which has the serial for its address.
fn hosts(serial: u32, count: u32) -> Image {
    let address = |host: u32| if host == 0 { serial } else { host };
    image(serial, (0..count).map(|host| format!("host{host} 300 A 192.0.{}.{}", host >> 8, address(host) & 255)))
}

/// All versions of a zone, oldest first, of which the last is served.
struct Kept {
    versions: Vec<Image>,
    /// Where each version but the first came from.
    steps: Vec<Diff>,
    /// Whether the steps are given without waiting.
    at_hand: Option<Arc<[Diff]>>,
    /// A step that is lost while the transfer is under way.
    lost: Option<usize>,
}

impl Kept {
    fn of(versions: Vec<Image>) -> Self {
        let steps = versions.windows(2).map(|pair| between(&pair[0], &pair[1])).collect();
        Self { versions, steps, at_hand: None, lost: None }
    }

    fn serve(self, access: Access) -> Server {
        let (image, generation) = (self.versions.last().unwrap().clone(), Generation(self.steps.len() as u64));
        let contents = Contents::Live(Arc::new(Snapshot { generation, image }));
        let zones = vec![Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex(), contents))];
        Setup { zones, access, differences: Arc::new(self), ..Setup::default() }.start()
    }
}

impl Differences for Kept {
    fn way(&self, _zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Way> {
        let first = self.versions.iter().position(|version| version.serial() == from)?;
        let steps = (first as u64 + 1..=to.generation.0).map(Generation).collect();
        let records = self.steps[first..].iter().map(|step| step.removed.len() + step.added.len()).sum::<usize>();
        Some(Way { steps, records: records as u64 })
    }

    fn step(&self, _zone: ZoneId, to: Generation) -> Option<Diff> {
        let at = to.0 as usize - 1;
        (self.lost != Some(at)).then(|| self.steps[at].clone())
    }

    fn at_hand(&self, _zone: ZoneId, from: Serial, _to: &Snapshot) -> Option<Arc<[Diff]>> {
        self.at_hand.clone().filter(|steps| steps[0].from == from)
    }
}

/// What a secondary that has `held` gets, and in how many messages; none where the connection is closed on it.
fn follow(client: &mut TcpClient, held: &Image, key: Option<Arc<Key>>) -> Option<(Outcome, Vec<usize>)> {
    let fetch = Fetch::Ixfr { soa_rdata: held.soa_record().rdata.to_vec() };
    let mut session = Session::new(apex(), fetch, 4711, key, SessionLimits::default());
    client.send(&session.request(now_secs()));
    let mut messages = Vec::new();
    loop {
        let message = client.receive()?;
        messages.push(message.len());
        match session.receive(&message, now_secs()).unwrap() {
            Progress::More => {}
            Progress::Done(outcome) => return Some((outcome, messages)),
        }
    }
}

fn changed(outcome: Outcome) -> Change {
    let Outcome::Change(change) = outcome else { panic!("{outcome:?}") };
    change
}

fn ixfr(serial: u32) -> Vec<u8> {
    message(Opcode::QUERY, "example.", Type::IXFR, Some((Section::Authority, serial)))
}

fn signing() -> (Access, Arc<Key>) {
    let key = key("key.", Algorithm::HmacSha256);
    let mut access = Access::default();
    access.keys.add(TenantId::DEFAULT, key.clone());
    (access, key)
}

/// What a host may have, its TTL and its spelling changing as well.
fn line() -> impl Strategy<Value = String> {
    (0..12_u8, 0..4_u8, 0..3_u8).prop_map(|(host, value, kind)| match kind {
        0 => format!("host{host} {} A 192.0.2.{value}", 60 + host),
        1 => format!("host{host} 60 MX {value} Mail{value}"),
        _ => format!("a.host{host} 60 TXT \"{value}\""),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_a_client_makes_of_our_differences_is_our_version(
        versions in prop::collection::vec(prop::collection::btree_set(line(), 0..40), 2..6),
        first_serial: u32,
        is_signed: bool,
    ) {
        let versions: Vec<Image> = versions
            .into_iter()
            .zip(0..)
            .map(|(lines, number): (BTreeSet<String>, u32)| image(first_serial.wrapping_add(number * 1000), lines))
            .collect();
        let (access, key) = signing();
        let key = is_signed.then_some(key);
        let server = Kept::of(versions.clone()).serve(access);
        let (ours, held) = versions.split_last().unwrap();
        let mut client = server.tcp();
        for held in held {
            let (outcome, _) = follow(&mut client, held, key.clone()).unwrap();
            let change = changed(outcome);
            let made = advance(apex().borrow(), Some(held), &change, SEED, zone::Limits::default()).unwrap().image;
            prop_assert_eq!(made.digest(), ours.digest());
            prop_assert_eq!(made.as_bytes(), ours.as_bytes());
        }
    }
}

#[test]
fn ixfr_gets_the_differences_step_by_step_in_full_messages() {
    static VERSIONS: OnceLock<Vec<Image>> = OnceLock::new();
    // Each step replaces two thousand hosts of six thousand.
    let versions = VERSIONS.get_or_init(|| {
        let version = |serial: u32| {
            let address = |host: u32| if host < 2_000 { serial } else { 0 };
            image(serial, (0..9_000).map(|host| format!("host{host} 300 A 192.0.2.{}", address(host))))
        };
        (1..=3).map(version).collect()
    });
    let (access, key) = signing();
    for key in [None, Some(key)] {
        let server = Kept::of(versions.clone()).serve(access.clone());
        let (outcome, messages) = follow(&mut server.tcp(), &versions[0], key).unwrap();
        let Change::Steps(steps) = changed(outcome) else { panic!("the differences are less than the zone") };
        let serials: Vec<_> = steps.iter().map(|step| (step.from.0, step.to.0)).collect();
        assert_eq!(serials, [(1, 2), (2, 3)]);
        assert!(messages.len() > 2 && messages[..messages.len() - 1].iter().all(|octets| *octets > 64_500));
        let tally = server.stop();
        assert_eq!((tally.of(Event::DifferencesSent), tally.of(Event::TransferSent)), (1, 0));
    }
}

#[test]
fn differences_that_are_more_than_the_zone_are_not_sent() {
    // GL#1515.
    let versions = vec![hosts(1, 3), hosts(2, 3)];
    let server = Kept::of(versions.clone()).serve(Access::default());
    let mut client = server.tcp();
    let (outcome, _) = follow(&mut client, &versions[0], None).unwrap();
    assert!(matches!(changed(outcome), Change::Steps(_)), "four records for six");
    let versions = vec![hosts(1, 3), hosts(2, 3), hosts(3, 3)];
    let server = Kept::of(versions.clone()).serve(Access::default());
    let (outcome, _) = follow(&mut server.tcp(), &versions[0], None).unwrap();
    assert!(matches!(changed(outcome), Change::Full(_)));
}

#[test]
fn where_nothing_is_kept_the_whole_zone_is_sent() {
    let versions = vec![hosts(5, 20), hosts(7, 20)];
    let server = Kept::of(versions.clone()).serve(Access::default());
    let mut client = server.tcp();
    for serial in [4, 6, 7_u32.wrapping_sub(1 << 31)] {
        let (outcome, _) = follow(&mut client, &hosts(serial, 1), None).unwrap();
        assert!(matches!(changed(outcome), Change::Full(_)), "from serial {serial}");
    }
    for serial in [7, 8] {
        let reply = client.ask(&ixfr(serial));
        assert_eq!((types(&reply), header(&reply).counts), (vec![Type::SOA], [1, 1, 0, 0]));
    }
}

#[test]
fn a_difference_that_is_lost_on_the_way_cuts_the_transfer_off() {
    let versions: Vec<Image> = (1..=4).map(|serial| hosts(serial, 40)).collect();
    let lost = |lost| Kept { lost: Some(lost), ..Kept::of(versions.clone()) };
    let server = lost(1).serve(Access::default());
    assert_eq!(follow(&mut server.tcp(), &versions[0], None), None, "never half of it");
    assert_eq!(server.stop().of(Event::TransferFailed), 1);
    let server = lost(0).serve(Access::default());
    let (outcome, _) = follow(&mut server.tcp(), &versions[0], None).unwrap();
    assert!(matches!(changed(outcome), Change::Full(_)), "nothing had been sent yet");
}

#[test]
fn over_udp_differences_come_in_one_datagram_or_not_at_all() {
    let versions = vec![hosts(6, 40), hosts(7, 40)];
    let kept = Kept::of(versions.clone());
    let at_hand = Some(kept.steps.clone().into());
    let server = Kept { at_hand, ..kept }.serve(Access::default());
    let client = server.udp();
    let reply = client.ask(&with_edns(ixfr(6), 1232));
    assert_eq!(rcode(&reply), Rcode::NOERROR);
    let expected = [Type::SOA, Type::SOA, Type::A, Type::SOA, Type::A, Type::SOA, Type::OPT];
    assert_eq!(types(&reply), expected);
    assert_eq!(
        types(&client.ask(&ixfr(5))),
        [Type::SOA],
        "RFC 1995 §2: the SOA alone says that there is something new"
    );
    let mut large = Kept::of(vec![hosts(6, 40), hosts(7, 80)]);
    large.at_hand = Some(large.steps.clone().into());
    let server = large.serve(Access::default());
    assert_eq!(types(&server.udp().ask(&ixfr(6))), [Type::SOA]);
}

#[test]
fn dig_reads_differences_over_tcp_and_over_udp() {
    let versions: Vec<Image> = (1..=3).map(|serial| hosts(serial, 40)).collect();
    let mut kept = Kept::of(versions);
    kept.at_hand = Some(kept.steps.clone().into());
    let server = kept.serve(Access::default());
    let (ip, port) = (server.address.ip().to_string(), server.address.port().to_string());
    for transport in ["+tcp", "+notcp"] {
        let mut dig = Command::new("dig");
        dig.args([&format!("@{ip}"), "-p", &port, "example.", "ixfr=1", transport, "+noall", "+answer", "+onesoa"]);
        let printed = run(&mut dig);
        let soas = printed.lines().filter(|line| line.contains("SOA")).count();
        let addresses: Vec<&str> = printed
            .lines()
            .filter(|line| line.starts_with("host0."))
            .flat_map(|line| line.split('\t').next_back())
            .collect();
        assert_eq!((soas, addresses), (6, vec!["192.0.0.1", "192.0.0.2", "192.0.0.2", "192.0.0.3"]), "{printed}");
    }
}
