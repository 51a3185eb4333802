//! What packages and needs have to say about names, for the rules to heed; and which packages the rules would take.
//!
//! In: made by the pipeline, which knows both sides. Out: read by `decide.rs`. Nothing here knows a package database.

use super::drops::RuleId;
use crate::rootfs::NodeId;
use globset::GlobSet;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is known of names beside the rules; the default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// By [`NodeId::index`]: whether an installed package owns it. A rule that names packages leaves such a name to
    /// them; empty where there is no package database, and globs take all.
    pub owned: Arc<[bool]>,
    /// Names that go with their package, and the rule that takes that; licence texts among them.
    pub taken: Arc<HashMap<NodeId, RuleId>>,
    /// Names that something needs: no preset takes them.
    pub needed: HashSet<NodeId>,
}

/// A rule that names packages and is applied.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The rule.
    pub rule: RuleId,
    /// The names that it takes.
    pub packages: GlobSet,
    /// The names that it never takes.
    pub never: GlobSet,
}

impl Claims {
    pub(super) fn is_owned(&self, node: NodeId) -> bool {
        self.owned.get(node.index()) == Some(&true)
    }
}
