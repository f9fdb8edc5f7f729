//! Sweeps: the same whatever the number of threads, and resumable.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CLEAN, Lab, SLOW};

/// A report without what the clock decides.
fn timeless(mut report: Value) -> Value {
    let fields = report.as_object_mut().expect("an object");
    for name in ["wall_ns", "events_per_s", "seeds_per_s"] {
        assert!(fields.remove(name).is_some(), "{name}");
    }
    report
}

fn sweep(lab: &Lab, scenario: &str, seeds: &str, more: &[&str]) -> (i32, Value) {
    let arguments = [&["sweep", scenario, "--seeds", seeds], more].concat();
    let (code, report) = lab.json(&arguments);
    (code, timeless(report))
}

#[test]
fn a_sweep_is_valid_and_its_seeds_are_in_order() {
    let lab = Lab::new();
    for scenario in [CLEAN, SLOW] {
        let (code, report) = lab.json(&["sweep", scenario, "--seeds", "3..40"]);
        assert_valid(&lab, "sweep", &report);
        assert_eq!(report["seeds"]["from"], "3");
        assert_eq!(report["seeds"]["to"], "40");
        assert_eq!(report["seeds"]["done"], 37);
        let flagged = report["verdicts"]["flagged"].as_u64().expect("a number");
        assert_eq!(flagged > 0, code == 1, "{code}");
        let first = report["flagged_seeds"]["first"].as_array().expect("a list");
        let seed = |value: &Value| {
            value
                .as_str()
                .expect("a string")
                .parse::<u64>()
                .expect("a seed")
        };
        assert!(first.windows(2).all(|pair| seed(&pair[0]) < seed(&pair[1])));
        assert_eq!(first.len() as u64, flagged.min(10));
        let text = lab.run(&["sweep", scenario, "--seeds", "3..40"]);
        assert_eq!((text.code, text.stderr.as_str()), (code, ""));
        assert!(
            text.stdout
                .contains(report["digest"].as_str().expect("a digest"))
        );
        let last = text.stdout.lines().last().expect("a last line");
        assert_eq!(last.starts_with("rebound replay "), code == 1, "{last}");
    }
}

#[test]
fn a_sweep_agrees_with_its_runs() {
    let lab = Lab::new();
    let (_, whole) = sweep(&lab, SLOW, "20..23", &[]);
    let mut events = 0;
    let mut hops = 0;
    for seed in ["20", "21", "22"] {
        let (_, run) = lab.json(&["run", SLOW, "--seed", seed]);
        events += run["events"].as_u64().expect("a number");
        hops += run["hops"]["total"].as_u64().expect("a number");
    }
    assert_eq!(whole["events"], events);
    assert_eq!(whole["hops"]["total"], hops);
}

#[test]
fn threads_and_verification_change_nothing() {
    let lab = Lab::new();
    let one = sweep(&lab, SLOW, "0..60", &["--jobs", "1"]);
    for more in [&["--jobs", "2"][..], &["--jobs", "8"], &["--verify"]] {
        assert_eq!(sweep(&lab, SLOW, "0..60", more), one, "{more:?}");
    }
    assert_ne!(sweep(&lab, SLOW, "0..61", &[]).1["digest"], one.1["digest"]);
}

#[test]
fn a_resumed_sweep_gives_what_a_whole_one_gives() {
    let lab = Lab::new();
    let whole = sweep(&lab, SLOW, "0..50", &[]);
    let resume = ["--resume", "state.json"];
    let part = sweep(&lab, SLOW, "10..25", &resume);
    assert_ne!(part.1["digest"], whole.1["digest"]);
    assert_eq!(sweep(&lab, SLOW, "0..50", &resume), whole);
    // Everything is done: nothing is left to run, and the report is the same.
    assert_eq!(sweep(&lab, SLOW, "0..50", &resume), whole);
}

#[test]
fn a_state_of_another_sweep_is_refused() {
    let lab = Lab::new();
    sweep(&lab, SLOW, "0..20", &["--resume", "state.json"]);
    let state = lab.read("state.json");
    let refused = |scenario: &str, seeds: &str, more: &[&str], part: &str| {
        let fixed = [
            "sweep",
            scenario,
            "--seeds",
            seeds,
            "--resume",
            "state.json",
        ];
        let ended = lab.run(&[&fixed[..], more].concat());
        assert_eq!(ended.code, 2, "{part}: {}", ended.stderr);
        assert!(
            ended
                .stderr
                .starts_with("rebound: cannot resume from state.json")
        );
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    };
    refused(CLEAN, "0..20", &[], "of scenario");
    refused(
        SLOW,
        "0..10",
        &[],
        "of seeds 0..20, this sweep is of seeds 0..10",
    );
    refused(SLOW, "5..90", &[], "of seeds");
    refused(SLOW, "0..20", &["--behaviour", "7.2.7"], "of behaviour");
    let mut other: Value = serde_json::from_str(&state).expect("JSON");
    other["witness"]["trace_hash"] = Value::from("0".repeat(32));
    lab.write("state.json", &other.to_string());
    refused(SLOW, "0..20", &[], "another build");
    let mut other: Value = serde_json::from_str(&state).expect("JSON");
    other["finished"] = Value::from(vec!["0..19"]);
    lab.write("state.json", &other.to_string());
    refused(SLOW, "0..20", &[], "do not agree");
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_reports_and_can_go_on() {
    let lab = Lab::new();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rebound"));
        command.current_dir(lab.path("")).args([
            "sweep",
            SLOW,
            "--seeds",
            "0..1000000000000",
            "--resume",
            "state.json",
            "--format",
            "json",
            "--jobs",
            "2",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("a program to run")
    };
    let mut done_before = 0;
    for _ in 0..2 {
        let mut child = start();
        std::thread::sleep(Duration::from_millis(2_600));
        let kill = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.expect("kill").success());
        let mut text = String::new();
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_to_string(&mut text).expect("UTF-8");
        let status = child.wait().expect("an end");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        let flagged = report["verdicts"]["flagged"].as_u64().expect("a number");
        assert_eq!(status.code(), Some(if flagged > 0 { 1 } else { 3 }));
        let done = report["seeds"]["done"].as_u64().expect("a number");
        assert!(done > done_before, "{done} {done_before}");
        done_before = done;
        let state: Value = serde_json::from_str(&lab.read("state.json")).expect("JSON");
        let ranges = state["finished"].as_array().expect("a list").len();
        assert!(ranges < 10, "{ranges}");
    }
}

#[test]
fn a_time_limit_ends_a_sweep_early() {
    let lab = Lab::new();
    let began = Instant::now();
    let (code, report) = lab.json(&[
        "sweep",
        CLEAN,
        "--seeds",
        "0..1000000000000",
        "--max-time",
        "300ms",
    ]);
    assert!(began.elapsed() < Duration::from_secs(60));
    let flagged = report["verdicts"]["flagged"].as_u64().expect("a number");
    assert_eq!(code, if flagged > 0 { 1 } else { 3 });
}

/// The state cannot be written once the sweep runs: the report is printed all the same.
#[cfg(target_os = "linux")]
#[test]
fn a_state_that_cannot_be_written_does_not_lose_the_report() {
    let lab = Lab::new();
    // A limit on the size of files that the state exceeds, in blocks of 1024 bytes at most.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec {} sweep {SLOW} --seeds 0..10 --resume state.json | cat",
        env!("CARGO_BIN_EXE_rebound")
    );
    let output = Command::new("bash")
        .current_dir(lab.path(""))
        .args(["-o", "pipefail", "-c", &script])
        .output()
        .expect("bash");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(out.contains("10 of 10 done"), "{out}");
    assert!(err.contains("cannot write state.json"), "{err}");
    assert!(err.contains("the report is complete"), "{err}");
    assert!(!lab.path("state.json").exists());
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    let lab = Lab::new();
    for command in [
        format!("sweep {SLOW} --seeds 0..30"),
        format!("replay {SLOW} --seed 1 --all"),
        format!("run {SLOW}"),
        "schema run".to_owned(),
    ] {
        let program = env!("CARGO_BIN_EXE_rebound");
        let whole = Command::new("bash")
            .current_dir(lab.path(""))
            .args(["-c", &format!("{program} {command} > whole.txt")])
            .output()
            .expect("bash");
        let cut = Command::new("bash")
            .current_dir(lab.path(""))
            .args([
                "-c",
                &format!("{program} {command} | head -c 1; exit ${{PIPESTATUS[0]}}"),
            ])
            .output()
            .expect("bash");
        assert_eq!(cut.status.code(), whole.status.code(), "{command}");
        assert_eq!(String::from_utf8_lossy(&cut.stderr), "", "{command}");
        assert_eq!(cut.stdout.len(), 1, "{command}");
    }
}
