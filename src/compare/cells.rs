//! The figures of a comparison as words in rows and columns, whatever they are printed as.

use rebound_sim::compare::{BehaviourColumn, Difference, Metric, ScenarioComparison, Spread, Unit};

use crate::figures::{grouped, share, short_span};

/// A row: what it is, and a cell for each behaviour.
pub struct Row {
    pub label: String,
    pub cells: Vec<String>,
    /// The cells' values, for comparison; none where a cell is more
    /// than a value.
    pub values: Vec<f64>,
}

/// How a figure's spread is shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// As a share of the runs.
    Share,
    /// Mean, median, 99th percentile and maximum.
    Spread,
    /// Mean and maximum.
    Ends,
    /// The sum over all runs.
    Sum,
}

fn shown(metric: Metric) -> Shown {
    match metric {
        Metric::Flagged
        | Metric::LostWriteRuns
        | Metric::TwoPrimariesRuns
        | Metric::StaleReadRuns => Shown::Share,
        Metric::Hops | Metric::Bounces => Shown::Spread,
        Metric::FlaggedClients
        | Metric::LongestChain
        | Metric::Failed
        | Metric::Postponed
        | Metric::LongestPostponement
        | Metric::ReadOutage
        | Metric::WriteOutage
        | Metric::Connections
        | Metric::BusiestNode
        | Metric::Rush => Shown::Ends,
        Metric::Unfinished | Metric::LostWrites | Metric::TwoPrimaries | Metric::StaleReads => {
            Shown::Sum
        }
    }
}

/// The figures of a scenario.
pub fn figures(scenario: &ScenarioComparison) -> Vec<Row> {
    let columns = &scenario.behaviours;
    let mut rows = Vec::new();
    for metric in Metric::ALL {
        let spread = |column: &BehaviourColumn| {
            let spread = column.figures.get(metric.name());
            spread.copied().unwrap_or_default()
        };
        let unit = metric.unit();
        let mut row = |what: &str, cell: &dyn Fn(&BehaviourColumn) -> (f64, String)| {
            let (values, cells) = columns.iter().map(cell).unzip();
            rows.push(Row {
                label: format!("{}{what}", metric.words()),
                cells,
                values,
            });
        };
        let whole = |n: u64| (n as f64, value(unit, n));
        let average = |n: f64| (n, mean(unit, n));
        match shown(metric) {
            Shown::Share => row("", &|column| {
                let (part, runs) = (sum(column, metric), column.verdicts.total());
                (part as f64, share(part, runs))
            }),
            Shown::Spread => {
                row(", mean", &|column| average(spread(column).mean));
                row(", p50", &|column| whole(spread(column).p50));
                row(", p99", &|column| whole(spread(column).p99));
                row(", max", &|column| whole(spread(column).max));
            }
            Shown::Ends => {
                row(", mean", &|column| average(spread(column).mean));
                row(", max", &|column| whole(spread(column).max));
            }
            Shown::Sum => row(", all runs", &|column| whole(sum(column, metric))),
        }
        if metric == Metric::WriteOutage {
            rows.extend(client_outages(columns));
        }
    }
    rows.extend(errors(columns));
    rows
}

/// A figure's sum over all runs.
fn sum(column: &BehaviourColumn, metric: Metric) -> u64 {
    let spread = column.figures.get(metric.name());
    let mean = spread.map_or(0.0, |spread| spread.mean);
    (mean * column.verdicts.total() as f64).round() as u64
}

/// What each client of each run met.
fn client_outages(columns: &[BehaviourColumn]) -> Vec<Row> {
    let mut rows = Vec::new();
    type Of = fn(&BehaviourColumn) -> Spread;
    let kinds: [(&str, Of); 2] = [
        ("read", |column| column.client_read_outages),
        ("write", |column| column.client_write_outages),
    ];
    for (kind, of) in kinds {
        for (what, pick) in [
            ("p50", (|spread| spread.p50) as fn(Spread) -> u64),
            ("p99", |spread| spread.p99),
        ] {
            let outages = || columns.iter().map(|column| pick(of(column)));
            rows.push(Row {
                label: format!("a client's {kind} outage, {what}"),
                cells: outages().map(|ns| value(Unit::Nanos, ns)).collect(),
                values: outages().map(|ns| ns as f64).collect(),
            });
        }
    }
    rows
}

/// Errors by code.
fn errors(columns: &[BehaviourColumn]) -> Vec<Row> {
    let mut codes: Vec<&String> = columns.iter().flat_map(|c| c.errors.keys()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
        .into_iter()
        .map(|code| {
            let counts = || {
                columns
                    .iter()
                    .map(|column| column.errors.get(code).copied().unwrap_or(0))
            };
            Row {
                label: format!("{code} errors, all runs"),
                cells: counts().map(grouped).collect(),
                values: counts().map(|count| count as f64).collect(),
            }
        })
        .collect()
}

/// How far each behaviour but the first is from the first, in what differs for any of them.
pub fn differences(scenario: &ScenarioComparison) -> Vec<Row> {
    let others = scenario.behaviours.get(1..).unwrap_or_default();
    let of = |column: &BehaviourColumn, metric: Metric| {
        let all = column.against_first.as_ref()?;
        all.get(metric.name()).copied()
    };
    Metric::ALL
        .into_iter()
        .filter(|metric| {
            let matters = |d: Difference| d.low != 0.0 || d.high != 0.0 || d.mean != 0.0;
            others.iter().any(|c| of(c, *metric).is_some_and(matters))
        })
        .map(|metric| Row {
            label: metric.words().to_owned(),
            cells: others
                .iter()
                .map(|column| {
                    of(column, metric).map_or_else(String::new, |d| difference(metric, d))
                })
                .collect(),
            values: Vec::new(),
        })
        .collect()
}

/// A difference in a figure with its sign.
pub fn change(metric: Metric, value: f64) -> String {
    match metric.unit() {
        Unit::Runs => format!("{:+.1}%", value * 100.0),
        Unit::Count => signed(value),
        Unit::Nanos => {
            let sign = if value < 0.0 { "-" } else { "+" };
            format!("{sign}{}", short_span(value.abs().round() as u64))
        }
    }
}

/// A mean difference and its interval.
pub fn difference(metric: Metric, Difference { mean, low, high }: Difference) -> String {
    let text = |value| change(metric, value);
    let sure = low == high;
    if sure {
        text(mean)
    } else {
        format!("{} [{}, {}]", text(mean), text(low), text(high))
    }
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "+" };
    format!("{sign}{}", plain(value.abs()))
}

fn mean(unit: Unit, mean: f64) -> String {
    match unit {
        Unit::Runs | Unit::Count => plain(mean),
        Unit::Nanos => short_span(mean.round() as u64),
    }
}

/// A figure with as many digits as tell something.
fn plain(value: f64) -> String {
    if value >= 100.0 || value == 0.0 {
        grouped(value.round() as u64)
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn value(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Runs | Unit::Count => grouped(value),
        Unit::Nanos => short_span(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        for (nanos, text) in [(0, "0s"), (123_456, "123us"), (1_999_999_999, "2s")] {
            assert_eq!(short_span(nanos), text);
        }
        for (number, text) in [
            (0.0, "0"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (1234.5, "1,235"),
        ] {
            assert_eq!(plain(number), text);
        }
    }

    #[test]
    fn a_difference_without_doubt_has_no_interval() {
        let sure = Difference {
            mean: -1.0,
            low: -1.0,
            high: -1.0,
        };
        assert_eq!(difference(Metric::Flagged, sure), "-100.0%");
        let vague = Difference {
            mean: 2_500_000.0,
            low: -1_000.0,
            high: 5_000_000.0,
        };
        assert_eq!(
            difference(Metric::WriteOutage, vague),
            "+2.5ms [-1us, +5ms]"
        );
    }
}
