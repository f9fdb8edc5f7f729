//! The checks: invariants and liveness properties watched during a run.
//!
//! Each says which records it listens to, looks at them as they come and keeps little. [`Checks`]
//! brings them the records, in the world and beside real servers alike.

mod bounce;
mod chains;
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
mod topic;
mod two_primaries;

pub use freshness::{Freshness, Stale};

use std::sync::Arc;

use self::bounce::Bounce;
use self::chains::Chains;
use self::connection_storm::ConnectionStorm;
use self::early_unblock::EarlyUnblock;
use self::error_surfaced::ErrorSurfaced;
use self::linearizability::Linearizability;
use self::lost_write::LostWrite;
use self::no_primary::NoPrimary;
use self::primaries::Primaries;
use self::stale_read::StaleRead;
use self::stale_redirect::StaleRedirect;
use self::stuck_client::StuckClient;
use self::thundering_herd::ThunderingHerd;
use self::topic::{Topic, Topics};
use self::two_primaries::TwoPrimaries;
use crate::client::ClientId;
use crate::results::{ChainHop, CheckId, Finding};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{CommandKind, Data};
use rebound_engine::Time;

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
    fn total(&self, check: CheckId) -> u64 {
        self.total[check as usize]
    }

    /// What was kept, in order of time.
    fn take(&mut self) -> Vec<Found> {
        let mut kept = std::mem::take(&mut self.kept);
        kept.sort_by_key(|found| (found.at, found.check));
        kept
    }
}

/// A command without an end when the run ended.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Whose command, its number and what it is.
    pub command: (ClientId, u32, CommandKind),
    /// When it was issued.
    pub issued_at: Time,
    /// What it waits for, in words.
    pub reason: String,
}

/// How a run ended, for checks that look at the end.
pub struct Ending<'a> {
    /// When the run ended.
    pub at: Time,
    /// When everything healed.
    pub healed_at: Time,
    /// Each node's data, whether it is a primary, and whether its process exists.
    pub nodes: Vec<(&'a Data, bool, bool)>,
    /// The oldest unfinished command of each client that has one.
    pub unfinished: Vec<Unfinished>,
}

/// A check of one run after another.
trait Check {
    /// The records that it looks at.
    const LISTENS: Topics;

    /// Of a plan's runs.
    fn new(plan: &Arc<Plan>) -> Self;

    /// Takes note of a record. What is known has it already.
    fn observe(&mut self, now: Time, event: &Event, known: &Known, findings: &mut Findings);

    /// The run has ended.
    fn end(&mut self, _ending: &Ending<'_>, _known: &Known, _findings: &mut Findings) {}

    /// Prepares for a new run.
    fn reset(&mut self);
}

/// What several checks ask for, or a report counts even if no check does.
struct Known {
    primaries: Primaries,
    chains: Chains,
}

impl Known {
    const LISTENS: Topics = Topics::of(&[Topic::Nodes, Topic::Hop, Topic::Ended]);

    fn new(plan: &Plan) -> Known {
        Known {
            primaries: Primaries::new(plan),
            chains: Chains::new(plan),
        }
    }

    #[inline(always)]
    fn observe(&mut self, now: Time, event: &Event, topic: Topic) {
        match topic {
            Topic::Nodes => self.primaries.observe(event),
            Topic::Hop | Topic::Ended => self.chains.observe(now, event),
            Topic::Delivered
            | Topic::Gate
            | Topic::Dialled
            | Topic::Issued
            | Topic::Element
            | Topic::Other => {}
        }
    }

    fn reset(&mut self) {
        self.primaries.reset();
        self.chains.reset();
    }
}

/// Lists the checks: the name of the field that configures one in `CheckConfig`, the check,
/// which is called as its id is. All that is done with every check is made from this list.
macro_rules! checks {
    ($($field:ident: $Check:ident;)*) => {
        /// All checks of a run.
        pub struct Checks {
            $(
                /// Absent if it is turned off.
                $field: Option<$Check>,
            )*
            known: Known,
            /// What at least one check looks at.
            wanted: Topics,
            /// What they have found so far.
            pub(crate) findings: Findings,
        }

        impl Checks {
            /// Those that a plan enables and that `judged` says can be judged where the records
            /// come from.
            pub fn new(plan: &Arc<Plan>, judged: impl Fn(CheckId) -> bool) -> Checks {
                let mut wanted = Known::LISTENS;
                $(
                    let enabled = plan.checks.$field.enabled && judged(CheckId::$Check);
                    let $field = enabled.then(|| $Check::new(plan));
                    if enabled {
                        wanted = wanted.and($Check::LISTENS);
                    }
                )*
                Checks {
                    $($field,)*
                    known: Known::new(plan),
                    wanted,
                    findings: Findings::default(),
                }
            }

            /// Takes note of a record. Always inlined, since most callers know which kind of record
            /// it is, and of most kinds nothing is left to do.
            #[inline(always)]
            pub fn observe(&mut self, now: Time, event: &Event) {
                let topic = Topic::of(event);
                if !self.wanted.has(topic) {
                    return;
                }
                self.known.observe(now, event, topic);
                $(if $Check::LISTENS.has(topic) && let Some(check) = &mut self.$field {
                    check.observe(now, event, &self.known, &mut self.findings);
                })*
            }

            /// The run has ended.
            pub fn end(&mut self, ending: &Ending<'_>) {
                self.known.chains.end();
                $(if let Some(check) = &mut self.$field {
                    check.end(ending, &self.known, &mut self.findings);
                })*
            }

            /// Prepares for a new run.
            pub(crate) fn reset(&mut self) {
                $(if let Some(check) = &mut self.$field {
                    check.reset();
                })*
                self.known.reset();
                self.findings = Findings::default();
            }
        }

        /// No id is without its check; `BudgetExceeded` is what a run says, or any check that
        /// cannot decide.
        const _: fn(CheckId) = |check| match check {
            $(CheckId::$Check)|* | CheckId::BudgetExceeded => {}
        };
    };
}

checks! {
    bounce: Bounce;
    lost_write: LostWrite;
    two_primaries: TwoPrimaries;
    no_primary: NoPrimary;
    stuck_client: StuckClient;
    error_surfaced: ErrorSurfaced;
    connection_storm: ConnectionStorm;
    stale_redirect: StaleRedirect;
    thundering_herd: ThunderingHerd;
    early_unblock: EarlyUnblock;
    stale_read: StaleRead;
    linearizability: Linearizability;
}

impl Checks {
    /// How many findings a check has.
    pub fn total(&self, check: CheckId) -> u64 {
        self.findings.total(check)
    }

    /// What was found, the first few of each check, in order of time.
    pub fn take_found(&mut self) -> Vec<Found> {
        self.findings.take()
    }

    /// Redirects, and those that led back, of each command that has been redirected and has no
    /// end; call it before the checks learn of the end.
    pub(crate) fn open_chains(&self) -> impl Iterator<Item = (u32, u32)> {
        self.known.chains.open()
    }

    /// Clients with a command that was redirected more often than allowed.
    pub(crate) fn flagged_clients(&self) -> u64 {
        self.known.chains.flagged()
    }
}
