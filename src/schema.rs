//! `rebound schema`: the JSON Schema of what is read and printed.

use clap::{Args, ValueEnum};
use rebound_batch::compare::CompareReport;
use rebound_engine::Schedule;
use rebound_sim::results::{CheckReport, Regressions, RunReport, SweepReport};
use rebound_view::{StateReport, StoryLine};
use schemars::schema_for;

use crate::behaviours::BehaviourList;
use crate::conform::{ConformList, ConformReport};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Arguments of `rebound schema`.
#[derive(Args)]
pub struct Arguments {
    /// Of what
    of: Subject,
}

/// What has a schema.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Scenario files
    Scenario,
    /// The output of `run --format json`
    Run,
    /// The output of `sweep --format json`
    Sweep,
    /// The output of `compare --format json`
    Compare,
    /// A line of the output of `replay --format json`
    Replay,
    /// The output of `replay --state --format json`
    State,
    /// The output of `check --format json`
    Check,
    /// The output of `conform --format json`
    Conform,
    /// The output of `conform --list --format json`
    ConformList,
    /// The output of `behaviours --format json`
    Behaviours,
    /// The file of regression seeds
    Regressions,
    /// The schedules of `run --record` and `run --schedule`
    Schedule,
}

/// Prints the schema.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    match arguments.of {
        Subject::Scenario => out.json(&rebound_sim::scenario::schema()),
        Subject::Run => out.json(&schema_for!(RunReport)),
        Subject::Sweep => out.json(&schema_for!(SweepReport)),
        Subject::Compare => out.json(&schema_for!(CompareReport)),
        Subject::Replay => out.json(&schema_for!(StoryLine)),
        Subject::State => out.json(&schema_for!(StateReport)),
        Subject::Check => out.json(&schema_for!(CheckReport)),
        Subject::Conform => out.json(&schema_for!(ConformReport)),
        Subject::ConformList => out.json(&schema_for!(ConformList)),
        Subject::Behaviours => out.json(&schema_for!(BehaviourList)),
        Subject::Regressions => out.json(&schema_for!(Regressions)),
        Subject::Schedule => out.json(&schema_for!(Schedule)),
    }?;
    Ok(Exit::Clean)
}
