//! `early-unblock`: a blocked command was thrown out before there was a new primary.

use std::sync::Arc;

use super::topic::{Topic, Topics};
use super::{Check, CheckId, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{ErrorKind, Message, NodeId, Reply};
use rebound_engine::Time;
use rebound_net::{HostId, Note as NetNote};

/// A node's time as a primary.
#[derive(Copy, Clone, Debug)]
struct Reign {
    node: NodeId,
    from: Time,
    /// Absent while it lasts.
    until: Option<Time>,
}

/// The check.
pub(super) struct EarlyUnblock {
    plan: Arc<Plan>,
    /// All of the run: what a reply tells was true when it was sent, which is in the past.
    reigns: Vec<Reign>,
}

impl Check for EarlyUnblock {
    const LISTENS: Topics = Topics::of(&[Topic::Delivered, Topic::Nodes]);

    fn new(plan: &Arc<Plan>) -> EarlyUnblock {
        EarlyUnblock {
            plan: plan.clone(),
            reigns: Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.reigns.clear();
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, known: &Known, findings: &mut Findings) {
        if let Event::Net(NetNote::Delivered {
            from,
            to,
            sent_at,
            message,
            ..
        }) = event
        {
            self.delivered(now, (*from, *to), *sent_at, message, findings);
        } else if known.primaries.changed().is_some() {
            self.change(now, known.primaries.standing());
        }
    }
}

impl EarlyUnblock {
    /// The primaries have changed.
    fn change(&mut self, now: Time, primaries: &[NodeId]) {
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

    /// A message arrived.
    fn delivered(
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
    use crate::check::Checks;
    use crate::check::testing::{plan, role};
    use crate::client::ClientId;
    use crate::valkey::{Role, Tag};
    use rebound_engine::Duration;
    use rebound_net::ConnId;

    const OLD: u16 = 0;
    const NEW: u16 = 1;
    const UNBLOCKED: Reply = Reply::Error(ErrorKind::Unblocked);

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::millis(millis)
    }

    /// The check, after these changes of the primaries.
    fn after(changes: &[(u64, u16, Role)]) -> Checks {
        judging(r#"{"early-unblock": {"enabled": true}}"#, changes)
    }

    fn judging(configured: &str, changes: &[(u64, u16, Role)]) -> Checks {
        let mut checks = Checks::new(&plan(configured), |check| check == CheckId::EarlyUnblock);
        for (then, node, now_is) in changes {
            checks.observe(at(*then), &role(*node, *now_is).event);
        }
        checks
    }

    /// What the check says of a reply of `old`, sent then and received 5 ms later.
    fn said(checks: &mut Checks, sent: u64, reply: Reply) -> Vec<Found> {
        let delivered = NetNote::Delivered {
            conn: ConnId {
                index: 0,
                generation: 0,
            },
            from: HostId(0),
            to: HostId(2),
            sent_at: at(sent),
            message: Message::Reply {
                tag: Tag::own(0),
                reply,
            },
        };
        checks.observe(at(sent + 5), &Event::Net(delivered));
        checks.take_found()
    }

    #[test]
    fn thrown_out_before_there_is_a_new_primary() {
        let mut checks = after(&[(0, OLD, Role::Primary), (10, OLD, Role::Replica)]);
        let found = said(&mut checks, 10, UNBLOCKED);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].client, Some(ClientId(0)));
        assert_eq!(
            found[0].why,
            "old unblocked the client's blocked command with an error at 0.010000s, when no other node was a primary: there was nowhere to block again."
        );
    }

    #[test]
    fn the_node_itself_is_no_other() {
        let mut checks = after(&[(0, OLD, Role::Primary)]);
        assert_eq!(said(&mut checks, 1, UNBLOCKED).len(), 1);
    }

    #[test]
    fn thrown_out_when_there_is_one_is_in_order() {
        let mut checks = after(&[
            (0, OLD, Role::Primary),
            (10, NEW, Role::Primary),
            (20, OLD, Role::Replica),
        ]);
        assert_eq!(said(&mut checks, 10, UNBLOCKED), []);
        assert_eq!(said(&mut checks, 25, UNBLOCKED), []);
    }

    #[test]
    fn what_counts_is_the_time_of_sending() {
        let mut checks = after(&[
            (0, OLD, Role::Primary),
            (10, OLD, Role::Replica),
            (12, NEW, Role::Primary),
            (14, NEW, Role::Replica),
        ]);
        assert_eq!(said(&mut checks, 11, UNBLOCKED).len(), 1);
        assert_eq!(said(&mut checks, 13, UNBLOCKED), []);
    }

    #[test]
    fn other_replies_are_no_concern() {
        let mut checks = after(&[]);
        assert_eq!(said(&mut checks, 1, Reply::Error(ErrorKind::ReadOnly)), []);
    }

    #[test]
    fn it_is_off_unless_turned_on() {
        assert_eq!(said(&mut judging("{}", &[]), 1, UNBLOCKED), []);
    }
}
