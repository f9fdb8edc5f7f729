//! The pool, with jobs that wait for each other where an order of events matters.

use std::sync::atomic::AtomicUsize;
use std::sync::{Barrier, Condvar};

use super::*;

/// Keeps what it is handed, and breaks after some results.
#[derive(Default)]
struct Kept {
    results: Vec<(usize, u64)>,
    break_after: Option<usize>,
}

impl Collector<u64> for Kept {
    fn done(&mut self, job: usize, result: u64) {
        self.results.push((job, result));
    }

    fn tick(&mut self) -> ControlFlow<()> {
        match self.break_after {
            Some(most) if self.results.len() >= most => ControlFlow::Break(()),
            Some(_) | None => ControlFlow::Continue(()),
        }
    }
}

/// Why a job failed.
#[derive(Debug, PartialEq, Eq)]
enum Why {
    Job(u64),
    Panic(String),
}

impl From<Panic> for Why {
    fn from(panic: Panic) -> Why {
        Why::Panic(panic.message)
    }
}

/// A door that jobs wait at until another one opens it.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    fn open(&self) {
        *self.open.lock().expect("no panic") = true;
        self.opened.notify_all();
    }

    fn wait(&self) {
        let open = self.open.lock().expect("no panic");
        drop(self.opened.wait_while(open, |open| !*open));
    }
}

fn run(
    pool: Pool,
    jobs: u64,
    work: impl Fn(u64, &Stop) -> Outcome<u64, Why> + Sync,
    kept: &mut Kept,
) -> Result<(), Why> {
    pool.run(0..jobs, || (), |(), job, stop| work(job, stop), kept)
}

#[test]
fn results_come_in_the_order_of_jobs() {
    let door = Door::default();
    let mut kept = Kept::default();
    let ended = run(
        Pool::new(2, Order::OfJobs),
        20,
        |job, _| {
            // The first job is the last to end.
            match job {
                0 => door.wait(),
                19 => door.open(),
                _ => {}
            }
            Outcome::Done(job * 10)
        },
        &mut kept,
    );
    assert_eq!(ended, Ok(()));
    let expected: Vec<_> = (0..20).map(|job| (job as usize, job * 10)).collect();
    assert_eq!(kept.results, expected);
}

#[test]
fn results_come_as_they_are_done() {
    let door = Door::default();
    let mut kept = Kept::default();
    let ended = run(
        Pool::new(2, Order::AsDone),
        5,
        |job, _| {
            match job {
                0 => door.wait(),
                4 => door.open(),
                _ => {}
            }
            Outcome::Done(job)
        },
        &mut kept,
    );
    assert_eq!(ended, Ok(()));
    let place = |job| kept.results.iter().position(|(done, _)| *done == job);
    assert!(place(0) > place(3), "{:?}", kept.results);
    assert_eq!(kept.results.len(), 5);
}

#[test]
fn each_thread_has_a_state_of_its_own() {
    let states = AtomicUsize::new(0);
    let both = Barrier::new(2);
    let mut kept = Kept::default();
    let ended: Result<(), Why> = Pool::new(2, Order::OfJobs).run(
        0..2_u64,
        || {
            states.fetch_add(1, Ordering::Relaxed);
            both.wait();
            0_u64
        },
        |count, _, _| {
            *count += 1;
            Outcome::Done(*count)
        },
        &mut kept,
    );
    assert_eq!(ended, Ok(()));
    assert_eq!(kept.results, [(0, 1), (1, 1)]);
    assert_eq!(states.into_inner(), 2);
}

#[test]
fn no_more_threads_begin_than_there_are_jobs() {
    let mut kept = Kept::default();
    let none = |_, _: &Stop| Outcome::Done(0);
    assert_eq!(
        run(Pool::new(64, Order::OfJobs), 0, none, &mut kept),
        Ok(())
    );
    assert_eq!(run(Pool::new(0, Order::OfJobs), 3, none, &mut kept), Ok(()));
    assert_eq!(kept.results.len(), 3);
}

#[test]
fn a_collector_that_breaks_stops_the_work() {
    for order in [Order::OfJobs, Order::AsDone] {
        let mut kept = Kept {
            break_after: Some(3),
            ..Kept::default()
        };
        let begun = AtomicUsize::new(0);
        let ended = run(
            Pool::new(2, order),
            1_000_000_000,
            |job, stop| {
                begun.fetch_add(1, Ordering::Relaxed);
                // As a long job does: nothing else ends this one.
                while job > 10 && !stop.is_set() {
                    std::thread::yield_now();
                }
                Outcome::Done(job)
            },
            &mut kept,
        );
        assert_eq!(ended, Ok(()));
        // What was under way is handed over, too, without a gap.
        assert_eq!(kept.results.len(), begun.into_inner());
        kept.results.sort_unstable();
        let numbers = kept.results.iter().map(|(job, _)| *job);
        assert!(numbers.eq(0..kept.results.len()));
    }
}

/// Job 5 fails while job 2 is still under way, which then fails as well.
#[test]
fn the_first_failure_by_number_is_returned() {
    for order in [Order::OfJobs, Order::AsDone] {
        let door = Door::default();
        let mut kept = Kept::default();
        let ended = run(
            Pool::new(2, order),
            1_000,
            |job, _| match job {
                2 => {
                    door.wait();
                    Outcome::Failed(Why::Job(2))
                }
                5 => {
                    door.open();
                    Outcome::Failed(Why::Job(5))
                }
                _ => Outcome::Done(job),
            },
            &mut kept,
        );
        assert_eq!(ended, Err(Why::Job(2)));
        kept.results.sort_unstable();
        let jobs: Vec<_> = kept.results.iter().map(|(job, _)| *job).collect();
        match order {
            Order::OfJobs => assert_eq!(jobs, [0, 1]),
            Order::AsDone => assert_eq!(jobs, [0, 1, 3, 4]),
        }
    }
}

#[test]
fn what_a_failed_job_did_before_counts() {
    for order in [Order::OfJobs, Order::AsDone] {
        let mut kept = Kept::default();
        let ended = run(
            Pool::new(1, order),
            9,
            |job, _| match job {
                2 => Outcome::Partly(77, Why::Job(2)),
                _ => Outcome::Done(job),
            },
            &mut kept,
        );
        assert_eq!(ended, Err(Why::Job(2)));
        assert_eq!(kept.results, [(0, 0), (1, 1), (2, 77)]);
    }
}

#[test]
fn a_panic_is_a_failure_of_its_job() {
    let mut kept = Kept::default();
    let ended = run(
        Pool::new(1, Order::OfJobs),
        9,
        |job, _| {
            assert_ne!(job, 3, "three is too many");
            Outcome::Done(job)
        },
        &mut kept,
    );
    let Err(Why::Panic(message)) = ended else {
        panic!("{ended:?}");
    };
    assert!(message.contains("three is too many"), "{message}");
    assert_eq!(kept.results.len(), 3);
}
