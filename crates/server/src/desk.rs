//! What is no ordinary query: everything signed, NOTIFY, requests for transfers.
//!
//! The order is always the same: the signature first (RFC 8945 §5.2: nothing of a message is believed before), then
//! what is asked, then the signature under the reply. A signature that cannot be verified is answered as an error
//! even if the same request would pass without one (RFC 8945 §5.2): a NOTIFY signed with a key that we do not know
//! gets BADKEY.
//!
//! This path allocates and calculates HMACs, but never waits.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use answer::{Kind, Outcome, Transport, ZoneTable};
use dns::message::HEADER_OCTETS;
use dns::{CLASS_IN, Header, MessageReader, Name, NameBuf, NameRef, Opcode, Rcode, Serial, Type};
use tokio::sync::mpsc;
use xfr::Prefix;
use xfr::notify::{self, Channel, Decline, Declined, Judgement, Standing};
use xfr::tsig::{TsigError, TsigFailure, Verified, verify_request};
use zone::{Snapshot, ZoneId};

use crate::access::{Access, Rules};
use crate::counters::Event;
use crate::front::{Bench, Reply, Sender, Stock};
use crate::heard::{Latest, Who};
use crate::limits::Limits;
use crate::rate_limit::{RateLimiter, Verdict};
use crate::request::{Request, Signed, bare, without_signature};
use crate::transfer_out::{Opening, Transfer};
use crate::{Notified, Shared, transfer_out};

pub(crate) struct Desk {
    shared: Shared,
    notifies: mpsc::Sender<Notified>,
    /// See [`Limits::idle`].
    idle: Duration,
    rate_limiter: Option<RateLimiter>,
}

/// A reply that is still to be signed.
enum Draft {
    Silence,
    Message(Vec<u8>, Rcode),
    Transfer(Box<Transfer>),
}

impl Desk {
    pub(crate) fn new(shared: Shared, notifies: mpsc::Sender<Notified>, limits: &Limits) -> Self {
        let rate_limiter = limits.rate.clone().map(RateLimiter::new);
        Self { shared, notifies, idle: limits.idle, rate_limiter }
    }

    /// Answers an ordinary query into `out`.
    pub(crate) fn answer(
        &self,
        query: &[u8],
        sender: Sender,
        stock: Stock<'_>,
        bench: &mut Bench,
        out: &mut [u8],
    ) -> Outcome {
        let outcome = self.answer_from_zones(query, sender, stock, bench, out);
        if !is_about_catalog(query, stock.catalogs) {
            return outcome;
        }
        let request = Request::read(query, sender, None).ok();
        let soa = request.and_then(|request| self.soa_of_catalog(&request, stock));
        match soa.filter(|soa| soa.len() <= out.len()) {
            None => outcome,
            Some(soa) => {
                out[..soa.len()].copy_from_slice(&soa);
                // The options are not those of the answer from the zones.
                let (rcode, kind) = (Rcode::NOERROR, Kind::Answer);
                Outcome { length: soa.len(), rcode, kind, opt_octets: 0, ..outcome }
            }
        }
    }

    fn answer_from_zones(
        &self,
        query: &[u8],
        sender: Sender,
        stock: Stock<'_>,
        bench: &mut Bench,
        out: &mut [u8],
    ) -> Outcome {
        let asker = sender.asker(self.idle);
        answer::answer(query, stock.zones, &asker, stock.persona, || (self.shared.now)().0, &mut bench.scratch, out)
    }

    /// The reply to whoever may copy a catalog and asks for its SOA, as most do first; none to anybody else, and to any
    /// other question (RFC 9432 §7).
    fn soa_of_catalog(&self, request: &Request<'_>, stock: Stock<'_>) -> Option<Vec<u8>> {
        let is_plain = request.header.opcode() == Opcode::QUERY
            && (request.question.qtype, request.question.qclass) == (Type::SOA, CLASS_IN)
            && request.edns.is_none_or(|edns| edns.version == dns::edns::VERSION);
        let name = request.question.name.borrow();
        // A zone of the same name goes before it.
        let catalog = stock.catalogs.get(name).filter(|_| is_plain && stock.zones.get(name).is_none())?;
        let access = self.shared.access.load();
        let snapshot = catalog
            .snapshot()
            .filter(|_| access.transfer_out.allows(name, request.sender.address.ip(), request.signed_by()))?;
        Some(request.with_soa(snapshot.image.soa_record(), None))
    }

    /// What is sent of an answer: over UDP anybody can ask in somebody else's name.
    pub(crate) fn limit(&self, outcome: Outcome, sender: Sender, bench: &mut Bench, out: &mut [u8]) -> Outcome {
        let Some(limiter) = self.rate_limiter.as_ref().filter(|_| sender.channel == Channel::Udp) else {
            return outcome;
        };
        match limiter.judge(sender.address.ip(), &outcome) {
            Verdict::Send => outcome,
            Verdict::Slip => {
                bench.tally.count(Event::RateSlipped);
                answer::shorten(&outcome, out)
            }
            Verdict::Drop => {
                bench.tally.count(Event::RateDropped);
                Outcome { length: 0, ..outcome }
            }
        }
    }

    /// Answers `message` into `out`.
    pub(crate) fn reply(
        &self,
        message: &[u8],
        sender: Sender,
        stock: Stock<'_>,
        bench: &mut Bench,
        out: &mut [u8],
    ) -> Reply {
        let access = self.shared.access.load();
        if access.rules == Rules::Awaited && is_notify(message) {
            return Self::leave_to_send_again(message, sender, bench, out);
        }
        let now_secs = wall_clock_secs();
        let mut owners = Vec::new();
        let known = |key: NameRef<'_>| {
            owners = access.keys_for(key, question_of(message).as_ref().map(NameBuf::borrow), stock.zones);
            owners.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>()
        };
        let (unsigned, signed) = match verify_request(message, known, now_secs) {
            Ok(Verified::Unsigned) => (Cow::Borrowed(message), None),
            Ok(Verified::Signed(signed)) => {
                let owner = owners.iter().find(|(_, key)| Arc::ptr_eq(key, signed.key()));
                let tenant = owner.map(|(tenant, _)| *tenant).expect("it was one of these keys");
                (
                    Cow::Owned(without_signature(message, signed.message_octets())),
                    Some(Signed { request: signed, tenant }),
                )
            }
            Err(failure) => {
                note_failure(&failure, sender, bench);
                note_broken_notify(message, failure.error().into(), sender, &access, bench);
                let mut reply = bare(message, failure.rcode());
                failure.append_to(&mut reply);
                return hand_over(&reply, failure.rcode(), bench, out);
            }
        };
        let Ok(request) = Request::read(&unsigned, sender, signed.as_ref()) else {
            note_broken_notify(&unsigned, Decline::Malformed, sender, &access, bench);
            let mut reply = bare(&unsigned, Rcode::FORMERR);
            if let Some(signed) = &signed {
                signed.request.signer().sign(&mut reply, now_secs);
            }
            return hand_over(&reply, Rcode::FORMERR, bench, out);
        };
        let draft = match (request.header.opcode(), request.question.qtype) {
            (Opcode::NOTIFY, _) => self.notify(&request, &access, stock.zones, bench),
            (Opcode::QUERY, Type::AXFR | Type::IXFR) => self.transfer(&request, &access, stock, bench),
            _ if let Some(soa) = self.soa_of_catalog(&request, stock) => Draft::Message(soa, Rcode::NOERROR),
            _ => {
                let outcome = self.answer_from_zones(&unsigned, sender, stock, bench, out);
                bench.queries.note(&outcome, &unsigned);
                Draft::Message(out[..outcome.length].to_vec(), outcome.rcode)
            }
        };
        match draft {
            Draft::Silence => Reply::Nothing,
            Draft::Transfer(transfer) => Reply::Transfer(transfer),
            Draft::Message(reply, rcode) => {
                let (reply, rcode) = request.sign(reply, rcode, now_secs);
                hand_over(&reply, rcode, bench, out)
            }
        }
    }

    fn notify(&self, request: &Request<'_>, access: &Access, zones: &ZoneTable, bench: &mut Bench) -> Draft {
        let from = request.sender.address;
        let signed_by = request.signed_by();
        let rcode = match notify::judge(request.message, from.ip(), signed_by, |zone| access.notify_rules(zone)) {
            Judgement::Ignore => return Draft::Silence,
            Judgement::Decline(declined) => {
                let key = signed_by.map(|signed| signed.key);
                note_declined(&declined, request.sender, Some(request.question.name), key, bench);
                match declined.why {
                    // Who has asked for a zone that is not answered is nobody else's business.
                    Decline::Stranger if zones.get(request.question.name.borrow()).is_none() => {
                        Decline::UnknownZone.rcode()
                    }
                    why => why.rcode(),
                }
            }
            Judgement::Accept { zones, serial } => {
                let mut overflow = false;
                let signed_by = signed_by.map(|signed| signed.key);
                for zone in zones {
                    let notified = Notified { zone, from, serial, signed_by: signed_by.cloned() };
                    let is_lost = self.notifies.try_send(notified).is_err();
                    overflow |= is_lost;
                    let Sender { address, channel } = request.sender;
                    let declined = is_lost.then_some(Decline::QueueFull);
                    let (from, signed_by) = (address.ip().to_canonical(), signed_by.cloned());
                    let who = Who::Known { zone, from, channel, signed_by, declined };
                    bench.heard.push((who, Latest { from, channel, serial, zone: None }));
                }
                match (overflow, request.sender.transport()) {
                    (false, _) => {
                        bench.tally.count(Event::NotifyAccepted);
                        Rcode::NOERROR
                    }
                    // As in [`Desk::leave_to_send_again`].
                    (true, Transport::Udp) => {
                        bench.tally.count(Event::NotifyOverflow);
                        return Draft::Silence;
                    }
                    (true, Transport::Tcp) => {
                        bench.tally.count(Event::NotifyOverflow);
                        Decline::QueueFull.rcode()
                    }
                }
            }
        };
        let mut reply = notify::response(request.message, rcode);
        request.append_options(&mut reply, rcode);
        Draft::Message(reply, rcode)
    }

    /// To silence every primary answers by sending again (RFC 1996 §3.6); some take any reply, whatever it says, for the
    /// end of the matter. Only on a connection silence would be taken for a server that has died.
    fn leave_to_send_again(message: &[u8], sender: Sender, bench: &mut Bench, out: &mut [u8]) -> Reply {
        bench.tally.count(Event::NotifyOverflow);
        match sender.transport() {
            Transport::Udp => Reply::Nothing,
            Transport::Tcp => hand_over(&bare(message, Rcode::SERVFAIL), Rcode::SERVFAIL, bench, out),
        }
    }

    /// Refuses a transfer, answers with the SOA alone, or lets the transfer begin as soon as there is a place.
    fn transfer(&self, request: &Request<'_>, access: &Access, stock: Stock<'_>, bench: &mut Bench) -> Draft {
        let mut refuse = |rcode| {
            bench.tally.count(Event::TransferRefused);
            tracing::debug!(zone = %request.question.name, to = %request.sender.address, %rcode, "no transfer out");
            Draft::Message(request.without_records(rcode), rcode)
        };
        if request.edns.is_some_and(|edns| edns.version > dns::edns::VERSION) {
            return refuse(Rcode::BADVERS);
        }
        // Before anything else, so that others learn nothing and take no place (RFC 5936 §5).
        let name = request.question.name.borrow();
        if !access.transfer_out.allows(name, request.sender.address.ip(), request.signed_by()) {
            return refuse(Rcode::REFUSED);
        }
        let is_well_formed = match (request.question.qtype, request.sender.transport()) {
            // RFC 1995 §3: the client's own SOA says where it stands.
            (Type::IXFR, _) => request.serial.is_some(),
            // RFC 5936 §4.2: AXFR over UDP is not defined.
            (_, transport) => transport == Transport::Tcp,
        };
        // RFC 9619: one question.
        if !is_well_formed || request.header.counts[0] != 1 {
            return refuse(Rcode::FORMERR);
        }
        let zone = stock.zones.get(name).or_else(|| stock.catalogs.get(name));
        let Some(zone) = zone.filter(|_| request.question.qclass == CLASS_IN) else {
            return refuse(Rcode::NOTAUTH);
        };
        let Some(snapshot) = zone.snapshot() else {
            return refuse(Rcode::SERVFAIL);
        };
        let expires_in_secs = zone.expires_in_secs((self.shared.now)().0);
        let image = &snapshot.image;
        let ours = image.serial();
        let is_current = |theirs: Serial| theirs == ours || theirs.is_newer_than(ours);
        let soa_alone = || Draft::Message(request.with_soa(image.soa_record(), expires_in_secs), Rcode::NOERROR);
        // RFC 1995 §2 and §4: the SOA alone to those who have this version or a newer one, and over UDP where there is no
        // room for differences.
        if request.serial.is_some_and(is_current) {
            return soa_alone();
        }
        if request.sender.transport() == Transport::Udp {
            let differences = self.differences_at_hand(request, zone.id, &snapshot, expires_in_secs);
            return differences.map_or_else(soa_alone, |message| {
                bench.tally.count(Event::DifferencesSent);
                Draft::Message(message, Rcode::NOERROR)
            });
        }
        Draft::Transfer(Box::new(Transfer {
            zone: zone.id,
            snapshot,
            since: request
                .serial
                .filter(|theirs| request.question.qtype == Type::IXFR && ours.is_newer_than(*theirs)),
            differences: self.shared.differences.clone(),
            question: request.question,
            opening: Opening {
                id: request.header.id,
                flags: request.authoritative_flags(),
                options: request.edns.map(|edns| edns.answered(expires_in_secs)),
            },
            signer: request.signed.map(|signed| signed.request.signer()),
            turned_away: request.turned_away(wall_clock_secs()),
        }))
    }

    /// A message with all differences from the version that the client has, if one datagram carries them.
    fn differences_at_hand(
        &self,
        request: &Request<'_>,
        zone: ZoneId,
        snapshot: &Snapshot,
        expires_in_secs: Option<u32>,
    ) -> Option<Vec<u8>> {
        let from = request.serial.filter(|theirs| snapshot.image.serial().is_newer_than(*theirs))?;
        let steps = self.shared.differences.at_hand(zone, from, snapshot)?;
        request.with_records(transfer_out::differences(&snapshot.image, &steps), expires_in_secs)
    }
}

/// The name that a message is about.
fn question_of(message: &[u8]) -> Option<NameBuf> {
    let question = MessageReader::new(message).and_then(|mut reader| reader.question()).ok().flatten();
    question.map(|question| question.name)
}

/// Whether it is the name of a catalog that is asked for, which may lie inside of a zone.
fn is_about_catalog(query: &[u8], catalogs: &ZoneTable) -> bool {
    let name = || NameRef::prefix_of(query.get(HEADER_OCTETS..)?).ok();
    !catalogs.is_empty() && name().is_some_and(|name| catalogs.get(name).is_some())
}

fn is_notify(message: &[u8]) -> bool {
    Header::parse(message).is_some_and(|header| header.opcode() == Opcode::NOTIFY)
}

fn note_failure(failure: &TsigFailure, sender: Sender, bench: &mut Bench) {
    let error = failure.error();
    if error != TsigError::FormErr {
        bench.tally.count(Event::TsigFailed);
        tracing::debug!(from = %sender.address, ?error, "a request's signature is wrong");
    }
}

/// A NOTIFY whose signature is wrong, or that cannot be read.
fn note_broken_notify(message: &[u8], why: Decline, sender: Sender, access: &Access, bench: &mut Bench) {
    if is_notify(message) {
        let declined = notify::decline(message, sender.address.ip(), why, |zone| access.notify_rules(zone));
        note_declined(&declined, sender, question_of(message), None, bench);
    }
}

fn note_declined(
    declined: &Declined,
    sender: Sender,
    named: Option<NameBuf>,
    signed_by: Option<&Name>,
    bench: &mut Bench,
) {
    let Declined { why, ref zones, standing, serial } = *declined;
    let Sender { address, channel } = sender;
    bench.tally.count(Event::NotifyRefused);
    tracing::debug!(zone = named.as_ref().map(ToString::to_string), from = %address, reason = why.code(), "a NOTIFY was not taken");
    let from = address.ip().to_canonical();
    let latest = Latest { from, channel, serial, zone: named.map(|named| named.borrow().to_name()) };
    let stranger = |zone| Who::Stranger { zone, site: Prefix::of_site(from), why };
    if zones.is_empty() {
        bench.heard.push((stranger(None), latest));
        return;
    }
    for zone in zones.iter().copied() {
        let who = match standing {
            Standing::Known => Who::Known { zone, from, channel, signed_by: signed_by.cloned(), declined: Some(why) },
            Standing::Stranger => stranger(Some(zone)),
        };
        bench.heard.push((who, latest.clone()));
    }
}

/// What TSIG goes by, and nothing else here: seconds since the Unix epoch.
pub(crate) fn wall_clock_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn hand_over(reply: &[u8], rcode: Rcode, bench: &mut Bench, out: &mut [u8]) -> Reply {
    // Only a name of the greatest length beside a key of the greatest length could get here.
    let Some(place) = out.get_mut(..reply.len()).filter(|place| !place.is_empty()) else { return Reply::Nothing };
    place.copy_from_slice(reply);
    bench.tally.count_reply(rcode);
    Reply::Message(reply.len())
}
