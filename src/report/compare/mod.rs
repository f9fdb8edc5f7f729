//! The page of a comparison.

use rebound_sim::compare::CompareReport;

use super::look;
use crate::html::{self, Page};

/// The page, as HTML.
pub fn page(report: &CompareReport) -> String {
    let title = format!(
        "Comparison over seeds {}..{}",
        report.seeds.from, report.seeds.to
    );
    Page {
        title: &title,
        body: html::heading(&title, ""),
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}
