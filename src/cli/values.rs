//! The values of flags. In: one word. Out: the value, or a line that says what is expected.

use imgstrip::image::Platform;
use imgstrip::options::{Compression, KeepBase, Limits};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// A time in seconds since 1970.
pub(crate) type Moment = i64;
/// A share in percent, 0 to 100.
pub(crate) type Percent = f64;

/// Digits behind the point of a size that matter; more are refused.
const DECIMALS: usize = 9;

/// `none`, `gzip`, `gzip:9`, `zstd`, `zstd:19`, `zstd:19,long`.
pub(crate) fn compression(word: &str) -> Result<Compression, String> {
    let (word, long) = word.strip_suffix(",long").map_or((word, false), |word| (word, true));
    let (name, level) = word.split_once(':').map_or((word, None), |(name, level)| (name, Some(level)));
    let within = |highest: u32| match level {
        None => Ok(None),
        Some(level) => match level.parse::<u32>() {
            Ok(level) if (1..=highest).contains(&level) => Ok(Some(level)),
            _ => Err(format!("the level of {name} is 1 to {highest}")),
        },
    };
    match (name, level) {
        ("none", None) if !long => Ok(Compression::None),
        ("gzip", _) if !long => Ok(Compression::Gzip(within(9)?)),
        ("zstd", _) => {
            let level = within(22)?.and_then(|level| i32::try_from(level).ok());
            Ok(Compression::Zstd { level, long })
        }
        _ => Err("expected none, gzip, gzip:LEVEL, zstd, zstd:LEVEL or zstd:LEVEL,long".into()),
    }
}

/// Seconds since 1970, or a time as RFC 3339 writes it.
pub(crate) fn moment(word: &str) -> Result<Moment, String> {
    if let Ok(seconds) = word.parse::<i64>() {
        return Ok(seconds);
    }
    match word.parse::<jiff::Timestamp>() {
        Ok(time) => Ok(time.as_second()),
        Err(_) => Err("expected seconds since 1970, or a time like 2024-01-31T12:00:00Z".into()),
    }
}

/// A size in bytes with an optional unit: kB, MB, GB, TB are decimal, KiB, MiB, GiB, TiB binary, K, M, G, T decimal.
pub(crate) fn size(word: &str) -> Result<u64, String> {
    let unexpected = || "expected a size such as 300MB, 1.5GiB or 1048576".to_owned();
    let split = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let (number, unit) = word.split_at_checked(split).ok_or_else(unexpected)?;
    let unit: u128 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        _ => return Err(unexpected()),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let bytes = (|| {
        if whole.is_empty() || part.is_empty() || part.len() > DECIMALS {
            return None;
        }
        let scale = 10u128.checked_pow(u32::try_from(part.len()).ok()?)?;
        let digits = whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(part.parse().ok()?)?;
        digits.checked_mul(unit)?.checked_div(scale)
    })();
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).ok_or_else(unexpected)
}

/// A size or a number as [`size`] reads it: whole binary units where they fit.
pub(crate) fn shown(value: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(bits, _)| value > 0 && value.trailing_zeros() >= *bits);
    unit.map_or_else(|| value.to_string(), |(bits, unit)| format!("{}{unit}", value >> bits))
}

/// A share in percent, with or without its sign.
pub(crate) fn percent(word: &str) -> Result<Percent, String> {
    match word.strip_suffix('%').unwrap_or(word).parse::<f64>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 100".into()),
    }
}

/// `OS/ARCH`, `OS/ARCH/VARIANT`.
pub(crate) fn platform(word: &str) -> Result<Platform, String> {
    word.parse().map_err(|error: imgstrip::error::Error| error.to_string())
}

/// A number of layers, or the name of an image.
pub(crate) fn keep_base(word: &str) -> Result<KeepBase, String> {
    if word.is_empty() {
        return Err("expected a number of layers, or an image of the archive".into());
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        let layers = word.parse().map_err(|_| "there are not that many layers".to_owned())?;
        return Ok(KeepBase::Layers(layers));
    }
    Ok(KeepBase::Image(word.into()))
}

/// `NAME=VALUE` of a limit that exists.
pub(crate) fn limit(word: &str) -> Result<(String, u64), String> {
    let known = || format!("expected NAME=VALUE, where NAME is one of {}", Limits::NAMES.join(", "));
    let (name, value) = word.split_once('=').ok_or_else(known)?;
    let value = size(value)?;
    if !Limits::default().set(name, value) {
        return Err(known());
    }
    Ok((name.into(), value))
}

/// A file whose extension says how the report is written.
pub(crate) fn report_path(word: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(word);
    match ReportForm::of(&path) {
        Some(_) => Ok(path),
        None => Err("the report's name ends in .json, .md or .html".into()),
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportForm {
    Json,
    Markdown,
    Html,
}

impl ReportForm {
    /// The form that the extension of a path asks for.
    pub(crate) fn of(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "md" | "markdown" => Some(Self::Markdown),
            "html" | "htm" => Some(Self::Html),
            _ => None,
        }
    }
}

/// The most threads that can be asked for: each holds a few blocks, and more than cores do not help.
const THREADS: usize = 512;

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= THREADS);
    threads.ok_or_else(|| format!("not a number from 1 to {THREADS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_has_a_level_within_its_range() {
        assert_eq!(compression("none"), Ok(Compression::None));
        assert_eq!(compression("gzip"), Ok(Compression::Gzip(None)));
        assert_eq!(compression("gzip:9"), Ok(Compression::Gzip(Some(9))));
        assert_eq!(compression("zstd:19"), Ok(Compression::Zstd { level: Some(19), long: false }));
        assert_eq!(compression("zstd:19,long"), Ok(Compression::Zstd { level: Some(19), long: true }));
        assert_eq!(compression("zstd,long"), Ok(Compression::Zstd { level: None, long: true }));
        for wrong in [
            "gzip:6,long",
            "none,long",
            "zstd:19,short",
            ",long",
            "",
            "xz",
            "none:1",
            "gzip:0",
            "gzip:10",
            "zstd:23",
            "zstd:-1",
            "gzip:",
        ] {
            assert!(compression(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_is_seconds_or_rfc_3339() {
        assert_eq!(moment("0"), Ok(0));
        assert_eq!(moment("-5"), Ok(-5));
        assert_eq!(moment("2024-01-31T12:00:00Z"), Ok(1_706_702_400));
        assert_eq!(moment("2024-01-31T13:00:00+01:00"), Ok(1_706_702_400));
        for wrong in ["", "now", "2024-01-31", "1e9"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_has_decimal_and_binary_units() {
        let cases = [
            ("0", 0),
            ("1048576", 1 << 20),
            ("300MB", 300_000_000),
            ("1.5 GiB", 3 << 29),
            ("2k", 2_000),
            ("1KiB", 1024),
        ];
        for (word, bytes) in cases {
            assert_eq!(size(word), Ok(bytes), "{word}");
        }
        for wrong in
            ["", "MB", "-1", "1.2.3", "1.", ".5", "5 apples", "18446744073709551616", "99999999TiB", "1.0000000001"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_percentage_is_between_nothing_and_all() {
        assert_eq!((percent("20"), percent("12.5%")), (Ok(20.0), Ok(12.5)));
        for wrong in ["", "-1", "101", "NaN", "inf", "x"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_platform_has_two_or_three_parts() {
        let arm = platform("linux/arm/v7").unwrap();
        assert_eq!((arm.os.as_str(), arm.architecture.as_str(), arm.variant.as_str()), ("linux", "arm", "v7"));
        for wrong in ["", "linux", "linux/", "/arm", "a/b/", "a/b/c/d"] {
            assert!(platform(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_base_is_a_number_or_a_name() {
        assert_eq!(keep_base("2"), Ok(KeepBase::Layers(2)));
        assert_eq!(keep_base("debian:12"), Ok(KeepBase::Image("debian:12".into())));
        assert!(keep_base("").is_err() && keep_base("99999999999999999999999").is_err());
    }

    #[test]
    fn a_limit_must_exist() {
        assert_eq!(limit("json-depth=8"), Ok(("json-depth".into(), 8)));
        assert_eq!(limit("expanded=2TiB"), Ok(("expanded".into(), 2 << 40)));
        assert!(limit("jokes=1").unwrap_err().contains("json_depth"));
        assert!(limit("layers").is_err() && limit("layers=x").is_err());
    }

    #[test]
    fn a_limit_is_shown_as_it_can_be_given() {
        assert_eq!([0, 1_100, 1 << 16, 3 << 20, 1 << 40].map(shown), ["0", "1100", "64KiB", "3MiB", "1TiB"]);
        assert!(Limits::ALL.iter().all(|(_, default, _)| size(&shown(*default)) == Ok(*default)));
    }

    #[test]
    fn a_report_is_written_in_a_form_that_its_name_says() {
        assert!(report_path("a/b.json").is_ok() && report_path("x.HTML").is_ok() && report_path("x.md").is_ok());
        assert!(report_path("report").is_err() && report_path("x.pdf").is_err());
    }

    #[test]
    fn threads_are_few() {
        assert_eq!(threads("2").unwrap().get(), 2);
        assert!(threads("0").is_err() && threads("513").is_err() && threads("x").is_err());
    }
}
