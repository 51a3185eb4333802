//! containerd through `ctr`: alone, and as Docker's image store. Shows an image through a mount of its snapshot.

use crate::engine::{Turn, reach, run};
use crate::view::View;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A containerd and one of its namespaces.
pub(crate) struct Containerd {
    ctr: String,
    socket: PathBuf,
    namespace: String,
}

static TURN: Mutex<()> = Mutex::new(());

impl Containerd {
    /// The one behind this socket.
    pub(crate) fn new(socket: &Path, namespace: &str) -> Self {
        let ctr = std::env::var("IMGSTRIP_CTR").unwrap_or_else(|_| "ctr".into());
        Self { ctr, socket: socket.to_owned(), namespace: namespace.to_owned() }
    }

    /// The one that runs alone; a namespace of our own holds what we import.
    pub(crate) fn alone() -> Option<Turn<Self>> {
        reach("containerd", "IMGSTRIP_CONTAINERD", &TURN, |socket| {
            let containerd = Self::new(Path::new(socket), "imgstrip-tests");
            run(containerd.command().arg("version"))?;
            Ok(containerd)
        })
    }

    /// How containerd calls what Docker calls `name`: a name that an index gives stays as it stands there.
    pub(crate) fn full_name(&self, name: &str) -> String {
        if self.names().iter().any(|there| there == name) { name.to_owned() } else { full_name(name) }
    }

    fn names(&self) -> Vec<String> {
        run(self.command().args(["images", "ls", "--quiet"])).unwrap().lines().map(str::to_owned).collect()
    }

    /// Removes images; what is not there is no error.
    pub(crate) fn remove(&self, names: &[String]) {
        let there: Vec<String> = self.names().into_iter().filter(|there| names.contains(there)).collect();
        if !there.is_empty() {
            run(self.command().args(["images", "rm", "--sync"]).args(there)).unwrap();
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.ctr);
        command.arg("--address").arg(&self.socket).args(["--namespace", &self.namespace]);
        command
    }

    /// What an image that is there shows; it is unpacked first if need be.
    pub(crate) fn view(&self, image: &str, platform: Option<&str>) -> Result<View, String> {
        let at = tempfile::tempdir().unwrap();
        let mut mount = self.command();
        mount.args(["images", "mount", "--snapshotter", "overlayfs"]);
        if let Some(platform) = platform {
            mount.args(["--platform", platform]);
        }
        let mounted = run(mount.arg(image).arg(at.path()));
        let view = mounted.map(|_| View::of(at.path()));
        let _ = run(self.command().args(["images", "unmount", "--rm"]).arg(at.path()));
        view
    }

    /// Imports an archive, unpacks its image and removes it; what it shows.
    pub(crate) fn import(&self, archive: &Path) -> Result<View, String> {
        let imported = run(self.command().args(["images", "import", "--snapshotter", "overlayfs"]).arg(archive));
        let names = self.names();
        let view = imported.and_then(|text| match names.first() {
            Some(name) => self.view(name, None),
            None => Err(format!("no image: {text}")),
        });
        self.remove(&names);
        view
    }
}

fn full_name(name: &str) -> String {
    match name.split_once('/') {
        _ if name.starts_with("sha256:") => format!("moby-dangling@{name}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}
