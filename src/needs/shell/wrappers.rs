//! Commands that run other commands, and those that run nothing, as tables. In: the name of a command and its arguments. Out: the command
//! behind them.

use super::Word;

/// Built into every shell: a file of the same name is not run.
pub(super) const BUILTIN: &[&[u8]] = &[
    b":",
    b"[",
    b"[[",
    b"alias",
    b"bg",
    b"break",
    b"caller",
    b"cd",
    b"continue",
    b"declare",
    b"dirs",
    b"echo",
    b"exit",
    b"export",
    b"false",
    b"fg",
    b"getopts",
    b"hash",
    b"history",
    b"jobs",
    b"kill",
    b"let",
    b"local",
    b"popd",
    b"printf",
    b"pushd",
    b"pwd",
    b"read",
    b"readarray",
    b"mapfile",
    b"readonly",
    b"return",
    b"set",
    b"shift",
    b"shopt",
    b"test",
    b"times",
    b"trap",
    b"true",
    b"type",
    b"typeset",
    b"ulimit",
    b"umask",
    b"unalias",
    b"unset",
    b"wait",
];

/// A program that runs the command that its arguments name.
struct Wrapper {
    name: &'static [u8],
    /// Options whose value is a word of its own.
    valued: &'static [&'static [u8]],
    /// How many arguments of its own stand before the command.
    own: usize,
}

const fn wrapper(name: &'static [u8], valued: &'static [&'static [u8]], own: usize) -> Wrapper {
    Wrapper { name, valued, own }
}

/// From their manual pages.
const WRAPPERS: &[Wrapper] = &[
    wrapper(b"builtin", &[], 0),
    wrapper(b"catatonit", &[], 0),
    wrapper(
        b"chpst",
        &[b"-u", b"-U", b"-b", b"-e", b"-/", b"-n", b"-l", b"-L", b"-m", b"-d", b"-o", b"-p", b"-f", b"-c"],
        0,
    ),
    wrapper(b"chroot", &[], 1),
    wrapper(b"chrt", &[], 1),
    wrapper(b"command", &[], 0),
    wrapper(b"dumb-init", &[b"-r", b"--rewrite"], 0),
    wrapper(b"env", &[b"-u", b"--unset", b"-C", b"--chdir"], 0),
    wrapper(b"exec", &[b"-a"], 0),
    wrapper(b"flock", &[b"-w", b"--timeout", b"-E"], 1),
    wrapper(b"gosu", &[], 1),
    wrapper(b"ionice", &[b"-c", b"-n"], 0),
    wrapper(b"nice", &[b"-n"], 0),
    wrapper(b"nohup", &[], 0),
    wrapper(b"numactl", &[b"-m", b"-N", b"-C", b"-p", b"-i"], 0),
    wrapper(b"runuser", &[b"-u", b"-g", b"-G", b"-s"], 0),
    wrapper(b"s6-setuidgid", &[], 1),
    wrapper(b"setarch", &[], 1),
    wrapper(b"setpriv", &[b"--reuid", b"--regid", b"--groups"], 0),
    wrapper(b"setsid", &[], 0),
    wrapper(b"stdbuf", &[b"-i", b"-o", b"-e"], 0),
    wrapper(b"su-exec", &[], 1),
    wrapper(b"sudo", &[b"-u", b"-g", b"-C", b"-D", b"-h", b"-p", b"-r", b"-t", b"-T", b"-U"], 0),
    wrapper(b"time", &[b"-f", b"-o"], 0),
    wrapper(b"timeout", &[b"-s", b"--signal", b"-k", b"--kill-after"], 1),
    wrapper(b"tini", &[b"-e", b"-p"], 0),
    wrapper(b"unbuffer", &[], 0),
    wrapper(b"with-contenv", &[], 0),
    wrapper(b"xargs", &[b"-a", b"-d", b"-E", b"-I", b"-L", b"-n", b"-P", b"-s"], 0),
];

/// Shells: `-c` is a text, and the first word that is no option is a script.
pub(crate) const SHELLS: &[&[u8]] = &[b"sh", b"bash", b"dash", b"ash", b"ksh", b"mksh", b"zsh"];

/// Whether an option of a shell has its value in the next word: `-o pipefail`, `-euo pipefail`, `-O extglob`.
pub(crate) fn is_valued_shell_option(option: &[u8]) -> bool {
    option.len() > 1
        && matches!(option.first(), Some(b'-' | b'+'))
        && !option.starts_with(b"--")
        && option.ends_with(b"o")
        || option == b"-O"
}

/// The command that a wrapper of this name runs: what stands behind its options, assignments and own arguments. `None` for what is no wrapper.
pub(super) fn wrapped<'a>(name: &[u8], mut arguments: &'a [Word]) -> Option<&'a [Word]> {
    let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.name == name)?;
    let mut own = wrapper.own;
    while let Some((first, rest)) = arguments.split_first() {
        let bare = first.bare().unwrap_or_default();
        let is_option = bare.starts_with(b"-");
        if !is_option && first.assignment().is_none() {
            match own.checked_sub(1) {
                Some(fewer) => own = fewer,
                None => break,
            }
        }
        arguments = if is_option && wrapper.valued.contains(&bare) { rest.get(1..).unwrap_or_default() } else { rest };
    }
    Some(arguments)
}
