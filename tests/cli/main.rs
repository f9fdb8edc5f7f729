//! The command line, through the real program.

mod action;
mod commands;
mod comparisons;
mod conform;
mod drawn;
mod formats;
mod inputs;
mod mistakes;
mod program;
mod regressions;
mod reports;
mod states;
mod sweeps;
mod tui;
mod validators;
