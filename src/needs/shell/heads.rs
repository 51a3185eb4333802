//! What the commands of a script run and name. In: a script and what is known of its variables. Out: [`Finding`]s, not looked up.
//!
//! Only heads of commands count as programs, those behind `exec`, `env` and their like among them: a script that prints
//! "run make install" must not hold a compiler.

use super::wrappers::{BUILTIN, SHELLS, is_valued_shell_option, wrapped};
use super::{Piece, Script, Simple, Variables, Word, World};
use std::collections::BTreeSet;

/// How often an `eval` or a `sh -c` may hold another one.
const NESTED: usize = 4;

/// How many texts of `eval`, `sh -c` and `trap` are read of one script.
const TEXTS: usize = 1000;

/// Bytes of what is found in one script.
const FOUND: usize = 16 << 20;

/// What a script needs, as it spells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// A name to look up on PATH.
    Program(Vec<u8>),
    /// An absolute path that it runs.
    Run(Vec<u8>),
    /// An absolute path that it gives a shell to read.
    Script(Vec<u8>),
    /// An absolute path that it reads as a part of itself.
    Source(Vec<u8>),
    /// An absolute path that it names; may hold `*` and `?`.
    Mention(Vec<u8>),
    /// A file that it writes.
    Output(Vec<u8>),
    /// A command whose name it computes, as it is spelled.
    Computed(Vec<u8>),
}

/// Everything that a script runs and names, sorted.
pub(crate) fn findings(script: &Script, variables: &Variables, world: &dyn World) -> Vec<Finding> {
    let mut reader = Reader {
        script,
        variables,
        world,
        found: BTreeSet::new(),
        room: FOUND,
        texts: TEXTS,
        calls: Vec::new(),
        forwards: false,
    };
    reader.list(&script.commands, 0);
    if reader.forwards {
        let calls = std::mem::take(&mut reader.calls);
        calls.into_iter().for_each(|name| reader.program(name));
    }
    reader.found.into_iter().collect()
}

struct Reader<'a> {
    script: &'a Script,
    variables: &'a Variables,
    world: &'a dyn World,
    found: BTreeSet<Finding>,
    /// Bytes that may still be found.
    room: usize,
    /// Texts that may still be read.
    texts: usize,
    /// First arguments of calls of the script's own functions.
    calls: Vec<Vec<u8>>,
    /// Whether some command runs `"$@"` or `"$1"`: then such an argument may be a program.
    forwards: bool,
}

impl Reader<'_> {
    fn list(&mut self, commands: &[Simple], nested: usize) {
        for simple in commands {
            let values = simple.assignments.iter().map(|(_, value)| value);
            for word in values.clone().chain(&simple.words).chain(&simple.inputs).chain(&simple.outputs) {
                self.inside(word, nested);
            }
            // A value such as `-Dconfig=/etc/app.conf` is an argument of what is run with it later.
            values.chain(&simple.inputs).for_each(|word| self.mention(word));
            for value in simple.outputs.iter().flat_map(|word| self.variables.values(word, self.world)) {
                if value.first() == Some(&b'/') {
                    self.find(Finding::Output, value);
                }
            }
            self.command(&simple.words, nested);
        }
    }

    fn find(&mut self, kind: impl Fn(Vec<u8>) -> Finding, bytes: Vec<u8>) {
        let size = bytes.len();
        if self.room >= size && self.found.insert(kind(bytes)) {
            self.room = self.room.saturating_sub(size);
        }
    }

    /// The commands of the substitutions in a word.
    fn inside(&mut self, word: &Word, nested: usize) {
        for piece in &word.0 {
            match piece {
                Piece::Output(commands) => self.list(commands, nested),
                Piece::Unknown(word) => self.inside(word, nested),
                Piece::Variable(variable) => variable.fallback.iter().for_each(|word| self.inside(word, nested)),
                Piece::Bare(_) | Piece::Quoted(_) => {}
            }
        }
    }

    fn command(&mut self, words: &[Word], nested: usize) {
        let Some((head, arguments)) = words.split_first() else { return };
        let values: Vec<Vec<u8>> =
            self.variables.values(head, self.world).into_iter().filter(|value| !value.is_empty()).collect();
        if values.is_empty() {
            return self.unknown(head, arguments, nested);
        }
        for value in values {
            // An unquoted variable may hold a command and its first arguments.
            let mut fields = value.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
            match fields.next() {
                Some(first) if !head.is_quoted() && first.len() < value.len() => {
                    let more = fields.map(|field| Word(vec![Piece::Bare(field.into())]));
                    let words: Vec<Word> = more.chain(arguments.iter().cloned()).collect();
                    self.run(first, &words, nested);
                }
                _ => self.run(&value, arguments, nested),
            }
        }
    }

    fn unknown(&mut self, head: &Word, arguments: &[Word], nested: usize) {
        let is_parameter = |piece: &Piece| match piece {
            Piece::Variable(variable) => matches!(*variable.name, [byte] if !byte.is_ascii_alphabetic()),
            _ => false,
        };
        if head.0.iter().all(is_parameter) {
            self.forwards = true;
            return;
        }
        // `$SUDO make`: where the first word is empty the second one is the head.
        let is_variable = |piece: &Piece| matches!(piece, Piece::Variable(_));
        if head.0.iter().all(is_variable)
            && !head.is_quoted()
            && arguments.first().is_some_and(|word| word.bare().is_some())
        {
            self.command(arguments, nested);
        }
        self.find(Finding::Computed, spelled(head));
    }

    fn run(&mut self, name: &[u8], arguments: &[Word], nested: usize) {
        let base = name.rsplit(|&byte| byte == b'/').next().unwrap_or(name);
        if self.script.functions.contains(name) {
            self.calls.extend(arguments.iter().filter_map(Word::literal).filter(|word| !word.is_empty()).take(2));
            return arguments.iter().for_each(|word| self.mention(word));
        }
        if !BUILTIN.contains(&name) && !matches!(name, b"." | b"source" | b"eval" | b"exec" | b"command" | b"builtin") {
            self.program(name.into());
        }
        match base {
            // What is printed is not used, and what is removed or made need not be there.
            b"echo" | b"printf" | b"rm" | b"rmdir" | b"unlink" | b"mkdir" => return,
            b"." | b"source" => return self.source(arguments),
            b"eval" => {
                return self.eval(arguments, nested);
            }
            b"trap" => {
                let text = arguments.first().and_then(Word::literal).unwrap_or_default();
                return self.text(&text, nested);
            }
            b"which" | b"type" | b"hash" => {
                arguments.iter().filter_map(Word::literal).for_each(|word| self.program(word))
            }
            b"command" if arguments.first().is_some_and(|word| matches!(word.bare(), Some(b"-v" | b"-V"))) => {
                return arguments.iter().skip(1).filter_map(Word::literal).for_each(|word| self.program(word));
            }
            // `set -- redis-server "$@"`: what `exec "$@"` runs then.
            b"set" => {
                let values = after_dashes(arguments).iter().take(4);
                let values = values.flat_map(|word| self.variables.values(word, self.world));
                self.calls.extend(values.filter(|value| !value.is_empty()));
            }
            // `wait-for-it.sh db:5432 -- serve`.
            _ if base.ends_with(b".sh") || base.starts_with(b"wait-for") => {
                self.command(after_dashes(arguments), nested);
            }
            b"su" => self.after(arguments, &[b"-c", b"--command"], nested),
            b"find" => self.after(arguments, &[b"-exec", b"-execdir", b"-ok", b"-okdir"], nested),
            b"start-stop-daemon" => self.after(arguments, &[b"--exec", b"-x", b"--startas", b"-a"], nested),
            b"run-parts" => {}
            _ if SHELLS.contains(&base) => self.shell(arguments, nested),
            _ => {}
        }
        if let Some(command) = wrapped(base, arguments) {
            self.command(command, nested);
        }
        arguments.iter().for_each(|word| self.mention(word));
    }

    /// A name for PATH, or a path: a relative one may start in any directory that the script runs in.
    fn program(&mut self, name: Vec<u8>) {
        if name.contains(&b'/') {
            let from = self.variables.directories.iter();
            let paths: Vec<Vec<u8>> = match name.first() {
                Some(b'/') => vec![name],
                _ => from.map(|directory| [directory.as_slice(), &name].join(&b'/')).collect(),
            };
            paths.into_iter().for_each(|path| self.find(Finding::Run, path));
        } else if !name.is_empty()
            && !BUILTIN.contains(&name.as_slice())
            && !self.script.functions.contains(name.as_slice())
        {
            self.find(Finding::Program, name);
        }
    }

    fn source(&mut self, arguments: &[Word]) {
        let Some(file) = arguments.first() else { return };
        let values = self.variables.values(file, self.world);
        if values.is_empty() {
            self.find(Finding::Computed, [b". ", spelled(file).as_slice()].concat());
        }
        for value in values.into_iter().filter(|value| !value.is_empty()) {
            if value.first() == Some(&b'/') {
                self.find(Finding::Source, value);
                continue;
            }
            if !value.contains(&b'/') {
                self.world.program(&value).into_iter().for_each(|path| self.find(Finding::Source, path));
            }
            for directory in &self.variables.directories {
                self.find(Finding::Source, [directory.as_slice(), &value].join(&b'/'));
            }
        }
    }

    fn shell(&mut self, arguments: &[Word], nested: usize) {
        let mut arguments = arguments.iter();
        while let Some(word) = arguments.next() {
            match word.bare() {
                Some(option) if is_valued_shell_option(option) => {
                    arguments.next();
                }
                Some(option) if option.starts_with(b"-") => {
                    if !option.starts_with(b"--") && option.ends_with(b"c") {
                        let text =
                            arguments.next().map(|word| self.variables.values(word, self.world)).unwrap_or_default();
                        return text.iter().for_each(|text| self.text(text, nested));
                    }
                }
                _ => {
                    let scripts = self.variables.values(word, self.world);
                    let is_path = |script: &Vec<u8>| !script.is_empty();
                    for script in scripts.into_iter().filter(is_path) {
                        if script.first() == Some(&b'/') {
                            self.find(Finding::Script, script);
                            continue;
                        }
                        for directory in &self.variables.directories {
                            self.find(Finding::Script, [directory.as_slice(), &script].join(&b'/'));
                        }
                    }
                    return;
                }
            }
        }
    }

    /// The commands behind each of these options.
    fn after(&mut self, arguments: &[Word], options: &[&[u8]], nested: usize) {
        for (index, word) in arguments.iter().enumerate() {
            if word.bare().is_some_and(|bare| options.contains(&bare)) {
                let rest = arguments.get(index.saturating_add(1)..).unwrap_or_default();
                match rest.first().filter(|word| word.is_quoted()).and_then(Word::literal) {
                    Some(text) if text.contains(&b' ') => self.text(&text, nested),
                    _ => self.command(rest.get(..1).unwrap_or_default(), nested),
                }
            }
        }
    }

    /// The texts that the arguments of `eval` make together: the first values of all, the second ones, and so on.
    fn eval(&mut self, arguments: &[Word], nested: usize) {
        let values: Vec<Vec<Vec<u8>>> = arguments.iter().map(|word| self.variables.values(word, self.world)).collect();
        for turn in 0..values.iter().map(Vec::len).max().unwrap_or_default() {
            let words: Vec<&[u8]> =
                values.iter().filter_map(|values| values.get(turn).or(values.last())).map(Vec::as_slice).collect();
            self.text(&words.join(&b' '), nested);
        }
    }

    /// A text that is read as commands once more.
    fn text(&mut self, text: &[u8], nested: usize) {
        if let Some(fewer) = self.texts.checked_sub(1).filter(|_| nested < NESTED) {
            self.texts = fewer;
            let script = Script::parse(text);
            self.list(&script.commands, nested.saturating_add(1));
        }
    }

    /// The absolute paths in a word.
    fn mention(&mut self, word: &Word) {
        for value in self.variables.values(word, self.world) {
            crate::needs::start::paths_in(&value).for_each(|path| self.find(Finding::Mention, path.into()));
        }
    }
}

/// The words behind a `--`.
fn after_dashes(arguments: &[Word]) -> &[Word] {
    let dashes = arguments.iter().position(|word| word.bare() == Some(b"--"));
    dashes.and_then(|dashes| arguments.get(dashes.saturating_add(1)..)).unwrap_or_default()
}

/// A word about as the text has it.
fn spelled(word: &Word) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in &word.0 {
        match piece {
            Piece::Bare(bytes) | Piece::Quoted(bytes) => text.extend_from_slice(bytes),
            Piece::Variable(variable) => {
                text.push(b'$');
                text.extend_from_slice(&variable.name);
            }
            Piece::Output(_) => text.extend_from_slice(b"$(...)"),
            Piece::Unknown(_) => text.extend_from_slice(b"${...}"),
        }
    }
    text
}
