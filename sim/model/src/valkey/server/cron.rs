//! `serverCron` and `replicationCron`: what happens by the clock.

use super::super::message::{FailoverState, LinkState};
use super::handshake::ReplState;
use super::replicas::longer_than;
use super::{Effect, Server, Turn};
use rebound_engine::Duration;

impl Server {
    /// `serverCron` (8.0.1, server.c:1260), `hz` times a second: pauses that have run out, and
    /// `replicationCron` every second, or every 100 ms while a failover is in progress (1445).
    pub(super) fn server_cron(&mut self, turn: &mut Turn<'_>) {
        let period = Duration(1_000_000_000 / u64::from(turn.config.hz));
        self.next_cron = turn.now + period;
        self.update_paused_actions(turn);
        let every = match self.failover.state {
            FailoverState::NoFailover => Duration::secs(1),
            FailoverState::WaitForSync | FailoverState::InProgress => Duration::millis(100),
        };
        // `run_with_period`
        if period >= every || self.cron_loops.is_multiple_of(every.0 / period.0) {
            self.replication_cron(turn);
        }
        if self.cluster.is_some() || turn.config.timeout.0 > 0 {
            self.clients_cron(turn);
        }
        self.active_expire(turn);
        if self.cluster.is_some() {
            let every = Duration::millis(100);
            if period >= every || self.cron_loops.is_multiple_of(every.0 / period.0) {
                self.cluster_cron(turn);
            }
        }
        self.cron_loops += 1;
    }

    /// `replicationCron` (8.0.1, replication.c:4496)
    fn replication_cron(&mut self, turn: &mut Turn<'_>) {
        self.update_failover_status(turn);
        let timeout = turn.config.repl_timeout;
        let silent = longer_than(turn.now, self.link.last_io, timeout);
        if silent && self.loading_until.is_none() {
            match self.link.state() {
                LinkState::Up => {
                    // The primary has been silent: `freeClient`, and a new attempt at once.
                    turn.effects.push(Effect::LinkClose(self.link.number));
                    self.link_lost(self.link.number, turn);
                }
                LinkState::Down if self.link.in_handshake() => {
                    // `cancelReplicationHandshake(1)`
                    turn.effects.push(Effect::LinkClose(self.link.number));
                    self.connect_with_primary(turn);
                }
                LinkState::Sync => {
                    turn.effects.push(Effect::LinkClose(self.link.number));
                    self.link.repl_state = ReplState::Connect;
                    self.trace_role(turn);
                }
                LinkState::None | LinkState::Down => {}
            }
        }
        if self.link.repl_state == ReplState::Connect {
            self.connect_with_primary(turn);
        }
        if self.link.repl_state == ReplState::Connected {
            self.send_ack(turn);
        }
        self.replicas_cron(turn);
        self.replication_cron_loops += 1;
    }
}
