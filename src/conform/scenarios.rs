//! Which scenarios are meant: those that are named, or those of a folder that say they are live.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rebound_batch::check::scenario_files;
use rebound_sim::scenario::Plan;

use crate::arguments::load;
use crate::exit::Failure;

/// The plans of the scenarios that are named; if none is, of all in the folder.
///
/// # Errors
/// If one cannot be read.
pub fn named_or_all(named: &[PathBuf], folder: &Path) -> Result<Vec<Arc<Plan>>, Failure> {
    let files = if named.is_empty() {
        scenario_files(folder)?
    } else {
        named.to_vec()
    };
    files.iter().map(|file| Ok(load(file, None)?.0)).collect()
}

/// The plans of the scenarios that are named; if none is, of those in the folder that say they
/// are live.
///
/// # Errors
/// As [`named_or_all`].
pub fn named_or_live(named: &[PathBuf], folder: &Path) -> Result<Vec<Arc<Plan>>, Failure> {
    let mut plans = named_or_all(named, folder)?;
    if named.is_empty() {
        plans.retain(|plan| plan.live);
    }
    Ok(plans)
}
