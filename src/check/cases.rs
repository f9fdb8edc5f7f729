//! What was judged, as the formats of build servers want it.

use rebound_sim::results::CheckOutcome;

use super::items::{Item, What};
use super::judge::Judged;
use crate::ci::{Case, Checked, Ending, Place, Shown, Subject};
use crate::exit::Failure;

/// Adds those that could not be judged. The first of them is returned, after what was judged
/// beside them is added, too.
pub fn add_broken(
    checked: &mut Checked,
    items: &[Item],
    judged: Vec<Result<Judged, Failure>>,
) -> Result<Vec<Judged>, Failure> {
    if judged.iter().all(Result::is_ok) {
        return judged.into_iter().collect();
    }
    for (item, judged) in items.iter().zip(&judged) {
        checked.cases.push(match judged {
            Ok(judged) => case(item, judged),
            Err(failure) => Case {
                ending: Ending::Broken,
                expected: String::new(),
                found: failure.message.clone(),
                ..blank(item)
            },
        });
    }
    judged.into_iter().collect()
}

/// Adds what was judged.
pub fn add(checked: &mut Checked, items: &[Item], judged: &[Judged]) {
    let cases = items.iter().zip(judged);
    let cases = cases.map(|(item, judged)| case(item, judged));
    checked.cases.extend(cases);
}

fn case(item: &Item, judged: &Judged) -> Case {
    let found = &judged.item;
    let shown_by = found.replay.as_ref().zip(judged.seed);
    Case {
        ending: match found.outcome {
            CheckOutcome::Passed => Ending::Passed,
            CheckOutcome::Drifted => Ending::Drifted,
            CheckOutcome::Failed => Ending::Failed,
        },
        expected: found.expected.clone(),
        found: found.found.clone(),
        shown_by: shown_by.map(|(replay, seed)| Shown {
            seed,
            replay: replay.clone(),
        }),
        ..blank(item)
    }
}

/// An item about which nothing is known yet.
fn blank(item: &Item) -> Case {
    let (subject, seeds) = match item.what {
        What::Seed(seed, _) => (Subject::Regression(seed), format!("seed {seed}")),
        What::Expectation(_, seeds) => (Subject::Expectation, format!("seeds 0..{seeds}")),
    };
    Case {
        scenario: Place::of(&item.plan.path).file,
        behaviour: Some(item.behaviour.name.to_owned()),
        seeds: Some(seeds),
        ..Case::broken(subject, item.place.clone(), String::new())
    }
}
