use super::*;
use proptest::prelude::*;

/// A world in which these programs are on PATH, and `/usr/bin/java` leads to `/opt/jdk/bin/java`.
struct Small;

impl World for Small {
    fn program(&self, name: &[u8]) -> Option<Vec<u8>> {
        matches!(name, b"java" | b"lib.sh").then(|| [b"/usr/bin/", name].concat())
    }

    fn real(&self, path: &[u8]) -> Option<Vec<u8>> {
        Some(if path == b"/usr/bin/java" { b"/opt/jdk/bin/java".into() } else { path.into() })
    }
}

fn found(text: &str, env: &[(&str, &str)]) -> Vec<Finding> {
    let script = Script::parse(text.as_bytes());
    let env = env.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut variables = Variables::new(env, &[b"/opt/app/bin/run.sh".into()], b"/work".into(), 1 << 20);
    for _ in 0..3 {
        variables.learn(&script, &Small);
    }
    findings(&script, &variables, &Small)
}

/// The programs that a text runs, by name or path.
fn runs(text: &str) -> String {
    let programs = found(text, &[]).into_iter().filter_map(|finding| match finding {
        Finding::Program(name) | Finding::Run(name) => Some(String::from_utf8(name).unwrap()),
        _ => None,
    });
    programs.collect::<Vec<_>>().join(" ")
}

fn others(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    let show = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let others = found(text, env).into_iter().filter_map(|finding| match finding {
        Finding::Source(path) => Some(format!(". {}", show(path))),
        Finding::Mention(path) => Some(show(path)),
        Finding::Output(path) => Some(format!("> {}", show(path))),
        Finding::Computed(text) => Some(format!("? {}", show(text))),
        _ => None,
    });
    others.collect()
}

#[test]
fn heads_stand_behind_operators_and_reserved_words() {
    assert_eq!(runs("a; b && c || d | e & f\ng |& h"), "a b c d e f g h");
    assert_eq!(runs("if a; then b; elif c; then d; else e; fi; f"), "a b c d e f");
    assert_eq!(runs("while ! a; do b; done; until c\ndo d\ndone"), "a b c d");
    assert_eq!(runs("(a; b) && { c; d; }; ( (e) )"), "a b c d e");
    assert_eq!(runs("time a | b"), "a b");
}

#[test]
fn words_that_are_only_printed_are_no_programs() {
    assert_eq!(runs("echo run make install, as root; printf 'ld %s' as\n"), "");
    assert_eq!(runs("usage() { cat <<EOF\nmake as $(date)\nEOF\n}\n# gcc\nx=gcc\nusage"), "cat date");
    assert_eq!(runs("cat <<'EOF'\n$(gcc) make\nEOF\nls"), "cat ls");
    assert_eq!(runs("cat <<-EOF\n\tmake `date`\n\tEOF\nls"), "cat date ls");
    assert_eq!(runs("x 'a; gcc' \"b; make\" c\\;ld # | as"), "x");
    assert_eq!(runs("a#b; c"), "a#b c");
}

#[test]
fn lists_and_patterns_are_no_commands() {
    assert_eq!(runs("for i in gcc make $(list); do use $i; done"), "list use");
    assert_eq!(runs("for i; do a; done; for ((i=0; i<9; i++)); do b; done; select x in gcc; do c; done"), "a b c");
    assert_eq!(runs("case $(kind) in gcc|make) a ;; (ld) b;; *) c; esac; d"), "a b c d kind");
    assert_eq!(runs("case x in a) case y in b) c;; esac;; d) e;& f) g ;;& esac\nh"), "c e g h");
    assert_eq!(
        runs("case \"`uname`\" in\nCYGWIN*) cygwin=true;;\n# gcc\nDarwin*) darwin=true;;\nesac\nls"),
        "ls uname"
    );
    assert_eq!(
        runs("[[ gcc < make && ( -n as || x =~ ^(a|b)$ ) ]] && a; (( x = gcc + 1 )) && b; c $((make + 1)) ${#as}"),
        "a b c"
    );
}

#[test]
fn substitutions_are_run_wherever_they_stand() {
    assert_eq!(runs("a \"$(b \"$(c `d \\`e\\``)\")\" ${x:-$(f)} <(g) > >(h)"), "a b c d e f g h");
    assert_eq!(runs("x=$(a) y=`b` c; z=(d $(e)); export w=$(f)"), "a b c e f");
    assert_eq!(runs("a \"${b:-don't}\"; c 'x'"), "a c");
    assert_eq!(runs("a $'it\\'s' ; b $\"c\""), "a b");
}

#[test]
fn what_a_command_runs_in_its_turn_is_run() {
    assert_eq!(runs("exec env -i A=B nohup nice -n 5 server --flag"), "env nice nohup server");
    assert_eq!(
        runs("exec gosu user server; su-exec app:app other; sudo -u x -E third"),
        "gosu other server su-exec sudo third"
    );
    assert_eq!(
        runs("timeout -s KILL 5 a; xargs -n 1 b; command c; find / -name x -exec d {} +; trap 'e; f' EXIT"),
        "a b c d e f find timeout xargs"
    );
    assert_eq!(
        runs("eval exec \"\\\"/x/java\\\"\" -v; sh -c 'a; b'; bash -lc \"c\"; su x -c 'd | e'"),
        "a b bash c d e sh su /x/java"
    );
    assert_eq!(
        runs("tini -- a; dumb-init b; start-stop-daemon --start --exec /c -- x"),
        "a b dumb-init start-stop-daemon tini /c"
    );
    assert_eq!(runs("which a; command -v b >/dev/null; type c"), "a b c which");
    assert_eq!(runs("A=b C=d server x"), "server");
}

#[test]
fn functions_and_builtins_are_no_programs() {
    assert_eq!(
        runs(
            "log() { echo x; }\nfunction die { exit 1; }\nfunction end() { x; }\nlog a; die; end; test -f x; [ -d y ]; cd z; kill 1; read q"
        ),
        "x"
    );
    // What a function is called with is a program only where some command runs its arguments.
    assert_eq!(runs("run() { \"$@\"; }; run server make"), "make server");
    assert_eq!(runs("log() { echo \"$@\"; }; log make"), "");
}

#[test]
fn known_variables_are_expanded() {
    assert_eq!(runs("J=/opt/j; \"$J\"/bin/java; ${J}/bin/x; $J/a/$b/c"), "/opt/j/a//c /opt/j/bin/java /opt/j/bin/x");
    assert_eq!(runs("j=${JAVA:-/usr/bin/java}; exec $j -x"), "/usr/bin/java");
    assert_eq!(runs("cmd='java -server'; $cmd x; $SUDO make"), "java make");
    assert_eq!(runs("use() { $tool x; }; tool=late; use"), "late");
    assert_eq!(runs("./a; sub/b"), "/work/./a /work/sub/b");
    assert_eq!(runs("cd /srv; ./a"), "/srv/./a /work/./a");
}

#[test]
fn a_script_finds_its_own_place() {
    assert_eq!(runs("D=$(dirname \"$0\"); \"$D\"/x"), "dirname /opt/app/bin/x");
    assert_eq!(runs("D=\"$( cd \"$(dirname \"$0\")/..\" >/dev/null && pwd -P )\"; $D/x"), "dirname /opt/app/bin/../x");
    assert_eq!(
        runs("H=`dirname $(readlink -f $(which java))`/..; $H/bin/jar"),
        "dirname java readlink which /opt/jdk/bin/../bin/jar"
    );
    assert_eq!(runs("${0%/*}/x; ${BASH_SOURCE[0]%/*}/y; ${0##*/}"), "run.sh /opt/app/bin/x /opt/app/bin/y");
}

#[test]
fn sourced_files_paths_and_outputs_are_told_apart() {
    assert_eq!(
        others(". /etc/a; source ./b; . lib.sh", &[]),
        [". /etc/a", ". /usr/bin/lib.sh", ". /work/./b", ". /work/lib.sh"]
    );
    assert_eq!(
        others("x -Dc=/etc/c /data/*.d <in </etc/in >>/var/log/l 2>&1 >&2 2>/dev/null", &[]),
        ["/data/*.d", "/etc/c", "/etc/in", "> /dev/null", "> /var/log/l"]
    );
    assert_eq!(others("OPTS=-Dx=$BASE/conf; rm -rf /gone; mkdir /new", &[("BASE", "/srv")]), ["/srv/conf"]);
    assert_eq!(
        others("\"$undefined\"; $(compute) x; \"$@\"; exec \"$1\"; . \"$HOME_OF/x\"", &[]),
        [". /x", "? $(...)", "? $undefined"]
    );
}

#[test]
fn the_head_of_catalina_is_understood() {
    let text = r#"
PRG="$0"
while [ -h "$PRG" ]; do
  ls=`ls -ld "$PRG"`
  link=`expr "$ls" : '.*-> \(.*\)$'`
  if expr "$link" : '/.*' > /dev/null; then
    PRG="$link"
  else
    PRG=`dirname "$PRG"`/"$link"
  fi
done
PRGDIR=`dirname "$PRG"`
[ -z "$CATALINA_HOME" ] && CATALINA_HOME=`cd "$PRGDIR/.." >/dev/null; pwd`
if [ -r "$CATALINA_HOME"/bin/setclasspath.sh ]; then
    . "$CATALINA_HOME"/bin/setclasspath.sh
fi
JAVA_PATH=`which java 2>/dev/null`
JAVA_PATH=`dirname "$JAVA_PATH" 2>/dev/null`
JRE_HOME=`dirname "$JAVA_PATH" 2>/dev/null`
_RUNJAVA="$JRE_HOME"/bin/java
CLASSPATH="$CLASSPATH""$CATALINA_HOME"/bin/bootstrap.jar
if [ "$1" = "run" ]; then
  shift
  eval exec "\"$_RUNJAVA\"" $JAVA_OPTS -classpath "\"$CLASSPATH\"" org.apache.catalina.startup.Bootstrap "$@" start
fi
"#;
    assert!(runs(text).split(' ').any(|program| program == "/usr/bin/java"), "{}", runs(text));
    let others = others(text, &[]);
    assert!(others.contains(&". /opt/app/bin/../bin/setclasspath.sh".to_owned()), "{others:?}");
    assert!(others.contains(&"/opt/app/bin/../bin/bootstrap.jar".to_owned()), "{others:?}");
}

#[test]
fn an_unfinished_text_is_read_as_far_as_it_goes() {
    assert_eq!(runs("a; b \"c"), "a b");
    assert_eq!(runs("a `b"), "a b");
    assert_eq!(runs("a $(b; c"), "a b c");
    assert_eq!(runs("a; case x in"), "a");
    assert_eq!(runs("a <<EOF\nmake"), "a");
    assert_eq!(runs(") ;; } esac a"), "a");
    assert_eq!(runs(""), "");
}

#[test]
fn nesting_has_an_end() {
    for open in ["$(", "${x:-", "`", "(", "\"$(", "$((", "<(", "eval ", "${x:-\"$("] {
        let text = open.repeat(200_000 / open.len());
        Script::parse(text.as_bytes());
        found(&open.repeat(100), &[]);
    }
}

#[test]
fn texts_that_hold_texts_have_an_end() {
    let evals = "eval $x; ".repeat(400);
    found(&format!("x='{evals}'\nx='{evals} a'\nx='{evals} b'\neval $x"), &[]);
}

#[test]
fn long_values_in_many_words_have_an_end() {
    let long = "v".repeat(4000);
    let assignments: String = (0..8).map(|n| format!("x={n}{long}\n")).collect();
    found(&(assignments + &"/$x/a ".repeat(100_000)), &[]);
}

#[test]
fn a_variable_that_grows_has_an_end() {
    let text = "x=aaaa\n".to_owned() + &"x=$x$x\n".repeat(1000) + "$x";
    assert!(found(&text, &[]).len() <= 16);
}

proptest! {
    #[test]
    fn no_text_is_too_odd(parts in prop::collection::vec(prop::sample::select(vec![
        "a", " ", "\n", ";", "&&", "|", "(", ")", "$(", "${", "}", "`", "\"", "'", "\\", "$", "<<E", "\nE\n", "<", ">", "case ", " in ", "esac", ";;",
        "for x in", "do", "done", "if", "then", "fi", "[[", "]]", "((", "))", "#", "x=", "=(", "eval ", "exec ", "sh -c ", "{", "f()", "$((", ":-", "%/*", "é", "\0",
    ]), 0..60)) {
        found(&parts.concat(), &[("x", "a b")]);
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let script = Script::parse(&bytes);
        let variables = Variables::new(std::iter::empty(), &[], b"/".into(), 1 << 20);
        findings(&script, &variables, &Small);
    }
}
