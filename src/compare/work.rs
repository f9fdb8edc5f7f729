//! The threads of a comparison. Each takes a few seeds at a time and runs them under every
//! behaviour; results are put together in the order of seeds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rebound_batch::compare::{Measures, RunMeasures};
use rebound_sim::report::RunReport;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use crate::exit::Failure;
use crate::internal::guard_seed;
use crate::verify::mismatch;

/// A seed under each behaviour.
pub type Runs = Vec<(RunReport, RunMeasures)>;

/// How many seeds lie between two that are run again, without being measured, to see that the
/// same comes of them.
const VERIFIED: u64 = 64;

/// What the threads work on.
pub struct Work<'a> {
    /// The scenario.
    pub plan: &'a Arc<Plan>,
    /// What nodes follow, in turn.
    pub behaviours: &'a [&'static Behaviour],
    /// The seeds that are left.
    pub seeds: Range<u64>,
    /// How many threads there are.
    pub threads: usize,
    /// Set to end the work after the seeds in hand.
    pub stop: &'a AtomicBool,
}

/// Runs every seed under every behaviour. `ran` is called after each run, `add` with each seed's
/// runs in the order of seeds, `tick` several times a second.
///
/// # Errors
/// If the model panicked, or a seed gave two different results. Seeds before it were added all
/// the same.
pub fn run(
    work: &Work<'_>,
    ran: impl Fn() + Sync,
    mut add: impl FnMut(u64, &Runs),
    mut tick: impl FnMut(),
) -> Result<(), Failure> {
    let &Work {
        plan,
        behaviours,
        ref seeds,
        threads,
        stop,
    } = work;
    let next = AtomicU64::new(seeds.start);
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads * 4);
        for _ in 0..threads {
            let (sender, next, ran) = (sender.clone(), &next, &ran);
            scope.spawn(move || toil(plan, behaviours, seeds.end, next, stop, ran, &sender));
        }
        drop(sender);
        // What has come before its turn.
        let mut early: BTreeMap<u64, Runs> = BTreeMap::new();
        let mut turn = seeds.start;
        let mut failure: Option<(u64, Failure)> = None;
        loop {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok((seed, Ok(runs))) => {
                    early.insert(seed, runs);
                }
                Ok((seed, Err(failed))) => {
                    stop.store(true, Ordering::Relaxed);
                    if failure.as_ref().is_none_or(|(first, _)| seed < *first) {
                        failure = Some((seed, failed));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(runs) = early.remove(&turn) {
                add(turn, &runs);
                turn += 1;
            }
            tick();
        }
        match failure {
            Some((_, failure)) => Err(failure),
            None => Ok(()),
        }
    })
}

fn toil(
    plan: &Arc<Plan>,
    behaviours: &[&'static Behaviour],
    end: u64,
    next: &AtomicU64,
    stop: &AtomicBool,
    ran: &impl Fn(),
    sender: &SyncSender<(u64, Result<Runs, Failure>)>,
) {
    let mut runners: Vec<Runner> = behaviours
        .iter()
        .map(|behaviour| Runner::new(Arc::clone(plan), behaviour))
        .collect();
    while !stop.load(Ordering::Relaxed) {
        let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| {
            (seed < end).then(|| seed + 1)
        });
        let Ok(seed) = taken else { return };
        let each = runners.iter_mut().zip(behaviours);
        let runs = each
            .map(|(runner, behaviour)| {
                let run = one(plan, behaviour, runner, seed);
                ran();
                run
            })
            .collect();
        if sender.send((seed, runs)).is_err() {
            return;
        }
    }
}

fn one(
    plan: &Arc<Plan>,
    behaviour: &'static Behaviour,
    runner: &mut Runner,
    seed: u64,
) -> Result<(RunReport, RunMeasures), Failure> {
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
        Some(hash) if hash != report.trace_hash => Err(Failure::nondeterminism(mismatch(
            seed,
            &report.trace_hash,
            &hash,
        ))),
        Some(_) | None => Ok((report, measures)),
    })
}
