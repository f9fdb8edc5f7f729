//! What was checked and how it ended: made by the commands, read by every format.

use std::path::Path;

use rebound_sim::check::CheckId;

use super::place::Place;
use super::plain::plain;
use super::rule::Rule;
use crate::exit::Failure;

/// Everything that a command checked.
pub struct Checked {
    /// The command, such as `rebound check`.
    pub command: &'static str,
    /// What tells this series of results from others of the same repository.
    pub series: String,
    /// What came of it, on one line.
    pub heading: String,
    /// Figures of the whole, each with its name.
    pub figures: Vec<(&'static str, String)>,
    /// What was checked, in the command's order.
    pub cases: Vec<Case>,
    /// What the command is about, for mistakes without a place of their own.
    about: Place,
}

impl Checked {
    /// Nothing is checked yet.
    pub fn new(command: &'static str, about: impl AsRef<Path>) -> Checked {
        Checked {
            command,
            series: command.to_owned(),
            heading: "stopped".to_owned(),
            figures: Vec::new(),
            cases: Vec::new(),
            about: Place::of(about),
        }
    }

    /// Problems that belong to no case.
    pub fn problems(&self) -> impl Iterator<Item = (Rule, &Case)> {
        self.cases
            .iter()
            .filter_map(|case| Some((case.rule()?, case)))
    }

    /// The command ended early. Unless a case says so already, one is added that does.
    pub fn stopped_by(&mut self, failure: &Failure) {
        let known = |case: &Case| case.ending == Ending::Broken;
        if !self.cases.iter().any(known) {
            self.cases.push(Case::broken(
                Subject::Command,
                self.about.clone(),
                failure.message.clone(),
            ));
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub subject: Subject,
    /// Where it is written down.
    pub place: Place,
    /// The scenario's file, as [`Place::file`] has it.
    pub scenario: String,
    /// The behaviour that nodes followed, where one is concerned.
    pub behaviour: Option<String>,
    /// The seed or the seeds, in words, where some are concerned.
    pub seeds: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// More about what was found, each with its name.
    pub details: Vec<(&'static str, String)>,
    /// The run that shows the problem.
    pub shown_by: Option<Shown>,
}

/// A run that shows something.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its seed.
    pub seed: u64,
    /// The command that tells its story.
    pub replay: String,
}

/// What is checked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A seed of the regression file.
    Regression(u64),
    /// What a scenario expects of a behaviour.
    Expectation,
    /// A check, in all runs of a sweep.
    Check(CheckId),
    /// What a sweep comes to.
    Verdict,
    /// A scenario's file, or an entry of the regression file: that it can be read.
    File,
    /// That the command got to its end.
    Command,
}

/// How a case ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order.
    Passed,
    /// As expected, by another trace than recorded.
    Drifted,
    /// A problem.
    Failed,
    /// It was stopped before the answer was known.
    Inconclusive,
    /// It could not be checked at all.
    Broken,
}

impl Ending {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Ending::Passed => "passed",
            Ending::Drifted => "drifted",
            Ending::Failed => "failed",
            Ending::Inconclusive => "inconclusive",
            Ending::Broken => "broken",
        }
    }
}

impl Case {
    /// Something that could not be checked, and why.
    pub fn broken(subject: Subject, place: Place, why: String) -> Case {
        Case {
            subject,
            scenario: place.file.clone(),
            place,
            behaviour: None,
            seeds: None,
            ending: Ending::Broken,
            expected: String::new(),
            found: why,
            details: Vec::new(),
            shown_by: None,
        }
    }

    /// The rule that is broken; none if nothing is, and none for a sweep that is flagged, since
    /// the checks that flagged it say more.
    fn rule(&self) -> Option<Rule> {
        match (self.ending, self.subject) {
            (Ending::Passed, _) | (Ending::Failed | Ending::Drifted, Subject::Verdict) => None,
            (_, Subject::Check(check)) => Some(Rule::Check(check)),
            (_, Subject::File) => Some(Rule::File),
            (Ending::Broken, _) | (_, Subject::Command) => Some(Rule::Command),
            (Ending::Inconclusive, _) => Some(Rule::Inconclusive),
            (Ending::Drifted, Subject::Regression(_) | Subject::Expectation) => Some(Rule::Drift),
            (Ending::Failed, Subject::Regression(_)) => Some(Rule::Regression),
            (Ending::Failed, Subject::Expectation) => Some(Rule::Expectation),
        }
    }

    /// What it is, without the scenario: the same in every run of the same files.
    pub fn name(&self) -> String {
        let what = match self.subject {
            Subject::Regression(seed) => format!("regression seed {seed}"),
            Subject::Expectation => "expectation".to_owned(),
            Subject::Check(check) => check.name().to_owned(),
            Subject::Verdict => "verdict".to_owned(),
            Subject::File => "can be read".to_owned(),
            Subject::Command => "runs to its end".to_owned(),
        };
        match &self.behaviour {
            Some(behaviour) => format!("{what} under {behaviour}"),
            None => what,
        }
    }

    /// Scenario, behaviour and seeds, on one line.
    pub fn whereabouts(&self) -> String {
        let mut text = plain(&self.scenario);
        if let Some(behaviour) = &self.behaviour {
            text.push_str(&format!(" under {behaviour}"));
        }
        if let Some(seeds) = &self.seeds {
            text.push_str(&format!(", {seeds}"));
        }
        text
    }

    /// What was expected and what was found, on one line.
    pub fn message(&self) -> String {
        let found = plain(&self.found);
        if self.expected.is_empty() {
            found
        } else {
            format!("expected {}; found {found}", plain(&self.expected))
        }
    }

    /// Other findings, and the command that shows them, one per line.
    pub fn further(&self) -> Vec<String> {
        let details = self.details.iter();
        let mut lines: Vec<_> = details
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect();
        lines.extend(self.shown_by.iter().map(|shown| plain(&shown.replay)));
        lines
    }

    /// Everything, a line each.
    pub fn description(&self) -> String {
        let place = self.place.shown();
        let mut rows = vec![("at", &*place)];
        if !self.expected.is_empty() {
            rows.push(("expected", &self.expected));
        }
        rows.push(("found", &self.found));
        rows.extend(self.details.iter().map(|(name, value)| (*name, &**value)));
        rows.extend((self.shown_by.iter()).map(|shown| ("replay", &*shown.replay)));
        let rows = rows.iter();
        let lines: Vec<_> = rows
            .map(|(name, value)| format!("{name:<8}  {}", plain(value)))
            .collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stopped_the_command_is_told_once() {
        let failure = Failure::nondeterminism("seed 5 gave two traces");
        let mut checked = Checked::new("rebound sweep", "a.json");
        checked.stopped_by(&failure);
        checked.stopped_by(&failure);
        let problems: Vec<_> = checked.problems().collect();
        assert_eq!(problems.len(), 1);
        let (rule, case) = problems[0];
        assert_eq!(
            (rule, case.place.shown()),
            (Rule::Command, "a.json".to_owned())
        );
        assert_eq!(case.message(), "seed 5 gave two traces");
    }

    #[test]
    fn a_flagged_sweep_is_told_by_its_checks() {
        let mut checked = Checked::new("rebound sweep", "a.json");
        for (subject, ending) in [
            (Subject::Check(CheckId::Bounce), Ending::Failed),
            (Subject::Check(CheckId::LostWrite), Ending::Passed),
            (Subject::Verdict, Ending::Failed),
        ] {
            checked.cases.push(Case {
                ending,
                ..Case::broken(subject, Place::of("a.json"), String::new())
            });
        }
        let rules: Vec<_> = checked.problems().map(|(rule, _)| rule.id()).collect();
        assert_eq!(rules, ["bounce"]);
        checked.cases[2].ending = Ending::Inconclusive;
        let rules: Vec<_> = checked.problems().map(|(rule, _)| rule.id()).collect();
        assert_eq!(rules, ["bounce", "inconclusive"]);
    }
}
