//! One primary, step by step, in the order in which a copy would need it. A step whose ground is missing is skipped.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use dns::{CLASS_IN, Name, NameRef, Opcode, Rcode, Soa, Type};
use tokio::time::Instant;
use xfr::probe::{EdnsOffer, Transport};
use xfr::reason::Asked;
use xfr::session::Fetch;
use xfr::{Key, Outcome, Pin, ProbeStep, Progress, Reason, Session, SessionLimits};
use zone::Change;

use super::concern::Concern;
use super::line::Line;
use super::question::{Answer, Question};
use super::software::{self, Manners};
use super::step::{Finding, Step, StepName};
use super::{Examined, Seen, Unseen};
use crate::{Primary, Transfers};

/// Enough of a transfer to know that it is one; a small zone is there whole by then.
const TRANSFER_OCTETS_ENOUGH: u64 = 64 * 1024;
/// The least serials behind that are asked for to see what differences there are.
const SERIALS_BACK: u32 = 1;
/// Name servers whose addresses are asked for: no zone needs more than the root has.
const NAME_SERVERS_MAX: usize = 13;

/// What one primary gave.
pub(super) struct Walked {
    pub(super) steps: Vec<Step>,
    pub(super) examined: Examined,
    pub(super) seen: Result<Seen, Unseen>,
}

/// What came of a query for the SOA.
enum Shown {
    Soa {
        soa: Soa,
        rdata: Vec<u8>,
    },
    /// An answer that did not fit.
    Truncated,
    WithoutAuthority,
    /// It refuses what is not signed.
    WantsSignature,
}

/// How far a transfer was followed.
enum Begun {
    Whole(Outcome),
    /// It was given up, because enough had come.
    Enough {
        octets: u64,
    },
}

struct Walk<'a> {
    line: Line<'a>,
    steps: Vec<Step>,
    soa: Option<(Soa, Vec<u8>)>,
    lacks_authority: bool,
    /// Signs the questions that the primary refuses to answer without.
    key: Option<Arc<Key>>,
    pin: Option<Pin>,
    manners: Manners,
    edns: Edns,
}

/// What the primary made of EDNS in a query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edns {
    NotSeen,
    Known { udp_octets: u16 },
    Unknown,
    Dropped,
}

pub(super) async fn walk(transfers: &Transfers, zone: &Name, primary: &Primary, until: Instant) -> Walked {
    let line = Line { transfers, zone, primary, until };
    let source = line.source().await;
    let mut walk = Walk {
        line,
        steps: Vec::new(),
        soa: None,
        lacks_authority: false,
        key: None,
        pin: None,
        manners: Manners::default(),
        edns: Edns::NotSeen,
    };
    let is_reached = match &primary.tls {
        None => walk.in_clear_text().await,
        Some(_) => walk.over_tls().await,
    };
    let seen = if is_reached { walk.go_on().await } else { walk.nothing_more() };
    if is_reached {
        let said = walk.versions_said().await;
        walk.manners.of_status(&walk.line).await;
        walk.manners.said = said;
    }
    let guess = software::guess(&walk.manners);
    Walked { steps: walk.steps, examined: Examined { address: primary.address, source, pin: walk.pin, guess }, seen }
}

impl Walk<'_> {
    fn say(&mut self, name: StepName, finding: Finding) {
        let finding = match finding {
            // It may not be the primary that took the time.
            Finding::Bad(_) | Finding::DeniedToKey { .. } | Finding::Slow(_) if self.line.is_over() => {
                Finding::Unseen("no time was left for it".into())
            }
            finding => finding,
        };
        self.steps.push(Step::new(self.line.zone, name, Some(self.line.primary.address), finding));
    }

    fn skip(&mut self, names: &[StepName], why: &str) {
        names.iter().for_each(|name| self.say(*name, Finding::Unseen(why.to_owned())));
    }

    /// UDP, then TCP; whether it can be asked over TCP, as transfers must.
    async fn in_clear_text(&mut self) -> bool {
        let began = Instant::now();
        let over_udp = self.shown(Transport::Udp).await;
        let udp_millis = began.elapsed().as_millis();
        let began = Instant::now();
        let over_tcp = self.shown(Transport::Tcp).await;
        let tcp_millis = began.elapsed().as_millis();
        let is_reached = over_tcp.is_ok();
        let udp = match over_udp {
            // TCP makes up for it, but later.
            Err(reason @ (Reason::TimedOut { .. } | Reason::Unreachable { .. })) if is_reached => {
                Finding::Slow(reason)
            }
            over_udp => self.answered(over_udp, "UDP", udp_millis),
        };
        let tcp = self.answered(over_tcp, "TCP", tcp_millis);
        self.say(StepName::UdpSoa, udp);
        self.say(StepName::TcpSoa, tcp);
        is_reached
    }

    async fn over_tls(&mut self) -> bool {
        let Some(tls) = &self.line.primary.tls else { return false };
        let shaken = self.line.handshake(tls).await;
        let name = StepName::Tls;
        let step = match shaken {
            Ok(handshake) => {
                self.pin = handshake.pin;
                let alpn = handshake.alpn.map_or_else(|| "without ALPN".into(), |alpn| format!("ALPN \"{alpn}\""));
                let pin = handshake.pin.map(|pin| format!(", and the key with the pin {pin}")).unwrap_or_default();
                let found = format!("TLS 1.3, {alpn}, a primary that shows who it is{pin}");
                Step::new(self.line.zone, name, Some(self.line.primary.address), Finding::Fine(found))
            }
            Err(reason) => {
                let is_doubtful = matches!(reason, Reason::TlsCertificate { .. });
                let mut step = Step::new(self.line.zone, name, Some(self.line.primary.address), Finding::Bad(reason));
                self.pin = if is_doubtful { self.line.pin_of_anybody().await } else { None };
                if let Some(pin) = self.pin {
                    step.found.push_str(&format!("; its key has the pin {pin}"));
                }
                self.steps.push(step);
                self.say(StepName::TlsSoa, Finding::Unseen("there is no TLS connection".into()));
                return false;
            }
        };
        self.steps.push(step);
        let began = Instant::now();
        let shown = self.shown(Transport::Tcp).await;
        let is_reached = shown.is_ok();
        let found = self.answered(shown, "TLS", began.elapsed().as_millis());
        self.say(StepName::TlsSoa, found);
        is_reached
    }

    fn answered(&mut self, shown: Result<Shown, Reason>, transport: &str, millis: u128) -> Finding {
        match shown {
            Err(reason) => Finding::Bad(reason),
            Ok(Shown::Soa { soa, rdata }) => {
                let found = format!("it answers over {transport} after {millis} ms, with the serial {}", soa.serial);
                self.soa = Some((soa, rdata));
                Finding::Fine(found)
            }
            Ok(Shown::Truncated) => Finding::Fine(format!("it answers over {transport} that the answer needs TCP")),
            Ok(Shown::WithoutAuthority) => {
                self.lacks_authority = true;
                Finding::Fine(format!("it answers over {transport} after {millis} ms"))
            }
            Ok(Shown::WantsSignature) => {
                Finding::Fine(format!("it answers over {transport}, and refuses what is not signed"))
            }
        }
    }

    /// The SOA, as it would be asked for: with EDNS, without if need be, signed if need be.
    async fn shown(&mut self, transport: Transport) -> Result<Shown, Reason> {
        let unsigned = self.shown_to(transport, None).await;
        let (Err(refusal), Some(key)) = (&unsigned, &self.line.primary.key) else { return unsigned };
        if !refusal.is_a_whole_answer() {
            return unsigned;
        }
        self.key = Some(key.clone());
        let signed = self.shown_to(transport, self.key.clone()).await;
        // What is wrong with the signature is for a step of its own.
        if signed.as_ref().is_err_and(|reason| reason.code().starts_with("tsig_")) {
            Ok(Shown::WantsSignature)
        } else {
            signed
        }
    }

    async fn shown_to(&mut self, transport: Transport, key: Option<Arc<Key>>) -> Result<Shown, Reason> {
        if matches!(self.edns, Edns::Unknown | Edns::Dropped) {
            return shown_by(self.line.soa(transport, EdnsOffer::Without, key).await);
        }
        let with = self.line.soa(transport, EdnsOffer::Offered, key.clone()).await;
        let edns = match &with {
            Ok((ProbeStep::WithoutEdns, _)) => Edns::Unknown,
            Ok((_, answer)) => answer.udp_octets().map_or(Edns::Unknown, |udp_octets| Edns::Known { udp_octets }),
            Err(Reason::TimedOut { .. }) => Edns::Dropped,
            Err(_) => Edns::NotSeen,
        };
        let asked = match (&with, edns) {
            // Over TCP nothing is dropped on the way: who is silent there is silent.
            (Err(Reason::TimedOut { .. }), _) if transport == Transport::Tcp => with,
            (Ok((ProbeStep::WithoutEdns, _)), _) | (_, Edns::Dropped) => {
                self.line.soa(transport, EdnsOffer::Without, key).await
            }
            _ => with,
        };
        let shown = shown_by(asked);
        if self.edns == Edns::NotSeen && shown.is_ok() {
            self.edns = edns;
        }
        shown
    }

    /// Everything behind the first answers, if the primary is one for the zone.
    async fn go_on(&mut self) -> Result<Seen, Unseen> {
        let authority = match &self.soa {
            _ if self.lacks_authority => Finding::Bad(Reason::NotAuthoritative),
            Some(_) => Finding::Fine("it answers as a primary of the zone: with AA".into()),
            None => Finding::Unseen("it has not shown the SOA record".into()),
        };
        self.say(StepName::Authority, authority);
        self.edns_step().await;
        let is_signed_for = self.tsig_step().await;
        if self.soa.is_none() || self.lacks_authority || !is_signed_for {
            let (why, unseen) = if is_signed_for {
                ("it has not shown the zone", Unseen::NotShown)
            } else {
                ("it does not answer what we sign", Unseen::SignedFailed(self.line.primary.address))
            };
            self.skip(&self.transfers(), why);
            return Err(unseen);
        }
        self.transfer_steps().await;
        self.look().await.ok_or(Unseen::NotShown)
    }

    fn nothing_more(&mut self) -> Result<Seen, Unseen> {
        self.skip(&[StepName::Authority, StepName::Edns], "the primary cannot be asked");
        if self.line.primary.key.is_some() {
            self.skip(&[StepName::Tsig], "the primary cannot be asked");
        }
        self.skip(&self.transfers(), "the primary cannot be asked");
        Err(Unseen::NotShown)
    }

    /// The steps that only a primary which has shown the zone can take.
    fn transfers(&self) -> Vec<StepName> {
        let mut names = vec![StepName::Axfr, StepName::UnsignedAxfr, StepName::IxfrCurrent, StepName::IxfrOlder];
        names.retain(|name| *name != StepName::UnsignedAxfr || self.line.primary.key.is_some());
        names
    }

    async fn edns_step(&mut self) {
        let found = match self.edns {
            Edns::NotSeen => Finding::Unseen("no query was answered as such".into()),
            Edns::Unknown => Finding::Odd(Concern::EdnsUnknown),
            Edns::Dropped => Finding::Odd(Concern::EdnsDropped),
            Edns::Known { udp_octets } => {
                let question = Question { edns: Some(1), ..self.question(self.line.zone.clone(), Type::SOA) };
                match self.line.ask(question).await {
                    Ok(answer) if answer.rcode() == Rcode::BADVERS => {
                        self.manners.of_badvers(answer.header());
                        Finding::Fine(format!("it knows EDNS, and takes {udp_octets} octets over UDP"))
                    }
                    _ => Finding::Odd(Concern::EdnsVersions),
                }
            }
        };
        self.say(StepName::Edns, found);
    }

    /// Whether transfers can be asked for: with the key if there is one.
    async fn tsig_step(&mut self) -> bool {
        let Some(key) = &self.line.primary.key else { return true };
        let (name, algorithm) = (key.name().clone(), key.algorithm());
        let offer = if matches!(self.edns, Edns::Known { .. }) { EdnsOffer::Offered } else { EdnsOffer::Without };
        match self.line.soa(Transport::Tcp, offer, Some(key.clone())).await {
            Ok((ProbeStep::Soa(_), answer)) => {
                self.soa = soa_in(&answer).or(self.soa.take());
                let found = format!("it takes the key {name} ({algorithm}), and signs its answers with it");
                self.say(StepName::Tsig, Finding::Fine(found));
                true
            }
            Ok(_) | Err(Reason::NotAuthoritative) => {
                self.say(StepName::Tsig, Finding::Unseen("its signed answer has no SOA record".into()));
                false
            }
            Err(reason) => {
                self.manners.of_refused_signature(&reason);
                self.say(StepName::Tsig, Finding::Bad(reason));
                false
            }
        }
    }

    async fn transfer_steps(&mut self) {
        let key = self.line.primary.key.clone();
        let begun = self.begin(Fetch::Axfr, key.clone()).await;
        let is_allowed = begun.is_ok();
        let found = match begun {
            Ok(Begun::Whole(Outcome::Change(Change::Full(records)))) => {
                Finding::Fine(format!("it gives the whole zone: {} records", records.len()))
            }
            Ok(Begun::Whole(_)) => Finding::Bad(Reason::NoSoa),
            Ok(Begun::Enough { octets }) => Finding::Fine(format!(
                "it gives the zone; the transfer was given up after {octets} octets, which is enough to know"
            )),
            Err(reason) => self.denied(reason),
        };
        self.say(StepName::Axfr, found);
        if let Some(key) = key {
            let found = match self.begin(Fetch::Axfr, None).await {
                Ok(_) => Finding::Odd(Concern::UnsignedAllowed { key: key.name().clone() }),
                Err(_) => Finding::Fine("it does not give the zone without a signature".into()),
            };
            self.say(StepName::UnsignedAxfr, found);
        }
        let Some((soa, rdata)) = self.soa.clone().filter(|_| is_allowed) else {
            return self.skip(&[StepName::IxfrCurrent, StepName::IxfrOlder], "it does not give the zone");
        };
        let current = self.differences(rdata.clone(), soa.serial.0).await;
        self.say(StepName::IxfrCurrent, current);
        let older = soa.serial.0.wrapping_sub(SERIALS_BACK);
        let found = self.differences(with_serial(rdata, older), older).await;
        self.say(StepName::IxfrOlder, found);
    }

    /// Why a transfer was not given, to the key if it was asked for with one.
    fn denied(&self, reason: Reason) -> Finding {
        match (&self.line.primary.key, reason) {
            (Some(key), reason @ (Reason::Refused(_) | Reason::NotAuth(_))) => {
                Finding::DeniedToKey { reason, key: key.name().clone(), algorithm: key.algorithm() }
            }
            (_, reason) => Finding::Bad(reason),
        }
    }

    /// What the primary gives to one that holds this serial.
    async fn differences(&self, soa_rdata: Vec<u8>, serial: u32) -> Finding {
        let from = format!("asked for what came after the serial {serial}");
        match self.begin(Fetch::Ixfr { soa_rdata }, self.line.primary.key.clone()).await {
            Ok(Begun::Whole(Outcome::Unchanged(_))) => Finding::Fine(format!("{from}, it says that nothing has")),
            Ok(Begun::Whole(Outcome::Change(Change::Steps(steps)))) => {
                Finding::Fine(format!("{from}, it gives the differences: {} steps", steps.len()))
            }
            Ok(Begun::Whole(Outcome::Change(Change::Full(_)))) => {
                Finding::Fine(format!("{from}, it gives the whole zone: it has no differences from there"))
            }
            Ok(Begun::Enough { octets }) => Finding::Fine(format!("{from}, it gives more than {octets} octets")),
            // The whole zone is fetched instead.
            Err(reason) => Finding::Slow(reason),
        }
    }

    /// Begins a transfer, and gives it up when enough of it has come; dropping its stream closes the connection.
    async fn begin(&self, fetch: Fetch, key: Option<Arc<Key>>) -> Result<Begun, Reason> {
        let mut stream = self.line.stream(fetch.asked()).await?;
        let limits = SessionLimits::default();
        let mut session = Session::new(self.line.zone.clone(), fetch, stream.id(), key, limits);
        stream.send(&session.request(self.line.transfers.wall_clock_secs()));
        loop {
            let message = stream.message().await?;
            if let Progress::Done(outcome) = session.receive(&message, self.line.transfers.wall_clock_secs())? {
                stream.end();
                return Ok(Begun::Whole(outcome));
            }
            if session.octets() >= TRANSFER_OCTETS_ENOUGH {
                return Ok(Begun::Enough { octets: session.octets() });
            }
        }
    }

    /// What is compared between primaries.
    async fn look(&self) -> Option<Seen> {
        let (soa, soa_rdata) = self.soa.clone()?;
        let name_servers = self.name_servers().await;
        let mut addresses = Vec::new();
        for name in name_servers.iter().flatten().take(NAME_SERVERS_MAX) {
            if name.borrow().is_at_or_below(self.line.zone.borrow()) {
                // Who is silent once is not waited for so many times.
                let Ok(of_name) = self.addresses(name).await else { break };
                addresses.push((name.clone(), of_name));
            }
        }
        Some(Seen { primary: self.line.primary.address, soa, soa_rdata, name_servers, addresses })
    }

    async fn name_servers(&self) -> Result<BTreeSet<Name>, String> {
        let answer = self.line.ask_on_connection(self.question(self.line.zone.clone(), Type::NS)).await;
        let answer = answer.map_err(|reason| reason.to_string())?;
        if answer.rcode() != Rcode::NOERROR {
            return Err(format!("it answers with {}", answer.rcode()));
        }
        let data = answer.data(Type::NS).map_err(|reason| reason.to_string())?;
        Ok(data
            .iter()
            .filter_map(|rdata| NameRef::prefix_of(rdata).ok())
            .map(|name| name.to_name().to_lower())
            .collect())
    }

    async fn addresses(&self, name: &Name) -> Result<Vec<IpAddr>, Reason> {
        let mut addresses = Vec::new();
        for rtype in [Type::A, Type::AAAA] {
            let answer = self.line.ask(self.question(name.clone(), rtype)).await?;
            addresses.extend(answer.data(rtype)?.iter().filter_map(|rdata| address(rdata)));
        }
        Ok(addresses)
    }

    /// What it calls itself.
    async fn versions_said(&self) -> Vec<String> {
        let mut said = Vec::new();
        for name in software::VERSION_NAMES {
            let Ok(name) = name.parse() else { continue };
            let question = Question { class: dns::CLASS_CH, key: None, ..self.question(name, Type::TXT) };
            let data = self.line.ask(question).await.and_then(|answer: Answer| answer.data(Type::TXT));
            said.extend(data.unwrap_or_default().iter().map(|rdata| software::readable(rdata)));
        }
        said
    }

    /// The version of EDNS, for a primary that takes any.
    fn offer(&self) -> Option<u8> {
        matches!(self.edns, Edns::Known { .. }).then_some(dns::edns::VERSION)
    }

    fn question(&self, name: Name, rtype: Type) -> Question {
        Question { opcode: Opcode::QUERY, name, rtype, class: CLASS_IN, edns: self.offer(), key: self.key.clone() }
    }
}

fn shown_by(asked: Result<(ProbeStep, Answer), Reason>) -> Result<Shown, Reason> {
    match asked {
        Ok((ProbeStep::Soa(_), answer)) => {
            let (soa, rdata) = soa_in(&answer).ok_or(Reason::NoSoa)?;
            Ok(Shown::Soa { soa, rdata })
        }
        Ok((ProbeStep::UseTcp, _)) => Ok(Shown::Truncated),
        Ok((ProbeStep::WithoutEdns, _)) => Err(Reason::FormErr(Asked::Soa)),
        Ok((ProbeStep::Ignore(reason), _)) => Err(reason),
        Err(Reason::NotAuthoritative) => Ok(Shown::WithoutAuthority),
        Err(reason) => Err(reason),
    }
}

/// The SOA record with its names, which the probe itself has no use for.
fn soa_in(answer: &Answer) -> Option<(Soa, Vec<u8>)> {
    let rdata = answer.data(Type::SOA).ok()?.into_iter().next()?;
    Some((Soa::parse(&rdata)?, rdata))
}

/// The same SOA record of another serial, which stands before the last four of its five numbers.
fn with_serial(mut rdata: Vec<u8>, serial: u32) -> Vec<u8> {
    if let Some(at) = rdata.len().checked_sub(20) {
        rdata[at..at + 4].copy_from_slice(&serial.to_be_bytes());
    }
    rdata
}

fn address(rdata: &[u8]) -> Option<IpAddr> {
    match rdata.len() {
        4 => <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from),
    }
}
