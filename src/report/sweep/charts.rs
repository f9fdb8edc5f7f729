//! The charts of a sweep: verdicts, chains and bounces, outages, redirects by seed and time.

use rebound_sim::report::{Bucket, DetailReport, HeatMap, SweepReport};

use crate::figures::{grouped, share, short_span};
use crate::html::chart::{
    Axes, Column, Columns, Figure, Heat, Part, Unit, figure, heat_map, histogram, range, share_bar,
};
use crate::html::{Cell, Table, escaped};

/// Runs by verdict.
pub fn verdicts(report: &SweepReport) -> String {
    let verdicts = &report.verdicts;
    let part = |class, count| Part {
        name: class,
        class,
        count,
    };
    let bar = share_bar(
        "Runs by verdict",
        &[
            part("clean", verdicts.clean),
            part("flagged", verdicts.flagged),
            part("inconclusive", verdicts.inconclusive),
        ],
    );
    format!("<section>\n<h2>Verdicts</h2>\n{bar}</section>\n")
}

/// Commands by redirects and bounces.
pub fn chains(report: &SweepReport) -> String {
    let kinds = match &report.detail {
        Some(detail) => vec![
            ("redirects", "hops", columns(&detail.chains)),
            ("bounces", "bounces", columns(&detail.bounces)),
        ],
        None => vec![("redirects", "hops", from_histogram(report))],
    };
    let (name, across) = match &report.detail {
        Some(_) => (
            "Redirects and bounces per command",
            "redirects, bounces of one command",
        ),
        None => ("Redirects per command", "redirects of one command"),
    };
    let axes = Axes {
        across,
        unit: Unit::Count,
        nought: "0",
        up: "commands",
    };
    let caption = match &report.detail {
        Some(_) => {
            "Commands that ended, by number of redirects and by number of bounces; both scales \
             are logarithmic."
        }
        None => {
            "Commands by number of redirects; both scales are logarithmic, and the last column \
             has the rest."
        }
    };
    let html = spread(name, caption, axes, &kinds);
    format!("<section>\n<h2>Redirects per command</h2>\n{html}</section>\n")
}

/// Clients by their longest outage.
pub fn outages(detail: &DetailReport) -> String {
    let kinds = [
        ("reads", "reads", columns(&detail.read_outages_ns)),
        ("writes", "writes", columns(&detail.write_outages_ns)),
    ];
    let axes = Axes {
        across: "longest outage of a client",
        unit: Unit::Nanos,
        nought: "none",
        up: "clients",
    };
    let caption = "Clients of all runs by the longest time in which their reads, or their writes, \
                   went unserved: from the first that was redirected, postponed, refused or lost \
                   to the next that was served.";
    let html = spread("Longest outage per client", caption, axes, &kinds);
    format!("<section>\n<h2>Unavailability</h2>\n{html}</section>\n")
}

/// A histogram of several kinds, each with its name, class and columns.
fn spread(
    name: &str,
    caption: &str,
    axes: Axes<'_>,
    kinds: &[(&str, &str, Vec<Column>)],
) -> String {
    let mut table = Table::new(name).text(if axes.unit == Unit::Nanos {
        "Outage"
    } else {
        "Redirects"
    });
    for (name, _, _) in kinds {
        table = table.number(&format!("{}, by {name}", axes.up));
    }
    let mut ranges: Vec<(u64, u64)> = kinds
        .iter()
        .flat_map(|(_, _, columns)| columns.iter().map(|column| (column.from, column.to)))
        .collect();
    ranges.sort_unstable();
    ranges.dedup();
    for (from, to) in ranges {
        let column = Column { from, to, count: 0 };
        let mut row = vec![Cell::text(&range(axes.unit, &column))];
        for (_, _, columns) in kinds {
            let found = columns.iter().find(|column| column.from == from);
            let count = found.map_or(0, |column| column.count);
            row.push(Cell::number(&grouped(count), count as f64));
        }
        table.row(row);
    }
    let legend: String = kinds
        .iter()
        .map(|(name, class, _)| {
            format!(
                "<span class=\"key\"><span class=\"swatch {class}\" aria-hidden=\"true\"></span>\
                 {name}</span> "
            )
        })
        .collect();
    figure(
        &Figure {
            name,
            caption: format!("{caption} {legend}"),
            table: &table,
            frame: "",
        },
        |width| {
            let columns: Vec<Columns<'_>> = kinds
                .iter()
                .map(|(name, class, columns)| Columns {
                    name: match axes.unit {
                        Unit::Count => "commands",
                        Unit::Nanos => name,
                    },
                    class,
                    columns: columns.clone(),
                })
                .collect();
            (histogram(width, axes, &columns), String::new())
        },
    )
}

fn columns(buckets: &[Bucket]) -> Vec<Column> {
    let column = |bucket: &Bucket| Column {
        from: bucket.from,
        to: bucket.to.max(bucket.from.saturating_add(1)),
        count: bucket.count,
    };
    buckets.iter().map(column).collect()
}

fn from_histogram(report: &SweepReport) -> Vec<Column> {
    let last = report.hops.histogram.len().saturating_sub(1);
    let counts = report.hops.histogram.iter().enumerate();
    let column = |(place, count): (usize, &u64)| {
        let from = place as u64;
        let open = place == last && place > 0;
        let to = if open { report.hops.max_chain } else { from };
        Column {
            from,
            to: to.max(from).saturating_add(1),
            count: *count,
        }
    };
    let used = counts.filter(|(_, count)| **count > 0);
    used.map(column).collect()
}

/// Where there is no detail: how to get it.
pub fn without_detail(report: &SweepReport) -> String {
    let path = if report.scenario_path.is_empty() {
        format!("{}.json", report.scenario)
    } else {
        report.scenario_path.clone()
    };
    format!(
        "<section>\n<h2>Unavailability, and redirects over time</h2>\n<p class=\"note\">This \
         report has neither the distribution of outages nor the times of redirects. {} and a sweep with \
         <code>--detail</code> do.</p>\n</section>\n",
        crate::html::command(&format!(
            "rebound report {} --seeds {}..{} --behaviour {}",
            rebound_sim::report::shell_word(&path),
            report.seeds.from,
            report.seeds.to,
            rebound_sim::report::shell_word(&report.behaviour)
        ))
    )
}

/// Redirects by seed and time.
pub fn redirects(map: &HeatMap) -> String {
    let section = "<section>\n<h2>When redirects were</h2>\n";
    let any = map
        .rows
        .iter()
        .any(|row| row.redirects.iter().any(|n| *n > 0));
    if !any {
        return format!("{section}<p>No command was redirected in any run.</p>\n</section>\n");
    }
    let per_row = map.seeds_per_row.max(1);
    let seed = |text: &str| text.parse::<u64>().unwrap_or(0);
    let first = map.rows.first().map_or(0, |row| seed(&row.from));
    // A file that no sweep wrote may have rows anywhere; a sweep's lie within 64.
    let place = |from: u64| (from.saturating_sub(first) / per_row).min(255) as usize;
    let name = |from: u64| match per_row {
        1 => from.to_string(),
        _ => format!("{from}…"),
    };
    let rows: Vec<(String, Vec<f64>)> = map
        .rows
        .iter()
        .map(|row| {
            let runs = row.runs.max(1) as f64;
            let cells = row.redirects.iter().map(|count| *count as f64 / runs);
            (name(seed(&row.from)), cells.collect())
        })
        .collect();
    let places: Vec<usize> = map.rows.iter().map(|row| place(seed(&row.from))).collect();
    let table = rows_as_table(map);
    let each = if per_row == 1 {
        "a row is a seed".to_owned()
    } else {
        format!("a row is {} neighbouring seeds", grouped(per_row))
    };
    let caption = format!(
        "Redirects in each {} of virtual time, per run; {each}. Point at the map, or move through \
         it with the arrow keys. <output class=\"readout\"></output>",
        short_span(map.column_ns)
    );
    let html = figure(
        &Figure {
            name: "Redirects by seed and time",
            caption,
            table: &table,
            frame: " id=\"heat\"",
        },
        |width| {
            heat_map(
                width,
                &Heat {
                    rows: &rows,
                    places: &places,
                    cell_ns: map.column_ns.max(1),
                    row_name: "seed",
                },
            )
        },
    );
    format!("{section}{html}</section>\n")
}

/// Each row's sum, and where most of it is: cell by cell nobody would read it.
fn rows_as_table(map: &HeatMap) -> Table {
    let mut table = Table::new("Redirects by seed, and when most of them happened")
        .number("From seed")
        .number("Runs")
        .number("Redirects")
        .text("Most in")
        .number("There")
        .sortable();
    for row in &map.rows {
        let sum = row
            .redirects
            .iter()
            .fold(0_u64, |sum, n| sum.saturating_add(*n));
        let busiest = row
            .redirects
            .iter()
            .enumerate()
            .max_by_key(|(place, n)| (**n, usize::MAX - place));
        let (when, most) = match busiest {
            Some((place, count)) if *count > 0 => {
                let begin = map.column_ns.saturating_mul(place as u64);
                let end = begin.saturating_add(map.column_ns);
                (
                    format!("{} to {}", short_span(begin), short_span(end)),
                    format!("{} ({})", grouped(*count), share(*count, sum)),
                )
            }
            Some(_) | None => ("-".to_owned(), "0".to_owned()),
        };
        table.row(vec![
            Cell::number(&escaped(&row.from), row.from.parse().unwrap_or(0.0)),
            Cell::number(&grouped(row.runs), row.runs as f64),
            Cell::number(&grouped(sum), sum as f64),
            Cell::text(&when),
            Cell::text(&most),
        ]);
    }
    table
}
