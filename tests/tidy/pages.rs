//! Scenarios and checks have their places in the documentation, and nothing else has.

use std::collections::BTreeSet;

use rebound_sim::results::CheckId;

use crate::complaint::{Complaint, assert_none};
use crate::repository::{Source, read, sources};

const LIBRARY: &str = "docs/scenario-library.md";

#[test]
fn the_library_page_has_every_scenario() {
    let files = sources("json");
    let files = names(&files, "scenarios/", ".json");
    let files = files.into_iter().filter(|name| *name != "regressions");
    assert_none(library(&read(LIBRARY), &files.collect()));
}

#[test]
fn every_check_has_a_page() {
    let sources = sources("md");
    let pages = names(&sources, "docs/checks/", ".md");
    let pages = pages.into_iter().filter(|name| *name != "README").collect();
    let checks = CheckId::ALL.into_iter().map(CheckId::name).collect();
    let overview = read("docs/checks/README.md");
    assert_none(check_pages(&checks, &pages, &overview));
}

/// The files of a folder, not of those below it, without what all of them begin and end with.
fn names<'a>(sources: &'a [Source], folder: &str, extension: &str) -> BTreeSet<&'a str> {
    let name = |source: &'a Source| {
        let name = source.path.strip_prefix(folder)?.strip_suffix(extension)?;
        (!name.contains('/')).then_some(name)
    };
    let names: BTreeSet<&str> = sources.iter().filter_map(name).collect();
    assert!(names.len() > 5, "only {} files in {folder}", names.len());
    names
}

/// Rows of the library page are about scenarios, and every scenario has one.
fn library(page: &str, files: &BTreeSet<&str>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut rows = BTreeSet::new();
    for (number, line) in page.lines().enumerate() {
        let Some(name) = line
            .strip_prefix("| `")
            .and_then(|row| row.split('`').next())
        else {
            continue;
        };
        rows.insert(name);
        if !files.contains(name) {
            let expected = format!("a scenario that exists, scenarios/{name}.json");
            let found = format!("a row about `{name}`");
            complaints.push(Complaint::new(LIBRARY, number + 1, found, expected));
        }
    }
    for missing in files.difference(&rows) {
        let file = format!("scenarios/{missing}.json");
        let expected = format!("a row of {LIBRARY}");
        complaints.push(Complaint::new(
            file,
            1,
            "a scenario without a row",
            expected,
        ));
    }
    complaints
}

/// Each check has a page, each page a check, and the overview links to each.
fn check_pages(checks: &BTreeSet<&str>, pages: &BTreeSet<&str>, overview: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut complain = |page: &str, found: &str, expected: &str| {
        let file = format!("docs/checks/{page}.md");
        complaints.push(Complaint::new(file, 1, found, expected));
    };
    for page in pages.difference(checks) {
        complain(page, "a page", "a check of that name");
    }
    for check in checks {
        if !pages.contains(check) {
            complain(check, "no page", "a page about the check");
        }
        if !overview.contains(&format!("]({check}.md)")) {
            complain(check, "no link to it", "a link in docs/checks/README.md");
        }
    }
    complaints
}

#[test]
fn a_scenario_without_a_row_and_a_row_without_a_scenario_are_seen() {
    let page = "| scenario | what |\n|---|---|\n| `a` | x |\n| `b` | y |\n";
    assert!(library(page, &BTreeSet::from(["a", "b"])).is_empty());
    let found = library(page, &BTreeSet::from(["a", "c"]));
    let found: Vec<String> = found.iter().map(Complaint::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("docs/scenario-library.md:4: found a row about `b`"));
    assert!(found[1].starts_with("scenarios/c.json:1: "), "{found:?}");
}

#[test]
fn a_check_without_a_page_and_a_page_without_a_check_are_seen() {
    let checks = BTreeSet::from(["bounce", "lost-write"]);
    let overview = "[`bounce`](bounce.md), [`lost-write`](lost-write.md)";
    assert!(check_pages(&checks, &checks, overview).is_empty());
    let pages = BTreeSet::from(["bounce", "stale-read"]);
    let found = check_pages(&checks, &pages, "[`bounce`](bounce.md)");
    let files: Vec<&str> = found
        .iter()
        .map(|complaint| complaint.file.as_str())
        .collect();
    let expected = ["stale-read", "lost-write", "lost-write"];
    assert_eq!(files, expected.map(|page| format!("docs/checks/{page}.md")));
}
