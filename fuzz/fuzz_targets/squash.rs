//! Whole runs: `tests/it/fuzz/squash.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::squash::check(bytes);
});
