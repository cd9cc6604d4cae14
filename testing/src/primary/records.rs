//! The records of an answer, right ones and wrong ones.

use dns::text::zone_from_text;
use dns::{NameRef, Rcode, RecordRef, Records, Serial, Type};
use zone::Diff;

use super::behaviour::{Behaviour, Kind};
use super::message::{Request, Transport};
use super::spoil;
use super::state::State;
use super::versions::Versions;

/// The records of the answer, or the code of an error.
pub(super) fn records(state: &State, request: &Request) -> Result<Records, Rcode> {
    let kind = request.kind;
    let code = state.told(|behaviour| match behaviour {
        Behaviour::Answer(of, rcode) if *of == kind => Some(*rcode),
        Behaviour::DislikeEdns(rcode) if request.has_edns => Some(*rcode),
        _ => None,
    });
    if let Some(rcode) = code {
        return Err(rcode);
    }
    let zone = zone(state, request).ok_or(Rcode::NOTAUTH)?;
    if request.transport == Transport::Udp && state.behaves(&Behaviour::TruncateUdp) {
        return Ok(Records::new());
    }
    match kind {
        Kind::SoaOverUdp | Kind::SoaOverTcp | Kind::SoaOverTls => Ok(claimed_soa(state, zone)),
        Kind::Axfr => Ok(spoilt(state, zone.whole())),
        Kind::Ixfr => Ok(spoilt(state, incremental(state, zone, request.serial))),
        Kind::Other => Ok(zone.data(request.question.name.borrow(), request.question.qtype)),
    }
}

/// The zone of the question's name; for data in it, the one that the name lies in.
fn zone<'s>(state: &'s State, request: &Request) -> Option<&'s Versions> {
    let name = request.question.name.borrow();
    match request.kind {
        Kind::Other => state.zones.iter().find(|(zone, _)| name.is_at_or_below(zone.borrow())).map(|(_, zone)| zone),
        _ => state.zones.get(&name.to_name()),
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
pub(super) fn with_serial(records: &Records, serial: Serial) -> Records {
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
    let half_way = [Behaviour::HangHalfWay, Behaviour::CloseHalfWay, Behaviour::CutHalfWay];
    if half_way.iter().any(|behaviour| state.behaves(behaviour)) {
        return records.iter().take(records.len() / 2).collect();
    }
    if state.behaves(&Behaviour::RepeatsGlue) {
        records = with_glue_repeated(&records);
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
    spoil::records(state, records)
}

fn with_glue_repeated(records: &Records) -> Records {
    let mut repeated = Records::new();
    for record in records.iter() {
        repeated.push(record);
        let Some(host) = NameRef::prefix_of(record.rdata).ok().filter(|_| record.rtype == Type::NS) else { continue };
        let is_address = |other: &RecordRef<'_>| matches!(other.rtype, Type::A | Type::AAAA) && other.owner == host;
        records.iter().filter(is_address).for_each(|address| repeated.push(address));
    }
    repeated
}

pub(super) fn claimed_or_empty(state: &State, request: &Request) -> Records {
    let zone = state.zones.get(&request.question.name.borrow().to_name());
    zone.map(|zone| claimed_soa(state, zone)).unwrap_or_default()
}
