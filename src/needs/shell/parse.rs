//! The commands of shell text. In: bytes. Out: simple commands in the order of the text, the words that stand at their head found by
//! operators, reserved words and assignments. Comments, here-documents, patterns of `case` and lists of `for` are no commands.

use super::redirect::Document;
use super::{Simple, Word};
use std::collections::BTreeSet;

/// A reader of shell text.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    /// How many substitutions the text stands in.
    pub(super) depth: usize,
    /// The functions seen so far.
    pub(super) functions: BTreeSet<Box<[u8]>>,
    /// Here-documents whose text begins at the next line.
    pub(super) awaited: Vec<Document>,
}

/// What ends a list of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closer {
    /// The end of the text.
    End,
    /// A `)` that nothing inside opened.
    Parenthesis,
}

/// Reserved words behind which a command begins, or another reserved word.
const LEADING: &[&[u8]] = &[
    b"if", b"then", b"else", b"elif", b"fi", b"while", b"until", b"do", b"done", b"!", b"{", b"}", b"time", b"coproc",
];

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a [u8], depth: usize) -> Self {
        Self { text, at: 0, depth, functions: BTreeSet::new(), awaited: Vec::new() }
    }

    /// The commands up to what closes them.
    pub(super) fn commands(&mut self, closer: Closer) -> Vec<Simple> {
        let mut list = List::default();
        let (mut parentheses, mut cases) = (0usize, 0usize);
        loop {
            self.blanks();
            let Some(byte) = self.peek() else { break };
            match byte {
                b'\n' => {
                    self.bump();
                    list.end();
                    self.documents(&mut list);
                }
                b'#' => {
                    self.take_while(|byte| byte != b'\n');
                }
                b';' => {
                    self.bump();
                    list.end();
                    if self.take_while(|byte| byte == b';' || byte == b'&').is_empty() {
                        continue;
                    }
                    self.pattern(&mut cases);
                }
                b'&' if self.peek_at(1) == Some(b'>') => self.bump(),
                b'&' | b'|' => {
                    self.take_while(|byte| byte == b'&' || byte == b'|');
                    list.end();
                }
                b'(' if list.names_function() && self.closes_at_once() => {
                    let name = list.simple.words.pop().and_then(|word| word.literal());
                    self.functions.extend(name.map(Vec::into_boxed_slice));
                }
                b'(' if list.at_head() && self.peek_at(1) == Some(b'(') => self.arithmetic(),
                b'(' => {
                    self.bump();
                    list.end();
                    parentheses = parentheses.saturating_add(1);
                }
                b')' => {
                    self.bump();
                    list.end();
                    match parentheses.checked_sub(1) {
                        Some(fewer) => parentheses = fewer,
                        None if closer == Closer::Parenthesis => break,
                        None => {}
                    }
                }
                b'<' | b'>' if self.peek_at(1) != Some(b'(') => self.redirection(&mut list),
                _ => self.command_word(&mut list, &mut cases),
            }
        }
        list.end();
        list.commands.shrink_to_fit();
        list.commands
    }

    fn command_word(&mut self, list: &mut List, cases: &mut usize) {
        let word = self.word();
        if word.0.is_empty() {
            // A `>(` deeper than words go.
            return self.bump();
        }
        let is_descriptor = word.bare().is_some_and(|bare| bare.iter().all(u8::is_ascii_digit));
        if is_descriptor && matches!(self.peek(), Some(b'<' | b'>')) {
            return;
        }
        if !list.simple.words.is_empty() {
            return list.simple.words.push(word);
        }
        if list.at_head() {
            match word.bare() {
                Some(bare) if LEADING.contains(&bare) => return,
                Some(b"for" | b"select") => return self.for_loop(list),
                Some(b"case") => return self.case(list, cases),
                Some(b"esac") => {
                    *cases = cases.saturating_sub(1);
                    return;
                }
                Some(b"function") => {
                    self.blanks();
                    let name = self.word().literal();
                    self.functions.extend(name.map(Vec::into_boxed_slice));
                    self.blanks();
                    self.closes_at_once();
                    return;
                }
                Some(b"[[") => return self.condition(list, word),
                _ => {}
            }
        }
        match word.assignment() {
            Some((name, value)) if value.0.is_empty() && self.peek() == Some(b'(') => {
                self.bump();
                for element in self.elements() {
                    list.simple.assignments.push((name.clone(), element));
                }
            }
            Some(assignment) => list.simple.assignments.push(assignment),
            None => list.simple.words.push(word),
        }
    }

    /// Behind `for`: the name and its values, which are assignments to it.
    fn for_loop(&mut self, list: &mut List) {
        self.blanks();
        if self.peek() == Some(b'(') {
            return self.arithmetic();
        }
        let Some(name) = self.word().literal() else { return };
        self.lines();
        let before = self.at;
        if self.word().bare() != Some(b"in") {
            self.at = before;
            return;
        }
        loop {
            self.blanks();
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' | b'#') => break,
                Some(_) => list.simple.assignments.push((name.clone().into(), self.word())),
            }
        }
        list.end();
    }

    /// Behind `case`: its subject, and the first pattern.
    fn case(&mut self, list: &mut List, cases: &mut usize) {
        self.blanks();
        list.simple.inputs.push(self.word());
        list.end();
        self.lines();
        let before = self.at;
        if self.word().bare() != Some(b"in") {
            self.at = before;
            return;
        }
        *cases = cases.saturating_add(1);
        self.pattern(cases);
    }

    /// A pattern of a `case` with its `)`, or the `esac` in place of one. Outside of a `case`, nothing.
    fn pattern(&mut self, cases: &mut usize) {
        if *cases == 0 {
            return;
        }
        self.lines();
        if self.peek() == Some(b'(') {
            self.bump();
        }
        let mut is_first = true;
        while let Some(byte) = self.peek() {
            match byte {
                b')' => return self.bump(),
                b'\n' => return,
                b' ' | b'\t' | b'|' => self.bump(),
                _ => {
                    let word = self.word();
                    if is_first && word.bare() == Some(b"esac") {
                        *cases = cases.saturating_sub(1);
                        return;
                    }
                    if word.0.is_empty() {
                        self.bump();
                    }
                    is_first = false;
                }
            }
        }
    }

    /// Behind `[[`: the words up to `]]`; `<`, `>` and parentheses compare there.
    fn condition(&mut self, list: &mut List, head: Word) {
        list.simple.words.push(head);
        loop {
            self.lines();
            if self.peek().is_none() {
                break;
            }
            let word = self.word();
            if word.bare() == Some(b"]]") {
                break;
            }
            if word.0.is_empty() {
                self.bump();
            } else {
                list.simple.words.push(word);
            }
        }
    }

    /// Behind the `=(` of an array: its elements.
    fn elements(&mut self) -> Vec<Word> {
        let mut elements = Vec::new();
        loop {
            self.lines();
            match self.peek() {
                None => break,
                Some(b')') => {
                    self.bump();
                    break;
                }
                Some(_) => {
                    let word = self.word();
                    if word.0.is_empty() {
                        self.bump();
                    } else {
                        elements.push(word);
                    }
                }
            }
        }
        elements
    }

    /// Whether `()` stands here; it is read then.
    fn closes_at_once(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(inner) = rest.strip_prefix(b"(") else { return false };
        let spaces = inner.iter().take_while(|&&byte| byte == b' ').count();
        if inner.get(spaces) != Some(&b')') {
            return false;
        }
        self.at = self.at.saturating_add(spaces).saturating_add(2);
        true
    }

    pub(super) fn blanks(&mut self) {
        loop {
            match (self.peek(), self.peek_at(1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.bump(),
                (Some(b'\\'), Some(b'\n')) => {
                    self.bump();
                    self.bump();
                }
                _ => return,
            }
        }
    }

    /// Blanks, newlines and comments.
    fn lines(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => self.bump(),
                Some(b'#') => {
                    self.take_while(|byte| byte != b'\n');
                }
                _ => return,
            }
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at.saturating_add(ahead)).copied()
    }

    /// On by one byte; at the end it stays there.
    pub(super) fn bump(&mut self) {
        self.at = self.at.saturating_add(1).min(self.text.len());
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> Vec<u8> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|&&byte| wanted(byte)).count();
        self.at = self.at.saturating_add(count);
        rest.get(..count).unwrap_or_default().into()
    }

    /// What stands before the next `last`, which is read too.
    pub(super) fn take_until(&mut self, last: u8) -> Vec<u8> {
        let taken = self.take_while(|byte| byte != last);
        self.bump();
        taken
    }
}

/// The commands read so far, and the one that is being read.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) commands: Vec<Simple>,
    pub(super) simple: Simple,
}

impl List {
    fn end(&mut self) {
        let mut simple = std::mem::take(&mut self.simple);
        simple.words.shrink_to_fit();
        if simple != Simple::default() {
            self.commands.push(simple);
        }
    }

    /// Whether nothing of the command was read.
    fn at_head(&self) -> bool {
        self.simple.words.is_empty() && self.simple.assignments.is_empty()
    }

    fn names_function(&self) -> bool {
        self.simple.assignments.is_empty() && matches!(self.simple.words.as_slice(), [name] if name.literal().is_some())
    }
}
