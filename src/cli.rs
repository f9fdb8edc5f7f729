//! The command line as a whole: every command, and how a mistake is answered.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::arguments::{Format, Global};
use crate::exit::{Exit, Failure};
use crate::output::complain;
use crate::{
    behaviours, check, compare, completions, conform, replay, report, run, schema, sweep, tui,
};

/// Simulates Valkey failovers, deterministically: finds bounced clients, reproduces them, and
/// explains why.
#[derive(Parser)]
#[command(
    name = "rebound",
    version,
    subcommand_required = true,
    after_help = "Exit codes: 0 clean, 1 flagged, 2 bad usage or input, 3 inconclusive, \
                  4 nothing ran, 5 nondeterminism detected, 6 a regression drifted, \
                  70 internal error."
)]
pub struct Cli {
    /// The options that every command has.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run a scenario once: a summary, what was found and why
    Run(run::Arguments),
    /// Run a scenario over a range of seeds, in parallel
    Sweep(sweep::Arguments),
    /// Compare behaviours and remedies on the same seeds
    Compare(compare::Arguments),
    /// Print a run event by event
    Replay(replay::Arguments),
    /// Make a page of a run, a sweep, a comparison or a check, to view in a browser
    Report(report::Arguments),
    /// Step through a run in a terminal, forward and back
    Tui(tui::Arguments),
    /// Run all regression seeds and scenario expectations
    Check(check::Arguments),
    /// Compare the model with real servers, live or recorded
    Conform(conform::Arguments),
    /// Show the behaviours that a node can have, side by side
    Behaviours(behaviours::Arguments),
    /// Print the JSON Schema of a file or of an output
    Schema(schema::Arguments),
    /// Print a shell's completion script
    Completions(completions::Arguments),
}

impl Command {
    /// The command's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Command::Run(_) => "run",
            Command::Sweep(_) => "sweep",
            Command::Compare(_) => "compare",
            Command::Replay(_) => "replay",
            Command::Report(_) => "report",
            Command::Tui(_) => "tui",
            Command::Check(_) => "check",
            Command::Conform(_) => "conform",
            Command::Behaviours(_) => "behaviours",
            Command::Schema(_) => "schema",
            Command::Completions(_) => "completions",
        }
    }

    /// Whether the command can print in a format.
    ///
    /// # Errors
    /// A message that says which command can.
    pub fn prints(&self, format: Format) -> Result<(), Failure> {
        let drawn = match format {
            Format::Text | Format::Json => return Ok(()),
            Format::Mermaid => "mermaid",
            Format::Svg => "svg",
        };
        match self {
            Command::Replay(_) => Ok(()),
            Command::Run(_)
            | Command::Sweep(_)
            | Command::Compare(_)
            | Command::Report(_)
            | Command::Tui(_)
            | Command::Check(_)
            | Command::Conform(_)
            | Command::Behaviours(_)
            | Command::Schema(_)
            | Command::Completions(_) => Err(Failure::usage(format!(
                "`rebound {}` has no --format {drawn}, only text and json: `rebound replay` \
                 draws runs",
                self.name()
            ))),
        }
    }
}

/// Reads the command line; answers help and mistakes at once.
///
/// # Errors
/// The exit code, when there is nothing left to do.
pub fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| {
        let text = error.render().to_string();
        if error.use_stderr() {
            let text = text.trim_end();
            complain(text.strip_prefix("error: ").unwrap_or(text));
            return Exit::Usage.into();
        }
        // Help that nobody reads to the end is no error.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Exit::Clean.into()
    })
}
