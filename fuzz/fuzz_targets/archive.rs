//! Archives in every layout: `tests/it/fuzz/archive.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::archive::check(bytes);
});
