//! Whole commands: how often each was redirected and where, its last reply, and whether it waited.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::agreement::Observation;
use super::super::clients::{Op, Redirect};
use super::super::replay::OpReplies;
use super::{Run, Sides, Tally, not_compared};
use rebound_engine::{Duration, Time};

/// From here on a recorded command waited for the server, beyond all lateness of the recorder.
const WAITED: Duration = Duration::millis(60);

/// The commands that no run of the model has done like the recording yet.
pub(super) struct Open {
    open: Vec<usize>,
    /// What the first run made of them.
    first: BTreeMap<usize, String>,
}

impl Open {
    pub(super) fn new(sides: &Sides<'_>) -> Open {
        let ops = sides.plan.clients.ops.iter().enumerate();
        let askable = ops.filter(|(_, op)| op.command.is_ok());
        Open {
            open: askable.map(|(place, _)| place).collect(),
            first: BTreeMap::new(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open.is_empty()
    }

    /// Strikes out what this run does like the recording.
    pub(super) fn close(&mut self, sides: &Sides<'_>, run: &Run) {
        let ops = &sides.plan.clients.ops;
        let mut open = std::mem::take(&mut self.open);
        open.retain(|place| !agrees(sides, run, &ops[*place], &run.played.ops[*place]));
        for place in &open {
            let text = || modelled(sides, &run.played.ops[*place]);
            self.first.entry(*place).or_insert_with(text);
        }
        self.open = open;
    }

    /// Client group by client group: those whose names differ only in a number.
    pub(super) fn observations(self, sides: &Sides<'_>) -> Vec<Observation> {
        let mut groups: BTreeMap<&str, Tally> = BTreeMap::new();
        let mut unasked: BTreeMap<&str, (u32, &str)> = BTreeMap::new();
        for (place, op) in sides.plan.clients.ops.iter().enumerate() {
            if let Err(why) = &op.command {
                unasked.entry(group(&op.who)).or_insert((0, why)).0 += 1;
                continue;
            }
            let tally = groups.entry(group(&op.who)).or_insert_with_key(|group| {
                Tally::of(format!(
                    "clients {group}*: redirects and replies of commands"
                ))
            });
            tally.compared += 1;
            if self.open.contains(&place) {
                let who = format!(
                    "{} {} at {}: ",
                    op.who,
                    op.text,
                    sides.plan.members.name(op.start)
                );
                tally.differ(
                    op.issued,
                    who + &recorded(sides, op),
                    self.first[&place].clone(),
                );
            }
        }
        let compared = groups.into_values().map(Tally::observation);
        let unasked = unasked.into_iter().map(|(group, (count, why))| {
            not_compared(format!("clients {group}*: {count} commands"), why)
        });
        compared.chain(unasked).collect()
    }
}

pub(super) fn group(who: &str) -> &str {
    who.trim_end_matches(|c: char| c.is_ascii_digit())
}

fn agrees(sides: &Sides<'_>, run: &Run, op: &Op, model: &OpReplies) -> bool {
    let Some((by, at, last)) = &model.answer else {
        return op.last == "no reply";
    };
    if op.last == "no reply" {
        // The recorder left it alone; the reply came later.
        let left = run.time_map.modelled(op.ended);
        return *at + sides.lag() >= left && same_way(&op.redirects, &model.redirects, true);
    }
    let class = |count: usize| count.min(3);
    same_reply(sides, last, &op.last)
        && *by == op.by
        && class(model.redirects.len()) == class(op.count as usize)
        && same_way(&op.redirects, &model.redirects, op.count >= 3)
        && (model.failures > 0) == (op.failures > 0)
        && waits_agree(sides, run, op, model.sent, *at)
}

/// The same reply; where commands have been left out that may have set a key, whether it has a
/// value is not known.
fn same_reply(sides: &Sides<'_>, model: &str, recorded: &str) -> bool {
    let read = |reply| matches!(reply, "a value" | "$-1");
    model == recorded || sides.thinned && read(model) && read(recorded)
}

/// The same redirects; of a bounce as far as both are known.
fn same_way(recorded: &[Redirect], model: &[Redirect], bounce: bool) -> bool {
    let same = |(a, b): (&Redirect, &Redirect)| (a.by, &a.text) == (b.by, &b.text);
    (bounce || recorded.len() == model.len()) && recorded.iter().zip(model).all(same)
}

fn waits_agree(sides: &Sides<'_>, run: &Run, op: &Op, sent: Time, answered: Time) -> bool {
    if op.redirects.len() as u64 != u64::from(op.count) || op.failures > 0 {
        // When it was sent last is not recorded.
        return true;
    }
    let mut loading = sides.plan.evidence.loading.iter();
    if loading.any(|(node, from, to)| *node == op.by && op.issued < *to && *from < op.ended) {
        // How long the machine took to load is no rule of the servers.
        return true;
    }
    let (recorded, model) = (op.waited(), answered.since(sent));
    let lag = sides.lag();
    if recorded >= WAITED + lag && model < Duration(WAITED.0 / 2) {
        return false;
    }
    if recorded < Duration(WAITED.0 / 2) && model >= WAITED + lag {
        return false;
    }
    if recorded < Duration(WAITED.0 / 2) && model < Duration(WAITED.0 / 2) {
        return true;
    }
    reply_came_in_phase(sides, run, op.ended, answered)
}

/// Whether a reply came between the same milestones in both. The recorder may have read it late.
pub(super) fn reply_came_in_phase(
    sides: &Sides<'_>,
    run: &Run,
    recorded: Time,
    model: Time,
) -> bool {
    let late = sides.lag().max(Duration::millis(50));
    let earliest = Time(recorded.0.saturating_sub(late.0));
    let from = run.time_map.place_recorded(earliest);
    let to = run.time_map.place_recorded(recorded + Duration::millis(2));
    (from..=to).contains(&run.time_map.place_modelled(model))
}

fn way(sides: &Sides<'_>, redirects: &[Redirect], count: usize) -> String {
    let mut text = String::new();
    for redirect in redirects.iter().take(3) {
        let to = redirect.text.trim_start_matches("-REDIRECT ");
        let _ = write!(text, "{}→{to} ", sides.plan.members.name(redirect.by));
    }
    match count {
        0..=3 => text,
        _ => format!("{text}… {count} redirects, "),
    }
}

fn recorded(sides: &Sides<'_>, op: &Op) -> String {
    let way = way(sides, &op.redirects, op.count as usize);
    let by = sides.plan.members.name(op.by);
    let waited = op.waited().0 as f64 / 1e6;
    let failures = match op.failures {
        0 => String::new(),
        n => format!("{n} failures, "),
    };
    format!("{way}{failures}{} from {by} after {waited:.1} ms", op.last)
}

fn modelled(sides: &Sides<'_>, model: &OpReplies) -> String {
    let way = way(sides, &model.redirects, model.redirects.len());
    let failures = match model.failures {
        0 => String::new(),
        n => format!("{n} failures, "),
    };
    match &model.answer {
        None => format!("{way}{failures}no reply"),
        Some((by, at, last)) => {
            let (by, waited) = (
                sides.plan.members.name(*by),
                at.since(model.sent).0 as f64 / 1e6,
            );
            format!("{way}{failures}{last} from {by} after {waited:.1} ms")
        }
    }
}
