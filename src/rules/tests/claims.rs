//! What packages and needs say to the rules: owned, taken, needed; and files that lose their content only.

use super::*;
use crate::rootfs::{NodeId, Tally};
use std::sync::Arc;

const RULES: &str = "
[[rule]]
name = 'gcc'
reason = 'r'
packages = ['gcc*']
never = ['gcc-*-base']
drop = ['/usr/lib/gcc/**']
";

fn rules(text: &str) -> Rules {
    Rules::builder().presets(preset::Selection::none()).file("my.toml", text).unwrap().build().unwrap()
}

fn preset_rules() -> Rules {
    with("build-tools", &[], &[])
}

fn node(tree: &Tree, at: &str) -> NodeId {
    tree.lookup(&path(at)).unwrap()
}

fn owned(tree: &Tree, paths: &[&str]) -> Arc<[bool]> {
    let mut owned = vec![false; tree.node_bound()];
    paths.iter().for_each(|path| owned[node(tree, path).index()] = true);
    owned.into()
}

#[test]
fn a_rule_that_names_packages_tells_which() {
    let (tree, facts, rules) = (tree("a = x\n"), Facts::default(), rules(RULES));
    let judgement = rules.judge(&tree, &facts, 0);
    let [seed] = &judgement.seeds()[..] else { panic!("one seed") };
    assert!(
        seed.packages.is_match("gcc-12") && !seed.packages.is_match("g++-12") && seed.never.is_match("gcc-12-base")
    );
    assert!(judgement.is_own(seed.rule));
}

#[test]
fn globs_of_a_preset_with_packages_take_only_what_no_package_owns() {
    let lines = "usr/bin/gcc-12 = x\nusr/bin/gcc-13 = y\n";
    let (tree, facts, rules) = (tree(lines), Facts::default(), preset_rules());
    let mut judgement = rules.judge(&tree, &facts, 0);
    assert!(!judgement.seeds().is_empty(), "the rule gcc names packages");
    let claims = Claims { owned: owned(&tree, &["/usr/bin/gcc-12"]), ..Claims::default() };
    assert_eq!(left(&tree, judgement.decide(claims)), "usr/ usr/bin/ usr/bin/gcc-12");
}

#[test]
fn a_package_takes_its_files_licences_too_and_what_led_to_them() {
    let lines =
        "usr/share/doc/gcc/copyright = x\netc/alternatives/cc -> /opt/cc\nopt/cc = y\nusr/share/doc/a/copyright = z\n";
    let (tree, facts, rules) = (tree(lines), Facts::default(), preset_rules());
    let mut judgement = rules.judge(&tree, &facts, 0);
    let rule = judgement.seeds()[0].rule;
    let taken = ["/usr/share/doc/gcc/copyright", "/opt/cc"].map(|path| (node(&tree, path), rule));
    let claims = Claims { taken: Arc::new(taken.into()), ..Claims::default() };
    let left = left(&tree, judgement.decide(claims));
    assert_eq!(left, "etc/ opt/ usr/ usr/share/ usr/share/doc/ usr/share/doc/a/ usr/share/doc/a/copyright");
}

#[test]
fn no_preset_takes_what_something_needs_but_the_users_own_word_does() {
    let (tree, facts) = (tree("usr/bin/make = x\nusr/bin/cmake = y\n"), Facts::default());
    let needed = || Claims { needed: [node(&tree, "/usr/bin/make")].into(), ..Claims::default() };
    let preset = preset_rules();
    assert_eq!(left(&tree, preset.judge(&tree, &facts, 0).decide(needed())), "usr/ usr/bin/ usr/bin/make");
    let own = own(&["/usr/bin/make"], &[]);
    assert_eq!(left(&tree, own.judge(&tree, &facts, 0).decide(needed())), "usr/ usr/bin/ usr/bin/cmake");
}

#[test]
fn the_decision_knows_for_each_name_which_rule_takes_it() {
    let (tree, facts, rules) = (tree("d/a = x\nd/b = y\nc = z\n"), Facts::default(), own(&["/d"], &[]));
    let drops = rules.judge(&tree, &facts, 0).decide(Claims::default());
    assert!(["/d", "/d/a", "/d/b"].iter().all(|path| drops.gone(node(&tree, path)).is_some()));
    assert_eq!(drops.gone(node(&tree, "/c")), None);
}

#[test]
fn a_truncated_file_keeps_its_name_unless_the_user_keeps_its_content() {
    let text = "[[rule]]\nreason = 'r'\ntruncate = ['/etc/machine-id', '/etc/empty', '*.link']\n";
    let lines = "etc/machine-id = 1234\netc/empty =\na.link -> etc/empty\n";
    let (tree, facts, rules) = (tree(lines), Facts::default(), rules(text));
    let drops = rules.decide(&tree, &facts);
    let paths: Vec<String> = drops.truncated().iter().map(|file| file.path.to_string()).collect();
    assert_eq!(paths, ["/etc/machine-id"]);
    let kept = format!("{text}\n[[rule]]\nreason = 'r'\nkeep = ['/etc/machine-id']\n");
    let kept = Rules::builder().presets(preset::Selection::none()).file("my.toml", &kept).unwrap().build().unwrap();
    assert!(kept.decide(&tree, &facts).truncated().is_empty());
    let dropped = drops.apply(&mut tree.clone());
    assert!(dropped.iter().all(|rule| rule.tally == Tally::default()), "{dropped:?}");
}

#[test]
fn what_the_user_keeps_is_listed_with_all_below_it_and_the_links_that_lead_there() {
    let tree = tree("a/b/c = x\na/d = y\nlink -> a/d\nz = w\n");
    let kept = |globs: &[&str]| {
        let kept = own(&[], globs).kept_by_user(&tree, 40);
        kept.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kept(&["/a/b"]), "/a/b /a/b/c");
    assert_eq!(kept(&["/link"]), "/a/d /link");
    assert_eq!(kept(&["c", "z*"]), "/a/b/c /z");
    assert_eq!(kept(&[]), "");
}
