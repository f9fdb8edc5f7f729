//! `rebound behaviours`: the server versions that can be simulated, side by side, and the remedies
//! that can be added.

mod remedies;

use clap::Args;
use rebound_sim::valkey::{
    BEHAVIOURS, Behaviour, BlockedClients, ClientGuard, Demotion, DualChannelReply, FailoverTarget,
    Gate, PostponedUnblock, Promotion, RedirectEpoch, RedirectInMulti, Remedy, WhileInProgress,
};
use schemars::JsonSchema;
use serde::Serialize;

use self::remedies::RemedyEntry;
use crate::arguments::behaviour_named;
use crate::exit::{Exit, Failure};
use crate::figures::{WIDTH, wrapped};
use crate::output::{Output, Style};

/// Arguments of `rebound behaviours`.
#[derive(Args)]
pub struct Arguments {
    /// Show one of them, or a version with remedies joined by +, in detail
    #[arg(long, value_name = "NAME", alias = "behavior")]
    behaviour: Option<String>,
}

/// The behaviours: `rebound behaviours --format json`.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BehaviourList {
    /// Always `rebound.behaviours/1`.
    schema: &'static str,
    /// The behaviours.
    behaviours: Vec<BehaviourEntry>,
    /// The remedies that can be added to a version; with `--behaviour` those that it has.
    remedies: Vec<RemedyEntry>,
}

/// A behaviour.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BehaviourEntry {
    /// Its name in scenarios and on the command line.
    name: &'static str,
    /// Its aliases.
    aliases: Vec<&'static str>,
    /// What it is, in a sentence.
    summary: &'static str,
    /// Where its rules were read.
    source: &'static str,
    /// The version that it departs from.
    base: &'static str,
    /// The remedies that change that.
    remedies: Vec<&'static str>,
    /// The checks that a command passes, in order.
    gates: Vec<&'static str>,
    /// Whether `CLIENT CAPA redirect` exists.
    capa: bool,
    /// What the redirect does while the node's own failover is in progress.
    while_in_progress: &'static str,
    /// What a redirect does to a transaction.
    redirect_in_multi: &'static str,
    /// What a failover does to clients in a blocking command: unblock them with an error at the
    /// demotion or at completion, or redirect them at completion.
    blocked_clients: &'static str,
    /// What the target of a failover does with clients before its promotion: redirect them, or
    /// hold them.
    failover_target: &'static str,
    /// When a failover demotes the old primary: before it dials the target, or when the
    /// connection is ready.
    demotion: &'static str,
    /// What a repeated PSYNC FAILOVER meets: it is refused, or answered again.
    promotion: &'static str,
    /// Whether a redirect carries an epoch.
    redirect_epoch: bool,
    /// Whether clients wait before they go back to a node that has redirected them, whatever
    /// their library.
    client_guard: bool,
    /// Whether the handshake says `REPLCONF version`.
    replconf_version: bool,
    /// What CLIENT UNBLOCK does to a client whose command is postponed: with TIMEOUT the server
    /// panics, or it refuses.
    postponed_unblock: &'static str,
    /// How the old primary of a failover takes +DUALCHANNELSYNC: as a refusal, or as success.
    dual_channel_reply: &'static str,
}

impl From<&'static Behaviour> for BehaviourEntry {
    fn from(behaviour: &'static Behaviour) -> BehaviourEntry {
        BehaviourEntry {
            name: behaviour.name,
            aliases: behaviour.aliases.to_vec(),
            summary: behaviour.summary,
            source: behaviour.source,
            base: behaviour.base.name(),
            remedies: behaviour.remedies.iter().map(Remedy::name).collect(),
            gates: behaviour.gates.iter().map(|gate| gate.name()).collect(),
            capa: behaviour.capa,
            while_in_progress: while_in_progress(behaviour),
            redirect_in_multi: redirect_in_multi(behaviour),
            blocked_clients: blocked_clients(behaviour),
            failover_target: failover_target(behaviour),
            demotion: demotion(behaviour),
            promotion: promotion(behaviour),
            redirect_epoch: redirect_epoch(behaviour),
            client_guard: client_guard(behaviour),
            replconf_version: behaviour.replconf_version,
            postponed_unblock: postponed_unblock(behaviour),
            dual_channel_reply: dual_channel_reply(behaviour),
        }
    }
}

/// The heading of the remedies.
const HEADING: &str = "Remedies, which can be added to a version in any combination, as in\n\
    8.0.1+target-holds+idempotent-promotion:";

/// Prints the behaviours.
pub fn run(arguments: &Arguments, out: &mut Output) -> Result<Exit, Failure> {
    let chosen: Vec<&'static Behaviour> = match &arguments.behaviour {
        Some(name) => vec![behaviour_named(name)?],
        None => BEHAVIOURS.iter().collect(),
    };
    let remedies: Vec<Remedy> = match chosen[..] {
        [one] => one.remedies.iter().collect(),
        _ => Remedy::ALL.to_vec(),
    };
    if out.json_wanted() {
        out.json(&BehaviourList {
            schema: "rebound.behaviours/1",
            behaviours: chosen.into_iter().map(BehaviourEntry::from).collect(),
            remedies: remedies.into_iter().map(RemedyEntry::from).collect(),
        })?;
        return Ok(Exit::Clean);
    }
    let text = match chosen[..] {
        [one] if remedies.is_empty() => detail(out, one),
        [one] => detail(out, one) + &remedies::text(out, "Its remedies:", &remedies),
        _ => table(out, &chosen) + &remedies::text(out, HEADING, &remedies),
    };
    out.text(&text)?;
    Ok(Exit::Clean)
}

/// The gates in the order in which the table lists them: that of the first behaviour that has
/// the most of them.
fn gate_rows(behaviours: &[&Behaviour]) -> Vec<Gate> {
    let longest = behaviours.iter().rev().max_by_key(|b| b.gates.len());
    let mut rows = longest.map_or(Vec::new(), |behaviour| behaviour.gates.to_vec());
    for behaviour in behaviours {
        for gate in behaviour.gates {
            if !rows.contains(gate) {
                rows.push(*gate);
            }
        }
    }
    rows
}

fn rows(behaviours: &[&Behaviour]) -> Vec<(String, Vec<String>)> {
    let gate_row = |gate: Gate| {
        let index = |b: &&Behaviour| {
            let index = b.gates.iter().position(|known| *known == gate);
            index.map_or("-".to_owned(), |index| (index + 1).to_string())
        };
        let indices = behaviours.iter().map(index).collect();
        (gate.name().to_owned(), indices)
    };
    let rule = |label: &str, of: fn(&Behaviour) -> &'static str| {
        let cells = behaviours.iter().map(|b| of(b).to_owned()).collect();
        (label.to_owned(), cells)
    };
    let mut rows: Vec<_> = gate_rows(behaviours).into_iter().map(gate_row).collect();
    rows.push(rule("", |_| ""));
    rows.push(rule("while in progress", while_in_progress));
    rows.push(rule("redirect in MULTI", redirect_in_multi));
    rows.push(rule("blocked clients", blocked_clients));
    rows.push(rule("CLIENT CAPA", |b| yes_or_no(b.capa)));
    rows.push(rule("REPLCONF version", |b| yes_or_no(b.replconf_version)));
    rows.push(rule("CLIENT UNBLOCK", postponed_unblock));
    rows.push(rule("DUALCHANNELSYNC", dual_channel_reply));
    rows
}

fn table(out: &Output, behaviours: &[&Behaviour]) -> String {
    let rows = rows(behaviours);
    let label = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let widths: Vec<usize> = behaviours
        .iter()
        .enumerate()
        .map(|(column, behaviour)| {
            let cells = rows.iter().map(|(_, cells)| cells[column].len());
            cells.chain([behaviour.name.len()]).max().unwrap_or(0)
        })
        .collect();
    let mut text = "The order in which a command meets each gate, and the rules:\n".to_owned();
    let mut first = 0;
    while first < behaviours.len() {
        let mut used = label;
        let mut end = first;
        while end < behaviours.len() && (end == first || used + 2 + widths[end] <= WIDTH) {
            used += 2 + widths[end];
            end += 1;
        }
        let line = |label_text: &str, cell: &dyn Fn(usize) -> String| {
            let cells: String = (first..end)
                .map(|column| format!("  {:<width$}", cell(column), width = widths[column]))
                .collect();
            format!("{label_text:<label$}{cells}").trim_end().to_owned() + "\n"
        };
        text.push('\n');
        let heading = line("", &|column| behaviours[column].name.to_owned());
        text.push_str(&out.paint(Style::Bold, heading.trim_end()));
        text.push('\n');
        for (name, cells) in &rows {
            text.push_str(&line(name, &|column| cells[column].clone()));
        }
        first = end;
    }
    for behaviour in behaviours {
        text.push('\n');
        text.push_str(&description(out, behaviour));
    }
    text
}

fn description(out: &Output, behaviour: &Behaviour) -> String {
    let mut name = out.paint(Style::Bold, behaviour.name);
    if !behaviour.aliases.is_empty() {
        name.push_str(&format!(" (also {})", behaviour.aliases.join(", ")));
    }
    let summary = wrapped(behaviour.summary, "  ");
    let source = wrapped(&format!("Source: {}", behaviour.source), "  ");
    format!(
        "{name}\n{summary}{}",
        out.paint(Style::Faint, source.trim_end())
    ) + "\n"
}

fn detail(out: &Output, behaviour: &Behaviour) -> String {
    let mut text = description(out, behaviour);
    text.push_str("\nA command meets these gates, in this order:\n");
    for (index, gate) in behaviour.gates.iter().enumerate() {
        text.push_str(&format!("  {}. {}\n", index + 1, gate.name()));
    }
    text.push('\n');
    for (label, value) in [
        ("while in progress", while_in_progress(behaviour)),
        ("redirect in MULTI", redirect_in_multi(behaviour)),
        ("blocked clients", blocked_clients(behaviour)),
        ("failover target", failover_target(behaviour)),
        ("demotion", demotion(behaviour)),
        ("repeated promotion", promotion(behaviour)),
        ("redirect's epoch", yes_or_no(redirect_epoch(behaviour))),
        ("clients' guard", yes_or_no(client_guard(behaviour))),
        ("CLIENT CAPA", yes_or_no(behaviour.capa)),
        ("REPLCONF version", yes_or_no(behaviour.replconf_version)),
        ("CLIENT UNBLOCK", postponed_unblock(behaviour)),
        ("DUALCHANNELSYNC", dual_channel_reply(behaviour)),
    ] {
        text.push_str(&format!("  {label:<19}{value}\n"));
    }
    text
}

fn while_in_progress(behaviour: &Behaviour) -> &'static str {
    if !behaviour.gates.contains(&Gate::StandaloneRedirect) {
        return "-";
    }
    match behaviour.while_in_progress {
        WhileInProgress::Redirect => "redirect",
        WhileInProgress::FallThrough => "go on",
        WhileInProgress::Postpone => "postpone",
    }
}

fn redirect_in_multi(behaviour: &Behaviour) -> &'static str {
    if !behaviour.gates.contains(&Gate::StandaloneRedirect) {
        return "-";
    }
    match behaviour.redirect_in_multi {
        RedirectInMulti::LeaveUntouched => "leave",
        RedirectInMulti::Spoil => "spoil",
    }
}

fn blocked_clients(behaviour: &Behaviour) -> &'static str {
    match behaviour.blocked_clients {
        BlockedClients::UnblockAtDemotion => "demotion",
        BlockedClients::UnblockAtCompletion => "completion",
        BlockedClients::RedirectAtCompletion => "redirect",
    }
}

fn failover_target(behaviour: &Behaviour) -> &'static str {
    match behaviour.failover_target {
        FailoverTarget::Redirects => "redirect",
        FailoverTarget::Holds => "hold",
    }
}

fn demotion(behaviour: &Behaviour) -> &'static str {
    match behaviour.demotion {
        Demotion::BeforeDialling => "before dialling",
        Demotion::WhenConnected => "when connected",
    }
}

fn promotion(behaviour: &Behaviour) -> &'static str {
    match behaviour.promotion {
        Promotion::Once => "refuse",
        Promotion::Idempotent => "answer again",
    }
}

fn redirect_epoch(behaviour: &Behaviour) -> bool {
    match behaviour.redirect_epoch {
        RedirectEpoch::Absent => false,
        RedirectEpoch::Carried => true,
    }
}

fn client_guard(behaviour: &Behaviour) -> bool {
    match behaviour.client_guard {
        ClientGuard::AsLibrary => false,
        ClientGuard::Everywhere => true,
    }
}

fn postponed_unblock(behaviour: &Behaviour) -> &'static str {
    match behaviour.postponed_unblock {
        PostponedUnblock::Panics => "panic",
        PostponedUnblock::Refused => "refuse",
    }
}

fn dual_channel_reply(behaviour: &Behaviour) -> &'static str {
    if !behaviour.dual_channel {
        return "-";
    }
    match behaviour.dual_channel_reply {
        DualChannelReply::Refuses => "abort",
        DualChannelReply::Accepts => "success",
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
