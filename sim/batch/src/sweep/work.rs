//! What the threads of a sweep do. They share nothing but the queue of seeds and a few counters.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::detail::DetailSink;
use rebound_sim::results::{RunReport, SweepTally, Verdict};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use super::SweepOptions;
use crate::error::Error;
use crate::guard::guard_seed;
use crate::pool::{Outcome, Stop};
use crate::verify::mismatch;

/// How many seeds lie between two flagged ones that are run again even if not all are.
const VERIFIED: u64 = 64;

/// What the threads work on.
pub(crate) struct Work {
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    verify: bool,
    detail: bool,
}

/// What is visible from outside while the threads work.
#[derive(Default)]
pub(crate) struct Counters {
    /// Seeds run.
    pub seeds: AtomicU64,
    /// Events that happened.
    pub events: AtomicU64,
    /// Seeds flagged.
    pub flagged: AtomicU64,
}

/// Seeds that were run, and their sum.
pub struct Part {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Their sum.
    pub tally: SweepTally,
}

impl Work {
    /// The work of a sweep.
    pub fn new(options: &SweepOptions) -> Work {
        Work {
            plan: Arc::clone(&options.plan),
            behaviour: options.behaviour,
            verify: options.verify,
            detail: options.detail,
        }
    }

    /// A world to run seeds in.
    pub fn runner(&self) -> Runner {
        Runner::new(Arc::clone(&self.plan), self.behaviour)
    }

    /// Runs the seeds of `chunk`, or those before the first that fails or that `stop` forbids.
    pub(crate) fn chunk(
        &self,
        runner: &mut Runner,
        chunk: Range<u64>,
        stop: &Stop,
        counters: &Counters,
    ) -> Outcome<Part, Error> {
        let mut tally = SweepTally::default();
        let mut seed = chunk.start;
        while seed < chunk.end && !stop.is_set() {
            if let Err(error) = self.seed(runner, seed, &mut tally, counters) {
                let seeds = chunk.start..seed;
                return Outcome::Partly(Part { seeds, tally }, error);
            }
            seed += 1;
        }
        let seeds = chunk.start..seed;
        Outcome::Done(Part { seeds, tally })
    }

    fn run(&self, runner: &mut Runner, seed: u64) -> Result<RunReport, Error> {
        guard_seed(&self.plan, self.behaviour, seed, || {
            runner.run(seed, &mut NoTrace)
        })
    }

    fn seed(
        &self,
        runner: &mut Runner,
        seed: u64,
        tally: &mut SweepTally,
        counters: &Counters,
    ) -> Result<(), Error> {
        let report = if self.detail {
            guard_seed(&self.plan, self.behaviour, seed, || {
                let mut sink = DetailSink::new(&self.plan);
                let report = runner.run(seed, &mut sink);
                sink.finish(seed, &report, tally.detail_mut());
                report
            })?
        } else {
            self.run(runner, seed)?
        };
        let flagged = report.verdict == Verdict::Flagged;
        if self.verify || (flagged && seed.is_multiple_of(VERIFIED)) {
            let again = self.run(runner, seed)?;
            if again != report {
                let text = mismatch(seed, &report.trace_hash, &again.trace_hash);
                return Err(Error::Nondeterminism(text));
            }
        }
        tally.add(seed, &report);
        counters.seeds.fetch_add(1, Ordering::Relaxed);
        counters.events.fetch_add(report.events, Ordering::Relaxed);
        counters
            .flagged
            .fetch_add(u64::from(flagged), Ordering::Relaxed);
        Ok(())
    }

    /// Runs `seed` in a world of its own and compares its trace with what the sweep saw.
    ///
    /// # Errors
    /// If it differs.
    pub fn reproduce(&self, seed: u64, trace_hash: &str) -> Result<(), Error> {
        let mut runner = self.runner();
        let again = self.run(&mut runner, seed)?;
        if again.trace_hash == trace_hash {
            return Ok(());
        }
        let text = mismatch(seed, trace_hash, &again.trace_hash);
        Err(Error::Nondeterminism(text))
    }
}
