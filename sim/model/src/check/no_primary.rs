//! `no-primary`: no node accepts writes for longer than a bound.

use std::sync::Arc;

use super::{CheckId, Findings, Found};
use crate::engine::{Duration, Time};
use crate::scenario::Plan;
use crate::valkey::NodeId;

/// What the check keeps.
pub(super) struct State {
    plan: Arc<Plan>,
    /// The shard; none for a number between those that the nodes have.
    shard: Option<usize>,
    enabled: bool,
    allowed: Duration,
    since: Option<Time>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>, shard: Option<usize>) -> State {
        let config = &plan.checks.no_primary;
        State {
            plan: plan.clone(),
            shard,
            enabled: config.enabled,
            allowed: config.allowed_for,
            since: shard.map(|_| Time::ZERO),
        }
    }

    pub(super) fn reset(&mut self) {
        self.since = self.shard.map(|_| Time::ZERO);
    }

    /// The number of primaries has changed (or the run has ended).
    pub(super) fn change(&mut self, now: Time, primaries: usize, findings: &mut Findings) {
        if primaries == 0 {
            self.since.get_or_insert(now);
            return;
        }
        let Some(since) = self.since.take() else {
            return;
        };
        let lasted = now.since(since);
        if self.enabled && lasted > self.allowed {
            let allowed = self.allowed;
            findings.add(CheckId::NoPrimary, || {
                let whose = match (&self.plan.cluster, self.shard) {
                    (Some(_), Some(shard)) => {
                        let first = self.plan.node_name(NodeId(shard as u16));
                        format!("The shard of {first} had no primary")
                    }
                    (None, _) | (_, None) => "There was no primary".to_owned(),
                };
                Found::of_nodes(
                    CheckId::NoPrimary,
                    since + allowed,
                    format!(
                        "{whose} for {lasted}, from {since} on; {allowed} is allowed. No write could be served."
                    ),
                )
            });
        }
    }
}
