//! The rules as a whole: each preset's lists of what must go and what must stay, and the semantics on small trees.

mod claims;
mod presets;
mod semantics;
mod speed;

use super::*;
use crate::rootfs::{RootPath, Tree, text};

/// The tree of some lines of [`text`].
fn tree(lines: &str) -> Tree {
    text::tree(lines).unwrap()
}

fn path(path: &str) -> RootPath {
    RootPath::clamped(path.as_bytes())
}

/// The paths of the tree that a decision leaves, directories among them with a slash, joined by a space.
fn left(tree: &Tree, drops: Drops) -> String {
    let mut tree = tree.clone();
    drops.apply(&mut tree);
    let text = text::show(&tree, &mut text::owned);
    text.lines().filter_map(|line| line.split(' ').next()).collect::<Vec<_>>().join(" ")
}

/// No preset; the user's drops and keeps.
fn own(drop: &[&str], keep: &[&str]) -> Rules {
    let builder = Rules::builder().presets(preset::Selection::none());
    let builder = drop.iter().fold(builder, |builder, glob| builder.drop(glob).unwrap());
    keep.iter().fold(builder, |builder, glob| builder.keep(glob).unwrap()).build().unwrap()
}

/// The presets of a list, and the user's drops and keeps.
fn with(presets: &str, drop: &[&str], keep: &[&str]) -> Rules {
    let builder = Rules::builder().presets(preset::Selection::parse(presets).unwrap());
    let builder = drop.iter().fold(builder, |builder, glob| builder.drop(glob).unwrap());
    keep.iter().fold(builder, |builder, glob| builder.keep(glob).unwrap()).build().unwrap()
}
