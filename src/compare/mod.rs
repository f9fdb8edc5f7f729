//! `rebound compare`: behaviours side by side on the same seeds.

pub mod cells;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use rebound_batch::compare::{CompareOutcome, check_behaviours};
use rebound_batch::{CompareOptions, Seeds};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::{Jobs, behaviour_named, load};
use crate::ci::SummaryArgument;
use crate::exit::{Exit, Failure};
use crate::output::{Output, complain};
use crate::progress;

/// The default behaviours of a comparison: the defect, and everything that was proposed.
pub const COMPARED: &str = "8.0.0-rc1,state-check,pause-first,combined,merged,8.0.1";

/// Arguments of `rebound compare`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario files
    #[arg(required = true)]
    scenarios: Vec<PathBuf>,
    /// The seeds, from A up to but not including B, the same for every behaviour
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    /// Behaviours of the nodes; the others are compared with the first
    #[arg(
        long,
        value_name = "NAME,…",
        alias = "behaviors",
        value_delimiter = ',',
        default_value = COMPARED
    )]
    behaviours: Vec<String>,
    #[command(flatten)]
    jobs: Jobs,
    /// Keep the comparison's state in this file, and continue from it if it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Table layout: for a terminal, as Markdown, or as CSV with one figure per line
    #[arg(long, value_name = "LAYOUT", default_value = "terminal")]
    table: Layout,
    /// The summary for build servers.
    #[command(flatten)]
    summary: SummaryArgument,
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

/// Runs the comparison and prints its report.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.summary.probe()?;
    if out.json_wanted() && arguments.table != Layout::Terminal {
        return Err(Failure::usage(
            "--table lays out text: leave it out with --format json".to_owned(),
        ));
    }
    let behaviours = behaviours(&arguments.behaviours)?;
    let options = CompareOptions {
        plans: plans(&arguments.scenarios)?,
        behaviours,
        seeds: arguments.seeds.clone(),
        threads: arguments.jobs.threads(),
        resume: arguments.resume.clone(),
    };
    let compared = progress::compare(&options, out)?;
    let report = match compared.outcome {
        CompareOutcome::Done(report) => report,
        CompareOutcome::Stopped { runs, of } => {
            let stopped = format!("stopped after {runs} of {of} runs");
            complain(&format!("{stopped}: the same command continues from there"));
            arguments
                .summary
                .write(|| format!("## rebound compare: {stopped}\n\n"))?;
            compared.saved?;
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
    compared.saved?;
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

/// The behaviours of these names.
///
/// # Errors
/// If there is no such behaviour, or they cannot be compared.
pub fn behaviours(names: &[String]) -> Result<Vec<&'static Behaviour>, Failure> {
    let behaviours = names.iter().map(|name| behaviour_named(name.trim()));
    let behaviours = behaviours.collect::<Result<Vec<_>, Failure>>()?;
    check_behaviours(&behaviours)?;
    Ok(behaviours)
}

/// The scenarios in these files.
///
/// # Errors
/// A message that says what is wrong with one.
pub fn plans(scenarios: &[PathBuf]) -> Result<Vec<Arc<Plan>>, Failure> {
    let plans = scenarios.iter().map(|path| Ok(load(path, None)?.0));
    plans.collect()
}
