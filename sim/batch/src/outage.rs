//! How long clients went unserved: from the first refusal of a kind of command to the next one of
//! that kind that is served.

use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{CommandKind, Flags};

/// Kinds of command that a failover treats differently.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It can be served by any node that has the data.
    Read,
    /// It has to wait for a primary.
    Write,
}

impl Kind {
    /// Both, in the order of reports.
    pub const ALL: [Kind; 2] = [Kind::Read, Kind::Write];

    /// What waits for a primary is a write, whatever else it does; a transaction is one too.
    pub fn of(command: CommandKind) -> Kind {
        let writes = Flags::WRITE.with(Flags::MAY_REPLICATE);
        if command.flags().any(writes) || command == CommandKind::Exec {
            Kind::Write
        } else {
            Kind::Read
        }
    }
}

/// What a client has met with one kind of command.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Outage {
    /// Commands without an end.
    open: u32,
    refused_at: Option<Time>,
    longest: Duration,
}

impl Outage {
    pub(super) fn issued(&mut self) {
        self.open += 1;
    }

    /// A command was redirected, postponed or answered by an error.
    pub(super) fn refused(&mut self, now: Time) {
        self.refused_at.get_or_insert(now);
    }

    /// A connection is gone: a refusal of what was on it.
    pub(super) fn disconnected(&mut self, now: Time) {
        if self.open > 0 {
            self.refused(now);
        }
    }

    pub(super) fn ended(&mut self, now: Time, served: bool) {
        self.open = self.open.saturating_sub(1);
        if served {
            self.close(now);
        } else {
            self.refused(now);
        }
    }

    fn close(&mut self, now: Time) {
        if let Some(since) = self.refused_at.take() {
            self.longest = self.longest.max(now.since(since));
        }
    }

    /// The longest outage; one that is not over lasts until `end`.
    pub(super) fn longest(mut self, end: Time) -> Duration {
        self.close(end);
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_from_the_first_refusal_to_service() {
        let mut outage = Outage::default();
        outage.issued();
        outage.refused(Time(10));
        outage.refused(Time(20));
        outage.ended(Time(50), true);
        outage.issued();
        outage.ended(Time(60), true);
        assert_eq!(outage.longest(Time(1_000)), Duration(40));
        outage.issued();
        outage.ended(Time(70), false);
        assert_eq!(outage.longest(Time(170)), Duration(100));
    }

    #[test]
    fn a_connection_matters_only_to_what_is_on_it() {
        let mut outage = Outage::default();
        outage.disconnected(Time(5));
        assert_eq!(outage.longest(Time(100)), Duration::ZERO);
        outage.issued();
        outage.disconnected(Time(5));
        assert_eq!(outage.longest(Time(100)), Duration(95));
    }

    #[test]
    fn transactions_and_publications_are_writes() {
        for command in [CommandKind::Set, CommandKind::Exec, CommandKind::Publish] {
            assert_eq!(Kind::of(command), Kind::Write, "{}", command.name());
        }
        assert_eq!(Kind::of(CommandKind::MGet), Kind::Read);
    }
}
