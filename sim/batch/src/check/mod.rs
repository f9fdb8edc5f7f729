//! Checks: the seeds of a regression file, and what scenarios expect of each behaviour.

mod bless;
mod expectation;
mod items;
mod judge;
mod location;

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;

use rebound_sim::results::{CheckItem, CheckReport, CheckTotals, MODEL};

use crate::error::Error;
use crate::observer::Observer;
use crate::pool::{Collector, Order, Outcome, Pool, available_threads};

pub use items::{Item, Mistake, What, regression_file, scenario_files};
pub use judge::Judged;
pub use location::Location;

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// The folder with the scenarios and `regressions.json`.
    pub folder: PathBuf,
    /// How many seeds each expectation is tried with.
    pub seeds_per_scenario: u64,
    /// How many threads run seeds.
    pub threads: usize,
    /// Whether `regressions.json` is rewritten by what is found.
    pub bless: bool,
}

impl CheckOptions {
    /// Number of seeds to test each expectation with if nothing else is said.
    pub const SEEDS_PER_SCENARIO: u64 = 20;

    /// Checks a folder on all of the machine's threads.
    pub fn new(folder: impl Into<PathBuf>) -> CheckOptions {
        CheckOptions {
            folder: folder.into(),
            seeds_per_scenario: CheckOptions::SEEDS_PER_SCENARIO,
            threads: available_threads(),
            bless: false,
        }
    }
}

/// How far a check is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct CheckProgress {
    /// Items that were judged.
    pub judged: usize,
    /// All items.
    pub of: usize,
}

/// What was checked.
#[derive(Debug)]
pub struct Checks {
    /// The report.
    pub report: CheckReport,
    /// Each item of the report, with where it is written down.
    pub items: Vec<(Item, Judged)>,
    /// Items whose entries in `regressions.json` were rewritten, as they were judged before.
    pub blessed: Vec<CheckItem>,
}

/// Why there is no report.
#[derive(Debug)]
pub struct CheckError {
    /// The first thing that is wrong.
    pub error: Error,
    /// Everything that is wrong with the files, with its place, if something is.
    pub mistakes: Vec<Mistake>,
    /// If an item could not be judged: what became of each.
    pub items: Vec<(Item, Result<Judged, Error>)>,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CheckError {}

impl<E: Into<Error>> From<E> for CheckError {
    fn from(error: E) -> CheckError {
        CheckError {
            error: error.into(),
            mistakes: Vec::new(),
            items: Vec::new(),
        }
    }
}

/// Checks everything in the folder.
///
/// # Errors
/// If a file is wrong, a seed gave two different results, the model panicked or the observer
/// stopped the check.
pub fn check(
    options: &CheckOptions,
    observer: &mut impl Observer<CheckProgress>,
) -> Result<Checks, CheckError> {
    let file = regression_file(&options.folder);
    let regressions = items::regressions(&file)?;
    let items = items::all(&options.folder, options.seeds_per_scenario, &regressions)?;
    let judged = judge_all(&items, options.threads, observer)?;
    if let Some(error) = judged.iter().find_map(|judged| judged.as_ref().err()) {
        return Err(CheckError {
            error: error.clone(),
            mistakes: Vec::new(),
            items: items.into_iter().zip(judged).collect(),
        });
    }
    let mut judged: Vec<Judged> = judged.into_iter().flatten().collect();
    let blessed = if options.bless {
        bless::bless(&file, &regressions, &mut judged)?
    } else {
        Vec::new()
    };
    let report: Vec<_> = judged.iter().map(|judged| judged.item.clone()).collect();
    Ok(Checks {
        report: CheckReport {
            schema: CheckReport::SCHEMA.to_owned(),
            model: MODEL.to_owned(),
            totals: CheckTotals::of(&report),
            items: report,
        },
        items: items.into_iter().zip(judged).collect(),
        blessed,
    })
}

/// Judges items in parallel; the results are in the items' order.
fn judge_all(
    items: &[Item],
    threads: usize,
    observer: &mut impl Observer<CheckProgress>,
) -> Result<Vec<Result<Judged, Error>>, Error> {
    let mut judging = Judging {
        judged: Vec::new(),
        of: items.len(),
        observer,
    };
    // An item that cannot be judged keeps no other from being judged.
    Pool::new(threads, Order::OfJobs).run(
        items,
        || (),
        |(), item, _| Outcome::<_, Error>::Done(item.judge()),
        &mut judging,
    )?;
    if judging.judged.len() < items.len() {
        return Err(Error::Stopped);
    }
    Ok(judging.judged)
}

/// A check under way.
struct Judging<'a, O> {
    judged: Vec<Result<Judged, Error>>,
    of: usize,
    observer: &'a mut O,
}

impl<O: Observer<CheckProgress>> Collector<Result<Judged, Error>> for Judging<'_, O> {
    fn done(&mut self, _: usize, judged: Result<Judged, Error>) {
        self.judged.push(judged);
    }

    fn tick(&mut self) -> ControlFlow<()> {
        self.observer.progress(&CheckProgress {
            judged: self.judged.len(),
            of: self.of,
        })
    }
}
