//! Strict JSON: the bytes of a document in, a `Value` out that says what every other reader reads too.
//!
//! Refused: a key that stands twice in an object (readers differ in which one holds), anything after the value, a
//! byte order mark, UTF-16, nesting beyond the limit (hostile.md 6 to 10). Key order and every digit of a number
//! stay. Never reads a blob that is larger than its limit.

use super::Blob;
use crate::error::{Error, escape};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// The key under which serde_json hands over a number that keeps its spelling.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a whole document of at most `limit` bytes; `what` names it in errors, already escaped.
pub(crate) fn bytes(blob: &Blob, limit: u64, what: &str) -> Result<Vec<u8>, Error> {
    if blob.len() > limit {
        return Err(Error::limit(format!("{what} has {} bytes, more than {limit}", blob.len()))
            .hint("raise --limit manifest=BYTES or --limit config=BYTES"));
    }
    let len = usize::try_from(blob.len()).map_err(|_| Error::limit(format!("{what} is too large")))?;
    let mut bytes = vec![0; len];
    blob.read_exact_at(&mut bytes, 0).map_err(|cause| Error::io(format!("read {what}"), cause))?;
    Ok(bytes)
}

/// Parses a document; `depth` is how many objects and arrays may stand inside one another.
pub(crate) fn parse(bytes: &[u8], depth: u64, what: &str) -> Result<Value, Error> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(Error::malformed(format!("{what} begins with a byte order mark, which JSON forbids")));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.iter().take(2).any(|&byte| byte == 0) {
        return Err(Error::malformed(format!("{what} is not UTF-8: it looks like UTF-16")));
    }
    let too_deep = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { left: depth, too_deep: &too_deep }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|cause| {
        // serde_json has a limit of its own, 128, which only a raised `json_depth` can reach.
        if too_deep.get() || cause.to_string().starts_with("recursion limit") {
            Error::limit(format!("{what} nests deeper than {} objects and arrays", depth.min(127)))
        } else {
            Error::malformed(format!("{what} is not valid JSON: {}", escape(cause.to_string().as_bytes())))
        }
    })
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    left: u64,
    too_deep: &'a Cell<bool>,
}

impl Strict<'_> {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                self.too_deep.set(true);
                Err(E::custom("nested too deeply"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut inside = None;
        while let Some(key) = entries.next_key::<String>()? {
            if key == NUMBER {
                return entries.next_value_seed(Spelling).map(Value::Number);
            }
            let inside = match inside {
                Some(inside) => inside,
                None => *inside.insert(self.inside()?),
            };
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("the key {key} stands twice in one object")));
            }
            let value = entries.next_value_seed(inside)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A number's spelling. serde_json gives it as an owned string; a string of the document, under a key that only
/// pretends to be a number's, comes borrowed or copied and is refused.
struct Spelling;

impl<'de> DeserializeSeed<'de> for Spelling {
    type Value = Number;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Spelling {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key of serde_json's own")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        Err(E::invalid_type(de::Unexpected::Str(text), &self))
    }

    fn visit_string<E: de::Error>(self, spelling: String) -> Result<Number, E> {
        spelling.parse().map_err(E::custom)
    }
}

/// The object that `value` is.
pub(crate) fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| Error::malformed(format!("{what} is not a JSON object")))
}

/// What stands under `key`; `None` where it is absent or null, as Go writes an empty value. A key that differs in
/// case alone is refused: Go's readers take it for this one.
pub(crate) fn field<'a>(map: &'a Map<String, Value>, key: &str, what: &str) -> Result<Option<&'a Value>, Error> {
    if let Some(other) = map.keys().find(|other| *other != key && other.eq_ignore_ascii_case(key)) {
        let other = escape(other.as_bytes());
        return Err(Error::malformed(format!("{what} has the key \"{other}\", which some readers take for \"{key}\"")));
    }
    Ok(map.get(key).filter(|value| !value.is_null()))
}

/// The text under `key`.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, key: &str, what: &str) -> Result<Option<&'a str>, Error> {
    let wrong = || Error::malformed(format!("\"{key}\" in {what} is not a string"));
    field(map, key, what)?.map(|value| value.as_str().ok_or_else(wrong)).transpose()
}

/// The array under `key`, empty where it is absent.
pub(crate) fn list<'a>(map: &'a Map<String, Value>, key: &str, what: &str) -> Result<&'a [Value], Error> {
    match field(map, key, what)? {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Error::malformed(format!("\"{key}\" in {what} is not an array"))),
    }
}

/// The size in bytes under `key`: a whole number that an `int64` holds, as the specification says.
pub(crate) fn size(map: &Map<String, Value>, key: &str, what: &str) -> Result<Option<u64>, Error> {
    let Some(value) = field(map, key, what)? else { return Ok(None) };
    match value.as_u64().filter(|&size| i64::try_from(size).is_ok()) {
        Some(size) => Ok(Some(size)),
        None => {
            let shown: String = value.to_string().chars().take(40).collect();
            Err(Error::malformed(format!("\"{key}\" in {what} is {}, which is no size", escape(shown.as_bytes()))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn read(text: &str) -> Result<Value, Error> {
        parse(text.as_bytes(), 64, "x.json")
    }

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn key_order_and_every_digit_of_a_number_stay() {
        for text in
            [r#"{"b":1.50,"a":[1e+400,-0,18446744073709551616,"é"],"c":{"z":null,"y":true}}"#, "7", "\"x\"", "null"]
        {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_key_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert!(refusal(text).contains("stands twice"), "{text}");
        }
    }

    #[test]
    fn junk_marks_and_utf16_are_refused() {
        for bytes in [&b"[] x"[..], b"[][]", b"\xef\xbb\xbf[]", b"\xff\xfe[\0]\0", b"\0[\0]", b"", b"[1,]", b"\"\xff\""]
        {
            assert_eq!(parse(bytes, 64, "x").unwrap_err().kind(), ErrorKind::Malformed, "{bytes:?}");
        }
    }

    #[test]
    fn nesting_is_bounded_before_the_stack_is() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read(&deep(64)).is_ok());
        for n in [65, 100_000] {
            assert_eq!(read(&deep(n)).unwrap_err().kind(), ErrorKind::Limit);
        }
        assert_eq!(parse(deep(200).as_bytes(), 1000, "x").unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(read(&"{\"a\":".repeat(100_000)).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn an_object_that_pretends_to_be_a_number_is_refused() {
        for text in [
            r#"{"$serde_json::private::Number":"12"}"#,
            r#"[{"\u0024serde_json::private::Number":"1\u0032"}]"#,
            r#"{"a":1,"$serde_json::private::Number":"12"}"#,
        ] {
            assert_eq!(read(text).unwrap_err().kind(), ErrorKind::Malformed, "{text}");
        }
    }

    #[test]
    fn only_a_whole_number_of_an_int64_is_a_size() {
        let of = |spelling: &str| {
            let value = read(&format!("{{\"size\":{spelling}}}")).unwrap();
            size(value.as_object().unwrap(), "size", "x")
        };
        assert_eq!(of("9223372036854775807").unwrap(), Some(i64::MAX as u64));
        assert_eq!(of("null").unwrap(), None);
        for bad in ["9223372036854775808", "18446744073709551616", "-1", "1.0", "1e400", "1e2", "\"1\""] {
            assert_eq!(of(bad).unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
        }
    }

    #[test]
    fn a_key_in_another_case_is_refused_where_it_would_be_read() {
        let value = read(r#"{"Layers":[],"layers":[]}"#).unwrap();
        assert!(list(value.as_object().unwrap(), "layers", "x").unwrap_err().to_string().contains("\"Layers\""));
    }
}
