//! Every conformance case has a test that begins with its number, and so has every surprise.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// C01 to C71: what real servers do in and around a failover.
const CASES: u32 = 71;
/// What was surprising in measurements of real servers.
const SURPRISES: u32 = 11;

/// The names of all tests here.
fn tests() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).expect("a folder of tests") {
            let path = file.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                names.extend(tests_in(&fs::read_to_string(path).expect("text")));
            }
        }
    }
    names
}

/// The names of the tests in a file.
fn tests_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        if pair[0].trim() == "#[test]"
            && let Some(name) = pair[1].strip_prefix("fn ")
        {
            names.push(name.split('(').next().unwrap_or(name).to_owned());
        }
    }
    names
}

#[test]
fn every_case_has_a_test() {
    let numbers: BTreeSet<u32> = tests()
        .iter()
        .flat_map(|name| {
            let parts = name.split('_');
            let number = |part: &str| part.strip_prefix('c')?.parse().ok();
            parts.map_while(number).collect::<Vec<u32>>()
        })
        .collect();
    let missing: Vec<u32> = (1..=CASES).filter(|n| !numbers.contains(n)).collect();
    assert_eq!(missing, [0; 0]);
    assert_eq!(numbers.len() as u32, CASES);
}

#[test]
fn every_surprise_has_a_test() {
    let numbers: BTreeSet<u32> = tests()
        .iter()
        .filter_map(|name| {
            let rest = name.strip_prefix("surprise_")?;
            rest.split('_').next()?.parse().ok()
        })
        .collect();
    assert_eq!(numbers, (1..=SURPRISES).collect());
}
