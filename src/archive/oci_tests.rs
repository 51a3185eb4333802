use super::super::fixture::{CONFIG, INDEX, LAYER, MANIFEST, Tar, blob_path, config, sha256, with};
use super::super::{SourceLayout, open};
use crate::error::ErrorKind;
use crate::options::{Input, Limits, Options};
use crate::warning::WarningKind;
use serde_json::{Value, json};

/// A layout with one image of one layer, its manifest changed, and its descriptor changed.
fn changed(manifest: impl Fn(&mut Value), descriptor: impl Fn(&mut Value)) -> Tar {
    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let config = tar.document(CONFIG, &config("amd64", &["one"]));
    let layer = json!({"mediaType": LAYER, "digest": sha256(b"one"), "size": 3});
    let mut document = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    manifest(&mut document);
    let mut top = tar.document(MANIFEST, &document);
    descriptor(&mut top);
    tar.layout(&[top])
}

fn manifest(change: impl Fn(&mut Value)) -> Tar {
    changed(change, |_| {})
}

fn descriptor(change: impl Fn(&mut Value)) -> Tar {
    changed(|_| {}, change)
}

fn kind(tar: &Tar) -> ErrorKind {
    tar.open().unwrap_err().kind()
}

/// Two platforms and an attestation in a nested index, as buildx writes them; `present` says which were saved.
fn nested(present: &[&str]) -> Tar {
    let mut tar = Tar::default();
    tar.layers(&["one", "two"]);
    let mut children = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let mut own = Tar::default();
        let child = own.image(architecture, &["one", architecture]);
        own.layers(&[architecture]);
        children.push(with(child, "platform", json!({"os": "linux", "architecture": architecture})));
        if present.contains(&architecture) {
            tar = tar.append(own);
        }
    }
    let attestation = json!({"mediaType": MANIFEST, "digest": sha256(b"gone"), "size": 4,
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
    children.push(attestation);
    let index = tar.document(INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}));
    let names = json!({"io.containerd.image.name": "docker.io/library/app:1.0", "org.opencontainers.image.ref.name": "1.0",
        "org.opencontainers.image.created": "x"});
    tar.layout(&[with(index, "annotations", names)])
}

#[test]
fn a_nested_index_gives_its_platforms_one_group_and_one_name() {
    let archive = nested(&["amd64", "arm64"]).open().unwrap();
    assert_eq!(archive.source_layout, SourceLayout::Oci);
    let shown: Vec<String> = archive
        .images
        .iter()
        .map(|image| format!("{} {} {}", image.platform, image.references[0], image.group))
        .collect();
    assert_eq!(shown, ["linux/amd64 app:1.0 0", "linux/arm64 app:1.0 0"]);
    assert!(archive.images[0].layers[0].blob.is_same(&archive.images[1].layers[0].blob));
    assert_eq!(archive.warnings.count(WarningKind::Attestation), 1);
    assert_eq!(archive.images[0].layers[0].size, Some(3));
    assert!(archive.images[0].manifest.is_some());
}

#[test]
fn a_platform_that_was_not_saved_is_left_out_and_all_of_them_are_an_error() {
    let archive = nested(&["arm64"]).open().unwrap();
    assert_eq!((archive.images.len(), archive.warnings.count(WarningKind::AbsentPlatform)), (1, 1));
    assert!(nested(&[]).refusal().contains("is not in the archive"));
}

#[test]
fn names_of_every_writer_are_understood() {
    for (annotations, familiar, tag) in [
        (json!({"org.opencontainers.image.ref.name": "1.0"}), "", "1.0"),
        (json!({"org.opencontainers.image.ref.name": "localhost/app:1"}), "localhost/app:1", "1"),
        (json!({"org.opencontainers.image.ref.name": "docker.io/library/app:1"}), "app:1", "1"),
        (
            json!({"io.containerd.image.name": "ghcr.io/me/app:2", "org.opencontainers.image.ref.name": "2"}),
            "ghcr.io/me/app:2",
            "2",
        ),
    ] {
        let archive = descriptor(|top| top["annotations"] = annotations.clone()).open().unwrap();
        let [name] = archive.images[0].references.as_slice() else { panic!("one name: {annotations}") };
        assert_eq!((name.familiar.as_str(), name.tag.as_str()), (familiar, tag));
        assert!(archive.images[0].annotations.is_null());
    }
    let odd =
        descriptor(|top| top["annotations"] = json!({"org.opencontainers.image.ref.name": "Some Thing", "x": "y"}));
    let archive = odd.open_with(&Options { image: Some("Some Thing".into()), ..Options::default() }).unwrap();
    assert!(archive.images[0].references.is_empty());
    assert_eq!(archive.images[0].annotations, json!({"x": "y"}));
}

#[test]
fn one_manifest_under_two_names_is_one_image() {
    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let image = tar.image("amd64", &["one"]);
    let named = |tag: &str| {
        with(image.clone(), "annotations", json!({"io.containerd.image.name": format!("docker.io/library/app:{tag}")}))
    };
    let archive = tar.layout(&[named("1"), named("2")]).open().unwrap();
    assert_eq!((archive.images.len(), archive.images[0].references.len()), (1, 2));
}

#[test]
fn docker_schema_2_inside_a_layout_is_read() {
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    let tar = changed(
        |document| {
            document["mediaType"] = json!(docker);
            document["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
            document["layers"][0]["mediaType"] = json!("application/vnd.docker.image.rootfs.diff.tar.gzip");
        },
        |top| top["mediaType"] = json!(docker),
    );
    assert_eq!(tar.open().unwrap().images.len(), 1);
}

#[test]
fn every_document_is_held_against_its_digest_and_size() {
    // hostile.md 17, 18.
    assert_eq!(kind(&descriptor(|top| top["size"] = json!(5))), ErrorKind::Integrity);
    assert_eq!(kind(&manifest(|document| document["config"]["size"] = json!(5))), ErrorKind::Integrity);
    let other = json!({"schemaVersion": 2, "config": {}, "layers": []}).to_string();
    let digest = sha256(b"something else");
    let top = json!({"mediaType": MANIFEST, "digest": digest, "size": other.len()});
    assert_eq!(kind(&Tar::default().file(&blob_path(&digest), &other).layout(&[top])), ErrorKind::Integrity);
}

#[test]
fn a_descriptor_is_read_strictly() {
    // hostile.md 10, 19, 20.
    for bad in ["sha256:../../x", "sha256:AB", "md5-nothing", ""] {
        assert_eq!(kind(&descriptor(|top| top["digest"] = json!(bad))), ErrorKind::Malformed, "{bad}");
        assert_eq!(
            kind(&manifest(|document| document["config"]["digest"] = json!(bad))),
            ErrorKind::Malformed,
            "{bad}"
        );
        assert_eq!(
            kind(&manifest(|document| document["layers"][0]["digest"] = json!(bad))),
            ErrorKind::Malformed,
            "{bad}"
        );
    }
    assert_eq!(
        kind(&descriptor(|top| top["digest"] = json!("md5:d41d8cd98f00b204e9800998ecf8427e"))),
        ErrorKind::Unsupported
    );
    for bad in [json!(-1), json!(1.0), json!(9223372036854775808u64), json!("5"), json!(null)] {
        assert_eq!(kind(&descriptor(|top| top["size"] = bad.clone())), ErrorKind::Malformed, "{bad}");
    }
    assert_eq!(kind(&descriptor(|top| *top = json!(7))), ErrorKind::Malformed);
    assert_eq!(kind(&descriptor(|top| top["annotations"] = json!([]))), ErrorKind::Malformed);
}

#[test]
fn a_document_is_one_kind_and_says_so() {
    // hostile.md 29, 30.
    for change in [
        (|document| document["manifests"] = json!([])) as fn(&mut Value),
        |document| document["mediaType"] = json!(INDEX),
        |document| document["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"),
        |document| *document = json!([]),
        |document| *document = json!({"schemaVersion": 2}),
        |document| document["Layers"] = json!([]),
    ] {
        assert_eq!(kind(&manifest(change)), ErrorKind::Malformed);
    }
    let unsaid = |document: &mut Value| document.as_object_mut().unwrap().remove("mediaType").map_or((), drop);
    assert_eq!(kind(&changed(unsaid, |top| top["mediaType"] = json!(INDEX))), ErrorKind::Malformed);
    assert!(manifest(unsaid).open().is_ok());
    assert!(changed(unsaid, |top| top["mediaType"] = json!(null)).open().is_ok());
    assert_eq!(kind(&manifest(|document| document["schemaVersion"] = json!(1))), ErrorKind::Unsupported);
    let both = json!({"schemaVersion": 2, "manifests": [], "layers": []});
    assert_eq!(
        kind(&Tar::default().json("oci-layout", &json!({"imageLayoutVersion": "1.0.0"})).json("index.json", &both)),
        ErrorKind::Malformed
    );
}

#[test]
fn what_is_no_image_is_said_to_be_none_and_left_out_beside_one() {
    // hostile.md 13.
    for change in [
        (|document| document["artifactType"] = json!("application/vnd.example")) as fn(&mut Value),
        |document| document["config"]["mediaType"] = json!("application/vnd.oci.empty.v1+json"),
        |document| document["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json"),
        |document| document["config"]["mediaType"] = json!("application/vnd.buildkit.cacheconfig.v0"),
        |document| document["layers"][0]["mediaType"] = json!("application/vnd.dev.cosign.simplesigning.v1+json"),
    ] {
        let alone = manifest(change);
        assert_eq!(kind(&alone), ErrorKind::Unsupported);
        assert!(alone.refusal().starts_with("not a container image"));
    }
    assert_eq!(
        kind(&descriptor(|top| top["mediaType"] = json!("application/vnd.buildkit.cacheconfig.v0"))),
        ErrorKind::Unsupported
    );

    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let image = tar.image("amd64", &["one"]);
    let chart = with(image.clone(), "artifactType", json!("application/vnd.example"));
    let chart = with(chart, "digest", json!(sha256(b"chart")));
    let archive = tar.layout(&[chart, image]).open().unwrap();
    assert_eq!((archive.images.len(), archive.warnings.count(WarningKind::Attestation)), (1, 1));
}

#[test]
fn an_encrypted_or_unknown_layer_is_unsupported() {
    // hostile.md 31. A second, plain layer makes it an image.
    for media_type in
        ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "application/vnd.wasm.content.layer.v1+wasm"]
    {
        let tar = manifest(|document| {
            let mut odd = document["layers"][0].clone();
            odd["mediaType"] = json!(media_type);
            document["layers"].as_array_mut().unwrap().push(odd);
        });
        assert_eq!(kind(&tar), ErrorKind::Unsupported);
        assert!(tar.refusal().contains(media_type));
    }
}

#[test]
fn a_foreign_layer_is_used_where_it_is_and_never_fetched() {
    // M97.
    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let present = manifest(|document| {
        document["layers"][0]["mediaType"] = json!(foreign);
        document["layers"][0]["urls"] = json!(["https://example.org/x"]);
    });
    assert!(present.open().is_ok());
    let absent = manifest(|document| {
        document["layers"][0]["mediaType"] = json!(foreign);
        document["layers"][0]["digest"] = json!(sha256(b"far away"));
        document["layers"][0]["urls"] = json!(["https://user:secret@example.org:8443/x?y"]);
    });
    let refusal = absent.refusal();
    assert!(
        refusal.contains(&sha256(b"far away")) && refusal.contains("example.org:8443") && !refusal.contains("secret")
    );
}

#[test]
fn a_missing_blob_is_named() {
    // hostile.md 11, 21.
    for tar in [
        descriptor(|top| top["digest"] = json!(sha256(b"gone"))),
        manifest(|document| document["config"]["digest"] = json!(sha256(b"gone"))),
        manifest(|document| document["layers"][0]["digest"] = json!(sha256(b"gone"))),
    ] {
        assert_eq!(kind(&tar), ErrorKind::Malformed);
        assert!(tar.refusal().contains(&sha256(b"gone")), "{}", tar.refusal());
    }
}

#[test]
fn indexes_are_bounded_in_depth_and_number() {
    // hostile.md 28.
    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let mut top = tar.image("amd64", &["one"]);
    let mut deep = Vec::new();
    for _ in 0..9 {
        top = tar.document(INDEX, &json!({"schemaVersion": 2, "manifests": [top.clone(), top]}));
        deep.push(top.clone());
    }
    assert!(tar.clone().layout(&deep[7..8]).open().is_ok());
    assert_eq!(kind(&tar.layout(&deep[8..])), ErrorKind::Limit);

    let many = nested(&["amd64", "arm64"]);
    let limits = Limits { images: 2, ..Limits::default() };
    assert_eq!(many.open_with(&Options { limits, ..Options::default() }).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn an_unknown_layout_and_an_empty_index_are_refused() {
    let version =
        Tar::default().json("oci-layout", &json!({"imageLayoutVersion": "2.0.0"})).json("index.json", &json!({}));
    assert_eq!(kind(&version), ErrorKind::Unsupported);
    assert!(Tar::default().layout(&[]).refusal().contains("names no image"));
    let null = Tar::default().json("index.json", &json!({"schemaVersion": 2, "manifests": null}));
    assert!(null.refusal().contains("names no image"));
    assert!(
        Tar::default().json("oci-layout", &json!({"imageLayoutVersion": "1.0.0"})).refusal().contains("no index.json")
    );
}

#[test]
fn a_directory_is_read_like_an_archive_and_never_left() {
    let root = tempfile::tempdir().unwrap();
    let write = |tar: &Tar| {
        tar::Archive::new(std::io::Cursor::new(tar.bytes())).unpack(root.path()).unwrap();
    };
    let opened = || open(&Input::Path(root.path().to_owned()), &Options::default());
    assert!(opened().unwrap_err().to_string().contains("no OCI layout"));

    write(&nested(&["amd64", "arm64"]));
    let archive = opened().unwrap();
    assert_eq!((archive.images.len(), archive.source_layout), (2, SourceLayout::Oci));
    assert!(archive.images[0].layers[0].blob.is_same(&archive.images[1].layers[0].blob));
    assert!(archive.bytes > 1000);

    let blob = root.path().join(blob_path(&sha256(b"one")));
    let moved = root.path().join("moved");
    std::fs::rename(&blob, &moved).unwrap();
    std::os::unix::fs::symlink("../../moved", &blob).unwrap();
    assert!(opened().is_ok());
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::remove_file(&blob).unwrap();
    std::os::unix::fs::symlink(outside.path(), &blob).unwrap();
    assert!(opened().unwrap_err().to_string().contains("out of the archive"));
}
