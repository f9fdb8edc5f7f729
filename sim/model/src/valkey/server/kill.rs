//! `CLIENT KILL TYPE`: connections ended by an administrator's command.

use super::super::command::ClientType;
use super::client::{Blocked, Client};
use super::{ConnSlot, Server};

impl Client {
    /// `getClientType` (8.0.1, networking.c).
    fn kind(&self) -> ClientType {
        if self.replica {
            ClientType::Replica
        } else if self.subscriptions > 0 {
            ClientType::PubSub
        } else {
            ClientType::Normal
        }
    }
}

impl Server {
    /// `CLIENT KILL TYPE` (8.0.1, networking.c `clientKillCommand`): frees every connection of a
    /// kind but the one that says it. A command that was postponed or blocked on one of them
    /// never runs, not even if the same transaction goes on to `CLIENT UNPAUSE`. Returns how many
    /// there were.
    ///
    /// What this turn has already answered still leaves, since output leaves at its end;
    /// `freeClient` drops what has not been written. The operator's connection is always there.
    pub(super) fn client_kill(&mut self, me: ConnSlot, kind: ClientType) -> u32 {
        let mut killed = 0;
        for index in 0..self.clients.len() as u32 {
            let slot = ConnSlot(index);
            let client = &mut self.clients[index as usize];
            let spared = slot == me || slot == ConnSlot::OPERATOR;
            if spared || !client.is_open() || client.closing || client.kind() != kind {
                continue;
            }
            killed += 1;
            client.blocked = Blocked::No;
            client.input.clear();
            client.discard();
            let replica = client.replica;
            self.close_asap(slot);
            if replica {
                self.replica_lost(slot);
            }
        }
        if killed > 0 {
            let clients = &self.clients;
            let alive = |slot: &ConnSlot| !clients[slot.0 as usize].closing;
            self.postponed.retain(alive);
            self.unblocked.retain(alive);
            self.blocked.retain(alive);
            self.subscribers
                .retain(|(_, slot)| !clients[slot.0 as usize].closing);
        }
        killed
    }
}
