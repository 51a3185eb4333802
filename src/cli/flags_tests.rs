use super::*;
use clap::CommandFactory;

fn strip(words: &[&str]) -> Result<Strip, clap::Error> {
    let words = std::iter::once("imgstrip").chain(words.iter().copied());
    Command::try_parse_from(words).map(|command| command.strip)
}

/// The flags of a good call, beside `in out`.
fn with(words: &[&str]) -> Strip {
    strip(&[&["in", "out"], words].concat()).unwrap()
}

#[test]
fn the_command_is_well_formed() {
    Command::command().debug_assert();
}

#[test]
fn help_fits_one_screen_and_each_flag_one_line() {
    for word in ["-h", "--help"] {
        let asked = Command::command().term_width(100).try_get_matches_from(["imgstrip", word]);
        let help = asked.unwrap_err().render().to_string();
        let lines: Vec<&str> = help.lines().collect();
        assert!(lines.len() <= 66, "{} lines\n{help}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 100), "{help}");
        // A flag whose help runs on has a line that begins below the help's column.
        assert!(!lines.iter().any(|line| line.starts_with(&" ".repeat(20))), "{help}");
        for (name, ..) in Limits::ALL {
            assert!(help.contains(&format!(" {name}=")), "{name} is not in\n{help}");
        }
        for argument in Command::command().get_arguments().filter(|argument| !argument.is_positional()) {
            let flag = format!("--{}", argument.get_long().unwrap());
            let told = |line: &&&str| line.trim_start().starts_with('-') && line.contains(&flag);
            let line = lines.iter().find(told).unwrap_or_else(|| panic!("{flag} is not in\n{help}"));
            assert!(line.split("  ").filter(|part| !part.is_empty()).count() >= 2, "{line}");
        }
    }
}

#[test]
fn input_and_output_are_needed() {
    assert!(strip(&["in"]).is_err() && strip(&["in", "out", "x"]).is_err());
    let flags = strip(&["in", "--dry-run"]).unwrap();
    assert!(flags.dry_run && flags.output.is_none());
    let flags = strip(&["-", "-"]).unwrap();
    assert_eq!((flags.input.unwrap().as_os_str(), flags.output.unwrap().as_os_str()), ("-".as_ref(), "-".as_ref()));
}

#[test]
fn a_file_may_be_called_like_a_task() {
    assert!(matches!(Command::try_parse_from(["imgstrip", "rules"]).unwrap().task, Some(Task::Rules { preset: None })));
    let command = Command::try_parse_from(["imgstrip", "./rules", "rules"]).unwrap();
    assert!(command.task.is_none());
    assert_eq!(command.strip.output.unwrap().as_os_str(), "rules");
    assert!(Command::try_parse_from(["imgstrip", "--strict", "rules"]).is_err());
}

#[test]
fn rules_may_be_given_many_times_and_in_any_order() {
    let flags = with(&["--keep", "/a", "-p", "default,-docs", "--drop", "/b", "-r", "x.toml", "--keep", "/c"]);
    assert_eq!(flags.what.preset.as_deref(), Some("default,-docs"));
    assert_eq!((flags.what.keep, flags.what.drop), (vec!["/a".into(), "/c".into()], vec!["/b".into()]));
    assert_eq!(flags.what.rules, [PathBuf::from("x.toml")]);
}

#[test]
fn each_flag_reaches_its_field() {
    let flags = with(&["--image", "app", "--platform", "linux/arm64", "-t", "b:1", "-z", "zstd:19", "-f", "oci"]);
    assert_eq!((flags.choice.image.as_deref(), flags.tag.as_deref()), (Some("app"), Some("b:1")));
    assert_eq!(flags.choice.platform.unwrap().architecture, "arm64");
    assert_eq!(
        (flags.compress, flags.format),
        (Some(Compression::Zstd { level: Some(19), long: false }), Some(FormatName::Oci))
    );

    let flags = with(&["--history", "single", "--mtime", "-1", "--symlink-parents", "follow", "--keep-base", "2"]);
    assert_eq!((flags.history, flags.mtime), (Some(HistoryName::Single), Some(-1)));
    assert_eq!(flags.choice.symlink_parents, Some(SymlinkParentsName::Follow));
    assert_eq!(flags.what.keep_base, Some(KeepBase::Layers(2)));

    let flags =
        with(&["--dry-run", "--report", "r.md", "--json", "--max-size", "1GB", "--min-saving", "5", "--strict"]);
    assert!(flags.dry_run && flags.json && flags.strict);
    assert_eq!(
        (flags.report.unwrap(), flags.max_size, flags.min_saving),
        ("r.md".into(), Some(1_000_000_000), Some(5.0))
    );

    let running = with(&["-j", "3", "--temp-dir", "/t", "-v", "--progress", "never", "--limit", "layers=9"]).running;
    assert_eq!((running.threads.map(usize::from), running.temp_dir.unwrap()), (Some(3), "/t".into()));
    assert!(running.verbose && !running.quiet && running.progress == Some(When::Never));
    assert_eq!(running.limit, [("layers".to_owned(), 9)]);
    assert!(with(&["-q"]).running.quiet);
}

#[test]
fn a_value_that_makes_no_sense_is_refused() {
    let wrong: &[&[&str]] = &[
        &["-j", "0"],
        &["-z", "xz"],
        &["-f", "tar"],
        &["--history", "some"],
        &["--mtime", "now"],
        &["--platform", "linux"],
        &["--report", "r.txt"],
        &["--max-size", "big"],
        &["--min-saving", "101"],
        &["--progress", "maybe"],
        &["--limit", "jokes=1"],
        &["--symlink-parents", "no"],
        &["-q", "-v"],
        &["-t", "a", "-t", "b"],
    ];
    for words in wrong {
        let error = strip(&[&["in", "out"], *words].concat()).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{words:?}");
    }
}

#[test]
fn inspect_and_diff_take_the_flags_that_choose_and_run() {
    let task = |words: &[&str]| Command::try_parse_from([&["imgstrip"], words].concat()).map(|command| command.task);
    match task(&["inspect", "in", "--json", "--platform", "linux/arm64", "-j", "2"]).unwrap() {
        Some(Task::Inspect(flags)) => assert!(flags.json && flags.choice.platform.is_some()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(task(&["diff", "a", "b", "--image", "x"]), Ok(Some(Task::Diff(_)))));
    assert!(task(&["diff", "a"]).is_err() && task(&["inspect", "in", "out"]).is_err());
    assert!(task(&["inspect", "in", "--strict"]).is_err());
}
