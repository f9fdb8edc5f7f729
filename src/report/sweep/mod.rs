//! The page of a sweep.

mod summary;

use rebound_sim::report::SweepReport;

use super::look;
use crate::html::Page;

/// The page, as HTML.
pub fn page(report: &SweepReport) -> String {
    let body = [
        summary::heading(report),
        summary::facts(report),
        summary::findings(report),
        summary::worst(report),
    ]
    .concat();
    Page {
        title: &summary::title(report),
        body,
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}
