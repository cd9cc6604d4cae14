//! The fuzzer's corpus of queries, replayed; and queries changed at random, from a printed seed.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;

fn corpus() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/query");
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
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
