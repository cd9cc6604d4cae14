//! All versions of one zone, and the steps between them.

use std::collections::HashSet;

use dns::text::zone_from_text;
use dns::{NameRef, RecordRef, Records, Serial, Soa, Type};
use zone::Diff;

#[derive(Default)]
pub(super) struct Versions(Vec<Version>);

struct Version {
    soa: Records,
    rest: Records,
    serial: Serial,
}

impl Versions {
    pub(super) fn publish(&mut self, origin: &str, text: &str) {
        self.publish_records(&zone_from_text(origin, text).expect("a zone in text"));
    }

    /// Forgets the oldest versions beyond the newest `most`, as primaries do with their journals.
    pub(super) fn keep(&mut self, most: usize) {
        let beyond = self.0.len().saturating_sub(most);
        self.0.drain(..beyond);
    }

    pub(super) fn publish_records(&mut self, records: &Records) {
        let soa: Records = records.iter().filter(|record| record.rtype == Type::SOA).collect();
        let rest: Records = records.iter().filter(|record| record.rtype != Type::SOA).collect();
        let serial = soa.iter().next().and_then(|soa| Soa::parse(soa.rdata)).expect("an SOA record").serial;
        self.0.push(Version { soa, rest, serial });
    }

    pub(super) fn newest_soa(&self) -> Records {
        self.newest().soa.clone()
    }

    pub(super) fn newest_serial(&self) -> Serial {
        self.newest().serial
    }

    /// The newest version as AXFR sends it: its SOA first and last.
    pub(super) fn whole(&self) -> Records {
        let newest = self.newest();
        newest.soa.iter().chain(newest.rest.iter()).chain(newest.soa.iter()).collect()
    }

    /// The newest version's records of this owner and type.
    pub(super) fn data(&self, owner: NameRef<'_>, rtype: Type) -> Records {
        self.newest().rest.iter().filter(|record| record.owner == owner && record.rtype == rtype).collect()
    }

    /// The steps from `serial` to the newest version; none when that version was never there.
    pub(super) fn steps_from(&self, serial: Serial) -> Option<Vec<Diff>> {
        let start = self.0.iter().rposition(|version| version.serial == serial)?;
        Some(self.0[start..].windows(2).map(|pair| step(&pair[0], &pair[1])).collect())
    }

    /// The same in one step.
    pub(super) fn condensed_from(&self, serial: Serial) -> Option<Vec<Diff>> {
        let start = self.0.iter().rposition(|version| version.serial == serial)?;
        Some(vec![step(&self.0[start], self.newest())])
    }

    fn newest(&self) -> &Version {
        self.0.last().expect("a zone is there with its first version")
    }
}

fn step(from: &Version, to: &Version) -> Diff {
    let missing_in = |other: &Version| {
        let known: HashSet<_> = other.rest.iter().map(identity).collect();
        move |record: &RecordRef<'_>| !known.contains(&identity(*record))
    };
    let removed = from.soa.iter().chain(from.rest.iter().filter(missing_in(to))).collect();
    let added = to.soa.iter().chain(to.rest.iter().filter(missing_in(from))).collect();
    Diff { from: from.serial, to: to.serial, removed, added }
}

fn identity(record: RecordRef<'_>) -> (Vec<u8>, u16, u32, Vec<u8>) {
    (record.owner.as_wire().to_ascii_lowercase(), record.rtype.0, record.ttl, record.rdata.to_vec())
}
