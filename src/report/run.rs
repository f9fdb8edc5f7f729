//! The page of a run, from its report alone: summary and findings with their chains.

use rebound_sim::engine::Span;
use rebound_sim::report::{ChainHop, Finding, RunReport};

use super::look;
use crate::figures::{commands, counts, flagged_clients, grouped, instant, redirects, writes};
use crate::html::{self, Cell, Page, Table, command, escaped};

/// The page, as HTML.
pub fn page(report: &RunReport) -> String {
    let title = format!(
        "{} under {}, seed {}",
        report.scenario, report.behaviour, report.seed
    );
    let verdict = report.verdict.name();
    let below = format!(
        "Run: <span class=\"verdict {verdict}\">{verdict}</span>, {} events in {} of virtual time.",
        grouped(report.events),
        Span(report.virtual_ns)
    );
    let body = [
        html::heading(&title, &below),
        facts(report),
        findings(report),
    ]
    .concat();
    Page {
        title: &title,
        body,
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}

fn facts(report: &RunReport) -> String {
    let text = |text: String| escaped(&text);
    html::facts(&[
        ("clients", text(flagged_clients(&report.clients))),
        ("commands", text(commands(&report.commands))),
        ("writes", text(writes(&report.writes))),
        ("redirects", text(redirects(&report.hops, &report.bounces))),
        ("errors", text(counts(&report.errors))),
        (
            "connections",
            format!("{} opened", grouped(report.connections_opened)),
        ),
        (
            "scenario",
            format!("<code>{}</code>", escaped(&report.scenario_hash)),
        ),
        (
            "trace",
            format!("<code>{}</code>", escaped(&report.trace_hash)),
        ),
    ])
}

fn findings(report: &RunReport) -> String {
    let mut html = String::from("<section>\n<h2>Findings</h2>\n");
    if report.findings.is_empty() {
        html.push_str("<p>No check found anything.</p>\n");
    }
    for finding in &report.findings {
        html.push_str(&tell(finding));
    }
    let kept = report.findings.len() as u64;
    let total: u64 = report
        .findings_total
        .values()
        .fold(0, |sum, n| sum.saturating_add(*n));
    if total > kept {
        html.push_str(&format!(
            "<p>{} more findings were counted and not kept.</p>\n",
            grouped(total - kept)
        ));
    }
    html + "</section>\n"
}

fn tell(finding: &Finding) -> String {
    let who: Vec<&str> = [finding.client.as_deref(), finding.command.as_deref()]
        .into_iter()
        .flatten()
        .collect();
    let who = who.join(", ");
    let mut html = format!(
        "<article>\n<h3>{} at {}{}</h3>\n<p>{}</p>\n",
        finding.check.name(),
        instant(finding.at_ns),
        if who.is_empty() {
            String::new()
        } else {
            format!(", {}", escaped(&who))
        },
        escaped(&finding.why)
    );
    if !finding.chain.is_empty() {
        html.push_str(&chain(&finding.chain));
    }
    html.push_str(&format!("<p>{}</p>\n", command(&finding.replay)));
    html + "</article>\n"
}

/// Hops of a chain that are shown at its beginning, and again at its end.
const SHOWN: usize = 20;

fn chain(hops: &[ChainHop]) -> String {
    let mut table = Table::new("The redirects that the command met")
        .number("At")
        .text("From")
        .text("To")
        .text("")
        .text("The node believed that it was");
    for (place, hop) in hops.iter().enumerate() {
        if hops.len() > 2 * SHOWN && place == SHOWN {
            let left = (hops.len() - 2 * SHOWN) as u64;
            table.row(vec![Cell::text(&format!("… {} more", grouped(left)))]);
        }
        if hops.len() > 2 * SHOWN && (SHOWN..hops.len() - SHOWN).contains(&place) {
            continue;
        }
        table.row(vec![
            Cell::number(&instant(hop.at_ns), hop.at_ns as f64),
            Cell::text(&hop.node),
            Cell::text(&hop.to),
            Cell::text(if hop.bounce { "BOUNCE" } else { "" }),
            Cell::text(&hop.belief),
        ]);
    }
    table.render()
}
