//! Asking nodes of a cluster who serves which slot: when, whom, and what waits for the answer.
//! There is one question at a time.

use super::Context;
use super::cluster_policy::{AskWhom, ClusterPolicy, Refresh};
use super::commands::Progress;
use super::connections::{Class, Stage};
use super::routing::has_no_map;
use super::slot_cache::SlotCache;
use super::spec::ClientSpec;
use super::state::{Client, Own, own_tag};
use crate::valkey::{Addr, Command, Reply};
use rebound_engine::Time;

/// How far the question has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Question {
    /// There is none.
    None,
    /// It waits for a connection, which has a time-out of its own.
    Connecting,
    /// It has been sent on this connection.
    Asked(u32),
    /// The next node is asked at the deadline.
    Resting,
}

/// What a client of a cluster knows and asks.
#[derive(Debug)]
pub(super) struct Topology {
    pub slots: SlotCache,
    question: Question,
    /// The node whose turn it is.
    addr: Addr,
    /// Nodes asked in vain since the question began, and rounds over all of them.
    tried: u32,
    rounds: u32,
    deadline: Time,
    /// When the last question began.
    began: Option<Time>,
    /// When the client refreshes periodically.
    due: Time,
    /// Occasions since it last asked, where only every nth counts.
    counted: u32,
    /// Parts of a pipeline that go to other nodes than its first, for reuse.
    pub parts: Vec<(Addr, u16)>,
}

impl Topology {
    pub(super) fn new() -> Topology {
        Topology {
            slots: SlotCache::default(),
            question: Question::None,
            addr: Addr(0),
            tried: 0,
            rounds: 0,
            deadline: Time::NEVER,
            began: None,
            due: Time::NEVER,
            counted: 0,
            parts: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self, seed: Addr) {
        self.slots.clear(seed);
        self.question = Question::None;
        self.tried = 0;
        self.rounds = 0;
        self.deadline = Time::NEVER;
        self.began = None;
        self.due = Time::NEVER;
        self.counted = 0;
    }

    /// Whether an occasion makes the client ask.
    fn asks(&mut self, refresh: Refresh, now: Time) -> bool {
        match refresh {
            Refresh::Never => false,
            Refresh::AtOnce => true,
            Refresh::AtMostEvery(span) => self.began.is_none_or(|began| now.since(began) >= span),
            Refresh::EveryNth(n) => {
                self.counted += 1;
                let asks = self.counted >= n;
                if asks {
                    self.counted = 0;
                }
                asks
            }
        }
    }

    fn due(&self) -> Time {
        match self.question {
            Question::None => self.due,
            Question::Connecting | Question::Asked(_) | Question::Resting => self.deadline,
        }
    }
}

impl Client {
    /// A client of a cluster begins: it asks the node that it was given.
    pub(super) fn join_cluster(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let seed = self.primary;
        let topology = self
            .topology
            .get_or_insert_with(|| Box::new(Topology::new()));
        topology.clear(seed);
        if !has_no_map(spec) {
            self.ask(spec, ctx, Some(seed));
        }
    }

    /// When the topology wants the client to be woken.
    #[inline]
    pub(super) fn topology_due(&self) -> Time {
        self.topology
            .as_ref()
            .map_or(Time::NEVER, |topology| topology.due())
    }

    pub(super) fn run_topology(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let Some(topology) = &mut self.topology else {
            return;
        };
        if topology.due() > ctx.now {
            return;
        }
        match topology.question {
            Question::None => self.ask(spec, ctx, None),
            Question::Resting => self.ask_next(spec, ctx),
            // No answer in time: the connection is closed, which ends the question.
            Question::Asked(slot) => self.hang_up(spec, ctx, slot, None),
            Question::Connecting => topology.deadline = Time::NEVER,
        }
    }

    /// Something has happened that may make the client ask; `redirector` is the node that sent
    /// it on, if one did.
    pub(super) fn refresh(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        refresh: Refresh,
        redirector: Option<Addr>,
    ) {
        let (Some(topology), Some(policy)) = (&mut self.topology, &spec.policy.cluster) else {
            return;
        };
        if topology.asks(refresh, ctx.now) && topology.question == Question::None {
            let whom = match policy.ask {
                AskWhom::Any => None,
                AskWhom::Redirector => redirector,
            };
            self.ask(spec, ctx, whom);
        }
    }

    /// A connection is lost, a node cannot be reached, or the cluster is down.
    pub(super) fn troubled(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        if let Some(ClusterPolicy { on_trouble, .. }) = spec.policy.cluster {
            self.refresh(spec, ctx, on_trouble, None);
        }
    }

    /// Begins a question, at this node or at one that is drawn.
    fn ask(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, whom: Option<Addr>) {
        let Some(topology) = &mut self.topology else {
            return;
        };
        topology.addr = whom.unwrap_or_else(|| {
            let known = topology.slots.count();
            let drawn = match known {
                0 | 1 => 0,
                _ => ctx.chooser.below(ctx.policy_stream, u64::from(known)) as u32,
            };
            topology.slots.nth(drawn)
        });
        topology.tried = 0;
        topology.rounds = 0;
        topology.began = Some(ctx.now);
        self.ask_next(spec, ctx);
    }

    fn ask_next(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let Some(topology) = &mut self.topology else {
            return;
        };
        topology.question = Question::Connecting;
        topology.deadline = Time::NEVER;
        let addr = topology.addr;
        let slot = self.connection_to(spec, ctx, Class::Shared, addr);
        let conn = self.conns.at(slot);
        if conn.stage == Stage::Ready {
            self.ask_topology(spec, ctx, slot);
        } else {
            conn.asks_topology = true;
        }
    }

    /// Sends the question on a ready connection.
    pub(super) fn ask_topology(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        self.clean(ctx, slot);
        self.send(ctx, slot, own_tag(Own::Topology), Command::ClusterSlots);
        if let Some(topology) = &mut self.topology {
            topology.question = Question::Asked(slot);
            topology.deadline = ctx.now + spec.policy.command_timeout;
        }
    }

    /// An answer to `CLUSTER SLOTS`.
    pub(super) fn topology_told(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        reply: Reply,
    ) {
        let draining = self.draining;
        let Some(topology) = &mut self.topology else {
            return;
        };
        if topology.question != Question::Asked(slot) {
            return;
        }
        let Reply::Topology(table) = reply else {
            self.topology_failed(spec, ctx);
            return;
        };
        let first = !topology.slots.is_filled();
        topology.slots.fill(table, ctx.topologies);
        topology.question = Question::None;
        let every = spec.policy.cluster.as_ref().and_then(|policy| policy.every);
        topology.due = match every {
            Some(period) if !draining => ctx.now + period,
            Some(_) | None => Time::NEVER,
        };
        if first && spec.policy.warm_up {
            self.warm_up(spec, ctx);
        }
        for index in 0..self.units.table.len() {
            if self.units.table[index].state == Progress::Unmapped {
                self.units.table[index].state = Progress::Idle;
                self.dispatch(spec, ctx, index as u16);
            }
        }
    }

    /// Connects to every known node that there is no connection to.
    fn warm_up(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let count = self
            .topology
            .as_ref()
            .map_or(0, |topology| topology.slots.count());
        for place in 0..count {
            let Some(topology) = &self.topology else {
                return;
            };
            let addr = topology.slots.nth(place);
            self.connection_to(spec, ctx, Class::Shared, addr);
        }
    }

    /// The node whose turn it is gave no answer, or none that helps. The next one's turn is not
    /// within this input, so that nodes which refuse cannot trap the client.
    pub(super) fn topology_failed(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let Some(topology) = &mut self.topology else {
            return;
        };
        topology.tried += 1;
        topology.addr = topology.slots.after(topology.addr);
        topology.question = Question::Resting;
        topology.deadline = ctx.now;
        if topology.tried < topology.slots.count() {
            return;
        }
        if topology.slots.is_filled() || (self.draining && self.open == 0) {
            // What it knows has to do.
            topology.question = Question::None;
            let every = spec.policy.cluster.as_ref().and_then(|policy| policy.every);
            topology.due = match every {
                Some(period) if !self.draining => ctx.now + period,
                Some(_) | None => Time::NEVER,
            };
            return;
        }
        topology.tried = 0;
        let wait = spec
            .policy
            .dial_backoff
            .wait(topology.rounds, ctx.chooser, ctx.policy_stream);
        topology.rounds = topology.rounds.saturating_add(1);
        topology.deadline = ctx.now + wait;
    }

    /// What becomes of the question when this connection is over. `opening` says that it had
    /// not been opened yet.
    pub(super) fn topology_lost(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        waited_for_it: bool,
    ) {
        let asked = self
            .topology
            .as_ref()
            .is_some_and(|topology| topology.question == Question::Asked(slot));
        if asked || waited_for_it {
            self.topology_failed(spec, ctx);
        } else {
            self.troubled(spec, ctx);
        }
    }

    /// The client stops its periodic refresh.
    pub(super) fn stop_asking(&mut self) {
        if let Some(topology) = &mut self.topology {
            topology.due = Time::NEVER;
        }
    }
}
