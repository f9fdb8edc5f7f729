//! Scenario files and outputs that are no good: one message each, exit code 2, nothing half-done.

use serde_json::{Value, json};

use crate::program::{CLEAN, Ended, Lab, SLOW};

/// Asserts that a run ended with one message that contains `parts`, and printed nothing else.
fn assert_refused(ended: &Ended, parts: &[&str]) {
    let text = &ended.stderr;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (2, ""),
        "{parts:?}: {text}"
    );
    assert!(text.starts_with("rebound: "), "{parts:?}: {text}");
    assert_eq!(text.matches("rebound: ").count(), 1, "{parts:?}: {text}");
    assert!(!text.contains("panicked"), "{parts:?}: {text}");
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Each mistake in a scenario is answered with its place and what would be right.
#[test]
fn mistakes_in_scenarios_are_named_with_their_place() {
    let lab = Lab::new();
    let right: Value = serde_json::from_str(&lab.read(SLOW)).expect("JSON");
    let clog = |lasts: Value| json!({"at": "1s", "do": {"clog": {"from": "old", "to": "new", "lasts": lasts}}});
    for (pointer, value, parts) in [
        ("/surprise", json!(1), &["surprise", "unknown field"][..]),
        ("/nodes/0/nmae", json!("x"), &["nodes[0]", "nmae"]),
        (
            "/timeline/0",
            clog(json!("2 lightyears")),
            &["timeline[0]", "lasts", "2 lightyears"],
        ),
        ("/timeline/0", clog(json!("5")), &["timeline[0]", "no unit"]),
        (
            "/timeline/0",
            clog(json!("-2s")),
            &["timeline[0]", "lasts", "-2s"],
        ),
        ("/timeline/0", clog(json!(2)), &["timeline[0]", "lasts"]),
        (
            "/nodes/1/replica_of",
            json!("odl"),
            &["nodes[1].replica_of", "odl", "\"old\""],
        ),
        (
            "/clients/0/policy",
            json!("warn"),
            &["clients[0].policy", "warn", "\"warm\""],
        ),
        (
            "/behaviour",
            json!("8.0.2"),
            &["behaviour", "8.0.2", "\"8.0.1\""],
        ),
        (
            "/checks",
            json!({"bonuce": {"enabled": false}}),
            &["checks", "bonuce", "bounce"],
        ),
        (
            "/expect/0/findings",
            json!(["bonuce"]),
            &["expect[0].findings", "bonuce"],
        ),
        (
            "/timeline/0",
            json!({"at": "1s", "when": {"node": "old", "becomes": "replica"},
                   "do": {"reset": {"from": "old", "to": "new"}}}),
            &["timeline[0]", "at", "when"],
        ),
        (
            "/timeline/0",
            json!({"at": "6s", "do": {"clog": {"from": "old", "to": "new", "lasts": "1s"}}}),
            &["timeline[0]", "faults_until"],
        ),
        (
            "/phases",
            json!({"faults_until": "9s", "load_until": "3s"}),
            &["phases", "load_until"],
        ),
    ] {
        let mut wrong = right.clone();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = wrong.pointer_mut(parent).expect("a parent");
        match field.parse::<usize>() {
            Ok(index) => parent[index] = value,
            Err(_) => parent[field] = value,
        }
        lab.write("wrong.json", &wrong.to_string());
        let ended = lab.run(&["run", "wrong.json"]);
        assert_refused(&ended, parts);
        assert!(ended.stderr.contains("wrong.json"), "{}", ended.stderr);
    }
}

#[test]
fn files_that_are_no_scenarios_are_refused() {
    let lab = Lab::new();
    let whole = lab.read(SLOW);
    lab.write("truncated.json", &whole[..whole.len() / 2]);
    lab.write("empty.json", "");
    std::fs::write(lab.path("bytes.json"), [0xff, 0xfe, 0x00]).expect("a new file");
    // A sparse file: large without taking room.
    let huge = std::fs::File::create(lab.path("huge.json")).expect("a new file");
    huge.set_len(100 << 20).expect("a long file");
    let began = std::time::Instant::now();
    for (arguments, parts) in [
        (
            &["run", "truncated.json"][..],
            &["truncated.json:", "EOF"][..],
        ),
        (&["run", "empty.json"], &["empty.json", "is empty"]),
        (&["run", "bytes.json"], &["bytes.json", "not UTF-8"]),
        (&["run", "huge.json"], &["huge.json", "larger than 1 MiB"]),
        (&["run", "missing.json"], &["missing.json"]),
        (&["run", "."], &["directory"]),
        (
            &["sweep", "huge.json", "--seeds", "0..5"],
            &["larger than 1 MiB"],
        ),
        (
            &["replay", "truncated.json", "--seed", "1"],
            &["truncated.json"],
        ),
        (
            &["run", CLEAN, "--schedule", "huge.json"],
            &["huge.json is not a schedule"],
        ),
        (
            &["run", CLEAN, "--schedule", "truncated.json"],
            &["is not a schedule"],
        ),
        (
            &["sweep", CLEAN, "--seeds", "0..5", "--resume", "huge.json"],
            &["huge.json is not the state of a sweep"],
        ),
        (
            &["check", "--scenarios", "scenarios/canary.json"],
            &["canary.json"],
        ),
    ] {
        assert_refused(&lab.run(arguments), parts);
    }
    assert!(began.elapsed().as_secs() < 20, "large files are not read");
    lab.write("folder/truncated.json", "{");
    assert_refused(
        &lab.run(&["check", "--scenarios", "folder"]),
        &["truncated.json"],
    );
}

#[cfg(unix)]
#[test]
fn unreadable_and_unwritable_files_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new();
    for (arguments, parts) in [
        (
            &["run", CLEAN, "--record", "no/s.json"][..],
            &["cannot write no/s.json: "][..],
        ),
        (&["run", CLEAN, "--record", "."], &["it is a folder"]),
        (
            &["run", CLEAN, "--record", "/proc/rebound.json"],
            &["cannot write /proc/rebound.json"],
        ),
        (
            &["run", CLEAN, "--schedule", "/dev/zero"],
            &["/dev/zero is not a schedule"],
        ),
        (
            &["sweep", CLEAN, "--seeds", "0..3", "--resume", "no/s.json"],
            &["cannot write no/s.json"],
        ),
    ] {
        assert_refused(&lab.run(arguments), parts);
    }
    // Nothing of these keeps the superuser out.
    lab.write("locked/secret.json", "{}");
    let lock = |name: &str, mode| {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(lab.path(name), rights).expect("rights");
    };
    lock("locked/secret.json", 0o000);
    lock("locked", 0o555);
    if std::fs::read(lab.path("locked/secret.json")).is_err() {
        assert_refused(
            &lab.run(&["run", "locked/secret.json"]),
            &["cannot be read"],
        );
        let record = ["run", CLEAN, "--record", "locked/s.json"];
        assert_refused(&lab.run(&record), &["cannot write locked/s.json"]);
    }
    lock("locked", 0o755);
    let left = std::fs::read_dir(lab.path("locked")).expect("a folder");
    assert_eq!(left.count(), 1, "nothing half-written is left");
}

/// A record replaces a file as a whole, through a link too, and never a device.
#[cfg(unix)]
#[test]
fn a_record_is_written_whole_or_not_at_all() {
    let lab = Lab::new();
    lab.write("real.json", "old");
    std::os::unix::fs::symlink(lab.path("real.json"), lab.path("link.json")).expect("a link");
    assert_eq!(lab.run(&["run", CLEAN, "--record", "link.json"]).code, 0);
    assert!(lab.path("link.json").is_symlink());
    assert!(serde_json::from_str::<Value>(&lab.read("real.json")).is_ok());
    let device = lab.run(&["run", CLEAN, "--quiet", "--record", "/dev/null"]);
    assert_eq!(device.code, 0);
    assert!(!std::path::Path::new("/dev/null").is_file());
    lab.write("kept.json", "old");
    let full = format!("trap '' XFSZ; ulimit -f 0; rebound run {CLEAN} --record kept.json");
    let ended = lab.shell(&full);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (2, ""),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .starts_with("rebound: cannot write kept.json: "),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.read("kept.json"), "old");
}
