//! The state of a sweep on disk, from which it can go on.

use std::sync::Arc;

use rebound_sim::results::{MODEL, SeedMark, SweepTally};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;
use serde::{Deserialize, Serialize};

use super::SweepOptions;
use crate::error::Error;
use crate::ranges::Ranges;
use crate::resume::{Store, witness};
use crate::seeds::Seeds;

/// What a sweep has done so far, and of what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSweep {
    schema: String,
    scenario: String,
    scenario_hash: String,
    behaviour: String,
    model: String,
    seeds: Seeds,
    /// Seeds that were run.
    pub finished: Ranges,
    /// Their sum.
    pub tally: SweepTally,
    /// Wall time that it took.
    pub wall_ns: u64,
    /// A seed with its trace's hash: a build that gives another one may not go on.
    witness: Option<SeedMark>,
}

impl SavedSweep {
    const SCHEMA: &str = "rebound.sweep-state/1";

    /// A sweep that has not begun.
    pub fn new(plan: &Plan, behaviour: &Behaviour, seeds: &Seeds) -> SavedSweep {
        SavedSweep {
            schema: SavedSweep::SCHEMA.to_owned(),
            scenario: plan.name.clone(),
            scenario_hash: format!("{:032x}", plan.hash),
            behaviour: behaviour.name.to_owned(),
            model: MODEL.to_owned(),
            seeds: seeds.clone(),
            finished: Ranges::default(),
            tally: SweepTally::default(),
            wall_ns: 0,
            witness: None,
        }
    }

    /// Reads the state that is kept, if there is one, and makes sure that it is of the sweep that
    /// `self` is of. A sweep may go on to more seeds than it was begun with.
    fn resumed(
        self,
        store: &Store,
        plan: &Arc<Plan>,
        behaviour: &'static Behaviour,
        detail: bool,
    ) -> Result<SavedSweep, Error> {
        let Some(saved) = store.read::<SavedSweep>()? else {
            return Ok(self);
        };
        store.agree([
            ("schema", &*saved.schema, &*self.schema),
            ("model", &saved.model, &self.model),
            ("scenario", &saved.scenario, &self.scenario),
            ("scenario hash", &saved.scenario_hash, &self.scenario_hash),
            ("behaviour", &saved.behaviour, &self.behaviour),
        ])?;
        let within = saved
            .finished
            .span()
            .is_none_or(|span| self.seeds.0.start <= span.start && span.end <= self.seeds.0.end);
        if !within {
            let (theirs, ours) = (saved.seeds.to_string(), self.seeds.to_string());
            store.agree([("seeds", &*theirs, &*ours)])?;
        }
        if !saved.finished.in_order() || saved.finished.count() != saved.tally.verdicts().total() {
            return Err(store.refusal("its seeds and its sums do not agree"));
        }
        if saved.finished.count() > 0 && saved.tally.has_detail() != detail {
            return Err(store.refusal(if detail {
                "it was begun without --detail"
            } else {
                "it was begun with --detail"
            }));
        }
        if let Some(witness) = &saved.witness {
            store.same_build(plan, behaviour, witness)?;
        }
        Ok(SavedSweep {
            seeds: self.seeds,
            ..saved
        })
    }
}

/// A state and the file where it is kept, if it is kept.
pub(crate) struct Keeper {
    /// The state.
    pub state: SavedSweep,
    store: Store,
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
}

impl Keeper {
    /// Begins a sweep, or goes on with what its file holds.
    ///
    /// # Errors
    /// If the file is of another sweep, or could never be written.
    pub fn open(options: &SweepOptions) -> Result<Keeper, Error> {
        let store = Store::open(options.resume.as_deref(), "sweep")?;
        let (plan, behaviour) = (&options.plan, options.behaviour);
        let state = SavedSweep::new(plan, behaviour, &options.seeds);
        Ok(Keeper {
            state: state.resumed(&store, plan, behaviour, options.detail)?,
            store,
            plan: Arc::clone(plan),
            behaviour,
        })
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
        if self.state.witness.is_none()
            && let Some(span) = self.state.finished.span()
        {
            self.state.witness = witness(&self.plan, self.behaviour, span.start).ok();
        }
        self.store.save(&self.state)
    }

    /// Whether the last state is on disk.
    ///
    /// # Errors
    /// If it is not: a message to end with.
    pub fn kept(self) -> Result<(), Error> {
        self.store.kept()
    }
}
