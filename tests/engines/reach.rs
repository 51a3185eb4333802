//! What a run asks of the system, call by call: no socket, no other program, nothing read but what it was given, nothing written but the
//! output, temporary files and what it says.
//!
//! strace writes a file for each thread. Every call has to be of a kind that is listed here, and every path that it names, or whose
//! descriptor it uses, has to be one that the run may read or write; what is not known is an offence.

use crate::engine::{optional, run};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Calls that name no file and reach nobody: memory, threads, signals, time, the process itself.
const INWARD: &str = "arch_prctl brk clock_getres clock_gettime clock_nanosleep close dup exit exit_group fcntl futex get_robust_list getcwd \
    getpid getrandom getrlimit gettid ioctl lseek _llseek madvise membarrier mmap mmap2 mprotect mremap munmap nanosleep pipe2 poll ppoll prctl \
    prlimit64 restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield set_robust_list \
    set_tid_address sigaltstack sysinfo ugetrlimit uname";
/// Calls that read from a descriptor, or ask about it.
const READ: &str = "fadvise64 fstat fstatfs getdents64 pread64 preadv read readv statfs";
/// Calls that write to a descriptor, or change what it leads to.
const WRITE: &str = "fallocate fchmod fdatasync fsync ftruncate pwrite64 pwritev sync_file_range write writev";
/// Calls that ask about a path.
const LOOK: &str = "access faccessat faccessat2 lstat newfstatat fstatat64 readlink readlinkat stat statx";
/// Calls that change a path.
const CHANGE: &str = "chmod fchmodat mkdir mkdirat rename renameat renameat2 rmdir unlink unlinkat";

/// What every process reads that is started here, and why.
const ALWAYS: &[&str] = &[
    "/etc/ld.so.", // the loader looks libraries up
    "/lib/",       // the libraries: libc, libm, libgcc
    "/lib64/",
    "/usr/lib/",
    "/usr/lib64/",
    "/proc/self/maps",                // libc asks where the stack of the first thread ends
    "/proc/sys/vm/overcommit_memory", // libc's malloc, before it gives memory back
    "/proc/self/cgroup",              // how many threads a run may have: std::thread::available_parallelism
    "/proc/self/mountinfo",
    "/sys/fs/cgroup/",
    "/sys/devices/system/cpu",
    "/proc/self/status", // how much memory the report says that it took
];

/// What one run may reach beside that.
#[derive(Debug, Default, Clone)]
struct Allowed {
    /// Files, and directories with all that is in them.
    read: Vec<PathBuf>,
    /// Paths, and what begins like them.
    write: Vec<PathBuf>,
    /// Where unlinked files may be.
    temp: PathBuf,
    /// Where the run begins.
    here: PathBuf,
}

/// One call: its name, its line, the paths that stand in it, and those of its descriptors.
#[derive(Debug)]
struct Call<'a> {
    name: &'a str,
    line: &'a str,
    texts: Vec<&'a str>,
    descriptors: Vec<&'a str>,
}

impl<'a> Call<'a> {
    /// `None` for lines that tell of signals and of the end.
    fn parse(line: &'a str) -> Option<Self> {
        if line.starts_with("+++") || line.starts_with("---") || line.trim().is_empty() {
            return None;
        }
        let (name, rest) = line.split_once('(')?;
        let texts = rest.split('"').skip(1).step_by(2).collect();
        // `5</a/path>`, `1<pipe:[77]>`, `AT_FDCWD</a>`; not `<unfinished ...>`, and what is quoted is data.
        let mut descriptors = Vec::new();
        for part in rest.split('"').step_by(2) {
            for (at, _) in part.match_indices('<') {
                let is_descriptor = part[..at].ends_with(|c: char| c.is_ascii_digit() || c == 'D');
                descriptors.extend(part[at + 1..].split_once('>').filter(|_| is_descriptor).map(|(path, _)| path));
            }
        }
        Some(Self { name, line, texts, descriptors })
    }

    fn is(&self, list: &str) -> bool {
        list.split_whitespace().any(|name| name == self.name)
    }
}

impl Allowed {
    fn reads(&self, path: &str) -> bool {
        ALWAYS.iter().any(|start| own(path).starts_with(start))
            || self.read.iter().any(|allowed| Path::new(path).starts_with(allowed))
            // On the way to a place everything above it is looked at, too.
            || self.read.iter().chain(&self.write).chain([&self.temp]).any(|allowed| allowed.starts_with(path))
            || self.writes(path)
    }

    fn writes(&self, path: &str) -> bool {
        let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
        self.write.iter().any(|allowed| path.starts_with(&text(allowed))) || self.is_temp(path)
    }

    /// An unlinked file, as `O_TMPFILE` makes them.
    fn is_temp(&self, path: &str) -> bool {
        path.starts_with(&format!("{}/#", self.temp.display()))
    }

    /// Standard streams, and the pipe that signals come through.
    fn is_stream(path: &str) -> bool {
        path.starts_with("pipe:[") || path.starts_with("/dev/null")
    }

    fn offence(&self, call: &Call<'_>, is_first: bool) -> Option<String> {
        let foreign = |list: &[&str], may: &dyn Fn(&str) -> bool| {
            list.iter().find(|path| !may(path)).map(|path| format!("{path} in"))
        };
        let stream_or = |path: &str, allowed: bool| allowed || Self::is_stream(path);
        if call.is(INWARD) {
            return None;
        }
        if call.is(READ) {
            return foreign(&call.descriptors, &|path| stream_or(path, self.reads(path)));
        }
        if call.is(WRITE) {
            // The directory of the output is synced, too.
            let synced = |path: &str| {
                call.name == "fsync" && self.write.iter().any(|allowed| allowed.parent() == Some(Path::new(path)))
            };
            return foreign(&call.descriptors, &|path| stream_or(path, self.writes(path) || synced(path)));
        }
        if call.is(LOOK) {
            // The result of readlink is a text as well, and no path that is asked for.
            let asked = if call.name.starts_with("readlink") { &call.texts[..1] } else { &call.texts[..] };
            return foreign(asked, &|path| path.is_empty() || self.reads(&self.absolute(path, call)));
        }
        if call.is(CHANGE) {
            return foreign(&call.texts, &|path| self.writes(&self.absolute(path, call)));
        }
        match call.name {
            "open" | "openat" | "openat2" => {
                let changes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|flag| call.line.contains(flag));
                let is_temp = call.line.contains("O_TMPFILE");
                foreign(&call.texts, &|path| match (is_temp, changes) {
                    (true, _) => Path::new(path) == self.temp,
                    (_, true) => self.writes(&self.absolute(path, call)),
                    _ => self.reads(&self.absolute(path, call)),
                })
            }
            "clone" | "clone3" if call.line.contains("CLONE_THREAD") => None,
            "execve" if is_first => None,
            // signal-hook asks in this way whether it was given a socket; it is a pipe.
            "sendto" if call.line.ends_with("ENOTSOCK (Socket operation on non-socket)") => None,
            _ => Some("a call that is not known:".into()),
        }
    }

    /// A path as it is seen from the root; relative ones begin where the descriptor before them leads.
    fn absolute(&self, path: &str, call: &Call<'_>) -> String {
        let from = call.descriptors.first().map_or(self.here.as_path(), Path::new);
        from.join(path).to_str().unwrap().to_owned()
    }

    /// What a trace shows that it should not.
    fn offences(&self, threads: &[String]) -> Vec<String> {
        let mut found = Vec::new();
        for (thread, text) in threads.iter().enumerate() {
            for (number, call) in text.lines().filter_map(Call::parse).enumerate() {
                let why = self.offence(&call, (thread, number) == (0, 0));
                found.extend(why.map(|why| format!("{why} {}", call.line)));
            }
        }
        found
    }
}

/// `/proc/77/maps` as `/proc/self/maps`: a process sees nothing of others there.
fn own(path: &str) -> String {
    match path.strip_prefix("/proc/").and_then(|rest| rest.split_once('/')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("/proc/self/{rest}"),
        _ => path.to_owned(),
    }
}

/// Whether strace is there and may trace; said aloud where it is not.
fn strace() -> Option<()> {
    let directory = tempfile::tempdir().unwrap();
    let tried = run(Command::new("strace").arg("-o").arg(directory.path().join("trace")).arg("true"));
    optional("strace", tried.map(drop))
}

/// A place to run in: input, rules, output and temporary files each in a directory of their own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for directory in ["in", "out", "temp", "trace"] {
            fs::create_dir(place.path(directory)).unwrap();
        }
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/demo/demo.tar.gz");
        fs::copy(demo, place.path("in/demo.tar.gz")).unwrap();
        fs::write(place.path("in/bad.tar"), "no tar").unwrap();
        let rules = "summary = \"s\"\n[[rule]]\nname = \"n\"\nreason = \"r\"\ndrop = [\"/usr/share/**\"]\n";
        fs::write(place.path("in/own.toml"), rules).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    /// Runs the program under strace; the calls of each thread, the first one first. `stdin` is a file of `in`.
    fn trace(&self, words: &[&str], stdin: Option<&str>) -> (Option<i32>, Vec<String>) {
        let traces = self.path("trace");
        for old in fs::read_dir(&traces).unwrap() {
            fs::remove_file(old.unwrap().path()).unwrap();
        }
        let stdin = stdin.map_or(Stdio::null(), |name| File::open(self.path("in").join(name)).unwrap().into());
        let task = usize::from(["inspect", "explain", "diff"].contains(&words[0]));
        let status = Command::new("strace")
            // Of data nothing is shown, of names of files all.
            .args(["-ff", "-qq", "-y", "-s", "0", "-o"])
            .arg(traces.join("calls"))
            .arg(env!("CARGO_BIN_EXE_imgstrip"))
            .args(&words[..task])
            .arg("--temp-dir")
            .arg(self.path("temp"))
            .args(&words[task..])
            .current_dir(self.path(""))
            // cargo test tells the loader of directories of its own.
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(stdin)
            .output()
            .unwrap();
        let mut files: Vec<(u64, PathBuf)> = fs::read_dir(&traces)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.extension().unwrap().to_str().unwrap().parse().unwrap(), path))
            .collect();
        files.sort();
        let threads = files.into_iter().map(|(_, path)| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
        (status.status.code(), threads.collect())
    }
}

/// Runs with words after the program's own; its output and report go to `out`.
fn reaches(words: &[&str], stdin: Option<&str>, reads: &[&str], writes: &[&str], code: i32) {
    if strace().is_none() {
        return;
    }
    let place = Place::new();
    let paths = |names: &[&str]| names.iter().map(|name| place.path(name)).collect();
    let allowed = Allowed { read: paths(reads), write: paths(writes), temp: place.path("temp"), here: place.path("") };
    let (ended, threads) = place.trace(words, stdin);
    assert_eq!(ended, Some(code), "{words:?}");
    let offences = allowed.offences(&threads);
    let mut shown = String::new();
    for offence in offences.iter().take(20) {
        let _ = writeln!(shown, "{}", offence.chars().take(300).collect::<String>());
    }
    assert!(offences.is_empty(), "{words:?}:\n{shown}");
    // The trace is whole: it shows the input being read, and the output being put in its place.
    let calls: BTreeSet<&str> =
        threads.iter().flat_map(|text| text.lines()).filter_map(|line| Some(line.split_once('(')?.0)).collect();
    assert!(calls.contains("execve") && (calls.contains("pread64") || calls.contains("read")), "{calls:?}");
    let renames = writes.iter().any(|name| !name.contains("imgstrip")) && code == 0;
    assert_eq!(calls.iter().any(|name| name.starts_with("rename")), renames, "{calls:?}");
}

#[test]
fn a_run_reads_its_input_and_writes_its_output() {
    reaches(
        &["in/demo.tar.gz", "out/out.tar"],
        None,
        &["in/demo.tar.gz"],
        &["out/out.tar", "out/.out.tar.imgstrip-"],
        0,
    );
}

#[test]
fn rules_are_read_and_a_report_is_written_where_they_were_named() {
    let words =
        ["--verify", "--rules", "in/own.toml", "--report", "out/r.json", "-z", "gzip", "in/demo.tar.gz", "out/out.tar"];
    let writes = ["out/out.tar", "out/.out.tar.imgstrip-", "out/r.json", "out/.imgstrip-"];
    reaches(&words, None, &["in/demo.tar.gz", "in/own.toml"], &writes, 0);
}

#[test]
fn keep_mode_and_stripping_run_no_program_of_the_image() {
    let words = ["--only-needed", "--strip-debug", "--preset", "all", "in/demo.tar.gz", "out/layout/"];
    reaches(&words, None, &["in/demo.tar.gz"], &["out/layout", "out/.layout.imgstrip-"], 0);
}

#[test]
fn a_run_between_pipes_has_temporary_files_alone() {
    reaches(&["--verify", "-", "-"], Some("demo.tar.gz"), &["in/demo.tar.gz"], &[], 0);
}

#[test]
fn a_look_inside_writes_nothing() {
    reaches(&["inspect", "in/demo.tar.gz"], None, &["in/demo.tar.gz"], &[], 0);
    reaches(&["explain", "in/demo.tar.gz", "/usr/bin"], None, &["in/demo.tar.gz"], &[], 0);
    reaches(&["diff", "in/demo.tar.gz", "in/demo.tar.gz"], None, &["in/demo.tar.gz"], &[], 0);
}

#[test]
fn a_run_that_fails_reaches_no_further() {
    reaches(&["in/bad.tar", "out/out.tar"], None, &["in/bad.tar"], &[], 3);
}

#[test]
fn what_a_run_must_not_do_is_seen_in_a_trace() {
    let allowed = Allowed {
        read: vec!["/in/a.tar".into()],
        write: vec!["/out/o.tar".into()],
        temp: "/temp".into(),
        here: "/in".into(),
    };
    let seen = |line: &str| {
        allowed.offences(&["execve(\"/bin/imgstrip\", [], 0x7 /* 3 vars */) = 0".into(), line.into()]).len()
    };
    for bad in [
        "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3",
        "socketpair(AF_UNIX, SOCK_STREAM, 0, [3<socket:[1]>, 4<socket:[2]>]) = 0",
        "connect(3<socket:[1]>, {sa_family=AF_INET}, 16) = 0",
        "sendto(3<socket:[1]>, \"x\", 1, 0, NULL, 0) = 1",
        "execve(\"/bin/sh\", [\"sh\"], 0x7 /* 3 vars */) = 0",
        "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 7",
        "vfork() = 7",
        "openat(AT_FDCWD</in>, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>",
        "openat(AT_FDCWD</in>, \"b.tar\", O_RDONLY|O_CLOEXEC) = 3</in/b.tar>",
        "openat(AT_FDCWD</>, \"/in/a.tar\", O_RDWR|O_CLOEXEC) = 3</in/a.tar>",
        "openat(AT_FDCWD</>, \"/tmp\", O_RDWR|O_CLOEXEC|O_TMPFILE, 0600) = 3</tmp/#1>(deleted)",
        "openat(AT_FDCWD</>, \"/out/p.tar\", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3</out/p.tar>",
        "write(3</in/a.tar>, \"x\", 1) = 1",
        "unlink(\"/in/a.tar\") = 0",
        "rename(\"/out/o.tar\", \"/in/a.tar\") = 0",
        "read(3</root/.netrc>, \"x\", 1) = 1",
        "mount(\"a\", \"b\", \"c\", 0, NULL) = 0",
    ] {
        assert_eq!(seen(bad), 1, "{bad}");
    }
    for good in [
        "openat(AT_FDCWD</in>, \"a.tar\", O_RDONLY|O_CLOEXEC) = 3</in/a.tar>",
        "openat(AT_FDCWD</>, \"/temp\", O_RDWR|O_CLOEXEC|O_TMPFILE, 0600) = 3</temp/#1>(deleted)",
        "pwrite64(3</temp/#1>(deleted), \"/etc/passwd\", 11, 0) = 11",
        "write(2<pipe:[7]>, \"a < b > c\", 9) = 9",
        "openat(AT_FDCWD</>, \"/proc/self/status\", O_RDONLY|O_CLOEXEC) = 3</proc/77/status>",
        "read(3</proc/77/status>, \"x\", 1) = 1",
        "+++ exited with 0 +++",
    ] {
        assert_eq!(seen(good), 0, "{good}");
    }
}
