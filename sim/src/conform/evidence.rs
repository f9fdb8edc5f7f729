//! What a recording shows of the machine that it was made on, so that the model's servers can be
//! given the same: how long links take, when each server's clock ticks, how long a snapshot takes
//! to load.

use std::collections::BTreeMap;

use super::cast::Cast;
use super::recording::{Event, Line, Way};
use super::script::instant;
use crate::engine::{Span, Time};
use crate::valkey::NodeId;

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// An instant at which it acknowledged of itself, as replicas do every second
    /// (`replicationCron`), or dialled again in a failover, as it may every 100 ms.
    pub tick: Option<Time>,
    /// How long it took from a snapshot's announcement to having loaded it.
    pub load: Span,
}

/// What is known of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// How long it takes one way without any delay of the script's.
    pub latency: Span,
    /// How much longer it takes than that from the beginning, to the server and back, where the
    /// recording has no line that says so.
    pub delay: [Span; 2],
}

/// What a recording shows of its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of each server.
    pub clocks: Vec<Clock>,
    /// Of the proxy in front of each.
    pub paths: Vec<Path>,
    /// `repl-diskless-sync-delay`: none, if a full resynchronization was seen to begin at once.
    pub sync_delay: Span,
}

/// Bytes that a proxy saw.
pub(super) struct Seen<'a> {
    pub(super) at: Time,
    pub(super) link: u32,
    pub(super) way: Way,
    /// Whether they came in; else they went on, later.
    pub(super) came: bool,
    pub(super) data: &'a str,
}

/// What the proxy in front of a server saw.
pub(super) fn seen_by_proxy<'a>(
    recording: &'a [Line],
    cast: &'a Cast,
    of: NodeId,
) -> impl Iterator<Item = Seen<'a>> {
    let lines = recording.iter();
    let lines = lines.filter(move |line| cast.behind(&line.who) == Some(of));
    lines.filter_map(|line| {
        let (link, dir, data, came) = match &line.event {
            Event::Px {
                link, dir, data, ..
            } => (link, dir, data, true),
            Event::PxFwd {
                link, dir, data, ..
            } => (link, dir, data, false),
            _ => return None,
        };
        Some(Seen {
            at: instant(line.t),
            link: *link,
            way: *dir,
            came,
            data,
        })
    })
}

/// Who has opened each of the connections through a server's proxy. A line may say so; else, of
/// two servers, it is the other.
pub(super) fn openers(recording: &[Line], cast: &Cast, of: NodeId) -> BTreeMap<u32, NodeId> {
    let mut openers = BTreeMap::new();
    for line in recording {
        if cast.behind(&line.who) == Some(of)
            && let Event::PxAccept { link, from } = &line.event
        {
            let from = from.as_deref().and_then(|from| cast.node(from));
            let only = (cast.nodes().count() == 2).then(|| cast.after(of));
            if let Some(from) = from.or(only) {
                openers.insert(*link, from);
            }
        }
    }
    openers
}

const ACK: &str = "REPLCONF\r\n$3\r\nACK";
const GETACK: &str = "GETACK";

impl Evidence {
    /// Of a recording in which the operator said `FAILOVER`, or something like it, at `turn`.
    pub fn of(recording: &[Line], cast: &Cast, turn: Time) -> Evidence {
        let nodes: Vec<NodeId> = cast.nodes().map(|(id, _)| id).collect();
        let paths = nodes.iter().map(|of| path(recording, cast, *of));
        let clocks = nodes.iter().map(|of| clock(recording, cast, *of, turn));
        Evidence {
            clocks: clocks.collect(),
            paths: paths.collect(),
            sync_delay: sync_delay(recording, cast),
        }
    }
}

/// The two halves of a round trip through a proxy: from what came in to what came back for it,
/// at the first PING.
fn path(recording: &[Line], cast: &Cast, of: NodeId) -> Path {
    let seen: Vec<Seen<'_>> = seen_by_proxy(recording, cast, of).collect();
    let usual = Span::micros(300);
    let latency = half_round_trip(&seen).unwrap_or(usual);
    let mut delay = [Span::ZERO; 2];
    let said = |line: &Line| matches!(line.event, Event::PxDelay { .. });
    if !recording.iter().any(said) {
        let holds = holds(recording, cast, of);
        for (place, way) in [Way::C2s, Way::S2c].into_iter().enumerate() {
            let mut gaps = forward_gaps(&seen, way, &holds);
            gaps.sort_unstable();
            if !gaps.is_empty() {
                delay[place] = gaps[gaps.len() / 2];
            }
        }
    }
    Path {
        // A busy machine is slow now and then, which the script cannot mean.
        latency: latency.clamp(Span::micros(50), Span::micros(1_500)),
        delay,
    }
}

fn half_round_trip(seen: &[Seen<'_>]) -> Option<Span> {
    let pong = seen.iter().position(|s| s.data.starts_with("+PONG"))?;
    let link = seen[pong].link;
    let mine = |s: &&Seen<'_>| s.link == link;
    let before = seen[..pong].iter().rev().filter(mine);
    let ping = before.clone().find(|s| s.way == Way::C2s)?;
    let to_server = seen[pong].at.since(ping.at);
    let mut after = seen[pong + 1..].iter().filter(mine);
    let next = after.find(|s| s.way == Way::C2s && s.came)?;
    let went_on = seen[pong..].iter().filter(mine);
    let went_on = went_on.filter(|s| s.way == Way::S2c && s.at <= next.at);
    let from = went_on.map(|s| s.at).max()?;
    Some(Span((to_server.0 + next.at.since(from).0) / 2))
}

/// When a proxy held something.
fn holds(recording: &[Line], cast: &Cast, of: NodeId) -> Vec<(Time, Time)> {
    let mut holds = Vec::new();
    let mut since = None;
    for line in recording {
        if cast.behind(&line.who) != Some(of) {
            continue;
        }
        match (&line.event, since) {
            (Event::PxHold { .. }, None) => since = Some(instant(line.t)),
            (Event::PxRelease { .. }, Some(from)) => {
                holds.push((from, instant(line.t)));
                since = None;
            }
            _ => {}
        }
    }
    holds.extend(since.map(|from| (from, Time::NEVER)));
    holds
}

/// From coming in to going on, where nothing was held.
fn forward_gaps(seen: &[Seen<'_>], way: Way, holds: &[(Time, Time)]) -> Vec<Span> {
    let mut waiting: BTreeMap<u32, Vec<Time>> = BTreeMap::new();
    let mut gaps = Vec::new();
    for s in seen.iter().filter(|s| s.way == way) {
        let queue = waiting.entry(s.link).or_default();
        if s.came {
            queue.push(s.at);
        } else if !queue.is_empty() {
            let came = queue.remove(0);
            if holds.iter().all(|(from, to)| s.at < *from || *to < came) {
                gaps.push(s.at.since(came));
            }
        }
    }
    gaps
}

fn sync_delay(recording: &[Line], cast: &Cast) -> Span {
    for (of, _) in cast.nodes() {
        let mut asked = None;
        for s in seen_by_proxy(recording, cast, of) {
            match (s.way, asked) {
                (Way::C2s, _) if s.data.contains("PSYNC") => asked = Some(s.at),
                (Way::S2c, Some(at)) if s.data.starts_with("+FULLRESYNC") => {
                    let slow = s.at.since(at) > Span::secs(1);
                    return if slow { Span::secs(5) } else { Span::ZERO };
                }
                _ => {}
            }
        }
    }
    Span::ZERO
}

fn clock(recording: &[Line], cast: &Cast, of: NodeId, turn: Time) -> Clock {
    let mut load = Span::millis(1);
    let mut ticks = Vec::new();
    let mut dials = Vec::new();
    for (primary, _) in cast.nodes().filter(|(id, _)| *id != of) {
        let openers = openers(recording, cast, primary);
        let mut asked = None;
        let mut resyncing: Option<Time> = None;
        for s in seen_by_proxy(recording, cast, primary) {
            if openers.get(&s.link) != Some(&of) || !s.came {
                continue;
            }
            match s.way {
                Way::S2c if s.data.starts_with("+FULLRESYNC") => resyncing = Some(s.at),
                Way::S2c if s.data.contains(GETACK) => asked = Some(s.at),
                Way::C2s if s.data.contains(ACK) => {
                    let of_itself = asked.is_none_or(|at| s.at.since(at) > Span::millis(100));
                    if let Some(at) = resyncing.take() {
                        load = s.at.since(at).max(load);
                    } else if of_itself {
                        ticks.push(s.at);
                    }
                    asked = None;
                }
                Way::S2c | Way::C2s => {}
            }
        }
        for line in recording {
            if cast.behind(&line.who) == Some(primary)
                && let Event::PxAccept { link, .. } = &line.event
                && openers.get(link) == Some(&of)
            {
                dials.push(instant(line.t));
            }
        }
    }
    ticks.sort_unstable();
    let first_after = ticks.iter().find(|at| **at >= turn);
    let tick = first_after.or(ticks.last()).copied();
    // The second dial of a failover is the first that its clock decides.
    let mut again = dials.iter().filter(|at| **at > turn).skip(1);
    let again = again.next().copied();
    Clock {
        tick: match (tick, again) {
            (Some(tick), Some(again)) => Some(in_step(tick, again)),
            (tick, again) => tick.or(again),
        },
        load,
    }
}

/// The instant nearest to `tick` that is a whole number of 100 ms from `again`.
fn in_step(tick: Time, again: Time) -> Time {
    let period = Span::millis(100).0;
    let off = (tick.0 + period - again.0 % period) % period;
    match off > period / 2 {
        true => Time(tick.0 + period - off),
        false => Time(tick.0 - off),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tick_falls_in_step_with_repetitions() {
        let ms = |n| Time(Span::millis(n).0);
        assert_eq!(in_step(ms(1014), ms(509)), ms(1009));
        assert_eq!(in_step(ms(1014), ms(570)), ms(970));
        assert_eq!(in_step(ms(1090), ms(505)), ms(1105));
    }

    fn lines(text: &str) -> Vec<Line> {
        let parse = |line| serde_json::from_str(line).expect("a line");
        text.lines().map(parse).collect()
    }

    #[test]
    fn delays_are_seen_where_bytes_go_on_late() {
        let recording = lines(
            r#"{"t":0,"who":"lab","ev":"start","node":"A","port":7001}
{"t":0,"who":"lab","ev":"start","node":"B","port":7002}
{"t":10,"who":"PB","ev":"px_accept","link":1}
{"t":11,"who":"PB","ev":"px","link":1,"dir":"c2s","n":14,"data":"*1\r\n$4\r\nPING\r\n"}
{"t":161,"who":"PB","ev":"px_fwd","link":1,"dir":"c2s","n":14,"data":"*1\r\n$4\r\nPING\r\n"}
{"t":161.4,"who":"PB","ev":"px","link":1,"dir":"s2c","n":7,"data":"+PONG\r\n"}
{"t":312,"who":"PB","ev":"px_fwd","link":1,"dir":"s2c","n":7,"data":"+PONG\r\n"}
{"t":312.2,"who":"PB","ev":"px","link":1,"dir":"c2s","n":50,"data":"*3"}
{"t":900,"who":"PB","ev":"px","link":1,"dir":"c2s","n":50,"data":"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"}"#,
        );
        let cast = Cast::of(&recording).expect("two servers");
        let evidence = Evidence::of(&recording, &cast, Time::ZERO);
        let path = &evidence.paths[1];
        assert_eq!(path.delay, [Span::millis(150), Span::micros(150_600)]);
        assert_eq!(path.latency, Span::micros(300));
        assert_eq!(evidence.clocks[0].tick, Some(Time(900_000_000)));
        assert_eq!(evidence.clocks[1].tick, None);
    }
}
