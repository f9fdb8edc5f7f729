//! Why a batch of runs ends without a result.

use std::fmt;

use rebound_sim::scenario::ScenarioError;

use crate::files::FileError;
use crate::guard::Panic;

/// Why a batch of runs ends without a result. [`fmt::Display`] gives one message for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A scenario has a mistake.
    Scenario(Box<ScenarioError>),
    /// The options, or a file other than a scenario, have a mistake.
    Input(String),
    /// A file cannot be read or written.
    File(FileError),
    /// The saved state belongs to other work, or to another build.
    Resume(String),
    /// The same run gave two different results: a defect of the model.
    Nondeterminism(String),
    /// The model panicked: a defect, too.
    Panicked {
        /// What was under way, such as "while running seed 5 of a.json under 8.0.1".
        what: String,
        /// The panic.
        panic: Panic,
    },
    /// The observer stopped the work before there was a result.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Scenario(error) => error.fmt(f),
            Error::Input(message) | Error::Resume(message) | Error::Nondeterminism(message) => {
                f.write_str(message)
            }
            Error::File(error) => error.fmt(f),
            Error::Panicked { what, panic } => write!(
                f,
                "internal error {what}: {panic}. This is a bug in Rebound; please report it."
            ),
            Error::Stopped => f.write_str("stopped before the end"),
        }
    }
}

impl std::error::Error for Error {}

impl From<FileError> for Error {
    fn from(error: FileError) -> Error {
        Error::File(error)
    }
}

impl From<ScenarioError> for Error {
    fn from(error: ScenarioError) -> Error {
        Error::Scenario(Box::new(error))
    }
}

impl From<Panic> for Error {
    fn from(panic: Panic) -> Error {
        Error::Panicked {
            what: "outside of any run".to_owned(),
            panic,
        }
    }
}
