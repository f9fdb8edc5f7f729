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
    /// Seeds that each expectation is tried with
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds_per_scenario: u64,
    /// The folder with the scenarios and regressions.json
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Rewrite what regressions.json expects by what is found now
    #[arg(long)]
    bless: bool,
    #[command(flatten)]
    formats: ci::Formats,
}

/// Checks everything, and writes the formats that are asked for however that ends.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.formats.probe()?;
    let file = arguments.scenarios.join("regressions.json");
    let about = if file.exists() {
        &file
    } else {
        &arguments.scenarios
    };
    let mut checked = Checked::new("rebound check", about);
    checked.series = format!("rebound check {}", arguments.scenarios.display());
    let ended = check(arguments, &file, &mut checked, out);
    arguments.formats.finish(checked, ended, out)
}

fn check(
    arguments: &Arguments,
    file: &std::path::Path,
    checked: &mut Checked,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let regressions = items::regressions(file)?;
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
        bless::bless(file, &regressions, &mut judged)?;
    }
    cases::add(checked, &all, &judged);
    let items: Vec<_> = judged.into_iter().map(|judged| judged.item).collect();
    let totals = CheckTotals::of(&items);
    let report = CheckReport {
        schema: CheckReport::SCHEMA.to_owned(),
        model: MODEL.to_owned(),
        items,
        totals,
    };
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
