//! `rebound completions`: a shell's completion script.

use clap::Args;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Arguments of `rebound completions`.
#[derive(Args)]
pub struct Arguments {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints the script that completes `program`.
pub fn run(
    arguments: &Arguments,
    mut program: clap::Command,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "rebound", &mut script);
    out.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clean)
}
