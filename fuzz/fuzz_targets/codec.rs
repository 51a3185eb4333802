//! gzip and zstd streams: `tests/it/fuzz/codec.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::codec::check(bytes);
});
