//! The simulated primaries: scripted ones, each with a way to it, and with one fault at a time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dns::Rcode;
use testing::dice::Dice;
use testing::primary::{Behaviour, Kind, Script};

use super::zones::SimulatedZone;

pub(super) struct SimulatedPrimary {
    pub(super) address: SocketAddr,
    pub(super) script: Script,
    /// How long an answer takes, at least.
    pub(super) latency_ms: u64,
    fault: Option<Fault>,
    /// Since when nothing is wrong with it that could keep a zone from being current.
    well_since_ms: u64,
    /// For each zone that it has, the number of its version, and since when it has that.
    held: BTreeMap<usize, (u64, u64)>,
}

/// What is wrong with a primary, or with the way to it.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    Way(Way),
    Behaviour(Behaviour, Harm),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing comes through.
    Dark,
    /// Nothing listens there.
    Refused,
    /// Connections break before their first answer is whole.
    Resets,
}

/// Whether zones may fall behind because of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    Some,
    /// It is to be coped with.
    None,
}

impl SimulatedPrimary {
    pub(super) fn new(index: usize, dice: &mut Dice) -> Self {
        let index = index as u16;
        let [high, low] = index.to_be_bytes();
        Self {
            address: SocketAddr::from(([192, 0, high, low], 53)),
            script: Script::default(),
            latency_ms: dice.between(1, 150),
            fault: None,
            well_since_ms: 0,
            held: BTreeMap::new(),
        }
    }

    /// Takes over the newest version of a zone.
    pub(super) fn copy(&mut self, index: usize, zone: &SimulatedZone, now_ms: u64) {
        let newest = zone.newest().number;
        if self.held.get(&index).is_none_or(|(number, _)| *number != newest) {
            self.script.publish(&zone.name, &zone.records);
            self.held.insert(index, (newest, now_ms));
        }
    }

    /// The number of the version that it has of a zone.
    pub(super) fn version_of(&self, zone: usize) -> Option<u64> {
        self.held.get(&zone).map(|(number, _)| *number)
    }

    /// Since when it has this version of a zone as its newest.
    pub(super) fn has_since_ms(&self, zone: usize, version: u64) -> Option<u64> {
        self.held.get(&zone).filter(|(number, _)| *number == version).map(|(_, since_ms)| *since_ms)
    }

    pub(super) fn break_with(&mut self, fault: Fault) {
        self.script.behave_only(match &fault {
            Fault::Way(_) => None,
            Fault::Behaviour(behaviour, _) => Some(behaviour.clone()),
        });
        self.fault = Some(fault);
    }

    pub(super) fn cure(&mut self, now_ms: u64) {
        if self.well_since_ms().is_none() {
            self.well_since_ms = now_ms;
        }
        self.fault = None;
        self.script.behave_only(None);
    }

    pub(super) fn well_since_ms(&self) -> Option<u64> {
        match self.fault {
            None | Some(Fault::Behaviour(_, Harm::None)) => Some(self.well_since_ms),
            Some(_) => None,
        }
    }

    pub(super) fn way(&self) -> Option<Way> {
        match self.fault {
            Some(Fault::Way(way)) => Some(way),
            _ => None,
        }
    }
}

impl Fault {
    pub(super) fn any(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..3 => Self::Way(*dice.pick(&[Way::Dark, Way::Dark, Way::Refused, Way::Resets])),
            3..7 => Self::Behaviour(harmful(dice), Harm::Some),
            _ => Self::Behaviour(harmless(dice), Harm::None),
        }
    }
}

fn harmful(dice: &mut Dice) -> Behaviour {
    let any = [
        Behaviour::Answer(Kind::SoaOverUdp, Rcode::SERVFAIL),
        Behaviour::Answer(Kind::SoaOverUdp, Rcode::REFUSED),
        Behaviour::Answer(Kind::Axfr, Rcode::REFUSED),
        Behaviour::Silent(Kind::Axfr),
        Behaviour::Silent(Kind::Ixfr),
        Behaviour::CloseAtOnce(Kind::Ixfr),
        Behaviour::Garbage(Kind::Axfr),
        Behaviour::WrongId(Kind::Axfr),
        Behaviour::NotAuthoritative,
        Behaviour::ClaimSerial(dice.throw() as u32),
        Behaviour::HangHalfWay,
        Behaviour::CloseHalfWay,
        Behaviour::Trickle { octets: 64, pause: Duration::from_secs(dice.between(1, 40)) },
        Behaviour::OtherZone,
        Behaviour::OtherLastSoa,
        Behaviour::RecordsAfterEnd,
        Behaviour::EmptyMessage,
        Behaviour::TruncateTcp,
    ];
    dice.pick(&any).clone()
}

fn harmless(dice: &mut Dice) -> Behaviour {
    let any = [
        Behaviour::Silent(Kind::SoaOverUdp),
        Behaviour::WrongId(Kind::SoaOverUdp),
        Behaviour::ForgedFirst(Kind::SoaOverUdp),
        Behaviour::Answer(Kind::Ixfr, Rcode::NOTIMP),
        Behaviour::TruncateUdp,
        Behaviour::DislikeEdns(Rcode::FORMERR),
        Behaviour::DropEdns,
        Behaviour::OneRecordPerMessage,
        Behaviour::TransfersWithoutAa,
        Behaviour::RepeatsGlue,
        Behaviour::IxfrAsAxfr,
        Behaviour::Condensed,
        Behaviour::IxfrDeletesAbsent,
        Behaviour::IxfrFromElsewhere,
        Behaviour::CloseAfter(Kind::Axfr),
        Behaviour::CloseAfterRequests(1),
        Behaviour::MuteAfterRequests(2),
    ];
    dice.pick(&any).clone()
}
