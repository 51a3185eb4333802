//! What every file of a tree asks for. In: a tree, then what [`read`] finds in its files; the caller reads them, as many at a time as it likes.
//! Out: a want by inode, so that the names of one file share it. Nothing is looked up.

use super::want::{Elf, Want};
use super::{elf, script};
use crate::error::Error;
use crate::rootfs::{Content, Descend, Files, InodeId, InodeKind, NodeId, RootPath, Source, Tree};

/// What a file asks for, from its first bytes on; `None` where it asks for nothing. An ELF program or shared object always is a want, though it
/// names nothing, as its class and machine say whom it serves; one that is malformed is none, as it could not run before either. One read of
/// 1 KiB decides; the rest of an ELF file is read by position.
///
/// # Errors
///
/// As [`Files::read_at`].
pub fn read(files: &dyn Files, content: &Content) -> Result<Option<Want>, Error> {
    let mut head = [0; elf::HEAD];
    let read = files.read_at(content, 0, &mut head)?;
    let head = head.get(..read).unwrap_or_default();
    if head.starts_with(b"\x7fELF") {
        return Ok(elf::read(files, content, head)?.map(Want::Elf));
    }
    Ok(script::parse(head).map(Want::Script))
}

/// The wants of the files of a tree, by inode.
#[derive(Debug, Default)]
pub struct Wants {
    by_inode: Vec<Option<Box<Want>>>,
}

impl Wants {
    /// The files that may want something, each once, in the order in which their bytes lie in the layers. Left out is what is called like text or
    /// an image and may not be executed: three files of four, and no loader takes them.
    pub fn ask(tree: &Tree) -> Vec<(InodeId, Content)> {
        let mut seen = vec![false; tree.inode_bound()];
        let mut asked = Vec::new();
        tree.walk(&mut |path, node| {
            let id = tree.node(node).inode;
            let inode = tree.inode(id);
            if let (InodeKind::File(content), Some(seen)) = (&inode.kind, seen.get_mut(id.index()))
                && !*seen
                && may_want(path, inode.meta.mode, content.size)
            {
                *seen = true;
                asked.push((id, content.clone()));
            }
            Descend::Yes
        });
        asked.sort_by_key(|(inode, content)| (place(&content.source), *inode));
        asked
    }

    /// Notes what a file wants.
    pub fn insert(&mut self, inode: InodeId, want: Want) {
        if self.by_inode.len() <= inode.index() {
            self.by_inode.resize_with(inode.index().saturating_add(1), || None);
        }
        if let Some(known) = self.by_inode.get_mut(inode.index()) {
            *known = Some(Box::new(want));
        }
    }

    /// What a file wants.
    pub fn of(&self, inode: InodeId) -> Option<&Want> {
        self.by_inode.get(inode.index())?.as_deref()
    }

    /// What a name's file wants.
    pub fn at(&self, tree: &Tree, node: NodeId) -> Option<&Want> {
        self.of(tree.node(node).inode)
    }

    /// The ELF file that a name stands for.
    pub fn elf(&self, tree: &Tree, node: NodeId) -> Option<&Elf> {
        match self.at(tree, node) {
            Some(Want::Elf(elf)) => Some(elf),
            _ => None,
        }
    }

    /// All wants.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Want> {
        self.by_inode.iter().flatten().map(|want| &**want)
    }
}

impl FromIterator<(InodeId, Want)> for Wants {
    fn from_iter<I: IntoIterator<Item = (InodeId, Want)>>(found: I) -> Self {
        let mut wants = Self::default();
        found.into_iter().for_each(|(inode, want)| wants.insert(inode, want));
        wants
    }
}

/// The shortest file that says something, `#!x`, and the shortest header of an ELF file.
const SHORTEST: (u64, u64) = (3, 52);

/// How files are called that are neither programs nor libraries, sorted. Guile's `.go` are ELF files, which need nothing and are no library.
pub(super) const ASIDE: &[&str] = &[
    "a", "bmp", "c", "cc", "class", "conf", "cpp", "crt", "css", "csv", "cxx", "decTest", "dtd", "enc", "f90", "gem",
    "gif", "go", "gz", "h", "hh", "hpp", "html", "hxx", "idx", "inc", "ini", "ipp", "jar", "java", "jpg", "js", "json",
    "list", "lua", "map", "md", "md5sums", "mjs", "mo", "pc", "pem", "pl", "pm", "png", "po", "pod", "pxd", "py",
    "pyc", "pyi", "pyx", "rb", "rst", "s", "svg", "tcl", "tmac", "tmpl", "toml", "ts", "txt", "whl", "xml", "xz",
    "yml", "zip",
];

/// Whether a file may be an ELF file, or a script that the kernel may execute.
fn may_want(path: &RootPath, mode: u16, size: u64) -> bool {
    if mode & 0o111 != 0 {
        return size >= SHORTEST.0;
    }
    let extension = path.as_bytes().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let extension =
        extension.iter().rposition(|&byte| byte == b'.').and_then(|dot| extension.get(dot.checked_add(1)?..));
    let aside = |extension: &[u8]| ASIDE.binary_search_by(|known| known.as_bytes().cmp(extension)).is_ok();
    size >= SHORTEST.1 && !extension.is_some_and(aside)
}

/// Where the first byte of a file lies.
fn place(source: &Source) -> (u32, u64) {
    match source {
        Source::Layer(layer, at) => (layer.0, *at),
        Source::Sparse(layer, extents) => (layer.0, extents.first().map_or(0, |extent| extent.offset)),
        Source::Owned(_) | Source::Joined(_) => (u32::MAX, 0),
    }
}
