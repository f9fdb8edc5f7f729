//! What was judged, as the formats of build servers want it.

use rebound_batch::Error;
use rebound_batch::check::{CheckError, Item, Judged, What};
use rebound_sim::results::CheckOutcome;

use crate::ci::{Case, Checked, Ending, Place, Shown, Subject};

/// Adds what keeps things from being checked: mistakes in files, each with its place, and items
/// that could not be judged, with what was judged beside them.
pub fn add_broken(checked: &mut Checked, error: &CheckError) {
    let mistakes = error.mistakes.iter().map(|mistake| {
        let place = Place::from(&mistake.location);
        Case::broken(Subject::File, place, mistake.message.clone())
    });
    checked.cases.extend(mistakes);
    let items = error.items.iter().map(|(item, judged)| match judged {
        Ok(judged) => case(item, judged),
        Err(error) => broken(item, error),
    });
    checked.cases.extend(items);
}

/// Adds what was judged.
pub fn add(checked: &mut Checked, items: &[(Item, Judged)]) {
    let cases = items.iter().map(|(item, judged)| case(item, judged));
    checked.cases.extend(cases);
}

fn broken(item: &Item, error: &Error) -> Case {
    Case {
        ending: Ending::Broken,
        expected: String::new(),
        found: error.to_string(),
        ..blank(item)
    }
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
        ..Case::broken(subject, Place::from(&item.location), String::new())
    }
}
