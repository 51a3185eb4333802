//! What a tree says of its names and of what it held.

use super::*;
use crate::rootfs::text;

fn tree(lines: &str) -> Tree {
    text::tree(lines).unwrap()
}

fn file(bytes: &[u8]) -> InodeKind {
    InodeKind::File(Content::owned(bytes))
}

#[test]
fn a_name_is_marked_with_the_directories_above_it() {
    let tree = tree("a/b/c = x\na/d = x\n");
    let at = |path: &[u8]| tree.lookup(&RootPath::clamped(path)).unwrap();
    let mut marked = vec![false; tree.node_bound()];
    tree.mark(at(b"a/b/c"), &mut marked);
    assert_eq!(
        [&b""[..], b"a", b"a/b", b"a/b/c", b"a/d"].map(|path| marked[at(path).index()]),
        [true, true, true, true, false]
    );
    assert_eq!((tree.parent(at(b"a/d")), tree.parent(Tree::ROOT)), (at(b"a"), Tree::ROOT));
}

#[test]
fn a_name_and_its_inode_stay_small() {
    // A million of both are kept at once, and each layer's own beside them: 88 and 112 bytes were 670 MB.
    assert!(size_of::<Node>() <= 56 && size_of::<Inode>() <= 104, "{} {}", size_of::<Node>(), size_of::<Inode>());
}

#[test]
fn what_a_rewritten_file_holds_of_the_input_never_grows() {
    let mut tree = tree("f = 0123456789\n");
    let node = tree.lookup(&RootPath::clamped(b"f")).unwrap();
    assert!(!tree.inode_of(node).is_rewritten());
    assert_eq!(tree.rewrite(node, file(b"0123")), 6);
    assert_eq!(tree.rewrite(node, file(b"0123456789abc")), 0);
    assert_eq!((tree.inode_of(node).held(), tree.inode_of(node).kind.size()), (4, 13));
    let mut tally = Tally::default();
    assert!(tree.remove(Tree::ROOT, b"f", &mut tally));
    assert_eq!(tally, Tally { entries: 1, bytes: 4 });
}

#[test]
fn a_new_name_brings_its_directories_and_is_none_of_the_input() {
    let mut tree = tree("d/f = x\n");
    let path = RootPath::clamped(b"d/a/b/new");
    let node = tree.insert(&path, file(b"made"), Meta::default()).unwrap();
    assert_eq!((tree.lookup(&path), tree.inode_of(node).held()), (Some(node), 0));
    assert_eq!(tree.insert(&path, file(b"again"), Meta::default()), None);
    assert_eq!(tree.insert(&RootPath::clamped(b"d/f/below"), file(b""), Meta::default()), None);
    let mut tally = Tally::default();
    tree.remove(tree.lookup(&RootPath::clamped(b"d")).unwrap(), b"a", &mut tally);
    assert_eq!(tally, Tally::default());
}
