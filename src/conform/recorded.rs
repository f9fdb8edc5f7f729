//! `rebound conform --recording`: recordings that were made before, each compared command by
//! command.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rebound_sim::conform::recording::{Event, Line};
use rebound_sim::conform::{against_model, parse};
use rebound_sim::valkey::Behaviour;

use super::report::ConformRun;
use crate::exit::Failure;

/// Compares all of them.
///
/// # Errors
/// If one cannot be read, is no recording, or is of a version that the model does not know.
pub fn run(
    paths: &[PathBuf],
    forced: Option<&'static Behaviour>,
) -> Result<Vec<ConformRun>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        find(path, &mut files)?;
        if files.len() == before {
            return Err(Failure::usage(format!(
                "{}: has no recordings; expected files that end with .jsonl or .jsonl.gz",
                path.display()
            )));
        }
    }
    files.iter().map(|file| compare(file, forced)).collect()
}

/// The recordings in a folder, in order, or a file itself.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        inside.push(entry.map_err(failed)?.path());
    }
    inside.sort_unstable();
    for inner in inside {
        let name = inner.to_string_lossy().into_owned();
        if inner.is_dir() || name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
            find(&inner, files)?;
        }
    }
    Ok(())
}

fn compare(file: &Path, forced: Option<&'static Behaviour>) -> Result<ConformRun, Failure> {
    let shown = file.display();
    let lines = parse(&text(file)?).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let behaviour = match forced {
        Some(behaviour) => behaviour,
        None => behaviour(&lines).map_err(|why| Failure::usage(format!("{shown}: {why}")))?,
    };
    let agreement = against_model(&lines, behaviour)
        .map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    Ok(ConformRun {
        source: shown.to_string(),
        agreement,
        not_judged: Vec::new(),
        left_out: Vec::new(),
        findings: Vec::new(),
        recording: None,
    })
}

/// More than any recording has.
const LARGEST: u64 = 256 << 20;

fn text(file: &Path) -> Result<String, Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", file.display()));
    let open = File::open(file).map_err(failed)?;
    let mut text = String::new();
    if file.extension().is_some_and(|extension| extension == "gz") {
        MultiGzDecoder::new(open)
            .take(LARGEST)
            .read_to_string(&mut text)
            .map_err(failed)?;
    } else {
        open.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(failed)?;
    }
    Ok(text)
}

/// The behaviour of the version that a recording is of: by its label, else by its binary's line.
fn behaviour(lines: &[Line]) -> Result<&'static Behaviour, String> {
    let meta = lines.first().map(|line| &line.event);
    let Some(Event::Meta { label, version, .. }) = meta else {
        return Err("has no \"meta\" line at its beginning; expected a recording".to_owned());
    };
    let known = Behaviour::of_server(label).or_else(|| Behaviour::of_server(version));
    known.ok_or_else(|| {
        format!("the model knows no behaviour for version {label} ({version}); --behaviour NAME compares it with one anyway")
    })
}
