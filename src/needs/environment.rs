//! What the image's config says that bears on looking things up. In: its variables and its working directory. Out: directories.

use crate::rootfs::RootPath;

/// Where a program is looked up when the config has no PATH, as runc does.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Directories that one variable may name; more are left out.
const DIRECTORIES: usize = 256;

/// Where a container of the image looks for programs and libraries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The directories of `PATH`.
    pub path: Vec<RootPath>,
    /// The directories of `LD_LIBRARY_PATH`.
    pub library_path: Vec<RootPath>,
    /// Where relative paths begin.
    pub working_dir: RootPath,
}

impl Environment {
    /// Reads variables, of which the last one of a name holds. An element that is empty or relative is seen from the working directory.
    pub fn of(variables: &[(String, String)], working_dir: &RootPath) -> Self {
        let value = |name| variables.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let directories = |text: &str, separators: &[char]| -> Vec<RootPath> {
            let parts = text.split(separators).take(DIRECTORIES);
            parts.map(|part| working_dir.link_target(part.as_bytes())).collect()
        };
        let library_path = value("LD_LIBRARY_PATH").filter(|text| !text.is_empty());
        Self {
            path: directories(value("PATH").unwrap_or(DEFAULT_PATH), &[':']),
            // The loader of glibc takes either (ld.so(8)).
            library_path: library_path.map(|text| directories(text, &[':', ';'])).unwrap_or_default(),
            working_dir: working_dir.clone(),
        }
    }
}
