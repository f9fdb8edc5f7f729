//! Files: written beside, then renamed, so that a reader sees the old one or the new one.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Failure;

/// The folder that a file is in.
fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// A new file in the folder of `path`, with the rights that a plainly created one has.
fn beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rebound-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder(path))
}

/// Writes `contents` to `path`: all of it or none.
///
/// # Errors
/// A message that names the file. What stood there before still does.
pub fn write(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        // The temporary file's name means nothing to a person.
        let error = error.get_ref().map_or(error.to_string(), |_| {
            std::io::Error::from(error.kind()).to_string()
        });
        Failure::usage(format!("cannot write {}: {error}", path.display()))
    };
    if path.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut file = beside(path).map_err(failed)?;
    file.write_all(contents).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes `value` to `path` as JSON: all of it or none.
///
/// # Errors
/// As [`fn@write`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))?;
    text.push(b'\n');
    write(path, &text)
}

/// Tries whether a file could be written to `path` at all; a full disk may empty again and is
/// not held against it.
///
/// # Errors
/// A message that names the file.
pub fn probe(path: &Path) -> Result<(), Failure> {
    let failed =
        |error: String| Failure::usage(format!("cannot write {}: {error}", path.display()));
    if path.is_dir() {
        return Err(failed("it is a folder".to_owned()));
    }
    match beside(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(failed(std::io::Error::from(error.kind()).to_string())),
    }
}

/// Reads JSON from `path`.
///
/// # Errors
/// A message that names the file and what it should be.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(format!("{shown} is not {what}: {error}")))
}
