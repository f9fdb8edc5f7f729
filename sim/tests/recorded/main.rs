//! Recordings of real servers held against the model: every one of them must agree, a good deal
//! must have been compared, and a model with a rule broken on purpose must not agree.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rebound_sim::conform::{Agreement, against_model, parse};
use rebound_sim::valkey::{Base, Behaviour, Defect};

/// Less than this is no comparison of a failover.
const LEAST: u32 = 25;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

/// The recordings of standalone servers, in order.
fn recordings() -> Vec<PathBuf> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).expect("a folder of recordings");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        paths
    };
    let labels = entries(&folder()).into_iter().filter(|path| path.is_dir());
    let all = labels.flat_map(|label| entries(&label));
    // S7 is of clusters.
    all.filter(|path| !name(path).contains("/S7-")).collect()
}

fn name(path: &Path) -> String {
    let name = path.strip_prefix(folder()).unwrap_or(path);
    name.display().to_string()
}

/// `behaviour` is that of the recording's own version unless it is given.
fn hold(path: &Path, behaviour: Option<&'static Behaviour>) -> Agreement {
    let text = std::fs::read_to_string(path).expect("a recording");
    let lines = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", name(path)));
    let label = name(path);
    let label = label.split(['/', '\\']).next().unwrap_or_default();
    let own = || Behaviour::of_server(label.trim_end_matches("-deb"));
    let behaviour = behaviour.or_else(own);
    let behaviour = behaviour.unwrap_or_else(|| panic!("no behaviour for {label}"));
    against_model(&lines, behaviour).unwrap_or_else(|error| panic!("{}: {error}", name(path)))
}

/// All recordings, side by side on as many threads as there are processors.
fn hold_all(paths: &[PathBuf]) -> Vec<(String, Agreement)> {
    let next = Mutex::new(paths.iter());
    let done = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let path = next.lock().expect("no panic").next();
                    let Some(path) = path else { return };
                    let agreement = hold(path, None);
                    done.lock().expect("no panic").push((name(path), agreement));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no panic");
    done.sort_by(|a, b| a.0.cmp(&b.0));
    done
}

#[test]
fn every_recording_agrees_with_the_model() {
    let paths = recordings();
    assert!(paths.len() >= 400, "{} recordings", paths.len());
    let all = hold_all(&paths);
    let mut told = String::new();
    for (name, agreement) in &all {
        if !agreement.agrees() {
            told += &format!("{name}\n{}\n", agreement.table());
        }
        let compared = agreement.compared();
        assert!(compared >= LEAST, "{name}: only {compared} facts compared");
    }
    let differing = all.iter().filter(|(_, agreement)| !agreement.agrees());
    let differing = differing.count();
    assert!(differing == 0, "{differing} differ\n{told}");
    let compared: u32 = all.iter().map(|(_, agreement)| agreement.compared()).sum();
    assert!(compared >= 40_000, "only {compared} facts compared in all");
}

/// Each broken rule, and a recording that shows it.
#[test]
fn a_broken_model_does_not_agree() {
    let broken = [
        (Defect::NothingRetried, "8.0.1/S4-refused-1.jsonl"),
        (Defect::NeverPromoted, "8.0.1/S1-to-1.jsonl"),
        (Defect::TimeoutInProgress, "8.0.1/S2-hold-1.jsonl"),
        (Defect::PauseLiftedEarly, "8.0.1/S2-hold-1.jsonl"),
        (Defect::DemotedForGood, "8.0.1/S4-abort-inprogress-1.jsonl"),
        (Defect::PostponedForgotten, "8.0.1/S2-hold-1.jsonl"),
    ];
    for (defect, recording) in broken {
        let behaviour = Behaviour {
            defect: Some(defect),
            ..Base::V8_0_1.behaviour()
        };
        let behaviour: &'static Behaviour = Box::leak(Box::new(behaviour));
        let agreement = hold(&folder().join(recording), Some(behaviour));
        assert!(!agreement.agrees(), "{defect:?} passes {recording}");
    }
}

/// The rules of another version are no broken model, but they are not those of the recording.
#[test]
fn the_version_with_the_defect_is_told_from_the_one_with_the_fix() {
    let fixed = Behaviour::named("8.0.1");
    let bounce = folder().join("8.0.0-rc1/S2-hold-1.jsonl");
    let agreement = hold(&bounce, fixed);
    assert!(!agreement.agrees(), "{}", agreement.table());
    let table = agreement.table();
    assert!(table.contains("redirects"), "{table}");
}
