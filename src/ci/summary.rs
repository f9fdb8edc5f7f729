//! A summary in Markdown, for the page of a build.

use super::checked::{Case, Checked, Ending, Subject};
use super::markdown::{block, table, words};
use crate::figures::{count, grouped};

/// The most cases that are listed one by one.
const TOLD: usize = 50;

/// Bytes of a step's summary that GitHub takes are 1 MiB, with other summaries of the same step.
const LIMIT: usize = 1_000_000;

/// The summary of what was checked.
pub fn of(checked: &Checked) -> String {
    let mut text = format!("## {}: {}\n", checked.command, words(&checked.heading));
    if !checked.figures.is_empty() {
        let rows: Vec<_> = (checked.figures.iter())
            .map(|(name, value)| vec![(*name).to_owned(), words(value)])
            .collect();
        text.push_str(&format!("\n{}", table(&["", ""], &rows)));
    }
    text.push_str(&problems(checked));
    text.push_str(&totals(checked));
    text.push('\n');
    text
}

/// The problems.
fn problems(checked: &Checked) -> String {
    let cases: Vec<&Case> = checked.problems().map(|(_, case)| case).collect();
    let told = &cases[..cases.len().min(TOLD)];
    if told.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = told.iter().map(|case| row(case)).collect();
    let head = ["", "what", "where", "expected", "found"];
    let mut text = format!("\n{}", table(&head, &rows));
    if cases.len() > TOLD {
        let more = grouped((cases.len() - TOLD) as u64);
        text.push_str(&format!("\n… and {more} more problems.\n"));
    }
    let mut replays: Vec<String> = Vec::new();
    for shown in told.iter().filter_map(|case| case.shown_by.as_ref()) {
        if !replays.contains(&shown.replay) {
            replays.push(shown.replay.clone());
        }
    }
    if !replays.is_empty() {
        text.push_str(&format!(
            "\nCommands that show the story:\n\n{}",
            block(&replays)
        ));
    }
    text
}

fn row(case: &Case) -> Vec<String> {
    let mut found = words(&case.found);
    for (name, value) in &case.details {
        found.push_str(&format!("<br>{name}: {}", words(value)));
    }
    let seeds = case.seeds.as_deref().unwrap_or_default();
    let what = match (case.subject, seeds) {
        (Subject::Regression(_), _) | (_, "") => case.name(),
        (
            Subject::Expectation
            | Subject::Check(_)
            | Subject::Verdict
            | Subject::File
            | Subject::Command,
            seeds,
        ) => format!("{}, {seeds}", case.name()),
    };
    vec![
        format!("**{}**", case.ending.name()),
        words(&what),
        words(&case.place.shown()),
        words(&case.expected),
        found,
    ]
}

/// How many cases of each scenario ended how, folded away.
fn totals(checked: &Checked) -> String {
    let mut scenarios: Vec<(&str, [u64; 5])> = Vec::new();
    for case in &checked.cases {
        let place = scenarios
            .iter()
            .position(|(name, _)| *name == case.scenario);
        let place = place.unwrap_or_else(|| {
            scenarios.push((&case.scenario, [0; 5]));
            scenarios.len() - 1
        });
        scenarios[place].1[column(case.ending)] += 1;
    }
    if scenarios.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = scenarios
        .iter()
        .map(|(name, counts)| {
            let counts = counts.iter().map(|n| grouped(*n));
            [words(name)].into_iter().chain(counts).collect()
        })
        .collect();
    let names = ENDINGS.map(Ending::name);
    let head: Vec<_> = ["scenario"].into_iter().chain(names).collect();
    format!(
        "\n<details><summary>{} of {}</summary>\n\n{}\n</details>\n",
        count(checked.cases.len() as u64, "case"),
        count(scenarios.len() as u64, "scenario"),
        table(&head, &rows)
    )
}

/// The columns of the totals.
const ENDINGS: [Ending; 5] = [
    Ending::Passed,
    Ending::Drifted,
    Ending::Failed,
    Ending::Inconclusive,
    Ending::Broken,
];

/// The place of an ending in [`ENDINGS`].
const fn column(ending: Ending) -> usize {
    match ending {
        Ending::Passed => 0,
        Ending::Drifted => 1,
        Ending::Failed => 2,
        Ending::Inconclusive => 3,
        Ending::Broken => 4,
    }
}

/// `text`, cut after a line if a step's summary could not hold it.
pub fn within_limit(text: String) -> String {
    if text.len() <= LIMIT {
        return text;
    }
    let mut end = LIMIT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(end, |place| place + 1);
    format!("{}\n… cut: a summary has room for 1 MB.\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_that_is_too_long_is_cut_after_a_line() {
        let line = "ä|\n";
        let text = within_limit(line.repeat(LIMIT / 2));
        assert!(text.len() <= LIMIT + 50);
        assert!(text.ends_with("ä|\n\n… cut: a summary has room for 1 MB.\n"));
        assert_eq!(within_limit(line.to_owned()), line);
    }
}
