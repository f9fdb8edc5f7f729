//! The command line, through the real program.

mod action;
mod commands;
mod comparisons;
mod conform;
mod formats;
mod inputs;
mod mistakes;
mod program;
mod regressions;
mod sweeps;
mod validators;
