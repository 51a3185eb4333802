//! Packages, needs and keep mode through the public API: an image with a small dpkg database goes in, and the written layer is read back.
//!
//! What a program needs is written as `#!` lines here, which are needs as good as an ELF file's libraries.

use crate::image::{Squashed, config, docker_with, strip};
use crate::lines::layer;
use imgstrip::error::{Error, ErrorKind};
use imgstrip::options::Options;
use imgstrip::rules::{Rules, preset::Selection};
use serde_json::{Value, json};

/// A small Debian: an interpreter that everything needs, two compilers, a library that came with one, and a program of the image's own.
const DEBIAN: &str = r"
    usr/bin/dash [0755] = the shell
    usr/bin/gcc-12 [0755] = the compiler
    usr/bin/gcc -> gcc-12
    usr/bin/cc -> /etc/alternatives/cc
    etc/alternatives/cc -> /usr/bin/gcc
    usr/lib/cpp/cc1 = the preprocessor
    usr/bin/make [0755] = make
    usr/bin/git [0755] = git
    usr/share/doc/gcc-12/copyright = gpl
    usr/share/doc/dash/copyright = bsd
    usr/lib/os-release = ID=debian
    etc/passwd = root:x:0:0::/root:/bin/sh
    bin -> usr/bin
    app/run [0755] = #!/bin/dash\nexec /app/serve \x22$@\x22\n
    app/serve [0755] = #!/usr/bin/dash\necho served\n
    app/unused = nothing reads this
    var/lib/dpkg/alternatives/cc = auto\n/usr/bin/cc\n\n/usr/bin/gcc\n20\n\n
    var/lib/dpkg/info/dash.list = /.\n/usr\n/usr/bin\n/bin/dash\n/usr/share/doc/dash/copyright\n
    var/lib/dpkg/info/dash.md5sums = 00000000000000000000000000000000  usr/bin/dash\n
    var/lib/dpkg/info/gcc-12.list = /.\n/usr\n/usr/bin\n/usr/bin/gcc-12\n/usr/bin/gcc\n/usr/share/doc/gcc-12/copyright\n
    var/lib/dpkg/info/cpp-12.list = /.\n/usr/lib/cpp/cc1\n
    var/lib/dpkg/info/make.list = /.\n/usr/bin/make\n
    var/lib/dpkg/info/git.list = /.\n/usr/bin/git\n
    var/lib/apt/extended_states = Package:\x20cpp-12\nArchitecture:\x20amd64\nAuto-Installed:\x201\n\n
";

fn paragraph(name: &str, more: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1\n{more}Description: {name}\n\n"
    )
}

fn status() -> String {
    [
        paragraph("dash", "Essential: yes\n"),
        paragraph("gcc-12", "Depends: cpp-12 (= 1)\n"),
        paragraph("cpp-12", ""),
        paragraph("make", ""),
        paragraph("git", ""),
    ]
    .concat()
}

fn run(extra: &str, status: &str, command: &Value, change: impl FnOnce(&mut Options)) -> Result<Squashed, Error> {
    let status = format!("var/lib/dpkg/status = {}", status.replace(' ', "\\x20").replace('\n', "\\n"));
    let layers = vec![layer(&format!("{DEBIAN}\n{status}\n{extra}"))];
    let mut config = config(&layers);
    config["config"] = command.clone();
    let rules = Rules::builder().presets(Selection::parse("build-tools").unwrap()).build().unwrap();
    let mut options = Options { rules, ..Options::default() };
    change(&mut options);
    let squashed = strip(&docker_with(&layers, &config), &options)?;
    let balances = squashed.report.images.iter().all(|image| image.accounting.balances());
    assert!(balances, "{:?}", squashed.report.images[0].accounting);
    Ok(squashed)
}

fn stripped(extra: &str, command: &Value) -> Squashed {
    run(extra, &status(), command, |_| {}).unwrap()
}

fn has(squashed: &Squashed, path: &str) -> bool {
    squashed.entries().iter().any(|entry| entry.name == path.as_bytes())
}

fn body(squashed: &Squashed, path: &str) -> String {
    let entries = squashed.entries();
    let entry = entries.iter().find(|entry| entry.name == path.as_bytes());
    String::from_utf8(entry.unwrap_or_else(|| panic!("{path} stays")).body.clone()).unwrap()
}

fn dropped(squashed: &Squashed) -> Vec<&str> {
    let packages = squashed.report.images[0].packages.as_ref().unwrap();
    packages.dropped.iter().map(|package| package.package.as_str()).collect()
}

/// The refused packages, each with the reason.
fn refused(squashed: &Squashed) -> Vec<(&str, &str)> {
    let packages = squashed.report.images[0].packages.as_ref().unwrap();
    packages.refused.iter().map(|package| (package.package.as_str(), package.why.as_str())).collect()
}

fn shell() -> Value {
    json!({"Cmd": ["/app/run"]})
}

#[test]
fn a_dropped_package_takes_its_files_its_record_its_links_and_what_came_with_it() {
    let squashed = stripped("", &shell());
    assert_eq!(dropped(&squashed), ["gcc-12 1", "cpp-12 1", "make 1", "git 1"]);
    for gone in [
        "usr/bin/gcc-12",
        "usr/bin/gcc",
        "usr/bin/cc",
        "etc/alternatives/cc",
        "usr/lib/cpp/cc1",
        "usr/share/doc/gcc-12/copyright",
        "var/lib/dpkg/info/gcc-12.list",
        "var/lib/dpkg/alternatives/cc",
    ] {
        assert!(!has(&squashed, gone), "{gone} goes");
    }
    for stays in
        ["usr/bin/dash", "usr/share/doc/dash/copyright", "app/run", "app/unused", "var/lib/dpkg/info/dash.list"]
    {
        assert!(has(&squashed, stays), "{stays} stays");
    }
    assert_eq!(body(&squashed, "var/lib/dpkg/status"), paragraph("dash", "Essential: yes\n"));
    assert!(!body(&squashed, "var/lib/apt/extended_states").contains("cpp-12"));
    assert!(squashed.report.notes.iter().any(|note| note.contains("dlopen")), "what is not seen is said");
}

#[test]
fn what_the_image_runs_stays_with_its_package_and_the_report_says_why() {
    let squashed = stripped("", &json!({"Cmd": ["make", "serve"]}));
    assert!(has(&squashed, "usr/bin/make") && !has(&squashed, "usr/bin/git"));
    assert!(body(&squashed, "var/lib/dpkg/status").contains("Package: make\n"));
}

#[test]
fn a_script_that_calls_a_program_holds_its_package() {
    let script = r"app/entry [0755] = #!/bin/dash\n#\x20make\x20it\nif true\nthen git pull\nfi\necho as make ld\n";
    let squashed = stripped(script, &json!({"Entrypoint": ["/app/entry"]}));
    assert!(has(&squashed, "usr/bin/git"), "the script calls it");
    assert!(!has(&squashed, "usr/bin/make"), "a word in a comment or of an echo is no call");
}

#[test]
fn what_a_file_of_no_package_needs_stays_with_its_package() {
    let squashed = stripped(r"app/build [0755] = #!/usr/bin/make -f\nall:\n", &shell());
    assert!(has(&squashed, "usr/bin/make"));
    let why = refused(&squashed);
    assert!(
        why.iter().any(|(name, why)| *name == "make 1" && why.contains("/app/build needs /usr/bin/make")),
        "{why:?}"
    );
}

#[test]
fn a_glob_that_would_take_what_a_file_needs_is_taken_back() {
    // No package owns this one: only the guard knows.
    let extra = "usr/local/bin/ninja [0755] = ninja\nsrv/job [0755] = #!/usr/local/bin/ninja\n";
    let squashed = stripped(extra, &shell());
    assert!(has(&squashed, "usr/local/bin/ninja"));
    let kept = &squashed.report.images[0].kept_for;
    let told = kept.iter().any(|kept| kept.path == "/usr/local/bin/ninja" && kept.why.contains("/srv/job needs"));
    assert!(told, "{kept:?}");
    assert!(!has(&stripped("usr/local/bin/ninja [0755] = ninja\n", &shell()), "usr/local/bin/ninja"));
}

#[test]
fn the_users_own_drop_is_his_word_and_a_warning() {
    let rules = || Rules::builder().presets(Selection::none()).drop("/usr/bin/dash").unwrap().build().unwrap();
    let squashed = run("", &status(), &json!({"Cmd": ["/x"]}), |options| options.rules = rules()).unwrap();
    assert!(!has(&squashed, "usr/bin/dash"));
    assert_eq!(squashed.warnings(), ["lost-need"]);
    let strict = run("", &status(), &json!({"Cmd": ["/x"]}), |options| {
        options.rules = rules();
        options.strict = true;
    });
    assert_eq!(strict.err().unwrap().kind(), ErrorKind::Gate);
}

#[test]
fn a_broken_database_is_a_warning_and_globs_decide() {
    let broken = "Package: dash\nPackage: dash\n\u{1}";
    let squashed = run("", broken, &shell(), |_| {}).unwrap();
    assert_eq!(squashed.warnings(), ["package-database"]);
    assert!(squashed.report.images[0].packages.is_none());
    assert!(!has(&squashed, "usr/bin/gcc-12") && has(&squashed, "usr/bin/dash"));
    assert_eq!(body(&squashed, "var/lib/dpkg/status"), broken);
}

#[test]
fn keep_mode_keeps_the_closure_of_the_command_and_a_true_database() {
    let squashed = run("", &status(), &shell(), |options| options.only_needed = true).unwrap();
    for stays in [
        "app/run",
        "app/serve",
        "usr/bin/dash",
        "bin",
        "etc/passwd",
        "usr/lib/os-release",
        "usr/share/doc/dash/copyright",
    ] {
        assert!(has(&squashed, stays), "{stays} stays");
    }
    for gone in ["usr/bin/make", "var/lib/dpkg/status", "var/lib/dpkg/info/dash.list", "usr/share/doc/gcc-12/copyright"]
    {
        assert!(!has(&squashed, gone), "{gone} goes");
    }
    assert_eq!(
        body(&squashed, "var/lib/dpkg/status.d/dash"),
        paragraph("dash", "Essential: yes\n").trim_end().to_owned() + "\n"
    );
    assert!(body(&squashed, "var/lib/dpkg/status.d/dash.md5sums").contains("usr/bin/dash"));
    assert!(squashed.report.images[0].accounting.added.entries >= 2);
}

#[test]
fn keep_mode_needs_a_command_or_a_word_of_the_user() {
    let error = run("", &status(), &json!({}), |options| options.only_needed = true).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("--keep"), "{error}");
    let kept = run("", &status(), &json!({}), |options| {
        options.only_needed = true;
        options.keep_programs = vec!["git".into()];
    });
    let kept = kept.unwrap();
    assert!(has(&kept, "usr/bin/git") && !has(&kept, "usr/bin/make") && !has(&kept, "app/run"));
}

#[test]
fn keep_mode_is_idempotent() {
    let once = run("", &status(), &shell(), |options| options.only_needed = true).unwrap();
    let mut config = config(&[once.layer_tar()]);
    config["config"] = shell();
    let options = Options { only_needed: true, ..Options::default() };
    let twice = strip(&docker_with(&[once.layer_tar()], &config), &options).unwrap();
    let names = |squashed: &Squashed| {
        let mut names: Vec<_> = squashed.entries().into_iter().map(|entry| entry.name).collect();
        names.sort();
        names
    };
    assert_eq!(names(&once), names(&twice));
}

#[test]
fn a_truncated_file_stays_empty_and_its_bytes_are_the_rules() {
    let rules = Rules::builder().presets(Selection::parse("identity").unwrap()).build().unwrap();
    let squashed =
        run("etc/machine-id [0444] = 0123456789", &status(), &shell(), |options| options.rules = rules).unwrap();
    assert_eq!(body(&squashed, "etc/machine-id"), "");
    let by = &squashed.report.images[0].dropped_by;
    let told = by.iter().find(|rule| rule.rule == "machine-id").unwrap();
    assert_eq!((told.preset.as_str(), told.dropped.bytes, told.dropped.entries), ("identity", 10, 0));
}

/// Debian's Perl: the interpreter is essential, its library came with git.
fn perl() -> (String, &'static str) {
    let packages = [
        status().replace("Package: git\n", "Package: git\nDepends: perl\n"),
        paragraph("perl-base", "Essential: yes\nSuggests: perl\n"),
        paragraph("perl", "Depends: perl-modules\n"),
        paragraph("perl-modules", ""),
    ];
    let files = r"
        usr/bin/perl [0755] = perl
        usr/share/perl/Data.pm = package
        var/lib/dpkg/info/perl-base.list = /.\n/usr/bin/perl\n
        var/lib/dpkg/info/perl.list = /.\n/usr/bin/cpan\n
        var/lib/dpkg/info/perl-modules.list = /.\n/usr/share/perl/Data.pm\n
        var/lib/dpkg/info/git.prerm [0755] = #!/usr/bin/perl\n
        var/lib/apt/extended_states = Package:\x20perl\nArchitecture:\x20amd64\nAuto-Installed:\x201\n\nPackage:\x20perl-modules\nArchitecture:\x20amd64\nAuto-Installed:\x201\n\n
    ";
    (packages.concat(), files)
}

#[test]
fn a_script_that_is_run_keeps_the_library_of_its_interpreter() {
    let (status, files) = perl();
    let script = format!("{files}\napp/x [0755] = #!/usr/bin/perl\\nuse\\x20Data;\\n\n");
    let cases = [(&script, json!({"Cmd": ["/app/x"]})), (&script, shell())];
    for (files, command) in cases.into_iter().chain([(&files.to_owned(), json!({"Cmd": ["perl", "-MData", "-e1"]}))]) {
        let squashed = run(files, &status, &command, |_| {}).unwrap();
        let gone = dropped(&squashed);
        assert!(gone.contains(&"git 1") && !gone.contains(&"perl 1"), "{command}: {gone:?}");
        assert!(has(&squashed, "usr/share/perl/Data.pm"), "{command}");
    }
    // Nobody runs it, or only a script of dpkg's own.
    let squashed = run(files, &status, &shell(), |_| {}).unwrap();
    assert!(dropped(&squashed).ends_with(&["git 1", "perl 1", "perl-modules 1"]), "{:?}", dropped(&squashed));
}

#[test]
fn a_program_to_keep_that_is_not_there_is_an_error_whatever_else_is_asked() {
    for rules in [Rules::none(), Rules::default()] {
        let error = run("", &status(), &shell(), |options| {
            options.rules = rules.clone();
            options.keep_programs = vec!["no-such-program".into()];
        });
        let error = error.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}
