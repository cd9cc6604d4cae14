//! The fuzzer's corpus of queries, replayed; and queries changed at random, from a printed seed.
//!
//! `SECONDO_WRITE_CORPUS=1 cargo test --release -p answer --test corpus` writes those anew that are made here.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use dns::writer::{CompressionTable, MessageWriter};
use dns::{CLASS_IN, Header, Name, NameBuf, Opcode, Question, Rcode, Type};
use proptest::prelude::*;

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fuzz/corpus/query"].iter().collect()
}

fn corpus() -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder()).unwrap();
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// Questions for each way through the signed zones, which say the same, and from one tenant's zones to the other's.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for zone in ["nsec", "opt-out"] {
        for (label, qtype) in [
            ("", Type::DNSKEY),
            ("", Type::ANY),
            ("", Type::A),
            ("www", Type::AAAA),
            ("out", Type::A),
            ("loop", Type::A),
            ("x.wild", Type::TXT),
            ("x.wild", Type::A),
            ("x.alias", Type::TXT),
            ("empty", Type::A),
            ("nothing", Type::A),
            ("x.insecure", Type::A),
            ("insecure", Type::DS),
            ("x.secure", Type::A),
            ("secure", Type::DS),
            ("x.down", Type::TXT),
            ("x.round", Type::A),
            ("svc", Type::SVCB),
            ("svc1", Type::HTTPS),
        ] {
            let name = if label.is_empty() { format!("{zone}.") } else { format!("{label}.{zone}.") };
            seeds.push((
                format!("{zone}-{}-{qtype}", if label.is_empty() { "apex" } else { label }),
                query(&name, qtype),
            ));
        }
    }
    for (name, qtype) in [
        ("out.example.", Type::AAAA),
        ("away.example.", Type::AAAA),
        ("svc.example.", Type::SVCB),
        ("child.example.", Type::DS),
        ("ns.child.example.", Type::A),
        ("absent.example.", Type::SOA),
        ("expired.", Type::SOA),
    ] {
        seeds.push((format!("tenants-{name}{qtype}"), query(name, qtype)));
    }
    seeds
}

/// With DNSSEC OK, and a client's cookie.
fn query(name: &str, qtype: Type) -> Vec<u8> {
    const COOKIE: &[u8] = b"\0\x0a\0\x0812345678";
    let mut out = vec![0; 512];
    let mut table = CompressionTable::small();
    let name: Name = name.parse().unwrap();
    let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, 1, Header::request_flags(Opcode::QUERY));
    writer.question(&Question { name: NameBuf::from(name.borrow()), qtype, qclass: CLASS_IN }).unwrap();
    writer.opt(1_232, Rcode::NOERROR, true, COOKIE).unwrap();
    let length = writer.finish();
    out.truncate(length);
    out
}

#[test]
fn the_corpus_has_a_question_for_each_way_through_signed_zones() {
    for (name, query) in seeds() {
        let path = folder().join(name.to_lowercase());
        if std::env::var_os("SECONDO_WRITE_CORPUS").is_some() {
            std::fs::write(&path, &query).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap_or_default(), query, "{name}: write the corpus anew, see above");
    }
}

#[test]
fn every_query_of_the_corpus_is_answered_without_a_panic() {
    let corpus = corpus();
    assert!(corpus.len() >= 20, "the corpus is there: {} files", corpus.len());
    corpus.iter().for_each(|query| answer::fuzzing::query(query));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_queries_are_answered_without_a_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let corpus = corpus_once();
        let mut query = corpus[which.index(corpus.len())].clone();
        for (at, value) in changes {
            let at = at.index(query.len());
            query[at] = value;
        }
        query.truncate(query.len() - cut.index(query.len()).min(4));
        query.extend(tail);
        answer::fuzzing::query(&query);
    }
}

fn corpus_once() -> &'static [Vec<u8>] {
    static CORPUS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    CORPUS.get_or_init(corpus)
}
