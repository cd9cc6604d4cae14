use dns::text::{record_to_text, zone_from_text};
use dns::{Name, Type};

use crate::image::{Deepest, Owner};
use crate::{Change, Image, Limits, advance};

fn image(text: &str) -> Image {
    let records = zone_from_text("Example.", text).unwrap();
    let apex: Name = "example.".parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

const ZONE: &str = "
@ 3600 SOA ns1 host 7 2 3 4 5
@ 3600 NS ns1
@ 3600 RRSIG NS 13 1 3600 20300101000000 20200101000000 1 example. AAAA
ns1 60 A 192.0.2.1
a.b.c 60 TXT \"deep\"
*.wild 60 A 192.0.2.2
sub 60 NS ns.sub
ns.sub 60 A 192.0.2.3
deep.glue.sub 60 A 192.0.2.3
alias 60 DNAME target
under.alias 60 A 192.0.2.4
Mixed 60 A 192.0.2.5
mIxed 60 TXT \"x\"
t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg 60 NSEC3 1 0 0 - 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A
05FMRHDLJ2K56MQN9JKC2TPKJTLIB4UT 60 NSEC3 1 0 0 - t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg A
";

#[test]
fn an_image_gives_back_every_record_to_the_letter() {
    let mut given: Vec<String> = zone_from_text("Example.", ZONE).unwrap().iter().map(record_to_text).collect();
    let mut held: Vec<String> = image(ZONE).records().map(record_to_text).collect();
    given.sort();
    held.sort();
    assert_eq!(held, given);
    assert_eq!(image(ZONE).record_count(), held.len() as u64);
}

#[test]
fn owners_are_in_canonical_order_with_empty_non_terminals() {
    let image = image(ZONE);
    let names: Vec<Name> = image.owners().map(|owner| owner.name().to_name()).collect();
    assert!(names.is_sorted());
    let empty: Vec<String> =
        image.owners().filter(|owner| owner.is_empty_non_terminal()).map(|owner| owner.name().to_string()).collect();
    assert_eq!(empty, ["c.Example.", "b.c.Example.", "glue.sub.Example.", "wild.Example."]);
}

#[test]
fn every_owner_is_found_whatever_the_case() {
    let image = image(ZONE);
    for owner in image.owners() {
        let shouted = name(&owner.name().to_string().to_uppercase());
        assert_eq!(image.owner(shouted.borrow()).map(Owner::rank), Some(owner.rank()));
    }
    assert!(image.owner(name("nothing.example.").borrow()).is_none());
}

#[test]
fn what_lies_below_a_cut_or_a_dname_is_occluded_by_it() {
    let image = image(ZONE);
    let occluded_by = |text: &str| {
        let owner = image.owner(name(text).borrow()).unwrap();
        owner.occluded_by().map(|above| above.name().to_string())
    };
    assert_eq!(occluded_by("ns.sub.example."), Some("sub.Example.".into()));
    assert_eq!(occluded_by("deep.glue.sub.example."), Some("sub.Example.".into()));
    assert_eq!(occluded_by("under.alias.example."), Some("alias.Example.".into()));
    assert_eq!(occluded_by("sub.example."), None);
    assert_eq!(occluded_by("a.b.c.example."), None);
    assert!(image.owner(name("sub.example.").borrow()).unwrap().is_cut());
    assert!(image.owner(name("wild.example.").borrow()).unwrap().has_wildcard_below());
    assert!(!image.apex_owner().is_cut());
}

#[test]
fn the_deepest_existing_name_is_the_closest_encloser() {
    let image = image(ZONE);
    let deepest = |text: &str| match image.deepest(name(text).borrow()) {
        Deepest::Exact(owner) => format!("= {}", owner.name()),
        Deepest::Encloser(owner) => format!("< {}", owner.name()),
    };
    assert_eq!(deepest("B.C.example."), "= b.c.Example.");
    assert_eq!(deepest("x.y.b.c.example."), "< b.c.Example.");
    assert_eq!(deepest("x.example."), "< Example.");
    assert_eq!(deepest("example."), "= Example.");
}

#[test]
fn the_predecessor_is_the_name_itself_or_the_last_one_before_it() {
    let image = image(ZONE);
    let predecessor = |text: &str| image.predecessor(name(text).borrow()).name().to_string();
    assert_eq!(predecessor("example."), "Example.");
    assert_eq!(predecessor("ns1.example."), "ns1.Example.");
    assert_eq!(predecessor("ns2.example."), "ns1.Example.");
    assert_eq!(predecessor("zzz.example."), "*.wild.Example.");
    assert_eq!(predecessor("0.example."), "Example.");
}

#[test]
fn nsec3_covering_goes_around_the_circle() {
    let image = image(ZONE);
    let covering = |hash: &str| image.covering(hash.as_bytes()).unwrap().name().to_string()[..2].to_lowercase();
    assert_eq!(covering("05fmrhdlj2k56mqn9jkc2tpkjtlib4ut"), "05");
    assert_eq!(covering("0fffffffffffffffffffffffffffffff"), "05");
    assert_eq!(covering("vfffffffffffffffffffffffffffffff"), "t7");
    assert_eq!(covering("00000000000000000000000000000000"), "t7", "before the first is behind the last");
    assert!(super::tests::image("@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a\n").covering(b"0").is_none());
}

#[test]
fn signatures_travel_beside_what_they_cover() {
    let image = image(ZONE);
    let ns = image.apex_owner().rrset(Type::NS).unwrap();
    assert_eq!((ns.records().count(), ns.signatures().count()), (1, 1));
    assert!(image.apex_owner().rrset(Type::RRSIG).is_none());
}

#[test]
fn each_rrset_keeps_its_own_spelling() {
    let image = image(ZONE);
    let owner = image.owner(name("mixed.example.").borrow()).unwrap();
    let spelled: Vec<String> = owner.records().map(|record| record.owner.to_string()).collect();
    assert_eq!(spelled, ["Mixed.Example.", "mIxed.Example."]);
}

#[test]
fn octets_go_to_disk_and_back_and_damage_is_seen() {
    let image = image(ZONE);
    let octets = image.as_bytes().to_vec();
    let back = Image::from_bytes(std::sync::Arc::new(octets.clone())).unwrap();
    assert!(back.records().eq(image.records()));
    assert_eq!(back.digest(), image.digest());
    for at in 0..octets.len() {
        let mut damaged = octets.clone();
        damaged[at] ^= 0x10;
        assert!(Image::from_bytes(std::sync::Arc::new(damaged)).is_err(), "octet {at}");
        assert!(Image::from_bytes(std::sync::Arc::new(octets[..at].to_vec())).is_err(), "cut at {at}");
    }
}

#[test]
fn odd_octets_in_labels_sort_as_rfc_4034_says() {
    let image = image(
        "@ 1 SOA a b 1 2 3 4 5\n@ 1 NS a\na 1 A 192.0.2.1\na\\000 1 A 192.0.2.1\na\\001 1 A 192.0.2.1\n\
         \\000.a 1 A 192.0.2.1\n\\000\\000.a\\000 1 A 192.0.2.1\nb 1 A 192.0.2.1\n",
    );
    let names: Vec<Name> = image.owners().map(|owner| owner.name().to_name()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(image.owners().all(|owner| !owner.is_empty_non_terminal()));
    for found in &names {
        assert!(image.owner(found.borrow()).is_some());
    }
}

#[test]
fn nsec3_owners_that_are_no_hashes_cover_nothing() {
    // NSD 4.15, PDNS #1352: they are kept, and the others are found as without them.
    let (low, high) = ("05fmrhdlj2k56mqn9jkc2tpkjtlib4ut", "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg");
    let chain = format!("{low} 60 NSEC3 1 0 0 - {high} A\n{high} 60 NSEC3 1 1 0 - {low} A\n");
    let no_base32 = "z".repeat(32);
    let odd: String = ["@", "zz", &no_base32, &format!("zz.{low}"), "*", &format!("{low}.{high}")]
        .map(|owner| format!("{owner} 60 NSEC3 1 1 5 AABB {low} A\n"))
        .concat();
    let image = image(&format!("@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns\n{chain}{odd}"));
    assert_eq!(image.record_count(), 10);
    for (hash, covering) in [("00", high), (low, low), ("a0", low), ("tz", high), ("zz", high), ("", high)] {
        let found = image.covering(hash.as_bytes()).unwrap().name().to_string();
        assert_eq!(found, format!("{covering}.Example."), "{hash}");
    }
}

#[test]
fn a_zone_whose_name_leaves_no_room_is_a_zone() {
    // RFC 5155 §3: from 223 octets on no hash fits before it.
    let label = "x".repeat(63);
    let apex = name(&format!("{}.{label}.{label}.{label}", "y".repeat(61)));
    assert_eq!(apex.borrow().octets(), 255);
    let records = zone_from_text(&apex.to_string(), "@ 60 SOA . . 7 2 3 4 5\n@ 60 NS .\n").unwrap();
    let image = advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image;
    assert_eq!(image.owner(apex.borrow()).map(Owner::rank), Some(0));
    assert!(image.covering(b"05fmrhdlj2k56mqn9jkc2tpkjtlib4ut").is_none());
}
