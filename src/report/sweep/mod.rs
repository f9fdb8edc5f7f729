//! The page of a sweep.

mod charts;
mod summary;

use rebound_sim::report::SweepReport;

use super::look;
use crate::html::Page;

/// The page, as HTML.
pub fn page(report: &SweepReport) -> String {
    let spread = match &report.detail {
        Some(detail) => charts::outages(detail) + &charts::redirects(&detail.redirects),
        None => charts::without_detail(report),
    };
    let body = [
        summary::heading(report),
        charts::verdicts(report),
        summary::facts(report),
        summary::findings(report),
        summary::worst(report),
        charts::chains(report),
        spread,
    ]
    .concat();
    let map = report.detail.as_ref().map(|detail| &detail.redirects);
    Page {
        title: &summary::title(report),
        body,
        // The tooltips of the map.
        data: map.and_then(|map| serde_json::to_string(map).ok()),
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}
