//! `rebound compare`: behaviours side by side on the same seeds.

mod cells;
mod table;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rebound_sim::compare::{CompareReport, IntervalMethod};
use rebound_sim::report::{MODEL, SeedSpan};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::{Seeds, behaviour_named, load, threads};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Arguments of `rebound compare`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario files
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// The seeds, from A up to but not including B, the same for every behaviour
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    /// Whose rules nodes follow; the first is what the others are held against
    #[arg(
        long,
        value_name = "NAME,…",
        alias = "behaviors",
        value_delimiter = ',',
        default_value = "8.0.0-rc1,state-check,pause-first,combined,merged,8.0.1"
    )]
    behaviours: Vec<String>,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// How the text is laid out: for a terminal, for Markdown, or as CSV with one figure a line
    #[arg(long, value_name = "LAYOUT", default_value = "terminal")]
    table: Layout,
}

/// How the tables are laid out.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    Terminal,
    Markdown,
    Csv,
}

/// The most runs of one comparison whose figures are kept in memory.
const MOST_RUNS: u64 = 5_000_000;

/// Runs the comparison.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let behaviours = behaviours(&arguments.behaviours)?;
    if out.json_wanted() && arguments.table != Layout::Terminal {
        return Err(Failure::usage(
            "--table lays out text: leave it out with --format json".to_owned(),
        ));
    }
    let plans = arguments
        .scenarios
        .iter()
        .map(|path| load(path, None).map(|(plan, _)| plan))
        .collect::<Result<Vec<Arc<Plan>>, Failure>>()?;
    let runs = arguments
        .seeds
        .count()
        .saturating_mul((behaviours.len() * plans.len()) as u64);
    if runs > MOST_RUNS {
        return Err(Failure::usage(format!(
            "{runs} runs (seeds × behaviours × scenarios): expected at most {MOST_RUNS}"
        )));
    }
    let bar = out.progress(
        runs,
        "{bar:24} {human_pos}/{human_len} runs  {per_sec}  ETA {eta}  {msg}",
    );
    let scenarios = plans
        .iter()
        .map(|plan| {
            bar.set_message(plan.name.clone());
            let comparison = work::run(
                plan,
                &behaviours,
                &arguments.seeds.0,
                threads(arguments.jobs),
                || bar.inc(1),
            )?;
            Ok(comparison.report(&plan.name, plan.hash))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    bar.finish_and_clear();
    let report = CompareReport {
        schema: CompareReport::SCHEMA.to_owned(),
        model: MODEL.to_owned(),
        seeds: SeedSpan {
            from: arguments.seeds.0.start.to_string(),
            to: arguments.seeds.0.end.to_string(),
            done: arguments.seeds.count(),
        },
        intervals: IntervalMethod::default(),
        scenarios,
    };
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let text = match arguments.table {
            Layout::Terminal => table::terminal(out, &report),
            Layout::Markdown => table::markdown(&report),
            Layout::Csv => table::csv(&report),
        };
        out.text(&text)?;
    }
    let inconclusive = report
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.behaviours)
        .any(|column| column.verdicts.inconclusive > 0);
    Ok(if inconclusive {
        Exit::Inconclusive
    } else {
        Exit::Clean
    })
}

fn behaviours(names: &[String]) -> Result<Vec<&'static Behaviour>, Failure> {
    let mut behaviours: Vec<&'static Behaviour> = Vec::new();
    for name in names {
        let behaviour = behaviour_named(name.trim())?;
        if behaviours.iter().any(|other| other.name == behaviour.name) {
            return Err(Failure::usage(format!(
                "behaviour \"{}\" is named twice",
                behaviour.name
            )));
        }
        behaviours.push(behaviour);
    }
    if behaviours.len() < 2 {
        return Err(Failure::usage(
            "a comparison needs two behaviours or more".to_owned(),
        ));
    }
    Ok(behaviours)
}
