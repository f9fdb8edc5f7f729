//! `two-primaries`: two nodes accept writes at one instant.

use std::sync::Arc;

use super::{CheckId, Findings, Found};
use crate::engine::{Duration, Time};
use crate::scenario::Plan;
use crate::valkey::NodeId;

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    enabled: bool,
    allowed: Duration,
    /// Since when there have been several, and which.
    since: Option<(Time, Vec<NodeId>)>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let config = &plan.checks.two_primaries;
        State {
            plan: plan.clone(),
            enabled: config.enabled,
            allowed: config.allowed_for,
            since: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.since = None;
    }

    /// The primaries have changed (or the run has ended, with none).
    pub(super) fn change(&mut self, now: Time, primaries: &[NodeId], findings: &mut Findings) {
        if primaries.len() > 1 {
            self.since.get_or_insert_with(|| (now, primaries.to_vec()));
            return;
        }
        let Some((since, nodes)) = self.since.take() else {
            return;
        };
        let lasted = now.since(since);
        if !self.enabled || lasted <= self.allowed {
            return;
        }
        findings.add(CheckId::TwoPrimaries, || {
            let names: Vec<_> = nodes.iter().map(|node| self.plan.node_name(*node)).collect();
            let until = if primaries.is_empty() { "the end of the run" } else { "one gave way" };
            Found::of_nodes(
                CheckId::TwoPrimaries,
                since,
                format!(
                    "{} were primaries at the same time for {lasted}, until {until}: each accepted writes that the other has not, and one side's are lost when it is made a replica.",
                    names.join(" and ")
                ),
            )
        });
    }
}
