//! Scenarios: the file format, its validation, and the plan that a world is built from.
//!
//! The way down: [`load`] reads a file, `format` (with `either`) says what may stand in it,
//! `resolve` looks up every name and checks every number, and the result is a [`Plan`].

mod behaviours;
pub(crate) mod command_line;
mod drivable;
mod either;
mod error;
mod format;
mod load;
mod locate;
mod names;
mod nearest;
mod plan;
mod policy;
pub mod request;
mod resolve;
mod shell;

pub use behaviours::behaviour_named;
pub use command_line::parse as parse_command;
pub use drivable::{Drivability, undrivable};
pub use error::{ScenarioError, phrase};
pub use load::{load, parse, schema};
pub use locate::position_of;
pub use names::{HostRole, Names};
pub use nearest::{hint, nearest, no_such, quoted};
pub use plan::{
    Action, ClientGroup, Expectation, ExpectedVerdict, FaultSpec, Faults, NetworkPlan, NodePlan,
    Occasion, PathFault, PathPlan, Paths, Plan, SENTINEL, Selector, SentinelPlan, TimelineItem,
    Trigger, TriggerMessage,
};

pub use shell::{replay_command, shell_word};

#[cfg(test)]
mod tests;
