//! Package databases: `tests/it/fuzz/packages.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::packages::check(bytes);
});
