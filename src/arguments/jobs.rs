//! How many threads a command uses.

use clap::Args;

/// The option of every command that runs many seeds.
#[derive(Args, Clone, Copy)]
pub struct Jobs {
    /// Threads [default: as many as the machine has]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Jobs {
    /// Whether a number was given.
    pub fn given(self) -> bool {
        self.jobs.is_some()
    }

    /// As many threads as asked for, or as the machine has.
    pub fn threads(self) -> usize {
        self.jobs
            .map_or_else(rebound_batch::available_threads, usize::from)
    }
}
