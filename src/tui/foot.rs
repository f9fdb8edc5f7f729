//! What stands below the panes: what is asked or said, and where one is.

use ratatui::text::Line;

use super::app::App;
use super::breakpoints::FORMS;
use super::panes::LONGEST;
use super::prompt::Question;
use super::text::{Palette, Text, Tone, columns};
use crate::figures::{count, grouped};

/// What is asked or said, and below it where one is.
pub fn lines(app: &App<'_>, width: usize, palette: Palette) -> Vec<Line<'static>> {
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
        Question::Time => "such as 1.2s; Esc cancels".to_owned(),
        Question::Client => "as GROUP/NUMBER, or a number through all groups".to_owned(),
        Question::Words => "text in a record; just Enter: the last search".to_owned(),
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
