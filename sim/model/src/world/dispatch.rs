//! What the network brings, to the one whom it concerns: a server, its end of the cluster bus, a
//! client or Sentinel.

use super::bus::BusNews;
use super::{Party, Pending, Session};
use crate::trace::{Event as TraceEvent, Sink};
use crate::valkey::{ConnSlot, Input, LinkNo, Message};
use crate::{client, sentinel};
use rebound_net::{
    Arrival, Closing, ConnId, ConnectFailure, More, NetEvent, Note as NetNote, Notice, Side,
};

impl<S: Sink> Session<'_, S> {
    /// Something happened in the network.
    #[inline]
    pub(super) fn net_event(&mut self, event: NetEvent, agenda: &mut Pending) {
        match self.state.net.handle(agenda, event) {
            None => {}
            Some(Notice::Arrivals(conn, side)) => self.arrivals(conn, side, agenda),
            Some(Notice::Accepted(conn)) => self.accepted(conn, agenda),
            Some(Notice::Connected(conn)) => self.connected(conn, agenda),
            Some(Notice::ConnectFailed(conn, why)) => self.connect_failed(conn, why, agenda),
        }
    }

    /// The kernel has completed a connection: the server makes room for it, or closes it.
    fn accepted(&mut self, conn: ConnId, agenda: &mut Pending) {
        let peer = self.state.net.host(conn, Side::Initiator);
        let host = self.state.net.host(conn, Side::Acceptor);
        if let Party::Bus(id) = self.party(host) {
            self.bus_accepts(id, conn, agenda);
            return;
        }
        let node = &mut self.state.nodes[host.0 as usize];
        match node.server.accept(peer, &node.config) {
            Some(slot) => {
                let index = slot.0 as usize;
                if index >= node.slots.len() {
                    node.slots.resize(index + 1, None);
                }
                node.slots[index] = Some(conn);
                self.state.net.set_cookie(conn, Side::Acceptor, slot.0);
            }
            None => {
                let now = agenda.now();
                self.state.net.close(agenda, now, conn, Side::Acceptor);
            }
        }
    }

    fn connected(&mut self, conn: ConnId, agenda: &mut Pending) {
        let now = agenda.now();
        let from = self.state.net.host(conn, Side::Initiator);
        let to = self.state.net.host(conn, Side::Acceptor);
        self.emit(now, &TraceEvent::Net(NetNote::Connected { conn, from, to }));
        let cookie = self.state.net.cookie(conn, Side::Initiator);
        match self.party(from) {
            Party::Node(id) => {
                self.node(id)
                    .server
                    .deliver(Input::LinkConnected(LinkNo(cookie)));
                self.node_ready(id, agenda);
            }
            Party::Bus(id) => self.bus_input(id, conn, Side::Initiator, BusNews::Connected, agenda),
            Party::Client(id) => {
                self.client_input(
                    id,
                    client::Input::Connected(client::ConnSlot(cookie)),
                    agenda,
                );
            }
            Party::Sentinel => {
                let slot = sentinel::ConnSlot(cookie);
                self.sentinel_input(sentinel::Input::Connected(slot), agenda);
            }
        }
    }

    fn connect_failed(&mut self, conn: ConnId, why: ConnectFailure, agenda: &mut Pending) {
        let now = agenda.now();
        let from = self.state.net.host(conn, Side::Initiator);
        let to = self.state.net.host(conn, Side::Acceptor);
        let cookie = self.state.net.cookie(conn, Side::Initiator);
        self.emit(
            now,
            &TraceEvent::Net(NetNote::ConnectFailed { from, to, why }),
        );
        match self.party(from) {
            Party::Node(id) => {
                let node = self.node(id);
                if node.link.is_some_and(|(number, _)| number.0 == cookie) {
                    node.link = None;
                }
                node.server.deliver(Input::LinkFailed(LinkNo(cookie), why));
                self.node_ready(id, agenda);
            }
            Party::Bus(id) => self.bus_input(id, conn, Side::Initiator, BusNews::Failed, agenda),
            Party::Client(id) => {
                let slot = client::ConnSlot(cookie);
                self.forget_client_slot(id, slot);
                self.client_input(id, client::Input::ConnectFailed(slot, why), agenda);
            }
            Party::Sentinel => self.sentinel_loses(sentinel::ConnSlot(cookie), agenda),
        }
    }

    /// Something is there at one end of a connection.
    #[inline]
    fn arrivals(&mut self, conn: ConnId, side: Side, agenda: &mut Pending) {
        let (from, to, cookie) = self.state.net.receiver(conn, side);
        let party = self.party(to);
        let now = agenda.now();
        while let Some((arrival, more)) = self.state.net.take(agenda, conn, side) {
            match arrival {
                Arrival::Message { sent_at, message } => {
                    let delivered = TraceEvent::Net(NetNote::Delivered {
                        conn,
                        from,
                        to,
                        sent_at,
                        message,
                    });
                    self.state.recorder.note(self.sink, now, &delivered);
                    match party {
                        Party::Node(id) => self.node_receives(id, side, cookie, message, agenda),
                        Party::Bus(id) => {
                            if let Message::Bus(message) = message {
                                self.bus_hears(id, conn, side, BusNews::Message(message));
                            }
                        }
                        Party::Client(id) => {
                            let Message::Reply { tag, reply } = message else {
                                continue;
                            };
                            let slot = client::ConnSlot(cookie);
                            self.client_input(id, client::Input::Reply(slot, tag, reply), agenda);
                        }
                        Party::Sentinel => {
                            let Message::Reply { tag, reply } = message else {
                                continue;
                            };
                            let slot = sentinel::ConnSlot(cookie);
                            self.sentinel_input(sentinel::Input::Reply(slot, tag, reply), agenda);
                        }
                    }
                }
                Arrival::Closed(how) => {
                    self.emit(
                        now,
                        &TraceEvent::Net(NetNote::Closed {
                            conn,
                            from,
                            to,
                            how,
                        }),
                    );
                    if let Party::Bus(id) = party {
                        self.bus_hears(id, conn, side, BusNews::Closed);
                    } else {
                        self.closed(party, side, cookie, how, agenda);
                    }
                    break;
                }
            }
            if more == More::No || !self.state.net.is_open(conn) {
                break;
            }
        }
        match party {
            Party::Node(id) | Party::Bus(id) => self.node_ready(id, agenda),
            Party::Client(_) | Party::Sentinel => {}
        }
    }

    fn closed(
        &mut self,
        party: Party,
        side: Side,
        cookie: u32,
        how: Closing,
        agenda: &mut Pending,
    ) {
        match (party, side) {
            (Party::Node(id), Side::Acceptor) => {
                let node = self.node(id);
                let slot = ConnSlot(cookie);
                if let Some(conn) = node.slots.get_mut(cookie as usize) {
                    *conn = None;
                }
                if node.handover == Some(slot) {
                    node.handover = None;
                }
                node.server.deliver(Input::Closed(slot, how));
            }
            (Party::Node(id), Side::Initiator) => {
                let node = self.node(id);
                if node.link.is_some_and(|(number, _)| number.0 == cookie) {
                    node.link = None;
                }
                node.server.deliver(Input::LinkClosed(LinkNo(cookie)));
            }
            (Party::Bus(_), _) => unreachable!("told by bus_hears"),
            (Party::Client(id), _) => {
                let slot = client::ConnSlot(cookie);
                self.forget_client_slot(id, slot);
                self.client_input(id, client::Input::Closed(slot, how), agenda);
            }
            (Party::Sentinel, _) => self.sentinel_loses(sentinel::ConnSlot(cookie), agenda),
        }
    }
}
