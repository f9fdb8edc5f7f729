//! Remedies side by side: every behaviour meets the same chance, and the figures say of each
//! remedy what was seen of it on patched servers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rebound_batch::compare::{BehaviourColumn, Comparison, Measures};
use rebound_engine::Schedule;
use rebound_sim::Runner;
use rebound_sim::scenario::{self, Plan};
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;

const BEHAVIOURS: [&str; 12] = [
    "8.0.0-rc1",
    "state-check",
    "pause-first",
    "combined",
    "merged",
    "8.0.1",
    HOLDS,
    CONNECTED,
    AGAIN,
    EPOCHS,
    GUARD,
    EVERYTHING,
];

const HOLDS: &str = "8.0.1+target-holds";
const CONNECTED: &str = "8.0.1+demote-when-connected";
const AGAIN: &str = "8.0.1+idempotent-promotion";
const EPOCHS: &str = "8.0.0-rc1+epoch-redirect";
const GUARD: &str = "8.0.0-rc1+bounce-guard";
const EVERYTHING: &str = "8.0.1+redirect-at-completion+target-holds+demote-when-connected+\
                          idempotent-promotion+epoch-redirect+bounce-guard";

fn plan(name: &str) -> Arc<Plan> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/{name}.json"));
    Arc::new(scenario::load(&path).unwrap_or_else(|error| panic!("{error}")))
}

fn behaviour(name: &str) -> &'static Behaviour {
    Behaviour::named(name).unwrap_or_else(|| panic!("no behaviour {name}"))
}

/// The columns of a comparison over seeds 0..12, by behaviour.
fn compared(name: &str, behaviours: &[&str]) -> BTreeMap<String, BehaviourColumn> {
    let plan = plan(name);
    let behaviours: Vec<_> = behaviours.iter().copied().map(behaviour).collect();
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
    let report = comparison.report(&plan);
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
    let of = compared("handover-slow", &BEHAVIOURS);
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
    // Rules of clients: redirects by the thousand become tens, or one.
    let guard = &of[GUARD];
    assert!(guard.figures["longest-chain"].p50 < 60 && guard.verdicts.flagged == 12);
    let epochs = &of[EPOCHS];
    assert_eq!(
        (epochs.verdicts.clean, max(epochs, "longest-chain")),
        (12, 1)
    );
    assert!(max(&of["combined"], "read-outage") < 10_000_000);
    assert!(of["merged"].figures["read-outage"].p50 > 1_000_000_000);
    assert!(max(&of["merged"], "postponed-commands") > max(&of["combined"], "postponed-commands"));
    assert!(of["8.0.0-rc1"].against_first.is_none());
}

/// What remains under every remedy: clients that arrive at the replica in the window.
#[test]
fn late_joiners_still_meet_two_redirects() {
    let of = compared(
        "late-joiners",
        &["8.0.0-rc1", "merged", "8.0.1", HOLDS, EVERYTHING],
    );
    for name in ["merged", "8.0.1"] {
        assert_eq!(max(&of[name], "longest-chain"), 2, "{name}");
        assert!(max(&of[name], "flagged-clients") > 0, "{name}");
    }
    assert!(max(&of["8.0.0-rc1"], "longest-chain") > 2);
    // A target that holds too needs one redirect at most, and so does everything together.
    for name in [HOLDS, EVERYTHING] {
        assert_eq!(of[name].verdicts.clean, 12, "{name}");
        assert_eq!(max(&of[name], "longest-chain"), 1, "{name}");
    }
}

/// A lost reply: asked again, nobody takes silence for a refusal.
#[test]
fn a_lost_reply_leaves_one_primary_only_if_it_is_asked_for_again() {
    let of = compared(
        "psync-reply-lost",
        &["8.0.1", HOLDS, CONNECTED, AGAIN, EVERYTHING],
    );
    for (name, clean) in [
        ("8.0.1", 0),
        (HOLDS, 0),
        (CONNECTED, 0),
        (AGAIN, 12),
        (EVERYTHING, 12),
    ] {
        assert_eq!(of[name].verdicts.clean, clean, "{name}");
    }
}

/// A target that nobody can connect to: the old primary is demoted before or after it knows.
#[test]
fn a_primary_that_stays_one_until_it_is_connected_serves_reads() {
    let of = compared("handover-refused", &["8.0.1", CONNECTED, EVERYTHING]);
    assert!(of["8.0.1"].figures["read-outage"].p50 > 1_000_000_000);
    for name in [CONNECTED, EVERYTHING] {
        assert!(max(&of[name], "read-outage") < 300_000_000, "{name}");
        assert_eq!(of[name].verdicts.clean, 12, "{name}");
    }
}
