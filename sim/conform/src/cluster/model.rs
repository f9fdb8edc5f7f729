//! Runs the recorded script through the model.

use rebound_sim::valkey::{
    Addr, AddressBook, Behaviour, ClusterEvent, CommandKind, HashSlot, NodeId, Note as NodeNote,
    RedirectKind, Reply, Role,
};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::run::{Mark, Op, Run, Step};
use rebound_engine::Time;
use rebound_sim::client::{CommandOutcome, Note as ClientNote};
use rebound_sim::trace::{Event, Record};
use rebound_sim::{Runner, scenario};

/// Sent when the cluster has been up for a second.
const START: f64 = 1_000.0;

/// Follows `MOVED` at once and stays where it takes it. The limit is beyond all that was
/// recorded; it ends a loop that would never end.
const POLICY: &str = r#"{"preset": "valkey-cli-cluster", "max_redirects": 16}"#;

/// Arrivals stand for clients that begin every command at the same node.
fn script(paths: &str) -> String {
    let arrivals = ["a", "b", "c", "d"].map(|node| {
        format!(
            r#"{{"name": "at-{node}", "count": 150, "start": "{node}", "arrive": {{"from": "950ms", "to": "2300ms"}},
                "policy": {POLICY}, "workload": {{"keys": 1, "commands": 1}}}},
               {{"name": "just-then-at-{node}", "count": 60, "start": "{node}", "arrive": {{"from": "999ms", "to": "1003ms"}},
                "policy": {POLICY}, "workload": {{"keys": 1, "commands": 1}}}}"#
        )
    });
    format!(
        r#"{{"name": "recorded", "cluster": {{}},
        "nodes": [{{"name": "a", "slots": ["10923-16383"]}}, {{"name": "b", "replica_of": "a"}},
            {{"name": "c", "slots": ["0-5460"]}}, {{"name": "d", "slots": ["5461-10922"]}}],
        "network": {{"latency": {{"uniform": {{"low": "30us", "high": "100us"}}}}, "paths": [{paths}]}},
        "clients": [{{"name": "steady", "count": 6, "start": "a", "policy": {POLICY},
            "workload": {{"keys": 1}}}}, {}],
        "timeline": [{{"at": "1s", "do": {{"command": {{"node": "b", "run": ["CLUSTER FAILOVER"]}}}}}}],
        "phases": {{"faults_until": "2s", "load_until": "3s"}}}}"#,
        arrivals.join(", ")
    )
}

/// Runs of these seeds, with these paths in the network, as a scenario has them in its
/// `network.paths`.
///
/// # Errors
/// If the paths are none that a scenario can have: what is wrong with them.
pub fn model_runs(
    behaviour: &'static Behaviour,
    paths: &str,
    seeds: std::ops::Range<u64>,
) -> Result<Vec<Run>, scenario::ScenarioError> {
    let plan = scenario::parse(&script(paths), "the recorded cluster")?;
    let mut runner = Runner::new(Arc::new(plan), behaviour);
    let run = |seed| {
        let mut trace: Vec<Record> = Vec::new();
        runner.run(seed, &mut trace);
        told(format!("model, seed {seed}"), &trace)
    };
    Ok(seeds.map(run).collect())
}

fn millis(at: Time) -> f64 {
    at.nanos() as f64 / 1e6 - START
}

fn letter(node: NodeId) -> char {
    ['a', 'b', 'c', 'd']
        .get(usize::from(node.0))
        .map_or('?', |letter| *letter)
}

fn node_at(addr: Addr) -> char {
    let found = (0..4).map(NodeId).find(|n| AddressBook::of(*n) == addr);
    found.map_or('?', letter)
}

/// A redirect's words, with `SLOT` for the slot of the key that is asked for: recordings use
/// another key.
fn words(via: RedirectKind) -> String {
    if via == RedirectKind::Moved(HashSlot::of_key(0, 1)) {
        "MOVED SLOT".to_owned()
    } else {
        via.to_string()
    }
}

/// What a trace tells, in the terms of a recording.
fn told(name: String, trace: &[Record]) -> Run {
    let mut run = Run {
        name,
        start: START,
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
            Event::Node(node, NodeNote::Cluster(what)) => match what {
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
                ClusterEvent::PossiblyFailing { .. }
                | ClusterEvent::Failed { .. }
                | ClusterEvent::Reachable { .. }
                | ClusterEvent::State { .. }
                | ClusterEvent::VoteRefused { .. }
                | ClusterEvent::ManualFailoverEnded { .. }
                | ClusterEvent::EpochTaken { .. }
                | ClusterEvent::SlotsMoved { .. } => {}
            },
            Event::Node(node, NodeNote::Role { role, offset, .. }) if at > 0.0 => {
                match (letter(node), role) {
                    ('b', Role::Primary) => mark(node, "takes-over-from", Some(offset + 1)),
                    ('a', Role::Replica) if !run.marks.iter().any(|m| m.what == "a demoted") => {
                        run.marks.extend(["demoted", "asks-from"].map(|what| Mark {
                            at,
                            what: format!("a {what}"),
                            number: (what == "asks-from").then_some(offset + 1),
                        }));
                    }
                    _ => {}
                }
            }
            Event::Node(_, NodeNote::Operator { reply, .. }) => {
                run.reply = if reply == Reply::Ok {
                    "+OK".to_owned()
                } else {
                    format!("{reply:?}")
                };
            }
            Event::Client(client, ClientNote::Issued { command, kind, .. }) => {
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
            Event::Client(
                client,
                ClientNote::Hop {
                    command,
                    from,
                    to,
                    via,
                    ..
                },
            ) => {
                run.redirect = words(via);
                if let Some(op) = open.get_mut(&(client, command)) {
                    op.steps.push(Step {
                        node: letter(from),
                        answer: format!("moved {}", node_at(to)),
                        at,
                    });
                }
            }
            Event::Client(
                client,
                ClientNote::Ended {
                    command,
                    outcome,
                    hops,
                    from,
                    ..
                },
            ) => {
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
            Event::Net(_)
            | Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. },
            )
            | Event::Sentinel { .. }
            | Event::Client(_, ClientNote::Element { .. } | ClientNote::Ignored { .. })
            | Event::Fault { .. } => {}
        }
    }
    run
}
