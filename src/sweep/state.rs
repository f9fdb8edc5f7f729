//! The state of a sweep on disk, from which it can go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rebound_sim::report::{MODEL, SeedMark, SweepTally};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;
use serde::{Deserialize, Serialize};

use super::ranges::Ranges;
use crate::arguments::Seeds;
use crate::exit::Failure;
use crate::files;
use crate::internal::guard_seed;
use crate::output::complain;

/// What a sweep has done so far, and of what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
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

impl State {
    const SCHEMA: &str = "rebound.sweep-state/1";

    /// A sweep that has not begun.
    pub fn new(plan: &Plan, behaviour: &Behaviour, seeds: &Seeds) -> State {
        State {
            schema: State::SCHEMA.to_owned(),
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

    /// Reads the state at `path`, if there is one, and makes sure that it is of the sweep that
    /// `self` is of. A sweep may go on to more seeds than it was begun with.
    fn resumed(
        self,
        path: &Path,
        plan: &Arc<Plan>,
        behaviour: &'static Behaviour,
    ) -> Result<State, Failure> {
        // A device holds no state, whatever it gives to read.
        if !path.is_file() {
            return Ok(self);
        }
        let saved: State = files::read_json(path, "the state of a sweep")?;
        let differs = |what: &str, theirs: &str, ours: &str| {
            Failure::usage(format!(
                "cannot resume from {}: it is of {what} {theirs}, this sweep is of {what} {ours}",
                path.display()
            ))
        };
        for (what, theirs, ours) in [
            ("schema", &saved.schema, &self.schema),
            ("model", &saved.model, &self.model),
            ("scenario", &saved.scenario, &self.scenario),
            ("scenario hash", &saved.scenario_hash, &self.scenario_hash),
            ("behaviour", &saved.behaviour, &self.behaviour),
        ] {
            if theirs != ours {
                return Err(differs(what, theirs, ours));
            }
        }
        let within = saved
            .finished
            .span()
            .is_none_or(|span| self.seeds.0.start <= span.start && span.end <= self.seeds.0.end);
        if !within {
            let (theirs, ours) = (saved.seeds.to_string(), self.seeds.to_string());
            return Err(differs("seeds", &theirs, &ours));
        }
        if !saved.finished.in_order() || saved.finished.count() != saved.tally.verdicts().total() {
            return Err(Failure::usage(format!(
                "cannot resume from {}: its seeds and its sums do not agree",
                path.display()
            )));
        }
        if let Some(witness) = &saved.witness {
            let hash = trace_hash(plan, behaviour, witness.seed)?;
            if hash != witness.trace_hash {
                return Err(Failure::usage(format!(
                    "cannot resume from {}: it was written by another build, whose seed {} has \
                     trace {} where this one's has {hash}",
                    path.display(),
                    witness.seed,
                    witness.trace_hash
                )));
            }
        }
        Ok(State {
            seeds: self.seeds,
            ..saved
        })
    }
}

fn trace_hash(
    plan: &Arc<Plan>,
    behaviour: &'static Behaviour,
    seed: u64,
) -> Result<String, Failure> {
    guard_seed(plan, behaviour, seed, || {
        let mut runner = Runner::new(Arc::clone(plan), behaviour);
        runner.run(seed, &mut NoTrace).trace_hash
    })
}

/// A state and the file where it is kept, if it is kept.
pub struct Keeper {
    /// The state.
    pub state: State,
    path: Option<PathBuf>,
    plan: Arc<Plan>,
    behaviour: &'static Behaviour,
    failure: Option<Failure>,
}

impl Keeper {
    /// Begins a sweep, or goes on with what `path` holds.
    ///
    /// # Errors
    /// If the file is of another sweep, or could never be written.
    pub fn open(
        plan: &Arc<Plan>,
        behaviour: &'static Behaviour,
        seeds: &Seeds,
        path: Option<&Path>,
    ) -> Result<Keeper, Failure> {
        let mut state = State::new(plan, behaviour, seeds);
        if let Some(path) = path {
            files::probe(path)?;
            state = state.resumed(path, plan, behaviour)?;
        }
        Ok(Keeper {
            state,
            path: path.map(Path::to_owned),
            plan: Arc::clone(plan),
            behaviour,
            failure: None,
        })
    }

    /// Writes the state. A failure is complained of once; the old file stays, and the sweep
    /// goes on.
    pub fn save(&mut self) {
        let Some(path) = &self.path else {
            return;
        };
        if self.state.witness.is_none()
            && let Some(span) = self.state.finished.span()
            && let Ok(trace_hash) = trace_hash(&self.plan, self.behaviour, span.start)
        {
            self.state.witness = Some(SeedMark {
                seed: span.start,
                trace_hash,
            });
        }
        match files::write_json(path, &self.state) {
            Ok(()) => self.failure = None,
            Err(failure) => {
                if self.failure.is_none() {
                    complain(&format!("{}; the sweep goes on", failure.message));
                }
                self.failure = Some(failure);
            }
        }
    }

    /// Whether the last state is on disk.
    ///
    /// # Errors
    /// If it is not: a message to end with.
    pub fn kept(self) -> Result<(), Failure> {
        match self.failure {
            None => Ok(()),
            Some(failure) => Err(Failure::usage(format!(
                "{}; the report is complete, but the sweep cannot be resumed from there",
                failure.message
            ))),
        }
    }
}
