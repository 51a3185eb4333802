//! The teeth of the check: plans that are wrong in one way each, and the difference that it names.

use super::fixture::{Build, Layer, Shape, put, strip};
use super::model::rows;
use crate::rootfs::{Content, Source};
use crate::strip::{Difference, Skip, check, strip_by};

/// A stripped file, spoilt.
fn spoilt(spoil: impl Fn(&mut Vec<u8>)) -> Skip {
    spoilt_of(&Build::usual(), spoil)
}

fn spoilt_of(build: &Build, spoil: impl Fn(&mut Vec<u8>)) -> Skip {
    let before = build.bytes();
    let mut after = strip(&before).unwrap();
    spoil(&mut after);
    let (layer, content) = Layer::of(&before);
    let refused = strip_by(&layer, &content, |_, _, _| Ok(Content::owned(after.clone())))
        .unwrap()
        .expect_err("a wrong plan was taken");
    assert_eq!(check(&layer, &content, &Content::owned(after.clone())).unwrap(), Err(refused));
    refused
}

fn row(file: &[u8], name: &str) -> usize {
    let table = u64::from_le_bytes(file[40..48].try_into().unwrap()) as usize;
    table + 64 * rows(file).iter().position(|row| row.name == name.as_bytes()).unwrap()
}

fn flip(file: &mut [u8], at: usize) {
    file[at] ^= 1;
}

fn flip_at(file: &mut [u8], place: impl Fn(&[u8]) -> usize) {
    let at = place(file);
    flip(file, at);
}

fn offset(file: &[u8], name: &str) -> usize {
    rows(file).iter().find(|row| row.name == name.as_bytes()).unwrap().offset
}

#[test]
fn the_plan_itself_is_proven_whether_copied_or_not() {
    let before = Build::usual().bytes();
    let (layer, content) = Layer::of(&before);
    let after = strip_by(&layer, &content, crate::strip::plan::plan).unwrap().unwrap();
    assert!(matches!(after.source, Source::Joined(_)));
    assert_eq!(check(&layer, &content, &after).unwrap(), Ok(()));
    assert_eq!(check(&layer, &content, &Content::owned(layer.whole(&after))).unwrap(), Ok(()));
}

#[test]
fn another_entry_point_or_other_flags_are_seen() {
    assert_eq!(spoilt(|file| flip(file, 24)), Skip::Unproven(Difference::Header));
    assert_eq!(spoilt(|file| flip(file, 48)), Skip::Unproven(Difference::Header));
    assert_eq!(spoilt(|file| put(file, 18, &183u16.to_le_bytes())), Skip::Unproven(Difference::Header));
}

#[test]
fn another_program_header_is_seen() {
    assert_eq!(spoilt(|file| flip(file, 64 + 4)), Skip::Unproven(Difference::ProgramHeaders));
    assert_eq!(spoilt(|file| flip(file, 64 + 56 + 16)), Skip::Unproven(Difference::ProgramHeaders));
}

#[test]
fn another_byte_of_a_segment_is_seen() {
    for name in [".text", ".dynamic", ".dynsym"] {
        assert_eq!(
            spoilt(|file| flip_at(file, |file| offset(file, name))),
            Skip::Unproven(Difference::Segment),
            "{name}"
        );
    }
}

#[test]
fn a_segment_that_moved_is_seen() {
    // What GNU strip does: the same bytes at another place.
    let wrong = spoilt(|file| {
        let text = offset(file, ".text");
        file.insert(text, 0);
        let table = u64::from_le_bytes(file[40..48].try_into().unwrap()) + 1;
        put(file, 40, &table.to_le_bytes());
    });
    assert!(matches!(wrong, Skip::Unproven(_)), "{wrong:?}");
}

#[test]
fn a_run_of_another_place_in_the_layer_is_seen() {
    let before = Build::usual().bytes();
    let (layer, content) = Layer::of(&before);
    let refused = strip_by(&layer, &content, |files, content, elf| {
        let mut after = crate::strip::plan::plan(files, content, elf)?;
        let Source::Joined(parts) = &after.source else { panic!("{after:?}") };
        let mut parts = parts.to_vec();
        let Source::Layer(layer, offset) = parts[1].source else { panic!("{parts:?}") };
        // The program headers stay in their place; what follows them is one byte off.
        let rest = parts[1].size - 200;
        parts[1].size = 200;
        parts.insert(2, Content { size: rest, source: Source::Layer(layer, offset + 201) });
        after.source = Source::Joined(parts.into());
        Ok(after)
    });
    assert_eq!(refused.unwrap(), Err(Skip::Unproven(Difference::Segment)));
}

#[test]
fn another_byte_of_a_section_that_stays_is_seen() {
    for name in [".comment", ".gnu_debuglink"] {
        assert_eq!(
            spoilt(|file| flip_at(file, |file| offset(file, name))),
            Skip::Unproven(Difference::SectionBytes),
            "{name}"
        );
    }
}

#[test]
fn another_field_of_a_section_header_is_seen() {
    for field in [8, 16, 32, 56] {
        let wrong = spoilt(|file| flip_at(file, |file| row(file, ".comment") + field));
        assert_eq!(wrong, Skip::Unproven(Difference::SectionHeader), "field {field}");
    }
    for field in [24, 40, 44] {
        let wrong = spoilt(|file| flip_at(file, |file| row(file, ".text") + field));
        assert_eq!(wrong, Skip::Unproven(Difference::SectionHeader), "field {field} of what is mapped");
    }
}

#[test]
fn a_lost_or_renamed_section_is_seen() {
    let lost = spoilt(|file| {
        let count = u16::from_le_bytes(file[60..62].try_into().unwrap());
        let comment = row(file, ".comment");
        put(file, comment, &[0; 64]);
        assert!(count > 6);
    });
    assert_eq!(lost, Skip::Unproven(Difference::Sections));
    let renamed = spoilt(|file| {
        let name = file.windows(8).position(|window| window == b".comment").unwrap();
        flip(file, name + 2);
    });
    assert_eq!(renamed, Skip::Unproven(Difference::Sections));
}

#[test]
fn another_number_of_a_mapped_section_is_seen() {
    let wrong = spoilt_of(&Build::shaped(Shape::Mapped), |file| {
        let link = row(file, ".gnu_debuglink");
        file.drain(link - 2 * 64..link); // the empty headers in the place of what is gone
        for field in [60, 62] {
            file[field] -= 2;
        }
    });
    assert_eq!(wrong, Skip::Unproven(Difference::Sections));
}

#[test]
fn other_names_are_seen() {
    assert_eq!(spoilt(|file| put(file, 62, &[1, 0])), Skip::Unproven(Difference::Unreadable));
}

#[test]
fn nothing_done_is_seen() {
    let before = Build::usual().bytes();
    let (layer, content) = Layer::of(&before);
    assert_eq!(check(&layer, &content, &content).unwrap(), Err(Skip::Unproven(Difference::StillThere)));
}

#[test]
fn a_tail_that_is_not_tidy_is_seen() {
    assert_eq!(spoilt(|file| file.push(0)), Skip::Unproven(Difference::Layout));
    assert_eq!(spoilt(|file| file.truncate(file.len() - 1)), Skip::Unproven(Difference::Unreadable));
}

#[test]
fn a_file_that_is_none_is_not_compared() {
    let (layer, content) = Layer::of(&[b'x'; 200]);
    assert_eq!(check(&layer, &content, &content).unwrap(), Err(Skip::NotElf));
}
