use super::super::flags::Command;
use super::*;
use clap::Parser;
use imgstrip::error::ErrorKind;
use imgstrip::options::{Compression, Format, History};

fn flags(words: &[&str]) -> Strip {
    Command::try_parse_from(std::iter::once("imgstrip").chain(words.iter().copied())).unwrap().strip
}

fn request(words: &[&str]) -> Result<Request, Error> {
    Request::new(&flags(words), &Surroundings::default())
}

fn with_epoch(epoch: &str, words: &[&str]) -> Result<Options, Error> {
    let around = Surroundings { source_date_epoch: Some(epoch.into()), ..Surroundings::default() };
    Request::new(&flags(words), &around).map(|request| request.options)
}

#[test]
fn a_dash_is_a_stream_and_a_slash_a_directory() {
    let places = |words: &[&str]| request(words).map(|request| (request.input, request.output)).unwrap();
    assert_eq!(places(&["a", "b"]), (Input::Path("a".into()), Output::File("b".into())));
    assert_eq!(places(&["-", "b/"]), (Input::Stdin, Output::Directory("b/".into())));
    assert_eq!(places(&["./-", "-"]), (Input::Path("./-".into()), Output::Stdout));
}

#[test]
fn an_image_never_goes_to_or_comes_from_a_terminal() {
    let around = Surroundings { input_is_terminal: true, output_is_terminal: true, ..Surroundings::default() };
    for words in [&["-", "b"][..], &["a", "-"]] {
        assert_eq!(Request::new(&flags(words), &around).unwrap_err().kind(), ErrorKind::Usage);
    }
    for words in [&["a", "b"][..], &["a", "--dry-run"], &["a", "-", "--dry-run"]] {
        assert!(Request::new(&flags(words), &around).is_ok());
    }
}

#[test]
fn standard_output_carries_one_thing_only() {
    assert_eq!(request(&["a", "-", "--json"]).unwrap_err().kind(), ErrorKind::Usage);
    assert!(request(&["a", "b", "--json"]).is_ok() && request(&["a", "--dry-run", "--json"]).is_ok());
}

#[test]
fn a_call_without_flags_has_the_default_options() {
    let options = request(&["a", "b"]).unwrap().options;
    assert_eq!((options.compression, options.format), (Compression::Keep, Format::Auto));
    assert_eq!((options.history, options.mtime, options.created), (History::Keep, None, None));
    assert_eq!((options.gates, options.limits), (Gates::default(), imgstrip::options::Limits::default()));
    assert!(!options.strict && !options.dry_run);
}

#[test]
fn the_epoch_sets_created_and_clamps_times_and_mtime_wins_over_it() {
    let options = with_epoch("77", &["a", "b"]).unwrap();
    assert_eq!((options.created, options.mtime), (Some(77), Some(77)));
    let options = with_epoch("77", &["a", "b", "--mtime", "5"]).unwrap();
    assert_eq!((options.created, options.mtime), (Some(77), Some(5)));
    assert_eq!(with_epoch("", &["a", "b"]).unwrap().created, None);
    for wrong in ["yesterday", "-1", "1.5", " 1", "99999999999999999999"] {
        assert_eq!(with_epoch(wrong, &["a", "b"]).unwrap_err().kind(), ErrorKind::Usage, "{wrong}");
    }
}

#[test]
fn limits_and_gates_reach_the_options() {
    let options = request(&["a", "b", "--limit", "layers=9", "--limit", "json-depth=3", "--max-size", "1k"]).unwrap();
    assert_eq!((options.options.limits.layers, options.options.limits.json_depth), (9, 3));
    assert_eq!(options.options.gates.max_size, Some(1000));
}

#[test]
fn a_wrong_rule_is_a_usage_error_and_a_missing_file_an_io_error() {
    assert_eq!(request(&["a", "b", "-p", "no-such"]).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(request(&["a", "b", "--drop", "/[z"]).unwrap_err().kind(), ErrorKind::Usage);
    let error = request(&["a", "b", "-r", "/no/such.toml"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("/no/such.toml"));
    assert!(request(&["a", "b", "-p", "none", "--drop", "/a/**", "--keep", "/a/b"]).is_ok());
}
