//! The borders of the house, held by reading its sources: rings, file lengths, docs, and what every file opens with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file may have so many lines, and a file of tests so many.
const LONGEST: (usize, usize) = (400, 800);

/// Every source file with its path from the root of the repository.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = vec![root.join(folder)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

fn is_test(name: &str) -> bool {
    name.starts_with("tests/")
        || name.contains("/tests/")
        || name.ends_with("tests.rs")
        || name.ends_with("testing.rs")
        || name.ends_with("fixture.rs")
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The ring of the pieces of the house; a piece may name those of its own ring and of rings further in.
fn ring(piece: &str) -> Option<u8> {
    Some(match piece {
        // Values that every ring speaks of.
        "error" | "warning" | "options" | "cancel" | "progress" => 0,
        "rootfs" => 1,
        "rules" | "packages" | "needs" | "strip" | "secrets" | "report" => 2,
        "archive" | "image" | "layer" => 3,
        "pipeline" | "lib" => 4,
        "cli" | "main" => 5,
        _ => return None,
    })
}

/// Which piece a file belongs to: `src/layer/read.rs` to `layer`.
fn piece(name: &str) -> &str {
    name.trim_start_matches("src/").split(['/', '.']).next().unwrap()
}

/// The pieces that a text names after `crate::` or `imgstrip::`.
fn named(code: &str) -> Vec<(String, String)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for line in code.lines() {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let braces = rest.strip_prefix('{').map(|inner| inner.split(',').map(|part| word(part.trim())).collect());
            let words: Vec<String> = braces.unwrap_or_else(|| vec![word(rest)]);
            found.extend(words.into_iter().map(|word| (word, line.trim().to_owned())));
        }
    }
    found
}

#[test]
fn imports_point_inwards_only() {
    for (name, text) in sources("src").iter().filter(|(name, _)| !is_test(name)) {
        let from = piece(name);
        let own = ring(from).unwrap_or_else(|| panic!("{name}: which ring is {from} in?"));
        for (to, line) in named(&code(text)) {
            let Some(other) = ring(&to) else { continue }; // a name that lib.rs gives to all
            let shared = own == 0 && (to == "image" || to == "rules" || to == "rootfs"); // the options name what they choose
            assert!(other <= own || shared, "{name}: {line}");
            let apart = ["rules", "packages", "needs", "strip", "secrets", "report"];
            let beside = own == 2 && other == 2 && from != to;
            assert!(!beside || from == "report" || (apart.contains(&from) && to != "report"), "{name}: {line}");
        }
    }
}

#[test]
fn the_inner_ring_knows_no_file_no_tar_no_thread_and_no_terminal() {
    const FORBIDDEN: [&str; 14] = [
        "std::fs",
        "std::io",
        "std::net",
        "std::process",
        "std::thread",
        "std::env",
        "std::time",
        "tempfile::",
        "tar::",
        "rayon::",
        "flate2::",
        "zstd::",
        "clap::",
        "indicatif::",
    ];
    for (name, text) in sources("src").iter().filter(|(name, _)| !is_test(name)) {
        if matches!(piece(name), "rootfs" | "rules" | "packages" | "needs" | "strip" | "secrets" | "report") {
            let code = code(text);
            for word in FORBIDDEN {
                // The library that reads zips asks for these traits; what is behind them there is `rootfs::Files`.
                let is_trait = name == "src/needs/jar.rs" && word == "std::io";
                assert!(is_trait || !code.contains(word), "{name} names {word}");
            }
            for macro_name in ["println!", "eprintln!", "print!(", "eprint!("] {
                assert!(!code.contains(macro_name), "{name} prints");
            }
        }
    }
}

#[test]
fn only_the_pipeline_names_rayon() {
    for (name, text) in sources("src") {
        assert!(piece(&name) == "pipeline" || !code(&text).contains("rayon"), "{name} names rayon");
    }
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let files = sources("src").into_iter().filter(|(_, text)| {
        ["unsafe {", "unsafe impl", "unsafe fn", "allow(unsafe_code)"].iter().any(|word| code(text).contains(word))
    });
    let names: Vec<String> = files.map(|(name, _)| name).collect();
    assert_eq!(names, ["src/layer/deflate/zlib.rs"]);
}

#[test]
fn only_main_ends_the_process_and_only_the_cli_prints() {
    for (name, text) in sources("src").iter().filter(|(name, _)| !is_test(name)) {
        let code = code(text);
        let outside = !matches!(piece(name), "main" | "cli");
        assert!(piece(name) == "main" || !code.contains("process::exit"), "{name} ends the process");
        assert!(
            !(outside && (code.contains("println!") || code.contains("stdout()"))) || name.contains("archive/write"),
            "{name} prints"
        );
        assert!(
            !(outside && (code.contains("SystemTime::now") || code.contains("Instant::now"))),
            "{name} asks the clock"
        );
    }
}

#[test]
fn no_file_is_long() {
    for (name, text) in sources("src").into_iter().chain(sources("tests")) {
        let most = if is_test(&name) { LONGEST.1 } else { LONGEST.0 };
        let lines = text.lines().count();
        assert!(lines < most, "{name} has {lines} lines");
    }
}

#[test]
fn every_file_opens_with_its_contract() {
    let told = sources("src").into_iter().filter(|(name, _)| !is_test(name)).chain(sources("tests/it"));
    for (name, text) in told {
        assert!(text.starts_with("//! "), "{name} does not say what it is");
    }
}

#[test]
fn every_option_and_limit_says_what_it_is_and_its_default() {
    let options = &sources("src/options.rs".trim_end_matches("/options.rs"))["src/options.rs"];
    let options = options.split("#[cfg(test)]").next().unwrap();
    let body = |from: &str| -> Vec<&str> {
        let start = options.find(from).unwrap_or_else(|| panic!("options.rs has {from}"));
        options[start..].lines().skip(1).take_while(|line| *line != "}").collect()
    };
    for (from, wants_default) in [("pub struct Options {", true), ("\nlimits! {", false)] {
        let lines = body(from.trim_start_matches('\n'));
        let mut doc = String::new();
        let mut fields = 0;
        for line in lines.iter().map(|line| line.trim()) {
            if let Some(text) = line.strip_prefix("///") {
                doc.push_str(text);
            } else if line.contains(": ") && !line.starts_with("#[") {
                fields += 1;
                assert!(!doc.trim().is_empty(), "options.rs: {line} is not documented");
                assert!(!wants_default || doc.contains("Default: "), "options.rs: {line} does not tell its default");
                doc.clear();
            }
        }
        assert!(fields > 10, "{from}: {fields} fields found");
    }
}

#[test]
fn every_class_of_warnings_is_given_somewhere() {
    let sources = sources("src");
    let said: String =
        sources.iter().filter(|(name, _)| *name != "src/warning.rs").map(|(_, text)| code(text)).collect();
    for kind in imgstrip::warning::WarningKind::ALL {
        assert!(said.contains(&format!("WarningKind::{kind:?}")), "nothing gives {kind:?}");
    }
}

#[test]
fn nothing_is_called_util() {
    const EMPTY: [&str; 6] = ["util", "utils", "common", "helpers", "manager", "misc"];
    for name in sources("src").into_keys() {
        let parts: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        assert!(!parts.iter().any(|part| EMPTY.contains(part)), "{name} says nothing");
    }
}

#[test]
fn every_flag_is_in_the_readme() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_imgstrip")).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let is_flag = |word: &&str| word.starts_with("--") && word.len() > 2;
    let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(is_flag);
    let flags: BTreeSet<&str> = words.filter(|flag| !["--help", "--version"].contains(flag)).collect();
    assert!(flags.len() > 20, "{flags:?}");
    for flag in flags {
        assert!(readme.contains(flag), "{flag}");
    }
}

#[test]
fn every_promise_of_security_md_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let table = text.split("## ").find(|part| part.starts_with("Promised")).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        let held_by = row.rsplit(" | ").next().unwrap();
        let names: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{row}");
        for name in names {
            assert!(root.join(name).exists() || root.join(format!("{name}.rs")).exists(), "{name} of {row}");
        }
    }
}

#[test]
fn every_case_of_the_merge_has_a_test_of_its_number() {
    let tests: String = sources("tests/it").into_values().collect();
    // M47 to M49 were never given out.
    for number in (1..=99).filter(|number| !(47..=49).contains(number)) {
        assert!(tests.contains(&format!("\nfn m{number:02}_")), "M{number} has no test");
    }
}
