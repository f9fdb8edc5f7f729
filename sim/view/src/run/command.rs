//! What is known of a command that a client has issued.

use std::collections::VecDeque;

use super::wire::FlightId;
use rebound_engine::Time;
use rebound_sim::client::CommandOutcome;
use rebound_sim::valkey::{Addr, CommandKind, Gate, GateVerdict, NodeId};

/// Redirects of a command that are kept one by one.
const HOPS_KEPT: usize = 12;

/// A redirect that a client has followed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// When.
    pub at: Time,
    /// Who redirected it.
    pub from: NodeId,
    /// Where to.
    pub to: Addr,
}

/// What became of a command last.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
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

/// What a server's looking at a command means to the command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// It was to be expected: the command is new, or a redirect was followed.
    First,
    /// The client has sent it again.
    Again,
    /// The server had postponed it.
    Resumed,
    /// It is asked a part of a transaction.
    Part,
}

/// A message that arrived: the record of its arrival, by number, and the message, if its sending
/// was seen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub record: u64,
    pub flight: Option<FlightId>,
}

/// A command, from its issue to the record after its end.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its number with its client.
    pub number: u32,
    /// What it is.
    pub kind: CommandKind,
    /// When it was issued.
    pub issued_at: Time,
    /// Redirects that it has met.
    pub hops: u32,
    /// Those that led back.
    pub bounces: u32,
    /// The first redirects.
    pub path: Vec<Hop>,
    /// How it has ended, if it has: with the record in hand.
    pub outcome: Option<CommandOutcome>,
    /// Whether a server has postponed it at some time.
    pub postponed: bool,
    /// When anything last happened to it.
    pub(crate) last: Time,
    pub(crate) now: Whereabouts,
    /// The redirect that has reached the client last, unless that has followed it.
    pub(super) redirect: Option<Arrival>,
    /// How often a server was asked.
    asks: u32,
    /// What servers have decided about it, by the number of the record, and the client has not
    /// heard: each decision is a reply.
    decisions: VecDeque<(NodeId, u64)>,
}

impl Command {
    pub(super) fn issued(number: u32, kind: CommandKind, at: Time) -> Command {
        Command {
            number,
            kind,
            issued_at: at,
            hops: 0,
            bounces: 0,
            path: Vec::new(),
            outcome: None,
            postponed: false,
            last: at,
            now: Whereabouts::Issued,
            redirect: None,
            asks: 0,
            decisions: VecDeque::new(),
        }
    }

    /// A server's gates have looked at it, or at a part of it.
    pub(super) fn judged(
        &mut self,
        (at, record): (Time, u64),
        node: NodeId,
        kind: CommandKind,
        verdict: GateVerdict,
    ) -> Ask {
        let resumed = matches!(self.now, Whereabouts::Postponed(by, _) if by == node);
        let ask = if resumed {
            Ask::Resumed
        } else if self.kind != kind {
            Ask::Part
        } else if self.asks > self.hops {
            Ask::Again
        } else {
            Ask::First
        };
        if matches!(ask, Ask::First | Ask::Again) {
            self.asks = self.hops + 1;
        }
        self.last = at;
        self.now = match verdict {
            GateVerdict::Passed => Whereabouts::Passed(node),
            GateVerdict::Postponed(gate) => Whereabouts::Postponed(node, gate),
            GateVerdict::Redirected(gate, to) => Whereabouts::Redirected(node, gate, to),
            GateVerdict::Rejected(gate, _) => Whereabouts::Rejected(node, gate),
        };
        match verdict {
            GateVerdict::Postponed(_) => self.postponed = true,
            GateVerdict::Passed | GateVerdict::Redirected(..) | GateVerdict::Rejected(..) => {
                self.decisions.push_back((node, record));
            }
        }
        ask
    }

    /// A reply of a server arrives: the record of the decision that it tells, if that is known.
    pub(super) fn answered(&mut self, node: NodeId) -> Option<u64> {
        let first = self.decisions.iter().position(|(by, _)| *by == node)?;
        self.decisions.remove(first).map(|(_, record)| record)
    }

    /// A connection with a server is over: what that has decided on it is not heard any more.
    pub(super) fn cut_off(&mut self, node: NodeId) {
        self.decisions.retain(|(by, _)| *by != node);
    }

    /// The client follows a redirect: the one that has just arrived.
    pub(super) fn followed(
        &mut self,
        at: Time,
        (from, to): (NodeId, Addr),
        hops: u32,
        bounce: bool,
    ) -> Option<Arrival> {
        self.last = at;
        self.hops = hops;
        self.bounces += u32::from(bounce);
        self.now = Whereabouts::Follows(from, to);
        if self.path.len() < HOPS_KEPT {
            self.path.push(Hop { at, from, to });
        }
        self.redirect.take()
    }

    /// The client does not believe a redirect.
    pub(super) fn ignored(&mut self, at: Time, from: NodeId) {
        self.last = at;
        self.now = Whereabouts::Ignores(from);
    }
}
