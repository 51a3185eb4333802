//! H21 to H33: members of the archive, indexes, manifests, media types, the number of layers.

use super::{case, gzip};
use crate::image::{config, docker, docker_with, member};
use crate::lines::layer;
use crate::outer::{CONFIG, INDEX, LAYER, MANIFEST, Oci, descriptor, named};
use crate::tar::{Raw, archive};
use serde_json::{Value, json};

/// A docker archive of one layer, which `manifest.json` calls by this name; `extra` members come before the documents.
fn called(name: &str, extra: Vec<Raw>) -> Vec<u8> {
    let config = config(&[layer("a")]).to_string();
    let manifest = json!([{"Config": "c.json", "RepoTags": ["app:1.0"], "Layers": [name]}]).to_string();
    let mut members = extra;
    members.push(member("c.json", config.as_bytes()));
    members.push(member("manifest.json", manifest.as_bytes()));
    archive(&members)
}

fn link(name: &str, typeflag: u8, target: &str) -> Raw {
    Raw { link: target.into(), ..Raw::new(name.as_bytes(), typeflag) }
}

#[test]
fn h21_a_blob_that_is_missing() {
    case(21, "a layer of a docker archive", &called("l.tar", vec![]))
        .refuses(3, &["app:1.0", "the layer \"l.tar\"", "not in the archive"]);
    let oci = |layer: Value, manifest: bool| {
        let tar = crate::lines::layer("a");
        let mut oci = Oci::default();
        let image = named(oci.manifest(&config(&[tar]), &[layer]));
        if !manifest {
            oci.members.clear();
        }
        oci.archive(&[image])
    };
    let gone = || descriptor(LAYER, &layer("a"));
    case(21, "a layer of an OCI image", &oci(gone(), true)).refuses(3, &["the layer sha256:", "not in the archive"]);
    case(21, "a manifest", &oci(gone(), false)).refuses(3, &["the manifest sha256:", "not in the archive"]);
    let mut foreign = descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar", &layer("a"));
    foreign["urls"] = json!(["https://user:secret@example.com/blob"]);
    let said = case(21, "a foreign layer", &oci(foreign, true)).refuses(5, &["foreign layer", "example.com"]);
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn h22_a_member_that_stands_twice() {
    let (one, other) = (member("l.tar", &layer("a")), member("l.tar", &layer("b")));
    case(22, "a layer with other bytes", &called("l.tar", vec![one.clone(), other]))
        .refuses(3, &["entry \"l.tar\"", "stands twice", "different"]);
    let longer = member("l.tar", &[layer("a"), vec![0; 512]].concat());
    case(22, "a layer that is longer", &called("l.tar", vec![one.clone(), longer])).refuses(3, &["stands twice"]);
    case(22, "a layer that is a link", &called("l.tar", vec![one.clone(), link("l.tar", b'2', "x")]))
        .refuses(3, &["stands twice"]);
    case(22, "manifest.json", &called("l.tar", vec![one.clone(), member("manifest.json", b"[]")]))
        .refuses(3, &["entry \"manifest.json\"", "stands twice"]);
    let same = case(22, "a layer with the same bytes", &called("l.tar", vec![one.clone(), one])).accepts();
    assert_eq!(same.text(), "a\n");
}

#[test]
fn h23_one_member_by_many_names() {
    let good = case(23, "plain", &called("d/l.tar", vec![member("d/l.tar", &layer("a"))])).accepts().bytes();
    for (name, asked) in [
        ("./d/l.tar", "d/l.tar"),
        ("d//l.tar", "d/l.tar"),
        ("./d/./l.tar", "d/l.tar"),
        ("/d/l.tar", "d/l.tar"),
        ("x/../d/l.tar", "d/l.tar"),
        ("d/l.tar", "./d/l.tar"),
        ("d/l.tar", "d//l.tar"),
    ] {
        let made = called(asked, vec![member(name, &layer("a"))]);
        assert_eq!(case(23, format!("{name} as {asked}"), &made).accepts().bytes(), good, "{name}");
        let two = vec![member("d/l.tar", &layer("b")), member(name, &layer("a"))];
        if name != "d/l.tar" {
            case(23, format!("{name} beside another d/l.tar"), &called("d/l.tar", two)).refuses(3, &["stands twice"]);
        }
    }
    let aliased = [member("./manifest.json", b"[]"), member("l.tar", &layer("a"))];
    case(23, "./manifest.json beside another", &called("l.tar", aliased.to_vec())).refuses(3, &["stands twice"]);
    case(23, "another case is another name", &called("L.TAR", vec![member("l.tar", &layer("a"))]))
        .refuses(3, &["\"L.TAR\"", "not in the archive"]);
    case(23, "a member above the root", &called("l.tar", vec![member("../l.tar", &layer("a"))]))
        .refuses(3, &["climbs above the root"]);
}

#[test]
fn h24_a_path_that_could_leave_the_archive() {
    let one = || vec![member("l.tar", &layer("a")), member("etc/passwd", b"x")];
    for path in
        ["../../etc/passwd", "/etc/passwd", "x/../l.tar", "..", "C:\\l.tar", "\\\\host\\l.tar", "l.tar\0", "", "/"]
    {
        case(24, format!("a layer {path:?}"), &called(path, one())).refuses(3, &["names the path"]);
        let manifest = json!([{"Config": path, "RepoTags": null, "Layers": ["l.tar"]}]).to_string();
        let members = [member("l.tar", &layer("a")), member("manifest.json", manifest.as_bytes())];
        case(24, format!("a config {path:?}"), &archive(&members)).refuses(3, &["names the path"]);
    }
    case(24, "a blob that is no digest", &called("blobs/sha256/../../etc/passwd", one()))
        .refuses(3, &["names the path"]);
    case(24, "a blob of a short digest", &called("blobs/sha256/abc", vec![member("blobs/sha256/abc", &layer("a"))]))
        .refuses(3, &["digest"]);
}

#[test]
fn h25_members_that_are_links() {
    let leads = |target: &str| called("l.tar", vec![link("l.tar", b'2', target), member("x.tar", &layer("a"))]);
    assert_eq!(case(25, "to another member", &leads("x.tar")).accepts().text(), "a\n");
    assert_eq!(case(25, "by detours", &leads("./d/../x.tar")).accepts().text(), "a\n");
    for target in ["/etc/passwd", "../etc/passwd", "d/../../etc/passwd", "/x.tar"] {
        case(25, format!("to {target}"), &leads(target)).refuses(3, &["entry \"l.tar\"", "leads out of the archive"]);
    }
    case(25, "to itself", &leads("l.tar")).refuses(3, &["entry \"l.tar\"", "circle"]);
    case(25, "to nothing", &leads("gone")).refuses(3, &["the layer \"l.tar\"", "not in the archive"]);
    for (what, typeflag) in [("symlinks", b'2'), ("hard links", b'1')] {
        let two = vec![link("l.tar", typeflag, "m.tar"), link("m.tar", typeflag, "l.tar")];
        case(25, format!("{what} in a circle"), &called("l.tar", two)).refuses(3, &["circle"]);
        let mut chain: Vec<Raw> = (0..1000).map(|n| link(&n.to_string(), typeflag, &(n + 1).to_string())).collect();
        chain.push(member("1000", &layer("a")));
        case(25, format!("a chain of 1000 {what}"), &called("0", chain.clone()))
            .refuses(6, &["more than 40 links", "--limit symlinks"]);
        case(25, format!("a chain of 1000 {what}, allowed"), &called("0", chain))
            .with(&["--limit", "symlinks=1000"])
            .accepts();
        let own = vec![link("l.tar", typeflag, "l.tar")];
        case(25, format!("{what} to themselves"), &called("l.tar", own)).refuses(3, &["circle"]);
    }
    let grows = vec![link("l.tar", b'2', "l.tar/l.tar"), member("x.tar", &layer("a"))];
    case(25, "to a longer name of itself", &called("l.tar", grows)).refuses(6, &["more than 40 links"]);
}

#[test]
fn h26_a_member_that_is_no_file() {
    for (what, typeflag) in
        [("a directory", b'5'), ("a character device", b'3'), ("a block device", b'4'), ("a named pipe", b'6')]
    {
        case(26, what, &called("l.tar", vec![Raw::new(b"l.tar", typeflag)])).refuses(3, &["entry \"l.tar\"", what]);
        let documents = archive(&[Raw::new(b"manifest.json", typeflag)]);
        case(26, format!("manifest.json as {what}"), &documents).refuses(3, &["entry \"manifest.json\"", what]);
    }
    let below = vec![member("l.tar", &layer("a")), member("l.tar/x", b"")];
    case(26, "a file below a file", &called("l.tar/y", below)).refuses(3, &["not in the archive"]);
    let mut sparse = member("l.tar", b"1\n0\n512\n");
    sparse.body.resize(512, 0);
    sparse.body.extend(layer("a"));
    for (key, value) in [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "l.tar")] {
        sparse = sparse.pax(key.as_bytes(), value.as_bytes());
    }
    let size = layer("a").len();
    sparse.body[..512].fill(0);
    let map = format!("1\n0\n{size}\n");
    sparse.body[..map.len()].copy_from_slice(map.as_bytes());
    let sparse = sparse.pax(b"GNU.sparse.realsize", size.to_string().as_bytes());
    case(26, "a sparse file", &called("l.tar", vec![sparse])).refuses(5, &["stored sparsely"]);
}

#[test]
fn h27_a_layer_that_is_a_document() {
    for name in
        ["manifest.json", "./manifest.json", "index.json", "oci-layout", "repositories", "x/./../manifest.json", "."]
    {
        let part = if name.contains("..") { "could leave the archive" } else { "a document of the archive itself" };
        case(27, name, &called(name, vec![])).refuses(3, &["names the path", part]);
    }
    let link = vec![link("l.tar", b'2', "manifest.json")];
    case(27, "by a link", &called("l.tar", link)).refuses(4, &["layer 1/1"]);
    case(27, "its own config", &called("c.json", vec![])).refuses(4, &["layer 1/1"]);
}

#[test]
fn h28_indexes_in_indexes() {
    let nested = |depth: usize| {
        let mut oci = Oci::default();
        let mut inner = oci.image(&[layer("a")]);
        for _ in 0..depth {
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]});
            inner = named(oci.document(INDEX, &index));
        }
        oci.archive(&[inner])
    };
    case(28, "8 deep", &nested(8)).accepts();
    case(28, "9 deep", &nested(9)).refuses(6, &["more than 8 indexes", "--limit index_depth"]);
    case(28, "9 deep, allowed", &nested(9)).with(&["--limit", "index_depth=9"]).accepts();
    case(28, "1000 deep", &nested(1000)).refuses(6, &["more than 8 indexes"]);
    let circle = {
        let mut oci = Oci::default();
        let mut itself = descriptor(INDEX, b"");
        let name = itself["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [itself]}).to_string();
        itself["size"] = json!(index.len());
        oci.members.push(member(&name, index.as_bytes()));
        oci.archive(&[named(itself)])
    };
    case(28, "one that names itself, with a digest that it cannot have", &circle).refuses(4, &["digest"]);
    let many = |count: usize| {
        let absent = |n: usize| {
            let mut one = descriptor(MANIFEST, n.to_string().as_bytes());
            one["platform"] = json!({"os": "linux", "architecture": "amd64"});
            one
        };
        Oci::default().archive(&(0..count).map(absent).collect::<Vec<Value>>())
    };
    case(28, "10 000 manifests", &many(10_000)).refuses(6, &["more than 1000 images", "--limit images"]);
    let platform = {
        let mut oci = Oci::default();
        let image = oci.image(&[layer("a")]);
        oci.archive(&[image])
    };
    case(28, "no manifest for a platform", &platform)
        .with(&["--platform", "linux/s390x"])
        .refuses(2, &["no image is for linux/s390x", "linux/amd64"]);
    case(28, "no image of a name", &platform).with(&["--image", "other"]).refuses(2, &["no image is called \"other\""]);
    let tags: Vec<Value> =
        (0..1001).map(|n| json!({"Config": "c.json", "RepoTags": [format!("app:{n}")], "Layers": []})).collect();
    let docker = archive(&[member("c.json", b"{}"), member("manifest.json", json!(tags).to_string().as_bytes())]);
    case(28, "1001 images of a docker archive", &docker).refuses(6, &["names 1001 images", "--limit images"]);
}

/// An OCI archive whose only document, described with this media type, is `manifest`.
fn document(described: &str, manifest: &Value) -> Vec<u8> {
    let mut oci = Oci::default();
    oci.image(&[layer("a")]);
    let manifest = named(oci.document(described, manifest));
    oci.archive(&[manifest])
}

#[test]
fn h29_a_document_that_is_an_index_and_a_manifest() {
    let (one, config) =
        (descriptor(LAYER, &layer("a")), descriptor(CONFIG, config(&[layer("a")]).to_string().as_bytes()));
    for (what, kind) in [("a manifest", MANIFEST), ("an index", INDEX)] {
        let both =
            json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [one], "manifests": [one]});
        case(29, format!("said to be {what}"), &document(kind, &both)).refuses(3, &["at once", "CVE-2021-41190"]);
        let mut silent = both.clone();
        silent.as_object_mut().unwrap().remove("mediaType");
        case(29, format!("described as {what}"), &document(kind, &silent)).refuses(3, &["at once"]);
    }
    let index = json!({"schemaVersion": 2, "manifests": [one], "layers": [one]});
    let mut oci = Oci::default();
    oci.members.push(member("index.json", index.to_string().as_bytes()));
    case(29, "index.json", &archive(&oci.members)).refuses(3, &["index.json", "at once"]);
}

#[test]
fn h30_a_media_type_that_lies() {
    let one = descriptor(LAYER, &layer("a"));
    let inner = descriptor(CONFIG, config(&[layer("a")]).to_string().as_bytes());
    let manifest = |own: &str| json!({"schemaVersion": 2, "mediaType": own, "config": inner, "layers": [one]});
    case(30, "a manifest described as an index", &document(INDEX, &manifest(MANIFEST)))
        .refuses(3, &["says that it is"]);
    case(30, "a manifest that says it is an index", &document(INDEX, &manifest(INDEX))).refuses(3, &["another kind"]);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [one]});
    case(30, "an index described as a manifest", &document(MANIFEST, &index)).refuses(3, &["says that it is"]);
    let mut schema1 = manifest(MANIFEST);
    schema1["schemaVersion"] = json!(1);
    case(30, "schema 1", &document(MANIFEST, &schema1)).refuses(5, &["schema 1"]);

    let blob = |media_type: &str, bytes: &[u8]| {
        let mut oci = Oci::default();
        let one = oci.blob(media_type, bytes);
        let image = named(oci.manifest(&config(&[layer("a")]), &[one]));
        oci.archive(&[image])
    };
    for (what, archive) in [
        ("a plain layer said to be gzip", blob(&format!("{LAYER}+gzip"), &layer("a"))),
        ("a gzip layer said to be plain", blob(LAYER, &gzip(&layer("a")))),
        ("a gzip layer said to be zstd", blob(&format!("{LAYER}+zstd"), &gzip(&layer("a")))),
    ] {
        let read = case(30, what, &archive).accepts();
        assert!(read.said.contains("media type does not match"), "{}", read.said);
        case(30, format!("{what}, strictly"), &archive).with(&["--strict"]).refuses(7, &["--strict", "media type"]);
    }
    for (what, bytes) in
        [("xz", &b"\xfd7zXZ\0and more"[..]), ("bzip2", b"BZh9 and more"), ("lz4", b"\x04\x22\x4d\x18 and")]
    {
        case(30, format!("a layer in {what}"), &blob(LAYER, bytes))
            .refuses(5, &["layer 1/1", "unsupported compression", what]);
    }
}

#[test]
fn h31_layers_of_other_kinds() {
    let with = |media_type: &str| {
        let mut oci = Oci::default();
        let (one, other) = (oci.blob(LAYER, &layer("a")), oci.blob(media_type, &layer("b")));
        let image = named(oci.manifest(&config(&[layer("a"), layer("b")]), &[one, other]));
        oci.archive(&[image])
    };
    for (media_type, part) in [
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "is encrypted"),
        ("application/vnd.oci.image.layer.v1.tar+encrypted", "is encrypted"),
        ("application/vnd.oci.image.layer.v1.tar+xz", "unknown media type"),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "unknown media type"),
        ("application/vnd.wasm.content.layer.v1+wasm", "unknown media type"),
        ("text/plain", "unknown media type"),
        ("\u{1b}[31mred", "unknown media type \\x1b[31mred"),
    ] {
        case(31, media_type.escape_debug().to_string(), &with(media_type)).refuses(5, &["layer sha256:", part]);
    }
}

#[test]
fn h32_an_image_of_no_layers() {
    let empty = case(32, "of a docker archive", &docker(&[])).accepts();
    assert_eq!(empty.text(), "");
    let mut oci = Oci::default();
    let image = named(oci.manifest(&config(&[]), &[]));
    case(32, "of an OCI image", &oci.archive(&[image])).accepts();
    let null = docker_with(&[], &json!({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers"}}));
    assert_eq!(case(32, "without diff_ids", &null).accepts().text(), "");
}

#[test]
fn h33_a_thousand_layers_and_a_history_that_does_not_count_them() {
    let layers = |count: usize| docker(&(0..count).map(|n| layer(&format!("f{n}"))).collect::<Vec<_>>());
    case(33, "1000 layers", &layers(1000)).refuses(6, &["app:1.0", "1000 layers, more than 500", "--limit layers"]);
    let many = case(33, "501 layers, allowed", &layers(501)).with(&["--limit", "layers=501"]).accepts();
    assert_eq!(many.text().lines().count(), 501);
    case(33, "2 layers, one allowed", &layers(2)).with(&["--limit", "layers=1"]).refuses(6, &["more than 1"]);
    let steps = |steps: Value| {
        let mut config = config(&[layer("a")]);
        config["history"] = steps;
        docker_with(&[layer("a")], &config)
    };
    for (what, archive) in [
        ("more steps", steps(json!([{"created_by": "a"}, {"created_by": "b"}]))),
        ("fewer steps", steps(json!([{"created_by": "a", "empty_layer": true}]))),
    ] {
        let read = case(33, what, &archive).accepts();
        assert!(read.text() == "a\n" && read.said.contains("history"), "{}", read.said);
        case(33, format!("{what}, strictly"), &archive).with(&["--strict"]).refuses(7, &["history"]);
    }
    assert!(!case(33, "no steps", &steps(json!([]))).accepts().said.contains("history"));
    case(33, "steps that are none", &steps(json!([7, null, "x"]))).refuses(3, &["history", "not a JSON object"]);
    case(33, "a history that is no list", &steps(json!("long ago"))).refuses(3, &["\"history\"", "not an array"]);
}
