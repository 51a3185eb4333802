#![allow(clippy::cast_possible_truncation)] // sizes of a test fit

use super::*;
use crate::error::ErrorKind;
use crate::layer::cut::Cut;
use proptest::prelude::*;
use std::io::Write;
use std::sync::Arc;

pub(in crate::layer) fn blob(bytes: &[u8]) -> Blob {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    Blob::new(Arc::new(file), 0, bytes.len() as u64)
}

/// Bytes that hardly repeat.
pub(in crate::layer) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

pub(in crate::layer) fn random_segments(len: u64) -> impl Strategy<Value = Vec<Segment>> {
    let one = prop_oneof![
        (0..len, 0..len).prop_map(|(a, b)| Segment::Copy { layer: LayerId(0), range: a.min(b)..a.max(b) }),
        proptest::collection::vec(any::<u8>(), 0..600).prop_map(Segment::Bytes),
        (0..len).prop_map(Segment::Zeros),
    ];
    proptest::collection::vec(one, 0..12)
}

/// What segments stand for, the slow and plain way.
pub(in crate::layer) fn spelled_out(segments: &[Segment], layer: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for segment in segments {
        match segment {
            Segment::Copy { range, .. } => all.extend_from_slice(&layer[range.start as usize..range.end as usize]),
            Segment::Bytes(bytes) => all.extend_from_slice(bytes),
            Segment::Zeros(count) => all.resize(all.len() + *count as usize, 0),
        }
    }
    all
}

proptest! {
    #[test]
    fn blocks_in_a_row_are_the_segments_in_a_row(
        segments in random_segments(1000), size in 1_usize..700
    ) {
        let layer = noise(1000);
        let blob = blob(&layer);
        let sources = |_| Some(&blob);
        let mut filler = Filler::new(Cut::new(segments.iter().cloned().map(Ok), None), &sources);
        let (mut all, mut block) = (Vec::new(), Block::default());
        while filler.fill(&mut block, size).unwrap() {
            prop_assert!(all.len() % size == 0, "only the last block is shorter");
            all.extend_from_slice(block.data());
        }
        prop_assert!(block.data().is_empty());
        prop_assert_eq!(all, spelled_out(&segments, &layer));
    }
}

#[test]
fn a_blob_that_ends_too_early_is_an_integrity_error() {
    let full = blob(&[7; 1000]);
    let short = full.clone();
    let read = |sources: Sources<'_>, range| {
        let segment = Segment::Copy { layer: LayerId(2), range };
        Filler::new(Cut::new([Ok(segment)].into_iter(), None), sources).fill(&mut Block::default(), 4096)
    };
    assert!(read(&|_| Some(&short), 0..1000).unwrap());
    let error = read(&|_| Some(&short), 0..1001).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().starts_with("layer blob 3: its data ends before offset 1001"), "{error}");
    // The file itself got shorter than its blob says.
    let file = tempfile::tempfile().unwrap();
    let cut = Blob::new(Arc::new(file), 0, 1000);
    assert_eq!(read(&|_| Some(&cut), 0..1000).unwrap_err().kind(), ErrorKind::Integrity);
    assert!(read(&|_| None, 0..1).is_err());
}
