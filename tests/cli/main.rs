//! The command line, through the real program.

mod commands;
mod comparisons;
mod conform;
mod diagrams;
mod inputs;
mod mistakes;
mod program;
mod regressions;
mod reports;
mod sweeps;
