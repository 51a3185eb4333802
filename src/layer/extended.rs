//! The extended headers of one entry: a PAX header, GNU's long name, GNU's long link target.
//!
//! In: their bodies, in the order of the tar. Out: the names that the entry has after all of them. Where readers
//! disagree which of two wins, the archive is refused.

use super::header::{Header, text};
use super::pax::Pax;
use crate::error::Error;
use crate::options::Limits;

/// The extended headers that stand before an entry.
#[derive(Debug)]
pub(super) struct Extended {
    /// Where the first one begins.
    pub(super) start: Option<u64>,
    pub(super) pax: Option<Pax>,
    pub(super) long_name: Option<Box<[u8]>>,
    pub(super) long_link: Option<Box<[u8]>>,
    /// Whether their own blocks have forms that every reader knows.
    pub(super) regular: bool,
}

impl Default for Extended {
    fn default() -> Self {
        Self { start: None, pax: None, long_name: None, long_link: None, regular: true }
    }
}

impl Extended {
    /// Takes in the body of a header of type `x`, `L` or `K`.
    pub(super) fn add(&mut self, header: &Header<'_>, body: &[u8], limits: &Limits) -> Result<(), Error> {
        self.regular &= header.regular;
        match header.typeflag {
            b'x' if self.pax.is_some() => Err(twice("pax headers")),
            b'x' => {
                self.pax = Some(Pax::parse(body, limits)?);
                Ok(())
            }
            b'L' if self.long_name.is_some() => Err(twice("long names")),
            b'L' => {
                self.long_name = Some(self.long(body)?);
                Ok(())
            }
            _ if self.long_link.is_some() => Err(twice("long link targets")),
            _ => {
                self.long_link = Some(self.long(body)?);
                Ok(())
            }
        }
    }

    /// A long name, cut at its first NUL (M76).
    fn long(&mut self, body: &[u8]) -> Result<Box<[u8]>, Error> {
        let name = text(body);
        if name.is_empty() {
            // Go takes the header's own name then, others the empty one.
            return Err(Error::malformed("a long name is empty"));
        }
        self.regular &= body.strip_suffix(b"\0") == Some(name);
        Ok(name.into())
    }

    /// The raw name and the raw link target of the entry.
    pub(super) fn names<'a>(&'a self, header: &'a Header<'_>) -> Result<(&'a [u8], &'a [u8]), Error> {
        let pax = self.pax.as_ref();
        let sparse = pax.and_then(|pax| pax.sparse.as_ref()?.name.as_deref());
        let path = sparse.or(pax.and_then(|pax| pax.path.as_deref()));
        let linkpath = pax.and_then(|pax| pax.linkpath.as_deref());
        let name = one_of(path, self.long_name.as_deref())?.unwrap_or(&header.name);
        let link = one_of(linkpath, self.long_link.as_deref())?.unwrap_or(header.linkname);
        Ok((name, link))
    }

    /// Whether the name that the entry had without `GNU.sparse.name` ends in a slash: Go makes a directory of an old file before
    /// it takes that one.
    pub(super) fn is_slashed(&self, header: &Header<'_>) -> bool {
        let path = self.pax.as_ref().and_then(|pax| pax.path.as_deref());
        path.or(self.long_name.as_deref()).unwrap_or(&header.name).ends_with(b"/")
    }
}

/// T14: Go takes GNU's name, GNU tar the PAX one.
fn one_of<'a>(pax: Option<&'a [u8]>, gnu: Option<&'a [u8]>) -> Result<Option<&'a [u8]>, Error> {
    match (pax, gnu) {
        (Some(_), Some(_)) => Err(Error::malformed("an entry has both a pax name and a GNU long name")),
        (one, other) => Ok(one.or(other)),
    }
}

/// T13.
fn twice(what: &str) -> Error {
    Error::malformed(format!("an entry has two {what}, which readers take differently"))
}
