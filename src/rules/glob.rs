//! One glob: what a user may write, and the globset pattern that it means.
//!
//! In: text. Out: a pattern over absolute paths, or a message that says what to write instead. As in a
//! `.gitignore`: a glob without a slash matches at any depth (`*.pyc` is `**/*.pyc`), one with a slash starts at the
//! root (`app/log` is `/app/log`), and one that ends in a slash matches directories only. `*`, `?` and `[...]` never
//! cross a slash, `**` does, `{a,b}` is either. Never a look at the host's filesystem.

use globset::GlobBuilder;

/// Bytes of one glob; the longest of the presets has 500.
const LENGTH: usize = 4096;

/// Braces inside one another: the compiler below recurses into them.
const NESTING: usize = 16;

/// Characters that have a meaning in a glob.
const META: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// A glob over absolute paths.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) written: String,
    /// What it compiles to.
    pub(super) glob: globset::Glob,
    /// Whether it matches directories only.
    pub(super) directories: bool,
    /// The components before the first that holds a meta character, `/`-joined behind a `/`: every match begins
    /// with them. Empty where a match may stand anywhere.
    pub(super) prefix: String,
    /// The whole path, where the glob can match only one.
    pub(super) literal: bool,
}

impl Pattern {
    /// Reads a glob; the error is a message without a place.
    pub(super) fn new(written: &str) -> Result<Self, String> {
        check(written)?;
        let directories = written.ends_with('/');
        let trimmed = written.trim_end_matches('/');
        let components: Vec<&str> = trimmed.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if components.is_empty() {
            return Err("it names the root directory".into());
        }
        if components.contains(&"..") {
            return Err("\"..\" matches nothing: write the path from the root".into());
        }
        let anywhere = components.first() == Some(&"**") || !trimmed.contains('/');
        let joined = components.join("/");
        let text = match (anywhere, components.as_slice()) {
            // Of a path that begins with a slash, globset lets such a name be the nothing before it.
            (true, ["**", name, _, ..]) if may_be_empty(name) => format!("/{joined}"),
            (true, ["**", ..]) => joined,
            (true, _) => format!("**/{joined}"),
            (false, _) => format!("/{joined}"),
        };
        let glob = GlobBuilder::new(&slashless(&text))
            .literal_separator(true)
            .backslash_escape(true)
            .empty_alternates(true)
            .build()
            .map_err(|error| error.kind().to_string())?;
        let literal = !anywhere && !components.iter().any(|part| part.contains(META));
        Ok(Self { written: written.into(), glob, directories, prefix: prefix(&text), literal })
    }

    /// Whether a match may stand below `directory` (absolute, without a trailing slash).
    pub(super) fn reaches_below(&self, directory: &[u8]) -> bool {
        let prefix = self.prefix.as_bytes();
        let common = prefix.len().min(directory.len());
        prefix.get(..common) == directory.get(..common)
    }
}

/// What globset would take and a user would not mean.
fn check(written: &str) -> Result<(), String> {
    if written.is_empty() {
        return Err("it is empty".into());
    }
    if written.len() > LENGTH {
        return Err(format!("it is longer than {LENGTH} bytes"));
    }
    if written.contains('\0') {
        return Err("a path holds no NUL".into());
    }
    if written.starts_with('!') {
        return Err("\"!\" has no meaning here: put the glob under keep".into());
    }
    if written.contains("{/") || written.contains(",/") {
        return Err("a slash begins an alternative: put it before the brace".into());
    }
    let mut depth = 0usize;
    for byte in written.bytes() {
        match byte {
            b'{' => depth = depth.saturating_add(1),
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING {
            return Err(format!("its braces stand more than {NESTING} deep"));
        }
    }
    Ok(())
}

/// Puts the slash into classes of what must not match: globset lets `[!x]` be a slash.
fn slashless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        out.push(character);
        match character {
            '\\' => out.extend(rest.next()),
            '[' => {
                if let Some(not) = rest.next_if(|next| matches!(next, '!' | '^')) {
                    out.push(not);
                    // At the head of a class these two stand for themselves.
                    out.extend(rest.next_if(|next| matches!(next, ']' | '-')));
                    out.push('/');
                } else {
                    out.extend(rest.next_if_eq(&']'));
                }
                for inner in rest.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    out
}

/// Whether a component may match no character at all: outside of its braces it has nothing but stars.
fn may_be_empty(component: &str) -> bool {
    let mut depth = 0usize;
    component.bytes().all(|byte| {
        match byte {
            b'{' => depth = depth.saturating_add(1),
            b'}' => depth = depth.saturating_sub(1),
            b'*' => {}
            _ => return depth > 0,
        }
        true
    })
}

/// The leading components of an anchored glob that are plain text.
fn prefix(text: &str) -> String {
    let Some(meta) = text.find(META) else { return text.into() };
    let plain = text.get(..meta).unwrap_or_default();
    plain.rfind('/').and_then(|slash| plain.get(..slash)).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        Pattern::new(glob).unwrap().glob.compile_matcher().is_match(path)
    }

    #[test]
    fn a_glob_is_read_as_in_a_gitignore() {
        assert!(matches("*.pyc", "/a/b/x.pyc") && matches("*.pyc", "/x.pyc"));
        assert!(matches("app/log", "/app/log") && !matches("app/log", "/srv/app/log"));
        assert!(matches("./app//log/", "/app/log"));
        assert!(matches("**/app/log", "/srv/app/log") && matches("**/app/log", "/app/log"));
    }

    #[test]
    fn a_star_behind_any_depth_is_a_name_and_not_none() {
        // globset lets the `*` be the nothing before the first slash.
        for glob in ["**/*/x", "**/{,a}/x", "**/{*,b}*/x"] {
            assert!(!matches(glob, "/x") && matches(glob, "/a/x") && matches(glob, "/b/a/x"), "{glob}");
        }
        assert!(matches("**/*", "/x") && matches("**", "/x"));
    }

    #[test]
    fn a_star_never_crosses_a_slash_and_two_do() {
        assert!(matches("/a/*", "/a/b") && !matches("/a/*", "/a/b/c"));
        assert!(matches("/a/**", "/a/b/c") && !matches("/a/**", "/a"));
        assert!(matches("/a/**/d", "/a/d") && matches("/a/**/d", "/a/b/c/d"));
        assert!(!matches("/a?b", "/a/b") && !matches("/a[!x]b", "/a/b"));
    }

    #[test]
    fn a_negated_class_is_no_slash_however_it_is_spelt() {
        for class in ["[!x]", "[^x]", "[!]]", "[!-x]", "[!]x-z]"] {
            assert!(!matches(&format!("/a{class}b"), "/a/b") && matches(&format!("/a{class}b"), "/aqb"), "{class}");
        }
        assert!(!matches("/a[!]]b", "/a]b") && !matches("/a[!-x]b", "/a-b"));
        assert!(matches("/a\\[!b", "/a[!b") && matches("/a[]]b", "/a]b"));
    }

    #[test]
    fn braces_may_hold_slashes_and_nothing() {
        assert!(matches("/usr/{,local/}bin/x", "/usr/bin/x") && matches("/usr/{,local/}bin/x", "/usr/local/bin/x"));
        assert!(matches("/c/{a,b/c}/**", "/c/b/c/d"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_advice() {
        for (glob, advice) in [
            ("", "empty"),
            ("/", "root"),
            ("!x", "keep"),
            ("../x", "from the root"),
            ("{/a,/b}", "before the brace"),
            ("[z-a]", "range"),
            ("{a", "{"),
            ("a\0", "NUL"),
        ] {
            let message = Pattern::new(glob).unwrap_err();
            assert!(message.contains(advice), "{glob}: {message}");
        }
        assert!(Pattern::new(&"{".repeat(2000)).unwrap_err().contains("deep"));
        assert!(Pattern::new(&"a".repeat(5000)).unwrap_err().contains("longer"));
    }

    #[test]
    fn the_prefix_of_a_glob_holds_every_match() {
        for (glob, prefix) in [("/usr/lib/*/x", "/usr/lib"), ("/usr/lib", "/usr/lib"), ("**/x", ""), ("/a*/b", "")] {
            assert_eq!(Pattern::new(glob).unwrap().prefix, prefix, "{glob}");
        }
        let pattern = Pattern::new("/usr/lib/*/x").unwrap();
        assert!(pattern.reaches_below(b"/usr") && pattern.reaches_below(b"/usr/lib/y"));
        assert!(!pattern.reaches_below(b"/var") && Pattern::new("x").unwrap().reaches_below(b"/var"));
    }
}
