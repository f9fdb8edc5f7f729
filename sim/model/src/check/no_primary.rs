//! `no-primary`: no node accepts writes for longer than a bound. In a cluster: no node of a shard.

use std::sync::Arc;

use super::primaries::Primaries;
use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::NodeId;
use rebound_engine::{Duration, Time};

/// The check.
pub(super) struct NoPrimary {
    plan: Arc<Plan>,
    allowed: Duration,
    /// The shards' numbers, which have gaps.
    shards: Vec<usize>,
    /// By shard: since when there has been none.
    since: Vec<Option<Time>>,
}

impl Check for NoPrimary {
    const LISTENS: Topics = Topics::of(&[Topic::Nodes]);

    fn new(plan: &Arc<Plan>) -> NoPrimary {
        let shards = Primaries::new(plan).shards();
        let mut check = NoPrimary {
            plan: plan.clone(),
            allowed: plan.checks.no_primary.allowed_for,
            since: vec![None; shards.last().map_or(0, |last| last + 1)],
            shards,
        };
        check.reset();
        check
    }

    fn reset(&mut self) {
        for shard in &self.shards {
            self.since[*shard] = Some(Time::ZERO);
        }
    }

    fn observe(&mut self, now: Time, _event: &Event, known: &Known, findings: &mut Findings) {
        if let Some((shard, _)) = known.primaries.changed() {
            self.change(now, shard, known.primaries.count(shard), findings);
        }
    }

    fn end(&mut self, ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
        for shard in 0..self.since.len() {
            self.change(ending.at, shard, 1, findings);
        }
    }
}

impl NoPrimary {
    /// The number of a shard's primaries has changed (or the run has ended).
    fn change(&mut self, now: Time, shard: usize, primaries: usize, findings: &mut Findings) {
        let since = &mut self.since[shard];
        if primaries == 0 {
            since.get_or_insert(now);
            return;
        }
        let Some(since) = since.take() else {
            return;
        };
        let lasted = now.since(since);
        if lasted > self.allowed {
            let allowed = self.allowed;
            findings.add(CheckId::NoPrimary, || {
                let whose = match self.plan.cluster {
                    Some(_) => {
                        let first = self.plan.node_name(NodeId(shard as u16));
                        format!("The shard of {first} had no primary")
                    }
                    None => "There was no primary".to_owned(),
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
