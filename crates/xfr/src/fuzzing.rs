//! The door for the fuzzer, and for the test that replays its corpus.
//!
//! An input is one octet that says what listens ([`Listener`]), and then messages, each with its length in two octets
//! before it; the last may be cut. Names, IDs, key and clock are fixed, so that an input can answer a signed request.

use std::sync::Arc;

use dns::{Name, Serial, Soa, Type};
use zone::{Change, TenantId, ZoneId};

use crate::notify::{self, Checks, Judgement, NotifyRule, SignedBy};
use crate::policy::NotifyTrust;
use crate::probe::{EdnsOffer, ProbeStep, SoaProbe, Transport};
use crate::session::{Fetch, Outcome, Progress, Session, SessionLimits};
use crate::tsig::{Algorithm, Key, Verified, verify_request};

pub const ID: u16 = 0x1234;
pub const NOW_SECS: u64 = 1_700_000_000;
/// The serial from which an incremental transfer is asked for.
pub const SERIAL: u32 = 1;

/// What the messages of an input are given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Axfr,
    Ixfr,
    ProbeOverUdp,
    ProbeOverTcp,
    /// What listens for NOTIFY, signed or not.
    Notify,
}

impl Listener {
    const ALL: [Self; 5] = [Self::Axfr, Self::Ixfr, Self::ProbeOverUdp, Self::ProbeOverTcp, Self::Notify];
    /// Set in the first octet: the request was signed.
    const SIGNED: u8 = 0x80;

    /// The first octet of an input.
    pub fn octet(self, signed: Option<&Key>) -> u8 {
        let number = Self::ALL.iter().position(|listener| *listener == self).unwrap_or(0) as u8;
        number | if signed.is_some() { Self::SIGNED } else { 0 }
    }
}

pub fn zone() -> Name {
    Name::from_wire(b"\x07example\x00").expect("a name")
}

pub fn key() -> Arc<Key> {
    let name = Name::from_wire(b"\x03key\x00").expect("a name");
    Arc::new(Key::new(name, Algorithm::HmacSha256, b"not secret".to_vec()).expect("a key"))
}

/// The uncompressed SOA RDATA of our own version.
pub fn soa_rdata() -> Vec<u8> {
    let mut rdata = b"\x02ns\x07example\x00\x04host\x07example\x00".to_vec();
    for number in [SERIAL, 20, 30, 40, 50] {
        rdata.extend(number.to_be_bytes());
    }
    rdata
}

/// Gives an input to its listener and says how that ended: a reason's code, or what came.
///
/// # Panics
/// When a transfer says that it is whole and is not: that is what the fuzzer looks for.
pub fn session(input: &[u8]) -> &'static str {
    let Some((first, rest)) = input.split_first() else { return "nothing" };
    let key = (first & Listener::SIGNED != 0).then(key);
    let number = usize::from(first & !Listener::SIGNED) % Listener::ALL.len();
    let fetch = match Listener::ALL[number] {
        Listener::Axfr => Fetch::Axfr,
        Listener::Ixfr => Fetch::Ixfr { soa_rdata: soa_rdata() },
        Listener::ProbeOverUdp => return probe(rest, key, Transport::Udp),
        Listener::ProbeOverTcp => return probe(rest, key, Transport::Tcp),
        Listener::Notify => return notify(rest, key.as_ref()),
    };
    let limits = SessionLimits { octets: 1 << 20, records: 10_000, steps: 100 };
    let mut session = Session::new(zone(), fetch, ID, key, limits);
    session.request(NOW_SECS);
    for message in messages(rest) {
        match session.receive(message, NOW_SECS) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(outcome)) => return whole(&outcome),
            Err(reason) => {
                assert_eq!(session.receive(message, NOW_SECS), Err(reason.clone()), "what failed stays failed");
                return described(&reason);
            }
        }
    }
    "more"
}

fn whole(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged(serial) => {
            assert_eq!(*serial, Serial(SERIAL));
            "unchanged"
        }
        Outcome::Change(Change::Full(records)) => {
            assert_eq!(records.iter().filter(|record| record.rtype == Type::SOA).count(), 1);
            "full"
        }
        Outcome::Change(Change::Steps(steps)) => {
            assert!(!steps.is_empty());
            let mut at = Serial(SERIAL);
            for step in steps {
                let serial = |records: &dns::Records| {
                    records.iter().next().and_then(|record| Soa::parse(record.rdata)).map(|soa| soa.serial)
                };
                assert_eq!((step.from, serial(&step.removed)), (at, Some(at)));
                assert_eq!(serial(&step.added), Some(step.to));
                at = step.to;
            }
            "steps"
        }
    }
}

fn probe(input: &[u8], key: Option<Arc<Key>>, transport: Transport) -> &'static str {
    let mut probe = SoaProbe::new(zone(), ID, key, EdnsOffer::Offered, transport);
    probe.request(NOW_SECS);
    for message in messages(input) {
        match probe.receive(message, NOW_SECS) {
            Ok(ProbeStep::Soa(_)) => return "soa",
            Ok(ProbeStep::UseTcp) => return "use tcp",
            Ok(ProbeStep::WithoutEdns) => return "without edns",
            Ok(ProbeStep::Ignore(_)) => {}
            Err(reason) => return described(&reason),
        }
    }
    "more"
}

fn notify(input: &[u8], key: Option<&Arc<Key>>) -> &'static str {
    let rules = [NotifyRule {
        zone: ZoneId(1),
        tenant: TenantId::DEFAULT,
        senders: Arc::default(),
        keys: [self::key().name().clone()].into(),
        trust: NotifyTrust::Any,
        checks: Checks::Made,
    }];
    for message in messages(input) {
        let verified = verify_request(message, |_| key.cloned(), NOW_SECS);
        let signed_by = match &verified {
            Ok(Verified::Signed(request)) => Some(request.key().name().clone()),
            Ok(Verified::Unsigned) => None,
            Err(failure) => {
                failure.append_to(&mut notify::response(message, failure.rcode()));
                continue;
            }
        };
        let from = std::net::Ipv4Addr::LOCALHOST.into();
        let judgement = notify::judge(
            message,
            from,
            signed_by.as_ref().map(|key| SignedBy { tenant: TenantId::DEFAULT, key }),
            |name| {
                if name == zone().borrow() { &rules } else { &[] }
            },
        );
        match judgement {
            Judgement::Ignore => {}
            Judgement::Decline(declined) => drop(notify::response(message, declined.why.rcode())),
            Judgement::Accept { .. } => {
                assert!(signed_by.is_some(), "only the key may wake this zone");
                return "woken";
            }
        }
    }
    "asleep"
}

fn described(reason: &crate::Reason) -> &'static str {
    assert!(!reason.to_string().is_empty() && !reason.advice(&Name::root()).is_empty());
    reason.code()
}

fn messages(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (message, rest) = rest.split_at(length);
        input = rest;
        Some(message)
    })
}
