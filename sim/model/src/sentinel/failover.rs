//! A failover: who is to be promoted, how, and what follows (`sentinelFailoverStateMachine`,
//! 9.0.5).

use std::cmp::Reverse;

use schemars::JsonSchema;
use serde::Deserialize;

use super::instance::Reconf;
use super::interface::{ConnSlot, Context, Effect};
use super::note::Note;
use super::{
    INFO_PERIOD, MAX_DESYNC_MS, PING_PERIOD, RECONF_TIMEOUT, Sentinel, longer_ago, role_of,
};
use crate::valkey::NodeId;
use rebound_engine::{Duration, Time};

/// How a primary is replaced.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The replica is ordered to be a primary, whatever the old one does; that is converted later.
    #[default]
    Classic,
    /// The primary is ordered to hand over (`SENTINEL FAILOVER … COORDINATED`, since 9.0).
    Coordinated,
}

/// `failover_state`
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// No failover.
    #[default]
    None,
    /// To be elected. One Sentinel alone elects itself.
    WaitStart,
    /// To select a replica.
    SelectReplica,
    /// To tell the replica, or the primary (`SEND_REPLICAOF_NOONE`).
    SendOrder,
    /// Until INFO of the selected replica says that it is a primary.
    WaitPromotion,
    /// The other replicas are pointed to it.
    ReconfReplicas,
    /// The promoted replica is to take the primary's place in the table.
    UpdateConfig,
}

/// The failover in progress, and what is remembered of the last one.
#[derive(Debug, Default)]
pub(super) struct Failover {
    pub(super) stage: Stage,
    /// `failover_state_change_time`
    pub(super) since: Time,
    /// `failover_start_time`; none if the next may start at once.
    pub(super) started: Option<Time>,
    pub(super) way: Way,
    /// `promoted_replica`
    pub(super) promoted: Option<NodeId>,
}

impl Failover {
    pub(super) fn enter(&mut self, stage: Stage, now: Time) {
        self.stage = stage;
        self.since = now;
    }

    /// Whether one is in progress that has not promoted a replica yet.
    pub(super) fn is_before_promotion(&self) -> bool {
        (Stage::WaitStart..=Stage::WaitPromotion).contains(&self.stage)
    }
}

impl Sentinel {
    /// `SENTINEL FAILOVER name [COORDINATED]` (`sentinelCommand`)
    pub(super) fn failover_command(&mut self, way: Way, ctx: &mut Context<'_>) {
        let refused = if self.failover.stage != Stage::None {
            Some(Note::RefusedInProgress)
        } else if self.select_replica(ctx.now).is_none() {
            Some(Note::RefusedNoGoodReplica)
        } else {
            None
        };
        if let Some(refused) = refused {
            ctx.note(refused, self.primary);
            return;
        }
        // The primary is marked as down until the next tick looks at it.
        let primary = self.primary_place();
        self.instances[primary].down = true;
        self.instances[primary].down_at = Some(ctx.now);
        self.start_failover(way, ctx);
    }

    /// `sentinelStartFailoverIfNeeded`: the primary is down, and the last attempt began more than
    /// twice `failover-timeout` ago.
    pub(super) fn start_failover_if_needed(&mut self, ctx: &mut Context<'_>) {
        let down = self.instances[self.primary_place()].down;
        let pause = self.config.failover_timeout.times(2);
        let lately =
            (self.failover.started).is_some_and(|at| ctx.now < at || ctx.now.since(at) < pause);
        if down && self.failover.stage == Stage::None && !lately {
            self.start_failover(Way::Classic, ctx);
        }
    }

    /// `sentinelStartFailover`: the beginning is put up to a second ahead, so that several
    /// Sentinels do not start again in step.
    fn start_failover(&mut self, way: Way, ctx: &mut Context<'_>) {
        let desync = ctx.chooser.below(ctx.desync_stream, MAX_DESYNC_MS);
        self.failover.started = Some(ctx.now + Duration::millis(desync));
        self.failover.way = way;
        self.failover.enter(Stage::WaitStart, ctx.now);
        ctx.note(Note::TryFailover, self.primary);
    }

    /// One step of the state machine, in each tick.
    pub(super) fn advance_failover(&mut self, ctx: &mut Context<'_>) {
        match self.failover.stage {
            Stage::None | Stage::UpdateConfig => {}
            // `sentinelFailoverWaitStart`: of one voter one vote is the majority.
            Stage::WaitStart => self.failover.enter(Stage::SelectReplica, ctx.now),
            Stage::SelectReplica => match self.select_replica(ctx.now) {
                None => self.give_up(Note::NoGoodReplica, ctx),
                Some(node) => {
                    self.failover.promoted = Some(node);
                    self.failover.enter(Stage::SendOrder, ctx.now);
                    ctx.note(Note::Selected, node);
                }
            },
            Stage::SendOrder => match self.failover.way {
                Way::Classic => self.order_promotion(ctx),
                Way::Coordinated => self.order_failover(ctx),
            },
            Stage::WaitPromotion => {
                if longer_ago(ctx.now, self.failover.since, self.config.failover_timeout) {
                    self.give_up(Note::ReplicaTimeout, ctx);
                }
            }
            Stage::ReconfReplicas => self.reconfigure_replicas(ctx),
        }
    }

    /// `sentinelFailoverSendReplicaOfNoOne`
    fn order_promotion(&mut self, ctx: &mut Context<'_>) {
        let Some((place, node)) = self.promoted_place() else {
            return;
        };
        if self.instances[place].is_connected() && self.send_replica_of(place, None, ctx) {
            self.failover.enter(Stage::WaitPromotion, ctx.now);
            ctx.note(Note::WaitPromotion, node);
        } else if longer_ago(ctx.now, self.failover.since, self.config.failover_timeout) {
            self.give_up(Note::ReplicaTimeout, ctx);
        }
    }

    /// `sentinelFailoverSendFailover`: with what is left of `failover-timeout`, a second at least.
    fn order_failover(&mut self, ctx: &mut Context<'_>) {
        let Some((_, node)) = self.promoted_place() else {
            return;
        };
        let passed = ctx.now.since(self.failover.since);
        if self.config.failover_timeout < passed + Duration::secs(1) {
            self.give_up(Note::PrimaryTimeout, ctx);
            return;
        }
        let left = self.config.failover_timeout - passed;
        let primary = self.primary_place();
        if self.instances[primary].is_connected() && self.send_failover(primary, node, left, ctx) {
            self.failover.enter(Stage::WaitPromotion, ctx.now);
            ctx.note(Note::WaitPromotion, node);
        }
    }

    fn promoted_place(&self) -> Option<(usize, NodeId)> {
        let node = self.failover.promoted?;
        Some((self.place(node)?, node))
    }

    /// `sentinelAbortFailover`: Sentinel forgets it. It tells nobody, not even a primary that it
    /// has told to hand over.
    fn give_up(&mut self, why: Note, ctx: &mut Context<'_>) {
        let about = self.failover.promoted.unwrap_or(self.primary);
        ctx.note(why, about);
        self.failover.promoted = None;
        self.failover.way = Way::Classic;
        self.failover.enter(Stage::None, ctx.now);
    }

    /// `sentinelSelectReplica`: of the replicas that answer and have told of themselves lately,
    /// the one with the highest offset. All have the same priority; run ids are in the order of
    /// nodes.
    fn select_replica(&self, now: Time) -> Option<NodeId> {
        let primary = &self.instances[self.primary_place()];
        let down_after = self.config.down_after;
        let (info_age, mut link_down) = (
            if primary.down {
                PING_PERIOD.times(5)
            } else {
                INFO_PERIOD.times(3)
            },
            down_after.times(10),
        );
        if let Some(at) = primary.down_at.filter(|_| primary.down) {
            link_down += now.since(at);
        }
        let good = self.instances.iter().filter(|instance| {
            instance.node != self.primary
                && !instance.down
                && instance.is_connected()
                && now.since(instance.available_at) <= PING_PERIOD.times(5)
                && (instance.info_at).is_some_and(|at| now.since(at) <= info_age)
                && (instance.link_down_since).is_none_or(|at| now.since(at) <= link_down)
        });
        good.min_by_key(|instance| (Reverse(instance.offset), instance.node))
            .map(|instance| instance.node)
    }

    /// `sentinelFailoverReconfNextReplica`: tells the other replicas, `parallel-syncs` at a time.
    fn reconfigure_replicas(&mut self, ctx: &mut Context<'_>) {
        let Some(promoted) = self.failover.promoted else {
            return;
        };
        let busy = |reconf| matches!(reconf, Reconf::Sent(_) | Reconf::InProgress);
        let under_way = self.instances.iter().filter(|each| busy(each.reconf));
        let mut under_way = under_way.count() as u32;
        for place in 0..self.instances.len() {
            if under_way >= self.config.parallel_syncs {
                break;
            }
            let instance = &mut self.instances[place];
            let node = instance.node;
            if node == self.primary || node == promoted || instance.reconf == Reconf::Done {
                continue;
            }
            if let Reconf::Sent(at) = instance.reconf
                && longer_ago(ctx.now, at, RECONF_TIMEOUT)
            {
                ctx.note(Note::ReconfSentTimeout, node);
                instance.reconf = Reconf::Done;
            }
            if busy(instance.reconf) || !instance.is_connected() {
                continue;
            }
            if self.send_replica_of(place, Some(promoted), ctx) {
                self.instances[place].reconf = Reconf::Sent(ctx.now);
                ctx.note(Note::ReconfSent, node);
                under_way += 1;
            }
        }
        self.detect_end(promoted, ctx);
    }

    /// `sentinelFailoverDetectEnd`: all reachable replicas have followed, or `failover-timeout`
    /// has passed; then the rest get their orders without waiting for them.
    fn detect_end(&mut self, promoted: NodeId, ctx: &mut Context<'_>) {
        if (self.place(promoted)).is_some_and(|place| self.instances[place].down) {
            return;
        }
        let others = |instance: &super::Instance| {
            instance.node != self.primary && instance.node != promoted && !instance.down
        };
        let missing = self
            .instances
            .iter()
            .any(|instance| others(instance) && instance.reconf != Reconf::Done);
        let late = longer_ago(ctx.now, self.failover.since, self.config.failover_timeout);
        if late {
            ctx.note(Note::FailoverEndTimeout, self.primary);
        }
        if late || !missing {
            ctx.note(Note::FailoverEnd, self.primary);
            self.failover.enter(Stage::UpdateConfig, ctx.now);
        }
        if late {
            for place in 0..self.instances.len() {
                let instance = &self.instances[place];
                let node = instance.node;
                let told = matches!(instance.reconf, Reconf::Sent(_) | Reconf::Done);
                if node == self.primary || node == promoted || told || !instance.is_connected() {
                    continue;
                }
                if self.send_replica_of(place, Some(promoted), ctx) {
                    ctx.note(Note::ReconfSentBestEffort, node);
                    self.instances[place].reconf = Reconf::Sent(ctx.now);
                }
            }
        }
    }

    /// `sentinelFailoverSwitchToPromotedReplica` and `sentinelResetPrimaryAndChangeAddress`: the
    /// promoted replica takes the primary's place, and Sentinel connects to all of them again, with
    /// the old primary among the replicas. The primary's entry keeps the times of its last INFO,
    /// hello message and dial.
    pub(super) fn switch_to_promoted(&mut self, ctx: &mut Context<'_>) {
        let Some(promoted) = self.failover.promoted else {
            return;
        };
        let entry = &self.instances[self.primary_place()];
        let (info_at, published_at, dialled_at) =
            (entry.info_at, entry.published_at, entry.dialled_at);
        ctx.note(Note::SwitchPrimary, promoted);
        self.primary = promoted;
        self.failover = Failover::default();
        for instance in &mut self.instances {
            let node = instance.node;
            for slot in [ConnSlot::commands(node), ConnSlot::subscription(node)] {
                ctx.effects.push(Effect::Close(slot));
            }
            instance.meet(role_of(node, promoted), ctx.now);
            if node == promoted {
                instance.info_at = info_at;
                instance.published_at = published_at;
                instance.dialled_at = dialled_at;
            }
        }
    }
}
