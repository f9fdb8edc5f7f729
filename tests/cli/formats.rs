//! The formats of build servers: JUnit XML, SARIF, summaries and annotations.

use serde_json::{Value, json};

use crate::program::{CANARY, CLEAN, Ended, Lab};
use crate::validators::{junit, sarif};

/// Every format at once.
const ALL: [&str; 7] = [
    "--junit",
    "j.xml",
    "--sarif",
    "s.json",
    "--summary",
    "m.md",
    "--annotations",
];

/// A scenario whose expectation of 8.0.1 fails in line 4 and whose other one holds; clients
/// bounce under both.
fn failing(lab: &Lab, file: &str) {
    let mut scenario: Value = serde_json::from_str(&lab.read(CANARY)).expect("JSON");
    let fields = scenario.as_object_mut().expect("an object");
    fields.remove("expect");
    fields.remove("name");
    let rest = scenario.to_string();
    let text = format!(
        "{{\n\"name\": \"broken\",\n\"expect\": [\n  {{\"behaviours\": [\"8.0.1\"], \"verdict\": \"clean\"}},\n  \
         {{\"behaviours\": [\"8.0.0-rc1\"], \"verdict\": \"flagged\"}}\n],\n{}",
        &rest[1..]
    );
    lab.write(file, &text);
}

/// A folder `kept` with a scenario that fails, and two regression seeds of it: one that passes
/// or is broken in line 4, and one that has drifted in line 5.
fn kept(lab: &Lab, verdict: &str) {
    failing(lab, "kept/broken.json");
    let entry = |seed: &str, verdict: &str| {
        let (_, run) = lab.json(&[
            "run",
            "kept/broken.json",
            "--behaviour",
            "8.0.1",
            "--seed",
            seed,
        ]);
        let findings = run["findings_total"].as_object().expect("counts");
        let hash = match seed {
            "7" => run["trace_hash"].clone(),
            _ => json!("0".repeat(32)),
        };
        json!({
            "scenario": "broken.json", "behaviour": "8.0.1", "seed": seed, "verdict": verdict,
            "findings": findings.keys().collect::<Vec<_>>(), "trace_hash": hash, "note": "a test"
        })
    };
    let file = format!(
        "{{\"schema\": \"rebound.regressions/1\",\n\"regressions\":\n[\n{},\n{}\n]}}",
        entry("7", verdict),
        entry("8", "flagged")
    );
    lab.write("kept/regressions.json", &file);
}

fn check(lab: &Lab, more: &[&str]) -> Ended {
    let check = ["check", "--scenarios", "kept", "--seeds-per-scenario", "2"];
    lab.run(&[&check[..], &ALL, more].concat())
}

fn sweep(lab: &Lab, scenario: &str, seeds: &str, more: &[&str]) -> Ended {
    lab.run(&[&["sweep", scenario, "--seeds", seeds], &ALL[..], more].concat())
}

/// The rule, level, file and line of each result.
fn places(results: &[Value]) -> Vec<(String, String, String, u64)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    results
        .iter()
        .map(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            (
                text(&result["ruleId"]),
                text(&result["level"]),
                text(&place["artifactLocation"]["uri"]),
                place["region"]["startLine"].as_u64().expect("a line"),
            )
        })
        .collect()
}

fn place(rule: &str, level: &str, file: &str, line: u64) -> (String, String, String, u64) {
    (rule.to_owned(), level.to_owned(), file.to_owned(), line)
}

/// What failed, drifted and passed stands in every format, with the line where it is written.
#[test]
fn a_check_is_told_in_every_format() {
    let lab = Lab::new();
    kept(&lab, "inconclusive");
    let ended = check(&lab, &["--format", "json"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    assert_eq!(
        report["totals"],
        json!({"passed": 1, "drifted": 1, "failed": 2})
    );

    let suites = junit(&lab.read("j.xml"));
    assert_eq!((suites.tests, suites.failures, suites.errors), (4, 3, 0));
    let cases = &suites.suites[0].cases;
    let names: Vec<_> = cases.iter().map(|case| &*case.original_name).collect();
    assert_eq!(
        names,
        [
            "regression seed 7 under 8.0.1",
            "regression seed 8 under 8.0.1",
            "expectation under 8.0.1",
            "expectation under 8.0.0-rc1"
        ]
    );
    assert!(cases[3].status.is_success());
    let failure = cases[2].status.failure_as_ref();
    assert_eq!(failure.failure_type, "failed");
    for part in [
        "at        kept/broken.json:4",
        "every run clean",
        "2 of 2 runs flagged",
        "rebound replay kept/broken.json --seed 0 --behaviour 8.0.1",
    ] {
        assert!(failure.text.contains(part), "{part}: {}", failure.text);
    }
    assert_eq!(cases[1].status.failure_as_ref().failure_type, "drifted");

    let results = sarif(&lab.read("s.json"));
    assert_eq!(
        places(&results),
        [
            place("regression", "error", "kept/regressions.json", 4),
            place("drift", "warning", "kept/regressions.json", 5),
            place("expectation", "error", "kept/broken.json", 4),
        ]
    );
    assert_eq!(results[1]["properties"]["seed"], "8");
    assert_eq!(results[1]["properties"]["behaviour"], "8.0.1");
    let replay = results[2]["properties"]["replay"].as_str().expect("a line");
    assert_eq!(report["items"][2]["replay"], replay);

    let told: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(told.len(), 3, "{}", ended.stderr);
    for (line, start) in told.iter().zip([
        "::error file=kept/regressions.json,line=4,col=1,title=regression%3A kept/broken.json under 8.0.1%2C seed 7::",
        "::error file=kept/broken.json,line=4,col=3,title=expectation%3A kept/broken.json under 8.0.1%2C seeds 0..2::",
        "::warning file=kept/regressions.json,line=5,col=1,title=drift%3A kept/broken.json under 8.0.1%2C seed 8::",
    ]) {
        assert!(line.starts_with(start), "{line}");
        assert!(line.contains("%0Arebound replay kept/broken.json --seed "), "{line}");
    }

    let summary = lab.read("m.md");
    for part in [
        "## rebound check: 1 passed, 1 drifted, 2 failed\n",
        "| **drifted** | regression seed 8 under 8.0.1 | kept/regressions.json:5 |",
        "| **failed** | expectation under 8.0.1, seeds 0..2 | kept/broken.json:4 | every run clean |",
        "```console\nrebound replay kept/broken.json --seed 7 --behaviour 8.0.1\n",
        "| kept/broken.json | 1 | 1 | 2 | 0 | 0 |",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

/// The formats depend on the files alone, and a result keeps its fingerprint when it moves.
#[test]
fn formats_are_the_same_for_any_number_of_threads() {
    let lab = Lab::new();
    kept(&lab, "flagged");
    let all = |jobs: &str| {
        let ended = check(&lab, &["--jobs", jobs]);
        assert_eq!(ended.code, 1);
        let files = ["j.xml", "s.json", "m.md"].map(|file| lab.read(file));
        (files, ended.stderr)
    };
    let first = all("1");
    assert_eq!(all("3"), first);
    let prints = |log: &str| -> Vec<Value> {
        let results = sarif(log);
        results
            .iter()
            .map(|result| result["partialFingerprints"].clone())
            .collect()
    };
    let moved = lab.read("kept/broken.json").replacen("{\n", "{\n\n\n", 1);
    lab.write("kept/broken.json", &moved);
    let (files, _) = all("2");
    assert_ne!(files[1], first.0[1]);
    assert_eq!(prints(&files[1]), prints(&first.0[1]));
}

#[test]
fn what_passes_is_told_without_a_result() {
    let lab = Lab::new();
    kept(&lab, "flagged");
    let ended = check(&lab, &["--bless"]);
    assert_eq!(ended.code, 1);
    let passed = junit(&lab.read("j.xml"));
    assert_eq!((passed.tests, passed.failures), (4, 1));
    let ended = sweep(&lab, CLEAN, "0..3", &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let suites = junit(&lab.read("j.xml"));
    assert_eq!((suites.failures, suites.errors), (0, 0));
    let cases = suites.suites[0].cases.iter();
    let names: Vec<_> = cases.map(|case| &*case.original_name).collect();
    assert!(names.contains(&"lost-write under 8.0.1"), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("stale-read")));
    assert_eq!(names.last(), Some(&"verdict under 8.0.1"));
    assert!(sarif(&lab.read("s.json")).is_empty());
    assert!(
        lab.read("m.md")
            .starts_with("## rebound sweep: clean-failover under 8.0.1, seeds 0..3: clean\n")
    );
}

#[test]
fn a_flagged_sweep_names_its_checks_and_its_worst_seeds() {
    let lab = Lab::new();
    let ended = sweep(&lab, CANARY, "0..4", &["--format", "json"]);
    assert_eq!(ended.code, 1);
    let report: Value = serde_json::from_str(&ended.stdout).expect("one JSON object");
    let worst = &report["worst_seeds"][0];
    let (seed, chain) = (worst["seed"].as_str().expect("a seed"), &worst["max_chain"]);
    let replay = format!("rebound replay {CANARY} --seed {seed} --behaviour 8.0.0-rc1");
    let suites = junit(&lab.read("j.xml"));
    let failed = |name: &str| {
        let named = |case: &&junit_parser::TestCase| case.original_name == name;
        let case = suites.suites[0].cases.iter().find(named);
        case.expect("a case").status.failure_as_ref().text.clone()
    };
    for name in ["bounce under 8.0.0-rc1", "verdict under 8.0.0-rc1"] {
        let text = failed(name);
        assert!(text.contains(&replay), "{text}");
        assert!(
            text.contains(&format!("worst     {seed} ({chain})")),
            "{text}"
        );
    }
    let results = sarif(&lab.read("s.json"));
    let found = report["findings"].as_object().expect("findings");
    assert_eq!(results.len(), found.len());
    for result in places(&results) {
        assert_eq!(result, place(&result.0, "error", CANARY, 1));
        assert!(found.contains_key(&result.0));
    }
    let summary = lab.read("m.md");
    let digest = report["digest"].as_str().expect("a digest");
    assert!(
        summary.contains(&format!("| digest | {digest} |")),
        "{summary}"
    );
    assert!(!summary.contains("seeds/s"), "{summary}");
    assert_eq!(ended.stderr.lines().count(), results.len());
}

/// An interrupted sweep is written down as what it is.
#[test]
fn a_sweep_that_is_stopped_is_inconclusive_in_every_format() {
    let lab = Lab::new();
    let ended = sweep(&lab, CLEAN, "0..100000000", &["--max-time", "200ms"]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    let suites = junit(&lab.read("j.xml"));
    assert_eq!((suites.failures, suites.errors), (0, 1));
    let results = sarif(&lab.read("s.json"));
    assert_eq!(
        places(&results),
        [place("inconclusive", "warning", CLEAN, 1)]
    );
    assert!(
        ended.stderr.starts_with("::warning file="),
        "{}",
        ended.stderr
    );
    assert!(lab.read("m.md").contains("stopped early"));
}

/// Every scenario that cannot be loaded is reported, at the line of its mistake.
#[test]
fn files_that_are_no_good_are_told_with_their_lines() {
    let lab = Lab::new();
    kept(&lab, "flagged");
    lab.write("kept/a.json", "{\n\"name\": \"a\",\n\"nodes\": 5\n}");
    lab.write(
        "kept/b.json",
        "{\n\"name\": \"b\",\n\"nodes\": [{\"name\": \"n\", \"replica_of\": \"m\"}]\n}",
    );
    let regressions = lab.read("kept/regressions.json");
    let regressions = regressions
        .replace("\"7\"", "\"seven\"")
        .replacen("8.0.1", "8.0.2", 1);
    lab.write("kept/regressions.json", &regressions);
    let ended = check(&lab, &[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    assert_eq!(
        ended.stderr.matches("rebound: ").count(),
        1,
        "{}",
        ended.stderr
    );
    let results = sarif(&lab.read("s.json"));
    assert_eq!(
        places(&results),
        [
            place("file", "error", "kept/regressions.json", 4),
            place("file", "error", "kept/regressions.json", 4),
            place("file", "error", "kept/a.json", 3),
            place("file", "error", "kept/b.json", 3),
        ]
    );
    let suites = junit(&lab.read("j.xml"));
    assert_eq!((suites.tests, suites.errors), (4, 4));
    assert!(lab.read("m.md").contains("kept/b.json:3"));
    assert!(
        ended.stderr.contains("::error file=kept/a.json,line=3,"),
        "{}",
        ended.stderr
    );

    let ended = sweep(&lab, "kept/a.json", "0..3", &[]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        places(&sarif(&lab.read("s.json"))),
        [place("file", "error", "kept/a.json", 3)]
    );
    let ended = sweep(&lab, CLEAN, "0..3", &["--behaviour", "8.0.2"]);
    assert_eq!(ended.code, 2);
    assert_eq!(
        places(&sarif(&lab.read("s.json"))),
        [place("command", "error", CLEAN, 1)]
    );
}

/// Names may hold anything that a file's name may hold.
#[cfg(unix)]
#[test]
fn odd_names_break_no_format() {
    let lab = Lab::new();
    let name = "a|b <i>&amp;'\"]]>`c` *d* %0A,:\n::error::x\u{1}\u{1b}[31m\u{ffff}ä.json";
    failing(&lab, &format!("kept/{name}"));
    let ended = check(&lab, &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let seen = "kept/a|b <i>&amp;'\"]]>`c` *d* %0A,:\\n::error::x\\u{1}\\u{1b}[31m\\u{ffff}ä.json";
    let suites = junit(&lab.read("j.xml"));
    assert_eq!(suites.suites[0].name, seen);
    let results = sarif(&lab.read("s.json"));
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "kept/a%7Cb%20%3Ci%3E%26amp%3B%27%22%5D%5D%3E%60c%60%20%2Ad%2A%20%250A%2C%3A%0A%3A%3Aerror\
         %3A%3Ax%01%1B%5B31m%EF%BF%BF%C3%A4.json"
    );
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    assert!(
        !ended.stdout.contains("\n::"),
        "a command for the runner: {}",
        ended.stdout
    );
    let replay = results[0]["properties"]["replay"].as_str().expect("a line");
    let told = lab.shell(replay);
    assert_eq!(told.code, 1, "{replay}: {}", told.stderr);
    assert!(
        lines[0].contains("*d* %250A%2C%3A%0A%3A%3Aerror%3A%3Ax"),
        "{}",
        lines[0]
    );
    assert_tables_are_whole(&lab.read("m.md"));
    let path = format!("kept/{name}");
    let ended = sweep(&lab, &path, "0..2", &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    junit(&lab.read("j.xml"));
    sarif(&lab.read("s.json"));
    assert_tables_are_whole(&lab.read("m.md"));
    assert!(
        ended
            .stderr
            .lines()
            .all(|line| line.starts_with("::error file="))
    );
}

/// Asserts that each table has rows of one length, and that no text became HTML.
fn assert_tables_are_whole(summary: &str) {
    let mut width = None;
    for line in summary.lines() {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        let cells = line.matches('|').count();
        assert_eq!(*width.get_or_insert(cells), cells, "{summary}");
    }
    // In a block of code it is none.
    let odd = summary.lines().find(|line| line.contains("<i>"));
    assert!(
        odd.is_none_or(|line| line.starts_with("rebound replay ")),
        "{summary}"
    );
}

#[test]
fn nothing_to_check_is_told() {
    let lab = Lab::new();
    lab.write("kept/readme.txt", "");
    assert_eq!(check(&lab, &[]).code, 4);
    assert_eq!(junit(&lab.read("j.xml")).errors, 1);
    assert_eq!(sarif(&lab.read("s.json")).len(), 1);
}

/// More than GitHub shows of a kind are summed up by the last.
#[test]
fn many_annotations_end_with_a_sum() {
    let lab = Lab::new();
    for n in 0..12 {
        failing(&lab, &format!("kept/{n:02}.json"));
    }
    let ended = lab.run(&[
        "check",
        "--scenarios",
        "kept",
        "--seeds-per-scenario",
        "1",
        "--annotations",
    ]);
    assert_eq!(ended.code, 1);
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(
        lines[9],
        "::error title=rebound check::3 more of 12 are not shown here: see the log"
    );
}

/// What cannot be written is refused before anything runs, and nothing else is written.
#[test]
fn outputs_that_cannot_be_written_are_refused_at_once() {
    let lab = Lab::new();
    lab.write("kept/broken.json", "{");
    for (options, message) in [
        (&["--junit", "no/j.xml"][..], "cannot write no/j.xml: "),
        (&["--sarif", "kept"], "cannot write kept: it is a folder"),
        (&["--summary", "no/m.md"], "cannot write no/m.md: "),
        (
            &["--junit", "./x", "--sarif", "x"],
            "--junit and --sarif both name x: expected a file for each",
        ),
    ] {
        for command in [
            &["check", "--scenarios", "kept"][..],
            &["sweep", "kept/broken.json", "--seeds", "0..3"],
        ] {
            let first = ["--sarif", "first.json"];
            let first = if options.contains(&"--sarif") {
                &[][..]
            } else {
                &first
            };
            let ended = lab.run(&[command, first, options].concat());
            assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
            let expected = format!("rebound: {message}");
            assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
            assert!(!lab.path("first.json").exists() && !lab.path("x").exists());
        }
    }
    let compare = [
        "compare",
        "kept/broken.json",
        "--seeds",
        "0..3",
        "--summary",
        "no/m.md",
    ];
    let ended = lab.run(&compare);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("cannot write no/m.md"),
        "{}",
        ended.stderr
    );
}

/// The file that GitHub collects summaries in is appended to; any other is replaced.
#[test]
fn a_step_summary_is_appended() {
    let lab = Lab::new();
    lab.write("step.md", "before\n");
    let sweep = ["sweep", CLEAN, "--seeds", "0..1", "--summary", "./step.md"];
    let mut command = lab.rebound(&sweep);
    let ended = command
        .env("GITHUB_STEP_SUMMARY", lab.path("step.md"))
        .output();
    assert!(ended.expect("a program to run").status.success());
    let compare = [
        "compare",
        CLEAN,
        "--seeds",
        "0..1",
        "--behaviours",
        "8.0.1,8.1",
        "--summary",
        "step.md",
    ];
    let mut command = lab.rebound(&compare);
    let ended = command
        .env("GITHUB_STEP_SUMMARY", lab.path("step.md"))
        .output();
    assert!(ended.expect("a program to run").status.success());
    let text = lab.read("step.md");
    assert!(text.starts_with("before\n## rebound sweep: "), "{text}");
    assert!(text.contains("\n## clean-failover, seeds 0..1\n"), "{text}");
    assert_tables_are_whole(&text);
    assert_eq!(lab.run(&sweep).code, 0);
    assert!(lab.read("step.md").starts_with("## rebound sweep: "));
}

/// Files are named from the repository's root, wherever the program runs.
#[test]
fn places_are_seen_from_the_workspace() {
    let lab = Lab::new();
    failing(&lab, "inner/kept/broken.json");
    let arguments = [
        "check",
        "--scenarios",
        "../inner/kept",
        "--seeds-per-scenario",
        "1",
        "--annotations",
    ];
    let mut command = lab.rebound(&arguments);
    command.current_dir(lab.path("inner"));
    command.env("GITHUB_WORKSPACE", lab.path(""));
    let ended = command.output().expect("a program to run");
    let errors = String::from_utf8(ended.stderr).expect("UTF-8");
    assert!(
        errors.starts_with("::error file=inner/kept/broken.json,line=4,"),
        "{errors}"
    );
}
