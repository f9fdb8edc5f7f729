//! The threads of a sweep. They share nothing but the queue of seeds and a few counters.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rebound_sim::compare::Glance;
use rebound_sim::report::{RunReport, SweepTally, Verdict};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use crate::exit::Failure;
use crate::internal::guard_seed;
use crate::verify::mismatch;

/// What the threads work on.
pub struct Work {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// What nodes follow.
    pub behaviour: &'static Behaviour,
    /// Whether every seed is run twice.
    pub verify: bool,
    /// Whether more than sums is kept.
    pub detail: bool,
}

/// What is visible from outside while the threads work.
#[derive(Default)]
pub struct Counters {
    /// Set to end the work after the seeds in hand.
    pub stop: AtomicBool,
    /// Seeds run.
    pub seeds: AtomicU64,
    /// Events that happened.
    pub events: AtomicU64,
    /// Seeds flagged.
    pub flagged: AtomicU64,
}

/// Seeds that were run, and their sum.
pub struct Done {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Their sum.
    pub tally: SweepTally,
}

/// Seeds that nobody has taken yet.
struct Queue {
    ranges: Mutex<VecDeque<Range<u64>>>,
    chunk: u64,
}

impl Queue {
    /// Seeds that a thread takes at a time, at most: few, so that an interrupted sweep has
    /// hardly any holes; more than one, so that threads do not wait for each other.
    const CHUNK: u64 = 16;

    fn new(ranges: Vec<Range<u64>>, threads: usize) -> Queue {
        let seeds: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        Queue {
            ranges: Mutex::new(ranges.into()),
            chunk: (seeds / (threads as u64 * 8)).clamp(1, Queue::CHUNK),
        }
    }

    fn take(&self) -> Option<Range<u64>> {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ranges.front_mut()?;
        let end = first.end.min(first.start.saturating_add(self.chunk));
        let taken = first.start..end;
        first.start = end;
        if first.is_empty() {
            ranges.pop_front();
        }
        Some(taken)
    }
}

/// Runs every seed of `ranges` on a number of threads. `done` is handed what they finish; `tick` is
/// called several times a second.
///
/// # Errors
/// If a seed gave two different results, or the model panicked. What was finished before is
/// handed to `done` all the same.
pub fn run(
    work: &Work,
    ranges: Vec<Range<u64>>,
    threads: usize,
    counters: &Counters,
    mut done: impl FnMut(Done),
    mut tick: impl FnMut(),
) -> Result<(), Failure> {
    let queue = Queue::new(ranges, threads);
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads * 4);
        for _ in 0..threads {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || work.toil(queue, counters, &sender));
        }
        drop(sender);
        let mut failures: Vec<(u64, Failure)> = Vec::new();
        loop {
            match receiver.recv_timeout(Duration::from_millis(100)) {
                Ok(Ok(part)) => done(part),
                Ok(Err(failure)) => failures.push(failure),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            tick();
        }
        failures.sort_by_key(|(seed, _)| *seed);
        match failures.into_iter().next() {
            Some((_, failure)) => Err(failure),
            None => Ok(()),
        }
    })
}

impl Work {
    fn toil(
        &self,
        queue: &Queue,
        counters: &Counters,
        sender: &SyncSender<Result<Done, (u64, Failure)>>,
    ) {
        let stopped = || counters.stop.load(Ordering::Relaxed);
        let mut runner = Runner::new(Arc::clone(&self.plan), self.behaviour);
        while !stopped() {
            let Some(chunk) = queue.take() else {
                return;
            };
            let mut tally = SweepTally::default();
            let mut seed = chunk.start;
            while seed < chunk.end && !stopped() {
                if let Err(failure) = self.seed(&mut runner, seed, &mut tally, counters) {
                    counters.stop.store(true, Ordering::Relaxed);
                    let seeds = chunk.start..seed;
                    // Nobody listens only if the sweep is over anyway.
                    let _ = sender.send(Ok(Done { seeds, tally }));
                    let _ = sender.send(Err((seed, failure)));
                    return;
                }
                seed += 1;
            }
            let part = Done {
                seeds: chunk.start..seed,
                tally,
            };
            if sender.send(Ok(part)).is_err() {
                return;
            }
        }
    }

    fn run(&self, runner: &mut Runner, seed: u64) -> Result<RunReport, Failure> {
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
    ) -> Result<(), Failure> {
        let report = if self.detail {
            guard_seed(&self.plan, self.behaviour, seed, || {
                let mut glance = Glance::new(&self.plan);
                let report = runner.run(seed, &mut glance);
                glance.finish(seed, &report, tally.detail_mut());
                report
            })?
        } else {
            self.run(runner, seed)?
        };
        let flagged = report.verdict == Verdict::Flagged;
        if self.verify || (flagged && seed.is_multiple_of(64)) {
            let again = self.run(runner, seed)?;
            if again != report {
                let text = mismatch(seed, &report.trace_hash, &again.trace_hash);
                return Err(Failure::nondeterminism(text));
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
    pub fn reproduce(&self, seed: u64, trace_hash: &str) -> Result<(), Failure> {
        let mut runner = Runner::new(Arc::clone(&self.plan), self.behaviour);
        let again = self.run(&mut runner, seed)?;
        if again.trace_hash == trace_hash {
            return Ok(());
        }
        let text = mismatch(seed, trace_hash, &again.trace_hash);
        Err(Failure::nondeterminism(text))
    }
}
