//! All hits in one text.
//!
//! In: the head of a file, and how its name says it is read; or a value of the config. Out: hits in the order of their
//! places, at most one a line.

use super::finding::{Hit, Kind};
use super::known::Check;
use super::pem::private_keys;
use super::shapes::tokens;
use super::words::contains;

/// Hits of one file: a file with more is a list of them, and one line of the report does not make it safer.
const HITS: usize = 20;
/// How far a NUL is looked for to tell a text, as git does.
const HEAD: usize = 8000;

/// The hits in the head of a file, each with its line.
pub(super) fn file(bytes: &[u8], check: Option<Check>) -> Vec<(u64, Hit)> {
    let mut hits = Vec::new();
    if bytes.iter().take(HEAD).all(|&byte| byte != 0) {
        hits = text(bytes);
        hits.extend(check.into_iter().flat_map(|check| check.hits(bytes)));
    } else if let Some(check) = check.filter(|check| check.is_binary()) {
        hits = check.hits(bytes);
    }
    hits.sort_by_key(|hit| hit.at);
    let mut numbered: Vec<(u64, Hit)> = Vec::new();
    let (mut line, mut from) = (1u64, 0usize);
    for hit in hits {
        let breaks = bytes.get(from..hit.at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        line = line.saturating_add(breaks as u64);
        from = from.max(hit.at);
        match numbered.last_mut() {
            Some((last, known)) if *last == line => merge(known, hit),
            _ => numbered.push((line, hit)),
        }
        if numbered.len() > HITS {
            numbered.truncate(HITS);
            break;
        }
    }
    numbered
}

/// Of two hits on a line the first kind says more; a name is the line's.
fn merge(known: &mut Hit, other: Hit) {
    let name = known.name.take().or(other.name.clone());
    if other.kind < known.kind {
        *known = other;
    }
    known.name = name;
}

/// Private keys and tokens, wherever they stand.
pub(super) fn text(bytes: &[u8]) -> Vec<Hit> {
    let mut hits = private_keys(bytes);
    if hits.iter().any(|hit| hit.kind == Kind::PrivateKey) && contains(bytes, b"\"service_account\"") {
        hits.iter_mut().for_each(|hit| hit.kind = Kind::ServiceAccount);
    }
    hits.extend(tokens(bytes));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::RootPath;
    use crate::secrets::known;
    use proptest::prelude::*;

    fn shown(path: &str, text: &str) -> String {
        let hits = file(text.as_bytes(), known::check(&RootPath::clamped(path.as_bytes())));
        let show =
            |(line, hit): &(u64, Hit)| format!("{line} {} {}", hit.kind.code(), hit.name.as_deref().unwrap_or("-"));
        hits.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn token() -> String {
        format!("npm_{}", "q8Zr3Lw0Tn5Xv2Kc7Jb4Hd9Gf1Sp6Ma2Ye5Uo")[..40].into()
    }

    #[test]
    fn a_token_in_a_file_of_credentials_is_one_finding_with_the_name_that_it_has_there() {
        let text = format!("registry=https://r\n//registry.npmjs.org/:_authToken={}\n", token());
        assert_eq!(shown("/app/.npmrc", &text), "2 npm-token _authToken");
        assert_eq!(shown("/app/a.js", &text), "2 npm-token -");
    }

    #[test]
    fn every_line_has_its_own_finding_up_to_a_bound() {
        assert_eq!(
            shown("/app/.env", "A_TOKEN=hunter21\n\nB_TOKEN=hunter22\n"),
            "1 variable A_TOKEN, 3 variable B_TOKEN"
        );
        let many = "A_TOKEN=hunter21\n".repeat(HITS + 5);
        assert_eq!(file(many.as_bytes(), Some(Check::Variables)).len(), HITS);
    }

    #[test]
    fn a_binary_file_is_no_text() {
        assert_eq!(shown("/app/.env", "\0\nA_TOKEN=hunter21\n"), "");
    }

    #[test]
    fn a_key_in_the_json_of_a_service_account_is_told_apart() {
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj".repeat(2);
        let json = format!(
            "{{\"type\": \"service_account\",\n\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{body}\\n-----END PRIVATE KEY-----\\n\"}}"
        );
        assert_eq!(shown("/app/sa.json", &json), "2 service-account -");
    }

    proptest! {
        /// Any bytes, and any cut of what has a meaning.
        #[test]
        fn no_bytes_stop_the_look(bytes in proptest::collection::vec(any::<u8>(), 0..300), parts in proptest::collection::vec(0usize..14, 0..12)) {
            const PARTS: [&str; 14] = [
                "-----BEGIN ", "PRIVATE KEY", "-----", "-----END ", "AKIA", "ghp_", "://", ":", "@", "password", "=", "\"", "\n", "PuTTY-User-Key-File-",
            ];
            let mut text = bytes.clone();
            parts.iter().for_each(|part| text.extend(PARTS[*part].as_bytes()));
            text.extend(&bytes);
            for path in ["/a/.env", "/a/.npmrc", "/a/.netrc", "/a/.pgpass", "/a/settings.xml", "/a/x.p12", "/a/.vault-token", "/a/.git-credentials"] {
                file(&text, known::check(&RootPath::clamped(path.as_bytes())));
            }
        }
    }
}
