//! What `rebound report` runs itself: a seed, a sweep or a comparison.

use std::path::{Path, PathBuf};

use rebound_batch::compare::CompareOutcome;
use rebound_batch::{CheckOptions, CompareOptions, Seeds, SweepOptions};
use rebound_sim::results::Verdict;

use super::Arguments;
use super::document::Document;
use super::run::{draw, window};
use crate::arguments::{OneRun, load};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::{compare, progress};

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
            "--scenario {} names the scenario of a run's JSON, but the input is a scenario: \
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
    match (&scenarios[..], &arguments.behaviours) {
        ([scenario], None) => swept(arguments, scenario, seeds, out),
        (_, _) => compared(arguments, &scenarios, seeds, out),
    }
}

fn swept(
    arguments: &Arguments,
    scenario: &Path,
    seeds: Seeds,
    out: &Output,
) -> Result<Document, Failure> {
    let (plan, behaviour) = load(scenario, arguments.behaviour.behaviour.as_deref())?;
    let options = SweepOptions {
        behaviour,
        threads: arguments.jobs.threads(),
        detail: true,
        ..SweepOptions::new(plan, seeds)
    };
    let swept = progress::sweep(&options, out)?;
    Ok(Document::Sweep(Box::new(swept.report)))
}

fn compared(
    arguments: &Arguments,
    scenarios: &[PathBuf],
    seeds: Seeds,
    out: &Output,
) -> Result<Document, Failure> {
    if let Some(behaviour) = &arguments.behaviour.behaviour {
        return Err(Failure::usage(format!(
            "several scenarios make a comparison, which needs two behaviours or more: expected \
             --behaviours {behaviour},… instead of --behaviour"
        )));
    }
    let behaviours = match &arguments.behaviours {
        Some(names) => compare::behaviours(names)?,
        None => {
            let names = compare::COMPARED.split(',').map(str::to_owned);
            compare::behaviours(&names.collect::<Vec<_>>())?
        }
    };
    let plans = compare::plans(scenarios)?;
    let options = CompareOptions {
        threads: arguments.jobs.threads(),
        ..CompareOptions::new(plans, behaviours, seeds)
    };
    match progress::compare(&options, out)?.outcome {
        CompareOutcome::Done(report) => Ok(Document::Compare(report)),
        CompareOutcome::Stopped { .. } => Err(Failure {
            exit: Exit::Inconclusive,
            message: "the comparison was stopped: no page was written".to_owned(),
        }),
    }
}

/// Checks a folder of scenarios, each expectation with as many seeds as `check` tries or as
/// `--seeds 0..N` says.
///
/// # Errors
/// If the arguments do not go together, a file is wrong or the model fails.
pub fn check(arguments: &Arguments, folder: &Path, out: &Output) -> Result<Document, Failure> {
    let shown = folder.display();
    if arguments.inputs.len() > 1 {
        return Err(Failure::usage(format!(
            "{shown} is a folder, whose scenarios are checked: expected no other input"
        )));
    }
    let others = [
        ("--seed", arguments.seed.is_some()),
        ("--behaviour", arguments.behaviour.behaviour.is_some()),
        ("--behaviours", arguments.behaviours.is_some()),
        ("--scenario", arguments.scenario.is_some()),
        ("--from", arguments.window.from.is_some()),
        ("--until", arguments.window.until.is_some()),
    ];
    if let Some((option, _)) = others.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{option} applies to a scenario, but {shown} is a folder, whose scenarios are checked: \
             leave it out, or name the scenario"
        )));
    }
    let seeds_per_scenario = match &arguments.seeds {
        None => CheckOptions::SEEDS_PER_SCENARIO,
        Some(Seeds(seeds)) if seeds.start == 0 => seeds.end,
        Some(seeds) => {
            return Err(Failure::usage(format!(
                "a check tests each expectation with seeds from 0 on: expected --seeds 0..{}, \
                 found {seeds}",
                seeds.0.end
            )));
        }
    };
    let options = CheckOptions {
        seeds_per_scenario,
        threads: arguments.jobs.threads(),
        ..CheckOptions::new(folder)
    };
    let checks = progress::check(&options, out).map_err(|error| error.error)?;
    let report = checks.report;
    if report.items.is_empty() {
        return Err(Failure {
            exit: Exit::NothingRan,
            message: format!("nothing to check: no scenario in {shown} expects anything"),
        });
    }
    Ok(Document::Check(Box::new(report)))
}

/// One run; what is flagged must reproduce before it is published.
fn one(arguments: &Arguments, scenario: PathBuf) -> Result<Document, Failure> {
    let run = OneRun {
        scenario,
        behaviour: arguments.behaviour.clone(),
        schedule: None,
    };
    let case = run.case(arguments.seed.unwrap_or(OneRun::SEED))?;
    let part = window(arguments.window)?;
    let drawn = draw(&case, part)?;
    if drawn.report.verdict == Verdict::Flagged {
        case.reproduce(&drawn.report)?;
    }
    Ok(Document::Run(Box::new(drawn)))
}
