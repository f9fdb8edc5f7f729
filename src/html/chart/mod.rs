//! Charts. Each is drawn for wide and for narrow pages, since text must keep its size, and comes
//! with its data as a table.

mod axis;
mod heat;
mod histogram;
mod intervals;
mod share;
mod strip;

use super::escape::escaped;
use super::svg::Svg;
use super::table::Table;

pub use axis::{Unit, label};
pub use heat::{Heat, heat_map};
pub use histogram::{Axes, Column, Columns, histogram, range};
pub use intervals::{Interval, intervals};
pub use share::{Part, share_bar};
pub use strip::{Strip, strip};

/// How wide a chart is drawn.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Width {
    /// For a page on a desk or on paper.
    Wide,
    /// For a page in a hand.
    Narrow,
}

impl Width {
    /// In a picture's units.
    pub const fn units(self) -> f64 {
        match self {
            Width::Wide => 720.0,
            Width::Narrow => 344.0,
        }
    }
}

/// A chart with its name, what it shows in words, and its data.
pub struct Figure<'a> {
    /// Its name.
    pub name: &'a str,
    /// What there is to be seen, as HTML.
    pub caption: String,
    /// The data.
    pub table: &'a Table,
    /// Further attributes of the picture's frame.
    pub frame: &'a str,
}

/// The figure, drawn twice; styles show the one that fits.
pub fn figure(of: &Figure<'_>, draw: impl Fn(Width) -> (Svg, String)) -> String {
    let picture = |width, class| {
        let (svg, attributes) = draw(width);
        svg.render(of.name, &format!(" class=\"chart {class}\"{attributes}"))
    };
    format!(
        "<figure{}>\n<figcaption><strong>{}</strong> {}</figcaption>\n{}{}\
         <details><summary>The data as a table</summary>\n{}</details>\n</figure>\n",
        of.frame,
        escaped(of.name),
        of.caption,
        picture(Width::Wide, "wide"),
        picture(Width::Narrow, "narrow"),
        of.table.render()
    )
}
