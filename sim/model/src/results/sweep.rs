//! The report of a sweep.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::detail::DetailReport;
use super::run::{Bounces, Clients, Commands, Hops, Writes};

/// The report of a sweep: `rebound sweep --format json`.
///
/// Everything but `wall_ns`, `events_per_s` and `seeds_per_s` is the same however many threads
/// shared the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepReport {
    /// Always `rebound.sweep/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's file, as the command line named it; empty in reports of earlier builds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scenario_path: String,
    /// Hash of the scenario file, 32 hexadecimal digits.
    pub scenario_hash: String,
    /// The behaviour that nodes followed.
    pub behaviour: String,
    /// The model's version.
    pub model: String,
    /// The seeds.
    pub seeds: SeedSpan,
    /// Runs by verdict.
    pub verdicts: Verdicts,
    /// Seeds whose run was flagged.
    pub flagged_seeds: SeedList,
    /// Seeds whose run was inconclusive.
    pub inconclusive_seeds: SeedList,
    /// The seeds with the longest chains of redirects, longest first, then lowest seed; at most
    /// ten, none without a redirect.
    pub worst_seeds: Vec<WorstSeed>,
    /// Runs by their longest chain of redirects, shortest first; lengths that no run has are left
    /// out.
    #[serde(default)]
    pub longest_chains: Vec<ChainLengths>,
    /// Findings of each check in all runs.
    pub findings: BTreeMap<String, u64>,
    /// Runs in which each check has a finding.
    pub finding_seeds: BTreeMap<String, u64>,
    /// The lowest seed with a finding of each check, as a decimal string.
    pub finding_first: BTreeMap<String, String>,
    /// Redirects that were followed.
    pub hops: Hops,
    /// Redirects that led back to a node which had already redirected the command.
    pub bounces: Bounces,
    /// Logical commands.
    pub commands: Commands,
    /// Clients of all runs.
    pub clients: Clients,
    /// Errors that reached applications, by code.
    pub errors: BTreeMap<String, u64>,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// Writes that did not go as they should.
    pub writes: Writes,
    /// Events that happened.
    pub events: u64,
    /// Wall time that the sweep took, earlier sittings of a resumed sweep included.
    pub wall_ns: u64,
    /// Events a second of wall time.
    pub events_per_s: f64,
    /// Seeds a second of wall time.
    pub seeds_per_s: f64,
    /// A digest of all runs, 32 hexadecimal digits: equal for equal sweeps, whatever the number
    /// of threads and the order in which they worked.
    pub digest: String,
    /// How things are spread over commands, clients, seeds and time; only with `--detail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<DetailReport>,
}

impl SweepReport {
    /// The value of [`SweepReport::schema`].
    pub const SCHEMA: &str = "rebound.sweep/1";
}

/// The seeds of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeedSpan {
    /// The first, as a decimal string.
    pub from: String,
    /// One more than the last, as a decimal string.
    pub to: String,
    /// How many of them were run.
    pub done: u64,
}

/// Runs by verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    /// No finding.
    pub clean: u64,
    /// At least one finding.
    pub flagged: u64,
    /// A budget ran out before the run could be judged.
    pub inconclusive: u64,
}

impl Verdicts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.clean + self.flagged + self.inconclusive
    }
}

/// Some seeds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeedList {
    /// How many there are.
    pub count: u64,
    /// The lowest of them, at most ten, as decimal strings.
    pub first: Vec<String>,
}

/// A seed, and how bad it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorstSeed {
    /// The seed, as a decimal string.
    pub seed: String,
    /// The longest chain of redirects in its run.
    pub max_chain: u64,
}

/// Runs whose longest chains are about as long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainLengths {
    /// The least length.
    pub from: u64,
    /// The greatest.
    pub to: u64,
    /// How many runs there are.
    pub seeds: u64,
}
