//! What a removal would break, and what it would not.

use super::elf_testing::{Image, object, program, shown};
use super::{Wants, lost};
use crate::rootfs::NodeId;

/// Who loses what when these names go.
fn losses(image: &Image, gone: &[&str]) -> Vec<String> {
    let wants = image.wants();
    let gone: Vec<NodeId> = gone.iter().map(|path| image.node(path)).collect();
    let lost = lost(&image.needs(&wants), &|node| gone.contains(&node));
    lost.iter().map(|lost| format!("{} {}", lost.needer, shown(&lost.need))).collect()
}

fn image() -> Image {
    Image::new()
        .libraries(&["lib64/ld-linux-x86-64.so.2"])
        .link("usr/lib/liba.so.1", "liba.so.1.2")
        .elf("usr/lib/liba.so.1.2", object().needs(&["libb.so"]))
        .libraries(&["usr/lib/libb.so"])
        .elf("usr/bin/sh", program())
        .elf("usr/bin/main", program().needs(&["liba.so.1", "libnone.so"]))
        .script("app/run", "#!/usr/bin/sh\n")
}

#[test]
fn every_file_that_stays_and_loses_a_need_is_told() {
    let a = "/usr/bin/main liba.so.1: /usr/lib/liba.so.1 /usr/lib/liba.so.1.2";
    assert_eq!(losses(&image(), &["usr/lib/liba.so.1"]), [a]);
    assert_eq!(losses(&image(), &["usr/lib/libb.so"]), ["/usr/lib/liba.so.1.2 libb.so: /usr/lib/libb.so"]);
    assert_eq!(losses(&image(), &["usr/bin/sh"]), ["/app/run /usr/bin/sh: /usr/bin/sh"]);
    let loader = "/lib64/ld-linux-x86-64.so.2: /lib64/ld-linux-x86-64.so.2";
    let both = [format!("/usr/bin/main {loader}"), format!("/usr/bin/sh {loader}")];
    assert_eq!(losses(&image(), &["lib64/ld-linux-x86-64.so.2"]), both);
}

#[test]
fn what_goes_with_its_directory_goes() {
    assert_eq!(losses(&image(), &["lib64"]).len(), 2);
    assert_eq!(losses(&image(), &["usr/bin"]), ["/app/run /usr/bin/sh: /usr/bin/sh"]);
}

#[test]
fn a_file_that_goes_needs_nothing_and_a_need_that_was_never_met_is_not_lost() {
    assert_eq!(losses(&image(), &["usr/lib", "usr/bin/main"]), [""; 0]);
    assert_eq!(losses(&image(), &["app"]), [""; 0]);
    assert_eq!(losses(&image(), &[]), [""; 0]);
}

#[test]
fn a_second_library_on_the_search_path_takes_the_place_of_the_first() {
    let image = Image::new()
        .libraries(&["usr/local/lib/liba.so", "usr/lib/liba.so"])
        .text("etc/ld.so.conf", "/usr/local/lib\n")
        .text("etc/ld.so.cache", "")
        .elf("main", object().needs(&["liba.so"]));
    assert_eq!(losses(&image, &["usr/local/lib/liba.so"]), [""; 0]);
    assert_eq!(losses(&image, &["usr/local", "usr/lib"]), ["/main liba.so: /usr/local/lib/liba.so"]);
    assert_eq!(losses(&image, &["etc/ld.so.cache"]), ["/main /etc/ld.so.cache: /etc/ld.so.cache"]);
}

#[test]
fn of_libraries_that_the_loader_does_not_find_only_the_last_is_missed() {
    let image =
        Image::new().libraries(&["x/libjvm.so", "y/libjvm.so"]).elf("lib/libjava.so", object().needs(&["libjvm.so"]));
    assert_eq!(losses(&image, &["x"]), [""; 0]);
    assert_eq!(losses(&image, &["x", "y"]), ["/lib/libjava.so libjvm.so: /x/libjvm.so"]);
}

#[test]
fn each_name_of_a_file_is_a_needer_of_its_own() {
    let mut merge = crate::rootfs::Merge::new(crate::options::SymlinkParents::Overlay, 40);
    let text = "bin/sh [0755] = x\na/run [0755] = #!/bin/sh\nb/run => a/run\n";
    merge.add(&crate::rootfs::text::upper(text).unwrap()).unwrap();
    let image = Image { tree: merge.finish().tree, ..Image::new() };
    assert_eq!(losses(&image, &["bin/sh", "a"]), ["/b/run /bin/sh: /bin/sh"]);
    assert_eq!(losses(&image, &["bin/sh"]).len(), 2);
}

#[test]
fn scripts_that_nobody_runs_where_they_stand_raise_no_alarm() {
    let image = Image::new()
        .elf("bin/sh", program())
        .text("usr/lib/module.py", "#!/bin/sh\n")
        .script("usr/share/doc/x/tool", "#!/bin/sh\n")
        .script("app/.git/hooks/pre-push.sample", "#!/bin/sh\n")
        .script("app/node_gyp_bins/python3", "#!/bin/sh\n")
        .script("usr/share/x/examples/run", "#!/bin/sh\n")
        .script("app/doc/tool", "#!/bin/sh\n")
        .script("app/hooks/tool", "#!/bin/sh\n");
    let told = ["/app/doc/tool /bin/sh: /bin/sh", "/app/hooks/tool /bin/sh: /bin/sh"];
    assert_eq!(losses(&image, &["bin/sh"]), told);
    assert_eq!(image.needs_of("usr/share/doc/x/tool"), ["/bin/sh: /bin/sh"]);
}

#[test]
fn what_is_met_is_listed_by_the_file_that_needs_it() {
    let image = image();
    let wants = image.wants();
    let needs = image.needs(&wants);
    let met: Vec<String> = needs.met().map(|(path, _, need)| format!("{path} {}", shown(need))).collect();
    assert_eq!(
        met,
        [
            "/app/run /usr/bin/sh: /usr/bin/sh",
            "/usr/bin/main /lib64/ld-linux-x86-64.so.2: /lib64/ld-linux-x86-64.so.2",
            "/usr/bin/main liba.so.1: /usr/lib/liba.so.1 /usr/lib/liba.so.1.2",
            "/usr/bin/sh /lib64/ld-linux-x86-64.so.2: /lib64/ld-linux-x86-64.so.2",
            "/usr/lib/liba.so.1.2 libb.so: /usr/lib/libb.so",
        ]
    );
}

#[test]
fn files_that_ask_for_endless_lookups_are_refused() {
    // Each asks for 500 libraries, of which there are 300, in 250 directories of its own: 50,000 files of 20 KB would take hours.
    let directories: Vec<String> = (0..250).map(|number| format!("/d{number}")).collect();
    let names: Vec<String> = (0..500).map(|number| format!("lib{number}.so")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut image = Image::new();
    for directory in &directories {
        image = image.text(&format!("{directory}/x"), "");
    }
    for name in &names {
        image = image.libraries(&[&format!("far/{name}")]);
    }
    for number in 0..450 {
        let runpath = format!("$ORIGIN:{}", directories.join(":"));
        image = image.elf(&format!("p{number}/main"), object().needs(&names).runpath(&runpath));
    }
    let wants: Wants = image.wants();
    let error = super::Needs::new(&image.tree, &wants, &super::elf_testing::Memory::default(), &image.environment, 40);
    assert_eq!(error.unwrap_err().kind(), crate::error::ErrorKind::Limit);
}
