//! The command line as a value. In: words. Out: [`Command`]. The doc comments are the help: one line a flag.

use super::values::{self, Moment, Percent};
use clap::{Args, Parser, Subcommand, ValueEnum};
use imgstrip::image::Platform;
use imgstrip::options::{Compression, Format, History, KeepBase, Limits, SymlinkParents};
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:    imgstrip in.tar out.tar
             docker save app | imgstrip -p default,tests - - | docker load
Exit codes:  0 good, 1 read or write error, 2 usage, 3 malformed input, 4 wrong digest or size,
             5 unsupported input, 6 limit exceeded, 7 a check not met, 128+n signal n";

/// Columns of the help.
const WIDTH: usize = 100;

/// What stands below the flags: examples, exit codes, and the limits with their defaults.
fn examples() -> String {
    let mut text = format!("{EXAMPLES}\n");
    let mut line = "Limits:     ".to_owned();
    for (name, default, _) in Limits::ALL {
        let limit = format!(" {name}={}", values::shown(*default));
        if line.len().saturating_add(limit.len()) > WIDTH {
            text.extend([&line, "\n"]);
            line = " ".repeat(12);
        }
        line.push_str(&limit);
    }
    text + &line
}

const DIFF_CODES: &str = "\
Images are paired by name, else by place. Layers, history, and keys of a config that describe the build do not count.

Exit codes:  0 equal, 1 different, 2 usage, or read or write error, 3 malformed input, 4 wrong digest or size,
             5 unsupported input, 6 limit exceeded, 128+n signal n";

/// Squash a container image archive into one small layer, and strip what it does not need
#[derive(Debug, Parser)]
#[command(
    name = "imgstrip",
    version,
    after_help = examples(),
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    arg_required_else_help = true,
    max_term_width = WIDTH
)]
pub(crate) struct Command {
    #[command(subcommand)]
    pub(crate) task: Option<Task>,
    #[command(flatten)]
    pub(crate) strip: Strip,
}

/// What to do instead of writing an image. A file that is called like one of these is given as `./rules`.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Show what is inside: layers, waste, and what each preset alone would free
    Inspect(Inspect),
    /// Tell why a path is in the result or is not: layers, package, rule, who needs it
    Explain(Box<Explain>),
    /// Compare the root filesystems and configs of two archives
    #[command(after_help = DIFF_CODES)]
    Diff(Diff),
    /// List the presets, or print one as the TOML to copy and edit
    Rules {
        /// The preset to print
        preset: Option<String>,
    },
    /// Print a completion script
    Completions {
        /// The shell that it is for
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `imgstrip inspect IN`.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The image archive, an OCI layout directory, or '-' for standard input
    pub(crate) input: PathBuf,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `imgstrip explain IN PATH`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The image archive, an OCI layout directory, or '-' for standard input
    pub(crate) input: PathBuf,
    /// The path in the image, from its root
    pub(crate) path: OsString,
    /// Prints JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `imgstrip diff A B`.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The image archive to compare, an OCI layout directory, or '-' for standard input
    pub(crate) a: PathBuf,
    /// The one to compare it with
    pub(crate) b: PathBuf,
    /// Prints JSON, with every difference; without it -v shows more than 200
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) running: Running,
}

/// `imgstrip IN OUT`.
#[derive(Debug, Args)]
pub(crate) struct Strip {
    /// The image archive, an OCI layout directory, or '-' for standard input
    #[arg(required = true)]
    pub(crate) input: Option<PathBuf>,
    /// Where the result goes: a file, '-' for standard output, or DIR/ for an OCI layout
    #[arg(required_unless_present = "dry_run")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) choice: Choice,

    /// Names the result [default: the names that the input has]
    #[arg(short, long, value_name = "REF", help_heading = "What is read and written")]
    pub(crate) tag: Option<String>,
    /// none, gzip[:1-9] or zstd[:1-22][,long] [default: as the input's]
    #[arg(short = 'z', long, value_name = "HOW", value_parser = values::compression, help_heading = "What is read and written")]
    pub(crate) compress: Option<Compression>,
    /// auto (default, every engine reads it), docker or oci
    #[arg(short, long, value_name = "SHAPE", hide_possible_values = true, help_heading = "What is read and written")]
    pub(crate) format: Option<FormatName>,
    /// keep (default, old steps as empty layers), single or drop
    #[arg(long, value_name = "HOW", hide_possible_values = true, help_heading = "What is read and written")]
    pub(crate) history: Option<HistoryName>,
    /// No file is newer: epoch seconds or RFC 3339 [env SOURCE_DATE_EPOCH]
    #[arg(long, value_name = "TIME", value_parser = values::moment, allow_negative_numbers = true, help_heading = "What is read and written")]
    pub(crate) mtime: Option<Moment>,

    /// Decides and reports, writes no image
    #[arg(long, help_heading = "Report and checks")]
    pub(crate) dry_run: bool,
    /// Writes the report to FILE.json, FILE.md or FILE.html
    #[arg(long, value_name = "FILE", value_parser = values::report_path, help_heading = "Report and checks")]
    pub(crate) report: Option<PathBuf>,
    /// Prints the report as JSON on standard output
    #[arg(long, help_heading = "Report and checks")]
    pub(crate) json: bool,
    /// Fails where the written archive is larger, as in 300MB
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "Report and checks")]
    pub(crate) max_size: Option<u64>,
    /// Fails where the layers get smaller by less than so many percent
    #[arg(long, value_name = "PCT", value_parser = values::percent, help_heading = "Report and checks")]
    pub(crate) min_saving: Option<Percent>,
    /// Fails at any warning
    #[arg(long, help_heading = "Report and checks")]
    pub(crate) strict: bool,
    /// Reads the result back and holds it against the input, byte for byte
    #[arg(long, conflicts_with = "dry_run", help_heading = "Report and checks")]
    pub(crate) verify: bool,

    #[command(flatten)]
    pub(crate) running: Running,
}

/// What goes and what stays.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct What {
    /// default, all, none, or names; default,tests adds, default,-docs takes out
    #[arg(short, long, value_name = "LIST", help_heading = "What goes and what stays")]
    pub(crate) preset: Option<String>,
    /// Adds the rules of a file in the format of `imgstrip rules PRESET`
    #[arg(short, long, value_name = "FILE", help_heading = "What goes and what stays")]
    pub(crate) rules: Vec<PathBuf>,
    /// Drops what the glob matches
    #[arg(long, value_name = "GLOB", help_heading = "What goes and what stays")]
    pub(crate) drop: Vec<String>,
    /// Keeps what the glob matches, whatever drops it
    #[arg(long, value_name = "GLOB", help_heading = "What goes and what stays")]
    pub(crate) keep: Vec<String>,
    /// Keeps a program, by name or path, with all it needs
    #[arg(long, value_name = "PROG", help_heading = "What goes and what stays")]
    pub(crate) keep_bin: Vec<String>,
    /// Keeps what the image's command needs, and what --keep names; nothing else
    #[arg(long, conflicts_with = "keep_base", help_heading = "What goes and what stays")]
    pub(crate) only_needed: bool,
    /// Cuts debug sections off ELF files; nothing that is loaded moves
    #[arg(long, help_heading = "What goes and what stays")]
    pub(crate) strip_debug: bool,
    /// Leaves the first N layers as they are, or those of an image
    #[arg(long, value_name = "N|REF", value_parser = values::keep_base, help_heading = "What goes and what stays")]
    pub(crate) keep_base: Option<KeepBase>,
}

/// Which images, and how they are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct Choice {
    /// Only the image with this name, ID or digest [default: every image]
    #[arg(long, value_name = "REF", help_heading = "What is read and written")]
    pub(crate) image: Option<String>,
    /// Only this platform, as in linux/arm64 [default: every platform]
    #[arg(long, value_name = "OS/ARCH", value_parser = values::platform, help_heading = "What is read and written")]
    pub(crate) platform: Option<Platform>,
    /// Entries below a lower symlink: overlay (default), follow or error
    #[arg(long, value_name = "HOW", hide_possible_values = true, help_heading = "What is read and written")]
    pub(crate) symlink_parents: Option<SymlinkParentsName>,
}

/// How it runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Running {
    /// How many threads work [default: one a core]
    #[arg(short = 'j', long, value_name = "N", value_parser = values::threads, help_heading = "How it runs")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Where spill files go [default: the system's]
    #[arg(long, value_name = "DIR", help_heading = "How it runs")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Says nothing but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "How it runs")]
    pub(crate) quiet: bool,
    /// Also shows each rule, digests and times
    #[arg(short, long, help_heading = "How it runs")]
    pub(crate) verbose: bool,
    /// auto (on a terminal), always or never [default: auto]
    #[arg(long, value_name = "WHEN", hide_possible_values = true, help_heading = "How it runs")]
    pub(crate) progress: Option<When>,
    /// Raises or lowers one of the limits below, as in layers=900
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::limit, help_heading = "How it runs")]
    pub(crate) limit: Vec<(String, u64)>,
}

/// When something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum When {
    /// On a terminal.
    #[default]
    Auto,
    Always,
    Never,
}

/// Names on the command line for the values of an option.
macro_rules! names {
    ($(#[$doc:meta] $name:ident => $value:ident { $($word:ident),* })*) => { $(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name { $($word,)* }

        impl From<$name> for $value {
            fn from(name: $name) -> Self {
                match name { $($name::$word => Self::$word,)* }
            }
        }
    )* };
}

names! {
    /// `--format`
    FormatName => Format { Auto, Docker, Oci }
    /// `--history`
    HistoryName => History { Keep, Single, Drop }
    /// `--symlink-parents`
    SymlinkParentsName => SymlinkParents { Overlay, Follow, Error }
}

#[cfg(test)]
#[path = "flags_tests.rs"]
mod tests;
