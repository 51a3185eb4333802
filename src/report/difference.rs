//! Two images compared, as data, and as text: one line a change.

use super::config_diff::ConfigChange;
use super::escape::line;
use crate::rootfs::diff::{Aspect, Change, What};
use std::fmt::Write;

/// What differs between two images.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// In their configs, but for the layers and the history.
    pub config: Vec<ConfigChange>,
    /// In their root filesystems.
    pub rootfs: Vec<Change>,
}

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.config.is_empty() && self.rootfs.is_empty()
    }
}

/// One line a change: `+` only in the second, `-` only in the first, `M` in both and not the same, `C` in the
/// config. Empty where nothing differs.
pub fn render(difference: &Difference) -> String {
    let mut text = String::new();
    for ConfigChange { pointer, a, b } in &difference.config {
        let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "none".into(), line);
        let _ = writeln!(text, "C {}  {} -> {}", line(pointer), shown(a), shown(b));
    }
    for Change { path, what } in &difference.rootfs {
        let _ = match what {
            What::Added(kind) => writeln!(text, "+ {path}  {kind}"),
            What::Removed(kind) => writeln!(text, "- {path}  {kind}"),
            What::Changed(aspects) => writeln!(text, "M {path}  {}", show(aspects)),
        };
    }
    text
}

fn show(aspects: &[Aspect]) -> String {
    let show = |Aspect { name, a, b }: &Aspect| format!("{} {} -> {}", line(name), line(a), line(b));
    aspects.iter().map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::RootPath;

    #[test]
    fn each_change_is_one_line_whatever_it_holds() {
        let path = |name: &[u8]| RootPath::clamped(name);
        let aspect = Aspect { name: "mode".into(), a: "0644".into(), b: "0600".into() };
        let difference = Difference {
            config: vec![ConfigChange { pointer: "/config/User\n".into(), a: None, b: Some("\"x\"".into()) }],
            rootfs: vec![
                Change { path: path(b"a\nb"), what: What::Added("file") },
                Change { path: path(b"c"), what: What::Removed("directory") },
                Change { path: path(b"d"), what: What::Changed(vec![aspect]) },
            ],
        };
        assert_eq!(
            render(&difference),
            "C /config/User\\n  none -> \"x\"\n+ /a\\nb  file\n- /c  directory\nM /d  mode 0644 -> 0600\n"
        );
        assert!(!difference.is_empty() && Difference::default().is_empty());
        assert_eq!(render(&Difference::default()), "");
    }
}
