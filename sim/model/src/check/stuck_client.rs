//! `stuck-client`: a command is unfinished long after the last fault healed.

use std::sync::Arc;

use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::client::Note as ClientNote;
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::CommandKind;
use rebound_engine::{Duration, Time};

/// The check.
pub(super) struct StuckClient {
    within: Duration,
    healed_at: Time,
}

impl Check for StuckClient {
    const LISTENS: Topics = Topics::of(&[Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> StuckClient {
        let config = &plan.checks.stuck_client;
        StuckClient {
            within: config.within,
            healed_at: plan.limits.heal_at,
        }
    }

    fn reset(&mut self) {}

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, findings: &mut Findings) {
        if let Event::Client(client, ClientNote::Ended { command, kind, took, .. }) = *event
            && took > self.within
            // A blocking pop waits for its list, not for a failover.
            && kind != CommandKind::BlPop
        {
            let issued_at = Time(now.0 - took.0);
            let waited = now.since(issued_at.max(self.healed_at));
            if waited > self.within {
                let within = self.within;
                findings.add(CheckId::StuckClient, || {
                    let why = format!(
                        "It ended only {waited} after it was issued and everything had healed; {within} is allowed."
                    );
                    Found::of_command(CheckId::StuckClient, now, (client, command, kind), why)
                });
            }
        }
    }

    fn end(&mut self, ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
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
