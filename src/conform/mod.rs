//! `rebound conform`: holds the model against real servers, driven now or recorded before.

pub mod become_server;
mod binary;
mod carry;
mod clients;
mod connection;
mod drive;
mod operator;
mod ops;
mod orphans;
mod paths;
mod poll;
mod proxy;
mod script;
mod server;
mod stage;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rebound_sim::conform::{Agreement, Envelope};

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Arguments of `rebound conform`.
#[derive(Args)]
pub struct Arguments {
    /// The scenarios' JSON files
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// A valkey-server binary
    #[arg(long, value_name = "PATH")]
    server: Vec<PathBuf>,
    /// Hold every server against this behaviour
    #[arg(long, value_name = "NAME")]
    behaviour: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    orphans::listen()?;
    let forced = arguments
        .behaviour
        .as_deref()
        .map(crate::arguments::behaviour_named)
        .transpose()?;
    let mut exit = Exit::Clean;
    for path in &arguments.server {
        let binary = binary::Binary::find(path, forced)?;
        for scenario in &arguments.scenarios {
            let plan = crate::arguments::load(scenario, None)?.0;
            let run = drive::drive(&plan, &binary, 0, 1, Duration::from_secs(20))?;
            let mut envelope = Envelope::new(plan.clone(), binary.behaviour, 20);
            let observations = envelope.hold(&run.seen, &run.judged);
            let agreement = Agreement {
                label: binary.label.clone(),
                version: binary.version.clone(),
                behaviour: binary.behaviour.name,
                scenario: "live".to_owned(),
                variant: plan.name.clone(),
                n: 1,
                observations,
            };
            out.text(&agreement.table())?;
            for (at, what) in &run.unknown {
                out.text(&format!("unknown at {}: {what}\n", at.0))?;
            }
            if let Ok(dir) = std::env::var("CONFORM_DUMP") {
                let mut text = String::new();
                for line in &run.lines {
                    text += &serde_json::to_string(line).unwrap();
                    text.push('\n');
                }
                std::fs::write(format!("{dir}/{}-{}.jsonl", binary.label, plan.name), text)
                    .unwrap();
            }
            if !agreement.agrees() {
                exit = Exit::Flagged;
            }
        }
    }
    Ok(exit)
}
