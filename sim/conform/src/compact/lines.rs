//! Which lines of servers, proxies and the script stay.

use std::collections::BTreeMap;

use super::super::recording::{Event, Line, Way};
use super::Stretches;

/// Beginnings of lines of logs that tell of snapshots on their way from disk to disk, or of a
/// server that starts: the model's have neither files nor modules.
const OF_NO_INTEREST: [&str; 14] = [
    "Background RDB transfer",
    "Cleaning slot migration log",
    "Diskless rdb transfer",
    "Done loading RDB",
    "Fork CoW",
    "Loading RDB produced",
    "Loading the RDB",
    "Missing implement of connection type",
    "RDB ",
    "Replica bio thread",
    "Replica main thread",
    "Static Module",
    "Streamed RDB transfer",
    "Waiting for end of BGSAVE",
];

/// Whether a line stays whatever the others say. Commands and what repeats itself do not: of
/// those some are chosen. Until the script begins, logs tell how servers start and a replica is
/// first filled.
pub(crate) fn stays(line: &Line, before_the_script: bool) -> bool {
    match &line.event {
        Event::Info { d } => !d.is_empty(),
        Event::Log { .. } if before_the_script => false,
        Event::Log { line } => !OF_NO_INTEREST.iter().any(|start| line.starts_with(start)),
        Event::Px { dir, data, .. } | Event::PxFwd { dir, data, .. } => !is_stream(*dir, data),
        Event::Op { .. }
        | Event::Redirect { .. }
        | Event::Fallback { .. }
        | Event::InfoErr { .. }
        | Event::Dropped { .. } => false,
        Event::Meta { .. }
        | Event::Start { .. }
        | Event::Paired
        | Event::Mark { .. }
        | Event::Reached { .. }
        | Event::Signal { .. }
        | Event::End { .. }
        | Event::Connect { .. }
        | Event::Tx { .. }
        | Event::Rx { .. }
        | Event::Close { .. }
        | Event::Probe { .. }
        | Event::Push { .. }
        | Event::ClosedByServer { .. }
        | Event::PxAccept { .. }
        | Event::PxDelay { .. }
        | Event::PxHold { .. }
        | Event::PxRelease { .. }
        | Event::PxCut { .. }
        | Event::PxRefuse
        | Event::PxListen
        | Event::PxClose { .. }
        | Event::PxTargetError { .. } => true,
    }
}

/// Whether bytes are writes on their way to a replica: commands from a primary, but neither its
/// `PING` nor its `GETACK`.
fn is_stream(dir: Way, data: &str) -> bool {
    let has = |word: &str| data.to_ascii_uppercase().contains(word);
    dir == Way::S2c && data.starts_with('*') && !has("PING") && !has("GETACK")
}

/// Of what repeats itself, the first of its kind in each stretch.
pub(crate) fn first_of_repeated(recording: &[Line]) -> Vec<usize> {
    let stretches = Stretches::of(&super::changes(recording));
    let mut first = BTreeMap::new();
    for (index, line) in recording.iter().enumerate() {
        if let Some(kind) = repeated(&line.event) {
            let key = (&line.who, kind, stretches.at(line.t));
            first.entry(key).or_insert(index);
        }
    }
    first.into_values().collect()
}

/// What a line repeats, if it is one of those that do.
fn repeated(event: &Event) -> Option<String> {
    if let Event::Fallback { err, frm, to } = event {
        Some(format!("{frm} {to} {err}"))
    } else if let Event::InfoErr { err } = event {
        Some(err.clone())
    } else if let Event::Redirect { node, to } = event {
        Some(format!("{node} {to}"))
    } else {
        None
    }
}

/// Whether a line reports a change at a server, or a step of the script.
pub(crate) fn is_change(line: &Line) -> bool {
    const STATE: [&str; 3] = ["role", "master_failover_state", "master_link_status"];
    const MILESTONES: [&str; 5] = [
        "Failover election won",
        "FAILOVER to",
        "Manual failover requested by",
        "PRIMARY MODE enabled",
        "Setting secondary replication ID",
    ];
    let event = &line.event;
    if let Event::Info { d } = event {
        return STATE.iter().any(|field| d.contains_key(*field));
    }
    if let Event::Log { line } = event {
        return MILESTONES.iter().any(|start| line.starts_with(start));
    }
    (line.who == "admin" && matches!(event, Event::Tx { .. }))
        || matches!(
            event,
            Event::Mark { .. }
                | Event::Reached { .. }
                | Event::Signal { .. }
                | Event::PxDelay { .. }
                | Event::PxHold { .. }
                | Event::PxRelease { .. }
                | Event::PxCut { .. }
                | Event::PxRefuse
                | Event::PxListen
        )
}

/// How an event is called in a recording.
pub fn name(event: &Event) -> String {
    let fields = serde_json::to_value(event).unwrap_or_default();
    fields["ev"].as_str().unwrap_or_default().to_owned()
}
