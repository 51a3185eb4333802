//! How a layer is written: what was asked for, and what the input's layers are, made one answer.

use super::codec::Codec;
use crate::error::Error;
use crate::options::Compression;

const MIB: usize = 1 << 20;
/// The level of gzip where none is given, and of what is deflated beside copied blocks.
const GZIP: u32 = 6;
/// The level of zstd where none is given.
const ZSTD: i32 = 3;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// One gzip member.
    Gzip {
        /// 1 to 9.
        level: u32,
        /// Whether deflate blocks of the input are copied where they fit; the level holds for the rest.
        reuse: bool,
    },
    /// zstd frames of 8 MiB, or one with a window of 128 MiB.
    Zstd {
        /// 1 to 22.
        level: i32,
        /// Whether matches are looked for in the last 128 MiB, on one thread.
        long: bool,
    },
}

impl Encoding {
    /// What was asked for; `has` tells how layers of the input are compressed.
    ///
    /// # Errors
    ///
    /// `Usage` for a level that does not exist.
    pub fn new(asked: Compression, has: impl Fn(Codec) -> bool) -> Result<Self, Error> {
        let encoding = match asked {
            Compression::None => Self::Plain,
            Compression::Gzip(None) => Self::Gzip { level: GZIP, reuse: true },
            Compression::Gzip(Some(level @ 1..=9)) => Self::Gzip { level, reuse: false },
            Compression::Gzip(Some(level)) => {
                return Err(Error::usage(format!("gzip has no level {level}")).hint("choose 1 to 9"));
            }
            Compression::Zstd { level, long } => match level.unwrap_or(ZSTD) {
                level @ 1..=22 => Self::Zstd { level, long },
                level => return Err(Error::usage(format!("zstd has no level {level}")).hint("choose 1 to 22")),
            },
            Compression::Keep if has(Codec::Zstd) => Self::Zstd { level: ZSTD, long: false },
            Compression::Keep if has(Codec::Gzip) => Self::Gzip { level: GZIP, reuse: true },
            Compression::Keep => Self::Plain,
        };
        Ok(encoding)
    }

    /// What readers find.
    pub fn codec(self) -> Codec {
        match self {
            Self::Plain => Codec::Plain,
            Self::Gzip { .. } => Codec::Gzip,
            Self::Zstd { .. } => Codec::Zstd,
        }
    }

    /// How many bytes are compressed on their own.
    pub(super) fn block_size(self) -> usize {
        match self {
            Self::Plain | Self::Gzip { .. } | Self::Zstd { long: true, .. } => MIB,
            Self::Zstd { long: false, .. } => 8 * MIB,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn the_best_codec_of_the_input_is_kept() {
        let keep = |codecs: &[Codec]| Encoding::new(Compression::Keep, |codec| codecs.contains(&codec)).unwrap();
        assert_eq!(keep(&[Codec::Plain]), Encoding::Plain);
        assert_eq!(keep(&[Codec::Plain, Codec::Gzip]), Encoding::Gzip { level: 6, reuse: true });
        assert_eq!(keep(&[Codec::Gzip, Codec::Zstd]), Encoding::Zstd { level: 3, long: false });
    }

    #[test]
    fn an_explicit_level_encodes_anew() {
        let gzip = |level| Encoding::new(Compression::Gzip(level), |_| true).unwrap();
        assert_eq!(gzip(None), Encoding::Gzip { level: 6, reuse: true });
        assert_eq!(gzip(Some(6)), Encoding::Gzip { level: 6, reuse: false });
    }

    #[test]
    fn a_level_that_does_not_exist_is_an_error() {
        let zstd = |level| Compression::Zstd { level: Some(level), long: false };
        for asked in [Compression::Gzip(Some(0)), Compression::Gzip(Some(10)), zstd(0), zstd(23)] {
            assert_eq!(Encoding::new(asked, |_| false).unwrap_err().kind(), ErrorKind::Usage);
        }
    }
}
