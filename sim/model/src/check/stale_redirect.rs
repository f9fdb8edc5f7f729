//! `stale-redirect`: a client followed a redirect to a node that was no primary.

use std::sync::Arc;

use super::primaries::{Primaries, Standing};
use super::{CheckId, Findings, Found};
use crate::client::Note as ClientNote;
use crate::scenario::Plan;
use crate::trace::{Event, Record};

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    enabled: bool,
    most: u64,
    /// How many there have been.
    met: u64,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let config = &plan.checks.stale_redirect;
        State {
            plan: plan.clone(),
            enabled: config.enabled,
            most: config.most,
            met: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.met = 0;
    }

    /// Takes note of a record. The primaries must have seen it.
    #[inline]
    pub(super) fn observe(
        &mut self,
        record: &Record,
        primaries: &Primaries,
        findings: &mut Findings,
    ) {
        if self.enabled && matches!(record.event, Event::Client(_, ClientNote::Hop { .. })) {
            self.followed(record, primaries, findings);
        }
    }

    #[cold]
    fn followed(&mut self, record: &Record, primaries: &Primaries, findings: &mut Findings) {
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
        ) = record.event
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
                record.at,
                (client, command, kind),
                why,
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{crashed, plan, role};
    use crate::client::ClientId;
    use crate::engine::{Duration, Time};
    use crate::trace::Event;
    use crate::valkey::{
        Addr, Belief, CommandKind, FailoverState, LinkState, NodeId, RedirectKind, Role,
    };

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
        let mut primaries = Primaries::new(&plan);
        let mut state = State::new(&plan);
        let mut findings = Findings::default();
        for record in before {
            primaries.observe(record);
        }
        for to in hops {
            state.observe(&hop(*to), &primaries, &mut findings);
        }
        let total = findings.total(CheckId::StaleRedirect);
        (total, findings.take())
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
        let primaries = Primaries::new(&plan);
        let mut state = State::new(&plan);
        let mut findings = Findings::default();
        state.observe(&hop(Addr(1)), &primaries, &mut findings);
        assert_eq!(findings.total(CheckId::StaleRedirect), 0);
    }
}
