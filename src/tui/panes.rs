//! What stands in each pane.

use std::collections::BTreeMap;

use ratatui::text::Line;
use rebound_sim::client::ClientId;
use rebound_sim::report::{Changed, NodeState, Situation, StoryLine};
use rebound_sim::valkey::NodeId;

use super::app::{App, Telling};
use super::breakpoints::FORMS;
use super::cursor::Place;
use super::prompt::Question;
use super::text::{Palette, Text, Tone, columns};
use crate::figures::{count, grouped, instant};

/// Columns from which lines need not be short.
const ROOMY: usize = 60;

/// Most lines that a record, a client or a notice may take.
const LONGEST: usize = 4;

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
    now: &Situation<'_>,
    (detail, width): (Detail, usize),
    palette: Palette,
) -> Vec<Vec<Line<'static>>> {
    let names = app.recording().names();
    let all = (0..names.nodes() as u16).map(NodeId);
    let indent = all.clone().map(|node| columns(names.node(node))).max();
    let indent = indent.unwrap_or(0).min(width / 3) + 2;
    all.map(|node| {
        let state = now.node(node);
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
pub fn clients(
    app: &App<'_>,
    now: &Situation<'_>,
    width: usize,
    palette: Palette,
) -> Vec<Line<'static>> {
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

fn others_text(now: &Situation<'_>, others: impl Iterator<Item = ClientId>) -> Text {
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

/// A record in words, or a line of the story.
struct Row {
    line: StoryLine,
    /// Whether it is told in the story.
    told: bool,
    /// Where it stands to the cursor.
    mark: &'static str,
    here: bool,
}

/// The records around the cursor.
pub fn story(app: &App<'_>, width: usize, height: usize, palette: Palette) -> Vec<Line<'static>> {
    let (rows, here) = match app.telling() {
        Telling::Everything => records_around(app, height),
        Telling::Story => told_around(app, height),
    };
    let lines: Vec<Vec<Line<'static>>> = rows
        .iter()
        .map(|row| row_lines(app, row, width, palette))
        .collect();
    if app.place() == Place(0) {
        let start = Text::default().with(Tone::Here, "▶ before the first of these records");
        let mut all = vec![start.cut(width, palette)];
        all.extend(lines.into_iter().flatten());
        all.truncate(height);
        return all;
    }
    let above: usize = lines[..here].iter().map(Vec::len).sum();
    let own = lines.get(here).map_or(0, Vec::len);
    let all: Vec<_> = lines.into_iter().flatten().collect();
    // The present is a little below the middle: what led to it is worth more than what follows.
    let before = (height.saturating_sub(own)) * 2 / 3;
    let skip = above
        .saturating_sub(before)
        .min(all.len().saturating_sub(height));
    all.into_iter().skip(skip).take(height).collect()
}

fn records_around(app: &App<'_>, height: usize) -> (Vec<Row>, usize) {
    let recording = app.recording();
    let Place(now) = app.place();
    let from = now.saturating_sub(height + 1);
    let to = (now + height).min(recording.records().len());
    let lines = recording.lines(Place(from), Place(to));
    let told = app.story();
    let rows = lines.into_iter().enumerate().map(|(number, line)| {
        let place = Place(from + number + 1);
        let here = place == app.place();
        let first = told.partition_point(|told| told.place < place);
        let told = told.get(first).is_some_and(|told| told.place == place);
        let mark = if here {
            "▶"
        } else if told {
            "•"
        } else {
            " "
        };
        Row {
            line,
            told,
            mark,
            here,
        }
    });
    (rows.collect(), (now - from).saturating_sub(1))
}

fn told_around(app: &App<'_>, height: usize) -> (Vec<Row>, usize) {
    let told = app.story();
    let passed = told.partition_point(|told| told.place <= app.place());
    let from = passed.saturating_sub(height + 1);
    let to = (passed + height).min(told.len());
    let rows = told[from..to].iter().enumerate().map(|(number, told)| {
        let here = from + number + 1 == passed;
        let mark = match (here, told.place == app.place()) {
            (true, true) => "▶",
            (true, false) => "▷",
            (false, _) => " ",
        };
        Row {
            line: told.line.clone(),
            told: true,
            mark,
            here,
        }
    });
    (rows.collect(), (passed - from).saturating_sub(1))
}

fn row_lines(app: &App<'_>, row: &Row, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let who = if width < ROOMY {
        format!("{} ", row.line.who)
    } else {
        let widest = app.recording().names().width();
        format!("{:<widest$}  ", row.line.who)
    };
    let words = match (row.here, row.line.bounce, row.told) {
        (true, ..) => Tone::Here,
        (false, true, _) => Tone::Bad,
        (false, false, true) => Tone::Plain,
        (false, false, false) => Tone::Faint,
    };
    let time = if row.here { Tone::Here } else { Tone::Faint };
    let text = Text::default()
        .with(
            if row.here { Tone::Here } else { Tone::Strong },
            format!("{} ", row.mark),
        )
        .with(time, format!("{:>9} ", instant(row.line.at_ns)))
        .with(if row.here { Tone::Here } else { Tone::Strong }, who)
        .with(words, row.line.words.clone());
    if row.here {
        let mut lines = text.wrapped(width, 2, palette);
        lines.truncate(LONGEST);
        lines
    } else {
        vec![text.cut(width, palette)]
    }
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

/// The title above the records.
pub fn story_title(app: &App<'_>) -> String {
    match (app.telling(), app.followed()) {
        (Telling::Everything, _) => "Records (• told in the story)".to_owned(),
        (Telling::Story, None) => "Story".to_owned(),
        (Telling::Story, Some(client)) => {
            format!("Story of {}", app.recording().names().client(client))
        }
    }
}

/// What is asked or said, and below it where one is.
pub fn foot(app: &App<'_>, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = said(app, width, palette);
    lines.extend(status(app, width).wrapped(width, 1, palette));
    lines
}

fn said(app: &App<'_>, width: usize, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let notice = app.notice().map(|notice| {
        let tone = if notice.bad { Tone::Bad } else { Tone::Plain };
        Text::default().with(tone, notice.words.clone())
    });
    if let Some(prompt) = app.prompt() {
        let below = notice.unwrap_or_else(|| hint(app, prompt.question()));
        lines.extend(below.wrapped(width, 2, palette).into_iter().take(LONGEST));
        // The end of a long answer is what is being typed.
        let words = prompt.question().words();
        let room = width.saturating_sub(columns(words) + 1);
        let hidden = prompt.answer().chars().count().saturating_sub(room);
        let answer: String = prompt.answer().chars().skip(hidden).collect();
        let text = Text::default()
            .with(Tone::Strong, words)
            .with(Tone::Plain, answer)
            .with(Tone::Here, " ");
        lines.push(text.cut(width, palette));
        return lines;
    }
    if let Some(notice) = notice {
        lines.extend(notice.wrapped(width, 2, palette).into_iter().take(LONGEST));
    } else if app.breakpoints().is_empty() {
        let keys = "← → step  n N story  b break  c C continue  ? help  q quit";
        lines.push(Text::default().with(Tone::Faint, keys).cut(width, palette));
    } else {
        lines.push(breakpoints(app).cut(width, palette));
    }
    lines
}

fn hint(app: &App<'_>, question: Question) -> Text {
    let words = match question {
        Question::Breakpoint => FORMS.to_owned(),
        Question::Delete => return breakpoints(app).with(Tone::Faint, "; its number, or all"),
        Question::Time => "such as 1.2s; Esc drops the question".to_owned(),
        Question::Client => "as GROUP/NUMBER, or a number through all groups".to_owned(),
        Question::Words => "words of a record; Enter alone: those of last time".to_owned(),
    };
    Text::default().with(Tone::Faint, words)
}

fn breakpoints(app: &App<'_>) -> Text {
    let names = app.recording().names();
    let each = app.breakpoints().iter().enumerate();
    let each: Vec<_> = each
        .map(|(n, point)| format!("{} {}", n + 1, point.words(names)))
        .collect();
    Text::default().with(Tone::Plain, format!("breakpoints: {}", each.join(", ")))
}

/// Time, record, seed and verdict; further what has room on the same line.
fn status(app: &App<'_>, width: usize) -> Text {
    let recording = app.recording();
    let report = recording.report();
    let at = recording.record_at(app.place()).map(|record| record.at);
    let at = at.unwrap_or(recording.start());
    let number = recording.before() + app.place().0 as u64;
    let last = recording.before() + recording.records().len() as u64;
    let mut words = format!(
        "{at} {}/{} seed {} {}",
        grouped(number),
        grouped(last),
        report.seed,
        report.verdict.name()
    );
    let findings = report.findings_total.values().sum();
    for more in [
        format!(", {}", count(findings, "finding")),
        format!("; {}", report.scenario),
        format!(" under {}", report.behaviour),
    ] {
        if columns(&words) + columns(&more) > width {
            break;
        }
        words.push_str(&more);
    }
    Text::default().with(Tone::Here, words)
}
