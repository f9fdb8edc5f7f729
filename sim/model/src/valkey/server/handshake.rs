//! The replica's side of replication: whom a node follows, and how it gets there
//! (`replicationSetPrimary`, `syncWithPrimary`, `replicaTryPartialResynchronization`).

use super::super::address::{Addr, AddressBook};
use super::super::behaviour::{DualChannelReply, Promotion};
use super::super::command::Command;
use super::super::defect::Defect;
use super::super::error::ErrorKind;
use super::super::message::{FailoverState, LinkState, Message, Reply, Request, Tag};
use super::super::note::FailoverEnd;
use super::super::replication::{Offset, ReplId, ReplOp, StreamEntry};
use super::blocked::RoleChange;
use super::{Effect, LinkNo, Server, Turn};
use rebound_engine::Time;
use rebound_net::ConnectFailure;

/// `repl_state`, as far as the steps of the handshake can be distinguished from outside.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ReplState {
    /// No primary.
    #[default]
    None,
    /// To be connected at the next `replicationCron`.
    Connect,
    /// The connection is being made.
    Connecting,
    /// PING was sent.
    ReceivePing,
    /// AUTH and `REPLCONF listening-port` were sent.
    ReceiveAuth,
    /// `REPLCONF listening-port` was sent. What follows is written at once, but is a segment of
    /// its own, which Nagle's rule holds until the first is acknowledged, and the
    /// acknowledgement comes with the reply.
    ReceiveAddress,
    /// The rest of REPLCONF was sent; so many replies are missing.
    ReceiveCapa(u8),
    /// All that comes before PSYNC is done, and the node is still a primary
    /// (demote-when-connected).
    Ready,
    /// PSYNC was sent.
    ReceivePsync,
    /// A full resynchronization is in progress: the id and offset it will leave.
    Transfer(ReplId, u64),
    /// Connected.
    Connected,
}

/// The link to the primary.
#[derive(Debug, Default)]
pub(super) struct PrimaryLink {
    pub(super) number: LinkNo,
    pub(super) repl_state: ReplState,
    /// `repl_transfer_lastio`, and the last interaction once connected.
    pub(super) last_io: Time,
    /// `repl_down_since`: when the primary was lost; none if the node never had one.
    pub(super) down_since: Option<Time>,
}

impl PrimaryLink {
    /// The process is gone; numbers go on, so that nothing old is taken for new.
    pub(super) fn forget(&mut self) {
        self.repl_state = ReplState::None;
        self.last_io = Time::ZERO;
        self.down_since = None;
    }

    pub(super) fn state(&self) -> LinkState {
        match self.repl_state {
            ReplState::Connected => LinkState::Up,
            ReplState::Transfer(..) => LinkState::Sync,
            ReplState::None
            | ReplState::Connect
            | ReplState::Connecting
            | ReplState::ReceivePing
            | ReplState::ReceiveAuth
            | ReplState::ReceiveAddress
            | ReplState::ReceiveCapa(_)
            | ReplState::Ready
            | ReplState::ReceivePsync => LinkState::Down,
        }
    }

    /// Whether there is a connection, made or being made.
    fn is_dialled(&self) -> bool {
        !matches!(self.repl_state, ReplState::None | ReplState::Connect)
    }

    /// Whether the handshake is in progress.
    pub(super) fn in_handshake(&self) -> bool {
        self.is_dialled() && self.state() == LinkState::Down
    }
}

impl Server {
    /// `replicaofCommand` (8.0.1, replication.c:3885).
    pub(super) fn replicaof_command(
        &mut self,
        primary: Option<Addr>,
        turn: &mut Turn<'_>,
    ) -> Reply {
        if self.failover.state != FailoverState::NoFailover {
            return Reply::Error(ErrorKind::ReplicaOfFailingOver);
        }
        match primary {
            None if self.primary.is_some() => self.replication_unset_primary(turn),
            None => {}
            // "Already connected to specified primary"
            Some(primary) if self.primary == Some(primary) => {}
            Some(primary) => self.replication_set_primary(primary, RoleChange::ReplicaOf, turn),
        }
        Reply::Ok
    }

    /// `replicationSetPrimary` (8.0.1, replication.c:3754). The node's own replicas stay
    /// connected, its replication id and offset stay as they are, nothing is unpaused.
    ///
    /// 8.0.1 throws blocked clients out before it sets the new address, 9.x after it; only who
    /// is told the address can see that.
    pub(super) fn replication_set_primary(
        &mut self,
        primary: Addr,
        change: RoleChange,
        turn: &mut Turn<'_>,
    ) {
        let was_primary = self.primary.is_none();
        if !was_primary && self.link.repl_state == ReplState::Connected {
            self.cached = Some((self.replid, self.offset));
            self.link.down_since = Some(turn.now);
        }
        self.close_link(turn);
        self.become_replica(primary, change, turn);
        self.connect_with_primary(turn);
    }

    /// The part of `replicationSetPrimary` that is not about connections.
    pub(super) fn become_replica(
        &mut self,
        primary: Addr,
        change: RoleChange,
        turn: &mut Turn<'_>,
    ) {
        let was_primary = self.primary.is_none();
        self.primary = Some(primary);
        self.promoted_from = None;
        if was_primary {
            self.count_epoch(turn);
        }
        self.stop_holding(turn);
        self.role_changed_for_blocked_clients(change, turn);
        if was_primary {
            // `replicationCachePrimaryUsingMyself` (8.0.1, replication.c:4097)
            self.cached = Some((self.replid, self.offset));
        }
        self.trace_role(turn);
    }

    /// `replicationUnsetPrimary` (8.0.1, replication.c:3810): a primary from this instant, with a
    /// new replication id; its replicas are disconnected to learn of it.
    pub(super) fn replication_unset_primary(&mut self, turn: &mut Turn<'_>) {
        self.primary = None;
        self.close_link(turn);
        self.held_stream.clear();
        self.loading_until = None;
        self.cached = None;
        // `shiftReplicationId` (8.0.1, replication.c:1836)
        self.replid2 = Some(self.replid);
        self.second_replid_offset = self.offset + 1;
        self.replid = self.new_replid();
        self.promoted_from = None;
        self.count_epoch(turn);
        self.disconnect_replicas();
        self.link.repl_state = ReplState::None;
        self.trace_role(turn);
        self.stop_holding(turn);
    }

    pub(super) fn close_link(&mut self, turn: &mut Turn<'_>) {
        if self.link.is_dialled() {
            turn.effects.push(Effect::LinkClose(self.link.number));
        }
        self.link.repl_state = ReplState::None;
    }

    /// `connectWithPrimary` (8.0.1, replication.c:3680). A primary dials only the target of its
    /// failover (demote-when-connected).
    pub(super) fn connect_with_primary(&mut self, turn: &mut Turn<'_>) {
        let Some(primary) = self.primary.or(self.failover.candidate()) else {
            return;
        };
        self.link.number.0 += 1;
        self.link.repl_state = ReplState::Connecting;
        self.link.last_io = turn.now;
        turn.effects.push(Effect::Dial(self.link.number, primary));
    }

    fn send_primary(&mut self, command: Command, turn: &mut Turn<'_>) {
        let request = Message::Request(Request {
            tag: Tag::own(0),
            command,
        });
        turn.effects
            .push(Effect::LinkSend(self.link.number, request));
    }

    /// The connection is made: PING.
    pub(super) fn link_connected(&mut self, link: LinkNo, turn: &mut Turn<'_>) {
        if link != self.link.number || self.link.repl_state != ReplState::Connecting {
            return;
        }
        self.link.repl_state = ReplState::ReceivePing;
        self.link.last_io = turn.now;
        self.send_primary(Command::Ping, turn);
    }

    /// The connection could not be made.
    ///
    /// Under [`Promotion::Idempotent`] an old primary that has asked and got no answer asks
    /// again, unless its connection is refused: then the process that it asked is gone, and its
    /// promotion with it, which no file has.
    pub(super) fn link_failed(&mut self, link: LinkNo, why: ConnectFailure, turn: &mut Turn<'_>) {
        let asked_in_vain = link == self.link.number
            && self.link.repl_state == ReplState::Connecting
            && self.failover.asked;
        self.link_lost(link, turn);
        match (why, turn.behaviour.promotion) {
            (ConnectFailure::Refused, Promotion::Idempotent) if asked_in_vain => {
                self.psync_failed(turn);
            }
            (
                ConnectFailure::Refused | ConnectFailure::TimedOut,
                Promotion::Idempotent | Promotion::Once,
            ) => {}
        }
    }

    /// The connection failed or is over.
    ///
    /// While PSYNC's reply is awaited this is PSYNC_TRY_LATER, which ends a failover (unless
    /// promotions may be repeated); before, the handshake is tried again at the next
    /// `replicationCron`; afterwards
    /// `replicationHandlePrimaryDisconnection` (8.0.1, replication.c:3865) reconnects at once.
    pub(super) fn link_lost(&mut self, link: LinkNo, turn: &mut Turn<'_>) {
        if link != self.link.number || !self.link.is_dialled() {
            return;
        }
        let state = std::mem::replace(&mut self.link.repl_state, ReplState::Connect);
        match state {
            ReplState::None
            | ReplState::Connect
            | ReplState::Connecting
            | ReplState::ReceivePing
            | ReplState::ReceiveAuth
            | ReplState::ReceiveAddress
            | ReplState::ReceiveCapa(_)
            | ReplState::Ready => {
                if turn.behaviour.defect == Some(Defect::NothingRetried) {
                    self.psync_failed(turn);
                }
            }
            ReplState::Transfer(..) => {
                self.held_stream.clear();
                self.trace_role(turn);
            }
            ReplState::ReceivePsync => match turn.behaviour.promotion {
                Promotion::Once => self.psync_failed(turn),
                // Silence says nothing: asked again at the next `replicationCron`.
                Promotion::Idempotent => {}
            },
            ReplState::Connected => {
                self.cached = Some((self.replid, self.offset));
                self.link.down_since = Some(turn.now);
                self.held_stream.clear();
                self.stop_holding(turn);
                self.connect_with_primary(turn);
                self.trace_role(turn);
            }
        }
    }

    /// Closes the link to try again at the next `replicationCron`.
    fn retry_link(&mut self, turn: &mut Turn<'_>) {
        self.close_link(turn);
        self.link.repl_state = ReplState::Connect;
    }

    /// PSYNC was refused or broke off. In a failover that is its end.
    fn psync_failed(&mut self, turn: &mut Turn<'_>) {
        if self.failover.state == FailoverState::InProgress {
            self.abort_failover(FailoverEnd::Rejected, turn);
        }
    }

    /// Something came from the primary.
    pub(super) fn link_message(&mut self, link: LinkNo, message: Message, turn: &mut Turn<'_>) {
        if link != self.link.number || !self.link.is_dialled() {
            return;
        }
        self.link.last_io = turn.now;
        match message {
            Message::Reply { reply, .. } => self.handshake_reply(reply, turn),
            Message::Stream(entry) => self.stream_arrives(entry, turn),
            Message::Snapshot(id) => self.load_snapshot(id, turn),
            Message::Bus(_) => unreachable!("the bus has links of its own"),
            Message::Request(_) => {}
        }
    }

    /// `syncWithPrimary` (8.0.1, replication.c:3333)
    fn handshake_reply(&mut self, reply: Reply, turn: &mut Turn<'_>) {
        match self.link.repl_state {
            ReplState::ReceivePing => {
                // -NOAUTH and the like pass.
                if matches!(reply, Reply::Error(error) if error != ErrorKind::NoAuth) {
                    self.retry_link(turn);
                    return;
                }
                self.link.repl_state = ReplState::ReceiveAddress;
                if turn.config.primaryauth {
                    self.link.repl_state = ReplState::ReceiveAuth;
                    self.send_primary(Command::Auth, turn);
                }
                self.send_primary(Command::ReplConfAddress(AddressBook::of(self.node)), turn);
            }
            ReplState::ReceiveAuth => {
                if matches!(reply, Reply::Error(_)) {
                    self.retry_link(turn);
                    return;
                }
                self.link.repl_state = ReplState::ReceiveAddress;
            }
            ReplState::ReceiveAddress => {
                let mut awaited = 1;
                let dual =
                    turn.behaviour.dual_channel && turn.config.dual_channel_replication_enabled;
                let capa = match dual {
                    true => Command::ReplConfCapaDualChannel,
                    false => Command::ReplConfCapa,
                };
                self.send_primary(capa, turn);
                if turn.behaviour.replconf_version {
                    awaited += 1;
                    self.send_primary(Command::ReplConfVersion, turn);
                }
                self.link.repl_state = ReplState::ReceiveCapa(awaited);
            }
            ReplState::ReceiveCapa(awaited) => {
                if awaited > 1 {
                    self.link.repl_state = ReplState::ReceiveCapa(awaited - 1);
                    return;
                }
                if self.primary.is_none() {
                    // Looked at in this turn's `beforeSleep`.
                    self.link.repl_state = ReplState::Ready;
                    return;
                }
                self.send_psync(turn);
            }
            ReplState::ReceivePsync => self.psync_reply(reply, turn),
            ReplState::None
            | ReplState::Connect
            | ReplState::Connecting
            | ReplState::Ready
            | ReplState::Transfer(..)
            | ReplState::Connected => {}
        }
    }

    /// `PSYNC replid offset [FAILOVER]` (8.0.1, replication.c:3044)
    pub(super) fn send_psync(&mut self, turn: &mut Turn<'_>) {
        let failover = self.failover.state == FailoverState::InProgress;
        let (replid, offset) = match self.cached {
            Some((replid, offset)) => (Some(replid), offset + 1),
            None => (None, 0),
        };
        self.failover.asked |= failover;
        let epoch = self.told_epoch(turn);
        self.link.repl_state = ReplState::ReceivePsync;
        self.send_primary(
            Command::Psync {
                replid,
                offset: Offset::from(offset),
                failover,
                epoch,
            },
            turn,
        );
    }

    /// The reply to PSYNC, and what it means for a failover (8.0.1, replication.c:3564).
    fn psync_reply(&mut self, reply: Reply, turn: &mut Turn<'_>) {
        match reply {
            Reply::NewLine => {}
            Reply::Continue { replid, epoch } => {
                self.learn_epoch(epoch);
                if replid != self.replid {
                    // The cached primary's id becomes the second one, the new one is adopted, and
                    // the node's replicas must learn of it.
                    self.replid2 = Some(self.replid);
                    self.second_replid_offset = self.offset + 1;
                    self.replid = replid;
                    self.disconnect_replicas();
                }
                self.cached = None;
                self.link.repl_state = ReplState::Connected;
                self.trace_role(turn);
                self.failover_succeeded(turn);
            }
            Reply::FullResync {
                replid,
                offset,
                epoch,
            } => {
                self.learn_epoch(epoch);
                self.cached = None;
                self.link.repl_state = ReplState::Transfer(replid, offset.bytes());
                self.disconnect_replicas();
                self.trace_role(turn);
                self.failover_succeeded(turn);
            }
            // The snapshot is on its way.
            Reply::DualChannelSync => match turn.behaviour.dual_channel_reply {
                DualChannelReply::Refuses if self.failover.state == FailoverState::InProgress => {
                    self.retry_link(turn);
                    self.psync_failed(turn);
                }
                DualChannelReply::Refuses | DualChannelReply::Accepts => {
                    self.failover_succeeded(turn);
                }
            },
            Reply::Error(_) => {
                self.retry_link(turn);
                self.psync_failed(turn);
            }
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
            | Reply::Redirect(_)
            | Reply::Topology(_)
            | Reply::Reset
            | Reply::Encoding(_)
            | Reply::Info { .. } => {
                unreachable!("PSYNC is never answered by {reply:?}")
            }
        }
    }

    fn failover_succeeded(&mut self, turn: &mut Turn<'_>) {
        if self.failover.state == FailoverState::InProgress {
            self.clear_failover_state(FailoverEnd::Success, turn);
        }
    }

    /// Stream from the primary, unless a pause of this node holds it back.
    fn stream_arrives(&mut self, entry: StreamEntry, turn: &mut Turn<'_>) {
        if self.link.repl_state != ReplState::Connected {
            return;
        }
        if !self.held_stream.is_empty() || self.stream_is_paused(entry.op) {
            self.held_stream.push_back(entry);
            return;
        }
        self.apply_stream(entry, turn);
    }

    /// Applies what a pause has held back, as far as it no longer does.
    pub(super) fn apply_held_stream(&mut self, turn: &mut Turn<'_>) {
        while let Some(entry) = self.held_stream.front().copied() {
            if self.stream_is_paused(entry.op) {
                return;
            }
            self.held_stream.pop_front();
            self.apply_stream(entry, turn);
        }
    }

    /// Executes a piece of the stream and hands it on to the node's own replicas as it is.
    fn apply_stream(&mut self, entry: StreamEntry, turn: &mut Turn<'_>) {
        let end = entry.end.bytes();
        debug_assert!(end > self.offset, "the stream has no repetitions");
        match entry.op {
            ReplOp::Ping | ReplOp::GetAck | ReplOp::HandOver(_) | ReplOp::HandOverOff => {}
            ReplOp::Publish(channel) => {
                self.publish(channel, turn);
            }
            ReplOp::Set(..)
            | ReplOp::Incr(..)
            | ReplOp::Del(..)
            | ReplOp::LPush(..)
            | ReplOp::LPop(..)
            | ReplOp::RPush(..)
            | ReplOp::XAdd(..)
            | ReplOp::FlushAll(_)
            | ReplOp::ExpireAt(..)
            | ReplOp::Expired(_) => {
                // A writable replica may hold another kind of value; then it stays as it is.
                let _ = self.data.apply(entry.op);
                self.touch_watched(entry.op);
            }
        }
        let before = self.offset;
        self.offset = end;
        self.backlog.push(end, entry.op);
        if turn.behaviour.defect == Some(Defect::AcknowledgedAtOnce) {
            self.send_ack(turn);
        }
        match entry.op {
            // `reploff` counts a command when it has been processed (`commandProcessed`), and
            // `replicationSendAck` is called while this one is: recorded replicas answered GETACK
            // with the offset before it, and said the rest a second later.
            ReplOp::GetAck => self.send_primary(Command::ReplConfAck(before.into()), turn),
            ReplOp::HandOver(target) => self.told_of_failover(target, turn),
            ReplOp::HandOverOff => self.stop_holding(turn),
            // Who reads a stream on a replica waits for what its primary adds.
            ReplOp::XAdd(key, _) if !self.blocked.is_empty() => self.serve_stream(key, turn),
            ReplOp::Ping
            | ReplOp::Publish(_)
            | ReplOp::Set(..)
            | ReplOp::Incr(..)
            | ReplOp::Del(..)
            | ReplOp::LPush(..)
            | ReplOp::LPop(..)
            | ReplOp::RPush(..)
            | ReplOp::XAdd(..)
            | ReplOp::FlushAll(_)
            | ReplOp::ExpireAt(..)
            | ReplOp::Expired(_) => {}
        }
    }

    /// `replicationSendAck` (8.0.1, replication.c:4003)
    pub(super) fn send_ack(&mut self, turn: &mut Turn<'_>) {
        let offset = self.offset;
        self.send_primary(Command::ReplConfAck(offset.into()), turn);
    }
}
