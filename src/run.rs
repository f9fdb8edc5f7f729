//! `rebound run`: one run, what it found, and the command that tells its story.

use std::path::{Path, PathBuf};

use clap::Args;
use rebound_sim::engine::{Schedule, Span};
use rebound_sim::report::{Finding, RunReport, Verdict, shell_word};
use rebound_sim::trace::NoTrace;
use rebound_sim::world::Runner;

use crate::arguments::load;
use crate::exit::{Exit, Failure};
use crate::figures::{chain, count, counts, grouped, histogram, instant, row, verdict};
use crate::files;
use crate::output::{Output, Style};
use crate::verify::Case;

/// Arguments of `rebound run`.
#[derive(Args)]
pub struct Arguments {
    /// The scenario file
    scenario: PathBuf,
    /// Fixes every random choice of the run
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Whose rules the nodes follow, instead of the scenario's own choice
    #[arg(long, value_name = "NAME", alias = "behavior")]
    behaviour: Option<String>,
    /// Run twice and compare even if nothing was found
    #[arg(long)]
    verify: bool,
    /// Write what chance decided to a file
    #[arg(long, value_name = "FILE", conflicts_with = "schedule")]
    record: Option<PathBuf>,
    /// Let a file that was written by --record decide instead of chance
    #[arg(long, value_name = "FILE")]
    schedule: Option<PathBuf>,
}

/// Runs the scenario once.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let (plan, behaviour) = load(&arguments.scenario, arguments.behaviour.as_deref())?;
    let case = Case {
        plan,
        behaviour,
        seed: arguments.seed,
        schedule: arguments
            .schedule
            .as_deref()
            .map(read_schedule)
            .transpose()?,
    };
    let report = match &arguments.record {
        Some(path) => {
            files::probe(path)?;
            let mut runner = Runner::new(case.plan.clone(), case.behaviour);
            let (report, schedule) = runner.record(case.seed, &mut NoTrace);
            files::write_json(path, &schedule)?;
            report
        }
        None => case.run(&mut NoTrace),
    };
    if arguments.verify || report.verdict == Verdict::Flagged {
        case.reproduce(&report)?;
    }
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let replay = replay_line(&case, arguments.schedule.as_deref());
        let text = text(out, &report, &replay, arguments.verify);
        out.text(&text)?;
    }
    Ok(match report.verdict {
        Verdict::Clean => Exit::Clean,
        Verdict::Flagged => Exit::Flagged,
        Verdict::Inconclusive => Exit::Inconclusive,
    })
}

/// Reads the answers of a schedule.
pub fn read_schedule(path: &Path) -> Result<Schedule, Failure> {
    files::read_json(path, "a schedule")
}

fn replay_line(case: &Case, schedule: Option<&Path>) -> String {
    let schedule = schedule.map_or(String::new(), |path| {
        format!(" --schedule {}", shell_word(&path.to_string_lossy()))
    });
    format!("{}{schedule}", case.replay())
}

fn text(out: &Output, report: &RunReport, replay: &str, verified: bool) -> String {
    let mut text = format!(
        "{} under {}, seed {}: {}\n",
        report.scenario,
        report.behaviour,
        report.seed,
        verdict(out, report.verdict)
    );
    if !out.quiet() {
        text.push_str(&summary(report, verified));
        text.push_str(&findings(out, &report.findings, report));
    }
    if report.verdict == Verdict::Flagged {
        if !out.quiet() {
            text.push('\n');
        }
        text.push_str(replay);
        text.push('\n');
    }
    text
}

fn summary(report: &RunReport, verified: bool) -> String {
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
    let trace = if verified || report.verdict == Verdict::Flagged {
        format!("{} (reproduced)", report.trace_hash)
    } else {
        report.trace_hash.clone()
    };
    let events = format!(
        "{} in {} of virtual time",
        grouped(report.events),
        Span(report.virtual_ns)
    );
    [
        row("events", &events),
        row("clients", &clients),
        row("commands", &commands),
        row("redirects", &hops),
        row("per command", &histogram(&report.hops)),
        row("errors", &counts(&report.errors)),
        row(
            "connections",
            &format!("{} opened", grouped(report.connections_opened)),
        ),
        row("scenario", &report.scenario_hash),
        row("trace", &trace),
    ]
    .concat()
}

/// Findings of one check that are printed; JSON has more of them.
const PRINTED_PER_CHECK: usize = 3;

fn findings(out: &Output, findings: &[Finding], report: &RunReport) -> String {
    let mut text = String::new();
    let mut left_out = report.findings_total.clone();
    for (place, finding) in findings.iter().enumerate() {
        let same = |other: &&Finding| other.check == finding.check;
        if findings[..place].iter().filter(same).count() >= PRINTED_PER_CHECK {
            continue;
        }
        if let Some(left) = left_out.get_mut(finding.check.name()) {
            *left = left.saturating_sub(1);
        }
        text.push_str(&told(out, finding));
    }
    left_out.retain(|_, left| *left > 0);
    if !left_out.is_empty() {
        text.push_str(&format!("\nand more findings: {}\n", counts(&left_out)));
    }
    text
}

fn told(out: &Output, finding: &Finding) -> String {
    let who = [finding.client.as_deref(), finding.command.as_deref()];
    let who: String = who
        .into_iter()
        .flatten()
        .map(|part| format!(", {part}"))
        .collect();
    let mut text = format!(
        "\n{} at {}{who}\n  {}\n",
        out.paint(Style::Bold, finding.check.name()),
        instant(finding.at_ns),
        finding.why
    );
    text.push_str(&chain(out, &finding.chain));
    text
}
