//! `lost-write`: a write was acknowledged and is gone at the end of the run.
//!
//! Gone means: no node that is a primary then has it; where there is no primary, no node at all.
//! (Where there are two, a write that only one of them has is not lost yet: `two-primaries` reports
//! it.) In a cluster this applies to each shard.

use std::sync::Arc;

use super::topic::{Topic, Topics};
use super::{Check, CheckId, Ending, Findings, Found, Known};
use crate::client::{ClientId, CommandOutcome, Note as ClientNote, WriteRange};
use crate::scenario::Plan;
use crate::trace::Event;
use crate::valkey::{CommandKind, Data, NodeId, WriteId};
use rebound_engine::Time;

/// Writes that were acknowledged to an application.
#[derive(Copy, Clone, Debug)]
struct Acknowledged {
    at: Time,
    command: (ClientId, u32, CommandKind),
    writes: WriteRange,
}

/// The check.
pub(super) struct LostWrite {
    plan: Arc<Plan>,
    acknowledged: Vec<Acknowledged>,
}

impl Check for LostWrite {
    const LISTENS: Topics = Topics::of(&[Topic::Ended]);

    fn new(plan: &Arc<Plan>) -> LostWrite {
        LostWrite {
            plan: plan.clone(),
            acknowledged: Vec::new(),
        }
    }

    fn reset(&mut self) {
        self.acknowledged.clear();
    }

    #[inline]
    fn observe(&mut self, now: Time, event: &Event, _known: &Known, _findings: &mut Findings) {
        if let Event::Client(client, ClientNote::Ended { command,
            kind,
            outcome: CommandOutcome::Served,
            writes,
            .. }) = *event
            // A pop that found nothing wrote nothing.
            && writes.count > 0
            && kind != CommandKind::BlPop
        {
            let command = (client, command, kind);
            self.acknowledged.push(Acknowledged {
                at: now,
                command,
                writes,
            });
        }
    }

    fn end(&mut self, ending: &Ending<'_>, _known: &Known, findings: &mut Findings) {
        let shard_of = |index: usize| self.plan.shard_of(NodeId(index as u16));
        let with_primary: Vec<usize> = (ending.nodes.iter().enumerate())
            .filter(|(_, (_, primary, alive))| *primary && *alive)
            .map(|(index, _)| shard_of(index))
            .collect();
        let keepers: Vec<&Data> = (ending.nodes.iter().enumerate())
            .filter(|(index, (_, primary, alive))| {
                (*primary && *alive) || !with_primary.contains(&shard_of(*index))
            })
            .map(|(_, (data, _, _))| *data)
            .collect();
        for acknowledged in &self.acknowledged {
            let WriteRange { first, count } = acknowledged.writes;
            let kept = |write: u32| keepers.iter().any(|data| data.has(WriteId(write)));
            let lost = (first.0..first.0 + u32::from(count))
                .filter(|write| !kept(*write))
                .count();
            if lost > 0 {
                findings.add(CheckId::LostWrite, || {
                    let what = match count {
                        1 => "It was acknowledged".to_owned(),
                        _ => format!("{lost} of its {count} writes are gone: it was acknowledged"),
                    };
                    let why = format!(
                        "{what} at {at}, but no primary has it at the end of the run: it was written to a history that was discarded.",
                        at = acknowledged.at
                    );
                    Found::of_command(
                        CheckId::LostWrite,
                        acknowledged.at,
                        acknowledged.command,
                        why,
                    )
                });
            }
        }
    }
}
