//! Diagrams of small scenarios.
