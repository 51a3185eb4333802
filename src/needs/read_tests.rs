//! What files say they want, well formed and hostile.

use super::elf_testing::{Image, Memory, X86_64, object, program};
use super::script::program as named;
use super::{Elf, Script, Want, Wants, read, script};
use crate::rootfs::{Content, Descend, InodeId};
use proptest::prelude::*;
use std::sync::atomic::Ordering;

fn want(bytes: &[u8]) -> Option<Want> {
    read(&Memory::default(), &Content::owned(bytes)).unwrap()
}

fn elf(bytes: &[u8]) -> Elf {
    match want(bytes) {
        Some(Want::Elf(elf)) => elf,
        other => panic!("{other:?}"),
    }
}

fn names(names: &[&str]) -> Vec<Box<[u8]>> {
    names.iter().map(|name| name.as_bytes().into()).collect()
}

#[test]
fn both_classes_and_both_byte_orders_are_read_alike() {
    for is_64 in [true, false] {
        for big_endian in [true, false] {
            let mut draft = program().needs(&["liba.so.1", "libc.so.6"]).runpath("$ORIGIN/../lib:/opt/lib");
            (draft.is_64, draft.big_endian) = (is_64, big_endian);
            let expected = Elf {
                is_64,
                machine: X86_64,
                interpreter: Some(b"/lib64/ld-linux-x86-64.so.2"[..].into()),
                needed: names(&["liba.so.1", "libc.so.6"]),
                rpath: Vec::new(),
                runpath: names(&["$ORIGIN/../lib", "/opt/lib"]),
            };
            assert_eq!(elf(&draft.bytes()), expected, "{is_64} {big_endian}");
        }
    }
}

#[test]
fn strings_far_from_the_headers_are_read_where_they_lie_and_nothing_between_is() {
    let mut draft = object().needs(&["liba.so", "libb.so"]);
    draft.gap = 50_000_000;
    let memory = Memory::default();
    let Some(Want::Elf(elf)) = read(&memory, &Content::owned(draft.bytes())).unwrap() else { panic!() };
    assert_eq!(elf.needed, names(&["liba.so", "libb.so"]));
    assert!(memory.read.load(Ordering::Relaxed) < 20_000);
}

#[test]
fn with_a_runpath_the_rpath_does_not_count() {
    let both = elf(&object().rpath("/old").runpath("/new").bytes());
    assert_eq!((both.rpath, both.runpath), (Vec::new(), names(&["/new"])));
    let old = elf(&object().rpath("/old:").bytes());
    assert_eq!((old.rpath, old.runpath), (names(&["/old"]), Vec::new()));
}

#[test]
fn a_static_program_wants_nothing_and_is_still_known_as_one() {
    assert_eq!(elf(&object().bytes()), Elf { is_64: true, machine: X86_64, ..Elf::default() });
}

#[test]
fn an_object_file_and_a_core_dump_are_no_wants() {
    for kind in [1, 4] {
        let mut draft = object().needs(&["liba.so"]);
        draft.kind = kind;
        assert_eq!(want(&draft.bytes()), None);
    }
}

#[test]
fn an_elf_file_that_is_cut_off_is_no_want() {
    let whole = program().needs(&["liba.so"]).bytes();
    for length in 0..whole.len() - 1 {
        assert_eq!(want(&whole[..length]), None, "{length}");
    }
}

#[test]
fn an_interpreter_that_linux_refuses_is_no_want() {
    assert_eq!(want(&program().interpreter("").bytes()), None);
    assert_eq!(want(&program().interpreter(&"x".repeat(4096)).bytes()), None);
    assert!(want(&program().interpreter(&"x".repeat(4095)).bytes()).is_some());
}

#[test]
fn more_libraries_than_any_program_has_are_no_want() {
    let many: Vec<String> = (0..513).map(|number| format!("lib{number}.so")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(want(&object().needs(&many).bytes()), None);
    assert_eq!(elf(&object().needs(&many[..512]).bytes()).needed.len(), 512);
}

#[test]
fn a_short_file_cannot_ask_for_many_bytes_of_names() {
    // 500 names that are the tails of one string of 3,000 bytes would be 1.4 MB from a file of 12 KB.
    let long = "x".repeat(3000);
    let mut bytes = object().needs(&vec![long.as_str(); 500]).bytes();
    bytes.truncate(bytes.len() - 499 * 3001);
    let start = 64 + 2 * 56;
    for entry in 0..500u64 {
        let at = start + usize::try_from(entry).unwrap() * 16 + 8;
        bytes[at..at + 8].copy_from_slice(&(1 + entry).to_le_bytes());
    }
    assert_eq!(want(&bytes), None);
}

#[test]
fn sizes_beyond_the_file_cost_nothing() {
    let whole = program().needs(&["liba.so"]).bytes();
    // The number of program headers, then the offset and the size of each.
    let fields = [(56, 2), (64 + 8, 8), (64 + 32, 8), (120 + 8, 8), (120 + 32, 8), (176 + 8, 8), (176 + 32, 8)];
    for (at, size) in fields {
        let mut bytes = whole.clone();
        bytes[at..at + size].fill(0xff);
        let memory = Memory::default();
        let content = Content::owned(bytes);
        let read = read(&memory, &content).unwrap();
        assert!(memory.read.load(Ordering::Relaxed) < 20_000, "{at}");
        // The size of the first segment, which maps the strings, may well reach beyond the file.
        assert!(read.is_none() || at == 64 + 8 + 24, "{at}");
    }
}

fn line(text: &str) -> Option<(String, String)> {
    let show = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    script::parse(text.as_bytes()).map(|script| (show(&script.interpreter), show(&script.argument)))
}

#[test]
fn the_first_line_is_an_interpreter_and_one_argument() {
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    assert_eq!(line("#!/bin/sh\necho"), pair("/bin/sh", ""));
    assert_eq!(line("#! \t/usr/bin/env  -S  python3 -u \t\nx"), pair("/usr/bin/env", "-S  python3 -u"));
    assert_eq!(line("#!/bin/sh"), pair("/bin/sh", ""));
    assert_eq!(line("#!/bin/sh\r\n"), pair("/bin/sh\r", ""));
    for text in ["", "#", "#!", "#!\n/bin/sh", "#! \t\n", " #!/bin/sh\n", "\u{feff}#!/bin/sh\n"] {
        assert_eq!(line(text), None, "{text:?}");
    }
}

#[test]
fn an_interpreter_that_is_cut_off_is_none_and_an_argument_may_be() {
    assert_eq!(line(&format!("#!/{}\n", "x".repeat(300))), None);
    let (_, argument) = line(&format!("#!/bin/sh {}\n", "x".repeat(300))).unwrap();
    assert_eq!(argument.len(), 255 - 10);
    // The line feed may be the last of 256 bytes, and so may the blank behind a name.
    assert_eq!(line(&format!("#!/{}\n", "x".repeat(252))).unwrap().0.len(), 253);
    assert_eq!(line(&format!("#!/{} arg\n", "x".repeat(252))).unwrap().0.len(), 253);
    assert_eq!(line(&format!("#!/{}\n", "x".repeat(253))), None);
}

#[test]
fn the_program_of_env_is_found_behind_its_options_and_variables() {
    let of = |interpreter: &str, argument: &str| {
        let script = Script { interpreter: interpreter.as_bytes().into(), argument: argument.as_bytes().into() };
        named(&script).map(|name| String::from_utf8(name.to_vec()).unwrap())
    };
    for (argument, program) in [
        ("python3", "python3"),
        ("-S python3 -u", "python3"),
        ("-Spython3 -u", "python3"),
        ("-iS A=1 B='x y' node --flag", "node"),
        ("--split-string=perl -w", "perl"),
        ("-S -u HOME -C /tmp -- ruby", "ruby"),
        ("-S \"my prog\" x", "my prog"),
        ("-S a\\_b", "a"),
        ("VAR=x bash", "bash"),
    ] {
        assert_eq!(of("/usr/bin/env", argument).as_deref(), Some(program), "{argument}");
    }
    assert_eq!(of("/command/with-contenv", "bash").as_deref(), Some("bash"));
    assert_eq!(of("/bin/sh", "/etc/rc.common").as_deref(), Some("/etc/rc.common"));
    for (interpreter, argument) in
        [("/bin/sh", "-e"), ("/usr/bin/env", ""), ("/usr/bin/env", "-S A=1"), ("/bin/awk", "-f")]
    {
        assert_eq!(of(interpreter, argument), None, "{interpreter} {argument}");
    }
}

#[test]
fn a_file_is_asked_once_if_it_may_be_a_library_or_may_be_executed() {
    let image = Image::new()
        .script("app/run.py", "#!/bin/sh\n")
        .script("app/short", "#!")
        .text("app/module.py", &"x".repeat(99))
        .text("app/lib.so.1", &"x".repeat(52))
        .text("app/short.so", &"x".repeat(51))
        .text("app.d/noext", &"x".repeat(52));
    let mut paths = Vec::new();
    let asked: Vec<InodeId> = Wants::ask(&image.tree).into_iter().map(|(inode, _)| inode).collect();
    image.tree.walk(&mut |path, node| {
        paths.extend(asked.contains(&image.tree.node(node).inode).then(|| path.to_string()));
        Descend::Yes
    });
    assert_eq!(paths, ["/app/lib.so.1", "/app/run.py", "/app.d/noext"]);
}

#[test]
fn the_names_that_are_left_out_are_sorted() {
    assert!(super::wants::ASIDE.is_sorted());
}

#[test]
fn a_runpath_may_be_longer_than_a_path() {
    let directories: Vec<String> = (0..150).map(|number| format!("/nix/store/{number:0>50}/lib")).collect();
    assert_eq!(elf(&object().runpath(&directories.join(":")).bytes()).runpath.len(), 150);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_read_much(
        flips in prop::collection::vec((0usize..600, any::<u8>()), 1..12),
        is_64 in any::<bool>(),
        big_endian in any::<bool>(),
    ) {
        let mut draft = program().needs(&["liba.so.1", "libb.so"]).rpath("$ORIGIN/${LIB}:/x");
        (draft.is_64, draft.big_endian) = (is_64, big_endian);
        let mut bytes = draft.bytes();
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let memory = Memory::default();
        let size = bytes.len();
        let found = read(&memory, &Content::owned(bytes)).unwrap();
        prop_assert!(memory.read.load(Ordering::Relaxed) < 100_000);
        if let Some(Want::Elf(elf)) = found {
            let names = elf.needed.iter().chain(&elf.rpath).chain(&elf.runpath);
            prop_assert!(names.map(|name| name.len()).sum::<usize>() <= size);
        }
    }

    #[test]
    fn no_first_line_makes_it_panic(text in "#![ -~\t]{0,300}\n?") {
        if let Some(script) = script::parse(text.as_bytes()) {
            prop_assert!(!script.interpreter.is_empty());
            let _ = named(&script);
        }
    }
}
