//! The small files beside `installed`: `world`, which says what was asked for, and `triggers`. In: their bytes. Out: the same lines without
//! those of packages that went.

use super::names::{name, words};

/// `world` without the words that `goes` names; what was a conflict stays. A line of which nothing goes keeps its bytes.
pub(super) fn world(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    let stays = |word: &&[u8]| !name(word).is_some_and(goes);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let left: Vec<&[u8]> = words(line).filter(stays).collect();
        if left.len() == words(line).count() {
            kept.extend_from_slice(line);
        } else if !left.is_empty() {
            kept.extend(left.join(&b' '));
            kept.push(b'\n');
        }
    }
    kept
}

/// `triggers` without the lines whose checksum `goes` names.
pub(super) fn triggers(text: &[u8], goes: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines.filter(|line| !words(line).next().is_some_and(goes)).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn world_loses_what_went_whatever_its_version_or_tag() {
        let goes = |name: &[u8]| [&b"gcc"[..], b".build-deps", b"libc-utils"].contains(&name);
        let text = b"alpine-keys\n.build-deps=20240101.000000\ngcc>13 make@edge\nlibc-utils\n!gcc\n  busybox\n";
        assert_eq!(world(text, &goes), b"alpine-keys\nmake@edge\n!gcc\n  busybox\n");
        assert_eq!(world(b"gcc", &goes), b"");
    }

    #[test]
    fn a_trigger_goes_by_the_checksum_of_its_package() {
        let text = b"Q1a= /bin /usr/bin\nQ1b= /lib/*\n";
        assert_eq!(triggers(text, &|sum| sum == b"Q1a="), b"Q1b= /lib/*\n");
    }
}
