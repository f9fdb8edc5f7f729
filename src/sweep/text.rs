//! A sweep's report for people.

use rebound_sim::engine::Span;
use rebound_sim::report::{SeedList, SweepReport, Verdict, replay_command};
use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::arguments::Seeds;
use crate::figures::{count, counts, grouped, histogram, rate, row, verdict};
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
    let done = report.seeds.done;
    let judged = if report.verdicts.flagged > 0 {
        Verdict::Flagged
    } else if report.verdicts.inconclusive > 0 || done < seeds.count() {
        Verdict::Inconclusive
    } else {
        Verdict::Clean
    };
    let mut text = format!(
        "{} under {}, seeds {seeds}: {}\n",
        report.scenario,
        report.behaviour,
        verdict(out, judged)
    );
    if !out.quiet() {
        text.push_str(&summary(out, report, seeds));
        text.push_str(&findings(report));
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

fn summary(out: &Output, report: &SweepReport, seeds: &Seeds) -> String {
    let done = report.seeds.done;
    let mut seeds_done = format!("{} of {} done", grouped(done), grouped(seeds.count()));
    if done < seeds.count() {
        seeds_done = out.paint(Style::Doubtful, &format!("{seeds_done}: stopped early"));
    }
    let verdicts = format!(
        "{} clean, {} flagged ({}), {} inconclusive",
        grouped(report.verdicts.clean),
        grouped(report.verdicts.flagged),
        share(report.verdicts.flagged, done),
        grouped(report.verdicts.inconclusive)
    );
    let clients = format!(
        "{} of {} flagged",
        grouped(report.clients.flagged),
        grouped(report.clients.total)
    );
    let commands = format!(
        "{} issued, {} served, {} failed, {} unfinished",
        grouped(report.commands.issued),
        grouped(report.commands.served),
        grouped(report.commands.failed),
        grouped(report.commands.unfinished)
    );
    let hops = format!(
        "{}, the longest chain {}; {}, at most {} for one command",
        count(report.hops.total, "hop"),
        grouped(report.hops.max_chain),
        count(report.bounces.total, "bounce"),
        grouped(report.bounces.max)
    );
    let speed = format!(
        "{} seeds/s, {} events/s, {} in {}",
        rate(report.seeds_per_s),
        rate(report.events_per_s),
        count(report.events, "event"),
        Span(report.wall_ns)
    );
    [
        row("seeds", &seeds_done),
        row("verdicts", &verdicts),
        row("clients", &clients),
        row("commands", &commands),
        row("redirects", &hops),
        row("per command", &histogram(&report.hops)),
        row("errors", &counts(&report.errors)),
        row("speed", &speed),
        row("scenario", &report.scenario_hash),
        row("digest", &report.digest),
    ]
    .concat()
}

fn findings(report: &SweepReport) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        text.push_str(&format!(
            "\n  {:<18}{:>10}{:>12}  first seed\n",
            "check", "seeds", "findings"
        ));
    }
    for (check, findings) in &report.findings {
        text.push_str(&format!(
            "  {check:<18}{:>10}{:>12}  {}\n",
            grouped(report.finding_seeds.get(check).copied().unwrap_or(0)),
            grouped(*findings),
            report.finding_first.get(check).map_or("", String::as_str)
        ));
    }
    text.push_str(&list("flagged", &report.flagged_seeds));
    text.push_str(&list("inconclusive", &report.inconclusive_seeds));
    if report.hops.max_chain > 1 {
        let worst: Vec<_> = report
            .worst_seeds
            .iter()
            .map(|worst| format!("{} ({})", worst.seed, worst.max_chain))
            .collect();
        text.push_str(&format!("longest chains at seeds: {}\n", worst.join(", ")));
    }
    text
}

fn list(what: &str, seeds: &SeedList) -> String {
    if seeds.count == 0 {
        return String::new();
    }
    let more = seeds.count - seeds.first.len() as u64;
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {} more", grouped(more))
    };
    format!("\n{what} seeds: {}{more}\n", seeds.first.join(", "))
}

/// The seed with the longest chain if that is flagged, else the lowest flagged seed.
fn story_worth(report: &SweepReport) -> Option<u64> {
    let first = report.flagged_seeds.first.first()?;
    let worst = report.worst_seeds.first();
    let worst = worst.filter(|worst| {
        report.flagged_seeds.count == report.seeds.done
            || report.flagged_seeds.first.contains(&worst.seed)
    });
    worst.map_or(first, |worst| &worst.seed).parse().ok()
}

/// `12.3%`; a share that is not nought is never printed as such.
fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0%".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if percent < 0.01 {
        "<0.01%".to_owned()
    } else if percent < 1.0 {
        format!("{percent:.2}%")
    } else {
        format!("{percent:.1}%")
    }
}
