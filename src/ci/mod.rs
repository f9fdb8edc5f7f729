//! What a check or a sweep found, in the formats that build servers read: JUnit XML, SARIF, a
//! summary in Markdown, and GitHub's annotations.
//!
//! Commands make a [`Checked`], which knows no format; each format is made from it alone.

mod annotations;
mod checked;
mod junit;
pub mod markdown;
mod place;
mod plain;
mod rule;
mod sarif;
mod summary;

pub use checked::{Case, Checked, Ending, Shown, Subject};
pub use place::Place;
pub use plain::plain;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::{Output, complain};
use rebound_batch::files;

/// The option that every command with a verdict has.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "For CI")]
pub struct SummaryArgument {
    /// Write a summary in Markdown; it is appended if FILE is what GITHUB_STEP_SUMMARY names
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

/// The formats that are asked for.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "For CI")]
pub struct Formats {
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write problems as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    #[command(flatten)]
    summary: SummaryArgument,
    /// Print problems as GitHub annotations, on standard error
    #[arg(long)]
    annotations: bool,
}

impl SummaryArgument {
    /// Tries whether the summary can be written.
    ///
    /// # Errors
    /// A message that names the file.
    pub fn probe(&self) -> Result<(), Failure> {
        match self.summary.as_deref() {
            None => Ok(()),
            Some(path) if is_step_summary(path) => appendable(path).map(drop),
            Some(path) => Ok(files::probe(path)?),
        }
    }

    /// Writes `text`, made only if it is wanted.
    ///
    /// # Errors
    /// A message that names the file.
    pub fn write(&self, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let Some(path) = self.summary.as_deref() else {
            return Ok(());
        };
        let text = summary::within_limit(text());
        if is_step_summary(path) {
            return append(path, &text);
        }
        Ok(files::write(path, text.as_bytes())?)
    }
}

impl Formats {
    /// Whether anything is asked for.
    fn any(&self) -> bool {
        self.outputs().next().is_some() || self.annotations
    }

    /// The files to be written, each with its option.
    fn outputs(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        [
            ("--junit", &self.junit),
            ("--sarif", &self.sarif),
            ("--summary", &self.summary.summary),
        ]
        .into_iter()
        .filter_map(|(option, path)| Some((option, path.as_deref()?)))
    }

    /// Tries whether everything can be written, before any work is done.
    ///
    /// # Errors
    /// A message that names the file.
    pub fn probe(&self) -> Result<(), Failure> {
        for path in [&self.junit, &self.sarif].into_iter().flatten() {
            files::probe(path)?;
        }
        self.summary.probe()?;
        let outputs: Vec<_> = self.outputs().collect();
        for (place, (option, path)) in outputs.iter().enumerate() {
            let same = |(_, other): &&(&str, &Path)| files::are_same(other, path);
            if let Some((other, _)) = outputs[..place].iter().find(same) {
                return Err(Failure::usage(format!(
                    "{other} and {option} both name {}: expected a file for each",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    /// Writes everything, however the command ended: what stopped it stands among the cases.
    ///
    /// # Errors
    /// What the command ended with; a message that names the file if one cannot be written.
    pub fn finish(
        &self,
        mut checked: Checked,
        ended: Result<Exit, Failure>,
        out: &mut Output,
    ) -> Result<Exit, Failure> {
        if !self.any() {
            return ended;
        }
        if let Err(failure) = &ended {
            checked.stopped_by(failure);
        }
        // Annotations come after the results, on a terminal and in a log.
        let flushed = out.flush();
        let written = self.write(&checked);
        match (ended, flushed.and(written)) {
            (Ok(exit), Ok(())) => Ok(exit),
            (Ok(_), Err(failure)) => Err(failure),
            (Err(first), Ok(())) => Err(first),
            (Err(first), Err(second)) => {
                complain(&second.message);
                Err(first)
            }
        }
    }

    /// Writes all of it; one that cannot be written keeps no other from being written.
    fn write(&self, checked: &Checked) -> Result<(), Failure> {
        let junit = self.junit.as_deref().map_or(Ok(()), |path| {
            Ok(files::write(path, junit::document(checked)?.as_bytes())?)
        });
        let sarif = self.sarif.as_deref().map_or(Ok(()), |path| {
            Ok(files::write_json(path, &sarif::log(checked))?)
        });
        let summary = self.summary.write(|| summary::of(checked));
        if self.annotations {
            let lines = annotations::lines(checked);
            // A closed standard error is no error.
            let _ = std::io::stderr().write_all(lines.as_bytes());
        }
        junit.and(sarif).and(summary)
    }
}

/// Whether `path` is the file that GitHub's runner collects a step's summaries in.
fn is_step_summary(path: &Path) -> bool {
    std::env::var_os("GITHUB_STEP_SUMMARY")
        .is_some_and(|named| !named.is_empty() && files::are_same(Path::new(&named), path))
}

fn appendable(path: &Path) -> Result<File, Failure> {
    File::options()
        .append(true)
        .create(true)
        .open(path)
        .map_err(|error| {
            let error = std::io::Error::from(error.kind());
            Failure::usage(format!("cannot write {}: {error}", path.display()))
        })
}

fn append(path: &Path, text: &str) -> Result<(), Failure> {
    appendable(path)?
        .write_all(text.as_bytes())
        .map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}
