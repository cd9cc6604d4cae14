//! Every way a primary can answer, and what we make of it.

#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use dns::{Name, Rcode, RecordRef, Type};
use testing::primary::{Behaviour, Kind, Primary as Scripted};
use transfer::{Deadlines, Fetch, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Algorithm, Destinations, Key, Outcome};
use zone::Change;

const ONE: &str = "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";
const TWO: &str = "@ 60 SOA ns host 2 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.2\nb 60 A 192.0.2.3\n";
const THREE: &str = "@ 60 SOA ns host 3 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.2\n";

/// For primaries that keep us waiting; those that answer do so much faster.
fn short() -> Limits {
    let deadlines = Deadlines {
        udp_try: Duration::from_millis(400),
        probe: Duration::from_secs(6),
        slot: Duration::from_secs(20),
        connect: Duration::from_secs(2),
        reused: Duration::from_millis(400),
        unused: Duration::from_secs(2),
        idle: Duration::from_millis(1000),
        progress: Duration::from_millis(1500),
        progress_octets: 1000,
        transfer: Duration::from_secs(20),
    };
    Limits { deadlines, ..Limits::default() }
}

fn example() -> Name {
    "example.".parse().unwrap()
}

fn key() -> Arc<Key> {
    Arc::new(Key::new("Key.example.".parse().unwrap(), Algorithm::HmacSha256, b"a secret".to_vec()).unwrap())
}

fn transfers(limits: Limits) -> Transfers {
    Transfers::new(limits, Arc::new(Internet::new(Destinations::Anything)), TlsClient::default())
}

fn from_serial(serial: u32) -> Fetch {
    let text = format!("ns.example. host.example. {serial} 60 60 600 60");
    Fetch::Ixfr { soa_rdata: dns::text::rdata_from_text(Type::SOA, &text).unwrap() }
}

/// The serial, or the reason's code.
async fn probed(primary: &Primary) -> Result<u32, &'static str> {
    probed_within(short(), primary).await
}

async fn probed_within(limits: Limits, primary: &Primary) -> Result<u32, &'static str> {
    let shown = transfers(limits).probe(&example(), primary, Lane::Refresh).await;
    shown.map(|shown| shown.soa.serial.0).map_err(|reason| reason.code())
}

/// The records of a whole zone, or the steps, in short; or the reason's code.
async fn fetched(primary: &Primary, fetch: Fetch) -> Result<String, &'static str> {
    let fetched = transfers(short()).fetch(&example(), primary, fetch, Lane::Refresh, &Meter::default()).await;
    let outcome = fetched.map_err(|reason| reason.code())?.outcome;
    Ok(match outcome {
        Outcome::Unchanged(serial) => format!("unchanged {serial}"),
        Outcome::Change(Change::Full(records)) => format!("{} records", records.len()),
        Outcome::Change(Change::Steps(steps)) => {
            let step = |step: &zone::Diff| {
                format!("{}→{} -{} +{}", step.from, step.to, step.removed.len(), step.added.len())
            };
            steps.iter().map(step).collect::<Vec<_>>().join(", ")
        }
    })
}

/// A scripted primary that holds `example.` and behaves so.
fn behaving(behaviours: &[Behaviour]) -> (Scripted, Primary) {
    let scripted = Scripted::with_zone("example.", ONE);
    behaviours.iter().for_each(|behaviour| scripted.behave(behaviour.clone()));
    let primary = Primary::at(scripted.address());
    (scripted, primary)
}

/// So many hosts, which fill many messages.
fn large_text(hosts: u32) -> String {
    (0..hosts).map(|host| format!("host-{host} 60 A 192.0.2.{}\n", host % 256)).collect()
}

fn dead_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn the_serial_comes_over_udp() {
    let (scripted, primary) = behaving(&[]);
    assert_eq!(probed_within(Limits::default(), &primary).await, Ok(1));
    assert_eq!((scripted.count(Kind::SoaOverUdp), scripted.count(Kind::SoaOverTcp)), (1, 0));
}

#[tokio::test]
async fn forged_answers_are_passed_over() {
    let (scripted, primary) = behaving(&[Behaviour::ForgedFirst(Kind::SoaOverUdp)]);
    assert_eq!(probed_within(Limits::default(), &primary).await, Ok(1));
    assert_eq!(scripted.count(Kind::SoaOverUdp), 1);
}

#[tokio::test]
async fn udp_that_fails_is_followed_by_tcp() {
    let udp = Kind::SoaOverUdp;
    // Others than the primary can send what is no answer: it keeps nobody from being asked.
    for behaviour in
        [Behaviour::TruncateUdp, Behaviour::Silent(udp), Behaviour::WrongId(udp), Behaviour::Garbage(udp)]
    {
        let (scripted, primary) = behaving(&[behaviour]);
        assert_eq!(probed(&primary).await, Ok(1));
        assert_eq!(scripted.count(Kind::SoaOverTcp), 1);
    }
}

#[tokio::test]
async fn primaries_that_do_not_know_edns_are_asked_without() {
    // GL#4372.
    for behaviour in
        [Behaviour::DislikeEdns(Rcode::FORMERR), Behaviour::DislikeEdns(Rcode::NOTIMP), Behaviour::DropEdns]
    {
        let (scripted, primary) = behaving(&[behaviour]);
        assert_eq!(probed_within(Limits::default(), &primary).await, Ok(1));
        assert_eq!((scripted.count(Kind::SoaOverUdp), scripted.count(Kind::SoaOverTcp)), (2, 0));
    }
    let (_scripted, primary) =
        behaving(&[Behaviour::DislikeEdns(Rcode::NOTIMP), Behaviour::Silent(Kind::SoaOverUdp)]);
    assert_eq!(probed(&primary).await, Ok(1), "over TCP too");
}

#[tokio::test]
async fn probes_that_fail_say_why() {
    let (udp, tcp) = (Kind::SoaOverUdp, Kind::SoaOverTcp);
    for (behaviours, code) in [
        (vec![Behaviour::Answer(udp, Rcode::REFUSED), Behaviour::CloseAtOnce(tcp)], "refused"),
        (vec![Behaviour::Answer(udp, Rcode::SERVFAIL)], "servfail"),
        (vec![Behaviour::Answer(udp, Rcode::FORMERR)], "formerr"),
        (vec![Behaviour::NotAuthoritative], "not_authoritative"),
        (vec![Behaviour::WrongId(udp), Behaviour::WrongId(tcp)], "wrong_id"),
        (vec![Behaviour::Garbage(udp), Behaviour::Garbage(tcp)], "wrong_id"),
        (vec![Behaviour::Silent(udp), Behaviour::Silent(tcp)], "timed_out"),
        (vec![Behaviour::Silent(udp), Behaviour::CloseAtOnce(tcp)], "connection_closed"),
        (vec![Behaviour::TruncateUdp, Behaviour::WrongId(tcp)], "wrong_id"),
    ] {
        let (_scripted, primary) = behaving(&behaviours);
        assert_eq!(probed(&primary).await, Err(code), "{behaviours:?}");
    }
    assert_eq!(probed(&Primary::at(dead_port())).await, Err("unreachable"));
    let other = Scripted::with_zone("other.", ONE);
    assert_eq!(probed(&Primary::at(other.address())).await, Err("notauth"));
}

#[tokio::test]
async fn a_whole_zone_comes_by_axfr() {
    for behaviours in [
        vec![],
        vec![Behaviour::OneRecordPerMessage],
        vec![Behaviour::NotAuthoritative],
        vec![Behaviour::Trickle { octets: 20, pause: Duration::from_millis(1) }],
    ] {
        let (_scripted, primary) = behaving(&behaviours);
        assert_eq!(fetched(&primary, Fetch::Axfr).await, Ok("3 records".into()), "{behaviours:?}");
    }
}

#[tokio::test]
async fn what_came_between_comes_by_ixfr() {
    let (scripted, primary) = behaving(&[]);
    assert_eq!(fetched(&primary, from_serial(1)).await, Ok("unchanged 1".into()));
    scripted.publish("example.", TWO);
    scripted.publish("example.", THREE);
    assert_eq!(fetched(&primary, from_serial(1)).await, Ok("1→2 -2 +3, 2→3 -2 +1".into()));
    assert_eq!(fetched(&primary, from_serial(7)).await, Err("serial_went_back"));
    scripted.behave(Behaviour::Condensed);
    assert_eq!(fetched(&primary, from_serial(1)).await, Ok("1→3 -2 +2".into()));
    scripted.behave(Behaviour::OneRecordPerMessage);
    assert_eq!(fetched(&primary, from_serial(1)).await, Ok("1→3 -2 +2".into()));
    scripted.behave_well();
    scripted.behave(Behaviour::IxfrAsAxfr);
    assert_eq!(fetched(&primary, from_serial(1)).await, Ok("3 records".into()));
    assert_eq!(fetched(&primary, from_serial(0)).await, Ok("3 records".into()), "history does not go back so far");
    scripted.behave_well();
    scripted.behave(Behaviour::IxfrFromElsewhere);
    assert_eq!(fetched(&primary, from_serial(1)).await, Err("ixfr_not_from_ours"));
    scripted.behave(Behaviour::Answer(Kind::Ixfr, Rcode::NOTIMP));
    assert_eq!(fetched(&primary, from_serial(1)).await, Err("notimp"));
}

#[tokio::test]
async fn transfers_that_fail_say_why_and_bring_nothing() {
    let axfr = Kind::Axfr;
    for (behaviour, code) in [
        (Behaviour::Answer(axfr, Rcode::REFUSED), "refused"),
        (Behaviour::Answer(axfr, Rcode::NOTAUTH), "notauth"),
        (Behaviour::Answer(axfr, Rcode::SERVFAIL), "servfail"),
        (Behaviour::Garbage(axfr), "wrong_id"),
        (Behaviour::WrongId(axfr), "wrong_id"),
        (Behaviour::Silent(axfr), "timed_out"),
        (Behaviour::CloseAtOnce(axfr), "connection_closed"),
        (Behaviour::CloseHalfWay, "connection_closed"),
        // PDNS #13186.
        (Behaviour::CutMessage, "connection_closed"),
        (Behaviour::HangHalfWay, "hung"),
        (Behaviour::Trickle { octets: 1, pause: Duration::from_millis(10) }, "too_slow"),
        (Behaviour::OtherZone, "no_soa"),
        (Behaviour::OtherLastSoa, "soa_mismatch"),
        (Behaviour::RecordsAfterEnd, "records_after_end"),
        (Behaviour::ForeignSoa, "foreign_soa"),
        (Behaviour::SoaInTheMiddle, "soa_in_the_middle"),
        (Behaviour::OtherClass, "class_not_in"),
        (Behaviour::TrailingOctet, "trailing_octets"),
        (Behaviour::ErrorAtEnd(Rcode::SERVFAIL), "servfail"),
        (Behaviour::EmptyMessage, "empty_message"),
        (Behaviour::TruncateTcp, "truncated_over_tcp"),
    ] {
        let (_scripted, primary) = behaving(std::slice::from_ref(&behaviour));
        assert_eq!(fetched(&primary, Fetch::Axfr).await, Err(code), "{behaviour:?}");
    }
    assert_eq!(fetched(&Primary::at(dead_port()), Fetch::Axfr).await, Err("unreachable"));
}

#[tokio::test]
async fn an_endless_transfer_ends_at_its_limit() {
    // CVE-2016-6170 and its like.
    let (_scripted, primary) = behaving(&[Behaviour::Endless]);
    let mut limits = short();
    limits.session.records = 10_000;
    let meter = Meter::default();
    let reason = transfers(limits).fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &meter).await.unwrap_err();
    assert_eq!(reason.code(), "too_many_records");
    assert!(meter.read().octets > 10_000, "what it cost is told: {} octets", meter.read().octets);
}

#[tokio::test]
async fn a_transfer_that_goes_on_for_too_long_is_given_up() {
    // CVE-2016-6170 and its like: fast enough at any moment, and yet without an end.
    let (scripted, primary) = behaving(&[Behaviour::Trickle { octets: 200, pause: Duration::from_millis(5) }]);
    scripted.publish("example.", &format!("{TWO}{}", large_text(100_000)));
    let mut limits = short();
    limits.deadlines.transfer = Duration::from_millis(500);
    let reason = transfers(limits)
        .fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &Meter::default())
        .await
        .unwrap_err();
    assert_eq!(reason.code(), "took_too_long");
}

#[tokio::test]
async fn a_transfer_that_takes_more_memory_than_there_is_for_all_is_given_up() {
    // GL#5958, GL#4986.
    let (scripted, primary) = behaving(&[]);
    scripted.publish("example.", &format!("{TWO}{}", large_text(50_000)));
    let limits = Limits { octets_under_way: 500_000, ..short() };
    let reason = transfers(limits)
        .fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &Meter::default())
        .await
        .unwrap_err();
    assert_eq!(reason.code(), "too_much_under_way");
}

#[tokio::test]
async fn memory_for_all_is_counted_as_it_is_taken_and_not_as_it_came() {
    let (scripted, primary) = behaving(&[]);
    let name = ["x", "y", "z"].map(|letter| letter.repeat(60)).join(".");
    let many: String =
        (0..4_000).map(|host| format!("h{host}.{name} 60 TYPE65280 \\# 60 {}\n", "00".repeat(60))).collect();
    scripted.publish("example.", &format!("{TWO}{many}"));
    let limits = Limits { octets_under_way: 600_000, ..short() };
    let meter = Meter::default();
    let reason = transfers(limits).fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &meter).await.unwrap_err();
    assert_eq!(reason.code(), "too_much_under_way");
    assert!(meter.read().octets < 600_000, "{} octets came", meter.read().octets);
}

#[tokio::test]
async fn a_transfer_is_never_asked_for_over_udp() {
    // RFC 5936 §4.2; hickory #3962.
    let (scripted, primary) = behaving(&[]);
    scripted.publish("example.", TWO);
    fetched(&primary, Fetch::Axfr).await.unwrap();
    fetched(&primary, from_serial(1)).await.unwrap();
    assert_eq!((scripted.count(Kind::Axfr), scripted.count(Kind::Ixfr), scripted.count(Kind::Other)), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_are_asked_at_a_time_and_the_others_wait_for_their_turn() {
    // PDNS #6038, #9112: however many zones are due at once.
    let mut limits = Limits { probes: 1, ..short() };
    limits.deadlines.udp_try = limits.deadlines.probe;
    let transfers = transfers(limits);
    let probe = |primary: &Primary, lane| {
        let (transfers, primary) = (transfers.clone(), primary.clone());
        tokio::spawn(async move { transfers.probe(&example(), &primary, lane).await.is_ok() })
    };
    let (mute, mute_primary) = behaving(&[Behaviour::Silent(Kind::SoaOverUdp)]);
    let (scripted, primary) = behaving(&[]);
    let first = probe(&mute_primary, Lane::Refresh);
    mute.wait_for(Kind::SoaOverUdp, 1);
    let waiting = probe(&primary, Lane::Refresh);
    assert!(probe(&primary, Lane::Notify).await.unwrap(), "another lane has its own places");
    assert_eq!(scripted.count(Kind::SoaOverUdp), 1);
    first.abort();
    assert!(waiting.await.unwrap());
}

#[tokio::test]
async fn every_algorithm_signs_probes_and_transfers() {
    for algorithm in Algorithm::ALL {
        let key = Arc::new(Key::generate("key.example.".parse().unwrap(), algorithm).unwrap());
        let (scripted, primary) = behaving(&[Behaviour::OneRecordPerMessage, Behaviour::SignEvery(3)]);
        scripted.add_key(key.clone());
        assert_eq!(probed(&primary).await, Err("refused"));
        let primary = Primary { key: Some(key), ..primary };
        assert_eq!(probed(&primary).await, Ok(1));
        assert_eq!(fetched(&primary, Fetch::Axfr).await, Ok("3 records".into()));
    }
}

#[tokio::test]
async fn signatures_that_fail_say_why() {
    let good = key();
    let same_name =
        Arc::new(Key::new("key.example.".parse().unwrap(), Algorithm::HmacSha256, b"another".to_vec()).unwrap());
    let other_name = Arc::new(Key::generate("other.".parse().unwrap(), Algorithm::HmacSha256).unwrap());
    let one_each = Behaviour::OneRecordPerMessage;
    for (ours, behaviours, code) in [
        (&other_name, vec![], "tsig_bad_key"),
        (&same_name, vec![], "tsig_bad_sig"),
        (&good, vec![Behaviour::ClockAhead(412)], "tsig_bad_time"),
        (&good, vec![Behaviour::ClockAhead(-412)], "tsig_bad_time"),
        (&good, vec![Behaviour::Unsigned], "tsig_missing"),
        (&good, vec![Behaviour::WrongMac], "tsig_wrong_mac"),
        (&good, vec![one_each.clone(), Behaviour::UnsignedTail], "tsig_unsigned_tail"),
        (&good, vec![Behaviour::CloseHalfWay], "connection_closed"),
    ] {
        let (scripted, primary) = behaving(&behaviours);
        scripted.add_key(key());
        let primary = Primary { key: Some(ours.clone()), ..primary };
        assert_eq!(fetched(&primary, Fetch::Axfr).await, Err(code), "{behaviours:?}");
    }
    let (scripted, primary) = behaving(&[Behaviour::ClockAhead(412)]);
    scripted.add_key(key());
    let primary = Primary { key: Some(key()), ..primary };
    let reason = transfers(short()).probe(&example(), &primary, Lane::Refresh).await.unwrap_err();
    // A second may pass between the two clocks.
    assert!(reason.to_string().contains("their clock is 41"), "{reason}");
}

#[tokio::test]
async fn no_more_connections_to_one_primary_than_allowed() {
    let (scripted, primary) = behaving(&[Behaviour::Trickle { octets: 100, pause: Duration::from_millis(5) }]);
    let transfers = transfers(Limits { connections_per_address: 3, ..short() });
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move {
                transfers.fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &Meter::default()).await.is_ok()
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(scripted.count(Kind::Axfr), 12);
    // A connection that we have closed may still be open at the other end when the next one comes.
    assert!(scripted.most_connections() <= 6, "{}", scripted.most_connections());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_is_given_up_closes_its_connection() {
    let (scripted, primary) = behaving(&[Behaviour::Silent(Kind::Axfr)]);
    let limits = Limits { deadlines: Deadlines::default(), ..short() };
    let fetch = tokio::spawn(async move {
        transfers(limits).fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &Meter::default()).await.is_ok()
    });
    scripted.wait_for(Kind::Axfr, 1);
    fetch.abort();
    scripted.wait_until_alone();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_zone_comes_whole_and_lets_others_have_a_turn() {
    let scripted = Scripted::with_zone("example.", &format!("{ONE}{}", large_text(50_000)));
    let limits = Limits { deadlines: Deadlines::default(), ..short() };
    let meter = Meter::default();
    let fetched = transfers(limits)
        .fetch(&example(), &Primary::at(scripted.address()), Fetch::Axfr, Lane::Refresh, &meter)
        .await
        .unwrap();
    let Outcome::Change(Change::Full(records)) = fetched.outcome else { panic!("no zone") };
    assert_eq!((records.len() as u64, meter.read().records), (50_003, 50_004));
    let last: RecordRef<'_> = records.iter().last().unwrap();
    assert_eq!(last.owner.to_string(), "host-49999.example.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_primary_is_asked_for_so_many_zones_at_a_time_and_no_other_waits_for_it() {
    // Half of them are for refreshes.
    let mut limits = Limits { probes_per_address: 4, ..short() };
    limits.deadlines.udp_try = limits.deadlines.probe;
    let transfers = transfers(limits);
    let probe = |primary: &Primary| {
        let (transfers, primary) = (transfers.clone(), primary.clone());
        tokio::spawn(async move { transfers.probe(&example(), &primary, Lane::Refresh).await.is_ok() })
    };
    let (mute, mute_primary) = behaving(&[Behaviour::Silent(Kind::SoaOverUdp)]);
    let waiting: Vec<_> = (0..20).map(|_| probe(&mute_primary)).collect();
    mute.wait_for(Kind::SoaOverUdp, 2);
    let outcome = probe(&Primary::at(([127, 0, 0, 9], mute_primary.address.port()).into())).await;
    assert!(!outcome.unwrap(), "nobody listens there, which is found out at once");
    assert_eq!(mute.count(Kind::SoaOverUdp), 2);
    // News has places of its own there.
    let (news, asked) = (transfers.clone(), mute_primary.clone());
    let news = tokio::spawn(async move { news.probe(&example(), &asked, Lane::Notify).await });
    mute.wait_for(Kind::SoaOverUdp, 3);
    news.abort();
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

/// So many probes at once, with one place at the primary's address; the code of each one's reason, or nothing.
async fn probed_one_after_the_other(limits: Limits, primary: &Primary, count: usize) -> Vec<&'static str> {
    let transfers = transfers(Limits { probes_per_address: 1, ..limits });
    let probes: Vec<_> = (0..count)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move { transfers.probe(&example(), &primary, Lane::Refresh).await })
        })
        .collect();
    let mut codes = Vec::new();
    for probe in probes {
        codes.push(probe.await.unwrap().map_or_else(|reason| reason.code(), |_| "well"));
    }
    codes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_place_to_ask_from_takes_nothing_of_the_primarys_time() {
    // Each takes half a second until it goes on over TCP: the last ones wait longer than a probe may take.
    let mut limits = short();
    limits.deadlines.udp_try = Duration::from_millis(250);
    limits.deadlines.probe = Duration::from_secs(2);
    let (_mute, primary) = behaving(&[Behaviour::Silent(Kind::SoaOverUdp)]);
    assert_eq!(probed_one_after_the_other(limits, &primary, 7).await, ["well"; 7]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_no_place_to_ask_from_says_so_and_nothing_against_the_primary() {
    let mut limits = short();
    limits.deadlines.slot = Duration::from_millis(100);
    let (mute, primary) = behaving(&[Behaviour::Silent(Kind::SoaOverUdp)]);
    let mut codes = probed_one_after_the_other(limits, &primary, 3).await;
    codes.sort_unstable();
    assert_eq!(codes, ["busy", "busy", "well"]);
    assert_eq!(mute.count(Kind::SoaOverUdp), 2, "with EDNS and without, by one of the three");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_place_while_the_primary_is_found_dead_does_not_ask_it() {
    let primary = Primary::at(dead_port());
    let transfers = transfers(Limits { probes_per_address: 1, ..short() });
    let probes: Vec<_> = (0..20)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move { transfers.probe(&example(), &primary, Lane::Refresh).await.unwrap_err() })
        })
        .collect();
    let mut asked = 0;
    for probe in probes {
        asked += usize::from(!probe.await.unwrap().to_string().ends_with("has not been asked again"));
    }
    assert!(asked < 5, "{asked} of 20 asked");
}

#[tokio::test]
async fn what_is_refused_over_udp_is_asked_for_over_tcp() {
    // Knot gives a catalog that it makes (`catalog-role: generate`) over TCP only.
    let (scripted, primary) = behaving(&[Behaviour::Answer(Kind::SoaOverUdp, Rcode::REFUSED)]);
    assert_eq!(probed(&primary).await, Ok(1));
    assert_eq!((scripted.count(Kind::SoaOverUdp), scripted.count(Kind::SoaOverTcp)), (1, 1));
    scripted.behave(Behaviour::Answer(Kind::SoaOverTcp, Rcode::REFUSED));
    assert_eq!(probed(&primary).await, Err("refused"));
}
