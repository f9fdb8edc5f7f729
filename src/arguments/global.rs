//! The options that every command has.

use clap::{Args, ValueEnum};

/// The options that every command has.
#[derive(Args, Clone)]
pub struct Global {
    /// Output format; json is exactly one object (replay: one per line), mermaid and svg are
    /// diagrams of a run (replay only)
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Print only verdicts and problems; no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// When to use colours; auto respects NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// How results are printed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A sequence diagram for pasting into an issue; `replay` only.
    Mermaid,
    /// A picture; `replay` only.
    Svg,
}

/// When to use colours.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
