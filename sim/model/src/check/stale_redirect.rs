//! `stale-redirect`: a client followed a redirect to a node that was no primary.

use std::sync::Arc;

use super::primaries::Standing;
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Findings, Found, Known};
use crate::client::Note as ClientNote;
use crate::scenario::Plan;
use crate::trace::Event;
use rebound_engine::Time;

/// The check.
pub(super) struct StaleRedirect {
    plan: Arc<Plan>,
    most: u64,
    /// How many there have been.
    met: u64,
}

impl Check for StaleRedirect {
    const LISTENS: Topics = Topics::of(&[Topic::Hop]);

    fn new(plan: &Arc<Plan>) -> StaleRedirect {
        let config = &plan.checks.stale_redirect;
        StaleRedirect {
            plan: plan.clone(),
            most: config.most,
            met: 0,
        }
    }

    fn reset(&mut self) {
        self.met = 0;
    }

    #[cold]
    fn observe(&mut self, now: Time, event: &Event, known: &Known, findings: &mut Findings) {
        let primaries = &known.primaries;
        let Event::Client(
            client,
            ClientNote::Hop {
                command,
                kind,
                from,
                to,
                via,
                belief,
                ..
            },
        ) = *event
        else {
            return;
        };
        let target = self.plan.addresses.node(to);
        let was = match target.map(|node| primaries.of(node)) {
            Some(Standing::Primary) => return,
            Some(Standing::Replica) => "which was a replica",
            Some(Standing::Gone) => "which was not running",
            None => "where no server of the scenario listens",
        };
        self.met += 1;
        if self.met <= self.most {
            return;
        }
        findings.add(CheckId::StaleRedirect, || {
            let standing = primaries.beside(target.unwrap_or(from));
            let names: Vec<_> = standing.map(|node| self.plan.node_name(node)).collect();
            let others = if names.is_empty() {
                "there was no primary".to_owned()
            } else {
                format!("primary was {}", names.join(" and "))
            };
            let to = self.plan.names().listener(to);
            let why = format!(
                "{from} ({belief}) redirected the client to {to}{by}, {was} when the client followed; {others}.",
                from = self.plan.node_name(from),
                by = via.slot().map_or(String::new(), |_| format!(" by {via}")),
            );
            Found::of_command(
                CheckId::StaleRedirect,
                now,
                (client, command, kind),
                why,
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Checks;
    use crate::check::testing::{crashed, plan, role};
    use crate::client::ClientId;
    use crate::trace::Record;
    use crate::valkey::{
        Addr, Belief, CommandKind, FailoverState, LinkState, NodeId, RedirectKind, Role,
    };
    use rebound_engine::Duration;

    fn hop(to: Addr) -> Record {
        Record {
            at: Time::ZERO + Duration::secs(1),
            event: Event::Client(
                ClientId(0),
                ClientNote::Hop {
                    command: 7,
                    kind: CommandKind::Get,
                    from: NodeId(0),
                    to,
                    via: RedirectKind::Redirect,
                    hops: 1,
                    bounce: false,
                    belief: Belief {
                        role: Role::Replica,
                        failover: FailoverState::InProgress,
                        link: LinkState::Down,
                    },
                },
            ),
        }
    }

    /// What the check says of a hop to an address after these records.
    fn said(most: u64, before: &[Record], hops: &[Addr]) -> (u64, Vec<Found>) {
        let plan = plan(&format!(
            r#"{{"stale-redirect": {{"enabled": true, "most": {most}}}}}"#
        ));
        let mut checks = Checks::new(&plan, |check| check == CheckId::StaleRedirect);
        let hops: Vec<_> = hops.iter().map(|to| hop(*to)).collect();
        for record in before.iter().chain(&hops) {
            checks.observe(record.at, &record.event);
        }
        let total = checks.total(CheckId::StaleRedirect);
        (total, checks.take_found())
    }

    #[test]
    fn a_primary_is_where_a_redirect_should_lead() {
        let roles = [role(0, Role::Replica), role(1, Role::Primary)];
        assert_eq!(said(0, &roles, &[Addr(1)]).0, 0);
    }

    #[test]
    fn a_replica_is_named_with_the_node_that_redirected() {
        let roles = [role(0, Role::Replica), role(1, Role::Replica)];
        let (total, found) = said(0, &roles, &[Addr(1)]);
        assert_eq!(total, 1);
        assert_eq!(found[0].command, Some((ClientId(0), 7, CommandKind::Get)));
        assert_eq!(
            found[0].why,
            "old (replica, failover-in-progress, link down) redirected the client to new, which was a replica when the client followed; there was no primary."
        );
    }

    #[test]
    fn a_dead_primary_is_none() {
        let records = [role(0, Role::Primary), role(1, Role::Primary), crashed(1)];
        let (total, found) = said(0, &records, &[Addr(1)]);
        assert_eq!(total, 1);
        assert!(found[0].why.contains("new, which was not running when"));
        assert!(found[0].why.ends_with("; primary was old."));
    }

    #[test]
    fn only_those_beyond_what_is_allowed_count() {
        let roles = [role(0, Role::Replica), role(1, Role::Replica)];
        let hops = [Addr(1); 30];
        let (total, found) = said(4, &roles, &hops);
        assert_eq!((total, found.len()), (26, 10));
    }

    #[test]
    fn nothing_is_said_when_it_is_off() {
        let plan = plan("{}");
        let mut checks = Checks::new(&plan, |_| true);
        let hop = hop(Addr(1));
        checks.observe(hop.at, &hop.event);
        assert_eq!(checks.total(CheckId::StaleRedirect), 0);
    }
}
