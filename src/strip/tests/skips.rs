//! Each reason to leave a file as it is, by a file that has it.

use super::fixture::{ALLOC, Build, EXEC, Layer, NOBITS, PROGBITS, Part, RELA, SYMTAB, Shape, WRITE, part, put, strip};
use crate::error::{Error, ErrorKind};
use crate::rootfs::{Content, Extent, Files, LayerId, Source};
use crate::strip::{Skip, strip_debug};

fn skip(build: &Build) -> Skip {
    strip(&build.bytes()).expect_err("it was stripped")
}

/// The usual file with some bytes written over.
fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = Build::usual().bytes();
    put(&mut file, at, bytes);
    file
}

/// Where the header of a section lies in the usual file.
fn row(file: &[u8], name: &str) -> usize {
    let table = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    let index = super::model::rows(file).iter().position(|row| row.name == name.as_bytes()).unwrap();
    table + 64 * index
}

#[test]
fn a_file_that_is_no_elf_file_costs_one_short_read() {
    let (layer, content) = Layer::of(&[b'#'; 100_000]);
    assert_eq!(strip_debug(&layer, &content).unwrap(), Err(Skip::NotElf));
    assert_eq!(*layer.reads.lock().unwrap(), [(0, 64)]);
    let (layer, content) = Layer::of(b"\x7fELF");
    assert_eq!(strip_debug(&layer, &content).unwrap(), Err(Skip::NotElf));
    assert!(layer.reads.lock().unwrap().is_empty());
    assert_eq!(strip(&[b"!<arch>\n", &[b' '; 100][..]].concat()), Err(Skip::NotElf));
}

#[test]
fn what_is_not_64_bit_little_endian_stays() {
    assert_eq!(strip(&patched(4, &[1])), Err(Skip::NotElf64Le));
    assert_eq!(strip(&patched(5, &[2])), Err(Skip::NotElf64Le));
}

#[test]
fn programs_for_graphics_cards_stay() {
    for machine in [190, 224, 8] {
        assert_eq!(skip(&Build { machine, ..Build::usual() }), Skip::Machine);
    }
}

#[test]
fn objects_and_kernel_modules_stay() {
    let module =
        Build { kind: 1, ..Build::usual() }.with(part(".modinfo", PROGBITS, ALLOC, 1, b"license=GPL\0".to_vec()));
    assert_eq!(skip(&module), Skip::Object);
}

#[test]
fn core_dumps_and_files_without_a_loaded_segment_stay() {
    assert_eq!(skip(&Build { kind: 4, ..Build::usual() }), Skip::NotLoaded);
    assert_eq!(strip(&patched(64, &[6])), Err(Skip::NotLoaded), "PT_LOAD becomes PT_PHDR");
}

#[test]
fn debug_files_stay_whole() {
    let empty_code = Build::usual().edit(".text", |text| *text = part(".text", NOBITS, ALLOC | EXEC, 16, [1; 8]));
    assert_eq!(skip(&empty_code), Skip::DebugFile);
    let empty_data = Build::usual().edit(".dynsym", |part| part.kind = NOBITS);
    assert_eq!(skip(&empty_data), Skip::DebugFile);
}

#[test]
fn sparse_and_rewritten_files_stay() {
    struct Bytes(Vec<u8>);
    impl Files for Bytes {
        fn read_at(&self, _: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
            buffer.copy_from_slice(&self.0[at as usize..][..buffer.len()]);
            Ok(buffer.len())
        }
    }
    let file = Build::usual().bytes();
    let size = file.len() as u64;
    let extents = [Extent { at: 0, len: size, offset: 512 }];
    let sparse = Content { size, source: Source::Sparse(LayerId(0), extents.into()) };
    assert_eq!(strip_debug(&Bytes(file.clone()), &sparse).unwrap(), Err(Skip::NotOneRun));
    assert_eq!(strip_debug(&Bytes(file.clone()), &Content::owned(file)).unwrap(), Err(Skip::NotOneRun));
}

#[test]
fn a_stripped_file_has_nothing_to_gain() {
    let bare =
        [".debug_info", ".debug_str", ".symtab", ".strtab"].iter().fold(Build::usual(), |b, name| b.without(name));
    assert_eq!(skip(&bare), Skip::NothingToGain);
    assert_eq!(strip(&patched(40, &[0; 8])), Err(Skip::NothingToGain), "no section headers at all");
}

#[test]
fn less_than_a_block_of_a_tar_is_no_gain() {
    let small = |size| {
        Build::usual().without(".debug_info").without(".symtab").without(".strtab").edit(".debug_str", move |part| {
            part.data = vec![1; size];
        })
    };
    // Its header takes 64 bytes and its name 11, and padding up to a word follows.
    assert_eq!(skip(&small(420)), Skip::NothingToGain);
    assert!(strip(&small(512).bytes()).is_ok());
}

#[test]
fn debug_sections_before_the_end_of_a_segment_stay() {
    // The layout that patchelf leaves: a new segment behind everything (numpy's libscipy_openblas64).
    let build = Build::usual().with(part(".dynstr", PROGBITS, 0, 1, [7; 32]));
    let build = Build { segment_over: ".dynstr", ..build.without(".symtab").without(".strtab") };
    assert_eq!(skip(&build), Skip::DebugInside);
}

#[test]
fn a_payload_behind_the_end_stays_with_its_program() {
    for shape in [Shape::Last, Shape::BeforeSymbols, Shape::Mapped] {
        let payload = b"PK\x05\x06".to_vec();
        assert_eq!(skip(&Build { payload, ..Build::shaped(shape) }), Skip::AppendedPayload, "{shape:?}");
        assert_eq!(skip(&Build { payload: vec![0], ..Build::shaped(shape) }), Skip::AppendedPayload, "{shape:?}");
    }
}

#[test]
fn bytes_that_belong_to_nothing_stay() {
    let file = Build::usual().bytes();
    // .debug_str shrinks by half: its other half belongs to nothing.
    let mut shrunk = file.clone();
    put(&mut shrunk, row(&file, ".debug_str") + 32, &100u64.to_le_bytes());
    assert_eq!(strip(&shrunk), Err(Skip::UnknownBytes));
    let zeros = Build::usual().edit(".debug_str", |part| part.data = vec![0; 333]).bytes();
    let mut padded = zeros.clone();
    put(&mut padded, row(&zeros, ".debug_str") + 32, &100u64.to_le_bytes());
    assert!(strip(&padded).is_ok(), "zeros are padding");
    let zeros = Build::usual().edit(".debug_str", |part| part.data = vec![0; 8192]).bytes();
    let mut wide = zeros.clone();
    put(&mut wide, row(&zeros, ".debug_str") + 32, &100u64.to_le_bytes());
    assert_eq!(strip(&wide), Err(Skip::UnknownBytes), "a page of zeros is more than padding");
}

#[test]
fn a_section_of_no_known_meaning_does_not_move() {
    let unknown = part(".bundle", PROGBITS, 0, 1, [9; 40]);
    assert_eq!(skip(&Build::usual().with(unknown.clone())), Skip::UnknownSection);
    let mut before = Build::usual();
    before.parts.insert(4, unknown);
    assert!(strip(&before.bytes()).is_ok(), "before the first that goes it need not move");
    let odd = part(".debug_odd", 0x6000_0000, 0, 1, [9; 40]);
    assert_eq!(skip(&Build::usual().with(odd)), Skip::UnknownSection);
}

#[test]
fn what_speaks_of_a_section_that_goes_keeps_the_file_as_it_is() {
    let relocations = Part { link: ".symtab", info: ".text", ..part(".rela.text", RELA, 0, 8, [1; 48]) };
    assert_eq!(skip(&Build::usual().with(relocations.clone())), Skip::LinkedSection, "ld --emit-relocs");
    let mut early = Build::usual();
    early.parts.insert(4, relocations);
    assert_eq!(skip(&early), Skip::LinkedSection);
    let group = Part { link: ".symtab", ..part(".group", 17, 0, 4, [1; 8]) };
    assert_eq!(skip(&Build::usual().with(group)), Skip::LinkedSection);
    let note = Part { link: ".strtab", ..part(".note.x", 7, 0, 4, [1; 8]) };
    assert_eq!(skip(&Build::usual().with(note)), Skip::LinkedSection);
    let mut second = Build::usual();
    second.parts.insert(4, part(".symtab.other", SYMTAB, 0, 8, [1; 48]));
    assert_eq!(skip(&second), Skip::LinkedSection);
}

#[test]
fn mapped_relocations_that_name_a_symbol_keep_the_symbol_table() {
    let mut build = Build::usual();
    build.parts.insert(1, Part { link: ".symtab", ..part(".rela.plt", RELA, ALLOC, 8, [1; 48]) });
    assert_eq!(skip(&build), Skip::LinkedSection);
}

#[test]
fn numbers_that_stand_in_section_0_are_not_followed() {
    assert_eq!(strip(&patched(60, &[0, 0])), Err(Skip::ExtendedNumbering));
    assert_eq!(strip(&patched(62, &[0xff, 0xff])), Err(Skip::ExtendedNumbering));
    assert_eq!(strip(&patched(56, &[0xff, 0xff])), Err(Skip::ExtendedNumbering));
}

#[test]
fn more_headers_than_any_known_file_has_are_not_read() {
    assert_eq!(strip(&patched(60, &[1, 0x10])), Err(Skip::TooLarge));
    assert_eq!(strip(&patched(56, &[1, 0x10])), Err(Skip::TooLarge));
    let long = (0..300)
        .fold(Build::usual(), |build, _| build.with(part(&format!(".debug{}", "x".repeat(240)), PROGBITS, 0, 1, [1])));
    assert_eq!(skip(&long), Skip::TooLarge);
    let many = (0..70).fold(Build::usual(), |build, _| build.with(part(".note.n", 7, 0, 4, [1; 4])));
    assert_eq!(skip(&many), Skip::TooLarge);
}

#[test]
fn headers_that_contradict_the_file_are_malformed() {
    let file = Build::usual().bytes();
    let far = u64::MAX.to_le_bytes();
    let text = row(&file, ".text");
    for (at, what) in [(32, "program headers"), (40, "section headers"), (64 + 8, "a segment"), (64 + 32, "its size")] {
        assert_eq!(strip(&patched(at, &far)), Err(Skip::Malformed), "{what}");
    }
    assert_eq!(strip(&patched(text + 32, &far)), Err(Skip::Malformed), "a section");
    assert_eq!(strip(&patched(text, &[0xff; 4])), Err(Skip::Malformed), "a name");
    assert_eq!(strip(&patched(62, &[1, 0])), Err(Skip::Malformed), "names that are no strings");
    assert_eq!(strip(&patched(58, &[40, 0])), Err(Skip::Malformed), "section headers of another size");
    assert_eq!(strip(&patched(text + 40, &[200, 0])), Err(Skip::Malformed), "a link to nothing");
    let debug = row(&file, ".debug_str");
    assert_eq!(strip(&patched(debug + 32, &400u64.to_le_bytes())), Err(Skip::Malformed), "sections over one another");
    assert_eq!(strip(&file[..file.len() - 1]), Err(Skip::Malformed), "a file that is cut off");
    let crooked = Build::usual().edit(".gnu_debuglink", |part| part.align = 3);
    assert_eq!(skip(&crooked), Skip::Malformed);
    let writable = Build::usual().edit(".bss", |part| part.flags |= WRITE);
    assert!(strip(&writable.bytes()).is_ok());
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_no_reason() {
    struct Broken(bool);
    impl Files for Broken {
        fn read_at(&self, _: &Content, _: u64, _: &mut [u8]) -> Result<usize, Error> {
            if self.0 { Err(Error::integrity("the layer ends too early")) } else { Ok(3) }
        }
    }
    let content = Content { size: 4096, source: Source::Layer(LayerId(0), 0) };
    for broken in [Broken(true), Broken(false)] {
        assert_eq!(strip_debug(&broken, &content).unwrap_err().kind(), ErrorKind::Integrity);
    }
}

#[test]
fn every_reason_has_a_name_and_a_text_of_its_own() {
    use Skip::*;
    let all = [
        NotElf,
        NotElf64Le,
        Machine,
        Object,
        NotLoaded,
        DebugFile,
        NotOneRun,
        NothingToGain,
        DebugInside,
        AppendedPayload,
        UnknownBytes,
        UnknownSection,
        LinkedSection,
        ExtendedNumbering,
        TooLarge,
        Malformed,
        Unproven(crate::strip::Difference::Segment),
    ];
    let distinct =
        |text: fn(Skip) -> &'static str| all.iter().map(|skip| text(*skip)).collect::<std::collections::BTreeSet<_>>();
    assert_eq!((distinct(Skip::code).len(), distinct(Skip::text).len()), (all.len(), all.len()));
    assert!(AppendedPayload.is_telling() && !NotElf.is_telling());
}
