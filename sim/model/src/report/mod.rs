//! What a run and a sweep return, how results are merged, and the story of a run.

mod check;
mod detail;
pub mod diagram;
mod expectation;
mod names;
mod picture;
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
pub use detail::{Bins, Bucket, Buckets, Detail, DetailReport, Heat, HeatMap, HeatRow, RunBins};
pub use expectation::ExpectationTally;
pub use names::{HostRole, Names, replay_command, shell_word};
pub use picture::{
    Band, BandKind, Class, Events, Lane, LaneKind, Painter, Picture, States, TextTable,
    Undelivered, Window,
};
pub use run::{
    Bounces, ChainHop, Clients, Commands, Finding, Hops, MODEL, RunReport, Verdict, Writes,
};
pub use situation::{
    Changed, ClientState, CommandState, FaultState, NodeState, Situation, StateReport,
};
pub use story::{Filter, Story, StoryKind, StoryLine};
pub use sweep::{ChainLengths, SeedList, SeedSpan, SweepReport, Verdicts, WorstSeed};
pub use tally::{Ranked, SeedMark, SweepOf, SweepTally};
