//! What is stripped, in each shape of file that linkers make.

use super::fixture::{ALLOC, Build, Layer, NOTE, PROGBITS, Part, RELA, STRTAB, SYMTAB, Shape, WRITE, part, strip};
use super::model::{Row, compare, rows};
use crate::rootfs::{Content, Source};
use crate::strip::strip_debug;

const SHAPES: [Shape; 3] = [Shape::Last, Shape::BeforeSymbols, Shape::Mapped];

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| std::str::from_utf8(&row.name).unwrap()).collect()
}

#[test]
fn debug_sections_and_the_symbol_table_go_from_files_of_every_shape() {
    for shape in SHAPES {
        let before = Build::shaped(shape).bytes();
        let after = strip(&before).unwrap_or_else(|skip| panic!("{shape:?}: {skip:?}"));
        compare(&before, &after);
        let names = rows(&after);
        assert!(names.iter().all(|row| !row.is_debug()), "{shape:?}: {names:?}");
        // Where the old section headers cannot go, the new ones take up 832 bytes of the gain.
        let gain = if shape == Shape::Mapped { 800 } else { 1001 + 333 + 240 + 77 };
        assert!(before.len() - after.len() > gain, "{shape:?}");
    }
}

#[test]
fn sections_that_stay_keep_their_order_and_their_bytes() {
    let before = Build::usual().bytes();
    let after = strip(&before).unwrap();
    let kept = ["", ".dynsym", ".text", ".dynamic", ".bss", ".comment", ".gnu_debuglink", ".shstrtab"];
    assert_eq!(names(&rows(&after)), kept);
    let link = |file: &[u8]| rows(file).into_iter().find(|row| row.name == b".gnu_debuglink").unwrap();
    assert_eq!(link(&before).bytes(&before), link(&after).bytes(&after));
    assert!(link(&after).offset < link(&before).offset);
    assert_eq!(link(&after).offset % 4, 0, "it keeps to its alignment");
}

#[test]
fn an_empty_section_that_stays_lies_within_the_file() {
    let before = Build::usual().edit(".gnu_debuglink", |part| part.data.clear()).bytes();
    let after = strip(&before).unwrap();
    compare(&before, &after);
    assert!(rows(&after).iter().all(|row| row.offset <= after.len()));
}

#[test]
fn names_of_what_is_gone_are_gone() {
    let after = strip(&Build::usual().bytes()).unwrap();
    assert!(!after.windows(6).any(|window| window == b".debug"));
}

#[test]
fn section_headers_before_the_symbol_table_do_not_stay_as_dead_bytes() {
    let bare =
        Build::shaped(Shape::BeforeSymbols).without(".debug_info").without(".debug_str").without(".gnu_debuglink");
    let before = bare.edit(".symtab", |part| part.data = vec![1; 960]).bytes();
    let after = strip(&before).unwrap();
    compare(&before, &after);
    assert!(before.len() - after.len() >= 960 + 77 + 2 * 64, "{} of {}", after.len(), before.len());
    assert!(!after.windows(7).any(|window| window == b".symtab"));
}

#[test]
fn a_mapped_section_keeps_its_number() {
    // Go's linker numbers .note.go.buildid behind the debug sections; symbols of .dynsym name sections by number.
    let before = Build::shaped(Shape::Mapped).bytes();
    let after = strip(&before).unwrap();
    let position = |file: &[u8]| rows(file).iter().position(|row| row.name == b".note.go.buildid").unwrap();
    assert_eq!(position(&before), position(&after));
    assert_eq!(names(&rows(&after))[6..8], ["", ""], "empty headers keep the places of .debug_info and .debug_str");
}

#[test]
fn section_headers_in_a_segment_stay_there_and_new_ones_follow() {
    // Go's linker puts them at offset 456, among the mapped bytes; what is mapped does not change.
    let before = Build::shaped(Shape::Mapped).bytes();
    let after = strip(&before).unwrap();
    let place = |file: &[u8]| u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    assert_eq!(before[place(&before)..][..640], after[place(&before)..][..640]);
    assert!(place(&after) > place(&before));
}

#[test]
fn a_file_is_its_own_runs_and_a_few_bytes_at_hand() {
    let large = Build::usual().edit(".text", |text| text.data = vec![0x90; 1 << 20]);
    let (layer, content) = Layer::of(&large.bytes());
    let after = strip_debug(&layer, &content).unwrap().unwrap();
    let Source::Joined(parts) = &after.source else { panic!("{after:?}") };
    let owned: u64 = parts.iter().filter(|part| matches!(part.source, Source::Owned(_))).map(|part| part.size).sum();
    assert!(owned < 64 + 64 * 8 + 100, "{owned} bytes are held");
    assert!(parts.len() <= 5, "{parts:?}");
    let read: usize = layer.reads.lock().unwrap().iter().map(|(_, count)| count).sum();
    assert!(read < 8192, "{read} bytes were read of {}", content.size);
}

#[test]
fn every_family_of_debug_sections_goes() {
    let mut build = Build::usual();
    for name in [".debug_line", ".zdebug_info", ".stab", ".gdb_index", ".debug_names"] {
        build = build.with(part(name, PROGBITS, 0, 1, vec![1; 64]));
    }
    let build = build.with(part(".stabstr", STRTAB, 0, 1, vec![1; 64]));
    let compressed = build.edit(".debug_line", |part| part.flags = 0x800);
    let after = strip(&compressed.bytes()).unwrap();
    assert_eq!(rows(&after).len(), 8);
}

#[test]
fn what_debuggers_and_scanners_find_by_itself_stays() {
    let mut build = Build::usual();
    for name in [".gnu_debugdata", ".gnu_debugaltlink", ".BTF", ".BTF.ext", ".GCC.command.line", ".SUNW_ctf"] {
        build = build.with(part(name, PROGBITS, 0, 8, name.as_bytes()));
    }
    let build = build.with(part(".note.stapsdt", NOTE, 0, 4, vec![3; 40]));
    let before = build.bytes();
    let after = strip(&before).unwrap();
    compare(&before, &after);
    let rows = rows(&after);
    let kept = |name: &&str| rows.iter().any(|row| row.name == name.as_bytes());
    assert!([".gnu_debugdata", ".gnu_debugaltlink", ".BTF", ".BTF.ext", ".note.stapsdt", ".comment"].iter().all(kept));
}

#[test]
fn a_mapped_debug_section_stays() {
    // rustc's .debug_gdb_scripts is loaded with the program.
    let scripts = part(".debug_gdb_scripts", PROGBITS, ALLOC | 0x30, 1, vec![1; 34]);
    let mut build = Build::usual();
    build.parts.insert(2, scripts);
    let after = strip(&build.bytes()).unwrap();
    assert!(names(&rows(&after)).contains(&".debug_gdb_scripts"));
}

#[test]
fn links_follow_the_sections_that_they_name() {
    let note = Part { link: ".dynsym", info: ".gnu_debuglink", ..part(".note.linked", RELA, 0, 8, vec![0; 24]) };
    let attributes = Part { link: ".gnu_debuglink", ..part(".BTF.ext", PROGBITS, 0, 4, vec![5; 8]) };
    let before = Build::usual().with(note).with(attributes).bytes();
    let after = strip(&before).unwrap();
    compare(&before, &after);
    let rows = rows(&after);
    let btf = rows.iter().find(|row| row.name == b".BTF.ext").unwrap();
    assert_eq!(rows[btf.link].name, b".gnu_debuglink");
    let note = rows.iter().find(|row| row.name == b".note.linked").unwrap();
    assert_eq!(rows[note.info].name, b".gnu_debuglink");
}

#[test]
fn mapped_relocations_without_symbols_lose_their_link_to_the_symbol_table() {
    // .rela.plt of every program that is linked to glibc's libc.a: IRELATIVE, found by address.
    let relocations = Part { link: ".symtab", info: ".dynamic", ..part(".rela.plt", RELA, ALLOC, 8, vec![0; 48]) };
    let mut build = Build::usual();
    build.parts.insert(1, relocations);
    let before = build.bytes();
    let after = strip(&before).unwrap();
    compare(&before, &after);
    assert_eq!(rows(&after)[2].link, 0);
}

#[test]
fn a_table_of_strings_that_also_names_the_sections_stays_for_that() {
    // LLVM's tools may write one table for both.
    let before = Build::usual().bytes();
    let mut shared = before.clone();
    let table = u64::from_le_bytes(before[40..48].try_into().unwrap()) as usize;
    let symtab = rows(&before).iter().position(|row| row.name == b".symtab").unwrap();
    let names = rows(&before).iter().position(|row| row.name == b".shstrtab").unwrap();
    super::fixture::put(&mut shared, table + 64 * symtab + 40, &(names as u32).to_le_bytes());
    compare(&shared, &strip(&shared).unwrap());
}

#[test]
fn files_of_many_kinds_are_read_alike() {
    for (kind, machine) in [(2, 62), (3, 183), (3, 243), (2, 21), (3, 258)] {
        let before = Build { kind, machine, ..Build::usual() }.bytes();
        compare(&before, &strip(&before).unwrap());
    }
    let writable = Build::usual().edit(".dynsym", |part| part.flags |= WRITE).bytes();
    compare(&writable, &strip(&writable).unwrap());
    let only_symbols = Build::usual().without(".debug_info").edit(".symtab", |part| part.data = vec![1; 960]);
    assert_eq!(only_symbols.parts.iter().filter(|part| part.kind == SYMTAB).count(), 1);
    let before = only_symbols.bytes();
    compare(&before, &strip(&before).unwrap());
}

#[test]
fn what_is_stripped_has_nothing_more_to_gain() {
    for shape in SHAPES {
        let after = strip(&Build::shaped(shape).bytes()).unwrap();
        assert_eq!(strip(&after), Err(crate::strip::Skip::NothingToGain), "{shape:?}");
    }
}

#[test]
fn the_same_file_gives_the_same_content() {
    let (layer, content) = Layer::of(&Build::usual().bytes());
    let once: Content = strip_debug(&layer, &content).unwrap().unwrap();
    assert_eq!(once, strip_debug(&layer, &content).unwrap().unwrap());
}
