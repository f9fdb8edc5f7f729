//! What a recording and the model agree on, and where they differ.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::error::RecordingError;
use super::recording::{DRIVEN, Event, Line};
use super::{cluster, compare};
use crate::valkey::Behaviour;

/// A recording, compared with the model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Agreement {
    /// What the recorded version is called.
    pub label: String,
    /// What the recorded server's binary says of itself.
    pub version: String,
    /// The model's behaviour that it was compared with.
    pub behaviour: &'static str,
    /// The script's family.
    pub scenario: String,
    /// The script's name in it.
    pub variant: String,
    /// Which run of it.
    pub n: u32,
    /// What was compared, or could not be.
    pub observations: Vec<Observation>,
}

/// One thing that was compared.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Observation {
    /// What, such as `c3: redirects and replies of its commands`.
    pub what: String,
    /// How many single facts were compared.
    pub compared: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model did what was recorded.
    Agrees,
    /// It did something else.
    Differs(Vec<Difference>),
    /// They could not be compared.
    NotCompared {
        /// Why.
        why: String,
    },
}

/// One thing that the model did otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// When in the recording, in milliseconds since its start.
    pub at_ms: f64,
    /// What was recorded.
    pub recorded: String,
    /// What the model did.
    pub model: String,
}

impl Agreement {
    /// Whether something was compared and nothing differs.
    pub fn agrees(&self) -> bool {
        let differs = |o: &Observation| matches!(o.outcome, Outcome::Differs(_));
        self.compared() > 0 && !self.observations.iter().any(differs)
    }

    /// How many single facts were compared.
    pub fn compared(&self) -> u32 {
        self.observations.iter().map(|o| o.compared).sum()
    }

    /// The observations as an aligned table, differences side by side below theirs.
    pub fn table(&self) -> String {
        let mut told = format!(
            "{} {}-{} run {} ({}), against {}\n",
            self.label, self.scenario, self.variant, self.n, self.version, self.behaviour
        );
        let widths = self.observations.iter().map(|o| o.what.chars().count());
        let width = widths.max().unwrap_or(0);
        for observation in &self.observations {
            let (what, compared) = (&observation.what, observation.compared);
            let verdict = match &observation.outcome {
                Outcome::Agrees => "agrees".to_owned(),
                Outcome::Differs(differences) => format!("{} differ", differences.len()),
                Outcome::NotCompared { why } => format!("not compared: {why}"),
            };
            let _ = writeln!(told, "  {what:<width$}  {compared:>5}  {verdict}");
            if let Outcome::Differs(differences) = &observation.outcome {
                side_by_side(differences, &mut told);
            }
        }
        told
    }
}

/// Differences in columns: when, what was recorded, what the model did.
fn side_by_side(differences: &[Difference], told: &mut String) {
    let recorded = differences.iter().map(|d| d.recorded.chars().count());
    let width = recorded.max().unwrap_or(0).max("recorded".len());
    let _ = writeln!(told, "    {:>10}  {:<width$}  model", "ms", "recorded");
    for difference in differences {
        let Difference {
            at_ms,
            recorded,
            model,
        } = difference;
        let _ = writeln!(told, "    {at_ms:>10.1}  {recorded:<width$}  {model}");
    }
}

/// Compares a recording with the model: carries its script out on the model's servers, issues
/// what its clients issued, and compares.
///
/// # Errors
/// If the recording has no beginning, or its script cannot be replayed. That of a
/// driven scenario is none: who is a replica is said by the servers' files, and what the timeline
/// waited for by the scenario, neither of which the recording has.
pub fn against_model(
    recording: &[Line],
    behaviour: &'static Behaviour,
) -> Result<Agreement, RecordingError> {
    let meta = recording.first().map(|line| &line.event);
    let Some(Event::Meta {
        label,
        version,
        scenario,
        variant,
        n,
    }) = meta
    else {
        return Err(RecordingError::whole(
            "no \"meta\" line at its beginning",
            "a recording, whose first line says what it records",
        ));
    };
    if scenario == DRIVEN {
        return Err(RecordingError::whole(
            format!("a recording of the driven scenario {variant}, whose script is not in it"),
            "one of a script; `rebound conform --server` compares while it drives",
        ));
    }
    Ok(Agreement {
        label: label.clone(),
        version: version.clone(),
        behaviour: behaviour.name,
        scenario: scenario.clone(),
        variant: variant.clone(),
        n: *n,
        observations: if cluster::is_cluster(recording) {
            cluster::observe(recording, behaviour)?
        } else {
            compare::observe(recording, behaviour)?
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(outcomes: Vec<(u32, Outcome)>) -> Agreement {
        let observation = |(compared, outcome)| Observation {
            what: "c3: commands".to_owned(),
            compared,
            outcome,
        };
        Agreement {
            label: "8.0.1".to_owned(),
            version: "v=8.0.1".to_owned(),
            behaviour: "8.0.1",
            scenario: "S1".to_owned(),
            variant: "to".to_owned(),
            n: 1,
            observations: outcomes.into_iter().map(observation).collect(),
        }
    }

    #[test]
    fn a_driven_scenario_has_no_script_of_its_own() {
        let meta = Event::Meta {
            label: "9.1.2".to_owned(),
            version: "v=9.1.2".to_owned(),
            scenario: DRIVEN.to_owned(),
            variant: "clean-failover".to_owned(),
            n: 1,
        };
        let line = Line {
            t: 0.0,
            who: "lab".to_owned(),
            event: meta,
        };
        let behaviour = Behaviour::named("9.1").expect("a version");
        let error = against_model(&[line], behaviour).expect_err("no script");
        assert!(error.to_string().contains("driven scenario clean-failover"));
    }

    #[test]
    fn nothing_compared_is_no_agreement() {
        let why = "unknown".to_owned();
        assert!(!agreement(vec![]).agrees());
        assert!(!agreement(vec![(0, Outcome::NotCompared { why })]).agrees());
        assert!(agreement(vec![(1, Outcome::Agrees)]).agrees());
    }

    #[test]
    fn differences_stand_side_by_side() {
        let difference = Difference {
            at_ms: 12.345,
            recorded: "+OK".to_owned(),
            model: "-READONLY".to_owned(),
        };
        let agreement = agreement(vec![(7, Outcome::Differs(vec![difference]))]);
        assert!(!agreement.agrees());
        let table = agreement.table();
        assert!(table.contains("c3: commands      7  1 differ"), "{table}");
        assert!(table.contains("      12.3  +OK       -READONLY"), "{table}");
    }
}
