//! Checks of single values, each with its message.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{LONGEST_RUN, Problem, Result};
use crate::scenario::nearest::quoted;
use rebound_engine::Duration;

/// Parts per million that a path may lose: with more, nothing ever gets through.
pub(crate) const MOST_LOSS_PPM: u32 = 500_000;

/// A name that commands, options and file names can carry.
pub(crate) fn identifier(path: &str, name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && name.len() <= 64 && name.chars().all(fits) {
        return Ok(());
    }
    Err(Problem::new(
        path,
        format!(
            "name {}: expected 1 to 64 letters, digits, \"-\", \"_\" or \".\", beginning with a letter or digit",
            quoted(name)
        ),
    ))
}

/// A number within bounds.
pub fn between(path: impl Into<String>, found: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Problem::new(
        path,
        format!("{found} is out of range: expected {least} to {most}"),
    ))
}

/// A duration that is not zero and not longer than a run can be.
pub(crate) fn positive(path: impl Into<String>, span: Duration) -> Result<()> {
    let path = path.into();
    if span == Duration::ZERO {
        return Err(Problem::new(path, "0 is too short: expected more"));
    }
    not_longer_than_a_run(path, span)
}

/// A duration that is not longer than a run can be.
pub(crate) fn not_longer_than_a_run(path: impl Into<String>, span: Duration) -> Result<()> {
    if span <= LONGEST_RUN {
        return Ok(());
    }
    Err(Problem::new(
        path,
        format!("{span} is longer than a run can be: expected an hour (60m) at most"),
    ))
}

/// Two durations in order, not longer than a run can be.
pub fn ordered(path: impl Into<String>, low: Duration, high: Duration) -> Result<()> {
    let path = path.into();
    if low > high {
        return Err(Problem::new(
            path,
            format!("from {low} to {high}: expected the shorter or earlier one first"),
        ));
    }
    not_longer_than_a_run(path, high)
}

/// A number of lost segments.
pub fn loss_ppm(path: impl Into<String>, ppm: u32) -> Result<()> {
    if ppm <= MOST_LOSS_PPM {
        return Ok(());
    }
    Err(Problem::new(
        path,
        format!(
            "{ppm} parts per million: expected {MOST_LOSS_PPM} at most (a \"cut\" loses everything)"
        ),
    ))
}

/// `base` with the fields of `changes` in place of its own.
pub(crate) fn with_changes<T: serde::Serialize + DeserializeOwned>(
    path: &str,
    base: &T,
    changes: &Map<String, Value>,
) -> Result<T> {
    let mut value =
        serde_json::to_value(base).map_err(|error| Problem::new(path, error.to_string()))?;
    if let Value::Object(fields) = &mut value {
        for (name, change) in changes {
            fields.insert(name.clone(), change.clone());
        }
    }
    serde_path_to_error::deserialize(value).map_err(|error| Problem::from_json(path, &error))
}
