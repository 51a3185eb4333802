//! Each preset against its list, and the presets as a set.

use super::*;
use crate::rules::file::RuleFile;
use std::collections::BTreeSet;

macro_rules! cases {
    ($($name:literal,)*) => {
        const CASES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../cases/", $name, ".txt"))),)*];
    };
}

cases! {
    "build-tools", "bytecode", "caches", "debug", "dev-files", "docs", "editor-junk", "gconv", "identity", "lang-java",
    "lang-node", "lang-python", "locales", "logs", "secrets", "tests", "tmp", "vcs", "zoneinfo-dup",
}

/// What a preset does wrong to the lines of a list, on a tree made of their paths after `change`.
fn mistakes(preset: &str, list: &str, change: impl Fn(&str) -> String) -> Vec<String> {
    let lines: Vec<(&str, String)> = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_at(1))
        .map(|(sign, line)| (sign, change(line.trim())))
        .collect();
    let mut tree = tree(&lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n"));
    let drops = with(preset, &[], &[]).decide(&tree, &Facts::default());
    let emptied: Vec<RootPath> = drops.truncated().iter().map(|file| file.path.clone()).collect();
    drops.apply(&mut tree);
    let becomes = |line: &str| {
        let path = path(line.split(' ').next().unwrap_or_default());
        match tree.lookup(&path) {
            None => "-",
            Some(_) if emptied.contains(&path) => "0",
            Some(_) => "+",
        }
    };
    let wrong = lines.iter().filter(|(sign, line)| becomes(line) != *sign);
    wrong.map(|(sign, line)| format!("{preset}: {sign} {line}")).collect()
}

#[test]
fn every_preset_drops_what_its_list_says_and_no_more() {
    assert!(CASES.iter().map(|(name, _)| name).eq(preset::TEXTS.iter().map(|(name, _)| name)));
    let wrong: Vec<String> = CASES.iter().flat_map(|(name, list)| mistakes(name, list, str::to_owned)).collect();
    assert_eq!(wrong.join("\n"), "");
}

/// Debian before 12 and Alpine keep `/bin` and `/lib` apart from `/usr`; a path moves there in the other spelling.
#[test]
fn every_preset_does_the_same_where_bin_and_lib_are_no_links() {
    let moved = |line: &str| line.strip_prefix("/usr/bin/").map_or(line.to_owned(), |rest| format!("/bin/{rest}"));
    for (name, list) in CASES.iter().filter(|(_, list)| !list.contains("-> ..")) {
        assert_eq!(mistakes(name, list, moved).join("\n"), "");
    }
}

#[test]
fn no_preset_takes_what_another_ones_list_protects_by_its_licence() {
    let lists: Vec<&str> =
        CASES.iter().flat_map(|(_, list)| list.lines()).filter(|line| line.starts_with("+ ")).collect();
    let licences: Vec<&str> = lists
        .iter()
        .filter_map(|line| line.get(2..))
        .filter(|line| line.contains("LICENSE") || line.contains("copyright"))
        .collect();
    let mut tree = tree(&licences.join("\n"));
    with("all", &[], &[]).decide(&tree, &Facts::default()).apply(&mut tree);
    assert!(licences.len() > 5);
    for line in licences {
        assert!(tree.lookup(&path(line.split(' ').next().unwrap())).is_some(), "{line}");
    }
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_reason_and_needs_rules_that_exist() {
    let mut names = BTreeSet::new();
    let mut needed = Vec::new();
    for (preset, text) in preset::TEXTS {
        let file = RuleFile::parse(preset, text).unwrap();
        assert!(file.rules.is_empty() == (*preset == preset::SECRETS), "{preset}");
        assert!(file.summary.is_some_and(|summary| summary.len() < 110 && !summary.ends_with('.')), "{preset}");
        for rule in file.rules {
            assert!(!rule.name.contains(':'), "{preset}: a rule without a name");
            assert!(rule.reason.len() > 15, "{preset}/{}", rule.name);
            let takes = [rule.drop.len(), rule.truncate.len(), rule.packages.len()];
            assert!(takes.iter().any(|globs| *globs > 0), "{preset}/{}", rule.name);
            let unanchored = rule.drop.iter().chain(&rule.truncate).find(|glob| !glob.written.starts_with(['/', '*']));
            assert!(unanchored.is_none(), "{preset}/{}: {unanchored:?}", rule.name);
            needed.extend(rule.needs.iter().map(|need| format!("{preset}/{need}")));
            assert!(names.insert(format!("{preset}/{}", rule.name)), "{preset}/{}", rule.name);
        }
    }
    for need in needed {
        assert!(names.contains(&need), "{need}");
    }
}

#[test]
fn the_presets_are_built_and_every_key_is_explained() {
    assert!(!Rules::default().0.rules.is_empty());
    assert!(with("all", &[], &[]).0.rules.len() > Rules::default().0.rules.len());
    assert!(Rules::none().0.rules.is_empty());
    let readme = include_str!("../../../rules/README.md");
    for key in [
        "reason",
        "drop",
        "keep",
        "keep_dirs",
        "keep_lang",
        "files_only",
        "keep_directory_links",
        "only_if_source",
        "needs",
        "truncate",
    ] {
        assert!(readme.contains(&format!("| `{key}` |")), "{key}");
    }
}

#[test]
fn the_look_for_secrets_is_on_where_its_preset_is() {
    assert!(with("secrets", &[], &[]).looks_for_secrets() && with("all", &[], &[]).looks_for_secrets());
    assert!(!Rules::default().looks_for_secrets() && !with("all,-secrets", &[], &[]).looks_for_secrets());
}

#[test]
fn the_languages_of_the_environment_stay() {
    let lines = "usr/share/locale/de/x = x\nusr/share/locale/de_AT/x = x\nusr/share/locale/den/x = x\nusr/share/locale/fr/x = x\n\
                 usr/share/locale/pt_BR/x = x\nusr/share/i18n/locales/de_DE = x\nusr/share/i18n/locales/fr_FR = x";
    let tree = tree(lines);
    let languages = vec![
        b"de_DE.UTF-8".as_slice().into(),
        b"C.UTF-8".as_slice().into(),
        b"**".as_slice().into(),
        b"pt_BR:xx".as_slice().into(),
    ];
    let facts = Facts { languages, ..Facts::default() };
    let left = left(&tree, with("locales", &[], &[]).decide(&tree, &facts));
    assert!(["de/x", "de_AT/x", "pt_BR/x", "locales/de_DE"].iter().all(|path| left.contains(path)), "{left}");
    assert!(!["den/x", "fr/x", "fr_FR"].iter().any(|path| left.contains(path)), "{left}");
}
