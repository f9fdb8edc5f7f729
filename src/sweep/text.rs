//! A sweep's report for people.

use rebound_batch::Seeds;
use rebound_engine::Duration;
use rebound_sim::results::{ChainLengths, SeedList, SweepReport, Verdict};
use rebound_sim::scenario::{Plan, replay_command};
use rebound_sim::valkey::Behaviour;

use crate::figures::{
    commands, count, counts, flagged_clients, grouped, histogram, long_row, rate, redirects, row,
    share, verdict, writes,
};
use crate::output::{Output, Style};

/// The whole report; the last line of a flagged one is the command that tells the story of its
/// worst seed.
pub fn text(
    out: &Output,
    report: &SweepReport,
    seeds: &Seeds,
    plan: &Plan,
    behaviour: &Behaviour,
) -> String {
    let mut text = format!(
        "{} under {}, seeds {seeds}: {}\n",
        report.scenario,
        report.behaviour,
        verdict(out, judged(report, seeds))
    );
    if !out.quiet() {
        text.push_str(&summary(out, report, seeds));
        text.push_str(&findings(report));
        text.push_str(&longest_chains(report));
    }
    if let Some(seed) = story_worth(report) {
        if !out.quiet() {
            text.push('\n');
        }
        text.push_str(&replay_command(plan, behaviour, seed));
        text.push('\n');
    }
    text
}

/// What the sweep comes to.
pub fn judged(report: &SweepReport, seeds: &Seeds) -> Verdict {
    if report.verdicts.flagged > 0 {
        Verdict::Flagged
    } else if report.verdicts.inconclusive > 0 || report.seeds.done < seeds.count() {
        Verdict::Inconclusive
    } else {
        Verdict::Clean
    }
}

fn summary(out: &Output, report: &SweepReport, seeds: &Seeds) -> String {
    let done = report.seeds.done;
    let mut seeds_done = seeds_done(report, seeds);
    if done < seeds.count() {
        seeds_done = out.paint(Style::Doubtful, &seeds_done);
    }
    let speed = format!(
        "{} seeds/s, {} events/s, {} in {}",
        rate(report.seeds_per_s),
        rate(report.events_per_s),
        count(report.events, "event"),
        Duration(report.wall_ns)
    );
    [
        row("seeds", &seeds_done),
        long_row("verdicts", &verdicts(report)),
        row("clients", &flagged_clients(&report.clients)),
        long_row("commands", &commands(&report.commands)),
        row("writes", &writes(&report.writes)),
        long_row("redirects", &redirects(&report.hops, &report.bounces)),
        row("per command", &histogram(&report.hops)),
        long_row("errors", &counts(&report.errors)),
        long_row("speed", &speed),
        row("scenario", &report.scenario_hash),
        row("digest", &report.digest),
    ]
    .concat()
}

/// How many seeds were run, and whether that is all.
pub fn seeds_done(report: &SweepReport, seeds: &Seeds) -> String {
    let done = report.seeds.done;
    let early = if done < seeds.count() {
        ": stopped early"
    } else {
        ""
    };
    format!(
        "{} of {} done{early}",
        grouped(done),
        grouped(seeds.count())
    )
}

/// How many runs had which verdict.
pub fn verdicts(report: &SweepReport) -> String {
    format!(
        "{} clean, {} flagged ({}), {} inconclusive",
        grouped(report.verdicts.clean),
        grouped(report.verdicts.flagged),
        share(report.verdicts.flagged, report.seeds.done),
        grouped(report.verdicts.inconclusive)
    )
}

/// The seeds with the longest chains; nothing if no command was redirected twice.
pub fn worst(report: &SweepReport) -> Option<String> {
    if report.hops.max_chain <= 1 {
        return None;
    }
    let worst = report.worst_seeds.iter();
    let worst = worst.map(|worst| format!("{} ({})", worst.seed, worst.max_chain));
    let worst = worst.collect::<Vec<_>>().join(", ");
    Some(format!("{worst}: seed (longest chain)"))
}

fn findings(report: &SweepReport) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        text.push_str(&format!(
            "\n  {:<18}{:>10}{:>8}{:>12}  first seed\n",
            "check", "seeds", "", "findings"
        ));
    }
    for (check, findings) in &report.findings {
        let seeds = report.finding_seeds.get(check).copied().unwrap_or(0);
        text.push_str(&format!(
            "  {check:<18}{:>10}{:>8}{:>12}  {}\n",
            grouped(seeds),
            share(seeds, report.seeds.done),
            grouped(*findings),
            report.finding_first.get(check).map_or("", String::as_str)
        ));
    }
    let mut lists = list("flagged", &report.flagged_seeds);
    lists.push_str(&list("inconclusive", &report.inconclusive_seeds));
    if let Some(worst) = worst(report) {
        lists.push_str(&long_row("worst", &worst));
    }
    if !lists.is_empty() {
        text.push('\n');
        text.push_str(&lists);
    }
    text
}

/// Columns that the histogram keeps to, whatever the terminal has.
const HISTOGRAM: usize = 80;

/// Runs by their longest chain: how bad it was, and how often.
fn longest_chains(report: &SweepReport) -> String {
    let label = |lengths: &ChainLengths| match (lengths.from, lengths.to) {
        (0, _) => "none".to_owned(),
        (from, to) if from == to => grouped(from),
        (from, to) => format!("{} to {}", grouped(from), grouped(to)),
    };
    let chains = report.longest_chains.iter();
    let rows: Vec<_> = chains
        .map(|lengths| {
            let part = share(lengths.seeds, report.seeds.done);
            let seeds = lengths.seeds;
            (label(lengths), grouped(seeds), part, seeds)
        })
        .collect();
    let Some(most) = rows.iter().map(|row| row.3).max() else {
        return String::new();
    };
    let labels = rows.iter().map(|row| row.0.len());
    let left = labels.max().unwrap_or(0).max("redirects".len());
    let counts = rows.iter().map(|row| row.1.len());
    let middle = counts.max().unwrap_or(0).max("seeds".len());
    let room = HISTOGRAM.saturating_sub(left + middle + 14).max(1);
    let mut text = format!(
        "\n  the longest chain of each seed\n  {:>left$}  {:>middle$}\n",
        "redirects", "seeds"
    );
    for (label, seeds, part, number) in &rows {
        // However few there are, there is something to see.
        let length = u128::from(*number) * room as u128 / u128::from(most.max(1));
        let bar = "█".repeat((length as usize).max(1));
        text.push_str(&format!(
            "  {label:>left$}  {seeds:>middle$}  {part:>6}  {bar}\n"
        ));
    }
    text
}

fn list(what: &str, seeds: &SeedList) -> String {
    if seeds.count == 0 {
        return String::new();
    }
    let first = seeds.first.join(", ");
    let more = seeds.count - seeds.first.len() as u64;
    if more == 0 {
        long_row(what, &format!("seeds {first}"))
    } else {
        long_row(what, &format!("seeds {first} and {} more", grouped(more)))
    }
}

/// The seed with the longest chain if that is flagged, else the lowest flagged seed.
pub fn story_worth(report: &SweepReport) -> Option<u64> {
    let first = report.flagged_seeds.first.first()?;
    let worst = report.worst_seeds.first();
    let worst = worst.filter(|worst| {
        report.flagged_seeds.count == report.seeds.done
            || report.flagged_seeds.first.contains(&worst.seed)
    });
    worst.map_or(first, |worst| &worst.seed).parse().ok()
}
