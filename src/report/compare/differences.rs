//! How far each behaviour is from the first, figure by figure: dots with intervals, relative to
//! zero.

use rebound_batch::compare::{Difference, IntervalMethod, Metric, ScenarioComparison, Unit};

use crate::compare::cells::{change, difference};
use crate::html::chart::{Interval, intervals};
use crate::html::{Cell, Table, escaped};

/// A panel for each figure in which any behaviour differs.
pub fn panels(method: &IntervalMethod, scenario: &ScenarioComparison) -> String {
    let Some((first, others)) = scenario.behaviours.split_first() else {
        return String::new();
    };
    let of = |index: usize, metric: Metric| -> Option<Difference> {
        let all = others.get(index)?.against_first.as_ref()?;
        all.get(metric.name()).copied()
    };
    let differs = |metric: Metric| {
        (0..others.len()).any(|index| {
            of(index, metric).is_some_and(|d| d.mean != 0.0 || d.low != 0.0 || d.high != 0.0)
        })
    };
    let metrics: Vec<Metric> = Metric::ALL.into_iter().filter(|m| differs(*m)).collect();
    let mut html = format!("<h3>Difference from {}</h3>\n", escaped(&first.behaviour));
    if metrics.is_empty() {
        return html + "<p>No figure differs in any run.</p>\n";
    }
    html.push_str(&format!(
        "<p>Mean difference of a run from the run with the same seed; the bar is the {} % interval \
         ({}, {} resamples). Values left of the line are lower.</p>\n<div class=\"panels\">\n",
        method.level_percent,
        escaped(&method.method),
        method.resamples
    ));
    let mut table = Table::new(&format!(
        "{}: differences from {}",
        scenario.scenario, first.behaviour
    ))
    .text("Figure");
    for other in others {
        table = table.number(&other.behaviour);
    }
    for metric in metrics {
        let found: Vec<(usize, Difference)> = (0..others.len())
            .filter_map(|index| Some((index, of(index, metric)?)))
            .collect();
        html.push_str(&panel(metric, &found, &|index| &others[index].behaviour));
        let mut row = vec![Cell::text(metric.words())];
        row.extend((0..others.len()).map(|index| {
            of(index, metric).map_or_else(
                || Cell::text(""),
                |d| Cell::number(&difference(metric, d), d.mean),
            )
        }));
        table.row(row);
    }
    format!(
        "{html}</div>\n<details><summary>The differences as a table</summary>\n{}</details>\n",
        table.render()
    )
}

fn panel<'a>(
    metric: Metric,
    found: &[(usize, Difference)],
    name: &dyn Fn(usize) -> &'a str,
) -> String {
    let rows: Vec<Interval<'_>> = found
        .iter()
        .map(|(index, d)| Interval {
            name: name(*index),
            mean: d.mean,
            low: d.low,
            high: d.high,
            words: change(metric, d.mean),
            told: format!("{}: {}", name(*index), difference(metric, *d)),
        })
        .collect();
    let spoken: Vec<&str> = rows.iter().map(|row| row.told.as_str()).collect();
    let label = format!("{}: {}", metric.words(), spoken.join("; "));
    let tick = |value: f64| {
        if value == 0.0 {
            "0".to_owned()
        } else {
            change(metric, value)
        }
    };
    let unit = match metric.unit() {
        Unit::Runs => "share of runs",
        Unit::Count | Unit::Nanos => "",
    };
    format!(
        "<div class=\"panel\"><h4>{} <span class=\"faint\">{unit}</span></h4>\n{}</div>\n",
        escaped(metric.words()),
        intervals(&rows, tick).render(&label, " class=\"chart\"")
    )
}
