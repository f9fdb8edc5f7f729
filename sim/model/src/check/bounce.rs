//! `bounce`: a command was redirected more often than `max_hops` times in a row.

use std::sync::Arc;

use super::chains::{Chain, Hop};
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::client::{ClientId, Note as ClientNote};
use crate::results::ChainHop;
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{FailoverState, RedirectKind};
use rebound_engine::Time;

/// The check.
pub(super) struct Bounce {
    plan: Arc<Plan>,
    max_hops: u32,
}

impl Check for Bounce {
    const LISTENS: Topics = Topics::of(&[Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> Bounce {
        Bounce {
            plan: plan.clone(),
            max_hops: plan.checks.bounce.max_hops,
        }
    }

    fn reset(&mut self) {}

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, known: &Known, findings: &mut Findings) {
        if let Event::Client(client, ClientNote::Ended { hops, .. }) = event
            && *hops > 0
            && let Some(chain) = known.chains.ended()
        {
            self.judge(now, *client, chain, "", findings);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, known: &Known, findings: &mut Findings) {
        for (client, chain) in known.chains.unfinished() {
            let unfinished = " The command is unfinished.";
            self.judge(ending.at, client, chain, unfinished, findings);
        }
    }
}

impl Bounce {
    fn judge(
        &self,
        at: Time,
        client: ClientId,
        chain: &Chain,
        ending: &str,
        findings: &mut Findings,
    ) {
        if chain.hops.len() <= self.max_hops as usize {
            return;
        }
        findings.add(CheckId::Bounce, || {
            let why = format!("{}{ending}", explain(&self.plan, &chain.hops));
            let mut found = Found::of_command(
                CheckId::Bounce,
                at,
                (client, chain.command, chain.kind),
                why,
            );
            found.chain = chain.hops.iter().map(|hop| self.in_words(hop)).collect();
            found
        });
    }

    fn in_words(&self, hop: &Hop) -> ChainHop {
        ChainHop {
            at_ns: hop.at.0,
            node: self.plan.node_name(hop.from).to_owned(),
            to: self.plan.addresses.text(hop.to),
            via: hop.via.slot().map(|_| hop.via.to_string()),
            bounce: hop.bounce,
            belief: hop.belief.to_string(),
        }
    }
}

/// Why a command went on being redirected, from what the nodes believed of themselves.
fn explain(plan: &Plan, hops: &[Hop]) -> String {
    let bounces = hops.iter().filter(|hop| hop.bounce).count();
    let counted = match bounces {
        0 => format!("{} redirects in a row, none of them back.", hops.len()),
        _ => format!(
            "{} redirects in a row, {bounces} of them back to a node that had already redirected the command.",
            hops.len()
        ),
    };
    let mid_failover = hops
        .iter()
        .find(|hop| hop.belief.failover == FailoverState::InProgress && bounces > 0);
    let reason = if plan.cluster.is_some() {
        explain_in_cluster(plan, hops, bounces)
    } else if let Some(hop) = mid_failover {
        format!(
            " {old} had demoted itself for a failover that was still in progress, and {new} had not promoted itself yet: both were replicas, and each sent the client to the other (gate StandaloneRedirect).",
            old = plan.node_name(hop.from),
            new = plan.names().listener(hop.to),
        )
    } else if bounces > 1 {
        " The nodes were replicas of each other outside any failover, so each sent the client to the other (gate StandaloneRedirect); neither had a reason to wait.".to_owned()
    } else if bounces == 1 {
        format!(
            " The client reached {first}, a replica, was sent to its primary, and by the time that one answered the roles had changed.",
            first = plan.node_name(hops[0].from),
        )
    } else {
        " The client was sent on from node to node: through a chain of replicas, or because roles changed while it was on its way.".to_owned()
    };
    counted + &reason
}

/// Why a cluster sent a command on so often: what its nodes' tables of slots must have said.
fn explain_in_cluster(plan: &Plan, hops: &[Hop], bounces: usize) -> String {
    let first = hops[0];
    let asked = hops
        .iter()
        .any(|hop| matches!(hop.via, RedirectKind::Ask(_)));
    let slot = first.via.slot();
    let slot = slot.map_or("its slot".to_owned(), |slot| format!("slot {}", slot.0));
    let from = plan.node_name(first.from);
    let to = plan.names().listener(first.to);
    if asked {
        format!(
            " The keys of {slot} are being moved: its owner redirects commands for keys that it no longer has (ASK)."
        )
    } else if bounces > 1 {
        format!(
            " {from} considered {to} the owner of {slot}, and {to} considered {from} the owner (gate ClusterRedirect): neither had handed the slot over under a newer epoch."
        )
    } else if bounces == 1 {
        format!(
            " {from} considered {to} the owner of {slot}; by the time that one answered, the slot had another owner."
        )
    } else {
        format!(
            " {from} did not know the owner of {slot} yet: each change that a node has missed costs a redirect."
        )
    }
}
