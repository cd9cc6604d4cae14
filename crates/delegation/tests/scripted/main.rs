//! Scripted name servers: those that are well, and those that lie, loop, lead away, or are no name servers at all.

#![allow(clippy::unwrap_used)]

mod bounds;
mod exchanges;
mod replies;
mod servers;

use std::time::Duration;

use delegation::{Delegation, Failure, Limits, Trouble};
use dns::{Name, Rcode, Type};

use crate::servers::{Asked, Message, Say, Servers};

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// For servers that say nothing, or nothing that is an answer: each of them is waited for.
pub(crate) fn hasty() -> Limits {
    let (udp_try, tcp_try) = (Duration::from_millis(300), Duration::from_millis(600));
    Limits { udp_try, tcp_try, ..Limits::default() }
}

/// For servers that all answer, on a machine that may be busy.
pub(crate) fn patient() -> Limits {
    let (udp_try, tcp_try, time) = (Duration::from_secs(10), Duration::from_secs(10), Duration::from_secs(60));
    Limits { udp_try, tcp_try, time, ..Limits::default() }
}

pub(crate) fn test_is_at(servers: &[u8]) -> Message {
    let names: Vec<String> = servers.iter().map(|last| format!("ns{last}.test.")).collect();
    let addresses: Vec<String> = servers.iter().map(|last| format!("127.0.71.{last}")).collect();
    let glue: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(addresses.iter().map(String::as_str)).collect();
    Message::referral("test.", &names.iter().map(String::as_str).collect::<Vec<_>>(), &glue)
}

/// The root refers to `test.` at .2 and .3, and these say what the script says; DS records are nowhere, unless it says so.
pub(crate) async fn test_says(script: impl Fn(&Asked) -> Option<Say> + Send + Sync + 'static) -> Servers {
    Servers::start(9, move |asked| match (asked.at.octets()[3], script(asked)) {
        (_, Some(say)) => say,
        (1, None) => test_is_at(&[2, 3]).into(),
        (_, None) if asked.qtype == Type::DS => Message::denial("test.", Rcode::NOERROR).into(),
        (_, None) => child().into(),
    })
    .await
}

/// What servers of `test.` say that are well.
pub(crate) fn child() -> Message {
    Message::referral("child.test.", &["ns.child.test."], &[("ns.child.test.", "127.0.71.4")])
}

/// Of servers that all answer.
pub(crate) async fn delegation_of(servers: &Servers, zone: &str) -> Result<Delegation, Failure> {
    servers.walker().within(patient()).delegation(&name(zone)).await
}

/// Of servers some of which do not.
pub(crate) async fn hasty_delegation_of(servers: &Servers, zone: &str) -> Result<Delegation, Failure> {
    servers.walker().within(hasty()).delegation(&name(zone)).await
}

/// What the two servers of `test.` were found to say, if it is the same.
pub(crate) async fn trouble(servers: &Servers) -> Trouble {
    let failure = hasty_delegation_of(servers, "child.test").await.unwrap_err();
    let Failure::NobodyAnswers { zone, troubles } = &failure else { panic!("{failure}") };
    assert_eq!(*zone, name("test"), "{failure}");
    assert!(!failure.to_string().is_empty() && failure.advice().ends_with('.'));
    troubles[0].trouble.clone()
}
