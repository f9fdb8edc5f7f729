//! Names: nodes, groups and sets of hosts, behaviours.

use super::{Problem, Result, check};
use crate::scenario::behaviours::behaviour_named;
use crate::scenario::either::BehaviourName;
use crate::scenario::format::{Group, Node};
use crate::scenario::nearest::no_such;
use crate::scenario::plan::{SENTINEL, Selector};
use crate::valkey::{Behaviour, NodeId};

/// Names of sets of hosts, which nothing else may have.
const SETS: [&str; 4] = ["all", "nodes", "clients", "bus"];
/// What follows a node's name where its end of the cluster bus is meant.
const BUS: &str = "@bus";

/// Every name that can be referred to.
pub struct Names<'s> {
    nodes: Vec<&'s str>,
    groups: Vec<&'s str>,
    sentinel: Option<&'s str>,
    /// Whether there is a cluster bus.
    cluster: bool,
}

impl<'s> Names<'s> {
    /// Collects the names, none of them twice. With Sentinel its name is taken.
    pub fn new(
        nodes: &'s [Node],
        groups: &'s [Group],
        sentinel: bool,
        cluster: bool,
    ) -> Result<Names<'s>> {
        let sentinel = sentinel.then_some(SENTINEL);
        let mut seen: Vec<(String, &str)> = Vec::new();
        let indices = (nodes.iter().enumerate())
            .map(|(i, node)| (format!("nodes[{i}].name"), node.name.as_str()))
            .chain(
                (groups.iter().enumerate())
                    .map(|(i, group)| (format!("clients[{i}].name"), group.name.as_str())),
            );
        for (path, name) in indices {
            check::identifier(&path, name)?;
            if SETS.iter().any(|set| set.eq_ignore_ascii_case(name)) {
                let message = format!("\"{name}\" means a set of hosts: expected another name");
                return Err(Problem::new(path, message));
            }
            if sentinel.is_some_and(|sentinel| sentinel.eq_ignore_ascii_case(name)) {
                let message = format!("\"{name}\" is Sentinel's host: expected another name");
                return Err(Problem::new(path, message));
            }
            // Servers compare hosts regardless of case.
            if let Some((other, _)) = seen.iter().find(|(_, n)| n.eq_ignore_ascii_case(name)) {
                let message = format!(
                    "\"{name}\" is already the name of {}: expected another one",
                    other.trim_end_matches(".name")
                );
                return Err(Problem::new(path, message));
            }
            seen.push((path, name));
        }
        Ok(Names {
            nodes: nodes.iter().map(|node| node.name.as_str()).collect(),
            groups: groups.iter().map(|group| group.name.as_str()).collect(),
            sentinel,
            cluster,
        })
    }

    /// Whether the servers are a cluster, which has a bus.
    pub(crate) fn has_bus(&self) -> bool {
        self.cluster
    }

    /// The node of that name.
    pub fn node(&self, path: impl Into<String>, name: &str) -> Result<NodeId> {
        (self.nodes.iter().position(|node| *node == name))
            .and_then(|index| u16::try_from(index).ok())
            .map(NodeId)
            .ok_or_else(|| Problem::new(path, no_such("node", "nodes", name, &self.nodes)))
    }

    /// The hosts of that name, which open connections.
    fn from(&self, path: impl Into<String>, name: &str) -> Result<Selector> {
        match name {
            "all" => return Ok(Selector::All),
            "nodes" => return Ok(Selector::Nodes),
            "clients" => return Ok(Selector::Clients),
            "bus" if self.cluster => return Ok(Selector::Bus),
            _ => {}
        }
        let path = path.into();
        let (host, on_the_bus) = match name.strip_suffix(BUS) {
            Some(host) => (host, true),
            None => (name, name == "bus"),
        };
        if on_the_bus && !self.cluster {
            let message =
                "standalone servers have no cluster bus: expected \"cluster\": {} in the scenario";
            return Err(Problem::new(path, message));
        }
        if on_the_bus {
            return self.node(path, host).map(Selector::BusOf);
        }
        if let Ok(node) = self.node(&path, name) {
            return Ok(Selector::Node(node));
        }
        if let Some(group) = self.groups.iter().position(|group| *group == name) {
            return Ok(Selector::Group(group));
        }
        if self.sentinel == Some(name) {
            return Ok(Selector::Sentinel);
        }
        let sentinel = self.sentinel.as_slice();
        let sets = SETS.iter().filter(|set| self.cluster || **set != "bus");
        let sets: Vec<&str> = sets.copied().collect();
        let names = [&sets[..], sentinel, &self.nodes, &self.groups].concat();
        Err(Problem::new(
            path,
            no_such("node, group or set of hosts", "they", name, &names),
        ))
    }

    /// The two ends of paths, at `path.from` and `path.to`.
    pub fn ends(
        &self,
        path: &str,
        from: &str,
        to: &str,
        both_ways: bool,
    ) -> Result<(Selector, Selector)> {
        let opens = self.from(format!("{path}.from"), from)?;
        let accepts = self.from(format!("{path}.to"), to)?;
        let are_clients = |hosts| match hosts {
            Selector::Clients | Selector::Group(_) | Selector::Sentinel => true,
            Selector::All
            | Selector::Nodes
            | Selector::Node(_)
            | Selector::Bus
            | Selector::BusOf(_) => false,
        };
        let vacuous = match (are_clients(opens), are_clients(accepts)) {
            (true, true) => {
                Some("there are no connections between clients, or between a client and Sentinel")
            }
            (false, true) if !both_ways => Some(
                "clients accept no connections, nor does Sentinel: expected them as \"from\", the side that opens connections",
            ),
            (false | true, false | true) => None,
        };
        if let Some(reason) = vacuous {
            return Err(Problem::new(format!("{path}.to"), reason));
        }
        if opens == accepts && matches!(opens, Selector::Node(_) | Selector::BusOf(_)) {
            let message = format!("\"{to}\" has no connections to itself: expected another node");
            return Err(Problem::new(format!("{path}.to"), message));
        }
        Ok((opens, accepts))
    }
}

/// The behaviour of that name, alias or combination.
pub fn behaviour(path: impl Into<String>, name: &BehaviourName) -> Result<&'static Behaviour> {
    behaviour_named(&name.0).map_err(|problem| Problem::new(path, problem))
}
