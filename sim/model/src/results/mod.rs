//! What runs, sweeps and checks return, how results are merged, and what a check is called.

mod check;
mod check_config;
mod check_id;
mod detail;
mod run;
mod sweep;
mod tally;

pub use check::{
    CheckItem, CheckKind, CheckOutcome, CheckReport, CheckTotals, Regression, Regressions,
    found_words,
};
pub use check_config::{
    Bounce, CheckConfig, ConnectionStorm, EarlyUnblock, ErrorSurfaced, Linearizability, NoPrimary,
    StaleRead, StaleRedirect, StuckClient, ThunderingHerd, Toggle, TwoPrimaries,
};
pub use check_id::CheckId;
pub use detail::{Bins, Bucket, Buckets, Detail, DetailReport, Heat, HeatMap, HeatRow, RunBins};
pub use run::{
    Bounces, ChainHop, Clients, Commands, Finding, Hops, MODEL, RunReport, Verdict, Writes,
};
pub use sweep::{ChainLengths, SeedList, SeedSpan, SweepReport, Verdicts, WorstSeed};
pub use tally::{Ranked, SeedMark, SweepOf, SweepTally};
