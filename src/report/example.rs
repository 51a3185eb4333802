//! One report that every renderer's tests show.

use super::data::*;
use super::packages::{PackageDrop, PackageRefusal, PackagesReport};
use super::secrets::SecretFinding;
use crate::rootfs::Tally;

fn tally(entries: u64, bytes: u64) -> Tally {
    Tally { entries, bytes }
}

pub(super) fn report() -> Report {
    let rule = |preset: &str, rule: &str, reason: &str, dropped| RuleDrops {
        preset: preset.into(),
        rule: rule.into(),
        reason: reason.into(),
        dropped,
    };
    let secret =
        |kind: &str, what: &str, (place, line): (&str, u64), name: Option<&str>, (layer, state): (u64, &str)| {
            SecretFinding {
                kind: kind.into(),
                what: what.into(),
                place: place.into(),
                line: Some(line),
                name: name.map(Into::into),
                layer: Some(layer),
                state: state.into(),
            }
        };
    let dropped_by = vec![
        rule("caches", "/var/cache/**", "a cache", tally(34, 370_000_000)),
        rule("docs", "/usr/share/doc/**", "no program reads it", tally(4_000, 30_000_000)),
    ];
    let image = ImageReport {
        name: "app:1.0".into(),
        platform: "linux/amd64".into(),
        layers_before: 5,
        layers_after: 1,
        before: Sizes { uncompressed: 867_000_000, compressed: Some(300_000_000) },
        after: Sizes { uncompressed: 353_000_000, compressed: Some(120_000_000) },
        accounting: Accounting {
            input: tally(41_234, 860_000_000),
            kept: tally(35_999, 350_000_000),
            replaced: tally(200, 10_000_000),
            whited_out: tally(1_000, 100_000_000),
            dropped: tally(4_035, 400_000_000),
            metadata: tally(1, 0),
            added: tally(2, 3_000),
        },
        dropped_by_preset: by_preset(&dropped_by),
        dropped_by,
        kept_for: vec![Refusal {
            rule: "/usr/share/doc/**".into(),
            path: "/usr/share/doc/x\\n<b>|`@me".into(),
            why: "the entrypoint names it".into(),
        }],
        packages: Some(PackagesReport {
            manager: "dpkg".into(),
            installed: 194,
            dropped: vec![PackageDrop {
                package: "cpp-12 12.2.0-14".into(),
                rule: "build-tools/gcc".into(),
                because: Some("gcc-12 12.2.0-14".into()),
            }],
            refused: vec![PackageRefusal {
                package: "git|<i> 1:2.39".into(),
                rule: "build-tools/git".into(),
                why: "the image runs /usr/bin/git".into(),
            }],
        }),
        needed: Some(Needed { languages: vec!["python 3.11".into()] }),
        stripped: Some(Stripped {
            files: 3,
            bytes: 40_000,
            left: vec![Left { why: "an appended payload".into(), files: 1 }],
        }),
        secrets: vec![
            secret("variable", "variable named as a secret", ("/app/.env", 3), Some("DB_PASSWORD"), (4, "present")),
            secret("npm-token", "npm token", ("/root/.npmrc", 1), None, (2, "removed")),
        ],
        layer: Some(LayerReport {
            diff_id: "sha256:dd".into(),
            digest: "sha256:bb".into(),
            size: 120_000_000,
            tar_size: 353_000_000,
            compression: "gzip".into(),
            reused: vec![
                ReusedLayer { layer: 1, copied: 300_000_000, encoded: 4_000_000 },
                ReusedLayer { layer: 3, copied: 0, encoded: 40_000_000 },
            ],
        }),
        config_digest: Some("sha256:0123456789abcdef0123456789abcdef".into()),
        manifest_digest: Some("sha256:ee".into()),
    };
    assert!(image.accounting.balances());
    Report {
        version: "0.1.0",
        input: Artifact { name: "in.tar".into(), bytes: 868_000_000 },
        output: Some(Artifact { name: "out.tar".into(), bytes: 120_100_000 }),
        load: Some("docker load -i out.tar".into()),
        images: vec![image],
        verified: Some(Verified { images: 1, layers: 1, entries: 36_001, files: 30_000, bytes: 350_003_000 }),
        warnings: vec![Warning {
            code: "duplicate".into(),
            text: "paths that stand twice in one layer: the last one holds".into(),
            count: 4,
            examples: vec!["/a".into(), "/b".into(), "/c".into()],
        }],
        notes: vec!["the signature was left out".into()],
        milliseconds: 2_100,
        timings: vec![
            Timing { phase: "read".into(), milliseconds: 1_500 },
            Timing { phase: "write".into(), milliseconds: 600 },
        ],
        peak_memory: Some(64_000_000),
        temp_bytes: 0,
    }
}
