//! The milestones of a failover, as servers' logs tell them and as the model's events do.
//!
//! | in the log | in the model |
//! |---|---|
//! | `FAILOVER requested to …` | [`Event::Failover`], `waiting-for-sync` |
//! | `… is synced, failing over.`, `… time out exceeded, failing over.` | the same, `failover-in-progress` |
//! | `Successful partial resynchronization with …`, `Full resync from …`, on a server whose failover is in progress | the same, `no-failover` by success |
//! | `FAILOVER to … aborted: …` | the same, by what the log says |
//! | `… MODE enabled (…)` | [`Event::Role`], from replica to primary |
//! | `REPLICAOF … enabled (…)` | the same, to replica, outside a failover |

use std::fmt;

use super::members::Members;
use super::recording::{Event as Recorded, Line};
use super::script::instant;
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{FailoverEnd, FailoverState, NodeId, Note, Role};

/// What a milestone is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A failover begins.
    Requested,
    /// The old primary demotes itself and dials.
    InProgress,
    /// The failover is over, so.
    Over(FailoverEnd),
    /// The server becomes a primary, but not because its own failover came to nothing.
    Promoted,
    /// The operator makes it a replica.
    Demoted,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mark::Requested => "failover requested",
            Mark::InProgress => "failing over",
            Mark::Over(FailoverEnd::Success) => "failover done",
            Mark::Over(FailoverEnd::Aborted) => "failover aborted by the operator",
            Mark::Over(FailoverEnd::TimedOut) => "failover aborted, never caught up",
            Mark::Over(FailoverEnd::Rejected) => "failover aborted, target rejected PSYNC",
            Mark::Over(FailoverEnd::Underway) => "failover under way",
            Mark::Promoted => "primary now",
            Mark::Demoted => "replica now, by the operator",
        })
    }
}

/// A milestone.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// When.
    pub at: Time,
    /// On which server.
    pub node: NodeId,
    /// What.
    pub what: Mark,
}

/// How long logs round down: their times are whole milliseconds.
const ROUNDING: Duration = Duration::micros(500);

/// The milestones that a recording's logs tell.
pub fn recorded(recording: &[Line], members: &Members) -> Vec<Milestone> {
    let mut in_progress = vec![false; members.nodes().count()];
    let mut found = Vec::new();
    for line in recording {
        let (Some(node), Recorded::Log { line: text }) = (members.node(&line.who), &line.event)
        else {
            continue;
        };
        let progress = &mut in_progress[usize::from(node.0)];
        let Some(what) = of_log(text, *progress) else {
            continue;
        };
        match what {
            Mark::InProgress => *progress = true,
            Mark::Over(_) => *progress = false,
            Mark::Requested | Mark::Promoted | Mark::Demoted => {}
        }
        found.push(Milestone {
            at: instant(line.t) + ROUNDING,
            node,
            what,
        });
    }
    found
}

fn of_log(text: &str, in_progress: bool) -> Option<Mark> {
    let begins = |with| text.starts_with(with);
    Some(if begins("FAILOVER requested") {
        Mark::Requested
    } else if text.ends_with(", failing over.") {
        Mark::InProgress
    } else if begins("FAILOVER") && text.contains(" aborted: ") {
        let (_, why) = text.split_once(" aborted: ")?;
        Mark::Over(match why {
            "Failover manually aborted" => FailoverEnd::Aborted,
            "Replica never caught up before timeout" => FailoverEnd::TimedOut,
            _ => FailoverEnd::Rejected,
        })
    } else if in_progress
        && (begins("Successful partial resynchronization with") || begins("Full resync from"))
    {
        Mark::Over(FailoverEnd::Success)
    } else if text.contains(" MODE enabled (") {
        Mark::Promoted
    } else if begins("REPLICAOF") && text.contains(" enabled (") {
        Mark::Demoted
    } else {
        return None;
    })
}

/// Keeps the milestones that the model passes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passing {
    states: Vec<(Option<Role>, FailoverState)>,
    /// Those passed so far.
    pub passed: Vec<Milestone>,
}

impl Passing {
    /// Takes note of what a node of the model has done.
    pub fn note(&mut self, at: Time, node: NodeId, note: &Note) {
        match *note {
            Note::Failover { state, how, .. } => {
                self.of(node).1 = state;
                let what = match state {
                    FailoverState::NoFailover => Mark::Over(how),
                    FailoverState::WaitForSync => Mark::Requested,
                    FailoverState::InProgress => Mark::InProgress,
                };
                self.passed.push(Milestone { at, node, what });
            }
            Note::Role { role, .. } => {
                let state = self.of(node);
                let before = state.0.replace(role);
                let outside = state.1 == FailoverState::NoFailover;
                let what = match (before, role) {
                    (Some(Role::Replica), Role::Primary) if outside => Mark::Promoted,
                    (Some(Role::Primary), Role::Replica) if outside => Mark::Demoted,
                    (_, Role::Primary | Role::Replica) => return,
                };
                self.passed.push(Milestone { at, node, what });
            }
            Note::Gate { .. }
            | Note::Released { .. }
            | Note::Operator { .. }
            | Note::Cluster(_) => {}
        }
    }

    fn of(&mut self, node: NodeId) -> &mut (Option<Role>, FailoverState) {
        let place = usize::from(node.0);
        if place >= self.states.len() {
            self.states
                .resize(place + 1, (None, FailoverState::NoFailover));
        }
        &mut self.states[place]
    }

    /// A process is there anew: what it is then it has not become.
    pub fn forget(&mut self, node: NodeId) {
        *self.of(node) = (None, FailoverState::NoFailover);
    }
}

/// Pairs of the same milestones of both, by server, kind and which of them it is.
pub fn pairs(recorded: &[Milestone], modelled: &[Milestone]) -> Vec<(Milestone, Milestone)> {
    let mut used = vec![false; modelled.len()];
    let mut pairs = Vec::new();
    for milestone in recorded {
        let same = |other: &Milestone| other.node == milestone.node && other.what == milestone.what;
        let found = (0..modelled.len()).find(|place| !used[*place] && same(&modelled[*place]));
        if let Some(place) = found {
            used[place] = true;
            pairs.push((*milestone, modelled[place]));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_every_version_tell_milestones() {
        let all = [
            ("FAILOVER requested to any replica.", Some(Mark::Requested)),
            (
                "Failover target 127.0.0.1:7012 is synced, failing over.",
                Some(Mark::InProgress),
            ),
            (
                "FAILOVER to 127.0.0.1:7012 time out exceeded, failing over.",
                Some(Mark::InProgress),
            ),
            (
                "FAILOVER to 127.0.0.1:7012 aborted: Failover target rejected psync request",
                Some(Mark::Over(FailoverEnd::Rejected)),
            ),
            (
                "MASTER MODE enabled (failover request from 'id=4')",
                Some(Mark::Promoted),
            ),
            ("Full resync from primary: 0:0", None),
        ];
        for (text, mark) in all {
            assert_eq!(of_log(text, false), mark, "{text}");
        }
        assert_eq!(
            of_log("Full resync from primary: 0:0", true),
            Some(Mark::Over(FailoverEnd::Success))
        );
    }
}
