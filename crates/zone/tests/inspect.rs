//! What is said about contents that are doubtful, and that nothing is said about those that are not.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use dns::text::zone_from_text;
use dns::{Name, RecordRef, Records, Type};
use proptest::prelude::*;
use zone::inspect::{NAMED_MAX, Warning, horizon};
use zone::zonemd::Verdict;
use zone::{Change, Image, Inspection, Limits, advance, inspect};

const NSEC: &str = include_str!("fixtures/nsec.zone");
const NSEC3: &str = include_str!("fixtures/nsec3.zone");
const OPT_OUT: &str = include_str!("fixtures/optout.zone");

/// 2026-01-01 and 2027-01-01, between which the signatures hold.
const BEGIN: u64 = 1_767_225_600;
const END: u64 = 1_798_761_600;
const NOW: u64 = 1_780_000_000;

fn image(apex: &str, records: Records) -> Image {
    let apex: Name = apex.parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [5; 16], Limits::default()).unwrap().image
}

fn inspected(text: &str, now_secs: u64) -> Inspection {
    inspect(&image("example.", zone_from_text("example.", text).unwrap()), now_secs)
}

fn said(inspection: &Inspection) -> Vec<String> {
    inspection.warnings.named().iter().map(Warning::to_string).collect()
}

/// The text without the lines of which one begins with each of these.
fn without(text: &str, beginnings: &[&str]) -> String {
    let is_kept = |line: &&str| !beginnings.iter().any(|beginning| line.starts_with(beginning));
    text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

#[test]
fn nothing_is_said_about_sound_zones() {
    for zone in [NSEC, NSEC3, OPT_OUT] {
        let inspection = inspected(zone, NOW);
        assert_eq!(said(&inspection), [""; 0]);
        let horizon = horizon(&image("example.", zone_from_text("example.", zone).unwrap()), NOW);
        assert_eq!(horizon, inspection.horizon);
        let horizon = horizon.unwrap();
        assert_eq!((inspection.zonemd, horizon.at_secs, horizon.validity_secs), (Verdict::Absent, END, END - BEGIN));
    }
    let unsigned = inspected("@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\na.b 60 A 192.0.2.1\n", NOW);
    assert!(unsigned.warnings.is_empty() && unsigned.horizon.is_none());
}

#[test]
fn doubts_about_a_chain_of_nsec_records_are_said() {
    let next = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    };
    let cases = [
        (
            without(NSEC, &["a.example. 300 NSEC ", "a.example. 300 RRSIG NSEC "]),
            vec![
                "a.example. has no NSEC record, which every name of the zone needs (RFC 4035 §2.3)",
                "the NSEC record of example. leads to a.example., and alias.example. comes next",
            ],
        ),
        (
            next(NSEC, "*.w.example. 300 NSEC example. ", "*.w.example. 300 NSEC a.example. "),
            vec!["the NSEC record of *.w.example. leads to a.example., and example. comes next"],
        ),
        (
            NSEC.to_owned() + "ns.plain 300 NSEC secure A\n",
            vec!["ns.plain.example. has an NSEC record, though it lies below a zone cut (RFC 4035 §2.3)"],
        ),
        (
            next(NSEC, "a.example. 300 NSEC alias.", "a.example. 300 NSEC aa.")
                + "aa 300 NSEC alias A\naa 300 RRSIG NSEC 13 2 300 20270101000000 20260101000000 1 example. AAAA\n",
            vec!["aa.example. has an NSEC record and nothing else (RFC 4035 §2.3)"],
        ),
        (
            next(NSEC, "plain.example. 300 NSEC secure.", "plain.example. 300 NSEC ns.plain.")
                + "ns.plain 300 NSEC secure A\n",
            vec!["ns.plain.example. has an NSEC record, though it lies below a zone cut (RFC 4035 §2.3)"],
        ),
        (NSEC.to_owned() + "a 300 NSEC alias2 TXT\n", vec!["a.example. has more than one NSEC record"]),
        (
            without(NSEC, &["a.example. 60 RRSIG A ", "plain.example. 300 RRSIG NSEC "]),
            vec![
                "a.example. A is not signed, in a zone that is (RFC 4035 §2.2)",
                "plain.example. NSEC is not signed, in a zone that is (RFC 4035 §2.2)",
            ],
        ),
    ];
    for (zone, expected) in cases {
        assert_eq!(said(&inspected(&zone, NOW)), expected);
    }
}

/// The first label of the NSEC3 record's owner at this place in the ring.
fn hash(text: &str, place: usize) -> &str {
    let mut hashes: Vec<&str> =
        text.lines().filter(|line| line.contains(" NSEC3 1 ")).map(|line| line.split('.').next().unwrap()).collect();
    hashes.sort_unstable();
    hashes[place]
}

#[test]
fn doubts_about_a_ring_of_nsec3_records_are_said() {
    let [first, second, third] = [0, 1, 2].map(|place| hash(NSEC3, place));
    let open = without(NSEC3, &[&format!("{second}.")]);
    let broken = format!("the NSEC3 record of {first}.example. does not lead to the next one, {third}.example.");
    // Eleven names and four empty non-terminals own a record; the one below the DNAME might.
    assert_eq!(
        said(&inspected(&open, NOW)),
        [&broken, "the chain of NSEC3 records has 14 of them, and between 15 and 16 names need one"]
    );
    let opened = without(OPT_OUT, &[&format!("{}.", hash(OPT_OUT, 0))]);
    assert!(said(&inspected(&opened, NOW))[0].contains("does not lead to the next one"), "around the end");

    let signed = |owner: &str, rtype: &str| {
        format!("{owner} 300 RRSIG {rtype} 13 2 300 20270101000000 20260101000000 1 example. AAAA\n")
    };
    let records_of = |parameters: &str| NSEC3.replace("NSEC3 1 0 0 -", parameters);
    let both = NSEC3.to_owned() + "@ 0 NSEC3PARAM 1 0 7 AABB\n";
    let cases = [
        (
            records_of("NSEC3 1 0 0 AA"),
            "there is no NSEC3 record for the NSEC3PARAM record with 0 iterations and the salt -",
        ),
        (both, "there are 2 chains of NSEC3 records, for as many NSEC3PARAM records"),
        (
            format!("{NSEC3}{third} 300 NSEC3 1 0 0 - {first}\n"),
            &format!("{}.example. has more than one NSEC3 record of one chain", third.to_lowercase()),
        ),
        (
            format!("{NSEC3}w{} 300 NSEC3 1 0 0 - {first}\n", &second[1..])
                + &signed(&format!("w{}", &second[1..]), "NSEC3"),
            &format!(
                "w{}.example. has an NSEC3 record, but is no hash directly below the apex (RFC 5155 §3)",
                &second[1..]
            ),
        ),
        (
            NSEC3.replace("NSEC3PARAM 1 0 0 -", "NSEC3PARAM 2 0 0 -"),
            "NSEC3 uses hash algorithm 2, which resolvers pass over (RFC 5155 §8.1)",
        ),
        (
            NSEC3.replace("PARAM 1 0 0 -", "PARAM 1 0 501 -").replace("NSEC3 1 0 0 -", "NSEC3 1 0 501 -"),
            "NSEC3 hashes each name 501 times again, and resolvers refuse more than 500 (RFC 9276 Appendix A)",
        ),
    ];
    for (zone, expected) in cases {
        let said = said(&inspected(&zone, NOW));
        assert!(said.iter().any(|said| said.eq_ignore_ascii_case(expected)), "{said:?} lacks {expected}");
    }
}

#[test]
fn what_rfc_5155_allows_is_not_doubted() {
    // Opt-out for one record of a ring, a ring that nothing refers to, NSEC3PARAM with a flag, 500 iterations.
    let mixed = NSEC3.replacen("NSEC3 1 0 0 -", "NSEC3 1 1 0 -", 1);
    let spare = NSEC3.to_owned() + &format!("{} 300 NSEC3 1 0 5 AABB {}\n", hash(NSEC3, 1), hash(NSEC3, 3));
    let flagged = NSEC3.to_owned() + "@ 0 NSEC3PARAM 1 128 7 AABB\n";
    let many = NSEC3.replace("PARAM 1 0 0 -", "PARAM 1 0 500 -").replace("NSEC3 1 0 0 -", "NSEC3 1 0 500 -");
    for zone in [mixed, spare, flagged, many] {
        assert_eq!(said(&inspected(&zone, NOW)), [""; 0]);
    }
    // A DNAME at the apex hides every name but those of NSEC3 records (RFC 5155 §3).
    let hidden = inspected(
        "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.test.\n@ 60 DNAME b.test.\n@ 0 NSEC3PARAM 1 0 0 -\n\
         0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 60 NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom DNAME\n",
        NOW,
    );
    assert_eq!(said(&hidden), [""; 0]);
}

#[test]
fn a_name_below_a_dname_is_in_the_chain_or_not_as_the_signer_likes() {
    let knots = NSEC.replace("dn.example. 300 NSEC deleg.ent2.", "dn.example. 300 NSEC under.dn.")
        + "under.dn 300 NSEC deleg.ent2 A RRSIG NSEC\n";
    assert_eq!(said(&inspected(&knots, NOW)), [""; 0]);
}

#[test]
fn an_rrset_holds_as_long_as_one_of_its_signatures() {
    let codes = |now_secs| inspected(NSEC, now_secs).warnings.counts().collect::<Vec<_>>();
    assert!(codes(BEGIN).is_empty() && codes(END).is_empty());
    assert!(codes(END - 86_401).is_empty());
    assert_eq!(codes(END - 86_400)[0].0, "signature_lapses_soon", "its signer should have renewed them");
    assert_eq!(codes(BEGIN - 1)[0].0, "signature_in_future");
    assert_eq!(codes(END + 1)[0].0, "signature_expired");
    assert_eq!(
        said(&inspected(NSEC, END + 60))[0],
        "no signature over example. NS holds any more, the last one for 60 s"
    );
    let left_over = "a 60 RRSIG A 13 2 60 20260201000000 20260101000000 9 example. AAAA\n";
    let inspection = inspected(&(NSEC.to_owned() + left_over), NOW);
    assert!(inspection.warnings.is_empty());
    assert_eq!(inspection.horizon.unwrap().at_secs, END);

    let short =
        NSEC.replace("a.example. 60 RRSIG A 13 2 60 20270101000000", "a.example. 60 RRSIG A 13 2 60 20260801000000");
    let horizon = inspected(&short, NOW).horizon.unwrap();
    assert_eq!(
        (horizon.at_secs, horizon.owner, horizon.rtype),
        (1_785_542_400, "a.example.".parse().unwrap(), Type::A)
    );
}

#[test]
fn times_of_signatures_lie_on_a_circle() {
    // Both sides of 2106-02-07, where 32 bits end.
    let zone = "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a.test.\n\
                @ 60 RRSIG NS 13 1 60 200 4294967000 1 example. AAAA\n";
    let circle = 1_u64 << 32;
    for (now_secs, count) in [(circle - 100, 1), (circle + 200, 1), (circle + 201, 2), (circle - 297, 2)] {
        let inspection = inspected(zone, now_secs);
        assert_eq!(inspection.horizon.as_ref().unwrap().at_secs, circle + 200);
        // One for the lack of keys in any case.
        assert_eq!(
            inspection.warnings.counts().map(|(_, count)| count).sum::<u64>(),
            count,
            "{:?}",
            said(&inspection)
        );
    }
}

#[test]
fn a_zone_that_is_half_signed_is_doubted_once() {
    let codes = |text: &str| inspected(text, NOW).warnings.counts().map(|(code, _)| code).collect::<Vec<_>>();
    let unsigned = NSEC.lines().filter(|line| !line.contains(" RRSIG ")).collect::<Vec<_>>().join("\n");
    assert_eq!(codes(&unsigned), ["keys_without_signatures"]);
    assert_eq!(
        codes(&without(NSEC, &["example. 60 DNSKEY", "example. 60 RRSIG DNSKEY"])),
        ["signatures_without_keys"]
    );
    let bare: String = NSEC.lines().filter(|line| !line.contains(" NSEC ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(codes(&bare), ["no_denial"]);
}

#[test]
fn of_each_kind_ten_are_named_and_all_are_counted() {
    let many: String = (0..1000).map(|number| format!("n{number} 60 A 192.0.2.1\n")).collect();
    let warnings = inspected(&(NSEC.to_owned() + &many), END + 1).warnings;
    let counts: BTreeMap<_, _> = warnings.counts().collect();
    assert_eq!((counts["nsec_missing"], counts["not_signed"]), (1000, 1000));
    let named = |code| warnings.named().iter().filter(|warning| warning.code() == code).count() as u64;
    assert_eq!(named("nsec_missing"), NAMED_MAX);
    assert_eq!(named("signature_expired"), NAMED_MAX, "one kind does not crowd out another");
}

#[test]
fn names_and_apexes_as_long_as_names_can_be_survive() {
    // NSEC3 owners of 255 octets lie below an apex of 222; below a longer one there is no room for any.
    let hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
    let label = "l".repeat(63);
    for (octets, ring) in [(222, Some(hash)), (223, None), (253, None), (255, None)] {
        let apex = format!("{}.{label}.{label}.{label}.", "x".repeat(octets - 3 * 64 - 2));
        let mut zone = format!(
            "@ 1 SOA a.test. b.test. 1 2 3 4 5\n@ 1 NS a.test.\n@ 0 NSEC3PARAM 1 0 0 -\n@ 1 NSEC {apex} SOA\n"
        );
        if let Some(hash) = ring {
            zone += &format!("{hash} 1 NSEC3 1 0 0 - {hash} SOA\n");
        }
        let inspection = inspect(&image(&apex, zone_from_text(&apex, &zone).unwrap()), NOW);
        let kinds: Vec<_> = inspection.warnings.counts().map(|(code, _)| code).collect();
        assert_eq!(kinds, if ring.is_some() { vec![] } else { vec!["nsec3_chain_empty"] }, "{octets}");
    }
}

#[test]
fn the_root_zone_has_a_sound_chain() {
    let root = zone_from_text(".", include_str!("../../../testing/data/root-2026082201.zone")).unwrap();
    let inspection = inspect(&image(".", root), 1_787_500_000);
    // Its signatures were left out, but for two.
    let kinds: Vec<_> = inspection.warnings.counts().map(|(code, _)| code).collect();
    assert_eq!(kinds, ["not_signed"]);
    assert!(matches!(inspection.zonemd, Verdict::Mismatch { .. }));
}

/// The zone with a chain of NSEC records, made from what the image says of its names.
fn chained(zone: &str) -> Vec<String> {
    let image = image("example.", zone_from_text("example.", zone).unwrap());
    let owners = image.owners().filter(|owner| !owner.is_occluded() && !owner.is_empty_non_terminal());
    let names: Vec<String> = owners.map(|owner| owner.name().to_string()).collect();
    let link = |at: usize| format!("{} 60 NSEC {} A\n", names[at], names[(at + 1) % names.len()]);
    (0..names.len()).map(link).collect()
}

fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["@", "a", "A", "b.a", "*.a", "\\000.z", "d", "x.d", "y.x.d", "e.f.g", "h"]);
    let data = prop::sample::select(vec!["A 192.0.2.1", "TXT x", "NS a", "DS 1 13 2 AA", "MX 1 b"]);
    (name, data).prop_map(|(name, data)| format!("{name} 60 {data}\n"))
}

/// Types whose data is read here, of any octets.
fn crafted() -> impl Strategy<Value = (Type, Vec<u8>)> {
    let rtype = prop::sample::select(vec![
        Type::NSEC,
        Type::NSEC3,
        Type::NSEC3PARAM,
        Type::RRSIG,
        Type::DNSKEY,
        Type::ZONEMD,
        Type::DNAME,
        Type::NS,
    ]);
    let octets = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30),
        prop::collection::vec(0_u8..3, 0..60),
        Just(vec![1, 0, 0, 0, 0]),
        prop::collection::vec(any::<u8>(), 20).prop_map(|hash| [&[1, 0, 0, 0, 0, 20], &hash[..]].concat()),
    ];
    (rtype, octets)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_is_sound_until_a_link_is_missing(lines in prop::collection::vec(line(), 1..30), cut in any::<usize>()) {
        let zone = "@ 60 SOA ns.test. host 1 2 3 4 5\n@ 60 NS ns.test.\n".to_owned() + &lines.concat();
        let mut links = chained(&zone);
        prop_assert_eq!(said(&inspected(&(zone.clone() + &links.concat()), NOW)), Vec::<String>::new());
        if links.len() > 1 {
            links.remove(1 + cut % (links.len() - 1));
            let inspection = inspected(&(zone + &links.concat()), NOW);
            let kinds: Vec<_> = inspection.warnings.counts().collect();
            prop_assert_eq!(kinds, [("nsec_broken", 1), ("nsec_missing", 1)]);
        }
    }

    #[test]
    fn no_octets_make_it_panic(
        all in prop::collection::vec((prop::sample::select(vec![
            "example.", "a.example.", "x.a.example.", "05fmrhdlj2k56mqn9jkc2tpkjtlib4ut.example.",
            "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg.example.", "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg.a.example.",
        ]), crafted()), 0..40),
        now_secs in any::<u64>(),
    ) {
        let mut records = zone_from_text("example.", "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\n").unwrap();
        let mut has_dname = std::collections::BTreeSet::new();
        for (owner, (rtype, octets)) in &all {
            if *rtype != Type::DNAME || has_dname.insert(owner) {
                let owner: Name = owner.parse().unwrap();
                records.push(RecordRef { owner: owner.borrow(), rtype: *rtype, ttl: 60, rdata: octets });
            }
        }
        let inspection = inspect(&image("example.", records), now_secs);
        for (code, count) in inspection.warnings.counts() {
            let named = inspection.warnings.named().iter().filter(|warning| warning.code() == code).count() as u64;
            prop_assert_eq!(named, count.min(NAMED_MAX));
        }
    }
}
