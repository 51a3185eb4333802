//! Why one path is in the result or is not: the layers that touched it, who owns it, which rule takes it, who needs it.
//!
//! In: an archive, a path, and the options of the run that is asked about. Out: an [`Explanation`]. Everything is decided as in a run, and nothing is
//! written.

use super::choose::{Choice, choose};
use super::decide::{self, Shown};
use super::inspect::list;
use super::keep;
use super::layers::Layers;
use super::lent::Keep;
use super::survey::{Known, Survey};
use super::{base, look_into, read_checked};
use crate::archive::Archive;
use crate::error::{Error, escape};
use crate::image::Image;
use crate::needs::{Closure, NeedKind};
use crate::options::{Input, Options};
use crate::progress::Watch;
use crate::report::explanation::{Drop, Link, Needer, Touch};
use crate::report::{Artifact, ExplainedImage, Explanation};
use crate::rootfs::{InodeKind, NodeId, RootPath, Tally, Tree};
use crate::warning::Warnings;

/// Explains what a run with `options` does to a path.
///
/// # Errors
///
/// As [`strip`](super::strip), without those of writing.
pub fn explain(input: &Input, path: &[u8], options: &Options, watch: &Watch<'_>) -> Result<Explanation, Error> {
    look_into(input, options, |archive| run(archive, path, options, watch))
}

fn run(archive: &Archive, path: &[u8], options: &Options, watch: &Watch<'_>) -> Result<Explanation, Error> {
    let layers = read_checked(archive, options, Keep::ToTheEnd, watch)?;
    let path = RootPath::clamped(path);
    let mut warnings = archive.warnings.clone();
    let images = archive.images.iter().map(|image| {
        let kept = base::kept(archive, image, options);
        let shown = kept.and_then(|kept| decide::show((image, kept), &layers, options));
        let told = shown.and_then(|shown| tell(image, &path, shown, &layers, options, (&mut warnings, watch)));
        told.map_err(|error| error.in_image(decide::name(image)))
    });
    let images = images.collect::<Result<Vec<_>, _>>()?;
    Ok(Explanation {
        version: env!("CARGO_PKG_VERSION"),
        input: Artifact { name: archive.name.clone(), bytes: archive.bytes },
        path: path.to_string(),
        images,
        warnings: (&warnings).into(),
    })
}

fn tell(
    image: &Image,
    asked: &RootPath,
    shown: Shown,
    layers: &Layers,
    options: &Options,
    (warnings, watch): (&mut Warnings, &Watch<'_>),
) -> Result<ExplainedImage, Error> {
    let (tree, base) = (&shown.merged.tree, shown.base.as_ref().map_or(0, Tree::node_bound));
    warnings.merge(&shown.merged.warnings);
    let found = tree.resolve(asked, false, options.limits.symlinks);
    let path = found.as_ref().map_or(asked, |(path, _)| path);
    let mut told = ExplainedImage {
        name: decide::name(image),
        platform: image.platform.to_string(),
        path: path.to_string(),
        layers: touches(image, &[asked, path], layers)?,
        verdict: "is not in the image".into(),
        ..ExplainedImage::default()
    };
    let Some((path, node)) = &found else { return Ok(told) };
    told.shows = Some(kind(tree, *node));
    told.holds = holds(tree, *node, |_| true);
    let survey = Survey::of(image, tree, layers)?;
    let known = Known::new(image, (&survey, tree), layers, options, warnings)?;
    let choice = choose(&options.rules, &known, base, warnings, watch)?;
    if let Some(packages) = &known.packages {
        told.packages = packages.owners(*node).iter().map(|id| escape(packages.title(*id).as_bytes())).collect();
    }
    told.needed_by = needers(&known, *node, &choice);
    told.chain = chain(&known.runs, *node);
    judge(&mut told, &known, &choice, (path, *node));
    if options.only_needed && told.stays {
        let mut rest = tree.clone();
        let Choice { drops, .. } = choice;
        drops.apply(&mut rest);
        let kept = keep::decide(&rest, &survey, known.packages.as_ref(), layers, options)?;
        told.chain = chain(&kept.closure, *node);
        told.stays = kept.stays.has(*node);
        let is_needed = holds(tree, *node, |below| kept.closure.contains(below)).entries > 0;
        told.verdict = match (told.stays, is_needed) {
            (true, true) => "stays: it is needed",
            (true, false) => "stays: it says what the packages are, or under which licence",
            (false, _) => "goes: nothing that the image runs needs it",
        }
        .into();
    }
    Ok(told)
}

/// What rules, packages and the guard say of a name.
fn judge(told: &mut ExplainedImage, known: &Known<'_>, choice: &Choice, (path, node): (&RootPath, NodeId)) {
    let drops = &choice.drops;
    told.stays = drops.gone(node).is_none();
    let shown = path.to_string();
    if let Some(rule) = drops.gone(node) {
        let owners = known.packages.as_ref().map_or(&[][..], |packages| packages.owners(node));
        let package = owners.iter().find(|id| choice.gone.contains_key(id));
        let title = |id| known.packages.as_ref().map(|packages| escape(packages.title(id).as_bytes()));
        let with = package.and_then(|id| title(*id)).map(|title| format!(" with package {title}")).unwrap_or_default();
        told.verdict = format!("goes{with}: rule {}: {}", drops.rule_name(rule), drops.reason(rule));
        return;
    }
    let taken_back = choice.taken_back.iter().find(|refusal| refusal.path == shown);
    let kept = drops.kept().iter().find(|kept| kept.path == shown);
    let refused = choice.packages.iter().flat_map(|packages| &packages.refused);
    let refused = refused.into_iter().find(|package| told.packages.contains(&package.package));
    let emptied = drops.truncated().iter().find(|file| file.path == *path);
    told.verdict = match (kept, taken_back, refused) {
        _ if emptied.is_some() => emptied
            .map(|file| {
                format!("stays, without content: rule {}: {}", drops.rule_name(file.rule), drops.reason(file.rule))
            })
            .unwrap_or_default(),
        (Some(kept), ..) => format!("stays: {}, against rule {}", kept.why, kept.rule),
        (_, Some(back), _) => format!("stays: {}, against rule {}", back.why, back.rule),
        (.., Some(package)) => format!("stays: {}, against rule {}", package.why, package.rule),
        _ if !told.chain.is_empty() => "stays: the image runs it".into(),
        _ => "stays: no rule takes it".into(),
    };
    if known.tree.is_directory(node) {
        told.drops = below(known.tree, node, choice);
    }
}

/// What rules take from a directory that stays, the most first.
fn below(tree: &Tree, node: NodeId, choice: &Choice) -> Vec<Drop> {
    let mut rules: Vec<_> = Vec::new();
    holds(tree, node, |below| {
        if let Some(rule) = choice.drops.gone(below) {
            rules.push(rule);
        }
        true
    });
    rules.sort_unstable();
    rules.dedup();
    let mut drops: Vec<Drop> = rules
        .into_iter()
        .map(|rule| Drop {
            rule: choice.drops.rule_name(rule),
            dropped: holds(tree, node, |below| choice.drops.gone(below) == Some(rule)),
        })
        .collect();
    drops.sort_by_key(|drop| std::cmp::Reverse(drop.dropped.bytes));
    drops
}

/// The names at and below a name, and the bytes of their files, each inode once, of those that are `meant`.
fn holds(tree: &Tree, node: NodeId, mut meant: impl FnMut(NodeId) -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        open.extend(tree.children(node).map(|(_, child)| *child));
        if meant(node) {
            let inode = tree.node(node).inode;
            let bytes = if seen.insert(inode) { tree.inode(inode).kind.size() } else { 0 };
            tally += Tally { entries: 1, bytes };
        }
    }
    tally
}

fn kind(tree: &Tree, node: NodeId) -> String {
    let inode = tree.inode_of(node);
    match &inode.kind {
        InodeKind::File(_) if inode.names() > 1 => format!("a file with {} names", inode.names()),
        InodeKind::File(_) | InodeKind::Lower(_) => "a file".into(),
        InodeKind::Directory => "a directory".into(),
        InodeKind::Symlink(target) => format!("a symlink to {}", escape(target)),
        InodeKind::CharDevice(_) => "a character device".into(),
        InodeKind::BlockDevice(_) => "a block device".into(),
        InodeKind::Fifo => "a fifo".into(),
    }
}

/// Files that stay and need a name, each once.
fn needers(known: &Known<'_>, node: NodeId, choice: &Choice) -> Vec<Needer> {
    let met = known.needs.met().filter(|(_, needer, need)| {
        need.way.places().any(|(_, place)| *place == node) && choice.drops.gone(*needer).is_none()
    });
    let mut needers: Vec<Needer> =
        met.map(|(path, _, need)| Needer { path: path.to_string(), wanted: escape(&need.wanted) }).collect();
    needers.sort_by(|a, b| (&a.path, &a.wanted).cmp(&(&b.path, &b.wanted)));
    needers.dedup();
    needers
}

/// The chain from a name back to the config.
fn chain(closure: &Closure, node: NodeId) -> Vec<Link> {
    let steps = closure.chain(node);
    // Each step was asked for by the file of the next one, the last one by the config or by the user.
    let is_asked = steps.last().is_some_and(|step| step.kind == NeedKind::Asked);
    let first = if is_asked { "the command line" } else { "the config" };
    let by = steps.iter().skip(1).map(|step| step.path.to_string()).chain([first.into()]);
    let links = steps.iter().zip(by);
    links.map(|(step, by)| Link { by, wanted: escape(&step.wanted), how: step.kind.text().into() }).collect()
}

/// What each layer did to a path.
fn touches(image: &Image, paths: &[&RootPath], layers: &Layers) -> Result<Vec<Touch>, Error> {
    let described = list(image, layers);
    let mut touches = Vec::new();
    for ((number, (_, upper, _)), step) in (1u64..).zip(layers.of(image)).zip(described) {
        let upper = upper.borrow()?;
        let mut did: Vec<String> = Vec::new();
        for path in paths {
            let mut above = Some((*path).clone());
            while let Some(at) = above.filter(|at| !at.is_root()) {
                if upper.whiteouts.contains(&at) {
                    did.push(if at == **path { "whites it out".into() } else { format!("whites out {at}") });
                }
                above = at.split_last().map(|(parent, _)| parent);
                if above.as_ref().is_some_and(|parent| upper.opaques.contains(parent)) {
                    did.extend(above.as_ref().map(|parent| format!("hides what was below {parent}")));
                }
            }
            if let Some(node) = upper.tree.lookup(path).filter(|node| upper.tree.node(*node).origin.is_some()) {
                did.push(format!("has {} there", kind(&upper.tree, node)));
            }
        }
        did.dedup();
        did.sort();
        did.dedup();
        if !did.is_empty() {
            touches.push(Touch { layer: number, what: did.join(", "), created_by: step.created_by });
        }
    }
    Ok(touches)
}
