//! Blessing: the regression file, rewritten by what is found now.

use std::path::Path;

use rebound_sim::results::{CheckItem, CheckOutcome, Regression, Regressions};

use super::judge::Judged;
use crate::files::{self, FileError};

/// Rewrites the regression file by what was found; the items then say that they passed. Returns
/// those that did not pass, as they were judged before.
///
/// # Errors
/// If the file cannot be written.
pub fn bless(
    file: &Path,
    old: &[Regression],
    judged: &mut [Judged],
) -> Result<Vec<CheckItem>, FileError> {
    let runs = judged.iter().filter_map(|judged| judged.run.as_ref());
    let new: Vec<_> = old
        .iter()
        .zip(runs)
        .map(|(old, run)| old.blessed(run))
        .collect();
    if new == old {
        return Ok(Vec::new());
    }
    let contents = Regressions {
        schema: Regressions::SCHEMA.to_owned(),
        regressions: new,
    };
    files::write_json(file, &contents)?;
    let mut blessed = Vec::new();
    for Judged { item, .. } in judged.iter_mut().take(old.len()) {
        match item.outcome {
            CheckOutcome::Passed => {}
            CheckOutcome::Drifted | CheckOutcome::Failed => {
                blessed.push(item.clone());
                item.outcome = CheckOutcome::Passed;
                item.expected.clone_from(&item.found);
                item.replay = None;
            }
        }
    }
    Ok(blessed)
}
