//! `--keep-base` through the public API: archives as `docker save` writes them in, and the written archive read back by
//! code of the tests' own.

use imgstrip::cancel::Cancel;
use imgstrip::error::{Error, ErrorKind};
use imgstrip::options::{Input, KeepBase, Options, Output};
use imgstrip::progress::Watch;
use imgstrip::report::Report;
use imgstrip::rules::Rules;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, Write};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A tar of files; a name that ends in `/` is a directory, a text that begins with `=>` a hard link.
fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, text) in entries {
        let mut header = ::tar::Header::new_ustar();
        let (kind, mode) = match (name.ends_with('/'), text.strip_prefix("=>")) {
            (true, _) => (::tar::EntryType::Directory, 0o711),
            (_, Some(target)) => {
                header.set_link_name(target).unwrap();
                (::tar::EntryType::Link, 0o644)
            }
            _ => (::tar::EntryType::Regular, 0o644),
        };
        let body = if kind == ::tar::EntryType::Regular { text.as_bytes() } else { b"" };
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(77);
        header.set_size(body.len() as u64);
        header.set_cksum();
        builder.append(&header, body).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What a layer is called in the archive, its tar and its blob.
type Layer = (Vec<u8>, Vec<u8>);

fn plain(entries: &[(&str, &str)]) -> Layer {
    let tar = tar(entries);
    (tar.clone(), tar)
}

fn zipped(entries: &[(&str, &str)]) -> Layer {
    let tar = tar(entries);
    let blob = gzip(&tar);
    (tar, blob)
}

/// An archive of images with these layers.
fn archive(images: &[(&str, &[Layer])]) -> Vec<u8> {
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut manifest = Vec::new();
    for (name, layers) in images {
        let diff_ids: Vec<String> = layers.iter().map(|(tar, _)| format!("sha256:{}", hex(tar))).collect();
        let mut history = vec![json!({"created_by": "ENV first", "empty_layer": true})];
        history.extend((0..layers.len()).map(|number| json!({"created_by": format!("step {number}")})));
        let config = json!({
            "architecture": "amd64", "os": "linux", "created": "1970-01-01T00:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history,
        })
        .to_string();
        let config_name = format!("{}.json", hex(config.as_bytes()));
        let names: Vec<String> = layers.iter().map(|(_, blob)| format!("{}/layer.tar", hex(blob))).collect();
        members.extend(names.iter().cloned().zip(layers.iter().map(|(_, blob)| blob.clone())));
        manifest.push(json!({"Config": config_name, "RepoTags": [name], "Layers": names}));
        members.insert(config_name, config.into_bytes());
    }
    members.insert("manifest.json".into(), Value::from(manifest).to_string().into_bytes());
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// An archive that was written, and the report.
struct Written {
    bytes: Vec<u8>,
    members: BTreeMap<String, Vec<u8>>,
    report: Report,
}

fn options(keep_base: Option<KeepBase>) -> Options {
    Options { rules: Rules::none(), keep_base, ..Options::default() }
}

fn first(layers: usize) -> Options {
    options(Some(KeepBase::Layers(layers)))
}

fn strip(archive: &[u8], options: &Options) -> Result<Written, Error> {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("in.tar"), directory.path().join("out.tar"));
    std::fs::write(&from, archive).unwrap();
    let cancel = Cancel::default();
    let verified = Options { verify: !options.dry_run, ..options.clone() };
    let report = imgstrip::strip(&Input::Path(from), &Output::File(to.clone()), &verified, &Watch::silent(&cancel))?;
    let bytes = if options.dry_run { Vec::new() } else { std::fs::read(to).unwrap() };
    let members = read(&bytes).into_iter().map(|(name, body, _)| (name, body)).collect();
    Ok(Written { bytes, members, report })
}

/// Name, body and header of each member.
fn read(tar: &[u8]) -> Vec<(String, Vec<u8>, ::tar::Header)> {
    let mut archive = ::tar::Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut body = Vec::new();
        entry.read_to_end(&mut body).unwrap();
        (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), body, entry.header().clone())
    });
    entries.collect()
}

impl Written {
    fn document(&self, name: &str) -> Value {
        serde_json::from_slice(&self.members[name]).unwrap()
    }

    /// The blobs of an image's layers and its config.
    fn image(&self, number: usize) -> (Vec<Vec<u8>>, Value) {
        let image = &self.document("manifest.json")[number];
        let name = |value: &Value| self.members[value.as_str().unwrap()].clone();
        let layers = image["Layers"].as_array().unwrap().iter().map(name).collect();
        (layers, serde_json::from_slice(&name(&image["Config"])).unwrap())
    }

    /// The names in the top layer of an image.
    fn top(&self, number: usize) -> Vec<String> {
        let (layers, _) = self.image(number);
        let top = layers.last().unwrap();
        let mut tar = Vec::new();
        match top.starts_with(&[0x1f, 0x8b]) {
            true => drop(flate2::read::GzDecoder::new(top.as_slice()).read_to_end(&mut tar).unwrap()),
            false => tar.clone_from(top),
        }
        read(&tar).into_iter().map(|(name, ..)| name).collect()
    }
}

fn layers() -> Vec<Layer> {
    vec![
        plain(&[("etc/", ""), ("etc/passwd", "root"), ("etc/old", "x"), ("usr/", ""), ("usr/big", "0123456789")]),
        zipped(&[("usr/bin/", ""), ("usr/bin/sh", "sh"), ("usr/bin/bash", "=>usr/bin/sh")]),
        plain(&[("etc/passwd", "root app"), ("etc/.wh.old", ""), ("opt/", ""), ("opt/app", "one")]),
        plain(&[("opt/app", "two"), ("usr/bin/dash", "=>usr/bin/sh"), ("usr/.wh.big", "")]),
    ]
}

#[test]
fn the_base_stays_byte_for_byte_and_one_layer_stands_on_it() {
    let layers = layers();
    for kept in 1..layers.len() {
        let written = strip(&archive(&[("app:1", &layers)]), &first(kept)).unwrap();
        let (blobs, config) = written.image(0);
        assert_eq!(blobs.len(), kept + 1);
        assert!(blobs.iter().zip(&layers).take(kept).all(|(blob, (_, before))| blob == before), "{kept}");
        let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
        let before: Vec<Value> = layers[..kept].iter().map(|(tar, _)| format!("sha256:{}", hex(tar)).into()).collect();
        assert_eq!((&diff_ids[..kept], diff_ids.len()), (before.as_slice(), kept + 1));
        let history = config["history"].as_array().unwrap();
        assert_eq!(history.iter().filter(|step| step.get("empty_layer") != Some(&json!(true))).count(), kept + 1);
        assert_eq!(
            (&history[kept]["created_by"], &history[kept]["empty_layer"]),
            (&json!(format!("step {}", kept - 1)), &Value::Null)
        );
        let report = &written.report.images[0];
        assert_eq!((report.layers_before, report.layers_after), (4, kept as u64 + 1));
        assert_eq!(report.after.compressed, Some(blobs.iter().map(|blob| blob.len() as u64).sum()));
        assert!(report.accounting.balances());
    }
}

#[test]
fn what_the_result_shows_is_what_the_input_shows() {
    let input = archive(&[("app:1", &layers())]);
    let whole = strip(&input, &options(None)).unwrap();
    let show = |written: &Written| {
        let squashed = strip(&written.bytes, &options(None)).unwrap();
        let (layers, _) = squashed.image(0);
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(layers[0].as_slice()).read_to_end(&mut tar).unwrap();
        let mut lines: Vec<String> = read(&tar)
            .into_iter()
            .map(|(name, body, header)| {
                let (link, mode) = (header.link_name().unwrap(), header.mode().unwrap());
                format!("{name} {mode:o} {:?} {} {link:?}", header.mtime().unwrap(), String::from_utf8(body).unwrap())
            })
            .collect();
        lines.sort();
        lines
    };
    let expected = show(&whole);
    assert_eq!(expected.len(), 9, "{expected:?}");
    for kept in 1..4 {
        assert_eq!(show(&strip(&input, &first(kept)).unwrap()), expected, "{kept}");
    }
}

#[test]
fn the_top_layer_holds_only_what_changed_and_marks_what_is_gone() {
    let written = strip(&archive(&[("app:1", &layers())]), &first(2)).unwrap();
    let expected = [
        "etc/",
        "usr/",
        "usr/bin/",
        "usr/bin/sh",
        "usr/bin/bash",
        "etc/passwd",
        "opt/",
        "opt/app",
        "usr/bin/dash",
        "etc/.wh.old",
        "usr/.wh.big",
    ];
    let (mut found, mut wanted) = (written.top(0), expected.map(str::to_owned).to_vec());
    assert_eq!(found[found.len() - 2..], wanted[wanted.len() - 2..]);
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_rule_takes_what_the_upper_layers_gave_and_nothing_of_the_base() {
    let stack = [
        plain(&[("doc/", ""), ("doc/base", "12345"), ("bin/", "")]),
        plain(&[("doc/new/", ""), ("doc/new/x", "123"), ("doc/own", "1234567"), ("bin/keep", "1")]),
    ];
    let rules = Rules::builder().presets(imgstrip::rules::preset::Selection::none()).drop("/doc").unwrap();
    let options = Options { rules: rules.build().unwrap(), ..first(1) };
    let written = strip(&archive(&[("app:1", &stack)]), &options).unwrap();
    assert_eq!(written.top(0), ["bin/", "bin/keep"]);
    let accounting = written.report.images[0].accounting;
    assert_eq!((accounting.dropped.entries, accounting.dropped.bytes), (3, 10));
    assert!(accounting.balances());
}

#[test]
fn a_link_of_an_upper_layer_stays_where_its_end_is_the_bases() {
    let mut header = ::tar::Header::new_ustar();
    header.set_entry_type(::tar::EntryType::Symlink);
    header.set_size(0);
    let mut builder = ::tar::Builder::new(Vec::new());
    builder.append_link(&mut header, "link", "doc/base").unwrap();
    let link = builder.into_inner().unwrap();
    let stack = [plain(&[("doc/", ""), ("doc/base", "12345")]), (link.clone(), link)];
    let rules = Rules::builder().presets(imgstrip::rules::preset::Selection::none()).drop("/doc").unwrap();
    let input = archive(&[("app:1", &stack)]);
    let rules = rules.build().unwrap();
    assert_eq!(strip(&input, &Options { rules: rules.clone(), ..first(1) }).unwrap().top(0), ["link"]);
    assert!(strip(&input, &Options { rules, ..options(None) }).unwrap().top(0).is_empty());
}

#[test]
fn a_base_is_named_where_the_archive_has_it() {
    let layers = layers();
    let other = [plain(&[("z", "")])];
    let input = archive(&[("base:1", &layers[..2]), ("app:1", &layers), ("other:1", &other)]);
    let keep = |name: &str| Options { image: Some("app:1".into()), ..options(Some(KeepBase::Image(name.into()))) };
    let written = strip(&input, &keep("base:1")).unwrap();
    assert_eq!(written.image(0).0.len(), 3);
    assert_eq!(written.bytes, strip(&input, &Options { image: Some("app:1".into()), ..first(2) }).unwrap().bytes);
    for (name, text) in [
        ("other:1", "is no base of the image"),
        ("nowhere:1", "no image of the archive is called"),
        ("app:1", "nothing to squash"),
    ] {
        let error = strip(&input, &keep(name)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn images_that_share_a_base_share_its_blobs() {
    let layers = layers();
    let twin = [layers[0].clone(), layers[1].clone(), plain(&[("twin", "2")])];
    let written = strip(&archive(&[("app:1", &layers), ("twin:1", &twin)]), &first(2)).unwrap();
    let (app, twin) = (written.image(0).0, written.image(1).0);
    assert_eq!((app.len(), twin.len(), &app[..2]), (3, 3, &twin[..2]));
}

#[test]
fn a_layer_that_stands_twice_in_the_base_is_one_blob() {
    let empty = plain(&[]);
    let stack = [empty.clone(), plain(&[("a", "1")]), empty, plain(&[("a", "2")]), plain(&[("b", "3")])];
    let written = strip(&archive(&[("app:1", &stack)]), &first(3)).unwrap();
    let (blobs, _) = written.image(0);
    assert_eq!((blobs.len(), &blobs[0]), (4, &blobs[2]));
    assert_eq!(written.top(0), ["a", "b"]);
}

#[test]
fn a_base_of_all_layers_leaves_nothing_to_squash_and_one_of_none_is_a_squash() {
    let input = archive(&[("app:1", &layers())]);
    for kept in [4, 5, usize::MAX] {
        let error = strip(&input, &first(kept)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("nothing to squash"), "{error}");
    }
    assert_eq!(strip(&input, &first(0)).unwrap().bytes, strip(&input, &options(None)).unwrap().bytes);
}

#[test]
fn a_dry_run_knows_the_size_of_the_tars() {
    let input = archive(&[("app:1", &layers())]);
    let (dry, real) =
        (strip(&input, &Options { dry_run: true, ..first(2) }).unwrap(), strip(&input, &first(2)).unwrap());
    let (dry, real) = (&dry.report.images[0], &real.report.images[0]);
    assert_eq!(dry.after.uncompressed, real.after.uncompressed);
    let base: u64 = layers()[..2].iter().map(|(tar, _)| tar.len() as u64).sum();
    assert_eq!(real.after.uncompressed, base + real.layer.as_ref().unwrap().tar_size);
    assert_eq!((dry.after.compressed, dry.layers_after), (None, 3));
}

#[test]
fn a_damaged_base_is_refused() {
    let mut stack = layers();
    stack[0].1[512] ^= 1;
    assert_eq!(strip(&archive(&[("app:1", &stack)]), &first(1)).err().unwrap().kind(), ErrorKind::Integrity);
}

/// A program of one segment with 2 KiB of debug information behind it, no byte of which is above 127.
fn program() -> String {
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let halves = |halves: &[u32]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
    let section = |name: u32, kind: u32, at: u64, size: u64| {
        [halves(&[name, kind]), words(&[0, 0, at, size]), halves(&[0, 0]), words(&[1, 0])].concat()
    };
    let names = b"\0.debug_info\0.shstrtab\0";
    let (debug, strings, table) = (120, 0x878, 0x900);
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    file.extend(words(&[0, 64, table]));
    file.extend(b"\0\0\0\0\x40\0\x38\0\x01\0\x40\0\x03\0\x02\0");
    file.extend([halves(&[1, 5]), words(&[0, 0, 0, 120, 120, 4096])].concat());
    file.extend([7; 0x800]);
    file.extend(names);
    file.resize(0x900, 0);
    file.extend([section(0, 0, 0, 0), section(1, 1, debug, 0x800), section(13, 3, strings, 23)].concat());
    String::from_utf8(file).unwrap()
}

#[test]
fn debug_sections_of_the_base_are_not_said_to_go() {
    let text = program();
    let stack = [plain(&[("bin/", ""), ("bin/base", &text)]), plain(&[("bin/own", &text)])];
    let options = Options { strip_debug: true, rules: Rules::none(), ..first(1) };
    let written = strip(&archive(&[("app:1", &stack)]), &options).unwrap();
    let image = &written.report.images[0];
    assert_eq!(written.top(0), ["bin/", "bin/own"]);
    assert_eq!(image.stripped.as_ref().unwrap().files, 1, "{:?}", image.stripped);
    assert!(image.accounting.balances());
}
