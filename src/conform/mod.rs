//! `rebound conform`: compares the model with real servers, live or recorded.

pub mod become_server;
mod binary;
mod carry;
mod clients;
mod connection;
mod drive;
mod judge;
mod list;
mod operator;
mod ops;
mod orphans;
mod paths;
mod poll;
mod proxy;
mod recorded;
mod report;
mod scenarios;
mod script;
mod seed;
mod server;
mod stage;
mod wire;
mod work;

pub use list::ConformList;
pub use report::ConformReport;

use std::path::PathBuf;

use clap::Args;

use crate::arguments::behaviour_named;
use crate::exit::{Exit, Failure};
use crate::output::{Output, complain};

/// Arguments of `rebound conform`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["server", "recording", "list"]))]
pub struct Arguments {
    /// The scenario files [default: those of the folder that say "live": true]
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// A valkey-server or redis-server binary to drive; may be given several times
    #[arg(long, value_name = "PATH")]
    server: Vec<PathBuf>,
    /// A recording, or a folder of them, to compare instead; may be given several times
    #[arg(long, value_name = "FILE|DIR", conflicts_with_all = ["server", "scenarios", "seed", "repeat", "record", "timeout"])]
    recording: Vec<PathBuf>,
    /// Only list which scenarios can be driven, and which steps of the others cannot
    #[arg(long, conflicts_with_all = ["server", "recording", "seed", "repeat", "record", "timeout"])]
    list: bool,
    /// Repeat this run of the model, with its random faults
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Compare with this behaviour, whatever version the server reports
    #[arg(long, value_name = "NAME", alias = "behavior")]
    behaviour: Option<String>,
    /// Run each scenario K times
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Keep the recordings in this folder
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// How many seconds servers may take to start and to synchronize
    #[arg(long, value_name = "S", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Number of runs at a time
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// The folder to search for scenarios if none is given
    #[arg(long = "scenarios", value_name = "DIR", default_value = "scenarios")]
    folder: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    if arguments.list {
        return list::run(&arguments.scenarios, &arguments.folder, out);
    }
    let forced = arguments
        .behaviour
        .as_deref()
        .map(behaviour_named)
        .transpose()?;
    let (runs, failure) = if arguments.recording.is_empty() {
        orphans::listen()?;
        work::run(arguments, forced, out)?
    } else {
        (recorded::run(&arguments.recording, forced)?, None)
    };
    let report = ConformReport::new(runs);
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let text = report.text(out);
        out.text(&text)?;
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    if report.runs.is_empty() {
        complain("nothing to compare: no scenario says \"live\": true");
        return Ok(Exit::NothingRan);
    }
    Ok(if report.differ > 0 {
        Exit::Flagged
    } else {
        Exit::Clean
    })
}
