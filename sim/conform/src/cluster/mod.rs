//! Recordings of clusters, compared with the model: three primaries and a replica that is sent
//! `CLUSTER FAILOVER`.
//!
//! A cluster's nodes gossip on a clock of their own, so a recording is not replayed step by step:
//! its script is run through the model under many seeds, and what was recorded must be among what
//! the model does. Bounds on times are those that one recording can give.

mod compare;
mod model;
mod recorded;
mod run;

use std::ops::Range;

pub use compare::{Known, Sets, facts, observations, sets};
pub use model::model_runs;
pub(crate) use recorded::is_cluster;
pub use recorded::read;
pub use run::{Mark, Millis, Op, Run, Step};

use super::agreement::Observation;
use super::error::RecordingError;
use super::recording::Line;
use rebound_sim::valkey::Behaviour;

/// Seeds under which the script is run.
pub const SEEDS: Range<u64> = 0..20;

/// Steps that wait for a packet of the bus, from when one sends it to when the other has it.
const PACKETS: [(&str, &str); 4] = [
    ("b accepted", "a paused"),
    ("a paused", "b told-offset"),
    ("b election", "c voted"),
    ("b won", "a demoted"),
];

/// Below this, in milliseconds, a bus is as it is on one machine.
const SLOW_MS: Millis = 50.0;

/// Paths of the model's network that do what the recorded bus did. A recording does not say how
/// slow its bus was made; the fastest of its packets does, to ten milliseconds.
pub fn paths_of(run: &Run) -> String {
    let took = PACKETS
        .iter()
        .filter_map(|(from, to)| run.between(from, to));
    let least = took.fold(Millis::INFINITY, Millis::min);
    if !(SLOW_MS..Millis::INFINITY).contains(&least) {
        return String::new();
    }
    let latency = (least / 10.0).round() * 10.0;
    format!(r#"{{"from": "bus", "to": "bus", "latency": "{latency}ms"}}"#)
}

/// Paths on which the news of the promotion is late: Linux kept packets of the recorded bus for up
/// to 40 ms, which the model's network does not do of itself.
pub fn late_news() -> String {
    let late = r#"{"uniform": {"low": "5ms", "high": "40ms"}}"#;
    format!(r#"{{"from": "b@bus", "to": "bus", "latency": {late}}}"#)
}

/// Compares a recording of a cluster with the model.
///
/// # Errors
/// If the recording is of another script, or its logs do not tell of the failover.
pub fn observe(
    recording: &[Line],
    behaviour: &'static Behaviour,
) -> Result<Vec<Observation>, RecordingError> {
    let run = read(recording)?;
    let runs = |paths: &str| {
        let wrong = |error| RecordingError::whole(format!("{error}"), "a bus that can be modelled");
        model_runs(behaviour, paths, SEEDS).map_err(wrong)
    };
    let paths = paths_of(&run);
    let model = runs(&paths)?;
    let wide = if paths.is_empty() {
        runs(&late_news())?
    } else {
        Vec::new()
    };
    Ok(observations(&[run], &model, &wide, Known::OneRun))
}

#[cfg(test)]
mod tests;
