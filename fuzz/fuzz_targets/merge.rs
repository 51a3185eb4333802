//! Stacks of layers: `tests/it/fuzz/merge.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::merge::check(bytes);
});
