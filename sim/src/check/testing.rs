//! What the tests of single checks begin with: a plan of two nodes, and records of them.

use std::sync::Arc;

use crate::engine::Time;
use crate::net::HostId;
use crate::scenario::{Plan, parse};
use crate::trace::{Event, FaultKind, Record};
use crate::valkey::{LinkState, NodeId, ReplId, Role};

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
        event: Event::Role {
            node: NodeId(node),
            role,
            primary: None,
            link: LinkState::None,
            replid: ReplId::default(),
            offset: 0,
        },
    }
}

/// A node's process dies.
pub(super) fn crashed(node: u16) -> Record {
    let host = HostId(u32::from(node));
    Record {
        at: Time::ZERO,
        event: Event::Fault {
            kind: FaultKind::Crash,
            from: host,
            to: host,
        },
    }
}
