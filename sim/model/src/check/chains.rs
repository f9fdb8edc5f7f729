//! The redirects in a row that commands have met: what `bounce` judges, and every report counts.

use crate::client::{ClientId, Note as ClientNote};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{Addr, Belief, CommandKind, NodeId, RedirectKind};
use rebound_engine::Time;

/// A redirect that was met.
#[derive(Copy, Clone, Debug)]
pub(super) struct Hop {
    pub(super) at: Time,
    pub(super) from: NodeId,
    pub(super) to: Addr,
    pub(super) via: RedirectKind,
    pub(super) bounce: bool,
    pub(super) belief: Belief,
}

/// The redirects of one command.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) command: u32,
    pub(super) kind: CommandKind,
    pub(super) hops: Vec<Hop>,
}

/// The redirects of all commands that have no end yet.
pub(super) struct Chains {
    max_hops: u32,
    /// By client.
    open: Vec<Vec<Chain>>,
    /// The chain of the command that ended last, if that met a redirect; `None` after the end of
    /// one that met none.
    ended: Option<Chain>,
    /// Memory of chains that have ended.
    spare: Vec<Vec<Hop>>,
    /// By client: whether one of its commands met more than are allowed.
    flagged: Vec<bool>,
}

impl Chains {
    pub(super) fn new(plan: &Plan) -> Chains {
        let clients = plan.clients() as usize;
        Chains {
            max_hops: plan.checks.bounce.max_hops,
            open: (0..clients).map(|_| Vec::new()).collect(),
            ended: None,
            spare: Vec::new(),
            flagged: vec![false; clients],
        }
    }

    pub(super) fn reset(&mut self) {
        self.forget_ended();
        for chains in &mut self.open {
            self.spare.extend(chains.drain(..).map(|chain| chain.hops));
        }
        self.flagged.fill(false);
    }

    /// Takes note that a client follows a redirect, or that a command has ended.
    #[inline]
    pub(super) fn observe(&mut self, now: Time, event: &Event) {
        match *event {
            Event::Client(
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
            ) => {
                let hop = Hop {
                    at: now,
                    from,
                    to,
                    via,
                    bounce,
                    belief,
                };
                self.add(client, command, kind, hop);
            }
            Event::Client(client, ClientNote::Ended { command, hops, .. }) => {
                if hops > 0 {
                    self.close(client, command);
                } else if self.ended.is_some() {
                    self.forget_ended();
                }
            }
            Event::Client(
                _,
                ClientNote::Issued { .. } | ClientNote::Ignored { .. } | ClientNote::Element { .. },
            )
            | Event::Net(_)
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Fault { .. } => {}
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

    #[cold]
    fn close(&mut self, client: ClientId, command: u32) {
        self.forget_ended();
        let chains = &mut self.open[client.0 as usize];
        let Some(index) = chains.iter().position(|chain| chain.command == command) else {
            return;
        };
        let chain = chains.swap_remove(index);
        self.flagged[client.0 as usize] |= chain.hops.len() > self.max_hops as usize;
        self.ended = Some(chain);
    }

    fn forget_ended(&mut self) {
        self.spare.extend(self.ended.take().map(|chain| chain.hops));
    }

    /// The run has ended: the chains of unfinished commands are as long as they will be.
    pub(super) fn end(&mut self) {
        for (chains, flagged) in self.open.iter().zip(&mut self.flagged) {
            *flagged |= (chains.iter()).any(|chain| chain.hops.len() > self.max_hops as usize);
        }
    }

    /// The redirects of the command that ended last, if it met any.
    #[inline]
    pub(super) fn ended(&self) -> Option<&Chain> {
        self.ended.as_ref()
    }

    /// Redirects of commands that have no end, by client.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = (ClientId, &Chain)> {
        (0..).zip(&self.open).flat_map(|(client, chains)| {
            let client = ClientId(client);
            chains.iter().map(move |chain| (client, chain))
        })
    }

    /// Redirects, and those that led back, of each command that has been redirected and has no
    /// end.
    pub(super) fn open(&self) -> impl Iterator<Item = (u32, u32)> {
        self.open.iter().flatten().map(|chain| {
            let bounces = chain.hops.iter().filter(|hop| hop.bounce).count();
            (chain.hops.len() as u32, bounces as u32)
        })
    }

    /// Clients with a command that was redirected more often than allowed.
    pub(super) fn flagged(&self) -> u64 {
        self.flagged.iter().filter(|flagged| **flagged).count() as u64
    }
}
