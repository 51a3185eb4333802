//! Data that programs read while they run and that no program is linked to: nothing else in this crate sees who needs it.
//!
//! In: a package's name. Out: why it stays. Only a rule that names it takes it, and only where nothing that stays depends on it.

/// Names, sorted, and what breaks without them (rules.md 3 and 4, and the ablation there).
const PINNED: &[(&str, &str)] = &[
    ("apk-tools", "it installs what is missing later"),
    ("apt", "it installs what is missing later"),
    ("ca-certificates", "programs read its certificates"),
    ("ca-certificates-bundle", "programs read its certificates"),
    ("ca-certificates-java", "Java reads its certificates"),
    ("crypto-policies", "TLS libraries read their settings from it"),
    ("debian-archive-keyring", "apt checks its sources with it"),
    ("dnf", "it installs what is missing later"),
    ("libgcc", "a thread that is cancelled aborts without libgcc_s.so.1 (bun#31282)"),
    ("libgcc-s1", "a thread that is cancelled aborts without libgcc_s.so.1 (bun#31282)"),
    ("libgcc1", "a thread that is cancelled aborts without libgcc_s.so.1 (bun#31282)"),
    ("libgcc_s1", "a thread that is cancelled aborts without libgcc_s.so.1 (bun#31282)"),
    ("mailcap", "programs look media types up in it"),
    ("media-types", "programs look media types up in it"),
    ("microdnf", "it installs what is missing later"),
    ("mime-support", "programs look media types up in it"),
    ("netbase", "programs look services and protocols up in it (distroless#256)"),
    ("openssl-provider-legacy", "libcrypto loads it when asked"),
    ("ssl_client", "busybox runs it for https"),
    ("tzdata", "programs read its time zones (distroless#124)"),
    ("tzdata-java", "Java reads its time zones"),
    ("tzdata-legacy", "programs read its time zones"),
    ("ubuntu-keyring", "apt checks its sources with it"),
    ("yum", "it installs what is missing later"),
    ("zypper", "it installs what is missing later"),
];

/// Why a package of this name stays; `None` for most.
pub(super) fn pinned(name: &str) -> Option<&'static str> {
    let found = PINNED.binary_search_by_key(&name, |(name, _)| name).ok()?;
    PINNED.get(found).map(|(_, why)| *why)
}

/// Interpreters that stand in one package, most of their library in another that the first one does not depend on. Of Debian's Pythons the
/// first package recommends the second.
const RESTS: &[(&str, &str)] = &[("perl-base", "perl")];

/// The package with the rest of an interpreter.
pub(super) fn rest(name: &str) -> Option<&'static str> {
    RESTS.iter().find(|(part, _)| *part == name).map(|(_, rest)| *rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_each_name_is_found() {
        assert!(PINNED.is_sorted_by(|a, b| a.0 < b.0));
        assert!(PINNED.iter().all(|(name, why)| pinned(name) == Some(why)));
        assert_eq!(pinned("gcc"), None);
    }
}
