//! The names in apk's dependencies. In: words such as `so:libc.musl-x86_64.so.1`, `gcc>=13`, `!uclibc`, `curl@edge`. Out: the bare names.

use crate::error::Error;
use crate::packages::budget::Budget;

/// The bare name of a dependency or of what a package provides, without version and repository tag; `None` for a conflict, which asks for
/// nothing.
pub(super) fn name(word: &[u8]) -> Option<&[u8]> {
    let end = word.iter().position(|byte| b"<>=~@".contains(byte)).unwrap_or(word.len());
    word.get(..end).filter(|name| !name.is_empty() && !name.starts_with(b"!"))
}

/// The words of a value.
pub(super) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// The bare names in a value, in order.
pub(super) fn names(value: &[u8], budget: &mut Budget) -> Result<Vec<Box<str>>, Error> {
    words(value).filter_map(name).map(|name| budget.name(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_version_and_its_tag_and_a_conflict_asks_for_nothing() {
        let value =
            b"so:libc.musl-x86_64.so.1 gcc>=13 a<2  b=1~ c~3.1 d@edge e=1@edge !uclibc cmd:x=1 pc:z><Q1a= /bin/sh";
        let expected = ["so:libc.musl-x86_64.so.1", "gcc", "a", "b", "c", "d", "e", "cmd:x", "pc:z", "/bin/sh"];
        assert_eq!(names(value, &mut Budget::new()).unwrap().iter().map(|name| &**name).collect::<Vec<_>>(), expected);
    }
}
