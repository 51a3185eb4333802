//! The trees of languages, on a few files of each.

use crate::needs::testing::Case;

/// The members below these directories, in one line.
fn kept(case: &Case, below: &[&str]) -> String {
    let is_below = |path: &String| below.iter().any(|directory| path.starts_with(directory));
    case.kept().into_iter().filter(is_below).collect::<Vec<_>>().join(" ")
}

const PYTHON: &str = "
bin/sh [0755] = x
usr/bin/python3 -> python3.11
usr/bin/python3.11 [0755] = x
usr/lib/python3.11/os.py = x
usr/lib/python3.11/test/support.py = x
usr/lib/python3.11/distutils/core.py = x
usr/lib/python3.11/config-3.11/libpython3.11.a = x
usr/lib/python3/dist-packages/pip/main.py = import setuptools
usr/lib/python3/dist-packages/setuptools/core.py = x
usr/lib/python3/dist-packages/six.py = x
usr/local/lib/python3.11/dist-packages/web/app.py = x
";

#[test]
fn python_keeps_its_library_and_its_packages_without_the_installer() {
    let case = Case::new(PYTHON, "python3 -c pass");
    assert_eq!(
        kept(&case, &["/usr/lib/python3.11/", "/usr/lib/python3/dist-packages/", "/usr/local", "/bin/"]),
        "/bin/sh /usr/lib/python3.11/config-3.11 /usr/lib/python3.11/distutils /usr/lib/python3.11/distutils/core.py \
         /usr/lib/python3.11/os.py /usr/lib/python3/dist-packages/six.py /usr/local/lib/python3.11/dist-packages \
         /usr/local/lib/python3.11/dist-packages/web /usr/local/lib/python3.11/dist-packages/web/app.py"
    );
    assert_eq!(case.closure(crate::needs::Reach::Everything).unwrap().languages()[0].name, "python 3.11");
    assert_eq!(kept(&Case::new(PYTHON, "sh"), &["/usr"]), "");
}

#[test]
fn setuptools_stays_where_something_imports_it_without_being_prepared_to_fail() {
    let site = "usr/local/lib/python3.11/dist-packages/plugin.py = ";
    let with = |import: &str| {
        let both = "usr/local/lib/python3.11/dist-packages/setuptools/x.py = x\n";
        kept(&Case::new(&format!("{PYTHON}{both}{site}{import}\n"), "python3"), &["/usr/local"]).contains("/setuptools")
    };
    assert!(with("import os\\nimport setuptools\\n"));
    assert!(with("from pkg_resources import x\\n"));
    assert!(!with("try:\\n    import pkg_resources\\n"));
    assert!(!with("# import setuptools\\n"));
}

#[test]
fn a_virtual_environment_brings_its_packages_and_its_python() {
    let more = "opt/venv/pyvenv.cfg = home = /usr/bin\\ninclude-system-site-packages = false\\n\n\
                opt/venv/bin/python -> /usr/bin/python3\nopt/venv/bin/serve [0755] = #!/opt/venv/bin/python\\n\n\
                opt/venv/bin/black [0755] = x\n\
                opt/venv/lib/python3.11/site-packages/app.py = x\nopt/venv/lib/python3.11/site-packages/dev.pth = /src/dev\\nimport x\\n\n\
                src/dev/mod.py = x\n";
    let case = Case::new(&format!("{PYTHON}{more}"), "serve").env("PATH", "/opt/venv/bin:/usr/bin");
    assert_eq!(
        kept(
            &case,
            &[
                "/opt/venv/bin/",
                "/opt/venv/lib/python3.11/site-packages/",
                "/opt/venv/py",
                "/src/dev/",
                "/usr/lib/python3.11/os"
            ]
        ),
        "/opt/venv/bin/python /opt/venv/bin/serve /opt/venv/lib/python3.11/site-packages/app.py \
         /opt/venv/lib/python3.11/site-packages/dev.pth /opt/venv/pyvenv.cfg /src/dev/mod.py /usr/lib/python3.11/os.py"
    );
}

#[test]
fn modules_beside_a_program_stay_and_in_a_common_directory_only_modules_do() {
    let more =
        "srv/x/main.py [0755] = #!/usr/bin/python3\\n\nsrv/x/own.py = x\nmain.py = x\npkg/a.py = x\nother/data = x\n";
    assert!(kept(&Case::new(&format!("{PYTHON}{more}"), "/srv/x/main.py"), &["/srv"]).contains("/srv/x/own.py"));
    assert_eq!(
        kept(&Case::new(&format!("{PYTHON}{more}"), "python3 -m main"), &["/main", "/pkg", "/other"]),
        "/main.py /pkg /pkg/a.py"
    );
}

#[test]
fn java_is_a_jre_afterwards() {
    let case = Case::new(
        "usr/bin/java -> /etc/alternatives/java\netc/alternatives/java -> /usr/lib/jvm/jdk/bin/java\n\
         usr/lib/jvm/jdk/bin/java [0755] = x\nusr/lib/jvm/jdk/bin/javac [0755] = x\nusr/lib/jvm/jdk/bin/keytool [0755] = x\n\
         usr/lib/jvm/jdk/jmods/a = x\nusr/lib/jvm/jdk/lib/modules = x\nusr/lib/jvm/jdk/lib/ct.sym = x\nusr/lib/jvm/jdk/lib/src.zip = x\n\
         usr/lib/jvm/jdk/conf -> /etc/jdk\netc/jdk/net.properties = x\nusr/lib/jvm/jdk/docs -> /usr/share/doc/jdk\nusr/share/doc/jdk/big = x\n",
        "java -version",
    );
    assert_eq!(
        kept(&case, &["/usr/lib/jvm/jdk/", "/etc/jdk/", "/usr/share"]),
        "/etc/jdk/net.properties /usr/lib/jvm/jdk/bin /usr/lib/jvm/jdk/bin/java /usr/lib/jvm/jdk/bin/keytool /usr/lib/jvm/jdk/conf \
         /usr/lib/jvm/jdk/lib /usr/lib/jvm/jdk/lib/modules"
    );
}

#[test]
fn node_brings_what_its_binary_names_and_what_the_application_does_not_have() {
    let share = "usr/share/nodejs";
    let case = Case::new(
        &format!(
            "usr/bin/node [0755] = x\\x00{{\"/{share}/undici/undici-fetch.js\"}}\\x00\n{share}/undici/package.json = {{\"dependencies\": {{\"busboy\": \"*\"}}}}\n\
             {share}/undici/undici-fetch.js = x\n{share}/busboy/index.js = x\n{share}/npm/index.js = x\n{share}/left/index.js = x\n{share}/right/index.js = x\n\
             app/server.js = require('left'); require('own')\napp/package.json = {{\"dependencies\": {{\"right\": \"*\"}}}}\napp/node_modules/own/index.js = require('npm')\n\
             app/node_modules/native/binding.gyp = x\napp/node_modules/native/src/a.cc = x\napp/node_modules/native/src/index.js = x\n\
             app/node_modules/native/build/Release/a.node = x\napp/node_modules/native/build/Release/obj.target/a.node = x\n"
        ),
        "node server.js",
    )
    .working_dir("/app");
    let kept = kept(&case, &["/usr/share/nodejs/", "/app/node_modules/native/"]);
    for wanted in [
        "/undici/undici-fetch.js",
        "/busboy/index.js",
        "/left/index.js",
        "/right/index.js",
        "/src/index.js",
        "/build/Release/a.node",
    ] {
        assert!(kept.contains(wanted), "{wanted} in {kept}");
    }
    for fat in ["/npm", "a.cc", "obj.target", "binding.gyp"] {
        assert!(!kept.contains(fat), "{fat} in {kept}");
    }
}

#[test]
fn npm_start_is_followed_to_what_it_runs() {
    let case = Case::new(
        "usr/bin/npm -> ../lib/node_modules/npm/bin/npm-cli.js\nusr/lib/node_modules/npm/bin/npm-cli.js [0755] = #!/usr/bin/env node\\n\n\
         usr/lib/node_modules/npm/package.json = {}\nusr/lib/node_modules/npm/lib/a.js = x\nusr/lib/node_modules/corepack/a.js = x\nusr/bin/env [0755] = x\n\
         usr/bin/node [0755] = x\nusr/bin/tool [0755] = x\napp/package.json = {\"scripts\": {\"start\": \"tool && node x.js\", \"build\": \"make\"}}\nusr/bin/make [0755] = x\n",
        "npm start",
    )
    .working_dir("/app");
    let kept = kept(&case, &["/usr"]);
    assert!(
        kept.contains("/usr/bin/tool") && kept.contains("npm/lib/a.js") && kept.contains("/usr/bin/node"),
        "{kept}"
    );
    assert!(!kept.contains("make") && !kept.contains("corepack"), "{kept}");
}

#[test]
fn other_languages_stay_whole() {
    let case = Case::new(
        "usr/bin/ruby -> ruby3.1\nusr/bin/ruby3.1 [0755] = x\nusr/lib/ruby/3.1.0/set.rb = x\nvar/lib/gems/x.rb = x\n",
        "ruby x",
    );
    assert_eq!(
        kept(&case, &["/usr/lib/ruby/3", "/var/lib/gems/"]),
        "/usr/lib/ruby/3.1.0 /usr/lib/ruby/3.1.0/set.rb /var/lib/gems/x.rb"
    );
}
