//! `rebound compare`, through the real program.

use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CLEAN, Lab, SLOW, wait_until};

const PAIR: [&str; 2] = ["--behaviours", "8.0.0-rc1,merged"];

#[test]
fn a_comparison_is_what_its_schema_says_and_the_same_for_any_number_of_threads() {
    let lab = Lab::new();
    let arguments = |jobs| {
        let fixed = ["compare", SLOW, CLEAN, "--seeds", "0..3"];
        [&fixed[..], &PAIR, &["--jobs", jobs]].concat()
    };
    let (code, one) = lab.json(&arguments("1"));
    assert_valid(&lab, "compare", &one);
    assert_eq!(code, 0, "a comparison judges nothing");
    let (_, two) = lab.json(&arguments("3"));
    assert_eq!(one, two);
    assert_eq!(one["schema"], "rebound.compare/1");
    assert_eq!(one["seeds"]["done"], 3);
    let slow = &one["scenarios"][0];
    assert_eq!(slow["scenario"], "handover-slow");
    let [first, merged] = [0, 1].map(|index| &slow["behaviours"][index]);
    assert_eq!(first["behaviour"], "8.0.0-rc1");
    assert_eq!(first["verdicts"]["flagged"], 3);
    assert_eq!(first["against_first"], Value::Null);
    assert_eq!(merged["verdicts"]["clean"], 3);
    assert_eq!(merged["against_first"]["flagged"]["mean"], -1.0);
    assert_eq!(merged["worst_seed"], Value::Null);
}

/// What a comparison says of a seed is what `run` says of it.
#[test]
fn figures_are_those_of_the_runs() {
    let lab = Lab::new();
    let arguments = ["compare", SLOW, "--seeds", "4..5"];
    let (_, report) = lab.json(&[&arguments[..], &PAIR].concat());
    for column in report["scenarios"][0]["behaviours"]
        .as_array()
        .expect("columns")
    {
        let name = column["behaviour"].as_str().expect("a name");
        let (_, run) = lab.json(&["run", SLOW, "--seed", "4", "--behaviour", name]);
        let figure = |name: &str| column["figures"][name]["max"].clone();
        assert_eq!(figure("redirects"), Value::Null, "no such figure");
        assert_eq!(figure("hops"), run["hops"]["total"], "{name}");
        assert_eq!(figure("bounces"), run["bounces"]["total"], "{name}");
        assert_eq!(figure("longest-chain"), run["hops"]["max_chain"], "{name}");
        assert_eq!(
            figure("flagged-clients"),
            run["clients"]["flagged"],
            "{name}"
        );
        assert_eq!(
            figure("connections-opened"),
            run["connections_opened"],
            "{name}"
        );
    }
}

#[test]
fn tables_are_laid_out_for_people_documents_and_spreadsheets() {
    let lab = Lab::new();
    let with = |layout| {
        let fixed = ["compare", SLOW, "--seeds", "0..2", "--table", layout];
        let ended = lab.run(&[&fixed[..], &PAIR].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{layout}");
        ended.stdout
    };
    let terminal = with("terminal");
    for part in [
        "handover-slow, seeds 0..2\n",
        "runs flagged",
        "Difference from 8.0.0-rc1\n",
        "-100.0%",
        "paired percentile bootstrap",
    ] {
        assert!(terminal.contains(part), "{part}: {terminal}");
    }
    let markdown = with("markdown");
    assert!(markdown.contains("\n|  | 8.0.0-rc1 | merged |\n|---|--:|--:|\n"));
    assert!(
        markdown.contains("\n| runs flagged | 100% | 0% |\n"),
        "{markdown}"
    );
    let csv = with("csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("scenario,behaviour,figure,statistic,value")
    );
    assert!(
        lines.clone().all(|line| line.split(',').count() == 5),
        "{csv}"
    );
    let flagged = "handover-slow,merged,flagged,difference,-1";
    assert!(lines.any(|line| line == flagged), "{csv}");
}

const RESUME: [&str; 2] = ["--resume", "state.json"];

/// A comparison of two scenarios under two behaviours.
fn comparison(lab: &Lab, seeds: &str, more: &[&str]) -> Value {
    let fixed = ["compare", SLOW, CLEAN, "--seeds", seeds];
    let (code, report) = lab.json(&[&fixed[..], &PAIR, more].concat());
    assert_eq!(code, 0, "{report}");
    report
}

#[test]
fn a_resumed_comparison_gives_what_a_whole_one_gives() {
    let lab = Lab::new();
    let whole = comparison(&lab, "3..9", &[]);
    comparison(&lab, "3..5", &RESUME);
    assert_eq!(comparison(&lab, "3..9", &RESUME), whole);
    // Everything is done: nothing is left to run, and the report is the same.
    assert_eq!(comparison(&lab, "3..9", &RESUME), whole);
}

#[test]
fn a_state_of_another_comparison_is_refused() {
    let lab = Lab::new();
    comparison(&lab, "0..3", &RESUME);
    let state = lab.read("state.json");
    let refused = |arguments: &[&str], part: &str| {
        let ended = lab.run(&[&["compare"], arguments, &RESUME].concat());
        assert_eq!(ended.code, 2, "{part}: {}", ended.stderr);
        let begin = "rebound: cannot resume from state.json: ";
        assert!(ended.stderr.starts_with(begin), "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    };
    let with = |seeds| [&[SLOW, CLEAN, "--seeds", seeds], &PAIR[..]].concat();
    refused(
        &[&[SLOW, "--seeds", "0..3"], &PAIR[..]].concat(),
        "of scenarios",
    );
    refused(
        &[SLOW, CLEAN, "--seeds", "0..3"],
        "of behaviours 8.0.0-rc1,merged",
    );
    refused(
        &with("1..9"),
        "of seeds 0..3, this comparison is of seeds 1..9",
    );
    refused(&with("0..2"), "of seeds 0..3");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other: Value = serde_json::from_str(&state).expect("JSON");
        change(&mut other);
        lab.write("state.json", &other.to_string());
    };
    changed(&|state| state["witness"]["trace_hash"] = Value::from("0".repeat(32)));
    refused(&with("0..3"), "another build");
    changed(&|state| state["scenarios"][0]["scenario_hash"] = Value::from("0".repeat(32)));
    refused(&with("0..3"), "of scenario hashes");
    let verdicts = "/scenarios/0/figures/columns/1/verdicts/clean";
    changed(&|state| *state.pointer_mut(verdicts).expect("there") = Value::from(7));
    refused(&with("0..3"), "do not agree");
}

/// However a comparison is stopped, it goes on from there to the same report.
#[cfg(unix)]
#[test]
fn an_interrupted_comparison_can_go_on() {
    let lab = Lab::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rebound"));
    command.current_dir(lab.path(""));
    command.args(["compare", CLEAN, "--seeds", "0..1000000", "--jobs", "1"]);
    command.args(PAIR).args(RESUME);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("a program to run");
    let verdicts = |state: &Value| {
        let verdicts = &state["scenarios"][0]["figures"]["columns"][0]["verdicts"];
        ["clean", "flagged"].map(|verdict| verdicts[verdict].as_u64().expect("a number"))
    };
    let state = || -> Value { serde_json::from_str(&lab.read("state.json")).expect("JSON") };
    wait_until("seeds are kept", || {
        lab.path("state.json").is_file() && verdicts(&state()) != [0, 0]
    });
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill").success());
    let ended = child.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(
        said.contains("the same command continues from there"),
        "{said}"
    );
    assert!(ended.stdout.is_empty(), "half a comparison is none");
    let done: u64 = verdicts(&state()).iter().sum();
    assert!(done > 0);
    let seeds = format!("0..{}", done + 2);
    let arguments = ["compare", CLEAN, "--seeds", &seeds];
    let whole = lab.json(&[&arguments[..], &PAIR].concat());
    assert_eq!(lab.json(&[&arguments[..], &PAIR, &RESUME].concat()), whole);
}

#[test]
fn stale_reads_are_counted_whether_or_not_the_check_is_on() {
    let lab = Lab::new();
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/stale-reads.json");
    let text = std::fs::read_to_string(own).expect("a scenario");
    lab.write("shown.json", &text);
    let (code, run) = lab.json(&[
        "run",
        "shown.json",
        "--seed",
        "2",
        "--behaviour",
        "combined",
    ]);
    assert_eq!(code, 1);
    let found = run["findings_total"]["stale-read"].clone();
    assert!(found.as_u64() > Some(0), "{run}");
    let quiet = text.replace(r#""stale-read": {"enabled": true}"#, r#""stale-read": {}"#);
    assert_ne!(quiet, text);
    // The check is expected of nobody any more.
    let mut quiet: Value = serde_json::from_str(&quiet).expect("JSON");
    quiet["expect"] = Value::Array(Vec::new());
    lab.write("quiet.json", &quiet.to_string());
    for scenario in ["shown.json", "quiet.json"] {
        let pair = ["--behaviours", "combined,8.0.1"];
        let arguments = ["compare", scenario, "--seeds", "2..3"];
        let (_, report) = lab.json(&[&arguments[..], &pair].concat());
        let columns = &report["scenarios"][0]["behaviours"];
        let figure = |index: usize, name: &str| columns[index]["figures"][name]["max"].clone();
        assert_eq!(figure(0, "stale-reads"), found, "{scenario}");
        assert_eq!(figure(0, "runs-with-stale-reads"), 1);
        assert_eq!(figure(1, "stale-reads"), 0);
    }
}

#[test]
fn quiet_prints_the_verdicts_alone() {
    let lab = Lab::new();
    let arguments = ["compare", SLOW, "--seeds", "0..2", "--quiet"];
    let ended = lab.run(&[&arguments[..], &PAIR].concat());
    assert_eq!(
        ended.stdout,
        "handover-slow under 8.0.0-rc1, seeds 0..2: 0 clean, 2 flagged (100%: seeds 0, 1), 0 inconclusive\n\
         handover-slow under merged, seeds 0..2: 2 clean, 0 flagged (0%), 0 inconclusive\n"
    );
}
