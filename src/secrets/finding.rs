//! What was found, as values.
//!
//! A [`Hit`] is a secret in some text, a [`Finding`] a secret in an image. Neither holds the secret's text: a hit has
//! a hash of it, to tell two apart, and a finding has not even that.

use crate::rootfs::RootPath;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A secret that an image carries or carried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Whether it is still there.
    pub state: State,
    /// Where it stands.
    pub place: Place,
    /// The line of a file, from 1 on.
    pub line: Option<u64>,
    /// What it is.
    pub kind: Kind,
    /// What it is called there: a variable, a key of a file.
    pub name: Option<String>,
    /// The layer that holds it, from 1 on.
    pub layer: Option<u64>,
}

/// Whether a secret is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It stays in the image.
    Present,
    /// A later layer hides it, but its layer stays as it is, and whoever has the image can read it.
    Hidden,
    /// The original image holds it, the result does not.
    Removed,
}

/// Where a secret stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file.
    File(RootPath),
    /// A variable of `Env`.
    Variable(String),
    /// A label.
    Label(String),
    /// The words of the entrypoint, the command or the health check.
    Command,
    /// A step of the history, from 1 on.
    Step(u64),
}

/// What a secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A private key in PEM, OpenSSH, PGP or PuTTY form.
    PrivateKey,
    /// Such a key under a passphrase.
    EncryptedKey,
    /// A PKCS #12, JKS or GnuPG file that holds a private key.
    KeyStore,
    /// An AWS access key with its secret beside it.
    AwsKey,
    /// A token of GitHub.
    GithubToken,
    /// A token of GitLab.
    GitlabToken,
    /// A token of Slack.
    SlackToken,
    /// A token of npm.
    NpmToken,
    /// A token of PyPI.
    PypiToken,
    /// An API key of Google.
    GoogleKey,
    /// The key of a Google service account.
    ServiceAccount,
    /// A secret key of Stripe.
    StripeKey,
    /// A token of Docker Hub.
    DockerToken,
    /// A token of Hugging Face.
    HuggingFaceToken,
    /// A password or token in a file that is made to hold some.
    Credentials,
    /// A variable that is named as one of a password, a token or a key.
    Variable,
    /// A password inside a URL.
    UrlPassword,
    /// A password among the words of a command.
    CommandPassword,
}

impl Kind {
    /// A stable name for scripts.
    pub fn code(self) -> &'static str {
        self.texts().0
    }

    /// What it is, in a few words.
    pub fn text(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::PrivateKey => ("private-key", "private key"),
            Self::EncryptedKey => ("encrypted-key", "private key under a passphrase"),
            Self::KeyStore => ("key-store", "key store"),
            Self::AwsKey => ("aws-key", "AWS access key with its secret"),
            Self::GithubToken => ("github-token", "GitHub token"),
            Self::GitlabToken => ("gitlab-token", "GitLab token"),
            Self::SlackToken => ("slack-token", "Slack token"),
            Self::NpmToken => ("npm-token", "npm token"),
            Self::PypiToken => ("pypi-token", "PyPI token"),
            Self::GoogleKey => ("google-key", "Google API key"),
            Self::ServiceAccount => ("service-account", "key of a Google service account"),
            Self::StripeKey => ("stripe-key", "Stripe secret key"),
            Self::DockerToken => ("docker-token", "Docker Hub token"),
            Self::HuggingFaceToken => ("hugging-face-token", "Hugging Face token"),
            Self::Credentials => ("credentials", "password or token"),
            Self::Variable => ("variable", "variable named as a secret"),
            Self::UrlPassword => ("url-password", "password in a URL"),
            Self::CommandPassword => ("command-password", "password in a command"),
        }
    }
}

impl State {
    /// A stable name for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Hidden => "hidden",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Place {
    /// Escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escape = |text: &str| crate::error::escape(text.as_bytes());
        match self {
            Self::File(path) => path.fmt(f),
            Self::Variable(name) => write!(f, "ENV {}", escape(name)),
            Self::Label(name) => write!(f, "LABEL {}", escape(name)),
            Self::Command => f.write_str("command"),
            Self::Step(number) => write!(f, "history step {number}"),
        }
    }
}

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) kind: Kind,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    pub(super) name: Option<String>,
    /// Tells it from another.
    pub(super) secret: Secret,
}

/// A hash of a secret. It never leaves this module's findings: 64 bits of a weak password would tell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret(u64);

impl Secret {
    pub(super) fn of<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        bytes.into_iter().for_each(|byte| byte.hash(&mut hasher));
        Self(hasher.finish())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Hit {
    pub(super) fn new(kind: Kind, at: usize, secret: &[u8]) -> Self {
        Self { kind, at, name: None, secret: Secret::of(secret) }
    }

    pub(super) fn named(self, name: &[u8]) -> Self {
        // A longer name is no name.
        let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= 100);
        Self { name: name.map(Into::into), ..self }
    }
}
