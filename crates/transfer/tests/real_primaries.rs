//! Real name servers as primaries: probes, whole and incremental transfers, with every algorithm.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dns::{Name, RecordRef, Type};
use testing::peer::{Peer, Setup, Software, TsigKey};
use transfer::{Fetch, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Destinations, Key, Outcome, Reason};
use zone::Change;

const HOSTS: u32 = 4000;

/// Large enough for several messages.
fn zone_text(serial: u32) -> String {
    let mut text = format!("$TTL 60\n@ IN SOA ns host {serial} 60 60 600 60\n@ IN NS ns\nns IN A 192.0.2.{serial}\n");
    for host in 0..HOSTS {
        text.push_str(&format!("host-{host} IN TXT \"a text of some length, so that the zone fills messages\"\n"));
    }
    text
}

fn client(peer: &Peer, key: Option<&TsigKey>) -> Primary {
    let key = key.map(|key| {
        // PowerDNS finds keys by their lower-case name alone (#15771).
        let name: Name = key.name.to_uppercase().parse().unwrap();
        Arc::new(Key::from_base64(name, key.algorithm.parse().unwrap(), &key.secret).unwrap())
    });
    Primary { key, ..Primary::at(peer.address()) }
}

fn transfers() -> Transfers {
    Transfers::new(Limits::default(), Arc::new(Internet::new(Destinations::Anything)), TlsClient::default())
}

async fn serial(primary: &Primary) -> Result<u32, Reason> {
    transfers().probe(&"example.".parse().unwrap(), primary, Lane::Refresh).await.map(|shown| shown.soa.serial.0)
}

async fn fetch(primary: &Primary, request: Fetch) -> Result<Outcome, Reason> {
    let zone = "example.".parse().unwrap();
    let fetched = transfers().fetch(&zone, primary, request, Lane::Refresh, &Meter::default()).await;
    fetched.map(|fetched| fetched.outcome)
}

fn whole(outcome: Result<Outcome, Reason>) -> dns::Records {
    match outcome {
        Ok(Outcome::Change(Change::Full(records))) => records,
        other => panic!("no whole zone: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_primary_sends_the_zone_and_then_what_changed() {
    for software in Software::ALL {
        let mut peer = Peer::start(software, Setup::zone("example.", zone_text(1)));
        let primary = client(&peer, None);
        assert_eq!(serial(&primary).await, Ok(1), "{software:?}");
        let records = whole(fetch(&primary, Fetch::Axfr).await);
        assert_eq!(records.len() as u32, HOSTS + 3, "{software:?}");
        let soa: RecordRef<'_> = records.iter().next().unwrap();
        assert_eq!(soa.rtype, Type::SOA);
        let ixfr = Fetch::Ixfr { soa_rdata: soa.rdata.to_vec() };
        assert!(matches!(fetch(&primary, ixfr.clone()).await, Ok(Outcome::Unchanged(_))), "{software:?}");
        peer.replace("example.", &zone_text(2));
        match fetch(&primary, ixfr).await {
            Ok(Outcome::Change(Change::Steps(steps))) => {
                assert!(software.sends_differences());
                assert_eq!((steps.len(), steps[0].removed.len(), steps[0].added.len()), (1, 2, 2), "{software:?}");
            }
            other => {
                assert!(!software.sends_differences(), "{software:?}");
                assert_eq!(whole(other).len() as u32, HOSTS + 3);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_zones_asked_for_at_once_are_all_given() {
    // BIND serves ten transfers at a time and answers SERVFAIL to others (`transfers-out`).
    const ZONES: usize = 300;
    for software in Software::ALL {
        let name = |number: usize| format!("zone-{number}.test");
        let zones = |setup: Setup, number| setup.and_zone(&name(number), testing::zone_text::small(1));
        let peer = Peer::start(software, (0..ZONES).fold(Setup::default(), zones));
        let (primary, transfers) = (client(&peer, None), transfers());
        let asking: Vec<_> = (0..ZONES)
            .map(|number| {
                let (zone, primary, transfers): (Name, _, _) =
                    (name(number).parse().unwrap(), primary.clone(), transfers.clone());
                tokio::spawn(async move {
                    transfers.fetch(&zone, &primary, Fetch::Axfr, Lane::Notify, &Meter::default()).await
                })
            })
            .collect();
        for (number, asking) in asking.into_iter().enumerate() {
            let fetched = asking.await.unwrap();
            assert!(fetched.is_ok(), "{software:?}, zone {number}: {:?}", fetched.err());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_primary_and_algorithm_signs_streams_that_verify() {
    for software in Software::ALL {
        for algorithm in TsigKey::ALGORITHMS {
            let key = TsigKey::of(algorithm);
            let peer = Peer::start(software, Setup::zone("example.", zone_text(1)).key(key.clone()));
            let primary = client(&peer, Some(&key));
            assert_eq!(serial(&primary).await, Ok(1), "{software:?} {algorithm}");
            let records = whole(fetch(&primary, Fetch::Axfr).await);
            assert_eq!(records.len() as u32, HOSTS + 3, "{software:?} {algorithm}");

            // PowerDNS does not say what is wrong.
            let code = |precise| if software == Software::PowerDns { "tsig_rejected" } else { precise };
            let wrong = client(&peer, Some(&key.with_wrong_secret()));
            let reason = fetch(&wrong, Fetch::Axfr).await.unwrap_err();
            assert_eq!(reason.code(), code("tsig_bad_sig"), "{software:?} {algorithm}");
            let unknown = client(&peer, Some(&TsigKey { name: "unknown.test".into(), ..key }));
            let reason = fetch(&unknown, Fetch::Axfr).await.unwrap_err();
            assert_eq!(reason.code(), code("tsig_bad_key"), "{software:?} {algorithm}");
            let unsigned = fetch(&client(&peer, None), Fetch::Axfr).await.unwrap_err();
            assert!(matches!(unsigned.code(), "refused" | "notauth"), "{software:?} {algorithm}: {unsigned}");
        }
    }
}
