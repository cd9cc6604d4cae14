//! The additional section: addresses of the hosts that an answer names.

use std::ops::ControlFlow;

use dns::{Full, NameRef, Section, Type, rdata};
use zone::image::{Image, Owner, Rrset};

use crate::response::Response;

/// Hosts for which one answer gives addresses that it could leave out.
const HOSTS_MAX: usize = 32;
/// Hosts that are remembered, so that none comes twice when an RRset names it in two spellings.
const HOSTS_REMEMBERED: usize = 32;

/// Adds what fits of the addresses of an NS, MX or SRV RRset's hosts; leaving some out is no fault
/// (RFC 2181 §9).
pub(crate) fn add(image: &Image, rrset: Rrset<'_>, response: &mut Response<'_>) {
    let mut left = HOSTS_MAX;
    each_host(image, rrset, |host| {
        // Glue stands in for what another zone says: only a list of servers may name it.
        if !host.is_occluded() || rrset.rtype() == Type::NS {
            addresses(host).for_each(|rrset| response.rrset_if_it_fits(Section::Additional, rrset));
        }
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
}

/// Adds a referral's glue: all of it for servers below the cut, or the answer is truncated (RFC 9471 §3.1); what fits
/// for others.
pub(crate) fn add_glue(
    image: &Image,
    cut: Owner<'_>,
    servers: Rrset<'_>,
    response: &mut Response<'_>,
) -> Result<(), Full> {
    let is_needed = |host: Owner<'_>| host.name().is_at_or_below(cut.name());
    let mut result = Ok(());
    each_host(image, servers, |host| {
        if is_needed(host) {
            result = addresses(host).try_for_each(|rrset| response.rrset(Section::Additional, rrset));
        }
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    result?;
    let mut left = HOSTS_MAX;
    each_host(image, servers, |host| {
        if !is_needed(host) {
            addresses(host).for_each(|rrset| response.rrset_if_it_fits(Section::Additional, rrset));
            left -= 1;
        }
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    Ok(())
}

fn addresses(host: Owner<'_>) -> impl Iterator<Item = Rrset<'_>> {
    [Type::A, Type::AAAA].into_iter().filter_map(move |rtype| host.rrset(rtype))
}

/// Visits the hosts of an RRset that are in the zone, each once.
fn each_host<'a>(image: &'a Image, rrset: Rrset<'_>, mut visit: impl FnMut(Owner<'a>) -> ControlFlow<()>) {
    let mut ranks = [0; HOSTS_REMEMBERED];
    let mut remembered = 0;
    for record in rrset.records() {
        let Some(host) = rdata::additional_target(record.rtype, record.rdata).and_then(|name| owner(image, name))
        else {
            continue;
        };
        if ranks[..remembered].contains(&host.rank()) {
            continue;
        }
        if let Some(place) = ranks.get_mut(remembered) {
            *place = host.rank();
            remembered += 1;
        }
        if visit(host).is_break() {
            return;
        }
    }
}

fn owner<'a>(image: &'a Image, name: NameRef<'_>) -> Option<Owner<'a>> {
    if !name.is_at_or_below(image.apex()) {
        return None;
    }
    image.owner(name)
}
