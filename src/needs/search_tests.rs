//! Where libraries and programs are found: each rule of ld.so(8), of musl's loader and of execve(2) by a tree that shows it.

use super::elf_testing::{ARM, I386, Image, object, program};

fn loader(image: Image) -> Image {
    image.link("lib64", "usr/lib64").libraries(&["usr/lib64/ld-linux-x86-64.so.2"])
}

#[test]
fn every_link_on_the_way_to_a_library_is_needed() {
    let image = loader(Image::new())
        .link("lib", "usr/lib")
        .link("usr/lib/x86_64-linux-gnu/libz.so.1", "libz.so.1.2.13")
        .libraries(&["usr/lib/x86_64-linux-gnu/libz.so.1.2.13"])
        .elf("app/main", program().needs(&["libz.so.1", "libmissing.so"]));
    assert_eq!(
        image.needs_of("app/main"),
        [
            "/lib64/ld-linux-x86-64.so.2: /lib64 /usr/lib64/ld-linux-x86-64.so.2",
            "libz.so.1: /lib /usr/lib/x86_64-linux-gnu/libz.so.1 /usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
            "libmissing.so: -",
        ]
    );
}

#[test]
fn a_library_named_by_a_path_is_that_path() {
    let image = Image::new()
        .libraries(&["opt/x/liba.so", "usr/lib/liba.so"])
        .elf("opt/bin/main", object().needs(&["/opt/x/liba.so", "$ORIGIN/../x/liba.so", "/opt/y/liba.so"]));
    assert_eq!(
        image.needs_of("opt/bin/main"),
        ["/opt/x/liba.so: /opt/x/liba.so", "/opt/bin/../x/liba.so: /opt/x/liba.so", "/opt/y/liba.so: -"]
    );
}

#[test]
fn the_search_is_rpath_then_library_path_then_runpath_then_the_system() {
    let everywhere = ["own/liba.so", "env/liba.so", "etc-named/liba.so", "usr/lib/liba.so"];
    let image = |draft| {
        Image::new()
            .libraries(&everywhere)
            .text("etc/ld.so.conf", "/etc-named\n")
            .variable("LD_LIBRARY_PATH", "/env")
            .elf("main", draft)
    };
    let rpath = image(object().needs(&["liba.so"]).rpath("/own"));
    assert_eq!(rpath.needs_of("main"), ["liba.so: /own/liba.so"]);
    let runpath = image(object().needs(&["liba.so"]).runpath("/own"));
    assert_eq!(runpath.needs_of("main"), ["liba.so: /env/liba.so"]);
    assert_eq!(runpath.needs_without("main", &["env"]), ["liba.so: /own/liba.so"]);
    let plain = image(object().needs(&["liba.so"]));
    assert_eq!(plain.needs_without("main", &["env"]), ["liba.so: /etc-named/liba.so", "/etc/ld.so.cache: -"]);
    assert_eq!(plain.needs_without("main", &["env", "etc-named"]), ["liba.so: /usr/lib/liba.so"]);
}

#[test]
fn variables_in_a_runpath_are_replaced_in_every_spelling() {
    let libraries =
        ["app/lib/liba.so", "app/x/libb.so", "opt/lib64/libc1.so", "opt/x86_64/libd.so", "opt/$LIBRARY/libe.so"];
    let image = Image::new().libraries(&libraries).elf(
        "app/bin/main",
        object()
            .needs(&["liba.so", "libb.so", "libc1.so", "libd.so", "libe.so"])
            .runpath("$ORIGIN/../lib:${ORIGIN}/../x:/opt/$LIB:/opt/${PLATFORM}:/opt/$LIBRARY"),
    );
    let found: Vec<String> =
        libraries.iter().map(|path| format!("{}: /{path}", path.rsplit_once('/').unwrap().1)).collect();
    assert_eq!(image.needs_of("app/bin/main"), found);
}

#[test]
fn a_library_of_another_class_or_machine_is_passed_over() {
    let image = Image::new()
        .elf("own/liba.so", object().of(false, I386))
        .elf("lib/liba.so", object().of(true, ARM))
        .text("usr/lib/x86_64-linux-gnu/liba.so", "GROUP ( /lib/liba.so )")
        .elf("usr/lib/liba.so", object())
        .elf("usr/lib/i386-linux-gnu/libb.so", object().of(false, I386))
        .elf("main", object().needs(&["liba.so"]).rpath("/own"))
        .elf("main32", object().of(false, I386).needs(&["liba.so", "libb.so"]).rpath("/own"));
    assert_eq!(image.needs_of("main"), ["liba.so: /usr/lib/liba.so"]);
    assert_eq!(image.needs_of("main32"), ["liba.so: /own/liba.so", "libb.so: /usr/lib/i386-linux-gnu/libb.so"]);
}

#[test]
fn ld_so_conf_includes_files_by_globs_and_its_directories_are_known_by_the_cache_only() {
    let image = Image::new()
        .text("etc/ld.so.conf", "# first\ninclude ld.so.conf.d/*.conf\n")
        .text("etc/ld.so.conf.d/b.conf", "/opt/b/lib # here\n/usr/lib\n")
        .text("etc/ld.so.conf.d/a.conf", "hwcap 0 nosegneg\n\t/opt/a/lib=libc6\ninclude /etc/ld.so.conf\n")
        .text("etc/ld.so.conf.d/c.txt", "/opt/c/lib\n")
        .text("etc/ld.so.cache", "")
        .libraries(&["opt/a/lib/liba.so", "opt/b/lib/liba.so", "opt/b/lib/libb.so", "opt/c/lib/libb.so"])
        .libraries(&["usr/lib/libu.so"])
        .elf("main", object().needs(&["liba.so", "libb.so"]))
        .elf("other", object().needs(&["libu.so"]));
    let needs = ["liba.so: /opt/a/lib/liba.so", "libb.so: /opt/b/lib/libb.so", "/etc/ld.so.cache: /etc/ld.so.cache"];
    assert_eq!(image.needs_of("main"), needs);
    assert_eq!(image.needs_of("other"), ["libu.so: /usr/lib/libu.so"]);
}

#[test]
fn a_library_that_only_its_users_program_finds_is_any_of_that_name() {
    let image = Image::new()
        .libraries(&["jdk/lib/server/libjvm.so", "other/libjvm.so"])
        .elf("old/libjvm.so", object().of(true, ARM))
        .elf("jdk/lib/libjava.so", object().needs(&["libjvm.so"]).runpath("$ORIGIN"));
    let both = ["libjvm.so: /jdk/lib/server/libjvm.so", "libjvm.so: /other/libjvm.so"];
    assert_eq!(image.needs_of("jdk/lib/libjava.so"), both);
    assert_eq!(image.needs_without("jdk/lib/libjava.so", &["jdk/lib/server"]), both[1..]);
    assert_eq!(image.needs_without("jdk/lib/libjava.so", &["jdk/lib/server", "other"]), ["libjvm.so: -"]);
}

#[test]
fn a_library_that_the_loader_found_is_not_replaced_by_one_that_it_does_not_find() {
    let image = Image::new()
        .libraries(&["usr/lib/libz.so.1", "opt/steam/libz.so.1"])
        .elf("main", object().needs(&["libz.so.1"]));
    assert_eq!(image.needs_without("main", &["usr/lib/libz.so.1"]), ["libz.so.1: -"]);
}

#[test]
fn the_plain_library_is_needed_where_there_is_one_for_some_processors_too() {
    let hwcaps = "usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libm.so";
    let plain = "usr/lib/x86_64-linux-gnu/libm.so";
    let image = Image::new().libraries(&[hwcaps, plain]).elf("main", object().needs(&["libm.so"]));
    assert_eq!(image.needs_of("main"), ["libm.so: /usr/lib/x86_64-linux-gnu/libm.so"]);
    assert_eq!(image.needs_without("main", &[plain]), ["libm.so: -"]);
}

#[test]
fn musl_looks_in_its_three_directories_and_is_the_c_library_itself() {
    let musl = |names: &[&str]| program().interpreter("/lib/ld-musl-x86_64.so.1").needs(names);
    let image = Image::new()
        .libraries(&["lib/ld-musl-x86_64.so.1", "usr/local/lib/liba.so", "usr/lib/liba.so"])
        .libraries(&["lib64/libb.so", "etc-named/libb.so"])
        .text("etc/ld.so.conf", "/etc-named\n")
        .elf("main", musl(&["liba.so", "libc.musl-x86_64.so.1", "libpthread.so.0"]))
        .elf("lib.so", object().needs(&["liba.so", "libc.musl-x86_64.so.1"]));
    let own = "/lib/ld-musl-x86_64.so.1: /lib/ld-musl-x86_64.so.1";
    assert_eq!(image.needs_of("main"), [own, "liba.so: /usr/local/lib/liba.so"]);
    assert_eq!(image.needs_of("lib.so"), ["liba.so: /usr/local/lib/liba.so"]);
    let image = image.text("etc/ld-musl-x86_64.path", "/opt\n/usr/lib:/x\n");
    assert_eq!(image.needs_of("main"), [own, "liba.so: /usr/lib/liba.so"]);
}

#[test]
fn a_script_needs_its_interpreter_and_what_env_looks_up() {
    let image = Image::new()
        .link("bin", "usr/bin")
        .link("usr/bin/python3", "python3.11")
        .elf("usr/bin/python3.11", program())
        .elf("usr/bin/env", program())
        .text("usr/local/bin/python3", "not executable")
        .script("app/a", "#!/bin/env -S LANG=C python3 -u\n")
        .script("app/b", "#!/bin/none\n");
    let python = "python3: /usr/bin/python3 /usr/bin/python3.11";
    assert_eq!(image.needs_of("app/a"), ["/bin/env: /bin /usr/bin/env", python]);
    assert_eq!(image.needs_of("app/b"), ["/bin/none: -"]);
}

#[test]
fn path_and_relative_names_are_seen_from_the_working_directory() {
    let image = Image::new()
        .variable("PATH", "tools::/bin")
        .elf("bin/env", program())
        .elf("app/tools/x", program())
        .elf("app/y", program())
        .script("s", "#!/bin/env x\n")
        .script("t", "#!/bin/env y\n")
        .script("u", "#!tools/x\n");
    assert_eq!(image.needs_of("s")[1], "x: /app/tools/x");
    assert_eq!(image.needs_of("t")[1], "y: /app/y");
    assert_eq!(image.needs_of("u"), ["tools/x: /app/tools/x"]);
}

#[test]
fn hostile_configuration_ends() {
    let glob = "{".repeat(5000);
    let image = Image::new()
        .text("etc/ld.so.conf", &format!("include {glob}\ninclude /etc/ld.so.conf\n").repeat(10))
        .text("etc/ld.so.conf.d/x", "include *\n")
        .elf("main", object().needs(&["liba.so"]).runpath(&"$ORIGIN/".repeat(5000)));
    assert_eq!(image.needs_of("main"), ["liba.so: -"]);
}
