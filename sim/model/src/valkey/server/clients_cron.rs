//! `clientsCron`: what happens to connections by the clock.

use super::client::Blocked;
use super::replicas::longer_than;
use super::{ConnSlot, Effect, Server, Turn};

/// Clients that `clientsCron` looks at in a tick, at least (`CLIENTS_CRON_MIN_ITERATIONS`).
const CLIENTS_CRON_MIN: usize = 5;

impl Server {
    /// `clientsCron` (8.0.1, server.c): each tick looks at some of the clients in turn, so that
    /// each is seen about once a second.
    pub(super) fn clients_cron(&mut self, turn: &mut Turn<'_>) {
        let places = self.clients.len();
        let open = places - self.free.len();
        let hz = turn.config.hz as usize;
        let mut left = (open / hz).max(CLIENTS_CRON_MIN).min(open);
        let idle_matters = turn.config.timeout.0 > 0;
        if self.blocked.is_empty() && !idle_matters {
            // Nobody would notice; whose turn it is moves on all the same.
            self.clients_cron_place += left;
            return;
        }
        for _ in 0..places {
            if left == 0 {
                return;
            }
            let place = self.clients_cron_place % places;
            self.clients_cron_place = place + 1;
            if self.clients[place].is_open() {
                left -= 1;
                let slot = ConnSlot(place as u32);
                if !(idle_matters && self.close_if_idle(slot, turn)) {
                    self.redirect_blocked_client_if_needed(slot, turn);
                }
            }
        }
    }

    /// `clientsCronHandleTimeout` (8.0.1, timeout.c:35): a connection on which nothing has
    /// happened for longer than `timeout` is closed, unless its client is blocked (a postponed
    /// one is), subscribes, or is a replica. Returns whether it was.
    fn close_if_idle(&mut self, slot: ConnSlot, turn: &mut Turn<'_>) -> bool {
        let client = &mut self.clients[slot.0 as usize];
        let exempt = client.replica
            || client.subscriptions > 0
            || client.closing
            || client.blocked != Blocked::No
            || slot == ConnSlot::OPERATOR;
        let last = *client.last_interaction.get_or_insert(turn.now);
        if exempt || !longer_than(turn.now, last, turn.config.timeout) {
            return false;
        }
        turn.effects.push(Effect::Close(slot));
        self.release_slot(slot);
        true
    }
}
