//! Writers that are broken on purpose, each in one way and with digests that fit: what `--verify` says of each, and what is left.

mod broken;
mod input;

use crate::cancel::Cancel;
use crate::error::Error;
use crate::layer::Encoding;
use crate::options::{Compression, Format, Input, KeepBase, Options, Output};
use crate::pipeline::strip_with;
use crate::pipeline::write::Writers;
use crate::progress::Watch;
use crate::report::Report;
use crate::rules::{Rules, preset::Selection};
use broken::Written;
use std::fs;
use std::io::Read;
use std::path::Path;

fn options() -> Options {
    Options { rules: Rules::none(), verify: true, ..Options::default() }
}

/// Runs over an archive, with these writers; a run that fails must leave nothing.
fn strip(archive: &[u8], options: &Options, writers: Writers<'_>) -> Result<Report, Error> {
    let directory = tempfile::tempdir().unwrap();
    let output = Output::File(directory.path().join("out.tar"));
    let result = strip_in(directory.path(), archive, &output, options, writers);
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, if result.is_ok() { 2 } else { 1 }, "the input, and the output of a good run");
    result
}

fn strip_in(
    directory: &Path,
    archive: &[u8],
    output: &Output,
    options: &Options,
    writers: Writers<'_>,
) -> Result<Report, Error> {
    let input = directory.join("in.tar");
    fs::write(&input, archive).unwrap();
    let options = Options { temp_dir: Some(directory.into()), ..options.clone() };
    strip_with(&Input::Path(input), (output, writers), &options, &Watch::silent(&Cancel::new()))
}

/// What is said of a layer that this change was made to: the line without the archive, the image and the hint.
fn said(options: &Options, change: impl Fn(&mut Written) + Sync) -> String {
    message(strip(&input::archive(), options, broken::layer(&change).writers()))
}

fn message(result: Result<Report, Error>) -> String {
    let error = result.expect_err("it is caught");
    assert_eq!(error.kind().exit_code(), 4, "{error}");
    let text = error.to_string();
    let (start, rest) = text.split_once(": ").unwrap();
    assert!(start.ends_with("/out.tar"), "{text}");
    let rest = rest.strip_suffix(&format!("; {}", super::HINT)).unwrap_or_else(|| panic!("{text}"));
    rest.strip_prefix("app:1.0: ").unwrap_or(rest).to_owned()
}

#[test]
fn a_sound_writer_is_found_to_be_sound_and_what_was_compared_is_counted() {
    let report = strip(&input::archive(), &options(), Writers::OWN).unwrap();
    let verified = report.verified.unwrap();
    assert_eq!((verified.images, verified.layers, verified.entries), (1, 1, 12));
    assert_eq!((verified.files, verified.bytes), (4, 5 + 6 + 4 + 2_000_000));
    let unasked = Options { verify: false, ..options() };
    assert_eq!(strip(&input::archive(), &unasked, Writers::OWN).unwrap().verified, None);
}

#[test]
fn a_writer_that_changes_nothing_passes_so_that_the_others_fail_for_what_they_do() {
    for compression in [Compression::None, Compression::Gzip(None), Compression::Zstd { level: None, long: false }] {
        let options = Options { compression, ..options() };
        strip(&input::archive(), &options, broken::layer(&|_| ()).writers()).unwrap();
    }
}

#[test]
fn what_is_written_wrong_is_named_with_what_differs() {
    type Change = fn(&mut Written);
    let cases: &[(&str, Change)] = &[
        ("entry \"etc/passwd\": the written image lacks it", |tar| tar.cut("etc/passwd")),
        ("entry \"etc/added\": the written image has it, and should not", |tar| tar.copy("etc/passwd", "etc/added")),
        ("entry \"etc/passwd\": mode 0600 in the written image, not 0640", |tar| {
            tar.number("etc/passwd", 100, 8, 0o600)
        }),
        ("entry \"etc\": mode 0700 in the written image, not 0755", |tar| tar.number("etc/", 100, 8, 0o700)),
        ("entry \"etc/passwd\": owner 8:7 in the written image, not 7:7", |tar| tar.number("etc/passwd", 108, 8, 8)),
        ("entry \"etc/passwd\": owner 7:8 in the written image, not 7:7", |tar| tar.number("etc/passwd", 116, 8, 8)),
        ("entry \"etc/passwd\": mtime 9 in the written image, not 1234", |tar| tar.number("etc/passwd", 136, 12, 9)),
        ("entry \"etc/passwd\": owner's name eve: in the written image, not root:", |tar| {
            tar.text("etc/passwd", 265, b"eve\0")
        }),
        ("entry \"etc/link\": link target /etc/shadow in the written image, not passwd", |tar| {
            tar.text("etc/link", 157, b"/etc/shadow")
        }),
        ("entry \"etc/link\": type fifo in the written image, not symlink", |tar| tar.text("etc/link", 156, b"6")),
        ("entry \"dev/null\": device 1:5 in the written image, not 1:3", |tar| tar.number("dev/null", 337, 8, 5)),
        ("entry \"dev/null\": type block device in the written image, not character device", |tar| {
            tar.text("dev/null", 156, b"4")
        }),
        (
            "entry \"bin/ping\": xattrs security.capability=\\x01X in the written image, not security.capability=\\x01B",
            |tar| tar.attribute("bin/ping", b"\x01B", b"\x01X"),
        ),
        ("entry \"bin/ping\": xattrs none in the written image, not security.capability=\\x01B", |tar| {
            tar.bare("bin/ping")
        }),
        ("entry \"bin/ping\": the bytes of the file in the written image are not those of the input", |tar| {
            tar.flip("bin/ping", 3)
        }),
        ("entry \"big\": the bytes of the file in the written image are not those of the input", |tar| {
            tar.flip("big", 1_999_999)
        }),
        ("entry \"big\": size 2000001 in the written image, not 2000000", |tar| tar.longer("big")),
        ("entry \"usr/one\": hard links 1 name in the written image, not 2 names from /usr/one on", |tar| {
            tar.part("usr/two", b"same")
        }),
        ("entry \"etc/passwd\": hard links 2 names from /etc/passwd on in the written image, not 1 name", |tar| {
            tar.join("etc/shadow", "etc/passwd")
        }),
        ("the written layer has 1 path that stands twice in one layer: the last one holds (/etc/passwd)", |tar| {
            tar.copy("etc/passwd", "etc/passwd")
        }),
        ("the written layer has 1 whiteout that is not an empty file (/etc/.wh.x)", |tar| {
            tar.copy("etc/passwd", "etc/.wh.x")
        }),
    ];
    for (expected, change) in cases {
        assert_eq!(said(&options(), change), *expected);
    }
}

#[test]
fn what_cannot_be_read_back_is_said_to_be_so() {
    let unreadable = "the written archive cannot be read back: ";
    let late = said(&options(), |tar| tar.last("usr/one"));
    assert!(late.starts_with(unreadable) && late.contains("entry \"usr/two\": "), "{late}");
    let short = said(&options(), |tar| tar.bytes.truncate(5000));
    assert!(short.starts_with(unreadable) && short.contains("truncated"), "{short}");
    let digest = said(&options(), |tar| tar.lie = true);
    assert!(digest.contains("the uncompressed layer has the digest sha256:"), "{digest}");
}

#[test]
fn every_compression_and_every_output_is_read_back() {
    let compressions = [
        Compression::None,
        Compression::Gzip(None),
        Compression::Gzip(Some(9)),
        Compression::Zstd { level: Some(1), long: false },
        Compression::Zstd { level: None, long: true },
    ];
    let flip = broken::layer(&|tar: &mut Written| tar.flip("big", 1_000_000));
    for (compression, format) in
        compressions.into_iter().zip([Format::Auto, Format::Docker, Format::Oci].into_iter().cycle())
    {
        let options = Options { compression, format, ..options() };
        let sound = strip(&input::archive(), &options, Writers::OWN).unwrap();
        assert_eq!(sound.verified.unwrap().files, 4);
        let said = message(strip(&input::archive(), &options, flip.writers()));
        assert!(said.starts_with("entry \"big\": the bytes"), "{said}");
    }
}

#[test]
fn a_directory_is_read_back_and_the_old_one_stays_where_it_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let layout = directory.path().join("out.tar");
    let output = Output::Directory(layout.clone());
    let run = |writers| strip_in(directory.path(), &input::archive(), &output, &options(), writers);
    assert_eq!(run(Writers::OWN).unwrap().verified.unwrap().entries, 12);
    let index = fs::read(layout.join("index.json")).unwrap();
    assert!(message(run(broken::layer(&|tar| tar.cut("bin/ping")).writers())).contains("lacks it"));
    assert_eq!(fs::read(layout.join("index.json")).unwrap(), index);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn not_a_byte_of_a_wrong_image_goes_into_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("out.tar");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let output = Output::File(pipe.clone());
    for is_sound in [true, false] {
        let change = broken::layer(&|tar: &mut Written| tar.number("etc/passwd", 100, 8, 0o777));
        let writers = if is_sound { Writers::OWN } else { change.writers() };
        let (sent, result) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut sent = Vec::new();
                fs::File::open(&pipe).unwrap().read_to_end(&mut sent).unwrap();
                sent
            });
            let result = strip_in(directory.path(), &input::archive(), &output, &options(), writers);
            (reader.join().unwrap(), result)
        });
        assert_eq!((sent.is_empty(), result.is_ok()), (!is_sound, is_sound));
    }
}

#[test]
fn the_layer_above_a_kept_base_is_read_together_with_it() {
    let options = Options { keep_base: Some(KeepBase::Layers(1)), mtime: Some(1000), ..options() };
    let verified = strip(&input::archive(), &options, Writers::OWN).unwrap().verified.unwrap();
    assert_eq!((verified.layers, verified.entries), (2, 12));
    let undeleted = "entry \"etc/gone\": the written image has it, and should not";
    assert_eq!(said(&options, |tar| tar.cut("etc/.wh.gone")), undeleted);
    let hidden = said(&options, |tar| tar.copy("etc/.wh.gone", "etc/.wh.link"));
    assert_eq!(hidden, "entry \"etc/link\": the written image lacks it");
    let later = said(&options, |tar| tar.number("big", 136, 12, 2000));
    assert_eq!(later, "entry \"big\": mtime 2000 in the written image, not 1000");
}

#[test]
fn each_image_of_an_archive_is_read_back_and_the_wrong_one_is_named() {
    let archive = input::two_images();
    let verified = strip(&archive, &options(), Writers::OWN).unwrap().verified.unwrap();
    assert_eq!((verified.images, verified.layers), (2, 2));
    let change = broken::layer(&|tar: &mut Written| {
        if tar.has("second") {
            tar.number("second", 100, 8, 0o600);
        }
    });
    let said = message(strip(&archive, &options(), change.writers()));
    assert_eq!(said, "other:1.0: entry \"second\": mode 0600 in the written image, not 0644");
}

#[test]
fn times_are_those_that_were_asked_for() {
    let options = Options { mtime: Some(1000), ..options() };
    strip(&input::archive(), &options, Writers::OWN).unwrap();
    let said = said(&options, |tar| tar.number("etc/passwd", 136, 12, 1234));
    assert_eq!(said, "entry \"etc/passwd\": mtime 1234 in the written image, not 1000");
}

#[test]
fn what_a_rule_dropped_must_be_gone_and_nothing_else() {
    let rules = Rules::builder().presets(Selection::none()).drop("/bin/ping").unwrap().build().unwrap();
    let options = Options { rules, ..options() };
    assert_eq!(strip(&input::archive(), &options, Writers::OWN).unwrap().verified.unwrap().entries, 11);
    let kept = said(&options, |tar| tar.copy("usr/one", "bin/ping"));
    assert_eq!(kept, "entry \"bin/ping\": the written image has it, and should not");
    assert_eq!(said(&options, |tar| tar.cut("etc/passwd")), "entry \"etc/passwd\": the written image lacks it");
}

#[test]
fn what_a_decision_wrote_itself_is_expected_as_it_decided() {
    let text = "summary = \"s\"\n[[rule]]\nname = \"n\"\nreason = \"r\"\ntruncate = [\"/etc/passwd\", \"/usr/one\"]\n";
    let rules = Rules::builder().presets(Selection::none()).file("own", text).unwrap().build().unwrap();
    let options = Options { rules, ..options() };
    let report = strip(&input::archive(), &options, Writers::OWN).unwrap();
    assert_eq!((report.images[0].accounting.dropped.bytes, report.verified.unwrap().bytes), (9, 2_000_006));
    let longer = said(&options, |tar| tar.part("etc/passwd", b"line\n"));
    assert_eq!(longer, "entry \"etc/passwd\": size 5 in the written image, not 0");
}

#[test]
fn a_config_must_be_the_inputs_but_for_what_tells_of_layers() {
    type Change = fn(&mut serde_json::Value);
    let cases: &[(&str, Change)] = &[
        ("config /config/Env/0: A=2 in the written image, not A=1", |config| config["config"]["Env"][0] = "A=2".into()),
        ("config /config/User: nothing in the written image, not 7", |config| {
            drop(config["config"].as_object_mut().unwrap().shift_remove("User"))
        }),
        ("config /created: 2020-01-01T00:00:00Z in the written image, not 1970-01-01T00:00:00Z", |config| {
            config["created"] = "2020-01-01T00:00:00Z".into()
        }),
        ("config /container: it is in the written image, not there, since it tells of the old layers", |config| {
            config["container"] = "x".into()
        }),
        ("config /history: 0 steps with a layer for 1 layers in the written image, not as asked for", |config| {
            drop(config["history"].as_array_mut().unwrap().pop())
        }),
        ("config /history: other old steps in the written image, not as asked for", |config| {
            config["history"][0]["created_by"] = "y".into()
        }),
    ];
    for (expected, change) in cases {
        let writer = broken::config(change);
        assert_eq!(message(strip(&input::archive(), &options(), writer.writers())), *expected);
    }
    let named = broken::documents(&|written| written.references.clear());
    assert_eq!(
        message(strip(&input::archive(), &options(), named.writers())),
        "the written archive lacks the name docker.io/library/app:1.0"
    );
    let dated = Options { created: Some(86_400), ..options() };
    strip(&input::archive(), &dated, Writers::OWN).unwrap();
}

#[test]
fn deflate_blocks_that_were_copied_are_inflated_again_and_compared() {
    let options = options();
    let archive = input::zipped();
    let report = strip(&archive, &options, Writers::OWN).unwrap();
    assert!(report.images[0].layer.as_ref().unwrap().reused.iter().any(|layer| layer.copied > 1_000_000));
    assert_eq!(report.verified.unwrap().files, 4);
}

#[test]
fn an_encoding_that_was_not_asked_for_is_told() {
    let plain = broken::encoded(Encoding::Plain);
    let options = Options { compression: Compression::Gzip(Some(6)), ..options() };
    let said = message(strip(&input::archive(), &options, plain.writers()));
    assert_eq!(said, "the written layer is tar, not gzip");
}
