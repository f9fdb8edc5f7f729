//! `stuck-client`: a command is unfinished long after the last fault healed.

use std::sync::Arc;

use super::{CheckId, Ending, Findings, Found};
use crate::client::Note as ClientNote;
use crate::engine::{Duration, Time};
use crate::scenario::Plan;
use crate::trace::{Event, Record};
use crate::valkey::CommandKind;

/// What the check keeps.
pub(super) struct State {
    enabled: bool,
    within: Duration,
    healed_at: Time,
}

impl State {
    pub(super) fn new(plan: &Arc<Plan>) -> State {
        let config = &plan.checks.stuck_client;
        State {
            enabled: config.enabled,
            within: config.within,
            healed_at: plan.limits.heal_at,
        }
    }

    #[inline]
    pub(super) fn observe(&mut self, record: &Record, findings: &mut Findings) {
        if let Event::Client(client, ClientNote::Ended { command, kind, took, .. }) = record.event
            && took > self.within
            && self.enabled
            // A blocking pop waits for its list, not for a failover.
            && kind != CommandKind::BlPop
        {
            let issued_at = Time(record.at.0 - took.0);
            let waited = record.at.since(issued_at.max(self.healed_at));
            if waited > self.within {
                let within = self.within;
                findings.add(CheckId::StuckClient, || {
                    let why = format!(
                        "It ended only {waited} after it was issued and everything had healed; {within} is allowed."
                    );
                    Found::of_command(CheckId::StuckClient, record.at, (client, command, kind), why)
                });
            }
        }
    }

    pub(super) fn end(&mut self, ending: &Ending<'_>, findings: &mut Findings) {
        if !self.enabled {
            return;
        }
        for unfinished in &ending.unfinished {
            let waited = ending.at.since(unfinished.issued_at.max(ending.healed_at));
            findings.add(CheckId::StuckClient, || {
                let why = format!(
                    "It was issued at {} and is unfinished at the end, {waited} after that and after everything had healed: it {}.",
                    unfinished.issued_at, unfinished.reason
                );
                Found::of_command(CheckId::StuckClient, ending.at, unfinished.command, why)
            });
        }
    }
}
