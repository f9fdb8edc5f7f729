//! The command line: what several commands have in common, and how errors are reported.

use std::fmt;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::output::complain;

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

/// The options that every command has.
#[derive(Args, Clone)]
pub struct Global {
    /// Output format; json is exactly one object (replay: one per line), mermaid and svg are
    /// diagrams of a run (replay only)
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Print only verdicts and problems; no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colours; auto respects NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// How results are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A sequence diagram for pasting into an issue; `replay` only.
    Mermaid,
    /// A picture; `replay` only.
    Svg,
}

/// When to use colours.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Run a scenario once: a summary, what was found and why
    Run(crate::run::Arguments),
    /// Run a scenario over a range of seeds, in parallel
    Sweep(crate::sweep::Arguments),
    /// Compare behaviours and remedies on the same seeds
    Compare(crate::compare::Arguments),
    /// Show a run event by event
    Replay(crate::replay::Arguments),
    /// Write an HTML page about a run, a sweep, a comparison or a check
    Report(crate::report::Arguments),
    /// Step through a run in a terminal, forward and back
    Tui(crate::tui::Arguments),
    /// Run all regression seeds and scenario expectations
    Check(crate::check::Arguments),
    /// Compare the model with real servers, live or recorded
    Conform(crate::conform::Arguments),
    /// Show the server versions and remedies that can be simulated, side by side
    Behaviours(crate::behaviours::Arguments),
    /// Print the JSON Schema of a file or of an output
    Schema(crate::schema::Arguments),
    /// Print a shell's completion script
    Completions(crate::completions::Arguments),
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

/// Seeds `A..B`, from A up to but not including B.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seeds(pub Range<u64>);

impl Seeds {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.end - self.0.start
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seeds, String> {
        let Some((from, to)) = text.split_once("..") else {
            return Err("expected A..B, such as 0..1000 (B itself is excluded)".to_owned());
        };
        let number = |text: &str| {
            text.parse::<u64>().map_err(|_| {
                format!("\"{text}\" is not a seed: a seed is a whole number from 0 to 2^64-1")
            })
        };
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(format!("the range is reversed: did you mean {to}..{from}?"));
        }
        if from == to {
            return Err(format!(
                "the range is empty: B itself is excluded, so {from}..{} is one seed",
                to.saturating_add(1)
            ));
        }
        Ok(Seeds(from..to))
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.start, self.0.end)
    }
}

impl TryFrom<String> for Seeds {
    type Error = String;

    fn try_from(text: String) -> Result<Seeds, String> {
        text.parse()
    }
}

impl From<Seeds> for String {
    fn from(seeds: Seeds) -> String {
        seeds.to_string()
    }
}

/// Loads a scenario, and the behaviour to run it under: the one named, or the scenario's own.
///
/// # Errors
/// A message that says what is wrong with the file or the name.
pub fn load(
    scenario: &Path,
    behaviour: Option<&str>,
) -> Result<(Arc<Plan>, &'static Behaviour), Failure> {
    let behaviour = behaviour.map(behaviour_named).transpose()?;
    let plan =
        rebound_sim::scenario::load(scenario).map_err(|error| Failure::usage(error.to_string()))?;
    let behaviour = behaviour.unwrap_or(plan.behaviour);
    Ok((Arc::new(plan), behaviour))
}

/// The behaviour of that name, alias or combination.
///
/// # Errors
/// A message with the part that is wrong, the nearest name and all names.
pub fn behaviour_named(name: &str) -> Result<&'static Behaviour, Failure> {
    rebound_sim::scenario::behaviour_named(name).map_err(Failure::usage)
}

/// How many threads to use: as many as requested, or as the machine has.
pub fn threads(jobs: Option<u16>) -> usize {
    jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_half_open() {
        let seeds: Seeds = "3..10".parse().expect("readable");
        assert_eq!((seeds.0.clone(), seeds.count()), (3..10, 7));
        assert_eq!(seeds.to_string(), "3..10");
    }

    #[test]
    fn bad_ranges_say_what_is_wrong() {
        for (text, part) in [
            ("10", "expected A..B"),
            ("a..5", "\"a\" is not a seed"),
            ("1..", "\"\" is not a seed"),
            ("1..=5", "\"=5\" is not a seed"),
            ("-1..5", "\"-1\" is not a seed"),
            ("0..99999999999999999999", "is not a seed"),
            ("9..3", "did you mean 3..9?"),
            ("4..4", "4..5 is one seed"),
        ] {
            let error = text.parse::<Seeds>().expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
