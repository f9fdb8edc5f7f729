//! Mistakes in a scenario: each gives one message, which says where, what, and what instead.
//!
//! A line of a table is `where | value | path in the message | parts of the message`, with
//! parts set apart by ` & `. `/list/-` adds to a list.

use serde_json::{Value, json};

use super::{base, parse_value, set};

fn check_mistakes(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [pointer, value, path, parts] = columns[..] else {
            panic!("not four columns: {line}");
        };
        let value: Value = serde_json::from_str(value).unwrap_or_else(|e| panic!("{line}: {e}"));
        check_mistake(pointer, value, path, parts);
    }
}

fn check_mistake(pointer: &str, value: Value, path: &str, parts: &str) {
    let mut document = base();
    for list in ["/timeline", "/expect"] {
        set(&mut document, list, json!([]));
    }
    set(&mut document, "/faults", json!({"may": []}));
    set(&mut document, "/network", json!({"paths": []}));
    set(&mut document, pointer, value.clone());
    let error = match parse_value(&document) {
        Ok(_) => panic!("{pointer} = {value} is accepted"),
        Err(error) => error,
    };
    let message = error.to_string();
    assert_eq!(error.path, path, "{message}");
    assert!(error.position.is_some(), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts.split(" & ") {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}

#[test]
fn names_that_do_not_exist() {
    check_mistakes(
        r#"
        /nam | 1 | nam | unknown field "nam" & nearest: "name"
        /behaviour | "8.0.0-rc11" | behaviour | no behaviour & nearest: "8.0.0-rc1"
        /nodes/1/replica_off | "old" | nodes[1].replica_off | nearest: "replica_of"
        /nodes/1/replica_of | "odl" | nodes[1].replica_of | no node "odl" (nearest: "old"; nodes are "old", "new")
        /behaviour | "8.0.1+target-hold" | behaviour | no remedy "target-hold" & nearest: "target-holds"
        /behaviour | "8.0.1+merged" | behaviour | 8.0.1 includes "merged"
        /nodes/1/behaviour | "8.0.1+bounce-guard" | nodes[1].behaviour | a rule of clients
        /expect/- | {"verdict": "clean", "behaviours": ["none+state-check+pause-first", "combined"]} | expect[0].behaviours[1] | second expectation for "combined"
        /nodes/1/behaviour | "pause" | nodes[1].behaviour | nearest: "pause-first"
        /nodes/1/config | {"repl_timeout": "1s"} | nodes[1].config.repl_timeout | nearest: "repl-timeout"
        /config | {"maxclient": 1} | config.maxclient | unknown field "maxclient" & nearest: "maxclients"
        /clients/0/start | "nwe" | clients[0].start | nearest: "new"
        /clients/0/start | ["old", "app"] | clients[0].start[1] | no node "app"
        /clients/0/policy | "valkey_goo" | clients[0].policy | no policy & nearest: "valkey-go"
        /clients/0/policy | {"preset": "warm", "max_redirect": 5} | clients[0].policy.max_redirect | nearest: "max_redirects"
        /clients/0/policy | {"preset": "warm", "scope": "clients"} | clients[0].policy.scope | nearest: "client"
        /clients/0/policy | {"max_redirects": 5} | clients[0].policy | missing field "preset"
        /clients/0/workload | {"mix": {"gett": 1}} | clients[0].workload.mix.gett | nearest: "get"
        /timeline/- | {"at": "1s", "do": {"crash": {"node": "odl"}}} | timeline[0].do.crash.node | no node "odl" & nearest: "old"
        /timeline/- | {"at": "1s", "do": {"cut": {"from": "ap", "to": "old", "lasts": "1s"}}} | timeline[0].do.cut.from | nearest: "app"
        /timeline/- | {"at": "1s", "do": {"crush": {"node": "old"}}} | timeline[0].do | unknown value "crush" & nearest: "crash"
        /timeline/- | {"at": "1s", "do": {"command": {"node": "old", "run": ["FAILOVR"]}}} | timeline[0].do.command.run[0] | nearest: "FAILOVER"
        /timeline/- | {"when": {"node": "old", "failover_state": "in-progress"}, "do": {"restart": {"node": "old"}}} | timeline[0].when.failover_state | unknown value "in-progress" & failover-in-progress
        /checks | {"bouce": {}} | checks.bouce | nearest: "bounce"
        /expect/- | {"verdict": "flagged", "findings": ["bounces"]} | expect[0].findings[0] | nearest: "bounce"
        /expect/- | {"verdict": "flaged"} | expect[0].verdict | nearest: "flagged"
        /expect/- | {"verdict": "clean", "behaviours": ["8.0.9"]} | expect[0].behaviours[0] | no behaviour "8.0.9"
        /tie_break | "fifi" | tie_break | nearest: "fifo"
        /network/tcp | {"rto": "1s"} | network.tcp.rto | unknown field "rto" & rto_min
        "#,
    );
}

#[test]
fn values_of_the_wrong_kind() {
    check_mistakes(
        r#"
        /name | 5 | name | found integer 5, expected a string
        /nodes | "old" | nodes | found string "old", expected a list
        /nodes/- | {"replica_of": "old"} | nodes[2] | missing field "name"
        /nodes/- | ["old"] | nodes[2] | found a list, expected a node, which is an object
        /config | {"hz": "fast"} | config.hz | found string "fast", expected a whole number
        /config | {"replica-read-only": 1} | config.replica-read-only | expected true or false
        /config | [] | config | found a list, expected an object with names of valkey.conf
        /network/latency | 5 | network.latency | found integer 5, expected a duration such as
        /network/latency | "5" | network.latency | has no unit & 150us
        /network/latency | {"lognormal": {}} | network.latency.lognormal | nearest: "log_normal"
        /network/latency | {"uniform": {"low": "1ms"}} | network.latency.uniform | missing field "high"
        /network/latency | {"empirical": [], "uniform": {}} | network.latency | exactly one key
        /network/loss_ppm | -1 | network.loss_ppm | found integer -1, expected a whole number from 0
        /network/loss_ppm | 0.5 | network.loss_ppm | found floating point 0.5
        /clients/0/arrive | [] | clients[0].arrive | expected a time such as "100ms"
        /clients/0/arrive | {"from": "0"} | clients[0].arrive | missing field "to"
        /clients/0/start | 0 | clients[0].start | expected a node's name
        /clients/0/policy | true | clients[0].policy | expected a policy's name
        /clients/0/policy | {"preset": "warm", "linger": 5} | clients[0].policy.linger | expected a duration as a string
        /clients/0/count | 5000000000 | clients[0].count | from 0 to 4294967295
        /timeline/- | {"at": "-1s", "do": {"crash": {"node": "old"}}} | timeline[0].at | negative duration
        /timeline/- | {"at": "1s", "do": {"pause": {"node": "old"}, "crash": {"node": "old"}}} | timeline[0].do | exactly one key
        /timeline/- | {"at": "1s", "do": {}} | timeline[0].do | exactly one key
        /timeline/- | {"at": "1s"} | timeline[0] | missing field "do"
        /timeline/- | {"at": "1s", "do": {"crash": {"nod": "old"}}} | timeline[0].do.crash.nod | nearest: "node"
        /faults/may/- | {"between": ["1s"], "do": {"reset": {"from": "old", "to": "new"}}} | faults.may[0].between | expected a list of 2 values
        /phases | [] | phases | found a list, expected an object
        /phases | ["1s", "2s", "3s"] | phases | found a list, expected an object
        /nodes/- | ["third", "old", null, null, null, null] | nodes[2] | found a list, expected an object
        /clients/0/policy | {"preset": "warm", "redirect_delay": ["0", "0", "0", 1]} | clients[0].policy.redirect_delay | found a list, expected an object
        /phases | {"load_until": "soon"} | phases.load_until | has unit "soon"
        "#,
    );
}

#[test]
fn contradictions() {
    check_mistakes(
        r#"
        /nodes/- | {"name": "old", "replica_of": "new"} | nodes[2].name | already the name of nodes[0]
        /nodes/- | {"name": "APP", "replica_of": "new"} | clients[0].name | already the name of nodes[2]
        /nodes/- | {"name": "all", "replica_of": "new"} | nodes[2].name | means a set of hosts
        /nodes/- | {"name": "third"} | nodes[2] | "old" and "third" are both primaries & replica_of
        /nodes/0/replica_of | "new" | nodes[0].replica_of | old -> new -> old
        /timeline/- | {"do": {"restart": {"node": "old"}}} | timeline[0] | neither "at" nor "when"
        /timeline/- | {"at": "1s", "when": {"node": "old", "becomes": "replica"}, "do": {"restart": {"node": "old"}}} | timeline[0] | both "at" and "when"
        /timeline/- | {"at": "1s", "not_before": "1s", "do": {"restart": {"node": "old"}}} | timeline[0].not_before | goes with "when"
        /timeline/- | {"when": {"node": "old"}, "do": {"restart": {"node": "old"}}} | timeline[0].when | exactly one of
        /timeline/- | {"when": {"node": "old", "becomes": "replica", "sends": "psync-failover"}, "do": {"restart": {"node": "old"}}} | timeline[0].when | exactly one of
        /timeline/- | {"at": "6s", "do": {"crash": {"node": "old"}}} | timeline[0].at | not before phases.faults_until (5.000000s)
        /timeline/- | {"at": "4s", "after": "2s", "do": {"crash": {"node": "old"}}} | timeline[0].at | 6.000000s is not before
        /timeline/- | {"at": "9s", "do": {"restart": {"node": "old"}}} | timeline[0].at | phases.load_until (8.000000s)
        /timeline/- | {"when": {"node": "old", "becomes": "replica"}, "not_before": "6s", "do": {"crash": {"node": "old"}}} | timeline[0].not_before | not before phases.faults_until
        /timeline/- | {"at": "1s", "do": {"cut": {"from": "old", "to": "new"}}} | timeline[0].do.cut | missing field "lasts"
        /timeline/- | {"at": "1s", "do": {"pause": {"node": "old", "lasts": "10s"}}} | timeline[0].do | everything heals at phases.faults_until
        /timeline/- | {"at": "1s", "do": {"reset": {"from": "old", "to": "app"}}} | timeline[0].do.reset.to | clients accept no connections
        /timeline/- | {"at": "1s", "do": {"reset": {"from": "app", "to": "clients"}}} | timeline[0].do.reset.to | no connections between clients
        /timeline/- | {"at": "1s", "do": {"reset": {"from": "old", "to": "old"}}} | timeline[0].do.reset.to | no connections to itself
        /faults/may/- | {"between": ["1s", "2s"], "do": {"cut": {"from": "old", "to": "new"}}} | faults.may[0].do.cut | missing field "lasts" next to "do"
        /faults/may/- | {"between": ["2s", "1s"], "lasts": ["1s", "2s"], "do": {"cut": {"from": "old", "to": "new"}}} | faults.may[0].between | the shorter or earlier one first
        /faults/may/- | {"between": ["1s", "2s"], "lasts": ["2s", "1s"], "do": {"cut": {"from": "old", "to": "new"}}} | faults.may[0].lasts | the shorter or earlier one first
        /faults/may/- | {"between": ["1s", "5s"], "lasts": ["1s", "2s"], "do": {"cut": {"from": "old", "to": "new"}}} | faults.may[0].between | not before phases.faults_until
        /faults/may/- | {"between": ["1s", "2s"], "lasts": ["1s", "2s"], "do": {"reset": {"from": "old", "to": "new"}}} | faults.may[0].lasts | has no duration
        /faults/may/- | {"between": ["1s", "2s"], "lasts": ["1s", "2s"], "do": {"crash": {"node": "old", "restart_after": "1s"}}} | faults.may[0].do.crash.restart_after | next to "do"
        /phases | {"faults_until": "5s", "load_until": "4s"} | phases.load_until | before faults end
        /clients/0/arrive | {"from": "2s", "to": "1s"} | clients[0].arrive | earlier one first
        /clients/0/arrive | "9s" | clients[0].arrive | after phases.load_until
        /clients/0/start | [] | clients[0].start | at least one node
        /network/paths/- | {"from": "old", "to": "app"} | network.paths[0].to | clients accept no connections
        /network/latency | {"uniform": {"low": "2ms", "high": "1ms"}} | network.latency.uniform | shorter or earlier one first
        /network/latency | {"log_normal": {"median": "2ms", "p99": "1ms"}} | network.latency | 0 < median <= p99
        /network/latency | {"empirical": []} | network.latency | at least one point
        /expect/- | {"verdict": "clean", "findings": ["bounce"]} | expect[0].findings[0] | a clean run has no findings
        /expect/- | {"verdict": "flagged", "findings": ["bounce"], "never": ["bounce"]} | expect[0].findings[0] | in "never" as well
        /expect/- | {"verdict": "flagged", "max_chain": 1, "min_max_chain": 3} | expect[0].min_max_chain | no run does both
        /expect/- | {"verdict": "clean", "behaviours": ["8.0.1", "8.0"]} | expect[0].behaviours[1] | second expectation for "8.0.1"
        /expect/- | {"verdict": {"share": {"least_per_mille": 9, "most_per_mille": 8}}} | expect[0].verdict.share.least_per_mille | expected 0 to 8
        "#,
    );
}

#[test]
fn numbers_out_of_range() {
    check_mistakes(
        r#"
        /name | "a/b" | name | 1 to 64 letters
        /name | "" | name | 1 to 64 letters
        /nodes | [] | nodes | 0 nodes: expected 1 to 16
        /nodes/0/name | "two words" | nodes[0].name | letters, digits
        /nodes/0/port | 0 | nodes[0].port | expected 1 to 65535
        /config | {"hz": 0} | config.hz | 0 is out of range: expected 1 to 500
        /config | {"hz": 501} | config.hz | expected 1 to 500
        /network/loss_ppm | 500001 | network.loss_ppm | expected 500000 at most
        /network/latency | "61m" | network.latency | an hour
        /network/tcp | {"syn_retries": 31} | network.tcp.syn_retries | expected 0 to 30
        /network/tcp | {"rto_min": "0"} | network.tcp.rto_min | too short
        /clients/0/count | 0 | clients[0].count | expected 1 to 100000
        /clients/0/count | 100001 | clients[0].count | expected 1 to 100000
        /clients/- | {"name": "more", "count": 100000} | clients[1] | 100001 clients with this group
        /clients/0/workload | {"keys": 10000001} | clients[0].workload.keys | 10000000
        /clients/0/workload | {"keys": 0} | clients[0].workload.keys | expected 1
        /clients/0/workload | {"mix": {"get": 0, "set": 0}} | clients[0].workload.mix | every command has frequency 0
        /clients/0/workload | {"pace": {"closed": {"workers": 0, "think": "1ms"}}} | clients[0].workload.pace.closed.workers | expected 1
        /clients/0/workload | {"pace": {"open": {"every": "0", "max_open": 1}}} | clients[0].workload.pace.open.every | too short
        /clients/- | {"name": "more", "count": 1000, "workload": {"pipeline": 1000, "pace": {"closed": {"workers": 100, "think": "0"}}}} | clients[1] | commands open at once
        /clients/- | {"name": "more", "count": 1001, "workload": {"own_keys": true, "keys": 10000}} | clients[1] | keys with this group
        /clients/0/policy | {"preset": "warm", "command_timeout": "0"} | clients[0].policy.command_timeout | too short
        /timeline/- | {"at": "1s", "do": {"slow": {"node": "old", "factor": 1, "lasts": "1s"}}} | timeline[0].do.slow.factor | expected 2
        /timeline/- | {"at": "1s", "do": {"command": {"node": "old", "run": []}}} | timeline[0].do.command.run | 0 commands
        /timeline/- | {"at": "1s", "do": {"pause": {"node": "old", "lasts": "0"}}} | timeline[0].do.pause.lasts | too short
        /timeline/- | {"at": "1s", "do": {"loss": {"from": "old", "to": "new", "loss_ppm": 900000, "lasts": "1s"}}} | timeline[0].do.loss.loss_ppm | "cut"
        /faults/may/- | {"chance_ppm": 1000001, "between": ["1s", "2s"], "do": {"crash": {"node": "old"}}} | faults.may[0].chance_ppm | expected 0 to 1000000
        /phases | {"load_until": "60m"} | phases | an hour
        /checks | {"thundering-herd": {"within": "0"}} | checks.thundering-herd.within | 0 is too short & expected more
        /phases | {"load_until": "0"} | phases.load_until | too short
        /budget | {"max_events": 4000000001} | budget.max_events | 4000000000
        /budget | {"max_backlog": 0} | budget.max_backlog | expected 1
        /expect/- | {"verdict": {"share": {"least_per_mille": 0, "most_per_mille": 1001}}} | expect[0].verdict.share.most_per_mille | expected 0 to 1000
        "#,
    );
    let item = json!({"at": "1s", "do": {"restart": {"node": "old"}}});
    let many = json!(vec![item; 1001]);
    check_mistake("/timeline", many, "timeline", "expected 0 to 1000");
}

#[test]
fn sentinel_and_transactions() {
    check_mistakes(
        r#"
        /sentinel | {"down_afer": "5s"} | sentinel.down_afer | unknown field "down_afer" & nearest: "down_after"
        /sentinel | [] | sentinel | found a list, expected
        /sentinel | {"primary": "odl"} | sentinel.primary | no node "odl" & nearest: "old"
        /sentinel | {"primary": "new"} | sentinel.primary | "new" is a replica of "old" at the start: expected a primary
        /sentinel | {"version": "9.1"} | sentinel.version | unknown value "9.1"
        /sentinel | {"down_after": "0"} | sentinel.down_after | 0 is too short
        /sentinel | {"failover_timeout": "2000m"} | sentinel.failover_timeout | an hour (60m) at most
        /sentinel | {"parallel_syncs": 0} | sentinel.parallel_syncs | 0 is out of range: expected 1 to 1000
        /timeline/- | {"at": "1s", "do": {"sentinel": {"failover": "classic"}}} | timeline[0].do.sentinel | there is no Sentinel: expected a field "sentinel" of the scenario
        /timeline/- | {"at": "1s", "do": {"sentinel": {"failover": "coordinate"}}} | timeline[0].do.sentinel.failover | unknown value "coordinate" & nearest: "coordinated"
        /timeline/- | {"at": "1s", "do": {"cut": {"from": "sentinel", "to": "old", "lasts": "1s"}}} | timeline[0].do.cut.from | no node, group or set of hosts "sentinel"
        /timeline/- | {"at": "1s", "do": {"command": {"node": "old", "run": ["PING", "MULTI", "PING"]}}} | timeline[0].do.command.run[1] | MULTI without EXEC
        /timeline/- | {"at": "1s", "do": {"command": {"node": "old", "run": ["CLIENT KILL TYPE norml"]}}} | timeline[0].do.command.run[0] | nearest: "normal"
        "#,
    );
}

fn beside_sentinel(sentinel: Value, pointer: &str, value: Value) -> String {
    let mut document = base();
    set(&mut document, "/sentinel", sentinel);
    set(&mut document, "/timeline", json!([]));
    set(&mut document, "/network", json!({"paths": []}));
    set(&mut document, pointer, value);
    parse_value(&document).expect_err("a mistake").to_string()
}

#[test]
fn what_contradicts_sentinel() {
    let coordinated = json!({"at": "1s", "do": {"sentinel": {"failover": "coordinated"}}});
    let error = beside_sentinel(json!({"version": "8.0"}), "/timeline/-", coordinated);
    assert!(
        error.contains("timeline[0].do.sentinel.failover"),
        "{error}"
    );
    assert!(error.contains("is new in 9.0"), "{error}");
    let node = json!({"name": "Sentinel", "replica_of": "old"});
    let error = beside_sentinel(json!({}), "/nodes/-", node);
    assert!(error.contains("\"Sentinel\" is Sentinel's host"), "{error}");
    let path = json!({"from": "old", "to": "sentinel"});
    let error = beside_sentinel(json!({}), "/network/paths/-", path);
    assert!(error.contains("accept no connections"), "{error}");
    let path = json!({"from": "sentinal", "to": "old"});
    let error = beside_sentinel(json!({}), "/network/paths/-", path);
    assert!(error.contains("nearest: \"sentinel\""), "{error}");
}
