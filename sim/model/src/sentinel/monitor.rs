//! The timer: connections to the nodes, what is asked of them regularly, and who is down
//! (`sentinelHandleValkeyInstance`, 9.0.5).

use super::failover::{Stage, Way};
use super::instance::Link;
use super::interface::{ConnSlot, Context, Effect};
use super::note::Note;
use super::{
    HELLO, HZ, INFO_PERIOD, MAX_PENDING, MIN_LINK_AGE, PING_PERIOD, PUBLISH_PERIOD, Release,
    Sentinel, longer_ago,
};
use crate::valkey::{Command, ErrorKind, Reply, Request, Role, Tag};
use rebound_engine::Duration;

/// What a reply answers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// An order; the reply is discarded.
    Order = 0,
    Ping = 1,
    Info = 2,
    Hello = 3,
}

impl Mark {
    pub(super) const fn tag(self) -> Tag {
        Tag::own(self as u32)
    }
}

impl Sentinel {
    /// `sentinelTimer`: the primary, then its replicas, then the end of a failover.
    pub(super) fn tick(&mut self, ctx: &mut Context<'_>) {
        let primary = self.primary_place();
        self.attend(primary, ctx);
        for place in 0..self.instances.len() {
            if place != primary {
                self.attend(place, ctx);
            }
        }
        if self.failover.stage == Stage::UpdateConfig {
            self.switch_to_promoted(ctx);
        }
        let hz = HZ + ctx.chooser.below(ctx.tick_stream, HZ);
        let next = ctx.now + Duration::millis(1_000 / hz);
        ctx.effects.push(Effect::WakeAt(next));
    }

    fn attend(&mut self, place: usize, ctx: &mut Context<'_>) {
        self.reconnect(place, ctx);
        self.ask_regularly(place, ctx);
        self.check_down(place, ctx);
        if self.is_primary(place) {
            self.start_failover_if_needed(ctx);
            self.advance_failover(ctx);
        }
    }

    /// `sentinelReconnectInstance`: once a second at most.
    fn reconnect(&mut self, place: usize, ctx: &mut Context<'_>) {
        let now = ctx.now;
        let instance = &mut self.instances[place];
        let lately = |at| now.since(at) < PING_PERIOD;
        if instance.is_connected() || instance.dialled_at.is_some_and(lately) {
            return;
        }
        instance.dialled_at = Some(now);
        let node = instance.node;
        if instance.commands == Link::Closed {
            instance.commands = Link::Dialling(now);
            instance.pending = 0;
            instance.note_ping(now);
            ctx.effects
                .push(Effect::Dial(ConnSlot::commands(node), node));
        }
        if instance.subscription == Link::Closed {
            instance.subscription = Link::Dialling(now);
            ctx.effects
                .push(Effect::Dial(ConnSlot::subscription(node), node));
        }
    }

    /// A connection is made: the PING that waits for it, or the subscription.
    pub(super) fn connected(&mut self, slot: ConnSlot, ctx: &mut Context<'_>) {
        let Some(place) = self.place(slot.node()) else {
            return;
        };
        let instance = &mut self.instances[place];
        let link = if slot.is_subscription() {
            &mut instance.subscription
        } else {
            &mut instance.commands
        };
        *link = Link::Open(link.dialled_at().unwrap_or(ctx.now));
        if slot.is_subscription() {
            let request = Request {
                tag: Mark::Order.tag(),
                command: Command::Subscribe(HELLO),
            };
            ctx.effects.push(Effect::Send(slot, request));
        } else {
            self.send(place, Mark::Ping, Command::Ping, ctx);
        }
    }

    /// `sentinelSendPeriodicCommands`
    fn ask_regularly(&mut self, place: usize, ctx: &mut Context<'_>) {
        let now = ctx.now;
        let is_primary = self.is_primary(place);
        let primary_down = self.instances[self.primary_place()].down;
        let instance = &self.instances[place];
        if !instance.is_connected() || !instance.is_ready() || instance.pending >= MAX_PENDING {
            return;
        }
        let closely = primary_down
            || self.failover.stage != Stage::None
            || instance.link_down_since.is_some();
        let info_period = if !is_primary && closely {
            Duration::secs(1)
        } else {
            INFO_PERIOD
        };
        let ping_period = self.config.down_after.min(PING_PERIOD);
        let info_due = instance
            .info_at
            .is_none_or(|at| longer_ago(now, at, info_period));
        let ping_due = longer_ago(now, instance.pong_at, ping_period)
            && (instance.pinged_at).is_none_or(|at| now.since(at).times(2) > ping_period);
        let hello_due = longer_ago(now, instance.published_at, PUBLISH_PERIOD)
            && !self.would_be_postponed(place);
        if info_due {
            self.send(place, Mark::Info, Command::Info, ctx);
        }
        if ping_due {
            self.instances[place].note_ping(now);
            self.send(place, Mark::Ping, Command::Ping, ctx);
        }
        if hello_due {
            self.send(place, Mark::Hello, Command::Publish(HELLO), ctx);
        }
    }

    /// Whether PUBLISH would wait for the end of a pause of writes, and PING behind it. Before
    /// 9.0 Sentinel does not think of that (PR 1292).
    fn would_be_postponed(&self, place: usize) -> bool {
        let coordinated =
            self.failover.is_before_promotion() && self.failover.way == Way::Coordinated;
        match self.config.release {
            Release::Before9 => false,
            Release::Since9 => {
                (self.is_primary(place) && coordinated) || self.instances[place].failing_over
            }
        }
    }

    /// A reply, or something on the subscription.
    pub(super) fn replied(
        &mut self,
        slot: ConnSlot,
        tag: Tag,
        reply: Reply,
        ctx: &mut Context<'_>,
    ) {
        let Some(place) = self.place(slot.node()) else {
            return;
        };
        let instance = &mut self.instances[place];
        if slot.is_subscription() {
            instance.heard_at = Some(ctx.now);
            return;
        }
        instance.pending = instance.pending.saturating_sub(1);
        if tag == Mark::Ping.tag() {
            // `sentinelPingReplyCallback`
            let good = matches!(
                reply,
                Reply::Pong | Reply::Error(ErrorKind::Loading | ErrorKind::MasterDown)
            );
            if good {
                instance.available_at = ctx.now;
                instance.ping_since = None;
            }
            instance.pong_at = ctx.now;
        } else if tag == Mark::Hello.tag() {
            if !matches!(reply, Reply::Error(_)) {
                instance.published_at = ctx.now;
            }
        } else if tag == Mark::Info.tag()
            && let Reply::Info {
                belief,
                primary,
                offset,
            } = reply
        {
            self.refresh(place, belief, primary, offset.bytes(), ctx);
        }
    }

    /// `sentinelCheckSubjectivelyDown`: connections that have fallen silent are given up, and a
    /// node is down if it does not answer, or if it is the primary and has called itself a
    /// replica for too long (issue 1291). With a quorum of one that is objective as well.
    fn check_down(&mut self, place: usize, ctx: &mut Context<'_>) {
        let now = ctx.now;
        let is_primary = self.is_primary(place);
        let down_after = self.config.down_after;
        let instance = &mut self.instances[place];
        let silent = match (instance.ping_since, instance.is_connected()) {
            (Some(since), _) => now.since(since),
            (None, false) => now.since(instance.available_at),
            (None, true) => Duration::ZERO,
        };
        let old = |link: Link| {
            link.dialled_at()
                .is_some_and(|at| longer_ago(now, at, MIN_LINK_AGE))
        };
        let half = |since| now.since(since).times(2) > down_after;
        if old(instance.commands) && instance.ping_since.is_some_and(half) && half(instance.pong_at)
        {
            let slot = ConnSlot::commands(instance.node);
            instance.lost(slot);
            ctx.effects.push(Effect::Close(slot));
        }
        let unheard =
            (instance.heard_at).is_none_or(|at| longer_ago(now, at, PUBLISH_PERIOD.times(3)));
        if old(instance.subscription) && unheard {
            let slot = ConnSlot::subscription(instance.node);
            instance.lost(slot);
            ctx.effects.push(Effect::Close(slot));
        }
        let demoted = is_primary
            && instance.role == Role::Replica
            && longer_ago(now, instance.role_since, down_after + INFO_PERIOD.times(2));
        let down = silent > down_after || demoted;
        if down != instance.down {
            instance.down = down;
            let node = instance.node;
            if down {
                instance.down_at = Some(now);
            }
            ctx.note(if down { Note::Down } else { Note::Up }, node);
        }
    }
}
