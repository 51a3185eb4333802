//! What the rules must know of the image beside its tree.
//!
//! In: the config's words, resolved by the caller. Nothing here reads a config.

use crate::rootfs::RootPath;

/// What an image's config says that bears on the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The programs and files that the entrypoint and the command name. No preset takes them, nor a link on the way
    /// to them; a rule that would is not applied to this image.
    pub protected: Vec<RootPath>,
    /// `WorkingDir`, `Volumes`, `HOME`: directories that stay although they get empty.
    pub directories: Vec<RootPath>,
    /// The values of `LANG`, `LANGUAGE`, `LC_ALL` and its like: their translations stay.
    pub languages: Vec<Box<[u8]>>,
    /// How many symlinks may be followed to resolve one path (`Limits::symlinks`).
    pub hops: u64,
}

impl Default for Facts {
    /// An image that says nothing; 40 symlinks, as Linux.
    fn default() -> Self {
        Self { protected: Vec::new(), directories: Vec::new(), languages: Vec::new(), hops: 40 }
    }
}

impl Facts {
    /// The languages as directories of translations spell them, sorted: `de` of `de_DE.UTF-8`. `C` and `POSIX` are
    /// none.
    pub(super) fn language_codes(&self) -> Vec<String> {
        let values = self.languages.iter().flat_map(|value| value.split(|&byte| byte == b':'));
        let mut codes: Vec<String> = values
            .filter_map(|value| {
                let code = value.split(|byte| !byte.is_ascii_alphabetic()).next()?;
                // ISO 639 codes have two or three letters; anything else names no directory and could be a glob.
                let known = (2..=3).contains(&code.len());
                known.then(|| code.iter().map(|&byte| char::from(byte.to_ascii_lowercase())).collect())
            })
            .collect();
        codes.sort();
        codes.dedup();
        codes
    }
}
