//! What a recording of a cluster tells: its logs and its clients' commands, in the terms of the
//! model's trace.

use serde_json::Value;

use super::super::error::RecordingError;
use super::super::recording::{Event, Line};
use super::run::{Mark, Millis, Op, Run, Step};
use rebound_sim::valkey::HashSlot;

/// Lines of logs: how they begin, after what their number stands, and what they tell. The texts
/// are those of `cluster_legacy.c` and `replication.c` from 8.0 to 9.1.
const LOG: [(&str, &str, &str); 13] = [
    ("Manual failover user request accepted", "", "accepted"),
    ("Manual failover requested by replica", "", "paused"),
    (
        "Received replication offset for paused primary manual failover",
        "failover: ",
        "told-offset",
    ),
    ("All primary replication stream processed", "", "caught-up"),
    ("Start of election delayed for", "delayed for ", "planned"),
    (
        "Starting a failover election for epoch",
        "election for epoch ",
        "election",
    ),
    ("Failover auth granted to", "for epoch ", "voted"),
    ("Failover election won", "", "won"),
    ("configEpoch set to", "set to ", "epoch"),
    (
        "Setting secondary replication ID to",
        "up to offset: ",
        "takes-over-from",
    ),
    ("Before turning into a replica", "", "demoted"),
    ("Trying a partial resynchronization", ":", "asks-from"),
    ("Successful partial resynchronization", "", "continued"),
];

/// What logs must tell, or there is nothing to compare with.
const NEEDED: [&str; 3] = ["a paused", "b won", "a demoted"];

/// Whether a recording is of a cluster.
pub(crate) fn is_cluster(recording: &[Line]) -> bool {
    failover(recording).is_some()
}

/// The command that starts the failover.
fn failover(recording: &[Line]) -> Option<(Millis, &str)> {
    recording.iter().find_map(|line| {
        let Event::Tx { node, cmd } = &line.event else {
            return None;
        };
        let starts = line.who == "admin" && cmd == "CLUSTER FAILOVER";
        starts.then_some((line.t, node.as_str()))
    })
}

/// What a recording tells.
///
/// # Errors
/// If it is of another script than that with the nodes A, C, D and B, a replica of A that is sent
/// `CLUSTER FAILOVER`; or if its logs do not tell of the failover.
pub fn read(recording: &[Line]) -> Result<Run, RecordingError> {
    let Some((start, target)) = failover(recording) else {
        let expected = "the operator's CLUSTER FAILOVER";
        return Err(RecordingError::whole("no such command", expected));
    };
    let ports = ports(recording);
    let mut nodes: Vec<&str> = ports.iter().map(|(node, _)| *node).collect();
    nodes.sort_unstable();
    if nodes != ["A", "B", "C", "D"] || target != "B" {
        let found = format!("nodes {} and a failover to {target}", nodes.join(", "));
        let expected = "primaries A, C and D, and B, a replica of A, that takes over";
        return Err(RecordingError::whole(found, expected));
    }
    let mut run = Run {
        name: name(recording),
        start,
        reply: String::new(),
        redirect: String::new(),
        redirects: [0; 4],
        marks: Vec::new(),
        ops: Vec::new(),
        blur: 3.0,
        clock: 1.0,
    };
    let end = end(recording);
    for (index, line) in recording.iter().enumerate() {
        let at = line.t - start;
        if let Event::Log { line: text } = &line.event
            && at > -BEFORE
        {
            run.marks.extend(mark(at, &line.who, text));
        }
        if let Event::Rx { node, reply } = &line.event
            && line.who == "admin"
            && node == target
            && at >= 0.0
        {
            run.reply = reply.as_str().unwrap_or_default().to_owned();
        }
        if !is_cut_short(line, end) {
            let expected = "SET or GET of one key, at four nodes";
            command(&mut run, &ports, &line.event)
                .map_err(|found| RecordingError::at(index, found, expected))?;
        }
    }
    for what in NEEDED {
        if run.at(what).is_none() {
            let found = format!("no line in a log that says `{what}`");
            let expected = "logs that mention the failover";
            return Err(RecordingError::whole(found, expected));
        }
    }
    Ok(run)
}

/// How much earlier than the command was sent a server's clock may put what follows from it.
const BEFORE: Millis = 10.0;

/// How long before its end a recorder tells its clients to stop, at most.
const STOPPING: Millis = 100.0;

fn end(recording: &[Line]) -> Millis {
    let end = (recording.iter()).find(|line| matches!(line.event, Event::End { .. }));
    end.map_or(Millis::INFINITY, |line| line.t)
}

/// Whether a command has no answer because its client was stopped before one could come.
fn is_cut_short(line: &Line, end: Millis) -> bool {
    let Event::Op { last, lat, .. } = &line.event else {
        return false;
    };
    last.is_null() && line.t > end - STOPPING && *lat < STOPPING
}

fn name(recording: &[Line]) -> String {
    match recording.first().map(|line| &line.event) {
        Some(Event::Meta {
            label, variant, n, ..
        }) => format!("{label}, {variant} {n}"),
        Some(_) | None => "a recording".to_owned(),
    }
}

/// The nodes, and where clients reach them.
fn ports(recording: &[Line]) -> Vec<(&str, u16)> {
    let told = recording.iter().filter_map(|line| {
        let Event::Start { node, port, .. } = &line.event else {
            return None;
        };
        Some((node.as_str(), *port))
    });
    told.collect()
}

fn mark(at: Millis, who: &str, text: &str) -> Option<Mark> {
    let (_, before, what) = LOG.iter().find(|(start, _, _)| text.starts_with(start))?;
    let node = who.to_lowercase();
    Some(Mark {
        at,
        what: format!("{node} {what}"),
        number: number(text, before),
    })
}

/// The number that stands behind these words, the last time that they are there.
fn number(text: &str, before: &str) -> Option<u64> {
    if before.is_empty() {
        return None;
    }
    let (_, rest) = text.rsplit_once(before)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Adds a command; what is odd about it otherwise.
fn command(run: &mut Run, ports: &[(&str, u16)], event: &Event) -> Result<(), String> {
    let Event::Op {
        cmd,
        t0,
        node,
        last,
        red,
        hops,
        lat,
        ..
    } = event
    else {
        return Ok(());
    };
    let mut words = cmd.split(' ');
    let command = match words.next() {
        Some("SET") => "SET",
        Some("GET") => "GET",
        Some(_) | None => return Err(format!("the command {cmd:?}")),
    };
    let slot = HashSlot::of(words.next().unwrap_or_default().as_bytes());
    let mut steps = Vec::new();
    for hop in hops {
        let (redirect, to) = hop.2.rsplit_once(' ').unwrap_or((&hop.2, ""));
        let port = to.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let to = ports.iter().find(|(_, its)| Some(*its) == port);
        let Some((to, _)) = to else {
            return Err(format!("the redirect {:?}", hop.2));
        };
        let redirect = redirect.trim_start_matches('-');
        run.redirect = redirect.replace(&format!("MOVED {}", slot.0), "MOVED SLOT");
        steps.push(Step {
            node: letter(&hop.0),
            answer: format!("moved {}", letter(to)),
            at: hop.1 - run.start,
        });
    }
    let sent = t0 - run.start;
    steps.push(Step {
        node: letter(node),
        answer: answer(command, last),
        at: sent + lat,
    });
    run.redirects[(*red).min(3) as usize] += 1;
    run.ops.push(Op {
        command,
        sent,
        steps,
    });
    Ok(())
}

fn letter(node: &str) -> char {
    node.chars().next().map_or('?', |c| c.to_ascii_lowercase())
}

fn answer(command: &str, last: &Value) -> String {
    match last.as_str() {
        Some("+OK") if command == "SET" => "ok".to_owned(),
        Some(text) if text.starts_with('$') && command == "GET" => "value".to_owned(),
        Some(text) => text.trim_start_matches('-').to_owned(),
        None if last.is_null() => "nothing".to_owned(),
        None => last.to_string(),
    }
}
