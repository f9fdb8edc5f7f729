//! What a run of real servers says about a run of the model.

use std::collections::BTreeMap;

use crate::{Difference, Judged, Observation, Outcome, judged_live};
use rebound_sim::results::{CheckId, RunReport};
use schemars::JsonSchema;
use serde::Serialize;

use super::drive::LiveRun;

/// What real servers say to a finding of the model.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// They do it too.
    Confirmed,
    /// They do not.
    Refuted,
    /// It cannot be seen from outside.
    CannotBeJudged,
}

/// A check's findings in a run of the model, and what real servers say.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FindingJudged {
    /// The check.
    pub check: CheckId,
    /// What real servers say.
    pub verdict: Verdict,
    /// The model's first finding, and how many there are.
    pub model: String,
    /// What was seen of the real servers instead, or why nothing can be.
    pub seen: String,
}

/// Judges each check that has findings in the model's run.
pub fn findings(model: &RunReport, judged: &Judged) -> Vec<FindingJudged> {
    let mut found = Vec::new();
    let totals: &BTreeMap<String, u64> = &model.findings_total;
    for check in CheckId::ALL {
        let Some(total) = totals.get(check.name()) else {
            continue;
        };
        let first = model.findings.iter().find(|finding| finding.check == check);
        let first = first.map_or("", |finding| finding.why.as_str());
        let (verdict, seen) = verdict(check, judged);
        found.push(FindingJudged {
            check,
            verdict,
            model: format!("{total}, the first: {first}"),
            seen,
        });
    }
    found
}

fn verdict(check: CheckId, judged: &Judged) -> (Verdict, String) {
    if let Err(why) = judged_live(check) {
        return (Verdict::CannotBeJudged, why.to_owned());
    }
    match judged.totals.get(&check) {
        Some(total) => {
            let first = judged.found.iter().find(|found| found.check == check);
            let first = first.map_or("", |found| found.why.as_str());
            (Verdict::Confirmed, format!("{total}, the first: {first}"))
        }
        None => (Verdict::Refuted, "no finding".to_owned()),
    }
}

/// What is no comparison of two runs, but must hold of the real one: that it says nothing that
/// the model has no words for, and that the whole script was carried out.
pub fn sound(run: &LiveRun) -> Vec<Observation> {
    let unknown = run.unknown.iter().map(|(at, what)| Difference {
        at_ms: at.0 as f64 / 1e6,
        recorded: what.clone(),
        model: "has no such reply".to_owned(),
    });
    vec![observation(
        "replies that the model knows",
        unknown.collect(),
    )]
}

fn observation(what: &str, differences: Vec<Difference>) -> Observation {
    Observation {
        what: what.to_owned(),
        compared: 1,
        outcome: if differences.is_empty() {
            Outcome::Agrees
        } else {
            Outcome::Differs(differences)
        },
    }
}
