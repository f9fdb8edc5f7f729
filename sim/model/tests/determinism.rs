//! Determinism is the product: the same scenario, behaviour and seed give the same trace, however
//! and wherever they are run.

use std::sync::Arc;

use rebound_sim::Runner;
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{self, Plan};
use rebound_sim::trace::{NoTrace, Record};
use rebound_sim::valkey::Behaviour;

/// A scenario with a bit of everything: lossy paths, drawn faults, a failover, several libraries.
fn scenario(loss_ppm: u32, extra_group: &str) -> Arc<Plan> {
    let text = format!(
        r#"{{
  "name": "a-bit-of-everything",
  "nodes": [{{"name": "old"}}, {{"name": "new", "replica_of": "old"}}],
  "network": {{"loss_ppm": {loss_ppm}}},
  "clients": [
    {{"name": "go", "count": 6, "start": "old", "policy": "valkey-go"}},
    {{"name": "warm", "count": 6, "start": ["old", "new"], "policy": "warm",
      "workload": {{"mix": {{"get": 4, "set": 2, "incr": 1, "mget": 1, "multi": 1}}}}}}
    {extra_group}
  ],
  "timeline": [
    {{"at": "500ms", "do": {{"command": {{"node": "old", "run": ["FAILOVER TO new 6379 TIMEOUT 5000"]}}}}}},
    {{"when": {{"node": "old", "failover_state": "failover-in-progress"}},
      "do": {{"clog": {{"from": "old", "to": "new", "lasts": "300ms"}}}}}}
  ],
  "faults": {{"may": [
    {{"chance_ppm": 500000, "between": ["200ms", "1s"], "lasts": ["10ms", "300ms"],
      "do": {{"cut": {{"from": "clients", "to": "nodes"}}}}}},
    {{"chance_ppm": 500000, "between": ["200ms", "1s"], "lasts": ["10ms", "300ms"],
      "do": {{"pause": {{"node": "new"}}}}}}
  ]}},
  "phases": {{"faults_until": "1500ms", "load_until": "2s", "settle_within": "20s"}}
}}"#
    );
    Arc::new(scenario::parse(&text, "a-bit-of-everything.json").unwrap_or_else(|e| panic!("{e}")))
}

fn behaviour(name: &str) -> &'static Behaviour {
    Behaviour::named(name).expect("a known behaviour")
}

fn run(plan: &Arc<Plan>, seed: u64) -> RunReport {
    Runner::new(plan.clone(), behaviour("8.0.0-rc1")).run(seed, &mut NoTrace)
}

#[test]
fn a_world_that_is_used_again_gives_what_a_new_one_gives_in_any_order_of_seeds() {
    let plan = scenario(1_000, "");
    let fresh: Vec<_> = (0..12).map(|seed| run(&plan, seed)).collect();
    let mut runner = Runner::new(plan, behaviour("8.0.0-rc1"));
    for seed in [5, 3, 3, 11, 0, 7, 5, 1, 2, 4, 6, 8, 9, 10, 0] {
        assert_eq!(
            runner.run(seed, &mut NoTrace),
            fresh[seed as usize],
            "seed {seed}"
        );
    }
    let distinct: std::collections::BTreeSet<_> = fresh.iter().map(|run| &run.trace_hash).collect();
    assert_eq!(
        distinct.len(),
        fresh.len(),
        "every seed is a run of its own"
    );
}

#[test]
fn threads_change_nothing() {
    let plan = scenario(1_000, "");
    let alone: Vec<_> = (0..16).map(|seed| run(&plan, seed)).collect();
    for threads in [2, 8] {
        let mut together: Vec<RunReport> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let plan = plan.clone();
                    scope.spawn(move || {
                        let mut runner = Runner::new(plan, behaviour("8.0.0-rc1"));
                        (0..16)
                            .filter(|seed| seed % threads == worker)
                            .map(|seed| runner.run(seed, &mut NoTrace))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("no panic"))
                .collect()
        });
        together.sort_by_key(|run| run.seed.parse::<u64>().unwrap_or(u64::MAX));
        assert_eq!(together, alone, "{threads} threads");
    }
}

#[test]
fn whether_a_trace_is_kept_changes_nothing() {
    let plan = scenario(1_000, "");
    let mut trace: Vec<Record> = Vec::new();
    let traced = Runner::new(plan.clone(), behaviour("8.0.0-rc1")).run(3, &mut trace);
    assert_eq!(traced, run(&plan, 3));
    assert!(trace.len() as u64 > traced.events / 2);
    assert!(
        trace.windows(2).all(|pair| pair[0].at <= pair[1].at),
        "the trace is in order"
    );
}

#[test]
fn a_recorded_schedule_gives_the_same_run_without_a_seed() {
    let plan = scenario(5_000, "");
    for seed in 0..4 {
        let mut runner = Runner::new(plan.clone(), behaviour("8.0.0-rc1"));
        let (recorded, schedule) = runner.record(seed, &mut NoTrace);
        assert_eq!(recorded, run(&plan, seed));
        let mut followed = Runner::new(plan.clone(), behaviour("8.0.0-rc1"));
        assert_eq!(followed.follow(seed, schedule, &mut NoTrace), recorded);
    }
}

/// Common random numbers: what chance decides on a stream does not depend on what happens
/// elsewhere. Losing more, or adding clients, leaves every answer on every stream that both runs
/// have as it was.
#[test]
fn streams_are_independent_of_rates_and_of_each_other() {
    let record = |plan: Arc<Plan>| {
        Runner::new(plan, behaviour("8.0.1"))
            .record(9, &mut NoTrace)
            .1
    };
    let usual = record(scenario(0, ""));
    let lossy = record(scenario(20_000, ""));
    let crowded = record(scenario(
        0,
        r#", {"name": "more", "count": 3, "start": "new", "policy": "valkey-go"}"#,
    ));
    for (what, other) in [("loss", &lossy), ("more clients", &crowded)] {
        let mut compared = 0;
        for (stream, answers) in &usual.streams {
            let Some(others) = other.streams.get(stream) else {
                continue;
            };
            for (index, (one, two)) in answers.iter().zip(others).enumerate() {
                assert_eq!(one, two, "{what}: {stream}, question {index}");
                compared += 1;
            }
        }
        assert!(
            compared > 3_000,
            "{what}: only {compared} answers in common"
        );
    }
    assert_ne!(usual, lossy, "loss does change the run");
}

#[test]
fn seeded_ties_are_reproducible_too() {
    let text = r#"{"name": "ties", "nodes": [{"name": "a"}, {"name": "b", "replica_of": "a"}],
        "network": {"latency": "100us"}, "tie_break": "seeded",
        "clients": [{"name": "c", "count": 10, "policy": "warm"}],
        "phases": {"faults_until": "300ms", "load_until": "500ms"}}"#;
    let plan = Arc::new(scenario::parse(text, "ties.json").unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(run(&plan, 1), run(&plan, 1));
    assert_ne!(run(&plan, 1).trace_hash, run(&plan, 2).trace_hash);
}
