//! Disks that are full, have no inodes left, cannot be written, or are others than those of the output.

use crate::inputs::{KINDS, Kind};
use crate::mount::{Mount, all};
use crate::place::{OLD, Place};
use crate::some;
use std::fs;

const PAGE: usize = 4096;

#[test]
fn a_full_disk_leaves_the_old_output_however_much_of_the_new_one_fits() {
    let mut tried = 0;
    for kind in KINDS {
        let place = Place::new(kind);
        let pages = place.good.len().div_ceil(PAGE);
        // The old output has a page, too.
        for fit in some(pages + 2, 4) {
            let Some(disk) = Mount::tmpfs(&format!("size={}", fit * PAGE)) else { return };
            let small = Place::of(fs::read(place.input()).unwrap(), &std::env::temp_dir()).out(disk.path());
            fs::write(small.output(), OLD).unwrap();
            let ran = small.command().output().unwrap();
            let what = format!("{kind:?}, {fit} of {pages} pages");
            match ran.status.success() {
                true => {
                    assert!(fit >= pages, "{what}");
                    small.assert_good(&ran, &what);
                }
                false => small.assert_failed(&ran, (1, "No space left"), &what),
            }
            tried += usize::from(!ran.status.success());
        }
    }
    eprintln!("{tried} disks were full");
}

#[test]
fn a_full_disk_for_temporary_files_leaves_the_old_output() {
    for kind in [Kind::Gzip, Kind::Packed] {
        for pages in some(60, 2) {
            let Some(disk) = Mount::tmpfs(&format!("size={}", pages * PAGE)) else { return };
            let place = Place::new(kind).temp(disk.path());
            let ran = place.command().output().unwrap();
            place.assert_failed(&ran, (1, "No space left"), &format!("{kind:?}, {pages} pages"));
        }
    }
}

#[test]
fn a_disk_without_inodes_or_that_is_read_only_is_told_and_left_alone() {
    let Some(disk) = Mount::tmpfs("nr_inodes=2") else { return };
    let place = Place::new(Kind::Gzip).out(disk.path());
    fs::write(place.output(), OLD).unwrap();
    for (word, options) in [("No space left", "rw"), ("Read-only file system", "ro")] {
        disk.remount(options);
        place.assert_failed(&place.command().output().unwrap(), (1, word), options);
    }
    for (options, word) in [("nr_inodes=1", "No space left"), ("ro", "Read-only file system")] {
        let Some(disk) = Mount::tmpfs(options) else { return };
        for kind in KINDS {
            let place = Place::new(kind).temp(disk.path());
            let ran = place.command().output().unwrap();
            match kind {
                // Nothing is written down of what lies in the archive as it is.
                Kind::Plain => place.assert_good(&ran, options),
                _ => place.assert_failed(&ran, (1, word), options),
            }
        }
    }
}

#[test]
fn input_output_and_temporary_files_may_be_on_three_file_systems() {
    let disks = all();
    for (at, (system, disk)) in disks.iter().enumerate() {
        let other = &disks[(at + 1) % disks.len()].1;
        let [out, temp] = [(disk, "out"), (other, "temp")].map(|(disk, name)| disk.path().join(name));
        [&out, &temp].into_iter().for_each(|directory| fs::create_dir(directory).unwrap());
        for kind in KINDS {
            let place = Place::new(kind).out(&out).temp(&temp);
            fs::write(place.output(), OLD).unwrap();
            let ran = place.command().output().unwrap();
            place.assert_good(&ran, &format!("{kind:?} to {system:?}"));
        }
        fs::remove_dir(temp).unwrap();
    }
}
