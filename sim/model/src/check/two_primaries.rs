//! `two-primaries`: two nodes accept writes at one instant. In a cluster: two of one shard.

use std::sync::Arc;

use super::primaries::Primaries;
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::NodeId;
use rebound_engine::{Duration, Time};

/// The check.
pub(super) struct TwoPrimaries {
    plan: Arc<Plan>,
    allowed: Duration,
    /// By shard: since when there have been several, and which.
    since: Vec<Option<(Time, Vec<NodeId>)>>,
}

impl Check for TwoPrimaries {
    const LISTENS: Topics = Topics::of(&[Topic::Nodes]);

    fn new(plan: &Arc<Plan>) -> TwoPrimaries {
        let shards = Primaries::new(plan).shards();
        TwoPrimaries {
            plan: plan.clone(),
            allowed: plan.checks.two_primaries.allowed_for,
            since: vec![None; shards.last().map_or(0, |last| last + 1)],
        }
    }

    fn reset(&mut self) {
        self.since.fill(None);
    }

    fn observe(&mut self, now: Time, _event: &Event, known: &Known, findings: &mut Findings) {
        if let Some((shard, accepting)) = known.primaries.changed() {
            self.change(now, shard, accepting, findings);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
        for shard in 0..self.since.len() {
            self.change(ending.at, shard, &[], findings);
        }
    }
}

impl TwoPrimaries {
    /// A shard's primaries have changed (or the run has ended, with none).
    fn change(&mut self, now: Time, shard: usize, primaries: &[NodeId], findings: &mut Findings) {
        let since = &mut self.since[shard];
        if primaries.len() > 1 {
            since.get_or_insert_with(|| (now, primaries.to_vec()));
            return;
        }
        let Some((since, nodes)) = since.take() else {
            return;
        };
        let lasted = now.since(since);
        if lasted <= self.allowed {
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
