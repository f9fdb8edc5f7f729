//! `rebound compare`: behaviours side by side on the same seeds.

pub mod cells;
mod state;
mod table;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use rebound_sim::compare::{CompareReport, IntervalMethod};
use rebound_sim::report::{MODEL, SeedSpan};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::{Seeds, behaviour_named, load, threads};
use crate::ci::SummaryArgument;
use crate::exit::{Exit, Failure};
use crate::interrupts;
use crate::output::{Output, complain};
pub use state::Keeper;

/// The default behaviours of a comparison: the defect, and everything that was proposed.
pub const COMPARED: &str = "8.0.0-rc1,state-check,pause-first,combined,merged,8.0.1";

/// Arguments of `rebound compare`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario files
    #[arg(required = true)]
    pub scenarios: Vec<PathBuf>,
    /// The seeds, from A up to but not including B, the same for every behaviour
    #[arg(long, value_name = "A..B")]
    pub seeds: Seeds,
    /// Server versions (and remedies) to simulate; the others are compared with the first
    #[arg(
        long,
        value_name = "NAME,…",
        alias = "behaviors",
        value_delimiter = ',',
        default_value = COMPARED
    )]
    pub behaviours: Vec<String>,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Keep the comparison's state in this file, and continue from it if it exists
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Table layout: for a terminal, as Markdown, or as CSV with one figure per line
    #[arg(long, value_name = "LAYOUT", default_value = "terminal")]
    pub table: Layout,
    /// The summary for build servers.
    #[command(flatten)]
    pub summary: SummaryArgument,
}

/// How the tables are laid out.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// For a terminal.
    Terminal,
    /// For a document.
    Markdown,
    /// One figure a line.
    Csv,
}

/// The most runs of one comparison whose figures are kept in memory.
const MOST_RUNS: u64 = 5_000_000;

/// How a comparison ended.
pub enum Compared {
    /// All runs were made.
    Done(CompareReport, Keeper),
    /// It was stopped before.
    Stopped(Keeper),
}

/// Runs the comparison and prints its report.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.summary.probe()?;
    if out.json_wanted() && arguments.table != Layout::Terminal {
        return Err(Failure::usage(
            "--table lays out text: leave it out with --format json".to_owned(),
        ));
    }
    let (report, keeper) = match compare(arguments, out)? {
        Compared::Done(report, keeper) => (report, keeper),
        Compared::Stopped(keeper) => {
            keeper.kept()?;
            return Ok(Exit::Inconclusive);
        }
    };
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let text = match arguments.table {
            Layout::Terminal if out.quiet() => table::verdicts(&report),
            Layout::Terminal => table::terminal(out, &report),
            Layout::Markdown => table::markdown(&report),
            Layout::Csv => table::csv(&report),
        };
        out.text(&text)?;
    }
    out.flush()?;
    arguments
        .summary
        .write(|| format!("{}\n", table::markdown(&report)))?;
    keeper.kept()?;
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

/// Makes the runs; prints nothing but progress.
///
/// # Errors
/// If the input is wrong, a seed gave two different results or the model panicked.
pub fn compare(arguments: &Arguments, out: &Output) -> Result<Compared, Failure> {
    let behaviours = behaviours(&arguments.behaviours)?;
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
    let mut keeper = Keeper::open(
        &plans,
        &behaviours,
        &arguments.seeds,
        arguments.resume.as_deref(),
    )?;
    bar.set_position(keeper.runs());
    bar.reset_eta();
    if keeper.keeps() {
        interrupts::listen()?;
    }
    let worked = work(&mut keeper, &plans, &behaviours, arguments, &bar);
    bar.finish_and_clear();
    keeper.save();
    worked?;
    if keeper.runs() < runs {
        let stopped = format!("stopped after {} of {runs} runs", keeper.runs());
        complain(&format!("{stopped}: the same command continues from there"));
        arguments
            .summary
            .write(|| format!("## rebound compare: {stopped}\n\n"))?;
        return Ok(Compared::Stopped(keeper));
    }
    let scenarios = plans.iter().zip(&keeper.comparisons);
    let scenarios = scenarios
        .map(|(plan, comparison)| comparison.report(plan))
        .collect();
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
    Ok(Compared::Done(report, keeper))
}

/// Runs what is left to run, scenario by scenario.
fn work(
    keeper: &mut Keeper,
    plans: &[Arc<Plan>],
    behaviours: &[&'static Behaviour],
    arguments: &Arguments,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let seeds = &arguments.seeds.0;
    let stop = AtomicBool::new(false);
    for (place, plan) in plans.iter().enumerate() {
        bar.set_message(plan.name.clone());
        let work = work::Work {
            plan,
            behaviours,
            seeds: seeds.start + keeper.comparisons[place].seeds()..seeds.end,
            threads: threads(arguments.jobs),
            stop: &stop,
        };
        let keeper = std::cell::RefCell::new(&mut *keeper);
        work::run(
            &work,
            || bar.inc(1),
            |seed, runs| keeper.borrow_mut().comparisons[place].add(seed, runs),
            || {
                if interrupts::interrupted() {
                    stop.store(true, Ordering::Relaxed);
                }
                let mut keeper = keeper.borrow_mut();
                if keeper.is_due() {
                    keeper.save();
                }
            },
        )?;
    }
    Ok(())
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
