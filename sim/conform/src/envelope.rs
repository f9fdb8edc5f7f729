//! What the model's runs of a scenario show, over many seeds, and whether a run of real servers
//! is one of them.
//!
//! Real servers draw no seeds, so a single run of them cannot be the same as one of the model's.
//! But whatever it shows must be shown by some run of the model, and what every run of the model
//! shows amply it must show too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::agreement::{Difference, Observation, Outcome};
use super::findings::{Judged, judged_live};
use super::seen::Seen;
use rebound_engine::{Duration, Time};
use rebound_sim::results::CheckId;
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::{Behaviour, NodeId};
use rebound_sim::world::Runner;

/// What every run shows at least this many times, a run of real servers must show.
const AMPLE: u32 = 5;
/// What a node is for so long in every run, polls of a real server must see.
const LONG: Duration = Duration::millis(80);
/// How many more seeds are run at a time while something is seen that no run shows.
const STEP: u64 = 20;
/// How many seeds are run at most.
const MOST: u64 = 80;

/// The runs of the model.
pub struct Envelope {
    plan: Arc<Plan>,
    runner: Runner,
    runs: Vec<(Seen, BTreeMap<CheckId, u64>)>,
}

impl Envelope {
    /// Runs of the plan under this behaviour, seeds zero to `seeds`.
    pub fn new(plan: Arc<Plan>, behaviour: &'static Behaviour, seeds: u64) -> Envelope {
        let mut envelope = Envelope {
            runner: Runner::new(plan.clone(), behaviour),
            plan,
            runs: Vec::new(),
        };
        envelope.grow(seeds);
        envelope
    }

    /// How many seeds have been run.
    pub fn seeds(&self) -> u64 {
        self.runs.len() as u64
    }

    fn grow(&mut self, seeds: u64) {
        for seed in self.seeds()..seeds {
            let mut seen = Seen::new(&self.plan);
            let report = self.runner.run(seed, &mut seen);
            seen.end();
            let total = |check: CheckId| report.findings_total.get(check.name()).copied();
            let totals = CheckId::ALL.into_iter();
            let totals = totals.filter_map(|check| Some((check, total(check)?)));
            self.runs.push((seen, totals.collect()));
        }
    }

    /// Compares a run of real servers with the model's.
    pub fn hold(&mut self, live: &Seen, judged: &Judged) -> Vec<Observation> {
        loop {
            let found = self.compare(live, judged);
            let differs = |o: &Observation| matches!(o.outcome, Outcome::Differs(_));
            if self.seeds() >= MOST || !found.iter().any(differs) {
                return found;
            }
            self.grow(self.seeds() + STEP);
        }
    }

    fn compare(&self, live: &Seen, judged: &Judged) -> Vec<Observation> {
        let mut found = Vec::new();
        let nodes = (0..self.plan.nodes.len() as u16).map(NodeId);
        for node in nodes.clone() {
            found.extend(self.operator(live, node));
        }
        for node in nodes.clone() {
            found.push(self.states(live, node));
        }
        found.push(self.endings(live));
        for from in nodes.clone() {
            for to in nodes.clone().filter(|to| *to != from) {
                found.extend(self.handshakes(live, from, to));
            }
        }
        for group in 0..self.plan.groups.len() {
            found.push(self.commands(live, group));
        }
        found.extend(self.checks(judged));
        found
    }

    fn name(&self, node: NodeId) -> &str {
        self.plan.node_name(node)
    }

    fn operator(&self, live: &Seen, node: NodeId) -> Option<Observation> {
        let texts = |seen: &Seen| -> Vec<String> {
            let said = seen.operator.get(&node).into_iter().flatten();
            said.map(|(_, text)| text.clone()).collect()
        };
        let own = texts(live);
        let theirs: BTreeSet<Vec<String>> = self.runs.iter().map(|(seen, _)| texts(seen)).collect();
        if own.is_empty() && theirs.iter().all(Vec::is_empty) {
            return None;
        }
        let at = live
            .operator
            .get(&node)
            .and_then(|said| Some(said.first()?.0));
        let mut differences = Vec::new();
        if !theirs.contains(&own) {
            differences.push(Difference {
                at_ms: millis(at.unwrap_or(Time::ZERO)),
                recorded: own.join("; "),
                model: alternatives(theirs.iter().map(|said| said.join("; "))),
            });
        }
        let what = format!("{}: replies to its operator", self.name(node));
        Some(observation(what, own.len(), differences))
    }

    /// Polls can miss what does not last: what was seen must be part of what some run shows, in
    /// order, and what lasts in every run must be seen.
    fn states(&self, live: &Seen, node: NodeId) -> Observation {
        let place = usize::from(node.0);
        let own: Vec<&str> = texts(&live.states[place]);
        let mut differences = Vec::new();
        let fits = |(seen, _): &(Seen, _)| {
            let theirs = texts(&seen.states[place]);
            theirs.last() == own.last() && is_part(&own, &theirs)
        };
        let at = live.states[place].first().map_or(Time::ZERO, |(at, _)| *at);
        let model = || {
            alternatives(
                self.runs
                    .iter()
                    .map(|(seen, _)| texts(&seen.states[place]).join(" > ")),
            )
        };
        if !self.runs.iter().any(fits) {
            differences.push(Difference {
                at_ms: millis(at),
                recorded: own.join(" > "),
                model: model(),
            });
        }
        let mut lasting: Option<BTreeSet<&str>> = None;
        for (seen, _) in &self.runs {
            let states = &seen.states[place];
            let long = states
                .windows(2)
                .filter(|pair| pair[1].0.since(pair[0].0) >= LONG);
            let long: BTreeSet<&str> = long.map(|pair| pair[0].1.as_str()).collect();
            lasting = Some(match lasting {
                Some(known) => known.intersection(&long).copied().collect(),
                None => long,
            });
        }
        for state in lasting.unwrap_or_default() {
            if !own.contains(&state) {
                differences.push(Difference {
                    at_ms: millis(at),
                    recorded: format!("never {state}"),
                    model: model(),
                });
            }
        }
        let what = format!(
            "{}: role, failover state and link, in order",
            self.name(node)
        );
        observation(what, own.len(), differences)
    }

    fn endings(&self, live: &Seen) -> Observation {
        let words = |seen: &Seen| {
            let states = seen.last_states();
            let named = self.plan.nodes.iter().zip(states);
            let named: Vec<String> = named
                .map(|(node, state)| format!("{} {state}", node.name))
                .collect();
            named.join("; ")
        };
        let own = words(live);
        let theirs: BTreeSet<String> = self.runs.iter().map(|(seen, _)| words(seen)).collect();
        let differences = if theirs.contains(&own) {
            Vec::new()
        } else {
            vec![Difference {
                at_ms: 0.0,
                recorded: own,
                model: alternatives(theirs.into_iter()),
            }]
        };
        observation(
            "what the nodes are at the end".to_owned(),
            self.plan.nodes.len(),
            differences,
        )
    }

    /// A connection that ends early says less: what was said must be the beginning of what some
    /// run says.
    fn handshakes(&self, live: &Seen, from: NodeId, to: NodeId) -> Option<Observation> {
        let said = |seen: &Seen| -> BTreeMap<String, Time> {
            let mut said = BTreeMap::new();
            for exchange in seen.exchanges.range((from, to, 0)..=(from, to, u64::MAX)) {
                let exchange = exchange.1;
                for (what, words) in [("asks", &exchange.asks), ("is answered", &exchange.answers)]
                {
                    if !words.is_empty() {
                        let text = format!("{what} {}", words.join(", "));
                        said.entry(text).or_insert(exchange.at);
                    }
                }
            }
            said
        };
        let own = said(live);
        let runs: Vec<BTreeMap<String, Time>> =
            self.runs.iter().map(|(seen, _)| said(seen)).collect();
        let all: BTreeSet<&String> = runs.iter().flat_map(BTreeMap::keys).collect();
        if own.is_empty() && all.is_empty() {
            return None;
        }
        let begins = |text: &str, whole: &str| {
            whole == text
                || whole
                    .strip_prefix(text)
                    .is_some_and(|rest| rest.starts_with(','))
        };
        let mut differences = Vec::new();
        for (text, at) in &own {
            if !all.iter().any(|whole| begins(text, whole)) {
                differences.push(Difference {
                    at_ms: millis(*at),
                    recorded: text.clone(),
                    model: alternatives(all.iter().map(|text| (*text).clone())),
                });
            }
        }
        for text in all {
            let always = runs.iter().all(|run| run.contains_key(text));
            let longer = all_longer(&runs, text);
            if always && !longer && !own.keys().any(|whole| begins(text, whole)) {
                differences.push(Difference {
                    at_ms: 0.0,
                    recorded: alternatives(own.keys().cloned()),
                    model: text.clone(),
                });
            }
        }
        let what = format!(
            "{} to {}: handshake, in order",
            self.name(from),
            self.name(to)
        );
        Some(observation(what, own.len(), differences))
    }

    fn commands(&self, live: &Seen, group: usize) -> Observation {
        let own = live.commands.iter().filter(|((its, _), _)| *its == group);
        let mut differences = Vec::new();
        let mut total = 0;
        for (key, often) in own {
            total += often.count;
            if !self
                .runs
                .iter()
                .any(|(seen, _)| seen.commands.contains_key(key))
            {
                differences.push(Difference {
                    at_ms: millis(often.first),
                    recorded: format!("{} times {}", often.count, key.1),
                    model: "in no run".to_owned(),
                });
            }
        }
        let first = self.runs.first().map(|(seen, _)| &seen.commands);
        for (key, _) in first
            .into_iter()
            .flatten()
            .filter(|((its, _), _)| *its == group)
        {
            let counts = self
                .runs
                .iter()
                .map(|(seen, _)| seen.commands.get(key).map_or(0, |often| often.count));
            let least = counts.min().unwrap_or(0);
            if least >= AMPLE && !live.commands.contains_key(key) {
                differences.push(Difference {
                    at_ms: 0.0,
                    recorded: "never".to_owned(),
                    model: format!("in each run, at least {least} times {}", key.1),
                });
            }
        }
        let name = &self.plan.groups[group].name;
        observation(
            format!("{name}: redirects and ends of commands"),
            total as usize,
            differences,
        )
    }

    fn checks(&self, judged: &Judged) -> Vec<Observation> {
        let mut found = Vec::new();
        let seen = |check: &CheckId| judged_live(*check).is_ok();
        for check in CheckId::ALL.into_iter().filter(seen) {
            let runs = self.runs.len();
            let with = self
                .runs
                .iter()
                .filter(|(_, totals)| totals.contains_key(&check))
                .count();
            let own = judged.totals.get(&check).copied().unwrap_or(0);
            let differs = (own > 0 && with == 0) || (own == 0 && with == runs);
            let differences = if differs {
                let first = judged.found.iter().find(|found| found.check == check);
                vec![Difference {
                    at_ms: first.map_or(0.0, |found| millis(found.at)),
                    recorded: first.map_or("no finding".to_owned(), |found| {
                        format!("{own} findings, first: {}", found.why)
                    }),
                    model: format!("findings in {with} of {runs} runs"),
                }]
            } else {
                Vec::new()
            };
            found.push(observation(
                format!("check {}", check.name()),
                1,
                differences,
            ));
        }
        found
    }
}

/// Whether every run that has this text has a longer one that begins with it.
fn all_longer(runs: &[BTreeMap<String, Time>], text: &str) -> bool {
    let longer = format!("{text},");
    runs.iter()
        .all(|run| run.keys().any(|whole| whole.starts_with(&longer)))
}

fn texts(states: &[(Time, String)]) -> Vec<&str> {
    states.iter().map(|(_, text)| text.as_str()).collect()
}

/// Whether `part` is `whole` with some left out.
fn is_part(part: &[&str], whole: &[&str]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|each| rest.any(|other| other == each))
}

fn observation(what: String, compared: usize, differences: Vec<Difference>) -> Observation {
    Observation {
        what,
        compared: compared as u32,
        outcome: if differences.is_empty() {
            Outcome::Agrees
        } else {
            Outcome::Differs(differences)
        },
    }
}

/// The first few of what the model shows.
fn alternatives(texts: impl Iterator<Item = String>) -> String {
    let all: BTreeSet<String> = texts.collect();
    let mut shown: Vec<String> = all.iter().take(3).cloned().collect();
    if all.len() > 3 {
        shown.push(format!("{} more", all.len() - 3));
    }
    if shown.is_empty() {
        return "nothing".to_owned();
    }
    shown.join(" | ")
}

fn millis(at: Time) -> f64 {
    at.0 as f64 / 1e6
}
