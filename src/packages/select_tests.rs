use super::*;
use crate::packages::package::{AnyOf, Fixed};
use globset::{Glob, GlobSetBuilder};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn globs(words: &str) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for word in words.split_whitespace() {
        set.add(Glob::new(word).unwrap());
    }
    set.build().unwrap()
}

fn seed(rule: usize, packages: &str, never: &str) -> Seed {
    Seed { rule, packages: globs(packages), never: globs(never) }
}

fn groups(text: &str) -> Vec<AnyOf> {
    text.split_whitespace().map(|group| group.split('|').map(Into::into).collect()).collect()
}

/// `name auto depends:a,b recommends:c weak:d if:e provides:f essential`, a package a line.
fn system(text: &str) -> Vec<Package> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let mut package = Package { name: words.next().unwrap().into(), ..Package::default() };
        for word in words {
            let (key, value) = word.split_once(':').unwrap_or((word, ""));
            let value = value.replace(',', " ");
            match key {
                "auto" => package.automatic = true,
                "essential" => package.essential = true,
                "unlisted" => package.fixed = Some(Fixed::NoFileList),
                "depends" => package.depends = groups(&value),
                "recommends" => package.recommends = groups(&value),
                "weak" => package.weak = groups(&value),
                "if" => package.installed_if = groups(&value),
                "provides" => package.provides = value.split_whitespace().map(Into::into).collect(),
                _ => panic!("{word}"),
            }
        }
        package
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect()
}

fn decide(all: &[Package], seeds: &[Seed], roots: &[(PackageId, String)]) -> Selection {
    select(all, &Graph::new(all, &mut |_| Vec::new()), seeds, roots)
}

fn dropped(all: &[Package], seeds: &[Seed]) -> Vec<String> {
    decide(all, seeds, &[]).dropped.iter().map(|dropped| all[dropped.id.index()].name.clone()).collect()
}

#[test]
fn what_came_for_a_seed_goes_with_it_and_says_for_whom() {
    let all = system(
        "gcc depends:cpp weak:gdb\ncpp auto depends:libisl\nlibisl auto\ngdb auto\napp depends:libc\nlibc auto\nlone auto",
    );
    let selection = decide(&all, &[seed(7, "gcc", "")], &[]);
    let all_dropped: Vec<_> =
        selection.dropped.iter().map(|one| (one.id.0, one.rule, one.because.map(|id| id.0))).collect();
    assert_eq!(all_dropped, [(0, 7, None), (1, 7, Some(0)), (2, 7, Some(0)), (3, 7, Some(0))]);
}

#[test]
fn what_stays_keeps_what_it_depends_on() {
    let all = system("gcc depends:libisl,libmpc\nlibisl auto\nlibmpc auto\napp depends:none|libisl");
    assert_eq!(dropped(&all, &[seed(0, "gcc", "")]), ["gcc", "libmpc"]);
}

#[test]
fn a_seed_that_something_needs_is_refused_with_the_chain_to_the_root() {
    let all = system("gcc\nmid auto depends:gcc\napp depends:mid\nmake");
    let roots = [(PackageId(2), "the image runs /app".to_owned())];
    let selection = decide(&all, &[seed(3, "gcc make", "")], &roots);
    let refused = &selection.refused[0];
    assert_eq!((refused.id.0, refused.rule), (0, 3));
    assert_eq!(refused.why, "mid needs it, app needs mid: the image runs /app");
    assert_eq!(selection.chain(PackageId(0)).unwrap().0, [PackageId(1), PackageId(2)]);
    assert_eq!(selection.chain(PackageId(3)), None);
}

#[test]
fn a_seed_that_is_a_root_is_refused_for_that() {
    let all = system("gcc");
    let selection = decide(&all, &[seed(0, "gcc", "")], &[(PackageId(0), "the image runs gcc".into())]);
    assert_eq!(selection.refused[0].why, "the image runs gcc");
    assert!(selection.dropped.is_empty());
}

#[test]
fn essential_unlisted_and_pinned_packages_stay() {
    let all =
        system("gcc depends:bash,odd,ca-certificates\nbash auto essential\nodd auto unlisted\nca-certificates auto");
    assert_eq!(dropped(&all, &[seed(0, "gcc bash odd", "")]), ["gcc"]);
    assert_eq!(dropped(&all, &[seed(0, "gcc ca-certificates", "")]), ["gcc", "ca-certificates"]);
    let why = decide(&all, &[seed(0, "odd", "")], &[]).refused[0].why.clone();
    assert_eq!(why, "its file list is missing");
}

#[test]
fn never_means_never_by_that_rule() {
    let all = system("gcc depends:libgomp1,gcc-base\nlibgomp1 auto depends:libx\nlibx auto\ngcc-base auto");
    assert_eq!(dropped(&all, &[seed(0, "gcc*", "*-base libgomp1")]), ["gcc"]);
    assert_eq!(dropped(&all, &[seed(0, "gcc*", "*-base"), seed(1, "libgomp1", "")]), ["gcc", "libgomp1", "libx"]);
}

#[test]
fn a_recommendation_of_what_was_chosen_holds_but_not_a_seed() {
    let all = system("gcc depends:modules,make\nmodules auto\nmake auto\nperl recommends:make,modules");
    assert_eq!(dropped(&all, &[seed(0, "gcc make", "")]), ["gcc", "make"]);
    let all = system("gcc depends:modules\nmodules auto\nlib auto recommends:modules\napp depends:lib");
    assert_eq!(dropped(&all, &[seed(0, "gcc", "")]), ["gcc", "modules"]);
}

#[test]
fn what_came_because_others_are_there_stays_with_them() {
    let all =
        system("git depends:ssl_x\nssl_x auto if:busybox,libssl\nbusybox\nlibssl\ngit-doc auto if:git weak:y\ny auto");
    assert_eq!(dropped(&all, &[seed(0, "git*", "")]), ["git", "git-doc", "y"]);
}

#[test]
fn what_only_a_refused_seed_recommends_stays() {
    let all = system("make auto weak:make-doc\nmake-doc auto\napp depends:make\ngcc");
    assert_eq!(dropped(&all, &[seed(0, "make gcc", "")]), ["gcc"]);
}

#[test]
fn the_library_of_a_development_package_that_was_installed_by_name_stays() {
    let mut all = system(
        "libmagic-dev depends:libmagic1,libz-dev\nlibmagic1 auto depends:magic\nmagic auto\nlibz-dev auto depends:libz\nlibz auto\ngcc depends:libisl\nlibisl auto",
    );
    let (magic, other) = all.split_at_mut(2);
    magic.iter_mut().for_each(|package| package.version = "5.44".into());
    other.iter_mut().for_each(|package| package.version = "1".into());
    assert_eq!(dropped(&all, &[seed(0, "gcc *-dev", "")]), ["libmagic-dev", "libz-dev", "libz", "gcc", "libisl"]);
    let why = decide(&all, &[seed(0, "*-dev", "")], &[]).why(&all, PackageId(2));
    assert_eq!(why.unwrap(), "libmagic1 needs it: programs may load it: libmagic-dev was installed by name");
    all[0].automatic = true;
    assert_eq!(
        dropped(&all, &[seed(0, "libmagic-dev", "")]),
        ["libmagic-dev", "libmagic1", "magic", "libz-dev", "libz"]
    );
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![(0..8u8).prop_map(|n| format!("p{n}")), (0..3u8).prop_map(|n| format!("v{n}"))]
}

fn any_groups(most: usize) -> impl Strategy<Value = Vec<AnyOf>> {
    let group = prop::collection::vec(name(), 1..3).prop_map(|names| names.into_iter().map(Into::into).collect());
    prop::collection::vec(group, 0..most)
}

fn any_package() -> impl Strategy<Value = Package> {
    let groups = (any_groups(3), any_groups(2), any_groups(2), any_groups(2));
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.7), prop::bool::weighted(0.05));
    (groups, flags, prop::collection::vec(0..3u8, 0..2)).prop_map(
        |((depends, recommends, weak, installed_if), flags, virtuals)| Package {
            essential: flags.0,
            automatic: flags.1,
            fixed: flags.2.then_some(Fixed::Unfinished),
            depends,
            recommends,
            weak,
            installed_if,
            provides: virtuals.into_iter().map(|n| format!("v{n}").into()).collect(),
            ..Package::default()
        },
    )
}

type Set = BTreeSet<usize>;

fn number(at: usize) -> PackageId {
    PackageId(u32::try_from(at).unwrap())
}

/// The algorithm in sets, as rules.md tells it.
fn model(all: &[Package], seeds: &[Seed], roots: &Set) -> Set {
    let every: Set = (0..all.len()).collect();
    let answers =
        |at: usize, names: &AnyOf| names.iter().any(|name| **name == *all[at].name || all[at].provides.contains(name));
    let asked = |at: usize| {
        seeds.iter().position(|seed| seed.packages.is_match(&all[at].name) && !seed.never.is_match(&all[at].name))
    };
    let chosen = |at: usize| roots.contains(&at) || (asked(at).is_none() && !all[at].automatic);
    let firm = |at: usize| chosen(at) || all[at].essential || all[at].fixed.is_some();
    let mut kept = Set::new();
    let mut candidates = every.clone();
    loop {
        let mut next = Set::new();
        for (number, seed) in seeds.iter().enumerate() {
            let mut reached: Set = every
                .iter()
                .copied()
                .filter(|&at| asked(at) == Some(number) && !firm(at) && !kept.contains(&at))
                .collect();
            let sources = reached.clone();
            loop {
                let leads = |to: usize| {
                    reached.iter().any(|&from| {
                        let of = &all[from];
                        of.depends.iter().chain(&of.recommends).chain(&of.weak).any(|names| answers(to, names))
                    })
                };
                let goes = |at: usize| {
                    all[at].automatic
                        && !firm(at)
                        && !kept.contains(&at)
                        && asked(at).is_none()
                        && !seed.never.is_match(&all[at].name)
                };
                let more: Set =
                    every.iter().copied().filter(|&at| !reached.contains(&at) && goes(at) && leads(at)).collect();
                if more.is_empty() {
                    break;
                }
                reached.extend(more);
            }
            next.extend(reached.difference(&sources));
        }
        kept = every.iter().copied().filter(|&at| firm(at) || (asked(at).is_none() && !next.contains(&at))).collect();
        loop {
            let needed = |at: usize| {
                let by = |from: &usize| {
                    let of = &all[*from];
                    of.depends.iter().any(|names| answers(at, names))
                        || (chosen(*from)
                            && asked(at).is_none()
                            && of.recommends.iter().any(|names| answers(at, names)))
                };
                let came = !all[at].installed_if.is_empty()
                    && asked(at).is_none()
                    && all[at].installed_if.iter().all(|names| kept.iter().any(|&from| answers(from, names)));
                kept.iter().any(by) || came
            };
            let more: Set = every.iter().copied().filter(|&at| !kept.contains(&at) && needed(at)).collect();
            if more.is_empty() {
                break;
            }
            kept.extend(more);
        }
        if next == candidates {
            return every.difference(&kept).copied().collect();
        }
        candidates = next;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_choice_is_that_of_the_model_and_breaks_nothing_that_stays(
        mut all in prop::collection::vec(any_package(), 1..8),
        asked in prop::collection::vec((prop::collection::vec(0..8u8, 0..3), prop::collection::vec(0..8u8, 0..2)), 1..3),
        roots in prop::collection::btree_set(0..8usize, 0..2),
    ) {
        for (at, package) in all.iter_mut().enumerate() {
            package.name = format!("p{at}");
        }
        let words = |numbers: &[u8]| numbers.iter().map(|n| format!("p{n} ")).collect::<String>();
        let seeds: Vec<Seed> =
            asked.iter().enumerate().map(|(rule, (packages, never))| seed(rule, &words(packages), &words(never))).collect();
        let roots: Set = roots.into_iter().filter(|at| *at < all.len()).collect();
        let given: Vec<_> = roots.iter().map(|at| (number(*at), "root".to_owned())).collect();
        let selection = decide(&all, &seeds, &given);
        let gone: Set = selection.dropped.iter().map(|dropped| dropped.id.index()).collect();
        prop_assert_eq!(&gone, &model(&all, &seeds, &roots));
        let answered = |names: &AnyOf, stays: &dyn Fn(usize) -> bool| {
            all.iter().enumerate().any(|(at, other)| {
                stays(at) && names.iter().any(|name| **name == *other.name || other.provides.contains(name))
            })
        };
        for (at, package) in all.iter().enumerate() {
            let stays = !gone.contains(&at);
            prop_assert_eq!(stays, selection.chain(number(at)).is_some());
            let held = package.essential || package.fixed.is_some() || roots.contains(&at);
            prop_assert!(stays || !held);
            for names in package.depends.iter().filter(|names| stays && answered(names, &|_| true)) {
                prop_assert!(answered(names, &|other| !gone.contains(&other)), "{} lost {:?}", package.name, names);
            }
        }
    }
}
