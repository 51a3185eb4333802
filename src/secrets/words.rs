//! Words that look like secrets and words that do not: names of variables, stand-ins for a value, URLs with a password.
//!
//! In: bytes of a text. Out: yes or no, or where a password stands. Rather none than a false one: a list of findings
//! that nobody believes is read by nobody.

use super::finding::{Hit, Kind};

/// The last words of names whose values are secret, after `_`; the whole name may be one of them too.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "token",
    "secret",
    "secrets",
    "api_key",
    "apikey",
    "api_token",
    "access_key",
    "secret_key",
    "secretkey",
    "private_key",
    "secret_key_base",
    "encryption_key",
    "signing_key",
    "master_key",
    "auth_key",
    "account_key",
    "credential",
    "credentials",
    "secret_access_key",
];

/// Values that stand for one that comes later.
const STAND_INS: &[&str] = &[
    "password",
    "passwd",
    "pass",
    "pwd",
    "pw",
    "passphrase",
    "secret",
    "token",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "undefined",
    "unset",
    "default",
    "empty",
    "auto",
    "string",
    "required",
    "optional",
    "prompt",
    "user",
    "username",
    "apikey",
    "api_key",
    "mypassword",
    "my-password",
    "mysecret",
    "supersecret",
    "value",
    "admin_password",
];

/// What such values hold.
const STAND_IN_PARTS: &[&str] = &[
    "example",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "your-",
    "your_",
    "yourpass",
    "dummy",
    "redacted",
    "replace",
    "insert",
    "xxxx",
    "****",
    "....",
    "todo",
    "${",
    "$(",
    "{{",
    "<%",
];

/// Whether a name is one of a password, a token or a key: `DB_PASSWORD`, `npm-token`, `SECRET_KEY_BASE`.
pub(super) fn is_secret_name(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let name = name.to_ascii_lowercase().replace(['-', '.'], "_");
    // The working directory of a shell; a key that is meant to be seen.
    if matches!(name.as_str(), "pwd" | "oldpwd") || name.contains("public") || name.starts_with("no_") {
        return false;
    }
    NAMES.iter().any(|word| name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_')))
}

/// Whether a value is a secret, if its name says so: neither empty, nor a stand-in, nor a number or a path.
pub(super) fn is_secret_value(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else { return false };
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let same = value.bytes().all(|byte| Some(&byte) == value.as_bytes().first());
    let number = value.len() < 4 || value.bytes().all(|byte| byte.is_ascii_digit()) && value.len() < 5;
    let marked =
        value.starts_with(['$', '<', '{', '%', '@', '!', '[', '(', '`', '#']) || value.contains(char::is_whitespace);
    !(same
        || number
        || marked
        || is_path(value)
        || STAND_INS.contains(&lower.as_str())
        || STAND_IN_PARTS.iter().any(|part| lower.contains(part)))
}

/// Whether a value names where a secret is. Base64 may begin with a slash too: such a value has no short plain names.
fn is_path(value: &str) -> bool {
    let plain = |part: &str| {
        part.len() <= 32 && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let rooted =
        value.starts_with('/') || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/");
    // 40 characters are an AWS secret.
    let path = rooted && value.len() != 40 && value.split('/').skip(1).all(plain);
    path || value.starts_with("file:") || is_bare_url(value)
}

/// A URL without a password is an address.
fn is_bare_url(value: &str) -> bool {
    value.contains("://") && url_passwords(value.as_bytes()).is_empty()
}

/// Whether a run of token characters is random rather than written: a stand-in repeats itself.
pub(super) fn is_random(token: &[u8]) -> bool {
    let mut seen = [false; 256];
    let mut distinct = 0u32;
    for &byte in token {
        if let Some(seen) = seen.get_mut(usize::from(byte))
            && !std::mem::replace(seen, true)
        {
            distinct = distinct.saturating_add(1);
        }
    }
    // abcdef..., 012345...: the next character is the next letter.
    let counted = token.windows(2).filter(|pair| matches!(pair, [a, b] if a.checked_add(1) == Some(*b))).count();
    distinct >= 10 && counted.saturating_mul(2) < token.len() && std::str::from_utf8(token).is_ok_and(is_no_stand_in)
}

fn is_no_stand_in(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    !STAND_IN_PARTS.iter().any(|part| lower.contains(part))
}

/// The passwords of `scheme://user:password@host`, and the tokens of `scheme://token@host`.
pub(super) fn url_passwords(text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for at in text.windows(3).enumerate().filter(|(_, window)| *window == b"://").map(|(at, _)| at) {
        let start = at.saturating_add(3);
        let rest = text.get(start..).unwrap_or_default();
        // A host or a user is short; what is longer is no URL.
        let rest = rest.get(..rest.len().min(1024)).unwrap_or_default();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/\"'<>`\\?#,;|".contains(byte);
        let authority = rest.split(ends).next().unwrap_or_default();
        let scheme = at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(u8::is_ascii_alphanumeric);
        let Some(sign) = authority.iter().rposition(|&byte| byte == b'@').filter(|_| scheme) else { continue };
        let (user, host) = authority.split_at(sign);
        let host = host.get(1..).unwrap_or_default();
        if !host.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"[$".contains(byte))
            || contains(host, b"example")
        {
            continue;
        }
        match user
            .iter()
            .position(|&byte| byte == b':')
            .map(|colon| user.get(colon.saturating_add(1)..).unwrap_or_default())
        {
            Some(password) if is_secret_value(password) => hits.push(Hit::new(Kind::UrlPassword, start, password)),
            None if user.len() >= 32 && user.iter().all(u8::is_ascii_alphanumeric) && is_random(user) => {
                hits.push(Hit::new(Kind::UrlPassword, start, user));
            }
            _ => {}
        }
    }
    hits
}

/// Whether `text` holds `part`.
pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    position(text, part).is_some()
}

/// Where `part` first stands in `text`.
pub(super) fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_end_in_what_they_are() {
        for name in [
            "DB_PASSWORD",
            "NPM_TOKEN",
            "token",
            "AWS_SECRET_ACCESS_KEY",
            "SECRET_KEY_BASE",
            "stripe-api-key",
            "spring.datasource.password",
        ] {
            assert!(is_secret_name(name.as_bytes()), "{name}");
        }
        // The official python image has the first, every image the second.
        for name in [
            "GPG_KEY",
            "PWD",
            "PASSWORD_FILE",
            "TOKEN_URL",
            "COMPASS",
            "PUBLIC_API_KEY",
            "KEY",
            "AWS_ACCESS_KEY_ID",
            "SECRETARY",
            "",
        ] {
            assert!(!is_secret_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn stand_ins_numbers_and_paths_are_no_secrets() {
        for value in ["hunter2", "s3cr3t!", "12345", "/abcDEF+ghi/JKLmno0123456789pqrstuvwxyzAB", "p@ss"] {
            assert!(is_secret_value(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            " ",
            "xxxxxxxx",
            "changeme",
            "<password>",
            "${DB_PASSWORD}",
            "$1",
            "true",
            "0",
            "8080",
            "/run/secrets/db",
            "./key.pem",
            "your-token-here",
            "https://vault.internal/v1",
            "password",
            "{{ token }}",
            "two words",
        ] {
            assert!(!is_secret_value(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn a_url_holds_a_password_only_between_colon_and_host() {
        let count = |text: &str| url_passwords(text.as_bytes()).len();
        assert_eq!(count("postgres://app:hunter2@db:5432/x and https://oauth2:t0kenvalue@git.corp/a"), 2);
        assert_eq!(count("https://0a1b2c3d4e5f60718293a4b5c6d7e8f901234567@github.com/a"), 1);
        for none in [
            "https://user:pass@host",
            "https://user:secretword@example.com",
            "https://registry/@scope/a:b@c",
            "git+ssh://git@github.com:a/b",
            "https://host:80/",
            "http://a:${PASS}@host",
            "://a:hunter2@b",
            "ssh://root@host",
            "http://a:b1234@",
        ] {
            assert_eq!(count(none), 0, "{none}");
        }
    }

    #[test]
    fn what_repeats_or_counts_is_not_random() {
        assert!(is_random(b"aZ3kQ9xLm2Vt7RbW1nYp"));
        assert!(
            !is_random(b"aaaaaaaaaaaaaaaaaaaa")
                && !is_random(b"abcdefghijklmnopqrst")
                && !is_random(b"1234567890abcdefghij")
        );
        assert!(!is_random(b"IOSFODNN7EXAMPLE123a"));
    }
}
