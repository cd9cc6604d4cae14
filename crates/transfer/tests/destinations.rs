//! Addresses that are not to be asked: nothing reaches them, whatever it is that would ask.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use dns::{Name, Type};
use testing::certificate::Authority;
use testing::primary::Primary as Scripted;
use transfer::doctor::{Examination, Notifies, Outcome, Patient};
use transfer::{Fetch, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Alpn, Destinations, Fault, Identity, Pin, Reason, Tls};

const ZONE: &str = "@ 60 SOA ns host 7 7200 3600 604800 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";

fn example() -> Name {
    "example.".parse().unwrap()
}

fn public_only(allowed: &[&str]) -> Transfers {
    let allowed = allowed.iter().map(|block| block.parse().unwrap()).collect();
    let judge = Destinations::PublicOnly { allowed, ours: Vec::new() };
    Transfers::new(Limits::default(), Arc::new(Internet::new(judge)), TlsClient::default())
}

/// A primary in clear text and over TLS, as it is at its own address and as others could write that.
fn scripted() -> (Scripted, Vec<Primary>) {
    let scripted = Scripted::over_tls(&Authority::new().server(&["primary.test"]));
    scripted.publish("example.", ZONE);
    let mapped = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => SocketAddr::from((v4.ip().to_ipv6_mapped(), v4.port())),
        SocketAddr::V6(_) => address,
    };
    let pinned = Tls { identity: Identity::Pin(Pin([7; 32])), alpn: Alpn::Required };
    let by_name = Tls { identity: Identity::Name("primary.test".into()), alpn: Alpn::Required };
    let over_tls = |tls| Primary { tls: Some(tls), ..Primary::at(scripted.tls_address()) };
    let primaries = vec![
        Primary::at(scripted.address()),
        Primary::at(mapped(scripted.address())),
        over_tls(pinned),
        over_tls(by_name),
    ];
    (scripted, primaries)
}

fn patient(primary: &Primary) -> Patient {
    let primaries = vec![primary.clone()];
    Patient { zone: example(), primaries, own_addresses: Vec::new(), notifies: Notifies::None, ours: None }
}

/// The codes of all steps that failed.
fn failures(examination: &Examination) -> Vec<&'static str> {
    let failed = examination.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Failed(cause) => Some(cause.code),
        _ => None,
    });
    failed.collect()
}

fn assert_refused(reason: &Reason) {
    assert_eq!((reason.code(), reason.fault()), ("address_refused", Fault::Configuration), "{reason}");
    assert!(reason.to_string().contains("127.0.0.1 is a"), "{reason}");
    assert!(reason.advice(&example()).contains("list of addresses that are allowed"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_to_be_asked_sees_no_packet() {
    let (scripted, primaries) = scripted();
    let transfers = public_only(&["10.0.0.0/8"]);
    let soa_rdata = dns::text::rdata_from_text(Type::SOA, "ns.example. host.example. 1 60 60 600 60").unwrap();
    for primary in &primaries {
        for lane in [Lane::Notify, Lane::Refresh, Lane::First, Lane::Request] {
            let probed = transfers.probe(&example(), primary, lane).await;
            assert_refused(&probed.unwrap_err());
            for request in [Fetch::Axfr, Fetch::Ixfr { soa_rdata: soa_rdata.clone() }] {
                let fetched = transfers.fetch(&example(), primary, request, lane, &Meter::default()).await;
                assert_refused(&fetched.unwrap_err());
            }
        }
        let examination = transfers.examine(&patient(primary)).await;
        let failed = failures(&examination);
        assert!(!failed.is_empty() && failed.iter().all(|code| *code == "address_refused"), "{failed:?}");
        assert_eq!(examination.primaries[0].source, None);
    }
    assert_eq!((scripted.requests(), scripted.connections_over_tcp(), scripted.connections_over_tls()), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_operator_allows_is_asked() {
    let (scripted, primaries) = scripted();
    let transfers = public_only(&["127.0.0.0/8"]);
    let shown = transfers.probe(&example(), &primaries[0], Lane::Refresh).await.unwrap();
    assert_eq!(shown.soa.serial.0, 7);
    transfers.fetch(&example(), &primaries[0], Fetch::Axfr, Lane::Refresh, &Meter::default()).await.unwrap();
    // It is another key than the pinned one; but it was asked for it.
    let pinned = transfers.probe(&example(), &primaries[2], Lane::Refresh).await.unwrap_err();
    assert_eq!((pinned.code(), scripted.connections_over_tls()), ("tls_pin", 1));
}
