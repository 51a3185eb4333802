//! Relations between packages (deb-control(5), Debian policy 7.1): `a (>= 1) | b:any, c`.
//!
//! In: the value of a field. Out: groups of alternatives. Never looks anything up.

use super::version;
use crate::error::{Error, escape};
use std::cmp::Ordering;

/// One alternative: a package's name, and which of its versions will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alternative<'a> {
    /// The name, without an architecture.
    pub(super) name: &'a str,
    /// Which versions, where not all.
    pub(super) constraint: Option<(Bound, &'a str)>,
}

/// How a version must compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Earlier,
    AtMost,
    Exactly,
    AtLeast,
    Later,
}

impl Alternative<'_> {
    /// Whether a version will do.
    pub(super) fn allows(&self, found: &str) -> bool {
        let Some((bound, wanted)) = self.constraint else { return true };
        let order = version::compare(found, wanted);
        match bound {
            Bound::Earlier => order == Ordering::Less,
            Bound::AtMost => order != Ordering::Greater,
            Bound::Exactly => order == Ordering::Equal,
            Bound::AtLeast => order != Ordering::Less,
            Bound::Later => order == Ordering::Greater,
        }
    }
}

/// Reads a field.
pub(super) fn parse(value: &[u8]) -> Result<Vec<Vec<Alternative<'_>>>, Error> {
    let broken = || {
        Error::malformed(format!(
            "not a relation: \"{}\"",
            escape(value.get(..value.len().min(80)).unwrap_or_default())
        ))
    };
    let text = std::str::from_utf8(value).map_err(|_| broken())?;
    let mut groups = Vec::new();
    for group in text.split(',').filter(|group| !group.trim().is_empty()) {
        groups.push(group.split('|').map(|one| alternative(one.trim()).ok_or_else(broken)).collect::<Result<_, _>>()?);
    }
    Ok(groups)
}

fn alternative(text: &str) -> Option<Alternative<'_>> {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '(').unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let name = name.split(':').next().filter(|name| is_name(name))?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(Alternative { name, constraint: None });
    }
    let inner = rest.strip_prefix('(')?.strip_suffix(')')?.trim();
    let digits = inner.find(|c| !matches!(c, '<' | '>' | '='))?;
    let (sign, version) = inner.split_at_checked(digits)?;
    let bound = match sign {
        "<<" => Bound::Earlier,
        // `<` and `>` are the old spellings of `<=` and `>=`.
        "<=" | "<" => Bound::AtMost,
        "=" => Bound::Exactly,
        ">=" | ">" => Bound::AtLeast,
        ">>" => Bound::Later,
        _ => return None,
    };
    Some(Alternative { name, constraint: Some((bound, version.trim())) })
}

/// Whether this can be a package's name; dpkg reads more than policy allows.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_alternatives_are_read_without_their_architectures() {
        let groups = parse(b"libc6 (>= 2.36), python3:any | python (= 1:2~),\n x(<< 3)").unwrap();
        let names: Vec<Vec<&str>> = groups.iter().map(|group| group.iter().map(|one| one.name).collect()).collect();
        assert_eq!(names, [vec!["libc6"], vec!["python3", "python"], vec!["x"]]);
        assert_eq!(groups[1][1].constraint, Some((Bound::Exactly, "1:2~")));
        assert!(groups[0][0].allows("2.36-9") && !groups[0][0].allows("2.31"));
        assert!(!groups[2][0].allows("3") && groups[2][0].allows("3~rc1"));
        assert!(parse(b" , ").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_relation_is_an_error() {
        for text in ["a b", "a (1)", "a (=> 1)", "a (>= 1", "| a", "\u{e4}", "-a"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
