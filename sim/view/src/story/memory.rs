//! What a story has to remember of a run to put its next record into words.

use std::collections::BTreeMap;

use rebound_engine::{Duration, Time};
use rebound_net::HostId;
use rebound_sim::client::{ClientId, Note as ClientNote};
use rebound_sim::scenario::{Action, HostRole, Names, Plan};
use rebound_sim::trace::{Event, FaultKind, Record};
use rebound_sim::valkey::{
    Addr, Behaviour, Command, CommandKind, GateVerdict, LinkState, NodeId, Note as NodeNote, Role,
};

/// How long a command goes without anything happening to it before a story mentions that.
const STALLED: Duration = Duration::millis(100);

/// What a node last said of itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub role: Role,
    pub primary: Option<Addr>,
    pub link: LinkState,
}

/// A node.
#[derive(Copy, Clone, Debug)]
pub(super) struct NodeMemory {
    /// What it said last; nothing before it has said anything, nor while its process is dead.
    pub now: Option<Known>,
    /// What it had said before that.
    pub before: Option<Known>,
    /// The behaviour that it follows.
    pub behaviour: &'static Behaviour,
}

/// A command without an end.
#[derive(Copy, Clone, Debug)]
pub(super) struct Open {
    pub kind: CommandKind,
    /// When anything last happened to it.
    pub last: Time,
    pub hops: u32,
    /// How often a server was asked.
    asks: u32,
    /// Whether a server has it among its postponed commands.
    postponed: bool,
}

/// What a server's looking at a command means to the command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// It was to be expected: the command is new, or a redirect was followed.
    First,
    /// The client has sent it again.
    Again,
    /// The server had postponed it.
    Resumed,
    /// It is asked a part of a transaction.
    Part,
}

/// An application's command that a server looks at.
#[derive(Copy, Clone, Debug)]
pub(super) struct Asked {
    pub number: u32,
    pub hops: u32,
    pub ask: Ask,
}

/// Everything remembered.
#[derive(Clone)]
pub(super) struct Memory<'a> {
    names: Names<'a>,
    plan: &'a Plan,
    pub nodes: Vec<NodeMemory>,
    open: BTreeMap<(ClientId, u32), Open>,
    /// The command that the record in hand is about, if it is a gate's.
    pub asked: Option<Asked>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(plan: &'a Plan, behaviour: &'static Behaviour) -> Memory<'a> {
        let node = |node: &rebound_sim::scenario::NodePlan| NodeMemory {
            now: None,
            before: None,
            behaviour: node.behaviour.unwrap_or(behaviour),
        };
        Memory {
            names: Names::new(plan),
            plan,
            nodes: plan.nodes.iter().map(node).collect(),
            open: BTreeMap::new(),
            asked: None,
        }
    }

    pub(super) fn node(&self, node: NodeId) -> &NodeMemory {
        &self.nodes[usize::from(node.0)]
    }

    /// The node's primary: what it said, or what it was told to begin with.
    pub(super) fn primary(&self, node: NodeId) -> Option<Addr> {
        match self.node(node).now {
            Some(known) => known.primary,
            None => self.names.first_primary(node),
        }
    }

    pub(super) fn client(&self, host: HostId) -> Option<ClientId> {
        match self.names.role(host) {
            HostRole::Node(_) | HostRole::Operator | HostRole::Sentinel => None,
            HostRole::Client(client) => Some(client),
        }
    }

    pub(super) fn kind(&self, client: ClientId, command: u32) -> Option<CommandKind> {
        self.open.get(&(client, command)).map(|open| open.kind)
    }

    fn open_of(&self, client: ClientId) -> impl Iterator<Item = (u32, &Open)> {
        let range = (client, 0)..=(client, u32::MAX);
        let open = self.open.range(range);
        open.map(|((_, number), open)| (*number, open))
    }

    /// The client's oldest command that nothing has happened to for a while, and for how long.
    pub(super) fn stalled(
        &self,
        client: ClientId,
        now: Time,
    ) -> Option<(u32, CommandKind, Duration)> {
        let mut waiting = self
            .open_of(client)
            .map(|(number, open)| (number, open.kind, now.since(open.last)));
        waiting.find(|(_, _, since)| *since >= STALLED)
    }

    /// The operator's command of this kind to this node with its arguments, if the scenario has
    /// only one such.
    pub(super) fn operator_command(&self, node: NodeId, kind: CommandKind) -> Option<Command> {
        let timeline = self.plan.timeline.iter().map(|item| &item.action);
        let faults = self.plan.faults.specs.iter().map(|spec| &spec.action);
        let mut found = None;
        for action in timeline.chain(faults) {
            let Action::Operator(at, commands) = action else {
                continue;
            };
            for command in commands.iter().filter(|command| command.kind() == kind) {
                if *at == node && found.is_some_and(|other| other != *command) {
                    return None;
                }
                if *at == node {
                    found = Some(*command);
                }
            }
        }
        found
    }

    /// Takes note of a record before it is told.
    pub(super) fn before(&mut self, record: &Record) {
        self.asked = None;
        match record.event {
            Event::Node(
                node,
                NodeNote::Role {
                    role,
                    primary,
                    link,
                    ..
                },
            ) => {
                let memory = &mut self.nodes[usize::from(node.0)];
                memory.before = memory.now;
                memory.now = Some(Known {
                    role,
                    primary,
                    link,
                });
            }
            Event::Fault { kind, from, to, .. } if from == to => self.process_fault(kind, from),
            Event::Client(client, ClientNote::Issued { command, kind, .. }) => {
                let open = Open {
                    kind,
                    last: record.at,
                    hops: 0,
                    asks: 0,
                    postponed: false,
                };
                self.open.insert((client, command), open);
            }
            Event::Client(client, ClientNote::Hop { command, hops, .. }) => {
                if let Some(open) = self.open.get_mut(&(client, command)) {
                    open.hops = hops;
                }
            }
            Event::Node(
                _,
                NodeNote::Gate {
                    peer,
                    number,
                    command,
                    verdict,
                    ..
                },
            ) => self.note_gate(peer, number, command, verdict),
            Event::Fault { .. }
            | Event::Net(_)
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Client(
                _,
                ClientNote::Ignored { .. } | ClientNote::Element { .. } | ClientNote::Ended { .. },
            )
            | Event::Sentinel { .. } => {}
        }
    }

    /// Takes note of a record after it was told.
    pub(super) fn after(&mut self, record: &Record) {
        match record.event {
            Event::Client(client, ClientNote::Ended { command, .. }) => {
                self.open.remove(&(client, command));
            }
            Event::Client(
                client,
                ClientNote::Hop { command, .. } | ClientNote::Ignored { command, .. },
            ) => self.touch(client, command, record.at),
            Event::Node(_, NodeNote::Gate { peer, .. }) => {
                if let (Some(client), Some(asked)) = (self.client(peer), self.asked) {
                    self.touch(client, asked.number, record.at);
                }
            }
            Event::Fault { .. }
            | Event::Net(_)
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Cluster(_)
                | NodeNote::Operator { .. },
            )
            | Event::Sentinel { .. }
            | Event::Client(_, ClientNote::Element { .. } | ClientNote::Issued { .. }) => {}
        }
    }

    fn touch(&mut self, client: ClientId, command: u32, at: Time) {
        if let Some(open) = self.open.get_mut(&(client, command)) {
            open.last = at;
        }
    }

    fn process_fault(&mut self, kind: FaultKind, host: HostId) {
        match kind {
            FaultKind::Crash | FaultKind::HostDown => {
                if let HostRole::Node(node) = self.names.role(host) {
                    let memory = &mut self.nodes[usize::from(node.0)];
                    memory.now = None;
                }
            }
            FaultKind::Cut
            | FaultKind::Clog
            | FaultKind::Spike
            | FaultKind::Loss
            | FaultKind::Reset
            | FaultKind::Refuse
            | FaultKind::Pause
            | FaultKind::Slow
            | FaultKind::Restart
            | FaultKind::HostUp
            | FaultKind::Healed => {}
        }
    }

    /// Takes note of what a gate makes of a command or of a part of it.
    fn note_gate(
        &mut self,
        peer: HostId,
        number: Option<u32>,
        kind: CommandKind,
        verdict: GateVerdict,
    ) {
        let (Some(client), Some(number)) = (self.client(peer), number) else {
            return;
        };
        let Some(open) = self.open.get_mut(&(client, number)) else {
            return;
        };
        let ask = if open.postponed {
            Ask::Resumed
        } else if open.kind != kind {
            Ask::Part
        } else if open.asks > open.hops {
            Ask::Again
        } else {
            Ask::First
        };
        if matches!(ask, Ask::First | Ask::Again) {
            open.asks = open.hops + 1;
        }
        open.postponed = match verdict {
            GateVerdict::Postponed(_) => true,
            GateVerdict::Passed | GateVerdict::Redirected(..) | GateVerdict::Rejected(..) => false,
        };
        self.asked = Some(Asked {
            number,
            hops: open.hops,
            ask,
        });
    }
}
