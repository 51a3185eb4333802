//! `--strict` makes an error of every class of warnings: exit code 7, and no output.

use crate::image::{config, docker, docker_with, squash, strip};
use crate::lines::layer;
use crate::outer::{LAYER, MANIFEST, Oci, descriptor, named};
use crate::tar::{Raw, archive};
use imgstrip::options::Options;
use imgstrip::rules::{Rules, preset::Selection};
use imgstrip::warning::WarningKind;
use serde_json::{Value, json};

/// An archive that gives a warning of this class.
fn sample(kind: WarningKind) -> Vec<u8> {
    let texts = |layers: &[&str]| docker(&layers.iter().map(|text| layer(text)).collect::<Vec<_>>());
    let with = |change: &dyn Fn(&mut Value)| {
        let layers = [layer("a")];
        let mut config = config(&layers);
        change(&mut config);
        docker_with(&layers, &config)
    };
    match kind {
        WarningKind::SymlinkParent => texts(&["lib -> usr", "lib/x"]),
        WarningKind::SymlinkWhiteout => texts(&["lib -> usr", "lib/.wh.x"]),
        WarningKind::FileParent => texts(&["f", "f/x"]),
        WarningKind::LowerLink => texts(&["a", "b => a"]),
        WarningKind::LinkToWhiteout => texts(&["a", ".wh.a; b => a"]),
        WarningKind::LinkMetadata => texts(&["a; b [0600] => a"]),
        WarningKind::Duplicate => texts(&["a; a"]),
        WarningKind::WhiteoutBesideEntry => texts(&["a", "a; .wh.a"]),
        WarningKind::WhiteoutBesideDirectory => texts(&["d/", ".wh.d; d/"]),
        WarningKind::OpaqueRoot => texts(&["a", ".wh..wh..opq"]),
        WarningKind::WhiteoutParent => texts(&["a", "d/.wh.x"]),
        WarningKind::OddWhiteout => texts(&["a", ".wh.a/"]),
        WarningKind::BaseWhiteout => texts(&["a; .wh.b"]),
        WarningKind::WhiteoutDirectory => texts(&[".wh.d/x"]),
        WarningKind::OverlayWhiteout => texts(&["a", "a char 0:0"]),
        WarningKind::OverlayXattr => texts(&["d/ [trusted.overlay.opaque=y]"]),
        WarningKind::SlashFile => docker(&[archive(&[Raw::new(b"f/", b'0')])]),
        WarningKind::EndMarker => docker(&[layer("a")[..512].to_vec()]),
        WarningKind::TrailingData => docker(&[[layer("a"), vec![b'x'; 512]].concat()]),
        WarningKind::OddMagic => docker(&[archive(&[Raw { magic: *b"ustar\0\0\0", ..Raw::new(b"f", b'0') }])]),
        WarningKind::MediaType => {
            let tar = layer("a");
            let mut oci = Oci::default();
            let one = oci.blob("application/vnd.oci.image.layer.v1.tar+gzip", &tar);
            let image = named(oci.manifest(&config(&[tar]), &[one]));
            oci.archive(&[image])
        }
        WarningKind::Attestation => {
            let mut oci = Oci::default();
            let image = oci.image(&[layer("a")]);
            let mut other = descriptor(MANIFEST, b"gone");
            other["platform"] = json!({"os": "unknown", "architecture": "unknown"});
            other["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
            oci.archive(&[image, other])
        }
        WarningKind::EmptyManifest => {
            let tar = layer("a");
            let mut oci = Oci::default();
            let (config, one) = (config(std::slice::from_ref(&tar)), oci.blob(LAYER, &tar));
            let image = named(oci.manifest(&config, &[]));
            let blob = |digest: &Value| digest.as_str().unwrap().replace("sha256:", "blobs/sha256/");
            let config = descriptor("", config.to_string().as_bytes());
            let (config, layers) = (blob(&config["digest"]), [blob(&one["digest"])]);
            oci.member("manifest.json", &json!([{"Config": config, "RepoTags": ["app:1.0"], "Layers": layers}]));
            oci.archive(&[image])
        }
        WarningKind::ConfigKeys => with(&|config| drop(config.as_object_mut().unwrap().remove("os"))),
        WarningKind::History => with(&|config| config["history"] = json!([{"created_by": "a"}, {"created_by": "b"}])),
        WarningKind::AbsentPlatform | WarningKind::OnePlatform => {
            let mut oci = Oci::default();
            let mut images = Vec::new();
            for (architecture, text) in [("amd64", "a"), ("arm64", "b")] {
                let tar = layer(text);
                let mut config = config(std::slice::from_ref(&tar));
                config["architecture"] = architecture.into();
                let mut image = if kind == WarningKind::AbsentPlatform && architecture == "arm64" {
                    descriptor(MANIFEST, b"gone")
                } else {
                    let one = oci.blob(LAYER, &tar);
                    oci.manifest(&config, &[one])
                };
                image["platform"] = json!({"os": "linux", "architecture": architecture});
                images.push(image);
            }
            let index = json!({"schemaVersion": 2, "mediaType": crate::outer::INDEX, "manifests": images});
            let index = named(oci.document(crate::outer::INDEX, &index));
            oci.archive(&[index])
        }
        WarningKind::Healthcheck => with(&|config| config["config"]["Healthcheck"] = json!({"Test": ["CMD", "true"]})),
        WarningKind::StaleLabel => {
            with(&|config| config["config"]["Labels"] = json!({"org.opencontainers.image.base.name": "debian"}))
        }
        WarningKind::PackageDatabase => texts(&[r"var/lib/dpkg/status = no\x20paragraph"]),
        WarningKind::LostNeed => texts(&[r"bin/true [0755] = #!/bin/dash\n; bin/dash [0755] = x"]),
        WarningKind::CommandNotFound => texts(&["bin/sh [0755] = x"]),
        WarningKind::ComputedCommand => texts(&[r"bin/true [0755] = #!/bin/sh\n$(made)\x20x\n; bin/sh [0755] = x"]),
        WarningKind::UnnamedScript => {
            let layers = [layer(
                r"bin/true [0755] = x; srv/app/other [0755] = #!/bin/odd\n; bin/sh [0755] = x; bin/odd [0755] = x",
            )];
            let mut config = config(&layers);
            config["config"]["WorkingDir"] = "/srv/app".into();
            docker_with(&layers, &config)
        }
        other => panic!("{}: a new class of warnings wants a sample here", other.code()),
    }
}

/// What a run must do so that the class can occur: most occur in any.
fn options(kind: WarningKind) -> Options {
    match kind {
        WarningKind::PackageDatabase => Options::default(),
        WarningKind::LostNeed => {
            let own = Rules::builder().presets(Selection::none()).drop("/bin/dash").unwrap();
            Options { rules: own.build().unwrap(), ..Options::default() }
        }
        WarningKind::CommandNotFound | WarningKind::ComputedCommand | WarningKind::UnnamedScript => {
            Options { only_needed: true, keep_programs: vec!["/bin/sh".into()], ..squash() }
        }
        _ => squash(),
    }
}

#[test]
fn strict_refuses_every_class_of_warnings() {
    for &kind in WarningKind::ALL {
        let strict = Options { strict: true, ..options(kind) };
        let archive = sample(kind);
        let run = strip(&archive, &options(kind)).unwrap_or_else(|error| panic!("{}: {error}", kind.code()));
        assert!(run.warnings().iter().any(|code| code == kind.code()), "{}: {:?}", kind.code(), run.warnings());
        let refused = strip(&archive, &strict).err().unwrap_or_else(|| panic!("{} passes", kind.code()));
        assert_eq!(refused.kind().exit_code(), 7, "{}: {refused}", kind.code());
        assert!(refused.to_string().contains("--strict"), "{refused}");
    }
}

#[test]
fn strict_lets_a_clean_image_pass() {
    let strict = Options { strict: true, ..squash() };
    strip(&docker(&[layer("a/; a/x = 1; l => a/x"), layer("a/.wh.x; b")]), &strict).unwrap();
}
