//! What confirms each rule of the model: conformance cases, recordings, live scenarios, or nothing
//! but the source. Kept in `confirmed.json`; every name in it must exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

/// What confirms a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Confirmed {
    /// Tests of observed cases, by the name of their functions.
    pub tests: Vec<String>,
    /// Recorded scripts, such as `S2-hold`.
    pub recordings: Vec<String>,
    /// Scenarios that are driven on real servers.
    pub live: Vec<String>,
    /// Why the source alone must do.
    pub source_only: Option<String>,
}

/// What there is that could confirm something.
pub struct Known {
    pub tests: BTreeSet<String>,
    pub recordings: BTreeSet<String>,
    pub live: BTreeSet<String>,
}

impl Known {
    /// Looks through the tests of this package and of the model, the recordings and the scenarios.
    pub fn found(package: &Path) -> Known {
        let mut tests = BTreeSet::new();
        for folder in ["tests", "src", "../model/tests", "../model/src"] {
            functions(&package.join(folder), &mut tests);
        }
        let mut recordings = BTreeSet::new();
        for label in entries(&package.join("tests/recordings")) {
            for recording in entries(&label) {
                let name = recording.file_stem().unwrap_or_default();
                let name = name.to_string_lossy();
                if let Some((script, _run)) = name.rsplit_once('-') {
                    recordings.insert(script.to_owned());
                }
            }
        }
        let scenarios = entries(&package.join("../../scenarios"));
        let live = scenarios.iter().filter(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let file: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            file["live"] == true
        });
        let live = live.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        Known {
            tests,
            recordings,
            live: live.collect(),
        }
    }
}

/// What is in a folder, by name; nothing if there is no such folder.
fn entries(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut entries: Vec<_> = listing.filter_map(|e| Some(e.ok()?.path())).collect();
    entries.sort();
    entries
}

/// The names of test functions in Rust sources.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for path in entries(folder) {
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source that can be read");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line == "#[test]" {
                    is_test = true;
                } else if let Some(rest) = line.strip_prefix("fn ") {
                    if is_test && let Some((name, _)) = rest.split_once('(') {
                        found.insert(name.to_owned());
                    }
                    is_test = false;
                }
            }
        }
    }
}

/// Reads `confirmed.json`.
pub fn read(text: &str) -> BTreeMap<String, Confirmed> {
    serde_json::from_str(text).expect("confirmed.json")
}

/// What is wrong with the confirmations: names that nothing has, and rules that have neither a
/// confirmation nor a reason for its absence.
pub fn mistakes(
    rules: &[super::rules::Rule],
    confirmed: &BTreeMap<String, Confirmed>,
    known: &Known,
) -> Vec<String> {
    let mut mistakes = Vec::new();
    for rule in rules {
        if !confirmed.contains_key(&rule.rule) {
            mistakes.push(format!(
                "docs/model.md, {}: nothing is said of {:?}",
                rule.section, rule.rule
            ));
        }
    }
    for (rule, by) in confirmed {
        if !rules.iter().any(|r| r.rule == *rule) {
            mistakes.push(format!("docs/model.md has no rule {rule:?}"));
        }
        let named = [
            ("test", &by.tests, &known.tests),
            ("recording", &by.recordings, &known.recordings),
            ("live scenario", &by.live, &known.live),
        ];
        for (what, names, known) in named {
            for name in names.iter().filter(|name| !known.contains(*name)) {
                mistakes.push(format!("{rule:?}: there is no {what} {name:?}"));
            }
        }
        let nothing = by.tests.is_empty() && by.recordings.is_empty() && by.live.is_empty();
        if nothing && by.source_only.is_none() {
            mistakes.push(format!(
                "{rule:?}: nothing confirms it, and \"source_only\" does not say why"
            ));
        }
    }
    mistakes
}
