//! The bench's connections between servers: messages at once or after a delay, held, cut, refused.

use std::collections::VecDeque;

use rebound_engine::{Duration, Time};
use rebound_net::{Closing, ConnectFailure, HostId};
use rebound_sim::valkey::{Addr, Command, ConnSlot, Input, LinkNo, Message, NodeId};

use super::Bench;

/// What is in flight on a connection.
#[derive(Copy, Clone)]
enum Carried {
    Message(Message),
    /// The end who sends has closed it.
    End,
}

/// A connection between servers.
pub(super) struct Link {
    pub(super) from: NodeId,
    number: LinkNo,
    pub(super) to: NodeId,
    slot: ConnSlot,
    /// When each arrives: towards `to`, and back.
    forward: VecDeque<(Time, Carried)>,
    backward: VecDeque<(Time, Carried)>,
    /// Whether who opened it, and who accepted it, still have it.
    opener_has_it: bool,
    accepter_has_it: bool,
    /// `REPLCONF listening-port` travels without delay, and so does its reply.
    hurried: bool,
}

impl Link {
    fn way(&mut self, forward: bool) -> &mut VecDeque<(Time, Carried)> {
        match forward {
            true => &mut self.forward,
            false => &mut self.backward,
        }
    }

    /// Whether nobody will learn anything more by it.
    pub(super) fn is_over(&self) -> bool {
        !self.opener_has_it && !self.accepter_has_it
    }
}

/// Something that happened on a connection between servers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// When it was sent.
    pub at: Time,
    /// Who has opened the connection.
    pub from: NodeId,
    /// Who has accepted it.
    pub to: NodeId,
    /// Which of the opener's.
    pub link: LinkNo,
    /// What.
    pub what: WireEvent,
}

/// What happened on a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WireEvent {
    /// It was made.
    Made,
    /// It could not be made.
    Refused,
    /// The opener sent a message.
    Sent(Message),
    /// The accepter sent a message.
    Answered(Message),
}

impl Bench {
    fn note(&mut self, index: usize, what: WireEvent) {
        let link = &self.links[index];
        self.wire.push(Passed {
            at: self.now,
            from: link.from,
            to: link.to,
            link: link.number,
            what,
        });
    }

    /// How long what `from` has opened to `to` carries takes, in one direction.
    pub fn delay(&mut self, from: NodeId, to: NodeId, forward: bool, delay: Duration) {
        self.delays.insert((from, to, forward), delay);
    }

    fn delay_of(&self, index: usize, forward: bool) -> Duration {
        let link = &self.links[index];
        let delay = self.delays.get(&(link.from, link.to, forward));
        delay.copied().unwrap_or(Duration::ZERO)
    }

    /// Whether the first of what a handshake writes at once after PING is acknowledged before its
    /// reply comes, so that Nagle's rule holds back nothing of the rest. Then its way costs no
    /// time, for nothing waits for it.
    pub(crate) fn acknowledge_early(&mut self, from: NodeId, to: NodeId) {
        self.early.push((from, to));
    }

    fn hurries(&mut self, index: usize, forward: bool, what: Carried) -> bool {
        let link = &mut self.links[index];
        if !self.early.contains(&(link.from, link.to)) {
            return false;
        }
        let address = match what {
            Carried::Message(Message::Request(request)) => {
                matches!(request.command, Command::ReplConfAddress(_))
            }
            Carried::Message(_) | Carried::End => false,
        };
        if forward {
            link.hurried |= address;
            return address;
        }
        std::mem::take(&mut link.hurried)
    }

    fn put(&mut self, index: usize, forward: bool, what: Carried) {
        let delay = match self.hurries(index, forward, what) {
            true => Duration::ZERO,
            false => self.delay_of(index, forward),
        };
        let at = self.now + delay;
        self.links[index].way(forward).push_back((at, what));
    }

    pub(super) fn dial(&mut self, node: NodeId, number: LinkNo, to: Addr) {
        let target = self.addresses.node(to);
        let reachable =
            target.filter(|to| self.nodes[usize::from(to.0)].running && !self.refused.contains(to));
        let Some(to) = reachable else {
            if let Some(to) = target {
                self.wire.push(Passed {
                    at: self.now,
                    from: node,
                    to,
                    link: number,
                    what: WireEvent::Refused,
                });
            }
            self.server_mut(node)
                .deliver(Input::LinkFailed(number, ConnectFailure::Refused));
            return;
        };
        let index = &mut self.nodes[usize::from(to.0)];
        let slot = index
            .server
            .accept(HostId(u32::from(node.0)), &index.config);
        let slot = slot.expect("room for a connection");
        self.links.push(Link {
            from: node,
            number,
            to,
            slot,
            forward: VecDeque::new(),
            backward: VecDeque::new(),
            opener_has_it: true,
            accepter_has_it: true,
            hurried: false,
        });
        self.note(self.links.len() - 1, WireEvent::Made);
        self.server_mut(node).deliver(Input::LinkConnected(number));
    }

    fn accepted(&self, node: NodeId, slot: ConnSlot) -> Option<usize> {
        let is = |link: &Link| link.to == node && link.slot == slot && link.accepter_has_it;
        self.links.iter().position(is)
    }

    fn opened(&self, node: NodeId, number: LinkNo) -> Option<usize> {
        let is = |link: &Link| link.from == node && link.number == number && link.opener_has_it;
        self.links.iter().position(is)
    }

    pub(super) fn link_answers(&mut self, node: NodeId, slot: ConnSlot, message: Message) {
        let Some(index) = self.accepted(node, slot) else {
            return;
        };
        if matches!(message, Message::Reply { .. }) {
            self.note(index, WireEvent::Answered(message));
        }
        self.put(index, false, Carried::Message(message));
    }

    pub(super) fn link_sends(&mut self, node: NodeId, number: LinkNo, message: Message) {
        if let Message::Request(request) = message
            && !matches!(request.command, Command::ReplConfAck(_))
        {
            let name = if let Command::Psync { failover: true, .. } = request.command {
                "PSYNC FAILOVER".to_owned()
            } else {
                request.command.kind().name().to_owned()
            };
            self.handshake.push((node, name));
        }
        let Some(index) = self.opened(node, number) else {
            return;
        };
        self.note(index, WireEvent::Sent(message));
        self.put(index, true, Carried::Message(message));
    }

    /// What was sent before arrives first.
    pub(super) fn link_closed_by_accepter(&mut self, node: NodeId, slot: ConnSlot) {
        let Some(index) = self.accepted(node, slot) else {
            return;
        };
        self.links[index].accepter_has_it = false;
        self.put(index, false, Carried::End);
        if self.delay_of(index, false) == Duration::ZERO {
            self.deliver(index, false);
        }
    }

    pub(super) fn link_closed_by_opener(&mut self, node: NodeId, number: LinkNo) {
        let Some(index) = self.opened(node, number) else {
            return;
        };
        let link = &mut self.links[index];
        link.opener_has_it = false;
        let (from, to) = (link.from, link.to);
        if self.is_held(from, to, true) && self.delay_of(index, true) == Duration::ZERO {
            // What is held is lost with the connection.
            self.links[index].forward.clear();
        }
        self.put(index, true, Carried::End);
        if self.delay_of(index, true) == Duration::ZERO {
            self.deliver(index, true);
        }
    }

    pub(super) fn is_held(&self, from: NodeId, to: NodeId, forward: bool) -> bool {
        self.held.contains(&(from, to, forward))
    }

    /// Delivers what is due on a connection in one direction. Whether there was anything.
    pub(super) fn deliver(&mut self, index: usize, forward: bool) -> bool {
        let now = self.now;
        self.deliver_until(index, forward, now)
    }

    fn deliver_until(&mut self, index: usize, forward: bool, until: Time) -> bool {
        let link = &mut self.links[index];
        let (from, to, slot, number) = (link.from, link.to, link.slot, link.number);
        let under_way = link.way(forward);
        let due = under_way.iter().take_while(|(at, _)| *at <= until).count();
        let arrived: Vec<Carried> = under_way.drain(..due).map(|(_, what)| what).collect();
        for what in &arrived {
            let link = &mut self.links[index];
            match (forward, *what) {
                (true, _) if !link.accepter_has_it => {}
                (false, _) if !link.opener_has_it => {}
                (true, Carried::Message(Message::Request(request))) => {
                    self.server_mut(to).deliver(Input::Request(slot, request));
                }
                (true, Carried::Message(_)) => {}
                (false, Carried::Message(message)) => {
                    self.server_mut(from)
                        .deliver(Input::LinkMessage(number, message));
                }
                (true, Carried::End) => {
                    link.accepter_has_it = false;
                    self.server_mut(to)
                        .deliver(Input::Closed(slot, Closing::Fin));
                }
                (false, Carried::End) => {
                    link.opener_has_it = false;
                    self.server_mut(from).deliver(Input::LinkClosed(number));
                }
            }
        }
        !arrived.is_empty()
    }

    /// When the next thing arrives on a connection that is not held.
    pub(super) fn next_on_wire(&self) -> Time {
        let heads = self.links.iter().flat_map(|link| {
            [true, false].into_iter().filter_map(move |forward| {
                let way = if forward {
                    &link.forward
                } else {
                    &link.backward
                };
                let head = way.front()?.0;
                (!self.is_held(link.from, link.to, forward)).then_some(head)
            })
        });
        heads.min().unwrap_or(Time::NEVER)
    }

    /// Holds what connections that `from` opens to `to` carry, in one direction.
    pub fn hold(&mut self, from: NodeId, to: NodeId, forward: bool) {
        self.held.push((from, to, forward));
    }

    /// Lets a held direction go.
    pub fn release(&mut self, from: NodeId, to: NodeId, forward: bool) {
        self.held.retain(|held| *held != (from, to, forward));
        self.settle();
    }

    /// Lets through what a held direction carries now, and holds on.
    pub fn pass(&mut self, from: NodeId, to: NodeId, forward: bool) {
        for index in 0..self.links.len() {
            if self.links[index].from == from && self.links[index].to == to {
                self.deliver_until(index, forward, Time::NEVER);
            }
        }
        self.settle();
    }

    /// Breaks the connections that `from` has opened to `to`; data in flight is lost.
    pub fn cut(&mut self, from: NodeId, to: NodeId) {
        for index in (0..self.links.len()).rev() {
            if self.links[index].from == from && self.links[index].to == to {
                self.cut_link(index);
                self.links.remove(index);
            }
        }
        self.settle();
    }

    pub(super) fn cut_link(&mut self, index: usize) {
        let link = &self.links[index];
        let (from, number, to, slot) = (link.from, link.number, link.to, link.slot);
        let (opener, accepter) = (link.opener_has_it, link.accepter_has_it);
        if opener {
            self.server_mut(from).deliver(Input::LinkClosed(number));
        }
        if accepter {
            self.server_mut(to)
                .deliver(Input::Closed(slot, Closing::Reset));
        }
    }
}
