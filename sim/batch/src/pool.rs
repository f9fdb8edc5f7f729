//! A pool of threads that share a queue of jobs.
//!
//! Workers take jobs in order, one at a time, each with a state of its own (a world to run seeds
//! in, say). Results go to a [`Collector`] on the thread that called [`Pool::run`], in the order
//! of jobs or as they come. When a job fails, nobody takes another one, and those under way are
//! finished. Since jobs are taken in order, the failure that is returned, that of the first job
//! that fails, is the same for any number of threads.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use rebound_batch::Error;
//! use rebound_batch::pool::{Collector, Order, Outcome, Pool};
//!
//! struct Squares(Vec<u64>);
//!
//! impl Collector<u64> for Squares {
//!     fn done(&mut self, _job: usize, square: u64) {
//!         self.0.push(square);
//!     }
//!
//!     fn tick(&mut self) -> ControlFlow<()> {
//!         ControlFlow::Continue(())
//!     }
//! }
//!
//! let mut squares = Squares(Vec::new());
//! let square = |(): &mut (), n: u64, _: &_| Outcome::<u64, Error>::Done(n * n);
//! Pool::new(2, Order::OfJobs).run(1..=4, || (), square, &mut squares)?;
//! assert_eq!(squares.0, [1, 4, 9, 16]);
//! # Ok::<(), Error>(())
//! ```

use std::collections::BTreeMap;
use std::iter::Enumerate;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::guard::{Panic, guard};

/// How long nothing is heard of the collector at most.
const TICK: Duration = Duration::from_millis(100);

/// As many threads as the machine can run at once.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// When a result is handed over.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the order of jobs, up to the first that failed. Results that come early are held back.
    OfJobs,
    /// As soon as it is there, whatever else failed.
    AsDone,
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T, E> {
    /// It has a result.
    Done(T),
    /// It failed.
    Failed(E),
    /// It failed, and what it did before counts.
    Partly(T, E),
}

impl<T, E> From<Result<T, E>> for Outcome<T, E> {
    fn from(result: Result<T, E>) -> Outcome<T, E> {
        match result {
            Ok(value) => Outcome::Done(value),
            Err(error) => Outcome::Failed(error),
        }
    }
}

/// Takes the results, on the thread that called [`Pool::run`].
pub trait Collector<T> {
    /// A job, by its number from zero, has a result.
    fn done(&mut self, job: usize, result: T);

    /// Called after each result and at least several times a second. To break sets [`Stop`].
    fn tick(&mut self) -> ControlFlow<()>;
}

/// Whether the collector wants the work to end. The pool then hands out no more jobs; a job that
/// takes long looks at it, too, and returns what it has.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Whether the work is to end.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How jobs are worked on.
#[derive(Copy, Clone, Debug)]
pub struct Pool {
    threads: usize,
    order: Order,
}

impl Pool {
    /// A pool of as many threads, of one if that is zero.
    pub fn new(threads: usize, order: Order) -> Pool {
        Pool {
            threads: threads.max(1),
            order,
        }
    }

    /// Does `work` on all jobs. Each thread makes a state for itself with its first job, and a new
    /// one if `work` has panicked on it.
    ///
    /// # Errors
    /// That of the first job which failed or panicked.
    pub fn run<J, S, T, E>(
        &self,
        jobs: impl IntoIterator<Item = J, IntoIter: Send>,
        state: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, J, &Stop) -> Outcome<T, E> + Sync,
        collector: &mut impl Collector<T>,
    ) -> Result<(), E>
    where
        T: Send,
        E: Send + From<Panic>,
    {
        let jobs = jobs.into_iter();
        let most = jobs.size_hint().1.unwrap_or(usize::MAX);
        let threads = self.threads.min(most);
        let shared = Shared {
            jobs: Mutex::new(jobs.enumerate()),
            stop: Stop::default(),
            failed: AtomicBool::new(false),
        };
        let mut results = Results {
            order: self.order,
            early: BTreeMap::new(),
            next: 0,
            failure: None,
        };
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(threads * 4);
            for _ in 0..threads {
                let sender = sender.clone();
                let (shared, state, work) = (&shared, &state, &work);
                scope.spawn(move || shared.worker(state, work, &sender));
            }
            drop(sender);
            loop {
                match receiver.recv_timeout(TICK) {
                    Ok((job, outcome)) => results.add(job, outcome, collector),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                if collector.tick().is_break() {
                    shared.stop.set();
                }
            }
        });
        match results.failure {
            Some((_, failure)) => Err(failure),
            None => Ok(()),
        }
    }
}

/// What the workers of a pool share.
struct Shared<I> {
    jobs: Mutex<Enumerate<I>>,
    stop: Stop,
    /// Whether a job has failed.
    failed: AtomicBool,
}

impl<J, I: Iterator<Item = J>> Shared<I> {
    fn worker<S, T, E: From<Panic>>(
        &self,
        state: &impl Fn() -> S,
        work: &impl Fn(&mut S, J, &Stop) -> Outcome<T, E>,
        sender: &SyncSender<(usize, Outcome<T, E>)>,
    ) {
        let mut own = None;
        while let Some((number, job)) = self.take() {
            let outcome = guard(|| work(own.get_or_insert_with(state), job, &self.stop));
            let outcome = outcome.unwrap_or_else(|panic| {
                own = None;
                Outcome::Failed(panic.into())
            });
            match outcome {
                Outcome::Done(_) => {}
                Outcome::Failed(_) | Outcome::Partly(..) => {
                    self.failed.store(true, Ordering::Relaxed);
                }
            }
            // Nobody listens only if the collector has panicked.
            if sender.send((number, outcome)).is_err() {
                return;
            }
        }
    }

    fn take(&self) -> Option<(usize, J)> {
        if self.stop.is_set() || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.next()
    }
}

/// The results so far.
struct Results<T, E> {
    order: Order,
    /// Those that have come before their turn.
    early: BTreeMap<usize, T>,
    /// The job whose turn it is.
    next: usize,
    /// The first job, by number, that has failed so far.
    failure: Option<(usize, E)>,
}

impl<T, E> Results<T, E> {
    fn add(&mut self, job: usize, outcome: Outcome<T, E>, collector: &mut impl Collector<T>) {
        let (result, failure) = match outcome {
            Outcome::Done(result) => (Some(result), None),
            Outcome::Failed(failure) => (None, Some(failure)),
            Outcome::Partly(result, failure) => (Some(result), Some(failure)),
        };
        if let Some(failure) = failure
            && self.failure.as_ref().is_none_or(|(first, _)| job < *first)
        {
            self.failure = Some((job, failure));
        }
        let Some(result) = result else { return };
        match self.order {
            Order::AsDone => collector.done(job, result),
            Order::OfJobs => {
                self.early.insert(job, result);
                self.hand_over(collector);
            }
        }
    }

    /// Hands over what has its turn, up to the first job that failed.
    fn hand_over(&mut self, collector: &mut impl Collector<T>) {
        let last = self
            .failure
            .as_ref()
            .map_or(usize::MAX, |(first, _)| *first);
        while self.next <= last
            && let Some(result) = self.early.remove(&self.next)
        {
            collector.done(self.next, result);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests;
