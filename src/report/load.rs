//! The command that loads the result, to copy from the last line of a run (formats.md, "read by whom").

use super::escape::shell;
use crate::options::{Format, Output};
use std::path::Path;

/// The command that loads what was written; `None` for standard output. `reference` is a name of the result as
/// Docker shows it, if it has one.
pub fn load_command(output: &Output, format: Format, reference: Option<&str>) -> Option<String> {
    match output {
        Output::Stdout => None,
        // Docker's classic store wants `manifest.json`; podman reads both.
        Output::File(path) if format == Format::Oci => Some(format!("podman load -i {}", argument(path))),
        Output::File(path) => Some(format!("docker load -i {}", argument(path))),
        Output::Directory(path) => {
            let directory = bytes(path);
            let directory = directory.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(directory);
            let Some(reference) = reference else { return Some(format!("podman load -i {}", shell(directory))) };
            let tag = reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
            let source = [b"oci:", directory, b":", tag.as_bytes()].concat();
            let target = format!("docker-daemon:{reference}");
            Some(format!("skopeo copy {} {}", shell(&source), shell(target.as_bytes())))
        }
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// A path as an argument; one that begins with a dash must not read as an option.
fn argument(path: &Path) -> String {
    let bytes = bytes(path);
    if bytes.starts_with(b"-") { shell(&[b"./", bytes].concat()) } else { shell(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(output: Output, format: Format, reference: Option<&str>) -> String {
        load_command(&output, format, reference).unwrap_or_default()
    }

    #[test]
    fn each_output_has_a_command_that_its_readers_know() {
        let file = || Output::File("my out.tar".into());
        let directory = || Output::Directory("layout/".into());
        assert_eq!(command(file(), Format::Auto, None), "docker load -i 'my out.tar'");
        assert_eq!(command(file(), Format::Oci, Some("app:1.0")), "podman load -i 'my out.tar'");
        assert_eq!(
            command(directory(), Format::Auto, Some("app:1.0")),
            "skopeo copy oci:layout:1.0 docker-daemon:app:1.0"
        );
        assert_eq!(command(directory(), Format::Auto, None), "podman load -i layout");
        assert_eq!(command(Output::Stdout, Format::Auto, None), "");
        assert_eq!(command(Output::File("-x".into()), Format::Docker, None), "docker load -i ./-x");
    }
}
