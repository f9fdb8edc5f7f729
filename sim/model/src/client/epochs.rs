//! Epochs: a redirect that is older than what the client knows is not followed.
//!
//! Only servers with the remedy `epoch-redirect` say an epoch, and only to clients that declare
//! that they know it; without one everything is as ever. A client keeps the epoch and the address
//! of the last redirect that it followed. One with a lower epoch, or with the same epoch and
//! another address, comes from a node that has yet to learn what the client knows already. The
//! client stays with that node, waits, and asks again.

use super::commands::Answer;
use super::note::Note;
use super::policy::{Backoff, Epochs};
use super::redirect::Source;
use super::spec::ClientSpec;
use super::state::Client;
use super::{Context, Effect};
use crate::valkey::{Addr, Epoch, NodeId, Redirect};
use rebound_engine::Duration;

/// Redirects in a row that a command may ignore; the next one is followed after all, and believed.
/// So a client that knows an epoch which no node knows any more (a node has lost its disk) is not
/// held forever. With [`Backoff::GUARD`] this takes six seconds on average.
pub(super) const MOST_IGNORED: u32 = 32;

impl Client {
    /// The epoch that the client knows, if it makes this redirect one to be ignored.
    pub(super) fn stale_epochs(
        &mut self,
        spec: &ClientSpec,
        unit: u16,
        redirect: Redirect,
    ) -> Option<(Epoch, Epoch)> {
        match spec.policy.epochs {
            Epochs::Compare => {}
            Epochs::Ignore => return None,
        }
        let (said, (known, primary)) = (redirect.epoch?, self.known?);
        let older = said < known || (said == known && redirect.to != primary);
        let patient = self.units.at(unit).ignored < MOST_IGNORED;
        (older && patient).then_some((said, known))
    }

    /// Takes note of a redirect that is followed.
    pub(super) fn believe(&mut self, unit: u16, redirect: Redirect) {
        self.units.at(unit).ignored = 0;
        if let Some(epoch) = redirect.epoch {
            self.known = Some((epoch, redirect.to));
        }
    }

    /// Takes note of a redirect that is ignored. Returns how long to wait before asking again.
    pub(super) fn ignore(
        &mut self,
        ctx: &mut Context<'_>,
        unit: u16,
        source: Source,
        (said, known): (Epoch, Epoch),
    ) -> Duration {
        let from = node_of(ctx, source.addr);
        let work = &mut self.units.table[usize::from(unit)];
        for index in &work.members[work.first..] {
            let flight = &self.flights[*index as usize];
            let Answer::Redirected(redirect) = flight.answer else {
                continue;
            };
            ctx.effects.push(Effect::Note(Note::Ignored {
                command: flight.number,
                kind: flight.kind,
                from,
                to: redirect.to,
                said,
                known,
            }));
        }
        let before = work.ignored;
        work.ignored += 1;
        Backoff::GUARD.wait(before, ctx.chooser, ctx.policy_stream)
    }
}

/// The node that listens at an address from which something has come.
pub(super) fn node_of(ctx: &Context<'_>, addr: Addr) -> NodeId {
    ctx.addresses.node(addr).unwrap_or(NodeId(addr.0))
}
