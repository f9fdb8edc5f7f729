//! Batches of runs with a progress bar: watched on a terminal, and stopped by Ctrl-C.

use std::ops::ControlFlow;
use std::sync::Arc;

use indicatif::ProgressBar;
use rebound_batch::check::{CheckError, CheckProgress, Checks};
use rebound_batch::compare::{CompareProgress, Compared};
use rebound_batch::{CheckOptions, CompareOptions, Observer, SweepOptions, SweepProgress, Swept};
use rebound_sim::scenario::Plan;

use crate::exit::Failure;
use crate::figures::rate;
use crate::interrupts;
use crate::output::{Output, complain};

/// Sweeps; the first Ctrl-C ends it after the seeds in hand.
///
/// # Errors
/// As [`rebound_batch::sweep()`].
pub fn sweep(options: &SweepOptions, out: &Output) -> Result<Swept, Failure> {
    interrupts::listen()?;
    let seeds = options.seeds.count();
    let template = "{bar:24} {human_pos}/{human_len} seeds  {msg}  ETA {eta}";
    let mut watcher = Watcher::new(out.progress(seeds, template), &[]);
    let swept = rebound_batch::sweep(options, &mut watcher);
    watcher.bar.finish_and_clear();
    Ok(swept?)
}

/// Compares; if the state is kept, the first Ctrl-C ends it after the seeds in hand.
///
/// # Errors
/// As [`rebound_batch::compare()`].
pub fn compare(options: &CompareOptions, out: &Output) -> Result<Compared, Failure> {
    if options.resume.is_some() {
        interrupts::listen()?;
    }
    let each = (options.behaviours.len() * options.plans.len()) as u64;
    let runs = options.seeds.count().saturating_mul(each);
    let template = "{bar:24} {human_pos}/{human_len} runs  {per_sec}  ETA {eta}  {msg}";
    let mut watcher = Watcher::new(out.progress(runs, template), &options.plans);
    let compared = rebound_batch::compare(options, &mut watcher);
    watcher.bar.finish_and_clear();
    Ok(compared?)
}

/// Checks.
///
/// # Errors
/// As [`rebound_batch::check()`].
pub fn check(options: &CheckOptions, out: &Output) -> Result<Checks, CheckError> {
    let template = "{bar:24} {human_pos}/{human_len} checked  ETA {eta}";
    let mut watcher = Watcher::new(out.progress(0, template), &[]);
    let checks = rebound_batch::check(options, &mut watcher);
    watcher.bar.finish_and_clear();
    checks
}

/// Shows how far the work is.
struct Watcher<'a> {
    bar: ProgressBar,
    plans: &'a [Arc<Plan>],
    begun: bool,
}

impl Watcher<'_> {
    fn new(bar: ProgressBar, plans: &[Arc<Plan>]) -> Watcher<'_> {
        Watcher {
            bar,
            plans,
            begun: false,
        }
    }

    /// Moves the bar. What was done before this program began says nothing about its speed.
    fn show(&mut self, before: u64, since: u64) -> ControlFlow<()> {
        if !self.begun {
            self.begun = true;
            self.bar.set_position(before);
            self.bar.reset_eta();
        }
        self.bar.set_position(before + since);
        if interrupts::interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Observer<SweepProgress> for Watcher<'_> {
    fn progress(&mut self, progress: &SweepProgress) -> ControlFlow<()> {
        if !self.bar.is_hidden() {
            let seconds = progress.elapsed.as_secs_f64().max(1e-9);
            let per_second = |n: u64| rate(n as f64 / seconds);
            self.bar.set_message(format!(
                "{} seeds/s  {} events/s  {} flagged",
                per_second(progress.seeds),
                per_second(progress.events),
                progress.flagged
            ));
        }
        self.show(progress.resumed, progress.seeds)
    }

    fn warn(&mut self, message: &str) {
        complain(message);
    }
}

impl Observer<CompareProgress> for Watcher<'_> {
    fn progress(&mut self, progress: &CompareProgress) -> ControlFlow<()> {
        if !self.bar.is_hidden()
            && let Some(plan) = self.plans.get(progress.scenario)
        {
            self.bar.set_message(plan.name.clone());
        }
        self.show(progress.resumed, progress.runs)
    }

    fn warn(&mut self, message: &str) {
        complain(message);
    }
}

impl Observer<CheckProgress> for Watcher<'_> {
    fn progress(&mut self, progress: &CheckProgress) -> ControlFlow<()> {
        self.bar.set_length(progress.of as u64);
        self.show(0, progress.judged as u64)
    }

    fn warn(&mut self, message: &str) {
        complain(message);
    }
}
