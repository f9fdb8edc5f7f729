//! `no-primary`: no node accepts writes for longer than a bound.

use std::sync::Arc;

use super::{CheckId, Findings, Found};
use crate::engine::{Span, Time};
use crate::scenario::Plan;

/// What the check keeps.
pub(super) struct State {
    enabled: bool,
    allowed: Span,
    since: Option<Time>,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let config = &plan.checks.no_primary;
        State {
            enabled: config.enabled,
            allowed: config.allowed_for,
            since: Some(Time::ZERO),
        }
    }

    pub(super) fn reset(&mut self) {
        self.since = Some(Time::ZERO);
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
                Found::of_nodes(
                    CheckId::NoPrimary,
                    since + allowed,
                    format!(
                        "There was no primary for {lasted}, from {since} on; {allowed} is allowed. No write could be served."
                    ),
                )
            });
        }
    }
}
