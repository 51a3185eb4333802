//! Docker: load an archive, show what its images hold, remove them. The classic store is shown through overlayfs,
//! mounted from the layers that Docker unpacked (`docker export` adds and leaves out files); the containerd store
//! through containerd's own mounts.

use crate::containerd::Containerd;
use crate::engine::{Mounted, Turn, reach, run};
use crate::layout::LABEL;
use crate::view::View;
use imgstrip::archive::open;
use imgstrip::options::{Input, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// What is shown for each image, by its name; an image that cannot be unpacked has the reason instead.
pub(crate) type Views = BTreeMap<String, Result<View, String>>;

/// A Docker daemon.
pub(crate) struct Docker {
    /// Its name in the table of what is known.
    pub(crate) name: &'static str,
    client: String,
    host: String,
    containerd: Option<Containerd>,
}

static TURNS: [Mutex<()>; 3] = [const { Mutex::new(()) }; 3];

impl Docker {
    /// Docker 20.10.
    pub(crate) fn docker20() -> Option<Turn<Self>> {
        Self::reach("docker20", &TURNS[0])
    }

    /// Docker 26 with the classic store.
    pub(crate) fn docker26() -> Option<Turn<Self>> {
        Self::reach("docker26", &TURNS[1])
    }

    /// Docker 26 with the containerd store.
    pub(crate) fn docker26c() -> Option<Turn<Self>> {
        Self::reach("docker26c", &TURNS[2])
    }

    fn reach(name: &'static str, turn: &'static Mutex<()>) -> Option<Turn<Self>> {
        let variable = format!("IMGSTRIP_{}", name.to_uppercase());
        reach(name, &variable, turn, |host| {
            let client =
                std::env::var(format!("{variable}_CLIENT")).map_err(|_| format!("{variable}_CLIENT is not set"))?;
            let socket = host
                .strip_prefix("unix://")
                .and_then(|path| Path::new(path).parent())
                .map(|run| run.join("exec/containerd/containerd.sock"));
            let is_containerd = name.ends_with('c');
            let containerd = socket.filter(|_| is_containerd).map(|socket| Containerd::new(&socket, "moby"));
            let docker = Self { name, client, host: host.to_owned(), containerd };
            run(docker.command().arg("version"))?;
            docker.tidy();
            Ok(docker)
        })
    }

    /// Its client, before it is told what to do.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.args(["--host", &self.host]);
        command
    }

    /// Removes what a run that was stopped left behind: Docker unpacks no layer that it has.
    fn tidy(&self) {
        let filter = format!("label={LABEL}");
        let left = run(self.command().args(["image", "ls", "--all", "--quiet", "--filter", &filter])).unwrap();
        if !left.is_empty() {
            let _ = run(self.command().args(["rmi", "--force"]).args(left.split_whitespace()));
        }
    }

    /// Loads an archive, or a layout directory as one; the names of its images, or their IDs where they have none.
    pub(crate) fn load(&self, archive: &Path) -> Result<Vec<String>, String> {
        let text = if archive.is_dir() {
            let packed = tempfile::NamedTempFile::new().unwrap();
            run(Command::new("tar").arg("-cf").arg(packed.path()).arg("-C").arg(archive).arg(".")).unwrap();
            run(self.command().arg("load").arg("--input").arg(packed.path()))?
        } else {
            run(self.command().arg("load").arg("--input").arg(archive))?
        };
        let name = |line: &str| {
            let line = line.strip_prefix("Loaded image")?;
            Some(line.strip_prefix(" ID").unwrap_or(line).strip_prefix(": ")?.trim().to_owned())
        };
        let names: Vec<String> = text.lines().filter_map(name).collect();
        if names.is_empty() { Err(text) } else { Ok(names) }
    }

    /// Removes images and their layers; what is not there is no error.
    pub(crate) fn remove(&self, names: &[String]) {
        let _ = run(self.command().args(["rmi", "--force"]).args(names));
        if let Some(containerd) = &self.containerd {
            containerd.remove(names);
        }
        let format = "{{.Repository}}:{{.Tag}} {{.ID}}";
        let left = run(self.command().args(["image", "ls", "--no-trunc", "--format", format])).unwrap();
        let is_left = |name: &&String| left.split_whitespace().any(|word| word == name.as_str());
        assert_eq!(names.iter().find(is_left), None, "{} keeps an image", self.name);
    }

    /// Loads an archive, shows its images and removes them.
    pub(crate) fn views(&self, archive: &Path) -> Result<Views, String> {
        let names = self.load(archive)?;
        let views = match &self.containerd {
            Some(containerd) => show_platforms(containerd, archive, &names),
            None => self.show(&names),
        };
        self.remove(&names);
        Ok(views)
    }

    fn show(&self, names: &[String]) -> Views {
        let format = "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}";
        let lines = run(self.command().args(["image", "inspect", "--format", format]).args(names)).unwrap();
        names.iter().zip(lines.lines()).map(|(name, line)| (key(name), overlay(line))).collect()
    }
}

fn key(name: &str) -> String {
    if name.starts_with("sha256:") { "untagged".to_owned() } else { name.to_owned() }
}

/// The containerd store keeps every platform of an image, and unpacks each when asked to.
fn show_platforms(containerd: &Containerd, archive: &Path, names: &[String]) -> Views {
    let opened = open(&Input::Path(archive.to_owned()), &Options::default());
    let platforms: BTreeSet<String> =
        opened.iter().flat_map(|archive| &archive.images).map(|image| image.platform.to_string()).collect();
    let mut views = Views::new();
    for name in names {
        let full = containerd.full_name(name);
        if platforms.len() < 2 {
            views.insert(key(name), containerd.view(&full, None));
        }
        for platform in platforms.iter().filter(|_| platforms.len() > 1) {
            views.insert(format!("{} {platform}", key(name)), containerd.view(&full, Some(platform)));
        }
    }
    views
}

/// A mount needs two directories; the second may be empty.
fn overlay(directories: &str) -> Result<View, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        path
    };
    let (empty, at) = (path("empty"), path("at"));
    let directories = directories.trim_end_matches(":<no value>").trim_end_matches(':');
    let mounted = Mounted::overlay(&format!("{directories}:{}", empty.display()), &at)?;
    Ok(View::of(mounted.0))
}
