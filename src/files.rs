//! Files of the program: see [`rebound_batch::files`]. What goes wrong ends the program.

use std::path::Path;

use rebound_batch::files;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use files::are_same;

use crate::exit::Failure;

/// Writes `contents` to `path`: all of it or none.
///
/// # Errors
/// A message that names the file. What stood there before still does.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    Ok(files::write(path, contents)?)
}

/// Writes `value` to `path` as JSON: all of it or none.
///
/// # Errors
/// As [`fn@write`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    Ok(files::write_json(path, value)?)
}

/// Tries whether a file could be written to `path` at all.
///
/// # Errors
/// A message that names the file.
pub fn probe(path: &Path) -> Result<(), Failure> {
    Ok(files::probe(path)?)
}

/// Reads JSON from `path`, and no further than to its first mistake.
///
/// # Errors
/// A message that names the file and what it should be.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    Ok(files::read_json(path, what)?)
}
