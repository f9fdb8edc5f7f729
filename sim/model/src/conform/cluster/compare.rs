//! What runs of a cluster agree on, and where they differ.

use std::collections::{BTreeMap, BTreeSet};

use super::super::agreement::{Difference, Observation, Outcome};
use super::run::{Millis, Op, Run};

/// How much is known of what real servers do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// What one run showed. What it did not show may be by chance.
    OneRun,
    /// The latest things that could happen were seen, but how early others can be was not.
    UpperBounds,
    /// All that can happen was seen, and how early and late.
    All,
}

/// What one side showed under each heading.
pub type Sets = BTreeMap<String, BTreeSet<String>>;

/// What runs showed, heading by heading.
pub fn sets(runs: &[Run], of: impl Fn(&Run) -> Vec<(String, String)>) -> Sets {
    let mut sets = Sets::new();
    for (key, value) in runs.iter().flat_map(of) {
        sets.entry(key).or_default().insert(value);
    }
    sets
}

/// What every run must agree on, whatever its times: texts, offsets, epochs.
pub fn facts(run: &Run) -> Vec<(String, String)> {
    let fact = |what: &str, is: String| (what.to_owned(), is);
    let epochs: BTreeSet<u64> = ["b election", "b epoch", "a voted", "c voted", "d voted"]
        .iter()
        .flat_map(|what| run.numbers(what))
        .collect();
    let handed_over = run.numbers("b takes-over-from");
    let ends = run.ops.iter().flat_map(|op| op.steps.last());
    let ends: BTreeSet<&str> = ends.map(|step| &*step.answer).collect();
    vec![
        fact("the reply", run.reply.clone()),
        fact("a redirect", run.redirect.clone()),
        fact("epochs of the election", format!("{epochs:?}")),
        fact(
            "delay of the election",
            format!("{:?}", run.numbers("b planned")),
        ),
        fact(
            "a goes on where b took over",
            (handed_over == run.numbers("a asks-from") && handed_over.len() == 1).to_string(),
        ),
        fact("how commands end", format!("{ends:?}")),
    ]
}

/// The ways of the writes that the old primary held.
fn ways(run: &Run) -> Vec<(String, String)> {
    let way = |op: &Op| ("the ways of held writes".to_owned(), op.path());
    run.held().map(way).collect()
}

/// The steps of the failover, and how many packets of the bus each waits for.
const STEPS: [(&str, &str, u8); 5] = [
    ("b accepted", "a paused", 1),
    ("a paused", "b election", 1),
    ("b election", "b won", 2),
    ("b won", "a demoted", 1),
    ("a paused", "a demoted", 4),
];

/// What follows from what.
const CAUSES: [&str; 11] = [
    "b accepted",
    "a paused",
    "b told-offset",
    "b caught-up",
    "b planned",
    "b election",
    "b won",
    "b takes-over-from",
    "a demoted",
    "a asks-from",
    "a continued",
];

/// What a recorded packet took beyond the path's latency, and what a log's time may be off.
const PER_PACKET: Millis = 2.0;

/// Linux may keep a packet of the bus back until the one before is acknowledged, up to 40 ms later.
const KEPT_BACK: Millis = 45.0;

/// Clients think for 10 ms, so the first command of the pause comes up to that much later.
const THINKING: Millis = 10.0;

/// Compares what was recorded with runs of the model. `wide` are more of these, in which what the
/// recorded machine's network may do besides is done as well; they may answer what was recorded.
pub fn observations(
    recorded: &[Run],
    model: &[Run],
    wide: &[Run],
    known: Known,
) -> Vec<Observation> {
    let all = [model, wide].concat();
    let both = |of: fn(&Run) -> Vec<(String, String)>| [sets(recorded, of), sets(&all, of)];
    let one = known == Known::OneRun;
    let when = recorded.first().map_or(0.0, |run| run.start);
    let mut told = Vec::new();
    let [seen, modelled] = both(facts);
    let differ = side_by_side(&seen, &modelled, Match::Equal);
    told.push(observation(
        "facts of the failover",
        seen.len(),
        differ,
        when,
    ));
    let [seen, modelled] = both(ways);
    let matching = if one { Match::Within } else { Match::Equal };
    let differ = side_by_side(&seen, &modelled, matching);
    told.push(observation(
        "ways of writes that A held",
        count(&seen),
        differ,
        when,
    ));
    let [seen, modelled] = both(Run::answers);
    let matching = match known {
        Known::OneRun => Match::Within,
        Known::UpperBounds => Match::EqualWhereSeen,
        Known::All => Match::Equal,
    };
    let differ = side_by_side(&seen, &modelled, matching);
    told.push(observation(
        "answers in each phase",
        count(&seen),
        differ,
        when,
    ));
    told.push(longest_chain(recorded, &all, known, when));
    told.push(order(recorded, model, known, when));
    for (from, to, packets) in STEPS {
        let slack = PER_PACKET * Millis::from(packets);
        let kept_back = if one {
            KEPT_BACK * Millis::from(packets)
        } else {
            0.0
        };
        let bounds = Bounds {
            early: (known != Known::UpperBounds).then_some(slack + kept_back),
            late: slack,
        };
        let of = |run: &Run| run.between(from, to);
        told.push(bound(
            &format!("from `{from}` to `{to}`"),
            recorded,
            model,
            of,
            bounds,
            when,
        ));
    }
    let bounds = Bounds {
        early: match known {
            Known::OneRun => Some(THINKING + 4.0 * KEPT_BACK),
            Known::UpperBounds => None,
            Known::All => Some(THINKING),
        },
        late: THINKING,
    };
    let of = |run: &Run| Some(run.longest_hold());
    told.push(bound(
        "the longest that a write is held",
        recorded,
        model,
        of,
        bounds,
        when,
    ));
    told
}

fn count(sets: &Sets) -> usize {
    sets.values().map(BTreeSet::len).sum()
}

fn observation(
    what: &str,
    compared: usize,
    differ: Vec<(String, String)>,
    at_ms: Millis,
) -> Observation {
    let difference = |(recorded, model)| Difference {
        at_ms,
        recorded,
        model,
    };
    let differ: Vec<Difference> = differ.into_iter().map(difference).collect();
    Observation {
        what: what.to_owned(),
        compared: compared as u32,
        outcome: match (differ.is_empty(), compared) {
            (false, _) => Outcome::Differs(differ),
            (true, 0) => Outcome::NotCompared {
                why: "the recording has nothing of it".to_owned(),
            },
            (true, _) => Outcome::Agrees,
        },
    }
}

/// What makes two sets agree.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Match {
    /// What was recorded can come up in the model.
    Within,
    /// The same, wherever both have anything.
    EqualWhereSeen,
    /// The same.
    Equal,
}

fn side_by_side(recorded: &Sets, model: &Sets, matching: Match) -> Vec<(String, String)> {
    let nothing = BTreeSet::new();
    let mut differ = Vec::new();
    for (key, seen) in recorded {
        let modelled = model.get(key).unwrap_or(&nothing);
        let same = match matching {
            Match::Within => seen.is_subset(modelled),
            Match::EqualWhereSeen => modelled.is_empty() || seen == modelled,
            Match::Equal => seen == modelled,
        };
        if !same {
            let told = |set: &BTreeSet<String>| match set.is_empty() {
                true => "nothing".to_owned(),
                false => Vec::from_iter(set.iter().map(String::as_str)).join(" | "),
            };
            differ.push((format!("{key}: {}", told(seen)), told(modelled)));
        }
    }
    differ
}

/// Most redirects that a command met in a row.
fn longest(run: &Run) -> usize {
    let met = run.redirects.iter().rposition(|commands| *commands > 0);
    met.unwrap_or(0)
}

fn longest_chain(recorded: &[Run], model: &[Run], known: Known, when: Millis) -> Observation {
    let most = |runs: &[Run]| runs.iter().map(longest).max().unwrap_or(0);
    let (seen, modelled) = (most(recorded), most(model));
    // That a command met the last one of a chain is by chance, with few that could.
    let same = match known {
        Known::OneRun => (seen..=seen.max(2)).contains(&modelled),
        Known::UpperBounds | Known::All => seen == modelled,
    };
    let told = |most: usize| match most {
        3 => "three redirects or more in a row".to_owned(),
        _ => format!("{most} redirects in a row at most"),
    };
    let differ = (!same).then(|| (told(seen), told(modelled)));
    observation(
        "redirects in a row",
        recorded.len(),
        Vec::from_iter(differ),
        when,
    )
}

/// Pairs of events whose order was the same in every run, by more than the error of logs. Of
/// one run only what follows from each other: of the rest the order is by chance.
fn ordered(recorded: &[Run], known: Known) -> Vec<(&str, &str)> {
    let mut kinds: BTreeSet<&str> = BTreeSet::new();
    if let Some(run) = recorded.first() {
        kinds.extend(run.marks.iter().map(|mark| &*mark.what));
    }
    kinds.retain(|kind| recorded.iter().all(|run| run.at(kind).is_some()));
    if known == Known::OneRun {
        kinds.retain(|kind| CAUSES.contains(kind));
    }
    let pairs = kinds
        .iter()
        .flat_map(|a| kinds.iter().map(move |b| (*a, *b)));
    let apart = |a, b| move |run: &Run| run.between(a, b).is_some_and(|d| d > run.clock);
    pairs
        .filter(|(a, b)| recorded.iter().all(apart(a, b)))
        .collect()
}

fn order(recorded: &[Run], model: &[Run], known: Known, when: Millis) -> Observation {
    let mut compared = 0;
    let mut differ = Vec::new();
    for (first, then) in ordered(recorded, known) {
        let mut both = model.iter().filter_map(|run| {
            let apart = run.between(first, then)?;
            compared += 1;
            Some((run, apart))
        });
        if let Some((run, apart)) = both.find(|(_, apart)| *apart < 0.0) {
            differ.push((
                format!("`{then}` after `{first}`"),
                format!("`{then}` {:.2} ms before it ({})", -apart, run.name),
            ));
        }
    }
    observation("order of the failover's steps", compared, differ, when)
}

/// How much earlier and later than was recorded the model may be; no bound where there is none.
#[derive(Copy, Clone)]
struct Bounds {
    early: Option<Millis>,
    late: Millis,
}

fn bound(
    what: &str,
    recorded: &[Run],
    model: &[Run],
    of: impl Fn(&Run) -> Option<Millis>,
    bounds: Bounds,
    when: Millis,
) -> Observation {
    let [seen, modelled] = [recorded, model].map(|runs| {
        let figures = runs.iter().filter_map(&of);
        figures.fold(None, |spread: Option<(Millis, Millis)>, x| {
            let (low, high) = spread.unwrap_or((x, x));
            Some((low.min(x), high.max(x)))
        })
    });
    let told = |spread: Option<(Millis, Millis)>| match spread {
        Some((low, high)) => format!("{low:.1} to {high:.1} ms"),
        None => "never".to_owned(),
    };
    let same = match (seen, modelled) {
        (Some((least, most)), Some((low, high))) => {
            high <= most + bounds.late && bounds.early.is_none_or(|early| low >= least - early)
        }
        (None, _) => true,
        (Some(_), None) => false,
    };
    let differ = (!same).then(|| (told(seen), told(modelled)));
    let compared = recorded.iter().filter_map(&of).count();
    observation(what, compared, Vec::from_iter(differ), when)
}
