//! The scenario library: every file is in order, runs the same twice, and the claims that matter
//! most hold. (`rebound check` tries everything that the files expect, over more seeds.)

use rebound_sim::valkey::{
    BEHAVIOURS, Behaviour, CommandKind, ErrorKind, FailoverState, GateVerdict, NodeId,
    Note as NodeNote, RedirectKind, Role,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rebound_sim::Runner;
use rebound_sim::client::{CommandOutcome, Note as ClientNote};
use rebound_sim::results::{CheckId, RunReport, Verdict};
use rebound_sim::scenario::{Expectation, ExpectedVerdict, Plan, load};
use rebound_sim::trace::{Event, NoTrace, Record};

const SEEDS: std::ops::Range<u64> = 0..3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// Every scenario file, in the names' order.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("scenarios/ can be read")
        .map(|entry| entry.expect("scenarios/ can be read").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "regressions"))
        .collect();
    files.sort();
    assert!(files.len() > 40, "only {} scenarios", files.len());
    files
}

fn plan_of(path: &Path) -> Arc<Plan> {
    Arc::new(load(path).unwrap_or_else(|error| panic!("{error}")))
}

fn plan(name: &str) -> Arc<Plan> {
    plan_of(&folder().join(format!("{name}.json")))
}

fn behaviour(name: &str) -> &'static Behaviour {
    Behaviour::named(name).unwrap_or_else(|| panic!("no behaviour {name}"))
}

/// The seeds' runs of a scenario under a behaviour.
fn runs(scenario: &str, behaviour_name: &str) -> Vec<RunReport> {
    let mut runner = Runner::new(plan(scenario), behaviour(behaviour_name));
    SEEDS.map(|seed| runner.run(seed, &mut NoTrace)).collect()
}

/// A run and all that happened in it.
fn traced(scenario: &str, behaviour_name: &str, seed: u64) -> (RunReport, Vec<Record>) {
    let mut records = Vec::new();
    let mut runner = Runner::new(plan(scenario), behaviour(behaviour_name));
    let report = runner.run(seed, &mut records);
    (report, records)
}

fn has(report: &RunReport, check: CheckId) -> bool {
    report.found().any(|found| found == check.name())
}

fn errors(report: &RunReport, code: &str) -> u64 {
    report.errors.get(code).copied().unwrap_or(0)
}

#[test]
fn every_file_says_what_it_is() {
    for path in files() {
        let plan = plan_of(&path);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        assert_eq!(Some(plan.name.as_str()), stem, "the name is the file's");
        assert!(!plan.expect.is_empty(), "{} expects nothing", plan.name);
        let text = fs::read_to_string(&path).expect("it has just been read");
        let file: serde_json::Value = serde_json::from_str(&text).expect("it has just been parsed");
        for field in ["description", "source"] {
            let words = file[field].as_str().unwrap_or_default();
            assert!(words.len() > 20, "{} has no {field}", plan.name);
        }
    }
}

#[test]
fn every_file_is_in_the_documented_library() {
    let page = folder().join("../docs/scenario-library.md");
    let page = fs::read_to_string(page).expect("docs/scenario-library.md can be read");
    for path in files() {
        let name = plan_of(&path).name.clone();
        assert!(page.contains(&format!("`{name}`")), "{name} is missing");
    }
}

#[test]
fn the_canary_is_flagged_under_every_behaviour() {
    let plan = plan("canary");
    let expected: BTreeSet<&str> = plan
        .expect
        .iter()
        .filter(|expectation| expectation.verdict == ExpectedVerdict::Flagged)
        .flat_map(|expectation| expectation.behaviours.iter().map(|b| b.name))
        .collect();
    for behaviour in BEHAVIOURS {
        assert!(expected.contains(behaviour.name), "{}", behaviour.name);
        for run in runs("canary", behaviour.name) {
            assert_eq!(run.verdict, Verdict::Flagged, "{}", behaviour.name);
        }
    }
}

/// A run is fixed by scenario, behaviour and seed, whatever the world has run before; and no seed
/// breaks what is expected of every run.
#[test]
fn every_scenario_runs_the_same_twice() {
    let plans: Vec<Arc<Plan>> = files().iter().map(|path| plan_of(path)).collect();
    let work: Vec<(&Arc<Plan>, &Expectation, &'static Behaviour)> = plans
        .iter()
        .flat_map(|plan| {
            plan.expect
                .iter()
                .map(move |expectation| (plan, expectation))
        })
        .flat_map(|(plan, expectation)| {
            let behaviours = expectation.behaviours.iter();
            behaviours.map(move |behaviour| (plan, expectation, *behaviour))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((plan, expectation, behaviour)) =
                    work.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    run_twice(plan, expectation, behaviour);
                }
            });
        }
    });
}

fn run_twice(plan: &Arc<Plan>, expectation: &Expectation, behaviour: &'static Behaviour) {
    let mut used = Runner::new(plan.clone(), behaviour);
    let mut other = Runner::new(plan.clone(), behaviour);
    let first: Vec<RunReport> = SEEDS.map(|seed| used.run(seed, &mut NoTrace)).collect();
    // In the other order: nothing of one seed's run may reach another's.
    for (seed, first) in SEEDS.zip(&first).collect::<Vec<_>>().into_iter().rev() {
        let again = other.run(seed, &mut NoTrace);
        let run = format!("{} under {}, seed {seed}", plan.name, behaviour.name);
        assert_eq!(first.trace_hash, again.trace_hash, "{run}");
        assert_ne!(first.verdict, Verdict::Inconclusive, "{run}");
        match expectation.verdict {
            ExpectedVerdict::Clean => assert_eq!(first.verdict, Verdict::Clean, "{run}"),
            ExpectedVerdict::Flagged => assert_eq!(first.verdict, Verdict::Flagged, "{run}"),
            ExpectedVerdict::Share { .. } => {}
        }
        for check in &expectation.never {
            assert!(!has(first, *check), "{run}: {}", check.name());
        }
        if let Some(most) = expectation.max_chain {
            assert!(first.hops.max_chain <= u64::from(most), "{run}");
        }
    }
}

#[test]
fn a_held_hand_over_bounces_under_rc1_and_costs_one_redirect_with_the_fix() {
    for run in runs("handover-slow", "8.0.0-rc1") {
        assert!(has(&run, CheckId::Bounce), "seed {}", run.seed);
        assert!(run.hops.max_chain > 100, "seed {}", run.seed);
    }
    for fixed in ["8.0.1", "merged"] {
        for run in runs("handover-slow", fixed) {
            assert_eq!(run.verdict, Verdict::Clean, "{fixed}, seed {}", run.seed);
            assert_eq!(run.hops.max_chain, 1, "{fixed}, seed {}", run.seed);
            assert_eq!(run.bounces.total, 0, "{fixed}, seed {}", run.seed);
        }
    }
}

/// new → old, a wait there, old → new: two redirects, never three.
#[test]
fn late_joiners_meet_exactly_two_redirects_with_the_fix() {
    for run in runs("late-joiners", "8.0.1") {
        assert_eq!(run.hops.max_chain, 2, "seed {}", run.seed);
        assert_eq!(run.clients.flagged, 20, "seed {}", run.seed);
    }
}

/// The pause of a failover is one of writes, so a read passes `ClientPause` wherever that stands.
/// Under pause-first it then meets `StandaloneRedirect`, which redirects as ever; under combined
/// that lets it through while the failover is in progress, and the demoted node serves it.
#[test]
fn reads_bounce_under_pause_first_and_are_served_under_combined() {
    for run in runs("reads-only", "pause-first") {
        assert!(has(&run, CheckId::Bounce), "seed {}", run.seed);
    }
    let (run, records) = traced("reads-only", "combined", 0);
    assert_eq!(run.verdict, Verdict::Clean);
    assert_eq!(run.hops.max_chain, 1);
    let mut window = false;
    let mut served = 0;
    for record in &records {
        if let Event::Node(_, NodeNote::Failover { state, .. }) = record.event {
            window = state == FailoverState::InProgress;
        } else if let Event::Client(_, ClientNote::Ended { kind, outcome, .. }) = record.event {
            let read = kind == CommandKind::Get && outcome == CommandOutcome::Served;
            served += u32::from(window && read);
        }
    }
    assert!(served > 100, "{served} reads served in the window");
}

/// Writes wait under pause-first: `ClientPause` stands before everything that would send them
/// away.
#[test]
fn writes_wait_under_pause_first() {
    for run in runs("writes-only", "pause-first") {
        assert_eq!(run.verdict, Verdict::Clean, "seed {}", run.seed);
        assert!(run.hops.max_chain <= 1, "seed {}", run.seed);
    }
}

/// The order is `StandaloneRedirect`, …, `ReadOnlyReplica`, …, `ClientPause`. state-check lets a
/// command through the first while the failover is in progress; the old primary is a replica by
/// then, so a write is stopped by the second and never reaches the third, which would have made
/// it wait.
#[test]
fn state_check_surfaces_readonly() {
    for run in runs("writes-only", "state-check") {
        assert!(has(&run, CheckId::ErrorSurfaced), "seed {}", run.seed);
        assert!(
            errors(&run, ErrorKind::ReadOnly.code()) > 0,
            "seed {}",
            run.seed
        );
        assert!(!has(&run, CheckId::Bounce), "seed {}", run.seed);
    }
}

/// Nothing in any version protects against a lost reply to PSYNC FAILOVER: one node has promoted
/// itself, and the other takes the silence for a refusal.
#[test]
fn a_lost_reply_makes_two_primaries_under_every_behaviour() {
    for behaviour in BEHAVIOURS {
        for run in runs("psync-reply-lost", behaviour.name) {
            let run_is = format!("{}, seed {}", behaviour.name, run.seed);
            assert!(has(&run, CheckId::TwoPrimaries), "{run_is}");
        }
        let (_, records) = traced("psync-reply-lost", behaviour.name, 0);
        let mut primary = [false; 2];
        for record in &records {
            if let Event::Node(node, NodeNote::Role { role, .. }) = record.event {
                primary[usize::from(node.0)] = role == Role::Primary;
            }
        }
        assert_eq!(primary, [true; 2], "{}: for good", behaviour.name);
    }
}

/// PR 871 alone lets a redirect pass through a transaction; PR 895 makes EXEC abort.
#[test]
fn an_empty_exec_is_a_lost_write_until_pr_895() {
    for run in runs("transactions", "merged") {
        assert!(has(&run, CheckId::LostWrite), "seed {}", run.seed);
    }
    for run in runs("transactions", "8.0.1") {
        assert_eq!(run.writes.lost, 0, "seed {}", run.seed);
    }
}

/// A library that is redirected in answer to BLPOP follows, and waits at the new primary: to the
/// application the failover is one long pop.
#[test]
fn a_redirected_pop_waits_at_the_new_primary() {
    let (run, records) = traced("blocked-clients", "redirect-at-completion", 0);
    assert_eq!(run.verdict, Verdict::Clean);
    let (old, new) = (NodeId(0), NodeId(1));
    let (mut redirected, mut waiting) = (0, 0);
    for record in &records {
        if let Event::Client(_, ClientNote::Hop { kind, from, .. }) = record.event {
            assert_eq!((kind, from), (CommandKind::BlPop, old));
            redirected += 1;
        } else if let Event::Node(node, NodeNote::Gate { verdict, .. }) = record.event
            && node == new
        {
            assert_eq!(verdict, GateVerdict::Passed);
            waiting += 1;
        } else if let Event::Client(_, ClientNote::Ended { outcome, .. }) = record.event {
            assert_eq!(outcome, CommandOutcome::Served);
            assert_eq!(redirected, 5, "nobody's pop ends before the failover");
        }
    }
    assert!(redirected == 5 && waiting >= 5, "{redirected}, {waiting}");
}

/// Three rules for blocked clients, three outcomes: an error for nothing, an error where there
/// is somewhere to go, none.
#[test]
fn the_rules_for_blocked_clients_differ() {
    for (behaviour, aborted, succeeded) in [
        ("8.0.1", true, true),
        ("unblock-at-completion", false, true),
        ("redirect-at-completion", false, false),
    ] {
        for (scenario, flagged) in [
            ("blocked-clients-aborted", aborted),
            ("blocked-clients", succeeded),
        ] {
            for run in runs(scenario, behaviour) {
                let run_is = format!("{scenario}, {behaviour}, seed {}", run.seed);
                assert_eq!(has(&run, CheckId::ErrorSurfaced), flagged, "{run_is}");
            }
        }
    }
}

/// The comparison that began it all: a standalone failover of release candidate 1 has a state in
/// which two nodes send a client to each other, and a cluster's failover has none, however slow
/// its bus is.
#[test]
fn a_cluster_s_failover_does_not_bounce_where_a_standalone_one_does() {
    for report in runs("handover-slow", "8.0.0-rc1") {
        assert!(has(&report, CheckId::Bounce));
        assert!(report.hops.max_chain > 100, "{}", report.hops.max_chain);
    }
    for name in ["8.0.0-rc1", "8.0.1"] {
        for report in runs("cluster-failover", name) {
            assert_eq!(
                report.verdict,
                Verdict::Clean,
                "{name}: {:?}",
                report.findings
            );
            assert_eq!((report.hops.max_chain, report.bounces.total), (1, 0));
            assert!(report.hops.total > 100, "the shard did fail over");
        }
        for report in runs("cluster-failover-slow-bus", name) {
            assert_eq!(
                report.verdict,
                Verdict::Clean,
                "{name}: {:?}",
                report.findings
            );
            assert_eq!(report.hops.max_chain, 2, "to the old primary and back");
            assert_eq!(report.bounces.max, 1);
        }
    }
}

/// The replica is a primary before the old one gives way: the order that a standalone failover
/// turns round.
#[test]
fn a_cluster_s_replica_promotes_itself_first() {
    let (_, records) = traced("cluster-failover", "8.0.1", 0);
    let becomes = |node: u16, role: Role| {
        let found = records.iter().filter(|record| record.at.0 > 1_000_000_000);
        let mut found = found.filter(|record| {
            matches!(record.event, Event::Node(of, NodeNote::Role { role: is, .. })
                if of == NodeId(node) && is == role)
        });
        found.next().expect("changes its role").at
    };
    assert!(becomes(3, Role::Primary) < becomes(0, Role::Replica));
}

/// What `CLUSTER FAILOVER` costs in writes depends on how it is asked for.
#[test]
fn only_an_agreed_failover_keeps_every_write() {
    for (scenario, loses) in [
        ("cluster-failover", false),
        ("cluster-failover-force", true),
        ("cluster-failover-takeover", true),
        ("cluster-partition", true),
        ("cluster-no-quorum", false),
    ] {
        for report in runs(scenario, "8.0.1") {
            assert_eq!(has(&report, CheckId::LostWrite), loses, "{scenario}");
        }
    }
}

/// Nobody votes: the old primary's pause ends after five seconds (it looks every 100 ms).
#[test]
fn a_failover_without_a_quorum_holds_writes_for_five_seconds() {
    let (_, records) = traced("cluster-no-quorum", "8.0.1", 0);
    let longest = records.iter().filter_map(|record| {
        let Event::Client(_, ClientNote::Ended { outcome, took, .. }) = record.event else {
            return None;
        };
        (outcome == CommandOutcome::Served).then_some(took.0)
    });
    let longest = longest.max().expect("some are served");
    assert!(
        (4_900_000_000..5_200_000_000).contains(&longest),
        "{longest}"
    );
}

/// A finding in a cluster says by which reply and for which slot a client was sent on.
#[test]
fn a_chain_in_a_cluster_names_its_slots() {
    let reports = runs("cluster-setslot-wrong-order", "8.0.1");
    let findings = reports.iter().flat_map(|report| &report.findings);
    let bounce = findings
        .filter(|finding| finding.check == CheckId::Bounce)
        .find(|finding| finding.chain.len() > 2)
        .expect("a loop");
    for hop in &bounce.chain {
        assert_eq!(hop.via.as_deref(), Some("MOVED 13907"));
    }
    assert!(
        bounce
            .why
            .contains("c considered b the owner of slot 13907, and b considered c the owner"),
        "{}",
        bounce.why
    );
    for report in runs("handover-slow", "8.0.0-rc1") {
        let chains = report.findings.iter().flat_map(|finding| &finding.chain);
        assert!(chains.into_iter().all(|hop| hop.via.is_none()));
    }
}

/// A slot on the move is served at both ends of the way, by ASK and TRYAGAIN, and loses nothing.
#[test]
fn resharding_asks_and_loses_nothing() {
    let (report, records) = traced("cluster-resharding", "8.0.1", 0);
    assert!(!has(&report, CheckId::LostWrite));
    assert_eq!(report.commands.failed, 0);
    let count = |wanted: fn(&RedirectKind) -> bool| {
        records
            .iter()
            .filter(|record| matches!(&record.event, Event::Client(_, ClientNote::Hop { via, .. }) if wanted(via)))
            .count()
    };
    assert!(count(|via| matches!(via, RedirectKind::Ask(_))) > 50);
    assert!(count(|via| matches!(via, RedirectKind::Moved(_))) > 0);
}
