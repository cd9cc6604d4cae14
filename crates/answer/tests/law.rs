//! The law of `advance`, seen from outside: after any chain of diffs every question is answered as a freshly built
//! image answers it.

#![allow(clippy::unwrap_used)]

mod asking;

use std::collections::BTreeSet;
use std::sync::Arc;

use answer::{Contents, ServedZone, Transport, ZoneTable};
use dns::text::zone_from_text;
use dns::{Name, NameBuf, NameRef, Type};
use proptest::prelude::*;
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance, between};

const TYPES: [Type; 12] = [
    Type::A,
    Type::AAAA,
    Type::NS,
    Type::SOA,
    Type::MX,
    Type::TXT,
    Type::CNAME,
    Type::DNAME,
    Type::DS,
    Type::NSEC,
    Type::ANY,
    Type::RRSIG,
];

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn fresh(serial: u32, lines: &BTreeSet<String>) -> Image {
    let text: String = lines.iter().map(String::as_str).collect();
    let head = format!("@ 60 SOA ns host {serial} 2 3 4 5\n@ 60 NS ns.sub\n");
    let records = zone_from_text("example.", &(head + &text)).unwrap();
    advance(apex().borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image
}

/// Lines whose coming and going turns other names into glue, occluded data, empty non-terminals, or back.
fn line() -> impl Strategy<Value = String> {
    let cut = prop_oneof![
        Just("sub NS ns.sub"),
        Just("sub NS ns1"),
        Just("sub DS 1 13 2 AA"),
        Just("ns.sub A 192.0.2.1"),
        Just("ns.sub AAAA 2001:db8::1"),
        Just("deep.sub NS ns.deep.sub"),
        Just("ns.deep.sub A 192.0.2.2"),
        Just("www.sub A 192.0.2.3"),
        Just("*.sub A 192.0.2.4"),
    ];
    let alias = prop_oneof![
        Just("old DNAME new"),
        Just("www.old A 192.0.2.5"),
        Just("www.new A 192.0.2.6"),
        Just("new DNAME sub"),
        Just("alias CNAME www.old"),
        Just("b.alias2 CNAME alias"),
        Just("*.many CNAME alias"),
    ];
    let plain = prop_oneof![
        Just("a A 192.0.2.7"),
        Just("a.b.c TXT \"x\""),
        Just("b.c MX 10 ns1"),
        Just("*.c TXT \"y\""),
        Just("*.b.c A 192.0.2.8"),
        Just("ns1 A 192.0.2.9"),
        Just("ns1 AAAA 2001:db8::9"),
        Just("A TXT \"case\""),
        Just("x.many A 192.0.2.10"),
        Just("a RRSIG A 13 2 60 1893456000 1577836800 1 example. AAAA"),
        Just("@ MX 10 www.sub"),
        Just("a NSEC b.c A"),
        Just("@ NSEC3PARAM 1 0 0 -"),
        Just("t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg NSEC3 1 0 0 - 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A"),
    ];
    prop_oneof![cut, alias, plain].prop_map(|line| {
        let (owner, data) = line.split_once(' ').unwrap();
        format!("{owner} 60 {data}\n")
    })
}

fn table(image: &Image) -> ZoneTable {
    let snapshot = Snapshot { generation: Generation(1), image: image.clone() };
    ZoneTable::new([Arc::new(ServedZone::new(
        ZoneId(1),
        TenantId::DEFAULT,
        apex(),
        Contents::Live(Arc::new(snapshot)),
    ))])
}

fn ask(zones: &ZoneTable, name: NameRef<'_>, qtype: Type, transport: Transport) -> Vec<u8> {
    asking::respond(zones, &asking::query(name, qtype, Some((1232, true))), transport)
}

/// Every name of both zones, its ancestors, and names just beside and below it.
fn questions(images: &[&Image]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for owner in images.iter().flat_map(|image| image.owners()) {
        let mut name = Some(owner.name());
        while let Some(at) = name {
            names.insert(at.to_name());
            for label in [&b"\x01a"[..], b"\x03www", b"\x01*", b"\x01\x00"] {
                names.extend(NameBuf::concatenate(label, at).map(|below| below.borrow().to_name()));
            }
            name = at.parent().filter(|parent| parent.is_at_or_below(apex().borrow()));
        }
    }
    names
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_of_diffs_is_answered_like_the_zone_that_it_leads_to(
        versions in prop::collection::vec(prop::collection::btree_set(line(), 0..14), 2..5),
        is_laid_over in any::<bool>(),
    ) {
        let mut held = fresh(1, &versions[0]);
        let limits = if is_laid_over { Limits { rebuilt_octets_max: 0, ..Limits::default() } } else { Limits::default() };
        for (serial, version) in (2..).zip(&versions[1..]) {
            let whole = fresh(serial, version);
            let steps = Change::Steps(vec![between(&held, &whole)]);
            // Keyed otherwise, so that no answer can hang on where a name lies in the index.
            let next = advance(apex().borrow(), Some(&held), &steps, [9; 16], limits).unwrap().image;
            let (ours, theirs) = (table(&next), table(&whole));
            for name in questions(&[&held, &whole]) {
                for qtype in TYPES {
                    let transport = if serial % 2 == 0 { Transport::Udp } else { Transport::Tcp };
                    let (a, b) = (ask(&ours, name.borrow(), qtype, transport), ask(&theirs, name.borrow(), qtype, transport));
                    prop_assert_eq!(a, b, "{} {}", name, qtype);
                }
            }
            held = next;
        }
    }
}
