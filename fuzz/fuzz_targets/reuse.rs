//! Random gzip layers, cut and written again; the check is that of `tests/it/reuse.rs`.
#![no_main]
#![allow(unreachable_pub)]

#[path = "../../tests/it/reuse.rs"]
mod reuse;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reuse::check(bytes);
});
