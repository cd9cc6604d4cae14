//! The simulated zones: small ones, whose primary makes one version after the other.

use std::collections::VecDeque;

use dns::text::zone_from_text;
use dns::{Name, Records, Serial, Soa};
use inventory::Service;
use testing::dice::Dice;
use xfr::{Bounds, Policy, Setting, Settings};
use zone::{Change, Digest, ZoneId};

const HOUR_SECS: u64 = 3600;
const DAY_SECS: u64 = 24 * HOUR_SECS;
/// Versions that are remembered: more than come before a zone expires.
const REMEMBERED_MAX: usize = 160;
/// Zones with fewer records may lose as many as they like.
const GUARDED_RECORDS_MIN: u64 = 100;
/// So many hosts has a zone that is large enough for its records to be guarded.
const LARGE_HOSTS: u64 = 110;

pub(super) struct SimulatedZone {
    pub(super) id: ZoneId,
    pub(super) name: Name,
    /// The primary where versions are made first, and others that copy them later.
    pub(super) primaries: Vec<usize>,
    /// Those of them that the zone's owner has named.
    pub(super) followed: Vec<usize>,
    pub(super) service: Service,
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    /// The newest last.
    pub(super) versions: VecDeque<Version>,
    /// Those of the newest version.
    pub(super) records: Records,
    made: u64,
    hosts: Vec<u64>,
    /// Whether it has so many records that their loss is guarded.
    pub(super) is_large: bool,
    numbers: [u64; 3],
}

/// What the zone's owner has published.
pub(super) struct Version {
    /// Counts a zone's versions.
    pub(super) number: u64,
    pub(super) serial: Serial,
    pub(super) timing: Timing,
    soa: Soa,
    pub(super) records: u64,
    /// None for contents that nobody may ever see.
    pub(super) digest: Option<Digest>,
    pub(super) made_ms: u64,
}

/// A version's numbers as they must count for its secondaries, worked out here once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) refresh_ms: u64,
    pub(super) retry_ms: u64,
    pub(super) retry_longest_ms: u64,
    pub(super) expire_ms: u64,
}

/// What a new version is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Ordinary,
    /// Its serial is older than the one before.
    SerialBack,
    /// It is no zone.
    Wrong,
    /// Many records are missing, if the zone had many.
    Shrunk,
}

impl SimulatedZone {
    pub(super) fn new(index: usize, primaries: Vec<usize>, dice: &mut Dice) -> Self {
        let mut settings = Settings::default();
        if dice.percent(20) {
            settings.set(Setting::SerialWentBack, Some("accept")).expect("a setting");
        }
        let is_large = dice.percent(15);
        let hosts = if is_large { LARGE_HOSTS } else { dice.between(2, 16) };
        let mut zone = Self {
            id: ZoneId(index as u64 + 1),
            name: format!("z{index}.example.").parse().expect("a name"),
            followed: primaries.clone(),
            primaries,
            service: Service::Answering,
            policy: policy().with(&settings).expect("settings that go together"),
            settings,
            versions: VecDeque::new(),
            records: Records::new(),
            made: 0,
            hosts: (0..hosts).collect(),
            is_large,
            numbers: numbers(dice),
        };
        let serial = match dice.below(4) {
            0 => 0,
            1 => u32::MAX - dice.below(20) as u32,
            2 => 2_027_010_100,
            _ => dice.throw() as u32,
        };
        zone.make(Making::Ordinary, Serial(serial), 0, dice);
        zone
    }

    pub(super) fn newest(&self) -> &Version {
        self.versions.back().expect("a zone begins with a version")
    }

    pub(super) fn version(&self, number: u64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.number == number)
    }

    /// What these contents are, if they were ever published.
    pub(super) fn version_of(&self, digest: Digest) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.digest == Some(digest))
    }

    /// The newest version of this serial.
    pub(super) fn version_with(&self, serial: Serial) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.serial == serial)
    }

    /// Has what is set for the zone be this.
    pub(super) fn set(&mut self, setting: Setting, value: Option<&str>) {
        self.settings.set(setting, value).expect("a setting");
        self.policy = policy().with(&self.settings).expect("settings that go together");
        for version in &mut self.versions {
            version.timing = Timing::of(&version.soa, &self.policy.bounds);
        }
    }

    /// How much of its records, in percent, the zone loses by a version, if that is so much that it is held back.
    pub(super) fn loses(&self, before: &Version, after: &Version) -> Option<u64> {
        let is_guarded = before.records >= GUARDED_RECORDS_MIN && after.serial.is_newer_than(before.serial);
        let lost = (before.records.saturating_sub(after.records) * 100).div_ceil(before.records.max(1));
        Some(lost).filter(|lost| is_guarded && after.digest.is_some() && *lost > self.policy.shrink_limit.0.into())
    }

    /// Makes the next version.
    pub(super) fn change(&mut self, making: Making, now_ms: u64, dice: &mut Dice) {
        if making == Making::Shrunk {
            let left = dice.between(2, 60) as usize * self.hosts.len() / 100;
            self.hosts.truncate(left.max(2));
        } else if self.is_large && (self.hosts.len() as u64) < LARGE_HOSTS && dice.percent(50) {
            let missing = LARGE_HOSTS - self.hosts.len() as u64;
            self.hosts.extend((0..missing).map(|_| dice.throw() >> 40));
        }
        match dice.below(3) {
            0 if self.hosts.len() < 16 => self.hosts.push(dice.throw() >> 40),
            1 if self.hosts.len() > 2 => _ = self.hosts.remove(dice.below(self.hosts.len() as u64) as usize),
            _ => {
                let host = dice.below(self.hosts.len() as u64) as usize;
                self.hosts[host] = dice.throw() >> 40;
            }
        }
        if dice.percent(10) {
            self.numbers = numbers(dice);
        }
        let Serial(before) = self.newest().serial;
        let serial = match making {
            Making::SerialBack => before.wrapping_sub(dice.between(1, 1 << 30) as u32),
            _ if dice.percent(5) => before.wrapping_add(dice.between(1, (1 << 31) - 1) as u32),
            _ => before.wrapping_add(1),
        };
        self.make(making, Serial(serial), now_ms, dice);
    }

    fn make(&mut self, making: Making, serial: Serial, made_ms: u64, dice: &mut Dice) {
        self.made += 1;
        self.records = records(&self.name, &self.text(making, serial, dice));
        let soa = self.records.iter().next().and_then(|soa| Soa::parse(soa.rdata)).expect("the SOA comes first");
        let seen = (making != Making::Wrong).then(|| digest(&self.name, self.records.clone()));
        self.versions.push_back(Version {
            number: self.made,
            serial,
            timing: Timing::of(&soa, &self.policy.bounds),
            soa,
            records: seen.map_or(0, |(_, records)| records),
            digest: seen.map(|(digest, _)| digest),
            made_ms,
        });
        if self.versions.len() > REMEMBERED_MAX {
            self.versions.pop_front();
        }
    }

    fn text(&self, making: Making, serial: Serial, dice: &mut Dice) -> String {
        let [refresh, retry, expire] = self.numbers;
        let mut text = format!("@ 300 SOA ns host {} {refresh} {retry} {expire} 60\n", serial.0);
        match (making, dice.below(2)) {
            (Making::Wrong, 0) => text.push_str("@ 300 NS ns\nx 60 CNAME ns\nx 60 A 192.0.2.1\n"),
            (Making::Wrong, _) => {}
            _ => text.push_str("@ 300 NS ns\n"),
        }
        // No two versions are the same.
        text.push_str(&format!("ns 300 A 192.0.2.1\nversion 60 TXT \"{}\"\n", self.made));
        for host in &self.hosts {
            text.push_str(&format!("h{host} 300 A 10.{}.{}.1\n", host >> 8 & 0xff, host & 0xff));
        }
        text
    }
}

impl Timing {
    fn of(soa: &Soa, bounds: &Bounds) -> Self {
        let within = |secs: u32, min: u32, max: u32| u64::from(secs.min(max).max(min).max(1)) * 1000;
        let expire_ms = within(soa.expire, bounds.expire_min_secs, bounds.expire_max_secs)
            .max(u64::from(bounds.refresh_min_secs + bounds.retry_min_secs) * 1000);
        let part = |of: u64| u32::try_from(expire_ms / 1000 / of).unwrap_or(u32::MAX);
        let retry_ms = within(soa.retry, bounds.retry_min_secs, bounds.retry_max_secs.min(part(4)));
        Self {
            refresh_ms: within(soa.refresh, bounds.refresh_min_secs, bounds.refresh_max_secs.min(part(2))),
            retry_ms,
            retry_longest_ms: retry_ms.max(u64::from(bounds.retry_max_secs) * 1000),
            expire_ms,
        }
    }
}

/// What counts where nothing is set for a zone.
pub(super) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.bounds.refresh_min_secs = HOUR_SECS as u32;
    policy.bounds.retry_min_secs = 300;
    policy
}

/// REFRESH, RETRY and EXPIRE: mostly sensible.
fn numbers(dice: &mut Dice) -> [u64; 3] {
    match dice.below(20) {
        0 => [0, 0, 0],
        1 => [0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff],
        2 => [DAY_SECS, DAY_SECS, HOUR_SECS],
        _ => [
            dice.between(2 * HOUR_SECS, DAY_SECS),
            dice.between(HOUR_SECS / 6, 2 * HOUR_SECS),
            dice.between(DAY_SECS, 14 * DAY_SECS),
        ],
    }
}

fn records(name: &Name, text: &str) -> Records {
    zone_from_text(&name.to_string(), text).expect("a zone in text")
}

/// What a version's contents are known by, and how many records they are.
fn digest(name: &Name, records: Records) -> (Digest, u64) {
    let whole = zone::advance(name.borrow(), None, &Change::Full(records), [0; 16], zone::Limits::default());
    let image = whole.expect("a right version").image;
    (image.digest(), image.record_count())
}
