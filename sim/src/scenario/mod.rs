//! Scenarios: the file format, its validation, and the plan that a world is built from.

mod plan;

pub use plan::{
    Action, ClientGroup, Expectation, ExpectedVerdict, FaultSpec, Faults, NetworkPlan, NodePlan,
    Occasion, PathPlan, Plan, Selector, TimelineItem, Trigger, TriggerMessage,
};
