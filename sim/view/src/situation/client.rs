//! What is known of a client.

use std::collections::BTreeMap;

use super::shape::{ClientState, CommandState};
use rebound_engine::Time;
use rebound_net::{ConnId, HostId};
use rebound_sim::client::{ClientId, CommandOutcome};
use rebound_sim::scenario::Names;
use rebound_sim::valkey::{Addr, CommandKind, Gate, GateVerdict, NodeId};

#[derive(Clone, Debug, Default)]
pub(super) struct ClientNow {
    connections: BTreeMap<(u32, u32), Connection>,
    /// How many connections there are to each host: open, and being dialled.
    hosts: BTreeMap<HostId, [u64; 2]>,
    open: Vec<Open>,
    served: u64,
    failed: u64,
    hops: u64,
    bounces: u64,
}

/// Places in the counts of connections.
const OPEN: usize = 0;
const DIALLING: usize = 1;

fn key(conn: ConnId) -> (u32, u32) {
    (conn.index, conn.generation)
}

#[derive(Copy, Clone, Debug)]
struct Connection {
    to: HostId,
    established: bool,
}

#[derive(Copy, Clone, Debug)]
struct Open {
    number: u32,
    kind: CommandKind,
    issued_at: Time,
    hops: u32,
    bounces: u32,
    now: Whereabouts,
}

/// What became of a command last.
#[derive(Copy, Clone, Debug)]
enum Whereabouts {
    Issued,
    /// It passed all gates: its reply is on its way, or it blocks, or it is queued in a
    /// transaction.
    Passed(NodeId),
    Postponed(NodeId, Gate),
    Redirected(NodeId, Gate, Addr),
    Rejected(NodeId, Gate),
    /// The client goes where a redirect led.
    Follows(NodeId, Addr),
    /// The client does not believe a redirect.
    Ignores(NodeId),
}

impl ClientNow {
    pub(super) fn dials(&mut self, conn: ConnId, to: HostId) {
        let dialled = Connection {
            to,
            established: false,
        };
        self.connections.insert(key(conn), dialled);
        self.hosts.entry(to).or_default()[DIALLING] += 1;
    }

    pub(super) fn is_connected(&mut self, conn: ConnId) {
        if let Some(found) = self.connections.get_mut(&key(conn))
            && !found.established
        {
            found.established = true;
            let counts = self.hosts.entry(found.to).or_default();
            counts[DIALLING] -= 1;
            counts[OPEN] += 1;
        }
    }

    pub(super) fn cannot_connect(&mut self, to: HostId) {
        let mut all = self.connections.iter();
        let failed = all.find(|(_, c)| c.to == to && !c.established);
        if let Some(key) = failed.map(|(key, _)| *key) {
            self.forget(key);
        }
    }

    pub(super) fn is_disconnected(&mut self, conn: ConnId) {
        self.forget(key(conn));
    }

    fn forget(&mut self, key: (u32, u32)) {
        if let Some(gone) = self.connections.remove(&key) {
            let place = if gone.established { OPEN } else { DIALLING };
            let counts = self.hosts.entry(gone.to).or_default();
            counts[place] -= 1;
        }
    }

    pub(super) fn issues(&mut self, number: u32, kind: CommandKind, at: Time) {
        self.open.push(Open {
            number,
            kind,
            issued_at: at,
            hops: 0,
            bounces: 0,
            now: Whereabouts::Issued,
        });
    }

    pub(super) fn is_judged(&mut self, number: u32, node: NodeId, verdict: GateVerdict) {
        let Some(open) = self.open.iter_mut().find(|open| open.number == number) else {
            return;
        };
        open.now = match verdict {
            GateVerdict::Passed => Whereabouts::Passed(node),
            GateVerdict::Postponed(gate) => Whereabouts::Postponed(node, gate),
            GateVerdict::Redirected(gate, to) => Whereabouts::Redirected(node, gate, to),
            GateVerdict::Rejected(gate, _) => Whereabouts::Rejected(node, gate),
        };
    }

    pub(super) fn follows(
        &mut self,
        number: u32,
        (from, to): (NodeId, Addr),
        hops: u32,
        bounce: bool,
    ) {
        self.hops += 1;
        self.bounces += u64::from(bounce);
        if let Some(open) = self.open.iter_mut().find(|open| open.number == number) {
            open.hops = hops;
            open.bounces += u32::from(bounce);
            open.now = Whereabouts::Follows(from, to);
        }
    }

    pub(super) fn ignores(&mut self, number: u32, from: NodeId) {
        if let Some(open) = self.open.iter_mut().find(|open| open.number == number) {
            open.now = Whereabouts::Ignores(from);
        }
    }

    pub(super) fn ends(&mut self, number: u32, outcome: CommandOutcome) {
        match outcome {
            CommandOutcome::Served => self.served += 1,
            CommandOutcome::Error(_)
            | CommandOutcome::Redirect
            | CommandOutcome::TimedOut
            | CommandOutcome::Disconnected
            | CommandOutcome::Unreachable => self.failed += 1,
        }
        self.open.retain(|open| open.number != number);
    }

    pub(super) fn state(&self, names: Names<'_>, client: ClientId) -> ClientState {
        let to = |place: usize| {
            let there = self
                .hosts
                .iter()
                .filter(move |(_, counts)| counts[place] > 0);
            let mut to: Vec<_> = there.map(|(host, _)| names.host(*host)).collect();
            to.sort_unstable();
            to
        };
        ClientState {
            client: names.client(client),
            connected_to: to(OPEN),
            connections: self.hosts.values().map(|counts| counts[OPEN]).sum(),
            dialling: to(DIALLING),
            open: self.open.iter().map(|open| open.state(names)).collect(),
            served: self.served,
            failed: self.failed,
            hops: self.hops,
            bounces: self.bounces,
        }
    }
}

impl Open {
    fn state(&self, names: Names<'_>) -> CommandState {
        let now = match self.now {
            Whereabouts::Issued => "issued".to_owned(),
            Whereabouts::Passed(node) => format!("passed all gates of {}", names.node(node)),
            Whereabouts::Postponed(node, gate) => {
                format!("postponed by {} ({})", names.node(node), gate.name())
            }
            Whereabouts::Redirected(node, gate, to) => format!(
                "redirected by {} to {} ({})",
                names.node(node),
                names.listener(to),
                gate.name()
            ),
            Whereabouts::Rejected(node, gate) => {
                format!("rejected by {} ({})", names.node(node), gate.name())
            }
            Whereabouts::Follows(from, to) => format!(
                "follows a redirect of {} to {}",
                names.node(from),
                names.listener(to)
            ),
            Whereabouts::Ignores(from) => {
                format!("ignores a redirect of {} as out of date", names.node(from))
            }
        };
        CommandState {
            command: format!("{} #{}", self.kind.name(), self.number),
            issued_at_ns: self.issued_at.nanos(),
            hops: self.hops,
            bounces: self.bounces,
            now,
        }
    }
}
