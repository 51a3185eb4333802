//! Files that are made to hold credentials, known by their names, and how each is read.
//!
//! In: a path, and the bytes of such a file. Out: hits. The name alone is no finding: a `.npmrc` most often names a
//! registry and nothing more, and its token is most often `${NPM_TOKEN}`.

use super::finding::{Hit, Kind};
use super::values::{Form, values};
use super::words::{contains, is_secret_name, is_secret_value, url_passwords};
use crate::rootfs::RootPath;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The values of these names.
    Names(&'static [&'static str], Form),
    /// The values of names that say that they are secret, and URLs with a password in them.
    Variables,
    /// PostgreSQL's: `host:port:database:user:password`.
    Pgpass,
    /// All of it is one token.
    Whole,
    /// A private key's own file: `pem.rs` reads it.
    Key,
    /// Binary stores of private keys.
    Store,
}

/// How the file at a path is read, if it is one of those.
pub(super) fn check(path: &RootPath) -> Option<Check> {
    let (parent, name) = path.split_last()?;
    let parent = parent.split_last().map(|(_, name)| Box::from(name)).unwrap_or_else(Box::<[u8]>::default);
    by_name(&parent, name).or_else(|| by_ending(&parent, name))
}

fn by_name(parent: &[u8], name: &[u8]) -> Option<Check> {
    use Form::{Assign, Words, Xml};
    Some(match (parent, name) {
        (_, b".netrc" | b"_netrc") | (b"apt", b"auth.conf") => Check::Names(&["password"], Words),
        (_, b".npmrc" | b"npmrc") => Check::Names(&["_authToken", "_password", "_auth"], Assign),
        (_, b".yarnrc.yml") => Check::Names(&["npmAuthToken", "npmAuthIdent"], Assign),
        (_, b".pypirc") => Check::Names(&["password"], Assign),
        (_, b"pip.conf" | b".condarc" | b".wgetrc" | b".curlrc" | b".gemrc" | b".gitconfig" | b"sources.list") => {
            Check::Variables
        }
        (b".git" | b".bundle", b"config") => Check::Variables,
        (_, b".git-credentials") | (b"git", b"credentials") => Check::Variables,
        (b".gem", b"credentials") => Check::Names(&["rubygems_api_key"], Assign),
        (_, b".dockercfg") | (b".docker" | b"containers", b"config.json" | b"auth.json") => {
            Check::Names(&["auth", "identitytoken", "registrytoken"], Assign)
        }
        (_, b"auth.json") => Check::Variables,
        (b".aws", b"credentials" | b"config") => Check::Names(&["aws_secret_access_key", "aws_session_token"], Assign),
        (_, b".s3cfg" | b".boto") => Check::Names(
            &["secret_key", "aws_secret_access_key", "gs_secret_access_key", "gs_oauth2_refresh_token"],
            Assign,
        ),
        (b".kube", b"config") | (_, b"kubeconfig" | b"admin.conf") => {
            Check::Names(&["client-key-data", "token", "password", "id-token", "refresh-token"], Assign)
        }
        (_, b"application_default_credentials.json") => Check::Names(&["refresh_token", "client_secret"], Assign),
        (b".azure", b"accessTokens.json" | b"msal_token_cache.json") => {
            Check::Names(&["accessToken", "refreshToken", "secret"], Assign)
        }
        (_, b".pgpass" | b"pgpass.conf") => Check::Pgpass,
        (_, b".my.cnf" | b".mylogin.cnf") => Check::Names(&["password"], Assign),
        (_, b"terraform.tfstate" | b"terraform.tfstate.backup") => Check::Names(
            &[
                "password",
                "secret",
                "secret_key",
                "access_key",
                "private_key",
                "private_key_pem",
                "token",
                "client_secret",
                "master_password",
                "admin_password",
            ],
            Assign,
        ),
        (_, b".terraformrc" | b"credentials.tfrc.json") => Check::Names(&["token"], Assign),
        (b".cargo", b"credentials" | b"credentials.toml") => Check::Names(&["token"], Assign),
        (b"gh" | b"glab-cli", b"hosts.yml" | b"config.yml") | (_, b"hub") => {
            Check::Names(&["oauth_token", "token"], Assign)
        }
        (_, b"settings.xml" | b"settings-security.xml") => Check::Names(&["password", "passphrase", "master"], Xml),
        (b".gradle", b"gradle.properties") => Check::Variables,
        (_, b".vault-token") => Check::Whole,
        (b".ssh", name) if !name.ends_with(b".pub") => Check::Key,
        (b"private-keys-v1.d", _) => Check::Store,
        _ => return None,
    })
}

fn by_ending(parent: &[u8], name: &[u8]) -> Option<Check> {
    if name.starts_with(b".env") || name.ends_with(b".env") {
        // What a developer is to copy holds stand-ins.
        let sample =
            [&b"example"[..], b"sample", b"template", b"dist", b"defaults"].iter().any(|word| contains(name, word));
        let named = name.len() == 4 || name.starts_with(b".env.") || name.ends_with(b".env");
        return (named && !sample).then_some(Check::Variables);
    }
    if matches!(parent, b"auth.conf.d") {
        return Some(Check::Names(&["password"], Form::Words));
    }
    if matches!(parent, b"sources.list.d" | b"yum.repos.d") || name.ends_with(b".tfvars") {
        return Some(Check::Variables);
    }
    let ends = |endings: &[&[u8]]| endings.iter().any(|ending| name.ends_with(ending));
    if ends(&[b".p12", b".pfx", b".jks", b".keystore", b".bks"]) {
        return Some(Check::Store);
    }
    ends(&[b".pem", b".key", b".ppk", b"_key", b"_rsa", b"_ed25519", b"_ecdsa", b"_dsa"]).then_some(Check::Key)
}

impl Check {
    /// What it finds in the head of a file.
    pub(super) fn hits(self, text: &[u8]) -> Vec<Hit> {
        match self {
            Self::Names(names, form) => {
                let is = |name: &[u8]| names.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name));
                let hit = |value: super::values::Value<'_>| {
                    let name = is(value.name).filter(|_| is_secret_value(value.value))?;
                    Some(Hit::new(Kind::Credentials, value.at, value.value).named(name.as_bytes()))
                };
                values(text, form).into_iter().filter_map(hit).collect()
            }
            Self::Variables => variables(text),
            Self::Pgpass => pgpass(text),
            Self::Whole => {
                let token = text.trim_ascii();
                let one = token.len() >= 16 && token.iter().all(u8::is_ascii_graphic);
                one.then(|| Hit::new(Kind::Credentials, 0, token)).into_iter().collect()
            }
            Self::Key => Vec::new(),
            Self::Store => is_store(text).then(|| Hit::new(Kind::KeyStore, 0, text)).into_iter().collect(),
        }
    }

    /// Whether it reads a binary file.
    pub(super) fn is_binary(self) -> bool {
        self == Self::Store
    }
}

fn variables(text: &[u8]) -> Vec<Hit> {
    let secret = |value: &super::values::Value<'_>| is_secret_name(value.name) && is_secret_value(value.value);
    let mut hits: Vec<Hit> = values(text, Form::Assign)
        .into_iter()
        .filter(|value| secret(value) && !is_comment(text, value.at))
        .map(|value| Hit::new(Kind::Variable, value.at, value.value).named(value.name))
        .collect();
    let named: Vec<usize> = hits.iter().map(|hit| hit.at).collect();
    hits.extend(url_passwords(text).into_iter().filter(|hit| !named.contains(&hit.at)));
    hits
}

/// Whether the line of a place begins with `#`.
fn is_comment(text: &[u8], at: usize) -> bool {
    let line = text.get(..at).and_then(|before| before.rsplit(|&byte| byte == b'\n').next()).unwrap_or_default();
    line.trim_ascii_start().starts_with(b"#")
}

fn pgpass(text: &[u8]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut at = 0usize;
    for line in text.split(|&byte| byte == b'\n') {
        let fields: Vec<&[u8]> = line.splitn(5, |&byte| byte == b':').collect();
        if let [host, _, _, _, password] = fields.as_slice()
            && !host.starts_with(b"#")
            && is_secret_value(password)
        {
            hits.push(Hit::new(Kind::Credentials, at, password));
        }
        at = at.saturating_add(line.len()).saturating_add(1);
    }
    hits
}

/// Whether a file holds a private key in one of the binary forms. A JKS with certificates alone is no secret.
fn is_store(bytes: &[u8]) -> bool {
    // PKCS #12 (RFC 7292): a sequence whose first member is the version 3.
    let pkcs12 = bytes.starts_with(&[0x30]) && bytes.get(1..12).is_some_and(|head| contains(head, &[0x02, 0x01, 0x03]));
    // JKS: magic, version, count, and the tag of the first entry, 1 for a private key.
    let jks = bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) && bytes.get(12..16) == Some(&[0, 0, 0, 1]);
    let gnupg = [
        &b"(private-key"[..],
        b"(11:private-key",
        b"(21:protected-private-key",
        b"Key: (private-key",
        b"Key: (protected-private-key",
    ];
    pkcs12 || jks || gnupg.iter().any(|head| contains(bytes.get(..bytes.len().min(512)).unwrap_or_default(), head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(&'static str, Option<String>)> {
        let check = check(&RootPath::clamped(path.as_bytes()));
        check
            .map_or_else(Vec::new, |check| check.hits(text.as_bytes()))
            .into_iter()
            .map(|hit| (hit.kind.code(), hit.name))
            .collect()
    }

    /// A path, a text with a credential, a near miss.
    const FILES: &[(&str, &str, &str)] = &[
        ("/root/.netrc", "machine a login b password hunter2\n", "machine a login b\n"),
        (
            "/app/.npmrc",
            "//registry.npmjs.org/:_authToken=0a1b-2c3d\n",
            "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://r/\n",
        ),
        ("/app/.npmrc", "_password=aHVudGVyMg==\n", "always-auth=true\n"),
        ("/root/.pypirc", "[pypi]\nusername = u\npassword = hunter2\n", "[pypi]\nusername = u\n"),
        ("/root/.git-credentials", "https://u:hunter2@git.corp\n", "https://git.corp\n"),
        (
            "/root/.docker/config.json",
            "{\"auths\":{\"r\":{\"auth\":\"dTpodW50ZXIy\"}}}",
            "{\"auths\":{\"r\":{}},\"credsStore\":\"pass\"}",
        ),
        (
            "/root/.aws/credentials",
            "[default]\naws_secret_access_key = abcDEF0123\n",
            "[default]\nregion = eu-west-1\n",
        ),
        ("/root/.kube/config", "users:\n- user:\n    client-key-data: LS0tLS1CRUdJTg==\n", "clusters: []\nusers: []\n"),
        ("/app/.env", "PORT=80\nDB_PASSWORD=hunter2\n", "PORT=80\nDB_PASSWORD=\n# API_TOKEN=hunter22\nDEBUG=1\n"),
        ("/app/.env.production", "export API_TOKEN='hunter22'\n", "API_TOKEN=${API_TOKEN}\n"),
        ("/app/prod.env", "DATABASE_URL=postgres://a:hunter2@db/x\n", "DATABASE_URL=postgres://db/x\n"),
        ("/root/.pgpass", "db:5432:*:app:hunter2\n", "# host:port:db:user:hunter2\ndb:5432\n"),
        ("/root/.my.cnf", "[client]\npassword=hunter2\n", "[client]\nuser=root\n"),
        (
            "/infra/terraform.tfstate",
            "{\"attributes\": {\"password\": \"hunter2\"}}",
            "{\"attributes\": {\"password\": null}}",
        ),
        ("/root/.vault-token", "hvs.CAESIJ0123456789\n", "\n"),
        (
            "/root/.config/gcloud/application_default_credentials.json",
            "{\"refresh_token\": \"1//0gabcdef\"}",
            "{\"client_id\": \"1//0gabcdef\"}",
        ),
        (
            "/root/.m2/settings.xml",
            "<server><password>hunter2</password></server>",
            "<server><password>${env.P}</password></server>",
        ),
        ("/root/.cargo/credentials.toml", "[registry]\ntoken = \"hunter22\"\n", "[registry]\n"),
        (
            "/etc/pip.conf",
            "[global]\nindex-url = https://u:hunter2@pypi.corp/simple\n",
            "[global]\nindex-url = https://pypi.corp/simple\n",
        ),
        ("/etc/apt/auth.conf.d/corp.conf", "machine apt.corp login u password hunter2", "machine apt.corp"),
    ];

    #[test]
    fn each_file_of_credentials_is_read_and_its_near_miss_is_none() {
        for (path, secret, miss) in FILES {
            assert_eq!(found(path, secret).len(), 1, "{path}: {:?}", found(path, secret));
            assert_eq!(found(path, miss), [], "{path}");
        }
    }

    #[test]
    fn a_name_is_shown_as_the_file_has_it() {
        assert_eq!(found("/app/.env", "DB_PASSWORD=hunter2"), [("variable", Some("DB_PASSWORD".into()))]);
        assert_eq!(found("/root/.netrc", "machine a password hunter2"), [("credentials", Some("password".into()))]);
    }

    #[test]
    fn other_names_are_no_files_of_credentials() {
        for path in [
            "/app/config.json",
            "/app/.env.example",
            "/app/.environment",
            "/app/environment",
            "/root/.ssh/id_rsa.pub",
            "/x/credentials",
            "/",
        ] {
            assert_eq!(check(&RootPath::clamped(path.as_bytes())), None, "{path}");
        }
        for path in
            ["/root/.ssh/id_rsa", "/etc/ssh/ssh_host_rsa_key", "/etc/ssl/private/ssl-cert-snakeoil.key", "/srv/tls.pem"]
        {
            assert_eq!(check(&RootPath::clamped(path.as_bytes())), Some(Check::Key), "{path}");
        }
    }

    #[test]
    fn a_store_of_private_keys_is_told_by_its_head() {
        let hits = |bytes: &[u8]| Check::Store.hits(bytes).len();
        assert_eq!(hits(&[0x30, 0x82, 0x0a, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82, 0, 0, 0, 0]), 1);
        let jks = |tag| [&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0][..], &[tag]].concat();
        assert_eq!((hits(&jks(1)), hits(&jks(2))), (1, 0));
        assert_eq!(hits(b"(21:protected-private-key(3:rsa"), 1);
        assert_eq!(
            hits(&[0x30, 0x82, 0x0a, 0x00, 0x02, 0x01, 0x00, 0x30, 0x82, 0, 0, 0, 0]) + hits(b"") + hits(b"text"),
            0
        );
    }
}
