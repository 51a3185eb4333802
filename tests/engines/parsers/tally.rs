//! Counts who agrees with whom, holds what was found against `known.rs`, and tells what is new and what is no longer true.

use crate::parsers::corpus::Sample;
use crate::parsers::known::{INPUTS, OUTPUTS, Row, STRICT, explain, matches};
use crate::parsers::listing::Listing;
use crate::parsers::ours::tree;
use crate::parsers::readers::{READERS, Readers};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Where a row of `known.rs` stands: its table and number, the reader, and the twist.
type Place = (bool, usize, &'static str, &'static str);

pub(crate) struct Tally<'a> {
    samples: &'a [Sample],
    /// How often each outcome was seen.
    counts: BTreeMap<String, usize>,
    rows: BTreeMap<Place, usize>,
    strict: [usize; STRICT.len()],
    /// What no row explains: how often, and an example.
    wrong: BTreeMap<String, (usize, String)>,
    /// The rows that a single twist brought about.
    alone: BTreeSet<Place>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(samples: &'a [Sample]) -> Self {
        let (counts, rows) = (BTreeMap::new(), BTreeMap::new());
        Self { samples, counts, rows, strict: [0; STRICT.len()], wrong: BTreeMap::new(), alone: BTreeSet::new() }
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    fn wrong(&mut self, what: String, number: usize, more: &str) {
        let odd = self.samples[number].odd.join(", ");
        self.wrong.entry(what).or_insert((0, format!("{number}: {odd}: {more}"))).0 += 1;
    }

    /// One input: what imgstrip and the others see.
    pub(crate) fn input(&mut self, number: usize, ours: &Listing, theirs: &[&Listing; 4]) {
        let Some(why) = &ours.error else {
            self.count("inputs that imgstrip takes");
            return self.hold(true, number, ours, theirs);
        };
        self.count("inputs that imgstrip refuses");
        if theirs[0].error.is_some() {
            self.count("inputs that imgstrip refuses and Go, too");
        } else if theirs.iter().any(|their| !theirs[0].diff(their).is_empty()) {
            self.count("inputs that imgstrip refuses and others take for different things");
        } else {
            self.count("inputs that imgstrip refuses though all four agree");
            match STRICT.iter().position(|(part, _)| why.contains(part)) {
                Some(row) => self.strict[row] += 1,
                None => self.wrong(format!("refused though all four agree: {why}"), number, ""),
            }
        }
    }

    /// What was written for an input: it must be what the input was, and the same for all.
    pub(crate) fn output(&mut self, number: usize, input: &Listing, output: &Listing, theirs: &[&Listing; 4]) {
        self.count("outputs");
        if let Some(why) = &output.error {
            self.wrong("imgstrip refuses its output".into(), number, why);
        }
        match (tree(input), tree(output)) {
            (Some(input), Some(output)) if input == output => {
                self.count("outputs that are the input's root filesystem")
            }
            (Some(input), Some(output)) => {
                let different = |path: &&Vec<u8>| input.get(*path) != output.get(*path);
                let paths: BTreeSet<&Vec<u8>> = input.keys().chain(output.keys()).filter(different).collect();
                let told: Vec<_> =
                    paths.iter().map(|path| (path.escape_ascii(), input.get(*path), output.get(*path))).collect();
                self.wrong("the output is not the input's root filesystem".into(), number, &format!("{told:?}"));
            }
            _ => self.count("outputs whose root filesystem is left to the tests of the merge"),
        }
        self.hold(false, number, output, theirs);
    }

    fn hold(&mut self, is_input: bool, number: usize, ours: &Listing, theirs: &[&Listing; 4]) {
        let (name, rows) = table(is_input);
        for (reader, their) in READERS.into_iter().zip(theirs) {
            let fields = ours.diff(their);
            let told: Vec<&str> = fields.iter().copied().collect();
            match (fields.is_empty(), explain(rows, reader, &self.samples[number].odd, &fields)) {
                (true, _) => self.count(format!("{name}: {reader} agrees")),
                (false, Some(found)) => {
                    self.count(format!("{name}: {reader} is known to differ"));
                    for row in found {
                        self.note(is_input, row, reader, number);
                    }
                }
                // Each twist alone is explained; together they have a meaning that no row could tell.
                (false, None) if is_input && reader != "go" && self.samples[number].odd.len() > 2 => {
                    self.count(format!("{name}: {reader} differs through several twists together"));
                }
                (false, None) => {
                    let why = their.error.clone().unwrap_or_else(|| first(ours, their));
                    self.wrong(format!("{name}: {reader} differs: {}", told.join(" ")), number, &why);
                }
            }
        }
    }

    fn note(&mut self, is_input: bool, row: usize, reader: &'static str, number: usize) {
        let odd = &self.samples[number].odd;
        let (_, _, twists, _) = table(is_input).1[row];
        for twist in twists.split("; ").filter(|twist| matches(twist, odd)) {
            *self.rows.entry((is_input, row, reader, twist)).or_default() += 1;
            // The kind of the entry, and one twist.
            if odd.len() == 2 {
                self.alone.insert((is_input, row, reader, twist));
            }
        }
    }

    /// The figures, and everything that is wrong.
    pub(crate) fn finish(self) -> (String, Vec<String>) {
        let mut text = format!("{} tars; {}\n", self.samples.len(), Readers::versions());
        let mut wrong: Vec<String> = self
            .wrong
            .iter()
            .map(|(what, (count, example))| format!("{what}: {count} times, such as {example}"))
            .collect();
        for (what, count) in &self.counts {
            writeln!(text, "{count:6} {what}").unwrap();
        }
        for is_input in [true, false] {
            let (name, rows) = table(is_input);
            for (row, (readers, fields, twists, why)) in rows.iter().enumerate() {
                for reader in readers.split(' ') {
                    let places = self
                        .rows
                        .iter()
                        .filter(|((table, number, who, _), _)| (*table, *number, *who) == (is_input, row, reader));
                    let count: usize = places.map(|(_, count)| count).sum();
                    writeln!(text, "{count:6} {name}, {reader}, {fields}: {why}").unwrap();
                    let seen = |twist: &&str| self.alone.contains(&(is_input, row, reader, *twist));
                    for twist in twists.split("; ").filter(|twist| !seen(twist)) {
                        wrong.push(format!("{name}: known, but no longer so: {reader}, {fields}, {twist}"));
                    }
                }
            }
        }
        for ((part, why), count) in STRICT.iter().zip(self.strict) {
            writeln!(text, "{count:6} refused though all four agree, {part}: {why}").unwrap();
            if count == 0 {
                wrong.push(format!("known to be refused though all four agree, but no longer so: {part}"));
            }
        }
        (text, wrong)
    }
}

fn table(is_input: bool) -> (&'static str, &'static [Row]) {
    if is_input { ("inputs", INPUTS) } else { ("outputs", OUTPUTS) }
}

/// The first entry that differs.
fn first(ours: &Listing, theirs: &Listing) -> String {
    let different = ours.items.iter().zip(&theirs.items).find(|(a, b)| a != b && !a.diff(b).is_empty());
    different.map_or_else(String::new, |(a, b)| format!("{a:?} and {b:?}"))
}
