//! Who gets a column, and where.

use super::condense::Item;
use super::recorder::{Drawn, Recorder};
use rebound_sim::client::ClientId;
use rebound_sim::scenario::HostRole;
use rebound_sim::valkey::NodeId;

/// The columns from left to right: those to whom something happens. Clients stand between two
/// nodes, so that what goes back and forth is seen to, and before more of them; Sentinel
/// stands last.
pub(super) fn columns(recorder: &Recorder, items: &[Item]) -> Vec<HostRole> {
    let names = recorder.run.names();
    let mut shown: Vec<HostRole> = Vec::new();
    let mut show = |role: HostRole| {
        if !shown.contains(&role) {
            shown.push(role);
        }
    };
    for item in items {
        match item {
            Item::Entry(index) => match &recorder.entries[*index].what {
                Drawn::Arrow(arrow) => {
                    show(arrow.from);
                    show(arrow.to);
                }
                Drawn::Note { who, .. } => show(*who),
            },
            Item::Fold(fold) => fold.hosts.iter().for_each(|host| show(*host)),
        }
    }
    let wanted = recorder.filter.nodes.as_ref();
    let every = (0..names.nodes() as u16).map(NodeId);
    let few = names.nodes() <= 2;
    let nodes: Vec<_> = every
        .filter(|node| {
            shown.contains(&HostRole::Node(*node))
                || (few && wanted.is_none_or(|wanted| wanted.contains(node)))
        })
        .map(HostRole::Node)
        .collect();
    let mut clients: Vec<ClientId> = Vec::new();
    let mut sentinel = None;
    for role in shown {
        match role {
            HostRole::Client(client) => clients.push(client),
            HostRole::Sentinel => sentinel = Some(role),
            HostRole::Node(_) | HostRole::Operator => {}
        }
    }
    clients.sort_unstable();
    let clients = clients.into_iter().map(HostRole::Client);
    let before = if nodes.len() == 2 { 1 } else { 0 };
    let (left, right) = nodes.split_at(before);
    let mut columns = left.to_vec();
    columns.extend(clients);
    columns.extend(right);
    columns.extend(sentinel);
    columns
}
