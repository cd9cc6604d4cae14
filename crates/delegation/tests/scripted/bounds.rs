//! What ends a walk, and where none goes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use delegation::{Denial, Failure, Found, Limits, Spent, Trouble, Verdict, Whose};
use dns::Rcode;
use xfr::Destinations;

use crate::servers::{Message, Say, Servers};
use crate::{delegation_of, name, patient, test_says};

#[tokio::test]
async fn name_servers_that_need_each_other_have_no_address() {
    // The servers of a.test. are in b.test., and those of b.test. in a.test.; neither has glue.
    let servers = test_says(|asked| {
        let zone = ["a.test.", "b.test."].into_iter().find(|zone| asked.name.ends_with(zone))?;
        let host = if zone == "a.test." { "ns.b.test." } else { "ns.a.test." };
        (asked.at.octets()[3] != 1).then(|| Message::referral(zone, &[host], &[]).into())
    })
    .await;
    let failure = delegation_of(&servers, "child.a.test").await.unwrap_err();
    let zone = name("a.test");
    assert_eq!(failure, Failure::NoAddresses { zone: zone.clone(), to: vec![name("ns.b.test")] });
    assert_eq!(failure.whose(), Whose::ServersOf(zone));
    assert!(servers.asked().len() <= 8, "{:?}", servers.asked());
}

#[tokio::test]
async fn endless_names_of_name_servers_cost_a_bounded_number_of_queries() {
    // Each name has forty name servers without addresses, each in a zone of its own that has as many, and none comes twice.
    let so_far = AtomicU32::new(0);
    let servers = test_says(move |asked| {
        if asked.at.octets()[3] == 1 {
            return None;
        }
        let labels: Vec<&str> = asked.name.trim_end_matches('.').split('.').collect();
        let zone = format!("{}.", labels[labels.len() - 2..].join("."));
        let host = || format!("ns.zone-{}.test.", so_far.fetch_add(1, Ordering::Relaxed));
        let hosts: Vec<String> = (0..40).map(|_| host()).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        Some(Message::referral(&zone, &hosts, &[]).into())
    })
    .await;
    let failure = delegation_of(&servers, "child.zone.test").await.unwrap_err();
    assert_eq!(failure.code(), "no_addresses", "{failure}");
    // Four names at each of three depths, and no more.
    assert_eq!(servers.asked().len(), 2 + 4 + 4 * 4 + 4 * 4 * 4);
}

#[tokio::test]
async fn a_walk_ends_when_its_queries_or_its_cuts_are_spent() {
    // Each name is a zone of its own, whose server is the same again.
    let servers = Servers::start(2, |asked| {
        let host = format!("ns.{}", asked.name);
        Message::referral(&asked.name, &[&host], &[(&host, "127.0.71.2")]).into()
    })
    .await;
    let zone = name(&format!("{}test.", "a.".repeat(100)));
    let walk = async |limits| match servers.walker().within(limits).delegation(&zone).await {
        Err(Failure::Spent { spent, .. }) => spent,
        other => panic!("{other:?}"),
    };
    assert_eq!(walk(Limits { queries: 10, ..patient() }).await, Spent::Queries { limit: 10 });
    assert_eq!(servers.asked().len(), 10);
    assert_eq!(walk(patient()).await, Spent::Cuts { limit: 16 });
    assert!(servers.asked().len() <= 10 + 17, "{}", servers.asked().len());
}

#[tokio::test]
async fn a_hundred_labels_without_a_cut_are_not_asked_for_one_by_one() {
    let zone = format!("{}test.", "a.".repeat(100));
    let whole = zone.clone();
    let servers = test_says(move |asked| {
        let is_whole = asked.name == whole;
        let say = if is_whole { Rcode::NXDOMAIN } else { Rcode::NOERROR };
        (asked.at.octets()[3] != 1).then(|| Message::denial("test.", say).into())
    })
    .await;
    let found = delegation_of(&servers, &zone).await.unwrap();
    assert_eq!(found.verdict(), Verdict::NotDelegated(Denial::NxDomain));
    assert!(servers.asked().len() <= 40, "{}", servers.asked().len());
}

#[tokio::test]
async fn a_walk_among_the_silent_ends_in_its_time() {
    let servers = test_says(|asked| (asked.at.octets()[3] != 1).then_some(Say::Nothing)).await;
    let limits = Limits { time: Duration::from_millis(400), udp_try: Duration::from_secs(30), ..Limits::default() };
    let began = Instant::now();
    let failure = servers.walker().within(limits).delegation(&name("child.test")).await.unwrap_err();
    assert!(matches!(failure, Failure::Spent { spent: Spent::Time { .. }, .. }), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn addresses_that_are_not_to_be_asked_are_passed_by_wherever_they_come_from() {
    // The operator allows the root's server and one of the two of `test.`; the child's are at addresses of ours.
    let allowed = vec!["127.0.71.1".parse().unwrap(), "127.0.71.2".parse().unwrap()];
    let judge = Destinations::PublicOnly { allowed, ours: Vec::new() };
    let servers = test_says(|_| None).await;
    let walker = servers.walker_to(judge).within(patient());
    let examined = walker.servers(&name("child.test")).await.unwrap();
    assert_eq!(examined.delegation.verdict(), Verdict::Delegated(&[name("ns.child.test")].into()));
    let [child] = examined.servers.as_slice() else { panic!("{examined:?}") };
    assert!(matches!(&child.at[..], [(_, Found::Nothing(Trouble::AddressRefused(_)))]), "{child:?}");
    let challenge = walker.challenge(&name("child.test")).await.unwrap();
    assert!(matches!(&challenge.answers[..], [(_, Err(Trouble::AddressRefused(_)))]), "{challenge:?}");
    assert!(!challenge.shows("anything"));
    assert_eq!((servers.count_at(3), servers.count_at(4)), (0, 0));

    let nobody = Destinations::PublicOnly { allowed: Vec::new(), ours: Vec::new() };
    let before = servers.asked().len();
    let failure = servers.walker_to(nobody).delegation(&name("child.test")).await.unwrap_err();
    assert_eq!((failure.code(), failure.whose()), ("nobody_answers", Whose::Configuration), "{failure}");
    assert!(failure.to_string().contains("the operator's list allows"), "{failure}");
    assert_eq!(servers.asked().len(), before);
}
