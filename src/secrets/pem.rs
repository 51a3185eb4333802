//! Private keys as text: PEM (RFC 7468), OpenSSH's form of it, PGP armor, PuTTY.
//!
//! In: the bytes of a text, where the lines may be spelt `\n` as in JSON or source code. Out: hits. A program that
//! reads such keys holds the words of the first line as well: only one with a body and an end is a key.

use super::finding::{Hit, Kind, Secret};
use super::words::{contains, position};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// The longest label is `EDDSA PRIVATE KEY BLOCK` or about as long.
const LABEL: usize = 48;
/// An RSA key of 16,384 bits has 13 kB; with PGP's extras it may be twice that.
const BODY: usize = 64 << 10;
/// The shortest body is that of an Ed25519 key: 48 bytes, 64 characters.
const SHORTEST: usize = 60;
/// How an OpenSSH key begins whose cipher is `none`, in base64.
const OPENSSH_PLAIN: &[u8] = b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
/// How a PuTTY key begins.
const PUTTY: &[u8] = b"PuTTY-User-Key-File-";

/// The private keys of a text.
pub(super) fn private_keys(text: &[u8]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = putty(text).into_iter().collect();
    let mut from = 0usize;
    while let Some(at) = text.get(from..).and_then(dashes) {
        let start = from.saturating_add(at);
        from = start.saturating_add(DASHES.len());
        hits.extend(text.get(start..).and_then(|text| key(text, start)));
    }
    hits
}

/// Where the next five dashes stand; most texts hold none, and five at a time are quickly passed over.
fn dashes(text: &[u8]) -> Option<usize> {
    let mut at = DASHES.len().saturating_sub(1);
    while let Some(&byte) = text.get(at) {
        if byte == b'-' {
            let start =
                text.get(..at)?.iter().rposition(|&byte| byte != b'-').map_or(0, |before| before.saturating_add(1));
            let run = text.get(start..)?.iter().take_while(|&&byte| byte == b'-').count();
            if run >= DASHES.len() {
                // `BEGIN` follows the last five of a longer rule.
                return start.checked_add(run)?.checked_sub(DASHES.len());
            }
            at = start.saturating_add(run);
        }
        at = at.saturating_add(DASHES.len());
    }
    None
}

/// A key that begins here.
fn key(text: &[u8], start: usize) -> Option<Hit> {
    let rest = text.strip_prefix(BEGIN)?;
    let head = rest.get(..rest.len().min(LABEL))?;
    let label = head.get(..position(head, DASHES)?)?;
    if !(label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK")) {
        return None;
    }
    let body = rest.get(label.len().checked_add(DASHES.len())?..)?;
    let body = body.get(..body.len().min(BODY))?;
    let body = body.get(..position(body, END)?)?;
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let letters = body.iter().filter(is_base64).count();
    // `...`, `<your key>`, `${KEY}` stand for a key.
    if letters < SHORTEST
        || contains(body, b"...")
        || body.iter().any(|byte| b"<>${}%*".contains(byte))
        || distinct(body) < 16
    {
        return None;
    }
    let opens = contains(label, b"OPENSSH") && !contains(body, OPENSSH_PLAIN);
    let encrypted = opens || contains(label, b"ENCRYPTED") || contains(body, b"ENCRYPTED");
    let kind = if encrypted { Kind::EncryptedKey } else { Kind::PrivateKey };
    Some(Hit { kind, at: start, name: None, secret: Secret::of(body.iter().filter(is_base64)) })
}

fn distinct(body: &[u8]) -> usize {
    let mut seen = [false; 256];
    body.iter().for_each(|&byte| seen.iter_mut().skip(usize::from(byte)).take(1).for_each(|seen| *seen = true));
    seen.iter().filter(|seen| **seen).count()
}

/// A PuTTY key is a file of its own.
fn putty(text: &[u8]) -> Option<Hit> {
    let body = text.strip_prefix(PUTTY)?;
    let private = body.get(position(body, b"Private-Lines:")?..)?;
    let kind = if contains(body, b"Encryption: none") { Kind::PrivateKey } else { Kind::EncryptedKey };
    Some(Hit::new(kind, 0, private))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(lines: usize) -> String {
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(lines)
    }

    fn pem(label: &str, body: &str) -> String {
        format!("# key\n-----BEGIN {label}-----\n{body}-----END {label}-----\n")
    }

    fn found(text: &str) -> Vec<(Kind, usize)> {
        private_keys(text.as_bytes()).iter().map(|hit| (hit.kind, hit.at)).collect()
    }

    #[test]
    fn a_key_of_any_label_is_found_where_it_begins() {
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            assert_eq!(found(&pem(label, &body(3))), [(Kind::PrivateKey, 6)], "{label}");
        }
        assert_eq!(found(&(pem("PRIVATE KEY", &body(1)) + &pem("EC PRIVATE KEY", &body(1)))).len(), 2);
    }

    #[test]
    fn a_key_under_a_passphrase_is_told_apart() {
        assert_eq!(found(&pem("ENCRYPTED PRIVATE KEY", &body(3)))[0].0, Kind::EncryptedKey);
        let old = format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{}", body(3));
        assert_eq!(found(&pem("RSA PRIVATE KEY", &old))[0].0, Kind::EncryptedKey);
        let plain = format!("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n{}", body(3));
        assert_eq!(found(&pem("OPENSSH PRIVATE KEY", &plain))[0].0, Kind::PrivateKey);
        assert_eq!(found(&pem("OPENSSH PRIVATE KEY", &body(3)))[0].0, Kind::EncryptedKey);
    }

    #[test]
    fn a_key_in_json_or_source_is_one_however_its_lines_end() {
        assert_eq!(found(&pem("PRIVATE KEY", &body(2)).replace('\n', "\\n")).len(), 1);
        assert_eq!(found(&pem("PRIVATE KEY", &body(2)).replace('\n', "\" +\n  \"")).len(), 1);
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in [
            pem("PUBLIC KEY", &body(3)),
            pem("CERTIFICATE", &body(3)),
            pem("PRIVATE KEY", ""),
            pem("PRIVATE KEY", "MIIEvQIBADANBg...\n"),
            pem("PRIVATE KEY", &format!("<{}>", body(2))),
            pem("PRIVATE KEY", &"A".repeat(200)),
            format!("if line == \"-----BEGIN PRIVATE KEY-----\" {{ {} }}", body(2)),
            "-".repeat(1000),
            "-----BEGIN ".to_owned(),
        ] {
            assert_eq!(found(&text), [], "{text}");
        }
    }

    #[test]
    fn a_rule_of_dashes_does_not_hide_the_key_below_it() {
        let text = format!("{}\n---- {}", "-".repeat(79), pem("PRIVATE KEY", &body(2)));
        assert_eq!(found(&text).len(), 1);
        assert_eq!(found(&format!("---{}", pem("PRIVATE KEY", &body(2)))).len(), 1);
    }

    #[test]
    fn a_putty_key_is_a_file_of_its_own() {
        let text =
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nBBBB\n";
        assert_eq!(found(text), [(Kind::PrivateKey, 0)]);
        assert_eq!(found(&text.replace("none", "aes256-cbc"))[0].0, Kind::EncryptedKey);
        assert_eq!(found("see PuTTY-User-Key-File-3: Private-Lines: 1"), []);
    }

    #[test]
    fn the_same_key_is_the_same_secret_however_it_is_broken_into_lines() {
        let secret = |text: &str| private_keys(text.as_bytes())[0].secret;
        let text = pem("PRIVATE KEY", &body(2));
        assert!(secret(&text) == secret(&text.replace('\n', "\r\n")));
        assert!(secret(&text) != secret(&pem("PRIVATE KEY", &body(3))));
    }
}
