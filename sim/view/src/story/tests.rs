//! Stories of small records made by hand.

use std::sync::Arc;

use super::*;
use rebound_net::{Closing, ConnId, Note as NetNote};
use rebound_sim::client::{CommandOutcome, Note as ClientNote, Saw, WriteRange, WrittenKeys};
use rebound_sim::valkey::{
    Addr, Behaviour, Belief, Command, CommandKind, ErrorKind, FailoverEnd, FailoverState, Gate,
    GateVerdict, LinkState, Message, Note as NodeNote, RedirectKind, ReplId, Reply, Request, Role,
    Tag, WriteId,
};

const OLD: NodeId = NodeId(0);
const NEW: NodeId = NodeId(1);
const OLD_HOST: HostId = HostId(0);
const NEW_HOST: HostId = HostId(1);
const APP: ClientId = ClientId(0);
const APP_HOST: HostId = HostId(2);
const CONN: ConnId = ConnId {
    index: 0,
    generation: 0,
};

fn plan() -> rebound_sim::scenario::Plan {
    let text = r#"{
        "name": "told",
        "nodes": [{"name": "old"}, {"name": "new", "replica_of": "old"}],
        "clients": [{"name": "app", "count": 2}],
        "timeline": [{"at": "1s", "do": {"command":
            {"node": "old", "run": ["FAILOVER TO new 6379 TIMEOUT 10000"]}}}]
    }"#;
    rebound_sim::scenario::parse(text, "told.json").expect("a scenario")
}

/// The lines of a story of events that are a millisecond apart, as `who words`.
fn told_by(behaviour: &str, filter: &Filter, events: &[Event]) -> Vec<String> {
    let records = events.iter().zip(1_u64..).map(|(event, ms)| Record {
        at: Time(ms * 1_000_000),
        event: *event,
    });
    told_records(behaviour, filter, &records.collect::<Vec<_>>())
}

fn told_records(behaviour: &str, filter: &Filter, records: &[Record]) -> Vec<String> {
    let behaviour = Behaviour::named(behaviour).expect("a behaviour");
    let mut run = Run::new(&Arc::new(plan()), behaviour);
    let mut story = Story::default();
    let mut lines = Vec::new();
    for record in records {
        run.observe(record);
        lines.extend(story.tell(&run, record, filter));
    }
    lines.extend(story.finish(&run));
    assert!(lines.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns));
    let text = |line: StoryLine| format!("{} {}", line.who, line.words);
    lines.into_iter().map(text).collect()
}

fn told(events: &[Event]) -> Vec<String> {
    told_by("8.0.0-rc1", &Filter::story(vec![APP]), events)
}

fn belief(role: Role, failover: FailoverState, link: LinkState) -> Belief {
    Belief {
        role,
        failover,
        link,
    }
}

/// What `old` believes in the middle of handing over.
fn handing_over() -> Belief {
    belief(Role::Replica, FailoverState::InProgress, LinkState::Down)
}

fn gate(
    node: NodeId,
    (number, command): (u32, CommandKind),
    verdict: GateVerdict,
    belief: Belief,
) -> Event {
    Event::Node(
        node,
        NodeNote::Gate {
            peer: APP_HOST,
            number: Some(number),
            command,
            verdict,
            belief,
        },
    )
}

fn role(node: NodeId, role: Role, primary: Option<Addr>, link: LinkState) -> Event {
    Event::Node(
        node,
        NodeNote::Role {
            role,
            primary,
            link,
            replid: ReplId::made(OLD, 0),
            offset: 1_000,
        },
    )
}

const NO_WRITES: WriteRange = WriteRange {
    first: WriteId::NONE,
    count: 0,
};

fn issued(command: u32, kind: CommandKind) -> Event {
    Event::Client(
        APP,
        ClientNote::Issued {
            command,
            kind,
            writes: NO_WRITES,
            keys: WrittenKeys::one(0),
        },
    )
}

fn ended(command: u32, kind: CommandKind, hops: u32, outcome: CommandOutcome) -> Event {
    Event::Client(
        APP,
        ClientNote::Ended {
            command,
            kind,
            outcome,
            hops,
            bounces: hops.saturating_sub(1),
            took: rebound_engine::Duration::millis(3),
            writes: NO_WRITES,
            from: Addr(0),
            key: 0,
            saw: Saw::Nothing,
        },
    )
}

/// Redirect `hops` of SET #0: from `old` if it is odd.
fn hop(hops: u32) -> Event {
    let from = if hops % 2 == 1 { OLD } else { NEW };
    Event::Client(
        APP,
        ClientNote::Hop {
            command: 0,
            kind: CommandKind::Set,
            from,
            to: Addr(1 - from.0),
            via: RedirectKind::Redirect,
            hops,
            bounce: hops > 1,
            belief: handing_over(),
        },
    )
}

fn roles_at_start() -> [Event; 2] {
    [
        role(OLD, Role::Primary, None, LinkState::None),
        role(NEW, Role::Replica, Some(Addr(0)), LinkState::Up),
    ]
}

#[test]
fn a_failover_says_what_each_node_is() {
    let failover = |state, how| {
        Event::Node(
            OLD,
            NodeNote::Failover {
                state,
                target: Some(Addr(1)),
                how,
            },
        )
    };
    let mut events = roles_at_start().to_vec();
    events.extend([
        failover(FailoverState::WaitForSync, FailoverEnd::Underway),
        Event::Node(
            OLD,
            NodeNote::Operator {
                command: CommandKind::Failover,
                reply: Reply::Ok,
            },
        ),
        failover(FailoverState::InProgress, FailoverEnd::Underway),
        role(OLD, Role::Replica, Some(Addr(1)), LinkState::Down),
        role(NEW, Role::Primary, None, LinkState::None),
        failover(FailoverState::NoFailover, FailoverEnd::Success),
    ]);
    assert_eq!(
        told(&events),
        [
            "old starts as a primary (replid-0, offset 1000)",
            "new starts as a replica of old, link up (replid-0, offset 1000)",
            "old begins a failover to new (waiting-for-sync): writes are paused until the replica \
             has acknowledged everything",
            "old answers the operator's FAILOVER TO new 6379 TIMEOUT 10000: +OK",
            "old hands over to new (failover-in-progress): it becomes its replica and asks it to \
             take over; writes stay paused",
            "old demotes itself: it is a replica of new now, link down (replid-0, offset 1000); no \
             node is a primary, since new is a replica of old",
            "new promotes itself: it is a primary now (replid-0, offset 1000)",
            "old sees its failover to new succeed (no-failover): new has promoted itself, and the \
             pause is over",
        ]
    );
}

#[test]
fn a_redirect_names_its_gate_and_why() {
    let redirected = GateVerdict::Redirected(Gate::StandaloneRedirect, Addr(1));
    let mut events = roles_at_start().to_vec();
    events.extend([
        role(OLD, Role::Replica, Some(Addr(1)), LinkState::Down),
        issued(0, CommandKind::Set),
        gate(OLD, (0, CommandKind::Set), redirected, handing_over()),
        issued(1, CommandKind::Get),
        gate(OLD, (1, CommandKind::Get), redirected, handing_over()),
    ]);
    let why = "gate StandaloneRedirect redirects it to new:6379, because old is a replica of new, \
               failover-in-progress, link down and the client said CLIENT CAPA redirect";
    let lines = told(&events);
    assert_eq!(
        lines[3..],
        [
            "app/0 issues SET #0".to_owned(),
            format!("old is asked SET #0 by app/0: {why}; the pause is looked at only later"),
            "app/0 issues GET #1".to_owned(),
            format!(
                "old is asked GET #1 by app/0: {why} and not READONLY; the pause is looked at \
                 only later"
            ),
        ]
    );
    // Where the pause has been looked at before, nothing is said of it.
    let lines = told_by("pause-first", &Filter::story(vec![APP]), &events);
    assert!(lines[4].ends_with("CLIENT CAPA redirect"), "{}", lines[4]);
}

#[test]
fn long_runs_of_redirects_become_a_line() {
    let mut events = vec![issued(0, CommandKind::Set)];
    let redirected = GateVerdict::Redirected(Gate::StandaloneRedirect, Addr(1));
    for number in 1..=1_500 {
        events.push(gate(OLD, (0, CommandKind::Set), redirected, handing_over()));
        events.push(hop(number));
        events.push(Event::Net(NetNote::Dialled {
            conn: CONN,
            from: APP_HOST,
            to: NEW_HOST,
        }));
    }
    events.push(ended(0, CommandKind::Set, 1_500, CommandOutcome::Served));
    let lines = told(&events);
    let redirects = |line: &&String| line.contains("follows redirect");
    assert_eq!(lines.iter().filter(redirects).count(), 4);
    assert_eq!(
        lines[lines.len() - 2..],
        [
            "app/0 … 1,496 more redirects of SET #0 between new and old until 4.500000s, each a \
             BOUNCE",
            "app/0 SET #0 is served, 3ms after it was issued, after 1,500 redirects and 1,499 \
             bounces",
        ]
    );
    assert!(lines.iter().any(|line| line
        == "app/0 follows redirect 2 of SET #0 from new back to old: BOUNCE (old had already \
            redirected it)"));
    // A node's doings come in between, in order.
    events.insert(3_000, role(NEW, Role::Primary, None, LinkState::None));
    let lines = told(&events);
    assert_eq!(lines.iter().filter(|line| line.contains('…')).count(), 2);
    // Everything is everything.
    assert_eq!(
        told_by("8.0.1", &Filter::all(), &events).len(),
        events.len()
    );
}

#[test]
fn commands_that_are_served_at_once_are_counted() {
    let primary = belief(Role::Primary, FailoverState::NoFailover, LinkState::None);
    let mut events = Vec::new();
    for number in 0..5 {
        events.extend([
            issued(number, CommandKind::Get),
            gate(
                OLD,
                (number, CommandKind::Get),
                GateVerdict::Passed,
                primary,
            ),
            ended(number, CommandKind::Get, 0, CommandOutcome::Served),
        ]);
    }
    assert_eq!(
        told(&events),
        ["app/0 … 5 commands served at once until 0.015000s"]
    );
    // One that is under way when something happens is told.
    events.insert(4, role(OLD, Role::Primary, None, LinkState::None));
    assert_eq!(
        told(&events),
        [
            "app/0 … 1 command served at once until 0.003000s",
            "app/0 issues GET #1",
            "old starts as a primary (replid-0, offset 1000)",
            "old is asked GET #1 by app/0: all gates let it pass (old is a primary)",
            "app/0 GET #1 is served, 3ms after it was issued",
            "app/0 … 3 commands served at once until 0.016000s",
        ]
    );
}

#[test]
fn acknowledgements_and_repetitions_are_left_out() {
    let request = |command| {
        Message::Request(Request {
            tag: Tag::own(0),
            command,
        })
    };
    let reply = |reply| Message::Reply {
        tag: Tag::own(0),
        reply,
    };
    let delivered = |from, to, message| {
        Event::Net(NetNote::Delivered {
            conn: CONN,
            from,
            to,
            sent_at: Time(500_000),
            message,
        })
    };
    let looked_at = |command| {
        Event::Node(
            OLD,
            NodeNote::Gate {
                peer: NEW_HOST,
                number: None,
                command,
                verdict: GateVerdict::Passed,
                belief: Belief::default(),
            },
        )
    };
    let events = [
        delivered(NEW_HOST, OLD_HOST, request(Command::Ping)),
        looked_at(CommandKind::Ping),
        delivered(NEW_HOST, OLD_HOST, request(Command::ReplConfAck(5.into()))),
        looked_at(CommandKind::ReplConf),
        delivered(
            OLD_HOST,
            NEW_HOST,
            request(Command::Psync {
                epoch: None,
                replid: Some(ReplId::made(OLD, 0)),
                offset: 7.into(),
                failover: true,
            }),
        ),
        delivered(OLD_HOST, NEW_HOST, reply(Reply::NewLine)),
        delivered(OLD_HOST, NEW_HOST, reply(Reply::Error(ErrorKind::Loading))),
    ];
    assert_eq!(
        told(&events),
        [
            "old receives PING from new",
            "new receives PSYNC replid-0 7 FAILOVER (\"take over\") from old",
            &format!(
                "new receives {} from old, sent 6.5ms before",
                ErrorKind::Loading.text()
            ),
        ]
    );
    assert_eq!(
        told_by("8.0.1", &Filter::all(), &events).len(),
        events.len()
    );
}

/// An operator's command is told once, with its reply, unless something comes between.
#[test]
fn the_operator_is_told_of() {
    let looked_at = |command, verdict| {
        Event::Node(
            OLD,
            NodeNote::Gate {
                peer: HostId(u32::MAX),
                number: None,
                command,
                verdict,
                belief: Belief::default(),
            },
        )
    };
    let events = [
        looked_at(CommandKind::ReplicaOf, GateVerdict::Passed),
        Event::Node(
            OLD,
            NodeNote::Operator {
                command: CommandKind::ReplicaOf,
                reply: Reply::Ok,
            },
        ),
        looked_at(CommandKind::Set, GateVerdict::Postponed(Gate::ClientPause)),
    ];
    assert_eq!(
        told(&events),
        [
            "old answers the operator's REPLICAOF: +OK",
            "old is asked SET by the operator: gate ClientPause postpones it, because of CLIENT \
             PAUSE (old is a primary)",
        ]
    );
    let all = told_by("8.0.1", &Filter::all(), &events);
    assert_eq!(
        all[0],
        "old is asked REPLICAOF by the operator: all gates let it pass (old is a primary)"
    );
}

#[test]
fn what_a_client_does_about_silence_is_told() {
    let primary = belief(Role::Primary, FailoverState::NoFailover, LinkState::None);
    let at = |ms: u64, event| Record {
        at: Time(ms * 1_000_000),
        event,
    };
    let dialled = Event::Net(NetNote::Dialled {
        conn: CONN,
        from: APP_HOST,
        to: OLD_HOST,
    });
    let closed = Event::Net(NetNote::Closed {
        conn: CONN,
        from: APP_HOST,
        to: OLD_HOST,
        how: Closing::Fin,
    });
    let asked = gate(OLD, (0, CommandKind::Get), GateVerdict::Passed, primary);
    let records = [
        at(0, issued(0, CommandKind::Get)),
        at(1, asked),
        at(5_001, dialled),
        at(5_002, closed),
        at(5_003, asked),
        at(
            5_004,
            ended(0, CommandKind::Get, 0, CommandOutcome::TimedOut),
        ),
        at(5_005, closed),
    ];
    assert_eq!(
        told_records("8.0.1", &Filter::story(vec![APP]), &records),
        [
            "app/0 issues GET #0",
            "old is asked GET #0 by app/0: all gates let it pass (old is a primary)",
            "app/0 dials old (nothing has come of GET #0 for 5s)",
            "old learns that its connection with app/0 is closed (nothing has come of GET #0 for \
             5.001s)",
            "old is asked GET #0 by app/0 again: all gates let it pass (old is a primary)",
            "app/0 GET #0 fails: no reply in time, 3ms after it was issued",
        ]
    );
}

/// Of a pipeline each command is known, and so is the transaction of a part.
#[test]
fn a_gate_knows_which_command_it_looks_at() {
    let waiting = belief(Role::Primary, FailoverState::WaitForSync, LinkState::None);
    let postponed = GateVerdict::Postponed(Gate::ClientPause);
    let events = [
        issued(0, CommandKind::Set),
        issued(1, CommandKind::Set),
        issued(2, CommandKind::Exec),
        gate(OLD, (1, CommandKind::Set), postponed, waiting),
        gate(OLD, (2, CommandKind::Multi), GateVerdict::Passed, waiting),
        gate(OLD, (2, CommandKind::Exec), postponed, waiting),
    ];
    let lines = told_by("8.0.1", &Filter::all(), &events);
    let asked: Vec<_> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("old is asked "))
        .filter_map(|line| line.split_once(" by app/0"))
        .map(|(what, _)| what)
        .collect();
    assert_eq!(asked, ["SET #1", "MULTI of #2", "EXEC #2"]);
}

#[test]
fn postponed_commands_are_followed() {
    let waiting = belief(Role::Primary, FailoverState::WaitForSync, LinkState::None);
    let postponed = |gate| GateVerdict::Postponed(gate);
    let events = [
        issued(0, CommandKind::Set),
        gate(
            OLD,
            (0, CommandKind::Set),
            postponed(Gate::ClientPause),
            waiting,
        ),
        Event::Node(OLD, NodeNote::Released { commands: 1 }),
        gate(
            OLD,
            (0, CommandKind::Set),
            postponed(Gate::StandaloneRedirect),
            handing_over(),
        ),
    ];
    assert_eq!(
        told(&events)[1..],
        [
            "old is asked SET #0 by app/0: gate ClientPause postpones it, because writes are \
             paused for the failover (old is a primary, waiting-for-sync)",
            "old runs 1 command again that it had postponed",
            "old looks again at SET #0 of app/0: gate StandaloneRedirect postpones it, because \
             its failover is in progress and will say where to (old is a replica, \
             failover-in-progress, link down)",
        ]
    );
}

#[test]
fn filters_choose() {
    let mut events = roles_at_start().to_vec();
    events.extend([
        issued(0, CommandKind::Set),
        hop(1),
        ended(0, CommandKind::Set, 1, CommandOutcome::Served),
    ]);
    let with = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::story(vec![APP]);
        change(&mut filter);
        told_by("8.0.1", &filter, &events).len()
    };
    assert_eq!(with(&|_| {}), 5);
    assert_eq!(with(&|filter| filter.clients = Some(vec![ClientId(1)])), 2);
    assert_eq!(with(&|filter| filter.nodes = Some(vec![NEW])), 1);
    assert_eq!(with(&|filter| filter.kinds = vec![StoryKind::Command]), 3);
    assert_eq!(with(&|filter| filter.from = Time(3_000_000)), 3);
    assert_eq!(with(&|filter| filter.until = Time(3_000_000)), 2);
}
