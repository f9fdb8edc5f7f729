//! Faults in the world: how each begins, and how it is undone when it has lasted or when
//! everything heals.

use super::{Event, Pending, Session};
use crate::scenario::{Action, PathFault, Paths, Plan};
use crate::sentinel::Input;
use crate::trace::{Event as TraceEvent, FaultKind, Sink};
use crate::valkey::NodeId;
use rebound_engine::{Chooser, Duration, StreamId, Time};
use rebound_net::{Direction, HostId, Side};

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
    /// Of a process, by its number.
    Continue(NodeId, u32),
    UsualSpeed(NodeId, u32, u32),
    HostUp(NodeId),
    Listen(NodeId),
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

/// One of the plan's faults, as a seed has drawn it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DrawnFault {
    /// Whether the run has it.
    pub happens: bool,
    /// When it begins, if so.
    pub begins: Time,
    /// How long it lasts.
    pub lasts: Duration,
}

/// Draws each of the plan's faults. Each takes three draws on a stream of its own whether it
/// happens or not, so that none depends on another.
fn draw(plan: &Plan, chooser: &mut Chooser, streams: &[StreamId], drawn: &mut Vec<DrawnFault>) {
    let mut left = plan.faults.budget;
    drawn.clear();
    for (spec, stream) in plan.faults.specs.iter().zip(streams) {
        let happens = chooser.happens(*stream, spec.odds);
        let (from, to) = spec.between;
        let begins = from + Duration(chooser.below(*stream, to.since(from).0 + 1));
        let (shortest, longest) = spec.lasts;
        let lasts = shortest + Duration(chooser.below(*stream, (longest - shortest).0 + 1));
        let happens = happens && left > 0;
        left -= u32::from(happens);
        drawn.push(DrawnFault {
            happens,
            begins,
            lasts,
        });
    }
}

/// The name of the stream of a plan's fault.
pub(super) fn stream_name(index: usize) -> String {
    format!("fault/{index}")
}

/// What a run with this seed draws of the plan's faults, in the plan's order.
pub fn drawn_faults(plan: &Plan, seed: u64) -> Vec<DrawnFault> {
    let mut chooser = Chooser::default();
    let indices = 0..plan.faults.specs.len();
    let streams: Vec<_> = indices
        .map(|index| chooser.stream(stream_name(index)))
        .collect();
    chooser.reset(seed);
    let mut drawn = Vec::new();
    draw(plan, &mut chooser, &streams, &mut drawn);
    drawn
}

impl<S: Sink> Session<'_, S> {
    /// Draws this seed's faults and puts them on the agenda.
    pub(super) fn plan_faults(&mut self, agenda: &mut Pending) {
        let state = &mut *self.state;
        draw(
            &state.plan,
            &mut agenda.chooser,
            &state.fault_streams,
            &mut state.drawn,
        );
        for (index, drawn) in state.drawn.iter().enumerate() {
            if drawn.happens {
                agenda.schedule(drawn.begins, Event::Fault(index as u16).into());
            }
        }
    }

    /// A fault that this seed has drawn begins.
    pub(super) fn drawn_fault(&mut self, index: u16, agenda: &mut Pending) {
        let plan = self.state.plan.clone();
        let lasts = self.state.drawn[usize::from(index)].lasts;
        self.begin_fault(
            &plan.faults.specs[usize::from(index)].action,
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
        let hosts = plan.hosts();
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
    fn trace_paths(
        &mut self,
        kind: FaultKind,
        of: FaultKind,
        paths: &[(HostId, HostId)],
        agenda: &Pending,
    ) {
        for (from, to) in paths {
            self.emit(
                agenda.now(),
                &TraceEvent::Fault {
                    kind,
                    of,
                    from: *from,
                    to: *to,
                },
            );
        }
    }

    fn trace_node(&mut self, kind: FaultKind, of: FaultKind, node: NodeId, agenda: &Pending) {
        let host = HostId(u32::from(node.0));
        self.emit(
            agenda.now(),
            &TraceEvent::Fault {
                kind,
                of,
                from: host,
                to: host,
            },
        );
    }

    /// A fault begins, unless everything has healed. `lasts` overrules the action's own length.
    pub(super) fn begin_fault(
        &mut self,
        action: &Action,
        lasts: Option<Duration>,
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
            Action::Sentinel(way) => self.sentinel_input(Input::Failover(way), agenda),
            Action::Paths(paths, fault, own) => {
                let paths = self.paths(paths);
                self.trace_paths(kind_of(fault), kind_of(fault), &paths, agenda);
                self.lasting(
                    Undo::Paths(paths.clone(), fault),
                    lasts.unwrap_or(own),
                    agenda,
                );
                for (from, to) in paths {
                    self.spoil_path(from, to, fault, agenda);
                }
            }
            Action::Reset(paths) => {
                let paths = self.paths(paths);
                self.trace_paths(FaultKind::Reset, FaultKind::Reset, &paths, agenda);
                for (from, to) in paths {
                    self.state.net.reset_path(agenda, from, to);
                }
            }
            Action::Pause(id, own) => {
                self.trace_node(FaultKind::Pause, FaultKind::Pause, id, agenda);
                let node = &mut self.state.nodes[usize::from(id.0)];
                node.stopped += 1;
                let undo = Undo::Continue(id, node.process);
                self.lasting(undo, lasts.unwrap_or(own), agenda);
            }
            Action::Refuse(id, own) => {
                self.trace_node(FaultKind::Refuse, FaultKind::Refuse, id, agenda);
                self.state.nodes[usize::from(id.0)].refusing += 1;
                self.state.net.listen(HostId(u32::from(id.0)), false);
                self.lasting(Undo::Listen(id), lasts.unwrap_or(own), agenda);
            }
            Action::Slow(id, factor, own) => {
                self.trace_node(FaultKind::Slow, FaultKind::Slow, id, agenda);
                let node = &mut self.state.nodes[usize::from(id.0)];
                node.slowed.push(factor);
                let undo = Undo::UsualSpeed(id, node.process, factor);
                self.lasting(undo, lasts.unwrap_or(own), agenda);
            }
            Action::Crash(node, restart) => {
                self.trace_node(FaultKind::Crash, FaultKind::Crash, node, agenda);
                self.kill(node, agenda);
                if let Some(after) = restart {
                    self.start_later(node, lasts.unwrap_or(after), agenda);
                }
            }
            Action::HostDown(id, own) => {
                self.trace_node(FaultKind::HostDown, FaultKind::HostDown, id, agenda);
                self.state.nodes[usize::from(id.0)].down += 1;
                for host in self.hosts_of(id) {
                    self.state.net.set_host_up(agenda, host, false);
                    self.state.net.abort_all(agenda, host, |_, _: Side| {});
                }
                self.forget_process(id);
                self.lasting(Undo::HostUp(id), lasts.unwrap_or(own), agenda);
            }
            Action::Restart(node) => {
                if !self.state.nodes[usize::from(node.0)].alive {
                    agenda.schedule(agenda.now(), Event::Boot(node).into());
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
            PathFault::Loss(_) => self.worst_loss(from, to),
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
            PathFault::Loss(_) => self.worst_loss(from, to),
        }
    }

    /// Of losses that overlap on a path, the worst holds.
    fn worst_loss(&mut self, from: HostId, to: HostId) {
        let lasting = self.state.active.iter().filter(|active| !active.over);
        let odds = lasting.filter_map(|active| match &active.undo {
            Undo::Paths(paths, PathFault::Loss(odds)) if paths.contains(&(from, to)) => Some(*odds),
            Undo::Paths(..)
            | Undo::Continue(..)
            | Undo::UsualSpeed(..)
            | Undo::HostUp(_)
            | Undo::Listen(_) => None,
        });
        let worst = odds.max();
        self.state.net.add_loss(from, to, worst);
    }

    fn lasting(&mut self, undo: Undo, lasts: Duration, agenda: &mut Pending) {
        let index = self.state.active.len() as u16;
        self.state.active.push(Active { undo, over: false });
        agenda.schedule(agenda.now() + lasts, Event::FaultOver(index).into());
    }

    /// A process dies; its kernel goes on and resets its connections.
    fn kill(&mut self, id: NodeId, agenda: &mut Pending) {
        for host in self.hosts_of(id) {
            self.state.net.listen(host, false);
            self.state.net.abort_all(agenda, host, |_, _: Side| {});
        }
        self.forget_process(id);
    }

    /// The process has ended on its own. Nobody starts it again.
    pub(super) fn panicked(&mut self, id: NodeId, agenda: &mut Pending) {
        self.kill(id, agenda);
        let host = HostId(u32::from(id.0));
        self.emit(
            agenda.now(),
            &TraceEvent::Fault {
                kind: FaultKind::Crash,
                of: FaultKind::Crash,
                from: host,
                to: host,
            },
        );
    }

    fn forget_process(&mut self, id: NodeId) {
        let node = &mut self.state.nodes[usize::from(id.0)];
        if node.alive {
            node.alive = false;
            node.server.crash(&node.config);
        }
        node.stopped = 0;
        node.slowed.clear();
        node.process += 1;
        node.slots.clear();
        node.link = None;
        if let Some(bus) = &mut node.bus {
            bus.forget();
        }
        node.handover = None;
    }

    fn start_later(&mut self, id: NodeId, after: Duration, agenda: &mut Pending) {
        let boot = self.state.nodes[usize::from(id.0)].config.boot;
        agenda.schedule(agenda.now() + after + boot, Event::Boot(id).into());
    }

    /// A fault has lasted.
    pub(super) fn end_fault(&mut self, index: u16, agenda: &mut Pending) {
        let active = &mut self.state.active[usize::from(index)];
        if std::mem::replace(&mut active.over, true) {
            return;
        }
        let undo = active.undo.clone();
        match undo {
            Undo::Paths(paths, fault) => {
                for (from, to) in &paths {
                    self.mend_path(*from, *to, fault, agenda);
                }
                self.trace_paths(FaultKind::Healed, kind_of(fault), &paths, agenda);
            }
            Undo::Continue(id, process) => {
                let node = &mut self.state.nodes[usize::from(id.0)];
                if node.process == process {
                    node.stopped -= 1;
                    self.trace_node(FaultKind::Healed, FaultKind::Pause, id, agenda);
                    self.node_ready(id, agenda);
                }
            }
            Undo::Listen(id) => {
                let node = &mut self.state.nodes[usize::from(id.0)];
                node.refusing -= 1;
                let listens = node.alive && node.refusing == 0;
                self.state.net.listen(HostId(u32::from(id.0)), listens);
                self.trace_node(FaultKind::Healed, FaultKind::Refuse, id, agenda);
            }
            Undo::UsualSpeed(id, process, factor) => {
                let node = &mut self.state.nodes[usize::from(id.0)];
                if node.process == process {
                    if let Some(index) = node.slowed.iter().position(|each| *each == factor) {
                        node.slowed.swap_remove(index);
                    }
                    self.trace_node(FaultKind::Healed, FaultKind::Slow, id, agenda);
                }
            }
            Undo::HostUp(id) => {
                let node = &mut self.state.nodes[usize::from(id.0)];
                node.down -= 1;
                if node.down == 0 {
                    self.trace_node(FaultKind::HostUp, FaultKind::HostDown, id, agenda);
                    for host in self.hosts_of(id) {
                        self.state.net.listen(host, false);
                        self.state.net.set_host_up(agenda, host, true);
                    }
                    self.start_later(id, Duration::ZERO, agenda);
                }
            }
        }
    }

    /// Everything heals: what lasts ends, and nothing begins any more. A process that a scenario
    /// kills without starting it again stays dead.
    pub(super) fn heal(&mut self, agenda: &mut Pending) {
        for index in 0..self.state.active.len() as u16 {
            self.end_fault(index, agenda);
        }
        self.state.healed = true;
    }
}
