//! A single run that can be repeated, and whether it gives the same again.

use std::sync::Arc;

use rebound_engine::Schedule;
use rebound_sim::results::RunReport;
use rebound_sim::scenario::{Names, Plan, replay_command};
use rebound_sim::trace::{Record, Sink};
use rebound_sim::valkey::Behaviour;
use rebound_sim::world::Runner;
use rebound_view::{Filter, Run, Story};

use crate::error::Error;
use crate::guard::guard_seed;

/// A run that can be made as often as one likes.
pub struct Case {
    /// The scenario.
    pub plan: Arc<Plan>,
    /// The behaviour of the nodes.
    pub behaviour: &'static Behaviour,
    /// The seed.
    pub seed: u64,
    /// Recorded answers to the run's random choices, instead of those that the seed gives.
    pub schedule: Option<Schedule>,
}

impl Case {
    /// Makes the run in a world of its own.
    ///
    /// # Errors
    /// If the model panics.
    pub fn run<S: Sink>(&self, sink: &mut S) -> Result<RunReport, Error> {
        guard_seed(&self.plan, self.behaviour, self.seed, || {
            let mut runner = Runner::new(Arc::clone(&self.plan), self.behaviour);
            match &self.schedule {
                Some(schedule) => runner.follow(self.seed, schedule.clone(), sink),
                None => runner.run(self.seed, sink),
            }
        })
    }

    /// Makes the run, and returns what chance decided in it as well.
    ///
    /// # Errors
    /// If the model panics.
    pub fn record<S: Sink>(&self, sink: &mut S) -> Result<(RunReport, Schedule), Error> {
        guard_seed(&self.plan, self.behaviour, self.seed, || {
            let mut runner = Runner::new(Arc::clone(&self.plan), self.behaviour);
            runner.record(self.seed, sink)
        })
    }

    /// Makes the run again and compares it with `first`.
    ///
    /// # Errors
    /// If it differs: names the seed, the hashes and, if it differs once more, the first event
    /// that is another one.
    pub fn reproduce(&self, first: &RunReport) -> Result<(), Error> {
        let again = self.run(&mut rebound_sim::trace::NoTrace)?;
        if again == *first {
            return Ok(());
        }
        let mut traces: [Vec<Record>; 2] = Default::default();
        for trace in &mut traces {
            self.run(trace)?;
        }
        let place = self.first_difference(&traces[0], &traces[1]);
        Err(Error::Nondeterminism(format!(
            "{}{place} This is a bug in Rebound; the run's findings are not reported.",
            mismatch(self.seed, &first.trace_hash, &again.trace_hash)
        )))
    }

    fn first_difference(&self, one: &[Record], other: &[Record]) -> String {
        let place = one.iter().zip(other).position(|(a, b)| a != b);
        let place = place.or((one.len() != other.len()).then(|| one.len().min(other.len())));
        let Some(place) = place else {
            return " Two more runs agreed with each other.".to_owned();
        };
        let at = [one.get(place), other.get(place)]
            .into_iter()
            .flatten()
            .map(|record| record.at.to_string())
            .collect::<Vec<_>>();
        let told = one.get(place).and_then(|record| {
            // What was before it is left out: it is about two runs.
            let mut run = Run::new(&self.plan, self.behaviour);
            run.observe(record);
            Story::default()
                .tell(&run, record, &Filter::all())
                .into_iter()
                .next()
        });
        let told = told.map_or(String::new(), |line| {
            format!(" ({} {})", line.who, line.words)
        });
        format!(
            " The first event that differs is number {} at {}{told}.",
            place + 1,
            at.join(" and ")
        )
    }

    /// The command that tells the story of this run.
    pub fn replay(&self) -> String {
        replay_command(&self.plan, self.behaviour, self.seed)
    }

    /// What the run's hosts are called.
    pub fn names(&self) -> Names<'_> {
        Names::new(&self.plan)
    }
}

/// The sentence on a run that gave two results.
pub fn mismatch(seed: u64, first: &str, again: &str) -> String {
    if first == again {
        return format!("seed {seed} gave two different reports for one trace ({first}).");
    }
    format!("seed {seed} is not deterministic: trace {first} at first, {again} when run again.")
}
