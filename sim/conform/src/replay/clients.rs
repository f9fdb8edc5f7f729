//! The clients' side of a replay.

use std::collections::{BTreeMap, BTreeSet};

use super::super::clients::Redirect;
use super::super::replies;
use super::super::time_map::TimeMap;
use super::{Pace, Plan, Shift};
use crate::bench::{Bench, Client};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{CommandKind, NodeId, Reply};

/// How long the recorders' clients wait before they go on elsewhere after a failure.
const AFTER_FAILURE: Duration = Duration::millis(20);

/// How long a client takes that follows at once.
const AT_ONCE: Duration = Duration::micros(300);

/// What a whole command met in the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpReplies {
    /// The redirects.
    pub redirects: Vec<Redirect>,
    /// How many tries failed.
    pub failures: u32,
    /// When it was sent last.
    pub sent: Time,
    /// Who gave the last reply, when, and what it was.
    pub answer: Option<(NodeId, Time, String)>,
}

/// What a single connection was answered in the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeReplies {
    /// When, what, and whether it answers a command.
    pub heard: Vec<(Time, String, bool)>,
    /// When the server closed it.
    pub closed: Option<Time>,
}

/// Something that a client does unprompted.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    /// A whole command is sent, to this server.
    Issue(usize, u16),
    /// A single connection is made.
    Connect(usize),
    /// The next command on it is sent.
    Speak(usize),
    /// Its client closes it.
    Leave(usize),
}

/// Whose a connection is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Owner {
    /// A whole command's; so many replies to what comes before it are still to come.
    Op(usize, usize),
    Probe(usize),
}

#[derive(Clone, Default)]
struct Line {
    client: Option<Client>,
    spoken: usize,
    answers: usize,
}

pub(super) struct Crowd<'a> {
    plan: &'a Plan,
    time_map: &'a TimeMap,
    shift: Shift,
    tasks: BTreeSet<(Time, Task)>,
    owners: BTreeMap<Client, (Owner, NodeId)>,
    lines: Vec<Line>,
    /// Clients whose connection a server has closed after its reply. They keep one from command
    /// to command.
    lost: BTreeMap<&'a str, NodeId>,
    pub(super) ops: Vec<OpReplies>,
    pub(super) probes: Vec<ProbeReplies>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(plan: &'a Plan, time_map: &'a TimeMap, shift: Shift) -> Crowd<'a> {
        let mut crowd = Crowd {
            plan,
            time_map,
            shift,
            tasks: BTreeSet::new(),
            owners: BTreeMap::new(),
            lines: vec![Line::default(); plan.clients.probes.len()],
            lost: BTreeMap::new(),
            ops: vec![OpReplies::default(); plan.clients.ops.len()],
            probes: vec![ProbeReplies::default(); plan.clients.probes.len()],
        };
        for (place, op) in plan.clients.ops.iter().enumerate() {
            if op.command.is_ok() {
                let issued = match shift.pace {
                    Pace::AsRecorded | Pace::AtOnce => op.issued,
                    Pace::Late => op.issued_late(),
                };
                let at = crowd.at(issued);
                crowd.tasks.insert((at, Task::Issue(place, op.start.0)));
            }
        }
        for (place, probe) in plan.clients.probes.iter().enumerate() {
            let at = crowd.at(probe.made);
            crowd.tasks.insert((at, Task::Connect(place)));
            if let Some(left) = probe.left {
                let at = crowd.at(left).max(at);
                crowd.tasks.insert((at, Task::Leave(place)));
            }
        }
        crowd
    }

    /// When a client does in the model what it did then.
    fn at(&self, recorded: Time) -> Time {
        let at = self.time_map.modelled(recorded).0;
        Time(at.saturating_add_signed(self.shift.by))
    }

    pub(super) fn next_due(&self) -> Time {
        self.tasks.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    /// Does what is due.
    pub(super) fn proceed(&mut self, bench: &mut Bench) {
        while let Some((at, task)) = self.tasks.first().copied() {
            if at > bench.now {
                return;
            }
            self.tasks.remove(&(at, task));
            match task {
                Task::Issue(op, node) => self.issue(op, NodeId(node), bench),
                Task::Connect(probe) => {
                    let planned = &self.plan.clients.probes[probe];
                    let client = bench.try_connect(planned.node);
                    if let Some(client) = client {
                        let owner = (Owner::Probe(probe), planned.node);
                        self.owners.insert(client, owner);
                    }
                    self.lines[probe].client = client;
                    self.plan_to_speak(probe, bench.now);
                }
                Task::Speak(probe) => self.speak(probe, bench),
                Task::Leave(probe) => {
                    if let Some(client) = self.lines[probe].client.take() {
                        bench.hang_up(client);
                        self.owners.remove(&client);
                    }
                }
            }
        }
    }

    fn issue(&mut self, place: usize, node: NodeId, bench: &mut Bench) {
        let op = &self.plan.clients.ops[place];
        let Ok(command) = op.command else { return };
        self.ops[place].sent = bench.now;
        let op_who = op.who.as_str();
        if self.lost.get(op_who) == Some(&node) {
            // It learns so by using it.
            self.lost.remove(op_who);
            self.failed(place, node, bench.now);
            return;
        }
        let Some(client) = bench.try_connect(node) else {
            self.failed(place, node, bench.now);
            return;
        };
        let preamble = op.kind.preamble();
        for said in preamble {
            bench.submit(client, *said);
        }
        bench.submit(client, command);
        let owner = (Owner::Op(place, preamble.len()), node);
        self.owners.insert(client, owner);
    }

    fn failed(&mut self, place: usize, node: NodeId, now: Time) {
        self.ops[place].failures += 1;
        let to = self.plan.members.after(node);
        self.tasks
            .insert((now + AFTER_FAILURE, Task::Issue(place, to.0)));
    }

    /// Plans the next command of a connection, if it is clear when it is sent: not before the
    /// replies have come that had come then.
    fn plan_to_speak(&mut self, place: usize, now: Time) {
        let line = &self.lines[place];
        let next = self.plan.clients.probes[place].sends.get(line.spoken);
        if let Some(send) = next.filter(|send| send.after <= line.answers) {
            let at = self.at(send.at).max(now);
            self.tasks.insert((at, Task::Speak(place)));
        }
    }

    fn speak(&mut self, place: usize, bench: &mut Bench) {
        let line = &mut self.lines[place];
        let send = &self.plan.clients.probes[place].sends[line.spoken];
        line.spoken += 1;
        if let (Some(client), Ok(command)) = (line.client, &send.command) {
            bench.submit(client, *command);
        }
        self.plan_to_speak(place, bench.now);
    }

    /// Takes what has come.
    pub(super) fn hear(&mut self, bench: &mut Bench, news: &[Client]) {
        for client in news {
            let Some((owner, node)) = self.owners.get(client).copied() else {
                continue;
            };
            let replies = bench.replies(*client);
            let open = bench.is_open(*client);
            match owner {
                Owner::Op(place, before) => {
                    self.op_hears(place, before, node, *client, &replies, bench);
                    if !open && self.owners.remove(client).is_some() {
                        self.failed(place, node, bench.now);
                    }
                }
                Owner::Probe(place) => {
                    self.probe_hears(place, &replies, bench.now);
                    if !open {
                        self.probes[place].closed = Some(bench.now);
                        self.lines[place].client = None;
                        self.owners.remove(client);
                    }
                }
            }
        }
    }

    fn op_hears(
        &mut self,
        place: usize,
        mut before: usize,
        node: NodeId,
        client: Client,
        replies: &[Reply],
        bench: &mut Bench,
    ) {
        for reply in replies {
            if before > 0 {
                before -= 1;
                self.owners.insert(client, (Owner::Op(place, before), node));
                continue;
            }
            self.owners.remove(&client);
            if !bench.is_open(client) {
                let who = &self.plan.clients.ops[place].who;
                self.lost.insert(who, node);
            }
            bench.hang_up(client);
            let text = replies::modelled(reply, &self.plan.words, &self.plan.members);
            let heard = &mut self.ops[place];
            match replies::target(&text, &self.plan.members) {
                Some(to) => {
                    let op = &self.plan.clients.ops[place];
                    let pace = match self.shift.pace {
                        Pace::AtOnce => AT_ONCE,
                        Pace::AsRecorded => op.pace(heard.redirects.len()),
                        Pace::Late => op.late(heard.redirects.len()),
                    };
                    heard.redirects.push(Redirect {
                        at: bench.now,
                        by: node,
                        text,
                    });
                    self.tasks
                        .insert((bench.now + pace, Task::Issue(place, to.0)));
                }
                None => heard.answer = Some((node, bench.now, text)),
            }
            return;
        }
    }

    fn probe_hears(&mut self, place: usize, replies: &[Reply], now: Time) {
        for reply in replies {
            let answers = *reply != Reply::Published;
            let sends = &self.plan.clients.probes[place].sends;
            let asked = sends.get(self.lines[place].answers);
            let kind = asked.and_then(|send| send.command.as_ref().ok());
            let kind = kind.map_or(CommandKind::Ping, |command| command.kind());
            let text = replies::answer(reply, kind, &self.plan.words, &self.plan.members);
            self.probes[place].heard.push((now, text, answers));
            if answers {
                let line = &mut self.lines[place];
                line.answers += 1;
                let next = self.plan.clients.probes[place].sends.get(line.spoken);
                // What may be sent before this reply has been planned already.
                if next.is_some_and(|send| send.after == line.answers) {
                    self.plan_to_speak(place, now);
                }
            }
        }
    }
}
