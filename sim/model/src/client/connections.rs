//! A client's connections: dialling, greeting, choosing one for a command, abandoning, losing.

use std::collections::VecDeque;

use super::commands::{Next, Progress};
use super::note::CommandOutcome;
use super::policy::Reach;
use super::spec::ClientSpec;
use super::state::{Client, Own, own_tag};
use super::{ConnSlot, Context, Effect};
use crate::valkey::{Addr, Command, Request, Tag};
use rebound_engine::{Duration, Time};

/// What a connection is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Commands of all workers, one behind the other.
    Shared,
    /// One blocking command at a time.
    Blocking,
    /// Subscriptions.
    Subscriber,
    /// Dialled for a redirect; becomes the shared one of a client that moves there.
    Next,
}

/// How far a connection has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Free,
    Dialling,
    /// How many replies to the greeting are missing.
    Greeting(u8),
    Ready,
}

/// One of the client's connections.
#[derive(Debug)]
pub(super) struct Conn {
    pub stage: Stage,
    pub class: Class,
    pub addr: Addr,
    /// Tells it from an earlier connection in the same slot.
    pub generation: u32,
    /// Batches and transactions in progress on it.
    pub load: u32,
    /// A transaction is in progress: nothing may get into it.
    pub held: bool,
    /// The server may still be in MULTI.
    pub dirty: bool,
    /// The client has moved away from it.
    pub abandoned: bool,
    /// A `ROLE` waits for it.
    pub probe: bool,
    /// A `CLUSTER SLOTS` waits for it.
    pub asks_topology: bool,
    /// Until when it must be ready.
    pub deadline: Time,
    /// Units that wait for it, by index.
    pub waiting: VecDeque<u16>,
}

/// Connections by slot.
#[derive(Debug)]
pub(super) struct Conns {
    pub table: Vec<Conn>,
    free: Vec<u32>,
    /// Those that are in use and not abandoned.
    pub pool: Vec<u32>,
    /// Abandoned ones that are to be closed: when, slot, generation.
    pub lingering: VecDeque<(Time, u32, u32)>,
    /// No connection's deadline is earlier.
    pub earliest: Time,
    /// Lists of waiting units, for reuse.
    scratch: Vec<u16>,
}

impl Default for Conns {
    fn default() -> Self {
        Conns {
            table: Vec::with_capacity(2),
            free: Vec::with_capacity(4),
            pool: Vec::with_capacity(4),
            lingering: VecDeque::new(),
            earliest: Time::NEVER,
            scratch: Vec::new(),
        }
    }
}

impl Conns {
    pub(super) fn clear(&mut self) {
        self.pool.clear();
        self.lingering.clear();
        self.free.clear();
        self.earliest = Time::NEVER;
        for (slot, conn) in self.table.iter_mut().enumerate().rev() {
            conn.stage = Stage::Free;
            conn.waiting.clear();
            conn.generation = 0;
            self.free.push(slot as u32);
        }
    }

    #[inline]
    pub(super) fn at(&mut self, slot: u32) -> &mut Conn {
        &mut self.table[slot as usize]
    }

    /// Whether something is open or being opened in this slot.
    pub(super) fn is_used(&self, slot: u32) -> bool {
        self.table
            .get(slot as usize)
            .is_some_and(|conn| conn.stage != Stage::Free)
    }

    fn open(&mut self, class: Class, addr: Addr, deadline: Time) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.table.push(Conn {
                stage: Stage::Free,
                class,
                addr,
                generation: 0,
                load: 0,
                held: false,
                dirty: false,
                abandoned: false,
                probe: false,
                asks_topology: false,
                deadline,
                waiting: VecDeque::new(),
            });
            self.table.len() as u32 - 1
        });
        let conn = self.at(slot);
        conn.stage = Stage::Dialling;
        conn.class = class;
        conn.addr = addr;
        conn.load = 0;
        conn.held = false;
        conn.dirty = false;
        conn.abandoned = false;
        conn.probe = false;
        conn.asks_topology = false;
        conn.deadline = deadline;
        self.pool.push(slot);
        self.earliest = self.earliest.min(deadline);
        slot
    }

    pub(super) fn leave_pool(&mut self, slot: u32) {
        if let Some(place) = self.pool.iter().position(|other| *other == slot) {
            self.pool.remove(place);
        }
    }

    /// Keeps a list of waiting units for reuse.
    pub(super) fn keep_scratch(&mut self, list: Vec<u16>) {
        self.scratch = list;
    }

    pub(super) fn release(&mut self, slot: u32) {
        self.leave_pool(slot);
        let conn = self.at(slot);
        conn.stage = Stage::Free;
        conn.generation += 1;
        self.free.push(slot);
    }
}

impl Client {
    /// Opens a connection.
    pub(super) fn dial(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        class: Class,
        addr: Addr,
    ) -> u32 {
        let slot = self
            .conns
            .open(class, addr, ctx.now + spec.policy.dial_timeout);
        ctx.effects.push(Effect::Dial(ConnSlot(slot), addr));
        slot
    }

    /// A connection to `addr`: an idle one, a new one while there may be more, or the least
    /// busy.
    pub(super) fn connection_to(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        class: Class,
        addr: Addr,
    ) -> u32 {
        let mut count = 0;
        let mut best = None;
        for slot in &self.conns.pool {
            let conn = &self.conns.table[*slot as usize];
            if conn.addr != addr || conn.class != class {
                continue;
            }
            count += 1;
            let load = conn.load + conn.waiting.len() as u32;
            if best.is_none_or(|(least, _)| load < least) {
                best = Some((load, *slot));
                if load == 0 {
                    break;
                }
            }
        }
        let most = match class {
            Class::Shared => u32::from(spec.workload.connections),
            Class::Subscriber => 1,
            Class::Blocking | Class::Next => u32::MAX,
        };
        match best {
            Some((load, slot)) if load == 0 || count >= most => slot,
            Some(_) | None => self.dial(spec, ctx, class, addr),
        }
    }

    pub(super) fn connected(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        if !self.conns.is_used(slot) {
            return;
        }
        let policy = &spec.policy;
        let greeting = [
            policy.capa.then_some(Command::ClientCapa),
            policy.readonly.then_some(Command::ReadOnly),
        ];
        let mut missing = 0;
        for command in greeting.into_iter().flatten() {
            missing += 1;
            self.send(ctx, slot, own_tag(Own::Greeting), command);
        }
        self.conns.at(slot).stage = Stage::Greeting(missing);
        if missing == 0 {
            self.ready(spec, ctx, slot);
        }
    }

    /// A reply to the greeting. Errors are tolerated: 7.2 knows neither of the two commands.
    pub(super) fn greeted(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        let conn = self.conns.at(slot);
        if let Stage::Greeting(missing) = conn.stage {
            conn.stage = Stage::Greeting(missing.saturating_sub(1));
            if missing <= 1 {
                self.ready(spec, ctx, slot);
            }
        }
    }

    fn ready(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        let conn = self.conns.at(slot);
        conn.stage = Stage::Ready;
        conn.deadline = Time::NEVER;
        if self.moving.is_some_and(|moving| moving.slot == slot) {
            self.moved(spec, ctx);
        }
        if std::mem::take(&mut self.conns.at(slot).probe) {
            self.ask_role(spec, ctx, slot);
        }
        if std::mem::take(&mut self.conns.at(slot).asks_topology) {
            self.ask_topology(spec, ctx, slot);
        }
        self.flush(spec, ctx, slot);
    }

    /// Sends what waits for a connection, up to and including the next transaction.
    pub(super) fn flush(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        let generation = self.conns.at(slot).generation;
        loop {
            let conn = self.conns.at(slot);
            if conn.stage != Stage::Ready || conn.generation != generation || conn.held {
                return;
            }
            let Some(unit) = conn.waiting.pop_front() else {
                return;
            };
            self.transmit(spec, ctx, unit, slot);
        }
    }

    pub(super) fn send(&mut self, ctx: &mut Context<'_>, slot: u32, tag: Tag, command: Command) {
        ctx.effects
            .push(Effect::Send(ConnSlot(slot), Request { tag, command }));
    }

    /// Ends a MULTI that a redirected EXEC may have left open.
    pub(super) fn clean(&mut self, ctx: &mut Context<'_>, slot: u32) {
        if std::mem::take(&mut self.conns.at(slot).dirty) {
            self.send(ctx, slot, own_tag(Own::Discard), Command::Discard);
        }
    }

    /// A connection that will not open, in time or at all.
    pub(super) fn dial_failed(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        if !self.conns.is_used(slot) {
            return;
        }
        let mut waiting = self.take_waiting(slot);
        let probing = self.conns.at(slot).probe;
        let asks_topology = self.conns.at(slot).asks_topology;
        self.conns.release(slot);
        if self.topology.is_some() {
            self.topology_lost(spec, ctx, slot, asks_topology);
        }
        if self.moving.is_some_and(|moving| moving.slot == slot) {
            self.move_failed(spec, ctx);
        }
        if probing {
            self.probe_failed(spec, ctx);
        }
        for unit in waiting.drain(..) {
            self.unreachable(spec, ctx, unit);
        }
        self.conns.scratch = waiting;
    }

    /// A connection attempt failed that `unit` waited for.
    pub(super) fn unreachable(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16) {
        let policy = &spec.policy;
        let work = self.units.at(unit);
        work.state = Progress::Idle;
        work.redirected = false;
        work.asking = false;
        work.dial_failures += 1;
        let failures = work.dial_failures;
        if policy.dial_attempts.is_some_and(|most| failures >= most) {
            self.fail(ctx, unit, CommandOutcome::Unreachable);
            return;
        }
        if self.rediscovers(spec, ctx, unit, CommandOutcome::Unreachable) {
            return;
        }
        let wait = policy
            .dial_backoff
            .wait(failures - 1, ctx.chooser, ctx.policy_stream);
        self.sleep(spec, ctx, unit, wait, Next::Dial);
    }

    /// An open connection is over. `late` is the unit whose time-out made the client close it.
    pub(super) fn lost(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        late: Option<u16>,
    ) {
        if !self.conns.is_used(slot) {
            return;
        }
        let conn = self.conns.at(slot);
        if conn.stage != Stage::Ready {
            // Closed while it was greeting.
            self.dial_failed(spec, ctx, slot);
            return;
        }
        let busy = conn.load > 0;
        let expected = conn.abandoned;
        let mut affected = self.take_waiting(slot);
        let unsent = affected.len();
        if busy {
            let on_it = |(index, unit): (usize, &super::commands::Unit)| {
                (unit.state == Progress::Sent && unit.slot == slot).then_some(index as u16)
            };
            affected.extend(self.units.table.iter().enumerate().filter_map(on_it));
        }
        self.conns.release(slot);
        for unit in &affected {
            self.units.at(*unit).state = Progress::Idle;
        }
        if self.probe.slot == Some(slot) {
            self.probe_failed(spec, ctx);
        }
        if self.topology.is_some() && !expected {
            self.topology_lost(spec, ctx, slot, false);
        }
        for (place, unit) in affected.drain(..).enumerate() {
            if place < unsent {
                self.dispatch(spec, ctx, unit);
            } else {
                let cause = if late == Some(unit) {
                    CommandOutcome::TimedOut
                } else {
                    CommandOutcome::Disconnected
                };
                self.interrupted(spec, ctx, unit, cause);
            }
        }
        self.conns.scratch = affected;
    }

    /// The client closes an open connection because of a time-out.
    pub(super) fn hang_up(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        late: Option<u16>,
    ) {
        ctx.effects.push(Effect::Close(ConnSlot(slot)));
        self.lost(spec, ctx, slot, late);
    }

    pub(super) fn take_waiting(&mut self, slot: u32) -> Vec<u16> {
        let mut taken = std::mem::take(&mut self.conns.scratch);
        taken.clear();
        taken.extend(self.conns.at(slot).waiting.drain(..));
        taken
    }

    /// Leaves all connections but `kept`; what waits for them goes elsewhere.
    pub(super) fn abandon_pool(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        kept: Option<u32>,
    ) {
        let mut homeless = std::mem::take(&mut self.conns.scratch);
        homeless.clear();
        let keeps_subscriptions = spec.policy.reach == Reach::NewPool;
        let mut place = 0;
        while let Some(slot) = self.conns.pool.get(place).copied() {
            let conn = self.conns.at(slot);
            let borrowed = keeps_subscriptions && conn.class == Class::Subscriber;
            if Some(slot) == kept || conn.class == Class::Next || borrowed {
                place += 1;
                continue;
            }
            homeless.extend(conn.waiting.drain(..));
            self.abandon(spec, ctx, slot);
        }
        for unit in homeless.drain(..) {
            self.units.at(unit).state = Progress::Idle;
            self.dispatch(spec, ctx, unit);
        }
        self.conns.scratch = homeless;
    }

    fn abandon(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        self.conns.leave_pool(slot);
        let linger = spec.policy.linger;
        let conn = self.conns.at(slot);
        conn.abandoned = true;
        let probing = std::mem::take(&mut conn.probe);
        let unused = conn.stage != Stage::Ready;
        if unused || (linger == Duration::ZERO && conn.load == 0) {
            ctx.effects.push(Effect::Close(ConnSlot(slot)));
            self.conns.release(slot);
            if probing || self.probe.slot == Some(slot) {
                self.probe_failed(spec, ctx);
            }
        } else if linger > Duration::ZERO {
            let generation = conn.generation;
            self.conns
                .lingering
                .push_back((ctx.now + linger, slot, generation));
        }
    }

    /// A unit no longer occupies its connection.
    pub(super) fn release_connection(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
    ) {
        let work = self.units.at(unit);
        work.state = Progress::Idle;
        work.deadline = Time::NEVER;
        let (slot, transaction) = (work.slot, work.transaction);
        let conn = self.conns.at(slot);
        conn.load -= 1;
        if conn.abandoned && conn.load == 0 && spec.policy.linger == Duration::ZERO {
            ctx.effects.push(Effect::Close(ConnSlot(slot)));
            self.conns.release(slot);
            if self.probe.slot == Some(slot) {
                self.probe_failed(spec, ctx);
            }
        } else if transaction {
            conn.held = false;
            self.flush(spec, ctx, slot);
        }
    }

    /// Closes what has lingered long enough, and gives up on what will not open.
    pub(super) fn run_connections(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        while let Some((at, slot, generation)) = self.conns.lingering.front().copied() {
            if at > ctx.now {
                break;
            }
            self.conns.lingering.pop_front();
            if self.conns.is_used(slot) && self.conns.at(slot).generation == generation {
                self.hang_up(spec, ctx, slot, None);
            }
        }
        if ctx.now < self.conns.earliest {
            return;
        }
        let mut place = 0;
        while let Some(slot) = self.conns.pool.get(place).copied() {
            if self.conns.at(slot).deadline <= ctx.now {
                ctx.effects.push(Effect::Close(ConnSlot(slot)));
                self.dial_failed(spec, ctx, slot);
                place = 0;
            } else {
                place += 1;
            }
        }
        let deadlines = self.conns.pool.iter();
        let earliest = deadlines.map(|slot| self.conns.table[*slot as usize].deadline);
        self.conns.earliest = earliest.min().unwrap_or(Time::NEVER);
    }
}
