//! `CLIENT UNBLOCK`.

use super::super::behaviour::PostponedUnblock;
use super::super::command::UnblockReason;
use super::super::error::ErrorKind;
use super::super::message::Reply;
use super::client::Blocked;
use super::{ConnSlot, Effect, Server, Turn};

impl Server {
    /// `CLIENT UNBLOCK` (8.0.1, networking.c:3483 `clientCommand`): one for a client that was
    /// blocked, else zero. `None` if it was the end of the process.
    pub(super) fn client_unblock(
        &mut self,
        target: ConnSlot,
        reason: UnblockReason,
        turn: &mut Turn<'_>,
    ) -> Option<Reply> {
        let Some(client) = self.clients.get(target.0 as usize) else {
            return Some(Reply::Int(0));
        };
        if !client.is_open() || client.closing {
            return Some(Reply::Int(0));
        }
        let (tag, timed_out) = match client.blocked {
            Blocked::No | Blocked::Released(_) => return Some(Reply::Int(0)),
            Blocked::List { tag, .. } | Blocked::Stream { tag, .. } => (tag, Reply::Nil),
            Blocked::Wait { tag, offset, .. } => (tag, Reply::Int(self.acknowledged(offset))),
            Blocked::Postponed(request) => {
                match (turn.behaviour.postponed_unblock, reason) {
                    (PostponedUnblock::Refused, UnblockReason::Timeout | UnblockReason::Error) => {
                        return Some(Reply::Int(0));
                    }
                    (PostponedUnblock::Panics, UnblockReason::Timeout) => {
                        turn.effects.push(Effect::Panic);
                        return None;
                    }
                    (PostponedUnblock::Panics, UnblockReason::Error) => {}
                }
                self.postponed.retain(|other| *other != target);
                (request.tag, Reply::Nil)
            }
        };
        let reply = match reason {
            UnblockReason::Timeout => timed_out,
            UnblockReason::Error => Reply::Error(ErrorKind::UnblockedByClient),
        };
        self.unblock(target, tag, reply, turn);
        Some(Reply::Int(1))
    }
}
