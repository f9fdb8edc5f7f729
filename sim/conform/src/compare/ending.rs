//! What servers are at the end: their roles and links, and how their replication ids and offsets
//! stand to one another.

use super::super::agreement::Observation;
use super::super::recording::Event;
use super::super::script::Act;
use super::{Run, Sides, Tally, operator, states};
use rebound_engine::{Duration, Time};
use rebound_sim::valkey::{NodeId, ReplId};

/// Offsets are compared where no client's command came so shortly before they were asked.
const AT_REST: Duration = Duration::millis(100);

/// What a recording knows of a server at its end.
#[derive(Default)]
struct Known {
    replid: String,
    replid2: String,
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

pub(super) fn observe(sides: &Sides<'_>, run: &Run) -> Vec<Observation> {
    let plan = sides.plan;
    let played = &run.played;
    let end = plan.script.steps.last().map_or(Time::ZERO, |step| step.at);
    let mut tally = Tally::of("end: roles, links, replication ids, offsets");
    let mut recorded_ids: Vec<String> = Vec::new();
    let mut model_ids: Vec<ReplId> = vec![played.first_replid];
    for (NodeId(n), member) in plan.members.nodes() {
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
    }
    offsets(sides, run, &mut tally);
    vec![tally.observation()]
}

/// Whether the offsets were equal of which two servers told the operator by `ROLE`, one after the
/// other, when no client wrote: a poll shows an offset only when something else changes.
fn offsets(sides: &Sides<'_>, run: &Run, tally: &mut Tally) {
    let steps = &sides.plan.script.steps;
    let asked = steps.iter().enumerate().filter_map(|(place, step)| {
        let Some(Act::Say { node, text, .. }) = step.act() else {
            return None;
        };
        (text == "ROLE").then_some((place, *node))
    });
    let asked: Vec<(usize, NodeId)> = asked.collect();
    for pair in asked.windows(2).filter(|pair| pair[0].1 != pair[1].1) {
        let (first, second) = (&steps[pair[0].0], &steps[pair[1].0]);
        let since = Time(first.at.0.saturating_sub(AT_REST.0));
        let busy = sides
            .plan
            .clients
            .ops
            .iter()
            .any(|op| op.issued <= second.at && op.ended >= since && op.command.is_ok());
        let recorded = (said(sides, first.line), said(sides, second.line));
        let (Some(one), Some(other), false) = (recorded.0, recorded.1, busy) else {
            continue;
        };
        let model = [pair[0].0, pair[1].0].map(|place| run.played.offsets[place]);
        let equal = |equal| if equal { "equal" } else { "not equal" };
        let (recorded, model) = (equal(one == other), equal(model[0] == model[1]));
        tally.same(second.at, "offsets ", recorded, model);
    }
}

/// The offset that a server reported with `ROLE`.
fn said(sides: &Sides<'_>, line: usize) -> Option<String> {
    let (_, reply) = operator::reply_after(sides.recording, line)?;
    let place = match reply.get(0)?.as_str()? {
        "$master" => 1,
        _ => 4,
    };
    Some(reply.get(place)?.as_str()?.to_owned())
}
