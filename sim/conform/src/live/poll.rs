//! What a node is, asked every few milliseconds, and what its log says.

use std::rc::Rc;
use std::time::Duration;

use crate::answer::Resp;
use crate::recording::Event as LineEvent;
use rebound_engine::Time;
use rebound_sim::scenario::Trigger;
use rebound_sim::trace::Event;
use rebound_sim::valkey::{
    Belief, FailoverEnd, FailoverState, LinkState, NodeId, Note as NodeNote, ReplId, Role,
};
use serde_json::{Map, Value};

use super::operator::Line;
use super::script::Script;
use super::stage::letter;

/// Between two questions.
const PERIOD: Duration = Duration::from_millis(5);
/// How long a server may take to answer, apart from being stopped.
const PATIENCE: Duration = Duration::from_millis(500);

/// The fields of `INFO replication` that a recording has.
const FIELDS: [&str; 11] = [
    "role",
    "master_failover_state",
    "master_link_status",
    "master_sync_in_progress",
    "master_replid",
    "master_replid2",
    "connected_slaves",
    "slave0",
    "slave1",
    "master_host",
    "master_port",
];

/// Asks a node what it is, for as long as the run lasts.
pub async fn watch(script: Rc<Script>, node: NodeId) {
    let stage = script.stage.clone();
    let mut line: Option<Line> = None;
    let mut known = Map::new();
    let mut last: Option<Belief> = None;
    let (mut asked_before, mut noted) = (Time::ZERO, Time::ZERO);
    loop {
        for text in stage.node(node).server.borrow_mut().new_log_lines() {
            stage.line(letter(node), LineEvent::Log { line: text });
        }
        if !stage.node(node).server.borrow_mut().runs() {
            (line, last) = (None, None);
            tokio::time::sleep(PERIOD).await;
            continue;
        }
        if line.is_none() {
            line = Line::open(stage.node(node).ports.own).await.ok();
        }
        let Some(open) = &mut line else {
            tokio::time::sleep(PERIOD).await;
            continue;
        };
        let asks = stage.now();
        let reply = ask(&script, node, open).await;
        let text = match reply {
            Ok(Resp::Bulk(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Ok(_) => String::new(),
            Err(error) => {
                line = None;
                stage.line(
                    letter(node),
                    LineEvent::InfoErr {
                        err: error.to_string(),
                    },
                );
                tokio::time::sleep(PERIOD).await;
                continue;
            }
        };
        let fields = fields(&text);
        note_fields(&script, node, &mut known, &fields);
        if let Some(now) = belief(&fields)
            && last != Some(now)
        {
            // What was noted before came before.
            let between = (asked_before.max(noted), stage.now());
            became(&script, node, between, last, now);
            (last, noted) = (Some(now), between.1);
        }
        asked_before = asks;
        tokio::time::sleep(PERIOD).await;
    }
}

/// Asks once. A stopped server answers when it goes on.
async fn ask(script: &Script, node: NodeId, line: &mut Line) -> std::io::Result<Resp> {
    let mut answer = std::pin::pin!(line.say("INFO replication"));
    loop {
        if let Ok(reply) = tokio::time::timeout(PATIENCE, &mut answer).await {
            return reply;
        }
        let err = "no answer".to_owned();
        script.stage.line(letter(node), LineEvent::InfoErr { err });
    }
}

fn fields(text: &str) -> Map<String, Value> {
    let pairs = text
        .lines()
        .filter_map(|line| line.trim_end().split_once(':'));
    pairs
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

/// Writes down what has changed.
fn note_fields(
    script: &Script,
    node: NodeId,
    known: &mut Map<String, Value>,
    now: &Map<String, Value>,
) {
    let mut changed = Map::new();
    for name in FIELDS {
        let value = now.get(name).cloned().unwrap_or(Value::Null);
        let before = known.get(name).cloned().unwrap_or(Value::Null);
        // A replica's entry has its offset and lag, which always change.
        let same = if name.starts_with("slave") {
            value.is_null() == before.is_null()
        } else {
            value == before
        };
        if !same {
            changed.insert(name.to_owned(), value.clone());
            known.insert(name.to_owned(), value);
        }
    }
    if !changed.is_empty() {
        script
            .stage
            .line(letter(node), LineEvent::Info { d: changed });
    }
}

fn belief(fields: &Map<String, Value>) -> Option<Belief> {
    let field = |name: &str| fields.get(name).and_then(Value::as_str);
    let role = match field("role")? {
        "master" => Role::Primary,
        _ => Role::Replica,
    };
    let link = match (
        role,
        field("master_link_status"),
        field("master_sync_in_progress"),
    ) {
        (Role::Primary, ..) => LinkState::None,
        (Role::Replica, Some("up"), _) => LinkState::Up,
        (Role::Replica, _, Some("1")) => LinkState::Sync,
        (Role::Replica, ..) => LinkState::Down,
    };
    let failover = match field("master_failover_state") {
        Some("waiting-for-sync") => FailoverState::WaitForSync,
        Some("failover-in-progress") => FailoverState::InProgress,
        _ => FailoverState::NoFailover,
    };
    Some(Belief {
        role,
        failover,
        link,
    })
}

/// A node was seen to be something else, which it became between the two times. A demotion is
/// noted at the first, everything else at the second, so that no two primaries are seen that
/// there have not been.
fn became(
    script: &Script,
    node: NodeId,
    between: (Time, Time),
    before: Option<Belief>,
    now: Belief,
) {
    let stage = &script.stage;
    stage.believe(node, now);
    let (first, at) = between;
    let demoted =
        before.is_some_and(|before| before.role == Role::Primary) && now.role == Role::Replica;
    let role_at = if demoted { first } else { at };
    if before.is_none_or(|before| before.failover != now.failover) {
        let state = now.failover;
        let event = Event::Node(
            node,
            NodeNote::Failover {
                state,
                target: None,
                how: FailoverEnd::Underway,
            },
        );
        if before.is_some() || state != FailoverState::NoFailover {
            stage.record(role_at, event);
        }
        script.trigger(Trigger::FailoverState(node, state));
    }
    if before.is_none_or(|before| (before.role, before.link) != (now.role, now.link)) {
        let event = Event::Node(
            node,
            NodeNote::Role {
                role: now.role,
                primary: None,
                link: now.link,
                replid: ReplId::default(),
                offset: 0,
            },
        );
        stage.record(role_at, event);
    }
    if before.is_some_and(|before| before.role != now.role) {
        script.trigger(match now.role {
            Role::Primary => Trigger::Promoted(node),
            Role::Replica => Trigger::Demoted(node),
        });
    }
}
