//! The client against hand-written servers: each reply is a function of address, command and
//! time, each way takes half a millisecond, and nothing is lost unless a test says so.

// A hand-written server names what it treats in its own way; the rest is the rest.
#![allow(clippy::wildcard_enum_match_arm)]

mod behaviour;
mod cluster;
mod epochs;
mod order;
mod presets;
mod random;

use std::collections::BTreeMap;

use super::note::{CommandOutcome, Note};
use super::*;
use crate::valkey::{
    Addr, AddressBook, Belief, Command, CommandKind, ErrorKind, HashSlot, NodeId, Redirect,
    RedirectKind, Reply, Role, Topologies, TopologyId, TopologyRange, WriteId,
};
use rebound_engine::{Chooser, Duration, StreamId, Time};
use rebound_net::{Closing, ConnectFailure};

pub(super) const OLD: Addr = Addr(0);
pub(super) const NEW: Addr = Addr(1);
pub(super) const RTT: Duration = Duration::millis(1);

pub(super) const KEYS_PER_TAG: u32 = 10;

/// A cluster of two nodes: the lower half of the slots is one's, the upper half the other's.
pub(super) fn halves(lower: Addr, upper: Addr) -> Vec<TopologyRange> {
    let range = |first, last, primary| TopologyRange {
        first: HashSlot(first),
        last: HashSlot(last),
        primary,
        replicas: Vec::new(),
    };
    vec![range(0, 8_191, lower), range(8_192, 16_383, upper)]
}

/// What a server does with a command.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Does {
    Reply(Reply),
    /// Nothing, ever.
    Silence,
    /// Closes the connection.
    Hangs,
}

pub(super) fn redirect(to: Addr) -> Does {
    redirect_by(RedirectKind::Redirect, to)
}

pub(super) fn redirect_by(kind: RedirectKind, to: Addr) -> Does {
    let redirect = Redirect::new(kind, to, Belief::default());
    Does::Reply(Reply::Redirect(redirect))
}

pub(super) fn error(kind: ErrorKind) -> Does {
    Does::Reply(Reply::Error(kind))
}

pub(super) fn other(addr: Addr) -> Addr {
    if addr == OLD { NEW } else { OLD }
}

/// What a healthy primary answers.
pub(super) fn served(command: Command) -> Does {
    Does::Reply(match command.kind() {
        CommandKind::Get => Reply::Value(WriteId(0)),
        CommandKind::MGet | CommandKind::Exec | CommandKind::BlPop => Reply::Array(1),
        CommandKind::Subscribe => Reply::Subscribed,
        CommandKind::Ping => Reply::Pong,
        CommandKind::Role => role(Role::Primary, None),
        CommandKind::ClusterSlots => Reply::Topology(TopologyId(0)),
        _ => Reply::Ok,
    })
}

pub(super) fn role(role: Role, primary: Option<Addr>) -> Reply {
    Reply::Info {
        belief: Belief {
            role,
            ..Belief::default()
        },
        primary,
        offset: 0.into(),
    }
}

/// Both nodes redirect data commands to each other until `until`; then `new` serves.
pub(super) fn window(until: Time) -> impl FnMut(Addr, Command, Time) -> Does {
    move |addr, command, now| {
        let data = matches!(command, Command::Get(_) | Command::Set(..));
        if data && (now < until || addr == OLD) {
            redirect(other(addr))
        } else {
            served(command)
        }
    }
}

/// A client with its surroundings.
pub(super) struct Rig {
    pub client: Client,
    pub spec: ClientSpec,
    pub chooser: Chooser,
    streams: (StreamId, StreamId),
    next_write: WriteId,
    pub addresses: AddressBook,
    pub topologies: Topologies,
    pub now: Time,
    /// Everything that the client wanted, and when.
    pub log: Vec<(Time, Effect)>,
    queue: BTreeMap<(Time, u64), (Option<u64>, Input)>,
    serial: u64,
    /// Connections by slot: where to, and a number of their own.
    conns: BTreeMap<u32, (Addr, u64)>,
    /// Addresses that refuse connections.
    pub down: Vec<Addr>,
}

impl Rig {
    pub(super) fn new(policy: Policy, workload: Workload) -> Rig {
        let mut chooser = Chooser::default();
        let streams = (chooser.stream("workload"), chooser.stream("policy"));
        chooser.reset(7);
        let mut client = Client::new(ClientId(3));
        client.reset(NodeId(0));
        let in_cluster = policy.cluster.is_some();
        let spec = ClientSpec::new(policy, workload, 2).expect("sound");
        let spec = if in_cluster {
            spec.in_cluster(KEYS_PER_TAG).expect("sound")
        } else {
            spec
        };
        let mut topologies = Topologies::default();
        topologies.keep(halves(OLD, NEW));
        let mut addresses = AddressBook::new([("old".into(), 6379), ("new".into(), 6379)]);
        addresses.intern("nowhere", 1).expect("room");
        Rig {
            client,
            spec,
            chooser,
            streams,
            next_write: WriteId(0),
            addresses,
            topologies,
            now: Time::ZERO,
            log: Vec::new(),
            queue: BTreeMap::new(),
            serial: 0,
            conns: BTreeMap::new(),
            down: Vec::new(),
        }
    }

    /// A preset whose one worker issues `count` commands back to back.
    pub(super) fn preset(name: &str, mix: Mix, count: u64) -> Rig {
        Rig::new(policy(name).expect("known"), busy(1, mix, count))
    }

    /// Hands the client an input; what it wants is noted down and returned.
    pub(super) fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.client.handle(
            &self.spec,
            input,
            &mut Context {
                now: self.now,
                chooser: &mut self.chooser,
                workload_stream: self.streams.0,
                policy_stream: self.streams.1,
                next_write: &mut self.next_write,
                addresses: &self.addresses,
                topologies: &self.topologies,
                effects: &mut effects,
            },
        );
        self.log
            .extend(effects.iter().map(|effect| (self.now, *effect)));
        effects
    }

    pub(super) fn schedule(&mut self, at: Time, conn: Option<u64>, input: Input) {
        self.serial += 1;
        self.queue.insert((at, self.serial), (conn, input));
    }

    /// Lets the client live until `until` (or until nothing is pending).
    pub(super) fn run(&mut self, until: Time, mut serve: impl FnMut(Addr, Command, Time) -> Does) {
        if self.log.is_empty() {
            self.schedule(self.now, None, Input::Start);
        }
        while let Some((&(at, serial), _)) = self.queue.first_key_value() {
            if at > until {
                break;
            }
            let (conn, input) = self.queue.remove(&(at, serial)).expect("just seen");
            if conn.is_some_and(|conn| self.conns.values().all(|(_, live)| *live != conn)) {
                continue;
            }
            if let Input::ConnectFailed(slot, _) | Input::Closed(slot, _) = input {
                self.conns.remove(&slot.0);
            }
            self.now = at;
            for effect in self.input(input) {
                self.obey(effect, &mut serve);
            }
        }
        self.now = until;
    }

    fn obey(&mut self, effect: Effect, serve: &mut impl FnMut(Addr, Command, Time) -> Does) {
        match effect {
            Effect::Dial(slot, addr) => {
                self.serial += 1;
                let conn = self.serial;
                assert!(self.conns.insert(slot.0, (addr, conn)).is_none());
                let input = if self.down.contains(&addr) {
                    Input::ConnectFailed(slot, ConnectFailure::Refused)
                } else {
                    Input::Connected(slot)
                };
                self.schedule(self.now + RTT, Some(conn), input);
            }
            Effect::Send(slot, request) => {
                let (addr, conn) = self.conns[&slot.0];
                let input = match serve(addr, request.command, self.now) {
                    Does::Silence => return,
                    Does::Hangs => Input::Closed(slot, Closing::Fin),
                    Does::Reply(reply) => Input::Reply(slot, request.tag, reply),
                };
                self.schedule(self.now + RTT, Some(conn), input);
            }
            Effect::Close(slot) => {
                assert!(self.conns.remove(&slot.0).is_some(), "closed twice");
            }
            Effect::WakeAt(at) => {
                assert!(at > self.now);
                self.schedule(at, None, Input::Wake);
            }
            Effect::Note(_) => {}
        }
    }

    /// How commands ended: outcome, hops, bounces.
    pub(super) fn ended(&self) -> Vec<(CommandOutcome, u32, u32)> {
        let ended = |(_, effect): &(Time, Effect)| match effect {
            Effect::Note(Note::Ended {
                outcome,
                hops,
                bounces,
                ..
            }) => Some((*outcome, *hops, *bounces)),
            _ => None,
        };
        self.log.iter().filter_map(ended).collect()
    }

    /// When and where connections were dialled.
    pub(super) fn dials(&self) -> Vec<(Time, Addr)> {
        let dial = |(at, effect): &(Time, Effect)| match effect {
            Effect::Dial(_, addr) => Some((*at, *addr)),
            _ => None,
        };
        self.log.iter().filter_map(dial).collect()
    }

    /// What was sent, and when.
    pub(super) fn sends(&self) -> Vec<(Time, Command)> {
        let send = |(at, effect): &(Time, Effect)| match effect {
            Effect::Send(_, request) => Some((*at, request.command)),
            _ => None,
        };
        self.log.iter().filter_map(send).collect()
    }

    pub(super) fn count(&self, kind: CommandKind) -> usize {
        let sends = self.sends();
        sends.iter().filter(|(_, c)| c.kind() == kind).count()
    }

    pub(super) fn closes(&self) -> Vec<Time> {
        let close =
            |(at, effect): &(Time, Effect)| matches!(effect, Effect::Close(_)).then_some(*at);
        self.log.iter().filter_map(close).collect()
    }

    /// Connections that are open or being opened.
    pub(super) fn open(&self) -> usize {
        self.conns.len()
    }
}

/// `workers` workers that issue `count` commands in all, back to back.
pub(super) fn busy(workers: u16, mix: Mix, count: u64) -> Workload {
    Workload {
        pace: Pace::Closed {
            workers,
            think: Duration::ZERO,
        },
        mix,
        commands: Some(count),
        ..Workload::default()
    }
}

pub(super) fn sets() -> Mix {
    Mix {
        set: 1,
        ..Mix::default()
    }
}

pub(super) fn ms(millis: u64) -> Time {
    Time::ZERO + Duration::millis(millis)
}
