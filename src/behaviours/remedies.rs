//! The remedies: what each does, cures, costs and leaves.

use rebound_sim::valkey::{Base, Remedy};
use schemars::JsonSchema;
use serde::Serialize;

use crate::figures::wrapped;
use crate::output::{Output, Style};

/// A change of one rule, which can be added to a version.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemedyEntry {
    /// Its name in `BASE+REMEDY`.
    name: &'static str,
    /// What it does.
    summary: &'static str,
    /// What it cures.
    cures: &'static str,
    /// What it costs.
    costs: &'static str,
    /// What it leaves.
    leaves: &'static str,
    /// Where it comes from.
    source: &'static str,
    /// The versions that it can be added to.
    bases: Vec<&'static str>,
    /// Other remedies for the same rule; a behaviour can have only one of them.
    excludes: Vec<&'static str>,
}

impl From<Remedy> for RemedyEntry {
    fn from(remedy: Remedy) -> RemedyEntry {
        let excludes = |other: &Remedy| *other != remedy && other.axis() == remedy.axis();
        RemedyEntry {
            name: remedy.name(),
            summary: remedy.summary(),
            cures: remedy.cures(),
            costs: remedy.costs(),
            leaves: remedy.leaves(),
            source: remedy.source(),
            bases: bases(remedy),
            excludes: Remedy::ALL
                .into_iter()
                .filter(excludes)
                .map(Remedy::name)
                .collect(),
        }
    }
}

fn bases(remedy: Remedy) -> Vec<&'static str> {
    Base::ALL
        .into_iter()
        .filter(|base| base.behaviour().open_to().contains(&remedy))
        .map(Base::name)
        .collect()
}

/// The remedies in words, under a heading.
pub(super) fn text(out: &Output, heading: &str, remedies: &[Remedy]) -> String {
    let mut text = format!("\n{heading}\n");
    for remedy in remedies.iter().copied() {
        let entry = RemedyEntry::from(remedy);
        text.push('\n');
        text.push_str(&out.paint(Style::Bold, entry.name));
        text.push_str(&format!(" (on {}", entry.bases.join(", ")));
        if !entry.excludes.is_empty() {
            text.push_str(&format!("; not with {}", entry.excludes.join(", ")));
        }
        text.push_str(")\n");
        for (label, words) in [
            ("", entry.summary),
            ("Cures: ", entry.cures),
            ("Costs: ", entry.costs),
            ("Leaves: ", entry.leaves),
        ] {
            text.push_str(&wrapped(&format!("{label}{words}"), "  "));
        }
        let source = wrapped(&format!("Source: {}", entry.source), "  ");
        text.push_str(&(out.paint(Style::Faint, source.trim_end()) + "\n"));
    }
    text
}
