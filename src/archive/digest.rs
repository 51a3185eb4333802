//! Digests: the text of a document in, a checked [`Digest`] out; and bytes held against one.
//!
//! A digest names a file of the layout, so its grammar is checked before it is used (CVE-2024-3727). An algorithm
//! that cannot be computed is refused, never skipped.

use crate::error::{Error, escape};
use crate::layer::digest::Hasher;
use oci_spec::image::{Digest, DigestAlgorithm};

/// Reads a digest; `what` says where it stands, already escaped.
pub(crate) fn parse(text: &str, what: &str) -> Result<Digest, Error> {
    let shown = || escape(text.chars().take(160).collect::<String>().as_bytes());
    let digest: Digest =
        text.parse().map_err(|_| Error::malformed(format!("{what} has a digest that is none: \"{}\"", shown())))?;
    match digest.algorithm() {
        DigestAlgorithm::Sha256 | DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => Ok(digest),
        _ => Err(Error::unsupported(format!("{what} has a digest of an unknown algorithm: \"{}\"", shown()))),
    }
}

/// The SHA-256 of these bytes.
pub(crate) fn of(bytes: &[u8]) -> Result<Digest, Error> {
    let mut hasher = Hasher::sha256();
    hasher.update(bytes);
    hasher.digest()
}

/// Holds bytes against the digest that names them.
pub(crate) fn verify(bytes: &[u8], digest: &Digest, what: &str) -> Result<(), Error> {
    let mut hasher = Hasher::new(digest)?;
    hasher.update(bytes);
    hasher.check(digest, what)
}

/// A digest as messages show it: the algorithm and twelve digits.
pub(crate) fn short(digest: &Digest) -> String {
    let digits: String = digest.digest().chars().take(12).collect();
    format!("{}:{digits}", digest.algorithm())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use sha2::{Digest as _, Sha384, Sha512};

    #[test]
    fn a_digest_that_could_be_a_path_or_is_not_exact_is_refused() {
        let hex = "a".repeat(64);
        for bad in [
            "sha256:../../etc/passwd".to_owned(),
            format!("sha256:{}", hex.to_uppercase()),
            "sha256:abcd".to_owned(),
            hex.clone(),
            String::new(),
            format!("sha256:{hex}\n"),
            format!("SHA256:{hex}"),
            "sha256:".to_owned(),
            "../x:abc".to_owned(),
        ] {
            assert_eq!(parse(&bad, "x").unwrap_err().kind(), ErrorKind::Malformed, "{bad}");
        }
        for unknown in ["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:abcd"] {
            assert_eq!(parse(unknown, "x").unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }

    #[test]
    fn bytes_are_held_against_every_algorithm_of_the_specification() {
        let sha256 = of(b"abc").unwrap();
        assert_eq!(short(&sha256), "sha256:ba7816bf8f01");
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let sha512 = format!("sha512:{}", hex(&Sha512::digest(b"abc")));
        let sha384 = format!("sha384:{}", hex(&Sha384::digest(b"abc")));
        for digest in [sha256, parse(&sha512, "x").unwrap(), parse(&sha384, "x").unwrap()] {
            assert!(verify(b"abc", &digest, "x").is_ok());
            assert_eq!(verify(b"abd", &digest, "x").unwrap_err().kind(), ErrorKind::Integrity);
        }
    }
}
