//! The run that a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use rebound_batch::verify::Case;
use rebound_engine::Schedule;
use rebound_sim::valkey::Behaviour;

use super::load::{behaviour_named, load};
use crate::exit::Failure;

/// Which behaviour nodes have.
#[derive(Args, Clone)]
pub struct BehaviourArgument {
    /// Server version (and remedies) to simulate; overrides the scenario
    #[arg(long, value_name = "NAME", alias = "behavior")]
    pub behaviour: Option<String>,
}

impl BehaviourArgument {
    /// The behaviour, if one was named.
    ///
    /// # Errors
    /// A message that says what is wrong with the name.
    pub fn find(&self) -> Result<Option<&'static Behaviour>, Failure> {
        self.behaviour.as_deref().map(behaviour_named).transpose()
    }
}

/// A run, all but for its seed, which some commands require and others do not.
#[derive(Args)]
pub struct OneRun {
    /// The scenario file
    pub scenario: PathBuf,
    /// The behaviour.
    #[command(flatten)]
    pub behaviour: BehaviourArgument,
    /// Replay the random choices that run --record wrote
    #[arg(long, value_name = "FILE")]
    pub schedule: Option<PathBuf>,
}

/// The seed of a run, where it is required.
#[derive(Args, Clone, Copy)]
pub struct SeedArgument {
    /// The run's seed
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub seed: u64,
}

impl OneRun {
    /// The seed, where none is required and none is given.
    pub const SEED: u64 = 1;

    /// The run with this seed.
    ///
    /// # Errors
    /// A message that says what is wrong with the scenario, the behaviour or the schedule.
    pub fn case(&self, seed: u64) -> Result<Case, Failure> {
        let (plan, behaviour) = load(&self.scenario, self.behaviour.behaviour.as_deref())?;
        let schedule = self.schedule.as_deref().map(read_schedule).transpose()?;
        Ok(Case {
            plan,
            behaviour,
            seed,
            schedule,
        })
    }
}

fn read_schedule(path: &Path) -> Result<Schedule, Failure> {
    Ok(rebound_batch::files::read_json(path, "a schedule")?)
}
