//! A server: one event-loop turn at a time, inputs in, effects out.
//!
//! A turn is what Valkey's single thread does between two sleeps: it handles what is readable,
//! then timers that are due, then `beforeSleep` in its order. Each part lives in the module
//! named after what Valkey calls it.

mod blocked;
mod boot;
mod client;
mod clients_cron;
mod cluster;
mod cron;
mod epochs;
mod execute;
mod failover;
mod handshake;
mod hold;
mod keys;
mod kill;
mod process;
mod replicas;
mod scripts;
mod sync;
mod unblock;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::cluster::{BusInput, ClusterSpec, Packets, Way};

use self::boot::Disk;
use self::client::Client;
use self::cluster::Cluster;
use self::handshake::PrimaryLink;
use self::hold::Hold;
use self::replicas::{Backlog, Replica};
use super::address::{Addr, AddressBook, NodeId};
use super::behaviour::Behaviour;
use super::command::Command;
use super::config::Config;
use super::data::{Data, ElementLog};
use super::epoch::Epoch;
use super::message::{
    Belief, BusMessage, FailoverState, LinkState, Message, Reply, Request, Role, Tag,
};
use super::note::{FailoverEnd, Note};
use super::pause::{PauseTable, Release};
use super::replication::{ReplId, SnapshotId};
use super::topology::Topologies;
use rebound_engine::{Duration, Time};
use rebound_net::{Closing, ConnectFailure, HostId};

/// One of a server's accepted connections, by the server's own numbering.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ConnSlot(pub u32);

impl ConnSlot {
    /// The operator's, on the server's own machine: always there.
    pub(crate) const OPERATOR: ConnSlot = ConnSlot(0);
}

/// One of the connections that a server has opened to a primary, counted from its start.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkNo(pub u32);

/// What reaches a server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A request on an accepted connection.
    Request(ConnSlot, Request),
    /// An accepted connection is over.
    Closed(ConnSlot, Closing),
    /// The connection to the primary is made.
    LinkConnected(LinkNo),
    /// It could not be made.
    LinkFailed(LinkNo, ConnectFailure),
    /// Something came from the primary.
    LinkMessage(LinkNo, Message),
    /// It is over.
    LinkClosed(LinkNo),
    /// Something happened on the connections of the cluster bus with another node.
    Bus(NodeId, BusInput),
}

/// What a server wants done, all of it at the end of its turn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send on an accepted connection.
    Send(ConnSlot, Message),
    /// Close an accepted connection, after what was sent.
    Close(ConnSlot),
    /// Open a connection to a primary.
    Dial(LinkNo, Addr),
    /// Send on it.
    LinkSend(LinkNo, Message),
    /// Close it.
    LinkClose(LinkNo),
    /// Open a connection on the cluster bus to another node.
    BusDial(NodeId),
    /// Send on a connection of the cluster bus.
    BusSend(NodeId, Way, BusMessage),
    /// Close it.
    BusClose(NodeId, Way),
    /// Note this down.
    Note(Note),
    /// The process ends here (`serverPanic`).
    Panic,
}

/// Chance, as far as a node of a cluster leaves something to it.
pub trait Chance {
    /// One of `n`, counted from zero.
    fn below(&mut self, n: u64) -> u64;
}

/// What a server may use in a turn.
pub struct Turn<'a> {
    /// The present.
    pub now: Time,
    /// The node's configuration.
    pub config: &'a Config,
    /// The rules that the node follows.
    pub behaviour: &'static Behaviour,
    /// Which node listens where.
    pub addresses: &'a AddressBook,
    /// Snapshots in transit.
    pub snapshots: &'a mut Snapshots,
    /// Values that replies carry.
    pub elements: &'a mut ElementLog,
    /// Packets of the cluster bus in transit.
    pub packets: &'a mut Packets,
    /// What nodes have answered to `CLUSTER SLOTS`.
    pub topologies: &'a mut Topologies,
    /// Which nodes are pinged and gossiped about, and when an election begins.
    pub chance: &'a mut dyn Chance,
    /// What the server wants done, in order.
    pub effects: &'a mut Vec<Effect>,
}

/// The data of full resynchronizations, by [`SnapshotId`].
#[derive(Debug, Default)]
pub struct Snapshots {
    kept: Vec<Data>,
    used: usize,
}

impl Snapshots {
    /// Forgets all of them but the memory.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    fn keep(&mut self, data: &Data) -> SnapshotId {
        if self.used == self.kept.len() {
            self.kept.push(Data::default());
        }
        self.kept[self.used].copy_from(data);
        self.used += 1;
        SnapshotId((self.used - 1) as u32)
    }

    fn get(&self, id: SnapshotId) -> &Data {
        &self.kept[id.0 as usize]
    }
}

/// A primary or a replica.
#[derive(Debug)]
pub struct Server {
    node: NodeId,
    /// What it knows of the cluster; none for a standalone server.
    cluster: Option<Box<Cluster>>,
    /// `primary_host` and `primary_port`; none for a primary.
    primary: Option<Addr>,
    link: PrimaryLink,
    /// `cached_primary`: what a partial resynchronization could go on from.
    cached: Option<(ReplId, u64)>,
    replid: ReplId,
    replid2: Option<ReplId>,
    second_replid_offset: u64,
    /// `primary_repl_offset`
    offset: u64,
    backlog: Backlog,
    replicas: Vec<Replica>,
    failover: failover::Failover,
    /// What the primary has announced about a failover to this node.
    hold: Hold,
    /// The replication id under which `PSYNC … FAILOVER` has promoted this node, as long as it
    /// has been a primary since.
    promoted_from: Option<ReplId>,
    /// What its redirects carry (epoch-redirect).
    redirect_epoch: Epoch,
    pause: PauseTable,
    clients: Vec<Client>,
    free: Vec<u32>,
    /// `postponed_clients`, first in first out.
    postponed: VecDeque<ConnSlot>,
    /// `unblocked_clients`, first in first out.
    unblocked: VecDeque<ConnSlot>,
    /// Clients in a blocking command.
    blocked: Vec<ConnSlot>,
    /// (channel, subscriber)
    subscribers: Vec<(u32, ConnSlot)>,
    /// (key, who watches it)
    watched: Vec<(u32, ConnSlot)>,
    /// Lists and streams that have grown while somebody may wait for them (`ready_keys`).
    ready_keys: Vec<u32>,
    data: Data,
    disk: Disk,
    /// Until when a snapshot is being loaded.
    loading_until: Option<Time>,
    /// Stream that a pause of this node holds back, in order.
    held_stream: VecDeque<super::replication::StreamEntry>,
    /// `get_ack_from_replicas`
    getack_wanted: bool,
    /// `cronloops`
    cron_loops: u64,
    /// `replication_cron_loops`
    replication_cron_loops: u64,
    next_cron: Time,
    /// Whose turn it is in `clientsCron`.
    clients_cron_place: usize,
    inbox: VecDeque<Input>,
    /// Slots closed in this turn, free at its end.
    closing: Vec<ConnSlot>,
    /// Commands that this turn has handled.
    handled: u32,
    /// Replication ids that this node has made.
    replids_made: u32,
    duplicated_writes: u64,
}

impl Server {
    /// A server that has not been started.
    pub fn new(node: NodeId) -> Server {
        Server {
            node,
            cluster: None,
            primary: None,
            link: PrimaryLink::default(),
            cached: None,
            replid: ReplId::default(),
            replid2: None,
            second_replid_offset: 0,
            offset: 0,
            backlog: Backlog::default(),
            replicas: Vec::new(),
            failover: failover::Failover::default(),
            hold: Hold::Nothing,
            promoted_from: None,
            redirect_epoch: Epoch::FIRST,
            pause: PauseTable::default(),
            clients: Vec::new(),
            free: Vec::new(),
            postponed: VecDeque::new(),
            unblocked: VecDeque::new(),
            blocked: Vec::new(),
            subscribers: Vec::new(),
            watched: Vec::new(),
            ready_keys: Vec::new(),
            data: Data::default(),
            disk: Disk::default(),
            loading_until: None,
            held_stream: VecDeque::new(),
            getack_wanted: false,
            cron_loops: 0,
            replication_cron_loops: 0,
            next_cron: Time::ZERO,
            clients_cron_place: 0,
            inbox: VecDeque::new(),
            closing: Vec::new(),
            handled: 0,
            replids_made: 0,
            duplicated_writes: 0,
        }
    }

    /// A node of a cluster that has not been started.
    pub fn in_cluster(node: NodeId, spec: Arc<ClusterSpec>) -> Server {
        let mut server = Server::new(node);
        server.cluster = Some(Box::new(Cluster::new(node, spec)));
        server
    }

    /// Puts something in the server's way, to be handled in its next turn.
    #[inline]
    pub fn deliver(&mut self, input: Input) {
        self.inbox.push_back(input);
    }

    /// Makes room for a connection that the kernel has completed. `None` if `maxclients` is
    /// reached: the connection is to be closed.
    pub fn accept(&mut self, peer: HostId, config: &Config) -> Option<ConnSlot> {
        let open = self.clients.len() - self.free.len();
        (open <= config.maxclients as usize).then(|| self.open_slot(peer))
    }

    fn open_slot(&mut self, peer: HostId) -> ConnSlot {
        if let Some(index) = self.free.pop() {
            self.clients[index as usize].open(peer);
            return ConnSlot(index);
        }
        let mut client = Client::default();
        client.open(peer);
        self.clients.push(client);
        ConnSlot((self.clients.len() - 1) as u32)
    }

    /// Whether something is waiting to be handled.
    #[inline]
    pub fn has_input(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// How much is waiting: for memory budgets.
    pub fn waiting(&self) -> usize {
        self.inbox.len() + self.postponed.len() + self.backlog.len()
    }

    /// When the server must wake even if nothing comes: its next timer.
    pub fn next_wake(&self) -> Time {
        if self
            .cluster
            .as_ref()
            .is_some_and(|cluster| cluster.is_awake())
        {
            return Time::ZERO;
        }
        let mut next = self.next_cron;
        if let Some(until) = self.loading_until {
            next = next.min(until);
        }
        for replica in &self.replicas {
            next = next.min(replica.next_step());
        }
        for slot in &self.blocked {
            next = next.min(self.clients[slot.0 as usize].blocked_until());
        }
        next
    }

    /// One turn of the event loop. Returns how long it takes.
    pub fn turn(&mut self, turn: &mut Turn<'_>) -> Duration {
        self.handled = 0;
        while let Some(input) = self.inbox.pop_front() {
            self.handle(input, turn);
        }
        self.time_events(turn);
        self.before_sleep(turn);
        turn.config.turn_time + turn.config.service_time.times(u64::from(self.handled))
    }

    #[inline]
    fn handle(&mut self, input: Input, turn: &mut Turn<'_>) {
        match input {
            Input::Request(slot, request) => self.read_request(slot, request, turn),
            Input::Closed(slot, _) => self.free_client(slot),
            Input::LinkConnected(link) => self.link_connected(link, turn),
            Input::LinkFailed(link, why) => self.link_failed(link, why, turn),
            Input::LinkMessage(link, message) => {
                self.handled += 1;
                self.link_message(link, message, turn);
            }
            Input::LinkClosed(link) => self.link_lost(link, turn),
            Input::Bus(peer, input) => {
                self.handled += 1;
                self.bus_input(peer, input, turn);
            }
        }
    }

    /// Timers that are due (`serverCron`, and the ends of saving and loading, which a child
    /// process or the loading loop would report).
    fn time_events(&mut self, turn: &mut Turn<'_>) {
        if self.loading_until.is_some_and(|until| until <= turn.now) {
            self.finish_loading(turn);
        }
        if !self.replicas.is_empty() {
            self.advance_snapshots(turn);
        }
        if self.next_cron <= turn.now {
            self.server_cron(turn);
        }
    }

    /// `beforeSleep` (8.0.1, server.c:1595), as far as the model has its steps:
    /// `clusterBeforeSleep`, `blockedBeforeSleep`, GETACK, `updateFailoverStatus`, output,
    /// closing.
    fn before_sleep(&mut self, turn: &mut Turn<'_>) {
        if self.cluster.is_some() {
            self.cluster_before_sleep(turn);
        }
        if !self.blocked.is_empty() || !self.unblocked.is_empty() {
            self.blocked_before_sleep(turn);
        }
        if self.getack_wanted && !self.pause.replicas() {
            self.send_getack();
        }
        if self.failover.state != FailoverState::NoFailover {
            self.update_failover_status(turn);
        }
        if !self.replicas.is_empty() {
            self.flush_replicas(turn);
        }
        while let Some(slot) = self.closing.pop() {
            turn.effects.push(Effect::Close(slot));
            self.release_slot(slot);
        }
    }

    /// Marks a connection to be closed at the end of the turn, after what was sent.
    fn close_asap(&mut self, slot: ConnSlot) {
        let client = &mut self.clients[slot.0 as usize];
        if client.is_open() && !client.closing {
            client.closing = true;
            self.closing.push(slot);
        }
    }

    /// `freeClient`: the connection is gone; its command, if it was postponed, never runs.
    fn free_client(&mut self, slot: ConnSlot) {
        let client = &self.clients[slot.0 as usize];
        if !client.is_open() || client.closing {
            return;
        }
        if client.replica {
            self.replica_lost(slot);
        }
        self.release_slot(slot);
    }

    fn release_slot(&mut self, slot: ConnSlot) {
        let client = &mut self.clients[slot.0 as usize];
        if client.is_waiting() {
            self.postponed.retain(|other| *other != slot);
            self.blocked.retain(|other| *other != slot);
            self.unblocked.retain(|other| *other != slot);
        }
        if client.subscriptions > 0 {
            self.subscribers.retain(|(_, other)| *other != slot);
        }
        if client.watches {
            self.watched.retain(|(_, other)| *other != slot);
        }
        client.close();
        self.free.push(slot.0);
    }

    #[inline]
    fn reply(&mut self, slot: ConnSlot, tag: Tag, reply: Reply, turn: &mut Turn<'_>) {
        self.clients[slot.0 as usize].last_interaction = Some(turn.now);
        turn.effects
            .push(Effect::Send(slot, Message::Reply { tag, reply }));
    }

    /// Runs postponed clients again if a change of the pause table says so
    /// (`unblockPostponedClients`, 8.0.1, networking.c:4508): all of them, first in first out,
    /// in this turn's `beforeSleep`.
    fn release(&mut self, release: Release, turn: &mut Turn<'_>) {
        match release {
            Release::Keep => {}
            Release::Postponed => {
                self.apply_held_stream(turn);
                if self.postponed.is_empty() {
                    return;
                }
                let commands = self.postponed.len() as u32;
                turn.effects.push(Effect::Note(Note::Released { commands }));
                while let Some(slot) = self.postponed.pop_front() {
                    self.clients[slot.0 as usize].unpostpone();
                    self.unblocked.push_back(slot);
                }
            }
        }
    }

    fn new_replid(&mut self) -> ReplId {
        self.replids_made += 1;
        ReplId::made(self.node, self.replids_made)
    }

    /// What the node believes of itself.
    #[inline]
    pub fn belief(&self) -> Belief {
        Belief {
            role: if self.primary.is_some() {
                Role::Replica
            } else {
                Role::Primary
            },
            failover: self.failover.state,
            link: if self.primary.is_some() {
                self.link.state()
            } else {
                LinkState::None
            },
        }
    }

    fn trace_role(&self, turn: &mut Turn<'_>) {
        let belief = self.belief();
        turn.effects.push(Effect::Note(Note::Role {
            role: belief.role,
            primary: self.primary,
            link: belief.link,
            replid: self.replid,
            offset: self.offset,
        }));
    }

    fn trace_failover(&self, how: FailoverEnd, turn: &mut Turn<'_>) {
        turn.effects.push(Effect::Note(Note::Failover {
            state: self.failover.state,
            target: self.failover.target,
            how,
        }));
    }

    /// The node's data.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// Writes that were carried out twice because a client sent them again.
    pub(crate) fn duplicated_writes(&self) -> u64 {
        self.duplicated_writes
    }

    /// The operator's command, as a request on the operator's own connection.
    pub fn operator(&mut self, tag: Tag, command: Command) {
        self.deliver(Input::Request(ConnSlot::OPERATOR, Request { tag, command }));
    }

    /// The replication offset.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The failover state.
    pub fn failover_state(&self) -> FailoverState {
        self.failover.state
    }

    /// The primary, if the node is a replica.
    pub fn primary(&self) -> Option<Addr> {
        self.primary
    }

    /// The replication id, and the second one.
    pub fn replids(&self) -> (ReplId, Option<ReplId>) {
        (self.replid, self.replid2)
    }
}
