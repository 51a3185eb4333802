//! Tokens that are known by their shape: a prefix that their maker chose so that they can be found.
//!
//! In: the bytes of a text. Out: hits. Each shape is a prefix, the characters that follow, and how many; the
//! makers' own documents and GitHub's list of secret scanning patterns are the source. Tokens without a prefix
//! (JWT, Heroku, hexadecimal keys) are left out: they look like any hash.

use super::finding::{Hit, Kind};
use super::words::{contains, is_random};

/// The characters after a prefix.
#[derive(Debug, Clone, Copy)]
enum Set {
    Alphanumeric,
    /// Also `_` and `-`.
    Url,
}

struct Shape {
    prefix: &'static [u8],
    set: Set,
    /// Fewest and most characters that follow the prefix.
    least: usize,
    most: usize,
    kind: Kind,
}

const fn shape(prefix: &'static [u8], set: Set, least: usize, most: usize, kind: Kind) -> Shape {
    Shape { prefix, set, least, most, kind }
}

/// Any length from the least on, within reason.
const LONG: usize = 512;

const SHAPES: &[Shape] = &[
    shape(b"ghp_", Set::Alphanumeric, 36, 255, Kind::GithubToken),
    shape(b"gho_", Set::Alphanumeric, 36, 255, Kind::GithubToken),
    shape(b"ghu_", Set::Alphanumeric, 36, 255, Kind::GithubToken),
    shape(b"ghs_", Set::Alphanumeric, 36, 255, Kind::GithubToken),
    shape(b"ghr_", Set::Alphanumeric, 36, 255, Kind::GithubToken),
    shape(b"github_pat_", Set::Url, 60, 255, Kind::GithubToken),
    shape(b"glpat-", Set::Url, 20, LONG, Kind::GitlabToken),
    shape(b"xoxb-", Set::Url, 24, LONG, Kind::SlackToken),
    shape(b"xoxp-", Set::Url, 24, LONG, Kind::SlackToken),
    shape(b"xoxa-", Set::Url, 24, LONG, Kind::SlackToken),
    shape(b"xoxr-", Set::Url, 24, LONG, Kind::SlackToken),
    shape(b"xoxs-", Set::Url, 24, LONG, Kind::SlackToken),
    shape(b"npm_", Set::Alphanumeric, 36, 36, Kind::NpmToken),
    // The head of a macaroon for pypi.org, or for test.pypi.org, in base64.
    shape(b"pypi-AgEIcHlwaS5vcmc", Set::Url, 50, LONG, Kind::PypiToken),
    shape(b"pypi-AgENdGVzdC5weXBpLm9yZ", Set::Url, 50, LONG, Kind::PypiToken),
    shape(b"AIza", Set::Url, 35, 35, Kind::GoogleKey),
    shape(b"sk_live_", Set::Alphanumeric, 24, 255, Kind::StripeKey),
    shape(b"rk_live_", Set::Alphanumeric, 24, 255, Kind::StripeKey),
    shape(b"dckr_pat_", Set::Url, 27, 27, Kind::DockerToken),
    shape(b"hf_", Set::Alphanumeric, 34, 34, Kind::HuggingFaceToken),
    shape(b"AKIA", Set::Alphanumeric, 16, 16, Kind::AwsKey),
    shape(b"ASIA", Set::Alphanumeric, 16, 16, Kind::AwsKey),
];

/// Where the secret of an AWS key may stand, in bytes before and after it.
const BESIDE: usize = 400;
/// The length of that secret.
const AWS_SECRET: usize = 40;

/// The tokens of a text.
pub(super) fn tokens(text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (at, &byte) in text.iter().enumerate() {
        // A rare character of each prefix says where to look closer: its first `_` or `-`, or its first letter.
        if !matches!(byte, b'_' | b'-' | b'A') {
            continue;
        }
        for shape in SHAPES {
            let trigger = shape.prefix.iter().position(|byte| matches!(byte, b'_' | b'-')).unwrap_or(0);
            if shape.prefix.get(trigger) == Some(&byte)
                && let Some(start) = at.checked_sub(trigger)
                && let Some(hit) = token(text, start, shape)
            {
                hits.push(hit);
            }
        }
    }
    hits
}

fn token(text: &[u8], start: usize, shape: &Shape) -> Option<Hit> {
    let rest = text.get(start..)?.strip_prefix(shape.prefix)?;
    let before = start.checked_sub(1).and_then(|before| text.get(before));
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_')) {
        return None;
    }
    let length = rest.iter().take(shape.most.saturating_add(1)).take_while(|byte| shape.set.holds(**byte)).count();
    if length < shape.least || length > shape.most {
        return None;
    }
    // `npm_...36 letters..._and_more` is an identifier.
    if rest.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_')) {
        return None;
    }
    let token = rest.get(..length)?;
    let good = match shape.kind {
        Kind::SlackToken => is_random(token) && token.iter().take_while(|byte| byte.is_ascii_digit()).count() >= 8,
        Kind::AwsKey => return aws(text, start, token),
        _ => is_random(token) && token.iter().any(u8::is_ascii_digit),
    };
    let whole = text.get(start..start.checked_add(shape.prefix.len())?.checked_add(length)?)?;
    good.then(|| Hit::new(shape.kind, start, whole))
}

/// An access key alone is a name; with its secret beside it, it opens.
fn aws(text: &[u8], start: usize, key: &[u8]) -> Option<Hit> {
    if !key.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) || contains(key, b"EXAMPLE") {
        return None;
    }
    let near = text.get(start.saturating_sub(BESIDE)..start.saturating_add(BESIDE).min(text.len()))?;
    let secret = near
        .split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+')))
        .find(|run| is_aws_secret(run))?;
    Some(Hit::new(Kind::AwsKey, start, secret))
}

fn is_aws_secret(run: &[u8]) -> bool {
    run.len() == AWS_SECRET
        && run.iter().any(u8::is_ascii_lowercase)
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_digit)
        && is_random(run)
}

impl Set {
    fn holds(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(self, Self::Url) && matches!(byte, b'_' | b'-')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        tokens(text.as_bytes()).iter().map(|hit| hit.kind.code()).collect()
    }

    /// `n` characters that look random; spelt here by halves, so that no scanner of this repository takes them for one.
    fn random(n: usize) -> String {
        "q8Zr3Lw0Tn5Xv2Kc7Jb4Hd9Gf1Sp6Ma".chars().cycle().take(n).collect()
    }

    #[test]
    fn every_shape_is_found_and_a_shorter_one_is_not() {
        for shape in SHAPES.iter().filter(|shape| !matches!(shape.kind, Kind::AwsKey | Kind::SlackToken)) {
            let prefix = std::str::from_utf8(shape.prefix).unwrap();
            let text = |n| format!("x = \"{prefix}{}\";", random(n));
            assert_eq!(kinds(&text(shape.least)), [shape.kind.code()], "{prefix}");
            assert!(kinds(&text(shape.least - 1)).is_empty(), "{prefix}");
            assert!(kinds(&text(shape.most + 1)).is_empty(), "{prefix}");
            assert!(kinds(&format!("a{prefix}{}", random(shape.least))).is_empty(), "{prefix} inside a word");
            assert!(kinds(&format!("{prefix}{}", "x".repeat(shape.least))).is_empty(), "{prefix} as a stand-in");
        }
    }

    #[test]
    fn a_slack_token_begins_with_the_number_of_its_team() {
        assert_eq!(kinds(&format!("xoxb-123456789012-{}", random(24))), ["slack-token"]);
        assert!(kinds(&format!("xoxb-{}", random(30))).is_empty());
    }

    #[test]
    fn an_aws_key_is_a_secret_only_with_its_secret_beside_it() {
        let key = format!("AKIA{}", "Q3ZL7XWN5TV2KC4J");
        let secret = random(AWS_SECRET);
        assert_eq!(kinds(&format!("id={key}\nsecret={secret}\n")), ["aws-key"]);
        assert_eq!(kinds(&format!("secret={secret}\nid={key}\n")), ["aws-key"]);
        assert!(kinds(&key).is_empty());
        // A commit is 40 characters too.
        assert!(kinds(&format!("{key} {}", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567")).is_empty());
        assert!(kinds(&format!("{key}{}{secret}", " ".repeat(BESIDE))).is_empty());
        assert!(kinds(&format!("AKIA{} {secret}", "IOSFODNN7EXAMPLE")).is_empty());
    }

    #[test]
    fn names_of_variables_and_functions_are_no_tokens() {
        let text = "npm_config_user_agent npm_lifecycle_event sk_live_mode hf_hub_download ghp_ AIza glpat- ghs_test_value_of_some_length_that_goes_on";
        assert!(kinds(text).is_empty());
    }
}
