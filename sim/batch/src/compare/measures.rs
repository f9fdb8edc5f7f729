//! What is measured of a run: a sink that looks at its records, and the figures that come of it.

use super::load::Load;
use super::postponed::Postponed;
use super::series::Series;
use crate::outage::Kind;
use crate::outages::Outages;
use rebound_engine::{Duration, Time};
use rebound_net::{HostId, Note as NetNote};
use rebound_sim::check::Freshness;
use rebound_sim::client::{CommandOutcome, Note as ClientNote};
use rebound_sim::results::{CheckId, RunReport, Verdict};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::{Event, FaultKind, Record, Sink};
use rebound_sim::valkey::{GateVerdict, NodeId, Note as NodeNote};
use strum::{EnumCount, IntoStaticStr, VariantArray};

/// A figure of a run.
#[derive(
    Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, VariantArray, IntoStaticStr,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Metric {
    /// Whether the run was flagged.
    Flagged,
    /// Clients that met more redirects in a row than the `bounce` check allows.
    FlaggedClients,
    /// Redirects that were followed.
    Hops,
    /// Redirects that led back.
    Bounces,
    /// The longest chain of redirects.
    LongestChain,
    /// Commands that ended with an error.
    #[strum(serialize = "failed-commands")]
    Failed,
    /// Commands without an end.
    #[strum(serialize = "unfinished-commands")]
    Unfinished,
    /// The longest time that a client's reads went unserved.
    ReadOutage,
    /// The longest time that a client's writes went unserved.
    WriteOutage,
    /// Commands that were postponed.
    #[strum(serialize = "postponed-commands")]
    Postponed,
    /// The longest time that one was.
    LongestPostponement,
    /// Commands whose acknowledged writes were gone at the end (findings of `lost-write`).
    LostWrites,
    /// Whether there was one.
    #[strum(serialize = "runs-with-lost-writes")]
    LostWriteRuns,
    /// Times at which two primaries took writes (findings of `two-primaries`).
    TwoPrimaries,
    /// Whether there was one.
    #[strum(serialize = "runs-with-two-primaries")]
    TwoPrimariesRuns,
    /// Reads that returned an already overwritten value, whether or not the `stale-read` check is
    /// on.
    StaleReads,
    /// Whether there was one.
    #[strum(serialize = "runs-with-stale-reads")]
    StaleReadRuns,
    /// Connections that were opened.
    #[strum(serialize = "connections-opened")]
    Connections,
    /// Most requests that one node met within 10 ms.
    BusiestNode,
    /// Most requests within 10 ms after postponed commands were released.
    #[strum(serialize = "rush-after-release")]
    Rush,
}

/// What a figure counts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Zero or one.
    Runs,
    /// Things.
    Count,
    /// Nanoseconds.
    Nanos,
}

impl Metric {
    /// All of them, in the order of reports.
    pub const ALL: [Metric; Metric::COUNT] = *Metric::VARIANTS.first_chunk().unwrap();

    /// The name by which reports call it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it is, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Metric::Flagged => "runs flagged",
            Metric::FlaggedClients => "clients flagged",
            Metric::Hops => "redirects",
            Metric::Bounces => "bounces",
            Metric::LongestChain => "longest chain",
            Metric::Failed => "failed commands",
            Metric::Unfinished => "unfinished commands",
            Metric::ReadOutage => "longest read outage",
            Metric::WriteOutage => "longest write outage",
            Metric::Postponed => "postponed commands",
            Metric::LongestPostponement => "longest postponement",
            Metric::LostWrites => "lost writes",
            Metric::LostWriteRuns => "runs with lost writes",
            Metric::TwoPrimaries => "two primaries",
            Metric::TwoPrimariesRuns => "runs with two primaries",
            Metric::StaleReads => "stale reads",
            Metric::StaleReadRuns => "runs with stale reads",
            Metric::Connections => "connections opened",
            Metric::BusiestNode => "requests in 10ms, busiest node",
            Metric::Rush => "requests in 10ms after release",
        }
    }

    /// Its unit.
    pub const fn unit(self) -> Unit {
        match self {
            Metric::Flagged
            | Metric::LostWriteRuns
            | Metric::TwoPrimariesRuns
            | Metric::StaleReadRuns => Unit::Runs,
            Metric::ReadOutage | Metric::WriteOutage | Metric::LongestPostponement => Unit::Nanos,
            Metric::FlaggedClients
            | Metric::Hops
            | Metric::Bounces
            | Metric::LongestChain
            | Metric::Failed
            | Metric::Unfinished
            | Metric::Postponed
            | Metric::LostWrites
            | Metric::TwoPrimaries
            | Metric::StaleReads
            | Metric::Connections
            | Metric::BusiestNode
            | Metric::Rush => Unit::Count,
        }
    }
}

/// Looks at a run as it happens.
#[derive(Debug)]
pub struct Measures {
    nodes: u32,
    outages: Outages,
    postponed: Postponed,
    series: Series,
    load: Load,
    freshness: Freshness,
    stale_reads: u64,
}

impl Measures {
    /// For a run of this plan.
    pub fn new(plan: &Plan) -> Measures {
        Measures {
            nodes: plan.nodes.len() as u32,
            outages: Outages::new(plan),
            postponed: Postponed::default(),
            series: Series::default(),
            load: Load::default(),
            freshness: Freshness::new(plan),
            stale_reads: 0,
        }
    }

    /// The figures of the run that has ended with `report`.
    pub fn finish(mut self, report: &RunReport) -> RunMeasures {
        let end = Time(report.virtual_ns);
        let outages = Kind::ALL.map(|kind| self.outages.longest(kind, end).collect::<Vec<u64>>());
        let worst = |kind: Kind| outages[kind as usize].iter().copied().max().unwrap_or(0);
        let found = |check: CheckId| {
            let total = report.findings_total.get(check.name());
            total.copied().unwrap_or(0)
        };
        let (postponed, longest_postponement) = self.postponed.finish(end, &mut self.series);
        self.series.finish(end);
        let value = |metric| match metric {
            Metric::Flagged => u64::from(report.verdict == Verdict::Flagged),
            Metric::FlaggedClients => report.clients.flagged,
            Metric::Hops => report.hops.total,
            Metric::Bounces => report.bounces.total,
            Metric::LongestChain => report.hops.max_chain,
            Metric::Failed => report.commands.failed,
            Metric::Unfinished => report.commands.unfinished,
            Metric::ReadOutage => worst(Kind::Read),
            Metric::WriteOutage => worst(Kind::Write),
            Metric::Postponed => postponed,
            Metric::LongestPostponement => longest_postponement.as_nanos(),
            Metric::LostWrites => report.writes.lost,
            Metric::LostWriteRuns => u64::from(report.writes.lost > 0),
            Metric::TwoPrimaries => found(CheckId::TwoPrimaries),
            Metric::TwoPrimariesRuns => u64::from(found(CheckId::TwoPrimaries) > 0),
            Metric::StaleReads => self.stale_reads,
            Metric::StaleReadRuns => u64::from(self.stale_reads > 0),
            Metric::Connections => report.connections_opened,
            Metric::BusiestNode => self.load.busiest(),
            Metric::Rush => self.load.rush(),
        };
        RunMeasures {
            values: Metric::ALL.map(value),
            outages,
            series: self.series,
        }
    }

    fn history(&mut self, record: &Record) {
        let stale = self.freshness.observe(record.at, &record.event);
        self.stale_reads += u64::from(stale.is_some());
    }

    fn node(&self, host: HostId) -> Option<NodeId> {
        (host.0 < self.nodes).then_some(NodeId(host.0 as u16))
    }
}

impl Sink for Measures {
    fn record(&mut self, record: &Record) {
        let now = record.at;
        self.outages.observe(record);
        match record.event {
            Event::Client(_, ClientNote::Issued { .. } | ClientNote::Element { .. }) => {
                self.history(record)
            }
            Event::Client(_, ClientNote::Hop { .. }) => self.series.redirect(now),
            Event::Client(_, ClientNote::Ended { outcome, .. }) => {
                self.series.ended(now, outcome == CommandOutcome::Served);
                self.history(record);
            }
            Event::Node(node, NodeNote::Gate { peer, verdict, .. })
                if self.outages.is_client(peer) =>
            {
                if matches!(verdict, GateVerdict::Postponed(_)) {
                    self.postponed.postponed(node, peer, now);
                }
                self.load.request(node, now);
            }
            Event::Node(node, NodeNote::Released { .. }) => {
                self.postponed.released(node, now, &mut self.series);
                self.load.released(now);
            }
            Event::Net(NetNote::Closed { from, to, .. }) => {
                if let Some(node) = self.node(to) {
                    self.postponed.peer_gone(node, from, now, &mut self.series);
                }
            }
            Event::Fault {
                kind: FaultKind::Crash | FaultKind::HostDown,
                from,
                ..
            } => {
                if let Some(node) = self.node(from) {
                    self.postponed.released(node, now, &mut self.series);
                }
            }
            Event::Fault { .. }
            | Event::Node(
                _,
                NodeNote::Gate { .. }
                | NodeNote::Role { .. }
                | NodeNote::Failover { .. }
                | NodeNote::Operator { .. }
                | NodeNote::Cluster(_),
            )
            | Event::Client(_, ClientNote::Ignored { .. })
            | Event::Net(
                NetNote::ConnectFailed { .. }
                | NetNote::Dialled { .. }
                | NetNote::Connected { .. }
                | NetNote::Delivered { .. },
            )
            | Event::Sentinel { .. } => {}
        }
    }
}

/// The figures of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMeasures {
    values: [u64; Metric::ALL.len()],
    outages: [Vec<u64>; 2],
    series: Series,
}

impl RunMeasures {
    /// A figure.
    pub fn value(&self, metric: Metric) -> u64 {
        self.values[metric as usize]
    }

    /// The run's course.
    pub fn series(&self) -> &Series {
        &self.series
    }

    /// Each client's longest time without a read served.
    pub fn read_outages(&self) -> impl Iterator<Item = Duration> {
        self.outages[Kind::Read as usize]
            .iter()
            .copied()
            .map(Duration)
    }

    /// Each client's longest time without a write served.
    pub fn write_outages(&self) -> impl Iterator<Item = Duration> {
        self.outages[Kind::Write as usize]
            .iter()
            .copied()
            .map(Duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn metrics_are_in_their_places_and_have_names_of_their_own() {
        let mut names = BTreeSet::new();
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, index);
            assert!(names.insert(metric.name()));
            assert!(names.insert(metric.words()) || metric.words() == metric.name());
        }
    }
}
