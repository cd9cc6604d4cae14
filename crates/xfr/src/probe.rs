//! Asking a primary which serial it has: one SOA query, over UDP or TCP.
//!
//! The first try offers EDNS; a primary that chokes on it is asked again without. What to do next is said by
//! [`ProbeStep`], and done by whoever owns the socket. Over UDP, messages that are not answers to this question are
//! passed over: anyone can send them.

use std::sync::Arc;

use dns::edns::{self, Edns, option};
use dns::{CLASS_IN, Header, MessageReader, Name, Section, Soa, Type, query};

use crate::reason::{Asked, Reason};
use crate::session::{open, verified};
use crate::tsig::{self, Key, ResponseVerifier, Signature};

/// Whether the query has an OPT record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdnsOffer {
    Offered,
    /// Primaries from before EDNS answer FORMERR or NOTIMP to it, or nothing at all.
    Without,
}

/// How the query travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
}

/// What an answer means for the probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeStep {
    /// What the primary has.
    Soa(Shown),
    /// The answer did not fit: ask again over TCP.
    UseTcp,
    /// The primary does not take EDNS: ask again without.
    WithoutEdns,
    /// Not an answer to this query, for this reason: wait on, and give the reason if nothing better comes.
    Ignore(Reason),
}

/// What a primary shows of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub soa: Soa,
    /// In how many seconds the primary's own copy expires (RFC 7314): it is a secondary itself. None where it does not say.
    pub expires_in_secs: Option<u32>,
}

impl Shown {
    /// Whether the primary's own copy expires, and has begun to: then it has to be asked for how long it lives.
    pub fn ages(&self) -> bool {
        self.expires_in_secs.is_some_and(|left| left < self.soa.expire)
    }
}

/// One SOA query.
pub struct SoaProbe {
    zone: Name,
    id: u16,
    key: Option<Arc<Key>>,
    edns: EdnsOffer,
    transport: Transport,
    verifier: Option<ResponseVerifier>,
}

impl SoaProbe {
    /// A query that bears `id`, which must be random, and is signed with `key` if there is one.
    pub fn new(zone: Name, id: u16, key: Option<Arc<Key>>, edns: EdnsOffer, transport: Transport) -> Self {
        Self { zone, id, key, edns, transport, verifier: None }
    }

    /// The query, without TCP's length prefix. `now_secs` is the wall clock, in seconds since the Unix epoch.
    pub fn request(&mut self, now_secs: u64) -> Vec<u8> {
        let zone = self.zone.borrow();
        let mut message = match self.edns {
            EdnsOffer::Offered => query::octets_with_edns(self.id, zone, Type::SOA, &edns::EXPIRE_QUESTION),
            EdnsOffer::Without => query::octets(self.id, zone, Type::SOA),
        };
        if let Some(key) = &self.key {
            self.verifier = Some(tsig::sign_request(&mut message, key.clone(), now_secs));
        }
        message
    }

    /// Takes one message, without TCP's length prefix. `now_secs` is the wall clock, in seconds since the Unix epoch.
    pub fn receive(&mut self, message: &[u8], now_secs: u64) -> Result<ProbeStep, Reason> {
        let reader = match open(message, self.id, &self.zone, Type::SOA) {
            Ok(reader) => reader,
            Err(reason) if self.transport == Transport::Udp => return Ok(ProbeStep::Ignore(reason)),
            Err(reason) => return Err(reason),
        };
        let header = reader.header();
        if self.edns == EdnsOffer::Offered && query::dislikes_edns(&reader) {
            return Ok(ProbeStep::WithoutEdns);
        }
        // A truncated answer may lack its signature, and is not looked at anyway.
        match (header.has(Header::TC), self.transport) {
            (true, Transport::Udp) => return Ok(ProbeStep::UseTcp),
            (true, Transport::Tcp) => return Err(Reason::TruncatedOverTcp),
            _ => {}
        }
        if self.key.is_some() && self.verifier.is_none() {
            return Err(Reason::Internal { detail: "an answer was read before its request was signed".into() });
        }
        if verified(self.verifier.as_mut(), header, Asked::Soa, message, now_secs)? == Signature::Awaited {
            return Err(Reason::TsigUnsignedTail);
        }
        if !header.has(Header::AA) {
            return Err(Reason::NotAuthoritative);
        }
        let expires_in_secs = Edns::of(reader.clone()).and_then(|edns| edns.options().find_map(expire));
        let soa = self.soa(reader)?;
        Ok(ProbeStep::Soa(Shown { soa, expires_in_secs }))
    }

    fn soa(&self, mut reader: MessageReader<'_>) -> Result<Soa, Reason> {
        let mut found = None;
        let mut rdata = Vec::new();
        while let Some(record) = reader.record()? {
            if record.section != Section::Answer || record.rtype != Type::SOA {
                continue;
            }
            if record.class != CLASS_IN {
                return Err(Reason::ClassNotIn { class: record.class });
            }
            if record.owner.borrow() != self.zone.borrow() {
                return Err(Reason::ForeignSoa { owner: record.owner.borrow().to_name() });
            }
            rdata.clear();
            reader.rdata(&record, &mut rdata)?;
            found = found.or(Soa::parse(&rdata));
        }
        reader.finish()?;
        found.ok_or(Reason::NoSoa)
    }
}

/// The EXPIRE option's value (RFC 7314 §2); other lengths than four octets say nothing.
fn expire((code, data): (u16, &[u8])) -> Option<u32> {
    (code == option::EXPIRE).then(|| data.try_into().ok().map(u32::from_be_bytes)).flatten()
}
