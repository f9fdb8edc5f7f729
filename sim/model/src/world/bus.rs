//! The cluster bus in the world: connections between the nodes' ends of it, and the chance that
//! nodes of a cluster need.
//!
//! Each node opens one connection to each other, so that two nodes have two between them. A node
//! knows them by the other node and by who has opened them. What comes on a connection that is no
//! longer the present one goes nowhere.

use super::nodes::Node;
use super::{Pending, Session};
use crate::trace::{Event as TraceEvent, Sink};
use crate::valkey::{BusInput, BusMessage, Chance, Input, Message, NodeId, Way};
use rebound_engine::{Chooser, StreamId, Time};
use rebound_net::{ConnId, HostId, Note as NetNote, Side};

/// A node's connections on the bus.
pub(super) struct Bus {
    /// To each other node.
    out: Vec<Option<ConnId>>,
    /// From each other node.
    accepted: Vec<Option<ConnId>>,
    /// The chance that its choices take.
    pub(super) stream: StreamId,
}

impl Bus {
    pub(super) fn new(nodes: usize, stream: StreamId) -> Bus {
        Bus {
            out: vec![None; nodes],
            accepted: vec![None; nodes],
            stream,
        }
    }

    pub(super) fn forget(&mut self) {
        self.out.fill(None);
        self.accepted.fill(None);
    }

    fn place(&mut self, peer: NodeId, way: Way) -> &mut Option<ConnId> {
        let conns = match way {
            Way::Out => &mut self.out,
            Way::In => &mut self.accepted,
        };
        &mut conns[usize::from(peer.0)]
    }
}

/// Chance as a node of a cluster meets it.
pub(super) struct NodeChance<'a> {
    chooser: &'a mut Chooser,
    stream: Option<StreamId>,
}

impl<'a> NodeChance<'a> {
    #[inline]
    pub(super) fn of(node: &Node, chooser: &'a mut Chooser) -> NodeChance<'a> {
        NodeChance {
            chooser,
            stream: node.bus.as_ref().map(|bus| bus.stream),
        }
    }
}

impl Chance for NodeChance<'_> {
    fn below(&mut self, n: u64) -> u64 {
        match self.stream {
            Some(stream) => self.chooser.below(stream, n),
            None => 0,
        }
    }
}

/// What an end of the bus hears of one of its connections.
#[derive(Copy, Clone, Debug)]
pub(super) enum BusNews {
    Connected,
    Failed,
    Message(BusMessage),
    Closed,
}

fn way_of(side: Side) -> Way {
    match side {
        Side::Initiator => Way::Out,
        Side::Acceptor => Way::In,
    }
}

fn side_of(way: Way) -> Side {
    match way {
        Way::Out => Side::Initiator,
        Way::In => Side::Acceptor,
    }
}

impl<S: Sink> Session<'_, S> {
    fn bus(&mut self, id: NodeId) -> Option<&mut Bus> {
        self.state.nodes[usize::from(id.0)].bus.as_mut()
    }

    /// Whether a node accepts connections on the bus from now on.
    pub(super) fn listen_on_bus(&mut self, id: NodeId, listens: bool) {
        if self.bus(id).is_some() {
            let host = self.state.plan.bus_host(id);
            self.state.net.listen(host, listens);
        }
    }

    /// The node whose end of the bus is the other of a connection's.
    fn bus_peer(&self, conn: ConnId, side: Side) -> NodeId {
        let other = match side {
            Side::Initiator => Side::Acceptor,
            Side::Acceptor => Side::Initiator,
        };
        let host = self.state.net.host(conn, other);
        NodeId((host.0 as usize - self.state.nodes.len()) as u16)
    }

    /// A node opens a connection to another.
    pub(super) fn bus_dials(&mut self, id: NodeId, peer: NodeId, at: Time, agenda: &mut Pending) {
        let from = self.state.plan.bus_host(id);
        let to = self.state.plan.bus_host(peer);
        let conn = self.state.net.connect(agenda, at, from, to, 0);
        if let Some(bus) = self.bus(id) {
            *bus.place(peer, Way::Out) = Some(conn);
        }
        let now = agenda.now();
        self.emit(now, &TraceEvent::Net(NetNote::Dialled { conn, from, to }));
    }

    /// The kernel has completed a connection from another node; it takes the place of an older
    /// one (`setClusterNodeToInboundClusterLink`).
    pub(super) fn bus_accepts(&mut self, id: NodeId, conn: ConnId, agenda: &mut Pending) {
        let peer = self.bus_peer(conn, Side::Acceptor);
        let Some(bus) = self.bus(id) else { return };
        if let Some(old) = bus.place(peer, Way::In).replace(conn) {
            let now = agenda.now();
            self.state.net.close(agenda, now, old, Side::Acceptor);
        }
    }

    pub(super) fn bus_sends(
        &mut self,
        id: NodeId,
        (peer, way): (NodeId, Way),
        message: BusMessage,
        at: Time,
        agenda: &mut Pending,
    ) {
        let Some(conn) = self.bus(id).and_then(|bus| *bus.place(peer, way)) else {
            return;
        };
        let message = Message::Bus(message);
        self.transmit(at, (conn, side_of(way)), message, agenda);
    }

    pub(super) fn bus_closes(
        &mut self,
        id: NodeId,
        (peer, way): (NodeId, Way),
        at: Time,
        agenda: &mut Pending,
    ) {
        if let Some(conn) = self.bus(id).and_then(|bus| bus.place(peer, way).take()) {
            self.state.net.close(agenda, at, conn, side_of(way));
        }
    }

    /// Puts news of a connection in a node's way, if the connection is the present one.
    pub(super) fn bus_hears(&mut self, id: NodeId, conn: ConnId, side: Side, news: BusNews) {
        let (peer, way) = (self.bus_peer(conn, side), way_of(side));
        let Some(bus) = self.bus(id) else { return };
        let place = bus.place(peer, way);
        if *place != Some(conn) {
            return;
        }
        let input = match news {
            BusNews::Connected => BusInput::Connected,
            BusNews::Failed => {
                *place = None;
                BusInput::Failed
            }
            BusNews::Message(message) => BusInput::Message(way, message),
            BusNews::Closed => {
                *place = None;
                BusInput::Closed(way)
            }
        };
        self.state.nodes[usize::from(id.0)]
            .server
            .deliver(Input::Bus(peer, input));
    }

    /// The same, and lets the node have its turn.
    pub(super) fn bus_input(
        &mut self,
        id: NodeId,
        conn: ConnId,
        side: Side,
        news: BusNews,
        agenda: &mut Pending,
    ) {
        self.bus_hears(id, conn, side, news);
        self.node_ready(id, agenda);
    }

    /// The hosts that stand for a node: its clients' port, and its end of the bus.
    pub(super) fn hosts_of(&self, id: NodeId) -> impl Iterator<Item = HostId> + use<S> {
        let plan = &self.state.plan;
        let bus = plan.cluster.as_ref().map(|_| plan.bus_host(id));
        [Some(plan.node_host(id)), bus].into_iter().flatten()
    }
}
