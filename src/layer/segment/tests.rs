use super::*;
use crate::rootfs::Source;
use crate::rootfs::{Entry, EntryKind, Extent, Meta, RootPath, UpperBuilder};
use std::sync::Arc;

const LAYER: LayerId = LayerId(0);

fn entry(path: &str, kind: EntryKind, verbatim: Option<Range<u64>>) -> Entry {
    let path = RootPath::from_entry_name(path.as_bytes()).unwrap();
    Entry { path, kind, meta: Meta { mode: 0o644, ..Meta::default() }, verbatim }
}

fn file(size: u64, source: Source) -> EntryKind {
    EntryKind::File(Content { size, source })
}

fn tree(entries: impl IntoIterator<Item = Entry>) -> Tree {
    let mut builder = UpperBuilder::new(LAYER, 40);
    entries.into_iter().for_each(|entry| builder.push(entry).unwrap());
    builder.finish().tree
}

/// The segments of a tree, after a look at their size.
fn of(tree: &Tree) -> Result<Vec<Segment>, Error> {
    let plan = Plan::new(tree, |layer| layer.0, None);
    let all: Vec<Segment> = segments(&plan, tree, None).collect::<Result<_, _>>()?;
    assert_eq!(all.iter().map(Segment::size).sum::<u64>(), layer_size(&plan, tree, None)?);
    assert_eq!(all.iter().map(Segment::size).sum::<u64>() % 512, 0);
    Ok(all)
}

fn copy(range: Range<u64>) -> Segment {
    Segment::Copy { layer: LAYER, range }
}

#[test]
fn an_empty_layer_is_two_zero_blocks() {
    assert_eq!(of(&Tree::default()).unwrap(), [Segment::Zeros(1024)]);
}

#[test]
fn entries_that_lie_side_by_side_are_one_copy() {
    let at = |name, start: u64| entry(name, file(5, Source::Layer(LAYER, start + 512)), Some(start..start + 1024));
    let entries = [at("a", 0), at("b", 1024), at("c", 2048), at("d", 3072)];
    assert_eq!(of(&tree(entries.clone())).unwrap(), [copy(0..4096), Segment::Zeros(1024)]);
    let [a, b, _, d] = entries;
    assert_eq!(of(&tree([a, b, d])).unwrap(), [copy(0..2048), copy(3072..4096), Segment::Zeros(1024)]);
}

#[test]
fn copies_of_two_layers_stay_apart() {
    let (tree, inode) = (Tree::default(), Tree::default().node(Tree::ROOT).inode);
    let item = |layer, range| Item { path: RootPath::root(), step: Step::Copy { layer: LayerId(layer), range, inode } };
    let plan = Plan { items: vec![item(0, 0..512), item(1, 512..1024)] };
    assert_eq!(segments(&plan, &tree, None).count(), 3);
}

#[test]
fn an_encoded_file_is_its_header_its_content_and_padding() {
    let tree = tree([
        entry("a", file(700, Source::Layer(LAYER, 99)), None),
        entry("b", file(3, Source::Owned(Arc::from(&b"abc"[..]))), None),
        entry("c", file(512, Source::Layer(LAYER, 0)), None),
        entry("d", file(0, Source::Layer(LAYER, 0)), None),
        entry("h", EntryKind::HardLink(RootPath::clamped(b"a")), None),
    ]);
    let shown: Vec<String> = of(&tree)
        .unwrap()
        .iter()
        .map(|segment| match segment {
            Segment::Copy { range, .. } => format!("copy {range:?}"),
            Segment::Zeros(count) => format!("zeros {count}"),
            Segment::Bytes(bytes) if bytes.len() == 512 => format!("header {}", char::from(bytes[0])),
            Segment::Bytes(bytes) => format!("bytes {}", bytes.len()),
        })
        .collect();
    let wanted = "header a, copy 99..799, zeros 324, header b, bytes 3, zeros 509, header c, copy 0..512, header d, \
                  header h, zeros 1024";
    assert_eq!(shown.join(", "), wanted);
}

#[test]
fn a_sparse_file_is_written_with_its_holes_as_zeros() {
    let sparse = |size, extents: &[(u64, u64, u64)]| {
        let extents = extents.iter().map(|&(at, len, offset)| Extent { at, len, offset }).collect();
        of(&tree([entry("s", file(size, Source::Sparse(LAYER, extents)), None)])).map(|mut all| all.split_off(1))
    };
    let zeros = Segment::Zeros;
    let all = sparse(5000, &[(100, 10, 7), (110, 5, 600), (4000, 1000, 900), (5000, 0, 0)]).unwrap();
    assert_eq!(all, [zeros(100), copy(7..17), copy(600..605), zeros(3885), copy(900..1900), zeros(120), zeros(1024)]);
    assert_eq!(sparse(2000, &[]).unwrap(), [zeros(2000), zeros(48), zeros(1024)]);
    assert!(sparse(2000, &[(1999, 2, 0)]).is_err(), "data past the end");
    assert!(sparse(2000, &[(100, 10, 0), (105, 1, 0)]).is_err(), "runs that overlap");
    assert!(sparse(2000, &[(100, u64::MAX, 0)]).is_err());
}

#[test]
fn a_plan_that_would_break_the_tar_is_an_error() {
    assert!(of(&tree([entry("a", file(0, Source::Layer(LAYER, 0)), Some(0..513))])).is_err());
    assert!(of(&tree([entry("a", file(4, Source::Owned(Arc::from(&b"abc"[..]))), None)])).is_err());
    let error = of(&tree([entry("a", file(u64::MAX, Source::Layer(LAYER, 1)), None)])).unwrap_err();
    assert_eq!(error.to_string(), "entry \"a\": its data does not fit into its size");
}
