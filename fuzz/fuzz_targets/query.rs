//! What clients can ask: nothing panics, and whatever is sent back is a message that can be read.

#![no_main]

libfuzzer_sys::fuzz_target!(|query: &[u8]| answer::fuzzing::query(query));
