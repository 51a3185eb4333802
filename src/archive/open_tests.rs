use super::super::fixture::{CONFIG, LAYER, MANIFEST, Tar, blob_path, config, sha256, with};
use super::*;
use crate::error::ErrorKind;
use crate::warning::WarningKind;
use serde_json::{Value, json};

/// The path of the config blob of this image.
fn config_path(architecture: &str, layers: &[&str]) -> String {
    blob_path(&sha256(config(architecture, layers).to_string().as_bytes()))
}

/// What Docker 25 writes: one image of two layers in both descriptions; `change` may set them at odds.
fn hybrid(change: impl Fn(&mut Value)) -> Tar {
    let layers = ["one", "two"];
    let mut tar = Tar::default();
    tar.layers(&layers);
    tar.layers(&["three"]);
    let image = tar.image("amd64", &layers);
    tar.document(CONFIG, &config("amd64", &["one", "three"]));
    let names =
        json!({"io.containerd.image.name": "docker.io/library/app:1.0", "org.opencontainers.image.ref.name": "1.0"});
    let paths: Vec<String> = layers.iter().map(|layer| blob_path(&sha256(layer.as_bytes()))).collect();
    let mut item =
        json!({"Config": config_path("amd64", &layers), "RepoTags": ["app:1.0", "app:latest"], "Layers": paths});
    change(&mut item);
    tar.layout(&[with(image, "annotations", names)]).json("manifest.json", &json!([item]))
}

#[test]
fn both_descriptions_make_one_image_with_all_its_names() {
    let archive = hybrid(|_| {}).open().unwrap();
    assert_eq!(archive.source_layout, SourceLayout::Hybrid);
    let [image] = archive.images.as_slice() else { panic!("one image") };
    assert_eq!(image.references.iter().map(ToString::to_string).collect::<Vec<_>>(), ["app:1.0", "app:latest"]);
    assert!(archive.warnings.is_empty());
}

#[test]
fn descriptions_that_name_different_images_are_refused() {
    let other = config_path("amd64", &["one", "three"]);
    let third = blob_path(&sha256(b"three"));
    let first = blob_path(&sha256(b"one"));
    for change in [
        json!({"Config": other, "RepoTags": ["app:1.0"], "Layers": [first, third]}),
        json!({"Config": other, "RepoTags": null, "Layers": [first, third]}),
        json!({"Config": config_path("amd64", &["one", "two"]), "RepoTags": [], "Layers": [first, third]}),
        json!({"Config": config_path("amd64", &["one", "two"]), "RepoTags": [], "Layers": [first]}),
    ] {
        let error = hybrid(|item| *item = change.clone()).open().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains("different images"), "{error}");
    }
}

#[test]
fn an_empty_oci_manifest_gives_way_to_manifest_json() {
    // moby#47065: Docker 25.0.0 wrote the OCI manifest without its layers.
    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let config = tar.document(CONFIG, &config("amd64", &["one"]));
    let empty =
        tar.document(MANIFEST, &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": null}));
    let item =
        json!({"Config": config_path("amd64", &["one"]), "RepoTags": ["a:1"], "Layers": [blob_path(&sha256(b"one"))]});
    let layout = tar.layout(&[empty]);
    let archive = layout.clone().json("manifest.json", &json!([item])).open().unwrap();
    assert_eq!((archive.images[0].layers.len(), archive.warnings.count(WarningKind::EmptyManifest)), (1, 1));
    assert!(archive.images[0].manifest.is_none());
    assert_eq!(layout.open().unwrap_err().kind(), ErrorKind::Malformed);
}

/// Two platforms of one image and a second image; `manifest.json` names the first platform alone.
fn several() -> Tar {
    let mut tar = Tar::default();
    tar.layers(&["one", "two"]);
    let mut children = Vec::new();
    for (architecture, variant) in [("amd64", ""), ("arm64", "v8"), ("arm", "v6")] {
        let child = tar.image(architecture, &["one"]);
        children.push(with(
            child,
            "platform",
            json!({"os": "linux", "architecture": architecture, "variant": variant}),
        ));
    }
    let index = "application/vnd.oci.image.index.v1+json";
    let index = tar.document(index, &json!({"schemaVersion": 2, "manifests": children}));
    let named = |descriptor, name: &str| with(descriptor, "annotations", json!({"io.containerd.image.name": name}));
    let second = tar.image("amd64", &["two"]);
    let item = json!({"Config": config_path("amd64", &["one"]), "RepoTags": ["app:1"], "Layers": [blob_path(&sha256(b"one"))]});
    tar.layout(&[named(index, "docker.io/library/app:1"), named(second, "localhost:5000/tool:latest")])
        .json("manifest.json", &json!([item]))
}

fn chosen(image: Option<&str>, platform: Option<&str>) -> Result<Vec<String>, Error> {
    let options = Options {
        image: image.map(str::to_owned),
        platform: platform.map(|text| text.parse().unwrap()),
        ..Options::default()
    };
    let archive = several().open_with(&options)?;
    Ok(archive.images.iter().map(|image| format!("{} {}", image.references[0], image.platform)).collect())
}

const ALL: [&str; 4] =
    ["app:1 linux/amd64", "app:1 linux/arm64/v8", "app:1 linux/arm/v6", "localhost:5000/tool:latest linux/amd64"];

#[test]
fn an_image_is_chosen_by_any_of_its_names() {
    assert_eq!(chosen(None, None).unwrap(), ALL);
    for name in ["app:1", "docker.io/library/app:1", "library/app:1"] {
        assert_eq!(chosen(Some(name), None).unwrap(), ALL[..3], "{name}");
    }
    assert_eq!(chosen(Some("localhost:5000/tool"), None).unwrap(), ALL[3..]);
    let id = sha256(config("amd64", &["two"]).to_string().as_bytes());
    for id in [id.as_str(), &id[..11], &id[7..11], &format!("tool@{id}")] {
        assert_eq!(chosen(Some(id), None).unwrap(), ALL[3..], "{id}");
    }
}

#[test]
fn a_platform_is_chosen_by_any_of_its_spellings() {
    assert_eq!(chosen(None, Some("linux/x86_64")).unwrap(), [ALL[0], ALL[3]]);
    assert_eq!(chosen(Some("app:1"), Some("linux/arm64")).unwrap(), [ALL[1]]);
    assert_eq!(chosen(None, Some("linux/arm")).unwrap(), [ALL[2]]);
    assert!(chosen(None, Some("linux/arm/v7")).is_err());
}

#[test]
fn no_match_lists_what_there_is() {
    for (image, platform) in
        [(Some("app:2"), None), (Some("abc"), None), (None, Some("linux/s390x")), (Some("\x1b[31m"), None)]
    {
        let error = chosen(image, platform).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let text = error.to_string();
        assert!(text.contains("app:1 (linux/arm64/v8)") && !text.contains('\x1b'), "{text}");
    }
}

#[test]
fn a_base_is_found_among_the_images_that_are_not_meant() {
    let options = Options { image: Some("app:1".into()), ..Options::default() };
    let archive = several().open_with(&options).unwrap();
    assert_eq!((archive.images.len(), archive.others.len()), (3, 1));
    assert_eq!(archive.named("localhost:5000/tool").count(), 1);
    assert_eq!(archive.named("app:1").count(), 3);
    assert_eq!(archive.named("gone").count(), 0);
}

#[test]
fn windows_is_refused_where_it_is_meant() {
    let mut tar = Tar::default();
    tar.layers(&["one"]);
    let mut windows = config("amd64", &["one"]);
    windows["os"] = json!("windows");
    let windows = tar.document(CONFIG, &windows);
    let layer = json!({"mediaType": LAYER, "digest": sha256(b"one"), "size": 3});
    let windows = tar.document(MANIFEST, &json!({"schemaVersion": 2, "config": windows, "layers": [layer]}));
    let linux = tar.image("amd64", &["one"]);
    let tar = tar.layout(&[windows, linux]);
    assert_eq!(tar.open().unwrap_err().kind(), ErrorKind::Unsupported);
    let options = Options { platform: Some("linux/amd64".parse().unwrap()), ..Options::default() };
    assert_eq!(tar.open_with(&options).unwrap().images.len(), 1);
}
