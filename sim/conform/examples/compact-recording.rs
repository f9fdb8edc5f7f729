//! Makes compact copies of recordings of real servers, as the tests keep them.
//!
//! `cargo run --release -p rebound-conform --example compact-recording -- FROM… TO` reads recordings
//! (`.jsonl`, `.jsonl.gz`, or folders of them) and writes each to
//! `TO/LABEL/SCENARIO-VARIANT-N.jsonl`, as its first line says.

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use flate2::read::GzDecoder;
use rebound_conform::recording::{Event, Line};
use rebound_conform::{compact, parse};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from @ .., to] = &arguments[..] else {
        eprintln!("usage: compact-recording FROM… TO");
        return ExitCode::from(2);
    };
    if from.is_empty() {
        eprintln!("usage: compact-recording FROM… TO: found one path, expected two or more");
        return ExitCode::from(2);
    }
    let mut failed = false;
    let mut sizes = (0, 0);
    for path in from.iter().flat_map(|path| recordings(path)) {
        match copy(&path, to) {
            Ok((raw, short)) => sizes = (sizes.0 + raw, sizes.1 + short),
            Err(error) => {
                failed = true;
                eprintln!("{}: {error}", path.display());
            }
        }
    }
    eprintln!("{} bytes of recordings, {} in copies", sizes.0, sizes.1);
    ExitCode::from(if failed { 2 } else { 0 })
}

/// The path itself, or the recordings in a folder, in order of their names.
fn recordings(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else {
        return vec![path.to_owned()];
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let named = |path: &Path| {
        let name = path.to_string_lossy();
        name.ends_with(".jsonl") || name.ends_with(".jsonl.gz")
    };
    (paths.into_iter())
        .flat_map(|path| match path.is_dir() {
            true => recordings(&path),
            false => Vec::from_iter(named(&path).then_some(path)),
        })
        .collect()
}

/// Writes the compact copy of a recording; the sizes of both.
fn copy(path: &Path, to: &Path) -> Result<(usize, usize), Box<dyn Error>> {
    let text = read(path)?;
    let short = compact(&parse(&text)?);
    let path = to.join(place(&short)?);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut written = Vec::new();
    for line in &short {
        serde_json::to_writer(&mut written, line)?;
        written.push(b'\n');
    }
    File::create(path)?.write_all(&written)?;
    Ok((text.len(), written.len()))
}

fn read(path: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let file = File::open(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        (&file).read_to_string(&mut text)?;
    }
    Ok(text)
}

/// Where the copy belongs.
fn place(recording: &[Line]) -> Result<PathBuf, Box<dyn Error>> {
    let Some(Event::Meta {
        label,
        scenario,
        variant,
        n,
        ..
    }) = recording.first().map(|line| &line.event)
    else {
        return Err("no \"meta\" line".into());
    };
    let name = format!("{scenario}-{variant}-{n}.jsonl");
    let odd = |part: &String| part.contains(['/', '\\']) || part.starts_with('.');
    if odd(label) || odd(&name) {
        return Err(format!("{label:?} and {name:?} are no names of files").into());
    }
    Ok(Path::new(label).join(name))
}
