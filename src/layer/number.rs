//! Numbers as tar writes them: octal and base-256 fields, decimal PAX values, PAX times.
//!
//! In: the bytes of one field or value. Out: the number that Go's archive/tar reads there, or nothing where it
//! refuses. Never a guess: what Go takes for a number and POSIX does not (`+1`) is refused too (merge.md T8).

use crate::rootfs::Time;

/// A header field: octal (T23, T24, T25), or base-256 where the first bit is set (T21, T22).
pub(crate) fn numeric(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base256(field),
        _ => octal(field),
    }
}

/// An octal field: NULs and spaces around it do not count, an empty one is 0, and a NUL inside ends it.
pub(crate) fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| matches!(byte, 0 | b' ');
    let Some(first) = field.iter().position(|byte| !blank(byte)) else { return Some(0) };
    let last = field.iter().rposition(|byte| !blank(byte))?;
    let trimmed = field.get(first..=last)?;
    let digits = trimmed.split(|byte| *byte == 0).next()?;
    digits.iter().try_fold(0i64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit & 7)),
        _ => None,
    })
}

/// Two's complement, most significant byte first; the first bit is only the mark of this form.
fn base256(field: &[u8]) -> Option<i64> {
    let negative = field.first()? & 0x40 != 0;
    let mut value: u64 = 0;
    for (index, byte) in field.iter().enumerate() {
        let byte = if negative { !byte } else { *byte };
        let byte = if index == 0 { byte & 0x7f } else { byte };
        value = value.checked_mul(256)? | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if negative { !value } else { value })
}

/// Whether a field has a form that every reader takes for the same number: digits, then NULs or spaces alone;
/// or base-256 with a plain first byte.
pub(crate) fn is_regular(field: &[u8]) -> bool {
    match field.first() {
        Some(0x80 | 0xff) => true,
        Some(b'0'..=b'7') => is_regular_octal(field),
        _ => false,
    }
}

/// Whether a field is octal digits, at least one, then NULs or spaces alone.
pub(crate) fn is_regular_octal(field: &[u8]) -> bool {
    let digits = field.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    digits > 0 && field.iter().skip(digits).all(|byte| matches!(byte, 0 | b' '))
}

/// A decimal PAX value without a sign, below 2^63.
pub(crate) fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    let number = value.iter().try_fold(0u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit & 15)),
        _ => None,
    })?;
    i64::try_from(number).is_ok().then_some(number)
}

/// A PAX time: seconds that may be negative (M85), then an optional fraction (M86), cut after nine digits.
pub(crate) fn time(value: &[u8]) -> Option<Time> {
    let (negative, value) = match value.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = digits.fold(0u32, |nanos, digit| nanos.saturating_mul(10).saturating_add(u32::from(digit & 15)));
    Some(match (negative, nanos) {
        (false, _) => Time { seconds, nanos },
        (true, 0) => Time { seconds: seconds.checked_neg()?, nanos },
        (true, _) => {
            Time { seconds: seconds.checked_neg()?.checked_sub(1)?, nanos: 1_000_000_000u32.saturating_sub(nanos) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t23_an_empty_field_is_zero() {
        assert_eq!(numeric(&[0; 12]), Some(0));
        assert_eq!(numeric(b"        "), Some(0));
    }

    #[test]
    fn t24_leading_spaces_do_not_count() {
        assert_eq!(numeric(b"    644 "), Some(0o644));
        assert_eq!(numeric(b"  644\0 \0"), Some(0o644));
    }

    #[test]
    fn t25_the_digit_nine_is_refused() {
        for field in [&b"0000009\0"[..], b"8\0", b"6 44", b"+644", b"-1", b"0x1f", b"64a"] {
            assert_eq!(numeric(field), None, "{field:?}");
        }
        assert_eq!(numeric(b"644\x0099\0"), Some(0o644), "Go stops at a NUL");
    }

    #[test]
    fn t21_base_256_is_read_and_its_overflow_refused() {
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]), Some(0x2_0000_0001));
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255]), Some(i64::MAX));
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(numeric(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn t22_base_256_may_be_negative() {
        assert_eq!(numeric(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 251]), Some(-5));
        assert_eq!(numeric(&[255, 255, 255, 255, 0x80, 0, 0, 0, 0, 0, 0, 0]), Some(i64::MIN));
        assert_eq!(numeric(&[255, 255, 255, 254, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn t8_a_decimal_has_no_sign_and_stays_below_2_to_the_63() {
        assert_eq!(decimal(b"9223372036854775807"), Some(i64::MAX as u64));
        for value in [&b""[..], b"abc", b"-1", b"+1", b"9223372036854775808", b"1.0", b" 1", b"1 "] {
            assert_eq!(decimal(value), None, "{value:?}");
        }
    }

    #[test]
    fn m85_m86_times_are_rounded_down_and_keep_their_fraction() {
        let read = |value: &str| time(value.as_bytes()).map(|time| (time.seconds, time.nanos));
        assert_eq!(read("12"), Some((12, 0)));
        assert_eq!(read("12.03"), Some((12, 30_000_000)));
        assert_eq!(read("12."), Some((12, 0)));
        assert_eq!(read("1.0000000019"), Some((1, 1)));
        assert_eq!(read("-5"), Some((-5, 0)));
        assert_eq!(read("-1.5"), Some((-2, 500_000_000)));
        assert_eq!(read("-0.25"), Some((-1, 750_000_000)));
        for value in ["", ".5", "-", "1.x", "1.-5", "+1", "1e3", "--1"] {
            assert_eq!(read(value), None, "{value}");
        }
    }

    #[test]
    fn only_plain_forms_are_regular() {
        for field in [&b"0000644\0"[..], b"000644 \0", b"644\0\0\0\0\0", &[0x80, 0, 1], &[255, 255, 255]] {
            assert!(is_regular(field), "{field:?}");
        }
        for field in [&b"    644\0"[..], b"\0\0\0\0", b"644\x007\0\0\0", &[0x81, 0, 1], &[0xc0, 0, 1]] {
            assert!(!is_regular(field), "{field:?}");
        }
    }
}
