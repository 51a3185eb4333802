//! A group of alternatives as update-alternatives(1) keeps it in `alternatives/NAME`.
//!
//! In: its text. Out: a value, and its text. Looks nothing up.

use crate::error::Error;

/// A link that leads to one of several programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group<'a> {
    /// Whether the best choice is taken, or the one that the user said.
    pub(super) is_automatic: bool,
    /// The link, such as `/usr/bin/cc`.
    pub(super) link: &'a [u8],
    /// Links that change with it: their names in `/etc/alternatives`, and where they are.
    pub(super) slaves: Vec<(&'a [u8], &'a [u8])>,
    /// What it may lead to.
    pub(super) choices: Vec<Choice<'a>>,
}

/// One program that a link may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// Its path.
    pub(super) path: &'a [u8],
    /// The highest is the best.
    pub(super) priority: i64,
    /// Where each slave leads then; empty where it does not exist then.
    pub(super) slaves: Vec<&'a [u8]>,
    /// Its lines.
    text: &'a [u8],
}

/// The lines that are left of a text.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a [u8], Error> {
        let end = self.0.iter().position(|&byte| byte == b'\n').ok_or_else(broken)?;
        let (line, rest) = self.0.split_at_checked(end).ok_or_else(broken)?;
        self.0 = rest.get(1..).unwrap_or_default();
        Ok(line)
    }

    fn path(&mut self) -> Result<&'a [u8], Error> {
        self.next().and_then(|line| if line.first() == Some(&b'/') { Ok(line) } else { Err(broken()) })
    }
}

impl<'a> Group<'a> {
    /// Reads a group.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, Error> {
        if text.contains(&0) {
            return Err(broken());
        }
        let mut lines = Lines(text);
        let is_automatic = match lines.next()? {
            b"auto" => true,
            b"manual" => false,
            _ => return Err(broken()),
        };
        let link = lines.path()?;
        let mut slaves = Vec::new();
        loop {
            match lines.next()? {
                b"" => break,
                name if name.contains(&b'/') => return Err(broken()),
                name => slaves.push((name, lines.path()?)),
            }
        }
        let mut choices = Vec::new();
        // The blank line at the end may be missing.
        while !lines.0.is_empty() && lines.0 != b"\n" {
            let from = lines.0;
            let path = lines.path()?;
            let priority = std::str::from_utf8(lines.next()?).ok().and_then(|text| text.trim().parse().ok());
            let to = slaves.iter().map(|_| lines.next()).collect::<Result<_, _>>()?;
            let text = from.get(..from.len().saturating_sub(lines.0.len())).unwrap_or_default();
            choices.push(Choice { path, priority: priority.ok_or_else(broken)?, slaves: to, text });
        }
        Ok(Self { is_automatic, link, slaves, choices })
    }

    /// The choice that `auto` takes: the highest priority, of those the first.
    pub(super) fn best<'s>(&'s self, is_there: &dyn Fn(&[u8]) -> bool) -> Option<&'s Choice<'a>> {
        let mut best: Option<&Choice<'a>> = None;
        for choice in self.choices.iter().filter(|choice| is_there(choice.path)) {
            if best.is_none_or(|best| choice.priority > best.priority) {
                best = Some(choice);
            }
        }
        best
    }

    /// The text of the group, as update-alternatives writes it.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = if self.is_automatic { b"auto\n".to_vec() } else { b"manual\n".to_vec() };
        let mut line = |bytes: &[u8]| {
            text.extend_from_slice(bytes);
            text.push(b'\n');
        };
        line(self.link);
        for (name, link) in &self.slaves {
            line(name);
            line(link);
        }
        line(b"");
        self.choices.iter().for_each(|choice| text.extend_from_slice(choice.text));
        text.push(b'\n');
        text
    }
}

fn broken() -> Error {
    Error::malformed("not a group of alternatives")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGER: &[u8] = b"auto\n/usr/bin/pager\npager.1.gz\n/usr/share/man/man1/pager.1.gz\n\n/bin/more\n50\n/usr/share/man/man1/more.1.gz\n/usr/bin/less\n77\n\n\n";

    #[test]
    fn a_group_is_written_as_it_was_read() {
        let group = Group::parse(PAGER).unwrap();
        assert_eq!(group.choices.len(), 2);
        assert_eq!(group.choices[1].slaves, [b""]);
        assert_eq!(group.text(), PAGER);
    }

    #[test]
    fn the_best_choice_is_there_and_has_the_highest_priority() {
        let group = Group::parse(PAGER).unwrap();
        assert_eq!(group.best(&|_| true).unwrap().path, b"/usr/bin/less");
        assert_eq!(group.best(&|path| path == b"/bin/more").unwrap().path, b"/bin/more");
        assert_eq!(group.best(&|_| false), None);
    }

    #[test]
    fn a_group_that_ends_early_is_an_error() {
        for end in 0..PAGER.len() {
            let read = Group::parse(&PAGER[..end]);
            assert!(read.is_err() || read.unwrap().text().starts_with(&PAGER[..end]), "{end}");
        }
        assert!(Group::parse(b"auto\n/x\na/b\n/y\n\n").is_err());
    }
}
