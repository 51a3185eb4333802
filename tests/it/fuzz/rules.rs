//! Rules: a glob means what a slow matcher of its parts says, on every path of a tree; `--keep` holds; whatever a rules file says, the same
//! twice, and the account of what went adds up.
//!
//! In: a rules file as TOML (`[` or `#` first); or bytes that choose globs and a tree.

use super::choices::Choices;
use crate::properties::kept;
use imgstrip::rootfs::{Descend, NodeId, RootPath, Tree, text};
use imgstrip::rules::preset::Selection;
use imgstrip::rules::{Facts, Rules};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(bytes: &[u8]) -> bool {
    if matches!(bytes.first(), Some(b'[' | b'#')) {
        return std::str::from_utf8(bytes).is_ok_and(file);
    }
    let choices = &mut Choices(bytes);
    let lines: BTreeSet<String> = (0..2 + choices.few(24)).map(|_| line(choices)).collect();
    // A name is a file or a directory, not both.
    let is_file =
        |line: &&String| line.ends_with('/') || !lines.iter().any(|other| other.starts_with(&format!("{line}/")));
    let lines: Vec<&str> = lines.iter().filter(is_file).map(String::as_str).collect();
    let tree = text::tree(&lines.join("\n")).unwrap();
    let drops: Vec<Glob> = (0..=choices.few(3)).map(|_| Glob::chosen(choices)).collect();
    let keeps: Vec<Glob> = (0..choices.few(2)).map(|_| Glob::chosen(choices)).collect();
    let mut builder = Rules::builder().presets(Selection::none());
    for glob in &drops {
        builder = builder.drop(&glob.text()).unwrap_or_else(|error| panic!("{}: {error}", glob.text()));
    }
    for glob in &keeps {
        builder = builder.keep(&glob.text()).unwrap_or_else(|error| panic!("{}: {error}", glob.text()));
    }
    let rules = builder.build().unwrap();
    let gone = decided(&rules, &tree);
    let shown: Vec<String> = drops.iter().chain(&keeps).map(Glob::text).collect();
    assert_eq!(
        gone,
        expected(&tree, &drops, &keeps),
        "{} of {lines:?}, {} of them --keep",
        shown.join(" "),
        keeps.len()
    );
    !gone.is_empty()
}

const TREE: &str = "usr/bin/gcc = elf\nusr/bin/cc -> gcc\nbin -> usr/bin\nusr/lib/python3/a.py = x\nusr/lib/python3/__pycache__/a.pyc = x\n\
    usr/share/doc/a/copyright = x\nusr/share/doc/a/README = xyz\nusr/share/locale/de/LC_MESSAGES/a.mo = x\nvar/cache/apt/pkg.bin = xxxx\n\
    var/log/a.log = x\netc/hosts = x\na/b = one\na/c => a/b\nd/e/f/ [0700]\ng -> a/b\n";

/// A rules file beside the presets, on a tree that has something for most of them.
fn file(toml: &str) -> bool {
    let built = Rules::builder().file("fuzz.toml", toml).and_then(|builder| builder.build());
    let rules = match built {
        Ok(rules) => rules,
        Err(error) => {
            assert!(matches!(error.kind().exit_code(), 2 | 6), "{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            return false;
        }
    };
    decided(&rules, &text::tree(TREE).unwrap());
    true
}

/// The paths that go.
fn decided(rules: &Rules, tree: &Tree) -> BTreeSet<String> {
    let facts = Facts::default();
    let drops = rules.decide(tree, &facts);
    assert_eq!(drops.removals(), rules.decide(tree, &facts).removals());
    let mut gone = BTreeSet::new();
    tree.walk(&mut |path, node| {
        if drops.gone(node).is_some() {
            gone.insert(path.to_string());
        }
        Descend::Yes
    });
    let (before, mut after) = (kept(tree), tree.clone());
    let mut sum = imgstrip::rootfs::Tally::default();
    drops.apply(&mut after).into_iter().for_each(|dropped| sum += dropped.tally);
    let left = kept(&after);
    sum += left;
    assert_eq!(sum, before);
    after.walk(&mut |path, _| {
        assert!(!gone.contains(&path.to_string()), "{path} is still there");
        Descend::Yes
    });
    gone
}

/// Names that no directory of a system has.
const NAMES: [&str; 9] = ["a", "b", "ab", "ba", "a.c", "b.c", "abc", "-", "q]"];

fn line(choices: &mut Choices<'_>) -> String {
    let names: Vec<&str> = (0..=choices.few(4)).map(|_| choices.of(&NAMES)).collect();
    names.join("/") + choices.of(&["", "", "/"])
}

/// A part of a name in a glob.
#[derive(Clone, Debug)]
enum Part {
    Text(char),
    Star,
    One,
    Class(Vec<char>, bool),
    Either(Vec<Vec<Part>>),
}

/// A glob as its meaning; a component without parts is `**`.
#[derive(Clone, Debug)]
struct Glob {
    components: Vec<Vec<Part>>,
    rooted: bool,
    directories: bool,
}

impl Glob {
    fn chosen(choices: &mut Choices<'_>) -> Self {
        let mut components: Vec<Vec<Part>> = Vec::new();
        for _ in 0..=choices.few(4) {
            let again = components.last().is_some_and(Vec::is_empty);
            match choices.few(4) {
                0 if !again => components.push(Vec::new()),
                _ => {
                    let parts: Vec<Part> = (0..=choices.few(3)).map(|_| Part::chosen(choices, 1)).collect();
                    // `.` and `..` are no names.
                    let is_dots = parts.iter().all(|part| matches!(part, Part::Text('.')));
                    components.push(if is_dots { vec![Part::Star] } else { parts });
                }
            }
        }
        Self { components, rooted: choices.rarely(2), directories: choices.rarely(5) }
    }

    fn text(&self) -> String {
        let components: Vec<String> = self
            .components
            .iter()
            .map(|parts| match &parts[..] {
                [] => "**".to_owned(),
                parts => parts.iter().map(Part::text).collect(),
            })
            .collect();
        format!(
            "{}{}{}",
            if self.rooted { "/" } else { "" },
            components.join("/"),
            if self.directories { "/" } else { "" }
        )
    }

    fn matches(&self, path: &[Vec<char>], is_directory: bool) -> bool {
        let anywhere = !self.rooted && self.components.len() == 1;
        let below = |from: usize| components(&self.components, &path[from..]);
        (is_directory || !self.directories) && if anywhere { (0..path.len()).any(below) } else { below(0) }
    }
}

/// `**` is any number of names, at the end at least one.
fn components(globs: &[Vec<Part>], path: &[Vec<char>]) -> bool {
    match (globs, path) {
        ([], []) => true,
        ([last], path) if last.is_empty() => !path.is_empty(),
        ([first, rest @ ..], path) if first.is_empty() => (0..=path.len()).any(|from| components(rest, &path[from..])),
        ([first, globs @ ..], [name, path @ ..]) => parts(first, name) && components(globs, path),
        _ => false,
    }
}

fn parts(globs: &[Part], name: &[char]) -> bool {
    let Some((first, rest)) = globs.split_first() else { return name.is_empty() };
    let one = |fits: &dyn Fn(char) -> bool| name.first().is_some_and(|&c| fits(c)) && parts(rest, &name[1..]);
    match first {
        Part::Text(text) => one(&|c| c == *text),
        Part::One => one(&|_| true),
        Part::Class(class, not) => one(&|c| class.contains(&c) != *not),
        Part::Star => (0..=name.len()).any(|from| parts(rest, &name[from..])),
        Part::Either(either) => either.iter().any(|one| parts(&[&one[..], rest].concat(), name)),
    }
}

impl Part {
    fn chosen(choices: &mut Choices<'_>, deep: usize) -> Self {
        match choices.few(if deep == 0 { 8 } else { 10 }) {
            0..4 => Self::Text(choices.of(&['a', 'b', 'c', '.', '-', ']'])),
            4 | 5 => Self::Star,
            6 => Self::One,
            7 => Self::Class((0..=choices.few(2)).map(|_| choices.of(&['a', 'b', '.'])).collect(), choices.rarely(2)),
            _ => {
                let one =
                    |choices: &mut Choices<'_>| (0..choices.few(3)).map(|_| Self::chosen(choices, deep - 1)).collect();
                Self::Either((0..2).map(|_| one(choices)).collect())
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(']') => "\\]".into(),
            Self::Text(c) => c.to_string(),
            Self::Star => "*".into(),
            Self::One => "?".into(),
            Self::Class(class, not) => format!("[{}{}]", if *not { "!" } else { "" }, class.iter().collect::<String>()),
            Self::Either(either) => {
                let either: Vec<String> = either.iter().map(|one| one.iter().map(Part::text).collect()).collect();
                format!("{{{}}}", either.join(","))
            }
        }
    }
}

/// What goes: what a glob names, with all below but what is kept, and the directories that this empties.
fn expected(tree: &Tree, drops: &[Glob], keeps: &[Glob]) -> BTreeSet<String> {
    let mut nodes: Vec<(RootPath, NodeId)> = Vec::new();
    tree.walk(&mut |path, node| {
        nodes.push((path.clone(), node));
        Descend::Yes
    });
    // By path: whether a glob names it or something above.
    let named = |path: &RootPath, globs: &[Glob]| {
        let names: Vec<Vec<char>> =
            path.components().map(|name| name.iter().copied().map(char::from).collect()).collect();
        (1..=names.len()).any(|len| {
            let above = RootPath::clamped(&path.components().take(len).collect::<Vec<_>>().join(&b'/'));
            let is_directory = tree.is_directory(tree.lookup(&above).unwrap());
            globs.iter().any(|glob| glob.matches(&names[..len], is_directory))
        })
    };
    let mut goes: BTreeMap<RootPath, bool> = BTreeMap::new();
    // What is in a directory comes after it.
    for (path, node) in nodes.iter().skip(1).rev() {
        let below: Vec<bool> = tree.children(*node).map(|(name, _)| goes[&path.join(name)]).collect();
        let is_kept = named(path, keeps);
        let goes_itself = named(path, drops) && !is_kept && below.iter().all(|goes| *goes);
        let emptied = !is_kept && !below.is_empty() && below.iter().all(|goes| *goes);
        goes.insert(path.clone(), goes_itself || emptied);
    }
    goes.into_iter().filter(|(_, goes)| *goes).map(|(path, _)| path.to_string()).collect()
}
