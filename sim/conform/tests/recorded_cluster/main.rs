//! Cluster mode held against recordings: the script that real clusters of five versions were
//! recorded with is run through the model, and what both tell is compared.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use rebound_conform::cluster::{
    self, Known, Run, SEEDS, facts, late_news, model_runs, observations, paths_of, sets,
};
use rebound_conform::recording::Line;
use rebound_conform::{Observation, Outcome, against_model, parse};
use rebound_sim::valkey::Behaviour;

const BEHAVIOURS: [&str; 2] = ["8.0.0-rc1", "8.0.1"];

/// Versions whose clusters were recorded, three times with each bus.
const VERSIONS: usize = 5;

/// All recordings of a bus (`plain` or `busdelay`), in order of their names.
fn recordings(bus: &str) -> Vec<(PathBuf, Vec<Line>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let entries = |path: &Path| {
        let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        paths
    };
    let start = format!("S7-{bus}-");
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with(&start))
    };
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let lines = parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        (path, lines)
    };
    let paths = entries(&folder).into_iter().filter(|path| path.is_dir());
    let found: Vec<_> = paths
        .flat_map(|label| entries(&label))
        .filter(named)
        .map(read)
        .collect();
    assert_eq!(found.len(), 3 * VERSIONS, "{bus}");
    found
}

fn runs(bus: &str) -> Vec<Run> {
    let read = |(path, lines): (PathBuf, Vec<Line>)| {
        cluster::read(&lines).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    };
    recordings(bus).into_iter().map(read).collect()
}

fn model(behaviour: &str, paths: &str) -> Vec<Run> {
    let behaviour = Behaviour::named(behaviour).expect("a known behaviour");
    model_runs(behaviour, paths, SEEDS).unwrap_or_else(|error| panic!("{error}"))
}

/// The differences among observations; empty if there are none.
fn differences(observed: &[Observation]) -> String {
    let mut told = String::new();
    for Observation { what, outcome, .. } in observed {
        if let Outcome::Differs(differences) = outcome {
            for difference in differences {
                let (recorded, model) = (&difference.recorded, &difference.model);
                let _ = writeln!(told, "{what}:\n  recorded {recorded}\n  model    {model}");
            }
        }
    }
    told
}

/// Recordings of all versions together show all that can happen, so the model must do all of it
/// and nothing else.
fn assert_same(bus: &str, known: Known) {
    let recorded = runs(bus);
    let paths = paths_of(&recorded[0]);
    assert!(recorded.iter().all(|run| paths_of(run) == paths), "{bus}");
    for behaviour in BEHAVIOURS {
        let observed = observations(&recorded, &model(behaviour, &paths), &[], known);
        let told = differences(&observed);
        assert!(told.is_empty(), "{bus}, {behaviour}:\n{told}");
        assert!(observed.iter().map(|o| o.compared).sum::<u32>() > 200);
    }
}

#[test]
fn a_failover_over_a_slow_bus_is_as_recorded() {
    assert_same("busdelay", Known::All);
}

#[test]
fn a_plain_failover_is_as_recorded() {
    assert_same("plain", Known::UpperBounds);
}

/// Each recording by itself, as anybody would hand one over.
fn assert_each_agrees(bus: &str) {
    for (path, lines) in recordings(bus) {
        let label = path.parent().and_then(Path::file_name);
        let rc1 = label.is_some_and(|label| label == "8.0.0-rc1");
        let behaviour = if rc1 { "8.0.0-rc1" } else { "8.0.1" };
        let behaviour = Behaviour::named(behaviour).expect("a known behaviour");
        let agreement =
            against_model(&lines, behaviour).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(agreement.agrees(), "{}", agreement.table());
        assert!(agreement.compared() > 50, "{}", agreement.table());
    }
}

#[test]
fn every_recording_of_a_slow_bus_agrees() {
    assert_each_agrees("busdelay");
}

#[test]
fn every_plain_recording_agrees() {
    assert_each_agrees("plain");
}

/// With the delay that Linux gives packets of the bus the same answers come while the news of the
/// promotion is under way.
#[test]
fn what_is_answered_until_the_news_arrives_is_as_recorded() {
    let recorded = sets(&runs("plain"), Run::answers);
    for behaviour in BEHAVIOURS {
        let model = sets(&model(behaviour, &late_news()), Run::answers);
        for (cell, seen) in &recorded {
            let modelled = model.get(cell);
            assert!(
                modelled.is_some_and(|modelled| seen.is_subset(modelled)),
                "{behaviour}, {cell}:\n  recorded {seen:?}\n  model    {modelled:?}"
            );
        }
    }
}

/// In every recording the old primary goes on exactly where the new one took over, however the
/// packets raced; so it must if the stream is slower than the bus.
#[test]
fn nothing_is_missing_where_the_stream_is_slow_as_recorded() {
    let slow_stream = r#"{"from": "b", "to": "a", "latency": "20ms"}"#;
    let recorded = sets(&runs("plain"), facts);
    for behaviour in BEHAVIOURS {
        let model = sets(&model(behaviour, slow_stream), facts);
        assert_eq!(recorded, model, "{behaviour}");
    }
}
