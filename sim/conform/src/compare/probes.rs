//! Single connections: every reply, and in which phase it came; messages to subscribers in their
//! order; and whether the server closed the connection.

use std::collections::BTreeMap;

use super::super::agreement::Observation;
use super::super::clients::Probe;
use super::super::replay::ProbeReplies;
use super::commands::reply_came_in_phase;
use super::{Run, Sides, Tally, not_compared};
use rebound_engine::Time;

/// Facts of connections that no run of the model has done like the recording yet: a place among
/// what was heard, or one behind the last for how the connection ended.
pub(super) struct Open {
    open: Vec<(usize, usize)>,
    first: BTreeMap<(usize, usize), String>,
}

impl Open {
    pub(super) fn new(sides: &Sides<'_>) -> Open {
        let probes = sides.plan.clients.probes.iter().enumerate();
        let facts = probes.flat_map(|(place, probe)| {
            let end = probe.cut_short.is_none();
            (0..probe.heard.len() + usize::from(end)).map(move |fact| (place, fact))
        });
        Open {
            open: facts.collect(),
            first: BTreeMap::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open.is_empty()
    }

    /// Strikes out what this run does like the recording.
    pub(super) fn close(&mut self, sides: &Sides<'_>, run: &Run) {
        let mut open = std::mem::take(&mut self.open);
        open.retain(|(place, fact)| {
            let probe = &sides.plan.clients.probes[*place];
            !agrees(sides, run, probe, &run.played.probes[*place], *fact)
        });
        for (place, fact) in &open {
            let probe = &sides.plan.clients.probes[*place];
            let text = || modelled(probe, &run.played.probes[*place], *fact);
            self.first.entry((*place, *fact)).or_insert_with(text);
        }
        self.open = open;
    }

    /// Connection by connection; those that say nothing are left out.
    pub(super) fn observations(self, sides: &Sides<'_>) -> Vec<Observation> {
        let mut observations = Vec::new();
        for (place, probe) in sides.plan.clients.probes.iter().enumerate() {
            let name = sides.plan.members.name(probe.node);
            let what = format!("{} at {name}: replies", probe.who);
            let ended = usize::from(probe.cut_short.is_none());
            let mut tally = Tally::of(what.clone());
            tally.compared = (probe.heard.len() + ended) as u32;
            for (_, fact) in self.open.iter().filter(|(of, _)| *of == place) {
                let at = probe.heard.get(*fact).or(probe.heard.last());
                tally.differ(
                    at.map_or(probe.made, |heard| heard.at),
                    recorded(probe, *fact),
                    self.first[&(place, *fact)].clone(),
                );
            }
            observations.push(tally.observation());
            let left_out = probe.left_out.iter();
            observations.extend(left_out.map(|why| not_compared(what.clone(), why)));
            if let Some(why) = &probe.cut_short {
                observations.push(not_compared(format!("{what}, the rest"), why));
            }
        }
        observations
    }
}

/// The `fact`th of what a connection heard, answers and messages counted each by themselves: how
/// these are mixed is chance.
fn counterpart<'t>(
    probe: &Probe,
    model: &'t ProbeReplies,
    fact: usize,
) -> Option<&'t (Time, String, bool)> {
    let answers = probe.heard[fact].answers;
    let before = probe.heard[..fact].iter();
    let nth = before.filter(|heard| heard.answers == answers).count();
    let mut same = model.heard.iter().filter(|(.., kind)| *kind == answers);
    same.nth(nth)
}

fn agrees(sides: &Sides<'_>, run: &Run, probe: &Probe, model: &ProbeReplies, fact: usize) -> bool {
    let Some(heard) = probe.heard.get(fact) else {
        let whole = model.heard.len() == probe.heard.len();
        return whole && (probe.closed.is_none() || model.closed.is_some());
    };
    let Some((at, text, _)) = counterpart(probe, model, fact) else {
        return false;
    };
    let same = *text == heard.text || heard.text == "anything";
    same && reply_came_in_phase(sides, run, heard.at, *at)
}

fn asked(probe: &Probe, fact: usize) -> &str {
    let before = probe.heard[..fact.min(probe.heard.len())].iter();
    let nth = before.filter(|heard| heard.answers).count();
    probe.sends.get(nth).map_or("nothing", |send| &send.text)
}

fn recorded(probe: &Probe, fact: usize) -> String {
    match probe.heard.get(fact) {
        Some(heard) if heard.answers => format!("{}: {}", asked(probe, fact), heard.text),
        Some(heard) => heard.text.clone(),
        None if probe.closed.is_some() => "closed by the server at the end".to_owned(),
        None => format!("{} replies and messages in all", probe.heard.len()),
    }
}

fn modelled(probe: &Probe, model: &ProbeReplies, fact: usize) -> String {
    if fact >= probe.heard.len() {
        let end = model.closed.map_or("open", |_| "closed");
        return format!("{} in all, {end} at the end", model.heard.len());
    }
    match counterpart(probe, model, fact) {
        Some((at, text, _)) => format!("{text} at {:.1} of its time", super::ms(*at)),
        None => "nothing".to_owned(),
    }
}
