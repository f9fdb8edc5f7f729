//! A value over time, small, to be compared with others of its kind.

use super::axis::{self, Unit};
use crate::html::svg::{Anchor, Svg, short};

/// What is drawn.
pub struct Strip<'a> {
    /// The values, one for each stretch of time.
    pub values: &'a [f64],
    /// The length of a stretch, in nanoseconds.
    pub step_ns: u64,
    /// The greatest value of all that are held side by side.
    pub most: f64,
    /// The class, which gives the colour.
    pub class: &'a str,
}

const WIDTH: f64 = 300.0;
const TOP: f64 = 8.0;
const PLOT: f64 = 84.0;
const LEFT: f64 = 46.0;

/// The picture, for a panel.
pub fn strip(of: &Strip<'_>) -> Svg {
    let floor = TOP + PLOT;
    let right = WIDTH - 4.0;
    let mut svg = Svg::new(WIDTH, floor + 24.0);
    let scale = axis::linear(of.most, 3);
    let top = scale.last().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    let y = |value: f64| floor - (value / top).clamp(0.0, 1.0) * PLOT;
    for tick in &scale {
        svg.line("grid", (LEFT, y(*tick)), (right, y(*tick)));
        let label = axis::label(Unit::Count, *tick);
        svg.text(
            "label",
            (LEFT - 6.0, (y(*tick) + 4.0).min(floor)),
            Anchor::End,
            &label,
        );
    }
    let whole = of.values.len().max(1) as f64;
    let x = |index: usize| LEFT + index as f64 / whole * (right - LEFT);
    if !of.values.is_empty() {
        let mut outline = String::new();
        for (index, value) in of.values.iter().enumerate() {
            let go = if index == 0 { "M" } else { "L" };
            outline.push_str(&format!("{go}{} {}", short(x(index)), short(y(*value))));
            outline.push_str(&format!("H{}", short(x(index + 1))));
        }
        let area = format!("{outline}V{}H{}z", short(floor), short(LEFT));
        svg.path(&format!("area {}", of.class), &area);
        svg.path(&format!("course {}", of.class), &outline);
    }
    svg.line("axis", (LEFT, floor), (right, floor));
    let end = whole * of.step_ns as f64;
    let ticks: Vec<(f64, String)> = axis::linear(end, 4)
        .into_iter()
        .filter(|tick| *tick <= end)
        .map(|tick| {
            (
                LEFT + tick / end * (right - LEFT),
                axis::label(Unit::Nanos, tick),
            )
        })
        .collect();
    axis::below(&mut svg, floor, WIDTH, &ticks);
    svg
}
