//! Redirections of shell text, and the here-documents that they announce. In: a parser at an operator, or at the beginning of a line. Out: the
//! words that name files, and the texts.

use super::Simple;
use super::parse::{List, Parser};

/// A here-document whose text comes at the next line.
#[derive(Debug)]
pub(super) struct Document {
    delimiter: Vec<u8>,
    /// No expansion inside.
    quoted: bool,
    /// `<<-`.
    tabs: bool,
}

impl Parser<'_> {
    /// At a `<` or `>`: what is read or written, or the announcement of a here-document.
    pub(super) fn redirection(&mut self, list: &mut List) {
        let operator = self.take_while(|byte| b"<>&|".contains(&byte));
        if operator == b"<<" {
            let tabs = self.peek() == Some(b'-');
            if tabs {
                self.bump();
            }
            self.blanks();
            let word = self.word();
            let delimiter = word.literal().unwrap_or_default();
            if !delimiter.is_empty() {
                self.awaited.push(Document { quoted: word.is_quoted(), delimiter, tabs });
            }
            return;
        }
        self.blanks();
        let target = self.word();
        if target.0.is_empty() {
            return;
        }
        if operator.first() == Some(&b'<') {
            list.simple.inputs.push(target);
        } else if operator.last() != Some(&b'&') {
            list.simple.outputs.push(target);
        }
    }

    /// At the beginning of a line: the here-documents that were announced on the line before.
    pub(super) fn documents(&mut self, list: &mut List) {
        for document in std::mem::take(&mut self.awaited) {
            let start = self.at;
            let mut end = start;
            while self.at < self.text.len() {
                end = self.at;
                let line = self.take_while(|byte| byte != b'\n');
                self.bump();
                let tabs = if document.tabs { line.iter().take_while(|&&byte| byte == b'\t').count() } else { 0 };
                if line.get(tabs..) == Some(&document.delimiter) {
                    break;
                }
                end = self.at;
            }
            if !document.quoted {
                let text = self.text.get(start..end).unwrap_or_default();
                let mut parser = Parser::new(text, self.depth);
                let text = parser.document();
                self.functions.append(&mut parser.functions);
                list.commands.push(Simple { inputs: vec![text], ..Simple::default() });
            }
        }
    }
}
