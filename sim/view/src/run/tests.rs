//! What a run is at instants that are known from its story.

use std::sync::Arc;

use super::*;
use rebound_net::Closing;
use rebound_sim::client::{CommandOutcome, Note as ClientNote, Saw, WriteRange, WrittenKeys};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::{
    Addr, Belief, CommandKind, FailoverState, Gate, GateVerdict, Note as NodeNote, Redirect,
    RedirectKind, Request, Tag, WriteId,
};
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

/// The run right after the first record that `wanted` admits.
fn after(plan: &Arc<Plan>, records: &[Record], wanted: impl Fn(&Event) -> bool) -> Run {
    let mut run = Run::new(plan, plan.behaviour);
    for record in records {
        run.observe(record);
        if wanted(&record.event) {
            return run;
        }
    }
    panic!("no such record");
}

#[test]
fn between_demotion_and_promotion_both_are_replicas() {
    let plan = plan("handover-slow.json");
    let records = trace(&plan, plan.behaviour, 1);
    let run = after(&plan, &records, |event| {
        matches!(event, Event::Client(_, ClientNote::Hop { hops: 4, .. }))
    });
    let old = run.node_state(NodeId(0));
    let new = run.node_state(NodeId(1));
    assert_eq!(
        old.to_string(),
        "replica of new, failover-in-progress to new, link down, 22 postponed; \
         its path to new is clogged: what travels is held"
    );
    assert!(
        new.to_string().starts_with("replica of old, link up"),
        "{new}"
    );
    let Some(Changed::Client(client)) = run.changed().first().copied() else {
        panic!("a client follows a redirect");
    };
    let client = run.client_state(client);
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
    let mut run = Run::new(&plan, plan.behaviour);
    for record in &records {
        run.observe(record);
    }
    let report = run.report(1, (0..plan.clients()).map(ClientId));
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
    let mut run = Run::new(&plan, behaviour);
    let mut most = 0;
    for record in &records {
        run.observe(record);
        let old = run.node_state(NodeId(0));
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
    let mut run = Run::new(&plan, plan.behaviour);
    let mut began = None;
    for record in &records {
        run.observe(record);
        if let Event::Fault { kind, of, from, .. } = record.event {
            let HostRole::Node(node) = run.names().role(from) else {
                continue;
            };
            if kind == FaultKind::Healed {
                assert_eq!(began.take(), Some(of));
                assert!(run.node_state(node).faults.is_empty());
            } else {
                assert_eq!(kind, of);
                began = Some(kind);
                assert_eq!(run.node_state(node).faults.len(), 1);
            }
        }
    }
    assert_eq!(began, None);
}

/// Two nodes and a client, before anything has happened.
fn small() -> Run {
    let text = r#"{
        "name": "small",
        "nodes": [{"name": "old"}, {"name": "new", "replica_of": "old"}],
        "clients": [{"name": "app"}]
    }"#;
    let plan = rebound_sim::scenario::parse(text, "small.json").expect("a scenario");
    Run::new(
        &Arc::new(plan),
        Behaviour::named("8.0.1").expect("a version"),
    )
}

const OLD: HostId = HostId(0);
const APP: HostId = HostId(2);
const CONN: ConnId = ConnId {
    index: 0,
    generation: 0,
};

/// Hands a run what happens, a millisecond apart.
fn play(run: &mut Run, events: &[Event]) {
    for event in events {
        let at = Time(run.at().0 + 1_000_000);
        run.observe(&Record { at, event: *event });
    }
}

fn issued(command: u32) -> Event {
    Event::Client(
        ClientId(0),
        ClientNote::Issued {
            command,
            kind: CommandKind::Get,
            writes: WriteRange {
                first: WriteId::NONE,
                count: 0,
            },
            keys: WrittenKeys::one(0),
        },
    )
}

fn gate(node: u16, command: u32, verdict: GateVerdict) -> Event {
    Event::Node(
        NodeId(node),
        NodeNote::Gate {
            peer: APP,
            number: Some(command),
            command: CommandKind::Get,
            verdict,
            belief: Belief::default(),
        },
    )
}

fn redirect(command: u32) -> Message {
    Message::Reply {
        tag: Tag::command(command),
        reply: Reply::Redirect(Redirect {
            kind: RedirectKind::Redirect,
            to: Addr(1),
            epoch: None,
            belief: Belief::default(),
        }),
    }
}

fn arrives(message: Message) -> Event {
    Event::Net(NetNote::Delivered {
        conn: CONN,
        from: OLD,
        to: APP,
        sent_at: Time::ZERO,
        message,
    })
}

fn follows(command: u32) -> Event {
    Event::Client(
        ClientId(0),
        ClientNote::Hop {
            command,
            kind: CommandKind::Get,
            from: NodeId(0),
            to: Addr(1),
            via: RedirectKind::Redirect,
            hops: 1,
            bounce: false,
            belief: Belief::default(),
        },
    )
}

fn redirected() -> GateVerdict {
    GateVerdict::Redirected(Gate::StandaloneRedirect, Addr(1))
}

#[test]
fn of_a_pipeline_each_command_has_its_own_decision_and_redirect() {
    let mut run = small();
    // Records 1 to 4.
    play(
        &mut run,
        &[
            issued(7),
            issued(8),
            gate(0, 7, redirected()),
            gate(0, 8, redirected()),
        ],
    );
    play(&mut run, &[arrives(redirect(7))]);
    assert_eq!(run.decided_by(), Some(3));
    play(&mut run, &[arrives(redirect(8))]);
    assert_eq!(run.decided_by(), Some(4));
    play(&mut run, &[follows(7)]);
    assert_eq!(run.redirect().map(|arrival| arrival.record), Some(5));
    play(&mut run, &[follows(8)]);
    assert_eq!(run.redirect().map(|arrival| arrival.record), Some(6));
}

#[test]
fn what_a_server_decided_is_not_heard_once_its_connection_is_over() {
    let mut run = small();
    play(&mut run, &[issued(7), gate(0, 7, GateVerdict::Passed)]);
    let closed = NetNote::Closed {
        conn: CONN,
        from: OLD,
        to: APP,
        how: Closing::Reset,
    };
    play(&mut run, &[Event::Net(closed), gate(0, 7, redirected())]);
    play(&mut run, &[arrives(redirect(7))]);
    assert_eq!(run.decided_by(), Some(4));
}

#[test]
fn only_who_has_postponed_a_command_resumes_it() {
    let mut run = small();
    let held = GateVerdict::Postponed(Gate::ClientPause);
    let ask = |run: &Run| run.asked().map(|asked| asked.ask);
    play(&mut run, &[issued(7), gate(0, 7, held)]);
    assert_eq!(ask(&run), Some(Ask::First));
    // The client has not waited, and asks the other.
    play(&mut run, &[gate(1, 7, held)]);
    assert_eq!(ask(&run), Some(Ask::Again));
    play(&mut run, &[gate(1, 7, GateVerdict::Passed)]);
    assert_eq!(ask(&run), Some(Ask::Resumed));
}

#[test]
fn what_is_sent_to_who_is_gone_is_lost() {
    let sending = |message| Sending {
        at: Time::ZERO,
        conn: CONN,
        from: APP,
        to: OLD,
        message,
    };
    let ping = Message::Request(Request {
        tag: Tag::command(7),
        command: rebound_sim::valkey::Command::Ping,
    });
    let mut run = small();
    let (first, can_arrive) = run.sent(&sending(ping));
    assert!(can_arrive);
    assert_eq!(run.undelivered(), [(sending(ping), false)]);
    let crash = Event::Fault {
        kind: FaultKind::Crash,
        of: FaultKind::Crash,
        from: OLD,
        to: OLD,
    };
    play(&mut run, &[crash]);
    let lost: Vec<FlightId> = run.lost().iter().map(|flight| flight.id).collect();
    assert_eq!(lost, [first]);
    // The sender does not know yet.
    let (_, can_arrive) = run.sent(&sending(ping));
    assert!(!can_arrive);
    assert_eq!(run.undelivered(), [(sending(ping), true); 2]);
}

#[test]
fn a_command_is_there_until_the_record_after_its_end() {
    let mut run = small();
    let ended = Event::Client(
        ClientId(0),
        ClientNote::Ended {
            command: 7,
            kind: CommandKind::Get,
            outcome: CommandOutcome::TimedOut,
            hops: 0,
            bounces: 0,
            took: Duration::ZERO,
            writes: WriteRange {
                first: WriteId::NONE,
                count: 0,
            },
            from: Addr(0),
            key: 0,
            saw: Saw::Nothing,
        },
    );
    play(&mut run, &[issued(7), ended]);
    let client = run.client(ClientId(0));
    let outcome = client.command(7).and_then(|command| command.outcome);
    assert_eq!(outcome, Some(CommandOutcome::TimedOut));
    assert_eq!(client.open().count(), 0);
    play(&mut run, &[issued(8)]);
    assert!(run.client(ClientId(0)).command(7).is_none());
}
