//! Configs, rewritten: `tests/it/fuzz/config.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::config::check(bytes);
});
