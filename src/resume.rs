//! What long work keeps on disk so that it can go on later: the file, what it must agree with,
//! and when it is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rebound_sim::report::SeedMark;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Failure;
use crate::files;
use crate::internal::guard_seed;
use crate::output::complain;

/// How often a state is written at most.
const SAVE_EVERY: Duration = Duration::from_secs(2);

/// A large state takes a while to write: it is written so rarely that writing takes at most one
/// part in this many of the time.
const SAVE_SHARE: u32 = 20;

/// The file in which a state is kept, if it is kept.
pub struct Store {
    path: Option<PathBuf>,
    /// What the state is of: `sweep` or `comparison`.
    what: &'static str,
    failure: Option<Failure>,
    /// When the state may be written next.
    due: Instant,
}

impl Store {
    /// For a state of a `what` at `path`.
    ///
    /// # Errors
    /// If the file could never be written.
    pub fn open(path: Option<&Path>, what: &'static str) -> Result<Store, Failure> {
        if let Some(path) = path {
            files::probe(path)?;
        }
        Ok(Store {
            path: path.map(Path::to_owned),
            what,
            failure: None,
            due: Instant::now() + SAVE_EVERY,
        })
    }

    /// Whether there is a file.
    pub fn keeps(&self) -> bool {
        self.path.is_some()
    }

    /// The state on disk, if there is one.
    ///
    /// # Errors
    /// If the file holds something else.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        match &self.path {
            // A device holds no state, whatever it gives to read.
            Some(path) if path.is_file() => {
                files::read_json(path, &format!("the state of a {}", self.what)).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Why the state on disk cannot be gone on from.
    pub fn refusal(&self, why: &str) -> Failure {
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        Failure::usage(format!("cannot resume from {path}: {why}"))
    }

    /// Makes sure that the state on disk says the same as what is to be run, of what has these
    /// names.
    ///
    /// # Errors
    /// The first that differs.
    pub fn agree<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Result<(), Failure> {
        for (name, theirs, ours) in pairs {
            if theirs != ours {
                return Err(self.refusal(&format!(
                    "it is of {name} {theirs}, this {} is of {name} {ours}",
                    self.what
                )));
            }
        }
        Ok(())
    }

    /// Makes sure that this build gives a seed the trace that the state's build gave it.
    ///
    /// # Errors
    /// If it does not, or the model panics.
    pub fn same_build(
        &self,
        plan: &Arc<Plan>,
        behaviour: &'static Behaviour,
        witness: &SeedMark,
    ) -> Result<(), Failure> {
        let hash = trace_hash(plan, behaviour, witness.seed)?;
        if hash == witness.trace_hash {
            return Ok(());
        }
        Err(self.refusal(&format!(
            "it was written by another build, whose seed {} has trace {} where this one's has \
             {hash}",
            witness.seed, witness.trace_hash
        )))
    }

    /// Whether it is time to write the state.
    pub fn is_due(&self) -> bool {
        self.keeps() && Instant::now() >= self.due
    }

    /// Writes the state. A failure is complained of once; the old file stays, and the work goes
    /// on.
    pub fn save(&mut self, state: &impl Serialize) {
        let Some(path) = &self.path else {
            return;
        };
        let began = Instant::now();
        match files::write_json(path, state) {
            Ok(()) => self.failure = None,
            Err(failure) => {
                if self.failure.is_none() {
                    complain(&format!("{}; the {} goes on", failure.message, self.what));
                }
                self.failure = Some(failure);
            }
        }
        self.due = Instant::now() + SAVE_EVERY.max(began.elapsed() * SAVE_SHARE);
    }

    /// Whether the last state is on disk.
    ///
    /// # Errors
    /// If it is not: a message to end with.
    pub fn kept(self) -> Result<(), Failure> {
        match self.failure {
            None => Ok(()),
            Some(failure) => Err(Failure::usage(format!(
                "{}; the report is complete, but the {} cannot be resumed from there",
                failure.message, self.what
            ))),
        }
    }
}

/// A seed with its trace's hash, by which another build is told.
///
/// # Errors
/// If the model panics.
pub fn witness(
    plan: &Arc<Plan>,
    behaviour: &'static Behaviour,
    seed: u64,
) -> Result<SeedMark, Failure> {
    let trace_hash = trace_hash(plan, behaviour, seed)?;
    Ok(SeedMark { seed, trace_hash })
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
