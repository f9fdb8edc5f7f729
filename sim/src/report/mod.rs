//! What a run and a sweep return, and how results are merged.

mod run;

pub use run::{Bounces, ChainHop, Clients, Commands, Finding, Hops, RunReport, Verdict};
