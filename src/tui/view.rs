//! Draws what is looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::app::App;
use super::keys::KEYS;
use super::layout::{self, SMALLEST, Wanted};
use super::panes::{self, Detail};
use super::text::{Palette, Text, Tone, columns};
use super::{foot, records};

/// Draws everything.
pub fn draw(app: &App<'_>, palette: Palette, frame: &mut Frame<'_>) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let words = format!(
            "This terminal has {} by {}; rebound tui needs {} by {}. q quits.",
            area.width, area.height, SMALLEST.0, SMALLEST.1
        );
        let text = Text::default().with(Tone::Plain, words);
        show(
            frame,
            area,
            text.wrapped(usize::from(area.width).max(1), 0, palette),
        );
        return;
    }
    match app.help() {
        Some(down) => help(frame, area, down, palette),
        None => all(app, palette, frame, area),
    }
}

fn all(app: &App<'_>, palette: Palette, frame: &mut Frame<'_>, area: Rect) {
    let now = app.recording().run_at(app.place());
    let side = usize::from(layout::side(area));
    let nodes = panes::nodes(app, &now, (Detail::Whole, side), palette);
    let clients = panes::clients(app, &now, side, palette);
    let (findings, first) = panes::findings(app, side, palette);
    let below = foot::lines(app, usize::from(area.width), palette);
    let lines = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    let places = layout::place(
        area,
        Wanted {
            nodes: lines(nodes.iter().map(Vec::len).sum()),
            clients: lines(clients.len()),
            findings: lines(findings.len()),
            foot: lines(below.len()),
        },
    );
    let (width, height) = (
        usize::from(places.story.width),
        usize::from(places.story.height),
    );
    let story = records::story(app, width, height, palette);
    if places.titled {
        for (pane, words) in [
            (places.nodes, "Nodes".to_owned()),
            (places.clients, "Clients".to_owned()),
            (places.story, records::title(app)),
            (places.findings, panes::findings_title(app)),
        ] {
            title(frame, pane, &words, palette);
        }
    }
    let room: usize = places.nodes.height.into();
    let nodes = if nodes.iter().map(Vec::len).sum::<usize>() > room {
        panes::nodes(app, &now, (Detail::Brief, side), palette)
    } else {
        nodes
    };
    let nodes = nodes_shown(nodes, app.first_node(), places.nodes, palette);
    show(frame, places.nodes, nodes);
    show(frame, places.clients, clients);
    show(frame, places.story, story);
    let room = usize::from(places.findings.height);
    let skip = first
        .saturating_sub(room / 2)
        .min(findings.len().saturating_sub(room));
    show(
        frame,
        places.findings,
        findings.into_iter().skip(skip).collect(),
    );
    show(frame, places.foot, below);
}

/// The nodes from `first` on; the last line says how many have no room.
fn nodes_shown(
    nodes: Vec<Vec<Line<'static>>>,
    first: usize,
    pane: Rect,
    palette: Palette,
) -> Vec<Line<'static>> {
    let room = usize::from(pane.height);
    let all: usize = nodes.iter().map(Vec::len).sum();
    if all <= room {
        return nodes.into_iter().flatten().collect();
    }
    let count = nodes.len();
    let first = first.min(count.saturating_sub(1));
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut shown = first;
    for node in nodes.into_iter().skip(first) {
        let last = shown + 1 == count;
        // A line is kept for what has no room.
        let room = if last { room } else { room.saturating_sub(1) };
        if lines.len() + node.len() > room && !lines.is_empty() {
            break;
        }
        lines.extend(node);
        shown += 1;
    }
    lines.truncate(room);
    if shown < count && lines.len() < room {
        let words = format!("… {} more: ] and [ show other nodes", count - shown);
        lines.push(
            Text::default()
                .with(Tone::Doubtful, words)
                .cut(pane.width.into(), palette),
        );
    }
    lines
}

fn title(frame: &mut Frame<'_>, pane: Rect, words: &str, palette: Palette) {
    let width = usize::from(pane.width);
    let rule = "─".repeat(width.saturating_sub(columns(words) + 4));
    let text = Text::default()
        .with(Tone::Faint, "── ")
        .with(Tone::Strong, words)
        .with(Tone::Faint, format!(" {rule}"));
    let line = Rect {
        y: pane.y - 1,
        height: 1,
        ..pane
    };
    show(frame, line, vec![text.cut(width, palette)]);
}

fn help(frame: &mut Frame<'_>, area: Rect, down: usize, palette: Palette) {
    let width = usize::from(area.width);
    let room = usize::from(area.height).saturating_sub(1);
    let rows: Vec<Line<'static>> = KEYS
        .iter()
        .map(|(_, keys, _, what)| {
            Text::default()
                .with(Tone::Strong, format!("{keys:>8}  "))
                .with(Tone::Plain, *what)
                .cut(width, palette)
        })
        .collect();
    let skip = down.min(rows.len().saturating_sub(room));
    let more = if rows.len() > room {
        "↓ ↑ show more, other keys go back"
    } else {
        "any key goes back"
    };
    let mut lines: Vec<_> = rows.into_iter().skip(skip).take(room).collect();
    lines.push(Text::default().with(Tone::Here, more).cut(width, palette));
    show(frame, area, lines);
}

fn show(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    frame.render_widget(Paragraph::new(lines), area);
}
