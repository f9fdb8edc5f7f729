//! What the tests of single checks begin with: a plan of two nodes, and records of them.

use std::sync::Arc;

use crate::client::{ClientId, CommandOutcome, Note as ClientNote, Saw, WriteRange, WrittenKeys};
use crate::scenario::{Plan, parse};
use crate::trace::{Event, FaultKind, Record};
use crate::valkey::{
    Addr, Belief, CommandKind, FailoverState, GateVerdict, LinkState, NodeId, Note as NodeNote,
    ReplId, Role, Value, WriteId,
};
use rebound_engine::Time;
use rebound_net::HostId;

/// A plan with the nodes `old` and `new` (a replica), one client and these checks.
pub(super) fn plan(checks: &str) -> Arc<Plan> {
    let text = format!(
        r#"{{
            "name": "test",
            "nodes": [{{"name": "old"}}, {{"name": "new", "replica_of": "old"}}],
            "clients": [{{"name": "app"}}],
            "checks": {checks}
        }}"#
    );
    Arc::new(parse(&text, "test.json").expect("right"))
}

/// A node's role.
pub(super) fn role(node: u16, role: Role) -> Record {
    Record {
        at: Time::ZERO,
        event: Event::Node(
            NodeId(node),
            NodeNote::Role {
                role,
                primary: None,
                link: LinkState::None,
                replid: ReplId::default(),
                offset: 0,
            },
        ),
    }
}

/// A node, in the middle of a failover, looks at a GET of the client.
pub(super) fn gate(node: u16, verdict: GateVerdict) -> Event {
    Event::Node(
        NodeId(node),
        NodeNote::Gate {
            peer: HostId(2),
            number: Some(0),
            command: CommandKind::Get,
            verdict,
            belief: Belief {
                role: Role::Replica,
                failover: FailoverState::InProgress,
                link: LinkState::Down,
            },
        },
    )
}

/// A node's process dies.
pub(super) fn crashed(node: u16) -> Record {
    let host = HostId(u32::from(node));
    Record {
        at: Time::ZERO,
        event: Event::Fault {
            kind: FaultKind::Crash,
            of: FaultKind::Crash,
            from: host,
            to: host,
        },
    }
}

/// The client's command that writes the run's write `number`, as its number `number`: its issue,
/// and its end, served by `old`, if it has one.
pub(super) fn write(
    kind: CommandKind,
    number: u32,
    key: u32,
    issued: Time,
    ended: Option<Time>,
) -> Vec<(Time, Event)> {
    let writes = WriteRange {
        first: WriteId(number),
        count: 1,
    };
    let begin = Event::Client(
        ClientId(0),
        ClientNote::Issued {
            command: number,
            kind,
            writes,
            keys: WrittenKeys::one(key),
        },
    );
    let end = ended.map(|at| {
        (
            at,
            served(kind, number, issued, at, writes, key, Saw::Nothing),
        )
    });
    [Some((issued, begin)), end].into_iter().flatten().collect()
}

/// The end of a GET, the client's command 99, served by `old`.
pub(super) fn read(key: u32, value: Value, issued: Time, ended: Time) -> Event {
    let nothing = WriteRange {
        first: WriteId::NONE,
        count: 0,
    };
    let saw = Saw::Value(value);
    served(CommandKind::Get, 99, issued, ended, nothing, key, saw)
}

/// The end of a command that `old` has served.
pub(super) fn served(
    kind: CommandKind,
    command: u32,
    issued: Time,
    ended: Time,
    writes: WriteRange,
    key: u32,
    saw: Saw,
) -> Event {
    Event::Client(
        ClientId(0),
        ClientNote::Ended {
            command,
            kind,
            outcome: CommandOutcome::Served,
            hops: 0,
            bounces: 0,
            took: ended.since(issued),
            writes,
            from: Addr(0),
            key,
            saw,
        },
    )
}
