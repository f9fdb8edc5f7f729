//! Servers, clients, network and faults together: what no part of them shows alone.

use std::sync::Arc;

use rebound_sim::results::{RunReport, Verdict};
use rebound_sim::trace::{Event, Record};
use rebound_sim::valkey::{Behaviour, NodeId, Note as NodeNote, Role};
use rebound_sim::{Runner, scenario};

/// A run of two nodes with these further fields, as `8.0.1` or whatever is named.
fn run_as(behaviour: &str, fields: &str) -> (RunReport, Vec<Record>) {
    let text = format!(
        r#"{{"name": "test", "nodes": [{{"name": "old"}}, {{"name": "new", "replica_of": "old"}}], {fields}}}"#
    );
    let plan = scenario::parse(&text, "test.json").unwrap_or_else(|error| panic!("{error}"));
    let behaviour = Behaviour::named(behaviour).expect("a known behaviour");
    let mut trace = Vec::new();
    let report = Runner::new(Arc::new(plan), behaviour).run(1, &mut trace);
    (report, trace)
}

fn run(fields: &str) -> (RunReport, Vec<Record>) {
    run_as("8.0.1", fields)
}

const FEW: &str = r#""clients": [{"name": "app", "count": 4, "policy": "warm"}]"#;

fn boots(trace: &[Record], node: u16) -> usize {
    let boot = |record: &&Record| matches!(record.event, Event::Node(NodeId(n), NodeNote::Role { role: Role::Primary, .. }) if n == node);
    trace.iter().filter(boot).count()
}

#[test]
fn a_process_that_is_started_twice_runs_once() {
    let (report, trace) = run(&format!(
        r#"{FEW}, "timeline": [
            {{"at": "1s", "do": {{"crash": {{"node": "old", "restart_after": "1s"}}}}}},
            {{"at": "1500ms", "do": {{"restart": {{"node": "old"}}}}}}]"#
    ));
    assert_eq!(boots(&trace, 0), 2, "at the start, and once more");
    assert!(report.commands.served > 0);
}

#[test]
fn a_machine_that_is_down_twice_over_comes_up_when_both_are_over() {
    let (_, trace) = run(&format!(
        r#"{FEW}, "timeline": [
            {{"at": "1s", "do": {{"host_down": {{"node": "old", "lasts": "1s"}}}}}},
            {{"at": "1500ms", "do": {{"host_down": {{"node": "old", "lasts": "1500ms"}}}}}}]"#
    ));
    assert_eq!(boots(&trace, 0), 2);
    let boot =
        |record: &&Record| matches!(record.event, Event::Node(NodeId(0), NodeNote::Role { .. }));
    let last = trace.iter().rfind(boot).expect("a boot").at;
    assert!(last.nanos() >= 3_000_000_000, "{last}");
}

#[test]
fn a_stopped_process_that_is_killed_starts_anew_unstopped() {
    let (report, _) = run(&format!(
        r#"{FEW}, "timeline": [
            {{"at": "1s", "do": {{"pause": {{"node": "old", "lasts": "3s"}}}}}},
            {{"at": "1500ms", "do": {{"crash": {{"node": "old", "restart_after": "100ms"}}}}}}]"#
    ));
    assert_eq!(report.commands.unfinished, 0);
}

#[test]
fn faults_that_slow_a_process_multiply_without_end() {
    let slow = r#"{"at": "1s", "do": {"slow": {"node": "old", "factor": 1000000, "lasts": "1s"}}}"#;
    let (report, _) = run(&format!(
        r#"{FEW}, "timeline": [{slow}, {slow}, {slow}, {slow}]"#
    ));
    assert!(report.commands.served > 0);
}

#[test]
fn the_end_of_one_loss_leaves_another() {
    let served = |second: &str| {
        let loss = r#"{"at": "1s", "do": {"loss": {"from": "clients", "to": "nodes", "loss_ppm": 300000, "lasts": "3s"}}}"#;
        run(&format!(r#"{FEW}, "timeline": [{loss}{second}]"#))
            .0
            .commands
            .served
    };
    let short = r#", {"at": "1s", "do": {"loss": {"from": "clients", "to": "nodes", "loss_ppm": 300000, "lasts": "100ms"}}}"#;
    assert_eq!(served(""), served(short));
}

#[test]
fn groups_of_any_size_share_keys_by_their_kind() {
    let (report, _) = run(r#""clients": [
            {"name": "counters", "count": 3, "policy": "warm", "workload": {"keys": 100, "mix": {"incr": 1}}},
            {"name": "strings", "count": 3, "policy": "warm", "workload": {"keys": 150, "mix": {"set": 1}}},
            {"name": "own", "count": 3, "policy": "warm", "workload": {"keys": 7, "own_keys": true, "mix": {"lpush": 1, "incr": 1}}}]"#);
    assert_eq!(report.errors.get("WRONGTYPE"), None);
    assert_eq!(report.verdict, Verdict::Clean);
}

/// The hand-over is held for good, so that nothing that bounces ever ends.
const FOR_GOOD: &str = r#""timeline": [
    {"at": "1s", "do": {"command": {"node": "old", "run": ["FAILOVER TO new 6379"]}}},
    {"when": {"node": "old", "failover_state": "failover-in-progress"},
     "do": {"crash": {"node": "new"}}}]"#;

#[test]
fn redirects_of_commands_without_an_end_are_counted_and_judged() {
    // A third node keeps answering: it redirects to the old primary, which redirects to the dead
    // target; clients that dial in vain stay where they are.
    let text = format!(
        r#""clients": [{{"name": "readers", "count": 3, "policy": "redisson-single",
            "workload": {{"mix": {{"get": 1}}}}}}],
           "phases": {{"faults_until": "2s", "load_until": "3s", "settle_within": "2s"}}, {FOR_GOOD}"#
    );
    let (report, _) = run_as("8.0.0-rc1", &text);
    assert!(report.commands.unfinished > 0);
    assert!(report.hops.max_chain > 100, "{:?}", report.hops);
    assert!(
        report.bounces.max > 100,
        "a redirect that leads back to the same node is a bounce"
    );
    assert_eq!(report.clients.flagged, 3);
    assert_eq!(report.findings_total.get("bounce"), Some(&3));
}

#[test]
fn a_run_that_would_run_away_is_stopped_and_says_so() {
    let (report, _) = run(&format!(r#"{FEW}, "budget": {{"max_events": 1000}}"#));
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.events, 1_000);
    assert_eq!(report.findings_total.get("budget-exceeded"), Some(&1));
    // What was flagged before stays flagged.
    let text = format!(
        r#""clients": [{{"name": "readers", "count": 3, "policy": "redisson-single",
            "workload": {{"mix": {{"get": 1}}}}}}], "budget": {{"max_events": 20000}}, {FOR_GOOD}"#
    );
    let (report, _) = run_as("8.0.0-rc1", &text);
    assert_eq!(report.verdict, Verdict::Flagged);
    assert!(report.findings_total.contains_key("budget-exceeded"));
}

#[test]
fn independent_primaries_do_not_share_a_history() {
    let text = r#"{"name": "two", "allow_several_primaries": true,
        "nodes": [{"name": "one"}, {"name": "other"}],
        "timeline": [{"at": "1s", "do": {"command": {"node": "other", "run": ["REPLICAOF one 6379"]}}}],
        "clients": [{"name": "app", "policy": "warm"}],
        "phases": {"faults_until": "8s", "load_until": "9s"}}"#;
    let plan =
        Arc::new(scenario::parse(text, "two.json").unwrap_or_else(|error| panic!("{error}")));
    let mut trace = Vec::new();
    Runner::new(plan, Behaviour::named("8.0.1").expect("known")).run(1, &mut trace);
    let synchronized = trace.iter().any(|record| {
        matches!(record.event, Event::Node(NodeId(1), NodeNote::Role { link, .. })
            if link == rebound_sim::valkey::LinkState::Sync)
    });
    assert!(synchronized, "a full resynchronization, not a partial one");
}

/// Three primaries and a replica of the first, on a bus of their own.
const CLUSTER: &str = r#"{"name": "test", "cluster": {}, "nodes": [
    {"name": "a", "config": {"cluster-node-timeout": "2s"}},
    {"name": "b", "config": {"cluster-node-timeout": "2s"}},
    {"name": "c", "config": {"cluster-node-timeout": "2s"}},
    {"name": "a2", "replica_of": "a", "config": {"cluster-node-timeout": "2s"}}],
    "clients": [{"name": "app", "count": 4}], "phases": {"faults_until": "20s"},
    "timeline": "#;

fn run_cluster(timeline: &str) -> (RunReport, Vec<Record>) {
    let text = format!("{CLUSTER}{timeline}}}");
    let plan = scenario::parse(&text, "test.json").unwrap_or_else(|error| panic!("{error}"));
    let behaviour = Behaviour::named("8.0.1").expect("a known behaviour");
    let mut trace = Vec::new();
    let mut runner = Runner::new(Arc::new(plan), behaviour);
    let report = runner.run(1, &mut trace);
    let again = runner.run(1, &mut Vec::new());
    assert_eq!(again.trace_hash, report.trace_hash, "a world is used again");
    (report, trace)
}

#[test]
fn a_cluster_replaces_a_primary_that_crashes_and_takes_it_back_as_a_replica() {
    let (_, trace) =
        run_cluster(r#"[{"at": "3s", "do": {"crash": {"node": "a", "restart_after": "8s"}}}]"#);
    let roles = |node: u16| -> Vec<_> {
        let role = |record: &Record| {
            if let Event::Node(n, NodeNote::Role { role, .. }) = record.event
                && n == NodeId(node)
            {
                return Some((record.at, role));
            }
            None
        };
        trace.iter().filter_map(role).collect()
    };
    let (promoted, _) = *roles(3)
        .iter()
        .find(|(_, role)| *role == Role::Primary)
        .expect("the replica takes over");
    // The node time-out, half of it since the last PONG at most, agreement, and the election.
    assert!(
        (5_000_000_000..8_000_000_000).contains(&promoted.nanos()),
        "{promoted}"
    );
    assert_eq!(roles(0).last().map(|(_, role)| *role), Some(Role::Replica));
}

#[test]
fn a_fault_of_the_bus_alone_fails_over_a_primary_that_serves_its_clients() {
    let cut = r#"{"cut": {"from": "bus", "to": "a@bus", "both_ways": true, "lasts": "9s"}}"#;
    let (_, trace) = run_cluster(&format!(r#"[{{"at": "3s", "do": {cut}}}]"#));
    let promoted = |record: &&Record| {
        matches!(
            record.event,
            Event::Node(
                NodeId(3),
                NodeNote::Role {
                    role: Role::Primary,
                    ..
                }
            )
        )
    };
    assert!(trace.iter().any(|record| promoted(&record)));
}
