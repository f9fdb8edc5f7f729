//! How runs went under each behaviour: small pictures over virtual time, on the same scales.

use rebound_batch::compare::{Course, ScenarioComparison};

use crate::figures::short_span;
use crate::html::chart::{Strip, Unit, label, strip};
use crate::html::{Cell, Table, escaped};

/// What is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Measure {
    Redirects,
    Postponed,
    Served,
}

impl Measure {
    const ALL: [Measure; 3] = [Measure::Redirects, Measure::Postponed, Measure::Served];

    const fn words(self) -> &'static str {
        match self {
            Measure::Redirects => "Redirects per second",
            Measure::Postponed => "Commands postponed at a time",
            Measure::Served => "Commands served per second",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Measure::Redirects => "redirects",
            Measure::Postponed => "postponed",
            Measure::Served => "served",
        }
    }

    /// Of a run, on average, in each stretch.
    fn values(self, course: &Course) -> Vec<f64> {
        let (sums, scale) = match self {
            Measure::Redirects => (&course.redirects, 1e9),
            Measure::Postponed => (&course.postponed_ns, 1.0),
            Measure::Served => (&course.served, 1e9),
        };
        let pairs = sums.iter().zip(&course.covered_ns);
        pairs
            .map(|(sum, covered)| match covered {
                0 => 0.0,
                covered => *sum as f64 * scale / *covered as f64,
            })
            .collect()
    }
}

/// The pictures, measure by measure.
pub fn panels(scenario: &ScenarioComparison) -> String {
    let courses: Vec<(&str, &Course)> = scenario
        .behaviours
        .iter()
        .filter_map(|column| Some((column.behaviour.as_str(), column.course.as_ref()?)))
        .collect();
    let heading = "<h3>Over time</h3>\n";
    let Some((_, first)) = courses.first() else {
        return format!(
            "{heading}<p class=\"note\">This report has no times of events: it was written by an \
             earlier build. Write it again.</p>\n"
        );
    };
    let mut html = format!(
        "{heading}<p>A run's average in each {} of virtual time. All charts of a kind have the \
         same scale.</p>\n",
        short_span(first.bin_ns)
    );
    for measure in Measure::ALL {
        html.push_str(&row(scenario, measure, &courses));
    }
    html
}

fn row(scenario: &ScenarioComparison, measure: Measure, courses: &[(&str, &Course)]) -> String {
    let values: Vec<Vec<f64>> = courses
        .iter()
        .map(|(_, course)| measure.values(course))
        .collect();
    let most = values
        .iter()
        .flatten()
        .fold(0.0, |most: f64, v| most.max(*v));
    let mut html = format!("<h4>{}</h4>\n", measure.words());
    if most == 0.0 {
        return html + "<p>None under any behaviour.</p>\n";
    }
    html.push_str("<div class=\"panels\">\n");
    for ((name, course), values) in courses.iter().zip(&values) {
        let picture = strip(&Strip {
            values,
            step_ns: course.bin_ns.max(1),
            most,
            class: measure.class(),
        });
        let (index, peak) = peak(values);
        let at_most = label(Unit::Count, rounded(peak));
        let spoken = format!(
            "{} under {name}: at most {at_most} at {}",
            measure.words(),
            short_span(course.bin_ns.saturating_mul(index as u64))
        );
        html.push_str(&format!(
            "<div class=\"panel\"><p class=\"name\">{} <span class=\"faint\">at most \
             {at_most}</span></p>\n{}</div>\n",
            escaped(name),
            picture.render(&spoken, " class=\"chart\"")
        ));
    }
    let table = table(scenario, measure, courses, &values);
    format!(
        "{html}</div>\n<details><summary>{} as a table</summary>\n{}</details>\n",
        measure.words(),
        table.render()
    )
}

fn table(
    scenario: &ScenarioComparison,
    measure: Measure,
    courses: &[(&str, &Course)],
    values: &[Vec<f64>],
) -> Table {
    let title = format!("{}: {}", scenario.scenario, measure.words().to_lowercase());
    let mut table = Table::new(&title).number("From");
    for (name, _) in courses {
        table = table.number(name);
    }
    let stretches = values.iter().map(Vec::len).max().unwrap_or(0);
    let bin_ns = courses.first().map_or(0, |(_, course)| course.bin_ns);
    for index in 0..stretches {
        let from = bin_ns.saturating_mul(index as u64);
        let mut row = vec![Cell::number(&short_span(from), from as f64)];
        row.extend(values.iter().map(|values| match values.get(index) {
            Some(value) => Cell::number(&label(Unit::Count, rounded(*value)), *value),
            None => Cell::text(""),
        }));
        table.row(row);
    }
    table
}

/// Three digits say enough.
fn rounded(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let unit = 10_f64.powf(value.log10().floor() - 2.0);
    (value / unit).round() * unit
}

/// The first stretch with the greatest value.
fn peak(values: &[f64]) -> (usize, f64) {
    let mut peak = (0, 0.0);
    for (index, value) in values.iter().enumerate() {
        if *value > peak.1 {
            peak = (index, *value);
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_become_rates_of_a_run() {
        let course = Course {
            bin_ns: 1 << 27,
            covered_ns: vec![2_000_000_000, 500_000_000, 0],
            redirects: vec![4, 1, 0],
            served: vec![0, 0, 0],
            failed: vec![0, 0, 0],
            postponed_ns: vec![1_000_000_000, 0, 0],
        };
        assert_eq!(Measure::Redirects.values(&course), [2.0, 2.0, 0.0]);
        assert_eq!(Measure::Postponed.values(&course), [0.5, 0.0, 0.0]);
        assert_eq!(peak(&[1.0, 3.0, 3.0]), (1, 3.0));
        assert_eq!((rounded(0.0), rounded(1_234.0)), (0.0, 1_230.0));
    }
}
