//! A record in words, with what is remembered of the run.

use super::cluster;
use crate::run::{Ask, Run, Said};
use crate::words;
use rebound_engine::{Duration, Time};
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::client::Note as ClientNote;
use rebound_sim::scenario::{Action, Names, Plan};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{
    Behaviour, Belief, Command, CommandKind, ErrorKind, FailoverState, Flags, Gate, GateVerdict,
    Message, NodeId, Note as NodeNote, ReplOp, Reply, Role,
};

/// A message that took less is not worth saying how long it took.
const SLOW: Duration = Duration::millis(5);

/// Puts records into words.
pub(super) struct Phrases<'r> {
    pub names: Names<'r>,
    /// The run, which has the record in hand.
    pub run: &'r Run,
    /// Whether what says little is left out.
    pub condensed: bool,
}

impl Phrases<'_> {
    /// What happens, to be read after the name of the host that it happens to.
    pub(super) fn words(&self, record: &Record) -> String {
        let names = self.names;
        match record.event {
            Event::Net(NetNote::Dialled { from, to, .. }) => {
                format!("dials {}{}", names.host(to), self.why_now(from, record.at))
            }
            Event::Net(NetNote::Connected { to, .. }) => {
                format!("is connected to {}", names.host(to))
            }
            Event::Net(NetNote::ConnectFailed { to, why, .. }) => format!(
                "cannot connect to {}: {}",
                names.host(to),
                words::connect_failure(why)
            ),
            Event::Net(NetNote::Closed { from, how, .. }) => format!(
                "learns that its connection with {} is {}{}",
                names.host(from),
                words::closing(how),
                self.why_now(from, record.at)
            ),
            Event::Net(NetNote::Delivered {
                from,
                sent_at,
                message,
                ..
            }) => {
                let lag = record.at.since(sent_at);
                let message = self.message(message);
                if self.condensed && lag < SLOW {
                    format!("receives {message} from {}", names.host(from))
                } else {
                    format!(
                        "receives {message} from {}, sent {lag} before",
                        names.host(from)
                    )
                }
            }
            Event::Node(
                node,
                NodeNote::Gate {
                    peer,
                    command,
                    verdict,
                    belief,
                    ..
                },
            ) => self.gate(node, peer, command, verdict, belief),
            Event::Node(_, NodeNote::Released { commands, .. }) => format!(
                "runs {} again that it had postponed",
                words::count(u64::from(commands), "command")
            ),
            Event::Node(node, NodeNote::Role { replid, offset, .. }) => format!(
                "{} ({}, offset {offset}){}",
                self.role(node),
                words::replid(replid),
                self.primaries(node)
            ),
            Event::Node(
                _,
                NodeNote::Failover {
                    state, target, how, ..
                },
            ) => words::failover(names, state, target, how),
            Event::Sentinel { what, node } => words::sentinel(what, names.node(node)),
            Event::Node(node, NodeNote::Cluster(what)) => cluster::event(names, node, what),
            Event::Node(node, NodeNote::Operator { command, reply }) => {
                let told = operator_command(self.run.plan(), node, command);
                let told = told.map_or(command.name().to_owned(), |told| {
                    words::command(names, told)
                });
                format!(
                    "answers the operator's {told}: {}",
                    words::reply(names, reply)
                )
            }
            Event::Client(_, ClientNote::Issued { command, kind, .. }) => {
                format!("issues {} #{command}", kind.name())
            }
            Event::Client(
                _,
                ClientNote::Element {
                    command,
                    from,
                    key,
                    value,
                    ..
                },
            ) => format!(
                "is told by {}, for MGET #{command}: key {key} has {}",
                names.listener(from),
                words::value(value)
            ),
            Event::Client(
                _,
                ClientNote::Hop {
                    command,
                    kind,
                    from,
                    to,
                    via,
                    hops,
                    bounce,
                    ..
                },
            ) => {
                let what = kind.name();
                let (from, to) = (names.node(from), names.listener(to));
                let by = via.slot().map_or(String::new(), |_| format!("{via}, "));
                if bounce {
                    format!(
                        "follows {by}redirect {hops} of {what} #{command} from {from} back to {to}: BOUNCE \
                         ({to} had already redirected it)"
                    )
                } else {
                    format!("follows {by}redirect {hops} of {what} #{command} from {from} to {to}")
                }
            }
            Event::Client(
                _,
                ClientNote::Ignored {
                    command,
                    kind,
                    from,
                    to,
                    said,
                    known,
                    ..
                },
            ) => {
                let what = kind.name();
                let (from, to) = (names.node(from), names.listener(to));
                let why = if said < known {
                    "is older than"
                } else {
                    "contradicts"
                };
                format!(
                    "ignores the redirect of {what} #{command} from {from} to {to}: its epoch \
                     {said} {why} the {known} that the client knows; it will ask {from} again"
                )
            }
            Event::Client(
                _,
                ClientNote::Ended {
                    command,
                    kind,
                    outcome,
                    hops,
                    bounces,
                    took,
                    ..
                },
            ) => {
                let outcome = words::outcome(outcome);
                let mut text = format!(
                    "{} #{command} {outcome}, {took} after it was issued",
                    kind.name()
                );
                if hops > 0 {
                    text.push_str(&format!(
                        ", after {} and {}",
                        words::count(u64::from(hops), "redirect"),
                        words::count(u64::from(bounces), "bounce")
                    ));
                }
                text
            }
            Event::Fault { kind, from, to, .. } => {
                let to = (from != to).then(|| names.host(to));
                format!("FAULT: {}", words::fault(kind, to.as_deref()))
            }
        }
    }

    /// A client that opens or closes a connection while a command waits: what waits.
    fn why_now(&self, host: HostId, at: Time) -> String {
        let client = self.run.client_at(host);
        let stalled = client.and_then(|client| self.run.stalled(client));
        stalled.map_or(String::new(), |command| {
            format!(
                " (nothing has come of {} #{} for {})",
                command.kind.name(),
                command.number,
                at.since(command.last)
            )
        })
    }

    pub(super) fn message(&self, message: Message) -> String {
        match message {
            Message::Request(request) => words::command(self.names, request.command),
            Message::Reply { reply, .. } => words::reply(self.names, reply),
            Message::Stream(entry) => match entry.op {
                ReplOp::HandOver(target) => format!(
                    "\"a failover to {} is in progress\" in the replication stream, up to {}",
                    self.names.listener(target),
                    entry.end
                ),
                ReplOp::HandOverOff => format!(
                    "\"the failover is cancelled\" in the replication stream, up to {}",
                    entry.end
                ),
                ReplOp::Ping
                | ReplOp::GetAck
                | ReplOp::Set(..)
                | ReplOp::Incr(..)
                | ReplOp::Del(..)
                | ReplOp::LPush(..)
                | ReplOp::LPop(..)
                | ReplOp::Publish(_)
                | ReplOp::RPush(..)
                | ReplOp::XAdd(..)
                | ReplOp::FlushAll(_)
                | ReplOp::ExpireAt(..)
                | ReplOp::Expired(_) => {
                    format!("the replication stream up to {}", entry.end)
                }
            },
            Message::Snapshot(_) => "a snapshot".to_owned(),
            Message::Bus(message) => format!("{} on the cluster bus", message.kind.name()),
        }
    }

    /// What a node is now, and what has changed.
    fn role(&self, node: NodeId) -> String {
        let node = self.run.node(node);
        let Some(now) = node.said() else {
            return String::new();
        };
        let is = words::role(self.names, now.role, now.primary);
        let link = now
            .link
            .name()
            .map_or(String::new(), |link| format!(", link {link}"));
        match node.said_before() {
            None => format!("starts as {is}{link}"),
            Some(Said { role, .. }) if role != now.role => match now.role {
                Role::Primary => format!("promotes itself: it is {is} now{link}"),
                Role::Replica => format!("demotes itself: it is {is} now{link}"),
            },
            Some(before) if before.primary != now.primary => format!("is {is} now{link}"),
            Some(_) => format!("is {is}{link}"),
        }
    }

    /// After a change of roles, who is a primary, if it is not one node that is.
    fn primaries(&self, changed: NodeId) -> String {
        let node = self.run.node(changed);
        let role = |said: Said| said.role;
        let before = node.said_before().map(role);
        if before.is_none() || before == node.said().map(role) {
            return String::new();
        }
        let mut primaries = Vec::new();
        let mut replicas = Vec::new();
        for (id, node) in self.run.nodes() {
            match node.said() {
                Some(Said {
                    role: Role::Primary,
                    ..
                }) => primaries.push(self.names.node(id)),
                Some(Said {
                    role: Role::Replica,
                    primary,
                    ..
                }) if id != changed => {
                    let is = words::role(self.names, Role::Replica, primary);
                    replicas.push(format!("{} is {is}", self.names.node(id)));
                }
                Some(Said {
                    role: Role::Replica,
                    ..
                })
                | None => {}
            }
        }
        match primaries[..] {
            [] if replicas.is_empty() => "; no node is a primary".to_owned(),
            [] => format!("; no node is a primary, since {}", replicas.join(" and ")),
            [_] => String::new(),
            _ => format!("; now {} are primaries", primaries.join(" and ")),
        }
    }

    fn gate(
        &self,
        node: NodeId,
        peer: HostId,
        kind: CommandKind,
        verdict: GateVerdict,
        belief: Belief,
    ) -> String {
        let names = self.names;
        let name = kind.name();
        let peer = names.host(peer);
        let asked = match self.run.asked() {
            None => format!("is asked {name} by {peer}"),
            Some(asked) => {
                let number = asked.number;
                match asked.ask {
                    Ask::First => format!("is asked {name} #{number} by {peer}"),
                    Ask::Part => format!("is asked {name} of #{number} by {peer}"),
                    Ask::Again => format!("is asked {name} #{number} by {peer} again"),
                    Ask::Resumed => format!("looks again at {name} #{number} of {peer}"),
                }
            }
        };
        let node_name = names.node(node);
        let is = words::belief(names, belief, self.run.node(node).is.primary);
        match verdict {
            GateVerdict::Passed => {
                format!("{asked}: all gates let it pass ({node_name} is {is})")
            }
            GateVerdict::Redirected(gate, to) => format!(
                "{asked}: gate {} redirects it to {}, because {node_name} is {is} and {}",
                gate.name(),
                names.address(to),
                self.why_redirected(node, gate, kind, belief)
            ),
            GateVerdict::Postponed(gate) => format!(
                "{asked}: gate {} postpones it, because {} ({node_name} is {is})",
                gate.name(),
                why_postponed(gate, belief)
            ),
            GateVerdict::Rejected(gate, error) => format!(
                "{asked}: gate {} rejects it with {}, because {} ({node_name} is {is})",
                gate.name(),
                error.text(),
                why_rejected(gate, error)
            ),
        }
    }

    /// The rest of why a redirect is given, after what the node is.
    fn why_redirected(
        &self,
        node: NodeId,
        gate: Gate,
        kind: CommandKind,
        belief: Belief,
    ) -> String {
        let mut why = "the client said CLIENT CAPA redirect".to_owned();
        if !kind.flags().any(Flags::WRITE) && kind.flags().any(Flags::READ) {
            why.push_str(" and not READONLY");
        }
        if belief.failover == FailoverState::InProgress
            && pause_comes_after(gate, self.run.node(node).behaviour)
        {
            why.push_str("; the pause is looked at only later");
        }
        why
    }
}

/// The operator's command of this kind to this node with its arguments, if the scenario has only
/// one such.
fn operator_command(plan: &Plan, node: NodeId, kind: CommandKind) -> Option<Command> {
    let timeline = plan.timeline.iter().map(|item| &item.action);
    let faults = plan.faults.specs.iter().map(|spec| &spec.action);
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

fn pause_comes_after(gate: Gate, behaviour: &Behaviour) -> bool {
    let place = |wanted| behaviour.gates.iter().position(|gate| *gate == wanted);
    place(Gate::ClientPause) > place(gate)
}

fn why_postponed(gate: Gate, belief: Belief) -> &'static str {
    match gate {
        Gate::StandaloneRedirect => match belief.failover {
            FailoverState::InProgress => "its failover is in progress and will say where to",
            FailoverState::NoFailover | FailoverState::WaitForSync => {
                "its primary has announced a failover to it"
            }
        },
        Gate::ClientPause => match belief.failover {
            FailoverState::NoFailover => "of CLIENT PAUSE",
            FailoverState::WaitForSync | FailoverState::InProgress => {
                "writes are paused for the failover"
            }
        },
        Gate::Authentication
        | Gate::NoMulti
        | Gate::MinReplicas
        | Gate::ReadOnlyReplica
        | Gate::PubSubContext
        | Gate::StaleData
        | Gate::Loading
        | Gate::ClusterRedirect => "of the node's state",
    }
}

fn why_rejected(gate: Gate, error: ErrorKind) -> &'static str {
    match gate {
        Gate::Authentication => "the connection has not said AUTH",
        Gate::NoMulti => "it may not be queued in a transaction",
        Gate::StandaloneRedirect => "the node is a replica",
        Gate::MinReplicas => "too few replicas are connected",
        Gate::ReadOnlyReplica => "a replica does not accept writes",
        Gate::PubSubContext => "a subscriber may only use a few commands",
        Gate::StaleData => "the link to the primary is not up and stale data is not served",
        Gate::Loading => "a snapshot is being loaded",
        Gate::ClientPause => error.code(),
        Gate::ClusterRedirect => cluster::why_rejected(error),
    }
}

/// Whether a message between nodes is part of how one becomes the other's replica.
pub(crate) fn is_handshake(message: Message) -> bool {
    match message {
        Message::Request(request) => {
            !matches!(request.command, Command::ReplConfAck(_))
                && matches!(
                    request.command.kind(),
                    CommandKind::Ping
                        | CommandKind::ReplConf
                        | CommandKind::Psync
                        | CommandKind::Auth
                )
        }
        Message::Reply { reply, .. } => reply != Reply::NewLine,
        Message::Snapshot(_) => true,
        Message::Stream(entry) => {
            matches!(entry.op, ReplOp::HandOver(_) | ReplOp::HandOverOff)
        }
        Message::Bus(_) => false,
    }
}
