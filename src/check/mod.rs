//! `rebound check`: all regression seeds, and what the scenarios expect of each behaviour.

mod bless;
mod cases;
mod items;
mod judge;
mod text;

pub use items::scenario_files;

use std::path::PathBuf;

use clap::Args;
use rebound_sim::report::{CheckReport, CheckTotals, MODEL};

use crate::arguments::threads;
use crate::ci::{self, Checked};
use crate::exit::{Exit, Failure};
use crate::output::{Output, complain};

/// Arguments of `rebound check`.
#[derive(Args)]
pub struct Arguments {
    /// Number of seeds to test each expectation with
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds_per_scenario: u64,
    /// The folder with the scenarios and regressions.json
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    pub scenarios: PathBuf,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Update regressions.json to the current results
    #[arg(long)]
    pub bless: bool,
    /// The formats for build servers.
    #[command(flatten)]
    pub formats: ci::Formats,
}

/// Checks everything, and writes the formats that are asked for however that ends.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.formats.probe()?;
    let file = regressions(arguments);
    let about = if file.exists() {
        &file
    } else {
        &arguments.scenarios
    };
    let mut checked = Checked::new("rebound check", about);
    checked.series = format!("rebound check {}", arguments.scenarios.display());
    let ended = printed(arguments, &mut checked, out);
    arguments.formats.finish(checked, ended, out)
}

/// The file of regression seeds.
fn regressions(arguments: &Arguments) -> PathBuf {
    arguments.scenarios.join("regressions.json")
}

/// Checks everything; prints nothing. What stops it is noted in `checked`.
///
/// # Errors
/// If a file is wrong, a seed gave two different results or the model panicked.
pub fn check(arguments: &Arguments, checked: &mut Checked) -> Result<CheckReport, Failure> {
    let file = regressions(arguments);
    let regressions = items::regressions(&file)?;
    let all = items::all(
        &arguments.scenarios,
        arguments.seeds_per_scenario,
        &regressions,
    );
    let all = all.map_err(|mistakes| {
        checked.cases.extend(mistakes.cases);
        mistakes.first
    })?;
    let judged = judge::all(&all, threads(arguments.jobs));
    let mut judged = cases::add_broken(checked, &all, judged)?;
    if arguments.bless {
        bless::bless(&file, &regressions, &mut judged)?;
    }
    cases::add(checked, &all, &judged);
    let items: Vec<_> = judged.into_iter().map(|judged| judged.item).collect();
    let totals = CheckTotals::of(&items);
    Ok(CheckReport {
        schema: CheckReport::SCHEMA.to_owned(),
        model: MODEL.to_owned(),
        items,
        totals,
    })
}

/// Checks everything and prints the report.
fn printed(
    arguments: &Arguments,
    checked: &mut Checked,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let report = check(arguments, checked)?;
    checked.heading = text::totals(&report.totals);
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let text = text::text(out, &report);
        out.text(&text)?;
    }
    if report.items.is_empty() {
        let nothing = Failure {
            exit: Exit::NothingRan,
            message: format!(
                "nothing to check: no scenario in {} expects anything",
                arguments.scenarios.display()
            ),
        };
        complain(&nothing.message);
        checked.stopped_by(&nothing);
    }
    Ok(if report.items.is_empty() {
        Exit::NothingRan
    } else if report.totals.failed > 0 {
        Exit::Flagged
    } else if report.totals.drifted > 0 {
        Exit::Drifted
    } else {
        Exit::Clean
    })
}
