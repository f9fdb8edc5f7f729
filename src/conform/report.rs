//! What `rebound conform` reports: as JSON and as text.

use rebound_sim::conform::Agreement;
use schemars::JsonSchema;
use serde::Serialize;

use super::judge::{FindingJudged, Verdict};
use super::list::Step;
use crate::figures::grouped;
use crate::output::{Output, Style};

/// The output of `rebound conform --format json`.
#[derive(Serialize, JsonSchema)]
pub struct ConformReport {
    /// Name and version of this shape: `rebound.conform/1`.
    schema: String,
    /// Each run of real servers, in the order of servers and scenarios.
    pub runs: Vec<ConformRun>,
    /// How many agree with the model.
    pub agree: u64,
    /// How many do not.
    pub differ: u64,
}

/// A run of real servers, compared with the model.
#[derive(Serialize, JsonSchema)]
pub struct ConformRun {
    /// What it is of: the server's binary, or the recording's file.
    pub source: String,
    /// What was compared with runs of the model: over the seeds for one that was driven now, op
    /// by op for one that was recorded.
    pub agreement: Agreement,
    /// Checks that cannot be judged from outside, and why.
    pub not_judged: Vec<Step>,
    /// With `--seed`: what of the model's run could not be driven.
    pub left_out: Vec<Step>,
    /// With `--seed`: what real servers say to each finding of the model's run.
    pub findings: Vec<FindingJudged>,
    /// Where the recording was kept.
    pub recording: Option<String>,
}

impl ConformRun {
    /// Whether all that could be compared agrees, and no finding is refuted.
    fn agrees(&self) -> bool {
        let refuted = |finding: &FindingJudged| finding.verdict == Verdict::Refuted;
        self.agreement.agrees() && !self.findings.iter().any(refuted)
    }
}

impl ConformReport {
    /// The report of these runs.
    pub fn new(runs: Vec<ConformRun>) -> ConformReport {
        let agree = runs.iter().filter(|run| run.agrees()).count() as u64;
        ConformReport {
            schema: "rebound.conform/1".to_owned(),
            agree,
            differ: runs.len() as u64 - agree,
            runs,
        }
    }

    /// The report in words: one run in full, of several those in full that do not agree.
    pub fn text(&self, out: &Output) -> String {
        let mut text = String::new();
        let full = self.runs.len() == 1 && !out.quiet();
        for run in &self.runs {
            let agrees = run.agrees();
            if !agrees || full || !run.findings.is_empty() {
                text.push_str(&run.text(out));
            } else if !out.quiet() {
                let Agreement {
                    label,
                    behaviour,
                    scenario,
                    variant,
                    n,
                    ..
                } = &run.agreement;
                text.push_str(&format!(
                    "{}  {label}  {scenario} {variant}, run {n}, against {behaviour}: {} facts\n",
                    out.paint(Style::Good, "agrees"),
                    grouped(run.compared())
                ));
            }
        }
        text.push_str(&format!(
            "{} agree, {} differ\n",
            grouped(self.agree),
            grouped(self.differ)
        ));
        text
    }
}

impl ConformRun {
    fn compared(&self) -> u64 {
        u64::from(self.agreement.compared())
    }

    fn text(&self, out: &Output) -> String {
        let word = if self.agrees() {
            out.paint(Style::Good, "agrees")
        } else {
            out.paint(Style::Bad, "DIFFERS")
        };
        let mut text = format!("{word}  {}", self.agreement.table());
        for step in &self.left_out {
            text.push_str(&format!("  left out      {}: {}\n", step.place, step.why));
        }
        for finding in &self.findings {
            let (style, word) = match finding.verdict {
                Verdict::Confirmed => (Style::Good, "confirmed    "),
                Verdict::Refuted => (Style::Bad, "REFUTED      "),
                Verdict::CannotBeJudged => (Style::Doubtful, "not judged   "),
            };
            text.push_str(&format!(
                "  {} {}\n    model  {}\n    real   {}\n",
                out.paint(style, word),
                finding.check.name(),
                finding.model,
                finding.seen
            ));
        }
        if !self.not_judged.is_empty() {
            let names: Vec<&str> = self
                .not_judged
                .iter()
                .map(|step| step.place.as_str())
                .collect();
            text.push_str(&format!(
                "  not judged from outside: {}\n",
                names.join(", ")
            ));
        }
        if let Some(recording) = &self.recording {
            text.push_str(&format!("  recording     {recording}\n"));
        }
        text
    }
}
