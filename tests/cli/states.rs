//! `rebound replay --state`: what every node and client is and does at an instant.

use serde_json::Value;

use crate::commands::assert_valid;
use crate::program::{CLEAN, Lab, SLOW};

const STATE: [&str; 5] = ["replay", SLOW, "--seed", "1", "--state"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&STATE[..], more].concat()
}

#[test]
fn the_state_in_the_middle_of_a_failover_is_told() {
    let lab = Lab::new();
    let ended = lab.run(&with(&["--until", "1.5s"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""));
    for part in [
        "handover-slow under 8.0.0-rc1, seed 1, at 1.499",
        "the run is flagged",
        "\nold         replica of new, failover-in-progress to new, link down, 22 postponed",
        "\nnew         replica of old, link up\n",
        "\nreaders/1   connected to new and old; GET #131: ",
        "\n22 other clients: 20 connected to new and old, 2 connected to old; 22 commands open\n",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    // Nobody else is told one by one.
    assert!(!ended.stdout.contains("\napp/"), "{}", ended.stdout);
    // Without an instant it is the end.
    let end = lab.run(&STATE);
    for part in [
        "old         replica of new, link up\n",
        "new         primary\n",
    ] {
        assert!(end.stdout.contains(part), "{part}: {}", end.stdout);
    }
    assert!(
        end.stdout
            .contains("22 connected to new and old; 0 commands open")
    );
}

#[test]
fn nodes_and_clients_can_be_chosen() {
    let lab = Lab::new();
    let chosen = [
        "--node",
        "new",
        "--client",
        "readers/1",
        "--client",
        "0",
        "--client",
        "0",
    ];
    let arguments = with(&[&chosen[..], &["--until", "1.5s", "--quiet"]].concat());
    let ended = lab.run(&arguments);
    let names: Vec<_> = ended
        .stdout
        .lines()
        .map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        names,
        [Some("new"), Some("app/0"), Some("readers/1")],
        "{}",
        ended.stdout
    );
}

#[test]
fn the_state_is_one_object_as_its_schema_says() {
    let lab = Lab::new();
    let (code, state) = lab.json(&with(&["--until", "1.5s"]));
    assert_valid(&lab, "state", &state);
    assert_eq!(
        (code, &state["schema"]),
        (1, &Value::from("rebound.state/1"))
    );
    assert!(state["at_ns"].as_u64() < Some(1_500_000_000));
    assert_eq!(state["nodes"][0]["postponed"], 22);
    assert_eq!(state["clients"].as_array().map(Vec::len), Some(35));
    let (_, again) = lab.json(&with(&["--until", "1.5s"]));
    assert_eq!(state, again);
    // Nothing has happened yet.
    let (_, start) = lab.json(&with(&["--until", "1ns", "--node", "old"]));
    assert_eq!(start["nodes"].as_array().map(Vec::len), Some(1));
    assert_eq!(start["at_ns"], 0);
}

#[test]
fn a_behaviour_and_a_schedule_decide_as_for_the_story() {
    let lab = Lab::new();
    let cured = lab.run(&with(&["--behaviour", "merged", "--until", "2s"]));
    assert_eq!(cured.code, 0);
    assert!(
        cured.stdout.contains("the run is clean"),
        "{}",
        cured.stdout
    );
    let recorded = lab.run(&["run", SLOW, "--seed", "1", "--record", "s.json"]);
    assert_eq!(recorded.code, 1);
    let (_, followed) = lab.json(&with(&["--schedule", "s.json", "--until", "1.5s"]));
    let (_, own) = lab.json(&with(&["--until", "1.5s"]));
    assert_eq!(followed, own);
}

#[test]
fn what_makes_no_sense_for_a_state_is_refused() {
    let lab = Lab::new();
    for more in [
        &["--kind", "node"][..],
        &["--limit", "3"],
        &["--all"],
        &["--story"],
        &["--from", "1s"],
    ] {
        let ended = lab.run(&[&["replay", CLEAN, "--seed", "1", "--state"], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{more:?}");
        assert!(
            ended.stderr.contains("cannot be used with"),
            "{}",
            ended.stderr
        );
    }
}
