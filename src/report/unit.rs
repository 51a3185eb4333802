//! Numbers as people read them. In: bytes, counts, shares, milliseconds. Out: a few characters, the same on every
//! machine: no locale, and no floating point where sizes are rounded.

/// Decimal units, as Docker and the makers of disks use them.
const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/// Three digits and a decimal unit: `867 MB`, `1.31 GB`, `12 B`.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // The largest unit whose rounded number still has at most three digits before its point.
    let mut unit: u128 = 1;
    for name in UNITS {
        for decimals in [2u32, 1, 0] {
            let scale = 10u128.pow(decimals);
            let scaled = (u128::from(bytes) * scale + unit / 2) / unit;
            if scaled < 1000 {
                return match decimals {
                    0 => format!("{scaled} {name}"),
                    _ => {
                        let (whole, part) = (scaled / scale, scaled % scale);
                        let width = if decimals == 2 { 2 } else { 1 };
                        format!("{whole}.{part:0width$} {name}")
                    }
                };
            }
        }
        unit *= 1000;
    }
    format!("{bytes} B")
}

/// A count with a comma every three digits: `41,234`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A count and its noun: `1 layer`, `5 layers`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A count and its noun whose plural ends in `ies`: `1 entry`, `5 entries`.
pub(super) fn entries(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "entry" } else { "entries" })
}

/// A change in percent, from a saving in percent: `-59%`, `+3%`, `-0.4%`. A change close to none, or to all, has a
/// decimal, so that `-100%` means that nothing is left.
pub(super) fn change(saving: f64) -> String {
    let size = saving.abs();
    let sign = if saving > 0.0 { '-' } else { '+' };
    if size < 0.05 {
        "0%".into()
    } else if size < 1.0 {
        format!("{sign}{size:.1}%")
    } else if size > 99.0 && size < 100.0 {
        format!("{sign}{:.1}%", size.min(99.9))
    } else {
        format!("{sign}{size:.0}%")
    }
}

/// A part of a whole, in percent with one decimal: `40.7%`.
pub(super) fn share(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2).checked_div(u128::from(whole)).unwrap_or(0);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A time: `0.35 s`, `2.1 s`, `48 s`, `3 min 5 s`.
pub(super) fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..995 => format!("0.{:02} s", (milliseconds + 5) / 10),
        995..9_950 => {
            let tenths = (milliseconds + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        9_950..59_500 => format!("{} s", (milliseconds + 500) / 1000),
        _ => {
            let seconds = milliseconds / 1000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_three_digits_and_a_decimal_unit() {
        let cases = [
            (0, "0 B"),
            (12, "12 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_994, "9.99 kB"),
            (9_995, "10.0 kB"),
            (86_700, "86.7 kB"),
            (867_300_000, "867 MB"),
            (999_499_999, "999 MB"),
            (999_500_000, "1.00 GB"),
            (1_313_200_000, "1.31 GB"),
            (1 << 40, "1.10 TB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, shown) in cases {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
    }

    #[test]
    fn a_count_has_a_comma_every_three_digits() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count).join(" "), "0 999 1,000 1,234,567");
        assert_eq!((counted(1, "layer"), counted(2, "layer")), ("1 layer".into(), "2 layers".into()));
    }

    #[test]
    fn a_change_never_claims_all_or_nothing_falsely() {
        let cases = [
            (59.3, "-59%"),
            (-3.0, "+3%"),
            (0.4, "-0.4%"),
            (0.0, "0%"),
            (-0.01, "0%"),
            (99.97, "-99.9%"),
            (100.0, "-100%"),
        ];
        for (saving, shown) in cases {
            assert_eq!(change(saving), shown, "{saving}");
        }
    }

    #[test]
    fn a_share_of_nothing_is_no_division_by_zero() {
        assert_eq!(
            (share(407, 1000), share(1, 0), share(u64::MAX, u64::MAX)),
            ("40.7%".into(), "0.0%".into(), "100.0%".into())
        );
    }

    #[test]
    fn a_duration_gets_coarser_as_it_grows() {
        let cases = [
            (0, "0.00 s"),
            (349, "0.35 s"),
            (994, "0.99 s"),
            (996, "1.0 s"),
            (2_120, "2.1 s"),
            (48_000, "48 s"),
            (185_000, "3 min 5 s"),
        ];
        for (milliseconds, shown) in cases {
            assert_eq!(duration(milliseconds), shown, "{milliseconds}");
        }
    }
}
