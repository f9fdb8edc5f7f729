//! Runs a comparison: scenario by scenario, every seed under every behaviour.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rebound_sim::results::{MODEL, SeedSpan};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use super::report::{CompareReport, IntervalMethod};
use super::state::Keeper;
use super::work::{Runs, Work};
use crate::error::Error;
use crate::observer::Observer;
use crate::pool::{Collector, Order, Outcome, Pool, available_threads};
use crate::seeds::Seeds;

/// The most runs of one comparison, whose figures are kept in memory.
const MOST_RUNS: u64 = 5_000_000;

/// What to compare, and how.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// The scenarios.
    pub plans: Vec<Arc<Plan>>,
    /// The behaviours, two or more. The first is what the others are compared with.
    pub behaviours: Vec<&'static Behaviour>,
    /// The seeds, the same for every behaviour.
    pub seeds: Seeds,
    /// How many threads run seeds.
    pub threads: usize,
    /// Where the comparison's state is kept. A file that exists is gone on from.
    pub resume: Option<PathBuf>,
}

impl CompareOptions {
    /// A comparison on all of the machine's threads.
    pub fn new(
        plans: Vec<Arc<Plan>>,
        behaviours: Vec<&'static Behaviour>,
        seeds: Seeds,
    ) -> CompareOptions {
        CompareOptions {
            plans,
            behaviours,
            seeds,
            threads: available_threads(),
            resume: None,
        }
    }

    /// How many runs there are.
    ///
    /// # Errors
    /// If they are more than a comparison may have.
    fn runs(&self) -> Result<u64, Error> {
        let each = (self.behaviours.len() * self.plans.len()) as u64;
        let runs = self.seeds.count().saturating_mul(each);
        if runs > MOST_RUNS {
            return Err(Error::Input(format!(
                "{runs} runs (seeds × behaviours × scenarios): expected at most {MOST_RUNS}"
            )));
        }
        Ok(runs)
    }
}

/// How far a comparison is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct CompareProgress {
    /// The scenario that is being run, by its place among the options' plans.
    pub scenario: usize,
    /// Runs that were made before, in the state that the comparison goes on from.
    pub resumed: u64,
    /// Runs that were made since.
    pub runs: u64,
}

/// A comparison that is over, or was stopped.
#[derive(Debug)]
pub struct Compared {
    /// What came of it.
    pub outcome: CompareOutcome,
    /// Whether the comparison can be resumed: an error if the last state could not be written.
    pub saved: Result<(), Error>,
}

/// What came of a comparison.
#[derive(Debug)]
pub enum CompareOutcome {
    /// All runs were made.
    Done(Box<CompareReport>),
    /// It was stopped before.
    Stopped {
        /// Runs that were made.
        runs: u64,
        /// Runs that were wanted.
        of: u64,
    },
}

/// Whether behaviours can be compared.
///
/// # Errors
/// If they are fewer than two, or one of them is there twice.
pub fn check_behaviours(behaviours: &[&'static Behaviour]) -> Result<(), Error> {
    for (place, behaviour) in behaviours.iter().enumerate() {
        let mut before = behaviours[..place].iter();
        if before.any(|other| other.name == behaviour.name) {
            return Err(Error::Input(format!(
                "behaviour \"{}\" is named twice",
                behaviour.name
            )));
        }
    }
    if behaviours.len() < 2 {
        return Err(Error::Input(
            "a comparison needs two behaviours or more".to_owned(),
        ));
    }
    Ok(())
}

/// Makes the runs that were not made yet.
///
/// # Errors
/// If the options are wrong, the state cannot be gone on from, a seed gave two different results
/// or the model panicked. What was run before is in the state all the same.
pub fn compare(
    options: &CompareOptions,
    observer: &mut impl Observer<CompareProgress>,
) -> Result<Compared, Error> {
    check_behaviours(&options.behaviours)?;
    let of = options.runs()?;
    let keeper = Keeper::open(options)?;
    let mut course = Course {
        ran: &AtomicU64::new(0),
        resumed: keeper.runs(),
        keeper,
        scenario: 0,
        turn: options.seeds.0.start,
        stopped: false,
        observer,
    };
    let worked = work(options, &mut course);
    course.save();
    let keeper = course.keeper;
    worked?;
    let runs = keeper.runs();
    let outcome = if runs < of {
        CompareOutcome::Stopped { runs, of }
    } else {
        CompareOutcome::Done(Box::new(report(options, &keeper)))
    };
    Ok(Compared {
        outcome,
        saved: keeper.kept(),
    })
}

/// Runs what is left to run, scenario by scenario.
fn work<O: Observer<CompareProgress>>(
    options: &CompareOptions,
    course: &mut Course<'_, O>,
) -> Result<(), Error> {
    let seeds = &options.seeds.0;
    for (scenario, plan) in options.plans.iter().enumerate() {
        course.scenario = scenario;
        course.turn = seeds.start + course.keeper.comparisons[scenario].seeds();
        if course.tick().is_break() {
            return Ok(());
        }
        let work = Work {
            plan,
            behaviours: &options.behaviours,
            ran: course.ran,
        };
        Pool::new(options.threads, Order::OfJobs).run(
            course.turn..seeds.end,
            || work.runners(),
            |runners, seed, _| Outcome::from(work.seed(runners, seed)),
            course,
        )?;
    }
    Ok(())
}

/// A comparison under way.
struct Course<'a, O> {
    keeper: Keeper,
    ran: &'a AtomicU64,
    resumed: u64,
    /// The scenario that is being run, by its place.
    scenario: usize,
    /// The seed whose runs come next.
    turn: u64,
    stopped: bool,
    observer: &'a mut O,
}

impl<O: Observer<CompareProgress>> Course<'_, O> {
    fn save(&mut self) {
        if let Some(warning) = self.keeper.save() {
            self.observer.warn(&warning);
        }
    }
}

impl<O: Observer<CompareProgress>> Collector<Runs> for Course<'_, O> {
    fn done(&mut self, _: usize, runs: Runs) {
        self.keeper.comparisons[self.scenario].add(self.turn, &runs);
        self.turn += 1;
    }

    fn tick(&mut self) -> ControlFlow<()> {
        let asked = self.observer.progress(&CompareProgress {
            scenario: self.scenario,
            resumed: self.resumed,
            runs: self.ran.load(Ordering::Relaxed),
        });
        if self.keeper.is_due() {
            self.save();
        }
        // Once stopped, the scenarios that are left are not begun.
        self.stopped |= asked.is_break();
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

fn report(options: &CompareOptions, keeper: &Keeper) -> CompareReport {
    let scenarios = options.plans.iter().zip(&keeper.comparisons);
    let seeds = &options.seeds;
    CompareReport {
        schema: CompareReport::SCHEMA.to_owned(),
        model: MODEL.to_owned(),
        seeds: SeedSpan {
            from: seeds.0.start.to_string(),
            to: seeds.0.end.to_string(),
            done: seeds.count(),
        },
        intervals: IntervalMethod::default(),
        scenarios: scenarios
            .map(|(plan, comparison)| comparison.report(plan))
            .collect(),
    }
}
