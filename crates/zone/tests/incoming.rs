//! The law of `Incoming`: whatever the order and the portions in which a zone comes in, what comes of it is what `advance`
//! makes of all of it at once.

#![allow(clippy::unwrap_used)]

use dns::text::zone_from_text;
use dns::{Name, Records};
use proptest::prelude::*;
use zone::{Advanced, Change, Digest, Image, Incoming, Insane, Limits, Rejection, advance};

const SEED: [u8; 16] = [3; 16];
const HEAD: &str = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\n";

fn apex() -> Name {
    "example.".parse().unwrap()
}

fn records(text: &str) -> Records {
    zone_from_text("example.", text).unwrap()
}

fn at_once(old: Option<&Image>, all: &Records) -> Result<Advanced, Rejection> {
    advance(apex().borrow(), old, &Change::Full(all.clone()), SEED, Limits::default())
}

/// So many records at a time.
fn in_portions(old: Option<&Image>, all: &Records, of: usize) -> Result<Advanced, Rejection> {
    let mut incoming = Incoming::new(apex(), Limits::default());
    let all: Vec<_> = all.iter().collect();
    for portion in all.chunks(of) {
        let portion: Records = portion.iter().copied().collect();
        incoming.count_in(Digest::of(&portion));
        incoming.take(&portion);
    }
    incoming.finish(old, SEED)
}

/// Both ways of it, which must agree.
fn both(old: Option<&Image>, all: &Records, of: usize) -> Result<Advanced, Rejection> {
    let (incoming, at_once) = (in_portions(old, all, of), at_once(old, all));
    if let (Ok(incoming), Ok(at_once)) = (&incoming, &at_once) {
        assert_eq!(incoming.image.digest(), at_once.image.digest());
        assert_eq!(incoming.image.digest(), Digest::of(incoming.image.records()));
        assert_eq!(incoming.image.as_bytes(), at_once.image.as_bytes());
        assert_eq!(incoming.diffs, at_once.diffs);
        assert_eq!(incoming.notes.out_of_zone, at_once.notes.out_of_zone);
        assert_eq!(incoming.notes.ttls_too_large, at_once.notes.ttls_too_large);
        assert_eq!(incoming.notes.duplicates, at_once.notes.duplicates);
    }
    assert_eq!(incoming.is_ok(), at_once.is_ok(), "{incoming:?} {at_once:?}");
    incoming
}

fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "@",
        "a",
        "A",
        "b.a",
        "c.b.a",
        "*.a",
        "*",
        "d",
        "x.d",
        "y.x.D",
        "e.f.g",
        "*.f.g",
        "h.f.g",
        "t7g6pdmcph4ipevt6sbr0h9cgs6q1mhg",
        "05fmrhdlj2k56mqn9jkc2tpkjtlib4ut",
        "x.05fmrhdlj2k56mqn9jkc2tpkjtlib4ut",
        "elsewhere.",
    ]);
    let data = prop::sample::select(vec![
        "A 192.0.2.1",
        "A 192.0.2.2",
        "NS a",
        "NS x.d",
        "NS X.d",
        "DNAME d",
        "CNAME a",
        "TXT \"x\"",
        "MX 10 a",
        "NSEC3 1 0 0 - 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A",
        "NSEC3 1 1 5 AABB 05fmrhdlj2k56mqn9jkc2tpkjtlib4ut A",
        "NSEC3PARAM 1 0 0 -",
        "RRSIG A 13 1 60 1893456000 1577836800 1 example. AAAA",
        "RRSIG NS 13 1 60 1893456000 1577836800 1 example. AAAA",
    ]);
    let ttl = prop_oneof![6 => Just(60_u32), 1 => Just(70), 1 => Just(1 << 31)];
    (name, ttl, data).prop_map(|(name, ttl, data)| format!("{name} {ttl} {data}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn portions_in_any_order_are_the_zone_at_once(
        lines in prop::collection::vec(line(), 0..40), head_at in 0_usize..3, of in 1_usize..9
    ) {
        let head_at = head_at.min(lines.len());
        let text = lines[..head_at].concat() + HEAD + &lines[head_at..].concat();
        let _ = both(None, &records(&text), of);
    }

    #[test]
    fn portions_of_sorted_runs_are_the_zone_at_once(
        mut lines in prop::collection::vec(line(), 0..60), runs in 1_usize..5, of in 1_usize..9
    ) {
        lines.retain(|line| !line.contains("CNAME"));
        let length = lines.len().div_ceil(runs).max(1);
        let sorted = |run: &[String]| {
            let mut text = records(&run.concat()).iter().map(dns::text::record_to_text).collect::<Vec<_>>();
            text.sort_by_key(|line| line.split([' ', '\t']).next().unwrap().parse::<Name>().unwrap().to_lower().borrow()
                .labels().map(<[u8]>::to_vec).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>());
            text.join("\n") + "\n"
        };
        let text: String = lines.chunks(length).map(sorted).collect();
        let _ = both(None, &records(&(HEAD.to_owned() + &text)), of);
    }
}

#[test]
fn what_comes_over_an_older_version_has_the_same_diff() {
    let old = at_once(None, &records(&(HEAD.to_owned() + "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\n"))).unwrap().image;
    let new = records("@ 60 SOA ns host 2 2 3 4 5\n@ 60 NS ns\na 60 A 192.0.2.2\nc 60 A 192.0.2.1\n");
    let advanced = both(Some(&old), &new, 2).unwrap();
    assert_eq!(advanced.diffs.len(), 1);
}

#[test]
fn names_in_no_order_are_sorted_at_the_end() {
    let names: String =
        (0..500_u32).map(|name| format!("n{} 60 NS ns{name}\n", name.wrapping_mul(2_654_435_761))).collect();
    assert_eq!(both(None, &records(&(HEAD.to_owned() + &names)), 7).unwrap().image.record_count(), 502);
}

#[test]
fn large_runs_are_merged_and_let_go_of() {
    // More than is given back at a time, in each of two runs.
    let text = "x".repeat(200);
    let run =
        |letter: char| (0..30_000).map(|name| format!("n{name:05}{letter} 60 TXT {text}\n")).collect::<String>();
    let all = records(&(HEAD.to_owned() + &run('a') + &run('b')));
    assert_eq!(both(None, &all, 1000).unwrap().image.record_count(), 60_002);
}

#[test]
fn an_owner_that_comes_in_several_parts_is_one() {
    let text = HEAD.to_owned()
        + "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\nb.c 60 A 192.0.2.1\n"
        + "A 50 A 192.0.2.2\na 60 A 192.0.2.1\nb 60 TXT x\nc 60 TXT x\n@ 60 NS ns2\nx.y.b.c 60 TXT x\n";
    let image = both(None, &records(&text), 2).unwrap().image;
    let owner = image.owner("a.example.".parse::<Name>().unwrap().borrow()).unwrap();
    assert_eq!(owner.records().count(), 2);
    assert!(owner.records().all(|record| record.ttl == 50));
}

#[test]
fn what_no_zone_can_have_is_rejected_in_portions_too() {
    let rejected = |text: &str| both(None, &records(text), 1).unwrap_err();
    let with = |text: &str| rejected(&(HEAD.to_owned() + text));
    assert!(matches!(rejected("@ 60 NS ns\na 60 A 192.0.2.1\n"), Rejection::NoSoa { .. }));
    assert!(matches!(rejected("@ 60 SOA ns host 1 2 3 4 5\n"), Rejection::Insane(Insane::NoApexNs { .. })));
    assert!(matches!(with("a 60 A 192.0.2.1\n@ 60 SOA ns host 2 2 3 4 5\n"), Rejection::SeveralSoas { .. }));
    assert!(matches!(with("a 60 SOA ns host 1 2 3 4 5\n"), Rejection::ForeignSoa { .. }));
    assert!(matches!(with("a 60 A 192.0.2.1\na 60 CNAME b\n"), Rejection::Insane(Insane::CnameAndOther { .. })));
    // Its parts are apart, and each of them is sane.
    let apart = "a 60 A 192.0.2.1\nb 60 A 192.0.2.1\na 60 CNAME b\n";
    assert!(matches!(with(apart), Rejection::Insane(Insane::CnameAndOther { .. })));
    let crowd: String = (0..5_000_u32).map(|host| format!("a 60 TYPE65280 \\# 4 {host:08x}\n")).collect();
    assert!(matches!(with(&crowd), Rejection::RrsetTooLarge { .. }));
    assert!(matches!(in_portions(None, &Records::new(), 1).unwrap_err(), Rejection::NoSoa { .. }));
}
