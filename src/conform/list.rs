//! `rebound conform --list`: which scenarios can be driven on real servers.

use std::path::{Path, PathBuf};

use rebound_sim::conform::undrivable;
use schemars::JsonSchema;
use serde::Serialize;

use super::scenarios::named_or_all;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Style};

/// The output of `rebound conform --list --format json`.
#[derive(Serialize, JsonSchema)]
pub struct ConformList {
    /// Name and version of this shape: `rebound.conform-list/1`.
    schema: String,
    /// The scenarios, by file name.
    scenarios: Vec<Listed>,
}

/// A scenario.
#[derive(Serialize, JsonSchema)]
struct Listed {
    /// Its file.
    scenario: String,
    /// Whether it says that it is driven on real servers.
    live: bool,
    /// What cannot be driven on real servers; nothing if all of it can.
    cannot: Vec<Step>,
}

/// A part of a scenario.
#[derive(Clone, Serialize, JsonSchema)]
pub struct Step {
    /// Where it stands, such as `timeline[2]`.
    pub place: String,
    /// Why it cannot be carried out.
    pub why: String,
}

/// Prints the list.
pub fn run(named: &[PathBuf], folder: &Path, out: &mut Output) -> Result<Exit, Failure> {
    let plans = named_or_all(named, folder)?;
    let listed = plans.iter().map(|plan| Listed {
        scenario: plan.path.clone(),
        live: plan.live,
        cannot: undrivable(plan)
            .into_iter()
            .map(|step| Step {
                place: step.place,
                why: step.why,
            })
            .collect(),
    });
    let list = ConformList {
        schema: "rebound.conform-list/1".to_owned(),
        scenarios: listed.collect(),
    };
    if out.json_wanted() {
        out.json(&list)?;
        return Ok(Exit::Clean);
    }
    for scenario in &list.scenarios {
        let (style, word) = match (scenario.live, scenario.cannot.is_empty()) {
            (true, _) => (Style::Good, "live  "),
            (false, true) => (Style::Faint, "can be"),
            (false, false) => (Style::Doubtful, "cannot"),
        };
        let word = out.paint(style, word);
        out.text(&format!("{word}  {}\n", scenario.scenario))?;
        for step in &scenario.cannot {
            out.text(&format!("          {}: {}\n", step.place, step.why))?;
        }
    }
    Ok(Exit::Clean)
}
