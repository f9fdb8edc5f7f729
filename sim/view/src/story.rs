//! The story of a run, event by event, in words.
//!
//! The [`Run`] knows what nodes last said of themselves and what commands are called; a [`Filter`]
//! selects which records are shown.

mod cluster;
mod condense;
mod phrases;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run::Run;
use condense::{Condenser, Treatment};
use phrases::Phrases;
pub(super) use phrases::is_handshake;
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::scenario::{HostRole, Names};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{Message, NodeId, Note as NodeNote};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// What a line of a story is about.
#[derive(
    Copy,
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    EnumCount,
    VariantArray,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum StoryKind {
    /// A node's role, link or failover state changes, or it runs postponed commands again.
    Node,
    /// Messages of replication handshakes and hand-overs.
    Handshake,
    /// The operator's commands, and what Sentinel sees and decides.
    Operator,
    /// Faults.
    Fault,
    /// What applications ask for, and what becomes of it.
    Command,
    /// Whether each server check passed, redirected, held or rejected a command.
    Gate,
    /// Connections.
    Connection,
    /// Every other message.
    Message,
}

impl StoryKind {
    /// Every kind.
    pub const ALL: [StoryKind; StoryKind::COUNT] = *StoryKind::VARIANTS.first_chunk().unwrap();

    /// The kind's name, as in JSON and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Which records are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Clients whose events are shown; absent for all. Events between nodes are shown whichever
    /// clients are selected.
    pub clients: Option<Vec<ClientId>>,
    /// Only what concerns one of these nodes; absent for all.
    pub nodes: Option<Vec<NodeId>>,
    /// Nothing earlier.
    pub from: Time,
    /// Nothing as late or later.
    pub until: Time,
    /// Only these kinds.
    pub kinds: Vec<StoryKind>,
    /// Whether what is routine is left out and long runs of redirects become a line.
    pub condensed: bool,
}

impl Filter {
    /// Everything.
    pub fn all() -> Filter {
        Filter {
            clients: None,
            nodes: None,
            from: Time::ZERO,
            until: Time::NEVER,
            kinds: StoryKind::ALL.to_vec(),
            condensed: false,
        }
    }

    /// What nodes, operator and faults do, and what becomes of the commands of `clients`.
    pub fn story(clients: Vec<ClientId>) -> Filter {
        let told = |kind: &StoryKind| *kind != StoryKind::Message;
        Filter {
            clients: Some(clients),
            kinds: StoryKind::ALL.into_iter().filter(told).collect(),
            condensed: true,
            ..Filter::all()
        }
    }

    fn admits(&self, at: Time, scene: &Scene, names: Names<'_>) -> bool {
        let hosts = [Some(scene.who), scene.other];
        at >= self.from
            && at < self.until
            && self.concerns(scene.kind, hosts.into_iter().flatten(), names)
    }

    /// Whether events of these hosts are shown, regardless of their time.
    pub(super) fn concerns(
        &self,
        kind: StoryKind,
        hosts: impl Iterator<Item = HostId> + Clone,
        names: Names<'_>,
    ) -> bool {
        let at_node = |node: &NodeId| {
            let mut hosts = hosts.clone();
            hosts.any(|host| names.role(host) == HostRole::Node(*node))
        };
        let chosen = |clients: &Vec<ClientId>| {
            hosts.clone().all(|host| match names.role(host) {
                HostRole::Node(_) | HostRole::Operator | HostRole::Sentinel => true,
                HostRole::Client(client) => clients.contains(&client),
            })
        };
        self.kinds.contains(&kind)
            && self.clients.as_ref().is_none_or(chosen)
            && self
                .nodes
                .as_ref()
                .is_none_or(|nodes| nodes.iter().any(at_node))
    }
}

/// One line of a story: `rebound replay --format json` prints one such object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryLine {
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// What it is about.
    pub kind: StoryKind,
    /// The host that does it or whom it happens to.
    pub who: String,
    /// The other host concerned.
    pub other: Option<String>,
    /// The command's number with its client.
    pub command: Option<u32>,
    /// Whether this is a redirect that leads back.
    pub bounce: bool,
    /// What happens, to be read after `who`.
    pub words: String,
}

/// What a record is about, before it is put into words.
struct Scene {
    kind: StoryKind,
    who: HostId,
    other: Option<HostId>,
}

/// Tells a run: what was held back or counted so far. A copy goes on from where the original was.
#[derive(Clone, Default)]
pub struct Story {
    condenser: Condenser,
}

impl Story {
    /// Returns the lines to print now, after `record`, the latest one of `run`: none if `filter`
    /// does not want it, several if something was held back. Their times never go back.
    pub fn tell(&mut self, run: &Run, record: &Record, filter: &Filter) -> Vec<StoryLine> {
        let scene = scene(run.names(), &record.event);
        let admitted = filter.admits(record.at, &scene, run.names());
        let lines = match (admitted, filter.condensed) {
            (true, false) => vec![tell(run, record, &scene, false)],
            (true, true) => self.condensed(run, record, &scene, filter),
            (false, _) => self.debts(run, &record.event),
        };
        if let Event::Client(client, ClientNote::Ended { command, .. }) = record.event {
            self.condenser.forget(client, command);
        }
        lines
    }

    /// The lines that remain to be printed when the run has ended.
    pub fn finish(&mut self, run: &Run) -> Vec<StoryLine> {
        self.condenser.flush(run)
    }

    /// What was counted of a command whose end is not shown.
    fn debts(&mut self, run: &Run, event: &Event) -> Vec<StoryLine> {
        match *event {
            Event::Client(client, ClientNote::Ended { command, .. })
                if self.condenser.owes(client, command) =>
            {
                self.finish(run)
            }
            Event::Client(
                _,
                ClientNote::Ended { .. }
                | ClientNote::Issued { .. }
                | ClientNote::Element { .. }
                | ClientNote::Hop { .. }
                | ClientNote::Ignored { .. },
            )
            | Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Fault { .. } => Vec::new(),
        }
    }

    fn condensed(
        &mut self,
        run: &Run,
        record: &Record,
        scene: &Scene,
        filter: &Filter,
    ) -> Vec<StoryLine> {
        let treatment = self.condenser.treatment(record, run);
        // Counted events are shown as a line of the command; where those are not wanted, nothing is
        // counted.
        let counts = filter.kinds.contains(&StoryKind::Command);
        match treatment {
            Treatment::Leave if counts || !concerns_client(run, scene) => return Vec::new(),
            Treatment::Hold(client, command) if counts => {
                let line = tell(run, record, scene, true);
                self.condenser.hold(client, command, line);
                return Vec::new();
            }
            Treatment::CountServed(client, command) => {
                self.condenser.count_served(client, command, record.at);
                return Vec::new();
            }
            Treatment::CountRedirect(client, command, from, to) => {
                let line = || tell(run, record, scene, true);
                let (whose, hop) = ((client, command), (from, to));
                self.condenser
                    .count_redirect(whose, hop, record.at, run.names(), line);
                return Vec::new();
            }
            Treatment::Leave | Treatment::Hold(..) | Treatment::Tell => {}
        }
        let mut lines = self.finish(run);
        lines.push(tell(run, record, scene, true));
        if let Event::Client(client, ClientNote::Hop { command, hops, .. }) = record.event {
            self.condenser.begin_chain(client, command, hops);
        }
        lines
    }
}

fn concerns_client(run: &Run, scene: &Scene) -> bool {
    let hosts = [Some(scene.who), scene.other];
    let mut hosts = hosts.into_iter().flatten();
    hosts.any(|host| run.client_at(host).is_some())
}

/// What a record is about.
fn scene(names: Names<'_>, event: &Event) -> Scene {
    let is_node = |host: HostId| matches!(names.role(host), HostRole::Node(_));
    let node_host = |node: NodeId| HostId(u32::from(node.0));
    let client_host = |client: ClientId| names.client_host(client);
    let scene = |kind, who, other| Scene { kind, who, other };
    match *event {
        Event::Net(
            NetNote::Dialled { from, to, .. }
            | NetNote::Connected { from, to, .. }
            | NetNote::ConnectFailed { from, to, .. },
        ) => scene(StoryKind::Connection, from, Some(to)),
        Event::Net(NetNote::Closed { from, to, .. }) => {
            scene(StoryKind::Connection, to, Some(from))
        }
        Event::Net(NetNote::Delivered {
            from, to, message, ..
        }) => {
            let kind = if is_node(from) && is_node(to) && is_handshake(message) {
                StoryKind::Handshake
            } else {
                StoryKind::Message
            };
            scene(kind, to, Some(from))
        }
        Event::Node(node, NodeNote::Gate { peer, .. }) => {
            scene(StoryKind::Gate, node_host(node), Some(peer))
        }
        Event::Node(
            node,
            NodeNote::Released { .. }
            | NodeNote::Role { .. }
            | NodeNote::Failover { .. }
            | NodeNote::Cluster(_),
        ) => scene(StoryKind::Node, node_host(node), None),
        Event::Node(node, NodeNote::Operator { .. }) => {
            scene(StoryKind::Operator, node_host(node), None)
        }
        Event::Sentinel { node, .. } => {
            let sentinel = names.sentinel().unwrap_or(node_host(node));
            scene(StoryKind::Operator, sentinel, Some(node_host(node)))
        }
        Event::Client(
            client,
            ClientNote::Issued { .. } | ClientNote::Element { .. } | ClientNote::Ended { .. },
        ) => scene(StoryKind::Command, client_host(client), None),
        Event::Client(client, ClientNote::Hop { from, .. } | ClientNote::Ignored { from, .. }) => {
            scene(
                StoryKind::Command,
                client_host(client),
                Some(node_host(from)),
            )
        }
        Event::Fault { from, to, .. } => scene(StoryKind::Fault, from, (from != to).then_some(to)),
    }
}

/// The line of a record, the latest one of `run`, which no filter holds back, in the short words of
/// a condensed story.
pub fn line(run: &Run, record: &Record) -> StoryLine {
    let scene = scene(run.names(), &record.event);
    tell(run, record, &scene, true)
}

/// A message in words.
pub(super) fn message(run: &Run, message: Message) -> String {
    let phrases = Phrases {
        names: run.names(),
        run,
        condensed: true,
    };
    phrases.message(message)
}

/// Whom an event happens to, and the other host concerned.
pub(super) fn hosts(run: &Run, event: &Event) -> (HostId, Option<HostId>) {
    let scene = scene(run.names(), event);
    (scene.who, scene.other)
}

/// The line of a record.
fn tell(run: &Run, record: &Record, scene: &Scene, condensed: bool) -> StoryLine {
    let (command, bounce) = match record.event {
        Event::Client(
            _,
            ClientNote::Issued { command, .. }
            | ClientNote::Ignored { command, .. }
            | ClientNote::Element { command, .. }
            | ClientNote::Ended { command, .. },
        ) => (Some(command), false),
        Event::Client(
            _,
            ClientNote::Hop {
                command, bounce, ..
            },
        ) => (Some(command), bounce),
        Event::Node(_, NodeNote::Gate { .. }) => (run.asked().map(|asked| asked.number), false),
        Event::Net(_)
        | Event::Node(
            _,
            NodeNote::Released { .. }
            | NodeNote::Role { .. }
            | NodeNote::Failover { .. }
            | NodeNote::Cluster(_)
            | NodeNote::Operator { .. },
        )
        | Event::Sentinel { .. }
        | Event::Fault { .. } => (None, false),
    };
    let names = run.names();
    let phrases = Phrases {
        names,
        run,
        condensed,
    };
    StoryLine {
        at_ns: record.at.nanos(),
        kind: scene.kind,
        who: names.host(scene.who),
        other: scene.other.map(|host| names.host(host)),
        command,
        bounce,
        words: phrases.words(record),
    }
}
