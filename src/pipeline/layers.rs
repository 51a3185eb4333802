//! Every distinct layer of an archive, read once and side by side, however many images share it.

use super::account::{Account, Spent};
use super::checks::Checks;
use super::lent::{Keep, Lent};
use crate::archive::{Blob, digest};
use crate::error::Error;
use crate::image::{Image, Layer};
use crate::layer::deflate::Blocks;
use crate::layer::fill;
use crate::layer::read::{self, ReadLayer};
use crate::options::{Limits, Options};
use crate::rootfs::{Content, EntryKind, Files, LayerId, Run, Tree, UpperBuilder};
use rayon::prelude::*;

/// The layers of an archive.
#[derive(Debug)]
pub(super) struct Layers(Vec<Distinct>);

#[derive(Debug)]
struct Distinct {
    layer: Layer,
    upper: Lent,
    read: ReadLayer,
}

impl Layers {
    /// Reads every layer of `images`, whose archive has `size` bytes; `checks` gets those of which only headers were read.
    /// `done` is told the size of each blob.
    pub(super) fn read(
        (images, size): (&[Image], u64),
        options: &Options,
        (keep, checks): (Keep, &Checks<'_, '_>),
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, Error> {
        let mut claims: Vec<(Layer, String)> = Vec::new();
        let mut numbered: Vec<(&Image, Vec<usize>)> = Vec::with_capacity(images.len());
        for image in images {
            let mut numbers = Vec::with_capacity(image.layers.len());
            for (index, layer) in image.layers.iter().enumerate() {
                let known = claims.iter().position(|(known, _)| is_same(known, layer));
                numbers.push(known.unwrap_or(claims.len()));
                if known.is_none() {
                    // Where it stands in the first image that has it.
                    let position = index.saturating_add(1);
                    let name = format!(
                        "layer {position}/{} {}",
                        image.layers.len(),
                        digest::short(layer.digest.as_ref().unwrap_or(&layer.diff_id))
                    );
                    claims.push((layer.clone(), name));
                }
            }
            numbered.push((image, numbers));
        }
        let account = Account::new(numbered, claims.len(), size, &options.limits);
        let limits = account.limits();
        let mut claims: Vec<(usize, (Layer, String))> = claims.into_iter().enumerate().collect();
        // The longest chain starts first, lest it run alone at the end.
        claims.sort_by_key(|(_, (layer, _))| std::cmp::Reverse(layer.blob.len()));
        let read = claims.into_iter().par_bridge().map(|(index, (layer, name))| {
            let id = LayerId(u32::try_from(index).unwrap_or(u32::MAX));
            let mut builder = UpperBuilder::new(id, options.limits.symlinks);
            let temp = options.temp_dir.as_deref();
            let mut spent = Spent::default();
            let read = read::read(&layer, id, &limits, temp, &mut |entry| {
                let content = if let EntryKind::File(content) = &entry.kind { content.size } else { 0 };
                builder.push(entry)?;
                bounded(builder.tree(), &options.limits)?;
                account.note(index, &mut spent, content, builder.tree().node_bound())
            });
            let read = read.map_err(|error| account.explain(error).in_layer(name.as_str())).map(|read| {
                if !read.verified {
                    checks.add(index, layer.clone(), name);
                }
                done(layer.blob.len());
                let mut upper = builder.finish();
                upper.warnings.merge(&read.warnings);
                let uses = images.iter().flat_map(|image| &image.layers).filter(|other| is_same(other, &layer)).count();
                Distinct { upper: Lent::new(upper, uses, keep), layer, read }
            });
            (index, read)
        });
        let mut read: Vec<(usize, Result<Distinct, Error>)> = read.collect();
        account.check()?;
        // The lowest layer's error is the one that is told, whichever thread was first.
        read.sort_by_key(|(index, _)| *index);
        read.into_iter().map(|(_, read)| read).collect::<Result<_, _>>().map(Self)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The layers of an image, lowest first.
    pub(super) fn of<'a>(&'a self, image: &'a Image) -> impl Iterator<Item = (LayerId, &'a Lent, &'a ReadLayer)> + 'a {
        image.layers.iter().filter_map(|layer| {
            let index = self.0.iter().position(|known| is_same(&known.layer, layer))?;
            let distinct = self.0.get(index)?;
            Some((LayerId(u32::try_from(index).ok()?), &distinct.upper, &distinct.read))
        })
    }

    /// The uncompressed tar of a layer.
    pub(super) fn tar(&self, id: LayerId) -> Option<&Blob> {
        self.0.get(usize::try_from(id.0).ok()?).map(|distinct| &distinct.read.tar)
    }

    /// The gzip form of a layer, and where its deflate blocks lie.
    pub(super) fn deflate_blocks(&self, id: LayerId) -> Option<(&Blob, &Blocks)> {
        let distinct = self.0.get(usize::try_from(id.0).ok()?)?;
        Some((&distinct.layer.blob, distinct.read.blocks.as_deref()?))
    }

    /// Bytes of all spill files.
    pub(super) fn spilled(&self) -> u64 {
        let spilled = self.0.iter().filter(|distinct| !distinct.read.tar.is_same(&distinct.layer.blob));
        spilled.map(|distinct| distinct.read.expanded).sum()
    }
}

impl Files for Layers {
    fn read_at(&self, content: &Content, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while let Some(room) = buffer.get_mut(done..).filter(|room| !room.is_empty())
            && let Some(run) = content.run_at(at.saturating_add(done as u64))?
        {
            let count = usize::try_from(run.size()).unwrap_or(usize::MAX).min(room.len());
            let room = room.get_mut(..count).unwrap_or_default();
            match run {
                Run::Layer(layer, range) => {
                    fill::read(layer, range.start, room, &|id| self.tar(id))?;
                }
                Run::Bytes(bytes) => room.copy_from_slice(bytes.get(..count).unwrap_or_default()),
                Run::Zeros(_) => room.fill(0),
            }
            done = done.saturating_add(count);
        }
        Ok(done)
    }
}

/// A short entry can imply thousands of directories, which cost as much as those that have entries.
pub(super) fn bounded(tree: &Tree, limits: &Limits) -> Result<(), Error> {
    if tree.node_bound() as u64 > limits.entries.saturating_add(1) {
        let what = format!("more than {} entries, with the directories that have none of their own", limits.entries);
        return Err(Error::limit(what).hint("raise it with --limit entries=N"));
    }
    if tree.path_bytes() > limits.paths {
        let what = format!("the paths have more than {} bytes together", limits.paths);
        return Err(Error::limit(what).hint("raise it with --limit paths=BYTES"));
    }
    Ok(())
}

/// Whether two images name one layer. Only what is claimed alike is checked alike.
fn is_same(a: &Layer, b: &Layer) -> bool {
    a.blob.is_same(&b.blob) && (&a.digest, a.size, &a.diff_id) == (&b.digest, b.size, &b.diff_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::rootfs::{Entry, Meta, RootPath};

    fn deep(directories: usize, limits: &Limits) -> Result<(), Error> {
        let path = RootPath::clamped("d/".repeat(directories).as_bytes()).join(b"f");
        let mut builder = UpperBuilder::new(LayerId(0), limits.symlinks);
        builder.push(Entry { path, kind: EntryKind::Fifo, meta: Meta::default(), verbatim: None })?;
        bounded(builder.tree(), limits)
    }

    #[test]
    fn directories_that_no_entry_names_count_as_those_that_have_one() {
        // 23 KB of a layer took 6 GB: 1000 entries, each 2000 directories deep.
        let limits = Limits { entries: 100, ..Limits::default() };
        assert!(deep(99, &limits).is_ok());
        assert_eq!(deep(100, &limits).unwrap_err().kind(), ErrorKind::Limit);
    }

    #[test]
    fn the_paths_of_implied_directories_are_bounded_together() {
        assert!(deep(4096, &Limits::default()).is_ok());
        assert_eq!(deep(32_000, &Limits::default()).unwrap_err().kind(), ErrorKind::Limit);
    }
}
