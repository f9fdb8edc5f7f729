//! `rebound check`: all regression seeds, and what the scenarios expect of each behaviour.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use clap::Args;
use rebound_sim::report::{
    CheckItem, CheckKind, CheckOutcome, CheckReport, CheckTotals, ExpectationTally, MODEL,
    Regression, Regressions, RunReport, found_words, replay_command,
};
use rebound_sim::scenario::{Expectation, Plan};
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use crate::arguments::{behaviour_named, load, threads};
use crate::exit::{Exit, Failure};
use crate::figures::grouped;
use crate::files;
use crate::internal::guard_seed;
use crate::output::{Output, Style, complain};
use crate::verify::mismatch;

/// Arguments of `rebound check`.
#[derive(Args)]
pub struct Arguments {
    /// Seeds that each expectation is tried with
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    seeds_per_scenario: u64,
    /// The folder with the scenarios and regressions.json
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Rewrite what regressions.json expects by what is found now
    #[arg(long)]
    bless: bool,
}

/// One thing to check.
struct Item {
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    what: What,
}

/// What is checked.
enum What {
    Seed(u64, Regression),
    /// An expectation, by its place in the plan, over the seeds below a number.
    Expectation(usize, u64),
}

/// What became of an item; a regression's run beside it.
type Judged = Result<(CheckItem, Option<RunReport>), Failure>;

/// Checks everything.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let file = arguments.scenarios.join("regressions.json");
    let regressions = read_regressions(&file)?;
    let items = items(arguments, &regressions)?;
    let judged = judge_all(&items, threads(arguments.jobs));
    let mut checked = Vec::new();
    let mut runs = Vec::new();
    for result in judged {
        let (item, run) = result?;
        checked.push(item);
        runs.extend(run);
    }
    if arguments.bless {
        bless(&file, &regressions, &runs, &mut checked)?;
    }
    let totals = CheckTotals::of(&checked);
    let report = CheckReport {
        schema: CheckReport::SCHEMA.to_owned(),
        model: MODEL.to_owned(),
        items: checked,
        totals,
    };
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let text = text(out, &report);
        out.text(&text)?;
    }
    if report.items.is_empty() {
        complain(&format!(
            "nothing to check: no scenario in {} expects anything",
            arguments.scenarios.display()
        ));
    }
    Ok(if report.items.is_empty() {
        Exit::NothingRan
    } else if totals.failed > 0 {
        Exit::Flagged
    } else if totals.drifted > 0 {
        Exit::Drifted
    } else {
        Exit::Clean
    })
}

fn read_regressions(file: &Path) -> Result<Vec<Regression>, Failure> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let read: Regressions = files::read_json(file, "a file of regression seeds")?;
    if read.schema != Regressions::SCHEMA {
        return Err(Failure::usage(format!(
            "{} has schema \"{}\": expected \"{}\"",
            file.display(),
            read.schema,
            Regressions::SCHEMA
        )));
    }
    Ok(read.regressions)
}

/// The scenario files of a folder, by name.
pub fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("cannot read folder {}: {error}", folder.display()))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if is_json
            && path
                .file_name()
                .is_some_and(|name| name != "regressions.json")
        {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn items(arguments: &Arguments, regressions: &[Regression]) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    for regression in regressions {
        let path = arguments.scenarios.join(&regression.scenario);
        let (plan, _) = load(&path, None)?;
        let seed = regression.seed.parse().map_err(|_| {
            Failure::usage(format!(
                "regressions.json: \"{}\" is not a seed: a seed is a whole number from 0 to 2^64-1",
                regression.seed
            ))
        })?;
        items.push(Item {
            plan,
            behaviour: behaviour_named(&regression.behaviour)?,
            what: What::Seed(seed, regression.clone()),
        });
    }
    for path in scenario_files(&arguments.scenarios)? {
        let (plan, _) = load(&path, None)?;
        for (place, expectation) in plan.expect.iter().enumerate() {
            items.extend(expectation.behaviours.iter().map(|behaviour| Item {
                plan: Arc::clone(&plan),
                behaviour,
                what: What::Expectation(place, arguments.seeds_per_scenario),
            }));
        }
    }
    Ok(items)
}

/// Judges items in parallel; the results are in the items' order.
fn judge_all(items: &[Item], threads: usize) -> Vec<Judged> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Judged)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                while let Some((place, item)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    items.get(place).map(|item| (place, item))
                } {
                    let judged = item.judge();
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.push((place, judged));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, judged)| judged).collect()
}

impl Item {
    fn judge(&self) -> Judged {
        match &self.what {
            What::Seed(seed, regression) => self.judge_seed(*seed, regression),
            What::Expectation(place, seeds) => {
                self.judge_expectation(&self.plan.expect[*place], *seeds)
            }
        }
    }

    fn runner(&self) -> Runner {
        Runner::new(Arc::clone(&self.plan), self.behaviour)
    }

    fn run(&self, runner: &mut Runner, seed: u64) -> Result<RunReport, Failure> {
        guard_seed(&self.plan, self.behaviour, seed, || {
            runner.run(seed, &mut NoTrace)
        })
    }

    fn judge_seed(&self, seed: u64, regression: &Regression) -> Judged {
        let run = self.run(&mut self.runner(), seed)?;
        let again = self.run(&mut self.runner(), seed)?;
        if again != run {
            let text = mismatch(seed, &run.trace_hash, &again.trace_hash);
            return Err(Failure::nondeterminism(format!(
                "{}: {text}",
                self.plan.path
            )));
        }
        let outcome = regression.judge(&run);
        let item = CheckItem {
            kind: CheckKind::Regression,
            scenario: self.plan.path.clone(),
            behaviour: self.behaviour.name.to_owned(),
            seeds: seed.to_string(),
            outcome,
            expected: regression.expected(),
            found: found_words(&run),
            replay: self.replay(outcome, Some(seed)),
        };
        Ok((item, Some(run)))
    }

    fn judge_expectation(&self, expectation: &Expectation, seeds: u64) -> Judged {
        let mut tally = ExpectationTally::new(expectation);
        let mut runner = self.runner();
        for seed in 0..seeds {
            tally.add(seed, &self.run(&mut runner, seed)?);
        }
        let outcome = if tally.passed() {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed
        };
        let item = CheckItem {
            kind: CheckKind::Expectation,
            scenario: self.plan.path.clone(),
            behaviour: self.behaviour.name.to_owned(),
            seeds: format!("0..{seeds}"),
            outcome,
            expected: tally.expected(),
            found: tally.found(),
            replay: self.replay(outcome, tally.culprit()),
        };
        Ok((item, None))
    }

    fn replay(&self, outcome: CheckOutcome, seed: Option<u64>) -> Option<String> {
        match outcome {
            CheckOutcome::Passed => None,
            CheckOutcome::Drifted | CheckOutcome::Failed => {
                seed.map(|seed| replay_command(&self.plan, self.behaviour, seed))
            }
        }
    }
}

/// Rewrites the regression file by what was found; the items then say that they passed, and
/// what they expected before.
fn bless(
    file: &Path,
    old: &[Regression],
    runs: &[RunReport],
    items: &mut [CheckItem],
) -> Result<(), Failure> {
    let blessed: Vec<_> = old
        .iter()
        .zip(runs)
        .map(|(old, run)| old.blessed(run))
        .collect();
    if blessed == old {
        return Ok(());
    }
    let contents = Regressions {
        schema: Regressions::SCHEMA.to_owned(),
        regressions: blessed,
    };
    files::write_json(file, &contents)?;
    for item in items.iter_mut().take(old.len()) {
        match item.outcome {
            CheckOutcome::Passed => {}
            CheckOutcome::Drifted | CheckOutcome::Failed => {
                complain(&format!(
                    "blessed {} under {}, seed {}: was {}, is {}",
                    item.scenario, item.behaviour, item.seeds, item.expected, item.found
                ));
                item.outcome = CheckOutcome::Passed;
                item.expected.clone_from(&item.found);
                item.replay = None;
            }
        }
    }
    Ok(())
}

fn text(out: &Output, report: &CheckReport) -> String {
    let mut text = String::new();
    for item in &report.items {
        let (style, word) = match item.outcome {
            CheckOutcome::Passed if out.quiet() => continue,
            CheckOutcome::Passed => (Style::Good, "passed "),
            CheckOutcome::Drifted => (Style::Doubtful, "drifted"),
            CheckOutcome::Failed => (Style::Bad, "FAILED "),
        };
        let kind = match item.kind {
            CheckKind::Regression => "seed",
            CheckKind::Expectation => "seeds",
        };
        text.push_str(&format!(
            "{}  {} under {}, {kind} {}: {}\n",
            out.paint(style, word),
            item.scenario,
            item.behaviour,
            item.seeds,
            item.expected
        ));
        if let Some(replay) = &item.replay {
            text.push_str(&format!(
                "         found   {}\n         replay  {replay}\n",
                item.found
            ));
        }
    }
    let totals = &report.totals;
    text.push_str(&format!(
        "{} passed, {} drifted, {} failed\n",
        grouped(totals.passed),
        grouped(totals.drifted),
        grouped(totals.failed)
    ));
    text
}
