//! What is wrong at a place of the repository.

use std::fmt;

/// A promise that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is there.
    pub found: String,
    /// What should be there.
    pub expected: String,
}

impl Complaint {
    /// A complaint about `file` at `line`.
    pub fn new(
        file: impl Into<String>,
        line: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Complaint {
        Complaint {
            file: file.into(),
            line,
            found: found.into(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Complaint {
            file,
            line,
            found,
            expected,
        } = self;
        write!(f, "{file}:{line}: found {found}; expected {expected}")
    }
}

/// Fails with every complaint, a line each.
#[track_caller]
pub fn assert_none(mut complaints: Vec<Complaint>) {
    complaints.sort();
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

#[test]
#[should_panic(expected = "a.rs:7: found a tab; expected spaces")]
fn a_complaint_names_its_place() {
    assert_none(vec![Complaint::new("a.rs", 7, "a tab", "spaces")]);
}
