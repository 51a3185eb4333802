//! umoci, which unpacks an OCI layout as root; skopeo makes one from any other archive.

use crate::docker::Views;
use crate::engine::{self, Turn, run};
use crate::view::View;
use imgstrip::archive::{Archive, SourceLayout, open};
use imgstrip::image::Image;
use imgstrip::options::{Input, Options};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// umoci and skopeo.
pub(crate) struct Umoci;

/// Neither has a store: turns are for the processor's sake only.
static TURN: Mutex<()> = Mutex::new(());

impl Umoci {
    /// Both programs; that they may be used is told by any other engine's variable.
    pub(crate) fn reach() -> Option<Turn<Self>> {
        engine::reach("umoci", "IMGSTRIP_ENGINES_DIR", &TURN, |_| {
            run(Command::new("umoci").arg("--version"))?;
            run(Command::new("skopeo").arg("--version"))?;
            Ok(Self)
        })
    }

    /// What one tag of a layout directory shows.
    pub(crate) fn view(layout: &Path, tag: &str) -> Result<View, String> {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        let image = format!("{}:{tag}", layout.display());
        run(Command::new("umoci").args(["raw", "unpack", "--image", &image]).arg(&root))?;
        Ok(View::of(&root))
    }

    /// What each image and platform of an archive shows, by its names and platform.
    pub(crate) fn views(archive: &Path) -> Result<Views, String> {
        let opened = open(&Input::Path(archive.to_owned()), &Options::default()).map_err(|error| error.to_string())?;
        let show = |image: &Image| {
            let mut names: Vec<&str> = image.references.iter().map(|name| name.familiar.as_str()).collect();
            names.sort_unstable();
            let names = if names.is_empty() { "untagged".to_owned() } else { names.join(",") };
            let copy = tempfile::tempdir().unwrap();
            let layout = copy.path().join("layout");
            let view =
                copy_image(&source(archive, &opened, image), image, &layout).and_then(|()| Self::view(&layout, "it"));
            (format!("{names} {}", image.platform), view)
        };
        Ok(opened.images.iter().map(show).collect())
    }
}

fn copy_image(source: &str, image: &Image, layout: &Path) -> Result<(), String> {
    let mut copy = Command::new("skopeo");
    copy.args(["--override-os", &image.platform.os, "--override-arch", &image.platform.architecture]);
    run(copy.args(["copy", "--quiet", source]).arg(format!("oci:{}:it", layout.display()))).map(drop)
}

/// How skopeo calls an image: by its place in `manifest.json`, or by its tag where only an index can tell platforms.
fn source(path: &Path, archive: &Archive, image: &Image) -> String {
    let groups: BTreeSet<usize> = archive.images.iter().map(|image| image.group).collect();
    let by_place = archive.source_layout == SourceLayout::Docker
        || (archive.source_layout == SourceLayout::Hybrid && groups.len() == archive.images.len());
    let path = path.display();
    if by_place {
        return format!("docker-archive:{path}:@{}", image.group);
    }
    let kind = if Path::new(&path.to_string()).is_dir() { "oci" } else { "oci-archive" };
    let names = index_names(Path::new(&path.to_string()));
    match names.get(image.group).cloned().flatten() {
        Some(name) => format!("{kind}:{path}:{name}"),
        None => format!("{kind}:{path}"),
    }
}

/// What `index.json` calls each of its entries.
fn index_names(path: &Path) -> Vec<Option<String>> {
    let bytes = if path.is_dir() {
        std::fs::read(path.join("index.json")).unwrap()
    } else {
        run(Command::new("tar").arg("-xOf").arg(path).arg("index.json")).unwrap().into_bytes()
    };
    let index: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let name = |entry: &serde_json::Value| {
        Some(entry["annotations"]["org.opencontainers.image.ref.name"].as_str()?.to_owned())
    };
    index["manifests"].as_array().unwrap().iter().map(name).collect()
}
