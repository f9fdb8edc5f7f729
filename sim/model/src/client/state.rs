//! A client as a whole: what it remembers, and where each input goes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::commands::{Body, Flight, NO_WORKER, Next, Progress, Units};
use super::connections::{Class, Conns, Stage};
use super::discover::Probe;
use super::numbers::Numbers;
use super::redirect::Moving;
use super::spec::ClientSpec;
use super::timers::Wakes;
use super::topology::Topology;
use super::workload::Pace;
use super::{ClientId, Context, Effect, Input};
use crate::valkey::{Addr, AddressBook, Command, CommandKind, Epoch, NodeId, Reply, Tag};
use rebound_engine::{Duration, Time};

/// A worker of a closed loop.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Worker {
    /// Commands of its pipeline that have not ended.
    pub remaining: u16,
    /// How long it pauses after them.
    pub think: Duration,
}

/// What the client itself asks, as opposed to its application.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// `CLIENT CAPA` and `READONLY` on a new connection.
    Greeting = 0,
    /// `ROLE`.
    Role = 1,
    /// `DISCARD`.
    Discard = 2,
    /// `CLUSTER SLOTS`.
    Topology = 3,
}

/// The mark on the client's own requests.
pub(super) const fn own_tag(own: Own) -> Tag {
    Tag::own(own as u32)
}

/// A client: one application process with its library.
#[derive(Debug)]
pub struct Client {
    pub(super) id: ClientId,
    pub(super) primary: Addr,
    /// Epoch and address of the last redirect that it followed and that had an epoch.
    pub(super) known: Option<(Epoch, Addr)>,
    pub(super) draining: bool,
    /// Logical commands issued so far.
    pub(super) issued: u64,
    pub(super) open: u32,
    pub(super) flights: Vec<Flight>,
    pub(super) free_flights: Vec<u32>,
    pub(super) units: Units,
    pub(super) numbers: Numbers,
    pub(super) conns: Conns,
    pub(super) moving: Option<Moving>,
    pub(super) probe: Probe,
    /// What it knows of its cluster, if its servers are one.
    pub(super) topology: Option<Box<Topology>>,
    pub(super) workers: Vec<Worker>,
    /// When which worker issues next.
    pub(super) thinking: BinaryHeap<Reverse<(Time, u16)>>,
    /// When the next command of an open loop is due.
    arrival: Time,
    /// Arrivals that wait until fewer commands are open.
    backlog: u64,
    wakes: Wakes,
}

/// A command that has not ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its number with its client.
    pub command: u32,
    /// What it is.
    pub kind: CommandKind,
    /// Since when.
    pub issued_at: Time,
    /// What it waits for.
    pub waits: Waits,
}

/// What an unfinished command waits for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// A reply from this address.
    Reply(Addr),
    /// An element, by a blocking pop, from this address.
    Element(Addr),
    /// A connection to this address.
    Connection(Addr),
    /// Its turn on a connection to this address, on which a transaction is in progress.
    Turn(Addr),
    /// The time at which it follows a redirect to this address.
    Redirect {
        /// Where to.
        to: Addr,
        /// When.
        at: Time,
    },
    /// The time at which it is sent again after an error.
    Retry {
        /// Where to.
        to: Addr,
        /// When.
        at: Time,
    },
    /// The time at which it tries again to connect.
    Redial {
        /// Where to.
        to: Addr,
        /// When.
        at: Time,
    },
    /// Some node to say that it is a primary.
    Primary,
    /// Some node to say who serves which slot.
    Topology,
}

impl Pending {
    /// What it waits for, in words.
    pub fn reason(&self, now: Time, addresses: &AddressBook) -> String {
        let host = |addr| &addresses.entry(addr).host;
        match self.waits {
            Waits::Reply(from) => format!("waits for a reply from {}", host(from)),
            Waits::Element(from) => format!("blocks on {}", host(from)),
            Waits::Connection(to) => format!("waits for a connection to {}", host(to)),
            Waits::Turn(to) => format!("waits for its turn on a connection to {}", host(to)),
            Waits::Redirect { to, at } => format!(
                "waits {} before following a redirect to {}",
                at.since(now),
                host(to)
            ),
            Waits::Retry { to, at } => format!(
                "waits {} before it is sent to {} again",
                at.since(now),
                host(to)
            ),
            Waits::Redial { to, at } => format!(
                "cannot connect to {}; tries again in {}",
                host(to),
                at.since(now)
            ),
            Waits::Primary => "searches for a primary".to_owned(),
            Waits::Topology => "waits to learn which node serves its slot".to_owned(),
        }
    }
}

impl Client {
    /// A client that has not begun. Its lists are made at once, so that they lie side by side in
    /// memory: the processor fetches them together.
    pub fn new(id: ClientId) -> Client {
        Client {
            id,
            primary: Addr(0),
            known: None,
            draining: false,
            issued: 0,
            open: 0,
            flights: Vec::with_capacity(1),
            free_flights: Vec::with_capacity(4),
            units: Units::default(),
            numbers: Numbers::default(),
            conns: Conns::default(),
            moving: None,
            probe: Probe::default(),
            topology: None,
            workers: Vec::with_capacity(1),
            thinking: BinaryHeap::with_capacity(1),
            arrival: Time::NEVER,
            backlog: 0,
            wakes: Wakes::default(),
        }
    }

    /// Makes it as new for another run, starting at `start`; memory is kept.
    pub fn reset(&mut self, start: NodeId) {
        self.primary = AddressBook::of(start);
        self.known = None;
        self.draining = false;
        self.issued = 0;
        self.open = 0;
        self.flights.clear();
        self.free_flights.clear();
        self.units.clear();
        self.numbers.clear();
        self.conns.clear();
        self.moving = None;
        self.probe = Probe::default();
        self.workers.clear();
        self.thinking.clear();
        self.arrival = Time::NEVER;
        self.backlog = 0;
        self.wakes.clear();
    }

    /// Takes an input in; what it wants done is added to the context's effects.
    pub fn handle(&mut self, spec: &ClientSpec, input: Input, ctx: &mut Context<'_>) {
        match input {
            Input::Start => self.start(spec, ctx),
            Input::Wake => self.wakes.passed(ctx.now),
            Input::Connected(slot) => self.connected(spec, ctx, slot.0),
            Input::ConnectFailed(slot, _) => self.dial_failed(spec, ctx, slot.0),
            Input::Reply(slot, tag, reply) => self.replied(spec, ctx, slot.0, tag, reply),
            Input::Closed(slot, _) => self.lost(spec, ctx, slot.0, None),
            Input::Drain => self.drain(spec, ctx),
        }
        let wanted = self.run_due(spec, ctx);
        if self.wakes.want(wanted) {
            ctx.effects.push(Effect::WakeAt(wanted));
        }
    }

    fn start(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        if let Some(period) = spec.policy.refresh {
            self.probe.refresh_at = ctx.now + period;
        }
        if spec.policy.cluster.is_some() {
            self.join_cluster(spec, ctx);
        } else if spec.policy.warm_up {
            for node in 0..spec.nodes {
                self.dial(spec, ctx, Class::Shared, Addr(node));
            }
        }
        match spec.workload.pace {
            Pace::Closed { workers, .. } => {
                self.workers.resize(usize::from(workers), Worker::default());
                for worker in 0..workers {
                    self.thinking.push(Reverse((ctx.now, worker)));
                }
            }
            Pace::Open { .. } => self.arrival = self.next_arrival(spec, ctx),
        }
    }

    fn next_arrival(&self, spec: &ClientSpec, ctx: &mut Context<'_>) -> Time {
        let quantile = ctx.chooser.quantile(ctx.workload_stream);
        // At least a nanosecond, so that arrivals come to an end.
        ctx.now + spec.think.sample(quantile).max(Duration(1))
    }

    #[inline]
    fn replied(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        tag: Tag,
        reply: Reply,
    ) {
        if !self.conns.is_used(slot) {
            return;
        }
        if let Some(number) = tag.part_of() {
            if let Some(unit) = self.numbers.unit(number) {
                self.answered(spec, ctx, slot, unit, reply);
            }
        } else if tag == own_tag(Own::Greeting) {
            self.greeted(spec, ctx, slot);
        } else if tag == own_tag(Own::Role) {
            self.role_told(spec, ctx, slot, reply);
        } else if tag == own_tag(Own::Topology) {
            self.topology_told(spec, ctx, slot, reply);
        }
    }

    fn drain(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        self.draining = true;
        self.thinking.clear();
        self.arrival = Time::NEVER;
        self.backlog = 0;
        self.stop_refresh();
        self.stop_asking();
        for index in 0..self.units.table.len() {
            let unit = &self.units.table[index];
            if unit.state != Progress::Sent || unit.class != Class::Blocking {
                continue;
            }
            let flight = self.flights[unit.members[unit.first] as usize];
            if let Body::Single(Command::BlPop { timeout_ms: 0, .. }) = flight.body {
                self.close_endless(spec, ctx, index as u16);
            }
        }
    }

    /// Does all that is due, and says when something is due again.
    #[inline]
    fn run_due(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) -> Time {
        loop {
            self.run_connections(spec, ctx);
            self.run_units(spec, ctx);
            self.run_probe(spec, ctx);
            self.run_topology(spec, ctx);
            if let Pace::Open { max_open, .. } = spec.workload.pace {
                self.run_arrivals(spec, ctx, u32::from(max_open));
            }
            while let Some(Reverse((at, worker))) = self.thinking.peek().copied() {
                if at > ctx.now {
                    break;
                }
                self.thinking.pop();
                self.issue(spec, ctx, worker);
            }
            let next = self.next_due();
            if next > ctx.now {
                return next;
            }
        }
    }

    fn run_arrivals(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, max_open: u32) {
        while self.arrival <= ctx.now {
            self.backlog += 1;
            self.arrival = self.next_arrival(spec, ctx);
        }
        let pipeline = u32::from(spec.workload.pipeline);
        while self.backlog > 0 && self.open + pipeline <= max_open {
            self.backlog -= 1;
            self.issue(spec, ctx, NO_WORKER);
        }
        if spec
            .workload
            .commands
            .is_some_and(|most| self.issued >= most)
        {
            self.arrival = Time::NEVER;
            self.backlog = 0;
        }
    }

    fn next_due(&self) -> Time {
        let thinking = self.thinking.peek().map(|Reverse((at, _))| *at);
        let lingering = self.conns.lingering.front().map(|(at, ..)| *at);
        thinking
            .unwrap_or(Time::NEVER)
            .min(lingering.unwrap_or(Time::NEVER))
            .min(self.arrival)
            .min(self.conns.earliest)
            .min(self.units.earliest)
            .min(self.probe_due())
            .min(self.topology_due())
    }

    /// Logical commands that have not ended.
    pub fn open_commands(&self) -> u32 {
        self.open
    }

    /// The node that it takes for the primary now.
    pub fn primary(&self) -> Addr {
        self.primary
    }

    /// Its oldest unfinished command.
    pub fn oldest_open(&self) -> Option<Pending> {
        let mut oldest: Option<Pending> = None;
        for unit in &self.units.table {
            if unit.state == Progress::Free {
                continue;
            }
            let answered = if unit.each && !unit.transaction && unit.state == Progress::Sent {
                unit.received as usize
            } else {
                0
            };
            let Some(place) = unit.members.get(unit.first + answered) else {
                continue;
            };
            let flight = &self.flights[*place as usize];
            if oldest.is_none_or(|other| flight.number < other.command) {
                oldest = Some(Pending {
                    command: flight.number,
                    kind: flight.kind,
                    issued_at: flight.issued_at,
                    waits: self.waits_of(unit),
                });
            }
        }
        oldest
    }

    fn waits_of(&self, unit: &super::commands::Unit) -> Waits {
        let (to, at) = (unit.addr, unit.deadline);
        match unit.state {
            Progress::Sent if unit.class == Class::Blocking => Waits::Element(to),
            Progress::Sent => Waits::Reply(to),
            Progress::Queued => match self.conns.table[unit.slot as usize].stage {
                Stage::Ready => Waits::Turn(to),
                Stage::Free | Stage::Dialling | Stage::Greeting(_) => Waits::Connection(to),
            },
            Progress::Sleeping(Next::Follow(to)) => Waits::Redirect { to, at },
            Progress::Sleeping(Next::Retry) => Waits::Retry { to, at },
            Progress::Sleeping(Next::Dial) => Waits::Redial { to, at },
            Progress::Moving => Waits::Connection(self.moving.map_or(to, |moving| moving.to)),
            Progress::Searching => Waits::Primary,
            Progress::Unmapped => Waits::Topology,
            Progress::Free | Progress::Idle => Waits::Retry { to, at },
        }
    }
}
