//! The command line, through the real program.

mod commands;
mod comparisons;
mod conform;
mod drawn;
mod inputs;
mod mistakes;
mod program;
mod regressions;
mod reports;
mod states;
mod sweeps;
mod tui;
