//! The checks, held over the records of a run of real servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use rebound_engine::Time;
use rebound_sim::check::{Checks, Ending, Found, Unfinished};
use rebound_sim::client::ClientId;
use rebound_sim::results::CheckId;
use rebound_sim::scenario::Plan;
use rebound_sim::trace::Record;
use rebound_view::Run;

/// Whether a check can be judged from what can be seen of real servers; if not, what it would need.
pub const fn judged_live(check: CheckId) -> Result<(), &'static str> {
    match check {
        CheckId::Bounce
        | CheckId::TwoPrimaries
        | CheckId::NoPrimary
        | CheckId::StuckClient
        | CheckId::ErrorSurfaced
        | CheckId::ConnectionStorm => Ok(()),
        CheckId::LostWrite => Err("needs all the data of each server at the end"),
        CheckId::StaleRedirect => Err(
            "needs each server's role at the instant of a redirect, and polling is only accurate \
             to a few milliseconds",
        ),
        CheckId::ThunderingHerd => Err("needs the instant at which a server reads each request"),
        CheckId::EarlyUnblock => {
            Err("needs the instant at which a server releases a blocked command")
        }
        CheckId::StaleRead => Err("needs the order of writes inside a server"),
        CheckId::Linearizability => {
            Err("needs one clock for all clients and servers, to the microsecond")
        }
        CheckId::BudgetExceeded => Err("it concerns only the model's budget"),
    }
}

/// What the checks found.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// How many findings each check has that has any.
    pub totals: BTreeMap<CheckId, u64>,
    /// The first few, in order of time.
    pub found: Vec<Found>,
}

/// Holds the checks that can be held over the records of a run, in order of time, that ended at
/// `until`. `waits` says of a command without an end what it waits for.
pub fn judge(
    plan: &Arc<Plan>,
    records: &[Record],
    until: Time,
    waits: impl Fn(ClientId) -> String,
) -> Judged {
    let mut checks = Checks::new(plan, |check| judged_live(check).is_ok());
    let mut run = Run::new(plan, plan.behaviour);
    for record in records {
        run.observe(record);
        checks.observe(record.at, &record.event);
    }
    let oldest = run.clients().filter_map(|(client, state)| {
        let oldest = state.open().next()?;
        Some(Unfinished {
            command: (client, oldest.number, oldest.kind),
            issued_at: oldest.issued_at,
            reason: waits(client),
        })
    });
    checks.end(&Ending {
        at: until,
        healed_at: plan.limits.heal_at,
        nodes: Vec::new(),
        unfinished: oldest.collect(),
    });
    let totals = CheckId::ALL.into_iter().filter_map(|check| {
        let total = checks.total(check);
        (total > 0).then_some((check, total))
    });
    Judged {
        totals: totals.collect(),
        found: checks.take_found(),
    }
}
