//! The action for GitHub's workflows and the workflow to copy: that they name what exists, and
//! that the action's script does what it says, whatever it is handed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{CANARY, CLEAN, Lab};

/// How the workflow to copy calls the action.
const CALL: &str = "./.rebound";

fn yaml(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).expect("a file");
    serde_saphyr::from_str(&text).expect("YAML")
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().expect(name)
}

fn keys(value: &Value) -> BTreeSet<String> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// What follows each `start` in a text, as far as it is a name.
fn names(text: &str, start: &str) -> BTreeSet<String> {
    let name = |rest: &str| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    text.split(start).skip(1).map(name).collect()
}

/// The step of the action that runs the program.
fn run_step(action: &Value) -> &Value {
    let steps = list(&action["runs"], "steps");
    let run = steps.iter().find(|step| step["id"] == "run");
    run.expect("a step called run")
}

#[test]
fn the_action_declares_what_it_uses_and_uses_what_it_declares() {
    let action = yaml("action.yml");
    let used = names(&action["runs"].to_string(), "inputs.");
    assert_eq!(used, keys(&action["inputs"]));
    for (name, input) in action["inputs"].as_object().expect("inputs") {
        assert!(!text(input, "description").is_empty(), "{name}");
        assert!(input["default"].is_string(), "{name}: a default in quotes");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let page = std::fs::read_to_string(path).expect("a page");
    let (_, table) = page
        .split_once("| input | what | default |")
        .expect("a table");
    let (table, _) = table.split_once("\n\n").expect("its end");
    for input in keys(&action["inputs"]) {
        assert!(table.contains(&format!("`{input}`")), "{input}");
    }
    for step in list(&action["runs"], "steps") {
        let script = text(step, "run");
        assert!(
            !script.contains("${{"),
            "a value in a script's text: {script}"
        );
        assert_eq!(step["shell"], "bash");
    }
    let step = run_step(&action);
    let script = text(step, "run");
    for variable in keys(&step["env"]) {
        assert!(
            script.contains(&format!("${variable}")),
            "{variable} is unused"
        );
    }
}

#[test]
fn every_option_of_the_action_exists() {
    let lab = Lab::new();
    let action = yaml("action.yml");
    let script = text(run_step(&action), "run");
    let (_, after) = script.split_once("case $COMMAND in").expect("the commands");
    let (check, sweep) = after.split_once("sweep)").expect("a sweep");
    let (common, _) = script.split_once("case $COMMAND in").expect("the commands");
    for (command, own) in [("check", check), ("sweep", sweep)] {
        let help = lab.run(&[command, "--help"]).stdout;
        let known = names(&help, "--");
        let used: BTreeSet<_> = names(&format!("{common}{own}"), " --")
            .into_iter()
            .chain(names(common, "\"--"))
            .filter(|name| !name.is_empty())
            .collect();
        assert!(used.len() > 5, "{used:?}");
        assert!(used.is_subset(&known), "{command}: {used:?} of {known:?}");
    }
}

#[test]
fn the_workflow_to_copy_hands_over_what_the_action_declares() {
    let action = yaml("action.yml");
    let workflow = yaml("docs/examples/rebound.yml");
    let steps = list(&workflow["jobs"]["rebound"], "steps");
    let mut calls = 0;
    for step in steps {
        assert!(!text(step, "run").contains("${{"), "{step}");
        if text(step, "uses") == CALL {
            calls += 1;
            let given = keys(&step["with"]);
            assert!(given.is_subset(&keys(&action["inputs"])), "{given:?}");
        }
    }
    assert_eq!(calls, 2);
    let used = names(&workflow.to_string(), "steps.");
    let ids: BTreeSet<_> = steps
        .iter()
        .map(|step| text(step, "id").to_owned())
        .collect();
    assert!(used.is_subset(&ids), "{used:?}");
}

/// Runs the action's script in the lab, as GitHub's runner would; its exit code and what it
/// printed.
fn act(lab: &Lab, inputs: &[(&str, &str)]) -> (i32, String) {
    let action = yaml("action.yml");
    let step = run_step(&action);
    let mut command = Command::new("bash");
    command
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c"])
        .arg(text(step, "run"))
        .current_dir(lab.path(""))
        .env("GITHUB_ACTION_PATH", lab.path("action"))
        .env("GITHUB_WORKSPACE", lab.path(""))
        .env("GITHUB_OUTPUT", lab.path("output"))
        .env("GITHUB_STEP_SUMMARY", lab.path("step.md"));
    for (variable, expression) in step["env"].as_object().expect("variables") {
        let input = names(expression.as_str().expect("an expression"), "inputs.");
        let input = input.first().expect("an input");
        let given = inputs.iter().find(|(name, _)| name == input);
        let value = match (given, &**input) {
            (Some((_, value)), _) => value,
            (None, "binary") => env!("CARGO_BIN_EXE_rebound"),
            (None, _) => text(&action["inputs"][input], "default"),
        };
        command.env(variable, value);
    }
    let output = command.output().expect("bash");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8(printed).expect("UTF-8");
    (output.status.code().expect("an exit code"), printed)
}

#[test]
fn the_action_checks_and_sweeps() {
    let lab = Lab::new();
    let (code, printed) = act(&lab, &[("seeds-per-scenario", "2")]);
    assert_eq!(code, 0, "{printed}");
    crate::validators::junit(&lab.read("rebound-junit.xml"));
    crate::validators::sarif(&lab.read("rebound.sarif"));
    let sweep = [
        ("command", "sweep"),
        ("scenario", CANARY),
        ("seeds", "0..3"),
        ("behaviour", "8.0.1"),
        ("junit", ""),
    ];
    let (code, printed) = act(&lab, &sweep);
    assert_eq!(code, 1, "{printed}");
    assert!(
        printed.contains("::error file=scenarios/canary.json"),
        "{printed}"
    );
    assert_eq!(
        crate::validators::sarif(&lab.read("rebound.sarif")).len(),
        2
    );
    assert!(lab.read("rebound-junit.xml").contains("rebound check"));
    let summary = lab.read("step.md");
    assert!(summary.contains("## rebound check: ") && summary.contains("## rebound sweep: "));
    assert_eq!(lab.read("output"), "exit-code=0\nexit-code=1\n");
    let quiet = [
        &sweep[..],
        &[("annotations", "false"), ("summary", "false")],
    ]
    .concat();
    let (_, printed) = act(&lab, &quiet);
    assert!(!printed.contains("::error"), "{printed}");
    assert_eq!(lab.read("step.md"), summary);
}

/// The workflow's calls do what they are there for, with fewer seeds.
#[test]
fn the_calls_of_the_workflow_to_copy_work() {
    let lab = Lab::new();
    let workflow = yaml("docs/examples/rebound.yml");
    for step in list(&workflow["jobs"]["rebound"], "steps") {
        if text(step, "uses") != CALL {
            continue;
        }
        let given: Vec<_> = keys(&step["with"])
            .into_iter()
            .filter(|name| name != "binary")
            .map(|name| {
                let value = match &*name {
                    "seeds" => "0..2".to_owned(),
                    "seeds-per-scenario" => "2".to_owned(),
                    _ => text(&step["with"], &name).to_owned(),
                };
                (name, value)
            })
            .collect();
        let inputs: Vec<_> = given
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let (code, printed) = act(&lab, &inputs);
        assert_eq!(code, 0, "{printed}");
        let written = |name: &str| lab.read(text(&step["with"], name));
        assert_eq!(crate::validators::junit(&written("junit")).failures, 0);
        assert!(crate::validators::sarif(&written("sarif")).is_empty());
    }
}

/// Values that a shell would act on, or that look like options, stay values.
#[test]
fn the_action_takes_values_for_what_they_are() {
    let lab = Lab::new();
    for value in [
        "$(touch pwned)",
        "`touch pwned`",
        "\"; touch pwned; \"",
        "--bless",
        "a b",
    ] {
        for inputs in [
            &[("scenarios", value)][..],
            &[("command", value)],
            &[("jobs", value)],
            &[("summary", value)],
            &[("command", "sweep"), ("scenario", value), ("seeds", "0..2")],
            &[("command", "sweep"), ("scenario", CLEAN), ("seeds", value)],
        ] {
            let (code, printed) = act(&lab, inputs);
            assert_eq!(code, 2, "{inputs:?}: {printed}");
        }
        let inputs = [
            ("command", "sweep"),
            ("scenario", CLEAN),
            ("seeds", "0..1"),
            ("junit", value),
        ];
        let (code, printed) = act(&lab, &inputs);
        assert_eq!(code, 0, "{printed}");
        assert!(lab.path(value).exists(), "{value}");
        assert!(!lab.path("pwned").exists(), "{value}");
    }
}
