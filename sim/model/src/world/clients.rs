//! The clients in the world: their wake-ups, and where their effects go.

use super::{Event, Pending, Session};
use crate::client::{Client, ClientId, ConnSlot, Context, Effect, Input};
use crate::trace::{Event as TraceEvent, Sink};
use crate::valkey::{Addr, Message, NodeId};
use rebound_engine::{StreamId, Time};
use rebound_net::{ConnId, HostId, Note as NetNote, Side};

/// A client and what connects it with the world.
pub(super) struct ClientPort {
    pub(super) client: Client,
    /// Its place in the run's specifications.
    pub(super) group: usize,
    pub(super) start: NodeId,
    /// The connection in each of its slots.
    pub(super) slots: Vec<Option<ConnId>>,
    pub(super) workload: StreamId,
    pub(super) policy: StreamId,
    pub(super) arrival: StreamId,
}

impl<S: Sink> Session<'_, S> {
    pub(super) fn client_wake(&mut self, id: ClientId, agenda: &mut Pending) {
        self.client_input(id, Input::Wake, agenda);
    }

    /// Hands a client an input and does what it wants done.
    #[inline]
    pub(super) fn client_input(&mut self, id: ClientId, input: Input, agenda: &mut Pending) {
        let now = agenda.now();
        let state = &mut *self.state;
        let port = &mut state.clients[id.0 as usize];
        let mut context = Context {
            now,
            chooser: &mut agenda.chooser,
            workload_stream: port.workload,
            policy_stream: port.policy,
            next_write: &mut state.next_write,
            addresses: &state.plan.addresses,
            topologies: &state.topologies,
            effects: &mut state.client_effects,
        };
        port.client
            .handle(&state.specs[port.group], input, &mut context);
        // Nothing here hands a client another input, so the effects are this input's.
        for index in 0..self.state.client_effects.len() {
            match &self.state.client_effects[index] {
                &Effect::Dial(slot, address) => self.client_dials(id, slot, address, now, agenda),
                &Effect::Send(slot, request) => {
                    let conn = self.state.clients[id.0 as usize].slots[slot.0 as usize];
                    if let Some(conn) = conn {
                        let message = Message::Request(request);
                        self.transmit(now, (conn, Side::Initiator), message, agenda);
                    }
                }
                &Effect::Close(slot) => {
                    let conn = self.state.clients[id.0 as usize].slots[slot.0 as usize].take();
                    if let Some(conn) = conn {
                        self.state.net.close(agenda, now, conn, Side::Initiator);
                    }
                }
                &Effect::WakeAt(at) => agenda.schedule(at, Event::ClientWake(id).into()),
                Effect::Note(note) => {
                    let recorder = &mut self.state.recorder;
                    recorder.note_elements(self.sink, now, (id, note), &self.state.elements);
                    recorder.note(self.sink, now, &TraceEvent::Client(id, *note));
                }
            }
        }
        self.state.client_effects.clear();
        if !self.state.unresolved.is_empty() {
            self.tell_unresolved(id, agenda);
        }
    }

    /// Tells a client which addresses failed to resolve.
    #[cold]
    fn tell_unresolved(&mut self, id: ClientId, agenda: &mut Pending) {
        for slot in std::mem::take(&mut self.state.unresolved) {
            let why = rebound_net::ConnectFailure::TimedOut;
            self.client_input(id, Input::ConnectFailed(slot, why), agenda);
        }
    }

    /// Opens a connection for a client. If there is no such host (its name does not resolve), a
    /// library reports that at once.
    fn client_dials(
        &mut self,
        id: ClientId,
        slot: ConnSlot,
        address: Addr,
        now: Time,
        agenda: &mut Pending,
    ) {
        let Some(node) = self.state.plan.addresses.node(address) else {
            self.state.unresolved.push(slot);
            return;
        };
        let from = self.state.plan.client_host(id);
        let to = HostId(u32::from(node.0));
        let conn = self.state.net.connect(agenda, now, from, to, slot.0);
        let slots = &mut self.state.clients[id.0 as usize].slots;
        let index = slot.0 as usize;
        if index >= slots.len() {
            slots.resize(index + 1, None);
        }
        slots[index] = Some(conn);
        self.emit(now, &TraceEvent::Net(NetNote::Dialled { conn, from, to }));
    }

    pub(super) fn forget_client_slot(&mut self, id: ClientId, slot: ConnSlot) {
        self.state.clients[id.0 as usize].slots[slot.0 as usize] = None;
    }
}
