use super::super::run;
use super::*;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/demo/demo.tar.gz")
}

/// Runs a command; exit code, standard output, standard error.
fn call(words: &[&dyn AsRef<std::ffi::OsStr>]) -> (u8, String, String) {
    let words = std::iter::once("imgstrip".into()).chain(words.iter().map(|word| OsString::from(word.as_ref())));
    let outcome = run(words, &Surroundings::default(), &Cancel::new());
    (outcome.code, String::from_utf8(outcome.stdout).unwrap(), outcome.stderr)
}

#[test]
fn an_inspection_names_layers_steps_waste_and_every_preset() {
    let (code, shown, _) = call(&[&"inspect", &demo()]);
    assert_eq!(code, 0);
    assert!(shown.contains("imgstrip-demo:1.0  linux/amd64  sha256:faaac5aba868\n"), "{shown}");
    // The look for secrets takes nothing.
    for preset in imgstrip::rules::preset::all().into_iter().filter(|preset| preset.name != "secrets") {
        let mark = if preset.default { '*' } else { ' ' };
        assert!(shown.contains(&format!("  {mark} {} ", preset.name)), "{}\n{shown}", preset.name);
    }
    for part in ["RUN rm -rf /src\n", "whited out  1.50 MB", "* caches        1.14 MB"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
}

#[test]
fn an_inspection_frees_what_a_run_with_that_preset_frees() {
    let dir = tempfile::tempdir().unwrap();
    let (code, json, stderr) = call(&[&"inspect", &demo(), &"--json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    let image = &found["images"][0];
    let (_, report, _) = call(&[&"-p", &"docs", &"--json", &demo(), &dir.path().join("out.tar")]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let account = &report["images"][0]["accounting"];
    let docs = image["presets"].as_array().unwrap().iter().find(|gain| gain["preset"] == "docs").unwrap();
    assert_eq!((&docs["entries"], &docs["bytes"]), (&account["dropped"]["entries"], &account["dropped"]["bytes"]));
    assert_eq!(image["waste"]["whited_out"], account["whited_out"]);
    assert_eq!(image["input"], account["input"]);
    assert_eq!(image["layers"].as_array().unwrap().len(), 7);
}

#[test]
fn an_inspection_checks_digests() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good.tar"), dir.path().join("bad.tar"));
    assert_eq!(call(&[&"-p", &"none", &"-z", &"none", &demo(), &good]).0, 0);
    let mut bytes = std::fs::read(&good).unwrap();
    let place = bytes.windows(4).position(|window| window == b"\x7fELF").unwrap();
    bytes[place + 100] ^= 1;
    std::fs::write(&bad, bytes).unwrap();
    assert_eq!(call(&[&"inspect", &good]).0, 0);
    assert_eq!(call(&[&"inspect", &bad]).0, 4);
    assert_eq!(call(&[&"diff", &good, &bad]).0, 4);
}

#[test]
fn a_squash_alone_leaves_root_filesystem_and_config_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let squashed = dir.path().join("out.tar");
    assert_eq!(call(&[&"-p", &"none", &demo(), &squashed]).0, 0);
    for (a, b, layers) in [(&demo(), &squashed, "7 vs 1"), (&squashed, &demo(), "1 vs 7")] {
        let (code, shown, _) = call(&[&"diff", a, b]);
        let expected =
            format!("imgstrip-demo:1.0  linux/amd64\n  layers: {layers}\n  root filesystems equal\n  configs equal\n");
        assert_eq!((code, shown), (0, expected));
    }
}

#[test]
fn what_a_rule_dropped_is_told_path_by_path_with_exit_code_1() {
    let dir = tempfile::tempdir().unwrap();
    let stripped = dir.path().join("out.tar");
    assert_eq!(call(&[&"-p", &"none", &"--drop", &"/bin/busybox", &"-t", &"other:2", &demo(), &stripped]).0, 0);
    let (code, shown, _) = call(&[&"diff", &demo(), &stripped]);
    assert_eq!(code, 1);
    assert!(shown.starts_with("imgstrip-demo:1.0 and other:2  linux/amd64\n"), "{shown}");
    assert!(shown.contains("\n    - /bin/busybox\n") && shown.contains("... and ") && shown.contains("configs equal"));
    let (code, all, _) = call(&[&"diff", &"-v", &demo(), &stripped]);
    assert!(code == 1 && !all.contains("... and ") && all.lines().count() > shown.lines().count());
    let (code, json, _) = call(&[&"diff", &demo(), &stripped, &"--json"]);
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &found["equal"]), (1, &serde_json::Value::Bool(false)));
    assert_eq!(found["images"][0]["rootfs"][0]["change"], "removed");
}

#[test]
fn no_error_of_a_comparison_looks_like_a_difference() {
    for words in [["diff", "/no/a.tar", "/no/b.tar"], ["diff", "-", "-"]] {
        let (code, stdout, stderr) = call(&words.each_ref().map(|word| word as &dyn AsRef<std::ffi::OsStr>));
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (2, "", 1), "{stderr}");
    }
    assert_eq!(call(&[&"diff", &demo()]).0, 2);
    assert_eq!(call(&[&"inspect", &"/no/a.tar"]).0, 1);
}

#[test]
fn the_help_of_a_comparison_says_what_its_exit_codes_mean() {
    let (code, help, _) = call(&[&"diff", &"--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("0 equal, 1 different, 2 "), "{help}");
}

#[test]
fn an_explanation_says_why_and_takes_the_flags_of_a_run() {
    let (code, shown, _) = call(&[&"explain", &demo(), &"/bin/httpd"]);
    assert_eq!(code, 0);
    assert!(shown.contains("stays") && shown.contains("asked for by the config: httpd (command)"), "{shown}");
    let (code, shown, _) = call(&[&"explain", &"--drop", &"/bin/httpd", &"--json", &demo(), &"bin/httpd"]);
    let told: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((code, &told["images"][0]["stays"]), (0, &serde_json::json!(false)), "{shown}");
    let (code, shown, _) = call(&[&"explain", &demo(), &"/no/such"]);
    assert!(code == 0 && shown.contains("is not in the image"), "{shown}");
}
