//! May this NOTIFY wake a zone, and what is answered (RFC 1996).
//!
//! Believed is whoever signs with one of the zone's keys, or, unless the zone wants signatures, sends from an address of
//! its primaries or another one that is allowed. Several tenants may
//! hold a zone of one name: each whose primaries or key fit the sender is woken, no other. What a NOTIFY says about
//! the serial is a hint and no more. This module keeps no state: that ten thousand NOTIFYs become one check is for
//! whoever wakes the zone.

mod decline;

use std::net::IpAddr;
use std::sync::Arc;

use dns::{
    CLASS_IN, Header, MessageReader, Name, NameBuf, NameRef, Opcode, Question, Rcode, Section, Serial, Soa, Type,
};
use zone::{TenantId, ZoneId};

pub use decline::Decline;

use crate::policy::NotifyTrust;
use crate::prefix::Prefix;

/// Who may wake one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyRule {
    pub zone: ZoneId,
    /// Whose the zone is; its keys are this tenant's.
    pub tenant: TenantId,
    /// Addresses of its primaries and of others who may send; ports do not matter, because a NOTIFY comes from any.
    pub senders: Arc<[Prefix]>,
    /// Names of its keys.
    pub keys: Arc<[Name]>,
    /// Whether an address is enough.
    pub trust: NotifyTrust,
    pub checks: Checks,
}

/// Whether a zone is checked at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checks {
    #[default]
    Made,
    /// Somebody has stopped them; they begin anew with one, so that nothing that a NOTIFY said is lost.
    Paused,
}

/// The key that a message was signed with. Tenants give their keys what names they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedBy<'k> {
    /// Whose key it is.
    pub tenant: TenantId,
    pub key: &'k Name,
}

/// How a NOTIFY came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Udp,
    Tcp,
    Tls,
    Quic,
}

impl Channel {
    pub const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Tls, Self::Quic];

    /// Its name on record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Quic => "quic",
        }
    }
}

/// Whether a zone's owner has named the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// By its address or its key. An address can be forged: this is no proof of anything.
    Known,
    Stranger,
}

/// What to do about a NOTIFY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing, and no answer: it is itself a response, or no message at all.
    Ignore,
    /// Answer with the code of [`Declined::why`] and wake nobody.
    Decline(Declined),
    /// Answer NOERROR and check these zones.
    Accept { zones: Vec<ZoneId>, serial: Option<Serial> },
}

/// A NOTIFY that wakes nobody, and whom that concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Of several zones of the name, the first one's reason.
    pub why: Decline,
    /// The zones that it names; none when there are none here.
    pub zones: Vec<ZoneId>,
    pub standing: Standing,
    /// The hint, if it came to be read.
    pub serial: Option<Serial>,
}

/// Judges a message whose opcode is NOTIFY.
///
/// `from` is the sender's address, `signed_by` the key with which the message was signed and verified, and
/// `rules` gives the rules of all zones of a name (case ignored).
pub fn judge<'r>(
    message: &[u8],
    from: IpAddr,
    signed_by: Option<SignedBy<'_>>,
    rules: impl FnOnce(NameRef<'_>) -> &'r [NotifyRule],
) -> Judgement {
    let Some(header) = Header::parse(message) else { return Judgement::Ignore };
    if header.is_response() {
        return Judgement::Ignore;
    }
    let (zone, serial) = match read(message, header) {
        Ok(notify) => notify,
        Err(why) => return Judgement::Decline(decline(message, from, why, rules)),
    };
    let rules = rules(zone.borrow());
    let mut zones = Vec::new();
    let mut first_decline = None;
    for rule in rules {
        match rule.judge(from, signed_by) {
            Ok(()) => zones.push(rule.zone),
            Err(why) => first_decline = first_decline.or(Some(why)),
        }
    }
    if zones.is_empty() {
        let why = first_decline.unwrap_or(Decline::UnknownZone);
        return Judgement::Decline(Declined { serial, ..Declined::of(why, rules, from, signed_by) });
    }
    Judgement::Accept { zones, serial }
}

/// A NOTIFY that is declined whoever sent it: what is wrong with it shows before the rules are asked.
pub fn decline<'r>(
    message: &[u8],
    from: IpAddr,
    why: Decline,
    rules: impl FnOnce(NameRef<'_>) -> &'r [NotifyRule],
) -> Declined {
    let question = MessageReader::new(message).and_then(|mut reader| reader.question()).ok().flatten();
    let rules = question.as_ref().map(|question| rules(question.name.borrow())).unwrap_or_default();
    Declined::of(why, rules, from, None)
}

impl Declined {
    fn of(why: Decline, rules: &[NotifyRule], from: IpAddr, signed_by: Option<SignedBy<'_>>) -> Self {
        let is_known = rules.iter().any(|rule| rule.is_from_a_sender(from) || rule.is_signed(signed_by));
        let standing = if is_known { Standing::Known } else { Standing::Stranger };
        Self { why, zones: rules.iter().map(|rule| rule.zone).collect(), standing, serial: None }
    }
}

impl NotifyRule {
    fn judge(&self, from: IpAddr, signed_by: Option<SignedBy<'_>>) -> Result<(), Decline> {
        let is_from_a_sender = self.is_from_a_sender(from);
        let is_admitted = self.is_signed(signed_by) || self.trust == NotifyTrust::Any && is_from_a_sender;
        match (is_admitted, signed_by) {
            (true, _) if self.checks == Checks::Paused => Err(Decline::ZonePaused),
            (true, _) => Ok(()),
            (false, Some(_)) => Err(Decline::OtherKey),
            (false, None) if is_from_a_sender => Err(Decline::Unsigned),
            (false, None) => Err(Decline::Stranger),
        }
    }

    fn is_from_a_sender(&self, from: IpAddr) -> bool {
        self.senders.iter().any(|sender| sender.contains(from))
    }

    fn is_signed(&self, signed_by: Option<SignedBy<'_>>) -> bool {
        signed_by.is_some_and(|signed| signed.tenant == self.tenant && self.keys.contains(signed.key))
    }
}

/// The zone and the hint, or what is wrong.
fn read(message: &[u8], header: Header) -> Result<(NameBuf, Option<Serial>), Decline> {
    if header.opcode() != Opcode::NOTIFY {
        return Err(Decline::Opcode);
    }
    let mut reader = MessageReader::new(message).map_err(|_| Decline::Malformed)?;
    // RFC 9619 for queries, and RFC 1996 §3.7 here: one question.
    if header.counts[0] != 1 {
        return Err(Decline::QuestionCount);
    }
    let question = reader.question().map_err(|_| Decline::Malformed)?.ok_or(Decline::Malformed)?;
    if question.qclass != CLASS_IN {
        return Err(Decline::Class);
    }
    if question.qtype != Type::SOA {
        return Err(Decline::Type);
    }
    let mut serial = None;
    let mut rdata = Vec::new();
    while let Some(record) = reader.record().map_err(|_| Decline::Malformed)? {
        if record.section != Section::Answer || record.rtype != Type::SOA || record.owner != question.name {
            continue;
        }
        rdata.clear();
        reader.rdata(&record, &mut rdata).map_err(|_| Decline::Malformed)?;
        serial = serial.or(Soa::parse(&rdata).map(|soa| soa.serial));
    }
    reader.finish().map_err(|_| Decline::Malformed)?;
    Ok((question.name, serial))
}

/// The answer to a NOTIFY: its ID, opcode and question, QR and AA set (RFC 1996 §4.7); nothing if `message` has no
/// header.
pub fn response(message: &[u8], rcode: Rcode) -> Vec<u8> {
    let Some(header) = Header::parse(message) else { return Vec::new() };
    let mut reader = MessageReader::new(message).ok();
    let question = reader.as_mut().and_then(|reader| reader.question().ok().flatten());
    let opcode = u16::from(header.opcode().0) << 11;
    let flags = Header::QR | Header::AA | opcode | rcode.0 & 0xf;
    let counts = [u16::from(question.is_some()), 0, 0, 0];
    let mut answer = Header { id: header.id, flags, counts }.to_octets().to_vec();
    if let Some(Question { name, qtype, qclass }) = question {
        answer.extend(name.borrow().as_wire());
        answer.extend(qtype.0.to_be_bytes());
        answer.extend(qclass.to_be_bytes());
    }
    answer
}
