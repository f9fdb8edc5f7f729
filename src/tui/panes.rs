//! What stands in the panes about nodes, clients and findings.

use std::collections::BTreeMap;

use ratatui::text::Line;
use rebound_sim::client::ClientId;
use rebound_sim::valkey::NodeId;
use rebound_view::{Changed, NodeState, Run};

use super::app::App;
use super::cursor::Place;
use super::text::{Palette, Text, Tone, columns};
use crate::figures::{count, grouped, instant};

/// Columns from which lines need not be short.
pub const ROOMY: usize = 60;

/// Most lines that a record, a client or a notice may take.
pub const LONGEST: usize = 4;

/// How much is said of a node.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything, in as many lines as that needs.
    Whole,
    /// Role, failover, link and what it holds, in a line.
    Brief,
}

/// Each node in its lines.
pub fn nodes(
    app: &App<'_>,
    now: &Run,
    (detail, width): (Detail, usize),
    palette: Palette,
) -> Vec<Vec<Line<'static>>> {
    let names = app.recording().names();
    let all = (0..names.nodes() as u16).map(NodeId);
    let indent = all.clone().map(|node| columns(names.node(node))).max();
    let indent = indent.unwrap_or(0).min(width / 3) + 2;
    all.map(|node| {
        let state = now.node_state(node);
        let changed = now.changed().contains(&Changed::Node(node));
        let name = format!("{}{}", state.node, if changed { "*" } else { "" });
        let name = Text::default().with(Tone::Strong, format!("{name:<indent$}"));
        match detail {
            Detail::Whole => whole(name, &state, width >= ROOMY).wrapped(width, indent, palette),
            Detail::Brief => vec![brief(name, &state).cut(width, palette)],
        }
    })
    .collect()
}

fn brief(mut text: Text, state: &NodeState) -> Text {
    let (role, tone) = match (state.up, &state.replica_of) {
        (false, _) => ("not there", Tone::Bad),
        (true, Some(_)) => ("replica", Tone::Plain),
        (true, None) => ("primary", Tone::Good),
    };
    text.push(tone, role);
    if state.failover != "no-failover" || state.manual_failover {
        text.push(Tone::Doubtful, ", failing over");
    }
    if let Some(link) = &state.link {
        let tone = if link == "up" { Tone::Plain } else { Tone::Bad };
        text.push(tone, format!(", link {link}"));
    }
    if !state.faults.is_empty() {
        text.push(Tone::Bad, ", fault");
    }
    if state.postponed > 0 {
        text.push(
            Tone::Doubtful,
            format!(", {} held", grouped(state.postponed)),
        );
    }
    text
}

fn whole(mut text: Text, state: &NodeState, roomy: bool) -> Text {
    let mut first = true;
    let mut say = |tone: Tone, words: String| {
        if !std::mem::take(&mut first) {
            text.push(Tone::Plain, ", ");
        }
        text.push(tone, words);
    };
    if !state.up {
        say(Tone::Bad, format!("not there, was {}", state.role));
    } else if let Some(primary) = &state.replica_of {
        say(Tone::Plain, format!("replica of {primary}"));
    } else {
        say(Tone::Good, state.role.clone());
    }
    if state.failover != "no-failover" {
        let target = state
            .target
            .as_ref()
            .filter(|target| state.replica_of.as_ref() != Some(target));
        let to = target.map_or(String::new(), |target| format!(" to {target}"));
        say(Tone::Doubtful, format!("{}{to}", state.failover));
    }
    if state.manual_failover {
        say(Tone::Doubtful, "manual failover".to_owned());
    }
    match state.link.as_deref() {
        Some("up") => say(Tone::Plain, "link up".to_owned()),
        Some(link) => say(Tone::Bad, format!("link {link}")),
        None => {}
    }
    if state.postponed > 0 {
        say(
            Tone::Doubtful,
            format!("{} postponed", grouped(state.postponed)),
        );
    }
    for fault in &state.faults {
        // What a fault means stands behind a colon: help enough for a story, too long here.
        let short = fault.words.split(':').next().unwrap_or_default();
        say(Tone::Bad, short.to_owned());
    }
    if roomy && let Some(replid) = &state.replid {
        say(
            Tone::Faint,
            format!("{replid}, offset {}", grouped(state.offset)),
        );
    }
    text
}

/// The client that is followed, and the others in one line.
pub fn clients(app: &App<'_>, now: &Run, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let total = app.recording().clients();
    let mut lines = Vec::new();
    if let Some(client) = app.followed() {
        let state = now.client_state(client);
        let changed = now.changed().contains(&Changed::Client(client));
        let bounces = state.open.iter().any(|open| open.bounces > 0);
        let tone = if bounces { Tone::Bad } else { Tone::Plain };
        let mark = if changed { "*" } else { "" };
        let text = Text::default()
            .with(Tone::Strong, format!("{}{mark}  ", state.client))
            .with(tone, state.to_string())
            .with(
                Tone::Faint,
                format!(
                    "; {} served, {} failed, {}, {}",
                    grouped(state.served),
                    grouped(state.failed),
                    count(state.hops, "redirect"),
                    count(state.bounces, "bounce")
                ),
            );
        let mut told = text.wrapped(width, 2, palette);
        told.truncate(LONGEST);
        lines.extend(told);
    }
    // Whom the record is about, if that is another.
    let others = (0..total).map(ClientId);
    let others = others.filter(|client| Some(*client) != app.followed());
    for client in others.clone() {
        if now.changed().contains(&Changed::Client(client)) {
            let state = now.client_state(client);
            let text = Text::default()
                .with(Tone::Strong, format!("{}*  ", state.client))
                .with(Tone::Plain, state.to_string());
            lines.push(text.cut(width, palette));
        }
    }
    lines.push(others_text(now, others).cut(width, palette));
    lines
}

fn others_text(now: &Run, others: impl Iterator<Item = ClientId>) -> Text {
    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    let (mut all, mut open, mut bounced) = (0, 0, 0);
    for client in others {
        let state = now.client_state(client);
        all += 1;
        open += state.open.len() as u64;
        bounced += u64::from(state.open.iter().any(|open| open.bounces > 0));
        let place = match state.connected_to.as_slice() {
            [] => "nowhere".to_owned(),
            nodes => format!("at {}", nodes.join("+")),
        };
        *places.entry(place).or_default() += 1;
    }
    if all == 0 {
        return Text::default().with(Tone::Faint, "no other client");
    }
    let mut text = Text::default().with(Tone::Plain, format!("{} others: ", grouped(all)));
    if bounced > 0 {
        text.push(Tone::Bad, format!("{} bouncing, ", grouped(bounced)));
    }
    text.push(Tone::Plain, count(open, "command") + " open, ");
    let places: Vec<_> = places
        .into_iter()
        .map(|(place, n)| format!("{} {place}", grouped(n)))
        .collect();
    text.with(Tone::Plain, places.join(", "))
}

/// The findings, and which is the first that has not been reached.
pub fn findings(app: &App<'_>, width: usize, palette: Palette) -> (Vec<Line<'static>>, usize) {
    let report = app.recording().report();
    let places = app.recording().findings();
    let lines = report.findings.iter().zip(places).map(|(finding, place)| {
        let (mark, tone) = match place {
            Some(place) if *place == app.place() => ("▶", Tone::Here),
            Some(place) if *place < app.place() => ("•", Tone::Plain),
            Some(_) => (" ", Tone::Faint),
            None => ("-", Tone::Faint),
        };
        let who = [finding.client.as_deref(), finding.command.as_deref()];
        let who: Vec<_> = who.into_iter().flatten().collect();
        Text::default()
            .with(tone, format!("{mark} {:>9} ", instant(finding.at_ns)))
            .with(tone, format!("{} {}", finding.check.name(), who.join(" ")))
            .cut(width, palette)
    });
    let ahead = |place: &Option<Place>| place.is_none_or(|place| place >= app.place());
    let first = places.iter().position(ahead).unwrap_or(places.len());
    (lines.collect(), first)
}

/// How many findings there are, by check.
pub fn findings_title(app: &App<'_>) -> String {
    let report = app.recording().report();
    if report.findings_total.is_empty() {
        return "Findings: none".to_owned();
    }
    let each = report.findings_total.iter();
    let each: Vec<_> = each
        .map(|(check, n)| format!("{} {check}", grouped(*n)))
        .collect();
    format!("Findings: {}", each.join(", "))
}
