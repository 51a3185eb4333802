//! The links that `alternatives` keeps beside rpm's database: `/usr/bin/ld -> /etc/alternatives/ld -> /usr/bin/ld.bfd`. rpm runs the scripts that
//! take a choice back when a package is erased; here its record is read.
//!
//! In: `var/lib/alternatives/NAME`: the mode, the link, name and link of each follower, an empty line, then for each choice its path, its
//! priority, and a path for each follower. Out: the record without what went, and links to the best choice that is left, or no links.

use crate::error::Error;
use crate::packages::edit::{Edit, Write};
use crate::packages::file::File;
use crate::packages::package::PackageId;
use crate::packages::shelf::{Gone, Shelf};
use crate::rootfs::{InodeKind, RootPath};

const RECORDS: &[u8] = b"var/lib/alternatives";
const LINKS: &[u8] = b"etc/alternatives";

/// Bytes of a record.
const RECORD: u64 = 1 << 20;

/// The lines of a record.
struct Record<'a> {
    is_automatic: bool,
    /// The link, then those of the followers, each with the name that it has in `etc/alternatives`.
    links: Vec<(&'a [u8], &'a [u8])>,
    choices: Vec<Choice<'a>>,
}

struct Choice<'a> {
    priority: i64,
    /// The line that says the priority, with a family and a service if there are some.
    rank: &'a [u8],
    /// What the link, and each follower, leads to; empty where a follower has no part in it.
    targets: Vec<&'a [u8]>,
}

/// Takes the choices of packages that go out of all records.
pub(super) fn without(gone: &Gone<'_>, edit: &mut Edit) -> Result<(), Error> {
    let shelf = &gone.shelf;
    let records = RootPath::clamped(RECORDS);
    let Some((records, directory)) = shelf.tree.resolve(&records, true, shelf.hops) else { return Ok(()) };
    let mut places = shelf.places();
    for (name, _) in shelf.tree.children(directory) {
        let file = shelf.find(&records.join(name)).filter(|file| file.content.size <= RECORD);
        let Some(file) = file else { continue };
        let text = file.read(shelf.files, RECORD)?;
        // What `alternatives` cannot read either changes nothing.
        let Some(record) = Record::read(name, &text) else { continue };
        let mut went = |choice: &Choice<'_>| {
            let node = places.node(&RootPath::clamped(choice.targets.first()?))?;
            gone.owners.gone(node, gone.dropped)
        };
        let fates: Vec<Option<PackageId>> = record.choices.iter().map(&mut went).collect();
        if let Some(package) = fates.iter().flatten().next() {
            Change { shelf, file: &file, package: *package, edit }.apply(record, &fates);
        }
    }
    Ok(())
}

impl<'a> Record<'a> {
    fn read(name: &'a [u8], text: &'a [u8]) -> Option<Self> {
        let mut lines = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n');
        let is_automatic = match lines.next()? {
            b"auto" => true,
            b"manual" => false,
            _ => return None,
        };
        let mut links = vec![(name, lines.next()?)];
        loop {
            match lines.next()? {
                b"" => break,
                follower => links.push((follower, lines.next()?)),
            }
        }
        let mut choices = Vec::new();
        while let Some(target) = lines.next().filter(|target| !target.is_empty()) {
            let rank = lines.next()?;
            let number = rank.rsplit(|&byte| byte == b'@').next()?.split(|&byte| byte == b' ').next()?;
            let mut targets = vec![target];
            for _ in links.iter().skip(1) {
                targets.push(lines.next()?);
            }
            choices.push(Choice { priority: std::str::from_utf8(number).ok()?.parse().ok()?, rank, targets });
        }
        let is_whole = lines.all(<[u8]>::is_empty) && links.iter().all(|(name, _)| !name.contains(&b'/'));
        is_whole.then_some(Self { is_automatic, links, choices })
    }

    fn write(&self) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = vec![if self.is_automatic { b"auto" } else { b"manual" }];
        for (index, (name, link)) in self.links.iter().enumerate() {
            lines.extend((index > 0).then_some(*name));
            lines.push(link);
        }
        lines.push(b"");
        for choice in &self.choices {
            let (target, followers) = choice.targets.split_first().unwrap_or((&choice.rank, &[]));
            lines.extend([*target, choice.rank]);
            lines.extend(followers);
        }
        [lines.join(&b'\n'), b"\n".to_vec()].concat()
    }
}

/// Changes one record, and the links that follow from it.
struct Change<'a> {
    shelf: &'a Shelf<'a>,
    file: &'a File,
    package: PackageId,
    edit: &'a mut Edit,
}

impl Change<'_> {
    fn apply(&mut self, mut record: Record<'_>, fates: &[Option<PackageId>]) {
        let before = std::mem::take(&mut record.choices);
        let current = record.links.first().and_then(|(name, _)| self.target(&RootPath::clamped(LINKS).join(name)));
        let is_current = |choice: &Choice<'_>| choice.targets.first().copied() == current;
        let loses = before.iter().zip(fates).any(|(choice, fate)| fate.is_some() && is_current(choice));
        record.choices =
            before.into_iter().zip(fates).filter(|(_, fate)| fate.is_none()).map(|(choice, _)| choice).collect();
        if record.choices.is_empty() {
            self.edit.remove.push((self.file.path.clone(), self.package));
            for (name, link) in &record.links {
                self.unlink(name, link);
            }
            return;
        }
        record.is_automatic |= loses;
        self.edit.write.push(self.file.with(record.write()));
        // Of equal ones the first, as `alternatives` does.
        let best = record.choices.iter().rev().max_by_key(|choice| choice.priority);
        for (index, (name, link)) in record.links.iter().enumerate().filter(|_| loses) {
            match best.and_then(|best| best.targets.get(index)).filter(|target| !target.is_empty()) {
                None => self.unlink(name, link),
                Some(target) => {
                    let kind = InodeKind::Symlink((*target).into());
                    self.edit.write.push(Write { path: self.place(name), kind, mode: 0o777 });
                }
            }
        }
    }

    /// Takes the link in `etc/alternatives` away, and the one that leads to it.
    fn unlink(&mut self, name: &[u8], link: &[u8]) {
        let inner = RootPath::clamped(LINKS).join(name);
        if self.target(&inner).is_some() {
            self.edit.remove.push((self.place(name), self.package));
        }
        let outer = RootPath::clamped(link);
        if self.target(&outer).is_some_and(|target| RootPath::clamped(target) == inner)
            && let Some((path, _)) = self.shelf.tree.resolve(&outer, false, self.shelf.hops)
        {
            self.edit.remove.push((path, self.package));
        }
    }

    /// Where the link of a name in `etc/alternatives` is, symlinks on the way followed.
    fn place(&self, name: &[u8]) -> RootPath {
        let path = RootPath::clamped(LINKS).join(name);
        self.shelf.tree.resolve(&path, false, self.shelf.hops).map_or(path, |(path, _)| path)
    }

    /// What a link says.
    fn target(&self, path: &RootPath) -> Option<&[u8]> {
        let (_, node) = self.shelf.tree.resolve(path, false, self.shelf.hops)?;
        match &self.shelf.tree.inode_of(node).kind {
            InodeKind::Symlink(target) => Some(target),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Package;
    use crate::packages::files_testing::{tree, written};
    use crate::packages::testing::going;

    const LINES: &str = "bin -> usr/bin\nusr/bin/ld -> /etc/alternatives/ld\netc/alternatives/ld -> /usr/bin/ld.bfd\n\
                         usr/share/man/ld.1 -> /etc/alternatives/ld-man\netc/alternatives/ld-man -> /usr/share/man/ld.bfd.1\n\
                         usr/bin/ld.bfd = x\nusr/bin/ld.gold = x\nusr/share/man/ld.bfd.1 = x\n";

    const RECORD: &str = "manual\n/usr/bin/ld\nld-man\n/usr/share/man/ld.1\n\n/bin/ld.bfd\n50\n/usr/share/man/ld.bfd.1\n\
                          /usr/bin/ld.gold\n@gold@30 service\n\n";

    fn package(name: &str, path: &str) -> Package {
        Package { name: name.into(), paths: vec![RootPath::clamped(path.as_bytes())], ..Package::default() }
    }

    fn edit(record: &str, goes: &[u32]) -> Edit {
        let all = [package("binutils", "usr/bin/ld.bfd"), package("binutils-gold", "usr/bin/ld.gold")];
        let tree = tree(LINES, &[("var/lib/alternatives/ld", record.as_bytes())]);
        let mut edit = Edit::default();
        let dropped = goes.iter().copied().map(PackageId).collect();
        going(&tree, &all, &dropped, |gone| without(gone, &mut edit)).unwrap();
        edit
    }

    fn removed(edit: &Edit) -> Vec<String> {
        edit.remove.iter().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn the_last_choice_takes_all_links_with_it() {
        let edit = edit(RECORD, &[0, 1]);
        let links = ["/etc/alternatives/ld", "/usr/bin/ld", "/etc/alternatives/ld-man", "/usr/share/man/ld.1"];
        assert_eq!(removed(&edit), [&["/var/lib/alternatives/ld"][..], &links].concat());
        assert!(edit.write.is_empty());
    }

    #[test]
    fn the_best_choice_that_is_left_takes_over() {
        let record = RECORD.replace("/bin/ld.bfd", "/usr/bin/ld.bfd");
        let edit = edit(&record, &[0]);
        let left = "auto\n/usr/bin/ld\nld-man\n/usr/share/man/ld.1\n\n/usr/bin/ld.gold\n@gold@30 service\n\n";
        assert_eq!(String::from_utf8(written(&edit, "var/lib/alternatives/ld").unwrap()).unwrap(), left);
        assert_eq!(edit.write[1].kind, InodeKind::Symlink(b"/usr/bin/ld.gold"[..].into()));
        assert_eq!(removed(&edit), ["/etc/alternatives/ld-man", "/usr/share/man/ld.1"]);
    }

    #[test]
    fn a_choice_that_was_not_taken_leaves_the_links_alone() {
        let edit = edit(RECORD, &[1]);
        let left = RECORD.split_inclusive('\n').take(8).collect::<String>();
        assert_eq!(String::from_utf8(written(&edit, "var/lib/alternatives/ld").unwrap()).unwrap(), left);
        assert_eq!((edit.write.len(), edit.remove.len()), (1, 0));
    }

    #[test]
    fn what_is_no_record_changes_nothing() {
        for text in ["", "auto\n", "off\n/usr/bin/ld\n\n/usr/bin/ld.bfd\n1\n", "auto\n/x\n\n/usr/bin/ld.bfd\nx\n"] {
            assert_eq!(edit(text, &[0, 1]), Edit::default(), "{text}");
        }
    }
}
