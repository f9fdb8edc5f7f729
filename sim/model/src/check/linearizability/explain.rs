//! Why a history has no order, in words: as few of its operations as show it.

use std::collections::BTreeMap;

use super::Whose;
use super::operation::{Action, Operation, prepare};
use super::search::{Verdict, judge};
use crate::scenario::Plan;
use crate::valkey::{Value, WriteId};
use rebound_engine::Time;

/// The most operations that are listed.
const MOST_TOLD: usize = 8;

/// What is said of operations on a key that have no order, and the place of the one whose end
/// makes it so.
pub(super) fn in_words<'a>(
    plan: &Plan,
    all: &[Operation],
    whose: impl Fn(usize) -> &'a Whose,
) -> (usize, String) {
    let last = shortest(all);
    let known = until(all, all[last].returned);
    let before = known.len() - 1;
    let (indices, history): (Vec<usize>, Vec<Operation>) = known.into_iter().unzip();
    let mut few: Vec<usize> = fewest(&history)
        .into_iter()
        .map(|index| indices[index])
        .collect();
    few.sort_by_key(|index| (all[*index].invoked, *index));
    let history = all;
    let writers: BTreeMap<WriteId, usize> = (0..history.len())
        .filter_map(|index| match history[index].action {
            Action::Write(write) => Some((write, index)),
            Action::Read(_) | Action::Remove | Action::Increment(_) => None,
        })
        .collect();
    let name = |index: usize| {
        let (client, number, kind) = whose(index).command;
        format!("{} #{number} of {}", kind.name(), plan.client_name(client))
    };
    let told: Vec<String> = few
        .iter()
        .take(MOST_TOLD)
        .map(|index| {
            let operation = &history[*index];
            let by = whose(*index).from.map(|from| {
                let node = plan.addresses.node(from);
                node.map_or_else(
                    || plan.addresses.text(from),
                    |node| plan.node_name(node).to_owned(),
                )
            });
            let from = operation.invoked;
            let when = match &by {
                Some(node) => format!("{from} to {}, at {node}", operation.returned),
                None => format!("from {from}, never acknowledged"),
            };
            let what = match operation.action {
                Action::Read(Value::Text(write)) => match writers.get(&write) {
                    Some(writer) => format!(" returned what {} wrote", name(*writer)),
                    None => " returned a value that nobody wrote".to_owned(),
                },
                Action::Read(Value::Absent) => " returned no value".to_owned(),
                Action::Read(Value::Number(number)) | Action::Increment(Some(number)) => {
                    format!(" returned {number}")
                }
                Action::Read(Value::List(_)) => " returned a list".to_owned(),
                Action::Read(Value::Stream(_)) => " returned a stream".to_owned(),
                Action::Write(_) | Action::Remove | Action::Increment(None) => String::new(),
            };
            format!("{} ({when}){what}", name(*index))
        })
        .collect();
    let more = match few.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let few = match few.len() {
        1 => "one of them".to_owned(),
        count => format!("{count} of them"),
    };
    let why = format!(
        "No order of the operations on key {key} explains the replies: the {before} before this \
         one have an order, but with this one there is none. {few} show it: {told}{more}.",
        key = history[last].key,
        told = told.join("; "),
    );
    (last, why)
}

/// The operations as they were known then, each with its place among all: those in progress had an
/// unknown outcome.
fn until(all: &[Operation], end: Time) -> Vec<(usize, Operation)> {
    let begun = all.iter().enumerate().filter(|(_, one)| one.invoked <= end);
    let known = begun.filter_map(|(index, one)| {
        let under_way = one.returned > end;
        let reads = matches!(one.action, Action::Read(_));
        let returned = if under_way { Time::NEVER } else { one.returned };
        (!under_way || !reads).then_some((index, Operation { returned, ..*one }))
    });
    let (indices, known): (Vec<usize>, Vec<Operation>) = known.unzip();
    prepare(&known)
        .into_iter()
        .map(|(index, one)| (indices[index], one))
        .collect()
}

/// Of operations without an order: the first one with whose end there is none. What came before
/// it has an order, and whatever comes after it does not help.
fn shortest(all: &[Operation]) -> usize {
    let mut ends: Vec<usize> = (0..all.len())
        .filter(|index| all[*index].returned < Time::NEVER)
        .collect();
    ends.sort_by_key(|index| (all[*index].returned, *index));
    let fine = |index: &usize| {
        let known = until(all, all[*index].returned);
        let history: Vec<Operation> = known.into_iter().map(|(_, one)| one).collect();
        judge(&history) != Verdict::Impossible
    };
    ends[ends.partition_point(fine).min(ends.len() - 1)]
}

/// As few of the operations as still have no order, by place.
///
/// What is left out takes nothing away that could explain the rest: a read, a write with all the
/// reads of its value, every removal with every read of no value, or a removal that no such read can
/// have seen.
fn fewest(history: &[Operation]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..history.len()).collect();
    let fails = |indices: &[usize]| {
        let some: Vec<Operation> = indices.iter().map(|index| history[*index]).collect();
        judge(&some) == Verdict::Impossible
    };
    type Units = fn(&[Operation], &[usize]) -> Vec<Vec<usize>>;
    let groups: [Units; 3] = [values, reads, removals];
    for group in groups {
        let mut units = group(history, &kept);
        let mut size = units.len();
        while size > 0 {
            let mut at = 0;
            while at < units.len() {
                let end = units.len().min(at + size);
                let mut gone: Vec<usize> = units[at..end].concat();
                gone.sort_unstable();
                let rest: Vec<usize> = kept
                    .iter()
                    .copied()
                    .filter(|index| gone.binary_search(index).is_err())
                    .collect();
                if fails(&rest) {
                    kept = rest;
                    units.drain(at..end);
                } else {
                    at = end;
                }
            }
            size /= 2;
        }
    }
    kept
}

/// Each value with all that concerns it.
fn values(history: &[Operation], indices: &[usize]) -> Vec<Vec<usize>> {
    let mut units: BTreeMap<Option<WriteId>, Vec<usize>> = BTreeMap::new();
    for index in indices {
        let value = match history[*index].action {
            Action::Write(write) | Action::Read(Value::Text(write)) => Some(write),
            Action::Remove | Action::Read(Value::Absent) => None,
            // The reply to one increment depends on all others.
            Action::Read(Value::Number(_) | Value::List(_) | Value::Stream(_))
            | Action::Increment(_) => continue,
        };
        units.entry(value).or_default().push(*index);
    }
    units.into_values().collect()
}

/// Each read.
fn reads(history: &[Operation], indices: &[usize]) -> Vec<Vec<usize>> {
    let read = |index: &&usize| matches!(history[**index].action, Action::Read(_));
    indices
        .iter()
        .filter(read)
        .map(|index| vec![*index])
        .collect()
}

/// Each removal that was certainly written over before any read of no value began.
fn removals(history: &[Operation], indices: &[usize]) -> Vec<Vec<usize>> {
    let kept = || indices.iter().map(|index| &history[*index]);
    let unseen = |removal: &Operation| {
        let mut reads = kept().filter(|one| one.action == Action::Read(Value::Absent));
        reads.all(|read| {
            kept().any(|write| {
                matches!(write.action, Action::Write(_))
                    && removal.returned < write.invoked
                    && write.returned < read.invoked
            })
        })
    };
    let removal =
        |index: &&usize| history[**index].action == Action::Remove && unseen(&history[**index]);
    indices
        .iter()
        .filter(removal)
        .map(|index| vec![*index])
        .collect()
}
