//! Each command does what it says, and prints what its schema says.

use rebound_sim::valkey::{BEHAVIOURS, Remedy};
use serde_json::Value;

use crate::program::{CANARY, CLEAN, Lab, SLOW};

/// What holds a value against `rebound schema SUBJECT`.
pub fn validator(lab: &Lab, subject: &str) -> jsonschema::Validator {
    let ended = lab.run(&["schema", subject]);
    assert_eq!(ended.code, 0);
    let schema: Value = serde_json::from_str(&ended.stdout).expect("a schema");
    jsonschema::validator_for(&schema).expect("a valid schema")
}

/// Asserts that `value` is as `rebound schema SUBJECT` says.
pub fn assert_valid(lab: &Lab, subject: &str, value: &Value) {
    let errors: Vec<_> = validator(lab, subject)
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
        "report",
        "compare",
        "replay",
        "tui",
        "check",
        "behaviours",
        "schema",
        "completions",
    ] {
        assert!(help.stdout.contains(part), "{part}");
        assert_eq!(lab.run(&[part, "--help"]).code, 0, "{part}");
    }
    assert!(help.stdout.contains("Exit codes: 0 clean"));
    assert!(help.stdout.contains("70 internal error"));
    assert!(lab.run(&["--version"]).stdout.starts_with("rebound "));
}

#[test]
fn a_clean_run_is_clean() {
    let lab = Lab::new();
    for arguments in [
        &["run", CLEAN][..],
        &["run", CLEAN, "--behaviour", "8.0.0-rc1"],
        &["run", SLOW, "--behaviour", "8.0.1"],
        &["run", SLOW, "--behaviour", "merged"],
    ] {
        let (code, report) = lab.json(arguments);
        assert_valid(&lab, "run", &report);
        assert_eq!((code, &report["verdict"]), (0, &Value::from("clean")));
        assert_eq!(report["hops"]["max_chain"], 1, "{arguments:?}");
        assert_eq!(report["bounces"]["total"], 0, "{arguments:?}");
        assert_eq!(report["commands"]["unfinished"], 0, "{arguments:?}");
        let text = lab.run(arguments);
        assert_eq!((text.code, text.stderr.as_str()), (0, ""));
        assert!(
            text.stdout
                .lines()
                .next()
                .expect("a line")
                .ends_with(": clean")
        );
        assert!(!text.stdout.contains("rebound replay"), "{}", text.stdout);
    }
}

#[test]
fn a_flagged_run_shows_the_chain_and_how_to_see_it_again() {
    let lab = Lab::new();
    let (code, report) = lab.json(&["run", SLOW, "--seed", "3"]);
    assert_valid(&lab, "run", &report);
    assert_eq!((code, &report["seed"]), (1, &Value::from("3")));
    assert!(report["hops"]["max_chain"].as_u64() >= Some(100));
    let findings = report["findings"].as_array().expect("a list");
    let bounce = findings.iter().find(|finding| finding["check"] == "bounce");
    let bounce = bounce.expect("a bounce");
    let hop = |index: usize| &bounce["chain"][index];
    assert_eq!(
        (&hop(0)["bounce"], &hop(1)["bounce"]),
        (&false.into(), &true.into())
    );

    let text = lab.run(&["run", SLOW, "--seed", "3"]);
    assert_eq!((text.code, text.stderr.as_str()), (1, ""));
    let out = &text.stdout;
    let hash = report["trace_hash"].as_str().expect("a hash");
    assert!(out.contains(&format!("{hash} (reproduced)")));
    for part in [
        "handover-slow under 8.0.0-rc1, seed 3: flagged",
        "  writes       0 lost, 0 executed twice",
        "\nbounce at ",
        "old → new:6379          replica, failover-in-progress, link down",
        "new → old:6379  BOUNCE  replica, link up",
        " more hops\n",
        " more like it\n",
        "(gate StandaloneRedirect)",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    assert_eq!(out.matches("\nbounce at ").count(), 2);

    let last = out.lines().last().expect("a last line");
    let pasted = lab.shell(last);
    assert_eq!((pasted.code, pasted.stderr.as_str()), (1, ""), "{last}");
    let replay = bounce["replay"].as_str().expect("a command");
    assert!(
        replay.starts_with(last) && replay.contains(" --client "),
        "{replay}"
    );
    let of_client = lab.shell(replay);
    assert_eq!((of_client.code, of_client.stderr.as_str()), (1, ""));
}

#[test]
fn the_story_of_a_bounce_is_short_and_whole() {
    let lab = Lab::new();
    let story = lab.run(&["replay", SLOW, "--seed", "3"]);
    assert_eq!((story.code, story.stderr.as_str()), (1, ""));
    let out = &story.stdout;
    assert!(out.lines().count() < 150, "{out}");
    for part in [
        "begins a failover to new (waiting-for-sync)",
        "answers the operator's FAILOVER TO new 6379 TIMEOUT 10000: +OK",
        "hands over to new (failover-in-progress)",
        "FAULT: its path to new is clogged",
        "no node is a primary, since new is a replica of old",
        "gate StandaloneRedirect redirects it to new:6379, because old is a replica of new",
        "the client said CLIENT CAPA redirect",
        "; the pause is looked at only later",
        "back to old: BOUNCE (old had already redirected it)",
        " more redirects of ",
        "FAILOVER (\"take over\") from old",
        "new         promotes itself",
        "served at once until",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    for part in ["REPLCONF ACK", "is asked REPLCONF"] {
        assert!(!out.contains(part), "{part}");
    }
    let all = lab.run(&["replay", SLOW, "--seed", "3", "--all", "--until", "1s"]);
    assert!(all.stdout.contains("receives REPLCONF ACK"));
    assert!(all.stdout.contains("is asked REPLCONF"));
}

#[test]
fn what_is_printed_changes_no_run() {
    let lab = Lab::new();
    let (_, plain) = lab.json(&["run", CANARY]);
    let (_, verified) = lab.json(&["run", CANARY, "--verify", "--quiet", "--color", "always"]);
    assert_eq!(plain, verified);
    let hash = plain["trace_hash"].as_str().expect("a hash");
    let text = lab.run(&["run", CANARY, "--color", "always"]);
    assert!(text.stdout.contains(hash));
    // A replay compares what it tells with a run that tells nothing, and would end with 5.
    for more in [
        &["--all"][..],
        &["--quiet"],
        &["--limit", "1", "--format", "json"],
    ] {
        let replay = [&["replay", CANARY, "--seed", "1"], more].concat();
        let ended = lab.run(&replay);
        assert_eq!((ended.code, ended.stderr.as_str()), (1, ""), "{more:?}");
    }
    let quiet = lab.run(&["run", CLEAN, "--quiet"]);
    assert_eq!(quiet.stdout, "clean-failover under 8.0.1, seed 1: clean\n");
    let quiet = lab.run(&["run", CANARY, "--quiet"]);
    assert_eq!(quiet.stdout.lines().count(), 2);
}

#[test]
fn colours_come_only_when_wanted() {
    let lab = Lab::new();
    assert!(!lab.run(&["run", CLEAN]).stdout.contains('\x1b'));
    let always = lab.run(&["run", CLEAN, "--color", "always"]);
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
    assert_eq!(code, 1);
    let text = lab.run(&["run", SLOW, "--seed", "5", "--schedule", "s.json"]);
    let last = text.stdout.lines().last().expect("a last line");
    assert!(last.ends_with("--schedule s.json"), "{last}");
    assert_eq!(lab.shell(last).code, 1);
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
        let arguments = [&["replay", CANARY, "--seed", "1", "--format", "json"], more].concat();
        let ended = lab.run(&arguments);
        assert_eq!((ended.code, ended.stderr.as_str()), (1, ""), "{more:?}");
        let read = |line| serde_json::from_str(line).expect("an object a line");
        ended.stdout.lines().map(read).collect()
    };
    let all = lines(&["--all", "--until", "2s"]);
    let story = lines(&[]);
    assert!(!story.is_empty() && story.len() < 100 && story.len() < all.len());
    let at = |line: &Value| line["at_ns"].as_u64().expect("a time");
    for lines in [&all, &story] {
        assert!(lines.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])));
    }
    let validator = validator(&lab, "replay");
    assert!(
        story
            .iter()
            .chain(&all)
            .all(|line| validator.is_valid(line))
    );
    assert!(story.iter().any(|line| line["bounce"] == true));
    assert_eq!(lines(&["--limit", "2"]).len(), 2);
    let nodes = lines(&["--all", "--kind", "node,operator"]);
    assert!(!nodes.is_empty());
    assert!(
        nodes
            .iter()
            .all(|line| line["kind"] == "node" || line["kind"] == "operator")
    );
    let early = lines(&["--all", "--until", "500ms"]);
    assert!(early.iter().all(|line| at(line) < 500_000_000));
    let late = lines(&["--all", "--from", "500ms", "--until", "2s"]);
    assert_eq!(early.len() + late.len(), all.len());
    let commands = lines(&["--client", "app/3", "--kind", "command"]);
    assert!(!commands.is_empty());
    assert!(commands.iter().all(|line| line["who"] == "app/3"));
}

/// However a combination is written, it is printed in one way, and does what that says.
#[test]
fn a_combination_has_one_name() {
    let lab = Lab::new();
    let canonical = "8.0.1+target-holds+idempotent-promotion";
    let written = "8.0+idempotent-promotion+target-holds";
    let detail = lab.run(&["behaviours", "--behaviour", written]).stdout;
    assert!(detail.starts_with(canonical), "{detail}");
    for part in [
        "failover target    hold",
        "answer again",
        "target-holds (on 8.0.0-rc1, 8.0.1, 8.1, 9.0, 9.1)",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let (code, listed) = lab.json(&["behaviours", "--behaviour", written]);
    assert_eq!(code, 0);
    assert_valid(&lab, "behaviours", &listed);
    assert_eq!(listed["behaviours"][0]["base"], "8.0.1");
    assert_eq!(listed["remedies"].as_array().map(Vec::len), Some(2));
    let (code, run) = lab.json(&["run", SLOW, "--behaviour", written]);
    assert_eq!((code, &run["behaviour"]), (0, &Value::from(canonical)));
    let (code, run) = lab.json(&["run", SLOW, "--behaviour", "none+epoch-redirect"]);
    assert_eq!((code, &run["hops"]["max_chain"]), (0, &Value::from(1)));
    assert_eq!(lab.json(&["run", SLOW, "--behaviour", "none"]).0, 1);
    let (_, same) = lab.json(&["behaviours", "--behaviour", "none+pause-first+state-check"]);
    assert_eq!(same["behaviours"][0]["name"], "combined");
    // Editors accept combinations too.
    let (_, schema) = lab.json(&["schema", "scenario"]);
    let pattern = &schema["$defs"]["Behaviour"]["anyOf"][1]["pattern"];
    let pattern = pattern.as_str().expect("a pattern");
    assert!(
        pattern.contains("8\\.0\\.1") && pattern.contains("target-holds"),
        "{pattern}"
    );
}

#[test]
fn behaviours_are_those_of_the_model() {
    let lab = Lab::new();
    let (code, list) = lab.json(&["behaviours"]);
    assert_eq!(code, 0);
    assert_valid(&lab, "behaviours", &list);
    let table = lab.run(&["behaviours"]).stdout;
    assert!(table.lines().all(|line| line.chars().count() <= 100));
    // The table has as many parts as it needs, each with the names of its own on top.
    let heading: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("    "))
        .flat_map(str::split_whitespace)
        .collect();
    let names: Vec<_> = BEHAVIOURS.iter().map(|behaviour| behaviour.name).collect();
    assert_eq!(heading, names);
    let row = |gate: &str| -> Vec<&str> {
        let parts = table.lines().filter(|line| line.starts_with(gate));
        let cells = parts.flat_map(|line| line.split_whitespace().skip(1));
        cells.collect()
    };
    for (index, behaviour) in BEHAVIOURS.iter().enumerate() {
        let listed = &list["behaviours"][index];
        let gates: Vec<_> = behaviour.gates.iter().map(|gate| gate.name()).collect();
        assert_eq!(listed["name"], behaviour.name);
        assert_eq!(listed["gates"], Value::from(gates.clone()));
        assert_eq!(listed["capa"], behaviour.capa);
        let detail = lab
            .run(&["behaviours", "--behaviour", behaviour.name])
            .stdout;
        assert!(detail.starts_with(behaviour.name), "{detail}");
        for (order, gate) in gates.iter().enumerate() {
            let order = (order + 1).to_string();
            assert_eq!(row(gate)[index], order, "{gate} of {}", behaviour.name);
            assert!(detail.contains(&format!("  {order}. {gate}\n")), "{detail}");
        }
        for alias in behaviour.aliases {
            assert_eq!(
                lab.run(&["behaviours", "--behaviour", alias]).stdout,
                detail
            );
        }
    }
    let remedies: Vec<_> = Remedy::ALL.into_iter().map(Remedy::name).collect();
    for (index, name) in remedies.iter().enumerate() {
        assert_eq!(list["remedies"][index]["name"], *name);
        assert!(table.contains(&format!("\n{name} (on ")), "{table}");
    }
    // The rules in which the versions differ, as they were read.
    let rule = |name: &str, field: &str| {
        let index = names
            .iter()
            .position(|known| *known == name)
            .expect("a name");
        list["behaviours"][index][field].clone()
    };
    for (name, while_in_progress, in_multi, blocked_clients) in [
        ("7.2.7", "-", "-", "demotion"),
        ("8.0.0-rc1", "redirect", "leave", "demotion"),
        ("8.0.1", "postpone", "spoil", "demotion"),
        ("8.1", "postpone", "spoil", "demotion"),
        ("9.0", "postpone", "spoil", "redirect"),
        ("9.1", "postpone", "spoil", "redirect"),
        ("state-check", "go on", "leave", "demotion"),
        ("pause-first", "redirect", "leave", "demotion"),
        ("combined", "go on", "leave", "demotion"),
        ("merged", "postpone", "leave", "demotion"),
        ("unblock-at-completion", "postpone", "spoil", "completion"),
        ("redirect-at-completion", "postpone", "spoil", "redirect"),
    ] {
        assert_eq!(rule(name, "while_in_progress"), while_in_progress, "{name}");
        assert_eq!(rule(name, "redirect_in_multi"), in_multi, "{name}");
        assert_eq!(rule(name, "blocked_clients"), blocked_clients, "{name}");
    }
    assert_eq!(
        row("StandaloneRedirect"),
        ["-", "4", "4", "4", "4", "4", "4", "5", "5", "4", "4", "4"]
    );
    assert_eq!(
        row("ClientPause"),
        [
            "9", "10", "10", "10", "10", "10", "10", "4", "4", "10", "10", "10"
        ]
    );
}

#[test]
fn every_schema_is_one() {
    let lab = Lab::new();
    for subject in [
        "scenario",
        "run",
        "sweep",
        "compare",
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
    for scenario in [CLEAN, SLOW, CANARY] {
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
