//! What the module's documentation promises, on trees of a few lines.

use super::*;
use crate::error::ErrorKind;
use crate::rootfs::Tally;

fn facts(protected: &[&str], directories: &[&str]) -> Facts {
    let paths = |names: &[&str]| names.iter().map(|name| path(name)).collect();
    Facts { protected: paths(protected), directories: paths(directories), ..Facts::default() }
}

fn after(lines: &str, rules: &Rules, facts: &Facts) -> String {
    let tree = tree(lines);
    left(&tree, rules.decide(&tree, facts))
}

fn kept(lines: &str, rules: &Rules, protected: &[&str]) -> Vec<String> {
    let drops = rules.decide(&tree(lines), &facts(protected, &[]));
    drops.kept().iter().map(|kept| format!("{} {} {}", kept.path, kept.rule, kept.refused)).collect()
}

#[test]
fn a_dropped_directory_goes_with_all_below_it() {
    assert_eq!(after("a/b/c = x\na/d = x\ne = x", &own(&["/a"], &[]), &Facts::default()), "e");
}

#[test]
fn what_is_kept_stays_with_the_directories_above_it_and_all_below() {
    let rules = own(&["/a"], &["/a/b/c"]);
    assert_eq!(after("a/b/c/d = x\na/b/e = x\na/f = x", &rules, &Facts::default()), "a/ a/b/ a/b/c/ a/b/c/d");
}

#[test]
fn the_users_keep_beats_every_drop() {
    let rules = with("docs", &["/usr/share/doc/x"], &["/usr/share/doc/x/README"]);
    let left = after("usr/share/doc/x/README = x\nusr/share/doc/x/b = x", &rules, &Facts::default());
    assert!(left.ends_with("doc/x/README"), "{left}");
}

#[test]
fn the_users_drop_beats_a_presets_keep_and_the_legal_floor() {
    let lines = "usr/share/doc/x/copyright = x\nusr/share/locale/en/a = x";
    let rules = with("docs,locales", &["copyright", "/usr/share/locale/en"], &[]);
    assert_eq!(after(lines, &rules, &Facts::default()), "usr/ usr/share/ usr/share/doc/ usr/share/locale/");
}

#[test]
fn a_presets_keep_limits_that_preset_alone() {
    // locales keeps /usr/share/locale/en; vcs takes the .git in it all the same.
    let left = after(
        "usr/share/locale/en/.git/x = x\nusr/share/locale/en/m = x",
        &with("locales,vcs", &[], &[]),
        &Facts::default(),
    );
    assert!(left.ends_with("locale/en/ usr/share/locale/en/m"), "{left}");
}

#[test]
fn a_directory_that_rules_emptied_goes_and_one_that_was_empty_stays() {
    let rules = with("debug", &[], &[]);
    assert_eq!(after("app/sym/a.debug = x\napp/empty/\napp/b = x", &rules, &Facts::default()), "app/ app/b app/empty/");
    assert_eq!(after("app/deep/er/a.debug = x\napp/deep/b.debug = x\nc = x", &rules, &Facts::default()), "c");
}

#[test]
fn directories_that_a_container_expects_stay_empty() {
    let lines = "app/a.debug = x\ndata/v/b.debug = x\ntmp/x.debug = x\nopt/y.debug = x\nvar/log/z/x.debug = x";
    let left = after(lines, &with("debug", &[], &[]), &facts(&[], &["/app", "/data/v"]));
    assert_eq!(left, "app/ data/ data/v/ opt/ tmp/ var/ var/log/ var/log/z/");
}

#[test]
fn a_working_directory_behind_a_link_stays() {
    let left = after("srv/app/a.debug = x\napp -> srv/app", &with("debug", &[], &[]), &facts(&[], &["/app"]));
    assert_eq!(left, "app srv/ srv/app/");
}

#[test]
fn the_bytes_of_a_hard_link_go_with_its_last_name() {
    let mut tree = tree("a/x = four\nb/x => a/x\nc/x => a/x");
    let rules = own(&["/a", "/b"], &[]);
    let dropped = rules.decide(&tree, &Facts::default()).apply(&mut tree);
    assert_eq!(
        dropped.iter().map(|one| one.tally).fold(Tally::default(), |mut sum, one| {
            sum += one;
            sum
        }),
        Tally { entries: 2, bytes: 0 }
    );
    let dropped = own(&["/c"], &[]).decide(&tree, &Facts::default()).apply(&mut tree);
    assert_eq!(
        (dropped[0].source.as_str(), dropped[0].rule.as_str(), dropped[0].tally),
        ("--drop", "/c", Tally { entries: 1, bytes: 4 })
    );
}

#[test]
fn a_link_goes_with_the_last_of_what_it_led_to() {
    let lines = "usr/bin/cc -> /etc/alternatives/cc\netc/alternatives/cc -> /usr/bin/gcc\nusr/bin/gcc = x\nusr/bin/dead -> nowhere\nz -> usr/bin/dead";
    let drops = with("build-tools", &[], &[]).decide(&tree(lines), &Facts::default());
    let rules: Vec<String> =
        drops.removals().iter().map(|one| format!("{} {}", one.path, drops.rule_name(one.rule))).collect();
    // The directory of alternatives goes with its only link.
    assert_eq!(
        rules.join(", "),
        "/etc/alternatives build-tools/gcc, /usr/bin/cc build-tools/gcc, /usr/bin/gcc build-tools/gcc"
    );
}

#[test]
fn a_link_that_is_kept_may_dangle() {
    let lines = "a -> b\nb -> c\nc = x";
    assert_eq!(after(lines, &own(&["/c"], &["/a"]), &Facts::default()), "a b c");
    assert_eq!(after(lines, &own(&["/c"], &["a"]), &Facts::default()), "a");
    assert_eq!(after(lines, &own(&["/b"], &[]), &Facts::default()), "c");
}

#[test]
fn a_kept_path_keeps_the_links_that_it_leads_through() {
    let lines = "usr/bin/java -> /etc/alternatives/java\netc/alternatives/java -> /opt/jvm/bin/java\nopt/jvm/bin/java = x\nopt/jvm/lib = x";
    let left = after(lines, &own(&["/opt/jvm", "/etc"], &["/usr/bin/java"]), &Facts::default());
    assert!(
        left.contains("opt/jvm/bin/java") && left.contains("etc/alternatives/java") && !left.contains("jvm/lib"),
        "{left}"
    );
}

#[test]
fn links_to_directories_that_get_empty_go_in_turn() {
    // A directory of links is emptied by their going, and the link to it goes then.
    let lines = "x/one.debug = x\nlinks/a -> ../x/one.debug\nto -> links\nfar -> to\nkeep = x";
    assert_eq!(after(lines, &with("debug", &[], &[]), &Facts::default()), "keep");
}

#[test]
fn a_link_that_loops_or_leads_nowhere_is_left_alone() {
    let lines = "a -> b\nb -> a\nc -> c/d\nd -> ../../..\nx.debug = x";
    assert_eq!(after(lines, &with("debug", &[], &[]), &Facts::default()), "a b c d");
}

#[test]
fn the_program_of_the_image_keeps_its_whole_family() {
    let lines = "usr/local/go/bin/go = x\nusr/local/go/src/fmt.go = x\nusr/bin/git = x\nusr/bin/gcc = x\nusr/bin/ld = x\nusr/bin/make = x";
    let rules = with("build-tools", &[], &[]);
    let left = after(lines, &rules, &facts(&["/usr/local/go/bin/go"], &[]));
    assert_eq!(
        left,
        "usr/ usr/bin/ usr/bin/gcc usr/bin/git usr/bin/ld usr/local/ usr/local/go/ usr/local/go/bin/ usr/local/go/bin/go usr/local/go/src/ usr/local/go/src/fmt.go"
    );
    let refused = kept(lines, &rules, &["/usr/local/go/bin/go"]);
    assert_eq!(refused[0], "/usr/local/go/bin/go build-tools/go true");
    assert!(refused.contains(&"/usr/local/go/bin/go build-tools/binutils true".to_owned()), "{refused:?}");
}

#[test]
fn a_protected_path_is_followed_through_its_links() {
    let lines = "bin -> usr/bin\nusr/bin/cc -> /etc/alternatives/cc\netc/alternatives/cc -> /usr/bin/gcc-12\nusr/bin/gcc-12 = x\nusr/bin/as = x";
    let left = after(lines, &with("build-tools", &[], &[]), &facts(&["/bin/cc"], &[]));
    assert_eq!(
        left,
        "bin etc/ etc/alternatives/ etc/alternatives/cc usr/ usr/bin/ usr/bin/as usr/bin/cc usr/bin/gcc-12"
    );
}

#[test]
fn the_users_drop_takes_even_the_program_and_says_so() {
    let rules = with("build-tools", &["/usr/bin/git"], &[]);
    assert_eq!(kept("usr/bin/git = x", &rules, &["/usr/bin/git"]), ["/usr/bin/git --drop//usr/bin/git false"]);
    assert_eq!(after("usr/bin/git = x", &rules, &facts(&["/usr/bin/git"], &[])), "usr/ usr/bin/");
}

#[test]
fn applets_of_busybox_are_busybox() {
    let lines = "bin/busybox = x\nbin/ar => bin/busybox\nusr/bin/strings -> /bin/busybox\nusr/bin/patch = x";
    assert_eq!(
        after(lines, &with("build-tools", &[], &[]), &Facts::default()),
        "bin/ bin/ar bin/busybox usr/ usr/bin/ usr/bin/strings"
    );
}

#[test]
fn names_that_are_no_text_are_dropped_and_kept_like_others() {
    assert_eq!(after("a/\\xff.log = x\na/\\xfe = x", &own(&["/a/*.log"], &[]), &Facts::default()), "a/ a/\\xfe");
}

#[test]
fn own_rules_name_their_file_and_reason_in_the_report() {
    let text = "[[rule]]\nname = 'big'\nreason = 'not used'\ndrop = ['/data']\nkeep = ['/data/k']\n";
    let builder = Rules::builder().presets(preset::Selection::none());
    let rules = builder.file("my.toml", text).unwrap().build().unwrap();
    let mut tree = tree("data/a = 1234\ndata/b/c = x\ndata/k = x");
    let dropped = rules.decide(&tree, &Facts::default()).apply(&mut tree);
    let [one] = dropped.as_slice() else { panic!("{dropped:?}") };
    assert_eq!((one.source.as_str(), one.rule.as_str(), one.reason.as_str()), ("my.toml", "big", "not used"));
    assert_eq!(one.tally.bytes, 5);
}

#[test]
fn a_bad_glob_or_need_is_an_error_at_once() {
    let error = Rules::builder().drop("a/[").unwrap_err();
    assert!(error.to_string().starts_with("--drop \"a/[\": ") && error.kind() == ErrorKind::Usage);
    let text = "[[rule]]\nname = 'a'\nreason = 'r'\ndrop = ['x']\nneeds = ['b']\n";
    let error = Rules::builder().file("my.toml", text).unwrap().build().unwrap_err();
    assert_eq!(error.to_string(), "my.toml: the rule \"a\" needs \"b\", which is no rule here");
}

#[test]
fn the_sum_of_the_tallies_is_what_went() {
    let lines = "app/.git/a.debug = 123\napp/.git/b = 1\nusr/share/doc/x/a.debug = 12\nusr/share/doc/x/copyright = c\nusr/bin/gcc = gcc\nusr/bin/cc -> gcc";
    let mut tree = tree(lines);
    let count = |tree: &Tree| {
        let mut sum = 0;
        tree.walk(&mut |_, node| {
            sum += tree.inode_of(node).kind.size();
            crate::rootfs::Descend::Yes
        });
        sum
    };
    let before = count(&tree);
    let dropped = Rules::default().decide(&tree, &Facts::default()).apply(&mut tree);
    assert_eq!(dropped.iter().map(|one| one.tally.bytes).sum::<u64>(), before - count(&tree));
    assert_eq!(count(&tree), 1);
}
