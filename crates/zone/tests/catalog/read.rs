//! Reading: every way to be valid, every way to be broken.

use dns::{RecordRef, Records, Serial, Type};
use zone::catalog::{Broken, read as read_image};
use zone::{Change, Limits, advance};

use super::{image, label, listing, name, read};

/// Why this is not a catalog, in one sentence.
fn broken(records: &str) -> String {
    read("cat.", records).unwrap_err().to_string()
}

#[test]
fn members_are_read_with_their_properties_in_the_order_of_their_names() {
    let listing = listing(
        "cat.invalid.",
        "b.zones 0 PTR WwW.Example.org.
         a.zones 0 PTR example.net.
         group.a.zones 0 TXT nodnssec
         coo.b.zones 0 PTR Other.invalid.",
    );
    assert_eq!((listing.catalog(), listing.serial()), (&name("cat.invalid."), Serial(7)));
    let [net, org] = listing.entries() else { panic!("{listing:?}") };
    assert_eq!(
        (&net.zone, &net.label, net.groups.as_slice()),
        (&name("example.net."), &label("a"), &["nodnssec".into()][..])
    );
    assert_eq!(net.coo, None);
    assert_eq!(org.zone.to_string(), "WwW.Example.org.", "as it is spelled");
    assert_eq!((org.groups.len(), org.coo.as_ref()), (0, Some(&name("other.invalid."))));
}

#[test]
fn a_catalog_without_members_is_a_valid_one() {
    assert_eq!(listing("cat.", "").entries(), []);
    assert_eq!(listing("cat.", "zones 0 TXT \"none yet\"").entries(), []);
}

#[test]
fn names_are_found_whatever_their_case() {
    let image = image("cat.", "VERSION 0 TXT 2\nA.Zones 0 PTR example.\nGROUP.a.zones 0 TXT g\nCoo.A.ZONES 0 PTR b.");
    let listing = read_image(&image).unwrap();
    assert_eq!((&listing.entries()[0].label, listing.entries()[0].groups.len()), (&label("a"), 1));
    assert!(listing.entries()[0].coo.is_some());
}

#[test]
fn what_means_nothing_to_us_is_ignored() {
    // RFC 9432 §3, §4.2 and §4.4: other records, other types, custom properties, properties to come.
    let listing = listing(
        "cat.",
        "a.zones 0 PTR example.
         a.zones 0 TXT \"not a PTR\"
         version 0 A 192.0.2.1
         coo.a.zones 0 TXT \"not a PTR\"
         group.a.zones 0 PTR not-a.txt.
         primaries.ext.a.zones 0 A 192.0.2.1
         primaries.ext 0 A 192.0.2.1
         later.a.zones 0 PTR x.
         zones 0 PTR not-a-member.
         x 0 PTR not-a-member.
         a.zones.x 0 PTR not-a-member.
         b.zones 0 A 192.0.2.1
         coo.c.zones 0 PTR other.",
    );
    assert_eq!(listing.entries().len(), 1);
    assert_eq!((listing.entries()[0].groups.len(), listing.entries()[0].coo.as_ref()), (0, None));
}

#[test]
fn groups_that_cannot_be_ours_are_ignored() {
    // RFC 9432 §4.3.2: several are allowed, and what is not understood is ignored.
    let listing = listing(
        "cat.",
        "a.zones 0 PTR example.
         group.a.zones 0 TXT z
         group.a.zones 0 TXT b
         group.a.zones 0 TXT two strings
         group.a.zones 0 TXT \"\\200\\200\"
         group.a.zones 0 TXT \"null\\000\"
         group.a.zones 0 TXT \"\"",
    );
    assert_eq!(listing.entries()[0].groups, ["b", "z"]);
}

#[test]
fn any_name_can_be_a_member_and_any_label_its_node() {
    let listing = listing(
        "cat.",
        "a\\.b.zones 0 PTR .
         \\200.zones 0 PTR 0/25.2.0.192.in-addr.arpa.
         *.zones 0 PTR \\000.example.
         end\\..zones 0 PTR cat.",
    );
    assert_eq!(listing.entries().len(), 4);
    for entry in listing.entries() {
        assert_eq!(label(&entry.label.to_string()), entry.label, "a label reads back");
    }
    assert!("two.labels".parse::<zone::catalog::Label>().is_err());
    assert!(".".parse::<zone::catalog::Label>().is_err());
}

#[test]
fn a_catalog_has_one_version_and_it_is_2() {
    let of = |records: &str| read_image(&image("cat.", records)).unwrap_err();
    assert_eq!(of("a.zones 0 PTR example."), Broken::NoVersion { catalog: name("cat.") });
    assert_eq!(of("version 0 A 192.0.2.1"), Broken::NoVersion { catalog: name("cat.") });
    assert_eq!(of("version 0 TXT 2\nversion 0 TXT 1"), Broken::SeveralVersions { catalog: name("cat.") });
    for text in ["1", "3", "02", "\"2\" \"2\"", "\"\"", "\"2 \""] {
        let error = of(&format!("version 0 TXT {text}"));
        assert!(matches!(error, Broken::UnknownVersion { .. }), "{text}: {error}");
    }
    assert_eq!(
        of("version 0 TXT \"\\200\"").to_string(),
        "its version is \"\\xc8\", and only \"2\" can be read (RFC 9432 §4.2.1)"
    );
}

#[test]
fn a_node_names_one_zone_and_a_zone_has_one_node() {
    assert_eq!(
        broken("a.zones 0 PTR x.\na.zones 0 PTR y."),
        "a.zones.cat. has more than one PTR record, and may name one zone only (RFC 9432 §4.1)"
    );
    assert_eq!(
        broken("b.zones 0 PTR Example.\na.zones 0 PTR example.\nc.zones 0 PTR other."),
        "example. is listed twice, as a and as b (RFC 9432 §4.1)"
    );
    // One record that came twice, in two spellings, is one record.
    assert_eq!(listing("cat.", "a.zones 0 PTR x.\nA.zones 0 PTR X.").entries().len(), 1);
}

#[test]
fn a_zone_is_given_to_one_catalog_only() {
    assert_eq!(
        broken("a.zones 0 PTR x.\ncoo.a.zones 0 PTR one.\ncoo.a.zones 0 PTR two."),
        "x. is given to more than one catalog: there are several PTR records at coo.a.zones.cat. (RFC 9432 §4.3.1)"
    );
}

#[test]
fn the_groups_of_a_member_are_bounded() {
    let groups = |count: u32| (0..count).map(|n| format!("group.a.zones 0 TXT g{n}\n")).collect::<String>();
    assert_eq!(listing("cat.", &format!("a.zones 0 PTR x.\n{}", groups(64))).entries()[0].groups.len(), 64);
    assert_eq!(broken(&format!("a.zones 0 PTR x.\n{}", groups(65))), "x. has more than 64 groups");
}

#[test]
fn records_that_hold_no_name_break_the_catalog_and_nothing_else() {
    let mut records =
        dns::text::zone_from_text("cat.", "@ 0 SOA a. a. 1 2 3 4 5\n@ 0 NS a.\nversion 0 TXT 2\n").unwrap();
    for rdata in [&b""[..], b"\x05abc", b"\x01a\x00b"] {
        let mut with = Records::new();
        records.iter().for_each(|record| with.push(record));
        with.push(RecordRef { owner: name("a.zones.cat.").borrow(), rtype: Type::PTR, ttl: 0, rdata });
        let image =
            advance(name("cat.").borrow(), None, &Change::Full(with), [5; 16], Limits::default()).unwrap().image;
        assert_eq!(read_image(&image), Err(Broken::NoName { node: name("a.zones.cat.") }));
    }
    records.push(RecordRef { owner: name("version.cat.").borrow(), rtype: Type::TXT, ttl: 0, rdata: b"" });
    let image =
        advance(name("cat.").borrow(), None, &Change::Full(records), [5; 16], Limits::default()).unwrap().image;
    assert!(matches!(read_image(&image), Err(Broken::SeveralVersions { .. })));
}

#[test]
fn a_catalog_whose_name_leaves_no_room_has_no_version() {
    let long = format!("{}.", vec!["a".repeat(49); 5].join("."));
    assert!(matches!(read_image(&image(&long, "")), Err(Broken::NoVersion { .. })));
    // Room for a member's node, but not for its properties.
    let long = format!("{}.", [vec!["a".repeat(47); 4].join("."), "b".repeat(50)].join("."));
    assert_eq!(listing(&long, "x.zones 0 PTR example.").entries().len(), 1);
}
