//! The chain of NSEC records: from name to name in canonical order, and from the last one back to the apex
//! (RFC 4034 §4.1.1).
//!
//! A name that lacks its record is said once, and the chain goes on behind it: what leads to the next name that has one
//! is not broken for it.

use dns::{NameRef, Type};

use super::{Place, Warning, Warnings, has_data};
use crate::image::{Image, Owner};

pub(super) struct Chain<'a> {
    apex: NameRef<'a>,
    /// Only a zone whose apex has an NSEC record is denied by them.
    is_there: bool,
    last: Option<Link<'a>>,
}

/// An NSEC record that was read, and the name that it leads to.
#[derive(Clone, Copy)]
struct Link<'a> {
    owner: NameRef<'a>,
    next: NameRef<'a>,
}

impl<'a> Chain<'a> {
    pub(super) fn of(image: &'a Image) -> Self {
        Self { apex: image.apex(), is_there: image.apex_owner().rrset(Type::NSEC).is_some(), last: None }
    }

    pub(super) fn owner(&mut self, owner: Owner<'a>, warnings: &mut Warnings) {
        if !self.is_there {
            return;
        }
        let name = owner.name();
        let Some(rrset) = owner.rrset(Type::NSEC) else {
            if Place::of(owner) == Place::Authoritative && has_data(owner) {
                warnings.push(Warning::NsecMissing { owner: name.to_name() });
            }
            return;
        };
        if Place::of(owner) == Place::BelowCut {
            warnings.push(Warning::NsecOccluded { owner: name.to_name() });
            // PowerDNS takes a delegation below another into the chain: one fault, said once.
            if self.last.is_none_or(|last| last.next != name) {
                return;
            }
        }
        if !has_data(owner) {
            warnings.push(Warning::NsecAlone { owner: name.to_name() });
        }
        if rrset.record_count() > 1 {
            warnings.push(Warning::NsecSeveral { owner: name.to_name() });
        }
        self.leads_to(name, warnings);
        let next = rrset.records().next().and_then(|record| NameRef::prefix_of(record.rdata).ok());
        if next.is_none() {
            warnings.push(Warning::Unreadable { owner: name.to_name(), rtype: Type::NSEC });
        }
        self.last = next.map(|next| Link { owner: name, next });
    }

    /// The last name's record leads to the apex.
    pub(super) fn close(&self, warnings: &mut Warnings) {
        self.leads_to(self.apex, warnings);
    }

    fn leads_to(&self, expected: NameRef<'_>, warnings: &mut Warnings) {
        if let Some(last) = self.last.filter(|last| last.next != expected) {
            let (owner, next, expected) = (last.owner.to_name(), last.next.to_name(), expected.to_name());
            warnings.push(Warning::NsecBroken { owner, next, expected });
        }
    }
}
