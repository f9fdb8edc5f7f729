//! Whole scenarios: the shipped ones, the smallest one, and every kind of mistake.

mod cluster;
mod mistakes;
mod texts;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::valkey::{Addr, Command, ErrorKind, NodeId};
use rebound_engine::{Duration, TieBreak, Time};
use rebound_net::Direction;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

fn shipped() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory())
        .expect("the scenarios stand beside the package")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name != "regressions.json")
        })
        .collect();
    files.sort();
    files
}

/// The smallest document in which everything that a mistake below refers to exists.
fn base() -> Value {
    json!({
        "name": "test",
        "nodes": [{"name": "old"}, {"name": "new", "replica_of": "old"}],
        "clients": [{"name": "app"}],
    })
}

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = document.pointer_mut(parent).expect("the parent exists");
    match parent {
        Value::Object(fields) => {
            fields.insert(key.to_owned(), value);
        }
        Value::Array(items) => items.push(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{pointer} is in no object or list")
        }
    }
}

fn parse_value(document: &Value) -> Result<Plan, ScenarioError> {
    parse(
        &serde_json::to_string_pretty(document).expect("JSON"),
        "test.json",
    )
}

#[test]
fn every_shipped_scenario_is_right() {
    let files = shipped();
    assert!(!files.is_empty());
    for file in files {
        let plan = load(&file).unwrap_or_else(|error| panic!("{error}"));
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        assert_eq!(Some(plan.name.as_str()), stem);
        assert_ne!(plan.hash, 0);
    }
}

#[test]
fn a_scenario_of_a_few_lines_has_sensible_defaults() {
    let plan = parse_value(&base()).expect("right");
    assert_eq!(plan.behaviour.name, "8.0.0-rc1");
    assert_eq!(plan.addresses.text(Addr(1)), "new:6379");
    assert_eq!(plan.nodes[1].replica_of, Some(NodeId(0)));
    assert_eq!(plan.groups[0].start, [NodeId(0)]);
    assert_eq!(plan.limits.heal_at, Time::ZERO + Duration::secs(5));
    assert_eq!(plan.limits.load_until, Time::ZERO + Duration::secs(8));
    assert_eq!(plan.limits.deadline, Time::ZERO + Duration::secs(38));
    assert_eq!(plan.tie_break, TieBreak::Fifo);
    assert_eq!(plan.network.profiles.len(), 1);
    assert!(plan.checks.bounce.enabled);
    assert!(!plan.checks.stale_redirect.enabled);
    assert!(!plan.checks.thundering_herd.enabled);
    assert!(!plan.checks.early_unblock.enabled);
    assert!(!plan.checks.stale_read.enabled);
    assert!(!plan.checks.linearizability.enabled);
}

#[test]
fn a_scenario_with_everything_is_resolved() {
    let text = r#"{
        "$schema": "scenario.schema.json", "name": "all", "description": "d", "source": "s",
        "behaviour": "8.0",
        "config": {"hz": 100, "repl-timeout": "5s"},
        "nodes": [
            {"name": "old", "behaviour": null, "config": {"repl-timeout": "4s"}},
            {"name": "new", "replica_of": "old", "port": 6380, "behaviour": "none"}
        ],
        "network": {
            "latency": {"uniform": {"low": "80us", "high": "200us"}}, "loss_ppm": 10,
            "paths": [
                {"from": "old", "to": "new", "latency": "75ms", "loss_ppm": 100,
                 "backward": {"latency": {"log_normal": {"median": "1ms", "p99": "4ms"}}}},
                {"from": "app", "to": "nodes",
                 "latency": {"empirical": [{"ppm": 0, "is": "1ms"}, {"ppm": 1000000, "is": "2ms"}]}}
            ],
            "tcp": {"rto_min": "100ms"}
        },
        "clients": [
            {"name": "app", "count": 20, "start": ["old", "new"], "arrive": {"from": "0", "to": "1s"},
             "policy": {"preset": "valkey-go", "max_redirects": 5}, "readonly": true,
             "workload": {"pace": {"open": {"every": "5ms", "max_open": 10}}, "mix": {"get": 3, "set": 1}}},
            {"name": "other", "policy": "warm", "arrive": "1s"}
        ],
        "timeline": [
            {"at": "1s", "do": {"command": {"node": "old", "run": ["FAILOVER TO new 6380", "FAILOVER ABORT NOW"]}}},
            {"when": {"node": "old", "failover_state": "failover-in-progress"}, "not_before": "0", "after": "100ms",
             "do": {"crash": {"node": "new", "restart_after": "500ms"}}},
            {"when": {"node": "old", "sends": "psync-failover"}, "do": {"reset": {"from": "old", "to": "new"}}},
            {"when": {"node": "new", "becomes": "primary"}, "do": {"restart": {"node": "new"}}},
            {"at": "2s", "do": {"cut": {"from": "nodes", "to": "nodes", "direction": "backward", "both_ways": true, "lasts": "1s"}}},
            {"at": "2s", "do": {"spike": {"from": "clients", "to": "old", "extra": "5ms", "lasts": "1s"}}},
            {"at": "2s", "do": {"loss": {"from": "all", "to": "all", "loss_ppm": 1000, "lasts": "1s"}}},
            {"at": "2s", "do": {"slow": {"node": "old", "factor": 10, "lasts": "1s"}}},
            {"at": "2s", "do": {"pause": {"node": "old", "lasts": "1s"}}},
            {"at": "2s", "do": {"host_down": {"node": "old", "lasts": "1s"}}}
        ],
        "faults": {"budget": 2, "may": [
            {"chance_ppm": 300000, "between": ["500ms", "2s"], "lasts": ["10ms", "800ms"], "do": {"cut": {"from": "old", "to": "new"}}},
            {"between": ["1s", "2s"], "do": {"crash": {"node": "new"}}},
            {"between": ["1s", "2s"], "do": {"reset": {"from": "app", "to": "old"}}}
        ]},
        "phases": {"faults_until": "4s", "load_until": "6s", "settle_within": "30s"},
        "budget": {"max_events": 1000, "max_backlog": 1000},
        "tie_break": "seeded",
        "checks": {"bounce": {"max_hops": 2}, "error-surfaced": {"ignore": ["READONLY"]}},
        "expect": [
            {"behaviours": ["8.0.0-rc1"], "verdict": "flagged", "findings": ["bounce"], "never": ["two-primaries"], "min_max_chain": 3},
            {"behaviours": ["8.0.1"], "verdict": {"share": {"least_per_mille": 900, "most_per_mille": 1000}}, "max_chain": 1}
        ]
    }"#;
    let plan = parse(text, "all.json").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (plan.name.as_str(), plan.path.as_str()),
        ("all", "all.json")
    );
    assert_eq!(plan.behaviour.name, "8.0.1");
    assert_eq!(plan.nodes[0].config.repl_timeout, Duration::secs(4));
    assert_eq!(plan.nodes[0].config.hz, 100);
    assert_eq!(plan.nodes[1].config.repl_timeout, Duration::secs(5));
    assert_eq!(plan.nodes[1].behaviour.map(|b| b.name), Some("8.0.0-rc1"));
    assert_eq!(plan.network.profiles.len(), 4);
    assert_eq!(plan.network.tcp.rto_min, Duration::millis(100));
    assert_eq!(plan.groups[0].policy.max_redirects, Some(5));
    assert!(plan.groups[0].policy.readonly);
    assert_eq!(plan.groups[0].start, [NodeId(0), NodeId(1)]);
    assert_eq!(plan.clients(), 21);
    let Action::Operator(NodeId(0), commands) = &plan.timeline[0].action else {
        panic!("{:?}", plan.timeline[0]);
    };
    let failover = Command::Failover {
        to: Some(Addr(1)),
        force: false,
        timeout_ms: None,
    };
    let malformed = Command::FailoverMalformed(ErrorKind::Syntax);
    assert_eq!(commands[..], [failover, malformed]);
    assert!(matches!(
        plan.timeline[4].action,
        Action::Paths(_, PathFault::Cut(Some(Direction::Backward)), _)
    ));
    assert!(matches!(
        plan.faults.specs[1].action,
        Action::Crash(NodeId(1), None)
    ));
    assert_eq!(
        plan.faults.specs[0].lasts,
        (Duration::millis(10), Duration::millis(800))
    );
    assert_eq!(plan.faults.budget, 2);
    assert_eq!(
        plan.expect[1].verdict,
        ExpectedVerdict::Share {
            least: 900,
            most: 1000
        }
    );
}

#[test]
fn the_documents_example_is_right() {
    let page = std::fs::read_to_string(directory().join("../docs/scenarios.md")).expect("the page");
    let (_, rest) = page.split_once("```json\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let plan = parse(example, "example.json").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.expect.len(), 2);
}

#[test]
fn the_documents_message_is_what_is_said() {
    let page = std::fs::read_to_string(directory().join("../docs/scenarios.md")).expect("the page");
    let mut document = base();
    let clog = json!({"clog": {"from": "odl", "to": "new", "lasts": "2s"}});
    set(
        &mut document,
        "/timeline",
        json!([{"at": "1s", "do": clog}]),
    );
    let error = parse_value(&document).expect_err("wrong");
    assert!(page.contains(&error.message), "{}", error.message);
}

#[test]
fn the_hash_is_that_of_the_files_contents() {
    let one = parse_value(&base()).expect("right");
    let mut other = base();
    set(&mut other, "/description", json!("another"));
    assert_ne!(one.hash, parse_value(&other).expect("right").hash);
}
