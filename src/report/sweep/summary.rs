//! A sweep in words and tables: verdicts, figures, findings by check, the worst seeds.

use rebound_engine::Duration;
use rebound_sim::results::{SeedList, SweepReport};

use crate::figures::{commands, counts, flagged_clients, grouped, rate, redirects, share, writes};
use crate::html::{self, Cell, Table, command, escaped};
use crate::report::replay;

/// The window's title.
pub fn title(report: &SweepReport) -> String {
    format!(
        "{} under {}, seeds {}..{}",
        report.scenario, report.behaviour, report.seeds.from, report.seeds.to
    )
}

/// What was swept and how it went.
pub fn heading(report: &SweepReport) -> String {
    let verdicts = &report.verdicts;
    let (class, word) = if verdicts.total() == 0 {
        ("inconclusive", "nothing ran")
    } else if verdicts.flagged > 0 {
        ("flagged", "flagged")
    } else if verdicts.inconclusive > 0 || report.seeds.done < asked(report) {
        ("inconclusive", "inconclusive")
    } else {
        ("clean", "clean")
    };
    let below = format!(
        "Sweep: <span class=\"verdict {class}\">{word}</span>, {} of {} seeds done.",
        grouped(report.seeds.done),
        grouped(asked(report))
    );
    html::heading(&title(report), &below)
}

/// Seeds that were to be run.
fn asked(report: &SweepReport) -> u64 {
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    number(&report.seeds.to).saturating_sub(number(&report.seeds.from))
}

/// The sums over all runs.
pub fn facts(report: &SweepReport) -> String {
    let speed = format!(
        "{} seeds/s, {} events/s, {} events in {}",
        rate(report.seeds_per_s),
        rate(report.events_per_s),
        grouped(report.events),
        Duration(report.wall_ns)
    );
    let text = |text: String| escaped(&text);
    html::facts(&[
        ("clients", text(flagged_clients(&report.clients))),
        ("commands", text(commands(&report.commands))),
        ("writes", text(writes(&report.writes))),
        ("redirects", text(redirects(&report.hops, &report.bounces))),
        ("errors", text(counts(&report.errors))),
        (
            "connections",
            format!("{} opened", grouped(report.connections_opened)),
        ),
        ("throughput", text(speed)),
        (
            "scenario",
            format!("<code>{}</code>", escaped(&report.scenario_hash)),
        ),
        ("model", text(report.model.clone())),
        (
            "digest",
            format!("<code>{}</code>", escaped(&report.digest)),
        ),
    ])
}

/// Findings by check, those in most runs first.
pub fn findings(report: &SweepReport) -> String {
    let mut checks: Vec<(&String, u64)> = report
        .findings
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(check, _)| {
            let seeds = report.finding_seeds.get(check).copied();
            (check, seeds.unwrap_or(0))
        })
        .collect();
    checks.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let section = String::from("<section>\n<h2>Findings by check</h2>\n");
    if checks.is_empty() {
        return section + "<p>No check found anything.</p>\n</section>\n";
    }
    let mut table = Table::new("Findings of each check in all runs")
        .text("Check")
        .number("Runs with one")
        .number("Share")
        .number("Findings")
        .number("First seed")
        .text("Its story")
        .sortable();
    let runs = report.verdicts.total();
    for (check, seeds) in checks {
        let found = report.findings.get(check).copied().unwrap_or(0);
        let first = report.finding_first.get(check).map_or("", String::as_str);
        let story = if first.is_empty() {
            String::new()
        } else {
            command(&told(report, first))
        };
        table.row(vec![
            Cell::text(check),
            Cell::number(&grouped(seeds), seeds as f64),
            Cell::number(&share(seeds, runs), seeds as f64).bar(part(seeds, runs)),
            Cell::number(&grouped(found), found as f64),
            seed_cell(first),
            Cell::html(story),
        ]);
    }
    section + &table.render() + "</section>\n"
}

/// The seeds with the longest chains, and the lowest flagged and inconclusive ones.
pub fn worst(report: &SweepReport) -> String {
    let mut section = String::from("<section>\n<h2>Seeds worth a look</h2>\n");
    if report.worst_seeds.is_empty() {
        section.push_str("<p>No command was redirected in any run.</p>\n");
    } else {
        let mut table = Table::new("The seeds with the longest chains of redirects")
            .number("Seed")
            .number("Longest chain")
            .text("Its story")
            .sortable();
        let most = report.worst_seeds.iter().map(|seed| seed.max_chain).max();
        for seed in &report.worst_seeds {
            table.row(vec![
                seed_cell(&seed.seed),
                Cell::number(&grouped(seed.max_chain), seed.max_chain as f64)
                    .bar(part(seed.max_chain, most.unwrap_or(0))),
                Cell::html(command(&told(report, &seed.seed))),
            ]);
        }
        section.push_str(&table.render());
    }
    section.push_str(&lowest("flagged", &report.flagged_seeds));
    section.push_str(&lowest("inconclusive", &report.inconclusive_seeds));
    section + "</section>\n"
}

fn lowest(what: &str, seeds: &SeedList) -> String {
    if seeds.count == 0 {
        return format!("<p>No run was {what}.</p>\n");
    }
    let left = seeds.count.saturating_sub(seeds.first.len() as u64);
    let more = if left > 0 {
        format!(" and {} more", grouped(left))
    } else {
        String::new()
    };
    format!(
        "<p>Seeds of {what} runs, the lowest first: {}{more}.</p>\n",
        escaped(&seeds.first.join(", "))
    )
}

fn told(report: &SweepReport, seed: &str) -> String {
    replay::line(
        &report.scenario_path,
        &report.scenario,
        seed,
        &report.behaviour,
    )
}

/// Seeds are longer than what a number in a script can hold; for an order that is near enough.
fn seed_cell(seed: &str) -> Cell {
    Cell::number(seed, seed.parse::<u64>().unwrap_or(0) as f64)
}

fn part(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}
