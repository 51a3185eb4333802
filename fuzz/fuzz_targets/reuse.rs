//! gzip layers, cut and written again: `tests/it/fuzz/reuse.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::reuse::check(bytes);
});
