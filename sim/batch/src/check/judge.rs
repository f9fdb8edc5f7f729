//! Whether a thing is as expected: by running it.

use std::sync::Arc;

use crate::check::expectation::ExpectationTally;
use rebound_sim::results::{
    CheckItem, CheckKind, CheckOutcome, Regression, RunReport, found_words,
};
use rebound_sim::scenario::{Expectation, replay_command};
use rebound_sim::trace::NoTrace;
use rebound_sim::world::Runner;

use super::items::{Item, What};
use crate::error::Error;
use crate::guard::guard_seed;
use crate::verify::mismatch;

/// What became of an item.
#[derive(Clone, Debug)]
pub struct Judged {
    /// For the report.
    pub item: CheckItem,
    /// The seed that shows it, where something differs.
    pub seed: Option<u64>,
    /// A regression's run.
    pub run: Option<RunReport>,
}

impl Item {
    /// Runs what is to be run, and compares.
    ///
    /// # Errors
    /// If a seed gave two different results or the model panicked.
    pub(super) fn judge(&self) -> Result<Judged, Error> {
        match &self.what {
            What::Seed(seed, regression) => self.judge_seed(*seed, regression),
            What::Expectation(index, seeds) => {
                self.judge_expectation(&self.plan.expect[*index], *seeds)
            }
        }
    }

    fn runner(&self) -> Runner {
        Runner::new(Arc::clone(&self.plan), self.behaviour)
    }

    fn run(&self, runner: &mut Runner, seed: u64) -> Result<RunReport, Error> {
        guard_seed(&self.plan, self.behaviour, seed, || {
            runner.run(seed, &mut NoTrace)
        })
    }

    fn judge_seed(&self, seed: u64, regression: &Regression) -> Result<Judged, Error> {
        let run = self.run(&mut self.runner(), seed)?;
        let again = self.run(&mut self.runner(), seed)?;
        if again != run {
            let text = mismatch(seed, &run.trace_hash, &again.trace_hash);
            return Err(Error::Nondeterminism(format!("{}: {text}", self.plan.path)));
        }
        let outcome = regression.judge(&run);
        let item = CheckItem {
            kind: CheckKind::Regression,
            scenario: self.plan.path.clone(),
            behaviour: self.behaviour.name.to_owned(),
            seeds: seed.to_string(),
            outcome,
            expected: regression.expected(),
            found: found_words(&run),
            replay: self.replay(outcome, Some(seed)),
        };
        Ok(Judged {
            item,
            seed: Some(seed),
            run: Some(run),
        })
    }

    fn judge_expectation(&self, expectation: &Expectation, seeds: u64) -> Result<Judged, Error> {
        let mut tally = ExpectationTally::new(expectation);
        let mut runner = self.runner();
        for seed in 0..seeds {
            tally.add(seed, &self.run(&mut runner, seed)?);
        }
        let outcome = if tally.passed() {
            CheckOutcome::Passed
        } else {
            CheckOutcome::Failed
        };
        let item = CheckItem {
            kind: CheckKind::Expectation,
            scenario: self.plan.path.clone(),
            behaviour: self.behaviour.name.to_owned(),
            seeds: format!("0..{seeds}"),
            outcome,
            expected: tally.expected(),
            found: tally.found(),
            replay: self.replay(outcome, tally.culprit()),
        };
        Ok(Judged {
            item,
            seed: tally.culprit(),
            run: None,
        })
    }

    fn replay(&self, outcome: CheckOutcome, seed: Option<u64>) -> Option<String> {
        match outcome {
            CheckOutcome::Passed => None,
            CheckOutcome::Drifted | CheckOutcome::Failed => {
                seed.map(|seed| replay_command(&self.plan, self.behaviour, seed))
            }
        }
    }
}
