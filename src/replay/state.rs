//! `rebound replay --state`: what every node and client is and does at one instant of a run.

use std::collections::{BTreeMap, BTreeSet};

use rebound_engine::Time;
use rebound_sim::client::ClientId;
use rebound_sim::results::{RunReport, Verdict};
use rebound_sim::trace::{Record, Sink};
use rebound_view::{ClientState, Filter, NodeState, Run, StateReport};

use crate::exit::Failure;
use crate::figures::{count, grouped, instant};
use crate::output::{Output, Style};
use rebound_batch::verify::{Case, mismatch};

/// Runs the case again, and prints its state right before the filter's end: the nodes and the
/// clients that the filter names, or all of them.
///
/// # Errors
/// If the run is not that of `report`, or nothing can be written.
pub fn show(
    case: &Case,
    report: &RunReport,
    filter: &Filter,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut folding = Folding {
        run: Run::new(&case.plan, case.behaviour),
        until: filter.until,
    };
    let again = case.run(&mut folding)?;
    if again != *report {
        let (first, again) = (&report.trace_hash, &again.trace_hash);
        return Err(Failure::nondeterminism(mismatch(case.seed, first, again)));
    }
    let chosen = filter.clients.as_deref().unwrap_or_default();
    let clients: Vec<ClientId> = if chosen.is_empty() {
        (0..case.plan.clients()).map(ClientId).collect()
    } else {
        let mut chosen = chosen.to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    };
    let mut state = folding.run.report(case.seed, clients.into_iter());
    if let Some(nodes) = &filter.nodes {
        let names: Vec<_> = nodes.iter().map(|node| case.names().node(*node)).collect();
        state.nodes.retain(|node| names.contains(&&*node.node));
    }
    if out.json_wanted() {
        return out.json(&state);
    }
    let text = text(out, &state, report, chosen.is_empty());
    out.text(&text)
}

/// Follows a run up to an instant.
struct Folding {
    run: Run,
    until: Time,
}

impl Sink for Folding {
    fn record(&mut self, record: &Record) {
        if record.at < self.until {
            self.run.observe(record);
        }
    }
}

fn text(out: &Output, state: &StateReport, report: &RunReport, all: bool) -> String {
    let mut text = String::new();
    if !out.quiet() {
        text.push_str(&format!(
            "{} under {}, seed {}, at {}: {} so far; the run is {}\n\n",
            state.scenario,
            state.behaviour,
            state.seed,
            instant(state.at_ns),
            count(state.records, "record"),
            crate::figures::verdict(out, report.verdict)
        ));
    }
    let flagged: BTreeSet<&str> = match report.verdict {
        Verdict::Clean => BTreeSet::new(),
        Verdict::Flagged | Verdict::Inconclusive => {
            let named = report.findings.iter();
            named.filter_map(|f| f.client.as_deref()).collect()
        }
    };
    let (told, others): (Vec<_>, Vec<_>) = state
        .clients
        .iter()
        .partition(|client| !all || flagged.contains(&*client.client));
    let nodes = state.nodes.iter().map(|node| node.node.chars().count());
    let clients = told.iter().map(|client| client.client.chars().count());
    let width = nodes.chain(clients).max().unwrap_or(0);
    for node in &state.nodes {
        text.push_str(&line(out, &node.node, width, node_style(node), node));
    }
    for client in &told {
        let words = Figures(client);
        text.push_str(&line(out, &client.client, width, None, &words));
    }
    if !others.is_empty() {
        text.push_str(&counted(&others, told.is_empty()));
    }
    text
}

fn line(
    out: &Output,
    name: &str,
    width: usize,
    style: Option<Style>,
    words: &impl std::fmt::Display,
) -> String {
    let words = match style {
        Some(style) => out.paint(style, &words.to_string()),
        None => words.to_string(),
    };
    format!("{name:<width$}  {words}\n")
}

/// A node with a fault, or that is not there, stands out; so does one that is about to change.
fn node_style(node: &NodeState) -> Option<Style> {
    if !node.up || !node.faults.is_empty() {
        Some(Style::Bad)
    } else if node.failover != "no-failover" || node.manual_failover {
        Some(Style::Doubtful)
    } else {
        None
    }
}

/// A client in full: what it does, and what it has had.
struct Figures<'a>(&'a ClientState);

impl std::fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let client = self.0;
        write!(
            f,
            "{client}; so far {} served, {} failed, {}, {}",
            grouped(client.served),
            grouped(client.failed),
            count(client.hops, "redirect"),
            count(client.bounces, "bounce")
        )
    }
}

/// Clients that are not listed one by one.
fn counted(others: &[&ClientState], alone: bool) -> String {
    let mut indices: BTreeMap<String, u64> = BTreeMap::new();
    let (mut nowhere, mut open) = (0, 0);
    for client in others {
        open += client.open.len() as u64;
        match client.connected_to.as_slice() {
            [] => nowhere += 1,
            nodes => *indices.entry(nodes.join(" and ")).or_default() += 1,
        }
    }
    let mut parts: Vec<String> = indices
        .into_iter()
        .map(|(nodes, n)| format!("{} connected to {nodes}", grouped(n)))
        .collect();
    if nowhere > 0 {
        parts.push(format!("{} not connected", grouped(nowhere)));
    }
    let others = others.len() as u64;
    let who = if alone {
        count(others, "client")
    } else {
        count(others, "other client")
    };
    format!(
        "{who}: {}; {} open\n",
        parts.join(", "),
        count(open, "command")
    )
}
