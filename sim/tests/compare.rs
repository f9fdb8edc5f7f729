//! Remedies side by side: every behaviour meets the same chance, and the figures say of each
//! remedy what was seen of it on patched servers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rebound_sim::Runner;
use rebound_sim::compare::{BehaviourColumn, Comparison, Measures};
use rebound_sim::engine::Schedule;
use rebound_sim::scenario::{self, Plan};
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;

const BEHAVIOURS: [&str; 6] = [
    "8.0.0-rc1",
    "state-check",
    "pause-first",
    "combined",
    "merged",
    "8.0.1",
];

fn plan(name: &str) -> Arc<Plan> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../scenarios/{name}.json"));
    Arc::new(scenario::load(&path).unwrap_or_else(|error| panic!("{error}")))
}

fn behaviour(name: &str) -> &'static Behaviour {
    Behaviour::named(name).unwrap_or_else(|| panic!("no behaviour {name}"))
}

/// The columns of a comparison over seeds 0..12, by behaviour.
fn compared(name: &str) -> BTreeMap<String, BehaviourColumn> {
    let plan = plan(name);
    let behaviours = BEHAVIOURS.map(behaviour);
    let mut comparison = Comparison::new(&behaviours);
    let mut runners: Vec<Runner> = behaviours
        .iter()
        .map(|behaviour| Runner::new(plan.clone(), behaviour))
        .collect();
    for seed in 0..12 {
        let runs: Vec<_> = runners
            .iter_mut()
            .map(|runner| {
                let mut measures = Measures::new(&plan);
                let report = runner.run(seed, &mut measures);
                let measures = measures.finish(&report);
                (report, measures)
            })
            .collect();
        comparison.add(seed, &runs);
    }
    let report = comparison.report(&plan.name, plan.hash);
    let columns = report.behaviours.into_iter();
    columns
        .map(|column| (column.behaviour.clone(), column))
        .collect()
}

fn max(column: &BehaviourColumn, figure: &str) -> u64 {
    column.figures[figure].max
}

/// Common random numbers: as far as two behaviours ask the same questions, they are given the
/// same answers: arrivals, delays, losses and faults are the same for both.
#[test]
fn every_behaviour_meets_the_same_chance() {
    for name in ["handover-slow", "handover-lossy", "swarm"] {
        let plan = plan(name);
        let record = |name: &str| -> Schedule {
            Runner::new(plan.clone(), behaviour(name))
                .record(5, &mut NoTrace)
                .1
        };
        let first = record(BEHAVIOURS[0]);
        for other in &BEHAVIOURS[1..] {
            let mut compared = 0;
            for (stream, answers) in &record(other).streams {
                for (one, two) in answers
                    .iter()
                    .zip(first.streams.get(stream).into_iter().flatten())
                {
                    assert_eq!(one, two, "{name}: {other}: {stream}");
                    compared += 1;
                }
            }
            assert!(
                compared > 2_000,
                "{name}: {other}: only {compared} answers in common"
            );
        }
    }
}

/// The slow hand-over, with reads and writes: what each remedy was seen to do.
#[test]
fn each_remedy_costs_what_the_order_of_gates_implies() {
    let of = compared("handover-slow");
    // Nothing: clients bounce as long as the window lasts.
    let none = &of["8.0.0-rc1"];
    assert_eq!(none.verdicts.flagged, 12);
    assert!(none.figures["longest-chain"].p50 > 1_000);
    // The state check alone: no bounce, but writes are told READONLY, and reads are served by a
    // node that is no longer the primary: their outage is a redirect's round trip.
    let state_check = &of["state-check"];
    assert_eq!(max(state_check, "bounces"), 0);
    assert!(state_check.errors["READONLY"] > 0);
    assert!(max(state_check, "read-outage") < 10_000_000);
    // The pause alone: writes wait, reads bounce.
    let pause_first = &of["pause-first"];
    assert!(pause_first.figures["bounces"].p50 > 1_000);
    assert!(pause_first.errors.is_empty());
    // Both, or the merged rule: no bounce and no error; the merged one lets reads wait too.
    for name in ["combined", "merged", "8.0.1"] {
        let column = &of[name];
        assert_eq!(column.verdicts.clean, 12, "{name}");
        assert_eq!(max(column, "bounces"), 0, "{name}");
        assert_eq!(max(column, "longest-chain"), 1, "{name}");
        assert!(column.errors.is_empty(), "{name}");
        let bounces = column.against_first.as_ref().expect("not the first")["bounces"];
        assert!(
            bounces.high < 0.0,
            "{name}: fewer bounces beyond doubt: {bounces:?}"
        );
    }
    assert!(max(&of["combined"], "read-outage") < 10_000_000);
    assert!(of["merged"].figures["read-outage"].p50 > 1_000_000_000);
    assert!(max(&of["merged"], "postponed-commands") > max(&of["combined"], "postponed-commands"));
    assert!(of["8.0.0-rc1"].against_first.is_none());
}

/// What remains under every remedy: clients that arrive at the replica in the window.
#[test]
fn late_joiners_still_meet_two_redirects() {
    let of = compared("late-joiners");
    for name in ["merged", "8.0.1"] {
        assert_eq!(max(&of[name], "longest-chain"), 2, "{name}");
        assert!(max(&of[name], "flagged-clients") > 0, "{name}");
    }
    assert!(max(&of["8.0.0-rc1"], "longest-chain") > 2);
}
