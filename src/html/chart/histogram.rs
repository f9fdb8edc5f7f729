//! Counts by magnitude: both axes are logarithmic, and zero has a column of its own.

use super::Width;
use super::axis::{self, Unit};
use crate::figures::{grouped, short_span};
use crate::html::svg::{Anchor, Svg};

/// A column: values from `from` up to but not including `to`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The least value.
    pub from: u64,
    /// The least above it that does not belong to it.
    pub to: u64,
    /// How many values there are.
    pub count: u64,
}

/// Columns of one kind.
pub struct Columns<'a> {
    /// What they count, for a pointer.
    pub name: &'a str,
    /// Their class, which gives the colour.
    pub class: &'a str,
    /// The columns, lowest first.
    pub columns: Vec<Column>,
}

/// What the axes are called and measure.
#[derive(Copy, Clone)]
pub struct Axes<'a> {
    /// The values.
    pub across: &'a str,
    /// Their unit.
    pub unit: Unit,
    /// The label of the zero column.
    pub nought: &'a str,
    /// What is counted.
    pub up: &'a str,
}

const TOP: f64 = 22.0;
const PLOT: f64 = 170.0;
const BELOW: f64 = 42.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 6.0;
/// The zero column, and the gap after it.
const NOUGHT: f64 = 36.0;

/// The chart. Kinds stand side by side in each column.
pub fn histogram(width: Width, axes: Axes<'_>, kinds: &[Columns<'_>]) -> Svg {
    let mut svg = Svg::new(width.units(), TOP + PLOT + BELOW);
    let all = || kinds.iter().flat_map(|kind| &kind.columns);
    let most = all().map(|column| column.count).max().unwrap_or(0);
    let floor = TOP + PLOT;
    // One is drawn a little above the floor.
    let height = |count: u64| match count {
        0 => 0.0,
        count => ((count as f64).log10() + 0.25) / ((most.max(1) as f64).log10() + 0.25) * PLOT,
    };
    let right = width.units() - RIGHT;
    for power in axis::powers(1, most) {
        let y = floor - height(power);
        svg.line("grid", (LEFT, y), (right, y));
        let label = axis::label(Unit::Count, power as f64);
        svg.text("label", (LEFT - 6.0, y + 4.0), Anchor::End, &label);
    }
    svg.text("axis-name", (0.0, 12.0), Anchor::Start, axes.up);
    svg.text("axis-name", (right, floor + 36.0), Anchor::End, axes.across);
    svg.line("axis", (LEFT, floor), (right, floor));

    let above = || all().filter(|column| column.from > 0);
    let low = above().map(|column| column.from).min().unwrap_or(1);
    let high = above().map(|column| column.to).max().unwrap_or(10);
    let (low, high) = (low as f64, (high as f64).max(low as f64 * 10.0));
    let begin = LEFT + NOUGHT;
    let x = |value: f64| {
        let share = (value.max(low) / low).ln() / (high / low).ln();
        begin + share.clamp(0.0, 1.0) * (right - begin)
    };
    for (index, kind) in kinds.iter().enumerate() {
        for column in &kind.columns {
            if column.count == 0 {
                continue;
            }
            let (left, end) = match column.from {
                0 => (LEFT + 4.0, LEFT + NOUGHT - 10.0),
                from => (x(from as f64), x(column.to as f64) - 1.0),
            };
            let part = ((end - left) / kinds.len() as f64).max(1.0);
            let high = height(column.count);
            svg.rect(
                kind.class,
                (left + part * index as f64, floor - high),
                (part, high),
                &told(axes, kind.name, column),
            );
        }
    }
    let mut ticks = vec![(LEFT + (NOUGHT - 6.0) / 2.0, axes.nought.to_owned())];
    for power in axis::logarithmic(low as u64, high as u64) {
        ticks.push((x(power as f64), axis::label(axes.unit, power as f64)));
    }
    axis::below(&mut svg, floor, right, &ticks);
    svg
}

fn told(axes: Axes<'_>, name: &str, column: &Column) -> String {
    format!(
        "{}: {} {name}",
        range(axes.unit, column),
        grouped(column.count)
    )
}

/// The values of a column in words.
pub fn range(unit: Unit, column: &Column) -> String {
    match unit {
        Unit::Count if column.to <= column.from + 1 => grouped(column.from),
        Unit::Count => format!("{} to {}", grouped(column.from), grouped(column.to - 1)),
        Unit::Nanos if column.to <= 1 => "none".to_owned(),
        Unit::Nanos => format!("{} to {}", short_span(column.from), short_span(column.to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_which_values_it_has() {
        let of = |from, to| Column { from, to, count: 1 };
        assert_eq!(range(Unit::Count, &of(0, 1)), "0");
        assert_eq!(range(Unit::Count, &of(1_024, 1_536)), "1,024 to 1,535");
        assert_eq!(range(Unit::Nanos, &of(0, 1)), "none");
        assert_eq!(
            range(Unit::Nanos, &of(1 << 20, 3 << 19)),
            "1.05ms to 1.57ms"
        );
    }
}
