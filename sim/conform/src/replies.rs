//! What replies say, in one way of writing for recorded and modelled ones: servers by their
//! names, values by their kind, errors word by word.

use serde_json::Value;

use super::answer::reply_text;
use super::members::Members;
use super::words::Words;
use rebound_sim::valkey::{CommandKind, FailoverState, LinkState, NodeId, Reply, Role};

/// A message to a subscriber.
pub(crate) const MESSAGE: &str = "a message";

/// A recorded reply. `cmd` is what it answers.
pub fn recorded(reply: &Value, cmd: &str, members: &Members) -> String {
    match reply {
        Value::Null => "no reply".to_owned(),
        Value::String(text) => match text.as_bytes().first() {
            Some(b'-') => members.with_names(text),
            Some(b'$') if text != "$-1" && !cmd.starts_with("OBJECT") => "a value".to_owned(),
            // How many keys there are depends on which of the clients' commands were kept.
            Some(b':') if cmd == "DBSIZE" => "a number".to_owned(),
            _ if text == "*-1" => "$-1".to_owned(),
            _ => text.clone(),
        },
        Value::Array(parts) => array(parts, cmd, members),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => reply.to_string(),
    }
}

fn array(parts: &[Value], cmd: &str, members: &Members) -> String {
    let text = |index: usize| parts.get(index).and_then(Value::as_str).unwrap_or("");
    match (text(0), cmd) {
        ("$subscribe", _) => "subscribed".to_owned(),
        ("$message", _) => MESSAGE.to_owned(),
        ("$slave", "ROLE") => {
            let port = text(2).trim_start_matches(':').parse().ok();
            let primary = port.and_then(|port| members.at_port(port));
            let primary = primary.map_or("somebody else", |node| members.name(node));
            let link = match text(3) {
                "$connected" => "connected",
                "$sync" => "sync",
                _ => "not connected",
            };
            format!("replica of {primary}, {link}")
        }
        ("$master", "ROLE") => "primary".to_owned(),
        _ => format!("array of {}", parts.len()),
    }
}

/// A reply of the model to a command.
pub fn answer(reply: &Reply, command: CommandKind, words: &Words, members: &Members) -> String {
    match (reply, command) {
        (Reply::Int(_), CommandKind::DbSize) => "a number".to_owned(),
        _ => modelled(reply, words, members),
    }
}

/// A reply of the model.
pub fn modelled(reply: &Reply, words: &Words, members: &Members) -> String {
    let redirect = |to| members.with_names(&words.addresses.text(to));
    match *reply {
        Reply::Value(_) => "a value".to_owned(),
        Reply::Array(n) => format!("array of {n}"),
        Reply::Elements(elements) => format!("array of {}", elements.count),
        Reply::Published => MESSAGE.to_owned(),
        Reply::Info {
            belief, primary, ..
        } => match belief.role {
            Role::Primary => "primary".to_owned(),
            Role::Replica => {
                let primary = primary.and_then(|addr| words.addresses.node(addr));
                let primary = primary.map_or("somebody else", |node| members.name(node));
                let link = match belief.link {
                    LinkState::Up => "connected",
                    LinkState::Sync => "sync",
                    LinkState::None | LinkState::Down => "not connected",
                };
                format!("replica of {primary}, {link}")
            }
        },
        Reply::NewLine => String::new(),
        Reply::Ok
        | Reply::Pong
        | Reply::Queued
        | Reply::Nil
        | Reply::Int(_)
        | Reply::Subscribed
        | Reply::Error(_)
        | Reply::Redirect(_)
        | Reply::Continue { .. }
        | Reply::FullResync { .. }
        | Reply::DualChannelSync
        | Reply::Topology(_)
        | Reply::Reset
        | Reply::Encoding(_) => reply_text(*reply, redirect),
    }
}

/// Where a redirect leads, by the text of either side.
pub fn target(text: &str, members: &Members) -> Option<NodeId> {
    members.node(text.strip_prefix("-REDIRECT ")?)
}

/// What `INFO replication` says of a server's role, its failover and its link.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// Its role.
    pub role: Role,
    /// Its part in a failover.
    pub failover: FailoverState,
    /// Whether its link to its primary is up; not, if it is a primary.
    pub linked: bool,
}

impl std::fmt::Display for NodeState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = match (self.role, self.linked) {
            (Role::Primary, _) => "primary",
            (Role::Replica, true) => "replica, link up",
            (Role::Replica, false) => "replica, link down",
        };
        write!(f, "{role}, {}", self.failover.name())
    }
}
