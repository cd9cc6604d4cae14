//! What primaries and whoever sends NOTIFYs can say: nothing panics, nothing partial passes for whole.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    xfr::fuzzing::session(input);
});
