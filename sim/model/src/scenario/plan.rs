//! The plan: a scenario with every name resolved and every number checked. What a world is
//! built from; nothing downstream of it can be wrong.

use crate::client::{ClientId, Policy, Workload};
use crate::results::{CheckConfig, CheckId};
use crate::sentinel::{SentinelConfig, Way};
use crate::valkey::{AddressBook, Behaviour, Command, Config, FailoverState, HashSlot, NodeId};
use rebound_engine::{Duration, Limits, Odds, TieBreak, Time};
use rebound_net::{Direction, HostId, PathProfile, TcpTimers};

/// A scenario, resolved.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// The path that the file was read from, for replay lines; the name where there is none.
    pub path: String,
    /// Hash of the scenario file's contents.
    pub hash: u128,
    /// Whether it is also driven on real servers.
    pub live: bool,
    /// What nodes follow unless they name another behaviour.
    pub behaviour: &'static Behaviour,
    /// The servers. Node `n` is host `n`.
    pub nodes: Vec<NodePlan>,
    /// Every address that can occur.
    pub addresses: AddressBook,
    /// The network.
    pub network: NetworkPlan,
    /// Cluster mode: none for standalone servers.
    pub cluster: Option<ClusterPlan>,
    /// The client groups. Clients are numbered through all groups.
    pub groups: Vec<ClientGroup>,
    /// Sentinel, if there is one. Its host comes after all others.
    pub sentinel: Option<SentinelPlan>,
    /// What surely happens, in the file's order.
    pub timeline: Vec<TimelineItem>,
    /// What may happen.
    pub faults: Faults,
    /// Phases and budgets.
    pub limits: Limits,
    /// Ties at equal times.
    pub tie_break: TieBreak,
    /// The checks.
    pub checks: CheckConfig,
    /// What a sweep is expected to find, per behaviour.
    pub expect: Vec<Expectation>,
}

/// A server.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its name; also the host that it announces unless configured otherwise.
    pub name: String,
    /// Whose replica it is at the start.
    pub replica_of: Option<NodeId>,
    /// The behaviour it follows whatever the run's is.
    pub behaviour: Option<&'static Behaviour>,
    /// Its configuration.
    pub config: Config,
}

/// What Sentinel's host is called.
pub const SENTINEL: &str = "sentinel";

/// Sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentinelPlan {
    /// Its configuration.
    pub config: SentinelConfig,
    /// The primary that it watches at first.
    pub primary: NodeId,
    /// The nodes that follow that one at the start, at once or through others.
    pub replicas: Vec<NodeId>,
}

/// What servers of a cluster have in common.
#[derive(Clone, Debug)]
pub struct ClusterPlan {
    /// Slots at the start, for each node in order: first and last of each range.
    pub slots: Vec<Vec<(HashSlot, HashSlot)>>,
    /// How many neighbouring keys share a hash tag, and so a slot.
    pub keys_per_tag: u32,
}

/// The network's parameters.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// The kernel's timers.
    pub tcp: TcpTimers,
    /// Profiles that paths refer to.
    pub profiles: Vec<PathProfile>,
    /// Profiles of paths, later entries overruling earlier ones.
    pub paths: Vec<PathPlan>,
}

/// Which paths have which profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPlan {
    /// Who opens the connection.
    pub from: Selector,
    /// Who accepts it (clients never do).
    pub to: Selector,
    /// Profile of the forward direction, by place in [`NetworkPlan::profiles`].
    pub forward: usize,
    /// Profile of the backward direction.
    pub backward: usize,
}

/// Some hosts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// All of them.
    All,
    /// All servers, with their ends of the cluster bus.
    Nodes,
    /// One server, with its end of the cluster bus.
    Node(NodeId),
    /// All ends of the cluster bus.
    Bus,
    /// One server's end of the cluster bus.
    BusOf(NodeId),
    /// All clients.
    Clients,
    /// The clients of a group, by its place in [`Plan::groups`].
    Group(usize),
    /// Sentinel.
    Sentinel,
}

/// A group of identical clients.
#[derive(Clone, Debug)]
pub struct ClientGroup {
    /// The group's name.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Where they start: client `i` of the group at `start[i % start.len()]`.
    pub start: Vec<NodeId>,
    /// When they begin: uniformly between these two.
    pub arrive: (Time, Time),
    /// The library.
    pub policy: Policy,
    /// The application.
    pub workload: Workload,
}

/// Something that surely happens.
#[derive(Clone, Debug)]
pub struct TimelineItem {
    /// When.
    pub occasion: Occasion,
    /// How long after the occasion.
    pub after: Duration,
    /// What.
    pub action: Action,
}

/// When something happens.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// At a time.
    At(Time),
    /// The first time that something is the case (counted from `not_before`).
    When {
        /// What.
        trigger: Trigger,
        /// Not before this time.
        not_before: Time,
    },
}

/// Something that can be waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A node's failover state becomes this.
    FailoverState(NodeId, FailoverState),
    /// A node becomes a primary.
    Promoted(NodeId),
    /// A node becomes a replica.
    Demoted(NodeId),
    /// A node is about to send this message; the action takes place before it is on the wire,
    /// so a cut or a reset hits it.
    Sends(NodeId, TriggerMessage),
    /// A node has taken this message in, before it answers.
    Receives(NodeId, TriggerMessage),
}

/// A message of the hand-over that can be waited for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TriggerMessage {
    /// `PING` of the handshake.
    HandshakePing,
    /// `PSYNC … FAILOVER`.
    PsyncFailover,
    /// The answer to `PSYNC … FAILOVER`.
    PsyncFailoverReply,
}

/// Some paths.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Who opens the connections.
    pub from: Selector,
    /// Who accepts them.
    pub to: Selector,
    /// Whether connections opened in the opposite direction are also affected.
    pub both_ways: bool,
}

/// What is wrong with a path.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// Everything is lost in this direction, or in both; retransmissions go on.
    Cut(Option<Direction>),
    /// Everything is held in this direction, or in both, and then released in order, at once.
    Clog(Option<Direction>),
    /// Everything takes this much longer, one way.
    Spike(Duration),
    /// Segments are lost with these odds.
    Loss(Odds),
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// The operator runs commands on a node's own machine, one after the other.
    Operator(NodeId, Vec<Command>),
    /// Sentinel is asked to replace the primary (`SENTINEL FAILOVER`).
    Sentinel(Way),
    /// Something is wrong with some paths, for a while.
    Paths(Paths, PathFault, Duration),
    /// Open connections on some paths are reset; data in flight is lost.
    Reset(Paths),
    /// A process is stopped (SIGSTOP) for a while; its kernel goes on.
    Pause(NodeId, Duration),
    /// Nobody can connect to a process for a while; connections that are open stay.
    Refuse(NodeId, Duration),
    /// A process is slower by `factor` for a while.
    Slow(NodeId, u32, Duration),
    /// A process dies (its kernel resets its connections), and is started again after a while
    /// if a time is given.
    Crash(NodeId, Option<Duration>),
    /// A machine goes silent, and comes back after a while with its process restarted.
    HostDown(NodeId, Duration),
    /// A dead process is started.
    Restart(NodeId),
}

/// Faults that each seed draws its own subset of.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// How many may happen in one run at most.
    pub budget: u32,
    /// Each is drawn once per run.
    pub specs: Vec<FaultSpec>,
}

/// A fault that may happen.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    /// The odds that a run has it.
    pub odds: Odds,
    /// It begins uniformly between these two.
    pub between: (Time, Time),
    /// Its length is drawn uniformly between these two and replaces that of the action.
    pub lasts: (Duration, Duration),
    /// What.
    pub action: Action,
}

/// What a sweep over a scenario is expected to find.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The behaviours it applies to.
    pub behaviours: Vec<&'static Behaviour>,
    /// What verdict.
    pub verdict: ExpectedVerdict,
    /// Checks that must have a finding in every flagged run.
    pub findings: Vec<CheckId>,
    /// Checks that may not have a finding in any run.
    pub never: Vec<CheckId>,
    /// The longest chain of redirects that is allowed in any run.
    pub max_chain: Option<u32>,
    /// The longest chain of redirects that some run must reach.
    pub min_max_chain: Option<u32>,
}

/// A verdict that a sweep is expected to give.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// Every run is clean.
    Clean,
    /// Every run is flagged.
    Flagged,
    /// At least this many of a thousand runs are flagged, and at most that many.
    Share {
        /// At least.
        least: u32,
        /// At most.
        most: u32,
    },
}

impl Plan {
    /// How many clients there are.
    pub fn clients(&self) -> u32 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// A node's name.
    pub fn node_name(&self, node: NodeId) -> &str {
        &self.nodes[usize::from(node.0)].name
    }

    /// A client's name: its group's and its place there, from zero, such as `app/17`.
    pub fn client_name(&self, client: ClientId) -> String {
        let (group, index) = self.group_of(client.0);
        format!("{}/{index}", self.groups[group].name)
    }

    /// The primary that a node follows at the start, at once or through others; itself if it is
    /// one.
    pub(crate) fn root_of(&self, node: NodeId) -> NodeId {
        let mut root = node;
        while let Some(primary) = self.nodes[usize::from(root.0)].replica_of {
            root = primary;
        }
        root
    }

    /// The shard of a node: in a cluster, that of the primary that it follows at the start; all
    /// standalone servers are one.
    pub(crate) fn shard_of(&self, node: NodeId) -> usize {
        match self.cluster {
            Some(_) => usize::from(self.root_of(node).0),
            None => 0,
        }
    }

    /// The host of a node.
    pub fn node_host(&self, node: NodeId) -> HostId {
        HostId(u32::from(node.0))
    }

    /// Sentinel's host, if there is one.
    pub fn sentinel_host(&self) -> Option<HostId> {
        let before = self.servers() + self.clients();
        self.sentinel.as_ref().map(|_| HostId(before))
    }

    /// How many hosts there are.
    pub fn hosts(&self) -> u32 {
        self.servers() + self.clients() + u32::from(self.sentinel.is_some())
    }

    /// The nodes that have an end of the cluster bus: all of them or none.
    pub(crate) fn buses(&self) -> impl Iterator<Item = NodeId> {
        let nodes = match self.cluster {
            Some(_) => self.nodes.len() as u16,
            None => 0,
        };
        (0..nodes).map(NodeId)
    }

    /// How many hosts accept connections: the nodes come first, then their ends of the cluster
    /// bus, then the clients, then Sentinel.
    pub fn servers(&self) -> u32 {
        (self.nodes.len() + self.buses().count()) as u32
    }

    /// The host that stands for a node's end of the cluster bus.
    pub(crate) fn bus_host(&self, node: NodeId) -> HostId {
        HostId(self.nodes.len() as u32 + u32::from(node.0))
    }

    /// The host of a client.
    pub fn client_host(&self, client: ClientId) -> HostId {
        HostId(self.servers() + client.0)
    }

    /// The client at a host.
    pub fn client_at(&self, host: HostId) -> Option<ClientId> {
        let client = host.0.checked_sub(self.servers())?;
        (client < self.clients()).then_some(ClientId(client))
    }

    /// The node at a host, or whose end of the cluster bus it is.
    pub fn node_at(&self, host: HostId) -> Option<NodeId> {
        let nodes = self.nodes.len() as u32;
        (host.0 < self.servers()).then(|| NodeId((host.0 % nodes) as u16))
    }

    /// The group of a client and its place in it.
    pub fn group_of(&self, client: u32) -> (usize, u32) {
        let mut rest = client;
        for (index, group) in self.groups.iter().enumerate() {
            if rest < group.count {
                return (index, rest);
            }
            rest -= group.count;
        }
        unreachable!("client {client} is in no group")
    }

    /// The node at which a client starts.
    pub fn start_of(&self, client: ClientId) -> NodeId {
        let (group, index) = self.group_of(client.0);
        let start = &self.groups[group].start;
        start[index as usize % start.len()]
    }

    /// Whether a selector means this host.
    pub fn selects(&self, selector: Selector, host: HostId) -> bool {
        match selector {
            Selector::All => true,
            Selector::Nodes => self.node_at(host).is_some(),
            Selector::Node(node) => self.node_at(host) == Some(node),
            Selector::Bus => self
                .node_at(host)
                .is_some_and(|node| host != self.node_host(node)),
            Selector::BusOf(node) => host == self.bus_host(node),
            Selector::Clients => self.client_at(host).is_some(),
            Selector::Group(group) => self
                .client_at(host)
                .is_some_and(|client| self.group_of(client.0).0 == group),
            Selector::Sentinel => self.sentinel_host() == Some(host),
        }
    }
}
