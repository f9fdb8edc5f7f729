//! What the threads of a comparison do: each takes a seed at a time and runs it under every
//! behaviour.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rebound_sim::results::RunReport;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use super::measures::{Measures, RunMeasures};
use crate::error::Error;
use crate::guard::guard_seed;
use crate::verify::mismatch;

/// A seed under each behaviour.
pub type Runs = Vec<(RunReport, RunMeasures)>;

/// How many seeds lie between two that are run again, without being measured, to see that the
/// same comes of them.
const VERIFIED: u64 = 64;

/// What the threads work on.
pub(crate) struct Work<'a> {
    /// The scenario.
    pub plan: &'a Arc<Plan>,
    /// The behaviours of the nodes, in turn.
    pub behaviours: &'a [&'static Behaviour],
    /// Counts the runs.
    pub ran: &'a AtomicU64,
}

impl Work<'_> {
    /// A world for each behaviour.
    pub fn runners(&self) -> Vec<Runner> {
        let behaviours = self.behaviours.iter();
        behaviours
            .map(|behaviour| Runner::new(Arc::clone(self.plan), behaviour))
            .collect()
    }

    /// Runs a seed under every behaviour.
    ///
    /// # Errors
    /// If the model panicked, or the seed gave two different results.
    pub fn seed(&self, runners: &mut [Runner], seed: u64) -> Result<Runs, Error> {
        let each = runners.iter_mut().zip(self.behaviours);
        each.map(|(runner, behaviour)| {
            let run = one(self.plan, behaviour, runner, seed);
            self.ran.fetch_add(1, Ordering::Relaxed);
            run
        })
        .collect()
    }
}

fn one(
    plan: &Arc<Plan>,
    behaviour: &'static Behaviour,
    runner: &mut Runner,
    seed: u64,
) -> Result<(RunReport, RunMeasures), Error> {
    guard_seed(plan, behaviour, seed, || {
        let mut measures = Measures::new(plan);
        let report = runner.run(seed, &mut measures);
        let again = seed
            .is_multiple_of(VERIFIED)
            .then(|| runner.run(seed, &mut NoTrace).trace_hash);
        let measures = measures.finish(&report);
        (report, measures, again)
    })
    .and_then(|(report, measures, again)| match again {
        Some(hash) if hash != report.trace_hash => Err(Error::Nondeterminism(mismatch(
            seed,
            &report.trace_hash,
            &hash,
        ))),
        Some(_) | None => Ok((report, measures)),
    })
}
