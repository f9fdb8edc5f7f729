//! What long work keeps on disk so that it can go on later: the file, what it must agree with,
//! and when it is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rebound_sim::results::SeedMark;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::files::{self, FileError};
use crate::guard::guard_seed;

/// How often a state is written at most.
const SAVE_EVERY: Duration = Duration::from_secs(2);

/// A large state takes a while to write. It is written so seldom that at most this share of the
/// time, one part in 20, goes into it.
const SAVE_SHARE: u32 = 20;

/// The file in which a state is kept, if it is kept.
pub(crate) struct Store {
    path: Option<PathBuf>,
    /// What the state is of: `sweep` or `comparison`.
    what: &'static str,
    failure: Option<FileError>,
    /// When the state may be written next.
    due: Instant,
}

impl Store {
    /// For a state of a `what` at `path`.
    ///
    /// # Errors
    /// If the file could never be written.
    pub fn open(path: Option<&Path>, what: &'static str) -> Result<Store, Error> {
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
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        match &self.path {
            // A device holds no state, whatever it gives to read.
            Some(path) if path.is_file() => Ok(Some(files::read_json(
                path,
                &format!("the state of a {}", self.what),
            )?)),
            Some(_) | None => Ok(None),
        }
    }

    /// Why the state on disk cannot be gone on from.
    pub fn refusal(&self, why: &str) -> Error {
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        Error::Resume(format!("cannot resume from {path}: {why}"))
    }

    /// Makes sure that the state on disk says the same as what is to be run, of what has these
    /// names.
    ///
    /// # Errors
    /// The first that differs.
    pub fn agree<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Result<(), Error> {
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
    pub(crate) fn same_build(
        &self,
        plan: &Arc<Plan>,
        behaviour: &'static Behaviour,
        witness: &SeedMark,
    ) -> Result<(), Error> {
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
    pub(crate) fn is_due(&self) -> bool {
        self.keeps() && Instant::now() >= self.due
    }

    /// Writes the state. If that fails, the old file stays, and the work goes on; the first
    /// failure in a row is returned as a warning.
    pub(crate) fn save(&mut self, state: &impl Serialize) -> Option<String> {
        let path = self.path.as_ref()?;
        let began = Instant::now();
        let failure = files::write_json(path, state).err();
        let warning = match (&failure, &self.failure) {
            (Some(failure), None) => Some(format!("{failure}; the {} goes on", self.what)),
            (Some(_), Some(_)) | (None, _) => None,
        };
        self.failure = failure;
        self.due = Instant::now() + SAVE_EVERY.max(began.elapsed() * SAVE_SHARE);
        warning
    }

    /// Whether the last state is on disk.
    ///
    /// # Errors
    /// If it is not: a message to end with.
    pub fn kept(self) -> Result<(), Error> {
        match self.failure {
            None => Ok(()),
            Some(failure) => Err(Error::Resume(format!(
                "{failure}; the report is complete, but the {} cannot be resumed from there",
                self.what
            ))),
        }
    }
}

/// A seed with its trace's hash, by which another build is told.
///
/// # Errors
/// If the model panics.
pub(crate) fn witness(
    plan: &Arc<Plan>,
    behaviour: &'static Behaviour,
    seed: u64,
) -> Result<SeedMark, Error> {
    let trace_hash = trace_hash(plan, behaviour, seed)?;
    Ok(SeedMark { seed, trace_hash })
}

fn trace_hash(plan: &Arc<Plan>, behaviour: &'static Behaviour, seed: u64) -> Result<String, Error> {
    guard_seed(plan, behaviour, seed, || {
        let mut runner = Runner::new(Arc::clone(plan), behaviour);
        runner.run(seed, &mut NoTrace).trace_hash
    })
}
