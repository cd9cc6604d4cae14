//! The door for the fuzzer, and for the tests that replay what it found.
