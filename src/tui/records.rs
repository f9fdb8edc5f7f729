//! The pane with the records around the cursor.

use ratatui::text::Line;
use rebound_sim::report::StoryLine;

use super::app::{App, Telling};
use super::cursor::Place;
use super::panes::{LONGEST, ROOMY};
use super::text::{Palette, Text, Tone};
use crate::figures::instant;

/// The title above the records.
pub fn title(app: &App<'_>) -> String {
    match (app.telling(), app.followed()) {
        (Telling::Everything, _) => "Records (• in the story)".to_owned(),
        (Telling::Story, None) => "Story".to_owned(),
        (Telling::Story, Some(client)) => {
            format!("Story of {}", app.recording().names().client(client))
        }
    }
}

/// A record in words, or a line of the story.
struct Row {
    line: StoryLine,
    /// Whether it is in the story.
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
