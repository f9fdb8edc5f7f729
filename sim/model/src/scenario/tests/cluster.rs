//! Scenarios of clusters: slots, names of the bus, commands, and their mistakes.

use serde_json::{Value, json};

use super::*;
use crate::scenario::plan::{Action, Selector};
use crate::valkey::{ClusterFailover, HashSlot, SetSlot};
use rebound_net::HostId;

/// Three primaries and a replica.
fn base() -> Value {
    json!({
        "name": "test",
        "cluster": {},
        "nodes": [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "a2", "replica_of": "a"}],
        "clients": [{"name": "app"}],
    })
}

fn plan_with(pointer: &str, value: Value) -> Plan {
    let mut document = base();
    set(&mut document, pointer, value);
    parse_value(&document).unwrap_or_else(|error| panic!("{error}"))
}

fn slots(plan: &Plan) -> Vec<Vec<(u16, u16)>> {
    let cluster = plan.cluster.as_ref().expect("a cluster");
    let plain = |ranges: &Vec<(HashSlot, HashSlot)>| {
        ranges
            .iter()
            .map(|(first, last)| (first.0, last.0))
            .collect()
    };
    cluster.slots.iter().map(plain).collect()
}

#[test]
fn slots_are_shared_out_as_valkey_cli_does() {
    let plan = parse_value(&base()).expect("right");
    assert_eq!(
        slots(&plan),
        [
            vec![(0, 5_460)],
            vec![(5_461, 10_922)],
            vec![(10_923, 16_383)],
            vec![]
        ]
    );
    let five = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}, {"name": "e"}]);
    let ends: Vec<u16> = slots(&plan_with("/nodes", five))
        .iter()
        .map(|s| s[0].1)
        .collect();
    assert_eq!(ends, [3_276, 6_553, 9_829, 13_106, 16_383]);
    assert_eq!(
        slots(&plan_with("/nodes", json!([{"name": "a"}]))),
        [vec![(0, 16_383)]]
    );
}

#[test]
fn slots_can_be_said() {
    let nodes = json!([
        {"name": "a", "slots": ["7000", "0-99"]},
        {"name": "b", "slots": ["100-6999", "7001-16383"]},
        {"name": "empty"},
    ]);
    let plan = plan_with("/nodes", nodes);
    let expected = [
        vec![(0, 99), (7_000, 7_000)],
        vec![(100, 6_999), (7_001, 16_383)],
        vec![],
    ];
    assert_eq!(slots(&plan), expected);
}

#[test]
fn clients_of_a_cluster_know_one() {
    let plan = parse_value(&base()).expect("right");
    assert!(plan.groups[0].policy.cluster.is_some());
    let plan = plan_with("/clients/0/policy", json!("jedis-cluster"));
    assert_eq!(plan.groups[0].policy.max_redirects, Some(4));
}

#[test]
fn hosts_of_the_bus_have_names() {
    let paths = json!([
        {"from": "bus", "to": "bus", "latency": "200ms"},
        {"from": "a@bus", "to": "c@bus", "latency": "1s"},
        {"from": "nodes", "to": "a", "latency": "2ms"},
    ]);
    let plan = plan_with("/network", json!({"paths": paths}));
    let ends: Vec<_> = plan.network.paths[1..]
        .iter()
        .map(|p| (p.from, p.to))
        .collect();
    let node = |index| NodeId(index);
    assert_eq!(
        ends,
        [
            (Selector::Bus, Selector::Bus),
            (Selector::BusOf(node(0)), Selector::BusOf(node(2))),
            (Selector::Nodes, Selector::Node(node(0))),
        ]
    );
    // Four nodes, their four ends of the bus, the client.
    let selected = |selector| {
        (0..9)
            .filter(|h| plan.selects(selector, HostId(*h)))
            .collect()
    };
    let of = |selector| -> Vec<u32> { selected(selector) };
    assert_eq!(of(Selector::Bus), [4, 5, 6, 7]);
    assert_eq!(of(Selector::BusOf(node(2))), [6]);
    assert_eq!(of(Selector::Node(node(2))), [2, 6]);
    assert_eq!(of(Selector::Nodes), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(of(Selector::Clients), [8]);
}

#[test]
fn operators_of_clusters_have_commands() {
    let run = json!([
        "CLUSTER FAILOVER",
        "cluster failover force",
        "CLUSTER FAILOVER TAKEOVER",
        "CLUSTER SLOTS",
        "CLUSTER SETSLOT 7000 MIGRATING b",
        "CLUSTER SETSLOT 7000 IMPORTING a",
        "CLUSTER SETSLOT 16383 NODE c",
        "CLUSTER SETSLOT 0 STABLE",
    ]);
    let item = json!([{"at": "1s", "do": {"command": {"node": "a2", "run": run}}}]);
    let plan = plan_with("/timeline", item);
    let Action::Operator(NodeId(3), commands) = &plan.timeline[0].action else {
        panic!("{:?}", plan.timeline[0].action);
    };
    let set_slot = |slot, what| Command::ClusterSetSlot(HashSlot(slot), what);
    assert_eq!(
        commands[..],
        [
            Command::ClusterFailover(ClusterFailover::Agreed),
            Command::ClusterFailover(ClusterFailover::Force),
            Command::ClusterFailover(ClusterFailover::Takeover),
            Command::ClusterSlots,
            set_slot(7_000, SetSlot::Migrating(NodeId(1))),
            set_slot(7_000, SetSlot::Importing(NodeId(0))),
            set_slot(16_383, SetSlot::Node(NodeId(2))),
            set_slot(0, SetSlot::Stable),
        ]
    );
}

fn rejects(pointer: &str, value: Value, path: &str, parts: &[&str]) {
    let mut document = base();
    set(&mut document, pointer, value.clone());
    let error = match parse_value(&document) {
        Ok(_) => panic!("{pointer} = {value} is accepted"),
        Err(error) => error,
    };
    let message = error.to_string();
    assert_eq!(error.path, path, "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

#[test]
fn slots_that_contradict_each_other() {
    rejects(
        "/nodes",
        json!([{"name": "a", "slots": ["0-100"]}, {"name": "b", "slots": ["100-16383"]}]),
        "nodes[1].slots[0]",
        &["slot 100 is already \"a\"'s"],
    );
    rejects(
        "/nodes",
        json!([{"name": "a", "slots": ["0-100"]}, {"name": "b", "slots": ["102-16383"]}]),
        "nodes",
        &["no node owns slot 101", "\"uncovered\": true"],
    );
    rejects(
        "/nodes",
        json!([{"name": "a", "slots": ["5-16000"]}]),
        "nodes",
        &["no node owns slots 0 to 4"],
    );
    rejects(
        "/nodes",
        json!([{"name": "a"}, {"name": "r", "replica_of": "a", "slots": ["7"]}]),
        "nodes[1].slots",
        &["at its primary"],
    );
    for text in [
        "", "x", "-5", "5-", "7-5", "16384", "0-16384", "05", "1 - 2",
    ] {
        rejects(
            "/nodes/0/slots",
            json!([text]),
            "nodes[0].slots[0]",
            &["such as \"7000\"", "from 0 to 16383"],
        );
    }
    let uncovered = json!([{"name": "a", "slots": ["0-100"]}]);
    let mut document = base();
    set(&mut document, "/nodes", uncovered);
    set(&mut document, "/cluster", json!({"uncovered": true}));
    assert!(parse_value(&document).is_ok());
}

#[test]
fn what_a_cluster_does_not_have() {
    let run =
        |command: &str| json!([{"at": "1s", "do": {"command": {"node": "a", "run": [command]}}}]);
    for (command, part) in [
        ("FAILOVER TO a2 6379", "CLUSTER FAILOVER"),
        ("REPLICAOF NO ONE", "TAKEOVER"),
        ("PUBLISH 1 x", "cluster bus"),
        ("CLUSTER FAILOVER FORC", "nearest: \"FORCE\""),
        ("CLUSTER FAILOVR", "nearest: \"FAILOVER\""),
        ("CLUSTER", "takes a subcommand"),
        (
            "CLUSTER SETSLOT 16384 STABLE",
            "slot \"16384\": expected 0 to 16383",
        ),
        ("CLUSTER SETSLOT 7 NODE z", "no node \"z\""),
        ("CLUSTER SETSLOT 7 NODES a", "nearest: \"NODE\""),
        ("CLUSTER SETSLOT 7 NODE", "expected for example"),
    ] {
        let path = "timeline[0].do.command.run[0]";
        rejects("/timeline", run(command), path, &[part]);
    }
    for trigger in ["failover_state", "sends", "receives"] {
        let what = match trigger {
            "failover_state" => "waiting-for-sync",
            _ => "psync-failover",
        };
        let when =
            json!([{"when": {"node": "a", trigger: what}, "do": {"restart": {"node": "a"}}}]);
        let path = format!("timeline[0].when.{trigger}");
        rejects("/timeline", when, &path, &["no FAILOVER"]);
    }
    rejects(
        "/nodes/-",
        json!({"name": "a3", "replica_of": "a2"}),
        "nodes[4].replica_of",
        &["\"a2\" is a replica itself"],
    );
    rejects(
        "/nodes/-",
        json!({"name": "bus"}),
        "nodes[4].name",
        &["set of hosts"],
    );
    rejects(
        "/cluster/keys_per_tag",
        json!(0),
        "cluster.keys_per_tag",
        &["1 to 1000000"],
    );
    rejects(
        "/cluster/keys_pr_tag",
        json!(1),
        "cluster.keys_pr_tag",
        &["keys_per_tag"],
    );
    rejects(
        "/network",
        json!({"paths": [{"from": "d@bus", "to": "bus"}]}),
        "network.paths[0].from",
        &["no node \"d\""],
    );
}

#[test]
fn clients_that_do_not_fit_a_cluster() {
    let group = |value: Value| json!([value]);
    rejects(
        "/clients",
        group(json!({"name": "app", "policy": "valkey-go"})),
        "clients[0].policy",
        &["does not support clusters", "\"jedis-cluster\""],
    );
    for (workload, part) in [
        (json!({"mix": {"mget": 1}}), "keys_per_tag is 1"),
        (json!({"mix": {"multi": 1}}), "transaction_size is 2"),
        (json!({"mix": {"publish": 1}}), "publish"),
        (json!({"mix": {"subscribe": 1}}), "subscribe"),
    ] {
        rejects(
            "/clients",
            group(json!({"name": "app", "workload": workload})),
            "clients[0]",
            &[part],
        );
    }
    let mut document = base();
    set(&mut document, "/cluster", json!({"keys_per_tag": 3}));
    set(
        &mut document,
        "/clients",
        group(json!({"name": "app", "workload": {"mix": {"mget": 1}}})),
    );
    let error = parse_value(&document).expect_err("100 is no multiple of 3");
    assert!(
        error
            .to_string()
            .contains("a multiple of cluster.keys_per_tag (3)"),
        "{error}"
    );
    set(
        &mut document,
        "/clients",
        group(json!({"name": "app", "workload": {"mix": {"mget": 1}, "keys": 99}})),
    );
    assert!(parse_value(&document).is_ok());
    rejects(
        "/clients",
        group(json!({"name": "app", "policy": {"preset": "warm-cluster", "scope": "client"}})),
        "clients[0]",
        &["policy.scope"],
    );
}

#[test]
fn what_standalone_servers_do_not_have() {
    let standalone = |pointer: &str, value: Value, path: &str, part: &str| {
        let mut document = super::base();
        set(&mut document, pointer, value);
        let error = parse_value(&document).expect_err(part);
        assert_eq!(error.path, path, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    standalone(
        "/nodes/0/slots",
        json!(["0-16383"]),
        "nodes[0].slots",
        "\"cluster\": {}",
    );
    standalone(
        "/clients/0/policy",
        json!("jedis-cluster"),
        "clients[0].policy",
        "is for clusters",
    );
    standalone(
        "/timeline",
        json!([{"at": "1s", "do": {"command": {"node": "new", "run": ["CLUSTER FAILOVER"]}}}]),
        "timeline[0].do.command.run[0]",
        "standalone servers refuse CLUSTER FAILOVER",
    );
    for from in ["bus", "old@bus"] {
        standalone(
            "/network",
            json!({"paths": [{"from": from, "to": "nodes"}]}),
            "network.paths[0].from",
            "no cluster bus",
        );
    }
}

/// A contradiction inside a policy is the scenario's mistake, not the program's.
#[test]
fn a_policy_that_contradicts_itself_is_a_mistake() {
    let mut document = super::base();
    set(
        &mut document,
        "/clients/0/policy",
        json!({"preset": "valkey-go", "scope": "command"}),
    );
    let error = parse_value(&document).expect_err("a new connection moves the whole client");
    assert_eq!(error.path, "clients[0]");
    assert!(error.to_string().contains("policy.scope"), "{error}");
}
