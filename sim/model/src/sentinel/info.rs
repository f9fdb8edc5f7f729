//! What Sentinel reads in INFO, and what it does about it (`sentinelRefreshInstanceInfo`, 9.0.5).

use super::failover::{Stage, Way};
use super::instance::Reconf;
use super::interface::Context;
use super::note::Note;
use super::{INFO_PERIOD, PUBLISH_PERIOD, Release, Sentinel, longer_ago};
use crate::valkey::{Addr, AddressBook, Belief, FailoverState, LinkState, Role};
use rebound_engine::Time;

impl Sentinel {
    /// Takes in what a node says of itself, and acts on it.
    pub(super) fn refresh(
        &mut self,
        place: usize,
        belief: Belief,
        primary: Option<Addr>,
        offset: u64,
        ctx: &mut Context<'_>,
    ) {
        let now = ctx.now;
        let instance = &mut self.instances[place];
        match belief.role {
            Role::Primary => instance.link_down_since = None,
            Role::Replica => {
                if instance.follows != primary {
                    instance.follows = primary;
                    instance.follows_since = now;
                }
                instance.offset = offset;
                match belief.link {
                    LinkState::Up => instance.link_down_since = None,
                    LinkState::None | LinkState::Down | LinkState::Sync => {
                        instance.link_down_since.get_or_insert(now);
                    }
                }
            }
        }
        let failing_over = belief.failover != FailoverState::NoFailover;
        if failing_over != instance.failing_over {
            instance.failing_over = failing_over;
            instance.failing_over_since = now;
        }
        instance.info_at = Some(now);
        if belief.role != instance.role {
            instance.role = belief.role;
            instance.role_since = now;
            if belief.role == Role::Replica {
                instance.follows_since = now;
            }
        }
        if self.is_primary(place) {
            // A primary that calls itself a replica is found down if it goes on.
            return;
        }
        match belief.role {
            Role::Primary if self.failover.promoted == Some(self.instances[place].node) => {
                self.promoted(place, ctx);
            }
            Role::Primary => self.convert(place, ctx),
            Role::Replica => {
                self.fix(place, ctx);
                self.note_reconfiguration(place, belief.link, ctx);
            }
        }
    }

    /// The replica that was to be promoted says that it is a primary.
    fn promoted(&mut self, place: usize, ctx: &mut Context<'_>) {
        if self.failover.stage != Stage::WaitPromotion {
            return;
        }
        self.failover.enter(Stage::ReconfReplicas, ctx.now);
        ctx.note(Note::Promoted, self.instances[place].node);
        if self.failover.way == Way::Coordinated {
            self.send_kill_clients(self.primary_place(), ctx);
            self.send_kill_clients(place, ctx);
        }
    }

    /// A replica that calls itself a primary, for four times the period of hello messages, is made
    /// a replica again.
    fn convert(&mut self, place: usize, ctx: &mut Context<'_>) {
        let wait = PUBLISH_PERIOD.times(4);
        let instance = &self.instances[place];
        let node = instance.node;
        if self.primary_looks_sane(ctx.now)
            && instance.not_down_for(ctx.now, wait)
            && longer_ago(ctx.now, instance.role_since, wait)
            && self.send_replica_of(place, Some(self.primary), ctx)
        {
            ctx.note(Note::ConvertToReplica, node);
        }
    }

    /// A replica that has been stuck in a failover, or has followed another node, for
    /// `failover-timeout`, is pointed to the primary; the former since 9.0.
    fn fix(&mut self, place: usize, ctx: &mut Context<'_>) {
        let wait = self.config.failover_timeout;
        let instance = &self.instances[place];
        let stuck = self.config.release == Release::Since9
            && instance.failing_over
            && longer_ago(ctx.now, instance.failing_over_since, wait);
        let astray = instance.follows != Some(AddressBook::of(self.primary))
            && longer_ago(ctx.now, instance.follows_since, wait);
        let settled = self.primary_looks_sane(ctx.now) && instance.not_down_for(ctx.now, wait);
        let node = instance.node;
        for reason in [stuck, astray] {
            if reason && settled && self.send_replica_of(place, Some(self.primary), ctx) {
                ctx.note(Note::FixReplica, node);
            }
        }
    }

    /// Whether a replica that was pointed to the new primary has reached it.
    fn note_reconfiguration(&mut self, place: usize, link: LinkState, ctx: &mut Context<'_>) {
        let target = self.failover.promoted.map(AddressBook::of);
        let instance = &mut self.instances[place];
        if matches!(instance.reconf, Reconf::Sent(_)) && instance.follows == target {
            instance.reconf = Reconf::InProgress;
            ctx.note(Note::ReconfInProgress, instance.node);
        }
        if instance.reconf == Reconf::InProgress && link == LinkState::Up {
            instance.reconf = Reconf::Done;
            ctx.note(Note::ReconfDone, instance.node);
        }
    }

    /// `sentinelPrimaryLooksSane`
    fn primary_looks_sane(&self, now: Time) -> bool {
        let primary = &self.instances[self.primary_place()];
        primary.role == Role::Primary
            && !primary.down
            && (primary.info_at).is_some_and(|at| now.since(at) < INFO_PERIOD.times(2))
    }
}
