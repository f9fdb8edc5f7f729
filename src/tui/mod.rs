//! `rebound tui`: a run in a terminal, stepped forward and back.

mod app;
mod breakpoints;
mod cursor;
mod foot;
mod keys;
mod layout;
mod panes;
mod prompt;
mod recording;
mod records;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod view;

use std::path::PathBuf;

use clap::Args;
use rebound_sim::client::ClientId;
use rebound_sim::engine::{Span, Time};
use signal_hook::consts::SIGINT;

use crate::arguments::load;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::run::read_schedule;
use crate::verify::Case;
use app::{App, Next};
use recording::{Recording, Window};
use terminal::{Input, Screen};
use text::Palette;

/// Arguments of `rebound tui`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario file
    scenario: PathBuf,
    /// The run's seed
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    seed: u64,
    /// Server version (and remedies) to simulate; overrides the scenario
    #[arg(long, value_name = "NAME", alias = "behavior")]
    behaviour: Option<String>,
    /// Replay the random choices that `run --record` wrote
    #[arg(long, value_name = "FILE")]
    schedule: Option<PathBuf>,
    /// Follow this client (GROUP/NUMBER, or a number through all groups) [default: the first
    /// flagged client]
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// Keep records from this time on, such as 1.2s
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    from: Option<Span>,
    /// Keep records until this time
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    until: Option<Span>,
}

/// Shows the run until somebody has seen enough of it.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    if out.json_wanted() {
        return Err(Failure::usage(
            "tui draws on a terminal and prints no JSON: rebound replay --state does",
        ));
    }
    let (plan, behaviour) = load(&arguments.scenario, arguments.behaviour.as_deref())?;
    let schedule = arguments.schedule.as_deref().map(read_schedule);
    let case = Case {
        plan,
        behaviour,
        seed: arguments.seed,
        schedule: schedule.transpose()?,
    };
    let chosen = arguments.client.as_deref();
    let chosen = chosen.map(|client| case.names().client_named(client));
    let chosen = chosen.transpose().map_err(Failure::usage)?;
    let window = window(arguments)?;
    terminal::check()?;
    let recording = Recording::new(&case, window)?;
    if recording.records().is_empty() {
        return Err(Failure::usage(format!(
            "nothing happens from {} until {}",
            window.from, window.until
        )));
    }
    let mut app = App::new(&recording, chosen.or_else(|| first_flagged(&recording)));
    let palette = Palette {
        coloured: out.coloured(),
    };
    match show(&mut app, palette)? {
        Input::Signal(signal) => terminal::end_by(signal)?,
        Input::Key(_) | Input::Resized | Input::Nothing => {}
    }
    Ok(recording.report().verdict.into())
}

fn window(arguments: &Arguments) -> Result<Window, Failure> {
    let time = |span: Option<Span>, other| span.map_or(other, |span| Time(span.as_nanos()));
    let window = Window {
        from: time(arguments.from, Time::ZERO),
        until: time(arguments.until, Time::NEVER),
    };
    if window.until <= window.from {
        return Err(Failure::usage(format!(
            "there is nothing from {} until {}: --until must be later than --from",
            window.from, window.until
        )));
    }
    Ok(window)
}

/// The first client with a finding; if there is none, the first.
fn first_flagged(recording: &Recording<'_>) -> Option<ClientId> {
    let found = recording.names().first_flagged(recording.report());
    found.or((recording.clients() > 0).then_some(ClientId(0)))
}

/// Shows the run; the terminal is given back afterwards. Returns what ended it.
fn show(app: &mut App<'_>, palette: Palette) -> Result<Input, Failure> {
    let mut screen = Screen::enter()?;
    loop {
        screen.draw(|frame| view::draw(app, palette, frame))?;
        let mut input = screen.next()?;
        // Keys that came while drawing are obeyed before it is drawn again.
        while input != Input::Nothing {
            match input {
                Input::Key(key) if keys::interrupts(key) => return Ok(Input::Signal(SIGINT)),
                Input::Key(key) => {
                    if press(app, key) == Next::Quit {
                        return Ok(input);
                    }
                }
                Input::Signal(_) => return Ok(input),
                Input::Resized | Input::Nothing => {}
            }
            input = screen.pending()?;
        }
    }
}

/// Does what a key means just now.
fn press(app: &mut App<'_>, key: ratatui::crossterm::event::KeyEvent) -> Next {
    if app.prompt().is_some() {
        if let Some(edit) = keys::edit(key) {
            app.edit(edit);
        }
        return Next::GoOn;
    }
    match keys::order(key) {
        Some(order) => app.order(order),
        None => {
            app.dismiss();
            Next::GoOn
        }
    }
}
