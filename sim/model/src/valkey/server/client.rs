//! A server's view of one accepted connection (`client`).

use std::collections::VecDeque;

use super::super::address::Addr;
use super::super::command::Command;
use super::super::message::{Request, Tag, WriteId};
use rebound_engine::Time;
use rebound_net::HostId;

/// What a connection is blocked in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Blocked {
    /// Nothing.
    #[default]
    No,
    /// A command that was postponed (`BLOCKED_POSTPONE`), kept to be run again from the top.
    Postponed(Request),
    /// A postponed command that is about to be run again.
    Released(Request),
    /// `BLPOP`.
    List {
        tag: Tag,
        key: u32,
        write: WriteId,
        until: Time,
    },
    /// `XREAD BLOCK`.
    Stream { tag: Tag, key: u32, until: Time },
    /// `WAIT`.
    Wait {
        tag: Tag,
        replicas: u8,
        offset: u64,
        until: Time,
    },
}

/// An accepted connection.
#[derive(Debug, Default)]
pub(super) struct Client {
    pub(super) peer: Option<HostId>,
    /// `CLIENT CAPA redirect` was said.
    pub(super) capa: bool,
    /// `READONLY` was said.
    pub(super) readonly: bool,
    /// `ASKING` was said, for the next command.
    pub(super) asking: bool,
    pub(super) in_multi: bool,
    /// A command could not be queued, so EXEC aborts.
    pub(super) dirty_exec: bool,
    pub(super) queue: Vec<(Tag, Command)>,
    pub(super) blocked: Blocked,
    /// Requests behind the one that blocks.
    pub(super) input: VecDeque<Request>,
    pub(super) subscriptions: u32,
    /// `WATCH` was said of a key.
    pub(super) watches: bool,
    /// A watched key has changed (`CLIENT_DIRTY_CAS`).
    pub(super) dirty_cas: bool,
    /// When something last went to or fro (`lastinteraction`); none before `clientsCron` has
    /// seen the connection.
    pub(super) last_interaction: Option<Time>,
    /// `AUTH` was said.
    pub(super) authenticated: bool,
    /// `REPLCONF capa dual-channel` was said.
    pub(super) dual_channel: bool,
    /// The connection is a replica's.
    pub(super) replica: bool,
    /// The address that a replica announces.
    pub(super) announced: Option<Addr>,
    /// The replication offset after the connection's last write (`woff`).
    pub(super) write_offset: u64,
    pub(super) closing: bool,
}

impl Client {
    pub(super) fn open(&mut self, peer: HostId) {
        debug_assert!(self.peer.is_none());
        self.peer = Some(peer);
    }

    pub(super) fn close(&mut self) {
        let (mut queue, mut input) = (
            std::mem::take(&mut self.queue),
            std::mem::take(&mut self.input),
        );
        queue.clear();
        input.clear();
        *self = Client {
            queue,
            input,
            ..Client::default()
        };
    }

    pub(super) fn is_open(&self) -> bool {
        self.peer.is_some()
    }

    /// Whether requests that come now have to wait.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        !matches!(self.blocked, Blocked::No)
    }

    /// When the blocking command gives up.
    pub(super) fn blocked_until(&self) -> Time {
        match self.blocked {
            Blocked::No | Blocked::Postponed(_) | Blocked::Released(_) => Time::NEVER,
            Blocked::List { until, .. }
            | Blocked::Stream { until, .. }
            | Blocked::Wait { until, .. } => until,
        }
    }

    pub(super) fn unpostpone(&mut self) {
        if let Blocked::Postponed(request) = self.blocked {
            self.blocked = Blocked::Released(request);
        }
    }

    /// Drops a transaction, but for what is watched (`Server::discard_transaction`).
    pub(super) fn discard(&mut self) {
        self.in_multi = false;
        self.dirty_exec = false;
        self.dirty_cas = false;
        self.queue.clear();
    }
}
