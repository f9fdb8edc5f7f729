//! A run told event by event, in a person's words.
//!
//! A [`Story`] reads every record in order, since it must know what nodes last said of
//! themselves and what commands are called; a [`Filter`] chooses which are told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::{HostRole, Names};
use super::words;
use crate::client::ClientId;
use crate::engine::Time;
use crate::net::HostId;
use crate::scenario::Plan;
use crate::trace::{Event, GateVerdict, MessageKind, Record};
use crate::valkey::{Addr, Command, CommandKind, NodeId, Reply};

/// What a line of a story is about.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StoryKind {
    /// A node's role, link or failover state changes, or it runs postponed commands again.
    Node,
    /// Messages by which nodes become replicas and hand over.
    Handshake,
    /// The operator's commands.
    Operator,
    /// Faults.
    Fault,
    /// What applications ask for, and what becomes of it.
    Command,
    /// What a server's gates make of a command.
    Gate,
    /// Connections.
    Connection,
    /// Every other message.
    Message,
}

impl StoryKind {
    /// Every kind.
    pub const ALL: [StoryKind; 8] = [
        StoryKind::Node,
        StoryKind::Handshake,
        StoryKind::Operator,
        StoryKind::Fault,
        StoryKind::Command,
        StoryKind::Gate,
        StoryKind::Connection,
        StoryKind::Message,
    ];

    /// The kind's name, as in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            StoryKind::Node => "node",
            StoryKind::Handshake => "handshake",
            StoryKind::Operator => "operator",
            StoryKind::Fault => "fault",
            StoryKind::Command => "command",
            StoryKind::Gate => "gate",
            StoryKind::Connection => "connection",
            StoryKind::Message => "message",
        }
    }
}

/// Which records are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Clients whose doings are told; absent for all. What happens between nodes is told
    /// whichever clients are chosen.
    pub clients: Option<Vec<ClientId>>,
    /// Only what concerns one of these nodes; absent for all.
    pub nodes: Option<Vec<NodeId>>,
    /// Nothing earlier.
    pub from: Time,
    /// Nothing as late or later.
    pub until: Time,
    /// Only these kinds.
    pub kinds: Vec<StoryKind>,
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
        }
    }

    /// What nodes, operator and faults do, and what becomes of the commands of `clients`.
    pub fn story(clients: Vec<ClientId>) -> Filter {
        let told = |kind: &StoryKind| *kind != StoryKind::Message;
        Filter {
            clients: Some(clients),
            kinds: StoryKind::ALL.into_iter().filter(told).collect(),
            ..Filter::all()
        }
    }

    fn admits(&self, at: Time, scene: &Scene, names: Names<'_>) -> bool {
        let hosts = || [Some(scene.who), scene.other].into_iter().flatten();
        let concerns =
            |node: &NodeId| hosts().any(|host| names.role(host) == HostRole::Node(*node));
        let chosen = |clients: &Vec<ClientId>| {
            hosts().all(|host| match names.role(host) {
                HostRole::Node(_) => true,
                HostRole::Client(client) => clients.contains(&client),
            })
        };
        at >= self.from
            && at < self.until
            && self.kinds.contains(&scene.kind)
            && self.clients.as_ref().is_none_or(chosen)
            && self
                .nodes
                .as_ref()
                .is_none_or(|nodes| nodes.iter().any(concerns))
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

/// Tells a run.
pub struct Story<'a> {
    names: Names<'a>,
    primaries: Vec<Option<Addr>>,
    kinds: BTreeMap<(ClientId, u32), CommandKind>,
}

impl<'a> Story<'a> {
    /// A story of a run of `plan`, at its beginning.
    pub fn new(plan: &'a Plan) -> Story<'a> {
        let names = Names::new(plan);
        Story {
            names,
            primaries: words::first_primaries(names),
            kinds: BTreeMap::new(),
        }
    }

    /// Takes note of the run's next record and tells it if `filter` wants it.
    pub fn tell(&mut self, record: &Record, filter: &Filter) -> Option<StoryLine> {
        self.note(&record.event);
        let scene = self.scene(&record.event);
        let line = filter
            .admits(record.at, &scene, self.names)
            .then(|| self.line(record, &scene));
        self.forget(&record.event);
        line
    }

    fn note(&mut self, event: &Event) {
        if let Event::Role { node, primary, .. } = event {
            self.primaries[usize::from(node.0)] = *primary;
        }
        if let Event::Issued {
            client,
            command,
            kind,
        } = event
        {
            self.kinds.insert((*client, *command), *kind);
        }
    }

    fn forget(&mut self, event: &Event) {
        if let Event::Ended {
            client, command, ..
        } = event
        {
            self.kinds.remove(&(*client, *command));
        }
    }

    fn is_node(&self, host: HostId) -> bool {
        match self.names.role(host) {
            HostRole::Node(_) => true,
            HostRole::Client(_) => false,
        }
    }

    fn scene(&self, event: &Event) -> Scene {
        let node_host = |node: NodeId| HostId(u32::from(node.0));
        let client_host = |client: ClientId| HostId(self.names.nodes() as u32 + client.0);
        let scene = |kind, who, other| Scene { kind, who, other };
        match *event {
            Event::Dialled { from, to, .. }
            | Event::Connected { from, to, .. }
            | Event::ConnectFailed { from, to, .. } => scene(StoryKind::Connection, from, Some(to)),
            Event::Closed { from, to, .. } => scene(StoryKind::Connection, to, Some(from)),
            Event::Delivered {
                from, to, message, ..
            } => {
                let kind = if self.is_node(from) && self.is_node(to) && is_handshake(message) {
                    StoryKind::Handshake
                } else {
                    StoryKind::Message
                };
                scene(kind, to, Some(from))
            }
            Event::Gate { node, peer, .. } => scene(StoryKind::Gate, node_host(node), Some(peer)),
            Event::Released { node, .. }
            | Event::Role { node, .. }
            | Event::Failover { node, .. } => scene(StoryKind::Node, node_host(node), None),
            Event::Operator { node, .. } => scene(StoryKind::Operator, node_host(node), None),
            Event::Issued { client, .. } | Event::Ended { client, .. } => {
                scene(StoryKind::Command, client_host(client), None)
            }
            Event::Hop { client, from, .. } => scene(
                StoryKind::Command,
                client_host(client),
                Some(node_host(from)),
            ),
            Event::Fault { from, to, .. } => {
                scene(StoryKind::Fault, from, (from != to).then_some(to))
            }
        }
    }

    fn line(&self, record: &Record, scene: &Scene) -> StoryLine {
        let (command, bounce) = match record.event {
            Event::Issued { command, .. } | Event::Ended { command, .. } => (Some(command), false),
            Event::Hop {
                command, bounce, ..
            } => (Some(command), bounce),
            Event::Dialled { .. }
            | Event::Connected { .. }
            | Event::ConnectFailed { .. }
            | Event::Delivered { .. }
            | Event::Closed { .. }
            | Event::Gate { .. }
            | Event::Released { .. }
            | Event::Role { .. }
            | Event::Failover { .. }
            | Event::Operator { .. }
            | Event::Fault { .. } => (None, false),
        };
        StoryLine {
            at_ns: record.at.nanos(),
            kind: scene.kind,
            who: self.names.host(scene.who),
            other: scene.other.map(|host| self.names.host(host)),
            command,
            bounce,
            words: self.words(record),
        }
    }

    fn words(&self, record: &Record) -> String {
        let names = self.names;
        match record.event {
            Event::Dialled { to, .. } => format!("dials {}", names.host(to)),
            Event::Connected { to, .. } => format!("is connected to {}", names.host(to)),
            Event::ConnectFailed { to, why, .. } => format!(
                "cannot connect to {}: {}",
                names.host(to),
                words::connect_failure(why)
            ),
            Event::Closed { from, how, .. } => format!(
                "learns that its connection with {} is {}",
                names.host(from),
                words::closing(how)
            ),
            Event::Delivered {
                from,
                sent_at,
                message,
                ..
            } => format!(
                "receives {} from {}, sent {} before",
                self.message(message),
                names.host(from),
                record.at.since(sent_at)
            ),
            Event::Gate {
                node,
                peer,
                command,
                verdict,
                belief,
            } => format!(
                "is asked {} by {}: {} (it is {})",
                command.name(),
                names.host(peer),
                self.verdict(verdict),
                words::belief(names, belief, self.primaries[usize::from(node.0)])
            ),
            Event::Released { commands, .. } => format!(
                "runs {} again that it had postponed",
                words::count(u64::from(commands), "command")
            ),
            Event::Role {
                role,
                primary,
                link,
                replid,
                offset,
                ..
            } => {
                let link = words::link(link).map_or(String::new(), |link| format!(", {link}"));
                format!(
                    "is now {}{link} ({}, offset {offset})",
                    words::role(names, role, primary),
                    words::replid(replid)
                )
            }
            Event::Failover {
                state, target, how, ..
            } => words::failover(names, state, target, how),
            Event::Operator { command, reply, .. } => format!(
                "is told {} by the operator and answers {}",
                command.name(),
                words::reply(names, reply)
            ),
            Event::Issued { command, kind, .. } => {
                format!("issues {} #{command}", kind.name())
            }
            Event::Hop {
                client,
                command,
                from,
                to,
                hops,
                bounce,
                ..
            } => {
                let what = self
                    .kinds
                    .get(&(client, command))
                    .map_or("command", |k| k.name());
                let to = names.listener(to);
                let tail = if bounce {
                    format!("back to {to}: BOUNCE ({to} had already redirected it)")
                } else {
                    format!("from {} to {to}", names.node(from))
                };
                format!("follows redirect {hops} of {what} #{command} {tail}")
            }
            Event::Ended {
                command,
                kind,
                outcome,
                hops,
                bounces,
                took,
                ..
            } => {
                let mut text = format!(
                    "{} #{command} {} after {took}",
                    kind.name(),
                    words::outcome(outcome)
                );
                if hops > 0 {
                    text.push_str(&format!(
                        ", {} and {}",
                        words::count(u64::from(hops), "redirect"),
                        words::count(u64::from(bounces), "bounce")
                    ));
                }
                text
            }
            Event::Fault { kind, from, to } => {
                let to = (from != to).then(|| names.host(to));
                format!("FAULT: {}", words::fault(kind, to.as_deref()))
            }
        }
    }

    fn message(&self, message: MessageKind) -> String {
        match message {
            MessageKind::Request(request) => words::command(self.names, request.command),
            MessageKind::Reply(_, reply) => words::reply(self.names, reply),
            MessageKind::Stream(end) => format!("the replication stream up to {end}"),
            MessageKind::Snapshot => "a snapshot".to_owned(),
        }
    }

    fn verdict(&self, verdict: GateVerdict) -> String {
        match verdict {
            GateVerdict::Passed => "all gates let it pass".to_owned(),
            GateVerdict::Redirected(gate, to) => format!(
                "gate {} redirects it to {}",
                gate.name(),
                self.names.address(to)
            ),
            GateVerdict::Postponed(gate) => format!("gate {} postpones it", gate.name()),
            GateVerdict::Rejected(gate, error) => {
                format!("gate {} rejects it with {}", gate.name(), error.text())
            }
        }
    }
}

/// Whether a message between nodes is part of how one becomes the other's replica.
fn is_handshake(message: MessageKind) -> bool {
    match message {
        MessageKind::Request(request) => match request.command.kind() {
            CommandKind::ReplConf => !matches!(request.command, Command::ReplConfAck(_)),
            CommandKind::Ping | CommandKind::Psync => true,
            CommandKind::Get
            | CommandKind::MGet
            | CommandKind::Set
            | CommandKind::Incr
            | CommandKind::Del
            | CommandKind::LPush
            | CommandKind::BlPop
            | CommandKind::Multi
            | CommandKind::Exec
            | CommandKind::Discard
            | CommandKind::Subscribe
            | CommandKind::Publish
            | CommandKind::Info
            | CommandKind::Role
            | CommandKind::Wait
            | CommandKind::ClientCapa
            | CommandKind::ClientPause
            | CommandKind::ClientUnpause
            | CommandKind::ReadOnly
            | CommandKind::ReadWrite
            | CommandKind::Failover
            | CommandKind::ReplicaOf => false,
        },
        MessageKind::Reply(_, reply) => reply != Reply::NewLine,
        MessageKind::Snapshot => true,
        MessageKind::Stream(_) => false,
    }
}
