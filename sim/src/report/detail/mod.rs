//! What a sweep keeps beyond sums if it is asked to: how chains, bounces and outages are spread,
//! and when the redirects of which seeds were. Memory is bounded, and merging is commutative and
//! associative, as for the sums.

mod bins;
mod buckets;
mod heat;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bins::Bins;
pub use buckets::{Bucket, Buckets};
pub use heat::{Heat, HeatMap, HeatRow, RunBins};

/// What is kept of some runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// Ended commands by the redirects that they met.
    pub(crate) chains: Buckets,
    /// Ended commands by their bounces.
    pub(crate) bounces: Buckets,
    /// Clients by their longest time without a read served.
    pub(crate) read_outages: Buckets,
    /// Clients by their longest time without a write served.
    pub(crate) write_outages: Buckets,
    /// When the redirects of which seeds were.
    pub(crate) redirects: Heat,
}

impl Detail {
    /// Adds what another has.
    pub fn merge(&mut self, other: Detail) {
        self.chains.merge(&other.chains);
        self.bounces.merge(&other.bounces);
        self.read_outages.merge(&other.read_outages);
        self.write_outages.merge(&other.write_outages);
        self.redirects.merge(other.redirects);
    }

    /// As a report has it.
    pub fn report(&self) -> DetailReport {
        DetailReport {
            chains: self.chains.report(),
            bounces: self.bounces.report(),
            read_outages_ns: self.read_outages.report(),
            write_outages_ns: self.write_outages.report(),
            redirects: self.redirects.report(),
        }
    }
}

/// The part of a sweep's report that `--detail` adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailReport {
    /// Commands that ended, by the redirects that they met.
    pub chains: Vec<Bucket>,
    /// Commands that ended, by the redirects that led back.
    pub bounces: Vec<Bucket>,
    /// Clients of all runs by their longest time without a read served, in nanoseconds; nought
    /// for those that met no outage.
    pub read_outages_ns: Vec<Bucket>,
    /// Clients of all runs by their longest time without a write served.
    pub write_outages_ns: Vec<Bucket>,
    /// When the redirects of which seeds were.
    pub redirects: HeatMap,
}
