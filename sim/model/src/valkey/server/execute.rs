//! What commands do once every gate has let them pass.

use super::super::command::{Command, PauseKind};
use super::super::command_table::CommandKind;
use super::super::data::{Value, WrongType};
use super::super::defect::Defect;
use super::super::error::ErrorKind;
use super::super::message::{Message, Reply, Tag};
use super::super::pause::{Actions, Purpose};
use super::super::replication::ReplOp;
use super::client::Blocked;
use super::keys::milliseconds;
use super::{ConnSlot, Effect, Server, Turn};
use rebound_engine::Duration;

impl Server {
    /// Executes a command and replies.
    pub(super) fn execute(
        &mut self,
        slot: ConnSlot,
        tag: Tag,
        command: Command,
        turn: &mut Turn<'_>,
    ) {
        let reply = match command {
            Command::Exec => self.exec(slot, turn),
            Command::BlPop {
                key,
                timeout_ms,
                write,
            } if self.data.list_len(key) == 0 => {
                let until = deadline(turn, timeout_ms);
                self.clients[slot.0 as usize].blocked = Blocked::List {
                    tag,
                    key,
                    write,
                    until,
                };
                self.blocked.push(slot);
                return;
            }
            Command::XReadBlock { key, timeout_ms } => {
                let until = deadline(turn, timeout_ms);
                self.clients[slot.0 as usize].blocked = Blocked::Stream { tag, key, until };
                self.blocked.push(slot);
                return;
            }
            Command::ClientUnblock(id, reason) => {
                let reply = self.client_unblock(ConnSlot(id), reason, turn);
                // A process that has panicked says nothing more.
                let Some(reply) = reply else { return };
                reply
            }
            Command::Wait {
                replicas,
                timeout_ms,
            } => match self.wait(slot, tag, replicas, timeout_ms, turn) {
                Some(reply) => reply,
                None => return,
            },
            Command::ReplConfAck(offset) => {
                self.replconf_ack(slot, offset.bytes(), turn);
                return;
            }
            Command::Psync {
                replid,
                offset,
                failover,
                epoch,
            } => match self.sync_command(
                (slot, tag),
                (replid, offset.bytes()),
                failover,
                epoch,
                turn,
            ) {
                Some(reply) => reply,
                None => return,
            },
            Command::Get(_)
            | Command::MGet(..)
            | Command::Set(..)
            | Command::Incr(..)
            | Command::Del(..)
            | Command::LPush(..)
            | Command::BlPop { .. }
            | Command::Multi
            | Command::Discard
            | Command::Subscribe(_)
            | Command::Publish(_)
            | Command::Ping
            | Command::Info
            | Command::Role
            | Command::ClientCapa
            | Command::ClientPause(..)
            | Command::ClientUnpause
            | Command::ClientKill(_)
            | Command::ConfigRewrite
            | Command::ReadOnly
            | Command::ReadWrite
            | Command::Failover { .. }
            | Command::FailoverAbort
            | Command::FailoverMalformed(_)
            | Command::ReplicaOf(_)
            | Command::ReplConfAddress(_)
            | Command::ReplConfCapa
            | Command::ReplConfVersion
            | Command::Asking
            | Command::ClusterSlots
            | Command::ClusterFailover(_)
            | Command::ClusterSetSlot(..)
            | Command::Script(..)
            | Command::RPush(..)
            | Command::XAdd(..)
            | Command::XRead(_)
            | Command::PfCount(_)
            | Command::ObjectEncoding(_)
            | Command::PExpire(..)
            | Command::DbSize
            | Command::Scan
            | Command::Keys
            | Command::FlushAll(_)
            | Command::Watch(_)
            | Command::Unwatch
            | Command::Reset
            | Command::ClientCapaUnknown
            | Command::ClientCapaBare
            | Command::Auth
            | Command::ReplConfCapaDualChannel => self.call(slot, command, turn),
        };
        self.reply(slot, tag, reply, turn);
        if !self.ready_keys.is_empty() {
            self.handle_clients_blocked_on_keys(turn);
        }
    }

    /// `call`: a command that answers at once.
    fn call(&mut self, slot: ConnSlot, command: Command, turn: &mut Turn<'_>) -> Reply {
        match command {
            Command::Get(key) => self.get(key, turn),
            Command::MGet(key, more) => {
                let keys = key..=key.saturating_add(u32::from(more));
                for key in keys.clone() {
                    self.expire_if_needed(key, turn);
                }
                let now = milliseconds(turn.now);
                let data = &self.data;
                let values = keys.map(|key| match data.is_expired(key, now) {
                    true => Value::Absent,
                    false => data.get(key),
                });
                Reply::Elements(turn.elements.keep(values))
            }
            Command::Set(key, write) => self.write(slot, ReplOp::Set(key, write), turn),
            Command::Incr(key, write) => self.write(slot, ReplOp::Incr(key, write), turn),
            Command::Del(key, write) => self.write(slot, ReplOp::Del(key, write), turn),
            Command::LPush(key, write) => self.write(slot, ReplOp::LPush(key, write), turn),
            Command::RPush(key, write) => self.write(slot, ReplOp::RPush(key, write), turn),
            Command::XAdd(key, write) => self.write(slot, ReplOp::XAdd(key, write), turn),
            Command::FlushAll(write) => self.write(slot, ReplOp::FlushAll(write), turn),
            Command::PExpire(key, ms) => {
                if self.read(key, turn) == Value::Absent {
                    return Reply::Int(0);
                }
                let at = milliseconds(turn.now).saturating_add(ms);
                self.write(slot, ReplOp::ExpireAt(key, at), turn)
            }
            Command::Script(script, key) => self.run_script(slot, script, key, turn),
            Command::XRead(key) => self.xread(key, turn),
            Command::PfCount(key) => self.pfcount(key, turn),
            Command::ObjectEncoding(key) => self.object_encoding(key, turn),
            Command::DbSize => Reply::Int(self.data.keys().count() as u32),
            Command::Keys => Reply::Array(self.keys_there(turn)),
            // The cursor, and the keys.
            Command::Scan => Reply::Array(2),
            Command::Watch(key) => self.watch(slot, key),
            Command::Unwatch => {
                self.unwatch(slot);
                Reply::Ok
            }
            Command::Reset => self.reset_connection(slot),
            Command::BlPop { key, write, .. } => {
                // Inside a transaction, or with something to pop, it does not block.
                if self.data.list_len(key) == 0 {
                    return Reply::Nil;
                }
                self.write(slot, ReplOp::LPop(key, write), turn);
                Reply::Array(2)
            }
            Command::Multi => {
                let client = &mut self.clients[slot.0 as usize];
                if client.in_multi {
                    return Reply::Error(ErrorKind::NestedMulti);
                }
                client.in_multi = true;
                Reply::Ok
            }
            Command::Discard => {
                let client = &mut self.clients[slot.0 as usize];
                if !client.in_multi {
                    return Reply::Error(ErrorKind::DiscardWithoutMulti);
                }
                self.discard_transaction(slot);
                Reply::Ok
            }
            Command::Subscribe(channel) => {
                self.clients[slot.0 as usize].subscriptions += 1;
                self.subscribers.push((channel, slot));
                Reply::Subscribed
            }
            Command::Publish(channel) => {
                let receivers = self.publish(channel, turn);
                self.propagate(ReplOp::Publish(channel));
                Reply::Int(receivers)
            }
            Command::Ping => Reply::Pong,
            Command::Info | Command::Role => Reply::Info {
                belief: self.belief(),
                primary: self.primary,
                offset: self.offset.into(),
            },
            Command::ClientCapa | Command::ClientCapaUnknown | Command::ClientCapaBare
                if !turn.behaviour.capa =>
            {
                Reply::Error(ErrorKind::UnknownCapa)
            }
            Command::ClientCapaBare => Reply::Error(ErrorKind::CapaArity),
            // `clientCommand` (8.0.1, networking.c:4017) passes over names that it does not know.
            Command::ClientCapaUnknown => Reply::Ok,
            Command::ClientCapa => {
                self.clients[slot.0 as usize].capa = true;
                Reply::Ok
            }
            Command::ClientPause(kind, ms) => {
                let actions = match kind {
                    PauseKind::Write => Actions::WRITE_SET,
                    PauseKind::All => Actions::ALL_SET,
                };
                let lasts = Duration::millis(u64::from(ms));
                let release = self.pause.pause_by_client(turn.now, lasts, actions);
                self.release(release, turn);
                Reply::Ok
            }
            Command::ClientUnpause => {
                let release = self.pause.unpause(turn.now, Purpose::ByClientCommand);
                self.release(release, turn);
                Reply::Ok
            }
            Command::ClientKill(kind) => Reply::Int(self.client_kill(slot, kind)),
            Command::ConfigRewrite => {
                self.config_rewrite();
                Reply::Ok
            }
            Command::ReadOnly | Command::ReadWrite => {
                if !turn.behaviour.capa && self.cluster.is_none() {
                    return Reply::Error(ErrorKind::ClusterDisabled);
                }
                self.clients[slot.0 as usize].readonly = command.kind() == CommandKind::ReadOnly;
                Reply::Ok
            }
            Command::Failover { .. } | Command::FailoverAbort | Command::FailoverMalformed(_)
                if self.cluster.is_some() =>
            {
                Reply::Error(ErrorKind::FailoverInCluster)
            }
            Command::ReplicaOf(_) if self.cluster.is_some() => {
                Reply::Error(ErrorKind::ReplicaOfInCluster)
            }
            Command::Failover {
                to,
                force,
                timeout_ms,
            } => self.failover_command(to, force, timeout_ms, turn),
            Command::FailoverAbort => self.failover_abort_command(turn),
            Command::FailoverMalformed(error) => Reply::Error(error),
            Command::ReplicaOf(primary) => self.replicaof_command(primary, turn),
            Command::ReplConfAddress(address) => {
                self.clients[slot.0 as usize].announced = Some(address);
                Reply::Ok
            }
            Command::ReplConfCapa => {
                if self.primary.is_some()
                    && turn.behaviour.defect == Some(Defect::PromotedBeforeAsked)
                {
                    self.replication_unset_primary(turn);
                }
                Reply::Ok
            }
            Command::ReplConfVersion => Reply::Ok,
            Command::ReplConfCapaDualChannel => {
                self.clients[slot.0 as usize].dual_channel = true;
                Reply::Ok
            }
            // `authCommand` (8.0.1, acl.c)
            Command::Auth if !turn.config.requirepass => {
                Reply::Error(ErrorKind::AuthWithoutPassword)
            }
            Command::Auth => {
                self.clients[slot.0 as usize].authenticated = true;
                Reply::Ok
            }
            Command::Asking => self.asking_command(slot),
            Command::ClusterSlots => self.cluster_slots_command(turn),
            Command::ClusterFailover(how) => self.cluster_failover_command(how, turn),
            Command::ClusterSetSlot(hash_slot, what) => {
                self.cluster_setslot_command(hash_slot, what, turn)
            }
            // Inside a transaction WAIT and XREAD do not block, and the others are answered above.
            Command::Wait { .. } => Reply::Int(self.acknowledged(self.offset)),
            Command::XReadBlock { .. } => Reply::Nil,
            Command::ClientUnblock(id, reason) => self
                .client_unblock(ConnSlot(id), reason, turn)
                .unwrap_or(Reply::Nil),
            Command::Exec | Command::ReplConfAck(_) | Command::Psync { .. } => {
                unreachable!("answered by execute")
            }
        }
    }

    /// Executes a write and hands it on to the replicas. A key whose time is up is removed first.
    #[inline]
    pub(super) fn write(&mut self, slot: ConnSlot, op: ReplOp, turn: &mut Turn<'_>) -> Reply {
        if let Some(key) = op.key() {
            self.expire_if_needed(key, turn);
        }
        match self.data.apply(op) {
            Err(WrongType) => return Reply::Error(ErrorKind::WrongType),
            Ok(repeated) => self.duplicated_writes += u64::from(repeated),
        }
        self.touch_watched(op);
        self.propagate(op);
        self.clients[slot.0 as usize].write_offset = self.offset;
        match op {
            ReplOp::Set(..) => Reply::Ok,
            ReplOp::Incr(key, _) => match self.data.get(key) {
                Value::Number(number) => Reply::Int(number),
                Value::Absent | Value::Text(_) | Value::List(_) | Value::Stream(_) => Reply::Nil,
            },
            ReplOp::XAdd(key, write) => {
                if !self.blocked.is_empty() {
                    self.ready_keys.push(key);
                }
                Reply::Value(write)
            }
            ReplOp::FlushAll(_) => Reply::Ok,
            ReplOp::LPush(key, _) | ReplOp::RPush(key, _) => {
                if !self.blocked.is_empty() {
                    self.ready_keys.push(key);
                }
                Reply::Int(self.data.list_len(key) as u32)
            }
            ReplOp::Del(..)
            | ReplOp::LPop(..)
            | ReplOp::Ping
            | ReplOp::GetAck
            | ReplOp::Publish(_)
            | ReplOp::HandOver(_)
            | ReplOp::HandOverOff
            | ReplOp::ExpireAt(..)
            | ReplOp::Expired(_) => Reply::Int(1),
        }
    }

    /// `replicationFeedReplicas` (8.0.1, replication.c:525): a node that has a primary hands
    /// nothing on but what comes from it. So a write that a writable replica accepts stays there.
    #[inline]
    pub(super) fn propagate(&mut self, op: ReplOp) {
        if self.primary.is_none() {
            self.offset += stream_bytes(op);
            self.backlog.push(self.offset, op);
        }
    }

    /// Delivers to the subscribers of this node. Returns how many there are.
    pub(super) fn publish(&mut self, channel: u32, turn: &mut Turn<'_>) -> u32 {
        let mut receivers = 0;
        for (subscribed, slot) in &self.subscribers {
            if *subscribed == channel {
                let message = Message::Reply {
                    tag: Tag::PUSHED,
                    reply: Reply::Published,
                };
                turn.effects.push(Effect::Send(*slot, message));
                receivers += 1;
            }
        }
        receivers
    }

    /// `execCommand`: runs what is queued. A pause that one of the commands sets does not hold
    /// the ones behind it.
    fn exec(&mut self, slot: ConnSlot, turn: &mut Turn<'_>) -> Reply {
        let client = &mut self.clients[slot.0 as usize];
        if !client.in_multi {
            return Reply::Error(ErrorKind::ExecWithoutMulti);
        }
        if client.dirty_exec {
            self.discard_transaction(slot);
            return Reply::Error(ErrorKind::ExecAbort);
        }
        if client.dirty_cas {
            self.discard_transaction(slot);
            return Reply::Nil;
        }
        let mut queue = std::mem::take(&mut client.queue);
        self.discard_transaction(slot);
        let count = queue.len();
        for (_, command) in queue.drain(..) {
            self.call(slot, command, turn);
        }
        self.clients[slot.0 as usize].queue = queue;
        Reply::Array(count as u16)
    }

    /// Runs the pause table's verdict after a tick.
    pub(super) fn update_paused_actions(&mut self, turn: &mut Turn<'_>) {
        if self.pause.is_empty() {
            return;
        }
        let release = self.pause.update(turn.now);
        self.release(release, turn);
    }
}

/// When a command with a time-out in milliseconds gives up; zero is never.
pub(super) fn deadline(turn: &Turn<'_>, timeout_ms: u32) -> rebound_engine::Time {
    match timeout_ms {
        0 => rebound_engine::Time::NEVER,
        ms => turn.now + Duration::millis(u64::from(ms)),
    }
}

/// Bytes of an operation in the replication stream, as RESP with short keys and values: the
/// recorded streams have 30 for `SET seed 3`, 37 for GETACK and 14 for PING. The hand-over's
/// entries, which no server has, are counted as `REPLCONF HANDOVER` with a host of three letters
/// and a port of four digits, and with `NO ONE`.
pub(super) fn stream_bytes(op: ReplOp) -> u64 {
    match op {
        ReplOp::Ping => 14,
        ReplOp::GetAck => 37,
        ReplOp::Set(..) | ReplOp::LPush(..) | ReplOp::RPush(..) => 30,
        // With an id of 15 digits and the model's short names.
        ReplOp::XAdd(..) => 58,
        ReplOp::FlushAll(_) => 18,
        ReplOp::ExpireAt(..) => 46,
        ReplOp::Publish(_) => 34,
        ReplOp::HandOver(_) => 51,
        ReplOp::HandOverOff => 49,
        ReplOp::Incr(..) | ReplOp::Del(..) | ReplOp::LPop(..) | ReplOp::Expired(_) => 22,
    }
}
