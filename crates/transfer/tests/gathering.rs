//! Large zones, put together while they come.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use dns::Name;
use testing::primary::{Behaviour, Primary as Scripted};
use transfer::{Fetch, Fetched, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Destinations, Outcome, Reason};
use zone::{Change, advance};

const HEAD: &str = "@ 60 SOA ns host 2 60 60 600 60\n@ 60 NS ns\n";
const SEED: [u8; 16] = [5; 16];

fn example() -> Name {
    "example.".parse().unwrap()
}

/// A zone of some megabytes.
fn large() -> String {
    let host =
        |number: u32| format!("host-{number:05} 60 A 192.0.2.1\nhost-{number:05} 60 TXT \"{}\"\n", "x".repeat(100));
    HEAD.to_owned() + &(0..20_000).map(host).collect::<String>()
}

async fn fetched(behaviours: &[Behaviour], text: &str, limits: Limits) -> Result<Fetched, Reason> {
    let scripted = Scripted::with_zone("example.", text);
    behaviours.iter().for_each(|behaviour| scripted.behave(behaviour.clone()));
    let transfers = Transfers::new(limits, Arc::new(Internet::new(Destinations::Anything)), TlsClient::default());
    let primary = Primary::at(scripted.address());
    transfers.fetch(&example(), &primary, Fetch::Axfr, Lane::Refresh, &Meter::default()).await
}

fn gathering() -> Limits {
    Limits { gathered_within: Some(zone::Limits::default()), ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_zone_put_together_while_it_comes_is_the_one_made_at_once() {
    let as_it_came = fetched(&[], &large(), Limits::default()).await.unwrap();
    assert!(as_it_came.gathered.is_none());
    let Outcome::Change(change) = as_it_came.outcome else { panic!("no zone") };
    let at_once = advance(example().borrow(), None, &change, SEED, zone::Limits::default()).unwrap();
    let gathered = fetched(&[], &large(), gathering()).await.unwrap();
    assert!(matches!(gathered.outcome, Outcome::Change(Change::Full(rest)) if rest.is_empty()));
    let gathered = gathered.gathered.expect("it is large").finish(None, SEED).unwrap();
    assert_eq!(gathered.image.as_bytes(), at_once.image.as_bytes());
    assert_eq!(gathered.image.record_count(), 40_002);
}

#[tokio::test]
async fn a_small_zone_stays_as_it_came() {
    let fetched = fetched(&[], HEAD, gathering()).await.unwrap();
    assert!(fetched.gathered.is_none());
    assert!(matches!(fetched.outcome, Outcome::Change(Change::Full(records)) if records.len() == 2));
}

#[tokio::test]
async fn a_large_zone_that_does_not_come_whole_is_nothing() {
    for (behaviour, code) in [
        (Behaviour::CloseHalfWay, "connection_closed"),
        (Behaviour::OtherLastSoa, "soa_mismatch"),
        (Behaviour::SoaInTheMiddle, "soa_in_the_middle"),
    ] {
        let reason = fetched(&[behaviour], &large(), gathering()).await.unwrap_err();
        assert_eq!(reason.code(), code);
    }
}

#[tokio::test]
async fn what_is_being_put_together_counts_as_held() {
    // GL#5958, GL#4986.
    let limits = Limits { octets_under_way: 2_000_000, ..gathering() };
    assert_eq!(fetched(&[], &large(), limits).await.unwrap_err().code(), "too_much_under_way");
    let mut limits = gathering();
    limits.session.octets = 2_000_000;
    assert_eq!(fetched(&[], &large(), limits).await.unwrap_err().code(), "too_many_octets");
}
