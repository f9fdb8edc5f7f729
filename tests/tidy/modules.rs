//! A module begins with what it is for, and its name says what it is.

use crate::complaint::{Complaint, assert_none};
use crate::repository::{Source, sources};

/// Names that say nothing but that somebody did not know where else to put it.
const NAMELESS: [&str; 8] = [
    "util", "utils", "helper", "helpers", "common", "misc", "shared", "stuff",
];

#[test]
fn modules_say_what_they_are_for() {
    assert_none(prefaces(&sources("rs")));
}

#[test]
fn modules_have_names_that_say_what_they_are() {
    assert_none(names(&sources("rs")));
}

fn prefaces(sources: &[Source]) -> Vec<Complaint> {
    let silent = |source: &&Source| {
        let first = source.text.lines().next().unwrap_or_default();
        first.strip_prefix("//! ").is_none_or(str::is_empty)
    };
    let complaint = |source: &Source| {
        let first = source.text.lines().next().unwrap_or_default();
        Complaint::new(
            &source.path,
            1,
            format!("`{first}`"),
            "`//!` and what the module is for",
        )
    };
    sources.iter().filter(silent).map(complaint).collect()
}

fn names(sources: &[Source]) -> Vec<Complaint> {
    let nameless = |source: &&Source| {
        let path = source.path.strip_suffix(".rs").unwrap_or(&source.path);
        path.split('/').any(|part| NAMELESS.contains(&part))
    };
    let complaint = |source: &Source| {
        Complaint::new(
            &source.path,
            1,
            "a module whose name says nothing",
            "a name that says what is in it",
        )
    };
    sources.iter().filter(nameless).map(complaint).collect()
}

#[test]
fn a_module_without_a_purpose_is_seen() {
    for text in ["", "use a;\n//! Late.", "//!", "// No doc comment."] {
        let found = prefaces(&[Source::sample("a.rs", text)]);
        assert_eq!(found.len(), 1, "{text:?}");
    }
    assert!(prefaces(&[Source::sample("a.rs", "//! Time.\n")]).is_empty());
}

#[test]
fn a_module_without_a_name_is_seen() {
    for path in [
        "src/utils.rs",
        "tests/common/mod.rs",
        "sim/a/src/helpers.rs",
    ] {
        assert_eq!(names(&[Source::sample(path, "")]).len(), 1, "{path}");
    }
    assert!(names(&[Source::sample("src/utility_function.rs", "")]).is_empty());
}
