//! What servers say to each other before the stream flows, connection by connection, and how
//! often they dial.
//!
//! The model says `REPLCONF listening-port` and `REPLCONF ip-address` in one: the recorded
//! `ip-address` and its reply are left out. The text of `REPLCONF version` is the server's own.

use std::collections::BTreeMap;

use super::super::agreement::Observation;
use super::super::evidence::{openers, seen_by_proxy};
use super::super::recording::{Event, Way};
use super::super::replies;
use super::super::script::instant;
use super::{Run, Sides, Tally};
use crate::bench::WireEvent;
use rebound_engine::Time;
use rebound_sim::valkey::{Command, Message, NodeId, Request};

/// A character of a piece that is only partly shown.
const HIDDEN: char = '\u{fffd}';

/// No word of a handshake is longer than this, nor hides more.
const LONG: u64 = 4_096;

/// What was said on one connection until the stream flows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Talk {
    said: Vec<String>,
    answered: Vec<String>,
}

impl std::fmt::Display for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.said.is_empty() {
            return f.write_str("nothing");
        }
        for (place, said) in self.said.iter().enumerate() {
            let answer = self.answered.get(place).map_or("no reply", |a| a);
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{said} ({answer})")?;
        }
        Ok(())
    }
}

pub(super) fn observe(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    let mut observations = Vec::new();
    for (to, member) in sides.plan.members.nodes() {
        for (from, other) in sides.plan.members.nodes().filter(|(from, _)| *from != to) {
            let (name, opener) = (&member.name, &other.name);
            let recorded = recorded(sides, from, to);
            let (model, dials) = modelled(sides, run, from, to);
            if recorded.is_empty() && model.is_empty() {
                continue;
            }
            let mut tally = Tally::of(format!("{opener} to {name}: handshakes"));
            talks(&recorded, &model, &mut tally);
            let tries = recorded.len() + refusals(sides, from, to);
            tally.compared += 1;
            if tries.abs_diff(dials) > (tries / 10).max(1) {
                let at = recorded.first().map_or(Time::ZERO, |(at, _)| *at);
                tally.differ(at, format!("{tries} tries"), format!("{dials} tries"));
            }
            observations.push(tally.observation());
        }
    }
    observations
}

/// Compares connection by connection; of several alike one after the other only the first, since
/// how many there are is a matter of time.
fn talks(recorded: &[(Time, Talk)], model: &[(Time, Talk)], tally: &mut Tally) {
    let distinct = |talks: &[(Time, Talk)]| {
        let mut talks: Vec<(Time, Talk)> = talks.to_vec();
        talks.dedup_by(|a, b| a.1 == b.1);
        // One that was never made tells nothing.
        talks.retain(|(_, talk)| !talk.said.is_empty());
        talks
    };
    let (recorded, model) = (distinct(recorded), distinct(model));
    for place in 0..recorded.len().max(model.len()) {
        let at = recorded.get(place).or(recorded.last());
        let nothing = Talk::default();
        let talk = |talks: &[(Time, Talk)]| {
            let talk = talks.get(place).map_or(&nothing, |(_, talk)| talk);
            talk.clone()
        };
        let (one, other) = (talk(&recorded), talk(&model));
        tally.compared += (one.said.len() + one.answered.len()) as u32;
        if one != other {
            let at = at.map_or(Time::ZERO, |(at, _)| *at);
            tally.differ(at, one.to_string(), other.to_string());
        }
    }
}

/// Dials that met nobody, by the log of who dialled: a proxy that does not listen sees none.
fn refusals(sides: &Sides<'_>, from: NodeId, to: NodeId) -> usize {
    let name = sides.plan.members.name(from);
    let port = sides.plan.members.nodes().find(|(id, _)| *id == to);
    let port = format!(":{}", port.map_or(0, |(_, member)| member.announced));
    let mut towards = false;
    let mut count = 0;
    for line in sides.recording.iter().filter(|line| line.who == name) {
        if let Event::Log { line } = &line.event {
            let dials = line.starts_with("Connecting to") || line.starts_with("Reconnecting to");
            if dials {
                towards = line.ends_with(&port);
            } else if line.ends_with("Connection refused") && towards {
                count += 1;
            }
        }
    }
    count
}

fn recorded(sides: &Sides<'_>, from: NodeId, to: NodeId) -> Vec<(Time, Talk)> {
    let openers = openers(sides.recording, &sides.plan.members, to);
    let mut links: BTreeMap<u32, (Time, String, String)> = BTreeMap::new();
    let proxied = |line: &&super::Line| sides.plan.members.behind(&line.who) == Some(to);
    for line in sides.recording.iter().filter(proxied) {
        if let Event::PxAccept { link, .. } = &line.event
            && openers.get(link) == Some(&from)
        {
            links.insert(*link, (instant(line.t), String::new(), String::new()));
        }
    }
    for seen in seen_by_proxy(sides.recording, &sides.plan.members, to) {
        if let Some((_, said, answered)) = links.get_mut(&seen.link)
            && seen.came
        {
            let all = match seen.way {
                Way::C2s => said,
                Way::S2c => answered,
            };
            all.push_str(seen.data);
            // What is not shown has its length at least.
            let hidden = seen.bytes.saturating_sub(seen.data.chars().count() as u64);
            all.extend((0..hidden.min(LONG)).map(|_| HIDDEN));
        }
    }
    let talks = links.into_values();
    talks
        .map(|(at, said, answered)| (at, talk(&said, &answered, sides)))
        .collect()
}

/// Commands in RESP, up to PSYNC; what follows is the stream's.
fn talk(said: &str, answered: &str, sides: &Sides<'_>) -> Talk {
    let mut talk = Talk::default();
    let mut answers = answered.split("\r\n").map(str::trim_start);
    for words in commands(said) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = answers.next().filter(|answer| !answer.is_empty());
        if matches!(words[..], ["REPLCONF", "ip-address", _]) {
            continue;
        }
        let text = match words[..] {
            ["REPLCONF", "listening-port", port] => {
                let node = port
                    .parse()
                    .ok()
                    .and_then(|port| sides.plan.members.at_port(port));
                let name = node.map_or("somebody else", |node| sides.plan.members.name(node));
                format!("REPLCONF listening-port of {name}")
            }
            ["REPLCONF", "version", _] => "REPLCONF version".to_owned(),
            ["PSYNC", "?", ..] => format!("PSYNC without an id{}", failover(&words)),
            ["PSYNC", ..] => format!("PSYNC with an id{}", failover(&words)),
            _ => words.join(" "),
        };
        let is_last = text.starts_with("PSYNC");
        talk.said.push(text);
        if let Some(answer) = answer {
            talk.answered.push(first_word(answer));
        }
        if is_last {
            break;
        }
    }
    talk
}

fn failover(words: &[&str]) -> &'static str {
    match words.last() {
        Some(&"FAILOVER") => " FAILOVER",
        _ => "",
    }
}

/// What counts of a reply: all of an error, and the word of what is no error.
fn first_word(answer: &str) -> String {
    match answer.strip_prefix('+') {
        Some(_) => answer.split(' ').next().unwrap_or(answer).to_owned(),
        None => answer.to_owned(),
    }
}

/// Arrays of bulk strings, as far as they are whole.
fn commands(data: &str) -> Vec<Vec<String>> {
    let data: Vec<char> = data.chars().collect();
    let mut rest = &data[..];
    let mut all = Vec::new();
    while let Some((count, after)) = header(rest, '*') {
        rest = after;
        let mut words = Vec::new();
        for _ in 0..count {
            let Some((length, after)) = header(rest, '$') else {
                return all;
            };
            // The word, and the line's end, whether it is shown or not.
            if after.len() < length + 2 {
                return all;
            }
            words.push(after[..length].iter().collect());
            rest = &after[length + 2..];
        }
        all.push(words);
    }
    all
}

/// A line with a sign and a number, and what follows it.
fn header(data: &[char], sign: char) -> Option<(usize, &[char])> {
    let rest = data.strip_prefix(&[sign])?;
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let number: String = rest[..digits].iter().collect();
    // Longer than any word of a handshake.
    let number = number.parse().ok().filter(|n| *n <= LONG as usize)?;
    Some((number, rest.get(digits + 2..)?))
}

fn modelled(sides: &Sides<'_>, run: &Run, from: NodeId, to: NodeId) -> (Vec<(Time, Talk)>, usize) {
    let mut links: BTreeMap<u32, (Time, Talk)> = BTreeMap::new();
    let mut dials = 0;
    for passed in &run.played.wire {
        if (passed.from, passed.to) != (from, to) {
            continue;
        }
        let link = links.entry(passed.link.0);
        match passed.what {
            WireEvent::Refused => dials += 1,
            WireEvent::Made => {
                dials += 1;
                link.or_insert((passed.at, Talk::default()));
            }
            WireEvent::Sent(Message::Request(Request { command, .. })) => {
                let (_, talk) = link.or_default();
                if let Some(text) = request(command, sides) {
                    talk.said.push(text);
                }
            }
            WireEvent::Answered(Message::Reply { reply, .. }) => {
                let (_, talk) = link.or_default();
                if talk.answered.len() < talk.said.len() {
                    let text = replies::modelled(&reply, &sides.plan.words, &sides.plan.members);
                    talk.answered.push(first_word(&text));
                }
            }
            WireEvent::Sent(_) | WireEvent::Answered(_) => {}
        }
    }
    (links.into_values().collect(), dials)
}

/// A command of the handshake, as [`talk`] writes it; none of the stream's.
fn request(command: Command, sides: &Sides<'_>) -> Option<String> {
    let name = |addr| {
        let node = sides.plan.words.addresses.node(addr);
        node.map_or("somebody else", |node| sides.plan.members.name(node))
    };
    if let Command::ReplConfAddress(addr) = command {
        return Some(format!("REPLCONF listening-port of {}", name(addr)));
    }
    if let Command::Psync {
        replid, failover, ..
    } = command
    {
        let id = if replid.is_some() {
            "with an id"
        } else {
            "without an id"
        };
        let failover = if failover { " FAILOVER" } else { "" };
        return Some(format!("PSYNC {id}{failover}"));
    }
    if let Command::ReplConfAck(_) = command {
        return None;
    }
    let text = if command == Command::ReplConfCapa {
        "REPLCONF capa eof capa psync2"
    } else if command == Command::ReplConfVersion {
        "REPLCONF version"
    } else {
        command.kind().name()
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_far_as_they_are_whole() {
        let data = "*1\r\n$4\r\nPING\r\n*3\r\n$8\r\nREPLCONF\r\n$7\r\nversion\r\n$5\r\n8.0.1\r\n*2\r\n$4\r\nPSY";
        let found = commands(data);
        assert_eq!(found[0], ["PING"]);
        assert_eq!(found[1], ["REPLCONF", "version", "8.0.1"]);
        assert_eq!(found.len(), 2);
        let hidden = format!("*1\r\n$4\r\nPING\r{HIDDEN}*1\r\n$4\r\nROLE\r\n");
        assert_eq!(commands(&hidden)[1], ["ROLE"]);
    }
}
