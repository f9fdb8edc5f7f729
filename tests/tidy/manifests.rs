//! Every package keeps the workspace's lints, and every dependency has a reason.

use crate::complaint::{Complaint, assert_none};
use crate::repository::{Package, packages, read};

const REASONS: &str = "docs/dependencies.md";

#[test]
fn packages_keep_the_workspaces_lints() {
    assert_none(packages().iter().filter_map(lints).collect());
}

#[test]
fn dependencies_have_reasons() {
    let reasons = read(REASONS);
    let complaints = packages()
        .iter()
        .flat_map(|package| dependencies(package, &reasons))
        .collect();
    assert_none(complaints);
}

fn lints(package: &Package) -> Option<Complaint> {
    let lints = package.manifest.get("lints");
    let inherited = lints.and_then(|lints| lints.get("workspace")?.as_bool());
    let complaint = || {
        Complaint::new(
            package.path("Cargo.toml"),
            1,
            "lints of its own",
            "[lints] workspace = true",
        )
    };
    (inherited != Some(true)).then(complaint)
}

/// Dependencies that `reasons` does not name in the first cell of a row. Packages of this workspace
/// need no reason.
fn dependencies(package: &Package, reasons: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(named) = package
            .manifest
            .get(section)
            .and_then(|named| named.as_table())
        else {
            continue;
        };
        for (name, source) in named {
            let quoted = format!("`{name}`");
            let cells = reasons.lines().filter_map(|line| line.split('|').nth(1));
            let given = cells.into_iter().any(|cell| cell.contains(&quoted));
            if source.get("path").is_none() && !given {
                complaints.push(Complaint::new(
                    package.path("Cargo.toml"),
                    1,
                    format!("`{name}` among the {section}"),
                    format!("a row of {REASONS} with the reason"),
                ));
            }
        }
    }
    complaints
}

mod tests {
    use super::*;

    fn package(manifest: &str) -> Package {
        Package {
            name: "a".to_owned(),
            folder: "sim/a".to_owned(),
            manifest: manifest.parse().expect("a manifest"),
        }
    }

    #[test]
    fn lints_of_its_own_are_seen() {
        for manifest in [
            "",
            "[lints]\nworkspace = false",
            "[lints.rust]\nx = \"warn\"",
        ] {
            let complaint = lints(&package(manifest)).expect("a complaint");
            assert_eq!(complaint.file, "sim/a/Cargo.toml", "{manifest}");
        }
        assert_eq!(lints(&package("[lints]\nworkspace = true")), None);
    }

    #[test]
    fn a_dependency_without_a_reason_is_seen() {
        let package = package(
            "[dependencies]\nours = { path = \"../ours\" }\nserde = \"1\"\n\
             [dev-dependencies]\nrand = \"1\"",
        );
        let found = dependencies(&package, "| `serde` | JSON |\n| `toml` | unlike `rand` |");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].found, "`rand` among the dev-dependencies");
    }
}
