//! The report of one run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::CheckId;
use strum::IntoStaticStr;

/// The model's version, as reports and saved states carry it. Figures of different versions are
/// not to be compared.
pub const MODEL: &str = "1";

/// The verdict on a run.
#[derive(
    Copy,
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// No finding.
    Clean,
    /// At least one finding.
    Flagged,
    /// A budget ran out before the run could be judged.
    Inconclusive,
}

impl Verdict {
    /// The word by which reports call it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The report of one run: `rebound run --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunReport {
    /// Always `rebound.run/1`.
    pub schema: String,
    /// The scenario's name.
    pub scenario: String,
    /// Hash of the scenario file, 32 hexadecimal digits.
    pub scenario_hash: String,
    /// The behaviour that nodes followed.
    pub behaviour: String,
    /// The model's version.
    pub model: String,
    /// The seed, as a decimal string.
    pub seed: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Hash of the trace, 32 hexadecimal digits.
    pub trace_hash: String,
    /// Events that happened.
    pub events: u64,
    /// Virtual time that passed, in nanoseconds.
    pub virtual_ns: u64,
    /// Clients.
    pub clients: Clients,
    /// Logical commands.
    pub commands: Commands,
    /// Writes that did not go as they should.
    pub writes: Writes,
    /// Redirects that were followed.
    pub hops: Hops,
    /// Redirects that led back to a node which had already redirected the command.
    pub bounces: Bounces,
    /// Errors that reached applications, by code.
    pub errors: BTreeMap<String, u64>,
    /// Connections that were opened.
    pub connections_opened: u64,
    /// What the checks found, in order of time; of each check at most
    /// `Finding::KEPT_PER_CHECK`.
    pub findings: Vec<Finding>,
    /// How many findings each check has, the ones that were not kept included.
    pub findings_total: BTreeMap<String, u64>,
}

/// Clients of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// How many there were.
    pub total: u64,
    /// How many met more redirects in a row than the `bounce` check allows.
    pub flagged: u64,
}

/// Logical commands of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Issued by applications.
    pub issued: u64,
    /// Served.
    pub served: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Without an end when the run ended.
    pub unfinished: u64,
}

/// Writes of a run that did not go as they should.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Writes {
    /// Commands whose acknowledged writes were gone at the end (counted by `lost-write`).
    pub lost: u64,
    /// Writes that were carried out twice, because a client sent them again.
    pub duplicated: u64,
}

/// Redirects of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hops {
    /// All of them.
    pub total: u64,
    /// The most that one command met.
    pub max_chain: u64,
    /// Commands by the number of redirects that they met, from none upwards; the last place
    /// counts that many and more.
    pub histogram: Vec<u64>,
}

/// Bounces of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounces {
    /// All of them.
    pub total: u64,
    /// The most that one command met.
    pub max: u64,
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The check.
    pub check: CheckId,
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// The client, as `group/number`, where one is concerned.
    pub client: Option<String>,
    /// The command, as `NAME #number of the client's`, where one is concerned.
    pub command: Option<String>,
    /// The redirects of the command, where that is the matter.
    pub chain: Vec<ChainHop>,
    /// What happened and why, in a sentence or two.
    pub why: String,
    /// The command that tells the story of this run.
    pub replay: String,
}

impl RunReport {
    /// The value of [`RunReport::schema`].
    pub const SCHEMA: &str = "rebound.run/1";

    /// The checks that have a finding, by name.
    pub fn found(&self) -> impl Iterator<Item = &str> {
        self.findings_total
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(check, _)| check.as_str())
    }
}

impl Finding {
    /// How many findings of one check a report keeps.
    pub(crate) const KEPT_PER_CHECK: usize = 10;
}

/// One redirect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChainHop {
    /// When the client met it, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// The node that redirected.
    pub node: String,
    /// The address to which it redirected.
    pub to: String,
    /// In a cluster, the reply by which it did: `MOVED 7000` or `ASK 7000`, with the slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Whether that led back to a node which had already redirected the command.
    pub bounce: bool,
    /// What the node believed of itself, such as `replica, failover-in-progress, link down`.
    pub belief: String,
}
