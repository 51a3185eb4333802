//! Closures of small trees, for tests. In: a tree in the text form, a config in a few words. Out: the closure, or its paths.

use super::{Asked, Closure, Environment, Needs, Reach, Start, Wants, closure, read};
use crate::error::Error;
pub(super) use crate::rootfs::testing::Owned;
use crate::rootfs::{RootPath, Tree, text};

/// A tree, and how it starts.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) tree: Tree,
    pub(super) start: Start,
    pub(super) asked: Asked,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:?}", text::show(&self.tree, &mut text::owned), self.start)
    }
}

impl Case {
    /// The tree of these lines; `command` is split at spaces, a `|` stands for a space inside of a word.
    pub(super) fn new(lines: &str, command: &str) -> Self {
        let cmd = command.split_whitespace().map(|word| word.replace('|', " ").into_bytes().into()).collect();
        Self { tree: text::tree(lines).unwrap(), start: Start { cmd, ..Start::default() }, asked: Asked::default() }
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.start.env.push((name.as_bytes().into(), value.as_bytes().into()));
        self
    }

    pub(super) fn working_dir(mut self, path: &str) -> Self {
        self.start.working_dir = RootPath::clamped(path.as_bytes());
        self
    }

    pub(super) fn closure(&self, reach: Reach) -> Result<Closure, Error> {
        let mut wants = Wants::default();
        for (inode, content) in Wants::ask(&self.tree) {
            if let Some(want) = read(&Owned, &content)? {
                wants.insert(inode, want);
            }
        }
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let env: Vec<_> = self.start.env.iter().map(|(name, value)| (text(name), text(value))).collect();
        let environment = Environment::of(&env, &self.start.working_dir);
        let needs = Needs::new(&self.tree, &wants, &Owned, &environment, 40)?;
        closure(&needs, &Owned, &self.start, &self.asked, reach)
    }

    /// The paths of the members, sorted, without what every closure has.
    pub(super) fn kept(&self) -> Vec<String> {
        paths(&self.closure(Reach::Everything).unwrap())
    }

    /// Likewise, of what is certain.
    pub(super) fn certain(&self) -> Vec<String> {
        paths(&self.closure(Reach::Programs).unwrap())
    }
}

/// The paths of the members, sorted.
pub(super) fn paths(closure: &Closure) -> Vec<String> {
    let mut paths: Vec<String> = closure.files().map(|(path, _)| path.to_string()).collect();
    paths.sort();
    paths
}
