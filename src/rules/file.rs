//! The text of rules: TOML as it stands in `rules/*.toml` and in a user's `--rules FILE`.
//!
//! In: the text and the name to show in errors. Out: its rules, each glob read. An error names the line. Unknown
//! keys are refused: a misspelt `keep` must not become a drop.

use super::glob::Pattern;
use crate::error::Error;
use globset::Glob;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// How likely it is that something that runs misses what a preset drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Nothing is known to miss it.
    Low,
    /// Some programs miss it; the rules name them.
    Medium,
    /// Most programs of some kind miss it.
    High,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    summary: Option<String>,
    default: Option<bool>,
    risk: Option<Risk>,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
}

type Globs = Vec<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    name: Option<String>,
    reason: String,
    #[serde(default)]
    drop: Globs,
    #[serde(default)]
    keep: Globs,
    #[serde(default)]
    keep_dirs: Globs,
    #[serde(default)]
    keep_lang: Globs,
    #[serde(default)]
    files_only: bool,
    #[serde(default)]
    keep_directory_links: bool,
    #[serde(default)]
    only_if_source: bool,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    packages: Globs,
    #[serde(default)]
    never: Globs,
    #[serde(default)]
    truncate: Globs,
}

/// A file of rules.
#[derive(Debug, Clone)]
pub(super) struct RuleFile {
    pub(super) summary: Option<String>,
    pub(super) default: Option<bool>,
    pub(super) risk: Option<Risk>,
    pub(super) rules: Vec<ParsedRule>,
}

/// One `[[rule]]`.
#[derive(Debug, Clone, Default)]
pub(super) struct ParsedRule {
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) drop: Vec<Pattern>,
    pub(super) keep: Vec<Pattern>,
    pub(super) keep_dirs: Vec<Pattern>,
    /// Globs in which the word `LANG` stands for the language that the image's environment names.
    pub(super) keep_lang: Vec<String>,
    pub(super) flags: Flags,
    pub(super) needs: Vec<String>,
    /// Globs over the names of packages that go where a package database is; `drop` is then for what no package owns.
    pub(super) packages: Vec<Glob>,
    /// Packages that this rule never takes.
    pub(super) never: Vec<Glob>,
    /// Files whose content goes and whose name stays.
    pub(super) truncate: Vec<Pattern>,
}

/// What a rule spares whatever its globs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    /// It takes regular files only.
    pub(super) files_only: bool,
    /// It takes no symlink that leads to a directory.
    pub(super) keep_directory_links: bool,
    /// It takes bytecode only where its source stands.
    pub(super) only_if_source: bool,
}

impl RuleFile {
    /// Reads the text; `name` is shown in errors.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let ends: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let line = |at: usize| ends.partition_point(|&end| end < at).saturating_add(1);
        let place = |at: usize| format!("{name}:{}", line(at));
        let parsed: Text = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message: Vec<&str> = error.message().lines().map(str::trim).collect();
            Error::usage(format!("{}: {}", place(at), message.join(", ")))
        })?;
        let mut rules = Vec::with_capacity(parsed.rule.len());
        for rule in parsed.rule {
            let here = place(rule.span().start);
            rules.push(rule.into_inner().read(here, &place)?);
        }
        Ok(Self { summary: parsed.summary, default: parsed.default, risk: parsed.risk, rules })
    }
}

impl RuleText {
    fn read(self, here: String, place: &impl Fn(usize) -> String) -> Result<ParsedRule, Error> {
        if self.reason.trim().is_empty() {
            return Err(Error::usage(format!("{here}: a rule without a reason")));
        }
        let says = [&self.drop, &self.keep, &self.keep_dirs, &self.packages, &self.truncate];
        if says.iter().all(|globs| globs.is_empty()) {
            return Err(Error::usage(format!("{here}: a rule that neither drops nor keeps anything")));
        }
        if self.packages.is_empty() && !self.never.is_empty() {
            return Err(Error::usage(format!(
                "{here}: \"never\" says which of its \"packages\" stay, and it has none"
            )));
        }
        let read = |globs: Globs| -> Result<Vec<Pattern>, Error> {
            globs
                .into_iter()
                .map(|glob| {
                    Pattern::new(glob.get_ref()).map_err(|why| {
                        Error::usage(format!("{}: glob {:?}: {why}", place(glob.span().start), glob.get_ref()))
                    })
                })
                .collect()
        };
        let read_names = |globs: Globs| -> Result<Vec<Glob>, Error> {
            let read = globs.into_iter().map(|glob| {
                Glob::new(glob.get_ref()).map_err(|why| {
                    let at = place(glob.span().start);
                    Error::usage(format!("{at}: package {:?}: {}", glob.get_ref(), why.kind()))
                })
            });
            read.collect()
        };
        for glob in &self.keep_lang {
            let at = place(glob.span().start);
            if !glob.get_ref().contains(LANG) {
                return Err(Error::usage(format!(
                    "{at}: keep_lang {:?} does not hold the word {LANG}",
                    glob.get_ref()
                )));
            }
            Pattern::new(glob.get_ref())
                .map_err(|why| Error::usage(format!("{at}: glob {:?}: {why}", glob.get_ref())))?;
        }
        Ok(ParsedRule {
            name: self.name.unwrap_or(here),
            reason: self.reason.split_whitespace().collect::<Vec<_>>().join(" "),
            drop: read(self.drop)?,
            keep: read(self.keep)?,
            keep_dirs: read(self.keep_dirs)?,
            keep_lang: self.keep_lang.into_iter().map(Spanned::into_inner).collect(),
            flags: Flags {
                files_only: self.files_only,
                keep_directory_links: self.keep_directory_links,
                only_if_source: self.only_if_source,
            },
            needs: self.needs,
            packages: read_names(self.packages)?,
            never: read_names(self.never)?,
            truncate: read(self.truncate)?,
        })
    }
}

/// The word in `keep_lang` that stands for a language.
pub(super) const LANG: &str = "LANG";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn refused(text: &str) -> String {
        let error = RuleFile::parse("my.toml", text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        error.to_string()
    }

    #[test]
    fn a_rule_is_read_with_all_it_says() {
        let text = "summary = 's'\nrisk = 'low'\n[[rule]]\nreason = \"\"\"one\n  two\"\"\"\ndrop = ['*.a']\nfiles_only = true\n";
        let file = RuleFile::parse("my.toml", text).unwrap();
        let rule = &file.rules[0];
        assert_eq!((rule.name.as_str(), rule.reason.as_str(), file.risk), ("my.toml:3", "one two", Some(Risk::Low)));
        assert!(rule.flags.files_only && !rule.flags.only_if_source && rule.drop[0].written == "*.a");
    }

    #[test]
    fn an_error_names_the_line() {
        assert!(refused("[[rule]]\nreason = 'r'\ndorp = ['x']\n").starts_with("my.toml:3: unknown field `dorp`"));
        assert!(refused("package = ['gcc']\n").starts_with("my.toml:1: unknown field `package`"));
        assert!(
            refused("\n[[rule]]\nreason = 'r'\npackages = [\n  'gcc',\n  '[',\n]\n")
                .starts_with("my.toml:6: package \"[\": ")
        );
        assert!(refused("[[rule]]\nreason = 'r'\ndrop = ['x']\nnever = ['gcc']\n").contains("and it has none"));
        assert!(
            refused("\n[[rule]]\nreason = 'r'\ndrop = [\n  'x',\n  '[',\n]\n").starts_with("my.toml:6: glob \"[\": ")
        );
        assert!(refused("\n[[rule]\n").starts_with("my.toml:2: "));
        assert!(refused("[[rule]]\ndrop = ['x']\n").contains("missing field `reason`"));
        assert_eq!(refused("\n[[rule]]\nreason = ' '\ndrop = ['x']\n"), "my.toml:2: a rule without a reason");
        assert!(refused("[[rule]]\nreason = 'r'\n").contains("neither drops nor keeps"));
        assert!(
            refused("[[rule]]\nreason = 'r'\nkeep = ['x']\nkeep_lang = ['/l/*']\n").contains("my.toml:4: keep_lang")
        );
        assert!(refused("risk = 'huge'\n").contains("unknown variant `huge`"));
    }
}
