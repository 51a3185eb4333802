//! PAX records and sparse maps: `tests/it/fuzz/pax.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::pax::check(bytes);
});
