//! One case of the merge: layers in, a tree and the codes of warnings out, or a refusal.
//!
//! Layers in text form go both ways: straight through `Merge`, and as tar bytes in an archive through `strip`.
//! Where warnings are expected, a strict run must refuse the same archive with exit code 7.

use crate::image::{docker, squash, strip};
use crate::lines::{layer, lines};
use imgstrip::error::{Error, ErrorKind};
use imgstrip::options::SymlinkParents;
use imgstrip::rootfs::{LayerId, Merge, Merged, Plan, UpperBuilder, text};

/// How many symlinks are followed; the default of `Limits::symlinks`.
pub const HOPS: u64 = 40;

#[must_use]
pub struct Case {
    texts: Option<Vec<String>>,
    tars: Vec<Vec<u8>>,
    parents: SymlinkParents,
    warnings: Vec<String>,
}

/// Layers in text form, lowest first.
pub fn case<const N: usize>(layers: [&str; N]) -> Case {
    let texts: Vec<String> = layers.iter().map(|layer| lines(layer).join("\n")).collect();
    let tars = layers.iter().map(|text| layer(text)).collect();
    Case { texts: Some(texts), tars, parents: SymlinkParents::Overlay, warnings: Vec::new() }
}

/// Layers as tar bytes, for what the text form cannot say.
pub fn tar_case<const N: usize>(layers: [Vec<u8>; N]) -> Case {
    Case { texts: None, tars: layers.into(), parents: SymlinkParents::Overlay, warnings: Vec::new() }
}

impl Case {
    /// With `--symlink-parents=follow`.
    pub fn follow(self) -> Self {
        Self { parents: SymlinkParents::Follow, ..self }
    }

    /// With `--symlink-parents=error`.
    pub fn forbid(self) -> Self {
        Self { parents: SymlinkParents::Error, ..self }
    }

    /// Only as tar bytes: what the case is about is read there.
    pub fn texts_off(self) -> Self {
        Self { texts: None, ..self }
    }

    /// Exactly these classes of warnings; without this, none.
    pub fn warns(mut self, codes: &str) -> Self {
        self.warnings = codes.split_whitespace().map(str::to_owned).collect();
        self.warnings.sort();
        self
    }

    /// The expected tree.
    #[track_caller]
    pub fn shows(self, expected: &str) {
        let expected = lines(expected).join("\n");
        if let Some(texts) = &self.texts {
            let merged = merge(texts, self.parents).unwrap_or_else(|error| panic!("the merge refuses it: {error}"));
            let shown = text::show(&merged.tree, &mut text::owned);
            assert_eq!(shown.trim_end(), expected, "the tree of the merge");
            let codes = merged.warnings.iter().map(|(kind, _)| kind.code().to_owned());
            assert_eq!(sorted(codes.collect()), self.warnings, "the warnings of the merge");
            Plan::new(&merged.tree, |layer| layer.0, None);
        }
        let archive = docker(&self.tars);
        let mut options = squash();
        options.symlink_parents = self.parents;
        let squashed = strip(&archive, &options).unwrap_or_else(|error| panic!("strip refuses it: {error}"));
        assert_eq!(squashed.text().trim_end(), expected, "the tree of the archive");
        assert_eq!(squashed.warnings(), self.warnings, "the warnings of the run");
        assert!(squashed.report.images.iter().all(|image| image.accounting.balances()), "{:?}", squashed.report.images);
        if !self.warnings.is_empty() {
            options.strict = true;
            let refused = strip(&archive, &options).expect_err("a strict run refuses a warning");
            assert_eq!((refused.kind(), refused.kind().exit_code()), (ErrorKind::Gate, 7), "{refused}");
        }
    }

    /// The expected message, a part of it; the input is at fault, exit code 3.
    #[track_caller]
    pub fn refuses(self, part: &str) {
        self.refuses_as(3, part);
    }

    /// The expected message, with an exit code of its own.
    #[track_caller]
    pub fn refuses_as(self, exit_code: u8, part: &str) {
        if let Some(texts) = &self.texts {
            let error = merge(texts, self.parents).expect_err("the merge refuses it").to_string();
            assert!(error.contains(part), "the merge says: {error}");
        }
        let options = imgstrip::options::Options { symlink_parents: self.parents, ..squash() };
        let error = strip(&docker(&self.tars), &options).expect_err("strip refuses it");
        assert!(error.to_string().contains(part), "strip says: {error}");
        assert!(error.to_string().contains("layer "), "the layer is named: {error}");
        assert_eq!(error.kind().exit_code(), exit_code, "{error}");
    }
}

pub fn sorted(mut codes: Vec<String>) -> Vec<String> {
    codes.sort();
    codes
}

/// The merge of layers in text form, without any tar.
pub fn merge(layers: &[String], parents: SymlinkParents) -> Result<Merged, Error> {
    let mut merge = Merge::new(parents, HOPS);
    for (number, layer) in layers.iter().enumerate() {
        let mut builder = UpperBuilder::new(LayerId(number as u32), HOPS);
        for entry in text::parse(layer)? {
            builder.push(entry)?;
        }
        merge.add(&builder.finish())?;
    }
    Ok(merge.finish())
}
