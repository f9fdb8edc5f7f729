//! What servers are at the end: their roles and links, and how their replication ids and offsets
//! stand to one another.

use super::super::agreement::Observation;
use super::super::recording::Event;
use super::super::script::instant;
use super::{Sides, Tally, states};
use crate::engine::{Span, Time};
use crate::valkey::{NodeId, ReplId};

/// Offsets that still moved so shortly before the end are not compared.
const AT_REST: Span = Span::millis(50);

/// What a recording knows of a server at its end.
#[derive(Default)]
struct Known {
    replid: String,
    replid2: String,
    offset: String,
    moved: Time,
    /// The replication id that the server had first.
    first: String,
}

fn known(sides: &Sides<'_>, name: &str) -> Known {
    let mut known = Known::default();
    for line in sides.recording.iter().filter(|line| line.who == name) {
        let Event::Info { d } = &line.event else {
            continue;
        };
        let field = |name: &str| d.get(name)?.as_str();
        if let Some(id) = field("master_replid") {
            id.clone_into(&mut known.replid);
            if known.first.is_empty() {
                id.clone_into(&mut known.first);
            }
        }
        if let Some(id) = field("master_replid2") {
            id.clone_into(&mut known.replid2);
        }
        if let Some(offset) = field("master_repl_offset") {
            offset.clone_into(&mut known.offset);
            known.moved = instant(line.t);
        }
    }
    known
}

/// Which of the ids that are known by now an id is: they are numbered as they are met.
fn which<Id: PartialEq + Clone>(ids: &mut Vec<Id>, id: &Id) -> String {
    let place = ids.iter().position(|other| other == id);
    let place = place.unwrap_or_else(|| {
        ids.push(id.clone());
        ids.len() - 1
    });
    match place {
        0 => "the first id".to_owned(),
        n => format!("new id {n}"),
    }
}

pub(super) fn observe(sides: &Sides<'_>) -> Vec<Observation> {
    let plan = sides.plan;
    let played = &sides.run.played;
    let end = plan.script.steps.last().map_or(Time::ZERO, |step| step.at);
    let mut tally = Tally::of("end: roles, links, replication ids, offsets");
    let mut recorded_ids: Vec<String> = Vec::new();
    let mut model_ids: Vec<ReplId> = vec![played.first_replid];
    let mut offsets = Vec::new();
    for (NodeId(n), member) in plan.cast.nodes() {
        let Some(state) = states::recorded(sides.recording, &member.name)
            .last()
            .copied()
        else {
            continue;
        };
        let ending = &played.endings[usize::from(n)];
        let Some(modelled) = ending.state else {
            // A dead process says nothing; that it died is the script's doing.
            continue;
        };
        let about = format!("{}: ", member.name);
        tally.same(end, &about, &state.1.to_string(), &modelled.to_string());
        let known = known(sides, &member.name);
        if recorded_ids.is_empty() {
            recorded_ids.push(known.first.clone());
        }
        let none = known.replid2.bytes().all(|b| b == b'0');
        let second = match none {
            true => "none".to_owned(),
            false => String::new(),
        };
        let mut pair = which(&mut recorded_ids, &known.replid);
        let mut model_pair = which(&mut model_ids, &ending.replids.0);
        tally.same(
            end,
            &format!("{about}replication id is "),
            &pair,
            &model_pair,
        );
        pair = if none {
            second
        } else {
            which(&mut recorded_ids, &known.replid2)
        };
        model_pair = match &ending.replids.1 {
            None => "none".to_owned(),
            Some(id) => which(&mut model_ids, id),
        };
        tally.same(end, &format!("{about}second id is "), &pair, &model_pair);
        offsets.push((known, ending.offset));
    }
    for pair in offsets.windows(2) {
        let (one, other) = (&pair[0], &pair[1]);
        if one.0.moved.max(other.0.moved) + AT_REST > end {
            continue;
        }
        let equal = |equal| if equal { "equal" } else { "not equal" };
        tally.same(
            end,
            "offsets ",
            equal(one.0.offset == other.0.offset),
            equal(one.1 == other.1),
        );
    }
    vec![tally.observation()]
}
