//! Sentinel: a process that watches a primary and its replicas from outside, and replaces the
//! primary when it is asked to or finds it down (`sentinel.c` of 9.0.5, commit 008734eee).
//!
//! A pure state machine, like servers and clients: replies and wake-ups go in, commands to nodes
//! come out. It is the only Sentinel of its primary, with a quorum of one.

mod failover;
mod info;
mod instance;
mod interface;
mod monitor;
mod note;
mod orders;

#[cfg(test)]
mod tests;

pub use failover::Way;
pub use interface::{ConnSlot, Context, Effect, Input};
pub use note::Note;

use self::failover::Failover;
use self::instance::Instance;
use crate::valkey::NodeId;
use rebound_engine::{Duration, Time};

/// The channel `__sentinel__:hello`, which no scenario can name.
pub const HELLO: u32 = u32::MAX;

/// `sentinel_info_period`
const INFO_PERIOD: Duration = Duration::secs(10);
/// `sentinel_ping_period`
const PING_PERIOD: Duration = Duration::secs(1);
/// `sentinel_publish_period`
const PUBLISH_PERIOD: Duration = Duration::secs(2);
/// `sentinel_min_link_reconnect_period`
const MIN_LINK_AGE: Duration = Duration::secs(15);
/// `sentinel_replica_reconf_timeout`
const RECONF_TIMEOUT: Duration = Duration::secs(10);
/// `SENTINEL_MAX_DESYNC`, in milliseconds.
const MAX_DESYNC_MS: u64 = 1_000;
/// `SENTINEL_MAX_PENDING_COMMANDS`
const MAX_PENDING: u32 = 100;
/// `CONFIG_DEFAULT_HZ`: a tick comes this often, or up to twice as often, drawn anew each time so
/// that several Sentinels fall out of step (`sentinelTimer`).
const HZ: u64 = 10;

/// Sentinel's configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentinelConfig {
    /// What it can do.
    pub release: Release,
    /// `down-after-milliseconds`
    pub down_after: Duration,
    /// `failover-timeout`
    pub failover_timeout: Duration,
    /// `parallel-syncs`
    pub parallel_syncs: u32,
}

/// A release of Sentinel, as far as it matters: PR 1292 is in 9.0.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// It knows nothing of `FAILOVER`: it cannot coordinate, does not look at
    /// `master_failover_state`, and never aborts.
    Before9,
    /// 9.0 and later.
    Since9,
}

impl Default for SentinelConfig {
    fn default() -> Self {
        SentinelConfig {
            release: Release::Since9,
            down_after: Duration::secs(30),
            failover_timeout: Duration::secs(180),
            parallel_syncs: 1,
        }
    }
}

/// Sentinel.
#[derive(Debug)]
pub struct Sentinel {
    config: SentinelConfig,
    /// The primary of its configuration file.
    configured: NodeId,
    /// What it takes for the primary.
    primary: NodeId,
    /// The nodes that it watches.
    instances: Vec<Instance>,
    failover: Failover,
}

impl Sentinel {
    /// A Sentinel that has not been started. It watches `primary` and `replicas`, as if it had
    /// met them before (`known-replica` in its configuration file).
    pub fn new(
        config: SentinelConfig,
        primary: NodeId,
        replicas: impl IntoIterator<Item = NodeId>,
    ) -> Sentinel {
        let nodes = std::iter::once(primary).chain(replicas);
        Sentinel {
            config,
            configured: primary,
            primary,
            instances: nodes.map(Instance::new).collect(),
            failover: Failover::default(),
        }
    }

    /// Prepares for a new run.
    pub fn reset(&mut self) {
        self.primary = self.configured;
        self.failover = Failover::default();
    }

    /// Handles an input; what it wants done is in the context then.
    pub fn handle(&mut self, input: Input, ctx: &mut Context<'_>) {
        match input {
            Input::Start => {
                for instance in &mut self.instances {
                    let watched_as = role_of(instance.node, self.primary);
                    instance.meet(watched_as, ctx.now);
                }
                let first = ctx.chooser.below(ctx.tick_stream, 1_000_000_000 / HZ);
                ctx.effects.push(Effect::WakeAt(ctx.now + Duration(first)));
            }
            Input::Wake => self.tick(ctx),
            Input::Failover(way) => self.failover_command(way, ctx),
            Input::Connected(slot) => self.connected(slot, ctx),
            Input::Disconnected(slot) => {
                if let Some(place) = self.place(slot.node()) {
                    self.instances[place].lost(slot);
                }
            }
            Input::Reply(slot, tag, reply) => self.replied(slot, tag, reply, ctx),
        }
    }

    fn place(&self, node: NodeId) -> Option<usize> {
        self.instances
            .iter()
            .position(|instance| instance.node == node)
    }

    /// The place of what it takes for the primary.
    fn primary_place(&self) -> usize {
        self.place(self.primary)
            .expect("the primary is one of those that it watches")
    }

    fn is_primary(&self, place: usize) -> bool {
        self.instances[place].node == self.primary
    }
}

/// What a node is in Sentinel's own table, whatever the node says.
fn role_of(node: NodeId, primary: NodeId) -> crate::valkey::Role {
    if node == primary {
        crate::valkey::Role::Primary
    } else {
        crate::valkey::Role::Replica
    }
}

/// Whether more than `span` has passed since something that has happened.
fn longer_ago(now: Time, since: Time, span: Duration) -> bool {
    now.since(since) > span
}
