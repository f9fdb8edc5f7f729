//! HTML pages that stand alone: one file, nothing fetched, readable from a disk.
//!
//! What a page shows is decided in Rust; the scripts only draw, filter and step.

pub mod chart;
mod elements;
mod escape;
mod page;
mod svg;
mod table;

pub use elements::{command, facts, heading};
pub use escape::escaped;
pub use page::Page;
pub use table::{Cell, Table};
