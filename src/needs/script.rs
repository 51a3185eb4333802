//! The `#!` line of a script, as Linux parses it (`fs/binfmt_script.c`), and the program that a line such as `#!/usr/bin/env -S x=1 prog`
//! names beside its interpreter. In: the first bytes of a file. Out: a [`Script`]. Nothing is looked up.

use super::want::Script;

/// How much of a script Linux looks at since 5.1 (`BINPRM_BUF_SIZE`). The last of these bytes can end the line or a name, and is part of none.
const LINE: usize = 256;

/// Interpreters that start the program which their argument names: `env`, s6's `with-contenv`, and the small inits that people put first.
const RUNNERS: &[&[u8]] = &[b"env", b"with-contenv", b"dumb-init", b"tini"];

/// Options of `env` whose value is the next word.
const WITH_VALUE: &[&[u8]] = &[b"-u", b"--unset", b"-C", b"--chdir", b"-a", b"--argv0"];

/// Reads the first line; `None` where Linux would not take it.
pub(super) fn parse(head: &[u8]) -> Option<Script> {
    let text = head.get(..LINE.min(head.len()))?.strip_prefix(b"#!")?;
    let end = text.iter().position(|byte| matches!(byte, b'\n' | 0));
    let is_cut = end.is_none() && head.len() >= LINE;
    // An interpreter whose name is cut off is refused, an argument that is cut off is taken.
    if is_cut && !text.iter().skip_while(|byte| is_blank(**byte)).any(|&byte| is_blank(byte)) {
        return None;
    }
    let line = trim(text.get(..end.unwrap_or(text.len().saturating_sub(usize::from(is_cut))))?);
    let blank = line.iter().position(|&byte| is_blank(byte));
    if line.is_empty() {
        return None;
    }
    let (interpreter, argument) = line.split_at(blank.unwrap_or(line.len()));
    Some(Script { interpreter: interpreter.into(), argument: trim(argument).into() })
}

/// The program that the line names beside its interpreter. Where `env` has no `-S`, it takes the whole argument for a name, and no script that
/// works has more than one word there: to read the first of them keeps at most a program too many.
pub(super) fn program(script: &Script) -> Option<Box<[u8]>> {
    if script.argument.first() == Some(&b'/') {
        // `#!/bin/sh /etc/rc.common`, `#!/usr/bin/python3 /usr/bin/tool`.
        return Some(words(&script.argument).into_iter().next()?.into());
    }
    let name = script.interpreter.rsplit(|&byte| byte == b'/').next()?;
    if !RUNNERS.contains(&name) {
        return None;
    }
    let mut words = words(&script.argument).into_iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            return words.next().map(Into::into);
        }
        // `-S` and its text may be one word: `-Sprog`, `-iSprog`, `--split-string=prog`.
        let split = word.strip_prefix(b"--split-string=").or_else(|| {
            let letters = word.strip_prefix(b"-").filter(|rest| rest.first() != Some(&b'-'))?;
            letters.get(letters.iter().position(|&byte| byte == b'S')?.checked_add(1)?..)
        });
        let word = match split {
            Some(b"") => continue,
            Some(text) => text,
            None if word.first() == Some(&b'-') => {
                if WITH_VALUE.contains(&word.as_slice()) {
                    words.next();
                }
                continue;
            }
            None => word.as_slice(),
        };
        if !word.contains(&b'=') {
            return Some(word.into());
        }
    }
    None
}

/// The words of an argument as `env -S` splits them; variables are not expanded.
fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        match (byte, quote) {
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (_, Some(open)) if byte == open => quote = None,
            // `\_` is a space outside of quotes, and every other escape stands for one that no name of a program holds.
            (b'\\', None | Some(b'"')) => match rest.next() {
                Some(b'_') if quote.is_none() => words.extend(word.take()),
                Some(b'_') => word.get_or_insert_default().push(b' '),
                Some(other) => word.get_or_insert_default().push(other),
                None => {}
            },
            (byte, None) if is_blank(byte) => words.extend(word.take()),
            (byte, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}
