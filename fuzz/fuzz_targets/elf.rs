//! ELF files and scripts: `tests/it/fuzz/elf.rs` says what is checked.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    imgstrip_fuzz::fuzz::elf::check(bytes);
});
