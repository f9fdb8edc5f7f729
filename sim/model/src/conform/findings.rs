//! The checks, held over the records of a run of real servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::{CheckId, Checks, Ending, Found, Unfinished};
use crate::client::{ClientId, Note as ClientNote};
use crate::engine::Time;
use crate::net::Note as NetNote;
use crate::scenario::Plan;
use crate::trace::{Event, Record};
use crate::valkey::{CommandKind, Note as NodeNote};

/// The checks that need no more than what can be seen of real servers.
pub const JUDGED_LIVE: [CheckId; 6] = [
    CheckId::Bounce,
    CheckId::TwoPrimaries,
    CheckId::NoPrimary,
    CheckId::StuckClient,
    CheckId::ErrorSurfaced,
    CheckId::ConnectionStorm,
];

/// The checks that need more, and what.
pub const UNJUDGED_LIVE: [(CheckId, &str); 6] = [
    (
        CheckId::LostWrite,
        "needs all the data of each server at the end",
    ),
    (
        CheckId::StaleRedirect,
        "needs each server's role at the instant of a redirect, and polling is only accurate to a few milliseconds",
    ),
    (
        CheckId::ThunderingHerd,
        "needs the instant at which a server reads each request",
    ),
    (
        CheckId::EarlyUnblock,
        "needs the instant at which a server releases a blocked command",
    ),
    (
        CheckId::StaleRead,
        "needs the order of writes inside a server",
    ),
    (
        CheckId::Linearizability,
        "needs one clock for all clients and servers, to the microsecond",
    ),
];

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
    let mut checks = Checks::new(plan);
    let mut open: BTreeMap<(ClientId, u32), (CommandKind, Time)> = BTreeMap::new();
    for record in records {
        match record.event {
            Event::Client(client, ClientNote::Issued { command, kind, .. }) => {
                open.insert((client, command), (kind, record.at));
            }
            Event::Client(client, ClientNote::Ended { command, .. }) => {
                open.remove(&(client, command));
                checks.observe(record);
            }
            Event::Net(NetNote::Delivered { .. })
            | Event::Node(_, NodeNote::Gate { .. })
            | Event::Client(_, ClientNote::Element { .. }) => {}
            Event::Net(
                NetNote::Dialled { .. }
                | NetNote::Connected { .. }
                | NetNote::ConnectFailed { .. }
                | NetNote::Closed { .. },
            )
            | Event::Node(
                _,
                NodeNote::Released { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Operator { .. }
                | NodeNote::Cluster(_),
            )
            | Event::Sentinel { .. }
            | Event::Client(_, ClientNote::Hop { .. } | ClientNote::Ignored { .. })
            | Event::Fault { .. } => checks.observe(record),
        }
    }
    let mut oldest: BTreeMap<ClientId, Unfinished> = BTreeMap::new();
    for ((client, number), (kind, issued_at)) in open {
        oldest.entry(client).or_insert_with(|| Unfinished {
            command: (client, number, kind),
            issued_at,
            reason: waits(client),
        });
    }
    checks.end(&Ending {
        at: until,
        healed_at: plan.limits.heal_at,
        nodes: Vec::new(),
        unfinished: oldest.into_values().collect(),
    });
    let totals = JUDGED_LIVE.into_iter().filter_map(|check| {
        let total = checks.findings.total(check);
        (total > 0).then_some((check, total))
    });
    let totals = totals.collect();
    let mut found = checks.findings.take();
    found.retain(|found| JUDGED_LIVE.contains(&found.check));
    Judged { totals, found }
}
