//! Connections that are used again, by several exchanges at a time, and by primaries that do not like it.

#![allow(clippy::unwrap_used)]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dns::Name;
use testing::primary::{Behaviour, Kind, Order, Primary as Scripted};
use tokio::time::Instant;
use transfer::{
    Datagrams, Deadlines, Fetch, Internet, Lane, Limits, Meter, Network, Octets, Primary, TlsClient, Transfers,
};
use xfr::Destinations;

const ZONE: &str = "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";

fn limits() -> Limits {
    let deadlines = Deadlines {
        reused: Duration::from_millis(300),
        unused: Duration::from_millis(300),
        udp_try: Duration::from_millis(400),
        ..Deadlines::default()
    };
    Limits { connections_per_address: 3, deadlines, ..Limits::default() }
}

fn transfers(limits: Limits) -> Transfers {
    Transfers::new(limits, Arc::new(Internet::new(Destinations::Anything)), TlsClient::default())
}

fn example() -> Name {
    "example.".parse().unwrap()
}

fn behaving(behaviours: &[Behaviour]) -> (Scripted, Primary) {
    let scripted = Scripted::with_zone("example.", ZONE);
    behaviours.iter().for_each(|behaviour| scripted.behave(behaviour.clone()));
    let primary = Primary::at(scripted.address());
    (scripted, primary)
}

async fn fetch(transfers: &Transfers, primary: &Primary, lane: Lane) -> Result<u64, &'static str> {
    let meter = Meter::default();
    let fetched = transfers.fetch(&example(), primary, Fetch::Axfr, lane, &meter).await;
    fetched.map(|_| meter.read().records).map_err(|reason| reason.code())
}

/// So many transfers at the same time; whether each brought the zone.
async fn fetch_many(transfers: &Transfers, primary: &Primary, count: usize) {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move { fetch(&transfers, &primary, Lane::Notify).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(4));
    }
}

#[tokio::test]
async fn one_connection_serves_one_transfer_after_the_other() {
    let (scripted, primary) = behaving(&[]);
    let transfers = transfers(limits());
    for _ in 0..20 {
        assert_eq!(fetch(&transfers, &primary, Lane::Refresh).await, Ok(4));
    }
    assert_eq!((scripted.connections_over_tcp(), scripted.most_requests_on_a_connection()), (1, 20));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_use_is_closed() {
    let (scripted, primary) = behaving(&[]);
    let transfers = transfers(limits());
    assert_eq!(fetch(&transfers, &primary, Lane::Refresh).await, Ok(4));
    scripted.wait_until_alone();
    assert_eq!(fetch(&transfers, &primary, Lane::Refresh).await, Ok(4));
    assert_eq!(scripted.connections_over_tcp(), 2);
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_leaves_the_connection_as_it_was() {
    let (scripted, primary) = behaving(&[Behaviour::Answer(Kind::Ixfr, dns::Rcode::NOTIMP)]);
    let transfers = transfers(limits());
    let soa_rdata = dns::text::rdata_from_text(dns::Type::SOA, "ns.example. host.example. 0 60 60 600 60").unwrap();
    let ixfr =
        transfers.fetch(&example(), &primary, Fetch::Ixfr { soa_rdata }, Lane::Refresh, &Meter::default()).await;
    assert_eq!(ixfr.unwrap_err().code(), "notimp");
    assert_eq!(fetch(&transfers, &primary, Lane::Refresh).await, Ok(4));
    assert_eq!(scripted.connections_over_tcp(), 1);
}

#[tokio::test]
async fn many_transfers_lie_beside_each_other_on_few_connections_in_any_order() {
    for order in [Order::Reversed, Order::Interleaved] {
        // The first one on each connection shows that the primary takes more.
        let (scripted, primary) = behaving(&[]);
        let transfers = transfers(limits());
        fetch_many(&transfers, &primary, 3).await;
        scripted.behave(Behaviour::Gather { requests: 4, order });
        scripted.behave(Behaviour::OneRecordPerMessage);
        fetch_many(&transfers, &primary, 12).await;
        assert!(scripted.connections_over_tcp() <= 3, "{order:?}");
        assert!(scripted.most_requests_on_a_connection() >= 5, "{order:?}");
    }
}

#[tokio::test]
async fn primaries_that_answer_once_on_a_connection_are_asked_on_a_new_one() {
    // unbound #470, Knot 3.4.8.
    for behaviour in [
        Behaviour::CloseAfter(Kind::Axfr),
        Behaviour::CloseAfterRequests(2),
        Behaviour::MuteAfter(Kind::Axfr),
        Behaviour::MuteAfterRequests(1),
    ] {
        let (scripted, primary) = behaving(std::slice::from_ref(&behaviour));
        let transfers = transfers(limits());
        for _ in 0..4 {
            assert_eq!(fetch(&transfers, &primary, Lane::Refresh).await, Ok(4), "{behaviour:?}");
        }
        fetch_many(&transfers, &primary, 12).await;
        if matches!(behaviour, Behaviour::MuteAfter(_) | Behaviour::MuteAfterRequests(_)) {
            assert_eq!(scripted.connections_over_tcp(), 16, "it was mute once, and then asked once on each");
        }
    }
}

#[tokio::test]
async fn a_transfer_that_is_given_up_takes_no_other_with_it() {
    let (scripted, primary) = behaving(&[]);
    let transfers = transfers(Limits { connections_per_address: 1, ..limits() });
    assert_eq!(fetch(&transfers, &primary, Lane::Notify).await, Ok(4));
    scripted.behave(Behaviour::Gather { requests: 3, order: Order::Interleaved });
    scripted.behave(Behaviour::OneRecordPerMessage);
    let given_up = tokio::spawn({
        let (transfers, primary) = (transfers.clone(), primary.clone());
        async move { fetch(&transfers, &primary, Lane::Notify).await }
    });
    let other = tokio::spawn({
        let (transfers, primary) = (transfers.clone(), primary.clone());
        async move { fetch(&transfers, &primary, Lane::Notify).await }
    });
    while scripted.count(Kind::Axfr) < 3 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    given_up.abort();
    // Whom the primary keeps waiting behind the one that is gone is asked again elsewhere.
    scripted.behave_well();
    assert_eq!(other.await.unwrap(), Ok(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_transfers_leave_room_for_news_at_one_address() {
    let (scripted, primary) = behaving(&[Behaviour::Silent(Kind::Axfr)]);
    let transfers = transfers(limits());
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move { fetch(&transfers, &primary, Lane::First).await })
        })
        .collect();
    scripted.wait_for(Kind::Axfr, 1);
    scripted.behave_well();
    assert_eq!(fetch(&transfers, &primary, Lane::Notify).await, Ok(4));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    scripted.wait_until_alone();
}

#[tokio::test]
async fn what_is_asked_from_an_address_comes_from_there() {
    let (_scripted, primary) = behaving(&[]);
    let transfers = transfers(limits());
    let here = Primary { source: Some([127, 0, 0, 7].into()), ..primary.clone() };
    assert_eq!(fetch(&transfers, &here, Lane::Refresh).await, Ok(4));
    assert_eq!(transfers.probe(&example(), &here, Lane::Refresh).await.unwrap().soa.serial.0, 1);
    let elsewhere = Primary { source: Some([192, 0, 2, 7].into()), ..primary };
    assert_eq!(fetch(&transfers, &elsewhere, Lane::Refresh).await, Err("source_not_here"));
    let reason = transfers.probe(&example(), &elsewhere, Lane::Refresh).await.unwrap_err();
    assert_eq!(reason.code(), "source_not_here");
}

#[tokio::test]
async fn a_dead_primary_is_not_asked_for_each_of_its_zones() {
    // GL#4215, RT#25960: what it costs to find out that a primary is dead is spent once.
    let gone = Scripted::start().address();
    let (transfers, primary) = (transfers(limits()), Primary::at(gone));
    let is_asked = async |lane| {
        let reason = transfers.probe(&example(), &primary, lane).await.unwrap_err();
        assert_eq!(reason.code(), "unreachable");
        !reason.to_string().ends_with("has not been asked again")
    };
    assert!(is_asked(Lane::Refresh).await && !is_asked(Lane::Refresh).await);
    assert_eq!(fetch(&transfers, &primary, Lane::First).await, Err("unreachable"));
    assert!(is_asked(Lane::Request).await, "whoever asks by hand wants to know");
    transfers.heard_from(gone.ip());
    assert!(is_asked(Lane::Notify).await, "and so does the primary that is back");
}

/// A network in which nothing answers, and how often somebody tried to connect.
#[derive(Default)]
struct Void(AtomicUsize);

#[async_trait]
impl Network for Void {
    async fn connect(&self, _: SocketAddr, _: Option<IpAddr>) -> io::Result<Box<dyn Octets>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::pending().await
    }

    async fn datagrams(&self, _: SocketAddr, _: Option<IpAddr>) -> io::Result<Box<dyn Datagrams>> {
        std::future::pending().await
    }

    fn message_id(&self) -> io::Result<u16> {
        Ok(7)
    }

    fn wall_clock_secs(&self) -> u64 {
        0
    }
}

#[tokio::test(start_paused = true)]
async fn zones_that_wait_for_a_dead_primary_learn_it_from_the_first() {
    let network = Arc::new(Void::default());
    let transfers = Transfers::new(Limits::default(), network.clone(), TlsClient::default());
    let primary = Primary::at(([192, 0, 2, 1], 53).into());
    let began = Instant::now();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (transfers, primary) = (transfers.clone(), primary.clone());
            tokio::spawn(async move { fetch(&transfers, &primary, Lane::First).await })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Err("timed_out" | "unreachable")));
    }
    assert!(network.0.load(Ordering::Relaxed) <= Limits::default().connections_per_address);
    assert!(began.elapsed() <= Deadlines::default().connect + Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn primaries_that_cannot_be_reached_give_back_what_they_took() {
    let (_scripted, alive) = behaving(&[]);
    let dead = Primary::at(Scripted::start().address());
    let deadlines = Deadlines { slot: Duration::from_secs(5), ..limits().deadlines };
    // One place for requests among all connections, and three connections to the address that the two share.
    let transfers = transfers(Limits { connections: 4, deadlines, ..limits() });
    for _ in 0..4 {
        assert_eq!(fetch(&transfers, &dead, Lane::Request).await, Err("unreachable"));
    }
    assert_eq!(fetch(&transfers, &alive, Lane::Request).await, Ok(4));
}

#[tokio::test]
async fn a_primary_that_does_not_know_ixfr_is_remembered() {
    for rcode in [dns::Rcode::NOTIMP, dns::Rcode::FORMERR] {
        let (_scripted, primary) = behaving(&[Behaviour::Answer(Kind::Ixfr, rcode)]);
        let transfers = transfers(limits());
        assert!(transfers.may_know_ixfr(&primary));
        let soa_rdata =
            dns::text::rdata_from_text(dns::Type::SOA, "ns.example. host.example. 0 60 60 600 60").unwrap();
        let ixfr =
            transfers.fetch(&example(), &primary, Fetch::Ixfr { soa_rdata }, Lane::Refresh, &Meter::default()).await;
        assert!(ixfr.is_err() && !transfers.may_know_ixfr(&primary), "{rcode}");
    }
}
