//! What a closure holds, on trees of a few files. The contents stand in the text form; ELF files are tested where they are read.

use super::testing::{Case, paths};
use super::{NeedKind, Reach};
use crate::error::ErrorKind;
use crate::rootfs::InodeKind;
use crate::warning::WarningKind;
use proptest::prelude::*;

/// A system with a shell and a few programs; the programs are scripts, which need no loader.
const SYSTEM: &str = "
bin -> usr/bin
etc/passwd = root:x:0:0:root:/root:/bin/sh\\napp:x:10:10::/home/app:/bin/sh\\n
root/
tmp/ [1777]
usr/bin/sh [0755] = shell
usr/bin/gcc [0755] = compiler
usr/bin/make [0755] = maker
usr/bin/tool [0755] = tool
usr/bin/env [0755] = env
";

fn case(more: &str, command: &str) -> Case {
    Case::new(&format!("{SYSTEM}{more}"), command)
}

fn kept(case: &Case) -> String {
    let always = ["/bin", "/etc/passwd", "/root", "/tmp", "/usr/bin"];
    case.kept().into_iter().filter(|path| !always.contains(&path.as_str())).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_command_is_found_on_path_with_the_links_on_the_way() {
    assert_eq!(
        kept(&case("usr/local/bin/serve -> ../../../opt/serve\nopt/serve [0755] = x\n", "serve")),
        "/opt/serve /usr/local/bin/serve"
    );
    assert_eq!(case("", "/bin/tool").certain(), ["/bin", "/usr/bin/tool"]);
}

#[test]
fn the_text_of_a_shell_is_followed_and_what_it_prints_is_not() {
    let case = case("data/in = x\n", "sh -c echo|make|it;|tool|/data/in");
    assert_eq!(kept(&case), "/data/in /usr/bin/sh /usr/bin/tool");
}

#[test]
fn every_word_may_be_what_the_first_one_runs() {
    assert_eq!(
        kept(&case("sbin/tini [0755] = x\n", "tini -- env A=B tool")),
        "/sbin /sbin/tini /usr/bin/env /usr/bin/tool"
    );
}

#[test]
fn a_script_brings_its_interpreter_and_what_it_runs_and_sources() {
    let more = "run [0755] = #!/bin/sh\\n. /etc/lib.sh\\nhelper\\necho make\\n\netc/lib.sh = gcc=tool\\nexec $gcc\\n\nusr/bin/helper [0755] = #!/usr/bin/env tool\\n\n";
    assert_eq!(kept(&case(more, "/run")), "/etc/lib.sh /run /usr/bin/env /usr/bin/helper /usr/bin/sh /usr/bin/tool");
}

#[test]
fn a_sourced_file_shares_its_variables() {
    let more = "app/run [0755] = #!/bin/sh\\n. ./vars\\n$TOOL\\n\napp/vars = TOOL=tool\\n\n";
    assert!(kept(&case(more, "./run").working_dir("/app")).contains("/usr/bin/tool"));
}

#[test]
fn an_image_without_a_command_must_be_told_what_to_keep() {
    let mut case = case("", "");
    assert_eq!(case.closure(Reach::Everything).unwrap_err().kind(), ErrorKind::Usage);
    assert!(case.closure(Reach::Everything).unwrap_err().to_string().contains("--keep-bin"));
    assert!(case.closure(Reach::Programs).is_ok());
    case.asked.programs.push(b"tool"[..].into());
    assert_eq!(kept(&case), "/usr/bin/tool");
    case.asked.programs.push(b"none"[..].into());
    assert!(case.closure(Reach::Everything).unwrap_err().to_string().contains("none"));
}

#[test]
fn a_command_that_is_not_there_is_told() {
    let closure = case("", "sh -c missing").closure(Reach::Everything).unwrap();
    assert_eq!(closure.warnings().count(WarningKind::CommandNotFound), 1);
    assert_eq!(case("", "missing").closure(Reach::Everything).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn what_a_script_computes_is_told() {
    let closure = case("run [0755] = #!/bin/sh\\n$(pick) x\\n\n", "/run").closure(Reach::Everything).unwrap();
    assert_eq!(closure.warnings().count(WarningKind::ComputedCommand), 1);
}

#[test]
fn the_working_directory_is_kept_without_what_a_build_left_there() {
    let more = "app/a.conf = x\napp/.git/HEAD = x\napp/main.o = x\napp/target/release/serve [0755] = x\napp/target/release/.fingerprint/x = x\napp/target/release/deps/y = x\napp/empty/\n";
    let case = case(more, "./target/release/serve").working_dir("/app");
    assert_eq!(kept(&case), "/app /app/a.conf /app/empty /app/target /app/target/release /app/target/release/serve");
}

#[test]
fn a_common_directory_is_kept_as_a_directory_only() {
    let case =
        case("etc/huge = x\n", "tool").working_dir("/etc").env("CONFIG", "/usr/bin:/tmp").env("PATH", "/usr/bin");
    assert_eq!(kept(&case), "/etc /usr/bin/tool");
}

#[test]
fn variables_name_files_and_trees() {
    let more = "opt/conf/a = x\nopt/b.pem = x\ngo/pkg/mod/big = x\nlink -> opt/conf\n";
    let case = case(more, "tool").env("CONF", "/link").env("OPTS", "-Dcert=/opt/b.pem").env("GOPATH", "/go");
    assert_eq!(kept(&case), "/link /opt/b.pem /opt/conf /opt/conf/a /usr/bin/tool");
}

#[test]
fn volumes_and_the_home_of_the_user_stay() {
    let mut case = case("home/app/.cache/big = x\nhome/app/x = x\ndata/seed = x\nlog/\n", "tool");
    case.start.user = b"app:app"[..].into();
    case.start.volumes = vec![crate::rootfs::RootPath::clamped(b"data"), crate::rootfs::RootPath::clamped(b"log")];
    let kept = kept(&case);
    assert!(kept.contains("/data/seed") && kept.contains("/log") && kept.contains("/home/app/x"), "{kept}");
    assert!(!kept.contains(".cache"), "{kept}");
}

#[test]
fn an_installed_application_stays_together() {
    let more =
        "opt/serve/bin/serve [0755] = x\nopt/serve/lib/a = x\nopt/other = x\ngo/bin/serve [0755] = x\ngo/src/a = x\n";
    assert_eq!(
        kept(&case(more, "/opt/serve/bin/serve")),
        "/opt/serve /opt/serve/bin /opt/serve/bin/serve /opt/serve/lib /opt/serve/lib/a"
    );
    assert_eq!(kept(&case(more, "/go/bin/serve")), "/go/bin/serve");
}

#[test]
fn scripts_beside_a_compiled_application_do_not_bring_their_interpreters() {
    let more = "app/serve [0755] = x\napp/build.sh [0755] = #!/bin/sh\\ngcc\\n\n";
    let case = case(more, "./serve").working_dir("/app");
    assert_eq!(kept(&case), "/app /app/build.sh /app/serve");
    assert_eq!(case.closure(Reach::Everything).unwrap().warnings().count(WarningKind::UnnamedScript), 1);
}

#[test]
fn a_chain_leads_back_to_the_config() {
    let case = case("run [0755] = #!/bin/sh\\nhelper\\n\nusr/bin/helper [0755] = #!/usr/bin/env tool\\n\n", "/run");
    let closure = case.closure(Reach::Everything).unwrap();
    let node = case.tree.lookup(&crate::rootfs::RootPath::clamped(b"usr/bin/tool")).unwrap();
    let chain: Vec<String> = closure.chain(node).iter().map(|step| step.path.to_string()).collect();
    assert_eq!(chain, ["/usr/bin/tool", "/usr/bin/helper", "/run"]);
    assert_eq!(closure.chain(node).last().map(|step| step.kind), Some(NeedKind::Command));
    let gcc = case.tree.lookup(&crate::rootfs::RootPath::clamped(b"usr/bin/gcc")).unwrap();
    assert!(!closure.contains(gcc) && closure.chain(gcc).is_empty());
}

#[test]
fn links_that_go_in_circles_end() {
    let more = "app/run [0755] = #!/bin/sh\\n. ./run\\n./run\\n\napp/self -> .\napp/up -> ..\napp/loop -> loop\n";
    assert!(kept(&case(more, "./run").working_dir("/app")).contains("/app/self"));
}

/// Files that name one another in random ways.
fn random_case(words: &'static [&'static str]) -> impl Strategy<Value = Case> {
    let script = prop::collection::vec(prop::sample::select(words), 0..12)
        .prop_map(|words| format!("#!/bin/sh\\n{}", words.join(" ")));
    let command = prop::sample::select(vec!["a", "/d/b x", "sh -c a;|c", "b /d"]);
    (prop::collection::vec(script, 5), command, prop::bool::ANY).prop_map(|(scripts, command, in_d)| {
        let names = ["usr/bin/a", "usr/bin/b", "usr/bin/c", "d/a", "d/b"];
        let lines: String =
            names.iter().zip(scripts).map(|(name, script)| format!("{name} [0755] = {script}\n")).collect();
        let case = case(&lines, command).env("x", "/d/a");
        if in_d { case.working_dir("/d") } else { case }
    })
}

const WORDS: &[&str] = &[
    "a", "b", "c", "/d/a", "/d/b", "./a", "$x", "exec", ";", "x=/d/b", "/d", "/d/*", "|", "if", "\\n", "$(a)", "echo",
    "sh -c",
];

const SOURCING: &[&str] = &["a", "b", ". ./a", ". /d/b", ". $x", "./a", ";", "x=/d/b", "\\n", "x=b", "cd /d"];

proptest! {
    #[test]
    fn what_is_asked_for_only_adds(case in prop_oneof![random_case(WORDS), random_case(SOURCING)]) {
        let before = case.kept();
        let mut more = case.clone();
        more.asked.programs.push(b"make"[..].into());
        let after = more.kept();
        prop_assert!(before.iter().all(|path| after.contains(path)));
        prop_assert!(after.contains(&"/usr/bin/make".to_owned()));
        let certain = case.certain();
        prop_assert!(certain.iter().all(|path| before.contains(path)));
    }

    // A file that is only sourced is not run: to ask for one of these adds what it would run.
    #[test]
    fn asking_for_what_is_run_already_adds_nothing(case in random_case(WORDS)) {
        let closure = case.closure(Reach::Programs).unwrap();
        let mut again = case.clone();
        let is_file = |node| matches!(case.tree.inode_of(node).kind, InodeKind::File(_));
        again.asked.nodes =
            closure.files().filter(|(_, node)| is_file(*node)).map(|(path, node)| (path.clone(), node)).collect();
        prop_assert_eq!(paths(&closure), again.certain());
    }
}

#[test]
fn a_shell_reads_a_file_that_is_no_program() {
    let lib = "srv/start = tool\\n\n";
    for command in ["sh /srv/start", "sh -e srv/start now", "sh -c sh|/srv/start", "/usr/bin/sh -c cd|/srv;sh|start"] {
        let kept = kept(&case(lib, command));
        assert!(kept.contains("/srv/start") && kept.contains("/usr/bin/tool"), "{command}: {kept}");
    }
    // The kernel runs no such file.
    assert!(!kept(&case(lib, "sh -c :|/srv/start")).contains("tool"));
}

#[test]
fn what_a_script_sets_as_its_arguments_is_what_it_runs() {
    let script = |text: &str| case(&format!("run [0755] = #!/bin/sh\\n{text}\\n\n"), "/run");
    assert_eq!(kept(&script("set -- tool \\\"$@\\\"\\nexec \\\"$@\\\"")), "/run /usr/bin/sh /usr/bin/tool");
    assert_eq!(kept(&script("set -- make\\nfor x; do echo $x; done")), "/run /usr/bin/sh");
    assert_eq!(kept(&script("./wait-for-it.sh db:1 -- tool")), "/run /usr/bin/sh /usr/bin/tool");
}

#[test]
fn the_scripts_of_a_directory_that_a_script_names_are_run() {
    let parts = "hooks.d/a [0755] = #!/bin/sh\\nmake\\n\nhooks.d/b.sh = gcc\\n\nhooks.d/readme = tool\\n\n";
    for text in ["for f in /hooks.d/*; do . \\\"$f\\\"; done", "find /hooks.d | while read f; do \\\"$f\\\"; done"] {
        let case = case(&format!("run [0755] = #!/bin/sh\\n{text}\\n\n{parts}"), "/run");
        let kept = kept(&case);
        assert!(kept.contains("/usr/bin/make") && kept.contains("/usr/bin/gcc"), "{text}: {kept}");
    }
}

#[test]
fn a_script_that_is_too_long_to_follow_is_warned_of() {
    let long = "#\\n".repeat(600 << 10);
    let case = case(&format!("run [0755] = #!/bin/sh\\n{long}tool\\n"), "/run");
    let closure = case.closure(Reach::Programs).unwrap();
    assert!(!paths(&closure).contains(&"/usr/bin/tool".to_owned()));
    assert!(closure.warnings().iter().any(|(kind, _)| kind == WarningKind::ComputedCommand));
}

#[test]
fn what_scripts_source_again_and_again_is_read_within_a_budget() {
    let long = "#\\n".repeat(500 << 10);
    let sourcing: String = (0..40).map(|n| format!("app/run{n} [0755] = #!/bin/sh\\n. /lib.sh\\n\n")).collect();
    let first: String = (0..40).map(|n| format!("/app/run{n}\\n")).collect();
    let case = case(&format!("lib.sh = {long}\n{sourcing}run [0755] = #!/bin/sh\\n{first}"), "/run");
    let closure = case.closure(Reach::Programs).unwrap();
    assert!(paths(&closure).contains(&"/app/run39".to_owned()), "what is named before the budget ends stays");
    assert!(closure.warnings().iter().any(|(kind, _)| kind == WarningKind::ComputedCommand));
}
