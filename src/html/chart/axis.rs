//! Axes: where ticks are, and which of their labels have room.

use rebound_engine::Duration;

use crate::figures::grouped;
use crate::html::svg::{Anchor, Svg, text_width};

/// What a number on an axis is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Nanoseconds.
    Nanos,
}

/// Ticks from zero to at least `most`, at 1, 2 or 5 times a power of ten; about `wanted`.
pub fn linear(most: f64, wanted: usize) -> Vec<f64> {
    if most.is_nan() || most <= 0.0 {
        return vec![0.0];
    }
    let rough = most / wanted.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.75)
        .unwrap_or(power * 10.0);
    let count = (most / step).ceil() as usize;
    (0..=count).map(|index| index as f64 * step).collect()
}

/// Powers of ten from the first at or above `least` to the last at or below `most`.
pub fn powers(least: u64, most: u64) -> Vec<u64> {
    let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
    powers
        .filter(|power| (least.max(1)..=most).contains(power))
        .collect()
}

/// Ticks of a logarithmic axis: powers of ten, and twice and five times them where these are few.
pub fn logarithmic(least: u64, most: u64) -> Vec<u64> {
    let tens = powers(least, most);
    if tens.len() >= 3 {
        return tens;
    }
    powers(1, most)
        .into_iter()
        .flat_map(|power| [power, power.saturating_mul(2), power.saturating_mul(5)])
        .filter(|tick| (least.max(1)..=most).contains(tick))
        .collect()
}

/// A tick's label.
pub fn label(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Nanos => Duration(value.max(0.0).round() as u64).to_string(),
        Unit::Count if value >= 1e9 => format!("{}G", plain(value / 1e9)),
        Unit::Count if value >= 1e6 => format!("{}M", plain(value / 1e6)),
        Unit::Count if value >= 1e4 => format!("{}k", plain(value / 1e3)),
        Unit::Count if value >= 1e3 => grouped(value.round() as u64),
        Unit::Count => plain(value),
    }
}

/// Without digits that tell nothing.
fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Space between two labels.
const GAP: f64 = 8.0;

/// Writes labels below a horizontal axis, those that have room, from the first on; none leaves the
/// picture, which ends at `right`.
pub fn below(svg: &mut Svg, y: f64, right: f64, ticks: &[(f64, String)]) {
    let mut free_from = f64::NEG_INFINITY;
    for (x, text) in ticks {
        let half = text_width(text) / 2.0;
        // Labels at the end are moved in, rather than cut off.
        let middle = x.max(half).min(right - half);
        svg.line("tick", (*x, y), (*x, y + 4.0));
        if middle - half < free_from {
            continue;
        }
        svg.text("label", (middle, y + 18.0), Anchor::Middle, text);
        free_from = middle + half + GAP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear(8.0, 4), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(linear(0.7, 2), [0.0, 0.5, 1.0]);
        assert_eq!(linear(8.05, 4).len(), 6);
        assert_eq!(linear(0.0, 4), [0.0]);
        assert_eq!(linear(f64::NAN, 4), [0.0]);
        assert_eq!(powers(3, 1_000), [10, 100, 1_000]);
        assert_eq!(logarithmic(3, 1_000), [10, 100, 1_000]);
        assert_eq!(logarithmic(3, 60), [5, 10, 20, 50]);
    }

    #[test]
    fn labels_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (1_000.0, "1,000"),
            (25_000.0, "25k"),
            (1.5e6, "1.5M"),
        ] {
            assert_eq!(label(Unit::Count, value), text);
        }
        assert_eq!(label(Unit::Nanos, 2.5e9), "2.5s");
    }
}
