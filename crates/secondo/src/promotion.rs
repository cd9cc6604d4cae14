//! What it takes to make a new primary of what a zone holds here, for when its own is gone for good.
//!
//! Pure: what is to be told follows from the contents, and from what is known of the primaries. Nothing here is done.

pub(crate) mod compare;

use std::collections::BTreeSet;
use std::net::IpAddr;

use api::json;
use dns::text::record_to_text;
use dns::{Name, NameRef, RecordRef, Type};
use transfer::doctor::Software;
use zone::Image;

/// Records that are shown of those that name the primaries: more than anybody has.
const POINTING_MAX: usize = 20;

/// Where a server of this kind has its zone files, as the guides have it; none where it looks for them itself.
pub(crate) fn directory(software: Software) -> Option<&'static str> {
    match software {
        Software::Bind => Some("/var/lib/bind"),
        Software::Knot => Some("/var/lib/knot"),
        Software::Nsd | Software::PowerDns | Software::Yadifa | Software::WindowsDns => None,
    }
}

/// What the server's own tools say about the zone file and the configuration.
pub(crate) fn checks(software: Software, zone: &str, file: &str) -> Vec<String> {
    match software {
        Software::Bind => vec![format!("named-checkzone {zone} {file}"), "named-checkconf".into()],
        Software::Knot => vec![format!("kzonecheck -o {zone} {file}"), "knotc conf-check".into()],
        Software::Nsd => vec![format!("nsd-checkzone {zone} {file}"), "nsd-checkconf /etc/nsd/nsd.conf".into()],
        Software::PowerDns => vec![format!("pdnsutil check-zone {zone}")],
        Software::Yadifa | Software::WindowsDns => Vec::new(),
    }
}

/// What is made by signing, and goes when a zone is signed no more.
pub(crate) fn is_of_signing(rtype: Type) -> bool {
    const CDS: Type = Type(59);
    const CDNSKEY: Type = Type(60);
    matches!(
        rtype,
        Type::RRSIG | Type::NSEC | Type::NSEC3 | Type::NSEC3PARAM | Type::DNSKEY | Type::ZONEMD | CDS | CDNSKEY
    )
}

/// What follows from the zone's being signed; none if it is not. Takes as long as the zone is large.
pub(crate) fn signed(image: &Image, name: &str, now_secs: u64) -> Option<json::SignedZone> {
    let apex = image.apex_owner();
    if apex.rrset(Type::DNSKEY).is_none() && !apex.records().any(|record| record.rtype == Type::RRSIG) {
        return None;
    }
    let horizon = zone::inspect::horizon(image, now_secs);
    let ends_at = horizon.map(|horizon| json::Time::from_unix_ms(horizon.at_secs * 1000));
    let until = ends_at
        .map_or_else(String::new, |at| format!(" until {}, when the first of its signatures ends", at.in_seconds()));
    let said = vec![
        format!(
            "the zone is signed, and its private keys are where it was signed, not here: what is here can be served as it \
             is{until}, and not be changed, since each change needs new signatures"
        ),
        "if you have the private keys, in a backup of the old primary, give them to the new one and have it sign with them: \
         then nothing changes at the parent"
            .to_owned(),
        format!(
            "if the keys are lost, have the parent remove the zone's DS records first, wait until their TTL has passed, and \
             load what `secondo zone export {name} --unsigned` writes; sign it with new keys only then, and give their DS \
             records to the parent"
        ),
        "never sign with new keys while the parent has the old DS records: validating resolvers would answer nothing"
            .to_owned(),
    ];
    Some(json::SignedZone { ends_at, said })
}

/// The records that lead to these addresses, or name as the primary or as a name server whoever has them. Takes as long as
/// the zone is large.
pub(crate) fn pointing_at(image: &Image, primaries: &[IpAddr]) -> Vec<String> {
    let is_theirs = |record: &RecordRef<'_>| primaries.iter().any(|address| is_address(record, *address));
    let addresses: Vec<RecordRef<'_>> = image.records().filter(is_theirs).take(POINTING_MAX).collect();
    let hosts: BTreeSet<Name> = addresses.iter().map(|record| record.owner.to_name().to_lower()).collect();
    // Of a name whose addresses are not in the zone nobody here knows where it leads.
    let may_be_theirs = |name: NameRef<'_>| {
        let is_known = image
            .owner(name)
            .is_some_and(|owner| owner.rrset(Type::A).is_some() || owner.rrset(Type::AAAA).is_some());
        hosts.contains(&name.to_name().to_lower()) || !is_known
    };
    let soa = image.soa_record();
    let first = NameRef::prefix_of(soa.rdata).ok().filter(|name| may_be_theirs(*name));
    let names = |record: &RecordRef<'_>| {
        let Ok(target) = NameRef::prefix_of(record.rdata) else { return false };
        let target = target.to_name().to_lower();
        hosts.contains(&target) || first.is_some_and(|first| first.to_name().to_lower() == target)
    };
    let servers = image.apex_owner().records().filter(|record| record.rtype == Type::NS).filter(names);
    first.map(|_| soa).into_iter().chain(servers).chain(addresses).map(record_to_text).take(POINTING_MAX).collect()
}

fn is_address(record: &RecordRef<'_>, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => record.rtype == Type::A && record.rdata == address.octets(),
        IpAddr::V6(address) => record.rtype == Type::AAAA && record.rdata == address.octets(),
    }
}

/// What is to be done, in order.
pub(crate) fn steps(promotion: &json::Promotion, finish: &str) -> Vec<String> {
    let json::Promotion { zone, file, paste, checks, signed, points_there, .. } = promotion;
    let name = bare(&zone.name);
    let serial = zone.serial.unwrap_or_default();
    let mut steps = vec![match zone.hold {
        json::Hold::Frozen => format!("the zone stays at serial {serial}: it is frozen"),
        _ => format!("have the zone stay at serial {serial}, whatever comes: secondo zone promote {name}"),
    }];
    let longer = format!("secondo zone set {name} serve-past-expiry=30d");
    steps.push(match (zone.freshness, zone.answers_until) {
        (json::Freshness::Expired, _) => format!("it has expired; to have it answered all the same: {longer}"),
        (_, Some(until)) => format!("it is answered until {}; if that is too short: {longer}", until.in_seconds()),
        (_, None) => format!("it is answered until it expires; if that is too short: {longer}"),
    });
    steps.push(format!(
        "write the zone file, which the new primary gets as {file}: secondo zone export {name} > {name}.zone"
    ));
    let checked =
        if checks.is_empty() { String::new() } else { format!(", see that both are right ({})", checks.join("; ")) };
    steps.push(format!("put the lines for {} into its configuration{checked}, and start it", paste.title));
    if signed.is_some() {
        steps.push("the zone is signed: read what that means before anything is changed in it".to_owned());
    }
    steps.push(format!("point the zone at the new primary: {finish}"));
    if !points_there.is_empty() {
        steps.push(format!(
            "then change at the new primary, with a serial above {serial}, what names the old one: {}",
            points_there.join("; ")
        ));
    }
    steps
}

/// A name without its last dot.
pub(crate) fn bare(name: &str) -> &str {
    name.strip_suffix('.').filter(|bare| !bare.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use dns::text::zone_from_text;
    use zone::{Change, Image, Limits};

    pub(super) fn image(text: &str) -> Image {
        let apex: dns::Name = "example.".parse().unwrap();
        let change = Change::Full(zone_from_text("example.", text).unwrap());
        zone::advance(apex.borrow(), None, &change, [1; 16], Limits::default()).unwrap().image
    }

    #[test]
    fn what_leads_to_the_old_primary_is_named_and_nothing_else() {
        let primaries: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        let pointing = |text: &str| super::pointing_at(&image(text), &primaries);
        let rest = "@ 60 NS ns2\nns2 60 A 192.0.2.2\nwww 60 A 192.0.2.3\n";
        assert_eq!(
            pointing(&format!(
                "@ 60 SOA NS1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\nns1 60 AAAA 2001:db8::1\n{rest}"
            )),
            [
                "example. 60 IN SOA NS1.example. h.example. 1 2 3 4 5",
                "example. 60 IN NS ns1.example.",
                "ns1.example. 60 IN A 192.0.2.1",
                "ns1.example. 60 IN AAAA 2001:db8::1"
            ]
        );
        assert!(
            pointing(&format!("@ 60 SOA ns2 h 1 2 3 4 5\n{rest}")).is_empty(),
            "a hidden primary is named nowhere"
        );
        let elsewhere = pointing(&format!("@ 60 SOA ns.other. h 1 2 3 4 5\n@ 60 NS ns.other.\n{rest}"));
        assert_eq!(elsewhere.len(), 2, "of a name elsewhere it is not known: {elsewhere:?}");
    }

    #[test]
    fn what_being_signed_means_is_said_of_signed_zones_alone() {
        assert!(super::signed(&image("@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\n"), "example", 0).is_none());
        let text = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\n@ 60 DNSKEY 257 3 13 AAAA\n\
                    @ 60 RRSIG SOA 13 1 60 20270102000000 20260101000000 1 example. AAAA\n";
        let signed = super::signed(&image(text), "example", 1_790_000_000).unwrap();
        assert_eq!(signed.ends_at.unwrap().to_string().split('T').next(), Some("2027-01-02"), "{signed:?}");
        assert!(signed.said[0].contains("until 2027-01-02") && signed.said[2].contains("DS"), "{signed:?}");
    }
}
