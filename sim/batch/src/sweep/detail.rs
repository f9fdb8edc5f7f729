//! Looks at a run for what a sweep keeps of it with `--detail`.

use crate::outage::Kind;
use crate::outages::Outages;
use rebound_engine::Time;
use rebound_sim::client::Note as ClientNote;
use rebound_sim::results::{Buckets, Detail, RunBins, RunReport};
use rebound_sim::scenario::Plan;
use rebound_sim::trace::{Event, Record, Sink};

/// A sink for one run.
#[derive(Debug)]
pub(crate) struct DetailSink {
    outages: Outages,
    chains: Buckets,
    bounces: Buckets,
    redirects: RunBins,
}

impl DetailSink {
    /// For a run of this plan.
    pub fn new(plan: &Plan) -> DetailSink {
        DetailSink {
            outages: Outages::new(plan),
            chains: Buckets::default(),
            bounces: Buckets::default(),
            redirects: RunBins::default(),
        }
    }

    /// Adds the run, which has ended with `report`, to what is kept.
    pub fn finish(self, seed: u64, report: &RunReport, detail: &mut Detail) {
        let end = Time(report.virtual_ns);
        detail.chains.merge(&self.chains);
        detail.bounces.merge(&self.bounces);
        for outage in self.outages.longest(Kind::Read, end) {
            detail.read_outages.add(outage);
        }
        for outage in self.outages.longest(Kind::Write, end) {
            detail.write_outages.add(outage);
        }
        detail.redirects.add(seed, &self.redirects);
    }
}

impl Sink for DetailSink {
    #[inline]
    fn record(&mut self, record: &Record) {
        self.outages.observe(record);
        match record.event {
            Event::Client(_, ClientNote::Hop { .. }) => self.redirects.add(record.at, 1),
            Event::Client(_, ClientNote::Ended { hops, bounces, .. }) => {
                self.chains.add(u64::from(hops));
                self.bounces.add(u64::from(bounces));
            }
            Event::Client(
                _,
                ClientNote::Issued { .. } | ClientNote::Ignored { .. } | ClientNote::Element { .. },
            )
            | Event::Node(..)
            | Event::Net(_)
            | Event::Fault { .. }
            | Event::Sentinel { .. } => {}
        }
    }
}
