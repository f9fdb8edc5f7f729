//! The report of a comparison for people, for documents and for spreadsheets.

use rebound_batch::compare::{CompareReport, Metric, ScenarioComparison};
use rebound_sim::results::SeedList;

use super::cells::{Row, differences, figures};
use crate::ci::markdown::words;
use crate::figures::{grouped, share};
use crate::output::{Output, Style};

/// What is said under the differences.
fn method(report: &CompareReport) -> String {
    let intervals = &report.intervals;
    format!(
        "Mean difference of a run from the run with the same seed; in brackets the {} % interval \
         ({}, {} resamples).",
        intervals.level_percent, intervals.method, intervals.resamples
    )
}

fn seeds(report: &CompareReport) -> String {
    format!("{}..{}", report.seeds.from, report.seeds.to)
}

fn names(scenario: &ScenarioComparison) -> Vec<&str> {
    let columns = scenario.behaviours.iter();
    columns.map(|column| column.behaviour.as_str()).collect()
}

/// For a terminal.
pub fn terminal(out: &Output, report: &CompareReport) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        if !text.is_empty() {
            text.push('\n');
        }
        let title = format!("{}, seeds {}", scenario.scenario, seeds(report));
        text.push_str(&out.paint(Style::Bold, &title));
        text.push_str("\n\n");
        let names = names(scenario);
        text.push_str(&aligned(out, "", &names, &figures(scenario)));
        let differences = differences(scenario);
        if let Some((first, others)) = names.split_first()
            && !differences.is_empty()
        {
            text.push('\n');
            let title = format!("Difference from {first}");
            text.push_str(&out.paint(Style::Bold, &title));
            text.push('\n');
            for (index, other) in others.iter().enumerate() {
                text.push('\n');
                let own: Vec<Row> = differences
                    .iter()
                    .map(|row| Row {
                        label: row.label.clone(),
                        cells: vec![row.cells[index].clone()],
                        values: Vec::new(),
                    })
                    .collect();
                text.push_str(&aligned(out, other, &[], &own));
            }
            text.push('\n');
            text.push_str(&out.paint(Style::Faint, &method(report)));
            text.push('\n');
        }
    }
    text
}

/// The verdicts alone.
pub fn verdicts(report: &CompareReport) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        for column in &scenario.behaviours {
            let verdicts = &column.verdicts;
            text.push_str(&format!(
                "{} under {}, seeds {}: {} clean, {} flagged ({}{}), {} inconclusive\n",
                scenario.scenario,
                column.behaviour,
                seeds(report),
                grouped(verdicts.clean),
                grouped(verdicts.flagged),
                share(verdicts.flagged, verdicts.total()),
                first_seeds(&column.flagged_seeds),
                grouped(verdicts.inconclusive)
            ));
        }
    }
    text
}

/// The lowest of some seeds, to follow a number of them; nothing if there are none.
fn first_seeds(seeds: &SeedList) -> String {
    const SHOWN: usize = 3;
    let first = &seeds.first[..seeds.first.len().min(SHOWN)];
    if first.is_empty() {
        return String::new();
    }
    let more = if seeds.count > SHOWN as u64 {
        ", …"
    } else {
        ""
    };
    format!(": seeds {}{more}", first.join(", "))
}

/// Rows with their cells one under the other, right-aligned; `names` is the head.
fn aligned(out: &Output, corner: &str, names: &[&str], rows: &[Row]) -> String {
    let label = rows.iter().map(|row| row.label.chars().count());
    let label = label.chain([corner.chars().count()]).max().unwrap_or(0);
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|index| {
            let cells = rows.iter().filter_map(|row| row.cells.get(index));
            let name = names.get(index).map_or(0, |name| name.chars().count());
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(name)
        })
        .collect();
    let mut head = format!("  {corner:<label$}");
    for (name, width) in names.iter().zip(&widths) {
        head.push_str(&format!("  {name:>width$}"));
    }
    let mut text = out.paint(Style::Bold, head.trim_end());
    text.push('\n');
    for row in rows {
        text.push_str(&format!("  {:<label$}", row.label));
        for (cell, width) in row.cells.iter().zip(&widths) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        text.push('\n');
    }
    text
}

/// For a document.
pub fn markdown(report: &CompareReport) -> String {
    let mut text = String::new();
    for scenario in &report.scenarios {
        if !text.is_empty() {
            text.push('\n');
        }
        let names = names(scenario);
        text.push_str(&format!(
            "## {}, seeds {}\n\n",
            words(&scenario.scenario),
            seeds(report)
        ));
        text.push_str(&piped("", &names, &figures(scenario)));
        let differences = differences(scenario);
        if let Some((first, others)) = names.split_first()
            && !differences.is_empty()
        {
            text.push('\n');
            text.push_str(&piped(&format!("against {first}"), others, &differences));
            text.push_str(&format!("\n{}\n", method(report)));
        }
    }
    text
}

fn piped(corner: &str, names: &[&str], rows: &[Row]) -> String {
    let mut text = format!("| {corner} | {} |\n", names.join(" | "));
    text.push_str(&format!("|---|{}\n", "--:|".repeat(names.len())));
    for row in rows {
        text.push_str(&format!("| {} | {} |\n", row.label, row.cells.join(" | ")));
    }
    text
}

/// For a spreadsheet: a line for each figure, times in nanoseconds.
pub fn csv(report: &CompareReport) -> String {
    let mut text = "scenario,behaviour,figure,statistic,value\n".to_owned();
    for scenario in &report.scenarios {
        for column in &scenario.behaviours {
            let mut line = |figure: &str, statistic: &str, value: String| {
                let cells = [&scenario.scenario, &column.behaviour, figure, statistic];
                let quoted = cells.map(quoted).join(",");
                text.push_str(&format!("{quoted},{value}\n"));
            };
            let outages = [
                ("client-read-outage", column.client_read_outages),
                ("client-write-outage", column.client_write_outages),
            ];
            let figures = Metric::ALL.into_iter().filter_map(|metric| {
                let spread = column.figures.get(metric.name())?;
                Some((metric.name(), *spread))
            });
            for (name, spread) in figures.chain(outages) {
                line(name, "mean", spread.mean.to_string());
                line(name, "p50", spread.p50.to_string());
                line(name, "p99", spread.p99.to_string());
                line(name, "max", spread.max.to_string());
            }
            for (code, count) in &column.errors {
                line(&format!("errors {code}"), "sum", count.to_string());
            }
            for (name, difference) in column.against_first.iter().flatten() {
                line(name, "difference", difference.mean.to_string());
                line(name, "difference low", difference.low.to_string());
                line(name, "difference high", difference.high.to_string());
            }
        }
    }
    text
}

/// A cell of a CSV file (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
