//! `rebound check --bless`: the regression file, rewritten by what is found now.

use std::path::Path;

use rebound_sim::results::{CheckOutcome, Regression, Regressions};

use super::judge::Judged;
use crate::exit::Failure;
use crate::files;
use crate::output::complain;

/// Rewrites the regression file by what was found; the items then say that they passed, and
/// what they expected before.
///
/// # Errors
/// If the file cannot be written.
pub fn bless(file: &Path, old: &[Regression], judged: &mut [Judged]) -> Result<(), Failure> {
    let runs = judged.iter().filter_map(|judged| judged.run.as_ref());
    let blessed: Vec<_> = old
        .iter()
        .zip(runs)
        .map(|(old, run)| old.blessed(run))
        .collect();
    if blessed == old {
        return Ok(());
    }
    let contents = Regressions {
        schema: Regressions::SCHEMA.to_owned(),
        regressions: blessed,
    };
    files::write_json(file, &contents)?;
    for Judged { item, .. } in judged.iter_mut().take(old.len()) {
        match item.outcome {
            CheckOutcome::Passed => {}
            CheckOutcome::Drifted | CheckOutcome::Failed => {
                complain(&format!(
                    "blessed {} under {}, seed {}: was {}, is {}",
                    item.scenario, item.behaviour, item.seeds, item.expected, item.found
                ));
                item.outcome = CheckOutcome::Passed;
                item.expected.clone_from(&item.found);
                item.replay = None;
            }
        }
    }
    Ok(())
}
