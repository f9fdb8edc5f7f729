//! A server's binary: whether it is one, which version, and which behaviour of the model that is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rebound_sim::valkey::Behaviour;

use super::orphans;
use crate::exit::Failure;

/// A server's binary.
#[derive(Clone, Debug)]
pub struct Binary {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself, such as `Valkey server v=9.1.2 …`.
    pub version: String,
    /// The version's number alone.
    pub label: String,
    /// What it is compared with.
    pub behaviour: &'static Behaviour,
}

/// How long a binary may take to say its version.
const PATIENCE: Duration = Duration::from_secs(5);

impl Binary {
    /// Looks at a binary.
    ///
    /// # Errors
    /// If it cannot be run, is no server, or no behaviour is known for its version and none is
    /// forced.
    pub fn find(path: &Path, forced: Option<&'static Behaviour>) -> Result<Binary, Failure> {
        let shown = path.display();
        let data = std::fs::metadata(path)
            .map_err(|error| Failure::usage(format!("server {shown}: {error}")))?;
        if !data.is_file() {
            let message = format!("server {shown}: is not a file; expected a valkey-server binary");
            return Err(Failure::usage(message));
        }
        // A relative path without a slash would be looked for elsewhere.
        let path = std::fs::canonicalize(path)
            .map_err(|error| Failure::usage(format!("server {shown}: {error}")))?;
        let said =
            version(&path).map_err(|why| Failure::usage(format!("server {shown}: {why}")))?;
        let first = said.lines().next().unwrap_or("").trim().to_owned();
        let label = first
            .split_whitespace()
            .find_map(|word| word.strip_prefix("v="));
        let is_server = first.contains("server v=");
        let (true, Some(label)) = (is_server, label) else {
            let quoted = first.chars().take(80).collect::<String>();
            return Err(Failure::usage(format!(
                "server {shown}: --version says \"{quoted}\"; expected the version line of a Valkey or Redis server, such as \"Valkey server v=8.0.1 …\""
            )));
        };
        let behaviour = forced.or_else(|| Behaviour::of_server(&first));
        let Some(behaviour) = behaviour else {
            let known: Vec<&str> = rebound_sim::valkey::BEHAVIOURS
                .iter()
                .map(|one| one.name)
                .collect();
            return Err(Failure::usage(format!(
                "server {shown}: the model knows no behaviour for version {label}; there are {}; --behaviour NAME compares it with one of them anyway",
                known.join(", ")
            )));
        };
        Ok(Binary {
            label: label.to_owned(),
            path,
            version: first,
            behaviour,
        })
    }
}

/// What a binary prints for `--version`.
fn version(path: &Path) -> Result<String, String> {
    let spool = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let out = spool.reopen().map_err(|error| error.to_string())?;
    let mut command = Command::new(path);
    command.arg("--version");
    command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(Stdio::null());
    let mut child = orphans::spawn(&mut command)
        .map_err(|error| format!("cannot be run: {error}; expected a valkey-server binary"))?;
    let process = orphans::pid(&child);
    let started = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(_)) => break true,
            Ok(None) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(None) | Err(_) => break false,
        }
    };
    if !ended {
        // It may have ended a moment ago.
        let _ = child.kill();
        let _ = child.wait();
    }
    orphans::ended(process);
    if !ended {
        return Err(format!(
            "does not answer --version within {} s; expected a valkey-server binary",
            PATIENCE.as_secs()
        ));
    }
    let bytes = std::fs::read(spool.path()).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
