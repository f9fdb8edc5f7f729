//! What Sentinel knows of a node (`sentinelValkeyInstance` and its `instanceLink`).

use super::interface::ConnSlot;
use crate::valkey::{Addr, NodeId, Role};
use rebound_engine::{Duration, Time};

/// A connection to a node.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Link {
    /// None.
    #[default]
    Closed,
    /// Being opened since then.
    Dialling(Time),
    /// Open; dialled then.
    Open(Time),
}

impl Link {
    /// When it was dialled, if it was.
    pub(super) fn dialled_at(self) -> Option<Time> {
        match self {
            Link::Closed => None,
            Link::Dialling(at) | Link::Open(at) => Some(at),
        }
    }
}

/// How far a replica has been pointed to the new primary (`SRI_RECONF_…`).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Reconf {
    /// Not at all.
    #[default]
    No,
    /// It was told, then.
    Sent(Time),
    /// It says that the new primary is its own.
    InProgress,
    /// It is connected to it, or has been given up.
    Done,
}

/// A node as Sentinel sees it.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) node: NodeId,
    pub(super) commands: Link,
    pub(super) subscription: Link,
    /// Requests that have no reply yet (`pending_commands`).
    pub(super) pending: u32,
    /// `last_reconn_time`
    pub(super) dialled_at: Option<Time>,
    /// `act_ping_time`: when the PING was sent that has no reply yet.
    pub(super) ping_since: Option<Time>,
    /// `last_ping_time`
    pub(super) pinged_at: Option<Time>,
    /// `last_pong_time`: the last reply to PING, whatever it was.
    pub(super) pong_at: Time,
    /// `last_avail_time`: the last good reply to PING.
    pub(super) available_at: Time,
    /// `pc_last_activity`
    pub(super) heard_at: Option<Time>,
    /// `last_pub_time`
    pub(super) published_at: Time,
    /// `info_refresh`
    pub(super) info_at: Option<Time>,
    /// `role_reported`, and since when.
    pub(super) role: Role,
    pub(super) role_since: Time,
    /// `replica_primary_host` and port, and since when (`replica_conf_change_time`).
    pub(super) follows: Option<Addr>,
    pub(super) follows_since: Time,
    /// Since when it has said that its link is down. Valkey takes
    /// `master_link_down_since_seconds` from INFO instead.
    pub(super) link_down_since: Option<Time>,
    /// `replica_repl_offset`
    pub(super) offset: u64,
    /// Whether it reports a failover (`monitored_instance_failover_state`), and since when it has
    /// or has not.
    pub(super) failing_over: bool,
    pub(super) failing_over_since: Time,
    /// `SRI_S_DOWN`, and when that was last set (`s_down_since_time`).
    pub(super) down: bool,
    pub(super) down_at: Option<Time>,
    pub(super) reconf: Reconf,
}

impl Instance {
    pub(super) fn new(node: NodeId) -> Instance {
        Instance {
            node,
            commands: Link::Closed,
            subscription: Link::Closed,
            pending: 0,
            dialled_at: None,
            ping_since: None,
            pinged_at: None,
            pong_at: Time::ZERO,
            available_at: Time::ZERO,
            heard_at: None,
            published_at: Time::ZERO,
            info_at: None,
            role: Role::Primary,
            role_since: Time::ZERO,
            follows: None,
            follows_since: Time::ZERO,
            link_down_since: None,
            offset: 0,
            failing_over: false,
            failing_over_since: Time::ZERO,
            down: false,
            down_at: None,
            reconf: Reconf::No,
        }
    }

    /// Takes the node into the table as `role` (`createSentinelValkeyInstance`,
    /// `createInstanceLink`): a node that never answers is down `down-after` from now.
    pub(super) fn meet(&mut self, role: Role, now: Time) {
        *self = Instance {
            ping_since: Some(now),
            pong_at: now,
            available_at: now,
            published_at: now,
            role,
            role_since: now,
            follows_since: now,
            failing_over_since: now,
            ..Instance::new(self.node)
        };
    }

    /// Whether neither connection is missing (`link->disconnected`).
    pub(super) fn is_connected(&self) -> bool {
        self.commands != Link::Closed && self.subscription != Link::Closed
    }

    /// Whether commands can be sent now. Valkey queues them while the connection is being made;
    /// here they wait for the next tick.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.commands, Link::Open(_))
    }

    /// A connection is gone.
    pub(super) fn lost(&mut self, slot: ConnSlot) {
        if slot.is_subscription() {
            self.subscription = Link::Closed;
        } else {
            self.commands = Link::Closed;
            self.pending = 0;
        }
    }

    /// PING is sent, or will be as soon as the connection is there (`sentinelSendPing`).
    pub(super) fn note_ping(&mut self, now: Time) {
        self.pinged_at = Some(now);
        self.ping_since.get_or_insert(now);
    }

    /// `sentinelValkeyInstanceNoDownFor`: not found down within the last `span`.
    pub(super) fn not_down_for(&self, now: Time, span: Duration) -> bool {
        self.down_at.is_none_or(|at| now.since(at) > span)
    }
}
