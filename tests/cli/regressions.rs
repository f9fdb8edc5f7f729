//! `rebound check`: expectations, regression seeds, and blessing them.

use serde_json::{Value, json};

use crate::commands::assert_valid;
use crate::program::{CANARY, Lab};

#[test]
fn every_expectation_is_one_item() {
    let lab = Lab::new();
    let arguments = ["check", "--seeds-per-scenario", "2"];
    let (code, report) = lab.json(&arguments);
    assert_valid(&lab, "check", &report);
    assert_eq!((code, &report["totals"]["failed"]), (0, &json!(0)));
    let items = report["items"].as_array().expect("a list");
    let of = |name: &str| {
        let named = |item: &&Value| item["scenario"].as_str().is_some_and(|s| s.contains(name));
        items.iter().filter(named).count()
    };
    assert_eq!(
        (of("canary"), of("clean-failover"), of("handover-slow")),
        (12, 7, 11)
    );
    let jobs = |n| lab.json(&[&arguments[..], &["--jobs", n]].concat());
    assert_eq!(jobs("1"), jobs("3"));
    let text = lab.run(&arguments);
    assert_eq!(text.code, code);
    for item in items {
        assert_eq!(item["kind"], "expectation");
        assert!(
            text.stdout
                .contains(item["expected"].as_str().expect("words"))
        );
        assert_eq!(item["replay"].is_null(), item["outcome"] == "passed");
    }
}

/// A folder `kept` with nothing but one regression seed, of what a run gives now.
fn with_regression(lab: &Lab, change: impl Fn(&mut Value)) {
    let (_, run) = lab.json(&["run", CANARY, "--seed", "7"]);
    let findings = run["findings_total"].as_object().expect("counts");
    let mut entry = json!({
        "scenario": format!("../{CANARY}"),
        "behaviour": run["behaviour"],
        "seed": "7",
        "verdict": run["verdict"],
        "findings": findings.keys().collect::<Vec<_>>(),
        "trace_hash": run["trace_hash"],
        "note": "a test"
    });
    change(&mut entry);
    let file = json!({ "schema": "rebound.regressions/1", "regressions": [entry] });
    assert_valid(lab, "regressions", &file);
    lab.write("kept/regressions.json", &file.to_string());
}

#[test]
fn a_regression_passes_drifts_or_fails() {
    let lab = Lab::new();
    let check = ["check", "--scenarios", "kept"];
    with_regression(&lab, |_| {});
    let (code, report) = lab.json(&check);
    assert_eq!((code, &report["totals"]["passed"]), (0, &json!(1)));
    with_regression(&lab, |entry| entry["trace_hash"] = json!("0".repeat(32)));
    let (code, report) = lab.json(&check);
    assert_eq!(
        (code, &report["items"][0]["outcome"]),
        (6, &json!("drifted"))
    );
    with_regression(&lab, |entry| entry["verdict"] = json!("inconclusive"));
    let (code, report) = lab.json(&check);
    assert_eq!(
        (code, &report["items"][0]["outcome"]),
        (1, &json!("failed"))
    );
    let text = lab.run(&check);
    assert!(
        text.stdout.contains("replay  rebound replay"),
        "{}",
        text.stdout
    );
}

#[test]
fn blessing_makes_a_drifted_regression_pass() {
    let lab = Lab::new();
    with_regression(&lab, |entry| entry["trace_hash"] = json!(""));
    let blessed = lab.run(&["check", "--scenarios", "kept", "--bless"]);
    assert_eq!(blessed.code, 0);
    assert!(blessed.stderr.contains("blessed"), "{}", blessed.stderr);
    let before = lab.read("kept/regressions.json");
    assert_eq!(lab.json(&["check", "--scenarios", "kept"]).0, 0);
    let again = lab.run(&["check", "--scenarios", "kept", "--bless"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, ""));
    assert_eq!(lab.read("kept/regressions.json"), before);
}

/// An expectation that does not hold is a failure that names the seed to look at.
#[test]
fn a_broken_expectation_is_shown() {
    let lab = Lab::new();
    let mut scenario: Value = serde_json::from_str(&lab.read(CANARY)).expect("JSON");
    scenario["expect"] = json!([{"behaviours": ["8.0.1"], "verdict": "clean"}]);
    lab.write("kept/broken.json", &scenario.to_string());
    let ended = lab.run(&["check", "--scenarios", "kept", "--seeds-per-scenario", "2"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    let out = &ended.stdout;
    assert!(out.starts_with("FAILED   kept/broken.json under 8.0.1, seeds 0..2: every run clean"));
    assert!(out.contains("2 of 2 runs flagged, longest chain "), "{out}");
    assert!(
        out.contains("rebound replay kept/broken.json --seed 0 --behaviour 8.0.1"),
        "{out}"
    );
    assert!(out.ends_with("0 passed, 0 drifted, 1 failed\n"), "{out}");
}

#[test]
fn nothing_to_check_is_not_a_success() {
    let lab = Lab::new();
    lab.write("empty/readme.txt", "");
    let ended = lab.run(&["check", "--scenarios", "empty"]);
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.starts_with("rebound: nothing to check"));
}

#[test]
fn a_broken_regression_file_is_an_error() {
    let lab = Lab::new();
    for (text, part) in [
        ("{}", "not a file of regression seeds"),
        (
            r#"{"schema":"x","regressions":[]}"#,
            "expected \"rebound.regressions/1\"",
        ),
    ] {
        lab.write("kept/regressions.json", text);
        let ended = lab.run(&["check", "--scenarios", "kept"]);
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}
