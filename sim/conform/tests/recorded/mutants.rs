//! Models that are broken on purpose: the recordings must give each of them away.

use rebound_sim::valkey::{
    Behaviour, BlockedClients, Defect, Demotion, Gate, Promotion, RedirectInMulti, WhileInProgress,
};

use crate::recordings;

/// A rule broken, and a recording that shows it.
struct Mutant {
    what: &'static str,
    broken: fn(Behaviour) -> Behaviour,
    /// Label and script.
    caught_by: (&'static str, &'static str),
}

fn with(defect: Defect, behaviour: Behaviour) -> Behaviour {
    Behaviour {
        defect: Some(defect),
        ..behaviour
    }
}

/// The order of gates with one moved in front of another.
fn moved(gates: &[Gate], gate: Gate, before: Gate) -> &'static [Gate] {
    let mut order: Vec<Gate> = gates.iter().copied().filter(|g| *g != gate).collect();
    let index = order.iter().position(|g| *g == before).expect("a gate");
    order.insert(index, gate);
    order.leak()
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "the pause is checked before the redirect",
        broken: |b| Behaviour {
            gates: moved(b.gates, Gate::ClientPause, Gate::StandaloneRedirect),
            ..b
        },
        caught_by: ("8.0.0-rc1", "S3-probes"),
    },
    Mutant {
        what: "a read-only replica is checked before the redirect",
        broken: |b| Behaviour {
            gates: moved(b.gates, Gate::ReadOnlyReplica, Gate::StandaloneRedirect),
            ..b
        },
        caught_by: ("8.0.1", "S2-hold"),
    },
    Mutant {
        what: "what would be redirected in a hand-over is redirected all the same",
        broken: |b| Behaviour {
            while_in_progress: WhileInProgress::Redirect,
            ..b
        },
        caught_by: ("8.1.8", "S2-hold"),
    },
    Mutant {
        what: "what would be redirected in a hand-over is let through",
        broken: |b| Behaviour {
            while_in_progress: WhileInProgress::FallThrough,
            ..b
        },
        caught_by: ("9.1.2", "S2-hold"),
    },
    Mutant {
        what: "a redirect leaves a transaction alone",
        broken: |b| Behaviour {
            redirect_in_multi: RedirectInMulti::LeaveUntouched,
            ..b
        },
        caught_by: ("8.0.1", "S3-probes"),
    },
    Mutant {
        what: "blocked clients are thrown out at the end and not at the beginning",
        broken: |b| Behaviour {
            blocked_clients: BlockedClients::UnblockAtCompletion,
            ..b
        },
        caught_by: ("8.0.1", "S3-probes"),
    },
    Mutant {
        what: "blocked clients are thrown out at the beginning and not redirected at the end",
        broken: |b| Behaviour {
            blocked_clients: BlockedClients::UnblockAtDemotion,
            ..b
        },
        caught_by: ("9.1.2", "S3-probes"),
    },
    Mutant {
        what: "the handshake leaves out its version",
        broken: |b| Behaviour {
            replconf_version: false,
            ..b
        },
        caught_by: ("8.0.1", "S6-idle"),
    },
    Mutant {
        what: "the old primary demotes itself only when the target has been reached",
        broken: |b| Behaviour {
            demotion: Demotion::WhenConnected,
            ..b
        },
        caught_by: ("8.0.1", "S4-refused"),
    },
    Mutant {
        what: "a lost reply to PSYNC is asked for again",
        broken: |b| Behaviour {
            promotion: Promotion::Idempotent,
            ..b
        },
        caught_by: ("8.0.1", "S4-cut-after-psync"),
    },
    Mutant {
        what: "the pause is lifted at the demotion",
        broken: |b| with(Defect::PauseLiftedEarly, b),
        caught_by: ("8.0.1", "S3-sync"),
    },
    Mutant {
        what: "the target promotes itself before it is asked",
        broken: |b| with(Defect::PromotedBeforeAsked, b),
        caught_by: ("8.0.1", "S1-to"),
    },
    Mutant {
        what: "the target says yes and stays a replica",
        broken: |b| with(Defect::NeverPromoted, b),
        caught_by: ("8.0.1", "S6-idle"),
    },
    Mutant {
        what: "a refused hand-over is not tried again",
        broken: |b| with(Defect::NothingRetried, b),
        caught_by: ("8.0.1", "S4-refused"),
    },
    Mutant {
        what: "TIMEOUT ends a hand-over",
        broken: |b| with(Defect::TimeoutInProgress, b),
        caught_by: ("8.0.1", "S2-hold"),
    },
    Mutant {
        what: "whom a failover has postponed waits for ever",
        broken: |b| with(Defect::PostponedForgotten, b),
        caught_by: ("8.0.1", "S1-to"),
    },
    Mutant {
        what: "a replica acknowledges at once",
        broken: |b| with(Defect::AcknowledgedAtOnce, b),
        caught_by: ("8.0.1", "S1-to"),
    },
    Mutant {
        what: "a failover that is aborted leaves a replica",
        broken: |b| with(Defect::DemotedForGood, b),
        caught_by: ("8.0.1", "S4-abort-inprogress"),
    },
];

/// Every mutant differs from a recording with which the model itself agrees (`all_agree` shows
/// that).
#[test]
fn every_mutant_is_caught() {
    let mut escaped = Vec::new();
    for mutant in MUTANTS {
        let (label, script) = mutant.caught_by;
        let sound = Behaviour::of_server(label).expect("a version of the recordings");
        let broken: &'static Behaviour =
            Box::leak(Box::new((mutant.broken)(Behaviour { ..*sound })));
        let runs = recordings::of(label, script);
        let run = (runs.first()).unwrap_or_else(|| panic!("no recording {label}/{script}"));
        if recordings::compare(run, broken).agrees() {
            escaped.push(format!("{} ({label}/{script})", mutant.what));
        }
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}
