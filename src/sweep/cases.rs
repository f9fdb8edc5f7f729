//! A sweep, as the formats of build servers want it: a case for each check, one for the verdict.

use rebound_batch::Seeds;
use rebound_sim::results::{CheckId, SweepReport, Verdict};
use rebound_sim::scenario::{Plan, replay_command};
use rebound_sim::valkey::Behaviour;

use super::text::{judged, seeds_done, story_worth, verdicts, worst};
use crate::ci::{Case, Checked, Ending, Place, Shown, Subject};
use crate::figures::{commands, count, counts, flagged_clients, grouped, redirects, share, writes};

/// Adds the sweep.
pub fn add(
    checked: &mut Checked,
    report: &SweepReport,
    seeds: &Seeds,
    plan: &Plan,
    behaviour: &Behaviour,
) {
    checked.heading = format!(
        "{} under {}, seeds {seeds}: {}",
        report.scenario,
        report.behaviour,
        judged(report, seeds).name()
    );
    checked.figures = figures(report, seeds);
    let maker = Maker {
        report,
        seeds,
        plan,
        behaviour,
    };
    let checks = CheckId::ALL.into_iter();
    let checks = checks.filter(|check| plan.checks.enabled(*check));
    checked.cases.extend(checks.map(|check| maker.check(check)));
    checked.cases.push(maker.verdict());
}

/// What does not depend on the clock.
fn figures(report: &SweepReport, seeds: &Seeds) -> Vec<(&'static str, String)> {
    let mut figures = vec![
        ("seeds", seeds_done(report, seeds)),
        ("verdicts", verdicts(report)),
        ("clients", flagged_clients(&report.clients)),
        ("commands", commands(&report.commands)),
        ("writes", writes(&report.writes)),
        ("redirects", redirects(&report.hops, &report.bounces)),
        ("errors", counts(&report.errors)),
    ];
    if let Some(worst) = worst(report) {
        figures.push(("worst", worst));
    }
    figures.push(("scenario", report.scenario_hash.clone()));
    figures.push(("digest", report.digest.clone()));
    figures
}

/// What the cases of a sweep have in common.
struct Maker<'a> {
    report: &'a SweepReport,
    seeds: &'a Seeds,
    plan: &'a Plan,
    behaviour: &'a Behaviour,
}

impl Maker<'_> {
    fn check(&self, check: CheckId) -> Case {
        let of = |counts: &std::collections::BTreeMap<String, u64>| {
            counts.get(check.name()).copied().unwrap_or(0)
        };
        let findings = of(&self.report.findings);
        let first = self.report.finding_first.get(check.name());
        let first = first.and_then(|seed| seed.parse().ok());
        // The longest chain tells more than the first one.
        let longest = story_worth(self.report).filter(|_| check == CheckId::Bounce);
        let blank = self.blank(Subject::Check(check));
        let expected = "no finding".to_owned();
        if findings == 0 {
            return Case {
                ending: Ending::Passed,
                expected,
                found: "none".to_owned(),
                ..blank
            };
        }
        let flagged = of(&self.report.finding_seeds);
        Case {
            ending: match check {
                CheckId::BudgetExceeded => Ending::Inconclusive,
                CheckId::Bounce
                | CheckId::LostWrite
                | CheckId::TwoPrimaries
                | CheckId::NoPrimary
                | CheckId::StuckClient
                | CheckId::ErrorSurfaced
                | CheckId::ConnectionStorm
                | CheckId::StaleRedirect
                | CheckId::ThunderingHerd
                | CheckId::EarlyUnblock
                | CheckId::StaleRead
                | CheckId::Linearizability => Ending::Failed,
            },
            expected,
            found: format!(
                "{} in {} of {} ({})",
                count(findings, "finding"),
                grouped(flagged),
                count(self.report.seeds.done, "run"),
                share(flagged, self.report.seeds.done)
            ),
            details: self.worst(check),
            shown_by: longest.or(first).map(|seed| self.shown(seed)),
            ..blank
        }
    }

    fn verdict(&self) -> Case {
        let ending = match judged(self.report, self.seeds) {
            Verdict::Clean => Ending::Passed,
            Verdict::Flagged => Ending::Failed,
            Verdict::Inconclusive => Ending::Inconclusive,
        };
        let inconclusive = || self.report.inconclusive_seeds.first.first()?.parse().ok();
        let seed = story_worth(self.report).or_else(inconclusive);
        Case {
            ending,
            expected: "every run clean".to_owned(),
            found: format!(
                "{}; {}",
                seeds_done(self.report, self.seeds),
                verdicts(self.report)
            ),
            details: worst(self.report).map(worst_line).into_iter().collect(),
            shown_by: seed.map(|seed| self.shown(seed)),
            ..self.blank(Subject::Verdict)
        }
    }

    /// The longest chains, where redirects are the matter.
    fn worst(&self, check: CheckId) -> Vec<(&'static str, String)> {
        match check {
            CheckId::Bounce | CheckId::StaleRedirect => {
                worst(self.report).map(worst_line).into_iter().collect()
            }
            CheckId::LostWrite
            | CheckId::TwoPrimaries
            | CheckId::NoPrimary
            | CheckId::StuckClient
            | CheckId::ErrorSurfaced
            | CheckId::ConnectionStorm
            | CheckId::ThunderingHerd
            | CheckId::EarlyUnblock
            | CheckId::StaleRead
            | CheckId::Linearizability
            | CheckId::BudgetExceeded => Vec::new(),
        }
    }

    fn shown(&self, seed: u64) -> Shown {
        Shown {
            seed,
            replay: replay_command(self.plan, self.behaviour, seed),
        }
    }

    fn blank(&self, subject: Subject) -> Case {
        Case {
            behaviour: Some(self.behaviour.name.to_owned()),
            seeds: Some(format!("seeds {}", self.seeds)),
            ..Case::broken(subject, Place::of(&self.plan.path), String::new())
        }
    }
}

fn worst_line(worst: String) -> (&'static str, String) {
    ("worst", worst)
}
