//! What files need: an ELF file's interpreter, libraries and search paths are those that it was made with; a script's interpreter is the one
//! that Linux starts; whatever the bytes are, little of them is read, and from the places that the headers name.
//!
//! In: a file (`#!` or the magic of ELF first), or bytes that choose an ELF file.

use super::choices::{Choices, mutated};
use imgstrip::error::Error;
use imgstrip::needs::{Elf, Want, read};
use imgstrip::rootfs::{Content, Files, Source};
use std::sync::atomic::{AtomicU64, Ordering};

pub fn check(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"#!") || bytes.starts_with(b"\x7fELF") {
        return any(bytes);
    }
    let choices = &mut Choices(bytes);
    let (file, elf) = made(choices);
    if choices.rarely(3) {
        return any(&mutated(&file, choices));
    }
    assert_eq!(wanted(&file), Some(Want::Elf(elf)), "{}", file.escape_ascii());
    any(&file)
}

/// A file in memory that counts what is read of it.
struct Counted(AtomicU64);

impl Files for Counted {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let Source::Owned(bytes) = &content.source else { panic!("a file at hand") };
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        self.0.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(len)
    }
}

fn wanted(file: &[u8]) -> Option<Want> {
    let files = Counted(AtomicU64::new(0));
    let want = read(&files, &Content::owned(file)).unwrap();
    // Program headers and the dynamic section have 64 KiB at most; of 514 names each costs a window, one of them its whole length.
    let read = files.0.into_inner();
    assert!(read <= 514 * 16_384 + 4 * 65_536, "{read} bytes read of {}", file.len());
    want
}

fn any(file: &[u8]) -> bool {
    match wanted(file) {
        Some(Want::Script(script)) => {
            let (interpreter, argument) = linux(file).expect("Linux does not start it");
            // Blanks at the end of a last line without its line feed, which Linux leaves there, are nobody's.
            let argument = &argument[..argument.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1)];
            assert_eq!((&*script.interpreter, &*script.argument), (&interpreter[..], argument));
            true
        }
        Some(Want::Elf(elf)) => {
            let whole = |name: &[u8], ends: &[u8]| {
                file.windows(name.len() + 1)
                    .any(|window| window.starts_with(name) && ends.contains(&window[name.len()]))
            };
            assert!(
                elf.needed.iter().chain(&elf.interpreter).all(|name| !name.is_empty() && whole(name, b"\0")),
                "{elf:?}"
            );
            assert!(
                elf.rpath.iter().chain(&elf.runpath).all(|name| !name.is_empty() && whole(name, b"\0:")),
                "{elf:?}"
            );
            assert!(elf.rpath.is_empty() || elf.runpath.is_empty());
            let names = elf.needed.iter().chain(&elf.rpath).chain(&elf.runpath).map(|name| name.len()).sum::<usize>();
            assert!(names <= file.len().min(65_536), "{names} bytes of names in {}", file.len());
            true
        }
        None => {
            assert_eq!(linux(file), None, "Linux starts it");
            false
        }
    }
}

fn blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `load_script` of Linux 6.12 (`fs/binfmt_script.c`): the interpreter, and its one argument.
fn linux(file: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut buffer = [0; 256];
    let len = file.len().min(256);
    buffer[..len].copy_from_slice(&file[..len]);
    if !buffer.starts_with(b"#!") {
        return None;
    }
    let line = buffer.iter().position(|&byte| byte == b'\n' || byte == 0).filter(|&end| buffer[end] == b'\n');
    let mut end = match line {
        Some(end) => end,
        None => {
            let name = buffer[2..].iter().position(|byte| !blank(byte))? + 2;
            buffer[name..].iter().position(|byte| blank(byte) || *byte == 0)?;
            255
        }
    };
    while blank(&buffer[end - 1]) {
        end -= 1;
    }
    let name = buffer[2..].iter().position(|byte| !blank(byte))? + 2;
    if name >= end {
        return None;
    }
    let after = buffer[name..end].iter().position(|byte| blank(byte) || *byte == 0).map_or(end, |at| name + at);
    let argument = match buffer[after..end].iter().position(|byte| !blank(byte)) {
        Some(start) if buffer[after] != 0 => &buffer[after + start..end],
        _ => b"",
    };
    let text = |bytes: &[u8]| bytes.split(|&byte| byte == 0).next().unwrap().to_vec();
    let interpreter = text(&buffer[name..after]);
    (!interpreter.is_empty()).then(|| (interpreter, text(argument)))
}

/// An ELF file of either class and either order of bytes, and what it needs.
fn made(choices: &mut Choices<'_>) -> (Vec<u8>, Elf) {
    let is_64 = !choices.rarely(3);
    let is_big = choices.rarely(3);
    let word = |value: u64, len: usize| -> Vec<u8> {
        let bytes = value.to_le_bytes()[..len].to_vec();
        if is_big { bytes.into_iter().rev().collect() } else { bytes }
    };
    let size = if is_64 { 8 } else { 4 };
    let name = |choices: &mut Choices<'_>| -> Vec<u8> {
        let len = 1 + choices.few(20) * choices.few(4);
        (0..len).map(|_| choices.of(b"abclib.so0123/$-+")).collect()
    };
    let interpreter = choices.rarely(2).then(|| name(choices));
    let mut needed: Vec<Vec<u8>> = (0..choices.few(6)).map(|_| name(choices)).collect();
    let list = |choices: &mut Choices<'_>| -> Vec<Vec<u8>> { (0..=choices.few(3)).map(|_| name(choices)).collect() };
    let rpath = choices.rarely(3).then(|| list(choices));
    let runpath = choices.rarely(3).then(|| list(choices));

    // Headers, then the interpreter, the dynamic section, and the strings, apart by as much as is chosen.
    let (header, entry) = if is_64 { (64, 56) } else { (52, 32) };
    let mut file = vec![0; header + 4 * entry];
    let mut put = |choices: &mut Choices<'_>, bytes: &[u8]| -> u64 {
        let apart = choices.of(&[0, 1, 900, 5000]);
        file.resize(file.len() + apart, 0);
        let at = file.len() as u64;
        file.extend_from_slice(bytes);
        at
    };
    let mut strings = vec![0];
    let mut string = |text: &[u8]| -> u64 {
        strings.extend_from_slice(text);
        strings.push(0);
        (strings.len() - 1 - text.len()) as u64
    };
    let mut tags: Vec<(u64, u64)> = needed.iter().map(|name| (1, string(name))).collect();
    for (tag, list) in [(15, &rpath), (29, &runpath)] {
        tags.extend(list.as_ref().map(|list| (tag, string(&list.join(&b':')))));
    }
    let base = 0x40_0000;
    let interpreter_at = interpreter.as_ref().map(|name| put(choices, &[&name[..], b"\0"].concat()));
    let strings_at = put(choices, &strings);
    tags.extend([(5, base + strings_at), (10, strings.len() as u64), (0, 0)]);
    if choices.rarely(2) {
        tags.rotate_right(3);
        tags.retain(|tag| tag.0 != 0);
        tags.push((0, 0));
    }
    let dynamic: Vec<u8> =
        tags.iter().flat_map(|&(tag, value)| [word(tag, size), word(value, size)].concat()).collect();
    let dynamic_at = put(choices, &dynamic);
    let len = file.len() as u64;

    let mut segments = vec![(1u64, 0, base, len)];
    segments
        .extend(interpreter_at.zip(interpreter.as_ref()).map(|(at, name)| (3, at, base + at, name.len() as u64 + 1)));
    segments.push((2, dynamic_at, base + dynamic_at, dynamic.len() as u64));
    let machine = choices.of(&[62u16, 183, 40, 3]);
    let mut head = [&b"\x7fELF"[..], &[if is_64 { 2 } else { 1 }, 1 + u8::from(is_big), 1], &[0; 9]].concat();
    head.extend([word(choices.of(&[2, 3]), 2), word(machine.into(), 2), word(1, 4)].concat());
    head.extend([word(base, size), word(header as u64, size), word(0, size), word(0, 4)].concat());
    for value in [header, entry, segments.len(), 0, 0, 0] {
        head.extend(word(value as u64, 2));
    }
    for (kind, offset, address, len) in segments {
        let parts =
            [word(offset, size), word(address, size), word(address, size), word(len, size), word(len, size)].concat();
        let (flags, align) = (word(5, 4), word(1, size));
        head.extend(
            if is_64 { [word(kind, 4), flags, parts, align] } else { [word(kind, 4), parts, flags, align] }.concat(),
        );
    }
    file[..head.len()].copy_from_slice(&head);

    let mut seen = Vec::new();
    needed.retain(|name| {
        let new = !seen.contains(name);
        seen.push(name.clone());
        new
    });
    let boxed = |list: Vec<Vec<u8>>| list.into_iter().map(Vec::into_boxed_slice).collect();
    let elf = Elf {
        is_64,
        machine,
        interpreter: interpreter.map(Vec::into_boxed_slice),
        needed: boxed(needed),
        rpath: boxed(rpath.filter(|_| runpath.is_none()).unwrap_or_default()),
        runpath: boxed(runpath.unwrap_or_default()),
    };
    (file, elf)
}
