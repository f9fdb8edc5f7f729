//! The servers in the world: when their turns are, and where their effects go.

use super::bus::{Bus, NodeChance};
use super::{Event, Pending, Session};
use crate::scenario::{Trigger, TriggerMessage};
use crate::trace::{Event as TraceEvent, FaultKind, Sink};
use crate::valkey::{
    Behaviour, Command, CommandKind, Config, ConnSlot, Effect, FailoverState, Input, LinkNo,
    Message, NodeId, Note as NodeNote, Reply, Request, Role, Server, Tag, Turn,
};
use rebound_engine::{Duration, StreamId, Time};
use rebound_net::{ConnId, ConnectFailure, HostId, Note as NetNote, Side};

/// A server and its process.
pub(super) struct Node {
    pub(super) server: Server,
    pub(super) behaviour: &'static Behaviour,
    pub(super) config: Config,
    /// The turn that has begun lasts until then.
    pub(super) busy_until: Time,
    /// The earliest wake-up that is pending.
    pub(super) armed: Time,
    /// Whether the process exists.
    pub(super) alive: bool,
    /// How many faults hold the process stopped (SIGSTOP).
    pub(super) stopped: u32,
    /// How many times as long everything takes, for each fault that slows the process.
    pub(super) slowed: Vec<u32>,
    /// The process that runs, counted from the first: faults of an earlier one are void.
    pub(super) process: u32,
    /// How many faults make it refuse connections.
    pub(super) refusing: u32,
    /// How many faults keep the machine down.
    pub(super) down: u32,
    /// The connection in each of the server's slots.
    pub(super) slots: Vec<Option<ConnId>>,
    /// The connection to its primary.
    pub(super) link: Option<(LinkNo, ConnId)>,
    /// Its connections on the cluster bus; none for standalone servers.
    pub(super) bus: Option<Bus>,
    /// Where its cron begins within its second, drawn again at each start.
    pub(super) phase: StreamId,
    /// The connection on which PSYNC FAILOVER has been asked, until it is answered.
    pub(super) handover: Option<ConnSlot>,
    /// What the operator has asked, in the order of the replies to come.
    pub(super) operator: Vec<CommandKind>,
}

/// The mark on the operator's order of this place.
fn operators_tag(order: usize) -> Tag {
    Tag::own(order as u32)
}

impl<S: Sink> Session<'_, S> {
    pub(super) fn node(&mut self, node: NodeId) -> &mut Node {
        &mut self.state.nodes[usize::from(node.0)]
    }

    /// Starts a node's process.
    pub(super) fn boot(&mut self, id: NodeId, restarted: bool, agenda: &mut Pending) {
        if self.node(id).alive || self.node(id).down > 0 {
            return;
        }
        let phase = self.node(id).phase;
        let phase = Duration(agenda.chooser.below(phase, 1_000_000_000));
        let primary = self.state.plan.nodes[usize::from(id.0)]
            .replica_of
            .map(crate::valkey::AddressBook::of);
        let now = agenda.now();
        let host = HostId(u32::from(id.0));
        if restarted {
            self.emit(
                now,
                &TraceEvent::Fault {
                    kind: FaultKind::Restart,
                    of: FaultKind::Restart,
                    from: host,
                    to: host,
                },
            );
        }
        let listens = self.node(id).refusing == 0;
        self.state.net.listen(host, listens);
        self.listen_on_bus(id, true);
        let state = &mut *self.state;
        let node = &mut state.nodes[usize::from(id.0)];
        node.alive = true;
        node.busy_until = now;
        node.handover = None;
        node.operator.clear();
        node.slots.clear();
        node.slots.push(None);
        let before = state.node_effects.len();
        let mut chance = NodeChance::of(node, &mut agenda.chooser);
        let mut turn = Turn {
            now,
            config: &node.config,
            behaviour: node.behaviour,
            addresses: &state.plan.addresses,
            snapshots: &mut state.snapshots,
            elements: &mut state.elements,
            packets: &mut state.packets,
            topologies: &mut state.topologies,
            chance: &mut chance,
            effects: &mut state.node_effects,
        };
        node.server.boot(primary, phase, restarted, &mut turn);
        self.apply_effects(id, before, now, agenda);
        self.arm(id, agenda);
    }

    /// Something has been put in the server's way: its turn begins now if it sleeps.
    #[inline]
    pub(super) fn node_ready(&mut self, id: NodeId, agenda: &mut Pending) {
        let now = agenda.now();
        let node = self.node(id);
        if !node.alive || node.stopped > 0 {
            return;
        }
        if now < node.busy_until {
            let until = node.busy_until;
            self.arm_at(id, until, agenda);
        } else {
            self.run_turn(id, agenda);
        }
    }

    /// A wake-up that was armed.
    pub(super) fn node_wake(&mut self, id: NodeId, agenda: &mut Pending) {
        let now = agenda.now();
        let node = self.node(id);
        if now < node.armed {
            return;
        }
        node.armed = Time::NEVER;
        if !node.alive || node.stopped > 0 {
            return;
        }
        if now < node.busy_until {
            let until = node.busy_until;
            self.arm_at(id, until, agenda);
        } else if node.server.has_input() || node.server.next_wake() <= now {
            self.run_turn(id, agenda);
        } else {
            self.arm(id, agenda);
        }
    }

    #[inline]
    fn arm(&mut self, id: NodeId, agenda: &mut Pending) {
        let node = self.node(id);
        let at = node.server.next_wake().max(node.busy_until);
        self.arm_at(id, at, agenda);
    }

    #[inline]
    fn arm_at(&mut self, id: NodeId, at: Time, agenda: &mut Pending) {
        let node = self.node(id);
        if at < node.armed {
            node.armed = at;
            agenda.schedule(at, Event::NodeWake(id).into());
        }
    }

    /// One turn of a server's event loop. It is decided at once and takes its time; its output
    /// leaves at its end, as `beforeSleep` has it.
    #[inline]
    fn run_turn(&mut self, id: NodeId, agenda: &mut Pending) {
        let now = agenda.now();
        let state = &mut *self.state;
        let node = &mut state.nodes[usize::from(id.0)];
        let before = state.node_effects.len();
        let mut chance = NodeChance::of(node, &mut agenda.chooser);
        let mut turn = Turn {
            now,
            config: &node.config,
            behaviour: node.behaviour,
            addresses: &state.plan.addresses,
            snapshots: &mut state.snapshots,
            elements: &mut state.elements,
            packets: &mut state.packets,
            topologies: &mut state.topologies,
            chance: &mut chance,
            effects: &mut state.node_effects,
        };
        let mut takes = node.server.turn(&mut turn);
        for factor in &node.slowed {
            takes = takes.times(u64::from(*factor));
        }
        let end = now + takes;
        node.busy_until = end;
        self.apply_effects(id, before, end, agenda);
        self.arm(id, agenda);
    }

    /// Does what a server wants done: the effects after the first `before`. (Those are another
    /// server's, of which one has set off what led to this turn.)
    fn apply_effects(&mut self, id: NodeId, before: usize, at: Time, agenda: &mut Pending) {
        for index in before..self.state.node_effects.len() {
            if !self.node(id).alive {
                // A fault that waited for one of the effects has ended the process.
                break;
            }
            match &self.state.node_effects[index] {
                &Effect::Send(ConnSlot::OPERATOR, message) => {
                    self.operator_reply(id, message, agenda)
                }
                &Effect::Send(slot, message) => self.node_sends(id, slot, message, at, agenda),
                &Effect::Close(slot) => {
                    let slots = &mut self.node(id).slots;
                    if let Some(conn) = slots.get_mut(slot.0 as usize).and_then(Option::take) {
                        self.state.net.close(agenda, at, conn, Side::Acceptor);
                    }
                }
                &Effect::Dial(link, address) => self.node_dials(id, link, address, at, agenda),
                &Effect::LinkSend(link, message) => {
                    self.hand_over_sends(id, message, agenda);
                    if let Some((number, conn)) = self.node(id).link
                        && number == link
                    {
                        self.transmit(at, (conn, Side::Initiator), message, agenda);
                    }
                }
                &Effect::LinkClose(link) => {
                    let node = self.node(id);
                    if let Some((number, conn)) = node.link
                        && number == link
                    {
                        node.link = None;
                        self.state.net.close(agenda, at, conn, Side::Initiator);
                    }
                }
                &Effect::BusDial(peer) => self.bus_dials(id, peer, at, agenda),
                &Effect::BusSend(peer, way, message) => {
                    self.bus_sends(id, (peer, way), message, at, agenda);
                }
                &Effect::BusClose(peer, way) => self.bus_closes(id, (peer, way), at, agenda),
                Effect::Panic => self.panicked(id, agenda),
                Effect::Note(note) => {
                    let event = TraceEvent::Node(id, *note);
                    self.state.recorder.note(self.sink, agenda.now(), &event);
                    if !self.state.waiting.is_empty() {
                        let note = *note;
                        self.state_triggers(id, note, agenda);
                    }
                }
            }
        }
        self.state.node_effects.truncate(before);
    }

    #[inline]
    fn node_sends(
        &mut self,
        id: NodeId,
        slot: ConnSlot,
        message: Message,
        at: Time,
        agenda: &mut Pending,
    ) {
        let node = self.node(id);
        if node.handover == Some(slot) {
            node.handover = None;
            self.trigger(
                Trigger::Sends(id, TriggerMessage::PsyncFailoverReply),
                agenda,
            );
        }
        if let Some(conn) = self.node(id).slots[slot.0 as usize] {
            self.transmit(at, (conn, Side::Acceptor), message, agenda);
        }
    }

    /// Whether a message to the primary is one that can be waited for.
    fn hand_over_sends(&mut self, id: NodeId, message: Message, agenda: &mut Pending) {
        if self.state.waiting.is_empty() {
            return;
        }
        let Message::Request(Request { command, .. }) = message else {
            return;
        };
        let handing_over = match self.node(id).server.failover_state() {
            FailoverState::NoFailover => false,
            // A primary that waits dials the target only if it demotes itself when connected.
            FailoverState::WaitForSync | FailoverState::InProgress => true,
        };
        if let Command::Psync { failover: true, .. } = command {
            self.trigger(Trigger::Sends(id, TriggerMessage::PsyncFailover), agenda);
        } else if command == Command::Ping && handing_over {
            self.trigger(Trigger::Sends(id, TriggerMessage::HandshakePing), agenda);
        }
    }

    fn node_dials(
        &mut self,
        id: NodeId,
        link: LinkNo,
        address: crate::valkey::Addr,
        at: Time,
        agenda: &mut Pending,
    ) {
        let from = HostId(u32::from(id.0));
        let Some(target) = self.state.plan.addresses.node(address) else {
            // Nobody listens there. The attempt fails in the server's next turn.
            self.node(id)
                .server
                .deliver(Input::LinkFailed(link, ConnectFailure::Refused));
            self.arm_at(id, at, agenda);
            return;
        };
        let to = HostId(u32::from(target.0));
        let conn = self.state.net.connect(agenda, at, from, to, link.0);
        self.node(id).link = Some((link, conn));
        let now = agenda.now();
        self.emit(now, &TraceEvent::Net(NetNote::Dialled { conn, from, to }));
    }

    fn operator_reply(&mut self, id: NodeId, message: Message, agenda: &mut Pending) {
        let Message::Reply { tag, reply } = message else {
            return;
        };
        let orders = self.node(id).operator.iter().enumerate();
        let command = orders.rev().find(|(order, _)| operators_tag(*order) == tag);
        let command = command.map(|(_, command)| *command);
        let Some(command) = command else { return };
        let now = agenda.now();
        self.emit(
            now,
            &TraceEvent::Node(id, NodeNote::Operator { command, reply }),
        );
    }

    /// The operator runs a command on the node's own machine.
    pub(super) fn operator(&mut self, id: NodeId, command: Command, agenda: &mut Pending) {
        let node = self.node(id);
        if !node.alive {
            return;
        }
        node.operator.push(command.kind());
        let tag = operators_tag(node.operator.len() - 1);
        node.server.operator(tag, command);
        self.node_ready(id, agenda);
    }

    #[inline]
    pub(super) fn node_receives(
        &mut self,
        id: NodeId,
        side: Side,
        cookie: u32,
        message: Message,
        agenda: &mut Pending,
    ) {
        let node = self.node(id);
        match side {
            Side::Acceptor => {
                let Message::Request(request) = message else {
                    return;
                };
                let slot = ConnSlot(cookie);
                node.server.deliver(Input::Request(slot, request));
                if let Command::Psync { failover: true, .. } = request.command {
                    node.handover = Some(slot);
                    self.trigger(Trigger::Receives(id, TriggerMessage::PsyncFailover), agenda);
                }
            }
            Side::Initiator => {
                node.server
                    .deliver(Input::LinkMessage(LinkNo(cookie), message));
                let in_progress = node.server.failover_state() == FailoverState::InProgress;
                if let Message::Reply { reply, .. } = message
                    && matches!(reply, Reply::Continue { .. } | Reply::FullResync { .. })
                    && in_progress
                {
                    let trigger = Trigger::Receives(id, TriggerMessage::PsyncFailoverReply);
                    self.trigger(trigger, agenda);
                }
            }
        }
    }

    /// Checks whether a trigger waits for what a server has just become.
    fn state_triggers(&mut self, node: NodeId, note: NodeNote, agenda: &mut Pending) {
        if let NodeNote::Failover { state, .. } = note {
            self.trigger(Trigger::FailoverState(node, state), agenda);
        } else if let NodeNote::Role { role, .. } = note {
            let trigger = match role {
                Role::Primary => Trigger::Promoted(node),
                Role::Replica => Trigger::Demoted(node),
            };
            self.trigger(trigger, agenda);
        }
    }
}
