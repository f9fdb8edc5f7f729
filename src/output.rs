//! Standard output: text or JSON, coloured or not, and quiet about a pipe that closes.

use std::io::{BufWriter, ErrorKind, IsTerminal, Stdout, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::arguments::{Color, Format, Global};
use crate::exit::Failure;

/// Where a command prints its results.
///
/// When the reader closes the pipe, what follows is dropped and the command ends with the exit
/// code it would have had.
pub struct Output {
    to: BufWriter<Stdout>,
    global: Global,
    color: bool,
    closed: bool,
}

/// How a piece of text looks on a terminal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Headings and what matters most.
    Bold,
    /// What is in order.
    Good,
    /// What is not.
    Bad,
    /// What needs a second look.
    Doubtful,
    /// What may be overlooked.
    Faint,
}

impl Output {
    /// Standard output as the global options want it.
    pub fn new(global: &Global) -> Output {
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
            }
        };
        Output {
            to: BufWriter::new(std::io::stdout()),
            global: global.clone(),
            color,
            closed: false,
        }
    }

    /// How results are wanted.
    pub fn format(&self) -> Format {
        self.global.format
    }

    /// Whether JSON is wanted.
    pub fn json_wanted(&self) -> bool {
        self.global.format == Format::Json
    }

    /// Whether only problems are wanted.
    pub fn quiet(&self) -> bool {
        self.global.quiet
    }

    /// Whether nobody reads any more.
    pub fn closed(&self) -> bool {
        self.closed
    }

    /// A progress bar on standard error; hidden if nobody could see it or it is not wanted.
    pub fn progress(&self, length: u64, template: &str) -> ProgressBar {
        if self.quiet() || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(Some(length), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    }

    /// Whether colours are wanted.
    pub fn coloured(&self) -> bool {
        self.color
    }

    /// `text` in a style, if colours are wanted.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Good => "32",
            Style::Bad => "1;31",
            Style::Doubtful => "33",
            Style::Faint => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Prints `text` as it is.
    ///
    /// # Errors
    /// If it cannot be written, unless that is because nobody reads.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let written = self.to.write_all(text.as_bytes());
        self.judge(written)
    }

    /// Prints one JSON object and a newline.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::usage(format!("cannot write JSON: {error}")))?;
        text.push('\n');
        self.text(&text)
    }

    /// Prints one JSON object on a line of its own.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut text = serde_json::to_string(value)
            .map_err(|error| Failure::usage(format!("cannot write JSON: {error}")))?;
        text.push('\n');
        self.text(&text)
    }

    /// Hands over everything printed so far.
    ///
    /// # Errors
    /// As [`Output::text`].
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.to.flush();
        self.judge(flushed)
    }

    fn judge(&mut self, result: std::io::Result<()>) -> Result<(), Failure> {
        let Err(error) = result else {
            return Ok(());
        };
        self.closed = true;
        if error.kind() == ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "cannot write standard output: {error}"
        )))
    }
}

/// Prints the program's message on standard error. A closed standard error is no error.
pub fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "rebound: {message}");
}
