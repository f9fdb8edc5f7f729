//! `rebound sweep`: one scenario over a range of seeds, in parallel.

mod cases;
mod text;

use std::path::PathBuf;
use std::sync::Arc;
use std::time;

use clap::Args;
use rebound_batch::{Seeds, SweepOptions};
use rebound_engine::Duration;
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::{BehaviourArgument, Jobs};
use crate::ci::{self, Case, Checked, Place, Subject};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress;

/// Arguments of `rebound sweep`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario file
    scenario: PathBuf,
    /// The seeds, from A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    #[command(flatten)]
    behaviour: BehaviourArgument,
    #[command(flatten)]
    jobs: Jobs,
    /// Keep the sweep's state in this file, and continue from it if it exists
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Run every seed twice and compare
    #[arg(long)]
    verify: bool,
    /// Keep the distributions of chains, outages and redirects, for `rebound report`
    #[arg(long)]
    detail: bool,
    /// Stop after this much wall time, such as 10m, as if interrupted
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    max_time: Option<Duration>,
    /// The formats for build servers.
    #[command(flatten)]
    formats: ci::Formats,
}

/// Runs the sweep, and writes the formats that are asked for however that ends.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    arguments.formats.probe()?;
    let mut checked = Checked::new("rebound sweep", &arguments.scenario);
    let ended = printed(arguments, &mut checked, out);
    arguments.formats.finish(checked, ended, out)
}

/// Runs the sweep and prints its report.
fn printed(
    arguments: &Arguments,
    checked: &mut Checked,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let (plan, behaviour) = load(arguments, checked)?;
    checked.series = format!("rebound sweep {} under {}", plan.path, behaviour.name);
    let options = SweepOptions {
        plan: Arc::clone(&plan),
        behaviour,
        seeds: arguments.seeds.clone(),
        threads: arguments.jobs.threads(),
        resume: arguments.resume.clone(),
        verify: arguments.verify,
        detail: arguments.detail,
        max_time: arguments
            .max_time
            .map(|span| time::Duration::from_nanos(span.as_nanos())),
    };
    let swept = progress::sweep(&options, out)?;
    let seeds = &arguments.seeds;
    cases::add(checked, &swept.report, seeds, &plan, behaviour);
    if out.json_wanted() {
        out.json(&swept.report)?;
    } else {
        let text = text::text(out, &swept.report, seeds, &plan, behaviour);
        out.text(&text)?;
    }
    out.flush()?;
    swept.saved?;
    let verdicts = &swept.report.verdicts;
    Ok(if verdicts.total() == 0 {
        Exit::NothingRan
    } else if verdicts.flagged > 0 {
        Exit::Flagged
    } else if verdicts.inconclusive > 0 || verdicts.total() < seeds.count() {
        Exit::Inconclusive
    } else {
        Exit::Clean
    })
}

/// The scenario and the behaviour. A mistake in the scenario is noted with its place.
fn load(
    arguments: &Arguments,
    checked: &mut Checked,
) -> Result<(Arc<Plan>, &'static Behaviour), Failure> {
    let behaviour = arguments.behaviour.find()?;
    let plan = rebound_sim::scenario::load(&arguments.scenario).map_err(|error| {
        let message = error.to_string();
        let place = Place::of_error(&error);
        let case = Case::broken(Subject::File, place, message.clone());
        checked.cases.push(case);
        Failure::usage(message)
    })?;
    let behaviour = behaviour.unwrap_or(plan.behaviour);
    Ok((Arc::new(plan), behaviour))
}
