//! The page of a check: what was checked, what failed first.

use rebound_sim::report::CheckReport;

use super::look;
use crate::html::{self, Page};

/// The page, as HTML.
pub fn page(report: &CheckReport) -> String {
    let totals = &report.totals;
    let below = format!(
        "{} passed, {} drifted, {} failed",
        totals.passed, totals.drifted, totals.failed
    );
    Page {
        title: "Check",
        body: html::heading("Check", &below),
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}
