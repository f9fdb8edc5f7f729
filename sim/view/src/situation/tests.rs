//! What a run's situation is at instants that are known from its story.

use std::sync::Arc;

use super::*;
use rebound_sim::client::Note as ClientNote;
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::{FailoverState, Gate, GateVerdict, Note as NodeNote};
use rebound_sim::world::Runner;

fn plan(name: &str) -> Arc<Plan> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scenarios")
        .join(name);
    Arc::new(rebound_sim::scenario::load(&path).expect("a shipped scenario"))
}

fn trace(plan: &Arc<Plan>, behaviour: &'static Behaviour, seed: u64) -> Vec<Record> {
    let mut records = Vec::new();
    Runner::new(plan.clone(), behaviour).run(seed, &mut records);
    records
}

/// The situation right after the first record that `wanted` admits.
fn after<'a>(plan: &'a Plan, records: &[Record], wanted: impl Fn(&Event) -> bool) -> Situation<'a> {
    let mut situation = Situation::new(plan, plan.behaviour);
    for record in records {
        situation.observe(record);
        if wanted(&record.event) {
            return situation;
        }
    }
    panic!("no such record");
}

#[test]
fn between_demotion_and_promotion_both_are_replicas() {
    let plan = plan("handover-slow.json");
    let records = trace(&plan, plan.behaviour, 1);
    let situation = after(&plan, &records, |event| {
        matches!(event, Event::Client(_, ClientNote::Hop { hops: 4, .. }))
    });
    let old = situation.node(NodeId(0));
    let new = situation.node(NodeId(1));
    assert_eq!(
        old.to_string(),
        "replica of new, failover-in-progress to new, link down, 22 postponed; \
         its path to new is clogged: what travels is held"
    );
    assert!(
        new.to_string().starts_with("replica of old, link up"),
        "{new}"
    );
    let Some(Changed::Client(client)) = situation.changed().first().copied() else {
        panic!("a client follows a redirect");
    };
    let client = situation.client_state(client);
    assert_eq!((client.open[0].hops, client.open[0].bounces), (4, 3));
    assert!(
        client.to_string().contains("(redirect 4, bounce 3)"),
        "{client}"
    );
}

#[test]
fn all_is_quiet_at_the_end() {
    let plan = plan("handover-slow.json");
    let records = trace(&plan, plan.behaviour, 1);
    let mut situation = Situation::new(&plan, plan.behaviour);
    for record in &records {
        situation.observe(record);
    }
    let report = situation.report(1, (0..plan.clients()).map(ClientId));
    assert_eq!(report.records, records.len() as u64);
    assert_eq!(report.nodes[1].to_string(), "primary");
    assert_eq!(report.nodes[0].to_string(), "replica of new, link up");
    assert!(report.clients.iter().all(|client| client.open.is_empty()));
    let served: u64 = report.clients.iter().map(|client| client.served).sum();
    let ended =
        |record: &&Record| matches!(record.event, Event::Client(_, ClientNote::Ended { .. }));
    assert_eq!(served, records.iter().filter(ended).count() as u64);
}

#[test]
fn postponed_commands_are_counted_until_they_are_released() {
    let plan = plan("handover-slow.json");
    let behaviour = rebound_sim::scenario::behaviour_named("8.0.1").expect("a version");
    let records = trace(&plan, behaviour, 1);
    let mut situation = Situation::new(&plan, behaviour);
    let mut most = 0;
    for record in &records {
        situation.observe(record);
        let old = situation.node(NodeId(0));
        most = most.max(old.postponed);
        if matches!(record.event, Event::Node(node, NodeNote::Released { .. }) if node == NodeId(0))
        {
            assert_eq!(old.postponed, 0);
        }
        if let Event::Node(
            NodeId(0),
            NodeNote::Gate {
                verdict: GateVerdict::Postponed(gate),
                ..
            },
        ) = record.event
        {
            // Writes wait for the pause; then 8.0.1 holds what it would redirect.
            let expected = if old.failover == FailoverState::WaitForSync.name() {
                Gate::ClientPause
            } else {
                Gate::StandaloneRedirect
            };
            assert_eq!(gate, expected, "{old}");
            assert_ne!(old.failover, FailoverState::NoFailover.name());
        }
    }
    assert!(most > 10, "{most}");
}

#[test]
fn a_fault_ends_when_that_fault_ends() {
    let plan = plan("handover-slow.json");
    let records = trace(&plan, plan.behaviour, 1);
    let mut situation = Situation::new(&plan, plan.behaviour);
    let mut began = None;
    for record in &records {
        situation.observe(record);
        if let Event::Fault { kind, of, from, .. } = record.event {
            let HostRole::Node(node) = situation.names.role(from) else {
                continue;
            };
            if kind == FaultKind::Healed {
                assert_eq!(began.take(), Some(of));
                assert!(situation.node(node).faults.is_empty());
            } else {
                assert_eq!(kind, of);
                began = Some(kind);
                assert_eq!(situation.node(node).faults.len(), 1);
            }
        }
    }
    assert_eq!(began, None);
}
