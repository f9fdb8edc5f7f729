//! What there is to check: the entries of the regression file, then what scenarios expect.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rebound_sim::results::{Regression, Regressions};
use rebound_sim::scenario::{Plan, behaviour_named, load};
use rebound_sim::valkey::Behaviour;

use super::CheckError;
use super::location::Location;
use crate::error::Error;
use crate::files;

/// One thing to check.
#[derive(Clone, Debug)]
pub struct Item {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// The behaviour of the nodes.
    pub behaviour: &'static Behaviour,
    /// What is checked.
    pub what: What,
    /// Where it is written down.
    pub location: Location,
}

/// What is checked.
#[derive(Clone, Debug)]
pub enum What {
    /// A seed of the regression file.
    Seed(u64, Regression),
    /// An expectation, by its place in the plan, over the seeds below a number.
    Expectation(usize, u64),
}

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub location: Location,
    /// What.
    pub message: String,
}

/// The mistakes that were met so far.
#[derive(Default)]
struct Met {
    first: Option<Error>,
    mistakes: Vec<Mistake>,
}

impl Met {
    /// Notes a mistake; a scenario that is read twice has it once.
    fn note(&mut self, location: Location, error: Error) {
        let mistake = Mistake {
            location,
            message: error.to_string(),
        };
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
        self.first.get_or_insert(error);
    }

    /// The scenario at `path`, if it is well-formed. A mistake without a line of its own stands
    /// at `named_at`.
    fn load(&mut self, path: &Path, named_at: Option<&Location>) -> Option<Arc<Plan>> {
        match load(path) {
            Ok(plan) => Some(Arc::new(plan)),
            Err(error) => {
                let location = match (error.position, named_at) {
                    (None, Some(named_at)) => named_at.clone(),
                    (_, _) => Location::of_error(&error),
                };
                self.note(location, error.into());
                None
            }
        }
    }
}

/// The file of regression seeds in a folder of scenarios.
pub fn regression_file(folder: &Path) -> PathBuf {
    folder.join("regressions.json")
}

/// The entries of the regression file; none if there is no such file.
///
/// # Errors
/// A message that says what is wrong with the file.
pub fn regressions(file: &Path) -> Result<Vec<Regression>, Error> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let read: Regressions = files::read_json(file, "a file of regression seeds")?;
    if read.schema != Regressions::SCHEMA {
        return Err(Error::Input(format!(
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
pub fn scenario_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error: std::io::Error| {
        Error::Input(format!("cannot read folder {}: {error}", folder.display()))
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

/// Everything in a folder, each expectation with the seeds below a number.
///
/// # Errors
/// Everything that is wrong with the files.
pub fn all(folder: &Path, seeds: u64, regressions: &[Regression]) -> Result<Vec<Item>, CheckError> {
    let mut met = Met::default();
    let mut items = kept(folder, regressions, &mut met);
    match scenario_files(folder) {
        Ok(files) => {
            for path in files {
                items.extend(expected(&path, seeds, &mut met));
            }
        }
        Err(failure) => met.note(Location::of(folder), failure),
    }
    match met.first {
        None => Ok(items),
        Some(error) => Err(CheckError {
            error,
            mistakes: met.mistakes,
            items: Vec::new(),
        }),
    }
}

/// The regression seeds.
fn kept(folder: &Path, regressions: &[Regression], met: &mut Met) -> Vec<Item> {
    let file = regression_file(folder);
    let json = std::fs::read_to_string(&file).ok();
    let mut items = Vec::new();
    for (number, regression) in regressions.iter().enumerate() {
        let entry = format!("regressions[{number}]");
        let place = |path: &str| Location::inside(&file, json.as_deref(), path);
        let scenario = place(&format!("{entry}.scenario"));
        let plan = met.load(&folder.join(&regression.scenario), Some(&scenario));
        let seed = regression.seed.parse().map_err(|_| {
            Error::Input(format!(
                "regressions.json: \"{}\" is not a seed: a seed is a whole number from 0 to 2^64-1",
                regression.seed
            ))
        });
        let behaviour = behaviour_named(&regression.behaviour).map_err(Error::Input);
        match (plan, seed, behaviour) {
            (Some(plan), Ok(seed), Ok(behaviour)) => items.push(Item {
                plan,
                behaviour,
                what: What::Seed(seed, regression.clone()),
                location: place(&entry),
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
        let location = Location::inside(path, json.as_deref(), &format!("expect[{number}]"));
        items.extend(expectation.behaviours.iter().map(|behaviour| Item {
            plan: Arc::clone(&plan),
            behaviour,
            what: What::Expectation(number, seeds),
            location: location.clone(),
        }));
    }
    items
}
