//! The page of a run: its figures, its diagram, and the findings with their chains, each of which
//! leads to its place in the diagram.

mod diagram;
mod drawn;

pub use drawn::{Drawn, again, draw, window};

use rebound_engine::Duration;
use rebound_sim::results::{ChainHop, Finding, RunReport};

use super::look;
use crate::figures::{
    commands, count, counts, flagged_clients, grouped, instant, redirects, writes,
};
use crate::html::{self, Cell, Page, Table, command, escaped};

/// The page, as HTML.
pub fn page(run: &Drawn) -> String {
    let report = &run.report;
    let title = format!(
        "{} under {}, seed {}",
        report.scenario, report.behaviour, report.seed
    );
    let verdict = report.verdict.name();
    let below = format!(
        "Run: <span class=\"verdict {verdict}\">{verdict}</span>, {} events in {} of virtual time.",
        grouped(report.events),
        Duration(report.virtual_ns)
    );
    let body = [
        html::heading(&title, &below),
        facts(report),
        places(report, run.picture.is_ok()),
        diagram::section(&run.picture),
        findings(report, run.picture.is_ok()),
    ]
    .concat();
    let styles = [look::STYLES, &[diagram::STYLE]].concat();
    let scripts = match run.picture {
        Ok(_) => [look::SCRIPTS, &diagram::SCRIPTS].concat(),
        Err(_) => look::SCRIPTS.to_vec(),
    };
    Page {
        title: &title,
        body,
        data: run.picture.as_ref().ok().map(diagram::packed),
        styles: &styles,
        scripts: &scripts,
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

/// Findings of one check that are listed above the diagram.
const LISTED_PER_CHECK: usize = 4;

/// Each finding in a line that leads to its place in the diagram; all of them are listed below it.
fn places(report: &RunReport, drawn: bool) -> String {
    if !drawn || report.findings.is_empty() {
        return String::new();
    }
    let mut html = String::from("<section>\n<h2>Found</h2>\n<ul>\n");
    for (check, total) in &report.findings_total {
        let of = report.findings.iter().filter(|f| f.check.name() == check);
        let links: Vec<_> = of.take(LISTED_PER_CHECK).map(place).collect();
        html.push_str(&format!(
            "<li><strong>{}</strong>, {}: {}</li>\n",
            escaped(check),
            count(*total, "finding"),
            links.join(", ")
        ));
    }
    html + "</ul>\n<p><a href=\"#findings\">All findings in detail</a></p>\n</section>\n"
}

fn place(finding: &Finding) -> String {
    let who = finding.client.as_deref().unwrap_or("all");
    format!(
        "<a href=\"{}\">{} at {}</a>",
        escaped(&link(finding)),
        escaped(who),
        instant(finding.at_ns)
    )
}

fn findings(report: &RunReport, drawn: bool) -> String {
    let mut html = String::from("<section>\n<h2 id=\"findings\">Findings</h2>\n");
    if report.findings.is_empty() {
        html.push_str("<p>No check found anything.</p>\n");
    }
    for finding in &report.findings {
        html.push_str(&tell(finding, drawn));
    }
    let kept = report.findings.len() as u64;
    let total: u64 = report
        .findings_total
        .values()
        .fold(0, |sum, n| sum.saturating_add(*n));
    if total > kept {
        html.push_str(&format!(
            "<p>{} more findings were counted but not kept.</p>\n",
            grouped(total - kept)
        ));
    }
    html + "</section>\n"
}

fn tell(finding: &Finding, drawn: bool) -> String {
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
    if drawn {
        html.push_str(&format!(
            "<p><a href=\"{}\">Show it in the diagram</a></p>\n",
            escaped(&link(finding))
        ));
    }
    if !finding.chain.is_empty() {
        html.push_str(&format!(
            "<details>\n<summary>{}</summary>\n{}</details>\n",
            count(finding.chain.len() as u64, "redirect"),
            chain(&finding.chain)
        ));
    }
    html.push_str(&format!("<p>{}</p>\n", command(&finding.replay)));
    html + "</article>\n"
}

/// Where a finding is in the diagram: at its chain's second redirect, which is the first that can
/// lead back, or else when it was found.
fn link(finding: &Finding) -> String {
    let at = finding.chain.get(1).map_or(finding.at_ns, |hop| hop.at_ns);
    let client = finding.client.as_deref().map_or(String::new(), |client| {
        format!("&client={}", in_link(client))
    });
    format!("#t={}ns{client}", at)
}

/// A client's name in a link: what has a meaning there is escaped.
fn in_link(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"-_./~".contains(&b) => text.push(b as char),
            b => text.push_str(&format!("%{b:02X}")),
        }
    }
    text
}

/// Hops of a chain that are shown at its beginning, and again at its end.
const SHOWN: usize = 20;

fn chain(hops: &[ChainHop]) -> String {
    let mut table = Table::new("The redirects of the command")
        .number("At")
        .text("From")
        .text("To")
        .text("Back?")
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
