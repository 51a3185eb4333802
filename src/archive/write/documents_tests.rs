//! What stands in `index.json` and `manifest.json`, for one image, several names, several platforms.

use super::*;
use crate::error::ErrorKind;
use crate::image::rewrite::NewLayer;
use crate::layer::codec::Codec;

fn reference(name: &str) -> Reference {
    let tag = name.rsplit_once(':').unwrap().1.to_owned();
    Reference { familiar: name.to_owned(), full: format!("docker.io/library/{name}"), tag }
}

fn image(group: usize, architecture: &str, names: &[&str]) -> Rewritten {
    let bytes = |kind: &str| format!("{kind} {group} {architecture}").into_bytes();
    let digest = |kind: &str| digest::of(&bytes(kind)).unwrap();
    let layer = NewLayer { digest: digest("layer"), size: 9, diff_id: digest("tar"), kind: Codec::Gzip };
    Rewritten {
        references: names.iter().map(|name| reference(name)).collect(),
        group,
        platform: json!({"architecture": architecture, "os": "linux"}),
        annotations: json!({"own": "kept"}),
        docker_healthcheck: false,
        layers: vec![layer],
        config: bytes("config"),
        config_digest: digest("config"),
        manifest: bytes("manifest"),
        manifest_digest: digest("manifest"),
    }
}

fn written(images: &[Rewritten], format: Format) -> (BTreeMap<String, Vec<u8>>, Warnings) {
    let mut warnings = Warnings::default();
    let documents = write(images, format, &mut warnings).unwrap();
    let count = documents.members.len();
    let members: BTreeMap<_, _> = documents.members.into_iter().collect();
    assert_eq!(members.len(), count, "a member stands there twice");
    (members, warnings)
}

fn json_of(members: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&members[name]).unwrap()
}

#[test]
fn one_image_with_two_names_has_two_descriptors_and_one_entry() {
    let image = image(0, "amd64", &["app:1.0", "app:latest"]);
    let (members, warnings) = written(std::slice::from_ref(&image), Format::Auto);
    assert_eq!(members.len(), 4);
    let index = json_of(&members, "index.json");
    assert_eq!(
        index["manifests"][1],
        json!({
            "mediaType": MANIFEST_TYPE,
            "digest": image.manifest_digest.to_string(),
            "size": image.manifest.len(),
            "annotations": {
                "own": "kept",
                "io.containerd.image.name": "docker.io/library/app:latest",
                "org.opencontainers.image.ref.name": "latest"
            },
            "platform": image.platform,
        })
    );
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.digest());
    let entry = json!([{
        "Config": blob(&image.config_digest),
        "RepoTags": ["app:1.0", "app:latest"],
        "Layers": [blob(&image.layers[0].digest)],
    }]);
    assert_eq!(json_of(&members, "manifest.json"), entry);
    assert!(warnings.is_empty());
}

#[test]
fn the_same_image_in_two_groups_is_one_image_with_both_names() {
    let mut other = image(0, "amd64", &["app:2"]);
    other.group = 1;
    let (members, _) = written(&[image(0, "amd64", &["app:1"]), other], Format::Auto);
    assert_eq!(json_of(&members, "manifest.json").as_array().unwrap().len(), 1);
    assert_eq!(json_of(&members, "index.json")["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn platforms_of_a_name_stand_in_an_index_of_their_own_and_docker_gets_amd64() {
    let images = [image(0, "arm64", &["app:1"]), image(0, "amd64", &["app:1"])];
    let (members, warnings) = written(&images, Format::Auto);
    let top = json_of(&members, "index.json");
    assert_eq!(top["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(top["manifests"][0]["mediaType"], INDEX_TYPE);
    assert_eq!(top["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "1");
    let digest: Digest = top["manifests"][0]["digest"].as_str().unwrap().parse().unwrap();
    let nested = json_of(&members, &blob_name(&digest));
    assert_eq!(nested["manifests"][0]["platform"]["architecture"], "arm64");
    assert_eq!(nested["manifests"][1]["annotations"], json!({"own": "kept"}));
    let entries = json_of(&members, "manifest.json");
    assert_eq!(entries.as_array().unwrap().len(), 1);
    assert_eq!(entries[0]["Config"], blob_name(&images[1].config_digest));
    assert_eq!(warnings.count(WarningKind::OnePlatform), 1);
    let refused = write(&images, Format::Docker, &mut Warnings::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
}

#[test]
fn platforms_that_share_a_name_in_a_flat_index_are_brought_together() {
    let images = [image(0, "amd64", &["app:1"]), image(1, "arm64", &["app:1"])];
    let (members, _) = written(&images, Format::Oci);
    let top = json_of(&members, "index.json");
    assert_eq!(top["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(top["manifests"][0]["mediaType"], INDEX_TYPE);
    assert!(!members.contains_key("manifest.json"));
}

#[test]
fn two_images_of_one_platform_with_one_name_are_refused() {
    let images = [image(0, "amd64", &["app:1"]), image(1, "amd64", &["app:1"])];
    let error = write(&images, Format::Auto, &mut Warnings::default()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().contains("app:1")), (ErrorKind::Usage, true));
}

#[test]
fn an_image_without_a_name_has_none_and_one_with_a_tag_alone_has_no_repository() {
    let mut tagged = image(1, "amd64", &["app:1"]);
    tagged.references = vec![Reference { familiar: String::new(), full: String::new(), tag: "1".into() }];
    let (members, _) = written(&[image(0, "amd64", &[]), tagged], Format::Auto);
    let index = json_of(&members, "index.json");
    assert_eq!(index["manifests"][0]["annotations"], json!({"own": "kept"}));
    assert_eq!(index["manifests"][1]["annotations"], json!({"own": "kept", "org.opencontainers.image.ref.name": "1"}));
    let entries = json_of(&members, "manifest.json");
    assert_eq!((&entries[0]["RepoTags"], &entries[1]["RepoTags"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_health_check_that_podman_will_not_run_is_named_unless_the_archive_is_dockers() {
    let mut image = image(0, "amd64", &["app:1"]);
    image.docker_healthcheck = true;
    let images = std::slice::from_ref(&image);
    for (format, count) in [(Format::Auto, 1), (Format::Oci, 1), (Format::Docker, 0)] {
        assert_eq!(written(images, format).1.count(WarningKind::Healthcheck), count, "{format:?}");
    }
}

#[test]
fn a_docker_archive_has_nothing_of_oci() {
    let image = image(0, "amd64", &["app:1"]);
    let (members, _) = written(std::slice::from_ref(&image), Format::Docker);
    let config = format!("{}.json", image.config_digest.digest());
    assert_eq!(members.keys().map(String::as_str).collect::<Vec<_>>(), [config.as_str(), "manifest.json"]);
    let layer = format!("{}.tar", image.layers[0].digest.digest());
    assert_eq!(json_of(&members, "manifest.json")[0]["Layers"], json!([layer]));
}

#[test]
fn a_layer_that_is_missing_or_left_over_is_found() {
    let image = image(0, "amd64", &[]);
    let all: BTreeMap<String, u64> = image.layers.iter().map(|layer| (layer.digest.to_string(), layer.size)).collect();
    let images = std::slice::from_ref(&image);
    assert!(account_for(images, &all).is_ok());
    for wrong in [BTreeMap::new(), all.keys().map(|digest| (digest.clone(), 8)).collect()] {
        assert_eq!(account_for(images, &wrong).unwrap_err().kind(), ErrorKind::Integrity);
    }
    assert_eq!(account_for(&[], &all).unwrap_err().kind(), ErrorKind::Integrity);
}
