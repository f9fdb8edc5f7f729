//! The servers: who replicates whom, and with what configuration.

use super::{Problem, Result, check, names};
use crate::scenario::either::{BehaviourName, ConfigOverrides};
use crate::scenario::format::{Node, Scenario};
use crate::scenario::nearest::no_such;
use crate::scenario::plan::NodePlan;
use crate::valkey::{AddressBook, Behaviour, ClientGuard, Config, NodeId};

/// Nodes of a scenario at most.
const MOST_NODES: usize = 16;

/// The nodes and their addresses.
pub fn nodes(scenario: &Scenario) -> Result<(Vec<NodePlan>, AddressBook)> {
    let written = &scenario.nodes;
    if written.is_empty() || written.len() > MOST_NODES {
        return Err(Problem::new(
            "nodes",
            format!("{} nodes: expected 1 to {MOST_NODES}", written.len()),
        ));
    }
    let shared = config("config", &Config::default(), scenario.config.as_ref())?;
    let mut nodes = Vec::with_capacity(written.len());
    for (index, node) in written.iter().enumerate() {
        let path = format!("nodes[{index}]");
        let port = u64::from(node.port.unwrap_or(6379));
        check::between(format!("{path}.port"), port, 1, 65_535)?;
        nodes.push(NodePlan {
            name: node.name.clone(),
            replica_of: primary_of(&path, node, written)?,
            behaviour: match &node.behaviour {
                Some(name) => Some(of_a_node(format!("{path}.behaviour"), name)?),
                None => None,
            },
            config: config(&format!("{path}.config"), &shared, node.config.as_ref())?,
        });
    }
    no_cycles(&nodes)?;
    let mut primaries = (nodes.iter().enumerate()).filter(|(_, node)| node.replica_of.is_none());
    if let (Some((_, first)), Some((index, second)), false) = (
        primaries.next(),
        primaries.next(),
        scenario.allow_several_primaries || scenario.cluster.is_some(),
    ) {
        return Err(Problem::new(
            format!("nodes[{index}]"),
            format!(
                "\"{}\" and \"{}\" are both primaries at the start: expected \"replica_of\", or \"allow_several_primaries\": true",
                first.name, second.name
            ),
        ));
    }
    let addresses = AddressBook::new(
        (written.iter()).map(|node| (node.name.clone(), node.port.unwrap_or(6379))),
    );
    Ok((nodes, addresses))
}

fn primary_of(path: &str, node: &Node, all: &[Node]) -> Result<Option<NodeId>> {
    let Some(wanted) = &node.replica_of else {
        return Ok(None);
    };
    let path = format!("{path}.replica_of");
    let index = all.iter().position(|other| other.name == *wanted);
    match index.and_then(|index| u16::try_from(index).ok()) {
        Some(index) => Ok(Some(NodeId(index))),
        None => {
            let names: Vec<&str> = all.iter().map(|node| node.name.as_str()).collect();
            Err(Problem::new(path, no_such("node", "nodes", wanted, &names)))
        }
    }
}

/// Every replica has, by way of others perhaps, a primary.
fn no_cycles(nodes: &[NodePlan]) -> Result<()> {
    for (index, node) in nodes.iter().enumerate() {
        let mut chain = vec![node.name.as_str()];
        let mut next = node.replica_of;
        while let Some(primary) = next {
            let Some(above) = nodes.get(usize::from(primary.0)) else {
                break;
            };
            chain.push(&above.name);
            if chain.len() > nodes.len() + 1 || above.name == node.name {
                return Err(Problem::new(
                    format!("nodes[{index}].replica_of"),
                    format!(
                        "replicas in a cycle: {} (expected a primary at the end)",
                        chain.join(" -> ")
                    ),
                ));
            }
            next = above.replica_of;
        }
    }
    Ok(())
}

/// A configuration, from what it departs from.
fn config(path: &str, base: &Config, changes: Option<&ConfigOverrides>) -> Result<Config> {
    let Some(ConfigOverrides(changes)) = changes else {
        return Ok(base.clone());
    };
    let config: Config = check::with_changes(path, base, changes)?;
    let at = |field: &str| format!("{path}.{field}");
    check::between(at("hz"), config.hz.into(), 1, 500)?;
    let period = u64::from(config.repl_ping_replica_period);
    check::between(at("repl-ping-replica-period"), period, 1, 1 << 31)?;
    check::between(
        at("repl-backlog-size"),
        config.repl_backlog_size,
        1,
        1 << 40,
    )?;
    check::between(at("maxclients"), config.maxclients.into(), 1, 10_000_000)?;
    check::positive(at("repl-timeout"), config.repl_timeout)?;
    for (field, span) in [
        ("repl-diskless-sync-delay", config.repl_diskless_sync_delay),
        ("min-replicas-max-lag", config.min_replicas_max_lag),
        ("service-time", config.service_time),
        ("turn-time", config.turn_time),
        ("snapshot-save", config.snapshot_save),
        ("snapshot-load", config.snapshot_load),
        ("boot", config.boot),
    ] {
        check::not_longer_than_a_run(at(field), span)?;
    }
    Ok(config)
}

/// What one node follows. A rule of clients cannot be bound to it.
fn of_a_node(path: String, name: &BehaviourName) -> Result<&'static Behaviour> {
    let behaviour = names::behaviour(&path, name)?;
    match behaviour.client_guard {
        ClientGuard::AsLibrary => Ok(behaviour),
        ClientGuard::Everywhere => Err(Problem::new(
            path,
            "\"bounce-guard\" is a rule of clients: expected it in the scenario's behaviour, or in \
             a client's policy",
        )),
    }
}
