//! Secrets among the words of a command, as the history and the config of an image have them.
//!
//! In: the text of a step: `|2 TOKEN=x A=b /bin/sh -c curl ...`, `ENV A=b`, `RUN ... # buildkit`. Out: hits. It reads
//! words, not shell: a value that the shell fills in (`$X`, `$(cat ...)`) is none.

use super::finding::{Hit, Kind};
use super::scan;
use super::values::words;
use super::words::{contains, is_secret_name, is_secret_value, url_passwords};

/// Options whose next word is a password, and the program that has them.
const OPTIONS: &[(&str, &[&str])] = &[
    ("", &["--password", "--token", "--api-key", "--secret"]),
    ("sshpass", &["-p"]),
    ("docker login", &["-p"]),
    ("helm registry login", &["-p"]),
];

/// Options of curl and wget whose next word, or the rest of the word, is `user:password`.
const USERS: &[&str] = &["--user", "--proxy-user", "-u", "-U"];

/// The hits in a command.
pub(super) fn hits(text: &str) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits = scan::text(bytes);
    hits.extend(url_passwords(bytes));
    let words = words(bytes);
    let curl = contains(bytes, b"curl");
    let pairs = words.iter().zip(words.iter().skip(1).map(|(_, word)| *word).chain([&b""[..]]));
    for (&(at, word), next) in pairs {
        hits.extend(assigned(at, word));
        hits.extend(user(at, word, next).filter(|_| curl));
        let asks = |(program, options): &(&str, &[&str])| {
            contains(bytes, program.as_bytes()) && options.iter().any(|option| option.as_bytes() == word)
        };
        let next = unquoted(next);
        if OPTIONS.iter().any(asks) && !next.starts_with(b"-") && is_secret_value(next) {
            hits.push(Hit::new(Kind::CommandPassword, at, next).named(word));
        }
    }
    hits.extend(authorization(bytes));
    // Of two that begin at one place the shape says more.
    hits.sort_by_key(|hit| (hit.at, hit.kind));
    hits
}

/// `NAME=value`, `--name=value`, quoted or not.
fn assigned(at: usize, word: &[u8]) -> Option<Hit> {
    let word = trim_start(word);
    let equals = word.iter().position(|&byte| byte == b'=')?;
    let (name, value) = word.split_at(equals);
    let value = unquoted(value.get(1..)?);
    let option = name.starts_with(b"-");
    let name = name.get(name.iter().take_while(|byte| **byte == b'-').count()..)?;
    let plain = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte));
    // A variable without `=` in what follows: `a[token=...]` and `x==y` are none.
    // `apt-get install passwd=1:4.13` names a version.
    if !plain || name == b"passwd" || !is_secret_name(name) || !is_secret_value(value) || value.starts_with(b"=") {
        return None;
    }
    Some(Hit::new(if option { Kind::CommandPassword } else { Kind::Variable }, at, value).named(name))
}

/// `-u user:password`, `-uuser:password`, `--user=user:password`.
fn user(at: usize, word: &[u8], next: &[u8]) -> Option<Hit> {
    let value = USERS.iter().find_map(|option| {
        let rest = word.strip_prefix(option.as_bytes())?;
        match rest {
            [] => Some(next),
            [b'=', rest @ ..] => Some(rest),
            rest if option.len() == 2 => Some(rest),
            _ => None,
        }
    })?;
    let value = unquoted(value);
    let colon = value.iter().position(|&byte| byte == b':')?;
    let password = value.get(colon.checked_add(1)?..).filter(|password| is_secret_value(password))?;
    // `-u http://...`: not a user.
    (!password.starts_with(b"//")).then(|| Hit::new(Kind::CommandPassword, at, password))
}

/// `Authorization: Bearer value`.
fn authorization(text: &[u8]) -> Vec<Hit> {
    let words = words(text);
    let mut hits = Vec::new();
    for window in words.windows(3) {
        let [(at, header), (_, scheme), (_, value)] = window else { continue };
        let header = trim_start(header).to_ascii_lowercase();
        let scheme = [&b"Bearer"[..], b"Basic", b"token", b"Token"].contains(scheme);
        let value = unquoted(value);
        if header.ends_with(b"authorization:") && scheme && value.len() >= 8 && is_secret_value(value) {
            hits.push(Hit::new(Kind::CommandPassword, *at, value).named(b"Authorization"));
        }
    }
    hits
}

fn trim_start(word: &[u8]) -> &[u8] {
    let quotes = word.iter().take_while(|byte| b"\"'([{;&`".contains(byte)).count();
    word.get(quotes..).unwrap_or_default()
}

/// A value without the quotes around it and the operators behind it.
fn unquoted(value: &[u8]) -> &[u8] {
    let value = trim_start(value);
    let ends = value.iter().rposition(|byte| !b"\"'`)];&|,}\\".contains(byte)).map_or(0, |last| last.saturating_add(1));
    let value = value.get(..ends).unwrap_or_default();
    value.split(|byte| b"\"'".contains(byte)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        let show = |hit: &Hit| format!("{} {}", hit.kind.code(), hit.name.as_deref().unwrap_or("-"));
        hits(text).iter().map(show).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_build_argument_is_found_in_every_spelling_of_the_history() {
        for text in [
            "|2 DEPLOY_TOKEN=hunter2x A=b /bin/sh -c make",
            "/bin/sh -c #(nop)  ARG DEPLOY_TOKEN=hunter2x",
            "RUN |1 DEPLOY_TOKEN=hunter2x /bin/sh -c make # buildkit",
            "ENV DEPLOY_TOKEN=hunter2x",
            "/bin/sh -c docker build --build-arg DEPLOY_TOKEN=hunter2x .",
            "/bin/sh -c export DEPLOY_TOKEN='hunter2x'; make",
        ] {
            assert_eq!(found(text), "variable DEPLOY_TOKEN", "{text}");
        }
    }

    #[test]
    fn passwords_among_the_words_of_a_command_are_found() {
        for (text, expected) in [
            ("curl -u user:hunter2 https://h", "command-password -"),
            ("curl -uuser:hunter2 https://h", "command-password -"),
            ("curl --user \"user:hunter2\" https://h", "command-password -"),
            ("curl -H 'Authorization: Bearer 0a1b2c3d4e' h", "command-password Authorization"),
            ("pip install -i https://u:hunter2@pypi.corp/simple x", "url-password -"),
            ("git clone https://oauth2:t0kenvalue@git.corp/a", "url-password -"),
            ("docker login -u me -p hunter2", "command-password -p"),
            ("app --password hunter2 --x", "command-password --password"),
            ("app --db.password=hunter2", "command-password db.password"),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_shell_fills_in_is_none() {
        for text in [
            "|1 DEPLOY_TOKEN=$TOKEN /bin/sh -c make",
            "RUN --mount=type=secret,id=t TOKEN=$(cat /run/secrets/t) make",
            "curl -u \"$USER:$PASS\" https://h",
            "curl -H \"Authorization: Bearer ${TOKEN}\" h",
            "ENV GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305",
            "ARG DEPLOY_TOKEN",
            "useradd -u 1000:1000 app && curl h",
            "mkdir -p hunter2",
            "[ \"$token\" = \"hunter2\" ]",
            "app --password --verbose",
            "apt-get install -y passwd=1:4.13",
        ] {
            assert_eq!(found(text), "", "{text}");
        }
    }
}
