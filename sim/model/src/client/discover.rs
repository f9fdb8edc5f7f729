//! Asking nodes for their role: the periodic refresh of a client's idea of the primary, and the
//! search for a primary after an error. There is one question at a time.

use super::Context;
use super::commands::Progress;
use super::connections::{Class, Stage};
use super::note::CommandOutcome;
use super::policy::{Backoff, DisconnectAction};
use super::spec::ClientSpec;
use super::state::{Client, Own, own_tag};
use crate::valkey::{Addr, Command, Reply, Role};
use rebound_engine::Time;

/// Why nodes are asked.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Aim {
    #[default]
    Nothing,
    /// To see whether the primary still is one.
    Refresh,
    /// To find one, within a number of rounds.
    Search { attempts: u32, backoff: Backoff },
}

/// The pending question.
#[derive(Copy, Clone, Debug)]
pub(super) struct Probe {
    pub aim: Aim,
    /// The node whose turn it is.
    pub addr: Addr,
    /// Where the question is, once it has been sent.
    pub slot: Option<u32>,
    /// Rounds, moves or failures so far.
    pub tries: u32,
    /// Asks at `deadline`; otherwise gives up on the answer then.
    pub resting: bool,
    pub deadline: Time,
    /// When the next refresh is due.
    pub refresh_at: Time,
}

impl Default for Probe {
    fn default() -> Self {
        Probe {
            aim: Aim::Nothing,
            addr: Addr(0),
            slot: None,
            tries: 0,
            resting: false,
            deadline: Time::NEVER,
            refresh_at: Time::NEVER,
        }
    }
}

impl Client {
    /// When the probe wants to be woken.
    pub(super) fn probe_due(&self) -> Time {
        match self.probe.aim {
            Aim::Nothing => self.probe.refresh_at,
            Aim::Refresh | Aim::Search { .. } => self.probe.deadline,
        }
    }

    pub(super) fn run_probe(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        if self.probe_due() > ctx.now {
            return;
        }
        match self.probe.aim {
            Aim::Nothing => {
                self.probe.aim = Aim::Refresh;
                self.probe.tries = 0;
                self.probe.addr = self.primary;
                self.probe_ask(spec, ctx);
            }
            Aim::Refresh | Aim::Search { .. } if self.probe.resting => {
                self.probe_ask(spec, ctx);
            }
            Aim::Refresh | Aim::Search { .. } => {
                // No answer in time: the connection is closed, which tells the probe.
                if let Some(slot) = self.probe.slot {
                    self.hang_up(spec, ctx, slot, None);
                } else {
                    self.probe_failed(spec, ctx);
                }
            }
        }
    }

    /// Begins a search, unless there is one.
    pub(super) fn search(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        attempts: u32,
        backoff: Backoff,
    ) {
        if matches!(self.probe.aim, Aim::Search { .. }) {
            return;
        }
        self.probe.aim = Aim::Search { attempts, backoff };
        self.probe.tries = 0;
        self.probe.addr = Addr(0);
        self.probe_ask(spec, ctx);
    }

    /// Has a unit whose connection is lost or cannot be made wait for a search, if the policy
    /// searches then.
    pub(super) fn rediscovers(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        unit: u16,
        cause: CommandOutcome,
    ) -> bool {
        match spec.policy.on_disconnect {
            DisconnectAction::Redial => false,
            DisconnectAction::Rediscover { attempts, backoff } => {
                let work = self.units.at(unit);
                work.cause = cause;
                work.state = Progress::Searching;
                self.search(spec, ctx, attempts, backoff);
                true
            }
        }
    }

    fn probe_ask(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        self.probe.resting = false;
        self.probe.slot = None;
        let addr = self.probe.addr;
        let slot = self.connection_to(spec, ctx, Class::Shared, addr);
        let conn = self.conns.at(slot);
        if conn.stage == Stage::Ready {
            self.ask_role(spec, ctx, slot);
        } else {
            // The dial has a time-out of its own.
            conn.probe = true;
            self.probe.deadline = Time::NEVER;
        }
    }

    /// Sends the question on a ready connection.
    pub(super) fn ask_role(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        if self.probe.aim == Aim::Nothing || self.conns.at(slot).addr != self.probe.addr {
            return;
        }
        self.clean(ctx, slot);
        self.send(ctx, slot, own_tag(Own::Role), Command::Role);
        self.probe.slot = Some(slot);
        self.probe.deadline = ctx.now + spec.policy.command_timeout;
    }

    /// An answer to `ROLE`.
    pub(super) fn role_told(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        slot: u32,
        reply: Reply,
    ) {
        if self.probe.slot != Some(slot) {
            return;
        }
        self.probe.slot = None;
        let told = if let Reply::Info {
            belief, primary, ..
        } = reply
        {
            Some((belief.role, primary))
        } else {
            None
        };
        match (self.probe.aim, told) {
            (Aim::Nothing, _) => {}
            (Aim::Refresh, Some((Role::Replica, Some(primary)))) => {
                self.primary = primary;
                self.probe.addr = primary;
                let wait = spec.policy.refresh_delay;
                self.probe_again(ctx, wait);
            }
            (Aim::Refresh, Some(_)) => self.probe_over(spec, ctx.now),
            (Aim::Search { .. }, Some((Role::Primary, _))) => {
                self.primary = self.probe.addr;
                self.probe_over(spec, ctx.now);
                self.search_over(spec, ctx, true);
            }
            (Aim::Refresh | Aim::Search { .. }, _) => self.probe_failed(spec, ctx),
        }
    }

    /// A node gave no answer, or none that helps.
    pub(super) fn probe_failed(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>) {
        self.probe.slot = None;
        match self.probe.aim {
            Aim::Nothing => {}
            Aim::Refresh => {
                self.probe.addr = self.primary;
                let wait = spec.policy.dial_backoff;
                self.probe_again(ctx, wait);
            }
            Aim::Search { .. } if self.probe.addr.0 + 1 < spec.nodes => {
                self.probe.addr.0 += 1;
                self.probe_again(ctx, Backoff::NONE);
            }
            Aim::Search { attempts, backoff } => {
                self.probe.addr = Addr(0);
                if self.probe.tries + 1 >= attempts {
                    self.probe_over(spec, ctx.now);
                    self.search_over(spec, ctx, false);
                } else {
                    self.probe_again(ctx, backoff);
                    self.probe.tries += 1;
                }
            }
        }
    }

    /// Asks the node whose turn it is, after a pause. A pause of nothing ends before the next
    /// input, not within this one, so that a refused node cannot trap the client.
    fn probe_again(&mut self, ctx: &mut Context<'_>, backoff: Backoff) {
        let wait = backoff.wait(self.probe.tries, ctx.chooser, ctx.policy_stream);
        if self.probe.aim == Aim::Refresh {
            self.probe.tries = self.probe.tries.saturating_add(1);
        }
        self.probe.resting = true;
        self.probe.deadline = ctx.now + wait;
    }

    fn probe_over(&mut self, spec: &ClientSpec, now: Time) {
        self.probe.aim = Aim::Nothing;
        self.probe.tries = 0;
        self.probe.refresh_at = match spec.policy.refresh {
            Some(period) if !self.draining => now + period,
            Some(_) | None => Time::NEVER,
        };
    }

    /// A search has ended: what waited for it goes to the primary, or gives up.
    fn search_over(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, found: bool) {
        for index in 0..self.units.table.len() {
            let work = &mut self.units.table[index];
            if work.state != Progress::Searching {
                continue;
            }
            work.state = Progress::Idle;
            work.addr = self.primary;
            let cause = work.cause;
            if found {
                self.dispatch(spec, ctx, index as u16);
            } else {
                self.fail(ctx, index as u16, cause);
            }
        }
    }

    /// The periodic refresh stops; a search goes on.
    pub(super) fn stop_refresh(&mut self) {
        self.probe.refresh_at = Time::NEVER;
        if self.probe.aim == Aim::Refresh {
            self.probe.aim = Aim::Nothing;
            self.probe.slot = None;
        }
    }
}
