//! What CONTRIBUTING.md promises of this repository and a machine can see: how long files and
//! functions are, that nothing is public without a reader, that documentation points at what is
//! there. Each module holds one promise, and shows of its own check that it goes red.
//!
//! Tests count like everything else: a test that does not fit on a screen is no easier to read than
//! a function that does not.

// Syntax trees and documents are enums of other crates, which grow; this looks at parts of them.
#![allow(clippy::wildcard_enum_match_arm)]

mod complaint;
mod exceptions;
mod lengths;
mod links;
mod manifests;
mod modules;
mod pages;
mod public_items;
mod repository;
