//! Each command does what it says, and prints what its schema says.

use serde_json::Value;

use crate::program::{CLEAN, Lab, SLOW, code_of};

/// Asserts that `value` is as `rebound schema SUBJECT` says.
pub fn assert_valid(lab: &Lab, subject: &str, value: &Value) {
    let ended = lab.run(&["schema", subject]);
    assert_eq!(ended.code, 0);
    let schema: Value = serde_json::from_str(&ended.stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{subject}: {errors:?}");
}

#[test]
fn help_names_every_command_and_exit_code() {
    let lab = Lab::new();
    let help = lab.run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (0, ""));
    for part in [
        "run",
        "sweep",
        "replay",
        "check",
        "behaviours",
        "schema",
        "completions",
    ] {
        assert!(help.stdout.contains(part), "{part}");
        assert_eq!(lab.run(&[part, "--help"]).code, 0, "{part}");
    }
    assert!(help.stdout.contains("Exit codes: 0 clean"));
    assert!(lab.run(&["--version"]).stdout.starts_with("rebound "));
}

#[test]
fn run_prints_a_verdict_and_how_to_see_it_again() {
    let lab = Lab::new();
    for scenario in [CLEAN, SLOW] {
        let (code, report) = lab.json(&["run", scenario, "--seed", "3"]);
        assert_valid(&lab, "run", &report);
        assert_eq!(code, code_of(&report["verdict"]));
        assert_eq!(report["seed"], "3");
        let text = lab.run(&["run", scenario, "--seed", "3"]);
        assert_eq!(text.code, code);
        assert!(
            text.stdout
                .contains(report["trace_hash"].as_str().expect("a hash"))
        );
        if code == 1 {
            let last = text.stdout.lines().last().expect("a last line");
            assert!(last.starts_with("rebound replay "), "{last}");
            let words: Vec<_> = last.split(' ').skip(1).collect();
            let replay = lab.run(&words);
            assert_eq!(replay.code, 1, "{last}");
            assert!(replay.stdout.contains("BOUNCE"), "{last}");
        }
    }
}

#[test]
fn verbosity_changes_no_run() {
    let lab = Lab::new();
    let (_, plain) = lab.json(&["run", SLOW]);
    let (_, verified) = lab.json(&["run", SLOW, "--verify", "--quiet", "--color", "always"]);
    assert_eq!(plain, verified);
    let quiet = lab.run(&["run", CLEAN, "--quiet"]);
    assert_eq!(
        quiet.stdout.lines().count(),
        if quiet.code == 1 { 2 } else { 1 }
    );
}

#[test]
fn colours_come_only_when_wanted() {
    let lab = Lab::new();
    assert!(!lab.run(&["run", SLOW]).stdout.contains('\x1b'));
    let always = lab.run(&["run", SLOW, "--color", "always"]);
    assert!(always.stdout.contains('\x1b'));
}

#[test]
fn a_recorded_schedule_gives_the_same_run() {
    let lab = Lab::new();
    let (code, recorded) = lab.json(&["run", SLOW, "--seed", "5", "--record", "s.json"]);
    let schedule: Value = serde_json::from_str(&lab.read("s.json")).expect("JSON");
    assert_valid(&lab, "schedule", &schedule);
    let (again, followed) = lab.json(&["run", SLOW, "--seed", "5", "--schedule", "s.json"]);
    assert_eq!((code, &recorded), (again, &followed));
    if code == 1 {
        let text = lab.run(&["run", SLOW, "--seed", "5", "--schedule", "s.json"]);
        assert!(text.stdout.trim_end().ends_with("--schedule s.json"));
    }
}

#[test]
fn a_behaviour_is_chosen_by_name_or_alias() {
    let lab = Lab::new();
    let (_, by_alias) = lab.json(&["run", SLOW, "--behaviour", "8.0"]);
    let (_, by_name) = lab.json(&["run", SLOW, "--behaviour", "8.0.1"]);
    assert_eq!(by_alias, by_name);
    assert_eq!(by_name["behaviour"], "8.0.1");
}

#[test]
fn replay_prints_one_object_a_line() {
    let lab = Lab::new();
    let lines = |more: &[&str]| -> Vec<Value> {
        let arguments = [&["replay", SLOW, "--seed", "1", "--format", "json"], more].concat();
        let ended = lab.run(&arguments);
        assert_eq!(ended.stderr, "", "{more:?}");
        let read = |line| serde_json::from_str(line).expect("an object a line");
        ended.stdout.lines().map(read).collect()
    };
    let all = lines(&["--all"]);
    let story = lines(&[]);
    assert!(!story.is_empty() && story.len() <= all.len());
    for line in story.iter().take(20) {
        assert_valid(&lab, "replay", line);
    }
    let at = |line: &Value| line["at_ns"].as_u64().expect("a time");
    assert!(all.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])));
    assert_eq!(lines(&["--limit", "2"]).len(), story.len().min(2));
    let nodes = lines(&["--all", "--kind", "node,operator"]);
    assert!(
        nodes
            .iter()
            .all(|line| line["kind"] == "node" || line["kind"] == "operator")
    );
    let early = lines(&["--all", "--until", "500ms"]);
    assert!(early.iter().all(|line| at(line) < 500_000_000));
    let late = lines(&["--all", "--from", "500ms"]);
    assert_eq!(early.len() + late.len(), all.len());
    let commands = lines(&["--client", "0", "--kind", "command"]);
    assert!(
        commands
            .windows(2)
            .all(|pair| pair[0]["who"] == pair[1]["who"])
    );
}

#[test]
fn behaviours_fit_the_width_and_name_each_other() {
    let lab = Lab::new();
    let (code, list) = lab.json(&["behaviours"]);
    assert_eq!(code, 0);
    assert_valid(&lab, "behaviours", &list);
    let table = lab.run(&["behaviours"]);
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 100));
    for behaviour in list["behaviours"].as_array().expect("a list") {
        let name = behaviour["name"].as_str().expect("a name");
        assert!(table.stdout.contains(name));
        let detail = lab.run(&["behaviours", "--behaviour", name]);
        assert!(detail.stdout.starts_with(name), "{name}");
        for gate in behaviour["gates"].as_array().expect("gates") {
            assert!(detail.stdout.contains(gate.as_str().expect("a name")));
        }
    }
}

#[test]
fn every_schema_is_one() {
    let lab = Lab::new();
    for subject in [
        "scenario",
        "run",
        "sweep",
        "replay",
        "check",
        "behaviours",
        "regressions",
        "schedule",
    ] {
        let ended = lab.run(&["schema", subject]);
        assert_eq!(ended.code, 0, "{subject}");
        let schema = serde_json::from_str(&ended.stdout).expect("JSON");
        assert!(jsonschema::validator_for(&schema).is_ok(), "{subject}");
    }
}

#[test]
fn the_scenarios_are_as_their_schema_says() {
    let lab = Lab::new();
    for scenario in [CLEAN, SLOW] {
        let value = serde_json::from_str(&lab.read(scenario)).expect("JSON");
        assert_valid(&lab, "scenario", &value);
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    let lab = Lab::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = lab.run(&["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.contains("sweep"), "{shell}");
    }
}
