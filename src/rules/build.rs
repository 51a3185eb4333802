//! From presets, files and single globs to one compiled set of rules.
//!
//! In: what the command line or a caller chose. Out: [`Rules`], cheap to clone. Never a tree: that is `decide.rs`.

use super::file::{Flags, ParsedRule, RuleFile};
use super::glob::Pattern;
use super::matcher::Matcher;
use super::preset::{SECRETS, Selection, TEXTS};
use crate::error::Error;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// The group of what the user said himself; each preset is a group of its own.
pub(super) const USER: usize = 0;

/// Globs that one run may have: each costs some room, and time for every path.
const RULES: usize = 20_000;

/// What to drop and what to keep. [`Rules::default`] is the presets that are on by default.
///
/// The default ones are compiled when they are first asked, for many a caller replaces them.
#[derive(Debug, Clone)]
pub struct Rules(pub(super) Arc<LazyLock<Arc<Compiled>, Compile>>);

type Compile = Box<dyn FnOnce() -> Arc<Compiled> + Send + Sync>;

#[derive(Debug, Default)]
pub(super) struct Compiled {
    /// The user's first, then the presets', in the order of their names.
    pub(super) rules: Vec<Rule>,
    /// For each group, what may be kept from it.
    pub(super) groups: Vec<Group>,
    /// Numbered by rule.
    pub(super) drop: Matcher,
    /// Numbered by group.
    pub(super) keep: Matcher,
    /// Directories that stay; the numbers mean nothing.
    pub(super) keep_dirs: Matcher,
    /// Files whose content goes; numbered by rule.
    pub(super) truncate: Matcher,
    /// Paths without wildcards that the user keeps.
    pub(super) kept_paths: Vec<String>,
    /// Whether secrets are looked for.
    pub(super) secrets: bool,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) group: usize,
    /// The preset, or the file, or the flag, that it stands in.
    pub(super) source: String,
    pub(super) name: String,
    pub(super) reason: String,
    pub(super) flags: Flags,
    /// Rules that are refused with this one.
    pub(super) needs: Vec<usize>,
    /// Names of packages that it takes.
    pub(super) packages: GlobSet,
    /// Names of packages that it never takes.
    pub(super) never: GlobSet,
}

#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) keep: Vec<Pattern>,
    pub(super) keep_lang: Vec<String>,
}

impl Rules {
    /// No rule: squash only.
    pub fn none() -> Self {
        Self::lazy(Compiled::default)
    }

    fn lazy(compile: impl FnOnce() -> Compiled + Send + Sync + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(|| Arc::new(compile())))))
    }

    /// Whether no rule drops or empties anything.
    pub fn is_none(&self) -> bool {
        self.0.drop.is_empty() && self.0.truncate.is_empty() && self.0.rules.iter().all(|rule| rule.packages.is_empty())
    }

    /// Starts with the default presets and nothing else.
    pub fn builder() -> RulesBuilder {
        RulesBuilder::default()
    }

    /// Whether the preset `secrets` is on, which takes nothing: [`crate::secrets::find`] is to be asked.
    pub fn looks_for_secrets(&self) -> bool {
        self.0.secrets
    }
}

impl Default for Rules {
    fn default() -> Self {
        // The presets are part of the program, and a test builds them: this cannot be an error.
        Self::lazy(|| Self::builder().compile().unwrap_or_default())
    }
}

/// Rules under way.
#[derive(Debug, Clone, Default)]
pub struct RulesBuilder {
    presets: Selection,
    own: Vec<(String, ParsedRule)>,
}

impl RulesBuilder {
    /// These presets instead of the default ones.
    #[must_use]
    pub fn presets(mut self, presets: Selection) -> Self {
        self.presets = presets;
        self
    }

    /// Adds the rules of a TOML text, in the format of the presets; `name` is shown in errors, with the line, and
    /// in the report.
    ///
    /// # Errors
    /// `Usage` where the text is not TOML, has an unknown key, a rule without a reason, or a bad glob.
    pub fn file(mut self, name: &str, text: &str) -> Result<Self, Error> {
        let file = RuleFile::parse(name, text)?;
        self.own.extend(file.rules.into_iter().map(|rule| (name.to_owned(), rule)));
        Ok(self)
    }

    /// Adds `--drop GLOB`.
    ///
    /// # Errors
    /// `Usage` where the glob is bad.
    pub fn drop(self, glob: &str) -> Result<Self, Error> {
        let pattern = own_glob("--drop", glob)?;
        Ok(self.own_rule("--drop", glob, ParsedRule { drop: vec![pattern], ..ParsedRule::default() }))
    }

    /// Adds `--keep GLOB`.
    ///
    /// # Errors
    /// `Usage` where the glob is bad.
    pub fn keep(self, glob: &str) -> Result<Self, Error> {
        let pattern = own_glob("--keep", glob)?;
        Ok(self.own_rule("--keep", glob, ParsedRule { keep: vec![pattern], ..ParsedRule::default() }))
    }

    fn own_rule(mut self, flag: &str, glob: &str, rule: ParsedRule) -> Self {
        let rule = ParsedRule { name: glob.to_owned(), reason: "asked for on the command line".into(), ..rule };
        self.own.push((flag.to_owned(), rule));
        self
    }

    /// Compiles the rules.
    ///
    /// # Errors
    /// `Usage` where a glob is too large to compile, or a rule needs one that does not exist; `Limit` where there are
    /// more globs than 20,000.
    pub fn build(self) -> Result<Rules, Error> {
        let compiled = self.compile()?;
        Ok(Rules::lazy(|| compiled))
    }

    fn compile(self) -> Result<Compiled, Error> {
        let mut parsed: Vec<(usize, String, ParsedRule)> =
            self.own.into_iter().map(|(source, rule)| (USER, source, rule)).collect();
        for (group, (name, text)) in
            (USER.saturating_add(1)..).zip(TEXTS.iter().filter(|(name, _)| self.presets.contains(name)))
        {
            let file = RuleFile::parse(name, text)?;
            parsed.extend(file.rules.into_iter().map(|rule| (group, (*name).to_owned(), rule)));
        }
        let globs = parsed.iter().fold(0usize, |sum, (_, _, rule)| {
            let paths = [&rule.drop, &rule.keep, &rule.keep_dirs, &rule.truncate];
            let names = rule.packages.len().saturating_add(rule.never.len());
            paths.iter().fold(sum.saturating_add(names), |sum, globs| sum.saturating_add(globs.len()))
        });
        if globs > RULES {
            return Err(Error::limit(format!("{globs} globs, more than {RULES}")).hint("write one glob with braces"));
        }
        let mut compiled = compile(parsed)?;
        compiled.secrets = self.presets.contains(SECRETS);
        Ok(compiled)
    }
}

fn own_glob(flag: &str, glob: &str) -> Result<Pattern, Error> {
    Pattern::new(glob).map_err(|why| Error::usage(format!("{flag} {glob:?}: {why}")))
}

fn compile(parsed: Vec<(usize, String, ParsedRule)>) -> Result<Compiled, Error> {
    let drops = parsed.iter().enumerate().flat_map(|(id, (_, _, rule))| rule.drop.iter().map(move |glob| (glob, id)));
    let keeps = parsed.iter().flat_map(|(group, _, rule)| rule.keep.iter().map(move |glob| (glob, *group)));
    let keep_dirs = parsed.iter().flat_map(|(group, _, rule)| rule.keep_dirs.iter().map(move |glob| (glob, *group)));
    let truncates =
        parsed.iter().enumerate().flat_map(|(id, (_, _, rule))| rule.truncate.iter().map(move |glob| (glob, id)));
    let mut compiled = Compiled {
        truncate: Matcher::new(truncates)?,
        drop: Matcher::new(drops)?,
        keep: Matcher::new(keeps)?,
        keep_dirs: Matcher::new(keep_dirs)?,
        ..Compiled::default()
    };
    let names: HashMap<(String, String), usize> =
        parsed.iter().enumerate().map(|(id, (_, source, rule))| ((source.clone(), rule.name.clone()), id)).collect();
    let never = never_by_source(&parsed)?;
    for (group, source, rule) in parsed {
        let mut needs = Vec::new();
        for name in &rule.needs {
            match names.get(&(source.clone(), name.clone())) {
                Some(&id) => needs.push(id),
                None => {
                    let what = format!("{source}: the rule \"{}\" needs \"{name}\", which is no rule here", rule.name);
                    return Err(Error::usage(what));
                }
            }
        }
        while compiled.groups.len() <= group {
            compiled.groups.push(Group::default());
        }
        if let Some(known) = compiled.groups.get_mut(group) {
            if group == USER {
                compiled
                    .kept_paths
                    .extend(rule.keep.iter().filter(|glob| glob.literal).map(|glob| glob.prefix.clone()));
            }
            known.keep.extend(rule.keep);
            known.keep_lang.extend(rule.keep_lang);
        }
        compiled.rules.push(Rule {
            group,
            packages: names_of_packages(&source, &rule.packages)?,
            never: never.get(&source).cloned().unwrap_or_default(),
            source,
            name: rule.name,
            reason: rule.reason,
            flags: rule.flags,
            needs,
        });
    }
    Ok(compiled)
}

/// What a rule never takes, no other rule of its file takes either: the compiler's run-time library does not go with the headers.
fn never_by_source(parsed: &[(usize, String, ParsedRule)]) -> Result<HashMap<String, GlobSet>, Error> {
    let mut globs: HashMap<&str, Vec<Glob>> = HashMap::new();
    for (_, source, rule) in parsed {
        globs.entry(source).or_default().extend(rule.never.iter().cloned());
    }
    globs.into_iter().map(|(source, globs)| Ok((source.to_owned(), names_of_packages(source, &globs)?))).collect()
}

fn names_of_packages(source: &str, globs: &[Glob]) -> Result<GlobSet, Error> {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        builder.add(glob.clone());
    }
    builder.build().map_err(|error| Error::usage(format!("{source}: packages: {error}")))
}
