//! The additional section: addresses of the hosts that an answer names.

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
    for host in hosts(image, rrset).take(HOSTS_MAX) {
        // Glue stands in for what another zone says: only a list of servers may name it.
        if !host.is_occluded() || rrset.rtype() == Type::NS {
            addresses(host).for_each(|rrset| response.rrset_if_it_fits(Section::Additional, rrset));
        }
    }
}

/// Adds a referral's glue: all of it for servers below the cut, or the answer is truncated (RFC 9471 §3.1); what fits
/// for others.
pub(crate) fn add_glue(
    image: &Image,
    cut: Owner<'_>,
    servers: Rrset<'_>,
    response: &mut Response<'_>,
) -> Result<(), Full> {
    let is_needed = |host: &Owner<'_>| host.name().is_at_or_below(cut.name());
    for host in hosts(image, servers).filter(is_needed) {
        addresses(host).try_for_each(|rrset| response.rrset(Section::Additional, rrset))?;
    }
    for host in hosts(image, servers).filter(|host| !is_needed(host)).take(HOSTS_MAX) {
        addresses(host).for_each(|rrset| response.rrset_if_it_fits(Section::Additional, rrset));
    }
    Ok(())
}

fn addresses(host: Owner<'_>) -> impl Iterator<Item = Rrset<'_>> {
    [Type::A, Type::AAAA].into_iter().filter_map(move |rtype| host.rrset(rtype))
}

/// The hosts of an RRset that are in the zone, each once.
fn hosts<'a>(image: &'a Image, rrset: Rrset<'a>) -> impl Iterator<Item = Owner<'a>> {
    let mut ranks = [0; HOSTS_REMEMBERED];
    let mut remembered = 0;
    rrset.records().filter_map(move |record| {
        let host = owner(image, rdata::additional_target(record.rtype, record.rdata)?)?;
        if ranks[..remembered].contains(&host.rank()) {
            return None;
        }
        if let Some(place) = ranks.get_mut(remembered) {
            *place = host.rank();
            remembered += 1;
        }
        Some(host)
    })
}

fn owner<'a>(image: &'a Image, name: NameRef<'_>) -> Option<Owner<'a>> {
    if !name.is_at_or_below(image.apex()) {
        return None;
    }
    image.owner(name)
}
