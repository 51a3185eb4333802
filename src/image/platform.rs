//! Platforms: `OS/ARCH[/VARIANT]` in, a value that can be compared out.
//!
//! A platform keeps the spelling of its document; only a comparison takes the usual spellings for one another.

use crate::error::{Error, escape};
use std::fmt;
use std::str::FromStr;

/// An operating system and an architecture, as the OCI specification spells them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platform {
    /// Such as `linux`.
    pub os: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `v8`; empty where there is none.
    pub variant: String,
}

impl Platform {
    /// Whether both mean the same machine: `x86_64` is `amd64`, `aarch64` and `arm64/v8` are `arm64`, `arm` is
    /// `arm/v7`, as containerd normalises them.
    pub fn is_same(&self, other: &Self) -> bool {
        self.normal() == other.normal()
    }

    /// Whether operating system and architecture are the same, whatever the variants are.
    pub fn is_same_architecture(&self, other: &Self) -> bool {
        let ((os, architecture, _), (other_os, other_architecture, _)) = (self.normal(), other.normal());
        (os, architecture) == (other_os, other_architecture)
    }

    fn normal(&self) -> (String, String, String) {
        let os = match self.os.to_ascii_lowercase().as_str() {
            "" => "linux".to_owned(),
            "macos" => "darwin".to_owned(),
            os => os.to_owned(),
        };
        let variant = self.variant.to_ascii_lowercase();
        let (architecture, variant) = match (self.architecture.to_ascii_lowercase().as_str(), variant.as_str()) {
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64".to_owned(), String::new()),
            ("x86_64" | "x86-64", _) => ("amd64".to_owned(), variant),
            ("aarch64" | "arm64", "8" | "v8") => ("arm64".to_owned(), String::new()),
            ("aarch64", _) => ("arm64".to_owned(), variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm".to_owned(), "v7".to_owned()),
            ("armel", _) => ("arm".to_owned(), "v6".to_owned()),
            ("arm", "5" | "6" | "8") => ("arm".to_owned(), format!("v{variant}")),
            ("i386" | "i486" | "i586" | "i686" | "386", _) => ("386".to_owned(), String::new()),
            (architecture, _) => (architecture.to_owned(), variant),
        };
        (os, architecture, variant)
    }
}

impl fmt::Display for Platform {
    /// Escaped: a platform of an archive is shown as it stands there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_unknown = |text: &str| if text.is_empty() { "unknown".to_owned() } else { escape(text.as_bytes()) };
        write!(f, "{}/{}", or_unknown(&self.os), or_unknown(&self.architecture))?;
        if !self.variant.is_empty() {
            write!(f, "/{}", escape(self.variant.as_bytes()))?;
        }
        Ok(())
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `OS/ARCH` or `OS/ARCH/VARIANT`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::usage(format!("\"{}\" is not a platform", escape(text.as_bytes()))).hint("write it as linux/amd64")
        };
        let plain = |part: &&str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(plain) {
            return Err(wrong());
        }
        match *parts.as_slice() {
            [os, architecture] => Ok(Self { os: os.into(), architecture: architecture.into(), variant: String::new() }),
            [os, architecture, variant] => {
                Ok(Self { os: os.into(), architecture: architecture.into(), variant: variant.into() })
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn usual_spellings_mean_the_same_machine() {
        for (one, other) in [
            ("linux/x86_64", "linux/amd64"),
            ("Linux/aarch64", "linux/arm64/v8"),
            ("linux/arm64", "linux/arm64/v8"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/7"),
            ("linux/i686", "linux/386"),
        ] {
            assert!(platform(one).is_same(&platform(other)), "{one} {other}");
        }
        for (one, other) in
            [("linux/arm/v6", "linux/arm/v7"), ("linux/amd64/v3", "linux/amd64"), ("windows/amd64", "linux/amd64")]
        {
            assert!(!platform(one).is_same(&platform(other)), "{one} {other}");
        }
        assert!(platform("linux/arm/v6").is_same_architecture(&platform("linux/arm")));
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for bad in ["", "amd64", "linux/", "/amd64", "a/b/c/d", "linux/amd 64", "linux/\u{1b}[31m"] {
            assert_eq!(bad.parse::<Platform>().unwrap_err().kind(), crate::error::ErrorKind::Usage, "{bad}");
        }
        assert_eq!(platform("linux/arm/v7").to_string(), "linux/arm/v7");
    }
}
