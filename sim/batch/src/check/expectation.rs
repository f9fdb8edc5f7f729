//! Whether a sweep gave what its scenario expects.

use rebound_sim::results::{CheckId, RunReport, Verdict};
use rebound_sim::scenario::{Expectation, ExpectedVerdict};

/// Watches the runs of one expectation.
pub(crate) struct ExpectationTally<'a> {
    expectation: &'a Expectation,
    runs: u64,
    flagged: u64,
    inconclusive: u64,
    max_chain: u64,
    problems: Vec<String>,
    /// The first seed that alone is not as expected.
    culprit: Option<u64>,
    first: Option<u64>,
    first_flagged: Option<u64>,
    first_unflagged: Option<u64>,
    first_inconclusive: Option<u64>,
}

impl<'a> ExpectationTally<'a> {
    /// Problems that are named one by one; more are only counted by the verdict's shares.
    const NAMED: usize = 3;

    /// Has seen nothing yet.
    pub fn new(expectation: &'a Expectation) -> ExpectationTally<'a> {
        ExpectationTally {
            expectation,
            runs: 0,
            flagged: 0,
            inconclusive: 0,
            max_chain: 0,
            problems: Vec::new(),
            culprit: None,
            first: None,
            first_flagged: None,
            first_unflagged: None,
            first_inconclusive: None,
        }
    }

    /// Takes in the report of the run with `seed`.
    pub fn add(&mut self, seed: u64, run: &RunReport) {
        self.runs += 1;
        self.first.get_or_insert(seed);
        self.max_chain = self.max_chain.max(run.hops.max_chain);
        match run.verdict {
            Verdict::Flagged => {
                self.flagged += 1;
                self.first_flagged.get_or_insert(seed);
            }
            Verdict::Inconclusive => {
                self.inconclusive += 1;
                self.first_inconclusive.get_or_insert(seed);
                self.first_unflagged.get_or_insert(seed);
            }
            Verdict::Clean => {
                self.first_unflagged.get_or_insert(seed);
            }
        }
        let has = |check: CheckId| run.found().any(|name| name == check.name());
        for check in &self.expectation.findings {
            if run.verdict == Verdict::Flagged && !has(*check) {
                self.object(seed, format!("no {} finding", check.name()));
            }
        }
        for check in &self.expectation.never {
            if has(*check) {
                self.object(seed, format!("a {} finding", check.name()));
            }
        }
        if let Some(most) = self.expectation.max_chain
            && run.hops.max_chain > u64::from(most)
        {
            self.object(seed, format!("a chain of {} redirects", run.hops.max_chain));
        }
    }

    fn object(&mut self, seed: u64, what: String) {
        self.culprit.get_or_insert(seed);
        if self.problems.len() < Self::NAMED {
            self.problems.push(format!("seed {seed} has {what}"));
        }
    }

    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && self.verdict_holds() && self.chain_reached()
    }

    fn verdict_holds(&self) -> bool {
        match self.expectation.verdict {
            ExpectedVerdict::Clean => self.flagged == 0 && self.inconclusive == 0,
            ExpectedVerdict::Flagged => self.flagged == self.runs,
            ExpectedVerdict::Share { least, most } => {
                self.flagged * 1_000 >= u64::from(least) * self.runs
                    && self.flagged * 1_000 <= u64::from(most) * self.runs
            }
        }
    }

    fn chain_reached(&self) -> bool {
        let least = self.expectation.min_max_chain.map_or(0, u64::from);
        self.max_chain >= least
    }

    /// What is expected, in words.
    pub fn expected(&self) -> String {
        let mut parts = vec![match self.expectation.verdict {
            ExpectedVerdict::Clean => "every run clean".to_owned(),
            ExpectedVerdict::Flagged => "every run flagged".to_owned(),
            ExpectedVerdict::Share { least, most } => {
                format!("{least} to {most} of 1000 runs flagged")
            }
        }];
        let names = |checks: &[CheckId]| {
            let names: Vec<_> = checks.iter().map(|check| check.name()).collect();
            names.join(", ")
        };
        if !self.expectation.findings.is_empty() {
            parts.push(format!(
                "each flagged run with {}",
                names(&self.expectation.findings)
            ));
        }
        if !self.expectation.never.is_empty() {
            parts.push(format!("never {}", names(&self.expectation.never)));
        }
        if let Some(most) = self.expectation.max_chain {
            parts.push(format!("no chain longer than {most}"));
        }
        if let Some(least) = self.expectation.min_max_chain {
            parts.push(format!("some chain of {least} or more"));
        }
        parts.join(", ")
    }

    /// What was found, in words.
    pub fn found(&self) -> String {
        let mut text = format!("{} of {} runs flagged", self.flagged, self.runs);
        if self.inconclusive > 0 {
            text.push_str(&format!(", {} inconclusive", self.inconclusive));
        }
        text.push_str(&format!(", longest chain {}", self.max_chain));
        for problem in &self.problems {
            text.push_str(&format!("; {problem}"));
        }
        text
    }

    /// The seed that shows best why it has not passed.
    pub(crate) fn culprit(&self) -> Option<u64> {
        if self.passed() {
            return None;
        }
        let by_verdict = match self.expectation.verdict {
            ExpectedVerdict::Clean => self.first_flagged.or(self.first_inconclusive),
            ExpectedVerdict::Flagged => self.first_unflagged,
            ExpectedVerdict::Share { .. } => self.first_flagged.or(self.first_unflagged),
        };
        let verdict_failed = !self.verdict_holds();
        self.culprit
            .or(by_verdict.filter(|_| verdict_failed))
            .or(self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebound_sim::results::{Bounces, Clients, Commands, Hops, MODEL};
    use std::collections::BTreeMap;

    fn run(verdict: Verdict, max_chain: u64, checks: &[CheckId]) -> RunReport {
        let counted = checks.iter().map(|check| (check.name().to_owned(), 1));
        RunReport {
            schema: RunReport::SCHEMA.to_owned(),
            scenario: String::new(),
            scenario_hash: String::new(),
            behaviour: String::new(),
            model: MODEL.to_owned(),
            seed: String::new(),
            verdict,
            trace_hash: String::new(),
            events: 0,
            virtual_ns: 0,
            clients: Clients::default(),
            commands: Commands::default(),
            hops: Hops {
                max_chain,
                ..Hops::default()
            },
            bounces: Bounces::default(),
            errors: BTreeMap::new(),
            connections_opened: 0,
            writes: rebound_sim::results::Writes::default(),
            findings: Vec::new(),
            findings_total: counted.collect(),
        }
    }

    fn expectation(verdict: ExpectedVerdict) -> Expectation {
        Expectation {
            behaviours: Vec::new(),
            verdict,
            findings: Vec::new(),
            never: Vec::new(),
            max_chain: None,
            min_max_chain: None,
        }
    }

    /// Whether it passes, and the culprit, for runs of seeds from 5 upwards.
    fn judged(expectation: &Expectation, runs: &[RunReport]) -> (bool, Option<u64>) {
        let mut tally = ExpectationTally::new(expectation);
        for (seed, run) in (5..).zip(runs) {
            tally.add(seed, run);
        }
        (tally.passed(), tally.culprit())
    }

    #[test]
    fn verdicts_are_held_to() {
        let clean = run(Verdict::Clean, 1, &[]);
        let flagged = run(Verdict::Flagged, 3, &[CheckId::Bounce]);
        let unknown = run(Verdict::Inconclusive, 0, &[]);
        let all_clean = expectation(ExpectedVerdict::Clean);
        let both = [clean.clone(), flagged.clone()];
        assert_eq!(
            judged(&all_clean, std::slice::from_ref(&clean)),
            (true, None)
        );
        assert_eq!(judged(&all_clean, &both), (false, Some(6)));
        assert_eq!(
            judged(&all_clean, &[clean.clone(), unknown]),
            (false, Some(6))
        );
        let all_flagged = expectation(ExpectedVerdict::Flagged);
        assert_eq!(judged(&all_flagged, &[flagged]), (true, None));
        assert_eq!(judged(&all_flagged, &both), (false, Some(5)));
        for (least, most, passes) in [(500, 500, true), (0, 499, false), (501, 1_000, false)] {
            let share = expectation(ExpectedVerdict::Share { least, most });
            assert_eq!(judged(&share, &both).0, passes, "{least} {most}");
        }
    }

    #[test]
    fn findings_and_chains_are_held_to() {
        let flagged = run(Verdict::Flagged, 3, &[CheckId::Bounce]);
        let lost = run(Verdict::Flagged, 2, &[CheckId::Bounce, CheckId::LostWrite]);
        let runs = [flagged, lost];
        let all = || expectation(ExpectedVerdict::Flagged);
        let findings = Expectation {
            findings: vec![CheckId::LostWrite],
            ..all()
        };
        assert_eq!(judged(&findings, &runs), (false, Some(5)));
        let never = Expectation {
            never: vec![CheckId::LostWrite],
            ..all()
        };
        assert_eq!(judged(&never, &runs), (false, Some(6)));
        for (max_chain, min_max_chain, passes) in [
            (Some(3), Some(3), true),
            (Some(2), None, false),
            (None, Some(4), false),
        ] {
            let chains = Expectation {
                max_chain,
                min_max_chain,
                ..all()
            };
            assert_eq!(judged(&chains, &runs).0, passes, "{max_chain:?}");
        }
    }
}
