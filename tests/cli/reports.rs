//! `rebound report`: pages of what other commands wrote, and of what it runs itself.

use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CLEAN, Lab, SLOW};

/// JSON of a command in a file.
fn written(lab: &Lab, name: &str, arguments: &[&str]) -> Value {
    let (_, value) = lab.json(arguments);
    lab.write(name, &value.to_string());
    value
}

#[test]
fn every_kind_has_a_page_at_its_default_place() {
    let lab = Lab::new();
    written(&lab, "run.json", &["run", SLOW]);
    written(&lab, "sweep.json", &["sweep", SLOW, "--seeds", "0..3"]);
    let behaviours = [
        "compare",
        SLOW,
        "--seeds",
        "0..2",
        "--behaviours",
        "8.0.0-rc1,8.0.1",
    ];
    written(&lab, "compare.json", &behaviours);
    written(&lab, "check.json", &["check", "--seeds-per-scenario", "1"]);
    for (file, page, part) in [
        (
            "run.json",
            "handover-slow-8.0.0-rc1-seed-1.html",
            "<h2 id=\"findings\">Findings</h2>",
        ),
        (
            "sweep.json",
            "handover-slow-8.0.0-rc1-seeds-0-3.html",
            "3 of 3 seeds done",
        ),
        (
            "compare.json",
            "handover-slow-comparison-seeds-0-2.html",
            "Difference from 8.0.0-rc1",
        ),
        ("check.json", "check.html", "every run clean"),
    ] {
        let ended = lab.run(&["report", file]);
        let index = format!("reports/out/{page}");
        assert_eq!(
            (ended.code, ended.stdout, ended.stderr),
            (0, format!("wrote {index}\n"), String::new()),
            "{file}"
        );
        let html = lab.read(&index);
        assert!(html.starts_with("<!doctype html>"), "{file}");
        assert!(html.ends_with("</html>\n"), "{file}");
        assert!(html.contains(part), "{file}: no \"{part}\"");
        for foreign in ["src=", "<link", "@import", "url(", "fetch("] {
            assert!(!html.contains(foreign), "{file}: {foreign}");
        }
    }
}

#[test]
fn what_it_runs_itself_is_what_the_other_commands_give() {
    let lab = Lab::new();
    written(
        &lab,
        "sweep.json",
        &["sweep", SLOW, "--seeds", "0..3", "--detail"],
    );
    let (code, said) = lab.json(&["report", SLOW, "--seeds", "0..3", "--out", "own.html"]);
    assert_eq!(code, 0);
    assert_eq!(
        said,
        serde_json::json!({"schema": "rebound.report/1", "kind": "sweep", "path": "own.html"})
    );
    lab.run(&["report", "sweep.json", "--out", "theirs.html"]);
    // Nothing but the speed may differ.
    let lines = |name| -> Vec<String> {
        let html = lab.read(name);
        let lines = html.lines().filter(|line| !line.contains("<dt>throughput"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(lines("own.html"), lines("theirs.html"));
    assert!(lab.read("own.html").contains("id=\"heat\""));

    let ended = lab.run(&[
        "report",
        SLOW,
        CLEAN,
        "--seeds",
        "0..2",
        "--behaviours",
        "merged,8.0.1",
    ]);
    assert_eq!(
        ended.stdout, "wrote reports/out/comparison-seeds-0-2.html\n",
        "{}",
        ended.stderr
    );
    let ended = lab.run(&[
        "report",
        SLOW,
        "--seed",
        "7",
        "--behaviour",
        "merged",
        "--quiet",
    ]);
    assert_eq!(
        ended.stdout, "reports/out/handover-slow-merged-seed-7.html\n",
        "{}",
        ended.stderr
    );
}

#[test]
fn standard_input_is_read() {
    let lab = Lab::new();
    let ended = lab.shell(&format!(
        "rebound sweep {SLOW} --seeds 0..2 --format json | rebound report - --out page.html"
    ));
    assert_eq!(
        (ended.code, &*ended.stdout),
        (0, "wrote page.html\n"),
        "{}",
        ended.stderr
    );
    assert!(lab.read("page.html").contains("2 of 2 seeds done"));
    let ended = lab.shell(&format!("rebound report - < {SLOW}"));
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .stderr
            .contains("standard input has a scenario: name its file")
    );
}

/// Reports of builds that knew neither detail nor courses nor paths are still read.
#[test]
fn earlier_reports_are_still_read() {
    let lab = Lab::new();
    let (_, mut sweep) = lab.json(&["sweep", SLOW, "--seeds", "0..2"]);
    sweep
        .as_object_mut()
        .expect("an object")
        .remove("scenario_path");
    lab.write("sweep.json", &sweep.to_string());
    let behaviours = [
        "compare",
        SLOW,
        "--seeds",
        "0..2",
        "--behaviours",
        "8.0.0-rc1,8.0.1",
    ];
    let (_, mut compare) = lab.json(&behaviours);
    let scenario = &mut compare["scenarios"][0];
    scenario
        .as_object_mut()
        .expect("an object")
        .remove("scenario_path");
    for column in scenario["behaviours"].as_array_mut().expect("a list") {
        column.as_object_mut().expect("an object").remove("course");
    }
    lab.write("compare.json", &compare.to_string());
    for (file, part) in [
        (
            "sweep.json",
            "rebound report handover-slow.json --seeds 0..2",
        ),
        ("compare.json", "has no times of events"),
    ] {
        let ended = lab.run(&["report", file, "--out", "page.html"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(lab.read("page.html").contains(part), "{file}");
    }
}

#[test]
fn names_in_a_report_cannot_become_markup_or_lead_elsewhere() {
    let lab = Lab::new();
    let (_, mut sweep) = lab.json(&["sweep", SLOW, "--seeds", "0..2"]);
    sweep["scenario"] = "../<script>alert(1)</script>".into();
    sweep["scenario_path"] = "a\"><script>alert(2)</script>".into();
    lab.write("sweep.json", &sweep.to_string());
    let ended = lab.run(&["report", "sweep.json"]);
    let path = "reports/out/-script-alert-1---script--8.0.0-rc1-seeds-0-2.html";
    let path = path.replacen("/-script", "/script", 1);
    assert_eq!(ended.stdout, format!("wrote {path}\n"), "{}", ended.stderr);
    assert!(!lab.read(&path).contains("<script>alert"));
}

#[test]
fn bad_input_is_named() {
    let lab = Lab::new();
    let (_, sweep) = lab.json(&["sweep", CLEAN, "--seeds", "0..2"]);
    let text = sweep.to_string();
    lab.write("sweep.json", &text);
    lab.write("cut.json", &text[..text.len() / 2]);
    lab.write(
        "newer.json",
        &text.replace("rebound.sweep/1", "rebound.sweep/2"),
    );
    lab.write(
        "older.json",
        &text.replace("rebound.sweep/1", "rebound.sweep/0"),
    );
    lab.write(
        "near.json",
        &text.replace("rebound.sweep/1", "rebound.sweeps/1"),
    );
    lab.write("wrong.json", &text.replace("\"events\":", "\"event\":"));
    lab.write("empty.json", "");
    lab.write("text.json", "nonsense");
    lab.write("broken.json", "{\"nodes\": 7}");
    lab.write(
        "regressions.json",
        "{\"schema\":\"rebound.regressions/1\",\"regressions\":[]}",
    );
    lab.write(
        "replay.jsonl",
        &lab.run(&[
            "replay", SLOW, "--seed", "1", "--limit", "5", "--format", "json",
        ])
        .stdout,
    );
    lab.write("conform.json", "{\"schema\":\"rebound.conform/1\"}");
    for (arguments, part) in [
        (&["none.json"][..], "cannot read none.json"),
        (&["empty.json"], "empty.json is empty"),
        (&["text.json"], "text.json is not JSON"),
        (
            &["cut.json"],
            "cut.json ends in the middle, at line 1, column",
        ),
        (
            &["newer.json"],
            "\"rebound.sweep/2\", which is of a newer Rebound",
        ),
        (
            &["older.json"],
            "\"rebound.sweep/0\", which is older than this Rebound",
        ),
        (
            &["near.json"],
            "\"rebound.sweeps/1\" (nearest: \"rebound.sweep/1\")",
        ),
        (
            &["wrong.json"],
            "says that it is \"rebound.sweep/1\" and is not: unknown field `event`",
        ),
        (&["regressions.json"], "is a file of regression seeds"),
        (&["replay.jsonl"], "is the output of replay"),
        (&["conform.json"], "is the output of conform"),
        (&["broken.json"], "broken.json"),
        (
            &["sweep.json", "--seeds", "0..2"],
            "--seeds says how to run a scenario",
        ),
        (
            &["sweep.json", "--behaviour", "8.0.1"],
            "--behaviour says how to run a scenario",
        ),
        (
            &["sweep.json", SLOW],
            "sweep.json is a report: expected only one report",
        ),
        (
            &[SLOW, CLEAN],
            "several scenarios make a comparison: expected --seeds",
        ),
        (
            &[SLOW, CLEAN, "--seeds", "0..2", "--behaviour", "8.0.1"],
            "expected --behaviours 8.0.1,…",
        ),
        (&[SLOW, "--behaviours", "8.0.1,merged"], "--seeds"),
        (
            &[SLOW, "--seed", "1", "--seeds", "0..2"],
            "cannot be used with",
        ),
        (
            &[SLOW, "--behaviour", "8.0.2"],
            "no behaviour \"8.0.2\" (nearest",
        ),
        (
            &["sweep.json", "--out", "no/page.html"],
            "cannot write no/page.html",
        ),
        (
            &["sweep.json", "--out", "scenarios"],
            "cannot write scenarios: it is a folder",
        ),
    ] {
        let ended = lab.run(&[&["report"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(
            ended.stderr.starts_with("rebound: "),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains(part),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    assert!(!lab.path("reports").exists(), "a page was begun");
}

#[test]
fn a_sweep_with_detail_is_the_same_for_any_number_of_threads_and_sittings() {
    let lab = Lab::new();
    let detail = |arguments: &[&str]| {
        let (_, value) = lab.json(&[&["sweep", SLOW, "--detail"], arguments].concat());
        assert_valid(&lab, "sweep", &value);
        assert!(value["detail"]["redirects"]["rows"].is_array());
        value["detail"].clone()
    };
    let whole = detail(&["--seeds", "0..70", "--jobs", "1"]);
    assert_eq!(whole, detail(&["--seeds", "0..70", "--jobs", "3"]));
    detail(&["--seeds", "0..20", "--resume", "state"]);
    assert_eq!(whole, detail(&["--seeds", "0..70", "--resume", "state"]));
    let ended = lab.run(&["sweep", SLOW, "--seeds", "0..80", "--resume", "state"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("it was begun with --detail"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_folder_of_scenarios_is_checked() {
    let lab = Lab::new();
    let ended = lab.run(&["report", "scenarios", "--seeds", "0..2", "--quiet"]);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (0, "reports/out/check.html\n"),
        "{}",
        ended.stderr
    );
    let html = lab.read("reports/out/check.html");
    assert!(html.contains("seeds 0..2") && html.contains("every run clean"));
    for (arguments, part) in [
        (
            &["scenarios", SLOW][..],
            "is a folder, whose scenarios are checked: expected no other input",
        ),
        (
            &["scenarios", "--seeds", "3..5"],
            "expected --seeds 0..5, found 3..5",
        ),
        (
            &["scenarios", "--behaviour", "8.0.1"],
            "--behaviour applies to a scenario",
        ),
    ] {
        let ended = lab.run(&[&["report"], arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(
            ended.stderr.contains(part),
            "{arguments:?}: {}",
            ended.stderr
        );
    }
    lab.write("empty/readme.txt", "");
    let ended = lab.run(&["report", "empty"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
}
