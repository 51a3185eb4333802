use super::super::fixture::{Tar, blob_path, config, docker_manifest, docker_save, sha256};
use super::super::{Archive, SourceLayout};
use crate::error::ErrorKind;
use crate::options::{Limits, Options};
use crate::warning::WarningKind;
use serde_json::{Value, json};

/// [`docker_save`] with one key of its image replaced.
fn with(key: &str, value: Value) -> Tar {
    let mut manifest = docker_manifest();
    manifest[0][key] = value;
    docker_save(&manifest)
}

fn tags(archive: &Archive) -> Vec<String> {
    archive.images.iter().flat_map(|image| &image.references).map(ToString::to_string).collect()
}

#[test]
fn docker_save_before_25_is_read_and_its_repeated_layer_is_one_blob() {
    let archive = docker_save(&docker_manifest()).open().unwrap();
    assert_eq!(archive.source_layout, SourceLayout::Docker);
    let [image] = archive.images.as_slice() else { panic!("one image") };
    assert_eq!((tags(&archive), image.platform.to_string()), (vec!["app:1.0".to_owned()], "linux/amd64".to_owned()));
    let [one, two, again] = image.layers.as_slice() else { panic!("three layers") };
    assert!(one.blob.is_same(&again.blob) && !one.blob.is_same(&two.blob));
    assert_eq!(two.diff_id.to_string(), sha256(b"two"));
    assert_eq!(image.config_digest.to_string(), sha256(config("amd64", &["one", "two", "one"]).to_string().as_bytes()));
    assert!(archive.warnings.is_empty());
}

#[test]
fn an_image_may_have_no_name_and_several() {
    for none in [json!(null), json!([]), json!(["<none>:<none>"])] {
        assert!(tags(&with("RepoTags", none).open().unwrap()).is_empty());
    }
    let several = with("RepoTags", json!(["app:1", "docker.io/library/app:1", "localhost/app:2"])).open().unwrap();
    assert_eq!(tags(&several), ["app:1", "localhost/app:2"]);
    let mut manifest = docker_manifest();
    manifest[0].as_object_mut().unwrap().remove("RepoTags");
    assert!(tags(&docker_save(&manifest).open().unwrap()).is_empty());
}

#[test]
fn several_images_share_the_blob_of_a_shared_layer() {
    let mut manifest = docker_manifest();
    let mut second = manifest[0].clone();
    second["RepoTags"] = json!(["other:1"]);
    manifest.as_array_mut().unwrap().push(second);
    let archive = docker_save(&manifest).open().unwrap();
    assert_eq!(archive.images.iter().map(|image| image.group).collect::<Vec<_>>(), [0, 1]);
    assert!(archive.images[0].layers[0].blob.is_same(&archive.images[1].layers[0].blob));
}

#[test]
fn what_kaniko_and_jib_write_is_read() {
    // The config's name is its digest, the layers are `<digest>.tar.gz`.
    let config = config("arm64", &["one"]).to_string();
    let name = sha256(config.as_bytes());
    let archive = Tar::default()
        .file(&name, &config)
        .file("abc.tar.gz", "packed")
        .json("manifest.json", &json!([{"Config": name, "RepoTags": [], "Layers": ["abc.tar.gz"]}]));
    assert_eq!(archive.open().unwrap().images[0].platform.architecture, "arm64");
}

#[test]
fn a_config_must_match_the_digest_in_its_name() {
    for name in [format!("{}.json", "a".repeat(64)), format!("sha256:{}", "a".repeat(64)), blob_path(&sha256(b"x"))] {
        let archive = Tar::default()
            .file(&name, config("amd64", &[]).to_string())
            .json("manifest.json", &json!([{"Config": name, "Layers": null}]));
        assert_eq!(archive.open().unwrap_err().kind(), ErrorKind::Integrity, "{name}");
    }
}

#[test]
fn parent_and_layer_sources_mean_nothing() {
    // ggcr#1870: Docker 25's LayerSources were taken for foreign layers.
    let sources = json!({sha256(b"one"): {"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar", "size": 3,
        "digest": sha256(b"one"), "urls": ["https://example.org/x"]}});
    assert!(with("LayerSources", sources).open().is_ok());
    assert!(with("Parent", json!("sha256:gone")).open().is_ok());
}

#[test]
fn an_image_without_layers_is_an_image() {
    let archive = Tar::default()
        .file("c.json", config("amd64", &[]).to_string())
        .json("manifest.json", &json!([{"Config": "c.json", "RepoTags": null, "Layers": null}]));
    assert!(archive.open().unwrap().images[0].layers.is_empty());
}

#[test]
fn a_manifest_that_is_no_list_of_images_is_refused() {
    // hostile.md 6 and 7.
    for bytes in ["null", "{}", "\"x\"", "[]", "[1]", "[null]", "[{}]", "[] []", "\u{feff}[]", "[", ""] {
        let archive = Tar::default().file("manifest.json", bytes).file("config.json", "{}");
        assert_eq!(archive.open().unwrap_err().kind(), ErrorKind::Malformed, "{bytes}");
    }
    let huge = Tar::default().file("manifest.json", vec![b' '; (4 << 20) + 1]);
    assert_eq!(huge.open().unwrap_err().kind(), ErrorKind::Limit);
    let skopeo = Tar::default().file("manifest.json", r#"{"schemaVersion":2,"layers":[]}"#);
    assert_eq!(skopeo.open().unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(Tar::default().file("repositories", "{}").refusal().contains("Docker before 1.10"));
    assert!(Tar::default().file("etc/passwd", "").refusal().contains("docker export"));
}

#[test]
fn a_path_leads_nowhere_but_to_a_member() {
    // hostile.md 11, 21, 24, 27.
    for bad in ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\u{0}b", "manifest.json", "", "gone/layer.tar", "aaa"] {
        for (key, value) in [("Config", json!(bad)), ("Layers", json!([bad, "bbb/layer.tar", "ccc/layer.tar"]))] {
            let error = with(key, value).open().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{key} {bad}: {error}");
            assert!(error.to_string().is_ascii() && !error.to_string().contains('\0'));
        }
    }
    for (key, value) in [("Config", json!(null)), ("Config", json!(7)), ("Layers", json!({})), ("Layers", json!([7]))] {
        assert_eq!(with(key, value).open().unwrap_err().kind(), ErrorKind::Malformed, "{key}");
    }
}

#[test]
fn layers_and_diff_ids_must_be_as_many() {
    // hostile.md 15.
    let refusal = with("Layers", json!(["aaa/layer.tar"])).refusal();
    assert!(refusal.contains("1 layers, the config 3 diff_ids"), "{refusal}");
}

#[test]
fn a_config_and_the_number_of_layers_are_bounded() {
    // hostile.md 12 and 33.
    let limited = |limits| docker_save(&docker_manifest()).open_with(&Options { limits, ..Options::default() });
    for limits in [Limits { config: 10, ..Limits::default() }, Limits { layers: 2, ..Limits::default() }] {
        assert_eq!(limited(limits).unwrap_err().kind(), ErrorKind::Limit);
    }
    assert!(limited(Limits { layers: 3, ..Limits::default() }).is_ok());
}

#[test]
fn an_odd_config_is_read_with_a_warning() {
    let mut odd = config("", &["one"]);
    odd["history"] = json!([{}, {}]);
    let archive = Tar::default()
        .file("c.json", odd.to_string())
        .file("l.tar", "one")
        .json("manifest.json", &json!([{"Config": "c.json", "Layers": ["l.tar"]}]))
        .open()
        .unwrap();
    assert_eq!((archive.warnings.count(WarningKind::ConfigKeys), archive.warnings.count(WarningKind::History)), (1, 1));
}
