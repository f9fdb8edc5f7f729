//! Scenarios and behaviours, as they are named on the command line.

use std::path::Path;
use std::sync::Arc;

use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::exit::Failure;

/// Loads a scenario, and the behaviour to run it under: the one named, or the scenario's own.
///
/// # Errors
/// A message that says what is wrong with the file or the name.
pub fn load(
    scenario: &Path,
    behaviour: Option<&str>,
) -> Result<(Arc<Plan>, &'static Behaviour), Failure> {
    let behaviour = behaviour.map(behaviour_named).transpose()?;
    let plan =
        rebound_sim::scenario::load(scenario).map_err(|error| Failure::usage(error.to_string()))?;
    let behaviour = behaviour.unwrap_or(plan.behaviour);
    Ok((Arc::new(plan), behaviour))
}

/// The behaviour of that name, alias or combination.
///
/// # Errors
/// A message with the part that is wrong, the nearest name and all names.
pub fn behaviour_named(name: &str) -> Result<&'static Behaviour, Failure> {
    rebound_sim::scenario::behaviour_named(name).map_err(Failure::usage)
}
