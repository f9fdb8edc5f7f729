//! How much happened in which row and when, as a map of colours.

use super::Width;
use super::axis::{self, Unit};
use crate::html::svg::{Anchor, Svg, short, text_width};

/// What the map is of.
pub struct Heat<'a> {
    /// Names of the rows and their cells; a row that ends early has nothing further.
    pub rows: &'a [(String, Vec<f64>)],
    /// Rows above the first that are at its distance, for rows that lie apart: for each row its
    /// place, counted from the first.
    pub places: &'a [usize],
    /// The length of a cell, in nanoseconds.
    pub cell_ns: u64,
    /// What a row is.
    pub row_name: &'a str,
}

/// Shades, from the least to the most.
const SHADES: usize = 6;
const TOP: f64 = 22.0;
const BELOW: f64 = 90.0;
const RIGHT: f64 = 6.0;

/// The map, and attributes that say where its cells are.
pub fn heat_map(width: Width, heat: &Heat<'_>) -> (Svg, String) {
    let rows = heat.places.last().map_or(1, |last| last + 1);
    let columns = heat.rows.iter().map(|(_, cells)| cells.len()).max();
    let columns = columns.unwrap_or(0).max(1);
    let row_height = (300.0 / rows as f64).clamp(5.0, 16.0).floor();
    let widest = heat.rows.iter().map(|(name, _)| text_width(name));
    let left = widest.fold(0.0, f64::max).min(width.units() / 3.0) + 8.0;
    let right = width.units() - RIGHT;
    let cell = (right - left) / columns as f64;
    let floor = TOP + row_height * rows as f64;
    let mut svg = Svg::new(width.units(), floor + BELOW);
    svg.rect("ground", (left, TOP), (right - left, floor - TOP), "");

    let most = heat
        .rows
        .iter()
        .flat_map(|(_, cells)| cells)
        .fold(0.0, |most: f64, value| most.max(*value));
    // Cells of one shade are one path, and neighbours one rectangle.
    let mut paths = vec![String::new(); SHADES];
    for ((_, cells), place) in heat.rows.iter().zip(heat.places) {
        let y = TOP + row_height * *place as f64;
        let mut from = 0;
        while from < cells.len() {
            let shade = shade(cells[from], most);
            let same = cells[from..]
                .iter()
                .take_while(|value| self::shade(**value, most) == shade)
                .count();
            if let Some(shade) = shade {
                paths[shade].push_str(&format!(
                    "M{} {}h{}v{}H{}z",
                    short(left + cell * from as f64),
                    short(y),
                    short(cell * same as f64),
                    short(row_height - 0.5),
                    short(left + cell * from as f64)
                ));
            }
            from += same;
        }
    }
    for (shade, path) in paths.iter().enumerate() {
        if !path.is_empty() {
            svg.path(&format!("shade-{shade}"), path);
        }
    }
    svg.text("axis-name", (0.0, 12.0), Anchor::Start, heat.row_name);
    let mut free_from = f64::NEG_INFINITY;
    for ((name, _), place) in heat.rows.iter().zip(heat.places) {
        let middle = TOP + row_height * (*place as f64 + 0.5);
        if middle - 6.0 < free_from {
            continue;
        }
        svg.text("label", (left - 6.0, middle + 4.0), Anchor::End, name);
        free_from = middle + 10.0;
    }
    let whole = columns as f64 * heat.cell_ns as f64;
    let ticks: Vec<(f64, String)> = axis::linear(whole, if width == Width::Wide { 8 } else { 4 })
        .into_iter()
        .filter(|tick| *tick <= whole)
        .map(|tick| {
            (
                left + tick / whole * (right - left),
                axis::label(Unit::Nanos, tick),
            )
        })
        .collect();
    axis::below(&mut svg, floor, right, &ticks);
    svg.text(
        "axis-name",
        (right, floor + 36.0),
        Anchor::End,
        "virtual time",
    );
    svg.text(
        "axis-name",
        (0.0, floor + 54.0),
        Anchor::Start,
        "per run, up to",
    );
    legend(&mut svg, floor + 60.0, most);
    let attributes = format!(
        " data-left=\"{}\" data-right=\"{}\" data-top=\"{TOP}\" data-row=\"{row_height}\" \
         data-columns=\"{columns}\"",
        short(left),
        short(right)
    );
    (svg, attributes)
}

/// The shade of a value; none for nothing. By its square root: a few redirects are visible next to
/// many, and large numbers remain distinguishable.
fn shade(value: f64, most: f64) -> Option<usize> {
    if value <= 0.0 {
        return None;
    }
    let share = (value / most).sqrt();
    Some(((share * SHADES as f64).ceil() as usize).clamp(1, SHADES) - 1)
}

/// To two digits, or to a tenth.
fn rounded(value: f64) -> f64 {
    let unit = 10_f64.powf((value.max(1.0).log10().floor() - 1.0).max(-1.0));
    (value / unit).round() * unit
}

fn legend(svg: &mut Svg, y: f64, most: f64) {
    let ends: Vec<f64> = (1..=SHADES)
        .map(|shade| {
            let share = shade as f64 / SHADES as f64;
            most * share * share
        })
        .collect();
    let step = 54.0;
    for (shade, end) in ends.iter().enumerate() {
        let x = step * shade as f64;
        svg.rect(&format!("shade-{shade}"), (x, y), (step - 2.0, 10.0), "");
        let end = axis::label(Unit::Count, rounded(*end));
        svg.text("label", (x + step - 2.0, y + 24.0), Anchor::End, &end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_has_a_shade_and_the_most_the_darkest() {
        assert_eq!(shade(0.0, 10.0), None);
        assert_eq!(shade(0.001, 1e9), Some(0));
        assert_eq!(shade(1e9, 1e9), Some(SHADES - 1));
        assert_eq!(shade(1.0, 1.0), Some(SHADES - 1));
    }
}
