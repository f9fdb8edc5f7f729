//! Why servers could not be driven.

use std::fmt;

/// Why servers could not be driven: a message for a person, which names the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveError(pub(super) String);

impl LiveError {
    pub(super) fn new(message: impl Into<String>) -> LiveError {
        LiveError(message.into())
    }
}

impl fmt::Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LiveError {}
