//! Telling those who copy from us that there is a new version (RFC 1996): what is sent when, and which reply ends it.
//!
//! ```text
//!  announced ──► sent ──► again after 1, 2, 4 and 8 s ──► unanswered, 16 s after the last
//!     ▲           │
//!     └ newer ────┴─ a reply from there, with its ID, its question and its signature ──► answered, or declined
//! ```
//!
//! Invariants: of one zone no more than one is pending for a recipient, the newest; how many are pending is bounded, for
//! each recipient too; what comes from elsewhere, or is no reply to what was sent, changes nothing.
//!
//! No socket and no clock: whoever has them asks what is due.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use dns::{CLASS_IN, Header, MessageReader, Name, Opcode, Rcode, RecordRef, Soa, Type};
use zone::ZoneId;

use crate::moment::Moment;
use crate::tsig::{self, Key, ResponseVerifier, Signature};

/// RFC 1996 §3.6 has five tries.
const TRIES_MAX: u32 = 5;
/// The time until the first repetition; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// So much of a wait is up to chance: many that were sent together are not sent together again.
const JITTER_PARTS: u32 = 4;
/// That takes some 30 MiB.
const PENDING_MAX: usize = 50_000;
/// For one recipient: one that is mute leaves room for the others.
const PENDING_PER_RECIPIENT_MAX: usize = 25_000;

/// A version that others are to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub zone: ZoneId,
    pub name: Name,
    /// The RDATA of its SOA, without compression, and the TTL.
    pub soa_rdata: Vec<u8>,
    pub soa_ttl: u32,
}

/// Who is to know.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub address: SocketAddr,
    pub source: Option<IpAddr>,
    pub key: Option<Arc<Key>>,
}

/// Whether there was room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Pending,
    NoRoom,
}

/// What is to be done now.
#[derive(Debug)]
pub enum Due {
    Send {
        to: SocketAddr,
        source: Option<IpAddr>,
        message: Vec<u8>,
    },
    /// All tries were in vain.
    Unanswered {
        news: Arc<News>,
        to: SocketAddr,
    },
}

/// A reply that ends an announcement.
#[derive(Debug)]
pub struct Replied {
    pub news: Arc<News>,
    pub to: SocketAddr,
    pub rcode: Rcode,
}

type Slot = (ZoneId, SocketAddr);

/// All announcements that wait for a reply, or to be sent.
#[derive(Default)]
pub struct Announcements {
    pending: HashMap<Slot, Pending>,
    agenda: BTreeSet<(Moment, Slot)>,
    /// Whose ID a recipient knows.
    ids: HashMap<(SocketAddr, u16), ZoneId>,
    per_recipient: HashMap<SocketAddr, usize>,
}

struct Pending {
    news: Arc<News>,
    to: Recipient,
    id: u16,
    tries: u32,
    due: Moment,
    sent_at: Option<Moment>,
    verifier: Option<ResponseVerifier>,
}

impl News {
    /// # Panics
    /// If `soa` is no SOA record.
    pub fn of(zone: ZoneId, name: Name, soa: RecordRef<'_>) -> Self {
        assert_eq!(soa.rtype, Type::SOA, "a version is announced by its SOA");
        Self { zone, name, soa_rdata: soa.rdata.to_vec(), soa_ttl: soa.ttl }
    }

    /// The serial, for people.
    pub fn serial(&self) -> Option<dns::Serial> {
        Soa::parse(&self.soa_rdata).map(|soa| soa.serial)
    }

    /// RFC 1996 §3.7: the question, and the new SOA as a hint.
    fn message(&self, id: u16) -> Vec<u8> {
        let flags = Header::request_flags(Opcode::NOTIFY) | Header::AA;
        let mut message = Header { id, flags, counts: [1, 1, 0, 0] }.to_octets().to_vec();
        message.extend(self.name.as_wire());
        message.extend(Type::SOA.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        // A pointer to the question's name.
        message.extend([0xc0, 12]);
        message.extend(Type::SOA.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        message.extend(self.soa_ttl.to_be_bytes());
        message.extend((self.soa_rdata.len() as u16).to_be_bytes());
        message.extend(&self.soa_rdata);
        message
    }
}

impl Announcements {
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Has a version announced, in the place of an older one of its zone that is still pending. `random_id` gives numbers
    /// that nobody can guess (RFC 5452 §4.3).
    pub fn announce(
        &mut self,
        news: Arc<News>,
        to: Recipient,
        now: Moment,
        mut random_id: impl FnMut() -> u16,
    ) -> Taken {
        let slot = (news.zone, to.address);
        // What has just been sent to somebody is not overtaken at once: of a row of versions the last one is what counts.
        let due = match self.remove(slot).and_then(|older| older.sent_at) {
            Some(sent_at) => now.max(sent_at.plus(FIRST_WAIT)),
            None => now,
        };
        let of_recipient = self.per_recipient.get(&to.address).copied().unwrap_or(0);
        if self.pending.len() >= PENDING_MAX || of_recipient >= PENDING_PER_RECIPIENT_MAX {
            return Taken::NoRoom;
        }
        let mut id = random_id();
        // There are more numbers than may be pending for one recipient.
        while self.ids.contains_key(&(to.address, id)) {
            id = id.wrapping_add(1);
        }
        self.ids.insert((to.address, id), news.zone);
        *self.per_recipient.entry(to.address).or_default() += 1;
        self.agenda.insert((due, slot));
        let pending = Pending { news, to, id, tries: 0, due, sent_at: None, verifier: None };
        self.pending.insert(slot, pending);
        Taken::Pending
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Moment> {
        self.agenda.first().map(|(due, _)| *due)
    }

    /// The next thing to be done by now. `now_secs` is the wall clock for signatures, in seconds since the Unix epoch;
    /// `random` spreads repetitions.
    pub fn take_due(&mut self, now: Moment, now_secs: u64, random: u32) -> Option<Due> {
        let (due, slot) = *self.agenda.first().filter(|(due, _)| *due <= now)?;
        let pending = self.pending.get_mut(&slot)?;
        if pending.tries >= TRIES_MAX {
            let Pending { news, to, .. } = self.remove(slot)?;
            return Some(Due::Unanswered { news, to: to.address });
        }
        self.agenda.remove(&(due, slot));
        let wait = FIRST_WAIT * 2_u32.pow(pending.tries);
        pending.tries += 1;
        pending.sent_at = Some(now);
        pending.due = now.plus(wait + wait / JITTER_PARTS * (random % 1024) / 1024);
        self.agenda.insert((pending.due, slot));
        let mut message = pending.news.message(pending.id);
        pending.verifier = pending.to.key.clone().map(|key| tsig::sign_request(&mut message, key, now_secs));
        Some(Due::Send { to: pending.to.address, source: pending.to.source, message })
    }

    /// Takes a datagram. None where it is no reply to anything that was sent there: anybody can send such.
    pub fn receive(&mut self, from: SocketAddr, message: &[u8], now_secs: u64) -> Option<Replied> {
        let header = Header::parse(message)?;
        let slot = (*self.ids.get(&(from, header.id))?, from);
        let pending = self.pending.get_mut(&slot)?;
        if !header.is_response() || header.opcode() != Opcode::NOTIFY || pending.tries == 0 {
            return None;
        }
        // Some leave the question out of errors.
        let question = MessageReader::new(message).ok()?.question().ok()?;
        let is_about = |question: &dns::Question| {
            question.name.borrow() == pending.news.name.borrow()
                && (question.qtype, question.qclass) == (Type::SOA, CLASS_IN)
        };
        if !question.as_ref().map_or(header.rcode() != Rcode::NOERROR, is_about) {
            return None;
        }
        let is_signed = match &mut pending.verifier {
            None => true,
            Some(verifier) => verifier.verify(message, now_secs) == Ok(Signature::Verified),
        };
        // Whoever does not know our key cannot sign that; to believe it costs no more than the repetitions.
        if !is_signed && header.rcode() == Rcode::NOERROR {
            return None;
        }
        let Pending { news, .. } = self.remove(slot)?;
        Some(Replied { news, to: from, rcode: header.rcode() })
    }

    fn remove(&mut self, slot: Slot) -> Option<Pending> {
        let pending = self.pending.remove(&slot)?;
        self.agenda.remove(&(pending.due, slot));
        self.ids.remove(&(slot.1, pending.id));
        if let Some(count) = self.per_recipient.get_mut(&slot.1) {
            *count -= 1;
            if *count == 0 {
                self.per_recipient.remove(&slot.1);
            }
        }
        Some(pending)
    }
}
