//! Drives every scenario on every server, some side by side, and compares each run.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use rebound_batch::pool::{Collector, Order, Outcome, Pool};
use rebound_conform::live::{Binary, LiveRun, drive, fixed, judge};
use rebound_conform::recording::{DRIVEN, Line};
use rebound_conform::{Agreement, Envelope, judged_live};
use rebound_sim::results::CheckId;
use rebound_sim::scenario::{Drivability, Plan, undrivable};
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;

use super::Arguments;
use super::list::Step;
use super::report::ConformRun;
use super::scenarios::named_or_live;
use crate::exit::Failure;
use crate::internal::guard;
use crate::output::Output;
use rebound_batch::files;

/// Seeds of the model that a run is compared with at first.
const SEEDS: u64 = 20;

/// One run to drive.
struct Item<'a> {
    binary: &'a Binary,
    plan: &'a Arc<Plan>,
    /// What is driven: the plan, with the faults of a seed.
    driven: Arc<Plan>,
    left_out: Vec<Drivability>,
    n: u32,
}

/// The model's runs of a plan under a behaviour: made once, by whoever needs them first.
type Envelopes = Mutex<BTreeMap<(String, &'static str), Arc<Mutex<Envelope>>>>;

/// Drives and compares. If a run cannot be driven to its end, the completed ones are returned with
/// the failure.
///
/// # Errors
/// If a path is not a scenario or not a server.
pub fn run(
    arguments: &Arguments,
    forced: Option<&'static Behaviour>,
    out: &Output,
) -> Result<(Vec<ConformRun>, Option<Failure>), Failure> {
    let plans = named_or_live(&arguments.scenarios, &arguments.folder)?;
    for plan in &plans {
        can_be_driven(plan, arguments.seed)?;
    }
    if let Some(folder) = &arguments.record {
        let failed = |error: std::io::Error| {
            Failure::usage(format!("cannot make folder {}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let binaries: Result<Vec<Binary>, Failure> = arguments
        .server
        .iter()
        .map(|path| Ok(Binary::find(path, forced)?))
        .collect();
    let binaries = binaries?;
    let mut items = Vec::new();
    for binary in &binaries {
        for plan in &plans {
            let (driven, left_out) = fixed(plan, arguments.seed.unwrap_or(0));
            items.extend((1..=arguments.repeat).map(|n| Item {
                binary,
                plan,
                driven: driven.clone(),
                left_out: left_out.clone(),
                n,
            }));
        }
    }
    let bar = out.progress(items.len() as u64, "{bar:24} {pos}/{len} runs  {msg}");
    let envelopes = Envelopes::default();
    let mut driven = Driven {
        runs: Vec::new(),
        bar: &bar,
    };
    let ended = Pool::new(usize::from(arguments.jobs), Order::AsDone).run(
        &items,
        || (),
        |(), item, _| {
            let name = || format!("while driving {}", item.plan.path);
            let run = guard(name, || item.work(arguments, &envelopes));
            Outcome::from(run.and_then(|inner| inner))
        },
        &mut driven,
    );
    bar.finish_and_clear();
    let mut runs = driven.runs;
    runs.sort_by_key(|(place, _)| *place);
    let runs = runs.into_iter().map(|(_, run)| run).collect();
    Ok((runs, ended.err()))
}

/// The runs that were driven so far, each with its place.
struct Driven<'a> {
    runs: Vec<(usize, ConformRun)>,
    bar: &'a ProgressBar,
}

impl Collector<ConformRun> for Driven<'_> {
    fn done(&mut self, place: usize, run: ConformRun) {
        self.runs.push((place, run));
        self.bar.inc(1);
    }

    fn tick(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With a seed, faults that it draws and that cannot be driven are left out and said; whatever
/// else cannot be driven makes the run worthless.
fn can_be_driven(plan: &Plan, seed: Option<u64>) -> Result<(), Failure> {
    let mut steps = undrivable(plan);
    if seed.is_some() {
        steps.retain(|step| !step.place.starts_with("faults.may"));
    }
    let Some(step) = steps.first() else {
        return Ok(());
    };
    let more = match steps.len() {
        1 => String::new(),
        _ => format!(", and {} more", steps.len() - 1),
    };
    Err(Failure::usage(format!(
        "{}: {}: cannot be driven on real servers: {}{more} (rebound conform --list {} lists all)",
        plan.path, step.place, step.why, plan.path
    )))
}

impl Item<'_> {
    fn work(&self, arguments: &Arguments, envelopes: &Envelopes) -> Result<ConformRun, Failure> {
        let patience = Duration::from_secs(arguments.timeout);
        let seed = arguments.seed.unwrap_or(0);
        let run = drive(&self.driven, self.binary, seed, self.n, patience)?;
        let behaviour = self.binary.behaviour;
        let agreement = self.agreement(&run, envelopes);
        let findings = match arguments.seed {
            Some(seed) => {
                let model = Runner::new(self.plan.clone(), behaviour).run(seed, &mut NoTrace);
                judge::findings(&model, &run.judged)
            }
            None => Vec::new(),
        };
        let recording = match &arguments.record {
            Some(folder) => Some(keep(folder, self, &run.lines)?),
            None => None,
        };
        Ok(ConformRun {
            source: self.binary.path.display().to_string(),
            agreement,
            not_judged: CheckId::ALL
                .into_iter()
                .filter_map(|check| {
                    Some(Step {
                        place: check.name().to_owned(),
                        why: judged_live(check).err()?.to_owned(),
                    })
                })
                .collect(),
            left_out: self.left_out.iter().cloned().map(Step::from).collect(),
            findings,
            recording,
        })
    }

    fn agreement(&self, run: &LiveRun, envelopes: &Envelopes) -> Agreement {
        let behaviour = self.binary.behaviour;
        let key = (self.plan.path.clone(), behaviour.name);
        let new = || {
            Arc::new(Mutex::new(Envelope::new(
                self.driven.clone(),
                behaviour,
                SEEDS,
            )))
        };
        let envelope = lock(envelopes).entry(key).or_insert_with(new).clone();
        let mut observations = judge::sound(run);
        observations.extend(lock(&envelope).hold(&run.seen, &run.judged));
        Agreement {
            label: self.binary.label.clone(),
            version: self.binary.version.clone(),
            behaviour: behaviour.name,
            scenario: DRIVEN.to_owned(),
            variant: self.plan.name.clone(),
            n: self.n,
            observations,
        }
    }
}

/// Keeps a recording.
fn keep(folder: &Path, item: &Item<'_>, lines: &[Line]) -> Result<String, Failure> {
    let name = format!("{}-{}-{}.jsonl", item.binary.label, item.plan.name, item.n);
    let path: PathBuf = folder.join(name);
    let mut text = String::new();
    for line in lines {
        let line = serde_json::to_string(line);
        text.push_str(
            &line.map_err(|error| Failure::usage(format!("cannot write a recording: {error}")))?,
        );
        text.push('\n');
    }
    files::write(&path, text.as_bytes())?;
    Ok(path.display().to_string())
}
