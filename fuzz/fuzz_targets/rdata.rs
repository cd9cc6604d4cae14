//! What stands in records: nothing panics, and what is accepted comes back from the wire and from text.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // What is malformed is no record.
    let _ = dns::fuzzing::rdata(input);
});
