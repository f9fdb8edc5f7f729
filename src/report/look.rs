//! The styles and scripts of the pages of a sweep, a comparison and a check.

/// Styles beyond those of every page.
pub const STYLES: &[&str] = &[include_str!("assets/pages.css")];

/// Scripts.
pub const SCRIPTS: &[&str] = &[include_str!("assets/copy.js")];
