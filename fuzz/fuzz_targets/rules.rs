//! Rules and globs: `tests/it/fuzz/rules.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::rules::check(bytes);
});
