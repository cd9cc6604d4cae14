//! The additional section: addresses of the hosts that an answer names.

use dns::{NameRef, Section, Type, rdata};
use zone::image::{Owner, Rrset};

use crate::places::Places;
use crate::response::{Response, Trouble};
use crate::view::View;

/// Hosts for which one answer gives addresses that it could leave out.
const HOSTS_MAX: usize = 32;

/// Adds what fits of what is known of an RRset's hosts; leaving some out is no fault (RFC 2181 §9).
pub(crate) fn add(view: View<'_>, rrset: Rrset<'_>, response: &mut Response<'_>) {
    if !rdata::names_hosts(rrset.rtype()) {
        return;
    }
    let mut hosts = Hosts { named_by: Some(rrset), ..Hosts::default() };
    for name in targets(rrset) {
        let owner = view.owner(name);
        match owner.filter(|owner| is_authoritative(*owner)) {
            Some(owner) => hosts.offer(owner, response),
            // Glue stands in for what another zone says: only a list of servers may name it.
            None if !offer_neighbours(view, name, &mut hosts, response) && rrset.rtype() == Type::NS => {
                owner.into_iter().for_each(|glue| hosts.offer(glue, response));
            }
            None => {}
        }
    }
}

/// Adds a referral's glue: all of it for servers below the cut, or the answer is truncated (RFC 9471 §3.1); what fits
/// for others.
pub(crate) fn add_glue(
    view: View<'_>,
    cut: Owner<'_>,
    servers: Rrset<'_>,
    response: &mut Response<'_>,
) -> Result<(), Trouble> {
    let mut hosts = Hosts::default();
    let is_needed = |name: &NameRef<'_>| name.is_at_or_below(cut.name());
    for host in targets(servers).filter(is_needed).filter_map(|name| view.owner(name)) {
        if hosts.seen.insert(host) {
            addresses(host).try_for_each(|rrset| response.rrset(Section::Additional, rrset))?;
        }
    }
    for name in targets(servers).filter(|name| !is_needed(name)) {
        match view.owner(name) {
            Some(host) => hosts.offer(host, response),
            None => {
                offer_neighbours(view, name, &mut hosts, response);
            }
        }
    }
    Ok(())
}

fn targets(rrset: Rrset<'_>) -> impl Iterator<Item = NameRef<'_>> {
    rrset.records().filter_map(|record| match rdata::additional_target(record.rtype, record.rdata)? {
        // RFC 9460 §2.5.2: the owner itself. Other types mean by it that there is no such service (RFC 2782, RFC 7505), as
        // does an alias; but a server may have any name.
        root if root.is_root() && record.rtype.is_service_binding() && !record.rdata.starts_with(&[0, 0]) => {
            Some(record.owner)
        }
        root if root.is_root() && record.rtype != Type::NS => None,
        target => Some(target),
    })
}

/// Offers what another zone of the tenant's says of a host, and tells whether there is something.
fn offer_neighbours(view: View<'_>, name: NameRef<'_>, hosts: &mut Hosts<'_>, response: &mut Response<'_>) -> bool {
    let Some(zone) = view.neighbour(name) else { return false };
    let lent = zone.lent();
    let Some(snapshot) = &*lent else { return false };
    let Some(host) = snapshot.image.owner(name).filter(|host| is_authoritative(*host)) else { return false };
    hosts.offer(host, response);
    true
}

/// Whether what the zone has of this owner is its own to say, and no glue (RFC 2181 §6.1).
fn is_authoritative(owner: Owner<'_>) -> bool {
    !owner.is_occluded() && !owner.is_cut()
}

fn addresses(host: Owner<'_>) -> impl Iterator<Item = Rrset<'_>> {
    [Type::A, Type::AAAA].into_iter().filter_map(move |rtype| host.rrset(rtype))
}

/// Hosts that have had their turn: none comes twice when an RRset names it in two spellings.
#[derive(Default)]
struct Hosts<'a> {
    seen: Places<HOSTS_MAX>,
    /// The RRset in the answer that names them; none for a referral's servers.
    named_by: Option<Rrset<'a>>,
}

impl Hosts<'_> {
    /// Adds what fits of a host.
    fn offer(&mut self, host: Owner<'_>, response: &mut Response<'_>) {
        if self.seen.is_full() || !self.seen.insert(host) {
            return;
        }
        for rrset in addresses(host).chain(self.binding(host)) {
            response.rrset_if_it_fits(Section::Additional, rrset);
        }
    }

    /// RFC 9460 §4.1: whoever follows an alias asks for the target's record of the same type next.
    fn binding<'h>(&self, host: Owner<'h>) -> Option<Rrset<'h>> {
        let by = self.named_by.filter(|by| by.rtype().is_service_binding())?;
        host.rrset(by.rtype()).filter(|_| by.records().next().is_some_and(|record| record.owner != host.name()))
    }
}
