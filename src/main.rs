//! The command line of Rebound, a deterministic simulator of Valkey failovers.

mod arguments;
mod behaviours;
mod check;
mod ci;
mod cli;
mod compare;
mod completions;
mod conform;
mod diagram;
mod exit;
mod figures;
mod html;
mod internal;
mod interrupts;
mod output;
mod progress;
mod replay;
mod report;
mod run;
mod schema;
mod sweep;
mod tui;

use std::process::ExitCode;

use clap::CommandFactory;
use cli::{Cli, Command};
use exit::{Exit, Failure};
use output::{Output, complain};

fn main() -> ExitCode {
    if let Some(code) = rebound_conform::live::become_server::if_asked(complain) {
        return code.into();
    }
    let Cli { global, command } = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    internal::listen();
    let mut out = Output::new(&global);
    let outcome = internal::guard(
        || "outside of any run".to_owned(),
        || {
            command.prints(global.format)?;
            dispatch(command, &mut out)
        },
    )
    .and_then(|outcome| outcome);
    // Output printed before a failure is still useful.
    let flushed = out.flush();
    match outcome.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure.message);
            failure.exit.into()
        }
    }
}

fn dispatch(command: Command, out: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::run(&arguments, out),
        Command::Sweep(arguments) => sweep::run(&arguments, out),
        Command::Replay(arguments) => replay::run(&arguments, out),
        Command::Tui(arguments) => tui::run(&arguments, out),
        Command::Compare(arguments) => compare::run(&arguments, out),
        Command::Conform(arguments) => conform::run(&arguments, out),
        Command::Report(arguments) => report::run(&arguments, out),
        Command::Check(arguments) => check::run(&arguments, out),
        Command::Behaviours(arguments) => behaviours::run(&arguments, out),
        Command::Schema(arguments) => schema::run(&arguments, out),
        Command::Completions(arguments) => completions::run(&arguments, Cli::command(), out),
    }
}
