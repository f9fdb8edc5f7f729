//! Sentinel in the world: its wake-ups, and where its effects go.

use super::{Event, Pending, Session};
use crate::scenario::SentinelPlan;
use crate::sentinel::{ConnSlot, Context, Effect, Input, Sentinel};
use crate::trace::{Event as TraceEvent, Sink};
use crate::valkey::{Message, NodeId};
use rebound_engine::{Chooser, StreamId};
use rebound_net::{ConnId, HostId, Note as NetNote, Side};

/// Sentinel and what connects it with the world.
pub(super) struct SentinelPort {
    sentinel: Sentinel,
    /// The connection in each of its slots.
    slots: Vec<Option<ConnId>>,
    tick: StreamId,
    desync: StreamId,
}

impl SentinelPort {
    /// As the plan has it. Its streams are its own.
    pub(super) fn new(plan: &SentinelPlan, chooser: &mut Chooser) -> SentinelPort {
        let replicas = plan.replicas.iter().copied();
        SentinelPort {
            sentinel: Sentinel::new(plan.config.clone(), plan.primary, replicas),
            slots: Vec::new(),
            tick: chooser.stream("sentinel/tick".to_owned()),
            desync: chooser.stream("sentinel/desync".to_owned()),
        }
    }

    /// Prepares for a new run.
    pub(super) fn reset(&mut self) {
        self.sentinel.reset();
        self.slots.clear();
    }
}

impl<S: Sink> Session<'_, S> {
    pub(super) fn start_sentinel(&mut self, agenda: &mut Pending) {
        self.sentinel_input(Input::Start, agenda);
    }

    /// Hands Sentinel an input and does what it wants done. Nothing here hands it another.
    pub(super) fn sentinel_input(&mut self, input: Input, agenda: &mut Pending) {
        let now = agenda.now();
        let state = &mut *self.state;
        let Some(port) = &mut state.sentinel else {
            return;
        };
        let mut context = Context {
            now,
            chooser: &mut agenda.chooser,
            tick_stream: port.tick,
            desync_stream: port.desync,
            effects: &mut state.sentinel_effects,
        };
        port.sentinel.handle(input, &mut context);
        for place in 0..self.state.sentinel_effects.len() {
            match self.state.sentinel_effects[place] {
                Effect::Dial(slot, node) => self.sentinel_dials(slot, node, agenda),
                Effect::Send(slot, request) => {
                    if let Some(conn) = self.sentinel_slot(slot).and_then(|conn| *conn) {
                        let message = Message::Request(request);
                        self.transmit(now, (conn, Side::Initiator), message, agenda);
                    }
                }
                Effect::Close(slot) => {
                    if let Some(conn) = self.sentinel_slot(slot).and_then(Option::take) {
                        self.state.net.close(agenda, now, conn, Side::Initiator);
                    }
                }
                Effect::WakeAt(at) => agenda.schedule(at, Event::SentinelWake.into()),
                Effect::Note(what, node) => self.emit(now, &TraceEvent::Sentinel { what, node }),
            }
        }
        self.state.sentinel_effects.clear();
    }

    /// One of Sentinel's connections is over, or could not be made.
    pub(super) fn sentinel_loses(&mut self, slot: ConnSlot, agenda: &mut Pending) {
        if let Some(conn) = self.sentinel_slot(slot) {
            *conn = None;
        }
        self.sentinel_input(Input::Disconnected(slot), agenda);
    }

    fn sentinel_dials(&mut self, slot: ConnSlot, node: NodeId, agenda: &mut Pending) {
        let now = agenda.now();
        let Some(from) = self.state.plan.sentinel_host() else {
            return;
        };
        let to = HostId(u32::from(node.0));
        let conn = self.state.net.connect(agenda, now, from, to, slot.0);
        if let Some(place) = self.sentinel_slot(slot) {
            *place = Some(conn);
        }
        self.emit(now, &TraceEvent::Net(NetNote::Dialled { conn, from, to }));
    }

    fn sentinel_slot(&mut self, slot: ConnSlot) -> Option<&mut Option<ConnId>> {
        let slots = &mut self.state.sentinel.as_mut()?.slots;
        let place = slot.0 as usize;
        if place >= slots.len() {
            slots.resize(place + 1, None);
        }
        slots.get_mut(place)
    }
}
