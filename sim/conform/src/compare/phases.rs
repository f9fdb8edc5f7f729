//! The milestones that logs tell, server by server in their order, and how long the phases of a
//! failover last.
//!
//! A phase lasts as long in the model as in the recording, within what the recordings' own spread
//! gives: the hand-over took 1 to 17 ms where nothing hindered it, 28 once, so that a phase may
//! differ by [`SPREAD`], by a tenth of its length and by the recorder's lateness. Waiting for a
//! replica takes up to a second and as long as its acknowledgement takes; where the recording does
//! not show when the replica acknowledges of itself, anything up to [`SECOND`] is right.

use super::super::agreement::Observation;
use super::super::milestones::{Mark, Milestone};
use super::{Run, Sides, Tally, not_compared};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::NodeId;

/// By how much a phase may differ in addition to a tenth of its length.
const SPREAD: Duration = Duration::millis(30);

/// How long a replica takes at most between two acknowledgements: 941 to 1073 ms were seen.
const SECOND: Duration = Duration::millis(1_100);

pub(super) fn observe(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    if sides.milestones.is_empty() {
        let why = "the recording has no log lines with a milestone";
        return vec![not_compared("servers: milestones and phases", why)];
    }
    let mut all: Vec<Observation> = Vec::new();
    for (node, member) in sides.plan.members.nodes() {
        let mut tally = Tally::of(format!("{}: milestones in its log", member.name));
        order(sides, run, node, &mut tally);
        all.push(tally.observation());
    }
    let mut tally = Tally::of("phases: how long they last");
    durations(sides, run, &mut tally);
    if tally.compared > 0 {
        all.push(tally.observation());
    }
    all
}

fn of(milestones: &[Milestone], node: NodeId) -> Vec<Milestone> {
    let of = milestones.iter().filter(|m| m.node == node);
    of.copied().collect()
}

fn order(sides: &Sides<'_>, run: &Run, node: NodeId, tally: &mut Tally) {
    let recorded = of(&sides.milestones, node);
    let model = of(&run.played.milestones, node);
    for place in 0..recorded.len().max(model.len()) {
        let at = recorded.get(place).or(recorded.last()).map(|m| m.at);
        let text = |milestone: Option<&Milestone>| {
            milestone.map_or("nothing more".to_owned(), |m| m.what.to_string())
        };
        tally.same(
            at.unwrap_or_default(),
            "",
            &text(recorded.get(place)),
            &text(model.get(place)),
        );
    }
}

/// A phase of a failover: when it began, and how long it lasted.
struct Phase {
    name: &'static str,
    from: Time,
    length: Duration,
}

/// The phases of a server's failovers, in order.
fn phases(all: &[Milestone], node: NodeId) -> Vec<Phase> {
    let mut phases = Vec::new();
    let mut since: Option<Milestone> = None;
    for milestone in of(all, node) {
        if let Some(from) = since {
            let name = match from.what {
                Mark::Requested => "waiting for sync",
                Mark::InProgress | Mark::Over(_) | Mark::Promoted | Mark::Demoted => {
                    "failover in progress"
                }
            };
            let (from, length) = (from.at, milestone.at.since(from.at));
            phases.push(Phase { name, from, length });
            // The rest of it, from when another became a primary.
            let promoted = all.iter().find(|m| {
                m.node != node && m.what == Mark::Promoted && (from..=milestone.at).contains(&m.at)
            });
            if let Some(promoted) = promoted {
                phases.push(Phase {
                    name: "both replicas",
                    from,
                    length: promoted.at.since(from),
                });
            }
        }
        since = match milestone.what {
            Mark::Requested | Mark::InProgress => Some(milestone),
            Mark::Over(_) | Mark::Promoted | Mark::Demoted => None,
        };
    }
    phases
}

fn durations(sides: &Sides<'_>, run: &Run, tally: &mut Tally) {
    for (node, _) in sides.plan.members.nodes() {
        let recorded = phases(&sides.milestones, node);
        let model = phases(&run.played.milestones, node);
        for (one, other) in recorded.iter().zip(&model) {
            if one.name != other.name {
                // The order differs, which is said elsewhere.
                break;
            }
            tally.compared += 1;
            let shown = one.name != "waiting for sync" || acknowledges(sides);
            let (least, most) = (one.length.min(other.length), one.length.max(other.length));
            let bound = match shown {
                true => least + Duration(least.0 / 10) + SPREAD + sides.lag(),
                false => SECOND + SPREAD + sides.lag(),
            };
            if most > bound {
                let text =
                    |length: Duration| format!("{}: {:.1} ms", one.name, length.0 as f64 / 1e6);
                tally.differ(one.from, text(one.length), text(other.length));
            }
        }
    }
}

/// Whether the recording shows when replicas acknowledge of themselves.
fn acknowledges(sides: &Sides<'_>) -> bool {
    let replicas = sides.plan.evidence.clocks.iter().skip(1);
    replicas.into_iter().all(|clock| clock.tick.is_some())
}
