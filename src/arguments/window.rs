//! The part of a run's time that is shown.

use clap::Args;
use rebound_engine::{Duration, Time};

use crate::exit::Failure;

/// Where the part begins and ends.
#[derive(Args, Clone, Copy)]
pub struct WindowArguments {
    /// Leave out what happens before this time, such as 1.2s
    #[arg(long, value_name = "TIME", value_parser = Duration::parse)]
    pub from: Option<Duration>,
    /// Leave out what happens from this time on
    #[arg(long, value_name = "TIME", value_parser = Duration::parse)]
    pub until: Option<Duration>,
}

impl WindowArguments {
    /// The first time that is shown, and the first after it that is not.
    ///
    /// # Errors
    /// If nothing lies between them.
    pub fn times(self) -> Result<(Time, Time), Failure> {
        let time = |span: Option<Duration>, other| span.map_or(other, |span| Time(span.as_nanos()));
        let from = time(self.from, Time::ZERO);
        let until = time(self.until, Time::NEVER);
        if until <= from {
            return Err(Failure::usage(format!(
                "there is nothing from {} until {}: --until must be later than --from",
                Duration(from.nanos()),
                Duration(until.nanos())
            )));
        }
        Ok((from, until))
    }
}
