//! Who is interested in which trigger (`triggers/*`, dpkg's doc/triggers.txt). In: the text of a file. Out: the same without some packages,
//! which are told by name, with or without an architecture. `None` where nothing changes.

/// `File`: a path and a package a line.
pub(super) fn file_triggers(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    lines_without(text, |line| {
        // A path may contain blanks; a package's name does not.
        line.rsplit(|&byte| byte == b' ').next().is_some_and(|package| goes(interest(package)))
    })
}

/// A file of its own for a named trigger: a package a line.
pub(super) fn named_trigger(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    lines_without(text, |line| goes(interest(line)))
}

/// `Unincorp`: a trigger that was pulled, and the packages that wait for it; `-` where none does.
pub(super) fn pulled(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(text.len());
    let mut changed = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let mut words = bare.split(|&byte| byte == b' ');
        let trigger = words.next().unwrap_or_default();
        let (gone, left): (Vec<&[u8]>, Vec<&[u8]>) = words.partition(|package| goes(package));
        if gone.is_empty() {
            kept.extend_from_slice(line);
            continue;
        }
        changed = true;
        kept.extend_from_slice(trigger);
        for package in if left.is_empty() { vec![&b"-"[..]] } else { left } {
            kept.push(b' ');
            kept.extend_from_slice(package);
        }
        kept.push(b'\n');
    }
    changed.then_some(kept)
}

/// The package of `gcc:amd64/noawait`, with its architecture.
fn interest(word: &[u8]) -> &[u8] {
    word.split(|&byte| byte == b'/').next().unwrap_or_default()
}

fn lines_without(text: &[u8], goes: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let kept: Vec<&[u8]> = lines.filter(|line| !goes(line.strip_suffix(b"\n").unwrap_or(line))).collect();
    let kept = kept.concat();
    (kept.len() != text.len()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_gcc(name: &[u8]) -> bool {
        name == b"gcc" || name == b"gcc:amd64"
    }

    #[test]
    fn the_lines_of_a_package_go() {
        let text = b"/usr/a b/c gcc/noawait\n/usr/x gcc-12\n/y gcc:amd64\n";
        assert_eq!(file_triggers(text, &is_gcc).unwrap(), b"/usr/x gcc-12\n");
        assert_eq!(named_trigger(b"libc-bin/noawait\ngcc\n", &is_gcc).unwrap(), b"libc-bin/noawait\n");
        assert_eq!(named_trigger(b"libc-bin\n", &is_gcc), None);
    }

    #[test]
    fn a_pulled_trigger_stays_pulled() {
        assert_eq!(pulled(b"a gcc x\nb gcc\nc -\n", &is_gcc).unwrap(), b"a x\nb -\nc -\n");
        assert_eq!(pulled(b"a x\n", &is_gcc), None);
    }
}
