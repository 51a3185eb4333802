//! Bounds on time: hostile globs and trees, and a measurement to run by hand.

use super::*;
use std::time::{Duration, Instant};

/// A root filesystem of about so many files, spread as in a Debian image with Python and Node.
fn large(files: usize) -> Tree {
    let mut lines = String::new();
    let places = [
        "usr/share/doc/p",
        "usr/lib/python3/dist-packages/m",
        "app/node_modules/n",
        "usr/include/h",
        "usr/share/zoneinfo/z",
        "usr/lib/x86_64-linux-gnu/l",
        "app/src/s",
        "usr/share/locale/l",
    ];
    for n in 0..files {
        let place = places[n % places.len()];
        lines.push_str(&format!("{place}{}/sub/file_{n}.{} = x\n", n / 97, ["py", "js", "h", "so", "txt"][n % 5]));
    }
    tree(&lines)
}

#[test]
#[ignore = "a measurement: cargo test --release rules -- --ignored --nocapture"]
fn what_a_path_costs() {
    let start = Instant::now();
    let rules = [
        ("default", Rules::default()),
        ("all", with("all", &[], &[])),
        ("all+user", with("all", &["*.core"], &["/app/keep/**"])),
    ];
    println!("build three: {:?}", start.elapsed());
    for files in [100_000, 500_000] {
        let tree = large(files);
        for (name, rules) in &rules {
            let start = Instant::now();
            let drops = rules.decide(&tree, &Facts::default());
            let time = start.elapsed();
            println!(
                "{name}: {files} files, {} removals, {time:?}, {:.2} us a path",
                drops.removals().len(),
                time.as_secs_f64() * 1e6 / files as f64
            );
        }
    }
}

#[test]
fn hostile_globs_and_ten_thousand_rules_end_in_time() {
    let start = Instant::now();
    let mut text = String::new();
    for n in 0..10_000 {
        text.push_str(&format!("[[rule]]\nreason = 'r'\ndrop = ['**/*a*{n}*a*/**/b?[a-z]*']\n"));
    }
    for glob in [
        "**/**/**/**/**/**/**/**/x",
        "/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b",
        "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
    ] {
        text.push_str(&format!("[[rule]]\nreason = 'r'\ndrop = ['{glob}']\n"));
    }
    let builder = Rules::builder().presets(preset::Selection::none());
    let rules = builder.file("hostile.toml", &text).unwrap().build().unwrap();
    let built = start.elapsed();
    let long = "a".repeat(4000);
    let tree = tree(&format!("{long} = x\nd/{long}/e = x\nabab/77aa/bbb = x\n"));
    rules.decide(&tree, &Facts::default());
    println!("built in {built:?}, decided in {:?}", start.elapsed() - built);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(Rules::builder().file("many.toml", &text.repeat(2)).unwrap().build().is_err());
}

#[test]
fn a_deep_tree_and_a_chain_of_links_cost_no_stack_and_little_time() {
    let start = Instant::now();
    let deep = "d/".repeat(3000);
    let mut lines = format!("{deep}x.debug = x\nend.debug = x\nl0 -> end.debug\n");
    for n in 1..3000 {
        lines.push_str(&format!("k{n}/l -> /k{}\nl{n} -> l{}\n", n - 1, n - 1));
    }
    let tree = tree(&format!("{lines}k0/l -> /end.debug\n"));
    let left = left(&tree, with("debug", &[], &[]).decide(&tree, &Facts::default()));
    // Chains of more than 40 links lead nowhere, before and after.
    assert!(!left.contains("d/d/") && !left.contains("l39 ") && left.contains("l41"), "{}", left.len());
    assert!(!left.contains("k2999"), "each directory empties the next");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn the_same_input_gives_the_same_answer() {
    let tree = large(3000);
    let rules = with("all", &["*7*"], &["*77*"]);
    let first = rules.decide(&tree, &Facts::default());
    let again = with("all", &["*7*"], &["*77*"]).decide(&tree.clone(), &Facts::default());
    assert!(!first.is_empty());
    assert_eq!(first.removals(), again.removals());
}
