//! The pause table: which actions are paused, for which purpose, until when
//! (8.0.1, networking.c:4484–4600 and server.h:585).

use rebound_engine::{Duration, Time};

/// Why actions are paused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `CLIENT PAUSE`.
    ByClientCommand,
    /// A failover (`PAUSE_DURING_FAILOVER`).
    DuringFailover,
}

/// What is paused. The numbers of the first two matter: whether postponed clients are released
/// is decided by comparing them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actions(u8);

impl Actions {
    const CLIENT_WRITE: u8 = 1;
    const CLIENT_ALL: u8 = 2;
    const REPLICA: u8 = 4;
    /// `PAUSE_ACTIONS_CLIENT_WRITE_SET`: writes, and traffic towards replicas. (Expiry and
    /// eviction are paused too, which the model has neither of.)
    pub(crate) const WRITE_SET: Actions = Actions(Self::CLIENT_WRITE | Self::REPLICA);
    /// `PAUSE_ACTIONS_CLIENT_ALL_SET`: every command, and traffic towards replicas.
    pub(crate) const ALL_SET: Actions = Actions(Self::CLIENT_ALL | Self::REPLICA);

    fn of_clients(self) -> u8 {
        self.0 & (Self::CLIENT_WRITE | Self::CLIENT_ALL)
    }
}

/// One purpose's pause.
#[derive(Copy, Clone, Debug, Default)]
struct Pause {
    end: Time,
    actions: Actions,
}

/// What is paused on a server (`client_pause_per_purpose` and `paused_actions`).
#[derive(Clone, Debug, Default)]
pub(crate) struct PauseTable {
    purposes: [Pause; 2],
    /// The union of all purposes, as of the last update.
    current: Actions,
}

/// Whether an update lets postponed clients go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// They stay.
    Keep,
    /// All postponed clients are to be run again.
    Postponed,
}

impl PauseTable {
    /// `pauseActions` (8.0.1, networking.c:4549): a later end already set is kept.
    pub(crate) fn pause(
        &mut self,
        now: Time,
        purpose: Purpose,
        end: Time,
        actions: Actions,
    ) -> Release {
        let pause = &mut self.purposes[purpose as usize];
        pause.actions = actions;
        pause.end = pause.end.max(end);
        self.update(now)
    }

    /// `pauseClientsByClient`: a pause of writes does not weaken a pause of everything.
    pub(crate) fn pause_by_client(
        &mut self,
        now: Time,
        lasts: Duration,
        actions: Actions,
    ) -> Release {
        let running = self.purposes[Purpose::ByClientCommand as usize].actions;
        let actions = if running.0 & Actions::CLIENT_ALL != 0 {
            Actions::ALL_SET
        } else {
            actions
        };
        self.pause(now, Purpose::ByClientCommand, now + lasts, actions)
    }

    /// `unpauseActions` (8.0.1, networking.c:4568).
    pub(crate) fn unpause(&mut self, now: Time, purpose: Purpose) -> Release {
        self.purposes[purpose as usize] = Pause::default();
        self.update(now)
    }

    /// `updatePausedActions` (8.0.1, networking.c:4484): the union of all purposes is taken anew,
    /// and postponed clients are released only if its client bits have become *numerically*
    /// less. So the end of a failover releases nobody while a `CLIENT PAUSE … WRITE` still runs.
    pub(crate) fn update(&mut self, now: Time) -> Release {
        let before = self.current;
        let mut union = 0;
        for pause in &mut self.purposes {
            if pause.end > now {
                union |= pause.actions.0;
            }
        }
        self.current = Actions(union);
        if self.current.of_clients() < before.of_clients() {
            Release::Postponed
        } else {
            Release::Keep
        }
    }

    /// Whether nothing is paused.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.current.0 == 0
    }

    /// Whether every command is paused.
    #[inline]
    pub fn all(&self) -> bool {
        self.current.0 & Actions::CLIENT_ALL != 0
    }

    /// Whether commands that may replicate are paused.
    #[inline]
    pub fn writes(&self) -> bool {
        self.current.0 & Actions::CLIENT_WRITE != 0
    }

    /// Whether traffic towards replicas (GETACK) is paused.
    #[inline]
    pub fn replicas(&self) -> bool {
        self.current.0 & Actions::REPLICA != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_000);

    #[test]
    fn the_end_of_a_failover_under_a_foreign_write_pause_releases_nobody() {
        let mut table = PauseTable::default();
        table.pause_by_client(NOW, Duration::secs(4), Actions::WRITE_SET);
        table.pause(
            NOW,
            Purpose::DuringFailover,
            Time::NEVER,
            Actions::WRITE_SET,
        );
        assert_eq!(table.unpause(NOW, Purpose::DuringFailover), Release::Keep);
        assert_eq!(table.update(NOW + Duration::secs(4)), Release::Postponed);
    }

    #[test]
    fn a_pause_of_everything_that_runs_out_in_a_failover_releases_all() {
        let mut table = PauseTable::default();
        table.pause(
            NOW,
            Purpose::DuringFailover,
            Time::NEVER,
            Actions::WRITE_SET,
        );
        table.pause_by_client(NOW, Duration::millis(500), Actions::ALL_SET);
        assert!(table.all() && table.writes());
        assert_eq!(
            table.update(NOW + Duration::millis(500)),
            Release::Postponed
        );
        assert!(!table.all() && table.writes());
        assert_eq!(table.unpause(NOW, Purpose::ByClientCommand), Release::Keep);
    }

    #[test]
    fn a_pause_of_writes_does_not_weaken_a_pause_of_everything() {
        let mut table = PauseTable::default();
        table.pause_by_client(NOW, Duration::secs(2), Actions::ALL_SET);
        table.pause_by_client(NOW, Duration::secs(1), Actions::WRITE_SET);
        assert!(table.all());
        assert_eq!(table.update(NOW + Duration::millis(1_500)), Release::Keep);
        assert!(table.all());
    }
}
