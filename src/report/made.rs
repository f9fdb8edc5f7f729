//! What `rebound report` runs itself: a seed, a sweep or a comparison.

use std::path::{Path, PathBuf};

use rebound_sim::report::Verdict;

use super::Arguments;
use super::document::Document;
use super::run::{draw, window};
use crate::arguments::{Seeds, load};
use crate::check;
use crate::ci::{Checked, Formats, SummaryArgument};
use crate::compare::{self, Compared, Layout};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::sweep;
use crate::verify::Case;

/// The seed of a run for which none is named, as with `rebound run`.
const SEED: u64 = 1;

/// Number of seeds to test each expectation with if nothing is said, as with `rebound check`.
const SEEDS_PER_SCENARIO: u64 = 20;

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

/// Checks a folder of scenarios, each expectation with as many seeds as `check` tries or as
/// `--seeds 0..N` says.
///
/// # Errors
/// If the arguments do not go together, a file is wrong or the model fails.
pub fn check(arguments: &Arguments, folder: &Path) -> Result<Document, Failure> {
    let shown = folder.display();
    if arguments.inputs.len() > 1 {
        return Err(Failure::usage(format!(
            "{shown} is a folder, whose scenarios are checked: expected no other input"
        )));
    }
    let others = [
        ("--seed", arguments.seed.is_some()),
        ("--behaviour", arguments.behaviour.is_some()),
        ("--behaviours", arguments.behaviours.is_some()),
        ("--scenario", arguments.scenario.is_some()),
        ("--from", arguments.from.is_some()),
        ("--until", arguments.until.is_some()),
    ];
    if let Some((option, _)) = others.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{option} applies to a scenario, but {shown} is a folder, whose scenarios are checked: \
             leave it out, or name the scenario"
        )));
    }
    let seeds_per_scenario = match &arguments.seeds {
        None => SEEDS_PER_SCENARIO,
        Some(Seeds(seeds)) if seeds.start == 0 => seeds.end,
        Some(seeds) => {
            return Err(Failure::usage(format!(
                "a check tests each expectation with seeds from 0 on: expected --seeds 0..{}, \
                 found {seeds}",
                seeds.0.end
            )));
        }
    };
    let report = check::check(
        &check::Arguments {
            seeds_per_scenario,
            scenarios: folder.to_owned(),
            jobs: arguments.jobs,
            bless: false,
            formats: Formats::default(),
        },
        &mut Checked::new("rebound report", folder),
    )?;
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
