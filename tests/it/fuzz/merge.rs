//! The merge: what the slow model shows, every byte accounted for, and a squash squashed again the same.
//!
//! In: layers as text, `---` between them and `# ` first; or bytes that choose entries over few names.

use super::choices::Choices;
use crate::case::merge;
use crate::model::{self, Op};
use crate::properties::{kept, show, squashed, upper};
use imgstrip::options::SymlinkParents;
use imgstrip::rootfs::Merge;

pub fn check(bytes: &[u8]) -> bool {
    let Some(layers) = layers(bytes) else { return false };
    let texts = model::texts(&layers);
    let expected = model::merge(&layers);
    for parents in [SymlinkParents::Follow, SymlinkParents::Overlay] {
        let merged = merge(&texts, parents);
        if parents == SymlinkParents::Overlay {
            let shown = merged.as_ref().map(show).map_err(ToString::to_string);
            assert_eq!(shown.as_ref().ok(), expected.as_ref(), "{texts:#?}: {shown:?}");
        }
        let Ok(merged) = merged else { continue };
        let mut sum = kept(&merged.tree);
        for part in [merged.ledger.replaced, merged.ledger.whited_out, merged.ledger.metadata] {
            sum += part;
        }
        assert_eq!(sum, merged.ledger.input, "{texts:#?}");
        let entries = squashed(&merged.tree);
        let mut again = Merge::new(SymlinkParents::Error, crate::case::HOPS);
        again.add(&upper(entries.clone())).unwrap();
        let again = again.finish();
        assert!(again.warnings.is_empty(), "{:?}", again.warnings);
        assert_eq!((show(&again), squashed(&again.tree)), (show(&merged), entries), "{texts:#?}");
    }
    expected.is_some()
}

/// The layers; nothing where a text is none of the model's.
pub fn layers(bytes: &[u8]) -> Option<Vec<Vec<Op>>> {
    if let Some(text) = bytes.strip_prefix(b"# ") {
        let text = std::str::from_utf8(text).ok()?.split_once('\n')?.1;
        return text.split("---\n").map(|layer| layer.lines().map(op).collect()).collect();
    }
    let choices = &mut Choices(bytes);
    let is_open = choices.rarely(8);
    let mut targets = vec!["a".to_owned()];
    let layers: Vec<Vec<Op>> = (0..=choices.few(6))
        .map(|number| (0..choices.few(9)).map(|index| chosen(choices, (number, index), &mut targets)).collect())
        .collect();
    // Hardly one stack of random entries has none that is refused.
    Some(if is_open { layers } else { model::accepted(&layers) })
}

fn chosen(choices: &mut Choices<'_>, (number, index): (usize, usize), targets: &mut Vec<String>) -> Op {
    let path = |choices: &mut Choices<'_>| -> String {
        let names: Vec<&str> = (0..=choices.few(3)).map(|_| choices.of(&["a", "b", "c", "d"])).collect();
        names.join("/")
    };
    let here = path(choices);
    let op = match choices.few(18) {
        0..4 => Op::File(here.clone(), format!("content-{number}-{index}-{}", "x".repeat(index))),
        4..7 => Op::Dir(here, choices.of(&[0o755, 0o700, 0o1777])),
        7..9 => {
            let way = choices.of(&["", "/", "../", "c/../"]);
            Op::Symlink(here.clone(), way.to_owned() + &path(choices))
        }
        9..12 => Op::Link(here, choices.of(targets)),
        12 => Op::Link(here, path(choices)),
        13 => Op::Fifo(here.clone()),
        14 | 15 => Op::Whiteout(here),
        16 => Op::Opaque(here),
        _ => Op::Device(here),
    };
    if let Op::File(path, _) | Op::Symlink(path, _) | Op::Fifo(path) = &op {
        targets.push(path.clone());
    }
    op
}

/// A line of the text form, as far as the model knows it.
fn op(line: &str) -> Option<Op> {
    let is_word = |word: &str| (1..9).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_path = |path: &str| path.split('/').count() < 9 && path.split('/').all(is_word);
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (sign, value) = rest.split_once(' ').unwrap_or((rest, ""));
    let (parent, last) = name.rsplit_once('/').map_or(("", name), |(parent, last)| (parent, last));
    if let Some(hidden) = last.strip_prefix(".wh.").filter(|_| rest.is_empty()) {
        if hidden == ".wh..opq" {
            return is_path(parent).then(|| Op::Opaque(parent.into()));
        }
        let path = if parent.is_empty() { hidden.to_owned() } else { format!("{parent}/{hidden}") };
        return is_path(&path).then_some(Op::Whiteout(path));
    }
    if let Some(path) = name.strip_suffix('/').filter(|path| is_path(path)) {
        let mode = match rest {
            "" => Some(0o755),
            _ => rest.strip_prefix("[0").and_then(|mode| u32::from_str_radix(mode.strip_suffix(']')?, 8).ok()),
        };
        return Some(Op::Dir(path.into(), mode.filter(|mode| *mode < 0o1000)?));
    }
    if !is_path(name) {
        return None;
    }
    let name = name.to_owned();
    let is_way =
        |value: &str| value.len() < 60 && value.split('/').all(|part| matches!(part, "" | "." | "..") || is_word(part));
    match sign {
        "=" if is_word(value) => Some(Op::File(name, value.into())),
        "->" if !value.is_empty() && is_way(value) => Some(Op::Symlink(name, value.into())),
        "=>" if is_path(value) => Some(Op::Link(name, value.into())),
        "fifo" if value.is_empty() => Some(Op::Fifo(name)),
        "char" if value == "0:0" => Some(Op::Device(name)),
        _ => None,
    }
}
