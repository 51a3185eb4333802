//! Which of two versions is later (deb-version(7)). In: versions as text. Out: their order. Any text compares: dpkg has already accepted it.

use std::cmp::Ordering;

/// Compares epoch, upstream version and revision, in this order.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (split(one), split(other));
    one.0.cmp(&other.0).then_with(|| part(one.1, other.1)).then_with(|| part(one.2, other.2))
}

fn split(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch.trim().parse().unwrap_or(u64::MAX), rest),
        None => (0, version),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Compares what is no digit and what is, by turns. `~` comes before the end, letters before all else.
fn part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        let words = (take(&mut one, false), take(&mut other, false));
        let longest = words.0.len().max(words.1.len());
        let weights = |word: &'_ [u8]| -> Vec<i32> { (0..longest).map(|at| weight(word.get(at))).collect() };
        let order = weights(words.0).cmp(&weights(words.1));
        let order = order.then_with(|| number(take(&mut one, true), take(&mut other, true)));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn take<'a>(rest: &mut &'a [u8], digits: bool) -> &'a [u8] {
    let end = rest.iter().position(|byte| byte.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (taken, left) = rest.split_at_checked(end).unwrap_or((rest, &[]));
    *rest = left;
    taken
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte).saturating_add(256),
    }
}

/// Numbers of any length: without leading zeros, the longer one is larger.
fn number(one: &[u8], other: &[u8]) -> Ordering {
    let bare = |digits: &'_ [u8]| -> usize { digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len()) };
    let one = one.get(bare(one)..).unwrap_or_default();
    let other = other.get(bare(other)..).unwrap_or_default();
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_in_the_order_of_dpkg() {
        let ascending = [
            "0~",
            "0",
            "1.0~beta1~svn1245",
            "1.0~beta1",
            "1.0-0~1",
            "1.0",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0-10",
            "1.0a",
            "1.0+b",
            "1.2",
            "1.10",
            "1.010a",
            "20",
            "1:0.1",
            "2:0",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (beside, other) in ascending.iter().enumerate() {
                assert_eq!(compare(one, other), at.cmp(&beside), "{one} {other}");
            }
        }
        assert_eq!(compare("1.0", "1.0-0"), Ordering::Equal);
        assert_eq!(compare("0:1.01", "1.1"), Ordering::Equal);
        assert_eq!(compare("99999999999999999999999999", "100000000000000000000000000"), Ordering::Less);
    }
}
