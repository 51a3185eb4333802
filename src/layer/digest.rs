//! Digests of blobs: computed while bytes pass, compared with what a document claims.
//!
//! In: bytes and a digest of the OCI grammar. Out: an `Integrity` error where they do not belong together. An
//! algorithm that is not known refuses the image; a check is never left out.

use crate::error::Error;
use oci_spec::image::{Digest, DigestAlgorithm};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::fmt::Write;
use std::io::{self, Read};

/// A digest in the making.
#[derive(Debug, Clone)]
pub struct Hasher(State);

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha384(Box<Sha384>),
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// Begins a digest of the algorithm that `expected` has.
    ///
    /// # Errors
    ///
    /// `Unsupported` for any other than the SHA-2 algorithms of the OCI specification.
    pub fn new(expected: &Digest) -> Result<Self, Error> {
        Ok(Self(match expected.algorithm() {
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Box::default()),
            DigestAlgorithm::Sha512 => State::Sha512(Box::default()),
            other => return Err(Error::unsupported(format!("unsupported digest algorithm {other}"))),
        }))
    }

    /// Begins a SHA-256.
    pub fn sha256() -> Self {
        Self(State::Sha256(Sha256::new()))
    }

    /// Takes in bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha384(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest so far in hexadecimal digits.
    pub fn finish(self) -> String {
        match self.0 {
            State::Sha256(hasher) => hex(&hasher.finalize()),
            State::Sha384(hasher) => hex(&hasher.finalize()),
            State::Sha512(hasher) => hex(&hasher.finalize()),
        }
    }

    /// The digest so far, as documents write it.
    ///
    /// # Errors
    ///
    /// None that can happen: the grammar takes what a hasher yields.
    pub fn digest(self) -> Result<Digest, Error> {
        let algorithm = match self.0 {
            State::Sha256(_) => DigestAlgorithm::Sha256,
            State::Sha384(_) => DigestAlgorithm::Sha384,
            State::Sha512(_) => DigestAlgorithm::Sha512,
        };
        Digest::try_from(format!("{algorithm}:{}", self.finish())).map_err(|error| Error::malformed(error.to_string()))
    }

    /// Compares with the digest that `what`, such as `the layer blob`, should have.
    ///
    /// # Errors
    ///
    /// `Integrity` where they differ.
    pub fn check(self, expected: &Digest, what: &str) -> Result<(), Error> {
        let found = self.finish();
        if found == expected.digest() {
            return Ok(());
        }
        let algorithm = expected.algorithm();
        Err(Error::integrity(format!("{what} has the digest {algorithm}:{found}, not {expected}")))
    }
}

/// Passes bytes on and takes them into a digest, where one is asked for.
#[derive(Debug)]
pub struct HashingReader<R> {
    inner: R,
    hasher: Option<Hasher>,
}

impl<R: Read> HashingReader<R> {
    /// Reads `inner`.
    pub fn new(inner: R, hasher: Option<Hasher>) -> Self {
        Self { inner, hasher }
    }

    /// Reads what is left, and gives the digest of everything that passed.
    ///
    /// # Errors
    ///
    /// `Io` where the rest cannot be read.
    pub fn finish(mut self) -> Result<Option<Hasher>, Error> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| Error::io("read the layer", error))?;
        Ok(self.hasher)
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(buffer.get(..read).unwrap_or_default());
        }
        Ok(read)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use std::str::FromStr;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn check(digest: &str, bytes: &[u8]) -> Result<(), Error> {
        let digest = Digest::from_str(digest).unwrap();
        let mut hasher = Hasher::new(&digest)?;
        hasher.update(bytes);
        hasher.check(&digest, "the layer blob")
    }

    #[test]
    fn a_digest_is_compared_and_both_are_shown() {
        assert!(check(ABC, b"abc").is_ok());
        let error = check(ABC, b"abd").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.to_string().starts_with("the layer blob has the digest sha256:a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, not sha256:ba78"), "{error}");
    }

    #[test]
    fn sha512_is_checked_and_an_unknown_algorithm_refused() {
        let abc = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
        assert!(check(&format!("sha512:{abc}"), b"abc").is_ok());
        assert_eq!(check(&format!("sha512:{abc}"), b"abd").unwrap_err().kind(), ErrorKind::Integrity);
        assert_eq!(check("md5:900150983cd24fb0d6963f7d28e17f72", b"abc").unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
