//! `early-unblock`: a blocked command was thrown out before there was a new primary.

use std::sync::Arc;

use super::{CheckId, Findings, Found};
use crate::engine::Time;
use crate::net::HostId;
use crate::scenario::Plan;
use crate::valkey::{ErrorKind, Message, NodeId, Reply};

/// A node's time as a primary.
#[derive(Copy, Clone, Debug)]
struct Reign {
    node: NodeId,
    from: Time,
    /// Absent while it lasts.
    until: Option<Time>,
}

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    enabled: bool,
    /// All of the run: what a reply tells was true when it was sent, which is in the past.
    reigns: Vec<Reign>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        State {
            plan: plan.clone(),
            enabled: plan.checks.early_unblock.enabled,
            reigns: Vec::new(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.reigns.clear();
    }

    /// Whether the check wants to hear of messages that arrive, which are many.
    pub(super) fn enabled(&self) -> bool {
        self.enabled
    }

    /// The primaries have changed.
    pub(super) fn change(&mut self, now: Time, primaries: &[NodeId]) {
        if !self.enabled {
            return;
        }
        let lasting = |reign: &Reign, node| reign.until.is_none() && reign.node == node;
        for reign in &mut self.reigns {
            if reign.until.is_none() && !primaries.contains(&reign.node) {
                reign.until = Some(now);
            }
        }
        for node in primaries {
            if !self.reigns.iter().any(|reign| lasting(reign, *node)) {
                self.reigns.push(Reign {
                    node: *node,
                    from: now,
                    until: None,
                });
            }
        }
    }

    /// A message arrived. Call it only if the check is on.
    pub(super) fn delivered(
        &mut self,
        now: Time,
        (from, to): (HostId, HostId),
        sent_at: Time,
        message: &Message,
        findings: &mut Findings,
    ) {
        let Message::Reply {
            reply: Reply::Error(ErrorKind::Unblocked),
            ..
        } = message
        else {
            return;
        };
        let node = NodeId(from.0 as u16);
        let shard = self.plan.shard_of(node);
        let other = |reign: &&Reign| {
            reign.node != node
                && self.plan.shard_of(reign.node) == shard
                && reign.from <= sent_at
                && reign.until.is_none_or(|until| sent_at < until)
        };
        if self.reigns.iter().any(|reign| other(&reign)) {
            return;
        }
        findings.add(CheckId::EarlyUnblock, || {
            let why = format!(
                "{} unblocked the client's blocked command with an error at {sent_at}, when no other node was a primary: there was nowhere to block again.",
                self.plan.node_name(node)
            );
            let mut found = Found::of_nodes(CheckId::EarlyUnblock, now, why);
            found.client = self.plan.client_at(to);
            found
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::plan;
    use crate::client::ClientId;
    use crate::engine::Duration;
    use crate::valkey::Tag;

    const OLD: NodeId = NodeId(0);
    const NEW: NodeId = NodeId(1);
    const UNBLOCKED: Reply = Reply::Error(ErrorKind::Unblocked);

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::millis(millis)
    }

    fn state() -> State {
        State::new(&plan(r#"{"early-unblock": {"enabled": true}}"#))
    }

    /// What the check says of a reply of `old`, sent then and received 5 ms later.
    fn said(state: &mut State, sent: u64, reply: Reply) -> Vec<Found> {
        let mut findings = Findings::default();
        let hosts = (HostId(0), HostId(2));
        let message = Message::Reply {
            tag: Tag::own(0),
            reply,
        };
        state.delivered(at(sent + 5), hosts, at(sent), &message, &mut findings);
        findings.take()
    }

    #[test]
    fn thrown_out_before_there_is_a_new_primary() {
        let mut state = state();
        state.change(at(0), &[OLD]);
        state.change(at(10), &[]);
        let found = said(&mut state, 10, UNBLOCKED);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].client, Some(ClientId(0)));
        assert_eq!(
            found[0].why,
            "old unblocked the client's blocked command with an error at 0.010000s, when no other node was a primary: there was nowhere to block again."
        );
    }

    #[test]
    fn the_node_itself_is_no_other() {
        let mut state = state();
        state.change(at(0), &[OLD]);
        assert_eq!(said(&mut state, 1, UNBLOCKED).len(), 1);
    }

    #[test]
    fn thrown_out_when_there_is_one_is_in_order() {
        let mut state = state();
        state.change(at(0), &[OLD]);
        state.change(at(10), &[OLD, NEW]);
        state.change(at(20), &[NEW]);
        assert_eq!(said(&mut state, 10, UNBLOCKED), []);
        assert_eq!(said(&mut state, 25, UNBLOCKED), []);
    }

    #[test]
    fn what_counts_is_the_time_of_sending() {
        let mut state = state();
        state.change(at(0), &[OLD]);
        state.change(at(10), &[]);
        state.change(at(12), &[NEW]);
        assert_eq!(said(&mut state, 11, UNBLOCKED).len(), 1);
        state.change(at(14), &[]);
        assert_eq!(said(&mut state, 13, UNBLOCKED), []);
    }

    #[test]
    fn other_replies_are_no_concern() {
        let mut state = state();
        assert_eq!(said(&mut state, 1, Reply::Error(ErrorKind::ReadOnly)), []);
    }

    #[test]
    fn it_is_off_unless_turned_on() {
        assert!(!State::new(&plan("{}")).enabled());
    }
}
