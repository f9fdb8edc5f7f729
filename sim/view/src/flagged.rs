//! Which client a view of a run shows first.

use rebound_sim::client::ClientId;
use rebound_sim::results::RunReport;
use rebound_sim::scenario::Names;

/// The first client that a finding of `report` names.
pub fn first_flagged(names: Names<'_>, report: &RunReport) -> Option<ClientId> {
    let mut named = report.findings.iter().filter_map(|f| f.client.as_deref());
    named.find_map(|client| names.client_named(client).ok())
}
