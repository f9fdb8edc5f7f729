//! What a run and a sweep return, how results are merged, and how a run is told.

mod check;
pub mod diagram;
mod expectation;
mod names;
mod run;
mod situation;
mod story;
mod sweep;
mod tally;
mod words;

pub use check::{
    CheckItem, CheckKind, CheckOutcome, CheckReport, CheckTotals, Regression, Regressions,
    found_words,
};
pub use expectation::ExpectationTally;
pub use names::{HostRole, Names, replay_command, shell_word};
pub use run::{
    Bounces, ChainHop, Clients, Commands, Finding, Hops, MODEL, RunReport, Verdict, Writes,
};
pub use situation::{
    Changed, ClientState, CommandState, FaultState, NodeState, Situation, StateReport,
};
pub use story::{Filter, Story, StoryKind, StoryLine};
pub use sweep::{ChainLengths, SeedList, SeedSpan, SweepReport, Verdicts, WorstSeed};
pub use tally::{Ranked, SeedMark, SweepOf, SweepTally};
