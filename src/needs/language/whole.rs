//! Languages whose run-time trees stay as they are, as a table. In: the name of a member. Out: members.

use super::super::except::NOTHING;
use super::super::growth::{Cause, Growth};
use super::super::hierarchy::fits;
use super::super::need::NeedKind;
use crate::error::Error;
use crate::rootfs::RootPath;

/// A language, the names of its programs and libraries, and its trees.
struct Whole {
    name: &'static str,
    files: &'static [&'static str],
    trees: &'static [&'static str],
}

/// Where Debian, Alpine, Fedora and the official images keep them. Not measured but for Perl: rules.md section 4.
const LANGUAGES: &[Whole] = &[
    Whole {
        name: "ruby",
        files: &["ruby", "ruby2*", "ruby3*", "libruby*.so*"],
        trees: &[
            "/usr/lib/ruby",
            "/usr/lib64/ruby",
            "/usr/lib/*-linux-*/ruby",
            "/usr/local/lib/ruby",
            "/usr/local/bundle",
            "/usr/share/ruby",
            "/usr/share/gems",
            "/usr/share/rubygems*",
            "/usr/share/ruby-*",
            "/usr/lib*/gems",
            "/var/lib/gems",
            "/usr/local/etc/gemrc",
            "/bin/sh",
        ],
    },
    Whole {
        name: "perl",
        files: &["perl", "perl5*", "libperl.so*"],
        trees: &[
            "/etc/perl",
            "/usr/lib/*-linux-*/perl*",
            "/usr/lib/perl5",
            "/usr/lib64/perl5",
            "/usr/share/perl",
            "/usr/share/perl5",
            "/usr/local/lib/perl5",
            "/usr/local/lib/*-linux-*/perl",
            "/usr/local/share/perl*",
            "/usr/local/lib64/perl5",
            "/bin/sh",
        ],
    },
    Whole {
        name: "php",
        files: &["php", "php7*", "php8*", "php-fpm*", "php-cgi*", "libphp*.so*"],
        trees: &[
            "/etc/php*",
            "/usr/lib/php*",
            "/usr/lib64/php*",
            "/usr/share/php*",
            "/usr/local/lib/php*",
            "/usr/local/etc/php*",
            "/usr/local/etc/pear.conf",
            "/usr/local/php",
            "/var/lib/php",
            "/run/php",
            "/bin/sh",
        ],
    },
    Whole {
        name: "r",
        files: &["Rscript", "R", "libR.so"],
        trees: &["/usr/lib/R", "/usr/lib64/R", "/usr/local/lib/R", "/usr/share/R", "/etc/R", "/bin/sh"],
    },
    Whole {
        name: "dotnet",
        files: &["dotnet"],
        trees: &[
            "/usr/share/dotnet/shared",
            "/usr/share/dotnet/host",
            "/usr/lib/dotnet/shared",
            "/usr/lib/dotnet/host",
        ],
    },
    Whole {
        name: "lua",
        files: &["lua", "lua5*", "luajit*", "liblua*.so*"],
        trees: &[
            "/usr/share/lua",
            "/usr/local/share/lua",
            "/usr/lib/*-linux-*/lua",
            "/usr/lib/lua",
            "/usr/local/lib/lua",
            "/usr/share/luajit*",
        ],
    },
    Whole {
        name: "tcl",
        files: &["tclsh*", "wish*", "libtcl8*.so*"],
        trees: &["/usr/share/tcltk", "/usr/lib/tcltk", "/usr/lib/tcl8*", "/usr/lib/*-linux-*/tcl8*"],
    },
    Whole {
        name: "erlang",
        files: &["erl", "beam.smp", "erlexec"],
        trees: &["/usr/lib/erlang", "/usr/local/lib/erlang", "/usr/lib/elixir", "/bin/sh"],
    },
    Whole {
        name: "guile",
        files: &["guile*", "libguile*.so*"],
        trees: &["/usr/share/guile", "/usr/lib/*-linux-*/guile", "/usr/lib/guile"],
    },
];

/// Whether a program of this name is in the table.
pub(super) fn is_interpreter(name: &[u8]) -> bool {
    LANGUAGES.iter().any(|language| is_of(language, name))
}

fn is_of(language: &Whole, name: &[u8]) -> bool {
    language.files.iter().any(|file| fits(name, file.as_bytes()))
}

impl Growth<'_> {
    pub(super) fn whole_languages(&mut self, index: usize, name: &[u8]) -> Result<(), Error> {
        for language in LANGUAGES.iter().filter(|language| is_of(language, name)) {
            if !self.is_first(language.name, &RootPath::root()) {
                continue;
            }
            let cause = Cause::rule(Some(index), NeedKind::Language, language.name);
            for pattern in language.trees {
                for tree in self.expand(pattern.as_bytes()) {
                    self.keep_tree(&tree, &NOTHING, &cause);
                }
            }
            if let Some(member) = self.members.get(index).map(|member| member.path.clone()) {
                self.recognised(language.name, &[], &member);
            }
        }
        Ok(())
    }
}
