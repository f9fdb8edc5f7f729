//! `rebound sweep`: one scenario over a range of seeds, in parallel.

mod cases;
mod ranges;
mod state;
mod text;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::ProgressBar;
use rebound_sim::engine::Span;
use rebound_sim::report::{SweepOf, SweepReport};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::{Seeds, behaviour_named, threads};
use crate::ci::{self, Case, Checked, Place, Subject};
use crate::exit::{Exit, Failure};
use crate::figures::rate;
use crate::interrupts;
use crate::output::Output;
use state::Keeper;
use work::{Counters, Work};

/// Arguments of `rebound sweep`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario file
    pub scenario: PathBuf,
    /// The seeds, from A up to but not including B
    #[arg(long, value_name = "A..B")]
    pub seeds: Seeds,
    /// Server version (and remedies) to simulate; overrides the scenario
    #[arg(long, value_name = "NAME", alias = "behavior")]
    pub behaviour: Option<String>,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Keep the sweep's state in this file, and continue from it if it exists
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Run every seed twice and compare
    #[arg(long)]
    pub verify: bool,
    /// Keep the distributions of chains, outages and redirects, for `rebound report`
    #[arg(long)]
    pub detail: bool,
    /// Stop after this much wall-clock time, such as 10m, as if interrupted
    #[arg(long, value_name = "DURATION", value_parser = Span::parse)]
    pub max_time: Option<Span>,
    /// The formats for build servers.
    #[command(flatten)]
    pub formats: ci::Formats,
}

/// A sweep that is over, or was stopped.
pub struct Swept {
    /// What it found.
    pub report: SweepReport,
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    keeper: Keeper,
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
    let swept = sweep(arguments, checked, out)?;
    let seeds = &arguments.seeds;
    cases::add(checked, &swept.report, seeds, &swept.plan, swept.behaviour);
    if out.json_wanted() {
        out.json(&swept.report)?;
    } else {
        let text = text::text(out, &swept.report, seeds, &swept.plan, swept.behaviour);
        out.text(&text)?;
    }
    out.flush()?;
    swept.keeper.kept()?;
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
    let behaviour = arguments.behaviour.as_deref();
    let behaviour = behaviour.map(behaviour_named).transpose()?;
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

/// Runs the seeds; prints nothing but progress. What stops it is noted in `checked`.
///
/// # Errors
/// If the input is wrong, a seed gave two different results or the model panicked.
pub fn sweep(arguments: &Arguments, checked: &mut Checked, out: &Output) -> Result<Swept, Failure> {
    let (plan, behaviour) = load(arguments, checked)?;
    checked.series = format!("rebound sweep {} under {}", plan.path, behaviour.name);
    let seeds = &arguments.seeds;
    let mut keeper = Keeper::open(
        &plan,
        behaviour,
        seeds,
        arguments.detail,
        arguments.resume.as_deref(),
    )?;
    let gaps = keeper.state.finished.gaps(&seeds.0);
    let work = Work {
        plan: Arc::clone(&plan),
        behaviour,
        verify: arguments.verify,
        detail: arguments.detail,
    };
    let counters = Counters::default();
    interrupts::listen()?;
    let began = Instant::now();
    let wall_before = keeper.state.wall_ns;
    let done_before = keeper.state.finished.count();
    let bar = out.progress(
        seeds.count(),
        "{bar:24} {human_pos}/{human_len} seeds  {msg}  ETA {eta}",
    );
    bar.set_position(done_before);
    bar.reset_eta();
    let max_time = arguments
        .max_time
        .map(|span| Duration::from_nanos(span.as_nanos()));
    let worked = {
        let keeper = std::cell::RefCell::new(&mut keeper);
        work::run(
            &work,
            gaps,
            threads(arguments.jobs),
            &counters,
            |part| {
                let state = &mut keeper.borrow_mut().state;
                state.finished.add(part.seeds);
                state.tally.merge(part.tally);
            },
            || {
                let elapsed = began.elapsed();
                if interrupts::interrupted() || max_time.is_some_and(|max| elapsed >= max) {
                    counters.stop.store(true, Ordering::Relaxed);
                }
                show(&bar, done_before, &counters, elapsed);
                let mut keeper = keeper.borrow_mut();
                if keeper.is_due() {
                    keeper.state.wall_ns = wall_before + nanos(elapsed);
                    keeper.save();
                }
            },
        )
    };
    keeper.state.wall_ns = wall_before + nanos(began.elapsed());
    bar.finish_and_clear();
    keeper.save();
    worked?;
    reproduce(&work, &keeper)?;
    Ok(Swept {
        report: report(&keeper, &work, seeds),
        plan,
        behaviour,
        keeper,
    })
}

/// Runs the seeds that the report names once more, in worlds of their own: nothing is published
/// that does not reproduce.
fn reproduce(work: &Work, keeper: &Keeper) -> Result<(), Failure> {
    let tally = &keeper.state.tally;
    let worst = tally.worst().iter().map(|ranked| &ranked.mark);
    let mut marks: Vec<_> = tally.flagged().iter().chain(worst).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
        .into_iter()
        .try_for_each(|mark| work.reproduce(mark.seed, &mark.trace_hash))
}

fn report(keeper: &Keeper, work: &Work, seeds: &Seeds) -> SweepReport {
    let state = &keeper.state;
    let hash = format!("{:032x}", work.plan.hash);
    let of = SweepOf {
        scenario: &work.plan.name,
        scenario_path: &work.plan.path,
        scenario_hash: &hash,
        behaviour: work.behaviour.name,
        seeds: seeds.0.clone(),
    };
    state.tally.report(of, state.wall_ns)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn show(bar: &ProgressBar, before: u64, counters: &Counters, elapsed: Duration) {
    if bar.is_hidden() {
        return;
    }
    let seeds = counters.seeds.load(Ordering::Relaxed);
    let per_second = |n: u64| rate(n as f64 / elapsed.as_secs_f64().max(1e-9));
    bar.set_message(format!(
        "{} seeds/s  {} events/s  {} flagged",
        per_second(seeds),
        per_second(counters.events.load(Ordering::Relaxed)),
        counters.flagged.load(Ordering::Relaxed)
    ));
    bar.set_position(before + seeds);
}
