//! Logical commands in flight, and the units in which they are sent: a single command, a
//! pipeline, or a transaction.

use super::connections::{Class, Stage};
use super::generate::{generate, inner_command};
use super::note::{CommandOutcome, Note, Saw, WriteRange, WrittenKeys};
use super::policy::{Batch, RedirectAction, Scope};
use super::spec::ClientSpec;
use super::state::Client;
use super::{Context, Effect};
use crate::valkey::{Addr, Command, CommandKind, ErrorKind, HashSlot, Redirect, Tag, WriteId};
use rebound_engine::{Duration, Time};

/// What is sent for a logical command.
#[derive(Copy, Clone, Debug)]
pub(super) enum Body {
    Single(Command),
    /// MULTI, commands on the keys from `keys` on, EXEC.
    Transaction {
        keys: u32,
        at: u32,
        first: WriteId,
    },
}

/// Where the writes of a command go. Those of a transaction go round a space of `keys` keys.
fn written_keys(body: &Body, keys: u32) -> WrittenKeys {
    match *body {
        Body::Single(command) => WrittenKeys::one(command.key().unwrap_or_default()),
        Body::Transaction { keys: base, at, .. } => WrittenKeys { base, at, of: keys },
    }
}

/// The key that a command reads, if it reads.
fn read_key(body: &Body) -> u32 {
    match body {
        Body::Single(command) => command.key().unwrap_or_default(),
        Body::Transaction { .. } => 0,
    }
}

/// What has come back for a logical command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    None,
    Served,
    Failed(ErrorKind),
    Redirected(Redirect),
}

/// A logical command.
#[derive(Copy, Clone, Debug)]
pub(super) struct Flight {
    pub number: u32,
    pub kind: CommandKind,
    pub body: Body,
    /// The slot of its keys, if it has any and the client's servers are a cluster.
    pub slot: Option<HashSlot>,
    pub issued_at: Time,
    pub worker: u16,
    pub writes: WriteRange,
    pub answer: Answer,
    /// Who replied last, and what that said about the data.
    pub from: Addr,
    pub saw: Saw,
    pub hops: u32,
    pub bounces: u32,
    /// Nodes that redirected it, one bit each. An address without a node redirects nothing.
    pub redirected_by: u64,
}

/// What a unit does when its sleep is over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Follows a redirect to this address.
    Follow(Addr),
    /// Is sent again after an error.
    Retry,
    /// Tries to connect again.
    Dial,
}

/// Where a unit stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Free,
    /// Between two others, within one input.
    Idle,
    /// Waits for a connection.
    Queued,
    /// Waits for replies.
    Sent,
    Sleeping(Next),
    /// Waits for the client to move to a redirect's target.
    Moving,
    /// Waits until a primary is found.
    Searching,
    /// Waits until the client knows who serves which slot.
    Unmapped,
}

/// Logical commands that are sent together.
#[derive(Debug)]
pub(super) struct Unit {
    pub state: Progress,
    /// Flights, by index; those before `first` have ended.
    pub members: Vec<u32>,
    pub first: usize,
    pub class: Class,
    pub transaction: bool,
    /// Each member is dealt with as its reply comes.
    pub each: bool,
    /// Was issued as part of a pipeline.
    pub piped: bool,
    pub addr: Addr,
    pub slot: u32,
    pub received: u32,
    pub expected: u32,
    /// The redirect that a transaction met first.
    pub inner_redirect: Option<Redirect>,
    /// Cluster: its address is where a redirect pointed, not where the client's map does.
    pub redirected: bool,
    /// Cluster: `ASKING` goes before it.
    pub asking: bool,
    pub deadline: Time,
    pub issued_at: Time,
    pub redirects: u32,
    /// Redirects that it has ignored since it followed one.
    pub ignored: u32,
    pub dial_failures: u32,
    pub resends: u32,
    pub error_retries: u32,
    pub application_retries: u32,
    /// Why it searches; how it ends if nobody is found.
    pub cause: CommandOutcome,
}

/// Units by index.
#[derive(Debug)]
pub(super) struct Units {
    pub table: Vec<Unit>,
    free: Vec<u16>,
    /// No unit's deadline is earlier.
    pub earliest: Time,
}

impl Default for Units {
    fn default() -> Self {
        Units {
            table: Vec::with_capacity(1),
            free: Vec::with_capacity(8),
            earliest: Time::NEVER,
        }
    }
}

impl Units {
    pub(super) fn clear(&mut self) {
        self.free.clear();
        self.earliest = Time::NEVER;
        for (index, unit) in self.table.iter_mut().enumerate().rev() {
            unit.state = Progress::Free;
            unit.deadline = Time::NEVER;
            unit.members.clear();
            self.free.push(index as u16);
        }
    }

    #[inline]
    pub(super) fn at(&mut self, unit: u16) -> &mut Unit {
        &mut self.table[usize::from(unit)]
    }

    fn take(&mut self, class: Class, addr: Addr, now: Time) -> u16 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.table.push(Unit {
                state: Progress::Free,
                members: Vec::new(),
                first: 0,
                class,
                transaction: false,
                each: true,
                piped: false,
                addr,
                slot: 0,
                received: 0,
                expected: 0,
                inner_redirect: None,
                redirected: false,
                asking: false,
                deadline: Time::NEVER,
                issued_at: now,
                redirects: 0,
                ignored: 0,
                dial_failures: 0,
                resends: 0,
                error_retries: 0,
                application_retries: 0,
                cause: CommandOutcome::Disconnected,
            });
            self.table.len() as u16 - 1
        });
        let unit = self.at(index);
        unit.state = Progress::Idle;
        unit.members.clear();
        unit.first = 0;
        unit.class = class;
        unit.transaction = false;
        unit.each = true;
        unit.piped = false;
        unit.addr = addr;
        unit.received = 0;
        unit.expected = 0;
        unit.redirected = false;
        unit.asking = false;
        unit.deadline = Time::NEVER;
        unit.issued_at = now;
        unit.redirects = 0;
        unit.ignored = 0;
        unit.dial_failures = 0;
        unit.resends = 0;
        unit.error_retries = 0;
        unit.application_retries = 0;
        index
    }

    pub(super) fn release(&mut self, unit: u16) {
        let work = self.at(unit);
        work.state = Progress::Free;
        work.deadline = Time::NEVER;
        self.free.push(unit);
    }

    pub(super) fn set_deadline(&mut self, unit: u16, at: Time) {
        self.at(unit).deadline = at;
        self.earliest = self.earliest.min(at);
    }
}

/// No worker: the command belongs to an open loop.
pub(super) const NO_WORKER: u16 = u16::MAX;

impl Client {
    /// Issues a worker's next command or pipeline.
    pub(super) fn issue(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, worker: u16) {
        let left = spec
            .workload
            .commands
            .map_or(u64::MAX, |most| most.saturating_sub(self.issued));
        let count = u64::from(spec.workload.pipeline).min(left);
        if count == 0 || self.draining {
            return;
        }
        let unit = self.units.take(Class::Shared, self.primary, ctx.now);
        for index in 0..count {
            let made = generate(spec, self.id, ctx);
            let flight = Flight {
                number: self.issued as u32,
                kind: made.kind,
                body: made.body,
                slot: made.slot,
                issued_at: ctx.now,
                worker,
                writes: made.writes,
                answer: Answer::None,
                from: self.primary,
                saw: Saw::Nothing,
                hops: 0,
                bounces: 0,
                redirected_by: 0,
            };
            self.issued += 1;
            self.numbers.issue(unit);
            ctx.effects.push(Effect::Note(Note::Issued {
                command: flight.number,
                kind: flight.kind,
                writes: flight.writes,
                keys: written_keys(&flight.body, spec.workload.keys),
            }));
            if index == 0 && worker != NO_WORKER {
                let own = &mut self.workers[usize::from(worker)];
                own.remaining = count as u16;
                own.think = made.think;
            }
            let place = self.store(flight);
            let work = self.units.at(unit);
            work.members.push(place);
            work.transaction = matches!(flight.body, Body::Transaction { .. });
            if count == 1 {
                if flight.kind == CommandKind::BlPop {
                    work.class = Class::Blocking;
                } else if flight.kind == CommandKind::Subscribe {
                    work.class = Class::Subscriber;
                }
            }
        }
        self.open += count as u32;
        let work = self.units.at(unit);
        work.piped = count > 1;
        work.each = count == 1
            || spec.policy.batch == Batch::Each
            || spec.policy.redirect == RedirectAction::Surface
            || !spec.policy.follow_pipelines;
        self.dispatch(spec, ctx, unit);
    }

    fn store(&mut self, flight: Flight) -> u32 {
        if let Some(place) = self.free_flights.pop() {
            self.flights[place as usize] = flight;
            place
        } else {
            self.flights.push(flight);
            self.flights.len() as u32 - 1
        }
    }

    /// Gives a member of a pipeline a unit of its own.
    pub(super) fn detach(&mut self, unit: u16, flight: u32) -> u16 {
        let old = self.units.at(unit);
        let (class, addr, issued_at, piped) = (old.class, old.addr, old.issued_at, old.piped);
        let own = self.units.take(class, addr, issued_at);
        let work = self.units.at(own);
        work.piped = piped;
        self.join(own, flight);
        own
    }

    /// Puts a command that was in another unit at the end of this one.
    pub(super) fn join(&mut self, unit: u16, flight: u32) {
        self.units.at(unit).members.push(flight);
        let number = self.flights[flight as usize].number;
        self.numbers.move_to(unit, number);
    }

    /// Sends a unit as soon as there is a connection for it.
    pub(super) fn dispatch(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16) {
        if !self.route(spec, ctx, unit) {
            return;
        }
        let primary = self.primary;
        let work = self.units.at(unit);
        if spec.policy.scope == Scope::Client {
            work.addr = primary;
        }
        let (class, addr) = (work.class, work.addr);
        self.forget_answers(unit);
        let slot = self.connection_to(spec, ctx, class, addr);
        let conn = self.conns.at(slot);
        if conn.stage == Stage::Ready && !conn.held {
            self.transmit(spec, ctx, unit, slot);
        } else {
            conn.waiting.push_back(unit);
            let work = self.units.at(unit);
            work.state = Progress::Queued;
            work.slot = slot;
            work.deadline = Time::NEVER;
        }
    }

    /// What was answered counts no more: the unit is on its way again.
    pub(super) fn forget_answers(&mut self, unit: u16) {
        let work = &self.units.table[usize::from(unit)];
        for place in &work.members[work.first..] {
            self.flights[*place as usize].answer = Answer::None;
        }
    }

    /// Sends a unit on a ready connection.
    pub(super) fn transmit(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        slot: u32,
    ) {
        self.clean(ctx, slot);
        let work = &mut self.units.table[usize::from(unit)];
        work.state = Progress::Sent;
        work.slot = slot;
        work.received = 0;
        work.inner_redirect = None;
        work.redirected = false;
        if std::mem::take(&mut work.asking) {
            let first = work.members[work.first];
            let request = crate::valkey::Request {
                tag: Tag::ahead_of(self.flights[first as usize].number),
                command: Command::Asking,
            };
            ctx.effects
                .push(Effect::Send(super::ConnSlot(slot), request));
        }
        let mut limit = spec.policy.command_timeout;
        let mut expected = 0;
        for place in &work.members[work.first..] {
            let flight = &self.flights[*place as usize];
            let tag = Tag::command(flight.number);
            let mut say = |command| {
                expected += 1;
                ctx.effects.push(Effect::Send(
                    super::ConnSlot(slot),
                    crate::valkey::Request { tag, command },
                ));
            };
            match flight.body {
                Body::Single(command) => {
                    if let Command::BlPop { timeout_ms, .. } = command {
                        limit = if timeout_ms == 0 {
                            Duration(u64::MAX)
                        } else {
                            limit + Duration::millis(u64::from(timeout_ms))
                        };
                    }
                    say(command);
                }
                Body::Transaction { keys, at, first } => {
                    say(Command::Multi);
                    for index in 0..spec.workload.transaction_size {
                        say(inner_command(&spec.workload, keys, at, first, index));
                    }
                    say(Command::Exec);
                }
            }
        }
        work.expected = expected;
        let conn = self.conns.at(slot);
        conn.load += 1;
        conn.held = self.units.table[usize::from(unit)].transaction;
        self.units.set_deadline(unit, ctx.now + limit);
        if self.draining && limit == Duration(u64::MAX) {
            self.close_endless(spec, ctx, unit);
        }
    }

    /// The application closes a pop that would wait without limit.
    pub(super) fn close_endless(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16) {
        let work = self.units.at(unit);
        let (slot, flight) = (work.slot, work.members[work.first]);
        self.flights[flight as usize].answer = Answer::Served;
        self.fail(ctx, unit, CommandOutcome::Served);
        self.hang_up(spec, ctx, slot, None);
    }

    /// Lets a unit wait before it goes on.
    pub(super) fn sleep(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        wait: Duration,
        next: Next,
    ) {
        if wait == Duration::ZERO {
            self.go_on(spec, ctx, unit, next);
        } else {
            self.units.at(unit).state = Progress::Sleeping(next);
            self.units.set_deadline(unit, ctx.now + wait);
        }
    }

    fn go_on(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16, next: Next) {
        match next {
            Next::Follow(to) => self.follow(spec, ctx, unit, to),
            Next::Retry | Next::Dial => self.dispatch(spec, ctx, unit),
        }
    }

    /// A unit's replies will not come any more.
    pub(super) fn interrupted(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        cause: CommandOutcome,
    ) {
        let work = self.units.at(unit);
        work.deadline = Time::NEVER;
        if work.each && !work.transaction {
            work.first += work.received as usize;
        }
        if work.resends < spec.policy.timeout_resends {
            work.resends += 1;
            if !self.rediscovers(spec, ctx, unit, cause) {
                self.dispatch(spec, ctx, unit);
            }
        } else {
            self.fail(ctx, unit, cause);
        }
    }

    /// Ends a unit: those of its members that have an answer by that, the others with
    /// `otherwise`.
    pub(super) fn fail(&mut self, ctx: &mut Context<'_>, unit: u16, otherwise: CommandOutcome) {
        let first = self.units.at(unit).first;
        for place in first..self.units.at(unit).members.len() {
            let flight = self.units.at(unit).members[place];
            let outcome = match self.flights[flight as usize].answer {
                Answer::Served => CommandOutcome::Served,
                Answer::Failed(kind) => CommandOutcome::Error(kind),
                Answer::None | Answer::Redirected(..) => otherwise,
            };
            self.end(ctx, flight, outcome);
        }
        self.units.release(unit);
    }

    /// Ends a logical command.
    pub(super) fn end(&mut self, ctx: &mut Context<'_>, flight: u32, outcome: CommandOutcome) {
        let ended = self.flights[flight as usize];
        ctx.effects.push(Effect::Note(Note::Ended {
            command: ended.number,
            kind: ended.kind,
            outcome,
            hops: ended.hops,
            bounces: ended.bounces,
            took: ctx.now.since(ended.issued_at),
            writes: ended.writes,
            from: ended.from,
            key: read_key(&ended.body),
            saw: ended.saw,
        }));
        self.free_flights.push(flight);
        self.numbers.end(ended.number);
        self.open -= 1;
        if ended.worker != NO_WORKER {
            let worker = &mut self.workers[usize::from(ended.worker)];
            worker.remaining -= 1;
            if worker.remaining == 0 && !self.draining {
                let at = ctx.now + worker.think;
                self.thinking.push(std::cmp::Reverse((at, ended.worker)));
            }
        }
    }

    /// Wakes units whose sleep is over or whose reply is late.
    pub(super) fn run_units(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        if ctx.now < self.units.earliest {
            return;
        }
        for index in 0..self.units.table.len() {
            let unit = index as u16;
            let work = self.units.at(unit);
            if work.deadline > ctx.now {
                continue;
            }
            work.deadline = Time::NEVER;
            match work.state {
                Progress::Sent => {
                    let slot = work.slot;
                    self.hang_up(spec, ctx, slot, Some(unit));
                }
                Progress::Sleeping(next) => {
                    work.state = Progress::Idle;
                    self.go_on(spec, ctx, unit, next);
                }
                Progress::Free
                | Progress::Idle
                | Progress::Queued
                | Progress::Moving
                | Progress::Searching
                | Progress::Unmapped => {}
            }
        }
        let deadlines = self.units.table.iter().map(|unit| unit.deadline);
        self.units.earliest = deadlines.min().unwrap_or(Time::NEVER);
    }
}
