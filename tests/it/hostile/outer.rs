//! H1 to H10: the outer file, and JSON that no reader should have to see.

use super::{MEMORY, case, cut, gzip, large, many, zstd};
use crate::image::{config, docker, member, squash, strip};
use crate::lines::layer;
use crate::outer::{CONFIG, LAYER, MANIFEST, Oci, descriptor, named};
use crate::tar::{Raw, archive};
use imgstrip::error::ErrorKind;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

/// A docker archive whose manifest.json is these bytes.
fn with_manifest(document: &[u8]) -> Vec<u8> {
    let config = config(&[layer("a")]).to_string();
    archive(&[member("c.json", config.as_bytes()), member("l.tar", &layer("a")), member("manifest.json", document)])
}

/// A good `manifest.json` for [`with_manifest`].
const MANIFEST_JSON: &str = r#"[{"Config":"c.json","RepoTags":["app:1.0"],"Layers":["l.tar"]}]"#;

/// A docker archive whose config is these bytes.
fn with_config(document: &[u8]) -> Vec<u8> {
    archive(&[
        member("c.json", document),
        member("l.tar", &layer("a")),
        member("manifest.json", MANIFEST_JSON.as_bytes()),
    ])
}

/// An OCI archive whose index.json is these bytes, beside the blobs of an image.
fn with_index(document: &[u8]) -> Vec<u8> {
    let mut oci = Oci::default();
    oci.image(&[layer("a")]);
    oci.members.push(member("index.json", document));
    archive(&oci.members)
}

/// An OCI archive whose manifest is this text.
fn with_oci_manifest(text: &str) -> Vec<u8> {
    let mut oci = Oci::default();
    oci.image(&[layer("a")]);
    let manifest = named(oci.blob(MANIFEST, text.as_bytes()));
    oci.archive(&[manifest])
}

/// An OCI archive whose config is this text.
fn with_oci_config(text: &str) -> Vec<u8> {
    let mut oci = Oci::default();
    let (layer, config) = (oci.blob(LAYER, &layer("a")), oci.blob(CONFIG, text.as_bytes()));
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    let manifest = named(oci.document(MANIFEST, &manifest));
    oci.archive(&[manifest])
}

#[test]
fn h01_an_empty_file() {
    case(1, "an empty file", b"").refuses(3, &["the input is empty", "save the image again"]);
    case(1, "an empty tar", &[0; 1024]).refuses(3, &["empty tar"]);
    case(1, "a gzip file of nothing", &gzip(b"")).refuses(3, &["the input is empty"]);
}

#[test]
fn h02_a_file_that_is_no_tar() {
    let text = "all work and no play ".repeat(99);
    for (what, bytes, code, part) in [
        ("text", text.as_bytes(), 3, "not a tar"),
        ("a few bytes", b"FROM debian", 3, "less than one block"),
        ("bzip2", b"BZh91AY&SY of an archive", 5, "bzip2"),
        ("a zip file", b"PK\x03\x04 of an archive", 5, "zip"),
        ("lz4", b"\x04\x22\x4d\x18 of an archive", 5, "lz4"),
        ("a disk", b"QFI\xfb of a machine", 5, "qcow2"),
        ("gzip of text", &gzip(text.as_bytes()), 3, "not a tar"),
        ("gzip of gzip", &gzip(&gzip(&docker(&[layer("a")]))), 5, "compressed twice"),
        ("zeros that are no block", &[0; 100], 3, "less than one block"),
    ] {
        case(2, what, bytes).refuses(code, &[part]);
    }
}

/// An archive in which the documents come first, so that a cut hits a layer.
fn documents_first(layers: &[Vec<u8>]) -> Vec<u8> {
    let config = config(layers).to_string();
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n}.tar")).collect();
    let manifest = json!([{"Config": "c.json", "RepoTags": ["app:1.0"], "Layers": names}]).to_string();
    let mut members = vec![member("manifest.json", manifest.as_bytes()), member("c.json", config.as_bytes())];
    members.extend(names.iter().zip(layers).map(|(name, layer)| member(name, layer)));
    archive(&members)
}

#[test]
fn h03_an_archive_cut_off_anywhere() {
    let layers = [layer("a/; a/x = old; b"), layer("a/.wh.x; a/y = new")];
    for whole in [docker(&layers), documents_first(&layers)] {
        let good = strip(&whole, &squash()).unwrap().archive;
        let end = whole.len() - 1024;
        let cuts =
            (0..whole.len() / 512).flat_map(|block| [block * 512, block * 512 + 1, (block * 512).saturating_sub(1)]);
        for len in cuts {
            match strip(cut(&whole, len), &squash()) {
                // T29: without its end marker, as some writers leave it; or without padding, as Go accepts it.
                Ok(read) => assert!(len + 511 >= end && read.archive == good, "cut at {len} of {}", whole.len()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Malformed, "cut at {len}: {error}"),
            }
        }
    }
    let whole = documents_first(&layers);
    for (what, len, part) in [
        ("in the first header", 100, "less than one block"),
        ("in a document", 520, "truncated"),
        ("between two members", 1024, "not in the archive"),
        ("in the last layer", whole.len() - 3000, "truncated"),
        ("in the end marker", whole.len() - 1000, "truncated"),
    ] {
        case(3, format!("cut off {what}"), cut(&whole, len)).refuses(3, &[part]);
    }
}

/// An OCI image of one layer blob, which the documents describe as it is, but for what it holds.
fn blob(media_type: &str, bytes: &[u8], tar: &[u8]) -> Vec<u8> {
    let mut oci = Oci::default();
    let one = oci.blob(media_type, bytes);
    let image = named(oci.manifest(&config(&[tar.to_vec()]), &[one]));
    oci.archive(&[image])
}

#[test]
fn h04_a_compressed_layer_cut_off_inside() {
    let text: String = (0..20_000).map(|n| format!("{n:x}")).collect();
    let tar = layer(&format!("a/; a/x = {text}"));
    type Pack = fn(&[u8]) -> Vec<u8>;
    for (name, pack) in [("gzip", gzip as Pack), ("zstd", zstd as Pack)] {
        let whole = pack(&tar);
        let media_type = format!("{LAYER}+{name}");
        for (what, len) in [("header", 5), ("middle", whole.len() / 2), ("checksum", whole.len() - 2)] {
            let made = blob(&media_type, cut(&whole, len), &tar);
            case(4, format!("{name}, cut off in its {what}"), &made).refuses(3, &["layer 1/1", name, "truncated"]);
        }
        let damaged = [cut(&whole, whole.len() / 2), &[0x55; 40], &whole[whole.len() / 2 + 40..]].concat();
        // A zstd frame need not have a checksum; then only the digest tells.
        let (code, part) = if name == "zstd" { (4, "digest") } else { (3, "damaged") };
        case(4, format!("{name}, damaged"), &blob(&media_type, &damaged, &tar)).refuses(code, &["layer 1/1", part]);
        let trailed = [&whole[..], b"and more"].concat();
        case(4, format!("{name}, with junk behind it"), &blob(&media_type, &trailed, &tar)).refuses(3, &["layer 1/1"]);
        for len in (20..whole.len()).step_by(whole.len() / many(20, 400) as usize) {
            let error = strip(&blob(&media_type, cut(&whole, len), &tar), &squash()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{name} cut at {len}: {error}");
        }
        case(
            4,
            format!("the whole archive in {name}, cut off"),
            cut(&pack(&docker(std::slice::from_ref(&tar))), whole.len() / 2),
        )
        .refuses(3, &["truncated"]);
    }
}

#[test]
fn h05_an_archive_without_manifest_and_index() {
    let one = || member("l.tar", &layer("a"));
    case(5, "a layer alone, as docker export writes it", &layer("bin/; bin/sh = x"))
        .refuses(3, &["no manifest.json and no index.json", "docker export"]);
    case(5, "blobs without documents", &archive(&[one(), member("c.json", b"{}")])).refuses(3, &["no manifest.json"]);
    case(5, "Docker before 1.10", &archive(&[one(), member("repositories", b"{}")])).refuses(5, &["repositories"]);
    let marked = archive(&[one(), member("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)]);
    case(5, "a layout without its index", &marked).refuses(3, &["no index.json"]);
}

#[test]
fn h06_documents_that_are_not_what_they_should_be() {
    let utf16: Vec<u8> = MANIFEST_JSON.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe", &utf16[..]].concat();
    let junk = format!("{MANIFEST_JSON} x");
    let twice = format!("{MANIFEST_JSON}{MANIFEST_JSON}");
    let bom = format!("\u{feff}{MANIFEST_JSON}");
    let zeros = format!("{MANIFEST_JSON}\0\0");
    for (what, bytes, part) in [
        ("empty", &b""[..], "not valid JSON"),
        ("null", b"null", "not a list of images"),
        ("an object", b"{}", "not a list of images"),
        ("an empty list", b"[]", "names no image"),
        ("a string", b"\"x\"", "not a list of images"),
        ("a list of nulls", b"[null]", "not a JSON object"),
        ("an image of nothing", b"[{}]", "names no config"),
        ("a config that is no text", br#"[{"Config":7}]"#, "not a string"),
        ("layers that are no list", br#"[{"Config":"c.json","Layers":{}}]"#, "not an array"),
        ("a layer that is no text", br#"[{"Config":"c.json","Layers":[7]}]"#, "not a string"),
        ("cut off", &MANIFEST_JSON.as_bytes()[..30], "not valid JSON"),
        ("junk behind it", junk.as_bytes(), "not valid JSON"),
        ("twice", twice.as_bytes(), "not valid JSON"),
        ("zeros behind it", zeros.as_bytes(), "not valid JSON"),
        ("a byte order mark", bom.as_bytes(), "byte order mark"),
        ("UTF-16", &utf16, "UTF-16"),
        ("UTF-16 with its mark", &marked, "UTF-16"),
        ("text that is no UTF-8", b"[\"\xff\"]", "not valid JSON"),
    ] {
        case(6, format!("manifest.json: {what}"), &with_manifest(bytes)).refuses(3, &["manifest.json", part]);
    }
    for (what, bytes, code, part) in [
        ("null", &b"null"[..], 3, "not a JSON object"),
        ("a list", b"[]", 3, "not a JSON object"),
        ("nothing in it", b"{}", 3, "neither an index nor a manifest"),
        ("no manifests", br#"{"schemaVersion":2,"manifests":[]}"#, 3, "names no image"),
        ("another schema", br#"{"schemaVersion":3,"manifests":[]}"#, 5, "schemaVersion"),
        ("a list of nulls", br#"{"schemaVersion":2,"manifests":[null]}"#, 3, "not a JSON object"),
    ] {
        case(6, format!("index.json: {what}"), &with_index(bytes)).refuses(code, &["index.json", part]);
    }
    case(6, "the layout's version", &{
        let mut oci = Oci::default();
        let image = oci.image(&[layer("a")]);
        oci.member("index.json", &json!({"schemaVersion": 2, "manifests": [image]}));
        oci.member("oci-layout", &json!({"imageLayoutVersion": "2.0.0"}));
        archive(&oci.members)
    })
    .refuses(5, &["version \"2.0.0\""]);
}

/// A docker archive with a manifest.json of so many bytes, most of them never written.
fn huge(file: &mut File, name: &str, size: u64) {
    let mut header = Raw::new(name.as_bytes(), b'0').bytes();
    header[124..136].fill(0);
    header[124] = 0x80; // base 256
    header[128..136].copy_from_slice(&size.to_be_bytes());
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    file.write_all(&header).unwrap();
    file.seek(SeekFrom::Current(size.next_multiple_of(512) as i64)).unwrap();
    file.write_all(&archive(&[member("l.tar", &layer("a"))])).unwrap();
}

#[test]
fn h07_a_manifest_of_100_mb() {
    large(7, "manifest.json of 100 MB", |file| huge(file, "manifest.json", 100 << 20))
        .refuses(6, &["manifest.json has 104857600 bytes", "--limit manifest"]);
    large(7, "index.json of 100 MB", |file| huge(file, "index.json", 100 << 20)).refuses(6, &["index.json"]);
    large(7, "oci-layout of 8 GB", |file| {
        file.write_all(&member("index.json", br#"{"schemaVersion":2,"manifests":[]}"#).bytes()).unwrap();
        huge(file, "oci-layout", 8 << 30);
    })
    .refuses(6, &["oci-layout"]);
    let padded = with_manifest(format!("{MANIFEST_JSON}{}", " ".repeat(5 << 20)).as_bytes());
    case(7, "5 MiB of spaces", &padded).refuses(6, &["--limit manifest"]);
    case(7, "5 MiB of spaces, allowed", &padded).with(&["--limit", "manifest=6MiB"]).accepts();
    case(7, "a lower limit", &with_manifest(MANIFEST_JSON.as_bytes()))
        .with(&["--limit", "manifest=10"])
        .refuses(6, &["more than 10"]);
    // Each byte of a document may be a value of its own.
    let values = format!("{}[{}1]", &MANIFEST_JSON[..1], "1,".repeat((4 << 20) / 2 - 50));
    case(7, "4 MiB of short numbers", &with_manifest(format!("{values}]").as_bytes()))
        .memory(6 * MEMORY)
        .refuses(3, &["not a JSON object"]);
}

#[test]
fn h08_json_that_nests_100_000_deep() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
    let inside = |n: usize| format!(r#"[{{"Config":"c.json","Layers":["l.tar"],"x":{}}}]"#, deep(n));
    case(8, "manifest.json of arrays", &with_manifest(deep(100_000).as_bytes())).refuses(6, &["deeper than 64"]);
    case(8, "manifest.json of objects", &with_manifest(objects(100_000).as_bytes())).refuses(6, &["deeper than 64"]);
    case(8, "manifest.json that never closes", &with_manifest("[".repeat(100_000).as_bytes()))
        .refuses(6, &["deeper than 64"]);
    case(8, "one level too many", &with_manifest(inside(63).as_bytes())).refuses(6, &["deeper than 64"]);
    case(8, "as deep as may be", &with_manifest(inside(62).as_bytes())).accepts();
    case(8, "the config", &with_config(objects(100_000).as_bytes())).refuses(6, &["the config", "deeper than 64"]);
    case(8, "index.json", &with_index(objects(100_000).as_bytes())).refuses(6, &["index.json", "deeper than 64"]);
    case(8, "an OCI manifest", &with_oci_manifest(&objects(100_000))).refuses(6, &["the manifest", "deeper than 64"]);
    case(8, "an OCI config", &with_oci_config(&objects(100_000))).refuses(6, &["the config", "deeper than 64"]);
    case(8, "a raised limit", &with_manifest(inside(100_000).as_bytes()))
        .with(&["--limit", "json_depth=1000000"])
        .refuses(6, &["deeper than 127"]);
}

#[test]
fn h09_a_json_key_that_stands_twice() {
    let twice = r#"[{"Config":"c.json","Layers":["l.tar"],"Layers":[]}]"#;
    case(9, "Layers twice", &with_manifest(twice.as_bytes())).refuses(3, &["Layers stands twice"]);
    let escaped = r#"[{"Config":"c.json","Layers":["l.tar"],"Lay\u0065rs":[]}]"#;
    case(9, "Layers twice, once spelt otherwise", &with_manifest(escaped.as_bytes())).refuses(3, &["stands twice"]);
    let other_case = r#"[{"Config":"c.json","Layers":["l.tar"],"layers":[]}]"#;
    case(9, "Layers twice for Go", &with_manifest(other_case.as_bytes())).refuses(3, &["\"layers\"", "\"Layers\""]);
    let config = config(&[layer("a")]).to_string();
    let doubled = config.replacen('{', r#"{"rootfs":{"type":"layers","diff_ids":[]},"#, 1);
    case(9, "rootfs twice", &with_config(doubled.as_bytes())).refuses(3, &["rootfs stands twice"]);
    let index = r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#;
    case(9, "manifests twice", &with_index(index.as_bytes())).refuses(3, &["manifests stands twice"]);
    let manifest = r#"{"schemaVersion":2,"config":{},"config":{}}"#;
    case(9, "an OCI manifest's config twice", &with_oci_manifest(manifest)).refuses(3, &["config stands twice"]);
    let pretends = config.replacen('{', r#"{"$serde_json::private::Number":"1","#, 1);
    case(9, "a key of the parser's own", &with_config(pretends.as_bytes())).refuses(3, &["not valid JSON"]);
}

#[test]
fn h10_numbers_that_are_no_sizes() {
    let sized = |size: &str, of: fn(&mut Value) -> &mut Value| {
        let mut oci = Oci::default();
        let mut one = oci.blob(LAYER, &layer("a"));
        let mut config = oci.document(CONFIG, &config(&[layer("a")]));
        let mut both = json!([config.take(), one.take()]);
        of(&mut both)["size"] = json!("SIZE");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": both[0], "layers": [both[1]]});
        let text = manifest.to_string().replace("\"SIZE\"", size);
        let image = named(oci.blob(MANIFEST, text.as_bytes()));
        oci.archive(&[image])
    };
    for size in ["1e400", "-1", "9223372036854775808", "18446744073709551616", "1.0", "\"1\"", "true", "{}"] {
        for (what, of) in
            [("config", (|both| &mut both[0]) as fn(&mut Value) -> &mut Value), ("layer", |both| &mut both[1])]
        {
            case(10, format!("a {what} of {size} bytes"), &sized(size, of)).refuses(3, &["\"size\"", "no size"]);
        }
    }
    case(10, "a layer of no size", &sized("null", |both| &mut both[1])).refuses(3, &["no size"]);
    case(10, "a layer of 2^63-1 bytes", &sized("9223372036854775807", |both| &mut both[1])).refuses(4, &["bytes"]);
    let mut index = json!({"schemaVersion": 2, "manifests": [descriptor(MANIFEST, b"x")]});
    index["manifests"][0]["size"] = json!(-1);
    case(10, "a manifest of -1 bytes", &with_index(index.to_string().as_bytes())).refuses(3, &["-1", "no size"]);
    // What imgstrip does not read stays as it was written, digit for digit.
    let mut odd = config(&[layer("a")]);
    odd["config"]["Memory"] = json!("ODD");
    for spelling in ["1e400", "-0", "123456789012345678901234567890.5"] {
        let text = odd.to_string().replace("\"ODD\"", spelling);
        let written =
            case(10, format!("a config that says {spelling}"), &with_config(text.as_bytes())).accepts().bytes();
        let said = format!("\"Memory\":{}", spelling.replace("1e400", "1e+400"));
        assert!(written.windows(said.len()).any(|window| window == said.as_bytes()), "{said} stays");
    }
}
