//! File systems of their own, mounted for a test and gone with it. Needs root and the right to mount.

use crate::skip;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What can be mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    Tmpfs,
    Overlay,
    Ext4,
    Xfs,
    Btrfs,
}

pub const SYSTEMS: [System; 5] = [System::Tmpfs, System::Overlay, System::Ext4, System::Xfs, System::Btrfs];

/// A mounted file system.
pub struct Mount {
    /// Holds the image of the disk, or the layers of an overlay.
    _below: TempDir,
    at: PathBuf,
}

impl Mount {
    /// A file system with room for the tests, where the tools for it are there.
    pub fn new(system: System) -> Option<Self> {
        let below = tempfile::tempdir().unwrap();
        let at = below.path().join("at");
        fs::create_dir(&at).unwrap();
        let mut mount = Command::new("mount");
        match system {
            System::Tmpfs => {
                mount.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]);
            }
            System::Overlay => {
                // An overlay cannot stand on every file system, but on a tmpfs it can.
                let base = below.path().join("base");
                fs::create_dir(&base).unwrap();
                is_done(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&base)).then_some(())?;
                let [lower, upper, work] = ["lower", "upper", "work"].map(|name| base.join(name));
                [&lower, &upper, &work].into_iter().for_each(|directory| fs::create_dir(directory).unwrap());
                let [lower, upper, work] = [lower, upper, work].map(|path| path.display().to_string());
                mount.args([
                    "-t",
                    "overlay",
                    "-o",
                    &format!("lowerdir={lower},upperdir={upper},workdir={work}"),
                    "overlay",
                ]);
            }
            System::Ext4 | System::Xfs | System::Btrfs => {
                let (program, flags, size) = match system {
                    System::Ext4 => ("mkfs.ext4", &["-q", "-F"][..], 64),
                    System::Xfs => ("mkfs.xfs", &["-q", "-f"][..], 320),
                    _ => ("mkfs.btrfs", &["-q", "-f"][..], 128),
                };
                let disk = below.path().join("disk");
                File::create(&disk).unwrap().set_len(size << 20).unwrap();
                is_done(Command::new(program).args(flags).arg(&disk)).then_some(())?;
                mount.args(["-o", "loop"]).arg(disk);
            }
        }
        let made = Self { _below: below, at };
        is_done(mount.arg(&made.at)).then_some(made)
    }

    /// A tmpfs with these options; where it cannot be, the test says so.
    pub fn tmpfs(options: &str) -> Option<Self> {
        let below = tempfile::tempdir().unwrap();
        let at = below.path().join("at");
        fs::create_dir(&at).unwrap();
        let made = Self { _below: below, at };
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&made.at);
        if !is_root() || !is_done(&mut mount) {
            skip("root and the right to mount");
            return None;
        }
        Some(made)
    }

    /// Changes the options of the mount.
    pub fn remount(&self, options: &str) {
        assert!(is_done(Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.at)));
    }

    pub fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A loop device may be busy for a moment; its directory goes first where this fails.
        let _ =
            is_done(Command::new("umount").arg(&self.at)) || is_done(Command::new("umount").arg("-l").arg(&self.at));
        let base = self.at.with_file_name("base");
        if base.exists() {
            is_done(Command::new("umount").arg(base));
        }
    }
}

/// Every file system that can be mounted here, at least tmpfs and overlay; none where the test is to be left out.
pub fn all() -> Vec<(System, Mount)> {
    let mounted: Vec<(System, Mount)> = match is_root() {
        true => SYSTEMS.into_iter().filter_map(|system| Some((system, Mount::new(system)?))).collect(),
        false => Vec::new(),
    };
    // The others want tools that a machine may not have.
    if mounted.len() < 2 {
        skip("root and the right to mount");
        return Vec::new();
    }
    mounted
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Runs a command that may be missing or fail.
fn is_done(command: &mut Command) -> bool {
    command.output().is_ok_and(|ran| ran.status.success())
}
