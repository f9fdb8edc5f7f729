//! Files: written to a temporary file, then renamed, so that a reader sees the old one or the new
//! one.

use std::fs::File;
use std::io::{BufReader, Read, Write};
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

/// Whether there is something that is neither a file nor a folder, such as `/dev/null` or a
/// pipe: it is written to, and never replaced.
fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// The file itself if `path` is a link to one, so that the link stays.
fn followed(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether two paths lead to one file, which need not exist yet.
pub fn are_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::path::absolute(followed(path)).ok();
    one == other || whole(one).is_some_and(|one| Some(one) == whole(other))
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
    if is_device(path) {
        let device = File::options().write(true).open(path);
        return device
            .and_then(|mut device| device.write_all(contents))
            .map_err(failed);
    }
    let path = followed(path);
    let mut file = beside(&path).map_err(failed)?;
    file.write_all(contents).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
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

/// Tries whether a file could be written to `path` at all; a full disk may have room again later,
/// so that does not count.
///
/// # Errors
/// A message that names the file.
pub fn probe(path: &Path) -> Result<(), Failure> {
    let failed =
        |error: String| Failure::usage(format!("cannot write {}: {error}", path.display()));
    if path.is_dir() {
        return Err(failed("it is a folder".to_owned()));
    }
    if is_device(path) {
        return Ok(());
    }
    match beside(&followed(path)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(()),
        Err(error) => Err(failed(std::io::Error::from(error.kind()).to_string())),
    }
}

/// Largest file that is read: more than any schedule or state has.
const LARGEST: u64 = 256 << 20;

/// Reads JSON from `path`, and no further than to its first mistake.
///
/// # Errors
/// A message that names the file and what it should be.
pub fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| Failure::usage(format!("cannot read {shown}: {error}"));
    if path.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    let file = File::open(path).map_err(unreadable)?;
    serde_json::from_reader(BufReader::new(file.take(LARGEST))).map_err(|error| {
        if error.is_io() {
            Failure::usage(format!("cannot read {shown}: {error}"))
        } else {
            Failure::usage(format!("{shown} is not {what}: {error}"))
        }
    })
}
