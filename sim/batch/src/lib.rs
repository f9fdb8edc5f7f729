//! Many runs of Rebound's model at once: sweeps over seeds, comparisons of behaviours, and checks
//! of what scenarios expect.
//!
//! Each engine is a function that takes options and an [`Observer`], and returns its results or an
//! [`Error`]: [`sweep()`], [`compare()`] and [`check()`]. They run on one [`pool`] of threads,
//! each with a world of its own. Neither the number of threads nor the clock changes a result:
//! the clock decides only when progress is shown, when a state is written, and when a sweep with a
//! time limit is stopped.
//!
//! ```
//! use std::sync::Arc;
//!
//! use rebound_batch::{SweepOptions, sweep};
//!
//! let text = r#"{"name": "idle", "nodes": [{"name": "a"}]}"#;
//! let plan = Arc::new(rebound_sim::scenario::parse(text, "idle.json")?);
//! let options = SweepOptions::new(plan, "0..20".parse()?);
//! let swept = sweep(&options, &mut ())?;
//! assert_eq!(swept.report.verdicts.clean, 20);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod check;
pub mod compare;
mod error;
pub mod files;
pub mod guard;
mod observer;
mod outage;
mod outages;
pub mod pool;
mod ranges;
mod resume;
mod seeds;
mod sweep;
pub mod verify;

pub use check::{CheckOptions, check};
pub use compare::{CompareOptions, compare};
pub use error::Error;
pub use observer::Observer;
pub use pool::available_threads;
pub use seeds::Seeds;
pub use sweep::{SweepOptions, SweepProgress, Swept, sweep};
