//! The archive as it stands on a disk: what a failure leaves, what a target may be, what comes back.

use super::*;
use crate::archive::{digest, reopen};
use crate::error::ErrorKind;
use crate::image::rewrite::tests::{change, image};
use crate::image::rewrite::{NewLayer, rewrite};
use crate::layer::codec::Codec;
use crate::options::Limits;
use serde_json::json;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

const LAYER: &[u8] = &[7; 3000];

fn layer(bytes: &[u8]) -> NewLayer {
    let digest = digest::of(bytes).unwrap();
    NewLayer { digest: digest.clone(), size: bytes.len() as u64, diff_id: digest, kind: Codec::Plain }
}

fn documents(bytes: &[u8]) -> Vec<Rewritten> {
    let image = image(json!({"os": "linux", "architecture": "amd64"}));
    vec![rewrite(&image, &change(vec![layer(bytes)]), &mut Warnings::default()).unwrap()]
}

fn create<'a>(output: &Output, cancel: &'a Cancel) -> Result<ArchiveWriter<'a>, Error> {
    ArchiveWriter::create(output, Format::Auto, None, &std::env::temp_dir(), cancel)
}

fn add(writer: &mut ArchiveWriter<'_>, bytes: &[u8]) {
    let mut sink = writer.layer().unwrap();
    sink.write_all(bytes).unwrap();
    assert_eq!(sink.finish(&digest::of(bytes).unwrap()).unwrap(), bytes.len() as u64);
}

fn run(output: &Output) -> Result<u64, Error> {
    let cancel = Cancel::new();
    let mut writer = create(output, &cancel)?;
    add(&mut writer, LAYER);
    let sealed = writer.finish(&documents(LAYER), &mut Warnings::default())?;
    let bytes = sealed.bytes();
    sealed.commit()?;
    Ok(bytes)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn members(archive: &Path) -> Vec<String> {
    let mut archive = ::tar::Archive::new(File::open(archive).unwrap());
    let entries = archive.entries().unwrap();
    entries.map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap()).collect()
}

#[test]
fn a_file_appears_complete_with_its_mode_and_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.tar");
    fs::write(&path, b"old").unwrap();
    let bytes = run(&Output::File(path.clone())).unwrap();
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.len(), names(dir.path())), (bytes, vec!["out.tar".to_owned()]));
    // 0644 less the umask: nobody else may write, and its owner may.
    assert_eq!((found.permissions().mode() & 0o133, found.permissions().mode() & 0o600), (0, 0o600));
    let names = members(&path);
    assert_eq!(names[..3], ["oci-layout", "blobs/", "blobs/sha256/"]);
    assert_eq!(names[3], format!("blobs/sha256/{}", digest::of(LAYER).unwrap().digest()));
    assert_eq!((names.len(), names[6].as_str(), names[7].as_str()), (8, "index.json", "manifest.json"));
}

#[test]
fn a_run_that_ends_early_leaves_the_old_output_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.tar");
    fs::write(&path, b"old").unwrap();
    let cancel = Cancel::new();
    let mut writer = create(&Output::File(path.clone()), &cancel).unwrap();
    assert_eq!(names(dir.path()).len(), 2);
    let temp = names(dir.path()).remove(0);
    assert!(temp.starts_with(&format!(".out.tar.imgstrip-{}-", std::process::id())), "{temp}");
    writer.layer().unwrap().write_all(LAYER).unwrap();
    drop(writer);
    let mut writer = create(&Output::File(path.clone()), &cancel).unwrap();
    add(&mut writer, LAYER);
    let sealed = writer.finish(&documents(LAYER), &mut Warnings::default()).unwrap();
    cancel.signal(2);
    assert_eq!(sealed.commit().unwrap_err().kind(), ErrorKind::Signal(2));
    assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"old".to_vec(), vec!["out.tar".to_owned()]));
}

#[test]
fn a_signal_stops_a_layer_in_its_middle() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let mut writer = create(&Output::File(dir.path().join("out")), &cancel).unwrap();
    let mut sink = writer.layer().unwrap();
    cancel.signal(15);
    let error = Error::io("write the layer", sink.write_all(b"x").unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Signal(15));
}

#[test]
fn a_layer_that_is_there_already_or_was_never_finished_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    for output in [Output::File(dir.path().join("out.tar")), Output::Directory(dir.path().join("out"))] {
        let cancel = Cancel::new();
        let mut writer = create(&output, &cancel).unwrap();
        add(&mut writer, LAYER);
        writer.layer().unwrap().write_all(&[9; 10_000]).unwrap();
        add(&mut writer, LAYER);
        let sealed = writer.finish(&documents(LAYER), &mut Warnings::default()).unwrap();
        let bytes = sealed.bytes();
        sealed.commit().unwrap();
        let twice = Output::File(dir.path().join("once.tar"));
        if let Output::File(path) = &output {
            assert_eq!(run(&twice).unwrap(), bytes);
            assert_eq!(fs::read(path).unwrap(), fs::read(dir.path().join("once.tar")).unwrap());
        } else {
            assert_eq!(names(&dir.path().join("out")), ["blobs", "index.json", "oci-layout"]);
            assert_eq!(names(&dir.path().join("out/blobs/sha256")).len(), 3);
        }
    }
}

#[test]
fn the_input_is_never_the_output_whatever_it_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in.tar");
    fs::write(&input, b"in").unwrap();
    fs::hard_link(&input, dir.path().join("hard")).unwrap();
    symlink("in.tar", dir.path().join("soft")).unwrap();
    let found = fs::metadata(&input).unwrap();
    for name in ["in.tar", "hard", "soft", "./in.tar"] {
        let output = Output::File(dir.path().join(name));
        let identity = Some((found.dev(), found.ino()));
        let cancel = Cancel::new();
        let error = ArchiveWriter::create(&output, Format::Auto, identity, dir.path(), &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{name}");
    }
    assert_eq!(names(dir.path()).len(), 3);
}

#[test]
fn a_symlink_stays_and_what_it_leads_to_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real");
    fs::create_dir(&real).unwrap();
    for (link, target) in [("there", "real/there.tar"), ("dangling", "real/new.tar"), ("second", "there")] {
        symlink(target, dir.path().join(link)).unwrap();
    }
    fs::write(real.join("there.tar"), b"old").unwrap();
    for link in ["there", "dangling", "second"] {
        run(&Output::File(dir.path().join(link))).unwrap();
        assert!(dir.path().join(link).is_symlink(), "{link}");
    }
    assert_eq!(names(&real), ["new.tar", "there.tar"]);
    symlink("loop", dir.path().join("loop")).unwrap();
    assert_eq!(run(&Output::File(dir.path().join("loop"))).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn what_cannot_be_an_output_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"x").unwrap();
    fs::create_dir(dir.path().join("full")).unwrap();
    fs::write(dir.path().join("full/oci-layout"), b"x").unwrap();
    fs::write(dir.path().join("full/thesis.txt"), b"x").unwrap();
    fs::create_dir_all(dir.path().join("other/blobs")).unwrap();
    for (output, kind, hint) in [
        (Output::File(dir.path().to_owned()), ErrorKind::Usage, "end the path with /"),
        (Output::File(dir.path().join("none/out.tar")), ErrorKind::Io, "make it first"),
        (Output::File(PathBuf::from("/")), ErrorKind::Usage, "end the path with /"),
        (Output::Directory(file), ErrorKind::Usage, "leave out the /"),
        (Output::Directory(dir.path().join("full")), ErrorKind::Usage, "thesis.txt"),
        (Output::Directory(dir.path().join("other")), ErrorKind::Usage, "no OCI layout"),
    ] {
        let error = run(&output).unwrap_err();
        assert!(error.kind() == kind && error.to_string().contains(hint), "{output:?}: {error}");
    }
    let directory = Output::Directory(dir.path().join("new"));
    let cancel = Cancel::new();
    let refused = ArchiveWriter::create(&directory, Format::Docker, None, dir.path(), &cancel);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(names(dir.path()), ["file", "full", "other"]);
}

#[test]
fn a_layout_directory_appears_and_replaces_an_empty_one_or_another_layout() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let output = Output::Directory(PathBuf::from(format!("{}/", path.display())));
    run(&output).unwrap();
    fs::remove_dir_all(&path).unwrap();
    fs::create_dir(&path).unwrap();
    run(&output).unwrap();
    fs::write(path.join("blobs/sha256/old"), b"x").unwrap();
    let bytes = run(&output).unwrap();
    assert_eq!((names(dir.path()), names(&path.join("blobs/sha256")).len()), (vec!["out".to_owned()], 3));
    let found = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!((found & 0o022, found & 0o700), (0, 0o700));
    let tar = run(&Output::File(dir.path().join("out.tar"))).unwrap();
    assert!(bytes < tar);
}

#[test]
fn a_pipe_gets_the_whole_archive_and_stays_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let (fifo, file) = (dir.path().join("fifo"), dir.path().join("file"));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read(fifo).unwrap()
    });
    run(&Output::File(fifo.clone())).unwrap();
    run(&Output::File(file.clone())).unwrap();
    assert!(reader.join().unwrap() == fs::read(file).unwrap());
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
    assert_eq!(names(dir.path()), ["fifo", "file"]);
}

#[test]
fn a_full_device_or_a_closed_pipe_is_no_success() {
    assert_eq!(run(&Output::File("/dev/full".into())).unwrap_err().kind(), ErrorKind::Io);
    assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    struct Short(usize);
    impl Write for Short {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len().min(1000))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let spool = tempfile::tempfile().unwrap();
    spool.set_len(5000).unwrap();
    assert!(copy(&spool, 5000, &mut Short(5), &Cancel::new()).is_ok());
    assert_eq!(copy(&spool, 5000, &mut Short(4), &Cancel::new()).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(copy(&spool, 5001, &mut Short(9), &Cancel::new()).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn a_disk_that_fills_up_leaves_the_old_output() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.tar");
    fs::write(&path, b"old").unwrap();
    let cancel = Cancel::new();
    let mut writer = create(&Output::File(path.clone()), &cancel).unwrap();
    let full = File::options().read(true).write(true).open("/dev/full").unwrap();
    writer.medium = Medium::Tar(Tar::new(full));
    let Err(error) = writer.layer().map(drop) else { panic!("a device cannot be cut") };
    assert_eq!(error.kind(), ErrorKind::Io);
    drop(writer);
    assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"old".to_vec(), vec!["out.tar".to_owned()]));
}

#[test]
fn a_long_name_still_has_room_for_a_temporary_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n".repeat(255));
    run(&Output::File(path.clone())).unwrap();
    assert!(path.exists());
}

#[test]
fn a_file_that_no_image_names_is_found_before_it_is_let_out() {
    // What a squash removed could leave in a blob that was forgotten.
    let dir = tempfile::tempdir().unwrap();
    for is_directory in [false, true] {
        let path = dir.path().join("out");
        let output = if is_directory { Output::Directory(path) } else { Output::File(path) };
        let cancel = Cancel::new();
        let mut writer = create(&output, &cancel).unwrap();
        add(&mut writer, LAYER);
        let mut sealed = writer.finish(&documents(LAYER), &mut Warnings::default()).unwrap();
        assert_eq!(reopen(&sealed, &Limits::default()).unwrap().len(), 1);
        let stray = format!("blobs/sha256/{}", "0".repeat(64));
        match (&sealed.file, sealed.directory()) {
            (Some(file), _) => {
                let mut more = ::tar::Builder::new(Vec::new());
                let mut header = ::tar::Header::new_ustar();
                header.set_size(6);
                more.append_data(&mut header, &stray, &b"secret"[..]).unwrap();
                let more = more.into_inner().unwrap();
                file.write_all_at(&more, sealed.bytes - 1024).unwrap();
                let error = reopen(&sealed, &Limits::default()).unwrap_err();
                assert!(error.to_string().contains("bytes, and"), "{error}");
                sealed.bytes += more.len() as u64 - 1024;
            }
            (None, Some(directory)) => fs::write(directory.join(&stray), b"secret").unwrap(),
            (None, None) => panic!("it is somewhere"),
        }
        let error = reopen(&sealed, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert_eq!(error.to_string(), format!("entry \"{stray}\": the archive holds this file, and no image names it"));
    }
}
