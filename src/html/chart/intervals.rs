//! Differences as dots with their intervals, relative to zero.

use super::axis;
use crate::html::svg::{Anchor, Svg, fitted, text_width};

/// A difference.
pub struct Interval<'a> {
    /// Of what.
    pub name: &'a str,
    /// The mean.
    pub mean: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The mean in words.
    pub words: String,
    /// All of it in words, for a pointer.
    pub told: String,
}

/// Units of the picture's width.
const WIDTH: f64 = 340.0;
const ROW: f64 = 36.0;
const EDGE: f64 = 8.0;

/// The picture, for a panel; `tick` says what a value on the axis is called.
pub fn intervals(differences: &[Interval<'_>], tick: impl Fn(f64) -> String) -> Svg {
    let height = ROW * differences.len() as f64;
    let mut svg = Svg::new(WIDTH, height + 30.0);
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let ends = differences
        .iter()
        .flat_map(|one| [one.low, one.high, one.mean, 0.0])
        .map(finite);
    let (least, most) = ends.fold((0.0_f64, 0.0_f64), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    let span = if most > least { most - least } else { 1.0 };
    let x = |value: f64| EDGE + (finite(value) - least) / span * (WIDTH - 2.0 * EDGE);
    for (index, one) in differences.iter().enumerate() {
        let top = ROW * index as f64;
        let value_width = text_width(&one.words);
        svg.text(
            "label strong",
            (0.0, top + 13.0),
            Anchor::Start,
            &fitted(one.name, WIDTH - value_width - 12.0),
        );
        svg.text("label", (WIDTH, top + 13.0), Anchor::End, &one.words);
        let y = top + 25.0;
        svg.line("grid", (EDGE, y), (WIDTH - EDGE, y));
        svg.line("nought", (x(0.0), top + 18.0), (x(0.0), top + 32.0));
        let class = if one.high < 0.0 {
            "less"
        } else if one.low > 0.0 {
            "more"
        } else {
            "open"
        };
        svg.line(
            &format!("interval {class}"),
            (x(one.low), y),
            (x(one.high), y),
        );
        svg.dot(&format!("mean {class}"), (x(one.mean), y), 4.5, &one.told);
    }
    let mut ticks: Vec<f64> = vec![least, 0.0, most];
    ticks.dedup();
    let labels: Vec<(f64, String)> = ticks.into_iter().map(|at| (x(at), tick(at))).collect();
    axis::below(&mut svg, height + 2.0, WIDTH, &labels);
    svg
}
