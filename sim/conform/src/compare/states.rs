//! What servers say of themselves, in order: role, failover state, link. The recording polled:
//! what it shows must be in the model in this order, and what lasts in the model must be in the
//! recording.

use super::super::agreement::Observation;
use super::super::recording::{Event, Line};
use super::super::replies::NodeState;
use super::super::script::instant;
use super::{Run, Sides, Tally};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{FailoverState, Role};

/// A state that lasts longer than this, and than the recorder's lateness, cannot escape a poll
/// every five milliseconds.
const SEEN: Duration = Duration::millis(40);

/// The states that a recording shows of a server, and since when.
pub(super) fn recorded(recording: &[Line], name: &str) -> Vec<(Time, NodeState)> {
    let mut role = Role::Primary;
    let mut failover = FailoverState::NoFailover;
    let mut linked = false;
    let mut states: Vec<(Time, NodeState)> = Vec::new();
    for line in recording.iter().filter(|line| line.who == name) {
        let Event::Info { d } = &line.event else {
            continue;
        };
        let field = |name: &str| d.get(name).map(|value| value.as_str().unwrap_or(""));
        match field("role") {
            Some("slave") => role = Role::Replica,
            Some(_) => role = Role::Primary,
            None => {}
        }
        match field("master_failover_state") {
            Some("waiting-for-sync") => failover = FailoverState::WaitForSync,
            Some("failover-in-progress") => failover = FailoverState::InProgress,
            Some(_) => failover = FailoverState::NoFailover,
            None => {}
        }
        if let Some(link) = field("master_link_status") {
            linked = link == "up";
        }
        let state = NodeState {
            role,
            failover,
            linked: linked && role == Role::Replica,
        };
        if states.last().is_none_or(|(_, last)| *last != state) {
            states.push((instant(line.t), state));
        }
    }
    states
}

pub(super) fn observe(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    let nodes = sides.plan.members.nodes();
    nodes
        .map(|(node, member)| {
            let mut tally = Tally::of(format!("{}: role, failover state and link", member.name));
            let recorded = recorded(sides.recording, &member.name);
            let all = &run.played.states[usize::from(node.0)];
            // The recording polls from when the servers are paired.
            let begin = recorded.first().map_or(Time::ZERO, |(at, _)| *at);
            let begin = run.time_map.modelled(begin);
            let from = all.iter().rposition(|(at, _)| *at <= begin).unwrap_or(0);
            let mut seen = all[from..].to_vec();
            if let Some((at, _)) = seen.first_mut() {
                *at = begin.max(*at);
            }
            compare(sides, run, &recorded, &seen, &mut tally);
            tally.observation()
        })
        .collect()
}

fn compare(
    sides: &Sides<'_>,
    run: &Run,
    recorded: &[(Time, NodeState)],
    model: &[(Time, NodeState)],
    tally: &mut Tally,
) {
    let lasting = |place: usize| -> bool {
        let until = model.get(place + 1).map(|(at, _)| *at);
        let until = until.or(run.played.steps.last().copied());
        until.unwrap_or_default().since(model[place].0) > SEEN + sides.lag()
    };
    let matched = align(recorded, model, &lasting);
    for (at, state) in recorded.iter().zip(&matched).filter_map(|(r, m)| match m {
        None => Some(r),
        Some(_) => None,
    }) {
        tally.differ(*at, state.to_string(), "never, at this place".to_owned());
    }
    for (place, (at, state)) in model.iter().enumerate() {
        let seen = matched.contains(&Some(place)) || {
            let seen = |other: &usize| matched.contains(&Some(*other)) && model[*other].1 == *state;
            let unseen = |other: &usize| !lasting(*other);
            // One state, if what came in between was too short to be seen.
            let before = (0..place).rev().find(|other| !unseen(other));
            let after = (place + 1..model.len()).find(|other| !unseen(other));
            before.as_ref().is_some_and(seen) || after.as_ref().is_some_and(seen)
        };
        if lasting(place) && !seen {
            let recorded = "never, at this place".to_owned();
            tally.differ(*at, recorded, state.to_string());
        }
    }
    tally.compared += recorded.len() as u32;
}

/// For each recorded state its place in the model: the longest common order, in which a lasting
/// state of the model is worth no less than a recorded one.
fn align(
    recorded: &[(Time, NodeState)],
    model: &[(Time, NodeState)],
    lasting: &impl Fn(usize) -> bool,
) -> Vec<Option<usize>> {
    let (rows, columns) = (recorded.len(), model.len());
    let mut best = vec![vec![0_u32; columns + 1]; rows + 1];
    for r in (0..rows).rev() {
        for m in (0..columns).rev() {
            let skip = best[r + 1][m].max(best[r][m + 1]);
            let taken = match recorded[r].1 == model[m].1 {
                true => best[r + 1][m + 1] + 1 + u32::from(lasting(m)),
                false => 0,
            };
            best[r][m] = skip.max(taken);
        }
    }
    let mut places = vec![None; rows];
    let (mut r, mut m) = (0, 0);
    while r < rows && m < columns {
        if best[r][m] == best[r][m + 1] {
            m += 1;
        } else if best[r][m] == best[r + 1][m] {
            r += 1;
        } else {
            places[r] = Some(m);
            (r, m) = (r + 1, m + 1);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_a_poll_missed_is_passed_over() {
        let state = |failover| NodeState {
            role: Role::Primary,
            failover,
            linked: false,
        };
        let none = state(FailoverState::NoFailover);
        let wait = state(FailoverState::WaitForSync);
        let progress = state(FailoverState::InProgress);
        let at = |states: &[NodeState]| -> Vec<(Time, NodeState)> {
            states.iter().map(|state| (Time::ZERO, *state)).collect()
        };
        let model = at(&[none, wait, progress, none]);
        let places = |recorded: &[NodeState]| align(&at(recorded), &model, &|_| false);
        assert_eq!(places(&[none, progress, none]), [Some(0), Some(2), Some(3)]);
        assert_eq!(places(&[none]).len(), 1);
        let wrong = places(&[progress, wait]);
        assert!(wrong.contains(&None), "{wrong:?}");
    }
}
