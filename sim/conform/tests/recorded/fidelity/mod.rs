//! `docs/fidelity.md`: what confirms each rule of the model, and what its simplifications can hide.
//! Written from the tables of `docs/model.md`, from `confirmed.json` and from what the recordings
//! have just shown, so that it cannot say more than is true.

mod confirmed;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use rebound_conform::Agreement;

use confirmed::{Confirmed, Known};
use rules::Rule;

const HEAD: &str = include_str!("head.md");

/// Writes the page.
fn page(
    rules: &[Rule],
    confirmed: &BTreeMap<String, Confirmed>,
    known: &Known,
    agreements: &[Agreement],
) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("## Recordings\n");
    recordings(agreements, &mut page);
    page.push_str("\n## Live servers\n");
    let live: Vec<_> = known.live.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(
        page,
        "These {} scenarios can be driven on real servers (`rebound conform --server PATH`, \
         [how](conform.md)): {}.",
        live.len(),
        live.join(", ")
    );
    page.push_str("\n## Cases\n");
    cases(&known.tests, &mut page);
    page.push_str("\n## Rules\n");
    let only = rules.iter().filter(|rule| {
        let by = &confirmed[&rule.rule];
        by.tests.is_empty() && by.recordings.is_empty() && by.live.is_empty()
    });
    let _ = writeln!(
        page,
        "{} rules; {} of them rest on the source alone, and say why.",
        rules.len(),
        only.count()
    );
    let mut section = "";
    for rule in rules {
        if rule.section != section {
            section = &rule.section;
            let _ = write!(
                page,
                "\n### {section}\n| rule | source | confirmed by | simplification, and what it can hide |\n|---|---|---|---|\n"
            );
        }
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            rule.rule,
            rule.source,
            confirmations(&confirmed[&rule.rule]),
            rule.simplification
        );
    }
    page
}

/// What confirms a rule, in words.
fn confirmations(by: &Confirmed) -> String {
    let mut told = Vec::new();
    let mut group = |what: &str, names: &[String]| {
        if !names.is_empty() {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            told.push(format!("{what} {}", names.join(", ")));
        }
    };
    group("recordings", &by.recordings);
    group("live", &by.live);
    group("tests", &by.tests);
    if let Some(why) = &by.source_only {
        told.push(format!("the source alone: {why}"));
    }
    told.join("; ")
}

/// Which recordings of which versions agree: scripts down, versions across.
fn recordings(agreements: &[Agreement], page: &mut String) {
    let labels: BTreeSet<&str> = agreements.iter().map(|a| &*a.label).collect();
    let mut scripts: BTreeMap<String, BTreeMap<&str, (u32, u32)>> = BTreeMap::new();
    let mut compared = 0;
    for agreement in agreements {
        let script = format!("{}-{}", agreement.scenario, agreement.variant);
        let cell = scripts.entry(script).or_default();
        let (agree, runs) = cell.entry(&agreement.label).or_default();
        *agree += u32::from(agreement.agrees());
        *runs += 1;
        compared += u64::from(agreement.compared());
    }
    let agree = agreements.iter().filter(|a| a.agrees()).count();
    let _ = writeln!(
        page,
        "{agree} of {} recordings agree with the model in everything that is compared, {compared} \
         single facts. A cell says how many runs of a script agree, of how many.\n",
        agreements.len()
    );
    let heads: Vec<_> = labels.iter().map(|label| format!(" {label} |")).collect();
    let _ = writeln!(page, "| script |{}", heads.concat());
    let _ = writeln!(page, "|---|{}", "---|".repeat(labels.len()));
    for (script, by_label) in &scripts {
        let cell = |label| match by_label.get(label) {
            Some((agree, runs)) => format!(" {agree} of {runs} |"),
            None => " |".to_owned(),
        };
        let cells: Vec<_> = labels.iter().map(|label| cell(*label)).collect();
        let _ = writeln!(page, "| `{script}` |{}", cells.concat());
    }
}

/// The observed cases, and the tests that hold them.
fn cases(tests: &BTreeSet<String>, page: &mut String) {
    let mut by_case: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for test in tests {
        for case in cases_of(test) {
            by_case.entry(case).or_default().push(test);
        }
    }
    let _ = writeln!(
        page,
        "Cases that were observed on real servers one by one (C) and what surprised in the \
         recordings (S), each a test of the model in `sim/conform/tests/conformance`.\n\n| case | test |\n|---|---|"
    );
    for (case, tests) in by_case {
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(page, "| {case} | {} |", tests.join(", "));
    }
}

/// The cases that a test's name begins with: `c03_c05_…` are C03 and C05, `surprise_07_…` is S07.
fn cases_of(test: &str) -> Vec<String> {
    if let Some(rest) = test.strip_prefix("surprise_") {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return (!number.is_empty())
            .then(|| format!("S{number}"))
            .into_iter()
            .collect();
    }
    let number = |word: &str| {
        let digits = word.strip_prefix('c')?;
        let is_case = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        is_case.then(|| format!("C{digits}"))
    };
    test.split('_').map_while(number).collect()
}

/// Holds `docs/fidelity.md` against what it would be; `REBOUND_BLESS=1` writes it.
pub fn hold(agreements: &[Agreement]) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let model = package.join("../../docs/model.md");
    let model = std::fs::read_to_string(model).expect("docs/model.md");
    let rules = rules::of(&model);
    let confirmed = confirmed::read(include_str!("confirmed.json"));
    let known = Known::found(package);
    let mistakes = confirmed::mistakes(&rules, &confirmed, &known);
    assert!(
        mistakes.is_empty(),
        "confirmed.json:\n{}",
        mistakes.join("\n")
    );
    let page = page(&rules, &confirmed, &known, agreements);
    let path = package.join("../../docs/fidelity.md");
    if std::env::var_os("REBOUND_BLESS").is_some() {
        std::fs::write(&path, &page).expect("docs/fidelity.md can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).position(|(a, b)| a != b);
    assert!(
        written == page,
        "docs/fidelity.md is not what it would be from here on (line {}): REBOUND_BLESS=1 cargo test -p rebound-conform --test recorded writes it",
        differs.map_or(0, |line| line + 1)
    );
}

#[test]
fn the_names_of_tests_say_which_cases_they_are() {
    assert_eq!(cases_of("c03_c05_writes_wait"), ["C03", "C05"]);
    assert_eq!(cases_of("surprise_07_exec"), ["S07"]);
    assert_eq!(cases_of("capa_exists"), Vec::<String>::new());
}
