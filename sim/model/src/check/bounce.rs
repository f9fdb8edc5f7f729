//! `bounce`: a command was redirected more often than `max_hops` times in a row.

use crate::valkey::{
    Addr, Belief, CommandKind, FailoverState, LinkState, NodeId, RedirectKind, Role,
};
use std::sync::Arc;

use super::{CheckId, Ending, Findings, Found};
use crate::client::{ClientId, Note as ClientNote};
use crate::results::ChainHop;
use crate::scenario::Plan;
use crate::trace::{Event, Record};

/// A redirect that was met.
#[derive(Copy, Clone, Debug)]
struct Hop {
    at: u64,
    from: NodeId,
    to: Addr,
    via: RedirectKind,
    bounce: bool,
    belief: Belief,
}

/// The redirects of a command that has no end yet.
#[derive(Debug)]
struct Chain {
    command: u32,
    kind: CommandKind,
    hops: Vec<Hop>,
}

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    enabled: bool,
    max_hops: u32,
    /// Chains of unfinished commands, by client.
    open: Vec<Vec<Chain>>,
    /// Memory of chains that have ended.
    spare: Vec<Vec<Hop>>,
    flagged: Vec<bool>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let clients = plan.clients() as usize;
        State {
            plan: plan.clone(),
            enabled: plan.checks.bounce.enabled,
            max_hops: plan.checks.bounce.max_hops,
            open: (0..clients).map(|_| Vec::new()).collect(),
            spare: Vec::new(),
            flagged: vec![false; clients],
        }
    }

    pub(super) fn reset(&mut self) {
        for chains in &mut self.open {
            self.spare.extend(chains.drain(..).map(|chain| chain.hops));
        }
        self.flagged.fill(false);
    }

    pub(super) fn flagged(&self) -> u64 {
        self.flagged.iter().filter(|flagged| **flagged).count() as u64
    }

    #[inline]
    pub(super) fn observe(&mut self, record: &Record, findings: &mut Findings) {
        if let Event::Client(
            client,
            ClientNote::Hop {
                command,
                kind,
                from,
                to,
                via,
                bounce,
                belief,
                ..
            },
        ) = record.event
        {
            let hop = Hop {
                at: record.at.0,
                from,
                to,
                via,
                bounce,
                belief,
            };
            self.add(client, command, kind, hop);
        } else if let Event::Client(client, ClientNote::Ended { command, hops, .. }) = record.event
            && hops > 0
        {
            let chains = &mut self.open[client.0 as usize];
            let Some(place) = chains.iter().position(|chain| chain.command == command) else {
                return;
            };
            let chain = chains.swap_remove(place);
            self.judge(record.at, client, &chain, "", findings);
            self.spare.push(chain.hops);
        }
    }

    #[cold]
    fn add(&mut self, client: ClientId, command: u32, kind: CommandKind, hop: Hop) {
        let chains = &mut self.open[client.0 as usize];
        match chains.iter_mut().find(|chain| chain.command == command) {
            Some(chain) => chain.hops.push(hop),
            None => {
                let mut hops = self.spare.pop().unwrap_or_default();
                hops.clear();
                hops.push(hop);
                chains.push(Chain {
                    command,
                    kind,
                    hops,
                });
            }
        }
    }

    fn judge(
        &mut self,
        at: crate::engine::Time,
        client: ClientId,
        chain: &Chain,
        ending: &str,
        findings: &mut Findings,
    ) {
        if chain.hops.len() <= self.max_hops as usize {
            return;
        }
        self.flagged[client.0 as usize] = true;
        if !self.enabled {
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
            at_ns: hop.at,
            node: self.plan.node_name(hop.from).to_owned(),
            to: self.plan.addresses.text(hop.to),
            via: hop.via.slot().map(|_| hop.via.to_string()),
            bounce: hop.bounce,
            belief: hop.belief.to_string(),
        }
    }

    /// Redirects, and those that led back, of each command that has been redirected and has no
    /// end.
    pub(super) fn open_chains(&self) -> impl Iterator<Item = (u32, u32)> {
        self.open.iter().flatten().map(|chain| {
            let bounces = chain.hops.iter().filter(|hop| hop.bounce).count();
            (chain.hops.len() as u32, bounces as u32)
        })
    }

    pub(super) fn end(&mut self, ending: &Ending<'_>, findings: &mut Findings) {
        for client in 0..self.open.len() {
            for chain in std::mem::take(&mut self.open[client]) {
                let id = ClientId(client as u32);
                self.judge(
                    ending.at,
                    id,
                    &chain,
                    " The command is unfinished.",
                    findings,
                );
                self.spare.push(chain.hops);
            }
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

impl std::fmt::Display for Belief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
        })?;
        if self.failover != FailoverState::NoFailover {
            write!(f, ", {}", self.failover.name())?;
        }
        match self.link {
            LinkState::None => Ok(()),
            LinkState::Down => f.write_str(", link down"),
            LinkState::Sync => f.write_str(", link synchronizing"),
            LinkState::Up => f.write_str(", link up"),
        }
    }
}
