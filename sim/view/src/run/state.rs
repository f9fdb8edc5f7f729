//! What nodes and clients are and do, as it is printed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Run;
use crate::words;
use rebound_net::HostId;
use rebound_sim::client::ClientId;
use rebound_sim::valkey::NodeId;

/// A run at an instant: `rebound replay --state --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateReport {
    /// Always `rebound.state/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The behaviour that nodes followed.
    pub behaviour: String,
    /// The seed, as a decimal string.
    pub seed: String,
    /// The instant: when the latest event happened, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// How many records the trace has until then.
    pub records: u64,
    /// All nodes.
    pub nodes: Vec<NodeState>,
    /// The clients chosen.
    pub clients: Vec<ClientState>,
}

impl StateReport {
    /// The value of [`StateReport::schema`].
    pub const SCHEMA: &str = "rebound.state/1";
}

/// What a node is and does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeState {
    /// Its name.
    pub node: String,
    /// Whether its process runs and its machine is on the network.
    pub up: bool,
    /// `primary` or `replica`; what it was last, if it is not up.
    pub role: String,
    /// Whose replica it is.
    pub replica_of: Option<String>,
    /// The link to its primary: `down`, `synchronizing` or `up`.
    pub link: Option<String>,
    /// Its replication id; absent before it has said so.
    pub replid: Option<String>,
    /// Its replication offset when it last said something of itself.
    pub offset: u64,
    /// `no-failover`, `waiting-for-sync` or `failover-in-progress`.
    pub failover: String,
    /// The failover's target.
    pub target: Option<String>,
    /// Whether a manual failover of the cluster pauses writes here.
    pub manual_failover: bool,
    /// Commands that it holds postponed.
    pub postponed: u64,
    /// Faults that it suffers from.
    pub faults: Vec<FaultState>,
}

/// A fault that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultState {
    /// Since when, in nanoseconds of virtual time.
    pub since_ns: u64,
    /// What it is.
    pub words: String,
}

/// What a client does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientState {
    /// Its name, as `group/number`.
    pub client: String,
    /// The nodes to which it has a connection.
    pub connected_to: Vec<String>,
    /// How many connections those are. Some libraries leave one behind at every redirect.
    pub connections: u64,
    /// The nodes that it dials.
    pub dialling: Vec<String>,
    /// Its commands without an end, oldest first.
    pub open: Vec<CommandState>,
    /// Commands served so far.
    pub served: u64,
    /// Commands that have failed so far.
    pub failed: u64,
    /// Redirects followed so far.
    pub hops: u64,
    /// Those that led back.
    pub bounces: u64,
}

/// A command without an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandState {
    /// The command, as `NAME #number of the client's`.
    pub command: String,
    /// When it was issued, in nanoseconds of virtual time.
    pub issued_at_ns: u64,
    /// Redirects that it has met.
    pub hops: u32,
    /// Those that led back.
    pub bounces: u32,
    /// What became of it last.
    pub now: String,
}

impl Run {
    /// What a node is and does, in words.
    pub fn node_state(&self, node: NodeId) -> NodeState {
        let host = HostId(u32::from(node.0));
        let names = self.names();
        let mut state = self.node(node).state(names, node);
        let paths = self.paths.iter().filter(|fault| fault.from == host);
        state.faults.extend(paths.map(|fault| FaultState {
            since_ns: fault.since.nanos(),
            words: words::fault(fault.kind, Some(&names.host(fault.to))),
        }));
        state
    }

    /// What a client does, in words.
    pub fn client_state(&self, client: ClientId) -> ClientState {
        self.client(client).state(self.names(), client)
    }

    /// All nodes, and the clients chosen.
    pub fn report(&self, seed: u64, clients: impl Iterator<Item = ClientId>) -> StateReport {
        StateReport {
            schema: StateReport::SCHEMA.to_owned(),
            scenario: self.names().scenario().to_owned(),
            behaviour: self.behaviour.name.to_owned(),
            seed: seed.to_string(),
            at_ns: self.at.nanos(),
            records: self.records,
            nodes: self
                .nodes()
                .map(|(node, _)| self.node_state(node))
                .collect(),
            clients: clients.map(|client| self.client_state(client)).collect(),
        }
    }
}

impl fmt::Display for NodeState {
    /// `a replica of new, failover-in-progress to new, link down, 3 commands postponed`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.up {
            f.write_str("not there, was ")?;
        }
        match &self.replica_of {
            Some(primary) => write!(f, "{} of {primary}", self.role)?,
            None => f.write_str(&self.role)?,
        }
        if self.failover != "no-failover" {
            write!(f, ", {}", self.failover)?;
            if let Some(target) = &self.target {
                write!(f, " to {target}")?;
            }
        }
        if self.manual_failover {
            f.write_str(", manual failover")?;
        }
        if let Some(link) = &self.link {
            write!(f, ", link {link}")?;
        }
        if self.postponed > 0 {
            write!(f, ", {} postponed", self.postponed)?;
        }
        for fault in &self.faults {
            write!(f, "; {}", fault.words)?;
        }
        Ok(())
    }
}

impl fmt::Display for ClientState {
    /// `connected to old; GET #131: 12 redirects, 11 bounces, redirected by old to new`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.connected_to.is_empty() {
            let nodes = self.connected_to.join(" and ");
            parts.push(if self.connections > self.connected_to.len() as u64 {
                format!("{} connections to {nodes}", self.connections)
            } else {
                format!("connected to {nodes}")
            });
        }
        if !self.dialling.is_empty() {
            parts.push(format!("dials {}", self.dialling.join(" and ")));
        }
        if parts.is_empty() {
            parts.push("not connected".to_owned());
        }
        match self.open.as_slice() {
            [] => parts.push("idle".to_owned()),
            [first, rest @ ..] => {
                parts.push(first.to_string());
                if !rest.is_empty() {
                    parts.push(format!("{} more open", rest.len()));
                }
            }
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for CommandState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.command, self.now)?;
        if self.hops > 0 {
            write!(f, " (redirect {}", self.hops)?;
            if self.bounces > 0 {
                write!(f, ", bounce {}", self.bounces)?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}
