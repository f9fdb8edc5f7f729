//! The rules that can be broken: the checks, and what `check` holds scenarios to.

use rebound_sim::results::CheckId;

/// A rule.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A check has no finding.
    Check(CheckId),
    /// A regression seed shows what it is kept for.
    Regression,
    /// A regression seed shows it by the same trace.
    Drift,
    /// A scenario's expectation holds.
    Expectation,
    /// The answer is known.
    Inconclusive,
    /// What is read is well-formed.
    File,
    /// The command gets to its end.
    Command,
}

/// How grave it is if a rule is broken.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Something needs a second look.
    Warning,
}

/// The repository that holds the documentation.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

impl Rule {
    /// Every rule.
    pub fn all() -> impl Iterator<Item = Rule> {
        let own = [
            Rule::Regression,
            Rule::Drift,
            Rule::Expectation,
            Rule::Inconclusive,
            Rule::File,
            Rule::Command,
        ];
        CheckId::ALL.into_iter().map(Rule::Check).chain(own)
    }

    /// Its name, which stays.
    pub fn id(self) -> &'static str {
        match self {
            Rule::Check(check) => check.name(),
            Rule::Regression => "regression",
            Rule::Drift => "drift",
            Rule::Expectation => "expectation",
            Rule::Inconclusive => "inconclusive",
            Rule::File => "file",
            Rule::Command => "command",
        }
    }

    /// How grave it is.
    pub const fn level(self) -> Level {
        match self {
            Rule::Check(CheckId::BudgetExceeded) | Rule::Drift | Rule::Inconclusive => {
                Level::Warning
            }
            Rule::Check(_) | Rule::Regression | Rule::Expectation | Rule::File | Rule::Command => {
                Level::Error
            }
        }
    }

    /// What is the matter if it is broken, in a sentence.
    pub const fn short(self) -> &'static str {
        match self {
            Rule::Check(check) => match check {
                CheckId::Bounce => "A command was redirected too often.",
                CheckId::LostWrite => "An acknowledged write was gone at the end.",
                CheckId::TwoPrimaries => "Two nodes were primaries at the same time.",
                CheckId::NoPrimary => "There was no primary for a long time.",
                CheckId::StuckClient => "A command was unfinished long after everything healed.",
                CheckId::ErrorSurfaced => "An error reached an application.",
                CheckId::ConnectionStorm => "A client or a node opened connections too fast.",
                CheckId::StaleRedirect => "A redirect led to a node that was not a primary.",
                CheckId::ThunderingHerd => "Too many requests reached one node at once.",
                CheckId::EarlyUnblock => {
                    "A blocked command was unblocked with an error before there was a new primary."
                }
                CheckId::StaleRead => "A read returned an already overwritten value.",
                CheckId::Linearizability => "The history of a key is not linearizable.",
                CheckId::BudgetExceeded => "A run was stopped before its end.",
            },
            Rule::Regression => "A regression seed does not give its recorded result.",
            Rule::Drift => "A regression seed gives the same result with a different trace.",
            Rule::Expectation => "A scenario does not meet its expectation.",
            Rule::Inconclusive => "The command was stopped before the result was known.",
            Rule::File => "A scenario or an entry of the regression file cannot be used.",
            Rule::Command => "The command did not finish.",
        }
    }

    /// The page about it, from the repository's root.
    fn page(self) -> String {
        match self {
            Rule::Check(check) => format!("docs/checks/{}.md", check.name()),
            Rule::Regression | Rule::Drift => "docs/cli.md#check".to_owned(),
            Rule::Expectation => "docs/scenarios.md#expectations".to_owned(),
            Rule::File => "docs/scenarios.md".to_owned(),
            Rule::Inconclusive | Rule::Command => "docs/cli.md#exit-codes".to_owned(),
        }
    }

    /// The address of the page about it.
    pub fn help(self) -> String {
        format!("{REPOSITORY}/blob/main/{}", self.page())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_documentation_has_every_rule_of_its_own() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
        let page = std::fs::read_to_string(path).expect("a page");
        for rule in Rule::all() {
            let level = match rule.level() {
                Level::Error => "error",
                Level::Warning => "warning",
            };
            let row = format!("| `{}` | {level} |", rule.id());
            match rule {
                Rule::Check(_) => {}
                Rule::Regression
                | Rule::Drift
                | Rule::Expectation
                | Rule::Inconclusive
                | Rule::File
                | Rule::Command => assert!(page.contains(&row), "{row}"),
            }
        }
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_page_that_exists() {
        let mut ids: Vec<_> = Rule::all().map(Rule::id).collect();
        ids.sort_unstable();
        let many = ids.len();
        ids.dedup();
        assert_eq!((ids.len(), many), (19, 19));
        for rule in Rule::all() {
            let page = rule.page();
            let (file, anchor) = page.split_once('#').unwrap_or((&page, ""));
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = std::fs::read_to_string(&path).expect("a page");
            let heading = format!("## {}", anchor.replace('-', " "));
            assert!(
                anchor.is_empty() || text.to_lowercase().contains(&heading),
                "{page}"
            );
        }
    }
}
