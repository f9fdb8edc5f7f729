//! The report of `rebound check`, and the file of regression seeds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckId;
use super::run::{RunReport, Verdict};

/// The report of all checks: `rebound check --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckReport {
    /// Always `rebound.check/1`.
    pub schema: String,
    /// The model's version.
    pub model: String,
    /// Regression seeds first, then the scenarios' expectations, each in the files' order.
    pub items: Vec<CheckItem>,
    /// How many items ended how.
    pub totals: CheckTotals,
}

impl CheckReport {
    /// The value of [`CheckReport::schema`].
    pub const SCHEMA: &str = "rebound.check/1";
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckItem {
    /// A regression seed or an expectation.
    pub kind: CheckKind,
    /// The scenario's path.
    pub scenario: String,
    /// The behaviour that nodes followed.
    pub behaviour: String,
    /// The seed, or the range of seeds as `A..B`.
    pub seeds: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// The command that shows it, where something differed.
    pub replay: Option<String>,
}

/// What was checked.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// A seed of the regression file.
    Regression,
    /// What a scenario expects of a behaviour.
    Expectation,
}

/// How a checked thing ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    /// As expected.
    Passed,
    /// The verdict and the findings are as expected; the trace is another one.
    Drifted,
    /// Not as expected.
    Failed,
}

/// How many items ended how.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckTotals {
    /// As expected.
    pub passed: u64,
    /// With another trace.
    pub drifted: u64,
    /// Not as expected.
    pub failed: u64,
}

impl CheckTotals {
    /// The totals of `items`.
    pub fn of(items: &[CheckItem]) -> CheckTotals {
        let mut totals = CheckTotals::default();
        for item in items {
            match item.outcome {
                CheckOutcome::Passed => totals.passed += 1,
                CheckOutcome::Drifted => totals.drifted += 1,
                CheckOutcome::Failed => totals.failed += 1,
            }
        }
        totals
    }
}

/// The file of regression seeds, `regressions.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regressions {
    /// Always `rebound.regressions/1`.
    pub schema: String,
    /// The seeds.
    pub regressions: Vec<Regression>,
}

impl Regressions {
    /// The value of [`Regressions::schema`].
    pub const SCHEMA: &str = "rebound.regressions/1";
}

/// A seed that is kept because of what it once showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// The scenario's path, relative to the regression file.
    pub scenario: String,
    /// The behaviour that nodes follow.
    pub behaviour: String,
    /// The seed, as a decimal string.
    pub seed: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The checks that have a finding, in alphabetical order.
    pub findings: Vec<CheckId>,
    /// Hash of the trace, 32 hexadecimal digits; empty until it is known (`check --bless`
    /// fills it in).
    pub trace_hash: String,
    /// Why it is kept.
    pub note: String,
}

impl Regression {
    /// How a run of it compares with what it says.
    pub fn judge(&self, run: &RunReport) -> CheckOutcome {
        if self.verdict != run.verdict || self.sorted_findings() != checks_found(run) {
            CheckOutcome::Failed
        } else if self.trace_hash != run.trace_hash {
            CheckOutcome::Drifted
        } else {
            CheckOutcome::Passed
        }
    }

    /// The same with what a run of it gave.
    pub fn blessed(&self, run: &RunReport) -> Regression {
        Regression {
            verdict: run.verdict,
            findings: checks_found(run),
            trace_hash: run.trace_hash.clone(),
            ..self.clone()
        }
    }

    /// What is expected, in words.
    pub fn expected(&self) -> String {
        outcome_words(self.verdict, &self.sorted_findings(), &self.trace_hash)
    }

    fn sorted_findings(&self) -> Vec<CheckId> {
        let mut findings = self.findings.clone();
        findings.sort_unstable_by_key(|check| check.name());
        findings.dedup();
        findings
    }
}

/// What a run gave, in the words of [`Regression::expected`].
pub fn found_words(run: &RunReport) -> String {
    outcome_words(run.verdict, &checks_found(run), &run.trace_hash)
}

/// The checks that have a finding, by name.
fn checks_found(run: &RunReport) -> Vec<CheckId> {
    let mut found: Vec<CheckId> = CheckId::ALL
        .into_iter()
        .filter(|check| run.found().any(|name| name == check.name()))
        .collect();
    found.sort_unstable_by_key(|check| check.name());
    found
}

fn outcome_words(verdict: Verdict, findings: &[CheckId], trace_hash: &str) -> String {
    let names: Vec<_> = findings.iter().map(|check| check.name()).collect();
    let findings = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    let trace = if trace_hash.is_empty() {
        "unknown"
    } else {
        trace_hash
    };
    format!("{}{findings}, trace {trace}", verdict.name())
}
