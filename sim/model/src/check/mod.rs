//! The checks: invariants and liveness properties watched during a run.
//!
//! Each looks at the records as they come and keeps little; what it finds it reports at the end.

mod bounce;
mod config;
mod connection_storm;
mod early_unblock;
mod error_surfaced;
mod freshness;
mod history;
mod linearizability;
mod lost_write;
mod no_primary;
mod primaries;
mod rush;
mod stale_read;
mod stale_redirect;
mod stuck_client;
#[cfg(test)]
mod testing;
mod thundering_herd;
mod two_primaries;

pub use config::{
    Bounce, CheckConfig, CheckId, ConnectionStorm, EarlyUnblock, ErrorSurfaced, Linearizability,
    NoPrimary, StaleRead, StaleRedirect, StuckClient, ThunderingHerd, Toggle, TwoPrimaries,
};
pub(crate) use freshness::Freshness;

use std::sync::Arc;

use crate::client::ClientId;
use crate::engine::Time;
use crate::net::HostId;
use crate::report::{ChainHop, Finding};
use crate::scenario::Plan;
use crate::trace::{Event, Record};
use crate::valkey::{CommandKind, Data, Message, NodeId};

/// Something that a check found, before it is put into words for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The check.
    pub check: CheckId,
    /// When.
    pub at: Time,
    /// Whose command, its number and what it is.
    pub command: Option<(ClientId, u32, CommandKind)>,
    /// A client without a particular command.
    pub client: Option<ClientId>,
    /// The redirects that it met.
    pub chain: Vec<ChainHop>,
    /// What happened and why.
    pub why: String,
}

impl Found {
    /// A finding that is about no client.
    fn of_nodes(check: CheckId, at: Time, why: String) -> Found {
        Found {
            check,
            at,
            command: None,
            client: None,
            chain: Vec::new(),
            why,
        }
    }

    /// A finding that is about a command.
    fn of_command(
        check: CheckId,
        at: Time,
        command: (ClientId, u32, CommandKind),
        why: String,
    ) -> Found {
        Found {
            check,
            at,
            command: Some(command),
            client: None,
            chain: Vec::new(),
            why,
        }
    }
}

/// What checks have found: how often, and the first few in words.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Found>,
    total: [u64; CheckId::ALL.len()],
}

impl Findings {
    /// Reports something. The words are asked for only if they are kept.
    pub(crate) fn add(&mut self, check: CheckId, found: impl FnOnce() -> Found) {
        let total = &mut self.total[check as usize];
        *total += 1;
        if *total <= Finding::KEPT_PER_CHECK as u64 {
            self.kept.push(found());
        }
    }

    /// How many findings a check has.
    pub(crate) fn total(&self, check: CheckId) -> u64 {
        self.total[check as usize]
    }

    /// What was kept, in order of time.
    pub(crate) fn take(&mut self) -> Vec<Found> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.sort_by_key(|found| (found.at, found.check));
        kept
    }
}

/// A command without an end when the run ended.
#[derive(Clone, Debug)]
pub(crate) struct Unfinished {
    pub(crate) command: (ClientId, u32, CommandKind),
    pub(crate) issued_at: Time,
    pub(crate) reason: String,
}

/// How a run ended, for checks that look at the end.
pub(crate) struct Ending<'a> {
    pub(crate) at: Time,
    /// When everything healed.
    pub(crate) healed_at: Time,
    /// Each node's data, whether it is a primary, and whether its process exists.
    pub(crate) nodes: Vec<(&'a Data, bool, bool)>,
    /// The oldest unfinished command of each client that has one.
    pub(crate) unfinished: Vec<Unfinished>,
}

/// All checks of a run.
pub(crate) struct Checks {
    bounce: bounce::State,
    lost_write: lost_write::State,
    primaries: primaries::Primaries,
    /// By shard; those of standalone servers have one.
    two_primaries: Vec<two_primaries::State>,
    no_primary: Vec<no_primary::State>,
    stuck_client: stuck_client::State,
    error_surfaced: error_surfaced::State,
    connection_storm: connection_storm::State,
    stale_redirect: stale_redirect::State,
    thundering_herd: thundering_herd::State,
    early_unblock: early_unblock::State,
    stale_read: stale_read::State,
    linearizability: linearizability::State,
    /// Whether a check wants to hear of commands issued and ended, with what they read.
    wants_history: bool,
    /// Whether a check wants to hear of requests. They are most of all records.
    wants_requests: bool,
    /// Whether a check wants to hear of messages that arrive. The same holds for them.
    wants_deliveries: bool,
    pub(crate) findings: Findings,
}

impl Checks {
    pub(crate) fn new(plan: &Arc<Plan>) -> Checks {
        let thundering_herd = thundering_herd::State::new(plan);
        let early_unblock = early_unblock::State::new(plan);
        let stale_read = stale_read::State::new(plan);
        let linearizability = linearizability::State::new(plan);
        let primaries = primaries::Primaries::new(plan);
        let shards = primaries.shards();
        let last = shards.last().map_or(0, |last| last + 1);
        Checks {
            bounce: bounce::State::new(plan),
            lost_write: lost_write::State::new(plan),
            primaries,
            two_primaries: (0..last).map(|_| two_primaries::State::new(plan)).collect(),
            no_primary: (0..last)
                .map(|shard| no_primary::State::new(plan, shards.contains(&shard).then_some(shard)))
                .collect(),
            stuck_client: stuck_client::State::new(plan),
            error_surfaced: error_surfaced::State::new(plan),
            connection_storm: connection_storm::State::new(plan),
            stale_redirect: stale_redirect::State::new(plan),
            wants_history: stale_read.enabled() || linearizability.enabled(),
            wants_requests: thundering_herd.enabled() || stale_read.enabled(),
            thundering_herd,
            wants_deliveries: early_unblock.enabled(),
            early_unblock,
            stale_read,
            linearizability,
            findings: Findings::default(),
        }
    }

    /// Prepares for a new run.
    pub(crate) fn reset(&mut self) {
        self.bounce.reset();
        self.lost_write.reset();
        self.primaries.reset();
        for shard in &mut self.two_primaries {
            shard.reset();
        }
        for shard in &mut self.no_primary {
            shard.reset();
        }
        self.error_surfaced.reset();
        self.connection_storm.reset();
        self.stale_redirect.reset();
        self.thundering_herd.reset();
        self.early_unblock.reset();
        self.stale_read.reset();
        self.linearizability.reset();
        self.findings = Findings::default();
    }

    /// Takes note of a record, of any but requests and messages that arrive.
    #[inline]
    pub(crate) fn observe(&mut self, record: &Record) {
        self.bounce.observe(record, &mut self.findings);
        self.lost_write.observe(record);
        if let Some(shard) = self.primaries.observe(record) {
            let accepting = self.primaries.accepting(shard);
            self.two_primaries[shard].change(record.at, accepting, &mut self.findings);
            let serving = self.primaries.count(shard);
            self.no_primary[shard].change(record.at, serving, &mut self.findings);
            self.early_unblock
                .change(record.at, self.primaries.standing());
        }
        self.stuck_client.observe(record, &mut self.findings);
        self.error_surfaced.observe(record);
        self.connection_storm.observe(record, &mut self.findings);
        self.stale_redirect
            .observe(record, &self.primaries, &mut self.findings);
    }

    /// Takes note that a node looked at a request.
    #[inline(always)]
    pub(crate) fn request(&mut self, at: Time, node: NodeId, event: &Event) {
        if self.wants_requests {
            if self.thundering_herd.enabled() {
                self.thundering_herd.request(at, node, &mut self.findings);
            }
            self.stale_read.gate(event);
        }
    }

    /// Takes note that a command was issued or has ended, or of one value that it read.
    #[inline(always)]
    pub(crate) fn history(&mut self, at: Time, event: &Event) {
        if self.wants_history {
            self.stale_read.observe(at, event, &mut self.findings);
            self.linearizability.observe(at, event);
        }
    }

    /// Takes note that a message arrived.
    #[inline(always)]
    pub(crate) fn delivered(
        &mut self,
        at: Time,
        hosts: (HostId, HostId),
        sent_at: Time,
        message: &Message,
    ) {
        if self.wants_deliveries {
            self.early_unblock
                .delivered(at, hosts, sent_at, message, &mut self.findings);
        }
    }

    /// The run has ended.
    pub(crate) fn end(&mut self, ending: &Ending<'_>) {
        self.bounce.end(ending, &mut self.findings);
        self.lost_write.end(ending, &mut self.findings);
        for shard in &mut self.two_primaries {
            shard.change(ending.at, &[], &mut self.findings);
        }
        for shard in &mut self.no_primary {
            shard.change(ending.at, 1, &mut self.findings);
        }
        self.stuck_client.end(ending, &mut self.findings);
        self.error_surfaced.end(&mut self.findings);
        self.linearizability.end(ending, &mut self.findings);
    }

    /// Redirects, and those that led back, of each command that has been redirected and has no
    /// end; call it before the checks learn of the end.
    pub(crate) fn open_chains(&self) -> impl Iterator<Item = (u32, u32)> {
        self.bounce.open_chains()
    }

    /// Clients with a command that was redirected more often than allowed.
    pub(crate) fn flagged_clients(&self) -> u64 {
        self.bounce.flagged()
    }
}
