//! How the program ends: exit codes, and the errors that lead to them.

use std::process::ExitCode;

use rebound_batch::Error;
use rebound_batch::files::FileError;
use rebound_batch::guard::Panic;
use rebound_conform::live::LiveError;
use rebound_sim::results::Verdict;

/// The exit codes. They are part of the interface: scripts and CI rely on them.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Nothing was found, or the command has nothing to find.
    Clean = 0,
    /// A run was flagged, or something expected did not hold.
    Flagged = 1,
    /// Bad usage, bad input, or an output that cannot be written.
    Usage = 2,
    /// A budget ran out, or the sweep was stopped, before the answer was known.
    Inconclusive = 3,
    /// There was nothing to run.
    NothingRan = 4,
    /// The same run gave two different results: a defect of Rebound.
    Nondeterminism = 5,
    /// A regression seed has the expected result, but another trace hash than recorded.
    Drifted = 6,
    /// The program itself failed: a defect of Rebound.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Clean => Exit::Clean,
            Verdict::Flagged => Exit::Flagged,
            Verdict::Inconclusive => Exit::Inconclusive,
        }
    }
}

/// Why the program ends early: one message for a person, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The message, without the program's name.
    pub message: String,
}

impl Failure {
    /// Bad usage or input.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    /// The same run gave two different results.
    pub fn nondeterminism(message: impl Into<String>) -> Failure {
        Failure {
            exit: Exit::Nondeterminism,
            message: message.into(),
        }
    }
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Failure {
        Failure::usage(error.to_string())
    }
}
impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = match &error {
            Error::Scenario(_) | Error::Input(_) | Error::File(_) | Error::Resume(_) => Exit::Usage,
            Error::Nondeterminism(_) => Exit::Nondeterminism,
            Error::Panicked { .. } => Exit::Internal,
            Error::Stopped => Exit::Inconclusive,
        };
        Failure {
            exit,
            message: error.to_string(),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Failure {
        Failure::usage(error.to_string())
    }
}

impl From<Panic> for Failure {
    fn from(panic: Panic) -> Failure {
        Error::from(panic).into()
    }
}
