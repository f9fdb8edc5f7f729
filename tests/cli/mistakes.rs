//! A mistake is answered by one message that begins with the program's name, and exit code 2.

use crate::program::{CLEAN, Lab};

#[test]
fn mistakes_get_one_message_each() {
    let lab = Lab::new();
    lab.write("broken.json", "{");
    lab.write("list.json", "[1]");
    for (arguments, part) in [
        (&["run"][..], "required arguments"),
        (&[], "subcommand"),
        (&["rum"], "'run'"),
        (&["run", "missing.json"], "missing.json"),
        (&["run", "scenarios"], "scenarios"),
        (&["run", "broken.json"], "broken.json"),
        (&["run", CLEAN, "--seed", "x"], "'x'"),
        (&["run", CLEAN, "--seed", "-1"], "-1"),
        (&["run", CLEAN, "--sed", "1"], "--seed"),
        (&["run", CLEAN, "--format", "xml"], "xml"),
        (&["run", CLEAN, "--schedule", "list.json"], "not a schedule"),
        (
            &["run", CLEAN, "--schedule", "none.json"],
            "cannot read none.json",
        ),
        (
            &["run", CLEAN, "--record", "no/s.json"],
            "cannot write no/s.json",
        ),
        (&["run", CLEAN, "--record", "scenarios"], "it is a folder"),
        (
            &["run", CLEAN, "--record", "a", "--schedule", "b"],
            "cannot be used with",
        ),
        (
            &["run", CLEAN, "--behaviour", "8.0.2"],
            "no behaviour \"8.0.2\" (nearest: \"8.0.1\"",
        ),
        (
            &["run", CLEAN, "--behaviour", "8.0.1+target-hold"],
            "no remedy \"target-hold\" (nearest: \"target-holds\"",
        ),
        (
            &["run", CLEAN, "--behaviour", "8.0.1+merged"],
            "8.0.1 includes \"merged\": expected another remedy behind \"8.0.1\"",
        ),
        (
            &["run", CLEAN, "--behaviour", "none+merged+state-check"],
            "\"merged\" and \"state-check\" both say what the redirect does",
        ),
        (
            &["run", CLEAN, "--behaviour", "7.2+bounce-guard"],
            "7.2.7 has no CLIENT CAPA redirect",
        ),
        (
            &[
                "compare",
                CLEAN,
                "--seeds",
                "0..2",
                "--behaviours",
                "combined,none+pause-first+state-check",
            ],
            "behaviour \"combined\" is named twice",
        ),
        (
            &["run", CLEAN, "--behaviour", "pause-frist"],
            "\"pause-first\"",
        ),
        (
            &["run", CLEAN, "--behaviour", "redis"],
            "behaviours are \"7.2.7\", ",
        ),
        (&["sweep", CLEAN], "--seeds"),
        (&["sweep", CLEAN, "--seeds", "9..3"], "did you mean 3..9?"),
        (&["sweep", CLEAN, "--seeds", "4..4"], "the range is empty"),
        (&["sweep", CLEAN, "--seeds", "ten"], "expected A..B"),
        (&["sweep", CLEAN, "--seeds", "a..b"], "\"a\" is not a seed"),
        (&["sweep", CLEAN, "--seeds", "0..9", "--jobs", "0"], "0"),
        (
            &["sweep", CLEAN, "--seeds", "0..9", "--max-time", "5"],
            "no unit",
        ),
        (
            &["sweep", CLEAN, "--seeds", "0..9", "--resume", "no/f"],
            "cannot write no/f",
        ),
        (
            &["sweep", CLEAN, "--seeds", "0..9", "--resume", "list.json"],
            "list.json is not the state",
        ),
        (&["replay", CLEAN], "--seed"),
        (
            &["replay", CLEAN, "--seed", "1", "--node", "middle"],
            "no node \"middle\": there are",
        ),
        (
            &["replay", CLEAN, "--seed", "1", "--client", "x/9"],
            "no client \"x/9\": there are",
        ),
        (
            &["replay", CLEAN, "--seed", "1", "--client", "999999"],
            "no client \"999999\"",
        ),
        (
            &[
                "replay", CLEAN, "--seed", "1", "--from", "2s", "--until", "1s",
            ],
            "later than --from",
        ),
        (
            &["replay", CLEAN, "--seed", "1", "--kind", "gates"],
            "gates",
        ),
        (
            &["replay", CLEAN, "--seed", "1", "--all", "--story"],
            "cannot be used with",
        ),
        (
            &[
                "compare",
                CLEAN,
                "--seeds",
                "0..5",
                "--behaviours",
                "8.0.1,mergd",
            ],
            "no behaviour \"mergd\" (nearest: \"merged\"",
        ),
        (
            &["compare", CLEAN, "--seeds", "0..5", "--behaviours", "8.0.1"],
            "needs two behaviours",
        ),
        (
            &[
                "compare",
                CLEAN,
                "--seeds",
                "0..5",
                "--behaviours",
                "merged,8.0.1,merged",
            ],
            "\"merged\" is named twice",
        ),
        (&["compare", CLEAN, "--seeds", "5..0"], "did you mean 0..5?"),
        (
            &["compare", CLEAN, "--seeds", "0..10000000"],
            "60000000 runs",
        ),
        (
            &[
                "compare", CLEAN, "--seeds", "0..2", "--format", "json", "--table", "csv",
            ],
            "--table lays out text",
        ),
        (&["compare", "--seeds", "0..2"], "SCENARIOS"),
        (&["check", "--scenarios", "nowhere"], "nowhere"),
        (&["check", "--seeds-per-scenario", "0"], "0"),
        (&["behaviours", "--behaviour", "9"], "no behaviour \"9\""),
        (&["schema", "everything"], "everything"),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let ended = lab.run(arguments);
        let text = &ended.stderr;
        assert_eq!(ended.code, 2, "{arguments:?}: {text}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
        assert!(text.starts_with("rebound: "), "{arguments:?}: {text}");
        assert_eq!(
            text.matches("rebound: ").count(),
            1,
            "{arguments:?}: {text}"
        );
        assert!(text.contains(part), "{arguments:?}: {text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_standard_output_is_an_error() {
    let lab = Lab::new();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rebound"));
    command.current_dir(lab.path("")).args(["run", CLEAN]);
    let output = command
        .stdout(full.expect("a device"))
        .output()
        .expect("a program");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.starts_with("rebound: cannot write standard output"),
        "{text}"
    );
}
