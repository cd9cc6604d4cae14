//! The law of `advance`, and what it rejects.

#![allow(clippy::unwrap_used)]

use dns::text::{record_to_text, zone_from_text};
use dns::{Name, Records, Serial};
use proptest::prelude::*;
use zone::image::{Denial, Owner};
use zone::{Change, Diff, Digest, Image, Insane, Limits, Rejection, advance, advance_at_once, between};

const SEED: [u8; 16] = [3; 16];

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn records(text: &str) -> Records {
    zone_from_text("example.", text).unwrap()
}

fn full(old: Option<&Image>, text: &str) -> Result<zone::Advanced, Rejection> {
    advance(apex().borrow(), old, &Change::Full(records(text)), SEED, Limits::default())
}

fn image(text: &str) -> Image {
    full(None, text).unwrap().image
}

fn step(from: u32, to: u32, removed: &str, added: &str) -> Diff {
    let soa = |serial: u32| format!("@ 60 SOA ns host {serial} 2 3 4 5\n");
    Diff {
        from: Serial(from),
        to: Serial(to),
        removed: records(&(soa(from) + removed)),
        added: records(&(soa(to) + added)),
    }
}

/// What steps lead to: the same whether all is built anew or what changes is laid over the rest.
fn steps(old: &Image, steps: Vec<Diff>) -> Result<zone::Advanced, Rejection> {
    let change = Change::Steps(steps);
    let built = advance(apex().borrow(), Some(old), &change, SEED, Limits::default());
    let laid_over = advance(apex().borrow(), Some(old), &change, SEED, OVERLAY);
    match (&built, &laid_over) {
        (Ok(built), Ok(laid_over)) => {
            assert_same(&laid_over.image, &built.image);
            assert_eq!((&laid_over.diffs, laid_over.notes), (&built.diffs, built.notes));
        }
        _ => assert_eq!(laid_over.as_ref().err(), built.as_ref().err()),
    }
    laid_over
}

/// No image is too small to be laid over.
const OVERLAY: Limits = Limits { rebuilt_octets_max: 0, ..Limits::NONE };

const HEAD: &str = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\n";

fn head_at(serial: u32) -> String {
    format!("@ 60 SOA ns host {serial} 2 3 4 5\n@ 60 NS ns\n")
}

fn recount(image: &Image) -> Digest {
    let mut digest = Digest::default();
    image.records().for_each(|record| digest.add(record));
    digest
}

/// The octets of an image say all there is to say: two images with the same octets answer alike.
fn assert_same(a: &Image, b: &Image) {
    let text = |image: &Image| image.records().map(record_to_text).collect::<Vec<_>>();
    assert_eq!(text(a), text(b));
    assert_eq!(a.digest(), b.digest());
    assert_eq!(a.digest(), recount(a));
    assert_eq!(a.record_count(), b.record_count());
    assert_eq!(a.owner_count(), b.owner_count());
    assert_eq!(facts(a), facts(b));
    assert_eq!(a.merged().as_bytes(), b.merged().as_bytes());
}

/// What every owner is to others, and what stands before names.
fn facts(image: &Image) -> Vec<String> {
    let shown = |owner: Option<Owner<'_>>| owner.map(|owner| owner.name().to_string().to_lowercase());
    let of_owner = |owner: Owner<'_>| {
        assert_eq!(image.owner(owner.name()).map(Owner::number), Some(owner.number()));
        assert_eq!(owner.is_apex(), owner.name() == image.apex());
        let flags =
            [owner.is_cut(), owner.is_occluded(), owner.has_dname(), owner.has_wildcard_below(), owner.is_hash()];
        let before = image.before(owner);
        let near: Vec<_> = ["a", "zz", "*"]
            .iter()
            .filter_map(|label| format!("{label}.{}", owner.name()).parse::<Name>().ok())
            .map(|name| shown(Some(image.predecessor(name.borrow()))))
            .collect();
        let (parent, occluded_by) = (shown(owner.parent()), shown(owner.occluded_by()));
        format!("{:?} {flags:?} {parent:?} {occluded_by:?} {:?} {near:?}", shown(Some(owner)), shown(before))
    };
    let mut facts: Vec<String> = image.owners().map(of_owner).collect();
    if let Denial::Nsec3(ring) = image.denial()
        && !ring.is_too_dear()
    {
        let of_ring = |owner: Owner<'_>| {
            let below = ring.of_wildcard_below(owner);
            format!(
                "{:?} {:?} {:?}",
                shown(ring.matching(owner)),
                shown(Some(below)),
                shown(Some(ring.of(owner.name())))
            )
        };
        facts.extend(image.owners().map(of_ring));
    }
    facts
}

/// Lines that make zones in which every change of one re-flags others: cuts, glue, DNAME, empty non-terminals,
/// wildcards, aliases, denial chains of both kinds, other spellings and TTLs.
fn line() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("@"),
        Just("a"),
        Just("A"),
        Just("b.a"),
        Just("c.b.a"),
        Just("*.a"),
        Just("*"),
        Just("d"),
        Just("x.d"),
        Just("y.x.d"),
        Just("e.f.g"),
        Just("*.f.g"),
        Just("h"),
        Just("t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg"),
        Just("05fmrhdlj2k56mqn9jkc2tpkjtlib4ut"),
        Just("v5fmrhdlj2k56mqn9jkc2tpkjtlib4ut"),
        Just("x.05fmrhdlj2k56mqn9jkc2tpkjtlib4ut"),
    ];
    let data = prop_oneof![
        Just("A 192.0.2.1"),
        Just("A 192.0.2.2"),
        Just("AAAA 2001:db8::1"),
        Just("NS a"),
        Just("NS x.d"),
        Just("NS ns.other."),
        Just("TXT \"x\""),
        Just("MX 10 a"),
        Just("MX 10 A"),
        Just("DS 1 13 2 AA"),
        Just("NSEC a A NS"),
        Just("NSEC b.a TXT"),
        Just("NSEC3 1 0 0 - 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A"),
        Just("NSEC3 1 1 5 AABB 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A"),
        Just("NSEC3PARAM 1 0 0 -"),
        Just("RRSIG A 13 1 60 1893456000 1577836800 1 example. AAAA"),
        Just("TYPE65280 \\# 2 ABCD"),
    ];
    (name, prop_oneof![Just(60), Just(70)], data).prop_map(|(name, ttl, data)| format!("{name} {ttl} {data}\n"))
}

fn alias() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("dn 60 DNAME a\n"),
        Just("dn 60 DNAME d\n"),
        Just("d 60 DNAME e\n"),
        Just("q 60 CNAME a\n"),
        Just("q 60 CNAME b.dn\n"),
        Just("*.w 60 CNAME a\n"),
        Just("u.dn 60 A 192.0.2.9\n"),
    ]
    .prop_map(str::to_owned)
}

fn contents() -> impl Strategy<Value = String> {
    (prop::collection::vec(line(), 0..25), prop::collection::btree_set(alias(), 0..3)).prop_map(|(lines, aliases)| {
        let mut owners = std::collections::BTreeSet::new();
        let single = aliases.into_iter().filter(|alias| owners.insert(alias.split(' ').next().unwrap().to_owned()));
        lines.into_iter().chain(single).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_lies_between_two_snapshots_leads_from_one_to_the_other(versions in prop::collection::vec(contents(), 2..6)) {
        let mut held = image(&(head_at(1) + &versions[0]));
        for (serial, version) in versions.iter().enumerate().skip(1) {
            let fresh = image(&(head_at(serial as u32 + 1) + version));
            let diff = between(&held, &fresh);
            let advanced = steps(&held, vec![diff.clone()]).unwrap();
            assert_same(&advanced.image, &fresh);
            prop_assert_eq!(advanced.diffs, vec![diff]);
            held = advanced.image;
        }
    }

    #[test]
    fn many_steps_at_once_lead_where_they_lead_one_by_one(versions in prop::collection::vec(contents(), 2..6)) {
        let images: Vec<Image> =
            (1..).zip(&versions).map(|(serial, version)| image(&(head_at(serial) + version))).collect();
        let chain: Vec<Diff> = images.windows(2).map(|pair| between(&pair[0], &pair[1])).collect();
        let advanced = steps(&images[0], chain.clone()).unwrap();
        let (first, last) = (&images[0], images.last().unwrap());
        assert_same(&advanced.image, last);
        let is_short = chain.iter().map(Diff::octets).sum::<usize>() <= 2 * first.as_bytes().len();
        prop_assert_eq!(advanced.diffs, if is_short { chain } else { vec![between(first, last)] });
    }

    #[test]
    fn a_whole_zone_in_any_order_is_the_same_image(lines in prop::collection::vec(line(), 0..30)) {
        let forward: String = lines.concat();
        let backward: String = lines.iter().rev().map(String::as_str).collect();
        assert_same(&image(&(HEAD.to_owned() + &forward)), &image(&(backward + HEAD)));
    }

    #[test]
    fn kept_diffs_lead_to_what_is_served_whatever_the_primary_sent(old in contents(), new in contents()) {
        // The whole zone again: what is kept is what we found, not what was sent.
        let held = image(&(head_at(1) + &old));
        let advanced = full(Some(&held), &(head_at(2) + &new)).unwrap();
        let replayed = steps(&held, advanced.diffs.clone()).unwrap();
        assert_same(&replayed.image, &advanced.image);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_has_changed_since_lies_over_a_merged_image_as_it_lay_over_the_one_before(
        versions in prop::collection::vec(contents(), 3..7), merged_at in 0_usize..5
    ) {
        let mut held = image(&(head_at(1) + &versions[0]));
        let mut before = None;
        for (serial, version) in versions.iter().enumerate().skip(1) {
            let fresh = image(&(head_at(serial as u32 + 1) + version));
            let diff = between(&held, &fresh);
            held = steps(&held, vec![diff]).unwrap().image;
            if serial == merged_at.clamp(1, versions.len() - 2) {
                before = Some(held.clone());
            }
        }
        let before = before.unwrap();
        // A change of the ring, of which an overlay cannot tell, has the image built anew.
        if let Some(laid_over) = held.laid_over(&before.merged(), &before) {
            assert_same(&laid_over, &held);
        }
    }
}

#[test]
fn what_makes_many_owners_others_is_not_applied_at_once() {
    let below: String = (0..300).map(|host| format!("h{host}.sub 60 A 192.0.2.1\n")).collect();
    let old = image(&(HEAD.to_owned() + &below));
    let at_once = |step: Diff| advance_at_once(apex().borrow(), &old, &[step], OVERLAY).unwrap();
    let small = step(1, 2, "", "a 60 A 192.0.2.1\n");
    assert_same(&at_once(small.clone()).unwrap().image, &steps(&old, vec![small]).unwrap().image);
    let hiding = step(1, 2, "", "sub 60 NS ns\n");
    assert!(at_once(hiding.clone()).is_none(), "all below the new cut are hidden by it");
    let hidden = steps(&old, vec![hiding]).unwrap().image;
    assert!(hidden.owner("h7.sub.example.".parse::<Name>().unwrap().borrow()).unwrap().is_occluded());
    assert!(at_once(step(1, 2, "", &crowd_of_names(300))).is_none());
    let deep = step(1, 2, "", &deep_names(0..20));
    assert!(at_once(deep.clone()).is_none(), "each brings a hundred others");
    let held = steps(&old, vec![deep]).unwrap().image;
    let back = advance_at_once(apex().borrow(), &held, &[step(2, 3, &deep_names(0..20), "")], OVERLAY);
    assert!(back.unwrap().is_none(), "and takes them away");
}

fn crowd_of_names(count: u32) -> String {
    (0..count).map(|host| format!("n{host} 60 A 192.0.2.1\n")).collect()
}

#[test]
fn deletions_come_before_additions() {
    // A TTL changes by a deletion and an addition of the same record.
    let old = image(&(HEAD.to_owned() + "a 60 A 192.0.2.1\n"));
    let advanced = steps(&old, vec![step(1, 2, "a 60 A 192.0.2.1\n", "a 70 A 192.0.2.1\n")]).unwrap();
    assert_same(&advanced.image, &image(&(head_at(2) + "a 70 A 192.0.2.1\n")));
}

#[test]
fn a_ttl_is_that_of_all_records_of_a_name_and_type() {
    // RFC 2181 §5.2; Technitium 8.1.2.
    let old = image(&(HEAD.to_owned() + "a 60 A 192.0.2.1\na 60 A 192.0.2.2\n"));
    let all = step(1, 2, "a 60 A 192.0.2.1\na 60 A 192.0.2.2\n", "a 70 A 192.0.2.1\na 70 A 192.0.2.2\n");
    let advanced = steps(&old, vec![all]).unwrap();
    assert_same(&advanced.image, &image(&(head_at(2) + "a 70 A 192.0.2.1\na 70 A 192.0.2.2\n")));
    let one = step(1, 2, "a 60 A 192.0.2.1\n", "a 70 A 192.0.2.1\n");
    let advanced = steps(&old, vec![one]).unwrap();
    assert_same(&advanced.image, &image(&(head_at(2) + "a 70 A 192.0.2.1\na 60 A 192.0.2.2\n")));
}

#[test]
fn what_lies_outside_of_the_zone_is_dropped_from_steps_too() {
    // NSD 43152ede. A name that only ends in the same letters lies outside.
    let advanced =
        steps(&image(HEAD), vec![step(1, 2, "", "other. 60 A 192.0.2.1\nxexample. 60 A 192.0.2.1\n")]).unwrap();
    assert_eq!(advanced.notes.out_of_zone, 2);
    assert_same(&advanced.image, &image(&head_at(2)));
}

#[test]
fn deletions_match_whatever_the_case_and_the_ttl() {
    let old = image(&(HEAD.to_owned() + "a 60 MX 10 Mail\n"));
    let advanced = steps(&old, vec![step(1, 2, "A 99 MX 10 mail\n", "")]).unwrap();
    assert_same(&advanced.image, &image(&head_at(2)));
    assert_eq!(advanced.diffs, vec![between(&old, &advanced.image)], "what is kept is exact");
}

#[test]
fn what_comes_and_goes_again_and_again_on_the_way_is_kept_as_one_step() {
    let old = image(
        &(HEAD.to_owned() + "other 60 TXT \"what stays, so that a few steps are no more than twice the zone\"\n"),
    );
    let text = "text 60 TXT \"what comes and goes\"\n";
    let back_and_forth = |count: u32| -> Vec<Diff> {
        (1..=count).map(|n| if n % 2 == 1 { step(n, n + 1, "", text) } else { step(n, n + 1, text, "") }).collect()
    };
    let few = steps(&old, back_and_forth(3)).unwrap();
    assert_eq!(few.diffs, back_and_forth(3));
    let many = steps(&old, back_and_forth(101)).unwrap();
    assert_eq!(many.diffs, [between(&old, &many.image)]);
    assert_eq!(many.image.serial(), Serial(102));
}

#[test]
fn a_record_that_comes_and_goes_leaves_no_trace() {
    let old = image(HEAD);
    let chain = vec![step(1, 2, "", "e.f 60 A 192.0.2.1\n"), step(2, 3, "e.f 60 A 192.0.2.1\n", "")];
    assert_same(&steps(&old, chain).unwrap().image, &image(&head_at(3)));
}

#[test]
fn steps_that_do_not_fit_are_rejected() {
    let old = image(&(HEAD.to_owned() + "a 60 A 192.0.2.1\n"));
    let owner: Name = "a.example.".parse().unwrap();
    let cases = [
        (
            vec![step(1, 2, "a 60 A 192.0.2.9\n", "")],
            Rejection::DeleteAbsent { owner: owner.clone(), rtype: dns::Type::A },
        ),
        (
            vec![step(1, 2, "", "A 60 A 192.0.2.1\n")],
            Rejection::AddPresent { owner: owner.clone(), rtype: dns::Type::A },
        ),
        (vec![step(7, 8, "", "")], Rejection::WrongStart { ours: Serial(1), theirs: Serial(7) }),
        (vec![step(1, 2, "", ""), step(3, 4, "", "")], Rejection::BrokenChain { ended: Serial(2), from: Serial(3) }),
        (
            vec![step(1, 2, "a 60 A 192.0.2.1\n", ""), step(2, 3, "a 60 A 192.0.2.1\n", "")],
            Rejection::DeleteAbsent { owner, rtype: dns::Type::A },
        ),
    ];
    for (chain, rejection) in cases {
        assert_eq!(steps(&old, chain).unwrap_err(), rejection);
    }
    let nothing = advance(apex().borrow(), None, &Change::Steps(vec![step(1, 2, "", "")]), SEED, Limits::default());
    assert_eq!(nothing.unwrap_err(), Rejection::NothingToStepFrom);
}

#[test]
fn only_the_end_of_several_steps_is_judged() {
    // Between the steps there is a CNAME beside other data.
    let old = image(&(HEAD.to_owned() + "a 60 A 192.0.2.1\n"));
    let chain = vec![step(1, 2, "", "a 60 CNAME b\n"), step(2, 3, "a 60 A 192.0.2.1\n", "")];
    assert_same(&steps(&old, chain).unwrap().image, &image(&(head_at(3) + "a 60 CNAME b\n")));
}

#[test]
fn what_is_no_zone_is_rejected() {
    let name = |text: &str| text.parse::<Name>().unwrap();
    let cases = [
        ("@ 60 NS ns\n", Rejection::NoSoa { apex: apex() }),
        ("@ 60 SOA a b 1 2 3 4 5\n@ 60 SOA a b 2 2 3 4 5\n@ 60 NS a\n", Rejection::SeveralSoas { apex: apex() }),
        ("@ 60 SOA a b 1 2 3 4 5\n", Rejection::Insane(Insane::NoApexNs { apex: apex() })),
        (
            "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\nx 60 SOA a b 1 2 3 4 5\n",
            Rejection::ForeignSoa { owner: name("x.example.") },
        ),
        (
            "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\nx 60 CNAME a\nx 60 A 192.0.2.1\n",
            Rejection::Insane(Insane::CnameAndOther { owner: name("x.example."), other: dns::Type::A }),
        ),
        (
            "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\nx 60 CNAME a\nx 60 CNAME b\n",
            Rejection::Insane(Insane::SeveralAliases { owner: name("x.example."), rtype: dns::Type::CNAME }),
        ),
    ];
    for (text, rejection) in cases {
        assert_eq!(full(None, text).unwrap_err(), rejection, "{text}");
    }
}

/// So many A records of one name.
fn crowd(owner: &str, records: u16) -> String {
    (0..records).map(|number| format!("{owner} 60 A 192.0.{}.{}\n", number >> 8, number & 255)).collect()
}

#[test]
fn a_crowded_name_is_rejected_with_its_owner_and_type() {
    let limits = Limits { records_per_rrset: 3, types_per_name: 4, ..Limits::NONE };
    let limited = |old: Option<&Image>, change: Change| advance(apex().borrow(), old, &change, SEED, limits);
    let whole = |text: &str| limited(None, Change::Full(records(&(HEAD.to_owned() + text))));
    let owner: Name = "a.example.".parse().unwrap();
    let too_large = |rtype| Rejection::RrsetTooLarge { owner: owner.clone(), rtype, limit: 3 };
    let too_many = Rejection::TooManyTypes { owner: owner.clone(), limit: 4 };
    let held = whole(&crowd("a", 3)).unwrap().image;
    assert_eq!(whole(&crowd("a", 4)).unwrap_err(), too_large(dns::Type::A));
    assert!(whole(&(crowd("a", 3) + &crowd("A", 3))).is_ok(), "duplicates do not count");
    let more = vec![step(1, 2, "", "a 60 A 198.51.100.1\n")];
    assert_eq!(limited(Some(&held), Change::Steps(more)).unwrap_err(), too_large(dns::Type::A));

    let signature = |rtype: &str, tag: u16| {
        format!("a 60 RRSIG {rtype} 13 2 60 20300101000000 20200101000000 {tag} example. AAAA\n")
    };
    let signatures: String = (0..4).map(|tag| signature("A", tag)).collect();
    assert_eq!(whole(&signatures).unwrap_err(), too_large(dns::Type::RRSIG));
    let types = "a 60 A 192.0.2.1\na 60 AAAA ::\na 60 TXT x\n".to_owned() + &signature("MX", 1);
    assert!(whole(&types).is_ok());
    assert_eq!(whole(&(types + "a 60 CAA 0 issue \"x\"\n")).unwrap_err(), too_many);
}

#[test]
fn the_limits_leave_room_for_what_an_answer_can_hold() {
    assert!(full(None, &(HEAD.to_owned() + &crowd("a", 4096))).is_ok());
    let rejection = full(None, &(HEAD.to_owned() + &crowd("a", 4097))).unwrap_err();
    assert_eq!(rejection.to_string(), "a.example. has more than 4096 records of type A");
    let boundless = Limits::NONE;
    let many = records(&(HEAD.to_owned() + &crowd("a", 20_000)));
    assert!(advance(apex().borrow(), None, &Change::Full(many), SEED, boundless).is_ok());
}

#[test]
fn what_had_to_be_changed_is_noted() {
    let advanced = full(
        None,
        &(HEAD.to_owned()
            + "a 60 A 192.0.2.1\na 50 A 192.0.2.1\na 60 A 192.0.2.2\nother. 60 A 192.0.2.1\n\
                             t 3000000000 TXT \"x\"\nm 60 MX 1 Mail\nm 60 MX 1 mail\n"),
    )
    .unwrap();
    let notes = advanced.notes;
    assert_eq!((notes.out_of_zone, notes.duplicates, notes.ttls_too_large, notes.ttls_mixed), (1, 2, 1, 1));
    let text: Vec<String> = advanced.image.records().skip(2).map(record_to_text).collect();
    assert_eq!(
        text,
        [
            "a.example. 50 IN A 192.0.2.1",
            "a.example. 50 IN A 192.0.2.2",
            "m.example. 60 IN MX 1 Mail.example.",
            "t.example. 0 IN TXT \"x\"",
        ]
    );
}

#[test]
fn serials_may_wrap_and_be_zero() {
    let old = image(&head_at(u32::MAX));
    let advanced = steps(&old, vec![step(u32::MAX, 0, "", "a 60 A 192.0.2.1\n")]).unwrap();
    assert_eq!(advanced.image.serial(), Serial(0));
}

#[test]
fn long_names_that_share_their_ends_do_not_multiply_without_bound() {
    let labels = |count: usize| "x.".repeat(count);
    let deep = |hosts: u32| -> String {
        (0..hosts).map(|host| format!("{}h{host}.example. 60 A 192.0.2.1\n", labels(100))).collect()
    };
    assert!(full(None, &(HEAD.to_owned() + &deep(500))).is_ok(), "a few are nobody's trouble");
    let rejection = full(None, &(HEAD.to_owned() + &deep(2000))).unwrap_err();
    assert!(matches!(rejection, Rejection::TooManyEmptyNames { .. }), "{rejection}");
    let reverse: String = (0..3000_u32)
        .map(|host| {
            let nibbles: Vec<String> = format!("{host:032x}").chars().map(String::from).collect();
            format!("{}.example. 60 PTR ns\n", nibbles.join("."))
        })
        .collect();
    assert!(full(None, &(HEAD.to_owned() + &reverse)).is_ok(), "as reverse zones of IPv6 have them");
}

/// Lines of so many names that each bring a hundred names without records, the first of these numbers being the first.
fn deep_names(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| format!("{}h{number}.example. 60 A 192.0.2.1\n", "x.".repeat(100))).collect()
}

#[test]
fn steps_of_a_large_zone_keep_the_limit_of_names_without_records_that_a_whole_zone_has() {
    let whole = |serial: u32, deep: u32, more: &str| full(None, &(head_at(serial) + more + &deep_names(0..deep)));
    let onward = |old: &Image, removed: &str, added: &str| {
        let from = old.serial().0;
        let change = Change::Steps(vec![step(from, from + 1, removed, added)]);
        advance(apex().borrow(), Some(old), &change, SEED, Limits::default())
    };
    // 65,536 are free, and each of these names brings 36 more than its 64: there may be 1,820.
    let mut held = whole(1, 1780, "").unwrap().image;
    for deep in [1790, 1800] {
        held = onward(&held, "", &deep_names(deep - 10..deep)).unwrap().image;
        assert!(!held.is_merged(), "what is within the limit lies over the image");
    }
    let merged = held.merged();
    let reread = Image::from_bytes(merged.as_bytes().to_vec().into()).unwrap();
    let moved = onward(&held, &deep_names(0..10), &deep_names(1800..1810)).unwrap().image;
    let laid_over = moved.laid_over(&merged, &held).unwrap();
    let rejection = whole(4, 1830, "").unwrap_err();
    assert!(matches!(rejection, Rejection::TooManyEmptyNames { .. }), "{rejection}");
    for held in [&held, &merged, &reread] {
        assert_eq!(onward(held, "", &deep_names(1800..1830)).err().as_ref(), Some(&rejection));
    }
    for moved in [moved, laid_over] {
        let more = |until: u32| onward(&moved, "", &(deep_names(0..10) + &deep_names(1810..until)));
        assert!(more(1820).is_ok_and(|next| !next.image.is_merged()), "those that went count no more");
        let rejection = more(1830).err();
        assert!(matches!(rejection, Some(Rejection::TooManyEmptyNames { .. })), "{rejection:?}");
    }

    // Names that come before them bring none, and leave so many more to others.
    let broad = crowd_of_names(300).replace('n', "a");
    let held = whole(1, 1800, &broad).unwrap().image;
    let next = onward(&held, "", &deep_names(1800..1830)).unwrap().image;
    assert!(next.as_bytes() == whole(2, 1830, &broad).unwrap().image.as_bytes());
    let rejection = onward(&next, &broad, "").err();
    assert!(matches!(rejection, Some(Rejection::TooManyEmptyNames { .. })), "{rejection:?}");
}
