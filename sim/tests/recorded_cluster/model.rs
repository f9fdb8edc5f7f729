//! Runs the recorded script through the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use rebound_sim::Runner;
use rebound_sim::engine::Time;
use rebound_sim::scenario;
use rebound_sim::trace::{ClusterEvent, CommandOutcome, Event, Record, Via};
use rebound_sim::valkey::{
    Addr, AddressBook, Behaviour, CommandKind, HashSlot, NodeId, Reply, Role,
};

use super::run::{Mark, Op, Run, Step};

/// Sent when the cluster has been up for a second.
const START: f64 = 1_000.0;

/// Arrivals stand for clients that begin every command at the same node.
fn script(paths: &str) -> String {
    let arrivals = ["a", "b", "c", "d"].map(|node| {
        format!(
            r#"{{"name": "at-{node}", "count": 150, "start": "{node}", "arrive": {{"from": "950ms", "to": "2300ms"}},
                "policy": "valkey-cli-cluster", "workload": {{"keys": 1, "commands": 1}}}},
               {{"name": "just-then-at-{node}", "count": 60, "start": "{node}", "arrive": {{"from": "999ms", "to": "1003ms"}},
                "policy": "valkey-cli-cluster", "workload": {{"keys": 1, "commands": 1}}}}"#
        )
    });
    format!(
        r#"{{"name": "recorded", "cluster": {{}},
        "nodes": [{{"name": "a", "slots": ["10923-16383"]}}, {{"name": "b", "replica_of": "a"}},
            {{"name": "c", "slots": ["0-5460"]}}, {{"name": "d", "slots": ["5461-10922"]}}],
        "network": {{"latency": {{"uniform": {{"low": "30us", "high": "100us"}}}}, "paths": [{paths}]}},
        "clients": [{{"name": "steady", "count": 6, "start": "a", "policy": "valkey-cli-cluster",
            "workload": {{"keys": 1}}}}, {}],
        "timeline": [{{"at": "1s", "do": {{"command": {{"node": "b", "run": ["CLUSTER FAILOVER"]}}}}}}],
        "phases": {{"faults_until": "2s", "load_until": "3s"}}}}"#,
        arrivals.join(", ")
    )
}

/// Runs of these seeds, with these paths in the network.
pub fn runs(behaviour: &str, paths: &str, seeds: std::ops::Range<u64>) -> Vec<Run> {
    let plan = scenario::parse(&script(paths), "script").unwrap_or_else(|error| panic!("{error}"));
    let behaviour = Behaviour::named(behaviour).expect("a known behaviour");
    let mut runner = Runner::new(Arc::new(plan), behaviour);
    let run = |seed| {
        let mut trace: Vec<Record> = Vec::new();
        runner.run(seed, &mut trace);
        told(format!("model, seed {seed}"), &trace)
    };
    seeds.map(run).collect()
}

fn millis(at: Time) -> f64 {
    at.nanos() as f64 / 1e6 - START
}

fn letter(node: NodeId) -> char {
    ['a', 'b', 'c', 'd'][usize::from(node.0)]
}

fn node_at(addr: Addr) -> char {
    let found = (0..4).map(NodeId).find(|n| AddressBook::of(*n) == addr);
    letter(found.expect("an address of the four"))
}

/// A redirect as it would be for the recorded key, if it is right for the model's.
fn recorded_key(via: Via) -> Via {
    if via == Via::Moved(HashSlot::of_key(0, 1)) {
        Via::Moved(HashSlot::of(b"{t2}k"))
    } else {
        via
    }
}

/// What a trace tells, in the terms of a recording.
fn told(name: String, trace: &[Record]) -> Run {
    let mut run = Run {
        name,
        reply: String::new(),
        redirect: String::new(),
        redirects: [0; 4],
        marks: Vec::new(),
        ops: Vec::new(),
        blur: 0.25,
        clock: 0.0,
    };
    let mut open = BTreeMap::new();
    for record in trace {
        let at = millis(record.at);
        let mut mark = |node, what: &str, number| {
            let what = format!("{} {what}", letter(node));
            run.marks.push(Mark { at, what, number });
        };
        match record.event {
            Event::Cluster { node, what } => match what {
                ClusterEvent::ManualFailoverStarted { replica } if replica == node => {
                    mark(node, "accepted", None);
                }
                ClusterEvent::ManualFailoverStarted { .. } => mark(node, "paused", None),
                ClusterEvent::ElectionPlanned { delay, .. } => {
                    mark(node, "planned", Some(delay.0 / 1_000_000));
                }
                ClusterEvent::ElectionStarted { epoch } => mark(node, "election", Some(epoch)),
                ClusterEvent::Voted { epoch, .. } => mark(node, "voted", Some(epoch)),
                ClusterEvent::ElectionWon { epoch } => {
                    mark(node, "won", None);
                    mark(node, "epoch", Some(epoch));
                }
                _ => {}
            },
            Event::Role {
                node, role, offset, ..
            } if at > 0.0 => match (letter(node), role) {
                ('b', Role::Primary) => mark(node, "takes-over-from", Some(offset + 1)),
                ('a', Role::Replica) if !run.marks.iter().any(|m| m.what == "a demoted") => {
                    run.marks.extend(["demoted", "asks-from"].map(|what| Mark {
                        at,
                        what: format!("a {what}"),
                        number: (what == "asks-from").then_some(offset + 1),
                    }));
                }
                _ => {}
            },
            Event::Operator { reply, .. } => {
                run.reply = match reply {
                    Reply::Ok => "+OK".to_owned(),
                    other => format!("{other:?}"),
                };
            }
            Event::Issued {
                client,
                command,
                kind,
                ..
            } => {
                let op = Op {
                    command: if kind == CommandKind::Set {
                        "SET"
                    } else {
                        "GET"
                    },
                    sent: at,
                    steps: Vec::new(),
                };
                open.insert((client, command), op);
            }
            Event::Hop {
                client,
                command,
                from,
                to,
                via,
                ..
            } => {
                run.redirect = recorded_key(via).to_string();
                if let Some(op) = open.get_mut(&(client, command)) {
                    op.steps.push(Step {
                        node: letter(from),
                        answer: format!("moved {}", node_at(to)),
                        at,
                    });
                }
            }
            Event::Ended {
                client,
                command,
                outcome,
                hops,
                from,
                ..
            } => {
                run.redirects[hops.min(3) as usize] += 1;
                if let Some(mut op) = open.remove(&(client, command)) {
                    let answer = match (outcome, op.command) {
                        (CommandOutcome::Served, "SET") => "ok".to_owned(),
                        (CommandOutcome::Served, _) => "value".to_owned(),
                        (other, _) => other.code().unwrap_or("served").to_owned(),
                    };
                    let node = node_at(from);
                    op.steps.push(Step { node, answer, at });
                    run.ops.push(op);
                }
            }
            _ => {}
        }
    }
    run
}
