//! Faults in the world: how each begins, and how it is undone when it has lasted or when
//! everything heals.

use super::{Event, Pending, Session};
use crate::engine::Span;
use crate::net::{Direction, HostId, Side};
use crate::scenario::{Action, PathFault, Paths};
use crate::trace::{Event as TraceEvent, FaultKind, Sink};
use crate::valkey::NodeId;

/// A fault that has begun, and what undoes it.
#[derive(Clone, Debug)]
pub(super) struct Active {
    undo: Undo,
    over: bool,
}

/// How a fault is undone.
#[derive(Clone, Debug)]
enum Undo {
    Paths(Vec<(HostId, HostId)>, PathFault),
    Continue(NodeId),
    UsualSpeed(NodeId, u64),
    HostUp(NodeId),
}

/// One direction, or both.
fn directions(only: Option<Direction>) -> impl Iterator<Item = Direction> {
    Direction::BOTH
        .into_iter()
        .filter(move |each| only.is_none_or(|only| only == *each))
}

fn kind_of(fault: PathFault) -> FaultKind {
    match fault {
        PathFault::Cut(_) => FaultKind::Cut,
        PathFault::Clog(_) => FaultKind::Clog,
        PathFault::Spike(_) => FaultKind::Spike,
        PathFault::Loss(_) => FaultKind::Loss,
    }
}

impl<S: Sink> Session<'_, S> {
    /// Draws this seed's faults and puts them on the agenda. Each takes three draws on a stream of
    /// its own whether it happens or not, so that none depends on another.
    pub(super) fn plan_faults(&mut self, agenda: &mut Pending) {
        let plan = self.state.plan.clone();
        let mut left = plan.faults.budget;
        self.state.drawn.clear();
        for (place, spec) in plan.faults.specs.iter().enumerate() {
            let stream = self.state.fault_streams[place];
            let happens = agenda.chooser.happens(stream, spec.odds);
            let (from, to) = spec.between;
            let begins = from + Span(agenda.chooser.below(stream, to.since(from).0 + 1));
            let (shortest, longest) = spec.lasts;
            let lasts = shortest + Span(agenda.chooser.below(stream, (longest - shortest).0 + 1));
            self.state.drawn.push(lasts);
            if happens && left > 0 {
                left -= 1;
                agenda.schedule(begins, Event::Fault(place as u16));
            }
        }
    }

    /// A fault that this seed has drawn begins.
    pub(super) fn drawn_fault(&mut self, place: u16, agenda: &mut Pending) {
        let plan = self.state.plan.clone();
        let lasts = self.state.drawn[usize::from(place)];
        self.begin_fault(
            &plan.faults.specs[usize::from(place)].action,
            Some(lasts),
            agenda,
        );
    }

    /// The paths that a fault is about.
    fn paths(&self, paths: Paths) -> Vec<(HostId, HostId)> {
        let Paths {
            from,
            to,
            both_ways,
        } = paths;
        let plan = &self.state.plan;
        let hosts = self.servers() + self.state.clients.len() as u32;
        let mut meant = Vec::new();
        for host in (0..hosts).map(HostId) {
            for server in (0..self.servers()).map(HostId) {
                let named = plan.selects(from, host) && plan.selects(to, server);
                let turned = both_ways && plan.selects(to, host) && plan.selects(from, server);
                if host != server && (named || turned) {
                    meant.push((host, server));
                }
            }
        }
        meant
    }

    /// The hosts that stand for a set of paths in the trace.
    fn trace_paths(&mut self, kind: FaultKind, paths: &[(HostId, HostId)], agenda: &Pending) {
        for (from, to) in paths {
            self.emit(
                agenda.now(),
                TraceEvent::Fault {
                    kind,
                    from: *from,
                    to: *to,
                },
            );
        }
    }

    fn trace_node(&mut self, kind: FaultKind, node: NodeId, agenda: &Pending) {
        let host = HostId(u32::from(node.0));
        self.emit(
            agenda.now(),
            TraceEvent::Fault {
                kind,
                from: host,
                to: host,
            },
        );
    }

    /// A fault begins, unless everything has healed. `lasts` overrules the action's own length.
    pub(super) fn begin_fault(
        &mut self,
        action: &Action,
        lasts: Option<Span>,
        agenda: &mut Pending,
    ) {
        if self.state.healed {
            return;
        }
        match *action {
            Action::Operator(node, ref commands) => {
                for command in commands {
                    self.operator(node, *command, agenda);
                }
            }
            Action::Paths(paths, fault, own) => {
                let paths = self.paths(paths);
                self.trace_paths(kind_of(fault), &paths, agenda);
                for (from, to) in &paths {
                    self.spoil_path(*from, *to, fault, agenda);
                }
                self.lasting(Undo::Paths(paths, fault), lasts.unwrap_or(own), agenda);
            }
            Action::Reset(paths) => {
                let paths = self.paths(paths);
                self.trace_paths(FaultKind::Reset, &paths, agenda);
                for (from, to) in paths {
                    self.state.net.reset_path(agenda, from, to);
                }
            }
            Action::Pause(node, own) => {
                self.trace_node(FaultKind::Pause, node, agenda);
                self.state.nodes[usize::from(node.0)].stopped += 1;
                self.lasting(Undo::Continue(node), lasts.unwrap_or(own), agenda);
            }
            Action::Slow(node, factor, own) => {
                self.trace_node(FaultKind::Slow, node, agenda);
                let factor = u64::from(factor);
                self.state.nodes[usize::from(node.0)].slowness *= factor;
                self.lasting(Undo::UsualSpeed(node, factor), lasts.unwrap_or(own), agenda);
            }
            Action::Crash(node, restart) => {
                self.trace_node(FaultKind::Crash, node, agenda);
                self.kill(node, agenda);
                if let Some(after) = restart {
                    self.start_later(node, lasts.unwrap_or(after), agenda);
                }
            }
            Action::HostDown(node, own) => {
                self.trace_node(FaultKind::HostDown, node, agenda);
                let host = HostId(u32::from(node.0));
                self.state.net.set_host_up(agenda, host, false);
                self.state.net.abort_all(agenda, host, |_, _: Side| {});
                self.forget_process(node);
                self.lasting(Undo::HostUp(node), lasts.unwrap_or(own), agenda);
            }
            Action::Restart(node) => {
                if !self.state.nodes[usize::from(node.0)].alive {
                    agenda.schedule(agenda.now(), Event::Boot(node));
                }
            }
        }
    }

    fn spoil_path(&mut self, from: HostId, to: HostId, fault: PathFault, agenda: &mut Pending) {
        let net = &mut self.state.net;
        match fault {
            PathFault::Cut(only) => {
                directions(only).for_each(|direction| net.cut(agenda, from, to, direction));
            }
            PathFault::Clog(only) => {
                directions(only).for_each(|direction| net.clog(from, to, direction));
            }
            PathFault::Spike(extra) => net.spike(from, to, extra),
            PathFault::Loss(odds) => net.add_loss(from, to, Some(odds)),
        }
    }

    fn mend_path(&mut self, from: HostId, to: HostId, fault: PathFault, agenda: &mut Pending) {
        let net = &mut self.state.net;
        match fault {
            PathFault::Cut(only) => {
                directions(only).for_each(|direction| net.uncut(agenda, from, to, direction));
            }
            PathFault::Clog(only) => {
                directions(only).for_each(|direction| net.unclog(agenda, from, to, direction));
            }
            PathFault::Spike(extra) => net.unspike(from, to, extra),
            PathFault::Loss(_) => net.add_loss(from, to, None),
        }
    }

    fn lasting(&mut self, undo: Undo, lasts: Span, agenda: &mut Pending) {
        let place = self.state.active.len() as u16;
        self.state.active.push(Active { undo, over: false });
        agenda.schedule(agenda.now() + lasts, Event::FaultOver(place));
    }

    /// A process dies; its kernel goes on and resets its connections.
    fn kill(&mut self, id: NodeId, agenda: &mut Pending) {
        let host = HostId(u32::from(id.0));
        self.state.net.listen(host, false);
        self.state.net.abort_all(agenda, host, |_, _: Side| {});
        self.forget_process(id);
    }

    fn forget_process(&mut self, id: NodeId) {
        let node = &mut self.state.nodes[usize::from(id.0)];
        if node.alive {
            node.alive = false;
            node.server.crash(&node.config);
        }
        node.slots.clear();
        node.link = None;
        node.handover = None;
    }

    fn start_later(&mut self, id: NodeId, after: Span, agenda: &mut Pending) {
        let boot = self.state.nodes[usize::from(id.0)].config.boot;
        agenda.schedule(agenda.now() + after + boot, Event::Boot(id));
    }

    /// A fault has lasted.
    pub(super) fn end_fault(&mut self, place: u16, agenda: &mut Pending) {
        let active = &mut self.state.active[usize::from(place)];
        if std::mem::replace(&mut active.over, true) {
            return;
        }
        let undo = active.undo.clone();
        match undo {
            Undo::Paths(paths, fault) => {
                for (from, to) in &paths {
                    self.mend_path(*from, *to, fault, agenda);
                }
                self.trace_paths(FaultKind::Healed, &paths, agenda);
            }
            Undo::Continue(id) => {
                self.trace_node(FaultKind::Healed, id, agenda);
                let node = &mut self.state.nodes[usize::from(id.0)];
                node.stopped -= 1;
                self.node_ready(id, agenda);
            }
            Undo::UsualSpeed(id, factor) => {
                self.trace_node(FaultKind::Healed, id, agenda);
                self.state.nodes[usize::from(id.0)].slowness /= factor;
            }
            Undo::HostUp(id) => {
                self.trace_node(FaultKind::HostUp, id, agenda);
                let host = HostId(u32::from(id.0));
                self.state.net.listen(host, false);
                self.state.net.set_host_up(agenda, host, true);
                self.start_later(id, Span::ZERO, agenda);
            }
        }
    }

    /// Everything heals: what lasts ends, and nothing begins any more. A process that a scenario
    /// kills without starting it again stays dead.
    pub(super) fn heal(&mut self, agenda: &mut Pending) {
        for place in 0..self.state.active.len() as u16 {
            self.end_fault(place, agenda);
        }
        self.state.healed = true;
    }
}
