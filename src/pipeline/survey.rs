//! What is known of an image's files before anything is decided: what each asks for, how the image starts, who owns what.
//!
//! In: a merged image. Out: a [`Survey`], and with it the [`Known`] that decisions ask. The only place that looks into files side by side.

use super::layers::Layers;
use crate::error::Error;
use crate::image::{Command, Image};
use crate::needs::{self, Asked, Closure, Environment, Needs, Reach, Start, Wants};
use crate::options::Options;
use crate::packages::Packages;
use crate::rootfs::{RootPath, Tree};
use crate::rules::Facts;
use crate::warning::Warnings;
use rayon::prelude::*;
use std::sync::Arc;

/// What the image's files and its config say, nothing looked up yet.
#[derive(Debug)]
pub(super) struct Survey {
    wants: Wants,
    environment: Environment,
    command: Command,
    pub(super) start: Start,
}

impl Survey {
    /// Looks into every file of a tree.
    pub(super) fn of(image: &Image, tree: &Tree, layers: &Layers) -> Result<Self, Error> {
        let command = Command::of(&image.config);
        let asked = Wants::ask(tree).into_par_iter().map(|(inode, content)| {
            let want = needs::read(layers, &content)?;
            Ok(want.map(|want| (inode, want)))
        });
        let found: Vec<Result<_, Error>> = asked.collect();
        let mut wants = Wants::default();
        for want in found {
            if let Some((inode, want)) = want? {
                wants.insert(inode, want);
            }
        }
        let environment = Environment::of(&command.env, &command.working_dir);
        let start = command.start();
        Ok(Self { wants, environment, command, start })
    }

    /// The needs of the files, looked up in a tree whose inodes were surveyed.
    pub(super) fn needs<'a>(&'a self, tree: &'a Tree, layers: &Layers, options: &Options) -> Result<Needs<'a>, Error> {
        Needs::new(tree, &self.wants, layers, &self.environment, options.limits.symlinks)
    }
}

/// A surveyed tree: who needs whom, who owns what, what the image runs.
pub(super) struct Known<'a> {
    pub(super) tree: &'a Tree,
    pub(super) layers: &'a Layers,
    pub(super) needs: Needs<'a>,
    pub(super) packages: Option<Packages>,
    /// By [`NodeId::index`](crate::rootfs::NodeId::index): whether a package owns a name; empty where there are none.
    pub(super) owned: Arc<[bool]>,
    pub(super) runs: Closure,
    pub(super) facts: Facts,
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl<'a> Known<'a> {
    /// Looks everything up.
    pub(super) fn new(
        _: &Image,
        (survey, tree): (&'a Survey, &'a Tree),
        layers: &'a Layers,
        options: &Options,
        warnings: &mut Warnings,
    ) -> Result<Self, Error> {
        let needs = survey.needs(tree, layers, options)?;
        let hops = options.limits.symlinks;
        let packages = Packages::read(tree, layers, hops, warnings)?;
        let asked = Asked { programs: programs(options), nodes: Vec::new() };
        let runs = needs::closure(&needs, layers, &survey.start, &asked, Reach::Programs)?;
        let facts = facts(&survey.command, tree, &runs, options);
        let owned = packages.as_ref().map(Packages::owned).unwrap_or_default();
        Ok(Self { tree, layers, needs, packages, owned, runs, facts })
    }
}

/// The programs that the user names himself.
pub(super) fn programs(options: &Options) -> Vec<Box<[u8]>> {
    options.keep_programs.iter().map(|program| program.as_bytes().into()).collect()
}

/// What the image's config says that bears on the rules, and what it runs.
fn facts(command: &Command, tree: &Tree, runs: &Closure, options: &Options) -> Facts {
    let mut directories = command.volumes.clone();
    directories.push(command.working_dir.clone());
    directories.extend(command.variable("HOME").map(|home| RootPath::clamped(home.as_bytes())));
    let languages =
        command.env.iter().filter(|(name, _)| name.starts_with("LC_") || name == "LANG" || name == "LANGUAGE");
    let mut protected = command.files(tree, options.limits.symlinks);
    protected.extend(runs.files().map(|(path, _)| path.clone()));
    Facts {
        protected,
        directories,
        languages: languages.map(|(_, value)| value.as_bytes().into()).collect(),
        hops: options.limits.symlinks,
    }
}
