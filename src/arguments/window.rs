//! The part of a run's time that is shown.

use clap::Args;
use rebound_sim::engine::{Span, Time};

use crate::exit::Failure;

/// Where the part begins and ends.
#[derive(Args, Clone, Copy)]
pub struct WindowArguments {
    /// Leave out what happens before this time, such as 1.2s
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub from: Option<Span>,
    /// Leave out what happens from this time on
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub until: Option<Span>,
}

impl WindowArguments {
    /// The first time that is shown, and the first after it that is not.
    ///
    /// # Errors
    /// If nothing lies between them.
    pub fn times(self) -> Result<(Time, Time), Failure> {
        let time = |span: Option<Span>, other| span.map_or(other, |span| Time(span.as_nanos()));
        let from = time(self.from, Time::ZERO);
        let until = time(self.until, Time::NEVER);
        if until <= from {
            return Err(Failure::usage(format!(
                "there is nothing from {} until {}: --until must be later than --from",
                Span(from.nanos()),
                Span(until.nanos())
            )));
        }
        Ok((from, until))
    }
}
