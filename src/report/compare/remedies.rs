//! What runs under each behaviour gave: verdicts, and every figure with bars to compare them.

use rebound_sim::compare::ScenarioComparison;

use crate::compare::cells::figures;
use crate::figures::{grouped, share};
use crate::html::{Cell, Table, command};
use crate::report::replay;

/// Runs by verdict under each behaviour, and the worst flagged run.
pub fn verdicts(scenario: &ScenarioComparison) -> String {
    let mut table = Table::new(&format!("{}: runs by verdict", scenario.scenario))
        .text("Behaviour")
        .number("Flagged")
        .number("Share")
        .number("Inconclusive")
        .number("Clean")
        .text("The worst flagged run")
        .sortable();
    for column in &scenario.behaviours {
        let verdicts = &column.verdicts;
        let total = verdicts.total();
        let part = |count: u64| count as f64 / total.max(1) as f64;
        let worst = column.worst_seed.as_ref().map_or(String::new(), |seed| {
            command(&replay::line(
                &scenario.scenario_path,
                &scenario.scenario,
                seed,
                &column.behaviour,
            ))
        });
        table.row(vec![
            Cell::text(&column.behaviour),
            Cell::number(&grouped(verdicts.flagged), verdicts.flagged as f64),
            Cell::number(&share(verdicts.flagged, total), part(verdicts.flagged))
                .bar(part(verdicts.flagged)),
            Cell::number(
                &grouped(verdicts.inconclusive),
                verdicts.inconclusive as f64,
            ),
            Cell::number(&grouped(verdicts.clean), verdicts.clean as f64),
            Cell::html(worst),
        ]);
    }
    format!("<h3>Verdicts</h3>\n{}", table.render())
}

/// Every figure of every behaviour. Bars are relative to the longest of their row.
pub fn table(scenario: &ScenarioComparison) -> String {
    let mut table = Table::new(&format!(
        "{}: figures of a run; a bar shows a value's share of the greatest in its row",
        scenario.scenario
    ))
    .text("Figure")
    .wide();
    for column in &scenario.behaviours {
        table = table.number(&column.behaviour);
    }
    for row in figures(scenario) {
        let most = row
            .values
            .iter()
            .fold(0.0, |most: f64, value| most.max(*value));
        let mut cells = vec![Cell::text(&row.label)];
        for (shown, value) in row.cells.iter().zip(&row.values) {
            let part = if most > 0.0 { value / most } else { 0.0 };
            cells.push(Cell::number(shown, *value).bar(part));
        }
        table.row(cells);
    }
    format!("<h3>Figures</h3>\n{}", table.render())
}
