//! What a container of an image runs, read from its config: the words of its command, where they are looked up,
//! and the paths that the config names.
//!
//! In: the config as JSON and the root filesystem. Out: paths. Never a look at a file's content.

use crate::needs::{DEFAULT_PATH, Start};
use crate::rootfs::{RootPath, Tree};
use serde_json::Value;

/// What the config says about running the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Entrypoint, command and health check, word by word; the text of a `sh -c` is split into its words as well.
    pub words: Vec<String>,
    /// `Entrypoint`, as an argument list.
    pub entrypoint: Vec<String>,
    /// `Cmd`, likewise.
    pub cmd: Vec<String>,
    /// What the health check runs, likewise; of `CMD-SHELL` with the shell before the text.
    pub healthcheck: Vec<String>,
    /// `User`; empty for root.
    pub user: String,
    /// The variables of `Env`, in order.
    pub env: Vec<(String, String)>,
    /// `WorkingDir`; the root where there is none.
    pub working_dir: RootPath,
    /// The mount points of `Volumes`.
    pub volumes: Vec<RootPath>,
}

impl Command {
    /// Reads a config; keys that are missing or of another type say nothing.
    pub fn of(config: &Value) -> Self {
        let at = |pointer| config.pointer(pointer).unwrap_or(&Value::Null);
        let (entrypoint, cmd) = (strings(at("/config/Entrypoint")), strings(at("/config/Cmd")));
        let mut words = [entrypoint.clone(), cmd.clone()].concat();
        // The first word of a health check is CMD or CMD-SHELL, or NONE alone.
        words.extend(strings(at("/config/Healthcheck/Test")).into_iter().skip(1));
        let inner: Vec<String> =
            words.iter().filter(|word| word.contains(char::is_whitespace)).flat_map(|text| shell_words(text)).collect();
        words.extend(inner);
        let env = strings(at("/config/Env"));
        let env = env.iter().filter_map(|variable| variable.split_once('='));
        let volumes = at("/config/Volumes").as_object().into_iter().flat_map(|volumes| volumes.keys());
        Self {
            words,
            entrypoint,
            cmd,
            healthcheck: healthcheck(strings(at("/config/Healthcheck/Test")), strings(at("/config/Shell"))),
            user: at("/config/User").as_str().unwrap_or_default().into(),
            env: env.map(|(name, value)| (name.into(), value.into())).collect(),
            working_dir: RootPath::clamped(at("/config/WorkingDir").as_str().unwrap_or_default().as_bytes()),
            volumes: volumes.map(|volume| RootPath::clamped(volume.as_bytes())).collect(),
        }
    }

    /// The same for the ring that follows what the command needs.
    pub fn start(&self) -> Start {
        let words = |words: &[String]| words.iter().map(|word| word.as_bytes().into()).collect();
        Start {
            entrypoint: words(&self.entrypoint),
            cmd: words(&self.cmd),
            healthcheck: words(&self.healthcheck),
            env: self.env.iter().map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into())).collect(),
            working_dir: self.working_dir.clone(),
            user: self.user.as_bytes().into(),
            volumes: self.volumes.clone(),
        }
    }

    /// The value of a variable; the last one of a name holds.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The files of the image that the words name, as they are spelled: a word with a slash from the working
    /// directory, any other in each directory of PATH and in the working directory.
    pub fn files(&self, tree: &Tree, hops: u64) -> Vec<RootPath> {
        let path = self.variable("PATH").unwrap_or(DEFAULT_PATH);
        let mut files = Vec::new();
        for word in &self.words {
            let here = self.working_dir.link_target(word.as_bytes());
            let mut candidates = vec![here];
            if !word.contains('/') {
                candidates.extend(
                    path.split(':').map(|directory| RootPath::clamped(format!("{directory}/{word}").as_bytes())),
                );
            }
            let is_file =
                |path: &RootPath| tree.resolve(path, true, hops).is_some_and(|(_, node)| !tree.is_directory(node));
            files.extend(candidates.into_iter().filter(is_file));
        }
        files.sort();
        files.dedup();
        files
    }
}

/// The argument list of a health check: `CMD` is followed by one, `CMD-SHELL` by a text for the image's shell, `NONE` by nothing.
fn healthcheck(mut test: Vec<String>, shell: Vec<String>) -> Vec<String> {
    if test.is_empty() {
        return test;
    }
    let rest = test.split_off(1);
    match test.first().map(String::as_str) {
        Some("CMD") => rest,
        Some("CMD-SHELL") if shell.is_empty() => [vec!["/bin/sh".into(), "-c".into()], rest].concat(),
        Some("CMD-SHELL") => [shell, rest].concat(),
        _ => Vec::new(),
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(Into::into).collect(),
        _ => Vec::new(),
    }
}

/// The words of a shell text, its operators taken as spaces; a text that no shell would read is split at spaces.
fn shell_words(text: &str) -> Vec<String> {
    let spaced: String = text.chars().map(|c| if ";|&()<>\n`".contains(c) { ' ' } else { c }).collect();
    shlex::split(&spaced).unwrap_or_else(|| spaced.split_whitespace().map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SymlinkParents;
    use crate::rootfs::{Merge, text};
    use serde_json::json;

    #[test]
    fn the_words_of_a_shell_text_are_looked_up_on_path_and_in_the_working_directory() {
        let config = json!({"config": {
            "Cmd": ["sh", "-c", "cd /x && exec ./serve --port 80|tee 'a log'"],
            "Env": ["PATH=/opt/bin", "PATH=/bin"],
            "WorkingDir": "/app",
            "Volumes": {"/data/": {}},
        }});
        let command = Command::of(&config);
        let mut merge = Merge::new(SymlinkParents::Overlay, 40);
        merge.add(&text::upper("bin/sh -> dash\nbin/dash = x\napp/serve = y\nopt/bin/tee = z\n").unwrap()).unwrap();
        let files = command.files(&merge.finish().tree, 40);
        assert_eq!(files.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/app/serve", "/bin/sh"]);
        assert_eq!(command.volumes, [RootPath::clamped(b"data")]);
    }

    #[test]
    fn each_argument_list_stays_apart() {
        let check = |test: Value| {
            let config = json!({"config": {"Entrypoint": "/a", "Cmd": ["b", "c d"], "User": "u", "Healthcheck": {"Test": test}}});
            let start = Command::of(&config).start();
            assert_eq!((start.entrypoint, start.cmd.len(), &*start.user), (vec![b"/a"[..].into()], 2, &b"u"[..]));
            start.healthcheck.iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(check(json!(["CMD", "x", "y"])), ["x", "y"]);
        assert_eq!(check(json!(["CMD-SHELL", "x && y"])), ["/bin/sh", "-c", "x && y"]);
        assert_eq!(check(json!(["NONE"])), Vec::<String>::new());
    }

    #[test]
    fn a_config_that_says_nothing_names_nothing() {
        assert_eq!(Command::of(&json!({"config": null})), Command::default());
        assert_eq!(Command::of(&json!({"config": {"Cmd": 7, "Env": "x"}})).words, Vec::<String>::new());
    }
}
