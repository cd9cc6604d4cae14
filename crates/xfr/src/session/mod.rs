//! One zone transfer, AXFR (RFC 5936) or IXFR (RFC 1995): messages in, a whole and verified change out, or a reason.
//!
//! [`Session`] looks at each message as such: is it an answer to this request, signed where it must be, of sane shape?
//! Its records go one by one to [`assembly`], which knows the order in which a transfer's records come.
//!
//! Invariants: no socket, no clock; octets, records and steps are bounded; every message is checked for its ID,
//! question, response code and signature; an incomplete or failed transfer yields no change. What the zone *says* is not
//! judged here: out-of-zone records and bad contents are for `zone::advance`.

mod assembly;

use std::sync::Arc;

use dns::{
    CLASS_IN, Header, MessageReader, Name, NameBuf, Rcode, RecordRef, Records, Section, Serial, Soa, Type, query,
};
use zone::Change;

use crate::reason::{Asked, Reason};
use crate::tsig::{self, Key, ResponseVerifier, Signature};
use assembly::Assembly;

/// What is asked of the primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// The whole zone.
    Axfr,
    /// What came after the version that we hold, whose SOA has this uncompressed RDATA.
    Ixfr { soa_rdata: Vec<u8> },
}

impl Fetch {
    pub fn asked(&self) -> Asked {
        match self {
            Self::Axfr => Asked::Axfr,
            Self::Ixfr { .. } => Asked::Ixfr,
        }
    }
}

/// How much one transfer may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Octets of messages, and also octets of memory for their records, which compression can make many times larger.
    pub octets: u64,
    pub records: u64,
    /// Differences in one incremental transfer.
    pub steps: u64,
}

impl Default for SessionLimits {
    /// 2 GiB and 50 million records: five times a large TLD's zone, and no more than a server has memory for.
    /// 10,000 steps: beyond that a whole transfer is cheaper than following them.
    fn default() -> Self {
        Self { octets: 2 << 30, records: 50_000_000, steps: 10_000 }
    }
}

/// Whether the transfer is over.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    More,
    Done(Outcome),
}

/// What a transfer brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The primary holds the version that we hold.
    Unchanged(Serial),
    /// Something else, whole and verified. A full change may have any serial, older ones included.
    Change(Change),
}

/// One transfer.
pub struct Session {
    zone: Name,
    fetch: Fetch,
    id: u16,
    key: Option<Arc<Key>>,
    verifier: Option<ResponseVerifier>,
    limits: SessionLimits,
    assembly: Assembly,
    /// Why it failed; every later message fails for the same reason.
    failed: Option<Reason>,
    octets: u64,
    records: u64,
    messages: u64,
    rdata: Vec<u8>,
}

impl Session {
    /// A transfer whose messages bear `id`, which should be random, and are signed with `key` if there is one.
    pub fn new(zone: Name, fetch: Fetch, id: u16, key: Option<Arc<Key>>, limits: SessionLimits) -> Self {
        let ours = match &fetch {
            Fetch::Axfr => None,
            Fetch::Ixfr { soa_rdata } => Soa::parse(soa_rdata).map(|soa| soa.serial),
        };
        let assembly = Assembly::new(zone.clone(), ours, limits.steps);
        Self {
            zone,
            fetch,
            id,
            key,
            verifier: None,
            limits,
            assembly,
            failed: None,
            octets: 0,
            records: 0,
            messages: 0,
            rdata: Vec::new(),
        }
    }

    /// The request, without TCP's length prefix and without EDNS, which old primaries choke on and transfers over TCP
    /// do not need. `now_secs` is the wall clock, in seconds since the Unix epoch.
    pub fn request(&mut self, now_secs: u64) -> Vec<u8> {
        let mut message = query::octets(self.id, self.zone.borrow(), self.qtype());
        if let Fetch::Ixfr { soa_rdata } = &self.fetch {
            // RFC 1995 §3: our version's SOA in the authority section.
            message[9] = 1;
            message.extend(self.zone.as_wire());
            message.extend(Type::SOA.0.to_be_bytes());
            message.extend(CLASS_IN.to_be_bytes());
            message.extend([0; 4]);
            message.extend((soa_rdata.len() as u16).to_be_bytes());
            message.extend(soa_rdata);
        }
        if let Some(key) = &self.key {
            self.verifier = Some(tsig::sign_request(&mut message, key.clone(), now_secs));
        }
        message
    }

    /// Takes the next message, without TCP's length prefix. `now_secs` is the wall clock, in seconds since the Unix
    /// epoch.
    ///
    /// # Errors
    /// When the transfer has failed; everything that came before is dropped.
    pub fn receive(&mut self, message: &[u8], now_secs: u64) -> Result<Progress, Reason> {
        if let Some(reason) = &self.failed {
            return Err(reason.clone());
        }
        let result = self.message(message, now_secs);
        if let Err(reason) = &result {
            self.failed = Some(reason.clone());
            self.assembly = Assembly::new(self.zone.clone(), None, 0);
        }
        result
    }

    /// Moves the records of a whole zone that have come and nobody has taken to `room`, if they have so many octets: for who
    /// begins to put the zone together before the rest is here. The outcome has the others alone; only with it is the transfer
    /// whole, and until then what was taken is nothing.
    pub fn take_whole(&mut self, octets_min: usize, room: &mut Records) -> bool {
        self.assembly.take_whole(octets_min, room)
    }

    /// What it means when the primary closes the connection now.
    pub fn closed(&self) -> Reason {
        Reason::ConnectionClosed { messages: self.messages }
    }

    /// Octets of all messages so far.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// The memory that what has come takes, at least: that of its records, which compression can make many times larger
    /// than the messages were.
    pub fn octets_held(&self) -> u64 {
        self.octets.max(self.assembly.octets())
    }

    /// Records of the answer so far.
    pub fn records(&self) -> u64 {
        self.records
    }

    pub fn messages(&self) -> u64 {
        self.messages
    }

    fn qtype(&self) -> Type {
        match self.fetch {
            Fetch::Axfr => Type::AXFR,
            Fetch::Ixfr { .. } => Type::IXFR,
        }
    }

    fn message(&mut self, message: &[u8], now_secs: u64) -> Result<Progress, Reason> {
        self.messages += 1;
        self.octets += message.len() as u64;
        self.within_octets(self.octets)?;
        let mut reader = open(message, self.id, &self.zone, self.qtype())?;
        if self.key.is_some() && self.verifier.is_none() {
            return Err(Reason::Internal { detail: "an answer was read before its request was signed".into() });
        }
        let asked = self.fetch.asked();
        let signature = verified(self.verifier.as_mut(), reader.header(), asked, message, now_secs)?;
        // RFC 5936 §2.2.1 has no use for TC in a transfer, and over TCP it can only be a fault.
        if reader.header().has(Header::TC) {
            return Err(Reason::TruncatedOverTcp);
        }
        let mut owner = NameBuf::root();
        while let Some(record) = reader.record_of(&mut owner)? {
            if record.section != Section::Answer {
                continue;
            }
            if record.class != CLASS_IN {
                return Err(Reason::ClassNotIn { class: record.class });
            }
            if record.rtype.is_meta() {
                return Err(Reason::MetaType { rtype: record.rtype });
            }
            self.records += 1;
            if self.records > self.limits.records {
                return Err(Reason::TooManyRecords { limit: self.limits.records });
            }
            self.rdata.clear();
            reader.rdata_of(&record, &mut self.rdata)?;
            let (owner, rtype, ttl) = (owner.borrow(), record.rtype, record.ttl);
            self.assembly.record(RecordRef { owner, rtype, ttl, rdata: &self.rdata })?;
        }
        reader.finish()?;
        self.within_octets(self.assembly.octets())?;
        let Some(outcome) = self.assembly.end_of_message()? else { return Ok(Progress::More) };
        match signature {
            Signature::Verified => Ok(Progress::Done(outcome)),
            Signature::Awaited => Err(Reason::TsigUnsignedTail),
        }
    }

    fn within_octets(&self, octets: u64) -> Result<(), Reason> {
        if octets > self.limits.octets {
            return Err(Reason::TooManyOctets { limit: self.limits.octets });
        }
        Ok(())
    }
}

/// Checks that `message` is an answer to our question; its records come next.
pub(crate) fn open<'m>(message: &'m [u8], id: u16, zone: &Name, qtype: Type) -> Result<MessageReader<'m>, Reason> {
    if message.is_empty() {
        return Err(Reason::EmptyMessage);
    }
    Ok(query::open(message, id, zone.borrow(), qtype)?)
}

/// Checks the signature, if we signed, and then the response code. An unsigned error is reported as that error: servers
/// that know nothing of TSIG answer so, and either way nothing is installed.
pub(crate) fn verified(
    verifier: Option<&mut ResponseVerifier>,
    header: Header,
    asked: Asked,
    message: &[u8],
    now_secs: u64,
) -> Result<Signature, Reason> {
    let error = (header.rcode() != Rcode::NOERROR).then(|| Reason::of_rcode(asked, header.rcode()));
    let signature = verifier.map_or(Ok(Signature::Verified), |verifier| verifier.verify(message, now_secs));
    match (error, signature) {
        (None, signature) => signature,
        // PowerDNS says no more than that about any signature that it does not take.
        (Some(Reason::NotAuth(asked)), Err(Reason::TsigMissing { key })) => Err(Reason::TsigRejected { asked, key }),
        (Some(error), Ok(_) | Err(Reason::TsigMissing { .. })) => Err(error),
        (Some(_), Err(signature)) => Err(signature),
    }
}
