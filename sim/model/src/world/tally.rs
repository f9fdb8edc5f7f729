//! Counts what happens in a run, for its report.

use std::collections::BTreeMap;

use crate::client::Note as ClientNote;
use crate::results::{Bounces, Commands, Hops};
use crate::trace::Event;
use rebound_net::Note as NetNote;

/// Places of the histogram of redirects per command; the last counts that many and more.
const HISTOGRAM: usize = 33;

/// What has happened so far.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) commands: Commands,
    pub(super) hops: Hops,
    pub(super) bounces: Bounces,
    pub(super) connections: u64,
    errors: BTreeMap<&'static str, u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            commands: Commands::default(),
            hops: Hops {
                histogram: vec![0; HISTOGRAM],
                ..Hops::default()
            },
            bounces: Bounces::default(),
            connections: 0,
            errors: BTreeMap::new(),
        }
    }
}

impl Tally {
    /// Takes note of a record.
    #[inline(always)]
    pub(super) fn observe(&mut self, event: &Event) {
        match *event {
            Event::Client(
                _,
                ClientNote::Ended {
                    outcome,
                    hops,
                    bounces,
                    ..
                },
            ) => {
                match outcome.code() {
                    None => self.commands.served += 1,
                    Some(code) => {
                        self.commands.failed += 1;
                        *self.errors.entry(code).or_default() += 1;
                    }
                }
                self.count_chain(hops, bounces);
            }
            Event::Client(_, ClientNote::Hop { bounce, .. }) => {
                self.hops.total += 1;
                self.bounces.total += u64::from(bounce);
            }
            Event::Net(NetNote::Dialled { .. }) => self.connections += 1,
            Event::Client(_, ClientNote::Issued { .. }) => self.commands.issued += 1,
            Event::Client(_, ClientNote::Ignored { .. } | ClientNote::Element { .. })
            | Event::Net(
                NetNote::Connected { .. }
                | NetNote::ConnectFailed { .. }
                | NetNote::Delivered { .. }
                | NetNote::Closed { .. },
            )
            | Event::Node(..)
            | Event::Sentinel { .. }
            | Event::Fault { .. } => {}
        }
    }

    /// Counts a command's redirects; for a command without an end, those it has met so far.
    #[inline]
    pub(super) fn count_chain(&mut self, hops: u32, bounces: u32) {
        self.hops.max_chain = self.hops.max_chain.max(u64::from(hops));
        self.bounces.max = self.bounces.max.max(u64::from(bounces));
        self.hops.histogram[(hops as usize).min(HISTOGRAM - 1)] += 1;
    }

    /// The errors that reached applications.
    pub(super) fn errors(&self) -> BTreeMap<String, u64> {
        self.errors
            .iter()
            .map(|(code, count)| ((*code).to_owned(), *count))
            .collect()
    }
}
