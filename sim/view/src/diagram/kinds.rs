//! What each message is to a diagram.

use crate::StoryKind;
use crate::run::Run;
use rebound_net::HostId;
use rebound_sim::scenario::HostRole;
use rebound_sim::valkey::{BusKind, Command, Message, NodeId, ReplOp, Reply};

/// What kind of message it is, and whether it is left out of a condensed diagram as routine. What a
/// node says before its link was up is how a run begins.
pub(super) fn of(run: &Run, (from, to): (HostId, HostId), message: Message) -> (StoryKind, bool) {
    let names = run.names();
    match (names.role(from), names.role(to)) {
        (HostRole::Client(_), _) | (_, HostRole::Client(_)) => (StoryKind::Command, false),
        (HostRole::Node(from), HostRole::Node(to)) => {
            let unlinked = |node: NodeId| !run.node(node).linked;
            between_nodes(message, unlinked(from), unlinked(to))
        }
        _ => match message {
            Message::Request(request) if is_order(request.command) => (StoryKind::Operator, false),
            Message::Request(_)
            | Message::Reply { .. }
            | Message::Stream(_)
            | Message::Snapshot(_)
            | Message::Bus(_) => (StoryKind::Message, false),
        },
    }
}

/// Whether Sentinel changes something by it.
fn is_order(command: Command) -> bool {
    matches!(
        command,
        Command::ReplicaOf(_) | Command::Failover { .. } | Command::FailoverAbort
    )
}

fn between_nodes(message: Message, from_unlinked: bool, to_unlinked: bool) -> (StoryKind, bool) {
    match message {
        Message::Request(request) => {
            if let Command::Psync { failover, .. } = request.command {
                (StoryKind::Handshake, !failover && from_unlinked)
            } else if matches!(request.command, Command::ReplConfAck(_)) {
                (StoryKind::Message, false)
            } else {
                (StoryKind::Handshake, true)
            }
        }
        Message::Reply { reply, .. } => match reply {
            Reply::Continue { .. }
            | Reply::FullResync { .. }
            | Reply::DualChannelSync
            | Reply::Error(_) => (StoryKind::Handshake, to_unlinked),
            Reply::NewLine => (StoryKind::Message, false),
            Reply::Ok
            | Reply::Pong
            | Reply::Queued
            | Reply::Nil
            | Reply::Int(_)
            | Reply::Value(_)
            | Reply::Array(_)
            | Reply::Elements(_)
            | Reply::Subscribed
            | Reply::Published
            | Reply::Redirect(_)
            | Reply::Info { .. }
            | Reply::Topology(_)
            | Reply::Reset
            | Reply::Encoding(_) => (StoryKind::Handshake, true),
        },
        Message::Snapshot(_) => (StoryKind::Handshake, to_unlinked),
        Message::Stream(entry) => match entry.op {
            ReplOp::HandOver(_) | ReplOp::HandOverOff => (StoryKind::Handshake, false),
            ReplOp::Ping
            | ReplOp::GetAck
            | ReplOp::Set(..)
            | ReplOp::Incr(..)
            | ReplOp::Del(..)
            | ReplOp::LPush(..)
            | ReplOp::LPop(..)
            | ReplOp::Publish(_)
            | ReplOp::RPush(..)
            | ReplOp::XAdd(..)
            | ReplOp::FlushAll(_)
            | ReplOp::ExpireAt(..)
            | ReplOp::Expired(_) => (StoryKind::Message, false),
        },
        Message::Bus(bus) => match bus.kind {
            BusKind::FailoverAuthAck | BusKind::MfStart => (StoryKind::Handshake, false),
            BusKind::FailoverAuthRequest
            | BusKind::Fail
            | BusKind::Update
            | BusKind::Ping
            | BusKind::Pong => (StoryKind::Message, false),
        },
    }
}
