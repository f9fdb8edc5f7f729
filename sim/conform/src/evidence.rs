//! What a recording shows of the machine that it was made on, so that the model's servers can be
//! given the same: how long links take, when each server's clock ticks, how long a snapshot takes
//! to load.

use std::collections::BTreeMap;

use super::members::Members;
use super::recording::{Event, Line, Way};
use super::script::instant;
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::NodeId;

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// An instant at which it acknowledged of itself, as replicas do every second
    /// (`replicationCron`), or dialled again in a failover, as it may every 100 ms.
    pub tick: Option<Time>,
    /// How long it took from a snapshot's announcement to having loaded it.
    pub load: Duration,
}

/// What is known of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// How long it takes one way without any delay of the script's.
    pub latency: Duration,
    /// Whether what a handshake writes after PING was seen to come in one piece, so that nobody
    /// waited for the acknowledgement of the first of it.
    pub early: bool,
}

/// A delay of a proxy that begins or ends, by the bytes that went on late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// When.
    pub at: Time,
    /// The server behind the proxy.
    pub node: NodeId,
    /// Which way.
    pub way: Way,
    /// How much longer things take from here on.
    pub by: Duration,
}

/// What a recording shows of its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of each server.
    pub clocks: Vec<Clock>,
    /// Of the proxy in front of each.
    pub paths: Vec<Path>,
    /// The delays that no line says.
    pub delays: Vec<Delay>,
    /// When a primary asked for acknowledgements (`REPLCONF GETACK`) without a recorded `WAIT`, and
    /// which.
    pub asked: Vec<(Time, NodeId)>,
    /// When servers loaded a snapshot, by their logs. A server that loads does nothing else, if
    /// the data is small.
    pub loading: Vec<(NodeId, Time, Time)>,
    /// `repl-diskless-sync-delay`: none, if a full resynchronization was seen to begin at once.
    pub sync_delay: Duration,
}

/// Bytes that a proxy saw.
pub(super) struct Seen<'a> {
    pub(super) at: Time,
    pub(super) link: u32,
    pub(super) way: Way,
    /// Whether they came in; else they went on, later.
    pub(super) came: bool,
    /// How many, of which `data` has the first.
    pub(super) bytes: u64,
    pub(super) data: &'a str,
}

/// What the proxy in front of a server saw.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of many kinds of lines a few say this"
)]
pub(super) fn seen_by_proxy<'a>(
    recording: &'a [Line],
    members: &'a Members,
    of: NodeId,
) -> impl Iterator<Item = Seen<'a>> {
    let lines = recording.iter();
    let lines = lines.filter(move |line| members.behind(&line.who) == Some(of));
    lines.filter_map(|line| {
        let (link, dir, data, bytes, came) = match &line.event {
            Event::Px { link, dir, data, n } => (link, dir, data, n, true),
            Event::PxFwd { link, dir, data, n } => (link, dir, data, n, false),
            _ => return None,
        };
        Some(Seen {
            at: instant(line.t),
            link: *link,
            way: *dir,
            came,
            bytes: *bytes,
            data,
        })
    })
}

/// Who has opened each of the connections through a server's proxy. A line may say so; else, of
/// two servers, it is the other.
pub(super) fn openers(recording: &[Line], members: &Members, of: NodeId) -> BTreeMap<u32, NodeId> {
    let mut openers = BTreeMap::new();
    for line in recording {
        if members.behind(&line.who) == Some(of)
            && let Event::PxAccept { link, from } = &line.event
        {
            let from = from.as_deref().and_then(|from| members.node(from));
            let only = (members.nodes().count() == 2).then(|| members.after(of));
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
    /// Of a recording in which the operator first moved a primary at `turn`, and in which
    /// processes were stopped for these times.
    pub fn of(recording: &[Line], members: &Members, turn: Time, stops: &[Stop]) -> Evidence {
        let nodes: Vec<NodeId> = members.nodes().map(|(id, _)| id).collect();
        let paths = nodes.iter().map(|of| path(recording, members, *of));
        let clocks = nodes
            .iter()
            .map(|of| clock(recording, members, *of, turn, stops));
        let said = |line: &Line| matches!(line.event, Event::PxDelay { .. });
        let mut delays = Vec::new();
        if !recording.iter().any(said) {
            for of in &nodes {
                delays.extend(silent_delays(recording, members, *of));
            }
        }
        Evidence {
            clocks: clocks.collect(),
            paths: paths.collect(),
            delays,
            asked: nodes
                .iter()
                .flat_map(|of| asked(recording, members, *of))
                .collect(),
            loading: loading(recording, members),
            sync_delay: sync_delay(recording, members),
        }
    }
}

/// A process that was stopped for a while.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Whose.
    pub node: NodeId,
    /// From when.
    pub from: Time,
    /// To when.
    pub to: Time,
}

fn path(recording: &[Line], members: &Members, of: NodeId) -> Path {
    let seen: Vec<Seen<'_>> = seen_by_proxy(recording, members, of).collect();
    let latency = half_round_trip(&seen).unwrap_or(Duration::micros(300));
    Path {
        // A busy machine is slow now and then, which the script cannot mean.
        latency: latency.clamp(Duration::micros(50), Duration::micros(1_500)),
        early: is_early(&seen),
    }
}

/// Whether the rest of a handshake came before anything was said to its beginning.
fn is_early(seen: &[Seen<'_>]) -> bool {
    let Some(begin) = seen.iter().position(|s| s.data.contains("listening-port")) else {
        return false;
    };
    let link = seen[begin].link;
    let mut mine = seen[begin..].iter().filter(|s| s.came && s.link == link);
    let answered = |s: &&Seen<'_>| s.way == Way::S2c;
    let first = mine.find(|s| answered(s) || s.data.contains("ip-address"));
    first.is_some_and(|s| !answered(&s))
}

fn asked_times(recording: &[Line], members: &Members, of: NodeId) -> Vec<Time> {
    let seen = seen_by_proxy(recording, members, of);
    let asked = seen.filter(|s| s.came && s.way == Way::S2c && s.data.contains(GETACK));
    asked.map(|s| s.at).collect()
}

/// A clock's second is a little longer than one, so that counted back from a later tick it may
/// seem to tick just after its server was asked for an acknowledgement, when it had ticked just
/// before. What it would acknowledge then makes a difference.
fn clear_of(tick: Time, asked: &[Time], ticks: &[Time]) -> Time {
    let (second, near) = (Duration::secs(1).0, Duration::millis(30).0);
    for at in asked.iter().filter(|at| **at < tick) {
        let after = tick.since(*at).0 % second;
        let ticked = |other: &Time| *other > *at && other.since(*at).0 <= near;
        if after <= near && !ticks.iter().any(ticked) {
            return Time(tick.0 - after - Duration::millis(3).0);
        }
    }
    tick
}

fn asked(recording: &[Line], members: &Members, of: NodeId) -> Vec<(Time, NodeId)> {
    let told = recording
        .iter()
        .filter(|line| matches!(&line.event, Event::Tx { cmd, .. } if cmd.starts_with("WAIT")));
    let told = told.map(|line| instant(line.t));
    let told: Vec<Time> = told.collect();
    let seen = seen_by_proxy(recording, members, of);
    let asked = seen.filter(|s| s.came && s.way == Way::S2c && s.data.contains(GETACK));
    let silent = asked.filter(|s| {
        let near = |at: &Time| *at <= s.at && s.at.since(*at) < Duration::millis(50);
        !told.iter().any(near)
    });
    silent.map(|s| (s.at, of)).collect()
}

fn loading(recording: &[Line], members: &Members) -> Vec<(NodeId, Time, Time)> {
    let mut all = Vec::new();
    let mut since: BTreeMap<NodeId, Time> = BTreeMap::new();
    for line in recording {
        if let (Some(node), Event::Log { line: text }) = (members.node(&line.who), &line.event) {
            if text.starts_with("Full resync from") {
                since.insert(node, instant(line.t));
            } else if text.ends_with("sync: Finished with success")
                && let Some(from) = since.remove(&node)
            {
                // Logs are rounded down.
                all.push((node, from, instant(line.t) + Duration::millis(2)));
            }
        }
    }
    all
}

/// The two halves of a round trip through a proxy: from what came in to what came back for it,
/// at the first PING.
fn half_round_trip(seen: &[Seen<'_>]) -> Option<Duration> {
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
    Some(Duration((to_server.0 + next.at.since(from).0) / 2))
}

/// When a proxy held something.
fn holds(recording: &[Line], members: &Members, of: NodeId) -> Vec<(Time, Time)> {
    let mut holds = Vec::new();
    let mut since = None;
    for line in recording {
        if members.behind(&line.who) != Some(of) {
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

/// The delays of a proxy that bytes show which went on late, outside of holds. How long they are
/// is much the same; when they begin and end lies between two pieces, of which one was late.
fn silent_delays(recording: &[Line], members: &Members, of: NodeId) -> Vec<Delay> {
    let seen: Vec<Seen<'_>> = seen_by_proxy(recording, members, of).collect();
    let holds = holds(recording, members, of);
    let mut delays = Vec::new();
    for way in [Way::C2s, Way::S2c] {
        let gaps = forward_gaps(&seen, way, &holds);
        let mut late: Vec<Duration> = gaps.iter().filter_map(|(_, gap)| *gap).collect();
        late.sort_unstable();
        let Some(usual) = late.get(late.len() / 2).copied() else {
            continue;
        };
        let (mut before, mut last) = (Duration::ZERO, None);
        for (came, gap) in gaps {
            let by = gap.map_or(Duration::ZERO, |_| usual);
            if by != before {
                let at = last.map_or(Time::ZERO, |last: Time| {
                    last + Duration(came.since(last).0 / 2)
                });
                delays.push(Delay {
                    at,
                    node: of,
                    way,
                    by,
                });
            }
            (before, last) = (by, Some(came));
        }
    }
    delays
}

/// When pieces came in, and how long after they went on, if they did not at once; those aside
/// that were held.
fn forward_gaps(
    seen: &[Seen<'_>],
    way: Way,
    holds: &[(Time, Time)],
) -> Vec<(Time, Option<Duration>)> {
    let mut gaps: Vec<(Time, Option<Duration>)> = Vec::new();
    // Those that came in: link, size, place among the gaps.
    let mut waiting: Vec<(u32, u64, usize)> = Vec::new();
    for s in seen.iter().filter(|s| s.way == way) {
        if s.came {
            waiting.push((s.link, s.bytes, gaps.len()));
            gaps.push((s.at, None));
            continue;
        }
        let same = |(link, bytes, _): &(u32, u64, usize)| (*link, *bytes) == (s.link, s.bytes);
        if let Some(index) = waiting.iter().position(same) {
            let (_, _, gap) = waiting[index];
            // What came in before on this connection has gone on by now.
            let mut at = 0;
            waiting.retain(|(link, ..)| {
                at += 1;
                *link != s.link || at - 1 > index
            });
            gaps[gap].1 = Some(s.at.since(gaps[gap].0));
        }
    }
    gaps.retain(|(came, gap)| {
        let went = *came + gap.unwrap_or_default();
        holds.iter().all(|(from, to)| went < *from || *to < *came)
    });
    gaps
}

fn sync_delay(recording: &[Line], members: &Members) -> Duration {
    for (of, _) in members.nodes() {
        let mut asked = None;
        for s in seen_by_proxy(recording, members, of) {
            match (s.way, asked) {
                (Way::C2s, _) if s.data.contains("PSYNC") => asked = Some(s.at),
                (Way::S2c, Some(at)) if s.data.starts_with("+FULLRESYNC") => {
                    let slow = s.at.since(at) > Duration::secs(1);
                    return if slow {
                        Duration::secs(5)
                    } else {
                        Duration::ZERO
                    };
                }
                _ => {}
            }
        }
    }
    Duration::ZERO
}

fn clock(recording: &[Line], members: &Members, of: NodeId, turn: Time, stops: &[Stop]) -> Clock {
    let mut load = Duration::millis(1);
    let mut ticks = Vec::new();
    let mut dials = Vec::new();
    for (primary, _) in members.nodes().filter(|(id, _)| *id != of) {
        let openers = openers(recording, members, primary);
        let mut asked = None;
        let mut resyncing: Option<Time> = None;
        for s in seen_by_proxy(recording, members, primary) {
            if openers.get(&s.link) != Some(&of) || !s.came {
                continue;
            }
            match s.way {
                Way::S2c if s.data.starts_with("+FULLRESYNC") => resyncing = Some(s.at),
                Way::S2c if s.data.contains(GETACK) => asked = Some(s.at),
                Way::C2s if s.data.contains(ACK) => {
                    let of_itself = asked.is_none_or(|at| s.at.since(at) > Duration::millis(100));
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
            if members.behind(&line.who) == Some(primary)
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
    let stop = stops.iter().find(|stop| stop.node == of);
    let tick = match (tick, stop) {
        (Some(tick), Some(stop)) if stop.to <= tick => {
            let before = ticks.iter().rfind(|at| **at < stop.from);
            Some(before.copied().unwrap_or_else(|| before_stop(tick, stop)))
        }
        (tick, _) => tick,
    };
    let asked = members.nodes().filter(|(id, _)| *id != of);
    let asked: Vec<Time> = asked
        .flat_map(|(primary, _)| asked_times(recording, members, primary))
        .collect();
    let tick = tick.map(|tick| clear_of(tick, &asked, &ticks));
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

/// When a clock ticked that acknowledged at `tick` after a stop. A stopped process misses ticks
/// of its clock, and counts those that it has had: when it goes on, the next comes at once, and
/// every tenth acknowledges.
fn before_stop(tick: Time, stop: &Stop) -> Time {
    let tenth = Duration::millis(100).0;
    let since = (tick.since(stop.to).0 + tenth / 2) / tenth;
    // The last before the stop was so many tenths after one that acknowledged.
    let after = 9 - since % 10;
    let last = stop.from.0.saturating_sub(tenth / 2);
    Time(last.saturating_sub(after * tenth))
}

/// The instant nearest to `tick` that is a whole number of 100 ms from `again`.
fn in_step(tick: Time, again: Time) -> Time {
    let period = Duration::millis(100).0;
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
        let ms = |n| Time(Duration::millis(n).0);
        assert_eq!(in_step(ms(1014), ms(509)), ms(1009));
        assert_eq!(in_step(ms(1014), ms(570)), ms(970));
        assert_eq!(in_step(ms(1090), ms(505)), ms(1105));
    }

    fn lines(text: &str) -> Vec<Line> {
        let parse = |line| serde_json::from_str(line).expect("a line");
        text.lines().map(parse).collect()
    }

    #[test]
    fn a_clock_ticks_before_its_server_is_asked_rather_than_just_after() {
        let ms = |n| Time(Duration::millis(n).0);
        assert_eq!(clear_of(ms(2061), &[ms(1058)], &[ms(2061)]), ms(2055));
        assert_eq!(clear_of(ms(2061), &[ms(1500)], &[ms(2061)]), ms(2061));
        assert_eq!(
            clear_of(ms(2061), &[ms(1058)], &[ms(1060), ms(2061)]),
            ms(2061)
        );
    }

    #[test]
    fn a_stopped_clock_misses_ticks_and_goes_on_counting() {
        let ms = |n| Time(Duration::millis(n).0);
        let stop = Stop {
            node: NodeId(1),
            from: ms(450),
            to: ms(1300),
        };
        // Ticks at 1300, 1400, …, of which that at 1800 acknowledges, the sixth after the stop: so
        // the last before it, taken to be at 400, was the fourth after one that did.
        assert_eq!(before_stop(ms(1801), &stop), ms(0));
        assert_eq!(before_stop(ms(2201), &stop), ms(400));
    }

    #[test]
    fn delays_are_seen_where_bytes_go_on_late() {
        let recording = lines(
            r#"{"t":0,"who":"lab","ev":"start","node":"A","port":7001}
{"t":0,"who":"lab","ev":"start","node":"B","port":7002}
{"t":2,"who":"PB","ev":"px_accept","link":1}
{"t":3,"who":"PB","ev":"px","link":1,"dir":"c2s","n":9,"data":"*1\r\n$4\r\n"}
{"t":11,"who":"PB","ev":"px","link":1,"dir":"c2s","n":14,"data":"*1\r\n$4\r\nPING\r\n"}
{"t":161,"who":"PB","ev":"px_fwd","link":1,"dir":"c2s","n":14,"data":"*1\r\n$4\r\nPING\r\n"}
{"t":161.4,"who":"PB","ev":"px","link":1,"dir":"s2c","n":7,"data":"+PONG\r\n"}
{"t":312,"who":"PB","ev":"px_fwd","link":1,"dir":"s2c","n":7,"data":"+PONG\r\n"}
{"t":312.2,"who":"PB","ev":"px","link":1,"dir":"c2s","n":50,"data":"*3\r\nlistening-port\r\nip-address"}
{"t":462.2,"who":"PB","ev":"px_fwd","link":1,"dir":"c2s","n":50,"data":"*3"}
{"t":900,"who":"PB","ev":"px","link":1,"dir":"c2s","n":34,"data":"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"}
{"t":1050,"who":"PB","ev":"px_fwd","link":1,"dir":"c2s","n":34,"data":"*3"}"#,
        );
        let members = Members::of(&recording).expect("two servers");
        let evidence = Evidence::of(&recording, &members, Time::ZERO, &[]);
        let (at, way) = (Time(7_000_000), Way::C2s);
        let node = NodeId(1);
        let there = Delay {
            at,
            node,
            way,
            by: Duration::millis(150),
        };
        let back = Delay {
            at: Time::ZERO,
            way: Way::S2c,
            by: Duration::micros(150_600),
            ..there
        };
        assert_eq!(evidence.delays, [there, back]);
        assert_eq!(evidence.paths[1].latency, Duration::micros(300));
        assert!(evidence.paths[1].early);
        assert_eq!(evidence.clocks[0].tick, Some(Time(900_000_000)));
        assert_eq!(evidence.clocks[1].tick, None);
    }
}
