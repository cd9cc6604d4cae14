use std::fmt::Write as _;

use dns::text::{record_to_text, zone_from_text};
use dns::{Name, Serial, Type};

use crate::image::{Deepest, Denial, Owner, UNIT};
use crate::nsec3::{Hash, Parameters, SHA_1, from_label, to_label};
use crate::{Change, Diff, Image, Limits, advance};

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
        assert_eq!(image.owner(shouted.borrow()).map(Owner::number), Some(owner.number()));
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

/// The hashes that have NSEC3 records, in the order of the ring, and the label of what covers or matches a name.
fn of_ring(image: &Image, text: &str) -> String {
    let Denial::Nsec3(ring) = image.denial() else { panic!("no ring") };
    ring.of(name(text).borrow()).name().to_string()[..4].to_lowercase()
}

/// Signs nothing, but has an NSEC3 record for each of these names, with the salt of the RFC's example.
fn ring_of(names: &[&str]) -> String {
    let parameters = Parameters { algorithm: SHA_1, iterations: 12, salt: &[0xaa, 0xbb, 0xcc, 0xdd] };
    let mut hashes: Vec<Hash> = names.iter().map(|text| parameters.hash(name(text).borrow())).collect();
    hashes.sort_unstable();
    let mut text = "@ 0 NSEC3PARAM 1 0 12 AABBCCDD\n".to_owned();
    for (hash, next) in hashes.iter().zip(hashes.iter().cycle().skip(1)) {
        text += &format!("{} 60 NSEC3 1 0 12 AABBCCDD {} A\n", to_label(hash), to_label(next));
    }
    text
}

const SOA_AND_NS: &str = "@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns\n";

#[test]
fn the_ring_gives_the_record_that_matches_or_covers_and_goes_around_the_circle() {
    // RFC 5155 Appendix A and B.
    let names =
        ["example.", "a.example.", "ai.example.", "ns1.example.", "ns2.example.", "w.example.", "*.w.example."];
    let image = image(&(SOA_AND_NS.to_owned() + &ring_of(&names) + "w 60 A 192.0.2.1\n*.w 60 A 192.0.2.1\n"));
    assert_eq!(of_ring(&image, "EXAMPLE."), "0p9m", "matching");
    // c.x.w hashes to 0va5…, *.x.w to 92pq…, the names with the highest and the lowest hash of all of these to r53b… and 0p9m….
    assert_eq!(of_ring(&image, "c.x.w.example."), "0p9m", "covering");
    let before_the_first = (0..2000).map(|number| format!("{number}.example.")).find(|candidate| {
        Parameters { algorithm: SHA_1, iterations: 12, salt: &[0xaa, 0xbb, 0xcc, 0xdd] }
            .hash(name(candidate).borrow())[0]
            == 0
    });
    assert_eq!(of_ring(&image, &before_the_first.unwrap()), "r53b", "before the first is behind the last");
    let Denial::Nsec3(ring) = image.denial() else { panic!("no ring") };
    let owner = |text: &str| image.owner(name(text).borrow()).unwrap();
    for _ in 0..2 {
        assert!(
            ring.matching(owner("w.example.")).is_some_and(|found| found.name().to_string().starts_with("k8udemvp"))
        );
        assert!(ring.matching(owner("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example.")).is_none());
        let below = ring.of_wildcard_below(owner("w.example."));
        assert!(below.name().to_string().starts_with("r53bq7cc"), "the wildcard is there: {}", below.name());
    }
}

#[test]
fn a_large_ring_gives_what_a_walk_along_it_gives() {
    let names: Vec<String> = (0..1000).map(|number| format!("n{number}.example.")).collect();
    let text = ring_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let image = image(&(SOA_AND_NS.to_owned() + &text));
    let parameters = Parameters { algorithm: SHA_1, iterations: 12, salt: &[0xaa, 0xbb, 0xcc, 0xdd] };
    let mut ring: Vec<(Hash, String)> = image
        .owners()
        .filter(|owner| owner.is_hash())
        .map(|owner| (from_label(owner.name().labels().next().unwrap()).unwrap(), owner.name().to_string()))
        .collect();
    ring.sort();
    for number in 0..2000 {
        let candidate = format!("n{number}.example.");
        let hash = parameters.hash(name(&candidate).borrow());
        let (_, expected) = ring.iter().rev().find(|(found, _)| *found <= hash).unwrap_or(ring.last().unwrap());
        assert_eq!(of_ring(&image, &candidate), expected[..4].to_lowercase(), "{candidate}");
    }
}

#[test]
fn a_zone_denies_by_the_ring_that_its_parameters_name() {
    let kind = |text: &str| match image(&(SOA_AND_NS.to_owned() + text)).denial() {
        Denial::Unsigned => "unsigned".to_owned(),
        Denial::Nsec => "nsec".to_owned(),
        Denial::Nsec3(ring) => format!("{:?} {}", ring.parameters(), ring.is_too_dear()),
    };
    let hash = "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg";
    let in_use =
        |iterations: u16| format!("@ 0 NSEC3PARAM 1 0 {iterations} -\n{hash} 60 NSEC3 1 0 {iterations} - {hash} A\n");
    assert_eq!(kind(""), "unsigned");
    assert_eq!(kind("@ 60 NSEC ns NS SOA\n"), "nsec");
    assert_eq!(kind(&in_use(500)), "Parameters { algorithm: 1, iterations: 500, salt: [] } false");
    assert_eq!(
        kind(&(in_use(501) + "@ 60 NSEC ns NS SOA\n")),
        "Parameters { algorithm: 1, iterations: 501, salt: [] } true"
    );
    // RFC 5155 §4.1.2: one with flags is not in use; nor is one without records.
    assert_eq!(kind(&format!("@ 0 NSEC3PARAM 1 1 0 -\n{hash} 60 NSEC3 1 0 0 - {hash} A\n")), "unsigned");
    let another = format!("@ 0 NSEC3PARAM 1 0 0 AA\n{}", in_use(3));
    assert_eq!(kind(&another), "Parameters { algorithm: 1, iterations: 3, salt: [] } false");
}

#[test]
fn a_name_that_is_there_for_its_nsec3_record_alone_is_known_as_such() {
    let (first, second) = ("05fmrhdlj2k56mqn9jkc2tpkjtlib4ut", "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg");
    let text = format!(
        "{first} 60 NSEC3 1 0 0 - {second} A\n{second} 60 NSEC3 1 0 0 - {first} A\na.{second} 60 A 192.0.2.1\n"
    );
    let image = image(&(SOA_AND_NS.to_owned() + &text));
    let is_hash = |text: &str| image.owner(name(text).borrow()).unwrap().is_hash();
    assert!(is_hash(&format!("{first}.example.")));
    assert!(!is_hash(&format!("{second}.example.")) && !is_hash("example."));
}

/// Contents of `format-2.image`, which the program wrote that had this format, with the seed that [`image`] takes.
const ZONE_OF_FORMAT_2: &str = "
@ 3600 SOA ns1 host 7 2 3 4 5
@ 3600 RRSIG SOA 13 1 3600 20300101000000 20200101000000 1 example. AAAA
@ 3600 NS ns1
@ 3600 NS ns2.example.net.
@ 3600 RRSIG NS 13 1 3600 20300101000000 20200101000000 1 example. AAAA
@ 60 RRSIG NS 14 1 3600 20300101000000 20200101000000 1 example. AAAA
@ 0 NSEC3PARAM 1 0 0 -
ns1 60 A 192.0.2.1
ns1 60 A 192.0.2.2
a.b.c 60 TXT \"deep\"
*.wild 60 A 192.0.2.2
sub 60 NS ns.sub
ns.sub 60 A 192.0.2.3
alias 60 DNAME target
under.alias 60 A 192.0.2.4
Mixed 60 A 192.0.2.5
mIxed 60 TXT \"x\"
mixeD 30 RRSIG TXT 13 1 3600 20300101000000 20200101000000 1 example. AAAA
left 30 RRSIG A 13 1 3600 20300101000000 20200101000000 1 example. AAAA
t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg 60 NSEC3 1 0 0 - 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A
05FMRHDLJ2K56MQN9JKC2TPKJTLIB4UT 60 NSEC3 1 0 0 - t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg A
05FMRHDLJ2K56MQN9JKC2TPKJTLIB4UT 60 RRSIG NSEC3 13 2 60 20300101000000 20200101000000 1 example. AAAA
";

#[test]
fn images_of_formats_before_are_read_with_all_that_they_hold() {
    let formats = [include_bytes!("data/format-1.image").as_slice(), include_bytes!("data/format-2.image")];
    for (before, count) in formats.into_iter().zip([13, 22]) {
        let read = Image::from_bytes(before.into()).unwrap();
        let text: Vec<String> = read.records().map(record_to_text).collect();
        assert_eq!((text.len(), read.serial().0, read.record_count()), (count, 7, count as u64));
        let anew = image(&text.join("\n"));
        assert!(read.as_bytes() == anew.as_bytes());
        assert!(matches!(read.denial(), Denial::Nsec3(_)));
    }
}

#[test]
fn an_image_of_format_2_is_what_its_records_make_today() {
    let read = Image::from_bytes(include_bytes!("data/format-2.image").as_slice().into()).unwrap();
    assert!(read.as_bytes() == image(ZONE_OF_FORMAT_2).as_bytes());
    let mixed = read.owner(name("mixed.example.").borrow()).unwrap().rrset(Type::TXT).unwrap();
    let signature = mixed.signatures().next().unwrap();
    assert_eq!((mixed.ttl(), signature.ttl, signature.owner.to_string()), (60, 30, "mixeD.Example.".into()));
}

#[test]
fn damage_of_an_image_of_a_format_before_is_seen() {
    let octets = include_bytes!("data/format-2.image");
    for at in 0..octets.len() {
        let mut damaged = octets.to_vec();
        damaged[at] ^= 0x10;
        assert!(Image::from_bytes(damaged.into()).is_err(), "octet {at}");
        assert!(Image::from_bytes(octets[..at].into()).is_err(), "cut at {at}");
    }
}

#[test]
fn rrsets_of_all_sizes_are_held_with_their_signatures_and_spellings() {
    // Records, and octets of each; the numbers in a header reach to 255 of them and 65,535 octets.
    for (records, octets) in [(1, 10), (255, 10), (256, 10), (255, 255), (256, 254), (300, 255)] {
        for (signatures, ttl) in [(0, 60), (1, 60), (3, 60), (3, 30)] {
            let mut text = "@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS ns\nmixed 60 A 192.0.2.1\n".to_owned();
            for number in 0..records {
                let _ = writeln!(text, "miXed 60 TXT \"{number:x<width$}\"", width = octets - 1);
            }
            for number in 0..signatures {
                let signature = "RRSIG TXT 13 1 60 20300101000000 20200101000000";
                let _ = writeln!(text, "mixeD {ttl} {signature} {number} example. AAAA");
            }
            text += "mixed 60 TYPE65280 \\# 1 00\n";
            let octets = image(&text).as_bytes().to_vec();
            let image = Image::from_bytes(octets.into()).unwrap();
            let sorted = |texts: &mut dyn Iterator<Item = String>| {
                let mut texts: Vec<String> = texts.collect();
                texts.sort();
                texts
            };
            let given = sorted(&mut zone_from_text("Example.", &text).unwrap().iter().map(record_to_text));
            assert!(sorted(&mut image.records().map(record_to_text)) == given, "{records} and {signatures}");
            let rrset = image.owner(name("mixed.example.").borrow()).unwrap().rrset(Type::TXT).unwrap();
            assert_eq!((rrset.record_count(), rrset.signature_count()), (records, signatures));
            assert!(rrset.has_records() && rrset.is_signed() == (signatures > 0));
        }
    }
}

#[test]
fn on_either_side_of_256_kib_a_zone_is_the_same_by_steps_as_whole() {
    // There the order's entries begin to need more than 16 bits. The zone is the root, whose name is the shortest.
    const BORDER_UNITS: u32 = 1 << 16;
    let apex = name(".");
    let soa = |serial: u32| format!("@ 60 SOA ns host {serial} 2 3 4 5\n");
    let last = |octets: usize| format!("zz 60 TYPE65280 \\# {octets} {}\n", "00".repeat(octets));
    let mut hosts = "@ 60 NS ns\n".to_owned();
    for number in 0..6_000 {
        let _ = writeln!(hosts, "h{number} 60 A 192.0.2.1");
    }
    let records = |text: &str| zone_from_text(".", text).unwrap();
    let change = |old: Option<&Image>, change: Change, rebuilt_octets_max: usize| {
        let limits = Limits { rebuilt_octets_max, ..Limits::NONE };
        advance(apex.borrow(), old, &change, [7; 16], limits).unwrap().image
    };
    let whole = |serial: u32, octets: usize| {
        change(None, Change::Full(records(&(soa(serial) + &hosts + &last(octets)))), usize::MAX)
    };
    let mut held = whole(1, 1);
    let missing = (BORDER_UNITS - held.table.slots_at_unit()) as usize * UNIT + 1;
    let (mut octets, mut entries) = (1, Vec::new());
    for (serial, next) in (2..).zip([missing - 4, missing, missing + 4, missing - 4]) {
        let whole = whole(serial, next);
        let diff = Diff {
            from: Serial(serial - 1),
            to: Serial(serial),
            removed: records(&(soa(serial - 1) + &last(octets))),
            added: records(&(soa(serial) + &last(next))),
        };
        let laid_over = change(Some(&held), Change::Steps(vec![diff]), 0);
        assert!(!laid_over.is_merged() && laid_over.merged().as_bytes() == whole.as_bytes());
        let read = Image::from_bytes(whole.as_bytes().into()).unwrap();
        for image in [&laid_over, &read] {
            assert!(image.records().eq(whole.records()));
            for owner in whole.owners() {
                assert!(image.owner(owner.name()).is_some_and(|found| found.records().eq(owner.records())));
            }
        }
        entries.push((read.table.slots_at_unit(), read.table.entry_octets()));
        (held, octets) = (laid_over.merged(), next);
    }
    let short = (BORDER_UNITS - 1, 2);
    assert_eq!(entries, [short, (BORDER_UNITS, 4), (BORDER_UNITS + 1, 4), short]);
}

#[test]
fn a_zone_of_eight_records_takes_half_a_kilobyte() {
    // As `benches/peers` has a hundred thousand of them.
    let text = "@ 3600 SOA ns1 hostmaster 1 3600 600 1209600 300\n@ 3600 NS ns1.dns.example.net.\n\
        @ 3600 NS ns2.dns.example.net.\n@ 3600 A 10.0.0.5\n@ 3600 MX 10 mail\nmail 3600 A 10.0.0.3\n\
        www 3600 CNAME @\n@ 3600 TXT \"v=spf1 mx -all\"\n";
    let records = zone_from_text("t0000001.example.", text).unwrap();
    let apex = name("t0000001.example.");
    let image = advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image;
    assert_eq!(image.record_count(), 8);
    assert!(image.octets() <= 480, "{} octets", image.octets());
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
    let back = Image::from_bytes(octets.clone().into()).unwrap();
    assert!(back.records().eq(image.records()));
    assert_eq!(back.digest(), image.digest());
    for at in 0..octets.len() {
        let mut damaged = octets.clone();
        damaged[at] ^= 0x10;
        assert!(Image::from_bytes(damaged.into()).is_err(), "octet {at}");
        assert!(Image::from_bytes(octets[..at].into()).is_err(), "cut at {at}");
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
    let ring = ring_of(&["a.example.", "b.example."]);
    let no_base32 = "z".repeat(32);
    let odd: String = ["@", "zz", &no_base32, "zz.0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "*"]
        .map(|owner| format!("{owner} 60 NSEC3 1 1 12 AABBCCDD 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A\n"))
        .concat();
    let (with, without) = (image(&(SOA_AND_NS.to_owned() + &ring + &odd)), image(&(SOA_AND_NS.to_owned() + &ring)));
    assert_eq!(with.record_count(), 10);
    for number in 0..50 {
        let candidate = format!("n{number}.example.");
        assert_eq!(of_ring(&with, &candidate), of_ring(&without, &candidate));
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
    assert_eq!(image.owner(apex.borrow()).map(Owner::number), Some(0));
    assert!(matches!(image.denial(), Denial::Unsigned));
}
