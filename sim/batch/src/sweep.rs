//! A sweep: one scenario over a range of seeds.

mod chunks;
mod detail;
mod state;
mod work;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rebound_sim::results::{SweepOf, SweepReport};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::error::Error;
use crate::observer::Observer;
use crate::pool::{Collector, Order, Pool, available_threads};
use crate::seeds::Seeds;
use chunks::Chunks;
use state::Keeper;
use work::{Counters, Part, Work};

/// What to sweep, and how.
#[derive(Clone, Debug)]
pub struct SweepOptions {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// The behaviour of the nodes.
    pub behaviour: &'static Behaviour,
    /// The seeds.
    pub seeds: Seeds,
    /// How many threads run seeds.
    pub threads: usize,
    /// Where the sweep's state is kept. A file that exists is gone on from.
    pub resume: Option<PathBuf>,
    /// Whether every seed is run twice and compared; otherwise, some flagged ones are.
    pub verify: bool,
    /// Whether the distributions of chains, outages and redirects are kept.
    pub detail: bool,
    /// After how much time the sweep stops, as if the observer had stopped it.
    pub max_time: Option<Duration>,
}

impl SweepOptions {
    /// A plain sweep under the scenario's own behaviour, on all of the machine's threads.
    pub fn new(plan: Arc<Plan>, seeds: Seeds) -> SweepOptions {
        SweepOptions {
            behaviour: plan.behaviour,
            plan,
            seeds,
            threads: available_threads(),
            resume: None,
            verify: false,
            detail: false,
            max_time: None,
        }
    }
}

/// How far a sweep is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SweepProgress {
    /// Seeds that were finished before, in the state that the sweep goes on from.
    pub resumed: u64,
    /// Seeds that were run since.
    pub seeds: u64,
    /// Events of these.
    pub events: u64,
    /// How many of these were flagged.
    pub flagged: u64,
    /// How long that took.
    pub elapsed: Duration,
}

/// A sweep that is over, or was stopped.
#[derive(Debug)]
pub struct Swept {
    /// What it found. If it was stopped, fewer seeds are done than were wanted.
    pub report: SweepReport,
    /// Whether the sweep can be resumed: an error if the last state could not be written.
    pub saved: Result<(), Error>,
}

/// Runs the seeds that are not finished yet, then once more those that the report names.
///
/// # Errors
/// If the state cannot be gone on from, a seed gave two different results or the model panicked.
/// What was finished before is in the state all the same.
pub fn sweep(
    options: &SweepOptions,
    observer: &mut impl Observer<SweepProgress>,
) -> Result<Swept, Error> {
    let keeper = Keeper::open(options)?;
    let chunks = Chunks::new(
        keeper.state.finished.gaps(&options.seeds.0),
        options.threads,
    );
    let work = Work::new(options);
    let mut course = Course {
        counters: &Counters::default(),
        began: Instant::now(),
        max_time: options.max_time,
        wall_before: keeper.state.wall_ns,
        done_before: keeper.state.finished.count(),
        keeper,
        observer,
    };
    let counters = course.counters;
    let worked = match course.show() {
        ControlFlow::Break(()) => Ok(()),
        ControlFlow::Continue(()) => Pool::new(options.threads, Order::AsDone).run(
            chunks,
            || work.runner(),
            |runner, chunk, stop| work.chunk(runner, chunk, stop, counters),
            &mut course,
        ),
    };
    course.save();
    let keeper = course.keeper;
    worked?;
    reproduce(&work, &keeper)?;
    Ok(Swept {
        report: report(options, &keeper),
        saved: keeper.kept(),
    })
}

/// A sweep under way.
struct Course<'a, O> {
    keeper: Keeper,
    counters: &'a Counters,
    began: Instant,
    max_time: Option<Duration>,
    wall_before: u64,
    done_before: u64,
    observer: &'a mut O,
}

impl<O: Observer<SweepProgress>> Course<'_, O> {
    fn show(&mut self) -> ControlFlow<()> {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        self.observer.progress(&SweepProgress {
            resumed: self.done_before,
            seeds: count(&self.counters.seeds),
            events: count(&self.counters.events),
            flagged: count(&self.counters.flagged),
            elapsed: self.began.elapsed(),
        })
    }

    fn save(&mut self) {
        let elapsed = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.keeper.state.wall_ns = self.wall_before.saturating_add(elapsed);
        if let Some(warning) = self.keeper.save() {
            self.observer.warn(&warning);
        }
    }
}

impl<O: Observer<SweepProgress>> Collector<Part> for Course<'_, O> {
    fn done(&mut self, _: usize, part: Part) {
        let state = &mut self.keeper.state;
        state.finished.add(part.seeds);
        state.tally.merge(part.tally);
    }

    fn tick(&mut self) -> ControlFlow<()> {
        let asked = self.show();
        if self.keeper.is_due() {
            self.save();
        }
        match self.max_time {
            Some(most) if self.began.elapsed() >= most => ControlFlow::Break(()),
            Some(_) | None => asked,
        }
    }
}

/// Runs the seeds that the report names once more, in worlds of their own: nothing is published
/// that does not reproduce.
fn reproduce(work: &Work, keeper: &Keeper) -> Result<(), Error> {
    let tally = &keeper.state.tally;
    let worst = tally.worst().iter().map(|ranked| &ranked.mark);
    let mut marks: Vec<_> = tally.flagged().iter().chain(worst).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
        .into_iter()
        .try_for_each(|mark| work.reproduce(mark.seed, &mark.trace_hash))
}

fn report(options: &SweepOptions, keeper: &Keeper) -> SweepReport {
    let plan = &options.plan;
    let hash = format!("{:032x}", plan.hash);
    let of = SweepOf {
        scenario: &plan.name,
        scenario_path: &plan.path,
        scenario_hash: &hash,
        behaviour: options.behaviour.name,
        seeds: options.seeds.0.clone(),
    };
    keeper.state.tally.report(of, keeper.state.wall_ns)
}
