//! Which node of a cluster a command is sent to: by the client's map of slots, or by a redirect.

use super::cluster_policy::{OwnAddress, ReadFrom, SendTo};
use super::commands::Progress;
use super::redirect::Source;
use super::spec::ClientSpec;
use super::state::Client;
use super::{ConnSlot, Context, Effect};
use crate::valkey::{Addr, CommandKind, ErrorKind, Redirect, RedirectKind};
use rebound_engine::Time;

/// Whether the client asks for no map.
pub(super) fn has_no_map(spec: &ClientSpec) -> bool {
    let cluster = spec.policy.cluster.as_ref();
    cluster.is_some_and(|policy| policy.send_to == SendTo::PresentNode)
}

impl Client {
    /// Finds out where a unit goes. It waits if the client knows nothing of the cluster yet; then
    /// the answer is false. A pipeline's parts for other nodes are sent off on their own.
    pub(super) fn route(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16) -> bool {
        let Some(topology) = &self.topology else {
            return true;
        };
        let work = self.units.at(unit);
        if work.redirected {
            return true;
        }
        if has_no_map(spec) {
            work.addr = self.primary;
            return true;
        }
        if !topology.slots.is_filled() {
            work.state = Progress::Unmapped;
            work.deadline = Time::NEVER;
            self.forget_answers(unit);
            return false;
        }
        let first = work.members[work.first];
        let addr = self.destination(spec, ctx, first);
        let work = self.units.at(unit);
        work.addr = addr;
        if work.members.len() - work.first > 1 {
            self.split(spec, ctx, unit, addr);
        }
        true
    }

    /// The node that the map says a command goes to. A command without keys goes to any node, and
    /// so does one whose slot nobody serves, as far as the client knows.
    fn destination(&self, spec: &ClientSpec, ctx: &Context<'_>, flight: u32) -> Addr {
        let flight = &self.flights[flight as usize];
        let Some(topology) = &self.topology else {
            return self.primary;
        };
        let reads = matches!(flight.kind, CommandKind::Get | CommandKind::MGet);
        let from = spec.policy.cluster.as_ref().map(|policy| policy.read_from);
        let slots = &topology.slots;
        let known = flight.slot.and_then(|slot| match from {
            Some(ReadFrom::Replicas) if reads => slots.reader(slot, flight.number, ctx.topologies),
            Some(ReadFrom::Replicas | ReadFrom::Primary) | None => {
                slots.owner(slot, ctx.topologies)
            }
        });
        known.unwrap_or_else(|| slots.nth(flight.number % slots.count()))
    }

    /// Sends off those parts of a pipeline that do not go to `addr`.
    fn split(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, unit: u16, addr: Addr) {
        let Some(topology) = &mut self.topology else {
            return;
        };
        let mut parts = std::mem::take(&mut topology.parts);
        parts.clear();
        let mut place = self.units.at(unit).first + 1;
        while let Some(flight) = self.units.at(unit).members.get(place).copied() {
            let to = self.destination(spec, ctx, flight);
            if to == addr {
                place += 1;
                continue;
            }
            self.units.at(unit).members.remove(place);
            if let Some((_, part)) = parts.iter().find(|(other, _)| *other == to) {
                self.join(*part, flight);
            } else {
                let part = self.detach(unit, flight);
                let (resends, dial_failures) = {
                    let whole = self.units.at(unit);
                    (whole.resends, whole.dial_failures)
                };
                let own = self.units.at(part);
                own.resends = resends;
                own.dial_failures = dial_failures;
                parts.push((to, part));
            }
        }
        for (_, part) in &parts {
            self.dispatch(spec, ctx, *part);
        }
        if let Some(topology) = &mut self.topology {
            topology.parts = parts;
        }
    }

    /// What the client learns from a redirect of a cluster, whether it follows or not.
    pub(super) fn on_redirect(
        &mut self,
        spec: &ClientSpec,
        ctx: &mut Context<'_>,
        redirect: Redirect,
        source: Source,
    ) {
        let Some(policy) = &spec.policy.cluster else {
            return;
        };
        let refresh = match redirect.kind {
            RedirectKind::Redirect => return,
            RedirectKind::Ask(_) => policy.on_ask,
            RedirectKind::Moved(moved) => {
                if policy.send_to == SendTo::PresentNode {
                    self.primary = redirect.to;
                } else if policy.moved_corrects
                    && let Some(topology) = &mut self.topology
                {
                    topology.slots.correct(moved, redirect.to);
                }
                policy.on_moved
            }
        };
        let own = redirect.to == source.addr;
        if own && policy.own_address == OwnAddress::Reconnect && !source.stale {
            self.replace(spec, ctx, source.slot);
        }
        self.refresh(spec, ctx, refresh, Some(source.addr));
    }

    /// What the client learns from an error of a cluster.
    pub(super) fn on_error(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, kind: ErrorKind) {
        if kind.is_cluster_down() {
            self.troubled(spec, ctx);
        }
    }

    /// Leaves a connection, so that the next command opens a new one.
    fn replace(&mut self, spec: &ClientSpec, ctx: &mut Context<'_>, slot: u32) {
        if !self.conns.is_used(slot) || self.conns.at(slot).abandoned {
            return;
        }
        let mut homeless = self.take_waiting(slot);
        let asks = std::mem::take(&mut self.conns.at(slot).asks_topology);
        self.conns.leave_pool(slot);
        let conn = self.conns.at(slot);
        conn.abandoned = true;
        if conn.load == 0 {
            ctx.effects.push(Effect::Close(ConnSlot(slot)));
            self.conns.release(slot);
            self.topology_lost(spec, ctx, slot, asks);
        }
        for unit in homeless.drain(..) {
            self.units.at(unit).state = Progress::Idle;
            self.dispatch(spec, ctx, unit);
        }
        self.conns.keep_scratch(homeless);
    }
}
