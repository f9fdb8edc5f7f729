//! Behaviours side by side: the same seeds under each, what each run cost its clients, and how far
//! behaviours differ.
//!
//! Each behaviour meets the same arrivals, delays, losses and faults, as far as it asks the same
//! questions of chance: streams are named after what they decide, and a seed answers them alike
//! under every behaviour. So runs are compared in pairs, seed by seed.

mod bootstrap;
mod load;
mod measures;
mod postponed;
mod report;
mod run;
mod series;
mod state;
mod table;
mod work;

pub(crate) use bootstrap::RESAMPLES;
pub use measures::{Measures, Metric, RunMeasures, Unit};
pub use report::{
    BehaviourColumn, CompareReport, Difference, IntervalMethod, ScenarioComparison, Spread,
};
pub use run::{
    CompareOptions, CompareOutcome, CompareProgress, Compared, check_behaviours, compare,
};
pub use series::{Course, Series};
pub use table::{Comparison, SavedComparison};
