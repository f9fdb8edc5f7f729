//! What nodes, clients, hosts and addresses are called, by everything that names them to a reader.

use crate::client::ClientId;
use crate::scenario::{Plan, SENTINEL};
use crate::valkey::{Addr, AddressBook, NodeId};
use rebound_net::HostId;

impl Plan {
    /// What its nodes, clients, hosts and addresses are called.
    pub fn names(&self) -> Names<'_> {
        Names::new(self)
    }
}

/// The names of a plan's hosts.
#[derive(Copy, Clone)]
pub struct Names<'a> {
    plan: &'a Plan,
}

impl<'a> Names<'a> {
    /// The names in `plan`.
    pub fn new(plan: &'a Plan) -> Names<'a> {
        Names { plan }
    }

    /// The scenario's name.
    pub fn scenario(&self) -> &'a str {
        &self.plan.name
    }

    /// A node's name.
    pub fn node(&self, node: NodeId) -> &'a str {
        self.plan.node_name(node)
    }

    /// A client as `group/number`, numbered from zero.
    pub fn client(&self, client: ClientId) -> String {
        self.plan.client_name(client)
    }

    /// A host: a node's name or a client's.
    pub fn host(&self, host: HostId) -> String {
        match self.role(host) {
            HostRole::Node(node) => self.node(node).to_owned(),
            HostRole::Client(client) => self.client(client),
            HostRole::Operator => "the operator".to_owned(),
            HostRole::Sentinel => SENTINEL.to_owned(),
        }
    }

    /// Sentinel's host, if the plan has one.
    pub fn sentinel(&self) -> Option<HostId> {
        self.plan.sentinel_host()
    }

    /// The host of a client.
    pub fn client_host(&self, client: ClientId) -> HostId {
        self.plan.client_host(client)
    }

    /// Whether a host is a node or a client, and which.
    pub fn role(&self, host: HostId) -> HostRole {
        if host == OPERATOR {
            return HostRole::Operator;
        }
        if self.sentinel() == Some(host) {
            return HostRole::Sentinel;
        }
        match self.plan.node_at(host) {
            Some(node) => HostRole::Node(node),
            None => HostRole::Client(ClientId(host.0 - self.plan.servers())),
        }
    }

    /// An address as `host:port`.
    pub fn address(&self, addr: Addr) -> String {
        self.plan.addresses.text(addr)
    }

    /// Who listens at an address: the node's name, or `host:port` where nobody does.
    pub fn listener(&self, addr: Addr) -> String {
        match self.plan.addresses.node(addr) {
            Some(node) => self.node(node).to_owned(),
            None => self.address(addr),
        }
    }

    /// The address that a node is a replica of when the run starts.
    pub fn first_primary(&self, node: NodeId) -> Option<Addr> {
        self.plan.nodes[usize::from(node.0)]
            .replica_of
            .map(AddressBook::of)
    }

    /// The longest name of a host, in characters, for columns.
    pub fn width(&self) -> usize {
        let nodes = self.plan.nodes.iter().map(|node| node.name.chars().count());
        let groups = self.plan.groups.iter().map(|group| {
            let digits = group.count.saturating_sub(1).to_string().len();
            group.name.chars().count() + 1 + digits
        });
        let sentinel = self.sentinel().map(|_| SENTINEL.len());
        nodes.chain(groups).chain(sentinel).max().unwrap_or(0)
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.plan.nodes.len()
    }

    /// The node of that name.
    ///
    /// # Errors
    /// A sentence that lists the nodes there are.
    pub fn node_named(&self, text: &str) -> Result<NodeId, String> {
        let index = self.plan.nodes.iter().position(|node| node.name == text);
        index.map(|index| NodeId(index as u16)).ok_or_else(|| {
            let nodes: Vec<_> = self.plan.nodes.iter().map(|n| n.name.as_str()).collect();
            format!("no node \"{text}\": there are {}", nodes.join(", "))
        })
    }

    /// The client called `group/number`, or simply its number through all groups.
    ///
    /// # Errors
    /// A sentence that says which clients there are.
    pub fn client_named(&self, text: &str) -> Result<ClientId, String> {
        let total = self.plan.clients();
        let none = || {
            let groups = self.plan.groups.iter().filter(|g| g.count > 0);
            let groups: Vec<_> = groups
                .map(|g| format!("{0}/0 to {0}/{1}", g.name, g.count - 1))
                .collect();
            format!(
                "no client \"{text}\": there are {} (or 0 to {} through all groups)",
                groups.join(", "),
                total.saturating_sub(1)
            )
        };
        if let Some((group, number)) = text.rsplit_once('/') {
            let number: u32 = number.parse().map_err(|_| none())?;
            let mut first = 0;
            for candidate in &self.plan.groups {
                if candidate.name == group && number < candidate.count {
                    return Ok(ClientId(first + number));
                }
                first += candidate.count;
            }
            return Err(none());
        }
        match text.parse() {
            Ok(number) if number < total => Ok(ClientId(number)),
            Ok(_) | Err(_) => Err(none()),
        }
    }
}

/// What a host is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HostRole {
    /// A server.
    Node(NodeId),
    /// A client.
    Client(ClientId),
    /// The operator, who works on the node's own machine.
    Operator,
    /// Sentinel.
    Sentinel,
}

/// The host from which servers say that an operator's commands come.
const OPERATOR: HostId = HostId(u32::MAX);
