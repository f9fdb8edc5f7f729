//! `stale-read`: a read returned a value that had been overwritten before it was issued.

use std::sync::Arc;

use super::freshness::{Freshness, Stale};
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{Belief, CommandKind, GateVerdict, NodeId, Note as NodeNote, Value};
use rebound_engine::Time;

/// The check.
pub(super) struct StaleRead {
    plan: Arc<Plan>,
    freshness: Freshness,
    /// Who let each client's last read pass, and what it believed of itself.
    served_by: Vec<Option<(NodeId, Belief)>>,
}

impl Check for StaleRead {
    const LISTENS: Topics = Topics::of(&[Topic::Gate, Topic::Issued, Topic::Element, Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> StaleRead {
        StaleRead {
            plan: plan.clone(),
            freshness: Freshness::new(plan),
            served_by: vec![None; plan.clients() as usize],
        }
    }

    fn reset(&mut self) {
        self.freshness.reset();
        self.served_by.fill(None);
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, findings: &mut Findings) {
        match Topic::of(event) {
            Topic::Gate => self.gate(event),
            Topic::Issued | Topic::Element | Topic::Ended => self.step(now, event, findings),
            Topic::Delivered | Topic::Dialled | Topic::Nodes | Topic::Hop | Topic::Other => {}
        }
    }
}

impl StaleRead {
    /// A node has looked at a request.
    fn gate(&mut self, event: &Event) {
        if let &Event::Node(
            node,
            NodeNote::Gate {
                peer,
                command: CommandKind::Get | CommandKind::MGet,
                verdict: GateVerdict::Passed,
                belief,
                ..
            },
        ) = event
            && let Some(client) = self.plan.client_at(peer)
        {
            self.served_by[client.0 as usize] = Some((node, belief));
        }
    }

    /// A command was issued or has ended, or one of the values of an `MGET` is there.
    fn step(&mut self, now: Time, event: &Event, findings: &mut Findings) {
        if let Some(stale) = self.freshness.observe(now, event) {
            findings.add(CheckId::StaleRead, || {
                let why = self.in_words(&stale);
                Found::of_command(CheckId::StaleRead, now, stale.command, why)
            });
        }
    }

    fn in_words(&self, stale: &Stale) -> String {
        let names = |write| {
            let (client, number, kind) = self.freshness.written(write)?.command;
            let client = self.plan.client_name(client);
            Some(format!("{} #{number} of {client}", kind.name()))
        };
        let node = self.plan.addresses.node(stale.from);
        let who = self.plan.names().listener(stale.from);
        // What lets a command pass is all in one turn with what answers it.
        let believed = match self.served_by[stale.command.0.0 as usize] {
            Some((served_by, belief)) if Some(served_by) == node => format!(" ({belief})"),
            Some(_) | None => String::new(),
        };
        let value = match stale.value {
            Value::Text(write) => names(write).map(|write| format!("what {write} had written")),
            Value::Absent | Value::Number(_) | Value::List(_) | Value::Stream(_) => None,
        };
        let value = value.unwrap_or_else(|| "no value".to_owned());
        let key = stale.key;
        let by = names(stale.overwritten_by).unwrap_or_default();
        let acknowledged = self
            .freshness
            .written(stale.overwritten_by)
            .map_or(stale.issued, |written| written.ended);
        let age = stale.issued.since(acknowledged);
        format!(
            "{who}{believed} answered with {value} to key {key}, although {by} had overwritten it: \
             that was acknowledged at {acknowledged}, {age} before this read was issued."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Checks;
    use crate::check::testing::{gate, plan, read, write};
    use crate::client::ClientId;
    use crate::valkey::WriteId;
    use rebound_engine::Duration;

    fn at(millis: u64) -> Time {
        Time::ZERO + Duration::millis(millis)
    }

    /// The finding for a GET that returns the value of write 0 long after write 1.
    fn found(checks: &str, passed_by: u16) -> Vec<Found> {
        let mut checks = Checks::new(&plan(checks), |_| true);
        for (number, from, until) in [(0, 0, 10), (1, 20, 30)] {
            for (at, event) in write(CommandKind::Set, number, 5, at(from), Some(at(until))) {
                checks.observe(at, &event);
            }
        }
        checks.observe(at(100), &gate(passed_by, GateVerdict::Passed));
        let event = read(5, Value::Text(WriteId(0)), at(100), at(101));
        checks.observe(at(101), &event);
        checks.take_found()
    }

    #[test]
    fn it_says_who_answered_with_what_and_how_old_that_was() {
        let found = found(r#"{"stale-read": {"enabled": true}}"#, 0);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].at, found[0].command),
            (at(101), Some((ClientId(0), 99, CommandKind::Get)))
        );
        assert_eq!(
            found[0].why,
            "old (replica, failover-in-progress, link down) answered with what SET #0 of app/0 had \
             written to key 5, although SET #1 of app/0 had overwritten it: that was acknowledged \
             at 0.030000s, 70ms before this read was issued."
        );
    }

    #[test]
    fn what_another_node_believed_is_not_said() {
        let found = found(r#"{"stale-read": {"enabled": true}}"#, 1);
        assert!(found[0].why.starts_with("old answered"), "{}", found[0].why);
    }

    #[test]
    fn it_is_off_unless_turned_on() {
        assert_eq!(found("{}", 0), []);
    }
}
