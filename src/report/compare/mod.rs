//! The page of a comparison.

mod course;
mod differences;
mod remedies;

use rebound_batch::compare::{CompareReport, ScenarioComparison};

use super::look;
use crate::figures::grouped;
use crate::html::{self, Page, escaped};

/// The page, as HTML.
pub fn page(report: &CompareReport) -> String {
    let seeds = format!("seeds {}..{}", report.seeds.from, report.seeds.to);
    let title = match &report.scenarios[..] {
        [one] => format!("{}: behaviours compared over {seeds}", one.scenario),
        _ => format!("Behaviours compared over {seeds}"),
    };
    let names: Vec<&str> = report.scenarios.first().map_or(Vec::new(), |scenario| {
        let behaviours = scenario.behaviours.iter();
        behaviours.map(|one| one.behaviour.as_str()).collect()
    });
    let below = format!(
        "{}, each under the same {} seeds. Model {}.",
        escaped(&names.join(", ")),
        grouped(report.seeds.done),
        escaped(&report.model)
    );
    let mut body = html::heading(&title, &below);
    if report.scenarios.is_empty() {
        body.push_str("<p>Nothing was compared.</p>\n");
    }
    for scenario in &report.scenarios {
        body.push_str(&section(report, scenario));
    }
    Page {
        title: &title,
        body,
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}

fn section(report: &CompareReport, scenario: &ScenarioComparison) -> String {
    let hash = format!(
        "<p class=\"faint\">Scenario <code>{}</code></p>\n",
        escaped(&scenario.scenario_hash)
    );
    format!(
        "<section>\n<h2>{}</h2>\n{hash}{}{}{}{}</section>\n",
        escaped(&scenario.scenario),
        remedies::verdicts(scenario),
        remedies::table(scenario),
        differences::panels(&report.intervals, scenario),
        course::panels(scenario)
    )
}
