//! Runs a scenario with one seed and prints its verdict and what was found.
//!
//! `cargo run -p rebound-sim --example findings -- scenarios/handover-slow.json 1 8.0.0-rc1`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use rebound_sim::scenario::{behaviour_named, load, replay_command};
use rebound_sim::trace::NoTrace;
use rebound_sim::world::Runner;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .unwrap_or("scenarios/handover-slow.json".into());
    let seed: u64 = arguments.next().map_or(Ok(1), |seed| seed.parse())?;

    // After this nothing can be wrong with the input.
    let plan = Arc::new(load(Path::new(&file))?);
    let behaviour = match arguments.next() {
        Some(name) => behaviour_named(&name)?,
        None => plan.behaviour,
    };
    // A runner is built once and runs any number of seeds.
    let mut runner = Runner::new(Arc::clone(&plan), behaviour);
    let report = runner.run(seed, &mut NoTrace);

    println!("{:?}, trace {}", report.verdict, report.trace_hash);
    for finding in &report.findings {
        println!("{}: {}", finding.check.name(), finding.why);
    }
    println!("{}", replay_command(&plan, behaviour, seed));
    Ok(())
}
