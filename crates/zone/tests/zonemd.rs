//! ZONEMD against the examples of RFC 8976 Appendix A, the root zone, and a second reckoning of the digest.

#![allow(clippy::unwrap_used)]

use aws_lc_rs::digest::{SHA384, SHA512, digest};
use dns::text::zone_from_text;
use dns::{Name, RecordRef, Records, Serial, Type, rdata};
use proptest::prelude::*;
use zone::zonemd::{Algorithm, Scheme, Verdict, verify};
use zone::{Change, Image, Limits, advance};

fn records(apex: &str, text: &str) -> Records {
    zone_from_text(apex, text).unwrap()
}

fn image(apex: &str, records: Records) -> Image {
    let apex: Name = apex.parse().unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [5; 16], Limits::default()).unwrap().image
}

fn verdict(apex: &str, text: &str) -> Verdict {
    verify(&image(apex, records(apex, text)))
}

fn verified(algorithm: Algorithm) -> Verdict {
    Verdict::Verified { scheme: Scheme::Simple, algorithm }
}

fn mismatch(algorithm: Algorithm) -> Verdict {
    Verdict::Mismatch { scheme: Scheme::Simple, algorithm }
}

/// RFC 8976 Appendix A.1.
const SIMPLE: &str = "
@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400
@ 86400 NS ns1
@ 86400 NS ns2
@ 86400 ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c
ns1 3600 A 203.0.113.63
ns2 3600 AAAA 2001:db8::63
";

/// RFC 8976 Appendix A.2.
const COMPLEX: &str = "
@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400
@ 86400 NS ns1
@ 86400 NS ns2
@ 86400 ZONEMD 2018031900 1 1 a3b69bad980a3504e1cffcb0fd6397f93848071c93151f552ae2f6b1711d4bd2d8b39808226d7b9db71e34b72077f8fe
ns1 3600 A 203.0.113.63
NS2 3600 AAAA 2001:db8::63
occluded.sub 7200 TXT \"I'm occluded but must be digested\"
sub 7200 NS ns1
duplicate 300 TXT \"I must be digested just once\"
duplicate 300 TXT \"I must be digested just once\"
foo.test. 555 TXT \"out-of-zone data must be excluded\"
UPPERCASE 3600 TXT \"canonicalize uppercase owner names\"
* 777 PTR dont-forget-about-wildcards
mail 3600 MX 20 MAIL1
mail 3600 MX 10 Mail2.Example.
sortme 3600 AAAA 2001:db8::5:61
sortme 3600 AAAA 2001:db8::3:62
sortme 3600 AAAA 2001:db8::4:63
sortme 3600 AAAA 2001:db8::1:65
sortme 3600 AAAA 2001:db8::2:64
non-apex 900 ZONEMD 2018031900 1 1 616c6c6f776564206275742069676e6f7265642e20616c6c6f776564206275742069676e6f7265642e20616c6c6f7765
";

const IN_384: &str =
    "62e6cf51b02e54b9b5f967d547ce43136792901f9f88e637493daaf401c92c279dd10f0edb1c56f8080211f8480ee306";
const IN_512: &str = "08cfa1115c7b948c4163a901270395ea226a930cd2cbcf2fa9a5e6eb85f37c8a4e114d884e66f176eab121cb02db7d652e0cc4827e7a3204f166b47e5613fd27";

/// RFC 8976 Appendix A.3, with these ZONEMD records.
fn several(zonemds: &[String]) -> String {
    let zonemds: String = zonemds.iter().map(|zonemd| format!("@ 86400 ZONEMD {zonemd}\n")).collect();
    format!(
        "@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400\n@ 86400 NS ns1\n@ 86400 NS ns2\n{zonemds}\
         ns1 3600 A 203.0.113.63\nns2 86400 TXT \"This example has multiple digests\"\nNS2 3600 AAAA 2001:db8::63\n"
    )
}

const URI_ARPA: &str = include_str!("fixtures/uri-arpa.zone");

/// RFC 8976 Appendix A.5.
const ROOT_SERVERS: [(&str, &str, &str); 13] = [
    ("a", "198.41.0.4", "2001:503:ba3e::2:30"),
    ("b", "199.9.14.201", "2001:500:200::b"),
    ("c", "192.33.4.12", "2001:500:2::c"),
    ("d", "199.7.91.13", "2001:500:2d::d"),
    ("e", "192.203.230.10", "2001:500:a8::e"),
    ("f", "192.5.5.241", "2001:500:2f::f"),
    ("g", "192.112.36.4", "2001:500:12::d0d"),
    ("h", "198.97.190.53", "2001:500:1::53"),
    ("i", "192.36.148.17", "2001:7fe::53"),
    ("j", "192.58.128.30", "2001:503:c27::2:30"),
    ("k", "193.0.14.129", "2001:7fd::1"),
    ("l", "199.7.83.42", "2001:500:9f::42"),
    ("m", "202.12.27.33", "2001:dc3::35"),
];

fn root_servers() -> String {
    let servers = ROOT_SERVERS.iter().map(|(letter, v4, v6)| {
        format!("@ 3600000 NS {letter}\n{letter} 3600000 A {v4}\n{letter} 3600000 AAAA {v6}\n")
    });
    servers.collect::<String>()
        + "@ 3600000 SOA a nstld.verisign-grs.com. 2018091100 14400 7200 1209600 3600000\n\
           b 3600000 MX 20 mail.isi.edu.\ni 3600000 MX 10 mx.i.root-servers.org.\n\
           @ 3600000 ZONEMD 2018091100 1 1 f1ca0ccd91bd5573d9f431c00ee0101b2545c97602be0a978a3b11dbfc1c776d5b3e86ae3d973d6b5349ba7f04340f79\n"
}

#[test]
fn the_examples_of_rfc_8976_are_verified() {
    assert_eq!(verdict("example.", SIMPLE), verified(Algorithm::Sha384));
    assert_eq!(verdict("EXAMPLE.", COMPLEX), verified(Algorithm::Sha384));
    assert_eq!(verdict("uri.arpa.", URI_ARPA), verified(Algorithm::Sha384));
    assert_eq!(verdict("root-servers.net.", &root_servers()), verified(Algorithm::Sha384));
}

#[test]
fn one_zonemd_that_fits_is_enough() {
    let (sha384, sha512) = (format!("2018031900 1 1 {IN_384}"), format!("2018031900 1 2 {IN_512}"));
    let private = [
        "2018031900 1 240 e2d523f654b9422a96c5a8f44607bbee",
        "2018031900 241 1 e1846540e33a9e4189792d18d5d131f605fc283e",
    ]
    .map(str::to_owned);
    let wrong = format!("2018031900 1 1 {}", "00".repeat(48));
    let late = format!("2018031901 1 1 {IN_384}");
    let cut = format!("2018031900 1 1 {}", &IN_384[..32]);
    let scheme = Scheme::Simple;
    let cases = [
        (vec![sha384.clone(), sha512.clone(), private[0].clone(), private[1].clone()], verified(Algorithm::Sha384)),
        (vec![private[0].clone(), sha512.clone()], verified(Algorithm::Sha512)),
        (vec![wrong.clone(), sha512.clone()], verified(Algorithm::Sha512)),
        (vec![wrong.clone(), private[1].clone()], mismatch(Algorithm::Sha384)),
        (vec![cut], mismatch(Algorithm::Sha384)),
        (vec![sha384.clone(), wrong.clone()], Verdict::Duplicate { scheme, algorithm: Algorithm::Sha384 }),
        (vec![sha384.clone(), wrong, sha512], verified(Algorithm::Sha512)),
        (
            vec![late.clone(), private[0].clone()],
            Verdict::SerialMismatch { zone: Serial(2018031900), zonemd: Serial(2018031901) },
        ),
        (vec![late, sha384], Verdict::Duplicate { scheme, algorithm: Algorithm::Sha384 }),
        (private.to_vec(), Verdict::Unsupported { scheme: 1, algorithm: 240 }),
        (Vec::new(), Verdict::Absent),
    ];
    for (zonemds, expected) in cases {
        assert_eq!(verdict("example.", &several(&zonemds)), expected, "{zonemds:?}");
    }
}

/// Whether the digest covers a record (RFC 8976 §3.3.1.1).
fn is_digested(apex: &Name, record: RecordRef<'_>) -> bool {
    let is_zonemd = record.rtype == Type::ZONEMD
        || record.rtype == Type::RRSIG && rdata::type_covered(record.rdata) == Type::ZONEMD;
    record.owner.is_at_or_below(apex.borrow()) && !(record.owner == apex.borrow() && is_zonemd)
}

/// Each record of the zone otherwise, in turn, and whether the digest covers it.
fn tampered(apex: &str, text: &str) -> Vec<(String, bool, Records)> {
    let given = records(apex, text);
    let apex: Name = apex.parse().unwrap();
    let mut all = Vec::new();
    for (index, victim) in given.iter().enumerate() {
        let is_the_zonemd = victim.rtype == Type::ZONEMD && victim.owner == apex.borrow();
        if victim.rtype == Type::SOA || is_the_zonemd || victim.owner.to_string().starts_with("duplicate.") {
            continue;
        }
        let others = || given.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, record)| record);
        let mut octets = victim.rdata.to_vec();
        // The last octet, where no name's case can hide the change.
        *octets.last_mut().unwrap() ^= if matches!(victim.rtype, Type::NS | Type::PTR | Type::MX) { 0 } else { 1 };
        let changed = RecordRef { rdata: &octets, ..victim };
        let later = RecordRef { ttl: 1, ..victim };
        let is_digested = is_digested(&apex, victim);
        if octets != victim.rdata {
            all.push((format!("{victim:?} changed"), is_digested, others().chain([changed]).collect()));
        }
        all.push((format!("{victim:?} with another TTL"), is_digested, others().chain([later]).collect()));
        let remaining: Records = others().collect();
        if remaining.iter().any(|record| record.rtype == Type::NS && record.owner == apex.borrow()) {
            all.push((format!("{victim:?} removed"), is_digested, remaining));
        }
    }
    all
}

#[test]
fn tampering_with_any_record_is_noticed() {
    let zones =
        [("example.", COMPLEX.to_owned()), ("uri.arpa.", URI_ARPA.to_owned()), ("root-servers.net.", root_servers())];
    for (apex, text) in zones {
        for (what, is_digested, records) in tampered(apex, &text) {
            let verdict = verify(&image(apex, records));
            let expected = if is_digested { mismatch(Algorithm::Sha384) } else { verified(Algorithm::Sha384) };
            assert_eq!(verdict, expected, "{what}");
        }
    }
}

/// What `ldns-signzone` 1.8.3 reckons for the root zone of our test data without its RRSIGs.
const ROOT_384: &str = ". 86400 ZONEMD 2026082201 1 1 47c3781b160c0f6a59f2dd37af354fe87072bddf9b2e33582d9b437d048f544bf4a67bb97b17f6abaed703499421c634\n";
const ROOT_512: &str = ". 86400 ZONEMD 2026082201 1 2 1eb818576fee638897e18f0b8b3c6b4a9fefa598cdf696e1ede9af3e7ee170fae3c194fc54d3e3e8d681382dc7c2c476a74a88e82f96000f6cd0acbb450b2d80\n";

#[test]
fn the_root_zone_is_verified_and_not_when_any_record_is_missing() {
    let root = records(".", include_str!("../../../testing/data/root-2026082201.zone"));
    assert_eq!(verify(&image(".", root.clone())), mismatch(Algorithm::Sha384), "most of its RRSIGs were left out");
    let unsigned = || root.iter().filter(|record| !matches!(record.rtype, Type::RRSIG | Type::ZONEMD));
    for (zonemd, algorithm) in [(ROOT_384, Algorithm::Sha384), (ROOT_512, Algorithm::Sha512)] {
        let mut all: Records = unsigned().collect();
        records(".", zonemd).iter().for_each(|record| all.push(record));
        assert_eq!(verify(&image(".", all.clone())), verified(algorithm));
        // Every record would take minutes.
        for missing in (1..all.len() - 1).step_by(997) {
            let kept = |(index, record)| (index != missing).then_some(record);
            let verdict = verify(&image(".", all.iter().enumerate().filter_map(kept).collect()));
            assert_eq!(verdict, mismatch(algorithm), "without record {missing}");
        }
    }
}

#[test]
fn one_rrset_with_several_ttls_was_not_digested_as_it_is_served() {
    let mixed = SIMPLE.replace("@ 86400 NS ns2", "@ 300 NS ns2");
    assert_eq!(verdict("example.", &mixed), mismatch(Algorithm::Sha384));
}

/// The digest as RFC 8976 §3.3.1 tells it, without any care for memory: all records in canonical form, sorted whole.
fn reckoned(apex: &Name, records: &Records) -> Vec<u8> {
    let mut rows: Vec<(Name, Type, Vec<u8>, u32)> = Vec::new();
    for record in records.iter().filter(|record| is_digested(apex, *record)) {
        let mut canonical = Vec::new();
        rdata::fold_into(record.rtype, record.rdata, &mut canonical);
        rows.push((record.owner.to_name().to_lower(), record.rtype, canonical, record.ttl));
    }
    rows.sort();
    rows.dedup();
    let mut octets = Vec::new();
    for (owner, rtype, rdata, ttl) in rows {
        octets.extend(owner.as_wire());
        octets.extend(rtype.0.to_be_bytes());
        octets.extend([0, 1]);
        octets.extend(ttl.to_be_bytes());
        octets.extend((rdata.len() as u16).to_be_bytes());
        octets.extend(rdata);
    }
    octets
}

fn line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "@", "a", "A", "b.a", "*.a", "z", "\\000", "\\000.a", "d", "x.d", "ns.x.d", "e.f.g",
    ]);
    let data = prop::sample::select(vec![
        "A 192.0.2.1",
        "A 192.0.2.2",
        "TXT \"Upper\"",
        "TXT \"upper\"",
        "NS Z.a",
        "NS a.Z",
        "NS b",
        "MX 10 B",
        "MX 10 a",
        "SRV 1 2 3 C.d",
        "DS 1 13 2 AA",
        "NSEC B.example. A TYPE1234",
        "SVCB 1 Svc.example. alpn=h2",
        "CAA 0 issue \"ca.example\"",
        "ZONEMD 7 1 1 000102030405060708090a0b0c0d0e0f",
        "RRSIG A 13 1 60 20300101000000 20200101000000 1 example. AAAA",
        "RRSIG A 13 1 60 20300101000000 20200101000000 1 Example. AAAB",
        "RRSIG CAA 13 1 60 20300101000000 20200101000000 1 example. AAAA",
        "RRSIG ZONEMD 13 1 60 20300101000000 20200101000000 1 example. AAAA",
        "TYPE65280 \\# 3 ABCDEF",
        "TYPE40 \\# 0",
    ]);
    (name, data).prop_map(|(name, data)| format!("{name} 60 {data}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_reckoning_gives_the_same_digest(lines in prop::collection::vec(line(), 0..40), cut in any::<usize>()) {
        let apex: Name = "example.".parse().unwrap();
        // The apex has no other ZONEMD record than the two that are right.
        let lines = lines.into_iter().filter(|line| !line.starts_with("@ 60 ZONEMD"));
        let zone = "@ 60 SOA ns host 7 2 3 4 5\n@ 60 NS b\n".to_owned() + &lines.collect::<String>();
        let octets = reckoned(&apex, &records("example.", &zone));
        let zonemd = |algorithm, hash| format!("@ 60 ZONEMD 7 1 {algorithm} {}\n", hex::encode(digest(hash, &octets)));
        let (sha384, sha512) = (zonemd(1, &SHA384), zonemd(2, &SHA512));
        prop_assert_eq!(verdict("example.", &(zone.clone() + &sha384)), verified(Algorithm::Sha384));
        prop_assert_eq!(verdict("example.", &(sha512 + &zone)), verified(Algorithm::Sha512));

        let all = records("example.", &(zone + &sha384));
        let missing = 2 + cut % (all.len() - 2);
        let victim = all.iter().nth(missing).unwrap();
        let is_alone = all.iter().filter(|other| other.rtype == victim.rtype && other.owner == victim.owner
            && rdata::same(victim.rtype, other.rdata, victim.rdata)).count() == 1;
        let rest: Records = all.iter().enumerate().filter(|(index, _)| *index != missing).map(|(_, record)| record).collect();
        if is_alone && is_digested(&apex, victim) {
            prop_assert_eq!(verify(&image("example.", rest)), mismatch(Algorithm::Sha384));
        }
    }
}
