//! What is wrong with a recording.

use std::fmt;

/// A recording that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// The line, counted from one; none if it is about the recording as a whole.
    pub line: Option<u64>,
    /// What was found there.
    pub found: String,
    /// What was expected instead.
    pub expected: String,
}

impl RecordingError {
    /// About a line, by its place in the recording, counted from zero.
    pub fn at(index: usize, found: impl Into<String>, expected: impl Into<String>) -> Self {
        RecordingError {
            line: Some(index as u64 + 1),
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// About the recording as a whole.
    pub fn whole(found: impl Into<String>, expected: impl Into<String>) -> Self {
        RecordingError {
            line: None,
            found: found.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "found {}, expected {}", self.found, self.expected)
    }
}

impl std::error::Error for RecordingError {}
