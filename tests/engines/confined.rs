//! A large image as nobody and in 256 MiB: no group, no capability, a limit on what the process may allocate, and a cgroup that also counts
//! the cache of the files that it reads and writes, where one can be made.
//!
//! 600 MB of layers, every third one gzip; with `IMGSTRIP_LONG` set 4 GB.

use crate::engine::run;
use crate::layout::hex;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

const MIB: u64 = 1 << 20;
const MEMORY: u64 = 256 * MIB;
/// nobody and nogroup.
const NOBODY: u32 = 65534;
/// Files of a layer, and bytes of each: 100 MB.
const FILES: u32 = 200;
const SIZE: usize = 500_000;

/// A cgroup of our own; removed with this.
struct Fence {
    directory: PathBuf,
    is_v2: bool,
}

impl Fence {
    /// Below, or beside, the cgroup that the test runs in.
    fn make() -> Result<Self, String> {
        let own = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
        let path_of = |is_ours: fn(&str) -> bool| {
            own.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':').skip(1);
                is_ours(parts.next()?).then(|| parts.next().map(str::to_owned)).flatten()
            })
        };
        let v1 = path_of(|controllers| controllers.split(',').any(|name| name == "memory"));
        let (root, path, is_v2) = match v1 {
            Some(path) => ("/sys/fs/cgroup/memory", path, false),
            None => ("/sys/fs/cgroup", path_of(str::is_empty).ok_or("there are no cgroups")?, true),
        };
        let own = Path::new(root).join(path.trim_start_matches('/'));
        // In the second version only a cgroup without processes of its own shares memory out: the one above.
        let places = [own.parent().filter(|_| is_v2 && path != "/"), Some(own.as_path()), Some(Path::new(root))];
        let mut why = String::new();
        for place in places.into_iter().flatten() {
            match Self::make_in(place, is_v2) {
                Ok(fence) => return Ok(fence),
                Err(error) => why = format!("{}: {error}", place.display()),
            }
        }
        Err(why)
    }

    fn make_in(place: &Path, is_v2: bool) -> io::Result<Self> {
        let directory = place.join(format!("imgstrip-test-{}", std::process::id()));
        fs::create_dir(&directory)?;
        let fence = Self { directory, is_v2 };
        let (memory, swap) = if is_v2 {
            ("memory.max", "memory.swap.max")
        } else {
            ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        };
        fs::write(fence.directory.join(memory), MEMORY.to_string())?;
        // A kernel without swap has no such file.
        let _ = fs::write(fence.directory.join(swap), if is_v2 { "0".into() } else { MEMORY.to_string() });
        Ok(fence)
    }

    /// How often the kernel ended a process in it, and the most that it held, in bytes.
    fn told(&self) -> (u64, u64) {
        let read = |name: &str| fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        let (events, peak) = if self.is_v2 {
            ("memory.events", "memory.peak")
        } else {
            ("memory.oom_control", "memory.max_usage_in_bytes")
        };
        let killed = read(events).lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
        (killed.unwrap_or(0), read(peak).trim().parse().unwrap_or(0))
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Bytes that no encoder makes nothing of, and none can leave alone; each file is a piece of them with its number in front.
fn noise() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(2 * SIZE + 64);
    while bytes.len() < 2 * SIZE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // As often text as noise.
        let word = state.to_le_bytes();
        if word[0] & 1 == 0 { bytes.extend(word[..4].repeat(8)) } else { bytes.extend(word) }
    }
    bytes
}

fn layer(number: u32, noise: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::with_capacity((SIZE + 1024) * FILES as usize));
    for file in 0..FILES {
        let mut header = tar::Header::new_ustar();
        header.set_size(SIZE as u64);
        header.set_mode(0o644);
        // The first file of each layer takes the place of that of the one below.
        let name = if file == 0 { "srv/newest".to_owned() } else { format!("srv/{number}/{file}") };
        let seed = number * FILES + file;
        let start = seed as usize * 61 % SIZE;
        let content = [&seed.to_le_bytes()[..], &noise[start..start + SIZE - 4]].concat();
        tar.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// An archive of so many layers, one after the other: no two of them are in memory at once.
fn archive(path: &Path, layers: u32) {
    let mut archive = tar::Builder::new(File::create(path).unwrap());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).unwrap();
    };
    let (mut diff_ids, mut names, noise) = (Vec::new(), Vec::new(), noise());
    for number in 0..layers {
        let mut bytes = layer(number, &noise);
        diff_ids.push(format!("sha256:{}", hex(&bytes)));
        if number % 3 == 2 {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&bytes).unwrap();
            bytes = encoder.finish().unwrap();
        }
        names.push(format!("{number}/layer.tar"));
        add(&format!("{number}/layer.tar"), &bytes);
    }
    let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    add("config.json", config.to_string().as_bytes());
    let manifest = json!([{"Config": "config.json", "RepoTags": ["large:1"], "Layers": names}]);
    add("manifest.json", manifest.to_string().as_bytes());
    archive.finish().unwrap();
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[test]
fn a_large_image_is_squashed_and_verified_by_nobody_in_256_mib() {
    let layers: u32 = if std::env::var_os("IMGSTRIP_LONG").is_some() { 40 } else { 6 };
    // Not in /tmp, which may be memory; and where nobody may go.
    let directory = tempfile::Builder::new().prefix("imgstrip-").tempdir_in("/var/tmp").unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let path = |name: &str| directory.path().join(name);
    archive(&path("in.tar"), layers);
    fs::copy(env!("CARGO_BIN_EXE_imgstrip"), path("imgstrip")).unwrap();
    fs::create_dir(path("own")).unwrap();

    let (mut words, mut fence): (Vec<String>, _) = (Vec::new(), None);
    if is_root() {
        chown(path("own"), Some(NOBODY), Some(NOBODY)).unwrap();
        match Fence::make() {
            Ok(made) => {
                words.extend(["sh", "-c", "echo $$ >\"$0\" && exec \"$@\""].map(str::to_owned));
                words.push(made.directory.join("cgroup.procs").to_str().unwrap().to_owned());
                fence = Some(made);
            }
            Err(why) => drop(writeln!(io::stderr(), "without a cgroup, which cannot be made here: {why}")),
        }
        let nobody =
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
        words.extend(nobody.map(str::to_owned));
    }
    // RLIMIT_DATA, in KiB: all that is allocated, the stacks of threads as well.
    words.extend(["sh", "-c", "ulimit -d \"$0\" && exec \"$@\""].map(str::to_owned));
    words.push((MEMORY / 1024).to_string());
    words.push(path("imgstrip").to_str().unwrap().to_owned());
    let ran = Command::new(&words[0])
        .args(&words[1..])
        .args(["--verify", "--json", "--quiet", "-z", "none", "--temp-dir"])
        .args([path("own"), path("in.tar"), path("own/out.tar")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words:?}: {:?} {said}", ran.status);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let peak = report["peak_memory"].as_u64().unwrap();
    assert!(peak < MEMORY, "{peak}");
    let bytes = u64::from(layers * (FILES - 1) + 1) * SIZE as u64;
    assert_eq!(report["verified"]["bytes"], bytes);
    assert!(fs::metadata(path("own/out.tar")).unwrap().len() > bytes);
    assert_eq!(fs::read_dir(path("own")).unwrap().count(), 1, "nothing but the output");
    let (killed, held) = fence.as_ref().map_or((0, 0), Fence::told);
    assert!(killed == 0 && held <= MEMORY, "{killed} {held}");
    let figures = format!("{bytes} bytes, {peak} of memory at most, {held} with the cache in a cgroup of {MEMORY}");
    let _ = writeln!(io::stderr(), "256 MiB: {figures}");
}
