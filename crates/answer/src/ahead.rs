//! Looking ahead: what the answers to many queries lie in is fetched from memory for all of them at once.
//!
//! In a large zone an answer waits for memory twice, for the slot of the name and for its owner, and each wait takes as long
//! as all else. Here each step is taken for all queries before the next one, in loops so short that the processor has many
//! of these waits at the same time. Nothing is remembered but what is then in the caches: who answers looks everything up
//! again, and finds the same whether somebody has looked ahead or not.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::Guard;
use dns::message::HEADER_OCTETS;
use dns::{Header, NameRef};
use zone::image::{Approach, Image};

use crate::table::{Contents, ServedZone, ZoneTable};

/// Queries that are looked at together.
pub const AHEAD_MAX: usize = 32;
/// Fewer queries have too little to wait for at the same time.
const AHEAD_MIN: usize = 4;
/// Zones of one batch that are looked into: what holds their contents is cheap for so many.
const ZONES_MAX: usize = 4;
/// Smaller images stay in the caches by themselves.
const IMAGE_OCTETS_MIN: usize = 1 << 20;

/// Fetches what the answers to the first [`AHEAD_MAX`] of these datagrams will need. Worth its time right before they are
/// answered.
pub fn look_ahead<'q>(queries: impl ExactSizeIterator<Item = &'q [u8]>, zones: &ZoneTable) {
    if queries.len() < AHEAD_MIN {
        return;
    }
    let mut held = Held::default();
    let mut found = [(0, Approach::default()); AHEAD_MAX];
    let mut count = 0;
    for name in queries.take(AHEAD_MAX).filter_map(name_asked_for) {
        let Some(index) = held.index_for(name, zones) else { continue };
        let Some(image) = held.image(index) else { continue };
        found[count] = (index, image.approach(name));
        count += 1;
    }
    let images: [Option<&Image>; ZONES_MAX] = std::array::from_fn(|index| held.image(index));
    let found = &mut found[..count];
    let at_slots = found.iter().map(|(index, approach)| images[*index].map_or(0, |image| approach.touch_slot(image)));
    black_box(at_slots.fold(0, |all, octets| all ^ octets));
    for (index, approach) in found.iter_mut() {
        images[*index].into_iter().for_each(|image| approach.go_to_slot(image));
    }
    let at_owners =
        found.iter().map(|(index, approach)| images[*index].map_or(0, |image| approach.touch_owner(image)));
    black_box(at_owners.fold(0, |all, octet| all ^ octet));
}

/// What is asked for, if it is a query like most.
fn name_asked_for(query: &[u8]) -> Option<NameRef<'_>> {
    let header = Header::parse(query).filter(|header| !header.is_response() && header.counts[0] == 1)?;
    NameRef::prefix_of(&query[HEADER_OCTETS..]).ok().filter(|_| header.opcode() == dns::Opcode::QUERY)
}

/// The contents of a few zones.
#[derive(Default)]
struct Held<'z> {
    zones: [Option<HeldZone<'z>>; ZONES_MAX],
}

struct HeldZone<'z> {
    zone: &'z ServedZone,
    contents: Guard<Arc<Contents>>,
}

impl<'z> Held<'z> {
    /// The index of a zone that `name` is in; none if there is none, or no room left for it. Where a zone is below another
    /// one, it may be the wrong one of these: then nothing is gained.
    #[inline]
    fn index_for(&mut self, name: NameRef<'_>, zones: &'z ZoneTable) -> Option<usize> {
        let may_hold = |held: &Option<HeldZone<'_>>| match held {
            Some(HeldZone { zone, .. }) => name.is_at_or_below(zone.apex.borrow()),
            None => true,
        };
        let index = self.zones.iter().position(may_hold)?;
        if self.zones[index].is_none() {
            let zone = zones.find(name)?;
            self.zones[index] = Some(HeldZone { zone, contents: zone.contents() });
        }
        Some(index)
    }

    /// The image at this index, if it is large.
    fn image(&self, index: usize) -> Option<&Image> {
        match &**self.zones[index].as_ref()?.contents {
            Contents::Live(snapshot) => {
                Some(&snapshot.image).filter(|image| image.as_bytes().len() >= IMAGE_OCTETS_MIN)
            }
            Contents::Absent | Contents::Expired => None,
        }
    }
}
