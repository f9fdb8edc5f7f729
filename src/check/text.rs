//! The report of all checks for people.

use rebound_sim::results::{CheckKind, CheckOutcome, CheckReport, CheckTotals};

use crate::ci::plain;
use crate::figures::grouped;
use crate::output::{Output, Style};

/// A line for each item, with what was found where that differs; the last line counts.
pub fn text(out: &Output, report: &CheckReport) -> String {
    let mut text = String::new();
    for item in &report.items {
        let (style, word) = match item.outcome {
            CheckOutcome::Passed if out.quiet() => continue,
            CheckOutcome::Passed => (Style::Good, "passed "),
            CheckOutcome::Drifted => (Style::Doubtful, "drifted"),
            CheckOutcome::Failed => (Style::Bad, "FAILED "),
        };
        let kind = match item.kind {
            CheckKind::Regression => "seed",
            CheckKind::Expectation => "seeds",
        };
        text.push_str(&format!(
            "{}  {} under {}, {kind} {}: {}\n",
            out.paint(style, word),
            plain(&item.scenario),
            item.behaviour,
            item.seeds,
            item.expected
        ));
        if let Some(replay) = &item.replay {
            text.push_str(&format!(
                "         found   {}\n         replay  {replay}\n",
                item.found
            ));
        }
    }
    text.push_str(&totals(&report.totals));
    text.push('\n');
    text
}

/// How many items ended how.
pub fn totals(totals: &CheckTotals) -> String {
    format!(
        "{} passed, {} drifted, {} failed",
        grouped(totals.passed),
        grouped(totals.drifted),
        grouped(totals.failed)
    )
}
