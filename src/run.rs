//! `rebound run`: one run, what it found, and the command that tells its story.

use std::path::{Path, PathBuf};

use clap::Args;
use rebound_batch::verify::Case;
use rebound_engine::Duration;
use rebound_sim::results::{CheckId, Finding, RunReport, Verdict};
use rebound_sim::scenario::shell_word;
use rebound_sim::trace::NoTrace;

use crate::arguments::OneRun;
use crate::exit::{Exit, Failure};
use crate::figures::{
    chain, commands, counts, flagged_clients, grouped, histogram, instant, long_row, redirects,
    row, verdict, wrapped, writes,
};
use crate::output::{Output, Style};
use rebound_batch::files;

/// Arguments of `rebound run`.
#[derive(Args)]
pub struct Arguments {
    /// Determines every random choice of the run
    #[arg(
        long,
        allow_negative_numbers = true,
        value_name = "N",
        default_value_t = OneRun::SEED
    )]
    seed: u64,
    /// The run.
    #[command(flatten)]
    run: OneRun,
    /// Run twice and compare even if nothing was found
    #[arg(long)]
    verify: bool,
    /// Write the run's random choices to a file
    #[arg(long, value_name = "FILE", conflicts_with = "schedule")]
    record: Option<PathBuf>,
}

/// Runs the scenario once.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let case = arguments.run.case(arguments.seed)?;
    let report = match &arguments.record {
        Some(path) => {
            files::probe(path)?;
            let (report, schedule) = case.record(&mut NoTrace)?;
            files::write_json(path, &schedule)?;
            report
        }
        None => case.run(&mut NoTrace)?,
    };
    if arguments.verify || report.verdict == Verdict::Flagged {
        case.reproduce(&report)?;
    }
    if out.json_wanted() {
        out.json(&report)?;
    } else {
        let replay = replay_line(&case, arguments.run.schedule.as_deref());
        let text = text(out, &report, &replay, arguments.verify);
        out.text(&text)?;
    }
    Ok(report.verdict.into())
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
    let trace = if verified || report.verdict == Verdict::Flagged {
        format!("{} (reproduced)", report.trace_hash)
    } else {
        report.trace_hash.clone()
    };
    let events = format!(
        "{} in {} of virtual time",
        grouped(report.events),
        Duration(report.virtual_ns)
    );
    [
        row("events", &events),
        row("clients", &flagged_clients(&report.clients)),
        long_row("commands", &commands(&report.commands)),
        row("writes", &writes(&report.writes)),
        long_row("redirects", &redirects(&report.hops, &report.bounces)),
        row("per command", &histogram(&report.hops)),
        long_row("errors", &counts(&report.errors)),
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
const PRINTED_PER_CHECK: usize = 2;

/// The findings by check, in the order in which the checks had their first.
fn findings(out: &Output, findings: &[Finding], report: &RunReport) -> String {
    let mut text = String::new();
    let mut told: Vec<CheckId> = Vec::new();
    for first in findings {
        let check = first.check;
        if told.contains(&check) {
            continue;
        }
        told.push(check);
        let alike: Vec<_> = findings.iter().filter(|f| f.check == check).collect();
        let printed = alike.len().min(PRINTED_PER_CHECK);
        for finding in &alike[..printed] {
            text.push_str(&tell(out, finding));
        }
        let total = report.findings_total.get(check.name()).copied();
        let left = total.unwrap_or(0).saturating_sub(printed as u64);
        if left > 0 {
            text.push_str(&format!("and {} more like it\n", grouped(left)));
        }
    }
    text
}

fn tell(out: &Output, finding: &Finding) -> String {
    let who = [finding.client.as_deref(), finding.command.as_deref()];
    let who: String = who
        .into_iter()
        .flatten()
        .map(|part| format!(", {part}"))
        .collect();
    let mut text = format!(
        "\n{} at {}{who}\n{}",
        out.paint(Style::Bold, finding.check.name()),
        instant(finding.at_ns),
        wrapped(&finding.why, "  ")
    );
    text.push_str(&chain(out, &finding.chain));
    text
}
