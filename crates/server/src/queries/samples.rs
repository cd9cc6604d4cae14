//! Names that were asked for: some of all, in bounded room, each as likely to be among them as any other (Algorithm R of
//! Vitter, "Random Sampling with a Reservoir", 1985). So a flood of names that nobody asks for twice hides none that is asked
//! for often. Before these come the first that there were, as they were: on a server that is asked little they are all.

use std::collections::HashMap;

use dns::name::NAME_OCTETS_MAX;
use dns::{Name, NameRef};
use zone::ZoneId;

use super::notes::SAMPLED_EVERY;

/// The name that one query asked for, at its place: making one takes no memory.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) zone: ZoneId,
    octets: u8,
    wire: [u8; NAME_OCTETS_MAX],
}

impl Sample {
    pub(super) fn new(zone: ZoneId, name: NameRef<'_>) -> Self {
        let mut wire = [0; NAME_OCTETS_MAX];
        wire[..name.octets()].copy_from_slice(name.as_wire());
        Self { zone, octets: name.octets() as u8, wire }
    }

    pub(super) fn name(&self) -> NameRef<'_> {
        NameRef::from_checked(&self.wire[..usize::from(self.octets)])
    }
}

pub(super) struct Samples {
    /// The first ones, each of which stands for itself.
    first: Vec<Sample>,
    kept: Vec<Sample>,
    /// How many there were to choose from.
    seen: u64,
    max: usize,
}

impl Samples {
    pub(super) fn with_room_for(max: usize) -> Self {
        Self { first: Vec::new(), kept: Vec::with_capacity(max), seen: 0, max }
    }

    /// Keeps one that stands for itself; whether there is room for more.
    pub(super) fn add_first(&mut self, sample: Sample, max: usize) -> bool {
        if self.first.len() < max {
            self.first.push(sample);
        }
        self.first.len() < max
    }

    pub(super) fn add(&mut self, sample: Sample, random: u64) {
        self.seen += 1;
        if self.kept.len() < self.max {
            self.kept.push(sample);
        } else if let Some(place) = self.kept.get_mut((random % self.seen) as usize) {
            *place = sample;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.kept.is_empty()
    }

    /// Adds how often each name was asked for, about.
    pub(super) fn sum_into(self, names: &mut HashMap<(ZoneId, Name), u64>) {
        let mut times: HashMap<(ZoneId, Name), u64> = HashMap::new();
        for sample in &self.kept {
            *times.entry((sample.zone, sample.name().to_name().to_lower())).or_default() += 1;
        }
        for sample in &self.first {
            *names.entry((sample.zone, sample.name().to_name().to_lower())).or_default() += 1;
        }
        let kept = self.kept.len() as u64;
        for (name, count) in times {
            *names.entry(name).or_default() += count * self.seen * SAMPLED_EVERY / kept;
        }
    }
}
