//! The page of a check: every item, what failed first, and the commands that show it.

use rebound_sim::results::{CheckItem, CheckKind, CheckOutcome, CheckReport};

use super::look;
use crate::figures::grouped;
use crate::html::chart::{Part, share_bar};
use crate::html::{self, Page, command, escaped};

/// The page, as HTML.
pub fn page(report: &CheckReport) -> String {
    let totals = &report.totals;
    let (class, word) = if report.items.is_empty() {
        ("inconclusive", "nothing was checked")
    } else if totals.failed > 0 {
        ("flagged", "failed")
    } else if totals.drifted > 0 {
        ("inconclusive", "drifted")
    } else {
        ("clean", "passed")
    };
    let below = format!(
        "Regression seeds, and what scenarios expect of each behaviour: <span class=\"verdict \
         {class}\">{word}</span>. Model {}.",
        escaped(&report.model)
    );
    let part = |name, class, count| Part { name, class, count };
    let shares = share_bar(
        "Items by outcome",
        &[
            part("passed", "clean", totals.passed),
            part("drifted", "inconclusive", totals.drifted),
            part("failed", "flagged", totals.failed),
        ],
    );
    let body = [
        html::heading("Check", &below),
        shares,
        filter(report),
        items(report),
    ]
    .concat();
    Page {
        title: "Check",
        body,
        data: None,
        styles: look::STYLES,
        scripts: look::SCRIPTS,
    }
    .render()
}

/// Shown by the script that makes it work.
fn filter(report: &CheckReport) -> String {
    let totals = &report.totals;
    let button = |value, words: &str, count: u64, pressed: bool| {
        format!(
            "<button type=\"button\" value=\"{value}\" aria-pressed=\"{pressed}\">{words} ({})\
             </button>\n",
            grouped(count)
        )
    };
    [
        "<div class=\"filter no-print\" role=\"group\" aria-label=\"Which items are shown\" hidden>\n",
        &button("all", "All", report.items.len() as u64, true),
        &button("failed", "Failed", totals.failed, false),
        &button("drifted", "Drifted", totals.drifted, false),
        &button("passed", "Passed", totals.passed, false),
        "<label>with the words <input type=\"search\"></label>\n<output></output>\n</div>\n",
    ]
    .concat()
}

fn items(report: &CheckReport) -> String {
    let mut items: Vec<&CheckItem> = report.items.iter().collect();
    // Stable: items of one outcome stay in the order in which they were checked.
    items.sort_by_key(|item| match item.outcome {
        CheckOutcome::Failed => 0,
        CheckOutcome::Drifted => 1,
        CheckOutcome::Passed => 2,
    });
    let items: String = items.into_iter().map(tell).collect();
    format!("<h2>Items</h2>\n<ol class=\"items\">\n{items}</ol>\n")
}

fn tell(item: &CheckItem) -> String {
    let outcome = match item.outcome {
        CheckOutcome::Passed => "passed",
        CheckOutcome::Drifted => "drifted",
        CheckOutcome::Failed => "failed",
    };
    let kind = match item.kind {
        CheckKind::Regression => "regression, seed",
        CheckKind::Expectation => "seeds",
    };
    let differs = match item.outcome {
        CheckOutcome::Passed => String::new(),
        CheckOutcome::Drifted | CheckOutcome::Failed => {
            format!("<dt>found</dt><dd>{}</dd>\n", escaped(&item.found))
        }
    };
    let replay = item.replay.as_ref().map_or(String::new(), |line| {
        format!("<dt>its story</dt><dd>{}</dd>\n", command(line))
    });
    format!(
        "<li data-outcome=\"{outcome}\">\n<div class=\"item-head\"><span class=\"outcome {outcome}\">\
         {outcome}</span><strong>{}</strong> <span>under {}</span> <span>{kind} {}</span></div>\n\
         <dl class=\"facts\"><dt>expected</dt><dd>{}</dd>\n{differs}{replay}</dl>\n</li>\n",
        escaped(&item.scenario),
        escaped(&item.behaviour),
        escaped(&item.seeds),
        escaped(&item.expected)
    )
}
