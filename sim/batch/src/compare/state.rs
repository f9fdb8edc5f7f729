//! The state of a comparison on disk, from which it can go on.

use std::sync::Arc;

use rebound_sim::results::{MODEL, SeedMark};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;
use serde::{Deserialize, Serialize};

use super::CompareOptions;
use super::table::{Comparison, SavedComparison};
use crate::error::Error;
use crate::resume::{Store, witness};
use crate::seeds::Seeds;

/// What a comparison has done so far, and of what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedComparisons {
    schema: String,
    model: String,
    behaviours: Vec<String>,
    seeds: Seeds,
    scenarios: Vec<Scenario>,
    /// The first seed with its trace's hash, of the first scenario under the first behaviour: a
    /// build that gives another one may not go on.
    witness: Option<SeedMark>,
}

/// One scenario's part: the seeds from the first on, without gaps.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    scenario: String,
    scenario_hash: String,
    figures: SavedComparison,
}

const SCHEMA: &str = "rebound.compare-state/1";

/// A comparison in progress, scenario by scenario, and the file where it is kept, if it is kept.
pub(crate) struct Keeper {
    /// What there is of each scenario.
    pub comparisons: Vec<Comparison>,
    plans: Vec<Arc<Plan>>,
    behaviours: Vec<&'static Behaviour>,
    seeds: Seeds,
    store: Store,
    witness: Option<SeedMark>,
}

impl Keeper {
    /// Begins a comparison, or goes on with what its file holds.
    ///
    /// # Errors
    /// If the file is of another comparison, or could never be written.
    pub fn open(options: &CompareOptions) -> Result<Keeper, Error> {
        let store = Store::open(options.resume.as_deref(), "comparison")?;
        let saved = store.read::<SavedComparisons>()?;
        let (plans, behaviours) = (&options.plans, &options.behaviours);
        let mut keeper = Keeper {
            comparisons: plans.iter().map(|_| Comparison::new(behaviours)).collect(),
            plans: plans.clone(),
            behaviours: behaviours.clone(),
            seeds: options.seeds.clone(),
            store,
            witness: None,
        };
        if let Some(saved) = saved {
            keeper.resume(saved)?;
        }
        Ok(keeper)
    }

    /// Goes on with a state, if it is of this comparison. It may go on to more seeds than it was
    /// begun with.
    fn resume(&mut self, saved: SavedComparisons) -> Result<(), Error> {
        let ours = self.state();
        let list = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<&str> = names.map(String::as_str).collect();
            names.join(",")
        };
        let scenarios =
            |state: &SavedComparisons| list(&mut state.scenarios.iter().map(|one| &one.scenario));
        let hashes = |state: &SavedComparisons| {
            list(&mut state.scenarios.iter().map(|one| &one.scenario_hash))
        };
        let behaviours = |state: &SavedComparisons| list(&mut state.behaviours.iter());
        let store = &self.store;
        store.agree([
            ("schema", &*saved.schema, &*ours.schema),
            ("model", &saved.model, &ours.model),
            ("scenarios", &scenarios(&saved), &scenarios(&ours)),
            ("scenario hashes", &hashes(&saved), &hashes(&ours)),
            ("behaviours", &behaviours(&saved), &behaviours(&ours)),
        ])?;
        let comparisons = saved
            .scenarios
            .into_iter()
            .map(|one| Comparison::resumed(&self.behaviours, one.figures))
            .collect::<Result<Vec<Comparison>, String>>()
            .map_err(|why| store.refusal(&why))?;
        let most = comparisons.iter().map(Comparison::seeds).max().unwrap_or(0);
        if saved.seeds.0.start != self.seeds.0.start || most > self.seeds.count() {
            let (theirs, ours) = (saved.seeds.to_string(), self.seeds.to_string());
            store.agree([("seeds", &*theirs, &*ours)])?;
        }
        if let (Some(witness), Some(plan)) = (&saved.witness, self.plans.first()) {
            store.same_build(plan, self.behaviours[0], witness)?;
        }
        self.comparisons = comparisons;
        self.witness = saved.witness;
        Ok(())
    }

    fn state(&self) -> SavedComparisons {
        let scenarios = self.plans.iter().zip(&self.comparisons);
        let scenarios = scenarios.map(|(plan, comparison)| Scenario {
            scenario: plan.name.clone(),
            scenario_hash: format!("{:032x}", plan.hash),
            figures: comparison.saved(),
        });
        let names = self.behaviours.iter().map(|one| one.name.to_owned());
        SavedComparisons {
            schema: SCHEMA.to_owned(),
            model: MODEL.to_owned(),
            behaviours: names.collect(),
            seeds: self.seeds.clone(),
            scenarios: scenarios.collect(),
            witness: self.witness.clone(),
        }
    }

    /// Runs that were made.
    pub fn runs(&self) -> u64 {
        let seeds: u64 = self.comparisons.iter().map(Comparison::seeds).sum();
        seeds * self.behaviours.len() as u64
    }

    /// Whether it is time to write the state.
    pub(crate) fn is_due(&self) -> bool {
        self.store.is_due()
    }

    /// Writes the state; see [`Store::save`].
    pub(crate) fn save(&mut self) -> Option<String> {
        if !self.store.keeps() {
            return None;
        }
        if self.witness.is_none() && self.runs() > 0 {
            self.witness = witness(&self.plans[0], self.behaviours[0], self.seeds.0.start).ok();
        }
        let state = self.state();
        self.store.save(&state)
    }

    /// Whether the last state is on disk.
    ///
    /// # Errors
    /// If it is not: a message to end with.
    pub fn kept(self) -> Result<(), Error> {
        self.store.kept()
    }
}
