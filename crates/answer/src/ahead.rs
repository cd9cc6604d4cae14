//! Looking ahead: what the answers to many queries lie in is fetched from memory for all of them at once.
//!
//! ```text
//! name ──▶ its zone's place in the table ──▶ zone ──▶ snapshot ──▶ the image's octets: slot, apex ──▶ owner
//! ```
//!
//! At each arrow an answer may have to wait for memory, and each wait takes as long as much of the rest. Here each step is
//! taken for all queries before the next one, in loops so short that the processor has many of these waits at the same time.
//! Nothing is remembered but what is then in the caches: who answers looks everything up again, and finds the same whether
//! somebody has looked ahead or not.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::Guard;
use dns::message::HEADER_OCTETS;
use dns::{Header, NameRef};
use zone::Snapshot;
use zone::image::{Approach, Image};

use crate::table::{Leads, ServedZone, ZoneTable};

/// Queries that are looked at together.
pub const AHEAD_MAX: usize = 32;
/// Fewer queries have too little to wait for at the same time.
const AHEAD_MIN: usize = 4;
/// Zones that are looked into together: `arc_swap` lends so many snapshots to a thread before it counts references.
const HELD_MAX: usize = 8;
/// Fewer zones stay in the caches by themselves, but for large images.
const ZONES_MIN: usize = 256;
/// Smaller images of few zones stay in the caches, too.
const IMAGE_OCTETS_MIN: usize = 1 << 20;

/// Fetches what the answers to the first [`AHEAD_MAX`] of these datagrams will need. Worth its time right before they are
/// answered.
pub fn look_ahead<'q>(queries: impl ExactSizeIterator<Item = &'q [u8]>, zones: &ZoneTable) {
    if queries.len() < AHEAD_MIN {
        return;
    }
    let mut names = [NameRef::ROOT; AHEAD_MAX];
    let mut count = 0;
    for name in queries.take(AHEAD_MAX).filter_map(name_asked_for) {
        names[count] = name;
        count += 1;
    }
    let mut found = [const { None }; AHEAD_MAX];
    find(&names[..count], zones, &mut found);
    let mut rest = &found[..count];
    let min_octets = if zones.len() < ZONES_MIN { IMAGE_OCTETS_MIN } else { 0 };
    while !rest.is_empty() {
        let (held, looked_into) = Held::of_first(rest);
        let first = count - rest.len();
        look_into(&held, &names[first..first + looked_into], min_octets);
        rest = &rest[looked_into..];
    }
}

/// What is asked for, if it is a query like most.
#[inline]
fn name_asked_for(query: &[u8]) -> Option<NameRef<'_>> {
    let header = Header::parse(query).filter(|header| !header.is_response() && header.counts[0] == 1)?;
    NameRef::prefix_of(&query[HEADER_OCTETS..]).ok().filter(|_| header.opcode() == dns::Opcode::QUERY)
}

/// Finds the zones that these names are in, in two steps: to their places in the table, and to themselves. It may be the wrong
/// one of two zones, or none: then nothing is gained.
fn find<'z>(names: &[NameRef<'_>], zones: &'z ZoneTable, found: &mut [Option<&'z ServedZone>; AHEAD_MAX]) {
    let mut leads = [Leads::default(); AHEAD_MAX];
    for (leads, name) in leads.iter_mut().zip(names) {
        *leads = zones.leads(*name);
    }
    let leads = &leads[..names.len()];
    black_box(leads.iter().fold(0, |all, leads| all ^ zones.touch(leads)));
    for (found, leads) in found.iter_mut().zip(leads) {
        *found = zones.follow(leads);
    }
    black_box(found.iter().flatten().fold(0, |all, zone| all ^ zone.touch()));
    black_box(found.iter().flatten().fold(0, |all, zone| all ^ zone.apex.as_wire()[0]));
}

/// The snapshots of a few zones, and whose they are.
struct Held<'z> {
    zones: [Option<HeldZone<'z>>; HELD_MAX],
    /// For each of the first names, the index of its zone.
    of_names: [Option<usize>; AHEAD_MAX],
}

type HeldZone<'z> = (&'z ServedZone, Guard<Option<Arc<Snapshot>>>);

impl<'z> Held<'z> {
    /// The contents of the first of these zones, as many as there is room for; and how many these are, in a row with repetitions.
    fn of_first(found: &[Option<&'z ServedZone>]) -> (Self, usize) {
        let mut held = Self { zones: [const { None }; HELD_MAX], of_names: [None; AHEAD_MAX] };
        for (index, zone) in found.iter().enumerate() {
            let Some(zone) = zone else { continue };
            let Some(place) = held.place_for(zone) else { return (held, index) };
            held.of_names[index] = Some(place);
        }
        (held, found.len())
    }

    fn place_for(&mut self, zone: &'z ServedZone) -> Option<usize> {
        let is_for_it = |held: &Option<HeldZone<'_>>| held.as_ref().is_none_or(|(held, _)| std::ptr::eq(*held, zone));
        let place = self.zones.iter().position(is_for_it)?;
        self.zones[place].get_or_insert_with(|| (zone, zone.lent()));
        Some(place)
    }

    /// The images of these zones.
    fn images(&self) -> [Option<&Image>; HELD_MAX] {
        self.zones.each_ref().map(|held| held.as_ref()?.1.as_ref().map(|snapshot| &snapshot.image))
    }
}

/// Goes on to where the names are in the contents of their zones, in steps that are taken for all of them.
fn look_into(held: &Held<'_>, names: &[NameRef<'_>], min_octets: usize) {
    let images = held.images();
    black_box(images.iter().flatten().fold(0, |all, image| all ^ image.touch()));
    let images = images.map(|image| image.filter(|image| image.as_bytes().len() >= min_octets));
    let mut approaches = [const { None }; AHEAD_MAX];
    for (approach, (name, index)) in approaches.iter_mut().zip(names.iter().zip(&held.of_names)) {
        let image = index.and_then(|index| images[index]);
        *approach = image.map(|image| (image, image.approach(*name)));
    }
    let approaches = &mut approaches[..names.len()];
    let at_slots = approaches.iter().flatten().map(|(image, approach)| approach.touch_slot(image));
    black_box(at_slots.fold(0, |all, octets| all ^ octets));
    for (image, approach) in approaches.iter_mut().flatten() {
        approach.go_to_slot(image);
    }
    let at_owners =
        approaches.iter().flatten().map(|(image, approach): &(&Image, Approach)| approach.touch_owner(image));
    black_box(at_owners.fold(0, |all, octet| all ^ octet));
}

#[cfg(test)]
mod tests {
    use zone::{TenantId, ZoneId};

    use super::{HELD_MAX, Held, ServedZone};
    use crate::Contents;

    #[test]
    fn contents_of_so_many_zones_are_held_at_once_however_often_each_is_asked() {
        let zone = |id| ServedZone::new(ZoneId(id), TenantId::DEFAULT, dns::Name::root(), Contents::Absent);
        let zones: Vec<ServedZone> = (0..=HELD_MAX as u64).map(zone).collect();
        let mut row: Vec<Option<&ServedZone>> =
            zones.iter().flat_map(|zone| [Some(zone), None, Some(zone)]).collect();
        row.insert(1, Some(&zones[0]));
        let (held, looked_into) = Held::of_first(&row);
        assert_eq!(looked_into, row.len() - 3, "all but those of the last one");
        assert_eq!(held.of_names[..5], [Some(0), Some(0), None, Some(0), Some(1)]);
        assert!(held.zones.iter().zip(&zones).all(|(held, zone)| std::ptr::eq(held.as_ref().unwrap().0, zone)));
        let (held, looked_into) = Held::of_first(&row[looked_into..]);
        assert_eq!((looked_into, held.of_names[..3].to_vec()), (3, vec![Some(0), None, Some(0)]));
    }
}
