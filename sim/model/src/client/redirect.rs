//! What becomes of replies: served, an error to be retried, a redirect to be followed.

use super::commands::{Answer, Next, Progress};
use super::connections::Class;
use super::epochs::node_of;
use super::note::{CommandOutcome, Note, Saw};
use super::policy::{Application, Batch, ErrorAction, Reach, RedirectAction, Scope};
use super::spec::ClientSpec;
use super::state::Client;
use super::{Context, Effect};
use crate::valkey::{Addr, ErrorKind, NodeId, Redirect, RedirectKind, Reply, Value};
use rebound_engine::Time;

/// Where a reply came from.
#[derive(Copy, Clone, Debug)]
pub(super) struct Source {
    pub slot: u32,
    pub addr: Addr,
    /// The client had left the connection by then.
    pub stale: bool,
}

/// A move of the whole client in progress: the dial that concurrent redirects share.
#[derive(Copy, Clone, Debug)]
pub(super) struct Moving {
    pub slot: u32,
    pub to: Addr,
    /// The unit that began it.
    pub leader: u16,
}

fn answer_of(reply: Reply) -> Answer {
    match reply {
        Reply::Error(kind) => Answer::Failed(kind),
        Reply::Redirect(redirect) => Answer::Redirected(redirect),
        Reply::Ok
        | Reply::Pong
        | Reply::Queued
        | Reply::Nil
        | Reply::Int(_)
        | Reply::Value(_)
        | Reply::Array(_)
        | Reply::Elements(_)
        | Reply::Subscribed
        | Reply::Published
        | Reply::Info { .. }
        | Reply::Continue { .. }
        | Reply::FullResync { .. }
        | Reply::NewLine
        | Reply::Topology(_)
        | Reply::Reset
        | Reply::Encoding(_)
        | Reply::DualChannelSync => Answer::Served,
    }
}

/// What a reply says about the data.
fn saw_in(reply: Reply) -> Saw {
    match reply {
        Reply::Nil => Saw::Value(Value::Absent),
        Reply::Int(number) => Saw::Value(Value::Number(number)),
        Reply::Value(write) => Saw::Value(Value::Text(write)),
        Reply::Elements(elements) => Saw::Elements(elements),
        Reply::Ok
        | Reply::Pong
        | Reply::Queued
        | Reply::Array(_)
        | Reply::Subscribed
        | Reply::Published
        | Reply::Error(_)
        | Reply::Redirect(_)
        | Reply::Info { .. }
        | Reply::Continue { .. }
        | Reply::FullResync { .. }
        | Reply::NewLine
        | Reply::Topology(_)
        | Reply::Reset
        | Reply::Encoding(_)
        | Reply::DualChannelSync => Saw::Nothing,
    }
}

/// What a library does with an error of this kind.
fn action_on(spec: &ClientSpec, kind: ErrorKind) -> ErrorAction {
    const READONLY: [ErrorKind; 4] = [
        ErrorKind::ReadOnly,
        ErrorKind::ExecAbortReadOnly,
        ErrorKind::ScriptReadOnly,
        ErrorKind::ScriptReadOnlyUnnamed,
    ];
    const TRANSIENT: [ErrorKind; 4] = [
        ErrorKind::Unblocked,
        ErrorKind::Loading,
        ErrorKind::MasterDown,
        ErrorKind::ExecAbortMasterDown,
    ];
    if let Some(cluster) = &spec.policy.cluster {
        if kind == ErrorKind::TryAgain {
            return cluster.on_tryagain;
        }
        if kind.is_cluster_down() {
            return cluster.on_clusterdown;
        }
    }
    if READONLY.contains(&kind) {
        spec.policy.on_readonly
    } else if TRANSIENT.contains(&kind) {
        spec.policy.on_transient
    } else {
        ErrorAction::Surface
    }
}

impl Client {
    /// A reply to a unit's request.
    pub(super) fn answered(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        unit: u16,
        reply: Reply,
    ) {
        let work = self.units.at(unit);
        if work.state != Progress::Sent || work.slot != slot {
            return;
        }
        let position = work.received;
        work.received += 1;
        let complete = work.received == work.expected;
        let conn = self.conns.at(slot);
        let source = Source {
            slot,
            addr: conn.addr,
            stale: conn.abandoned,
        };
        if work.transaction {
            self.transaction_answered(spec, ctx, unit, source, complete, reply);
            return;
        }
        let flight = work.members[work.first + position as usize];
        let (each, alone) = (work.each, work.expected == 1);
        let answered = &mut self.flights[flight as usize];
        answered.answer = answer_of(reply);
        answered.from = source.addr;
        answered.saw = saw_in(reply);
        if complete {
            self.release_connection(spec, ctx, unit);
        }
        if !each {
            if complete {
                self.batch_answered(spec, ctx, unit, source);
            }
            return;
        }
        self.settle(spec, ctx, unit, flight, source, alone);
        if complete && !alone {
            self.units.release(unit);
        }
    }

    /// Deals with one member's answer. It gets a unit of its own if it is not finished and not
    /// `alone` in its unit.
    fn settle(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        flight: u32,
        source: Source,
        alone: bool,
    ) {
        let answer = self.flights[flight as usize].answer;
        if let Answer::Failed(kind) = answer {
            self.on_error(spec, ctx, kind);
        }
        let outcome = match answer {
            Answer::None => return,
            Answer::Served => CommandOutcome::Served,
            Answer::Failed(kind) if action_on(spec, kind) == ErrorAction::Surface => {
                CommandOutcome::Error(kind)
            }
            Answer::Failed(kind) => {
                let own = if alone {
                    unit
                } else {
                    self.detach(unit, flight)
                };
                self.failed(spec, ctx, own, kind);
                return;
            }
            Answer::Redirected(redirect) => {
                let own = if alone {
                    unit
                } else {
                    self.detach(unit, flight)
                };
                self.redirected(spec, ctx, own, redirect, source);
                return;
            }
        };
        self.end(ctx, flight, outcome);
        if alone {
            self.units.release(unit);
        }
    }

    /// All replies to a pipeline are there that is dealt with as a whole.
    fn batch_answered(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        source: Source,
    ) {
        let work = &self.units.table[usize::from(unit)];
        let redirect = work.members[work.first..]
            .iter()
            .enumerate()
            .find_map(
                |(place, flight)| match self.flights[*flight as usize].answer {
                    Answer::Redirected(redirect) => Some((work.first + place, redirect)),
                    Answer::None | Answer::Served | Answer::Failed(_) => None,
                },
            );
        let (begin, end) = match (redirect, spec.policy.batch) {
            (None, _) => (work.first, work.members.len()),
            (Some((place, _)), Batch::FromFirst) => (work.first, place),
            (Some(_), Batch::Whole | Batch::Each) => (0, 0),
        };
        for place in begin..end {
            let flight = self.units.at(unit).members[place];
            self.settle(spec, ctx, unit, flight, source, false);
        }
        if let Some((_, redirect)) = redirect {
            let work = self.units.at(unit);
            work.first = work.first.max(end);
            self.redirected(spec, ctx, unit, redirect, source);
        } else {
            self.units.release(unit);
        }
    }

    /// A reply to MULTI, to a command inside, or to EXEC.
    fn transaction_answered(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        source: Source,
        complete: bool,
        reply: Reply,
    ) {
        let answer = answer_of(reply);
        let work = self.units.at(unit);
        let (slot, flight) = (work.slot, work.members[0]);
        if !complete {
            if let Answer::Redirected(redirect) = answer {
                work.inner_redirect.get_or_insert(redirect);
            }
            return;
        }
        let inner = work.inner_redirect;
        if matches!(answer, Answer::Redirected(..)) {
            self.conns.at(slot).dirty = true;
        }
        self.release_connection(spec, ctx, unit);
        // Release candidate 1 drops a redirected command silently and executes the rest: a
        // library that looks at EXEC's reply alone takes that for success.
        let blind = spec.policy.batch == Batch::Each && answer == Answer::Served;
        self.flights[flight as usize].from = source.addr;
        self.flights[flight as usize].answer = match inner {
            Some(redirect) if !blind && !matches!(answer, Answer::Redirected(..)) => {
                Answer::Redirected(redirect)
            }
            Some(_) | None => answer,
        };
        self.settle(spec, ctx, unit, flight, source, true);
    }

    /// An error that the library does not simply report.
    fn failed(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16, kind: ErrorKind) {
        let late = self.is_late(spec, ctx.now, unit);
        let work = self.units.at(unit);
        work.cause = CommandOutcome::Error(kind);
        let tries = work.error_retries;
        work.error_retries += 1;
        match action_on(spec, kind) {
            ErrorAction::Retry { attempts, backoff } if tries < attempts && !late => {
                let wait = backoff.wait(tries, ctx.chooser, ctx.policy_stream);
                self.sleep(spec, ctx, unit, wait, Next::Retry);
            }
            ErrorAction::Rediscover { attempts, backoff } if tries < attempts && !late => {
                work.state = Progress::Searching;
                self.search(spec, ctx, attempts, backoff);
            }
            ErrorAction::Surface | ErrorAction::Retry { .. } | ErrorAction::Rediscover { .. } => {
                self.fail(ctx, unit, CommandOutcome::Error(kind));
            }
        }
    }

    fn is_late(&mut self, spec: &ClientSpec, now: Time, unit: u16) -> bool {
        let since = now.since(self.units.at(unit).issued_at);
        spec.policy
            .redirect_deadline
            .is_some_and(|limit| since > limit)
    }

    /// A unit, some of whose members were redirected, is to go where the first of the redirects
    /// points.
    fn redirected(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        redirect: Redirect,
        source: Source,
    ) {
        let to = redirect.to;
        let policy = &spec.policy;
        if policy.cluster.is_some() {
            self.units.at(unit).asking = matches!(redirect.kind, RedirectKind::Ask(_));
            self.on_redirect(spec, ctx, redirect, source);
        }
        let late = self.is_late(spec, ctx.now, unit);
        let work = self.units.at(unit);
        let follows = policy.redirect == RedirectAction::Follow
            && (policy.follow_transactions || !work.transaction)
            && (policy.follow_pipelines || !work.piped);
        if !follows {
            let tries = work.application_retries;
            work.application_retries += 1;
            match policy.application {
                Application::Retry { attempts, backoff } if tries < attempts => {
                    self.note_hops(spec, ctx, unit, source);
                    let wait = backoff.wait(tries, ctx.chooser, ctx.policy_stream);
                    self.sleep(spec, ctx, unit, wait, Next::Follow(to));
                }
                Application::GiveUp | Application::Retry { .. } => {
                    self.fail(ctx, unit, CommandOutcome::Redirect);
                }
            }
            return;
        }
        let stale = source.stale && policy.stale_filter;
        if !stale
            && !late
            && let Some(epochs) = self.stale_epochs(spec, unit, redirect)
        {
            let wait = self.ignore(ctx, unit, source, epochs);
            self.sleep(spec, ctx, unit, wait, Next::Retry);
            return;
        }
        let work = self.units.at(unit);
        let follow = work.redirects;
        if late || policy.max_redirects.is_some_and(|most| follow >= most) {
            self.fail(ctx, unit, CommandOutcome::Redirect);
            // The pool is renewed before the attempts are counted.
            if policy.reach == Reach::NewPool && !stale {
                self.renew_pool(spec, ctx, to);
            }
            return;
        }
        work.redirects += 1;
        if stale {
            self.dispatch(spec, ctx, unit);
            return;
        }
        self.believe(unit, redirect);
        let bounces = self.note_hops(spec, ctx, unit, source);
        let mut wait = policy
            .redirect_delay
            .wait(follow, ctx.chooser, ctx.policy_stream);
        if let (Some(guard), Some(bounces)) = (policy.bounce_guard, bounces) {
            wait += guard.wait(bounces - 1, ctx.chooser, ctx.policy_stream);
        }
        self.sleep(spec, ctx, unit, wait, Next::Follow(to));
    }

    /// Notes down the redirects of a unit's members that are followed. The most bounces that
    /// one of those sent back has seen, if any was.
    fn note_hops(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        source: Source,
    ) -> Option<u32> {
        let work = &self.units.table[usize::from(unit)];
        let node = ctx.addresses.node(source.addr);
        let from = node_of(ctx, source.addr);
        let bit = |node: NodeId| 1_u64 << (node.0 % 64);
        let mut most = None;
        for place in &work.members[work.first..] {
            let flight = &mut self.flights[*place as usize];
            let Answer::Redirected(Redirect {
                to,
                kind: via,
                belief,
                ..
            }) = flight.answer
            else {
                continue;
            };
            flight.hops += 1;
            flight.redirected_by |= node.map_or(0, bit);
            let target = if spec.policy.same_node_only {
                node
            } else {
                ctx.addresses.node(to)
            };
            let bounce = target.is_some_and(|target| flight.redirected_by & bit(target) != 0);
            if bounce {
                flight.bounces += 1;
                most = most.max(Some(flight.bounces));
            }
            ctx.effects.push(Effect::Note(Note::Hop {
                command: flight.number,
                kind: flight.kind,
                from,
                to,
                via,
                hops: flight.hops,
                bounce,
                belief,
            }));
        }
        most
    }

    /// Goes where a redirect points.
    pub(super) fn follow(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16, to: Addr) {
        let policy = &spec.policy;
        let work = self.units.at(unit);
        let to = if policy.same_node_only { work.addr } else { to };
        match (policy.scope, policy.reach) {
            (Scope::Command, _) => {
                work.addr = to;
                work.redirected = true;
                self.dispatch(spec, ctx, unit);
            }
            (Scope::Client, Reach::Warm) => {
                self.primary = to;
                self.dispatch(spec, ctx, unit);
            }
            (Scope::Client, Reach::NewPool) => {
                self.renew_pool(spec, ctx, to);
                self.dispatch(spec, ctx, unit);
            }
            (Scope::Client, Reach::Dial) => {
                work.state = Progress::Moving;
                self.forget_answers(unit);
                if self.moving.is_none() {
                    let slot = self.dial(spec, ctx, Class::Next, to);
                    self.moving = Some(Moving {
                        slot,
                        to,
                        leader: unit,
                    });
                }
            }
        }
    }

    fn renew_pool(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, to: Addr) {
        self.primary = to;
        self.abandon_pool(spec, ctx, None);
    }

    /// The connection to the new primary is ready: the client moves there.
    pub(super) fn moved(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let Some(moving) = self.moving.take() else {
            return;
        };
        self.primary = moving.to;
        self.conns.at(moving.slot).class = Class::Shared;
        self.abandon_pool(spec, ctx, Some(moving.slot));
        for index in 0..self.units.table.len() {
            if self.units.table[index].state == Progress::Moving {
                self.units.table[index].state = Progress::Idle;
                self.dispatch(spec, ctx, index as u16);
            }
        }
    }

    /// The new primary cannot be reached: the unit that dialled backs off, those that waited
    /// with it go back to the old one at once.
    pub(super) fn move_failed(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        let Some(moving) = self.moving.take() else {
            return;
        };
        for index in 0..self.units.table.len() {
            if self.units.table[index].state != Progress::Moving {
                continue;
            }
            let unit = index as u16;
            if unit == moving.leader {
                self.unreachable(spec, ctx, unit);
            } else {
                self.units.at(unit).state = Progress::Idle;
                self.dispatch(spec, ctx, unit);
            }
        }
    }
}
