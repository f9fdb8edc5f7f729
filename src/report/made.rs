//! What `rebound report` runs itself: a seed, a sweep or a comparison.

use std::path::{Path, PathBuf};

use rebound_sim::report::Verdict;

use super::Arguments;
use super::document::Document;
use super::run::{draw, window};
use crate::arguments::load;
use crate::ci::{Checked, Formats, SummaryArgument};
use crate::compare::{self, Compared, Layout};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::sweep;
use crate::verify::Case;

/// The seed of a run for which none is named, as with `rebound run`.
const SEED: u64 = 1;

/// Runs `scenarios` as the arguments want it.
///
/// # Errors
/// If the arguments do not go together, the input is wrong or the model fails.
pub fn run(
    arguments: &Arguments,
    scenarios: Vec<PathBuf>,
    out: &Output,
) -> Result<Document, Failure> {
    if let Some(scenario) = &arguments.scenario {
        return Err(Failure::usage(format!(
            "--scenario {} says which scenario a run's JSON is of, and a scenario was given itself: \
             leave it out",
            scenario.display()
        )));
    }
    let Some(seeds) = arguments.seeds.clone() else {
        let [scenario] = &scenarios[..] else {
            return Err(Failure::usage(
                "several scenarios make a comparison: expected --seeds A..B",
            ));
        };
        return one(arguments, scenario.clone());
    };
    let jobs = arguments.jobs;
    if arguments.behaviours.is_none() && scenarios.len() == 1 {
        let [scenario] = <[PathBuf; 1]>::try_from(scenarios)
            .map_err(|_| Failure::usage("expected one scenario"))?;
        let swept = sweep::sweep(
            &sweep::Arguments {
                scenario,
                seeds,
                behaviour: arguments.behaviour.clone(),
                jobs,
                resume: None,
                verify: false,
                detail: true,
                max_time: None,
                formats: Formats::default(),
            },
            &mut Checked::new("rebound report", Path::new("")),
            out,
        )?;
        return Ok(Document::Sweep(Box::new(swept.report)));
    }
    if let Some(behaviour) = &arguments.behaviour {
        return Err(Failure::usage(format!(
            "several scenarios make a comparison, which needs two behaviours or more: expected \
             --behaviours {behaviour},… instead of --behaviour"
        )));
    }
    let default = || compare::COMPARED.split(',').map(str::to_owned).collect();
    let compared = compare::compare(
        &compare::Arguments {
            scenarios,
            seeds,
            behaviours: arguments.behaviours.clone().unwrap_or_else(default),
            jobs,
            resume: None,
            table: Layout::Terminal,
            summary: SummaryArgument::default(),
        },
        out,
    )?;
    match compared {
        Compared::Done(report, _) => Ok(Document::Compare(Box::new(report))),
        Compared::Stopped(_) => Err(Failure {
            exit: Exit::Inconclusive,
            message: "the comparison was stopped: no page was written".to_owned(),
        }),
    }
}

/// One run; what is flagged must reproduce before it is published.
fn one(arguments: &Arguments, scenario: PathBuf) -> Result<Document, Failure> {
    let (plan, behaviour) = load(&scenario, arguments.behaviour.as_deref())?;
    let case = Case {
        plan,
        behaviour,
        seed: arguments.seed.unwrap_or(SEED),
        schedule: None,
    };
    let part = window(arguments.from, arguments.until)?;
    let drawn = draw(&case, part)?;
    if drawn.report.verdict == Verdict::Flagged {
        case.reproduce(&drawn.report)?;
    }
    Ok(Document::Run(Box::new(drawn)))
}
