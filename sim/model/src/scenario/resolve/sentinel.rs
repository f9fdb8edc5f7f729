//! Sentinel: which primary it watches, and its configuration.

use super::names::Names;
use super::{Problem, Result, check};
use crate::scenario::format::{Sentinel, SentinelVersion};
use crate::scenario::plan::{NodePlan, SentinelPlan};
use crate::sentinel::{Release, SentinelConfig};
use crate::valkey::NodeId;

/// Sentinel.
pub fn sentinel(written: &Sentinel, nodes: &[NodePlan], names: &Names<'_>) -> Result<SentinelPlan> {
    let primary = match &written.primary {
        Some(name) => watched(name, nodes, names)?,
        None => first_primary(nodes),
    };
    let usual = SentinelConfig::default();
    let config = SentinelConfig {
        release: match written.version {
            Some(SentinelVersion::Before9) => Release::Before9,
            Some(SentinelVersion::Since9) | None => Release::Since9,
        },
        down_after: written.down_after.unwrap_or(usual.down_after),
        failover_timeout: written.failover_timeout.unwrap_or(usual.failover_timeout),
        parallel_syncs: written.parallel_syncs.unwrap_or(usual.parallel_syncs),
    };
    check::positive("sentinel.down_after", config.down_after)?;
    check::positive("sentinel.failover_timeout", config.failover_timeout)?;
    let syncs = config.parallel_syncs.into();
    check::between("sentinel.parallel_syncs", syncs, 1, 1_000)?;
    Ok(SentinelPlan {
        config,
        primary,
        replicas: (0..nodes.len() as u16)
            .map(NodeId)
            .filter(|node| *node != primary && root(*node, nodes) == primary)
            .collect(),
    })
}

fn watched(name: &str, nodes: &[NodePlan], names: &Names<'_>) -> Result<NodeId> {
    let path = "sentinel.primary";
    let node = names.node(path, name)?;
    let Some(above) = nodes[usize::from(node.0)].replica_of else {
        return Ok(node);
    };
    let above = &nodes[usize::from(above.0)].name;
    Err(Problem::new(
        path,
        format!("\"{name}\" is a replica of \"{above}\" at the start: expected a primary"),
    ))
}

fn first_primary(nodes: &[NodePlan]) -> NodeId {
    let index = nodes.iter().position(|node| node.replica_of.is_none());
    NodeId(
        index
            .and_then(|index| u16::try_from(index).ok())
            .unwrap_or(0),
    )
}

fn root(node: NodeId, nodes: &[NodePlan]) -> NodeId {
    let mut root = node;
    while let Some(primary) = nodes[usize::from(root.0)].replica_of {
        root = primary;
    }
    root
}
