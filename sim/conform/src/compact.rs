//! A recording without what repeats itself: short enough to be kept in a repository, and with all
//! that a comparison looks at. `docs/recordings.md` says what is left out.
//!
//! Lines are kept as they were or left out, never changed.

mod commands;
mod lines;

use std::collections::BTreeMap;

use super::recording::{Event, Line};

/// Milliseconds in which what repeats itself is kept again.
const STRETCH_MS: f64 = 2_000.0;

/// Changes that follow each other more closely than this are one.
const AT_ONCE_MS: f64 = 20.0;

/// Leaves out what repeats itself, and says in a `dropped` line how much that was. A recording
/// that has such a line stays as it is.
pub fn compact(recording: &[Line]) -> Vec<Line> {
    if (recording.iter()).any(|line| matches!(line.event, Event::Dropped { .. })) {
        return recording.to_vec();
    }
    let kept = kept(recording);
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    let mut short: Vec<Line> = Vec::new();
    for (line, kept) in recording.iter().zip(kept) {
        if kept {
            short.push(line.clone());
        } else {
            *dropped.entry(lines::name(&line.event)).or_default() += 1;
        }
    }
    let end = (short.iter()).position(|line| matches!(line.event, Event::End { .. }));
    let at = end.unwrap_or(short.len());
    if !dropped.is_empty() {
        let t = short.get(at).or(short.last()).map_or(0.0, |line| line.t);
        let who = "lab".to_owned();
        let event = Event::Dropped { lines: dropped };
        short.insert(at, Line { t, who, event });
    }
    short
}

/// Which lines stay, by place.
fn kept(recording: &[Line]) -> Vec<bool> {
    let paired = (recording.iter()).position(|line| line.event == Event::Paired);
    let mut kept: Vec<bool> = (recording.iter().enumerate())
        .map(|(index, line)| lines::stays(line, paired.is_some_and(|paired| index < paired)))
        .collect();
    for index in commands::chosen(recording) {
        kept[index] = true;
    }
    for index in lines::first_of_repeated(recording) {
        kept[index] = true;
    }
    kept
}

/// When something changed at the servers or in the script, in milliseconds, in order of time.
fn changes(recording: &[Line]) -> Vec<f64> {
    let changing = recording.iter().filter(|line| lines::is_change(line));
    changing.map(|line| line.t).collect()
}

/// The stretches between changes, each cut into pieces. What changes at both nodes within
/// milliseconds makes one cut.
struct Stretches(Vec<f64>);

impl Stretches {
    fn of(changes: &[f64]) -> Stretches {
        let mut cuts: Vec<f64> = Vec::new();
        for change in changes {
            if cuts.last().is_none_or(|last| change - last > AT_ONCE_MS) {
                cuts.push(*change);
            }
        }
        Stretches(cuts)
    }

    /// The stretch and the piece of it that an instant is in.
    fn at(&self, t: f64) -> (usize, u64) {
        let before = self.0.partition_point(|cut| *cut <= t);
        (before, (t / STRETCH_MS) as u64)
    }
}

#[cfg(test)]
mod tests;
