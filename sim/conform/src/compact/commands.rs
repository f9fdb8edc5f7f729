//! Which commands stay: all that took long, went back and forth or were in progress when something
//! changed, and of the others some of every kind in every interval.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::super::recording::{Event, Line};
use super::Stretches;

/// A command that takes longer than this has waited for something.
const LONG_MS: f64 = 20.0;

/// How much earlier than a cluster's failover commands stay.
const BEFORE_MS: f64 = 20.0;

/// And how much later.
const AFTER_MS: f64 = 70.0;

/// What makes two commands the same to whoever looks at them: a group of clients, a word, the
/// nodes that were asked, what went wrong there, and the reply.
type Kind = (String, String, Vec<String>, String);

/// The places of commands that stay.
pub fn chosen(recording: &[Line]) -> BTreeSet<usize> {
    let changes = super::changes(recording);
    let mut chosen = BTreeSet::new();
    let stretches = Stretches::of(&changes);
    let clusters_failover = &clusters_failover(recording);
    let mut first = BTreeMap::new();
    let mut clients: BTreeMap<&String, (usize, u32)> = BTreeMap::new();
    for (index, line) in recording.iter().enumerate() {
        let Event::Op {
            t0, last: reply, ..
        } = &line.event
        else {
            continue;
        };
        let under_way = changes.iter().any(|change| (*t0..=line.t).contains(change));
        let in_a_clusters_failover =
            (clusters_failover.as_ref()).is_some_and(|around| around.contains(t0));
        if took_long(&line.event) || reply.is_null() || under_way || in_a_clusters_failover {
            chosen.insert(index);
        }
        let key = (kind(line), stretches.at(*t0));
        first.entry(key).or_insert(index);
        clients
            .entry(&line.who)
            .and_modify(|(_, commands)| *commands += 1)
            .or_insert((index, 1));
    }
    chosen.extend(first.values());
    // Who arrives, asks once and goes is one of many; who stays, has begun somewhere.
    let staying = clients.values().filter(|(_, commands)| *commands > 1);
    chosen.extend(staying.map(|(first, _)| first));
    chosen
}

/// The failover of a cluster, from before it is asked for to when all have the news of it. It is
/// compared by phases that only logs tell, some of them of a few milliseconds.
fn clusters_failover(recording: &[Line]) -> Option<Range<f64>> {
    let start = recording.iter().find(
        |line| matches!(&line.event, Event::Tx { cmd, .. } if cmd.starts_with("CLUSTER FAILOVER")),
    )?;
    let reached = |line: &&Line| matches!(line.event, Event::Reached { .. });
    let end = recording.iter().rfind(reached)?;
    Some(start.t - BEFORE_MS..end.t + AFTER_MS)
}

fn took_long(event: &Event) -> bool {
    matches!(event, Event::Op { lat, red, .. } if *lat > LONG_MS || *red >= 2)
}

fn kind(line: &Line) -> Kind {
    let Event::Op {
        cmd,
        start,
        last,
        hops,
        errs,
        ..
    } = &line.event
    else {
        return Kind::default();
    };
    let asked = hops.iter().map(|hop| hop.0.clone());
    let failed = errs.iter().map(|failure| failure.2.clone());
    (
        group(&line.who).to_owned(),
        format!("{} {start}", cmd.split(' ').next().unwrap_or_default()),
        asked.chain(failed).collect(),
        reply(last),
    )
}

/// Clients that do the same differ only in the digits at the end of their names.
fn group(who: &str) -> &str {
    who.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// A reply without its value.
fn reply(last: &Value) -> String {
    match last.as_str() {
        Some("$-1") => "nil".to_owned(),
        Some(text) if text.starts_with('$') => "a value".to_owned(),
        Some(text) => text.to_owned(),
        None => last.to_string(),
    }
}
