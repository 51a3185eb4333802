//! Text that someone else chose, made harmless for a terminal, Markdown or HTML.
//!
//! Names in a report are escaped once already; rules' reasons and the like are not. Nothing here doubles the
//! backslashes of a name that is escaped.

/// One line of a terminal: control and invisible format characters are spelt out.
pub(super) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for character in text.chars() {
        match character {
            '"' | '\\' => shown.push(character),
            other => shown.push_str(&crate::error::escape(other.encode_utf8(&mut buffer).as_bytes())),
        }
    }
    shown
}

/// A text node or a quoted attribute of HTML.
pub(super) fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => shown.push(other),
        }
    }
    shown
}

/// A run of plain Markdown text, also inside a table: no mark-up, no HTML, no link, no mention.
pub(super) fn markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            // Entities, since a backslash does not stop GitHub's links and mentions.
            '@' | ':' | '&' | '<' | '>' | '|' => shown.push_str(&format!("&#{};", u32::from(character))),
            // Only in these places a point or a dash means nothing.
            '.' | ',' | '-' | '/' | ' ' => shown.push(character),
            other if other.is_ascii_punctuation() => shown.extend(['\\', other]),
            other => shown.push(other),
        }
    }
    shown
}

/// A Markdown code span that may stand in a cell of a table: a name, byte for byte.
pub(super) fn markdown_code(text: &str) -> String {
    let text = line(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A table splits at each bare bar before it sees the code span (GFM, "tables").
    let inner = text.replace('|', "\\|");
    let pad = if inner.is_empty() || inner.starts_with(['`', ' ']) || inner.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{inner}{pad}{fence}")
}

/// A word of a POSIX shell: quoted where it has to be.
pub(super) fn shell(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(plain) => text.into(),
        Ok(text) if line(text) == text => format!("'{}'", text.replace('\'', "'\\''")),
        // bash and zsh read this form; a POSIX shell before 2024 has none for such bytes.
        _ => {
            let octal = |byte: &u8| if plain(byte) { char::from(*byte).to_string() } else { format!("\\{byte:03o}") };
            format!("$'{}'", bytes.iter().map(octal).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_character() {
        assert_eq!(line("a\x1b[31m\nb\u{202e}c\\n\""), "a\\x1b[31m\\nb\\u{202e}c\\n\"");
    }

    #[test]
    fn html_gets_no_tag_and_no_attribute() {
        assert_eq!(html("<img src=x onerror='a'>&\"\x07"), "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;\\x07");
    }

    #[test]
    fn markdown_gets_no_markup_no_cell_and_no_mention() {
        assert_eq!(
            markdown("a|b @me *x* [l](http://y) <b>"),
            "a&#124;b &#64;me \\*x\\* \\[l\\]\\(http&#58;//y\\) &#60;b&#62;"
        );
        assert_eq!(markdown("# a\nb"), "\\# a\\\\nb");
    }

    #[test]
    fn a_code_span_holds_any_name() {
        assert_eq!(markdown_code("/a_b"), "`/a_b`");
        assert_eq!(markdown_code("a|b"), "`a\\|b`");
        assert_eq!(markdown_code("a``b`"), "``` a``b` ```");
        assert_eq!(markdown_code(""), "`  `");
    }

    #[test]
    fn a_shell_word_is_quoted_only_where_it_must_be() {
        assert_eq!(shell(b"out/a-1.0.tar"), "out/a-1.0.tar");
        assert_eq!(shell(b"my image's.tar"), "'my image'\\''s.tar'");
        assert_eq!(shell(b"a\nb\xff"), "$'a\\012b\\377'");
        assert_eq!(shell(b""), "''");
    }
}
