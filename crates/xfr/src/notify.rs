//! May this NOTIFY wake a zone, and what is answered (RFC 1996).
//!
//! Believed is whoever signs with one of the zone's keys, or, unless the zone wants signatures, sends from an address of
//! its primaries or another one that is allowed. Several tenants may
//! hold a zone of one name: each whose primaries or key fit the sender is woken, no other. What a NOTIFY says about
//! the serial is a hint and no more. This module keeps no state: that ten thousand NOTIFYs become one check is for
//! whoever wakes the zone.

use std::net::IpAddr;

use dns::{
    CLASS_IN, Header, MessageReader, Name, NameBuf, NameRef, Opcode, Question, Rcode, Section, Serial, Soa, Type,
};
use zone::ZoneId;

use crate::prefix::Prefix;
use crate::settings::NotifyTrust;

/// Who may wake one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyRule {
    pub zone: ZoneId,
    /// Addresses of its primaries and of others who may send; ports do not matter, because a NOTIFY comes from any.
    pub senders: Vec<Prefix>,
    /// Names of its keys.
    pub keys: Vec<Name>,
    /// Whether an address is enough.
    pub trust: NotifyTrust,
}

/// What to do about a NOTIFY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing, and no answer: it is itself a response, or no message at all.
    Ignore,
    /// Answer with this code and wake nobody.
    Decline(Rcode),
    /// Answer NOERROR and check these zones.
    Accept { zones: Vec<ZoneId>, serial: Option<Serial> },
}

/// Judges a message whose opcode is NOTIFY.
///
/// `from` is the sender's address, `signed_by` the name of the key with which the message was signed and verified, and
/// `rules` gives the rules of all zones of a name (case ignored).
pub fn judge<'r>(
    message: &[u8],
    from: IpAddr,
    signed_by: Option<&Name>,
    rules: impl FnOnce(NameRef<'_>) -> &'r [NotifyRule],
) -> Judgement {
    let Some(header) = Header::parse(message) else { return Judgement::Ignore };
    if header.is_response() {
        return Judgement::Ignore;
    }
    if header.opcode() != Opcode::NOTIFY {
        return Judgement::Decline(Rcode::NOTIMP);
    }
    let (zone, serial) = match read(message, header) {
        Ok(notify) => notify,
        Err(rcode) => return Judgement::Decline(rcode),
    };
    let rules = rules(zone.borrow());
    if rules.is_empty() {
        return Judgement::Decline(Rcode::NOTAUTH);
    }
    let zones: Vec<ZoneId> = rules.iter().filter(|rule| rule.admits(from, signed_by)).map(|rule| rule.zone).collect();
    if zones.is_empty() { Judgement::Decline(Rcode::REFUSED) } else { Judgement::Accept { zones, serial } }
}

impl NotifyRule {
    fn admits(&self, from: IpAddr, signed_by: Option<&Name>) -> bool {
        signed_by.is_some_and(|key| self.keys.contains(key))
            || self.trust == NotifyTrust::Any && self.senders.iter().any(|sender| sender.contains(from))
    }
}

/// The zone and the hint, or the code to answer with.
fn read(message: &[u8], header: Header) -> Result<(NameBuf, Option<Serial>), Rcode> {
    let mut reader = MessageReader::new(message).map_err(|_| Rcode::FORMERR)?;
    // RFC 9619 for queries, and RFC 1996 §3.7 here: one question.
    if header.counts[0] != 1 {
        return Err(Rcode::FORMERR);
    }
    let question = reader.question().map_err(|_| Rcode::FORMERR)?.ok_or(Rcode::FORMERR)?;
    if question.qclass != CLASS_IN || question.qtype != Type::SOA {
        return Err(Rcode::NOTIMP);
    }
    let mut serial = None;
    let mut rdata = Vec::new();
    while let Some(record) = reader.record().map_err(|_| Rcode::FORMERR)? {
        if record.section != Section::Answer || record.rtype != Type::SOA || record.owner != question.name {
            continue;
        }
        rdata.clear();
        reader.rdata(&record, &mut rdata).map_err(|_| Rcode::FORMERR)?;
        serial = serial.or(Soa::parse(&rdata).map(|soa| soa.serial));
    }
    reader.finish().map_err(|_| Rcode::FORMERR)?;
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
