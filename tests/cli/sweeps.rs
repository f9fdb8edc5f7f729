//! Sweeps: the same whatever the number of threads, and resumable.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rebound_sim::trace::NoTrace;
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;
use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CANARY, CLEAN, Lab, SLOW};

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
    let seeds = ["--seeds", "3..15"];
    let (code, report) = lab.json(&[&["sweep", CANARY][..], &seeds].concat());
    assert_eq!(code, 1);
    assert_valid(&lab, "sweep", &report);
    assert_eq!(
        (&report["seeds"]["from"], &report["seeds"]["to"]),
        (&"3".into(), &"15".into())
    );
    assert_eq!(
        (&report["seeds"]["done"], &report["verdicts"]["flagged"]),
        (&12.into(), &12.into())
    );
    let first: Vec<String> = (3..13).map(|seed| seed.to_string()).collect();
    assert_eq!(report["flagged_seeds"]["first"], Value::from(first));
    let chain = |worst: &Value| worst["max_chain"].as_u64().expect("a number");
    let worst = report["worst_seeds"].as_array().expect("a list");
    assert!(
        worst
            .windows(2)
            .all(|pair| chain(&pair[0]) >= chain(&pair[1]))
    );
    assert_eq!(report["finding_first"]["bounce"], "3");
    assert_eq!(report["finding_seeds"]["bounce"], 12);

    let text = lab.run(&[&["sweep", CANARY][..], &seeds].concat());
    assert_eq!((text.code, text.stderr.as_str()), (1, ""));
    let out = &text.stdout;
    for part in [
        report["digest"].as_str().expect("a digest"),
        "0 clean, 12 flagged (100%), 0 inconclusive",
        "60 of 60 flagged (100%)",
        "  writes       0 lost, 0 executed twice",
        "  bounce                    12    100%          60  3\n",
        "seeds 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more",
        "seed (longest chain)",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    let last = out.lines().last().expect("a last line");
    let seed = worst[0]["seed"].as_str().expect("a seed");
    assert_eq!(
        last,
        format!("rebound replay {CANARY} --seed {seed} --behaviour 8.0.0-rc1")
    );
    assert_eq!(lab.shell(last).code, 1);
}

#[test]
fn a_clean_sweep_is_clean() {
    let lab = Lab::new();
    let (code, report) = lab.json(&["sweep", CLEAN, "--seeds", "0..12"]);
    assert_eq!((code, &report["verdicts"]["clean"]), (0, &12.into()));
    assert_valid(&lab, "sweep", &report);
    let text = lab.run(&["sweep", SLOW, "--seeds", "0..6", "--behaviour", "8.0.1"]);
    assert_eq!(text.code, 0);
    assert!(
        text.stdout.contains("6 clean, 0 flagged (0%)"),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains("rebound replay"), "{}", text.stdout);
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

/// A world that is used again, in whatever order, gives what a new one gives.
#[test]
fn seeds_give_the_same_traces_in_any_order() {
    for (file, behaviour, seeds) in [
        (CLEAN, "8.0.1", 0..6),
        (CANARY, "8.0.0-rc1", 0..4),
        (SLOW, "8.0.0-rc1", 0..3),
        (SLOW, "8.0.1", 0..4),
    ] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let plan = Arc::new(rebound_sim::scenario::load(&file).expect("a scenario"));
        let behaviour = Behaviour::named(behaviour).expect("a behaviour");
        let new = || Runner::new(Arc::clone(&plan), behaviour);
        let mut used = new();
        let forward: Vec<_> = seeds
            .clone()
            .map(|seed| used.run(seed, &mut NoTrace))
            .collect();
        let mut backward: Vec<_> = seeds
            .clone()
            .rev()
            .map(|seed| used.run(seed, &mut NoTrace))
            .collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let fresh: Vec<_> = seeds.map(|seed| new().run(seed, &mut NoTrace)).collect();
        assert_eq!(forward, fresh);
        let hashes: std::collections::BTreeSet<_> =
            fresh.iter().map(|run| run.trace_hash.clone()).collect();
        assert_eq!(hashes.len(), fresh.len(), "seeds differ");
    }
}

#[test]
fn threads_verification_and_printing_change_nothing() {
    let lab = Lab::new();
    let one = sweep(&lab, CANARY, "0..9", &["--jobs", "1"]);
    for more in [
        &["--jobs", "2"][..],
        &["--jobs", "8"],
        &["--verify", "--quiet"],
    ] {
        assert_eq!(sweep(&lab, CANARY, "0..9", more), one, "{more:?}");
    }
    assert_ne!(
        sweep(&lab, CANARY, "0..8", &[]).1["digest"],
        one.1["digest"]
    );
    let slow = sweep(&lab, SLOW, "0..4", &["--jobs", "1"]);
    assert_eq!(sweep(&lab, SLOW, "0..4", &["--jobs", "8"]), slow);
    let digest = one.1["digest"].as_str().expect("a digest");
    let text = lab.run(&["sweep", CANARY, "--seeds", "0..9", "--color", "always"]);
    assert!(text.stdout.contains(digest), "{}", text.stdout);
}

#[test]
fn a_resumed_sweep_gives_what_a_whole_one_gives() {
    let lab = Lab::new();
    let whole = sweep(&lab, CANARY, "0..12", &[]);
    let resume = ["--resume", "state.json"];
    let part = sweep(&lab, CANARY, "4..7", &resume);
    assert_ne!(part.1["digest"], whole.1["digest"]);
    sweep(
        &lab,
        CANARY,
        "2..7",
        &[&resume[..], &["--jobs", "1"]].concat(),
    );
    assert_eq!(sweep(&lab, CANARY, "0..12", &resume), whole);
    // Everything is done: nothing is left to run, and the report is the same.
    assert_eq!(sweep(&lab, CANARY, "0..12", &resume), whole);
}

#[test]
fn a_state_of_another_sweep_is_refused() {
    let lab = Lab::new();
    sweep(&lab, CANARY, "0..4", &["--resume", "state.json"]);
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
    refused(CLEAN, "0..4", &[], "of scenario");
    refused(
        CANARY,
        "0..3",
        &[],
        "of seeds 0..4, this sweep is of seeds 0..3",
    );
    refused(CANARY, "2..90", &[], "of seeds");
    refused(CANARY, "0..4", &["--behaviour", "7.2.7"], "of behaviour");
    let mut other: Value = serde_json::from_str(&state).expect("JSON");
    other["witness"]["trace_hash"] = Value::from("0".repeat(32));
    lab.write("state.json", &other.to_string());
    refused(CANARY, "0..4", &[], "another build");
    let mut other: Value = serde_json::from_str(&state).expect("JSON");
    other["finished"] = Value::from(vec!["0..3"]);
    lab.write("state.json", &other.to_string());
    refused(CANARY, "0..4", &[], "do not agree");
}

/// Sends a signal to a child and returns what it printed and its exit code.
#[cfg(unix)]
fn stop(mut child: std::process::Child, signal: &str) -> (String, Option<i32>) {
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.expect("kill").success());
    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut text).expect("UTF-8");
    (text, child.wait().expect("an end").code())
}

/// However a sweep is stopped, what its state says was finished need not be run again, and the
/// sum is the same as if it had been run in one sitting.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_reports_and_can_go_on() {
    let lab = Lab::new();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rebound"));
        command.current_dir(lab.path("")).args([
            "sweep",
            CLEAN,
            "--seeds",
            "0..1000000000000",
            "--resume",
            "state.json",
            "--format",
            "json",
            "--jobs",
            "1",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("a program to run")
    };
    let state = || -> Value { serde_json::from_str(&lab.read("state.json")).expect("JSON") };
    let finished = |state: &Value| -> String {
        let ranges = state["finished"].as_array().expect("a list");
        assert_eq!(ranges.len(), 1, "{state}");
        ranges[0].as_str().expect("a range").to_owned()
    };

    let child = start();
    std::thread::sleep(Duration::from_millis(900));
    let (text, code) = stop(child, "-INT");
    assert_eq!(code, Some(3));
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let done = report["seeds"]["done"].as_u64().expect("a number");
    assert!(done > 0);
    assert_eq!(finished(&state()), format!("0..{done}"));
    let (_, whole) = sweep(&lab, CLEAN, &format!("0..{done}"), &[]);
    assert_eq!(whole["digest"], report["digest"]);
    assert_eq!(whole["events"], report["events"]);

    // Killed without a warning: what was saved is there, whole, and holds.
    let child = start();
    std::thread::sleep(Duration::from_millis(3_000));
    stop(child, "-KILL");
    let saved = finished(&state());
    let more: u64 = saved.trim_start_matches("0..").parse().expect("a seed");
    assert!(more > done, "{saved}");
    let (_, resumed) = sweep(&lab, CLEAN, &saved, &["--resume", "state.json"]);
    assert_eq!(resumed["seeds"]["done"], more);
    assert_eq!(resumed, sweep(&lab, CLEAN, &saved, &[]).1);
}

#[test]
fn a_time_limit_ends_a_sweep_early() {
    let lab = Lab::new();
    let began = Instant::now();
    let seeds = "0..1000000000000";
    let ended = lab.run(&["sweep", CLEAN, "--seeds", seeds, "--max-time", "300ms"]);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("stopped early"), "{}", ended.stdout);
}

/// The state cannot be written any more once the sweep runs: it goes on and prints its report,
/// and what was kept before stays.
#[cfg(target_os = "linux")]
#[test]
fn a_state_that_cannot_be_written_does_not_lose_the_report() {
    let lab = Lab::new();
    sweep(&lab, CLEAN, "0..3", &["--resume", "state.json"]);
    let kept = lab.read("state.json");
    // No file may grow: as on a full disk, files can be made but not written.
    let full = "trap '' XFSZ; ulimit -f 0; set -o pipefail; rebound sweep";
    let out_of_room = format!("{full} {CLEAN} --seeds 0..9 --resume state.json | cat");
    // The device that is always full.
    let device = format!("rebound sweep {CLEAN} --seeds 0..9 --resume /dev/full");
    for (line, name) in [(out_of_room, "state.json"), (device, "/dev/full")] {
        let ended = lab.shell(&line);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stdout.contains("9 of 9 done"), "{}", ended.stdout);
        let cannot = format!("cannot write {name}: ");
        assert!(ended.stderr.contains(&cannot), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("the report is complete"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(lab.read("state.json"), kept);
    let names = std::fs::read_dir(lab.path("")).expect("a folder");
    assert_eq!(names.count(), 2, "nothing is left beside it");
    let data = std::fs::metadata("/dev/full").expect("the device");
    assert!(!data.is_file(), "the device is still one");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    let lab = Lab::new();
    for (command, code) in [
        (format!("sweep {CANARY} --seeds 0..2"), 1),
        (format!("replay {CANARY} --seed 1 --all"), 1),
        (format!("run {CANARY} --format json"), 1),
        (format!("run {CLEAN}"), 0),
        ("schema run".to_owned(), 0),
        ("behaviours".to_owned(), 0),
        ("--help".to_owned(), 0),
    ] {
        let cut = lab.shell(&format!(
            "rebound {command} | head -c 1; exit ${{PIPESTATUS[0]}}"
        ));
        assert_eq!((cut.code, cut.stderr.as_str()), (code, ""), "{command}");
        assert_eq!(cut.stdout.len(), 1, "{command}");
    }
}
