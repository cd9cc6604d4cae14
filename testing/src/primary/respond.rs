//! From a request to what is done about it.

use dns::text::zone_from_text;
use dns::writer::{CompressionTable, MessageWriter};
use dns::{Header, MessageReader, Question, Rcode, RecordRef, Records, Section, Serial, Soa, Type};
use xfr::tsig::{ResponseSigner, SignedRequest, Verified, verify_request};
use zone::Diff;

use super::behaviour::{Behaviour, Kind};
use super::connection::Action;
use super::state::State;
use super::versions::Versions;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// A request, read.
struct Request {
    kind: Kind,
    id: u16,
    question: Question,
    has_edns: bool,
    /// The serial in the authority section of an IXFR request.
    serial: Option<Serial>,
}

/// Messages of transfers hold at most so many octets, without their signature.
const MESSAGE_OCTETS: usize = 16_384;

pub(super) fn respond(state: &mut State, query: &[u8], transport: Transport) -> Vec<Action> {
    let Some(request) = read(query, transport) else { return vec![Action::Close] };
    state.counts[request.kind as usize] += 1;
    let kind = request.kind;
    if state.behaves(&Behaviour::Silent(kind)) || request.has_edns && state.behaves(&Behaviour::DropEdns) {
        return vec![Action::Hang];
    }
    if state.behaves(&Behaviour::CloseAtOnce(kind)) {
        return vec![Action::Close];
    }
    if state.behaves(&Behaviour::Garbage(kind)) {
        return vec![Action::Send(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is not the server you look for".to_vec())];
    }
    let now = state.clock_secs();
    let key = |name: dns::NameRef<'_>| state.keys.iter().find(|key| key.name().borrow() == name).cloned();
    let signed = match verify_request(query, key, now) {
        Ok(Verified::Signed(signed)) => Some(signed),
        Ok(Verified::Unsigned) if state.keys.is_empty() || state.behaves(&Behaviour::TakesUnsigned) => None,
        Ok(Verified::Unsigned) => return vec![Action::Send(error(&request, Rcode::REFUSED))],
        Err(failure) => {
            let mut answer = error(&request, failure.rcode());
            failure.append_to(&mut answer);
            return vec![Action::Send(answer)];
        }
    };
    let mut messages = match records(state, &request, transport) {
        Ok(records) => split(state, &request, &records),
        Err(rcode) => vec![error(&request, rcode)],
    };
    if let Some(signed) = signed {
        sign(state, &signed, &mut messages, now);
    }
    if state.behaves(&Behaviour::WrongId(kind)) {
        messages.iter_mut().for_each(|message| message[1] ^= 1);
    }
    if state.behaves(&Behaviour::ForgedFirst(kind)) {
        let soa = with_serial(&claimed_or_empty(state, &request), Serial(99_999));
        let mut forged = split(state, &request, &soa).swap_remove(0);
        forged[1] ^= 1;
        messages.insert(0, forged);
    }
    actions(state, kind, messages)
}

fn claimed_or_empty(state: &State, request: &Request) -> Records {
    let zone = state.zones.get(&request.question.name.borrow().to_name());
    zone.map(|zone| claimed_soa(state, zone)).unwrap_or_default()
}

fn read(query: &[u8], transport: Transport) -> Option<Request> {
    let mut reader = MessageReader::new(query).ok()?;
    let question = reader.question().ok()??;
    let kind = match (question.qtype, transport) {
        (Type::SOA, Transport::Udp) => Kind::SoaOverUdp,
        (Type::SOA, Transport::Tcp) => Kind::SoaOverTcp,
        (Type::AXFR, Transport::Tcp) => Kind::Axfr,
        (Type::IXFR, Transport::Tcp) => Kind::Ixfr,
        _ => Kind::Other,
    };
    let mut request = Request { kind, id: reader.header().id, question, has_edns: false, serial: None };
    while let Some(record) = reader.record().ok()? {
        if record.rtype == Type::OPT {
            request.has_edns = true;
        }
        if record.section == Section::Authority && record.rtype == Type::SOA {
            request.serial = Soa::parse(reader.raw_rdata(&record)).map(|soa| soa.serial);
        }
    }
    Some(request)
}

/// The records of the answer, or the code of an error.
fn records(state: &State, request: &Request, transport: Transport) -> Result<Records, Rcode> {
    let kind = request.kind;
    let code = state.told(|behaviour| match behaviour {
        Behaviour::Answer(of, rcode) if *of == kind => Some(*rcode),
        Behaviour::DislikeEdns(rcode) if request.has_edns => Some(*rcode),
        _ => None,
    });
    if let Some(rcode) = code {
        return Err(rcode);
    }
    let zone = state.zones.get(&request.question.name.borrow().to_name()).ok_or(Rcode::NOTAUTH)?;
    if transport == Transport::Udp && state.behaves(&Behaviour::TruncateUdp) {
        return Ok(Records::new());
    }
    match kind {
        Kind::SoaOverUdp | Kind::SoaOverTcp => Ok(claimed_soa(state, zone)),
        Kind::Axfr => Ok(spoilt(state, zone.whole())),
        Kind::Ixfr => Ok(spoilt(state, incremental(state, zone, request.serial))),
        Kind::Other => Err(Rcode::NOTIMP),
    }
}

fn claimed_soa(state: &State, zone: &Versions) -> Records {
    let claimed = state.told(|behaviour| match behaviour {
        Behaviour::ClaimSerial(serial) => Some(Serial(*serial)),
        _ => None,
    });
    claimed.map_or_else(|| zone.newest_soa(), |serial| with_serial(&zone.newest_soa(), serial))
}

fn incremental(state: &State, zone: &Versions, serial: Option<Serial>) -> Records {
    let serial = serial.unwrap_or_default();
    let newest = zone.newest_serial();
    if serial == newest || serial.is_newer_than(newest) {
        return zone.newest_soa();
    }
    if state.behaves(&Behaviour::IxfrAsAxfr) {
        return zone.whole();
    }
    let condensed = state.behaves(&Behaviour::Condensed);
    let steps = if condensed { zone.condensed_from(serial) } else { zone.steps_from(serial) };
    let Some(steps) = steps else { return zone.whole() };
    let soa = zone.newest_soa();
    let mut all: Records = soa.iter().collect();
    for Diff { removed, added, .. } in &steps {
        let mut removed = removed.clone();
        if state.behaves(&Behaviour::IxfrFromElsewhere) {
            removed = with_serial(&removed, Serial(serial.0.wrapping_sub(1)));
        }
        if state.behaves(&Behaviour::IxfrDeletesAbsent) {
            let owner = soa.iter().next().expect("an SOA record").owner;
            removed.push(RecordRef { owner, rtype: Type(65_280), ttl: 1, rdata: b"nobody has this" });
        }
        removed.iter().chain(added.iter()).for_each(|record| all.push(record));
    }
    all.push(soa.iter().next().expect("an SOA record"));
    all
}

/// The same records, the first of them, an SOA, with another serial.
fn with_serial(records: &Records, serial: Serial) -> Records {
    let mut changed = Records::new();
    for (at, record) in records.iter().enumerate() {
        let mut rdata = record.rdata.to_vec();
        if at == 0 {
            let serial_at = rdata.len() - 20;
            rdata[serial_at..serial_at + 4].copy_from_slice(&serial.0.to_be_bytes());
        }
        changed.push(RecordRef { rdata: &rdata, ..record });
    }
    changed
}

fn spoilt(state: &State, mut records: Records) -> Records {
    if state.behaves(&Behaviour::HangHalfWay) || state.behaves(&Behaviour::CloseHalfWay) {
        return records.iter().take(records.len() / 2).collect();
    }
    if state.behaves(&Behaviour::OtherZone) {
        let text =
            "@ 60 SOA ns host 1 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n@ 60 SOA ns host 1 60 60 600 60\n";
        records = zone_from_text("other.example.net.", text).expect("a zone in text");
    }
    if state.behaves(&Behaviour::OtherLastSoa) {
        let last = records.len() - 1;
        let soa: Records = records.iter().skip(last).collect();
        let other = with_serial(&soa, Serial(99_999));
        records = records.iter().take(last).chain(other.iter()).collect();
    }
    if state.behaves(&Behaviour::RecordsAfterEnd) {
        let again: Records = records.iter().skip(1).take(1).collect();
        records = records.iter().chain(again.iter()).collect();
    }
    records
}

/// The records in as many messages as they need.
fn split(state: &State, request: &Request, records: &Records) -> Vec<Vec<u8>> {
    let one_each = state.behaves(&Behaviour::OneRecordPerMessage) || state.behaves(&Behaviour::Endless);
    let mut messages = Vec::new();
    let mut rest = records.iter().peekable();
    let mut out = vec![0; MESSAGE_OCTETS];
    let mut table = CompressionTable::large();
    loop {
        let flags = flags(state, request.kind);
        let mut writer = MessageWriter::new(&mut out, MESSAGE_OCTETS, &mut table, request.id, flags);
        if messages.is_empty() {
            writer.question(&request.question).expect("a question fits");
        }
        while let Some(record) = rest.peek() {
            let full = one_each && writer.count(Section::Answer) > 0;
            if full || writer.record(Section::Answer, *record).is_err() {
                break;
            }
            rest.next();
        }
        if request.has_edns {
            writer.opt(1232, Rcode::NOERROR, false, &[]).expect("an OPT record fits");
        }
        let length = writer.finish();
        messages.push(out[..length].to_vec());
        if rest.peek().is_none() {
            return messages;
        }
    }
}

fn flags(state: &State, kind: Kind) -> u16 {
    let truncated = match kind {
        Kind::SoaOverUdp => state.behaves(&Behaviour::TruncateUdp),
        kind => kind.is_transfer() && state.behaves(&Behaviour::TruncateTcp),
    };
    let authoritative = if state.behaves(&Behaviour::NotAuthoritative) { 0 } else { Header::AA };
    Header::QR | authoritative | if truncated { Header::TC } else { 0 }
}

fn error(request: &Request, rcode: Rcode) -> Vec<u8> {
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let mut writer = MessageWriter::new(&mut out, 512, &mut table, request.id, Header::QR | rcode.0 & 0xf);
    writer.question(&request.question).expect("a question fits");
    let length = writer.finish();
    out.truncate(length);
    out
}

fn sign(state: &State, signed: &SignedRequest, messages: &mut [Vec<u8>], now_secs: u64) {
    if state.behaves(&Behaviour::Unsigned) {
        return;
    }
    let every = state.told(|behaviour| match behaviour {
        Behaviour::SignEvery(count) => Some(*count),
        _ => None,
    });
    let every = every.unwrap_or(1);
    let mut signer: ResponseSigner = signed.signer();
    let last = messages.len() - 1;
    for (at, message) in messages.iter_mut().enumerate() {
        let unsigned_tail = at == last && at > 0 && state.behaves(&Behaviour::UnsignedTail);
        if unsigned_tail || at % every != 0 && at != last {
            signer.leave_unsigned(message);
            continue;
        }
        signer.sign(message, now_secs);
        if state.behaves(&Behaviour::WrongMac) {
            // The last octets are the MAC, the original ID, the error and the length of no other data.
            let mac_end = message.len() - 7;
            message[mac_end] ^= 1;
        }
    }
}

fn actions(state: &State, kind: Kind, mut messages: Vec<Vec<u8>>) -> Vec<Action> {
    if !kind.is_transfer() {
        return messages.into_iter().map(Action::Send).collect();
    }
    let last = if state.behaves(&Behaviour::HangHalfWay) {
        Some(Action::Hang)
    } else if state.behaves(&Behaviour::CloseHalfWay) {
        Some(Action::Close)
    } else {
        None
    };
    if state.behaves(&Behaviour::EmptyMessage) {
        messages.insert(0, Vec::new());
    }
    if state.behaves(&Behaviour::Endless)
        && let Some(middle) = messages.get(1).cloned()
    {
        return vec![Action::Send(messages.swap_remove(0)), Action::Repeat(middle)];
    }
    let trickle = state.told(|behaviour| match behaviour {
        Behaviour::Trickle { octets, pause } => Some((*octets, *pause)),
        _ => None,
    });
    let send = |message| match trickle {
        Some((octets, pause)) => Action::Trickle { message, octets, pause },
        None => Action::Send(message),
    };
    messages.into_iter().map(send).chain(last).collect()
}
