//! The operator's replies, and whether what the script waited for came.

use super::super::agreement::Observation;
use super::super::recording::{Event, Line};
use super::super::replies;
use super::super::script::{Act, What, instant};
use super::{Run, Sides, Tally, not_compared};
use rebound_engine::Time;
use serde_json::Value;

/// What the operator was answered after the line at `place`.
pub(super) fn reply_after(recording: &[Line], place: usize) -> Option<(Time, &Value)> {
    let after = recording[place + 1..].iter();
    let mut after = after.filter(|line| line.who == "admin");
    let next = after.find(|line| matches!(line.event, Event::Rx { .. } | Event::Tx { .. }))?;
    let Event::Rx { reply, .. } = &next.event else {
        return None;
    };
    Some((instant(next.t), reply))
}

pub(super) fn observe(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    let plan = sides.plan;
    let mut replies = Tally::of("operator: replies");
    let mut waits = Tally::of("script: what it waited for");
    let mut others = Vec::new();
    for (place, step) in plan.script.steps.iter().enumerate() {
        match &step.what {
            What::Do(Act::Say {
                text,
                command: Ok(_),
                ..
            }) => {
                let recorded = reply_after(sides.recording, step.line);
                let recorded =
                    recorded.map(|(_, reply)| replies::recorded(reply, text, &plan.members));
                let model = run.played.operator[place].as_ref();
                replies.same(
                    step.at,
                    &format!("{text}: "),
                    recorded.as_deref().unwrap_or("no reply"),
                    model.map_or("no reply", |(_, reply)| reply),
                );
            }
            What::Do(Act::Say {
                text,
                command: Err(why),
                ..
            }) => others.push(not_compared(format!("operator: {text}"), why)),
            What::Wait(wait) => {
                waits.compared += 1;
                if run.played.in_vain.contains(&place) {
                    let recorded = format!("{wait:?} at last");
                    waits.differ(step.at, recorded, "waited in vain".to_owned());
                }
            }
            What::Do(_) => {}
        }
    }
    let unknown = plan.script.unknown.iter();
    others.extend(unknown.map(|what| {
        let why = format!("\"{what}\" is not known: the script went on by the clock");
        not_compared("script: what it waited for", why)
    }));
    let mut all = vec![replies.observation(), waits.observation()];
    all.extend(others);
    all
}
