//! The styles and scripts of the pages of a sweep, a comparison and a check.

/// Styles beyond those of every page.
pub const STYLES: &[&str] = &[
    include_str!("assets/pages.css"),
    include_str!("assets/charts.css"),
];

/// Scripts. Each looks for what it enriches, and leaves a page without it alone.
pub const SCRIPTS: &[&str] = &[
    include_str!("assets/copy.js"),
    include_str!("assets/sort.js"),
    include_str!("assets/filter.js"),
    include_str!("assets/heat.js"),
];
