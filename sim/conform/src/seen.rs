//! What an onlooker sees of a run, be it one of the model or of real servers: the operator's
//! replies, what each node is one after the other, how nodes shake hands, and how commands end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::reply_text;
use rebound_engine::{Duration, Time};
use rebound_net::Note as NetNote;
use rebound_sim::client::{ClientId, CommandOutcome, Note as ClientNote};
use rebound_sim::scenario::{Occasion, Plan};
use rebound_sim::trace::{Event, FaultKind, Record, Sink};
use rebound_sim::valkey::{
    Addr, Command, CommandKind, FailoverState, LinkState, Message, NodeId, Note as NodeNote, Reply,
    Role,
};
use rebound_view::{Command as OpenCommand, Node, Run, Said};

/// How often something was seen, and when first.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Often {
    /// How often.
    pub count: u32,
    /// When first.
    pub first: Time,
}

/// What two nodes said to each other on one connection, until it was a replication stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// When it began.
    pub at: Time,
    /// What the node that dialled asked, in order.
    pub asks: Vec<String>,
    /// What it was answered, in order; several `+OK` in a row count as one.
    pub answers: Vec<String>,
}

impl Exchange {
    fn ask(&mut self, what: &str) {
        // Real servers say port and address one after the other.
        if self.asks.last().is_none_or(|last| last != what) {
            self.asks.push(what.to_owned());
        }
    }

    fn answer(&mut self, what: String) {
        if self.answers.last().is_none_or(|last| *last != what) {
            self.answers.push(what);
        }
    }
}

/// What is seen of a run. Records go in by [`Sink`], what is said between real servers by
/// [`Seen::asked`] and [`Seen::answered`].
#[derive(Clone, Debug)]
pub struct Seen {
    plan: Arc<Plan>,
    /// What happens before is the beginning, and looks different each time.
    begins: Time,
    /// Each node's commands by its operator, with their replies.
    pub operator: BTreeMap<NodeId, Vec<(Time, String)>>,
    /// What each node is, one after the other.
    pub states: Vec<Vec<(Time, String)>>,
    /// Exchanges by who dialled, whom, and a number of the connection.
    pub exchanges: BTreeMap<(NodeId, NodeId, u64), Exchange>,
    /// How commands ended, by group and class.
    pub commands: BTreeMap<(usize, String), Often>,
    run: Run,
    /// Connections that belong to the beginning.
    early: BTreeSet<(NodeId, NodeId, u64)>,
}

/// What nodes do before this to find together is not compared, unless the scenario begins earlier.
const BEGINNING: Time = Time(Duration::millis(900).0);

impl Seen {
    /// Nothing, yet.
    pub fn new(plan: &Arc<Plan>) -> Seen {
        let times = plan.timeline.iter().filter_map(|item| match item.occasion {
            Occasion::At(at) => Some(at + item.after),
            Occasion::When { .. } => None,
        });
        Seen {
            begins: times.min().unwrap_or(BEGINNING).min(BEGINNING),
            operator: BTreeMap::new(),
            states: vec![Vec::new(); plan.nodes.len()],
            exchanges: BTreeMap::new(),
            commands: BTreeMap::new(),
            run: Run::new(plan, plan.behaviour),
            early: BTreeSet::new(),
            plan: plan.clone(),
        }
    }

    /// A node has asked another something, on this connection.
    pub fn asked(&mut self, at: Time, ends: (NodeId, NodeId), link: u64, what: &str) {
        if let Some(exchange) = self.exchange(at, ends, link) {
            exchange.ask(what);
        }
    }

    /// A node has been answered.
    pub fn answered(&mut self, at: Time, ends: (NodeId, NodeId), link: u64, what: String) {
        if let Some(exchange) = self.exchange(at, ends, link) {
            exchange.answer(what);
        }
    }

    fn exchange(&mut self, at: Time, ends: (NodeId, NodeId), link: u64) -> Option<&mut Exchange> {
        let key = (ends.0, ends.1, link);
        if at < self.begins {
            self.early.insert(key);
        }
        if self.early.contains(&key) {
            return None;
        }
        let new = || Exchange {
            at,
            ..Exchange::default()
        };
        Some(self.exchanges.entry(key).or_insert_with(new))
    }

    /// The run is over: what has no end, and what each node is.
    pub fn end(&mut self) {
        let clients = self.run.clients();
        let open = clients.flat_map(|(id, client)| client.open().map(move |open| (id, open)));
        let open = open.map(|(id, command)| (id, command.kind, self.path(command)));
        for (client, kind, path) in open.collect::<Vec<_>>() {
            self.class(self.run.at(), client, kind, "unfinished", &path);
        }
    }

    /// What each node is at the end.
    pub(crate) fn last_states(&self) -> Vec<String> {
        let nodes = (0..self.plan.nodes.len() as u16).map(NodeId);
        nodes.map(|node| state(self.run.node(node))).collect()
    }

    fn node(&self, addr: Addr) -> String {
        match self.plan.addresses.node(addr) {
            Some(node) => self.plan.node_name(node).to_owned(),
            None => self.plan.addresses.text(addr),
        }
    }

    fn class(&mut self, at: Time, whose: ClientId, kind: CommandKind, how: &str, path: &[NodeId]) {
        let group = self.plan.group_of(whose.0).0;
        let way = match path {
            [] => String::new(),
            [_, _] => format!(" after 1 redirect, {}", self.way(path)),
            [_, _, _] => format!(" after 2 redirects, {}", self.way(path)),
            [..] => " after 3 redirects or more".to_owned(),
        };
        let class = format!("{} {how}{way}", kind.name());
        let often = self.commands.entry((group, class)).or_insert(Often {
            count: 0,
            first: at,
        });
        often.count += 1;
    }

    fn way(&self, path: &[NodeId]) -> String {
        let names: Vec<&str> = path.iter().map(|node| self.plan.node_name(*node)).collect();
        names.join(" > ")
    }

    /// The nodes by which a command came to where it is: no more than are told apart.
    fn path(&self, command: &OpenCommand) -> Vec<NodeId> {
        let from = command.path.first().map(|hop| hop.from);
        let to = command
            .path
            .iter()
            .filter_map(|hop| self.plan.addresses.node(hop.to));
        from.into_iter().chain(to).take(4).collect()
    }

    fn became(&mut self, at: Time, node: NodeId) {
        let place = usize::from(node.0);
        let state = state(self.run.node(node));
        let states = &mut self.states[place];
        if at < self.begins {
            states.clear();
        }
        // Of what a node is for no time at all, nobody can see anything.
        if states.last().is_some_and(|(since, _)| *since == at) {
            states.pop();
        }
        if states.last().is_none_or(|(_, last)| *last != state) {
            states.push((at, state));
        }
    }

    fn said(&mut self, at: Time, node: NodeId, command: CommandKind, reply: Reply) {
        if let Reply::Info { .. } = reply {
            return;
        }
        let told = reply_text(reply, |addr| self.node(addr));
        let said = format!("{} {told}", command.name());
        self.operator.entry(node).or_default().push((at, said));
    }

    fn delivered(&mut self, at: Time, ends: (NodeId, NodeId), link: u64, message: Message) {
        match message {
            Message::Request(request) => {
                if let Some(what) = asked(request.command) {
                    self.asked(at, ends, link, what);
                }
            }
            Message::Reply { reply, .. } => {
                if reply != Reply::NewLine {
                    let told = reply_text(reply, |addr| self.node(addr));
                    self.answered(at, (ends.1, ends.0), link, told);
                }
            }
            Message::Stream(_) | Message::Snapshot(_) | Message::Bus(_) => {}
        }
    }
}

/// What a node asks another while they shake hands, by one name per step; none for what belongs
/// to the stream.
fn asked(command: Command) -> Option<&'static str> {
    if command == Command::Ping {
        Some("PING")
    } else if let Command::ReplConfAddress(_) = command {
        Some("REPLCONF address")
    } else if command == Command::ReplConfCapa {
        Some("REPLCONF capa")
    } else if command == Command::ReplConfVersion {
        Some("REPLCONF version")
    } else if let Command::Psync { failover, .. } = command {
        Some(if failover { "PSYNC FAILOVER" } else { "PSYNC" })
    } else {
        None
    }
}

/// What a node is, in words.
fn state(node: &Node) -> String {
    let Some(Said { role, link, .. }) = node.said() else {
        return "not running".to_owned();
    };
    let role = match (role, link) {
        (Role::Primary, _) => "primary",
        (Role::Replica, LinkState::Up) => "replica, link up",
        (Role::Replica, LinkState::None | LinkState::Down | LinkState::Sync) => {
            "replica, link down"
        }
    };
    match node.failover {
        FailoverState::NoFailover => role.to_owned(),
        FailoverState::WaitForSync | FailoverState::InProgress => {
            // The link of a node that hands over comes and goes with the handshake.
            let role = role.split(',').next().unwrap_or(role);
            format!("{role}, {}", node.failover.name())
        }
    }
}

impl Sink for Seen {
    fn record(&mut self, record: &Record) {
        let at = record.at;
        self.run.observe(record);
        match record.event {
            Event::Node(node, NodeNote::Operator { command, reply }) => {
                self.said(at, node, command, reply)
            }
            Event::Node(node, NodeNote::Role { .. } | NodeNote::Failover { .. }) => {
                self.became(at, node);
            }
            Event::Fault {
                kind: FaultKind::Crash,
                from,
                ..
            } => self.became(at, NodeId(from.0 as u16)),
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    kind,
                    outcome,
                    ..
                },
            ) => {
                let command = self.run.client(client).command(command);
                let path = command.map(|command| self.path(command));
                let how = match outcome {
                    CommandOutcome::Served => "served",
                    CommandOutcome::Error(error) => error.text(),
                    CommandOutcome::Redirect => "fails with a redirect",
                    CommandOutcome::TimedOut => "fails without a reply in time",
                    CommandOutcome::Disconnected => "fails with its connection",
                    CommandOutcome::Unreachable => "fails without a connection",
                };
                self.class(at, client, kind, how, &path.unwrap_or_default());
            }
            Event::Net(NetNote::Delivered {
                conn,
                from,
                to,
                message,
                ..
            }) => {
                let nodes = self.plan.nodes.len() as u32;
                if from.0 < nodes && to.0 < nodes {
                    let link = u64::from(conn.index) | u64::from(conn.generation) << 32;
                    let ends = (NodeId(from.0 as u16), NodeId(to.0 as u16));
                    self.delivered(at, ends, link, message);
                }
            }
            Event::Net(
                NetNote::Dialled { .. }
                | NetNote::Connected { .. }
                | NetNote::ConnectFailed { .. }
                | NetNote::Closed { .. },
            )
            | Event::Node(
                _,
                NodeNote::Gate { .. } | NodeNote::Released { .. } | NodeNote::Cluster(_),
            )
            | Event::Sentinel { .. }
            | Event::Client(
                _,
                ClientNote::Issued { .. }
                | ClientNote::Hop { .. }
                | ClientNote::Element { .. }
                | ClientNote::Ignored { .. },
            )
            | Event::Fault { .. } => {}
        }
    }
}
