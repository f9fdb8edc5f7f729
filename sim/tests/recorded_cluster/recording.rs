//! Reads what real clusters did; `sim/tests/recorded/README.md` tells the format.

use std::fs;
use std::path::Path;

use super::run::{Mark, Op, Run, Step};

/// Servers whose failovers were recorded.
pub const VERSIONS: [&str; 5] = ["8.0.0-rc1", "8.0.1", "unstable", "8.1.8", "9.1.2"];

/// All recorded runs of one bus (`plain` or `bus-200ms`).
pub fn runs_of(bus: &str) -> Vec<Run> {
    VERSIONS
        .iter()
        .flat_map(|version| file(bus, version))
        .collect()
}

fn file(bus: &str, version: &str) -> Vec<Run> {
    let name = format!("cluster-{bus}-{version}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["run", number] = words[..] {
            runs.push(Run {
                name: format!("{name}, run {number}"),
                reply: String::new(),
                redirect: String::new(),
                redirects: [0; 4],
                marks: Vec::new(),
                ops: Vec::new(),
                blur: 3.0,
                clock: 1.0,
            });
            continue;
        }
        let run = runs.last_mut().expect("a run begins with `run`");
        match words[..] {
            ["reply", text] => text.clone_into(&mut run.reply),
            ["redirect", kind, slot] => run.redirect = format!("{kind} {slot}"),
            ["redirects", ..] => {
                for (place, word) in run.redirects.iter_mut().zip(&words[1..]) {
                    *place = word.parse().expect("a count");
                }
            }
            ["op", _, command, sent, ..] => run.ops.push(Op {
                command: if command == "SET" { "SET" } else { "GET" },
                sent: sent.parse().expect("a time"),
                steps: words[4..].iter().map(|word| step(word)).collect(),
            }),
            [at, node, what, ..] => run.marks.push(Mark {
                at: at.parse().expect("a time"),
                what: format!("{node} {what}"),
                number: words.get(3).map(|word| word.parse().expect("a number")),
            }),
            _ => panic!("{name}: {line}"),
        }
    }
    assert_eq!(runs.len(), 3, "{name}");
    runs
}

fn step(word: &str) -> Step {
    let (what, at) = word.split_once('@').expect("a step has a time");
    let node = what.chars().next().expect("a step has a node");
    let (kind, rest) = what[1..].split_at(1);
    Step {
        node,
        answer: match kind {
            ">" => format!("moved {rest}"),
            "=" => rest.to_owned(),
            _ => panic!("{word}"),
        },
        at: at.parse().expect("a time"),
    }
}
