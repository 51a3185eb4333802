//! Tars of layers: `tests/it/fuzz/tar.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::tar::check(bytes);
});
