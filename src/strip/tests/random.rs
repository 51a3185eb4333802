//! Files with bytes written over, at random but where it hurts: nothing panics, and what is stripped nevertheless stands
//! the comparison with the slow model.

use super::fixture::{Build, Shape, put, strip};
use super::model::compare;
use proptest::prelude::*;

/// Values that headers are made of.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..16, 0u64..4096, any::<u64>(), Just(u64::MAX), (0u64..64).prop_map(|shift| 1 << shift)]
}

/// A place in the ELF header, a program header or a section header, and how many bytes to write there.
fn place() -> impl Strategy<Value = (u8, usize, usize)> {
    (0u8..3, any::<usize>(), prop_oneof![Just(1usize), Just(2), Just(4), Just(8)])
}

fn overwrite(file: &mut [u8], (table, at, width): (u8, usize, usize), value: u64) {
    let sections = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    let (start, rows, size) = match table {
        0 => (0, 1, 64),
        1 => (64, 2, 56),
        _ => (sections, usize::from(u16::from_le_bytes(file[60..62].try_into().unwrap())), 64),
    };
    let at = start.saturating_add(at % (rows.max(1) * size)) / width * width;
    if at.saturating_add(width) <= file.len() {
        put(file, at, &value.to_le_bytes()[..width]);
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![Just(Shape::Last), Just(Shape::BeforeSymbols), Just(Shape::Mapped)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_stripped_is_the_same_file(shape in shape(), edits in proptest::collection::vec((place(), value()), 0..4)) {
        let mut file = Build::shaped(shape).bytes();
        for (place, value) in edits {
            overwrite(&mut file, place, value);
        }
        if let Ok(after) = strip(&file) {
            compare(&file, &after);
        }
    }

    #[test]
    fn sections_in_any_order_and_of_any_size_are_stripped_alike(
        shape in shape(),
        order in Just((3usize..9).collect::<Vec<_>>()).prop_shuffle(),
        sizes in proptest::collection::vec(0usize..700, 12),
    ) {
        let mut build = Build::shaped(shape);
        let parts = build.parts.clone();
        for (at, from) in (3..9).zip(order) {
            build.parts[at] = parts[from].clone();
        }
        for (part, size) in build.parts.iter_mut().zip(sizes) {
            part.data.resize(size, 1);
        }
        let file = build.bytes();
        if let Ok(after) = strip(&file) {
            compare(&file, &after);
        }
    }
}
