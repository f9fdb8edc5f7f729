//! What there is to check: the entries of the regression file, then what scenarios expect.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rebound_sim::report::{Regression, Regressions};
use rebound_sim::scenario::{Plan, load};
use rebound_sim::valkey::Behaviour;

use crate::arguments::behaviour_named;
use crate::ci::{Case, Place, Subject};
use crate::exit::Failure;
use crate::files;

/// One thing to check.
pub struct Item {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// What nodes follow.
    pub behaviour: &'static Behaviour,
    /// What is checked.
    pub what: What,
    /// Where it is written down.
    pub place: Place,
}

/// What is checked.
pub enum What {
    /// A seed of the regression file.
    Seed(u64, Regression),
    /// An expectation, by its place in the plan, over the seeds below a number.
    Expectation(usize, u64),
}

/// What keeps things from being checked.
pub struct Mistakes {
    /// The first of them.
    pub first: Failure,
    /// All of them, each with its place.
    pub cases: Vec<Case>,
}

/// The mistakes that were met so far.
#[derive(Default)]
struct Met {
    first: Option<Failure>,
    cases: Vec<Case>,
}

impl Met {
    /// Notes a mistake; a scenario that is read twice has it once.
    fn note(&mut self, place: Place, failure: Failure) {
        let same = |case: &Case| case.place == place && case.found == failure.message;
        if !self.cases.iter().any(same) {
            let case = Case::broken(Subject::File, place, failure.message.clone());
            self.cases.push(case);
        }
        self.first.get_or_insert(failure);
    }

    /// The scenario at `path`, if it is well-formed. A mistake without a line of its own stands
    /// at `named_at`.
    fn load(&mut self, path: &Path, named_at: Option<&Place>) -> Option<Arc<Plan>> {
        match load(path) {
            Ok(plan) => Some(Arc::new(plan)),
            Err(error) => {
                let own = Place::of_error(&error);
                let place = match (error.position, named_at) {
                    (None, Some(named_at)) => named_at.clone(),
                    (_, _) => own,
                };
                self.note(place, Failure::usage(error.to_string()));
                None
            }
        }
    }
}

/// The entries of the regression file; none if there is no such file.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn regressions(file: &Path) -> Result<Vec<Regression>, Failure> {
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
///
/// # Errors
/// If the folder cannot be read.
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

/// Everything in a folder, each expectation with a number of seeds.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn all(folder: &Path, seeds: u64, regressions: &[Regression]) -> Result<Vec<Item>, Mistakes> {
    let mut met = Met::default();
    let mut items = kept(folder, regressions, &mut met);
    match scenario_files(folder) {
        Ok(files) => {
            for path in files {
                items.extend(expected(&path, seeds, &mut met));
            }
        }
        Err(failure) => met.note(Place::of(folder), failure),
    }
    match met.first {
        None => Ok(items),
        Some(first) => Err(Mistakes {
            first,
            cases: met.cases,
        }),
    }
}

/// The regression seeds.
fn kept(folder: &Path, regressions: &[Regression], met: &mut Met) -> Vec<Item> {
    let file = folder.join("regressions.json");
    let json = std::fs::read_to_string(&file).ok();
    let mut items = Vec::new();
    for (number, regression) in regressions.iter().enumerate() {
        let entry = format!("regressions[{number}]");
        let place = |path: &str| Place::inside(&file, json.as_deref(), path);
        let scenario = place(&format!("{entry}.scenario"));
        let plan = met.load(&folder.join(&regression.scenario), Some(&scenario));
        let seed = regression.seed.parse().map_err(|_| {
            Failure::usage(format!(
                "regressions.json: \"{}\" is not a seed: a seed is a whole number from 0 to 2^64-1",
                regression.seed
            ))
        });
        let behaviour = behaviour_named(&regression.behaviour);
        match (plan, seed, behaviour) {
            (Some(plan), Ok(seed), Ok(behaviour)) => items.push(Item {
                plan,
                behaviour,
                what: What::Seed(seed, regression.clone()),
                place: place(&entry),
            }),
            (_, seed, behaviour) => {
                if let Err(failure) = seed {
                    met.note(place(&format!("{entry}.seed")), failure);
                }
                if let Err(failure) = behaviour {
                    met.note(place(&format!("{entry}.behaviour")), failure);
                }
            }
        }
    }
    items
}

/// What the scenario at `path` expects.
fn expected(path: &Path, seeds: u64, met: &mut Met) -> Vec<Item> {
    let Some(plan) = met.load(path, None) else {
        return Vec::new();
    };
    let json = std::fs::read_to_string(path).ok();
    let mut items = Vec::new();
    for (number, expectation) in plan.expect.iter().enumerate() {
        let place = Place::inside(path, json.as_deref(), &format!("expect[{number}]"));
        items.extend(expectation.behaviours.iter().map(|behaviour| Item {
            plan: Arc::clone(&plan),
            behaviour,
            what: What::Expectation(number, seeds),
            place: place.clone(),
        }));
    }
    items
}
