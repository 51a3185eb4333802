//! Rich dependencies: `(a or b)`, `(a if b else c)`, `(a and (b or c))`. In: the text between the outermost parentheses, with them. Out: what
//! stays for it. Where the truth of a condition would have to be known, more is asked for than rpm asks: a package too many is no harm.

use crate::error::Error;
use crate::packages::budget::Budget;
use crate::packages::package::AnyOf;

/// Parentheses inside one another.
const DEPTH: usize = 16;

/// What a dependency asks for: each of these. A plain name asks for itself.
pub(super) fn clauses(text: &[u8], budget: &mut Budget) -> Result<Vec<AnyOf>, Error> {
    let names = match text.strip_prefix(b"(") {
        None => vec![vec![text]],
        Some(inner) => Parser(inner).group(DEPTH).unwrap_or_else(|| words(text)),
    };
    names.into_iter().map(|any| any.into_iter().map(|name| budget.name(name)).collect()).collect()
}

/// What is no rich dependency as rpm writes it asks for each word.
fn words(text: &[u8]) -> Vec<Vec<&[u8]>> {
    let words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.map(|word| vec![word.trim_ascii().strip_prefix(b"(").unwrap_or(word)]).collect()
}

/// What is left of the text.
struct Parser<'a>(&'a [u8]);

impl<'a> Parser<'a> {
    /// Up to the parenthesis that closes what is open.
    fn group(&mut self, depth: usize) -> Option<Vec<Vec<&'a [u8]>>> {
        let mut clauses = self.operand(depth)?;
        loop {
            let word = self.word();
            match word {
                b"" => {
                    self.0 = self.0.strip_prefix(b")")?;
                    return Some(clauses);
                }
                b"and" | b"with" | b"else" => clauses.extend(self.operand(depth)?),
                b"or" => {
                    let others = self.operand(depth)?;
                    clauses = vec![clauses.into_iter().chain(others).flatten().collect()];
                }
                // The first holds as soon as the second does, or does not: it stays in either case.
                b"if" | b"unless" | b"without" => drop(self.operand(depth)?),
                _ => return None,
            }
        }
    }

    fn operand(&mut self, depth: usize) -> Option<Vec<Vec<&'a [u8]>>> {
        self.0 = self.0.trim_ascii_start();
        if let Some(inner) = self.0.strip_prefix(b"(") {
            self.0 = inner;
            return self.group(depth.checked_sub(1)?);
        }
        let name = self.word();
        let mut after = Self(self.0);
        if matches!(after.word(), b"<" | b"<=" | b"=" | b">=" | b">") {
            after.word();
            self.0 = after.0;
        }
        (!name.is_empty()).then(|| vec![vec![name]])
    }

    /// The next word; empty before a parenthesis. A name may have parentheses of its own: `libz.so.1()(64bit)`.
    fn word(&mut self) -> &'a [u8] {
        let text = self.0.trim_ascii_start();
        let mut open = 0usize;
        let ends = |byte: &u8| match byte {
            b'(' => {
                open = open.saturating_add(1);
                false
            }
            b')' if open > 0 => {
                open = open.saturating_sub(1);
                false
            }
            byte => *byte == b')' || byte.is_ascii_whitespace(),
        };
        let end = text.iter().position(ends).unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
        self.0 = rest;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let clauses = clauses(text.as_bytes(), &mut Budget::new()).unwrap();
        clauses.iter().map(|any| any.join("|")).collect::<Vec<_>>().join(" & ")
    }

    #[test]
    fn what_a_rich_dependency_may_ask_for_stays() {
        let cases = [
            ("glibc", "glibc"),
            ("(a or b)", "a|b"),
            ("(a and b >= 1:2.3-4)", "a & b"),
            ("(a if b)", "a"),
            ("(a if b else c)", "a & c"),
            ("(a >= 1 unless b)", "a"),
            ("(a with a < 2)", "a & a"),
            ("(a without b)", "a"),
            ("((a and b) or (c or d = 3))", "a|b|c|d"),
            ("(libz.so.1()(64bit) or zlib(x86-64) = 1)", "libz.so.1()(64bit)|zlib(x86-64)"),
            ("((a if b) and (c or d))", "a & c|d"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_rpm_would_not_write_asks_for_each_word() {
        assert_eq!(shown("(a xor b"), "a & xor & b");
        assert!(shown(&"(".repeat(1000)).len() < 2000);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[()ab<= ]{0,40}|\\((a|b|and|or|if|else|\\(|\\)| ){0,20}") {
            let _ = clauses(text.as_bytes(), &mut Budget::new());
        }
    }
}
