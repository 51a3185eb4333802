//! TEMPORARY
use super::{Needs, Need, NeedKind};
use super::start::*;
use crate::error::Error;
use crate::rootfs::{Files, NodeId, RootPath};
use std::collections::HashMap;
/// x
#[derive(Debug, Default)]
pub struct Closure { reached: HashMap<NodeId, RootPath> }
impl Closure {
    /// x
    pub fn contains(&self, node: NodeId) -> bool { self.reached.contains_key(&node) }
    /// x
    pub fn files(&self) -> impl Iterator<Item = (&RootPath, NodeId)> { self.reached.iter().map(|(n, p)| (p, *n)) }
    /// x
    pub fn chain(&self, _node: NodeId) -> Vec<Step> { Vec::new() }
    /// x
    pub fn languages(&self) -> &[Runtime] { &[] }
    /// x
    pub fn notes(&self) -> &[String] { &[] }
}
/// x
pub fn closure(needs: &Needs<'_>, _files: &dyn Files, start: &Start, asked: &Asked, _reach: Reach, hops: u64) -> Result<Closure, Error> {
    let mut c = Closure::default();
    let mut q: Vec<(RootPath, NodeId)> = Vec::new();
    for w in start.entrypoint.iter().chain(&start.cmd).chain(&asked.programs) {
        q.extend(needs.program(w, &|_| true).places().cloned());
        q.extend(needs.tree().follow(&RootPath::clamped(w), true, hops, |_| true).places().cloned());
    }
    while let Some((p, n)) = q.pop() {
        if needs.tree().is_directory(n) || c.reached.insert(n, p.clone()).is_some() { continue }
        for Need { way, .. } in needs.of(&p, n, &|_| true) { q.extend(way.places().cloned()); }
    }
    let _ = NeedKind::Command;
    Ok(c)
}
