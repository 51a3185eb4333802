//! Names and their values in the text of a config file, whatever its language.
//!
//! In: bytes. Out: each `name = value`, `name: value`, `"name": "value"`, `<name>value</name>`, `name value`, with
//! the place of the value. It is no parser: a file that is cut off, or is not what its name says, is read all the same.

use super::words::position;
use std::ops::Range;

/// How a file puts values beside names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// INI, properties, TOML, YAML, JSON, shell: behind `=` or `:`.
    Assign,
    /// netrc: the next word.
    Words,
    /// XML: the element's text.
    Xml,
}

/// A value and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// Where the name begins.
    pub(super) at: usize,
}

/// A name is no longer than this; what is longer is data.
const NAME: usize = 128;
/// As much of a value as matters.
const VALUE: usize = 4096;

/// Every value of a text.
pub(super) fn values(text: &[u8], form: Form) -> Vec<Value<'_>> {
    match form {
        Form::Assign => signs(text, |byte| matches!(byte, b'=' | b':')).filter_map(|at| assigned(text, at)).collect(),
        Form::Xml => {
            let comments = comments(text);
            let hidden = |at: usize| comments.iter().any(|comment| comment.contains(&at));
            signs(text, |byte| byte == b'>').filter(|at| !hidden(*at)).filter_map(|at| element(text, at)).collect()
        }
        Form::Words => {
            let words = words(text);
            let pairs = words.iter().zip(words.iter().skip(1));
            pairs.map(|((at, name), (_, value))| Value { name, value, at: *at }).collect()
        }
    }
}

/// The words of a text, each with its place.
pub(super) fn words(text: &[u8]) -> Vec<(usize, &[u8])> {
    let mut at = 0usize;
    let mut words = Vec::new();
    for word in text.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            words.push((at, word));
        }
        at = at.saturating_add(word.len()).saturating_add(1);
    }
    words
}

fn signs(text: &[u8], is: impl Fn(u8) -> bool) -> impl Iterator<Item = usize> {
    text.iter().enumerate().filter(move |(_, byte)| is(**byte)).map(|(at, _)| at)
}

fn assigned(text: &[u8], sign: usize) -> Option<Value<'_>> {
    let (before, after) = text.split_at_checked(sign)?;
    let quotes = |byte: &u8| matches!(byte, b'"' | b'\'');
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let name = before.get(before.len().saturating_sub(NAME)..)?;
    let name = trim_end(trim_end(name, blank), quotes);
    let length = name.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    let name = name.get(name.len().checked_sub(length)?..).filter(|name| !name.is_empty())?;
    let at = before.windows(length).rposition(|window| window == name)?;
    // `:=`, `==`: what follows is the value.
    let mut value = after.get(1..)?;
    while let [b' ' | b'\t' | b'=', rest @ ..] = value {
        value = rest;
    }
    let value = value.get(..value.len().min(VALUE))?;
    let value = match value {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            rest.split(|byte| byte == quote || *byte == b'\n').next().unwrap_or_default()
        }
        bare => bare.split(|byte| byte.is_ascii_whitespace() || b",;}]\"'".contains(byte)).next().unwrap_or_default(),
    };
    Some(Value { name, value, at })
}

fn element(text: &[u8], end: usize) -> Option<Value<'_>> {
    let (before, after) = text.split_at_checked(end)?;
    let tag = before.get(before.len().saturating_sub(NAME)..)?;
    let tag = tag.get(tag.iter().rposition(|&byte| byte == b'<')?.checked_add(1)?..)?;
    let name = tag.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let value = after.get(1..)?;
    let value = value.get(..value.len().min(VALUE))?.split(|&byte| byte == b'<').next().unwrap_or_default();
    Some(Value { name, value: value.trim_ascii(), at: before.len().checked_sub(tag.len())? })
}

/// Where comments stand: Maven's own settings.xml explains itself with examples.
fn comments(text: &[u8]) -> Vec<Range<usize>> {
    let mut comments = Vec::new();
    let mut from = 0usize;
    while let Some(start) = text.get(from..).and_then(|rest| position(rest, b"<!--")) {
        let start = from.saturating_add(start);
        let length = text.get(start..).and_then(|rest| position(rest, b"-->")).unwrap_or(text.len());
        from = start.saturating_add(length).saturating_add(3);
        comments.push(start..from);
    }
    comments
}

fn trim_end(text: &[u8], is: impl Fn(&u8) -> bool) -> &[u8] {
    let length = text.iter().rposition(|byte| !is(byte)).map_or(0, |last| last.saturating_add(1));
    text.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, form: Form) -> String {
        let show = |value: &Value<'_>| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            format!("{}@{}={}", text(value.name), value.at, text(value.value))
        };
        values(text.as_bytes(), form).iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_assignment_is_read_in_every_language() {
        assert_eq!(read("a = b\n", Form::Assign), "a@0=b");
        assert_eq!(read("export A_B='b c'\n", Form::Assign), "A_B@7=b c");
        assert_eq!(read("{\"auth\": \"eA\", 'x':1}", Form::Assign), "auth@2=eA x@16=1");
        assert_eq!(read("password: \"p\" # x", Form::Assign), "password@0=p");
        assert_eq!(read("//registry/:_authToken=t\n", Form::Assign), "_authToken@12=t");
        assert_eq!(read("= :", Form::Assign), "");
        assert_eq!(read("a=", Form::Assign), "a@0=");
    }

    #[test]
    fn an_element_in_a_comment_is_none() {
        assert_eq!(read("<!-- <a>b</a> --><c>d<!-- <e>", Form::Xml), "c@18=d");
    }

    #[test]
    fn words_and_elements_are_read() {
        assert_eq!(read("machine h\n password  p", Form::Words), "machine@0=h h@8=password password@11=p");
        assert_eq!(
            read("<server><password> p </password></server>", Form::Xml),
            "server@1= password@9=p /password@22= /server@33="
        );
    }
}
