//! `rebound check`: all regression seeds, and what the scenarios expect of each behaviour.

mod cases;
mod text;

use std::path::PathBuf;

use clap::Args;
use rebound_batch::CheckOptions;
use rebound_batch::check::regression_file;

use crate::arguments::Jobs;
use crate::ci::{self, Checked};
use crate::exit::{Exit, Failure};
use crate::output::{Output, complain};
use crate::progress;

/// Arguments of `rebound check`.
#[derive(Args)]
pub struct Arguments {
    /// Number of seeds to test each expectation with
    #[arg(long, value_name = "N", default_value_t = CheckOptions::SEEDS_PER_SCENARIO, value_parser = clap::value_parser!(u64).range(1..))]
    seeds_per_scenario: u64,
    /// The folder with the scenarios and regressions.json
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
    #[command(flatten)]
    jobs: Jobs,
    /// Rewrite regressions.json to expect what is found now
    #[arg(long)]
    bless: bool,
    /// The formats for build servers.
    #[command(flatten)]
    formats: ci::Formats,
}

/// Checks everything, and writes the formats that are asked for however that ends.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.formats.probe()?;
    let file = regression_file(&arguments.scenarios);
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

/// Checks everything and prints the report.
fn printed(
    arguments: &Arguments,
    checked: &mut Checked,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let options = CheckOptions {
        folder: arguments.scenarios.clone(),
        seeds_per_scenario: arguments.seeds_per_scenario,
        threads: arguments.jobs.threads(),
        bless: arguments.bless,
    };
    let checks = match progress::check(&options, out) {
        Ok(checks) => checks,
        Err(error) => {
            cases::add_broken(checked, &error);
            return Err(error.error.into());
        }
    };
    for was in &checks.blessed {
        complain(&format!(
            "blessed {} under {}, seed {}: was {}, is {}",
            was.scenario, was.behaviour, was.seeds, was.expected, was.found
        ));
    }
    cases::add(checked, &checks.items);
    let report = checks.report;
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
