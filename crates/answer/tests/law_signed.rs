//! The law of `advance` for signed zones: where a zone came about by steps that lie over an image, every question, and each
//! that asks for what is not there, is answered as by the same zone built whole; and denials are proved by the records that
//! RFC 4035 §3.1.3 and RFC 5155 §7.2 name.

#![allow(clippy::unwrap_used)]

mod asking;
mod signing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use answer::{Contents, ServedZone, Transport, ZoneTable};
use dns::text::zone_from_text;
use dns::{MessageReader, Name, NameBuf, NameRef, Rcode, Section, Type};
use proptest::prelude::*;
use signing::Unsigned;
use zone::nsec3::{Parameters, SHA_1, to_label};
use zone::{Change, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance, between};

const TYPES: [Type; 6] = [Type::A, Type::NS, Type::DS, Type::TXT, Type::NSEC, Type::ANY];
/// However little changes, it lies over the image.
const OVERLAY: Limits = Limits { rebuilt_octets_max: 0, changes_min: 4_096, ..Limits::NONE };

fn apex() -> Name {
    "example.".parse().unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signing {
    Nsec,
    Nsec3 { iterations: u16, salt: &'static str, unsigned: Unsigned },
}

impl Signing {
    /// The zone signed with all that a signer does: its chain, and signatures, which are others in each version.
    fn signed(self, serial: u32, lines: &BTreeSet<String>) -> Image {
        let plain: String = lines.iter().map(String::as_str).collect();
        let plain = format!("@ 60 SOA ns host {serial} 2 3 4 5\n@ 60 NS ns.sub\n{plain}");
        let unsigned = whole(&plain);
        let chain = match self {
            Self::Nsec => signing::chain(&unsigned),
            Self::Nsec3 { iterations, salt, unsigned: out } => signing::ring(&unsigned, iterations, salt, out),
        };
        let chained = plain + &chain;
        let signatures = signatures(&whole(&chained));
        whole(&(chained + &signatures))
    }
}

/// A signature over each RRset that is the zone's to sign, different when the RRset is.
fn signatures(image: &Image) -> String {
    let mut text = String::new();
    for owner in image.owners().filter(|owner| !owner.is_occluded()) {
        for rrset in owner.rrsets().filter(|rrset| !owner.is_cut() || rrset.rtype() != Type::NS) {
            let octets = rrset.records().flat_map(|record| record.rdata);
            let tag = octets.fold(7_u16, |tag, octet| tag.wrapping_mul(31).wrapping_add(u16::from(*octet)));
            let (name, rtype, ttl) = (owner.name(), rrset.rtype(), rrset.ttl());
            text +=
                &format!("{name} {ttl} RRSIG {rtype} 13 2 {ttl} 20300101000000 20200101000000 {tag} example. AAAA\n");
        }
    }
    text
}

fn whole(text: &str) -> Image {
    let records = zone_from_text("example.", text).unwrap();
    advance(apex().borrow(), None, &Change::Full(records), [1; 16], Limits::default()).unwrap().image
}

fn signing() -> impl Strategy<Value = Signing> {
    let nsec3 = (any::<bool>(), prop_oneof![Just("-"), Just("AABB")], 0_u16..2);
    prop_oneof![
        Just(Signing::Nsec),
        nsec3.prop_map(|(opts_out, salt, iterations)| {
            let unsigned = if opts_out { Unsigned::OptOut } else { Unsigned::Listed };
            Signing::Nsec3 { iterations, salt, unsigned }
        })
    ]
}

/// Lines whose coming and going changes what is proved, and by what.
fn line() -> impl Strategy<Value = String> {
    let special = prop_oneof![
        Just("sub NS ns.sub".to_owned()),
        Just("sub DS 1 13 2 AA".to_owned()),
        Just("ns.sub A 192.0.2.1".to_owned()),
        Just("insecure.deep NS ns.sub".to_owned()),
        Just("old DNAME new".to_owned()),
        Just("x.old A 192.0.2.5".to_owned()),
        Just("*.wild A 192.0.2.3".to_owned()),
        Just("*.a.wild TXT \"x\"".to_owned()),
        Just("*.alias CNAME n1".to_owned()),
        Just("b.wild A 192.0.2.4".to_owned()),
        Just("c.d.e A 192.0.2.6".to_owned()),
        Just("d.e TXT \"y\"".to_owned()),
    ];
    let many = (0_u8..20).prop_map(|number| format!("n{number} A 192.0.2.7"));
    prop_oneof![special, many].prop_map(|line| {
        let (owner, data) = line.split_once(' ').unwrap();
        format!("{owner} 60 {data}\n")
    })
}

fn table(image: &Image) -> ZoneTable {
    let contents = Contents::Live(Arc::new(Snapshot { generation: Generation(1), image: image.clone() }));
    ZoneTable::new([Arc::new(ServedZone::new(ZoneId(1), TenantId::DEFAULT, apex(), contents))])
}

/// Every name of both zones, and names that stand before, behind and below them.
fn questions(images: [&Image; 2]) -> BTreeSet<Name> {
    let mut names: BTreeSet<Name> =
        ["n", "n7x", "zz"].map(|label| format!("{label}.example.").parse().unwrap()).into();
    for owner in images.into_iter().flat_map(Image::owners).filter(|owner| !owner.is_hash()) {
        names.insert(owner.name().to_name());
        for below in [&b"\x01a"[..], b"\x01\x00", b"\x01z\x01z"] {
            names.extend(NameBuf::concatenate(below, owner.name()).map(|below| below.borrow().to_name()));
        }
    }
    names
}

/// What a zone holds, plainly: its names with their types, names without types included.
struct Plain {
    signing: Signing,
    names: BTreeMap<Name, BTreeSet<Type>>,
    /// Cuts and DNAMEs.
    hiding: BTreeSet<Name>,
    /// What has NSEC records, or is hashed in NSEC3 records.
    proving: Vec<Name>,
}

impl Plain {
    fn of(image: &Image, signing: Signing) -> Self {
        let (mut names, mut hiding) = (BTreeMap::new(), BTreeSet::new());
        for record in image.records().filter(|record| !matches!(record.rtype, Type::NSEC3 | Type::RRSIG)) {
            let mut name = record.owner;
            names.entry(name.to_name()).or_insert_with(BTreeSet::new).insert(record.rtype);
            if record.rtype == Type::DNAME || record.rtype == Type::NS && name != image.apex() {
                hiding.insert(name.to_name());
            }
            while name != image.apex() {
                name = name.parent().unwrap();
                names.entry(name.to_name()).or_default();
            }
        }
        let is_hidden = |name: &Name| hiding.iter().any(|above| name.borrow().is_below(above.borrow()));
        let has_record = |types: &BTreeSet<Type>| signing != Signing::Nsec || !types.is_empty();
        let proving = names.iter().filter(|(name, types)| !is_hidden(name) && has_record(types));
        Self { signing, proving: proving.map(|(name, _)| name.clone()).collect(), names, hiding }
    }

    /// What owners the records must have that prove what is not there; none where something is there, or where the answer
    /// is about another name.
    fn proof(&self, name: NameRef<'_>, qtype: Type) -> Option<(Rcode, BTreeSet<String>)> {
        let is_opt_out = matches!(self.signing, Signing::Nsec3 { unsigned: Unsigned::OptOut, .. });
        let is_led_on = |above: &Name| name.is_below(above.borrow()) || name == above.borrow();
        if is_opt_out || self.hiding.iter().any(is_led_on) || qtype == Type::ANY {
            return None;
        }
        if let Some(types) = self.names.get(&name.to_name()) {
            let is_there = types.contains(&qtype) || types.contains(&Type::CNAME);
            return (!is_there).then(|| (Rcode::NOERROR, [self.owner(name)].into()));
        }
        let mut next_closer = name;
        let mut encloser = name.parent()?;
        while !self.names.contains_key(&encloser.to_name()) {
            (next_closer, encloser) = (encloser, encloser.parent()?);
        }
        let wildcard = NameBuf::concatenate(b"\x01*", encloser).ok()?;
        if self.names.contains_key(&wildcard.borrow().to_name()) {
            return None;
        }
        let proof = match self.signing {
            Signing::Nsec => [name, wildcard.borrow()].map(|name| self.owner(name)).into(),
            Signing::Nsec3 { .. } => [encloser, next_closer, wildcard.borrow()].map(|name| self.owner(name)).into(),
        };
        Some((Rcode::NXDOMAIN, proof))
    }

    /// Of the record that matches or covers a name.
    fn owner(&self, name: NameRef<'_>) -> String {
        match self.signing {
            Signing::Nsec => {
                let last = self.proving.iter().filter(|proving| proving.borrow() <= name).max();
                last.unwrap().to_string().to_lowercase()
            }
            Signing::Nsec3 { iterations, salt, .. } => {
                let salt = if salt == "-" { &[][..] } else { &[0xaa, 0xbb] };
                let hash = |name: NameRef<'_>| Parameters { algorithm: SHA_1, iterations, salt }.hash(name);
                let hashes: BTreeSet<_> = self.proving.iter().map(|name| hash(name.borrow())).collect();
                let last = hashes.range(..=hash(name)).next_back().or(hashes.last());
                format!("{}.example.", to_label(last.unwrap())).to_lowercase()
            }
        }
    }
}

/// The response code, and the owners of the NSEC and NSEC3 records beside the answer.
fn proved(response: &[u8]) -> (Rcode, BTreeSet<String>) {
    let mut reader = MessageReader::new(response).unwrap();
    let (rcode, mut owners) = (reader.header().rcode(), BTreeSet::new());
    while let Some(record) = reader.record().unwrap() {
        if record.section == Section::Authority && matches!(record.rtype, Type::NSEC | Type::NSEC3) {
            owners.insert(record.owner.borrow().to_string().to_lowercase());
        }
    }
    (rcode, owners)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_signed_zone_of_steps_laid_over_an_image_is_answered_like_the_zone_built_whole(
        first in signing(),
        last in prop_oneof![3 => Just(None), 1 => signing().prop_map(Some)],
        versions in prop::collection::vec(prop::collection::btree_set(line(), 0..24), 3..6),
    ) {
        let mut held = first.signed(1, &versions[0]);
        for (serial, version) in (2..).zip(&versions[1..]) {
            let is_last = serial as usize == versions.len();
            let signing = last.filter(|_| is_last).unwrap_or(first);
            let fresh = signing.signed(serial, version);
            let steps = Change::Steps(vec![between(&held, &fresh)]);
            let next = advance(apex().borrow(), Some(&held), &steps, [9; 16], OVERLAY).unwrap().image;
            // Another ring is one to be built.
            prop_assert!(!next.is_merged() || signing != first);
            let (ours, theirs) = (table(&next), table(&fresh));
            let plain = Plain::of(&fresh, signing);
            for name in questions([&held, &fresh]) {
                for qtype in TYPES {
                    let query = asking::query(name.borrow(), qtype, Some((1232, true)));
                    let (a, b) = (&ours, &theirs);
                    let [a, b] = [a, b].map(|zones| asking::respond(zones, &query, Transport::Tcp));
                    prop_assert_eq!(&a, &b, "{} {}", name, qtype);
                    if let Some(proof) = plain.proof(name.borrow(), qtype) {
                        prop_assert_eq!(proved(&a), proof, "{} {}", name, qtype);
                    }
                }
            }
            held = next;
        }
    }
}

/// So many names, of which the later version has others wherever the number says so.
fn crowd(version: u32) -> BTreeSet<String> {
    let is_there = |number: u32| match number {
        // A run that goes, one that comes, and here and there a name.
        600..1000 => version == 1,
        1200..1600 => version == 2,
        _ => number % 7 != version,
    };
    (0..2000).filter(|number| is_there(*number)).map(|number| format!("n{number:04} 60 A 192.0.2.1\n")).collect()
}

/// Each answer is also seen to take no memory.
#[test]
fn a_denial_among_many_changes_is_found_without_memory_and_as_in_the_zone_built_whole() {
    let nsec3 = |unsigned| Signing::Nsec3 { iterations: 0, salt: "-", unsigned };
    for signing in [Signing::Nsec, nsec3(Unsigned::Listed), nsec3(Unsigned::OptOut)] {
        let [before, fresh] = [1, 2].map(|version| {
            let more = ["*.wild 60 TXT \"x\"\n", "a.b.c 60 A 192.0.2.1\n", "sub 60 NS ns.sub\n"].map(str::to_owned);
            signing.signed(version, &crowd(version).into_iter().chain(more).collect())
        });
        let steps = Change::Steps(vec![between(&before, &fresh)]);
        let next = advance(apex().borrow(), Some(&before), &steps, [9; 16], OVERLAY).unwrap().image;
        assert!(!next.is_merged());
        let (ours, theirs) = (table(&next), table(&fresh));
        let plain = Plain::of(&fresh, signing);
        let (mut name_errors, mut no_data) = (0, 0);
        let numbered = (0..2000).map(|number| format!("n{number:04}.example."));
        let more = ["zz.example.", "0.example.", "b.c.example.", "x.b.c.example.", "y.wild.example.", "sub.example."];
        for name in numbered.chain(more.map(str::to_owned)) {
            let name: Name = name.parse().unwrap();
            let query = asking::query(name.borrow(), Type::TXT, Some((1232, true)));
            let answer = asking::respond(&ours, &query, Transport::Tcp);
            assert_eq!(answer, asking::respond(&theirs, &query, Transport::Tcp), "{name}");
            let Some(proof) = plain.proof(name.borrow(), Type::TXT) else { continue };
            *if proof.0 == Rcode::NXDOMAIN { &mut name_errors } else { &mut no_data } += 1;
            assert_eq!(proved(&answer), proof, "{name}");
        }
        assert!(
            matches!(signing, Signing::Nsec3 { unsigned: Unsigned::OptOut, .. }) || name_errors.min(no_data) > 500
        );
    }
}
