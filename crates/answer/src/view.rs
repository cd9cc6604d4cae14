//! What an answer may come from: one zone's contents, and those of its tenant's other zones.
//!
//! Whoever holds a zone must not be able to put words into the answers of somebody else's: aliases, addresses and the DS of
//! a cut are looked for in zones of one tenant only, whatever names these zones have.

use std::sync::Arc;

use dns::{NameRef, Type};
use zone::image::{Image, Owner};

use crate::table::{ServedZone, ZoneTable};

/// The contents of one zone, as one query sees them.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) zones: &'a ZoneTable,
    pub(crate) zone: &'a ServedZone,
    pub(crate) image: &'a Image,
}

impl<'a> View<'a> {
    /// The owner of this name in this zone.
    pub(crate) fn owner(&self, name: NameRef<'_>) -> Option<Owner<'a>> {
        if !name.is_at_or_below(self.image.apex()) {
            return None;
        }
        self.image.owner(name)
    }

    /// The zone that answers for `name`, be it this one, when it is of the same tenant.
    pub(crate) fn zone_for(&self, name: NameRef<'_>, qtype: Type) -> Option<&'a Arc<ServedZone>> {
        self.zones.find_for(name, qtype).filter(|other| other.tenant == self.zone.tenant)
    }

    /// Another zone of the same tenant that has the addresses of `name`, if there are any.
    pub(crate) fn neighbour(&self, name: NameRef<'_>) -> Option<&'a Arc<ServedZone>> {
        if self.zones.len() < 2 {
            return None;
        }
        self.zone_for(name, Type::A).filter(|other| other.id != self.zone.id)
    }
}
