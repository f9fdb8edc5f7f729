//! `rebound report`: one self-contained page of a run, a sweep, a comparison or a check, from JSON
//! that another command wrote or by running scenarios itself.

mod check;
mod compare;
mod document;
mod look;
mod made;
mod name;
mod replay;
mod run;
mod sweep;

use std::path::{Path, PathBuf};

use clap::Args;
use rebound_batch::Seeds;
use serde::Serialize;

use crate::arguments::{BehaviourArgument, Jobs, WindowArguments};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use document::{Document, Found};
use rebound_batch::files;

/// Arguments of `rebound report`.
#[derive(Args)]
pub struct Arguments {
    /// JSON that run, sweep, compare or check wrote (- for standard input), a scenario to run, or a
    /// folder of scenarios to check; several scenarios make a comparison
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Where to write the page [default: a descriptive name in reports/out/]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Run a scenario with this seed [default: 1]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    seed: Option<u64>,
    /// Sweep a scenario over these seeds, from A up to but not including B
    #[arg(long, value_name = "A..B", conflicts_with_all = ["seed", "from", "until"])]
    seeds: Option<Seeds>,
    #[command(flatten)]
    behaviour: BehaviourArgument,
    /// Compare these behaviours on the seeds; the others are compared with the first
    #[arg(
        long,
        value_name = "NAME,…",
        alias = "behaviors",
        value_delimiter = ',',
        requires = "seeds",
        conflicts_with = "behaviour"
    )]
    behaviours: Option<Vec<String>>,
    /// The scenario file for a run's JSON [default: the one with that name next to the JSON or in
    /// scenarios/]
    #[arg(long, value_name = "FILE", conflicts_with = "seeds")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    window: WindowArguments,
    #[command(flatten)]
    jobs: Jobs,
}

/// Where pages go if nothing else is said.
const FOLDER: &str = "reports/out";

/// The answer of `rebound report --format json`.
#[derive(Serialize)]
struct Written<'a> {
    schema: &'a str,
    kind: &'a str,
    path: String,
}

/// Makes the page. What it is of may be flagged: that is no failure of the page.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.out {
        files::probe(path)?;
    }
    let document = read(arguments, out)?;
    let path = match &arguments.out {
        Some(path) => path.clone(),
        None => {
            let folder = Path::new(FOLDER);
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::usage(format!("cannot make folder {FOLDER}: {error}")))?;
            folder.join(format!("{}.html", name::of(&document)))
        }
    };
    files::write(&path, render(&document).as_bytes())?;
    let shown = path.display().to_string();
    if out.json_wanted() {
        out.json(&Written {
            schema: "rebound.report/1",
            kind: document.kind().name(),
            path: shown,
        })?;
    } else if out.quiet() {
        out.text(&format!("{shown}\n"))?;
    } else {
        let without = document
            .not_drawn()
            .map_or(String::new(), |why| format!(", without a diagram: {why}"));
        out.text(&format!("wrote {shown}{without}\n"))?;
    }
    Ok(Exit::Clean)
}

/// The one document among the inputs, or what comes of running them.
fn read(arguments: &Arguments, out: &Output) -> Result<Document, Failure> {
    let mut scenarios = Vec::new();
    for path in &arguments.inputs {
        match document::find(path)? {
            Found::Scenario => scenarios.push(path.clone()),
            Found::Folder => return made::check(arguments, path, out),
            Found::Document(document) => {
                alone(arguments, path)?;
                return drawn(arguments, path, document);
            }
        }
    }
    made::run(arguments, scenarios, out)
}

/// A run's report with the run's picture, if it can be made; anything else as it is.
fn drawn(arguments: &Arguments, path: &Path, document: Document) -> Result<Document, Failure> {
    let kind = document.kind();
    match document {
        Document::Run(run) => {
            let window = run::window(arguments.window)?;
            let named = arguments.scenario.as_deref();
            let drawn = run::again(run.report, path, named, window)?;
            Ok(Document::Run(Box::new(drawn)))
        }
        Document::Sweep(_) | Document::Compare(_) | Document::Check(_) => {
            let of_runs = [
                ("--scenario", arguments.scenario.is_some()),
                ("--from", arguments.window.from.is_some()),
                ("--until", arguments.window.until.is_some()),
            ];
            match of_runs.into_iter().find(|(_, given)| *given) {
                Some((option, _)) => Err(Failure::usage(format!(
                    "{option} applies to the diagram of a run, but {} is a report of `rebound {}`",
                    path.display(),
                    kind.name()
                ))),
                None => Ok(document),
            }
        }
    }
}

/// A finished report cannot be run differently, and is a page of its own.
fn alone(arguments: &Arguments, path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if arguments.inputs.len() > 1 {
        return Err(Failure::usage(format!(
            "{shown} is a report: expected only one report, or only scenario files"
        )));
    }
    let runs = [
        ("--seed", arguments.seed.is_some()),
        ("--seeds", arguments.seeds.is_some()),
        ("--behaviour", arguments.behaviour.behaviour.is_some()),
        ("--behaviours", arguments.behaviours.is_some()),
        ("--jobs", arguments.jobs.given()),
    ];
    match runs.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Failure::usage(format!(
            "{option} says how to run a scenario, but {shown} is the report of a finished run: \
             leave it out, or name the scenario"
        ))),
        None => Ok(()),
    }
}

fn render(document: &Document) -> String {
    match document {
        Document::Run(report) => run::page(report),
        Document::Sweep(report) => sweep::page(report),
        Document::Compare(report) => compare::page(report),
        Document::Check(report) => check::page(report),
    }
}
