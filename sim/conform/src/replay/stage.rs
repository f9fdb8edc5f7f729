//! The script's side of a replay: the bench and the operator.

use super::super::evidence::Path;
use super::super::recording::Way;
use super::super::replies;
use super::super::script::{Act, Step, Wait, What};
use super::{Plan, is_met};
use crate::bench::{Bench, Client, WireEvent};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{Command, Message, NodeId, ReplId, Reply};

/// How much longer than it took in the recording the script waits before it goes on in vain.
const PATIENCE: Duration = Duration::secs(2);

/// How much later than the fact the recorder may have seen it: it polled.
const SEEN_LATE: Duration = Duration::millis(8);

pub(super) struct Stage<'a> {
    plan: &'a Plan,
    /// The step to be taken next.
    next: usize,
    /// The last condition, in the recording and in the model.
    since: (Time, Time),
    /// The condition that is waited for is the case; the script goes on then.
    met: Option<Time>,
    /// The operator's connection.
    operator: Option<Client>,
    /// The step whose reply is awaited on it.
    awaited: Vec<(Client, usize)>,
    /// How much of what passed between servers has been looked at.
    looked_at: usize,
    asked: bool,
    over: bool,
    pub(super) taken: Vec<Time>,
    pub(super) in_vain: Vec<usize>,
    pub(super) answers: Vec<Option<(Time, String)>>,
    pub(super) offsets: Vec<Option<u64>>,
    pub(super) first_replid: ReplId,
}

impl<'a> Stage<'a> {
    pub(super) fn new(plan: &'a Plan) -> Stage<'a> {
        Stage {
            plan,
            next: 0,
            since: (Time::ZERO, Time::ZERO),
            met: None,
            operator: None,
            awaited: Vec::new(),
            looked_at: 0,
            asked: false,
            over: false,
            taken: Vec::new(),
            in_vain: Vec::new(),
            answers: vec![None; plan.script.steps.len()],
            offsets: vec![None; plan.script.steps.len()],
            first_replid: ReplId::default(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    fn step(&self) -> &'a Step {
        // The last step ends it, so that there is always a next one before.
        &self.plan.script.steps[self.next]
    }

    /// When the next step would be taken if phases take as long as in the recording.
    fn expected(&self) -> Time {
        let (recorded, modelled) = self.since;
        modelled + self.step().at.since(recorded)
    }

    /// When the script has something to do unprompted.
    pub(super) fn next_due(&self) -> Time {
        if self.over {
            return Time::NEVER;
        }
        match (&self.step().what, self.met) {
            (What::Do(_), _) => self.expected(),
            (What::Wait(_), Some(met)) => met,
            (What::Wait(_), None) => self.expected() + PATIENCE,
        }
    }

    /// Takes the next step if it is time. Whether it has.
    pub(super) fn proceed(&mut self, bench: &mut Bench) -> bool {
        if self.over {
            return false;
        }
        for passed in &bench.wire[self.looked_at..] {
            if let WireEvent::Sent(Message::Request(request)) = passed.what {
                self.asked |= matches!(request.command, Command::Psync { failover: true, .. });
            }
        }
        self.looked_at = bench.wire.len();
        match &self.step().what {
            What::Wait(wait) => self.wait(*wait, bench),
            What::Do(act) => {
                if self.expected() > bench.now {
                    return false;
                }
                self.act(act, bench);
                self.advance(bench.now);
                true
            }
        }
    }

    fn advance(&mut self, now: Time) {
        self.taken.push(now);
        self.next += 1;
        self.met = None;
    }

    fn wait(&mut self, wait: Wait, bench: &Bench) -> bool {
        let expected = self.expected();
        if self.met.is_none() && is_met(wait, bench, self.asked) {
            let late = expected.since(bench.now);
            let at_once = match wait {
                // Phases before the script's beginning are as long as they are.
                Wait::Paired => false,
                // Seen on the wire, not by a poll; and what follows must be in time.
                Wait::PsyncFailover => true,
                Wait::Failover(..) | Wait::Role(..) | Wait::Linked(_) => late > SEEN_LATE,
            };
            self.met = Some(if at_once {
                bench.now
            } else {
                expected.max(bench.now)
            });
        }
        let give_up = self.met.is_none() && bench.now >= expected + PATIENCE;
        if give_up {
            self.in_vain.push(self.next);
        } else if self.met.is_none_or(|met| met > bench.now) {
            return false;
        }
        if wait == Wait::Paired {
            self.first_replid = bench.server(NodeId(0)).replids().0;
        }
        self.since = (self.step().at, bench.now);
        self.advance(bench.now);
        true
    }

    fn act(&mut self, act: &Act, bench: &mut Bench) {
        match act {
            Act::Start(node) => {
                let phase = self.phase(*node, bench.now);
                bench.launch(*node, phase);
                bench.settle();
            }
            Act::Say {
                node,
                command,
                anew,
                ..
            } => self.say(*node, command.as_ref().ok(), *anew, bench),
            Act::Hold(node, ways) => self.through_proxy(*node, ways, |from, forward| {
                bench.hold(from, *node, forward);
            }),
            Act::Release(node, ways) => self.through_proxy(*node, ways, |from, forward| {
                bench.release(from, *node, forward);
            }),
            Act::Cut(node) => self.through_proxy(*node, &[Way::C2s], |from, _| {
                bench.cut(from, *node);
            }),
            Act::Refuse(node, yes) => bench.refuse(*node, *yes),
            Act::Delay(node, way, delay) => {
                let Path { latency, .. } = self.plan.evidence.paths[usize::from(node.0)];
                self.through_proxy(*node, &[*way], |from, forward| {
                    bench.delay(from, *node, forward, latency + *delay);
                });
            }
            Act::Stop(node, yes) => bench.stop(*node, *yes),
            Act::Kill(node) => {
                bench.kill(*node);
                bench.settle();
            }
            Act::Acknowledge(node, commands) => {
                if let Some(client) = bench.try_connect(*node) {
                    for command in commands {
                        bench.submit(client, *command);
                    }
                    bench.settle();
                }
            }
            Act::Write(node, command) => {
                if let Some(client) = bench.try_connect(*node) {
                    bench.submit(client, *command);
                    bench.settle();
                }
            }
            Act::End => self.over = true,
        }
    }

    /// Does something for each server that may dial the one behind a proxy.
    fn through_proxy(&self, node: NodeId, ways: &[Way], mut act: impl FnMut(NodeId, bool)) {
        for (from, _) in self.plan.members.nodes().filter(|(from, _)| *from != node) {
            for way in ways {
                act(from, *way == Way::C2s);
            }
        }
    }

    /// Where in its second a server's clock must begin to tick when it was seen to.
    fn phase(&self, node: NodeId, now: Time) -> Duration {
        let clock = &self.plan.evidence.clocks[usize::from(node.0)];
        let (second, tenth) = (Duration::secs(1).0, Duration::millis(100).0);
        let tick = clock.tick.unwrap_or(now);
        // From now to a tick, in whole seconds less: so many tenths, and a rest.
        let to_tick = (tick.0 + second - now.0 % second) % second;
        let (tenths, rest) = (to_tick / tenth, to_tick % tenth);
        Duration(rest + (10 - tenths) % 10 * tenth)
    }

    fn say(&mut self, node: NodeId, command: Option<&Command>, anew: bool, bench: &mut Bench) {
        let Some(command) = command else { return };
        self.offsets[self.next] = Some(bench.server(node).offset());
        if anew
            && let Some(client) = self.operator.take()
            && !self.awaited.iter().any(|(other, _)| *other == client)
        {
            bench.hang_up(client);
        }
        if self.operator.is_none() {
            self.operator = bench.try_connect(node);
        }
        match self.operator {
            Some(client) => {
                bench.submit(client, *command);
                self.awaited.push((client, self.next));
                bench.settle();
            }
            None => self.answers[self.next] = Some((bench.now, "no connection".to_owned())),
        }
    }

    /// Takes what has come on the operator's connections.
    pub(super) fn hear(&mut self, bench: &mut Bench, news: &[Client]) {
        for client in news {
            if !self.awaited.iter().any(|(other, _)| other == client) {
                continue;
            }
            for reply in bench.replies(*client) {
                let index = self.awaited.iter().position(|(other, _)| other == client);
                let Some(index) = index else { break };
                let (_, step) = self.awaited.remove(index);
                self.answers[step] = Some((bench.now, self.text(&reply)));
            }
        }
    }

    fn text(&self, reply: &Reply) -> String {
        replies::modelled(reply, &self.plan.words, &self.plan.members)
    }
}
