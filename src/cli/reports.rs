//! `--report FILE`: written beside its place and renamed, in the form that its name says.

use super::request::{Request, report_form};
use super::values::ReportForm;
use imgstrip::error::{Error, escape};
use imgstrip::options::{Input, Output};
use imgstrip::report::{Report, html, json, markdown};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Symlinks followed at most; Linux stops at 40.
const SYMLINKS: usize = 40;

/// Refuses, before the run, a report that would take the place of the input or the output, or that has no
/// directory to stand in.
pub(crate) fn check(path: &Path, request: &Request) -> Result<(), Error> {
    report_form(path)?;
    let same = |other: &Path| place(path) == place(other);
    let input = matches!(&request.input, Input::Path(input) if same(input));
    let output = matches!(&request.output, Output::File(output) | Output::Directory(output) if same(output));
    if input || output {
        return Err(Error::usage(format!("--report {} is the input or the output itself", name(path))));
    }
    if path.is_dir() {
        return Err(Error::usage(format!("--report {} is a directory", name(path))));
    }
    if !directory(path).is_dir() {
        return Err(Error::usage(format!("--report {}: there is no such directory", name(path))));
    }
    Ok(())
}

/// Where a path leads, also through a link to what is not there yet: the output is written before the report.
fn place(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..SYMLINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = directory(&path).join(target);
    }
    let directory = fs::canonicalize(directory(&path)).unwrap_or_else(|_| directory(&path).into());
    path.file_name().map_or(directory.clone(), |name| directory.join(name))
}

/// Writes the report.
pub(crate) fn save(path: &Path, report: &Report) -> Result<(), Error> {
    let text = match report_form(path)? {
        ReportForm::Json => json::render(report)?,
        ReportForm::Markdown => markdown::render(report),
        ReportForm::Html => html::render(report),
    };
    write(path, text.as_bytes()).map_err(|error| Error::io(format!("write the report {}", name(path)), error))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A link keeps its place, as for an output: its target is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return fs::OpenOptions::new().write(true).open(&path)?.write_all(bytes); // a pipe or a device
    }
    // The mode that a new file gets: the umask takes from it.
    let mode = Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new().prefix(".imgstrip-").permissions(mode).tempfile_in(directory(&path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn name(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use imgstrip::options::Options;

    #[test]
    fn a_report_takes_the_form_of_its_name_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        for (name, start) in [("a.json", "{"), ("a.md", "# imgstrip"), ("a.html", "<!DOCTYPE html>")] {
            let path = dir.path().join(name);
            fs::write(&path, "old").unwrap();
            save(&path, &Report::default()).unwrap();
            assert!(fs::read_to_string(&path).unwrap().starts_with(start), "{name}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_report_never_takes_the_place_of_an_image() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("in.json");
        fs::write(&image, "x").unwrap();
        let alias = dir.path().join("./in.json");
        let request = |input: &Path| Request {
            input: Input::Path(input.into()),
            output: Output::File(dir.path().join("out.json")),
            options: Options::default(),
        };
        assert!(check(&alias, &request(&image)).is_err());
        assert!(check(&dir.path().join("out.json"), &request(&image)).is_err());
        assert!(check(&dir.path().join("none/a.json"), &request(&image)).is_err());
        assert!(check(&dir.path().join("a.json"), &request(&image)).is_ok());
        let link = dir.path().join("link.json");
        std::os::unix::fs::symlink("out.json", &link).unwrap();
        assert!(check(&link, &request(&image)).is_err(), "a link to the output that is not there yet");
        fs::create_dir(dir.path().join("d.json")).unwrap();
        assert!(check(&dir.path().join("d.json"), &request(&image)).is_err(), "a directory");
    }
}
