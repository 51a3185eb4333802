//! Words of shell text: quotes, variables, substitutions. In: a parser at the first byte of a word. Out: the word, the parser behind it.
//!
//! Every function moves on by at least one byte or ends, and goes at most [`DEPTH`] deep, whatever the text is.

use super::parse::{Closer, Parser};
use super::{Part, Piece, Variable, Word, is_name_byte};

/// How deep `$(`, `${` and backquotes may nest; what is deeper is text. Bash's own configure scripts stop at 6.
const DEPTH: usize = 24;

/// Parameters of the shell whose name is one sign.
const SIGNS: &[u8] = b"@*#?-$!";

/// Where a word ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// At an operator or a space.
    Operator,
    /// At the closing brace of a `${`.
    Brace,
    /// Likewise, inside of double quotes, where a single quote is text.
    QuotedBrace,
    /// At the closing double quote.
    Quote,
    /// At the end of the text, as in a here-document.
    End,
}

impl Parser<'_> {
    /// A word; empty where none begins here.
    pub(super) fn word(&mut self) -> Word {
        self.pieces(Until::Operator)
    }

    /// The text of a here-document, in which variables and commands are expanded.
    pub(super) fn document(&mut self) -> Word {
        self.pieces(Until::End)
    }

    fn pieces(&mut self, until: Until) -> Word {
        let quoted = matches!(until, Until::Quote | Until::End | Until::QuotedBrace);
        let mut word = Word::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if until == Until::Quote => break,
                b'}' if matches!(until, Until::Brace | Until::QuotedBrace) => break,
                b'\\' => {
                    self.bump();
                    match self.peek() {
                        Some(b'\n') => self.bump(),
                        Some(escaped) => {
                            self.bump();
                            if quoted && !b"$`\"\\".contains(&escaped) {
                                word.push(b'\\', true);
                            }
                            word.push(escaped, true);
                        }
                        None => word.push(b'\\', quoted),
                    }
                }
                b'\'' if !quoted => {
                    self.bump();
                    word.0.push(Piece::Quoted(self.take_until(b'\'')));
                }
                b'"' if !matches!(until, Until::End) => {
                    self.bump();
                    let inner = self.pieces(Until::Quote);
                    self.bump();
                    if inner.0.is_empty() {
                        word.0.push(Piece::Quoted(Vec::new()));
                    }
                    word.0.extend(inner.0);
                }
                b'$' => self.dollar(&mut word, quoted),
                b'`' => self.backquote(&mut word, quoted),
                b'<' | b'>' if until == Until::Operator && word.0.is_empty() && self.peek_at(1) == Some(b'(') => {
                    self.bump();
                    self.substitution(&mut word, quoted);
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' if until == Until::Operator => {
                    break;
                }
                _ => {
                    self.bump();
                    word.push(byte, quoted);
                }
            }
        }
        word.0.shrink_to_fit();
        word
    }

    fn dollar(&mut self, word: &mut Word, quoted: bool) {
        self.bump();
        match self.peek() {
            Some(b'(') if self.depth < DEPTH => {
                if self.peek_at(1) == Some(b'(') {
                    self.arithmetic();
                    word.0.push(Piece::Unknown(Word::default()));
                } else {
                    self.substitution(word, quoted);
                }
            }
            Some(b'{') if self.depth < DEPTH => {
                self.bump();
                self.depth = self.depth.saturating_add(1);
                let piece = self.brace(if quoted { Until::QuotedBrace } else { Until::Brace });
                self.depth = self.depth.saturating_sub(1);
                self.bump();
                word.0.push(piece);
            }
            Some(b'\'') if !quoted => {
                self.bump();
                word.0.push(Piece::Quoted(self.escaped()));
            }
            // The dollar of `$"text"` says nothing.
            Some(b'"') if !quoted => {}
            Some(byte) if byte.is_ascii_digit() || SIGNS.contains(&byte) => {
                self.bump();
                word.0.push(Piece::Variable(Variable { name: [byte].into(), ..Variable::default() }));
            }
            Some(byte) if is_name_byte(byte) => {
                let name = self.take_while(is_name_byte);
                word.0.push(Piece::Variable(Variable { name: name.into(), ..Variable::default() }));
            }
            _ => word.push(b'$', quoted),
        }
    }

    /// Behind the `$'`, up to the quote that closes it; of an escape, the character itself.
    fn escaped(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b'\'' => break,
                b'\\' => {
                    bytes.extend(self.peek());
                    self.bump();
                }
                _ => bytes.push(byte),
            }
        }
        bytes
    }

    /// Behind the `${`, up to its closing brace.
    fn brace(&mut self, until: Until) -> Piece {
        let first = self.peek();
        if matches!(first, Some(b'#' | b'!')) && self.peek_at(1).is_some_and(is_name_byte) {
            self.bump();
            self.take_while(is_name_byte);
            return Piece::Unknown(self.pieces(until));
        }
        let name = match first {
            Some(byte) if SIGNS.contains(&byte) => {
                self.bump();
                vec![byte]
            }
            _ => self.take_while(is_name_byte),
        };
        if self.peek() == Some(b'[') {
            self.take_until(b']');
        }
        let mut variable = Variable { name: name.into(), ..Variable::default() };
        if self.peek() == Some(b':') && self.peek_at(1).is_some_and(|byte| b"-=+?".contains(&byte)) {
            self.bump();
        }
        match self.peek() {
            Some(b'}') | None => return Piece::Variable(variable),
            Some(b'-' | b'=') => {
                self.bump();
                variable.fallback = Some(self.pieces(until));
                return Piece::Variable(variable);
            }
            _ => {}
        }
        let operation = self.pieces(until);
        match operation.literal().as_deref() {
            Some(b"%/*") => variable.part = Part::Directory,
            Some(b"##*/") => variable.part = Part::Name,
            // A slash more or less at the end is the same path.
            Some(b"%/") => {}
            Some(text) if text.first() == Some(&b'?') => {}
            _ => return Piece::Unknown(operation),
        }
        Piece::Variable(variable)
    }

    /// At the `(` of a `$(`, `<(` or `>(`.
    fn substitution(&mut self, word: &mut Word, quoted: bool) {
        self.bump();
        if self.depth >= DEPTH {
            return word.push(b'(', quoted);
        }
        self.depth = self.depth.saturating_add(1);
        let commands = self.commands(Closer::Parenthesis);
        self.depth = self.depth.saturating_sub(1);
        word.0.push(Piece::Output(commands));
    }

    /// At the first of two opening parentheses; behind the last of the two that close them.
    pub(super) fn arithmetic(&mut self) {
        let mut open = 0usize;
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b'(' => open = open.saturating_add(1),
                b')' => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }

    /// At the first backquote; behind the second one. What stands between has lost one level of backslashes.
    fn backquote(&mut self, word: &mut Word, quoted: bool) {
        self.bump();
        let mut inner = Vec::new();
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b'`' => break,
                b'\\' => match self.peek() {
                    Some(escaped) if b"$`\\".contains(&escaped) || (quoted && escaped == b'"') => {
                        self.bump();
                        inner.push(escaped);
                    }
                    _ => inner.push(b'\\'),
                },
                _ => inner.push(byte),
            }
        }
        if self.depth >= DEPTH {
            word.0.push(Piece::Unknown(Word::default()));
            return;
        }
        let mut parser = Parser::new(&inner, self.depth.saturating_add(1));
        word.0.push(Piece::Output(parser.commands(Closer::End)));
        self.functions.append(&mut parser.functions);
    }
}

impl Word {
    fn push(&mut self, byte: u8, quoted: bool) {
        match self.0.last_mut() {
            Some(Piece::Bare(bytes)) if !quoted => bytes.push(byte),
            Some(Piece::Quoted(bytes)) if quoted => bytes.push(byte),
            _ if quoted => self.0.push(Piece::Quoted(vec![byte])),
            _ => self.0.push(Piece::Bare(vec![byte])),
        }
    }
}
