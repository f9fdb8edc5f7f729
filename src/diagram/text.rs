//! A diagram in the terminal.

use rebound_view::diagram::{
    Arrow, ArrowLook, Column, Diagram, Fate, Fold, Life, Note, NoteLook, Row, What,
};

use super::place::{centred, lines};
use super::{Drawing, left_out};
use crate::exit::Failure;
use crate::output::{Output, Style};

/// Columns that are used where there is no terminal.
const PIPED: usize = 80;

/// Least and most characters between two columns' lines.
const GAP: (usize, usize) = (8, 34);

/// Rows from which on the columns' names are repeated below.
const TALL: usize = 20;

/// What lines and arrows are made of.
struct Glyphs {
    primary: char,
    steady: char,
    stopped: char,
    down: char,
    shaft: char,
    answer: char,
    bounce: char,
    fold: char,
    right: char,
    left: char,
    lost: char,
    dot: char,
}

const UNICODE: Glyphs = Glyphs {
    primary: '┃',
    steady: '│',
    stopped: '╎',
    down: ' ',
    shaft: '─',
    answer: '╌',
    bounce: '═',
    fold: '┈',
    right: '▶',
    left: '◀',
    lost: '✕',
    dot: '●',
};

const ASCII: Glyphs = Glyphs {
    primary: '#',
    steady: '|',
    stopped: '!',
    down: ' ',
    shaft: '-',
    answer: '-',
    bounce: '=',
    fold: '.',
    right: '>',
    left: '<',
    lost: 'x',
    dot: '*',
};

/// The diagram, in lines no wider than `drawing` or the terminal allows.
///
/// # Errors
/// If the columns do not fit, with what they need.
pub fn draw(diagram: &Diagram, drawing: &Drawing, out: &Output) -> Result<String, Failure> {
    let width = drawing
        .width
        .map(usize::from)
        .or_else(|| {
            terminal_size::terminal_size_of(std::io::stdout()).map(|(w, _)| usize::from(w.0))
        })
        .unwrap_or(PIPED);
    if diagram.rows.is_empty() {
        return Ok(format!("{}\n\nnothing to draw\n", diagram.title));
    }
    let ascii = drawing.ascii;
    let page = Page::new(diagram, width, ascii)?;
    let mut text = String::new();
    for line in lines(&plain(&diagram.title, ascii), width) {
        text.push_str(&out.paint(Style::Bold, &line));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&page.heading(diagram, 0, out));
    for (place, row) in diagram.rows.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| diagram.rows[place].at);
        let time = (before != Some(row.at)).then_some(row.at);
        let mut drawn = page.row(diagram, place, row);
        if let (Some(time), Some(first)) = (time, drawn.first_mut()) {
            first.write(
                0,
                &format!("{time:>width$}", width = page.gutter - 2),
                Some(Style::Faint),
            );
        }
        for line in drawn {
            text.push_str(&line.print(out));
        }
    }
    if diagram.rows.len() >= TALL {
        text.push_str(&page.heading(diagram, diagram.rows.len() - 1, out));
    }
    if let Some(words) = left_out(diagram) {
        for line in lines(&format!("({words})"), width) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text.push_str(&legend(diagram, &page, out));
    Ok(text)
}

/// `text` as it may be printed.
fn plain(text: &str, ascii: bool) -> String {
    if !ascii {
        return text.to_owned();
    }
    let one = |c: char| match c {
        '…' => "...".to_owned(),
        c if c.is_ascii() => c.to_string(),
        _ => "?".to_owned(),
    };
    text.chars().map(one).collect()
}

/// One line of the terminal.
struct Line {
    cells: Vec<(char, Option<Style>)>,
}

impl Line {
    /// Puts `text` at a place; what does not fit the line is cut off.
    fn write(&mut self, at: usize, text: &str, style: Option<Style>) {
        for (cell, c) in self.cells.iter_mut().skip(at).zip(text.chars()) {
            *cell = (c, style);
        }
    }

    fn print(&self, out: &Output) -> String {
        let used = self.cells.iter().rposition(|(c, _)| *c != ' ');
        let used = used.map_or(0, |last| last + 1);
        let mut text = String::new();
        for run in self.cells[..used].chunk_by(|a, b| a.1 == b.1) {
            let piece: String = run.iter().map(|(c, _)| c).collect();
            match run[0].1 {
                Some(style) if !piece.trim().is_empty() => text.push_str(&out.paint(style, &piece)),
                Some(_) | None => text.push_str(&piece),
            }
        }
        text + "\n"
    }
}

/// Where columns stand.
struct Page {
    width: usize,
    /// Characters in front of everything, for the time.
    gutter: usize,
    /// Each column's line.
    at: Vec<usize>,
    glyphs: Glyphs,
    ascii: bool,
}

impl Page {
    fn new(diagram: &Diagram, width: usize, ascii: bool) -> Result<Page, Failure> {
        let times = diagram.rows.iter().map(|row| row.at.to_string().len());
        let gutter = times.max().unwrap_or(0) + 2;
        let half = |column: &Column| {
            let roles = column.lives.iter().filter_map(|(_, life)| life.name());
            let roles = roles.map(|role| role.chars().count()).max().unwrap_or(0);
            column.name.chars().count().max(roles).div_ceil(2)
        };
        let halves: Vec<_> = diagram.columns.iter().map(half).collect();
        let least = |pair: &[usize]| (pair[0] + pair[1] + 2).max(GAP.0);
        let mut gaps: Vec<_> = halves.windows(2).map(least).collect();
        let first = halves.first().copied().unwrap_or(0);
        let last = halves.last().copied().unwrap_or(0);
        let need = gutter + first + gaps.iter().sum::<usize>() + last + 1;
        // A note needs some room next to its line.
        let need = need.max(gutter + 24);
        if need > width {
            let columns = diagram.columns.iter().map(|column| column.name.as_str());
            return Err(Failure::usage(format!(
                "the diagram needs {need} columns and has {width}: it shows {}; select fewer \
                 with --client, --node and --kind, or allow more with --width {need}",
                columns.collect::<Vec<_>>().join(", ")
            )));
        }
        let mut spare = width - need;
        // The narrowest first, so that arrows have room for what stands on them.
        while spare > 0 {
            let Some(gap) = gaps.iter_mut().filter(|gap| **gap < GAP.1).min() else {
                break;
            };
            *gap += 1;
            spare -= 1;
        }
        let mut at = vec![gutter + first];
        for gap in gaps {
            at.push(at[at.len() - 1] + gap);
        }
        Ok(Page {
            width,
            gutter,
            at,
            glyphs: if ascii { ASCII } else { UNICODE },
            ascii,
        })
    }

    /// The columns' names, and what nodes are in a row.
    fn heading(&self, diagram: &Diagram, row: usize, out: &Output) -> String {
        let mut names = self.empty();
        let mut roles = self.empty();
        for (column, at) in diagram.columns.iter().zip(&self.at) {
            let put = |line: &mut Line, text: &str, style| {
                let text = plain(text, self.ascii);
                let begin = centred(*at, text.chars().count(), self.gutter - 1, self.width);
                line.write(begin, &text, Some(style));
            };
            put(&mut names, &column.name, Style::Bold);
            if let Some(role) = life(column, row).name() {
                put(&mut roles, role, Style::Faint);
            }
        }
        let (names, roles) = (names.print(out), roles.print(out));
        if roles.trim().is_empty() {
            names
        } else {
            names + &roles
        }
    }

    fn empty(&self) -> Line {
        Line {
            cells: vec![(' ', None); self.width],
        }
    }

    /// A line with nothing but the columns' lines.
    fn blank(&self, diagram: &Diagram, row: usize) -> Line {
        let mut line = self.empty();
        for (column, at) in diagram.columns.iter().zip(&self.at) {
            let (glyph, style) = match life(column, row) {
                Life::Primary => (self.glyphs.primary, None),
                Life::Client | Life::Sentinel | Life::Replica => {
                    (self.glyphs.steady, Some(Style::Faint))
                }
                Life::Stopped => (self.glyphs.stopped, Some(Style::Doubtful)),
                Life::Down => (self.glyphs.down, None),
            };
            line.cells[*at] = (glyph, style);
        }
        line
    }

    fn row(&self, diagram: &Diagram, place: usize, row: &Row) -> Vec<Line> {
        let blank = || self.blank(diagram, place);
        match &row.what {
            What::Note(note) => self.note(note, &blank),
            What::Fold(fold) => self.fold(fold, &blank),
            What::Arrow(arrow) => {
                let arrow = &diagram.arrows[*arrow];
                let label = match arrow.fate {
                    Fate::Arrived(at)
                        if at.since(arrow.sent) >= rebound_engine::Duration::millis(100) =>
                    {
                        format!("{} after {}", arrow.label, at.since(arrow.sent))
                    }
                    Fate::Arrived(_) => arrow.label.clone(),
                    Fate::Lost => format!("{} lost", arrow.label),
                    Fate::UnderWay => format!("{} …", arrow.label),
                };
                let part = match arrow.fate {
                    Fate::Arrived(_) => Part::Whole,
                    Fate::Lost => Part::Broken,
                    Fate::UnderWay => Part::Beginning,
                };
                self.arrow(arrow, &label, part, &blank)
            }
            What::Departs(arrow) => {
                let arrow = &diagram.arrows[*arrow];
                self.arrow(
                    arrow,
                    &format!("{} …", arrow.label),
                    Part::Beginning,
                    &blank,
                )
            }
            What::Arrives(arrow) => {
                let arrow = &diagram.arrows[*arrow];
                let took = match arrow.fate {
                    Fate::Arrived(at) => {
                        format!("… {} after {}", arrow.label, at.since(arrow.sent))
                    }
                    Fate::Lost | Fate::UnderWay => arrow.label.clone(),
                };
                self.arrow(arrow, &took, Part::End, &blank)
            }
        }
    }

    fn note(&self, note: &Note, blank: &dyn Fn() -> Line) -> Vec<Line> {
        let style = Some(note_style(note.look));
        let label = plain(&note.label, self.ascii);
        let Some(column) = note.column else {
            let room = self.width - self.gutter;
            let each = lines(&label, room).into_iter().map(|text| {
                let mut line = blank();
                line.write(self.gutter, &text, style);
                line
            });
            return each.collect();
        };
        let at = self.at[column];
        // Two characters from the line, and one before the edge or the next line.
        let right = self.width.saturating_sub(at + 2);
        let left = at.saturating_sub(self.gutter + 1);
        let length = label.chars().count();
        let to_the_right = length <= right || right >= left;
        let room = if to_the_right { right } else { left };
        let mut drawn = Vec::new();
        for text in lines(&label, room) {
            let mut line = blank();
            let length = text.chars().count();
            if to_the_right {
                line.write(at + 1, &format!(" {text} "), style);
            } else {
                line.write(at - 2 - length, &format!(" {text} "), style);
            }
            drawn.push(line);
        }
        drawn[0].write(at, &self.glyphs.dot.to_string(), style);
        drawn
    }

    fn fold(&self, fold: &Fold, blank: &dyn Fn() -> Line) -> Vec<Line> {
        let style = Some(if fold.bounces {
            Style::Bad
        } else {
            Style::Faint
        });
        let label = plain(&format!("{} until {}", fold.label, fold.until), self.ascii);
        let from = fold.columns.first().map_or(self.gutter, |c| self.at[*c]);
        let to = fold.columns.last().map_or(self.width, |c| self.at[*c]);
        let mut drawn = Vec::new();
        for text in lines(&label, self.width - self.gutter - 2) {
            let mut line = blank();
            for at in from + 1..to {
                line.cells[at] = (self.glyphs.fold, style);
            }
            let text = format!(" {text} ");
            let length = text.chars().count();
            let begin = centred(usize::midpoint(from, to), length, self.gutter, self.width);
            line.write(begin, &text, style);
            drawn.push(line);
        }
        drawn
    }

    fn arrow(&self, arrow: &Arrow, label: &str, part: Part, blank: &dyn Fn() -> Line) -> Vec<Line> {
        let style = arrow_style(arrow.look);
        let label = plain(label, self.ascii);
        let (from, to) = (self.at[arrow.from], self.at[arrow.to]);
        let (left, right) = (from.min(to), from.max(to));
        let mut line = blank();
        let shaft = if arrow.look == ArrowLook::Bounce {
            self.glyphs.bounce
        } else if arrow.look.answers() {
            self.glyphs.answer
        } else {
            self.glyphs.shaft
        };
        let span = right - left - 1;
        let third = span.div_ceil(3);
        // How far from its beginning the shaft is drawn, and from where on.
        let (begin, end) = match part {
            Part::Whole => (0, span),
            Part::Broken => (0, span - third),
            Part::Beginning => (0, span - third),
            Part::End => (third, span),
        };
        let place = |step: usize| {
            if from < to {
                left + 1 + step
            } else {
                right - 1 - step
            }
        };
        for step in begin..end {
            line.cells[place(step)] = (shaft, style);
        }
        let head = if from < to {
            self.glyphs.right
        } else {
            self.glyphs.left
        };
        match part {
            Part::Whole | Part::End => line.cells[place(span - 1)] = (head, style),
            Part::Broken => line.cells[place(end - 1)] = (self.glyphs.lost, Some(Style::Bad)),
            Part::Beginning => {}
        }
        let (low, high) = {
            let (a, b) = (place(begin), place(end - 1));
            (a.min(b), a.max(b) + 1)
        };
        let text = format!(" {label} ");
        let length = text.chars().count();
        let middle = usize::midpoint(low, high);
        if length + 3 <= high - low {
            line.write(centred(middle, length, low, high), &text, style);
            return vec![line];
        }
        // No room on the shaft: above it.
        let mut drawn = Vec::new();
        for text in lines(&label, self.width - self.gutter) {
            let mut above = blank();
            let length = text.chars().count();
            let begin = centred(middle, length, self.gutter, self.width);
            above.write(begin, &text, style);
            drawn.push(above);
        }
        drawn.push(line);
        drawn
    }
}

/// Which part of an arrow a row shows.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Part {
    Whole,
    Broken,
    Beginning,
    End,
}

/// What a column is in a row.
fn life(column: &Column, row: usize) -> Life {
    let until = column.lives.iter().rev().find(|(from, _)| *from <= row);
    until
        .or(column.lives.first())
        .map_or(Life::Client, |(_, life)| *life)
}

fn arrow_style(look: ArrowLook) -> Option<Style> {
    match look {
        ArrowLook::Request | ArrowLook::Reply | ArrowLook::Handshake => None,
        ArrowLook::Error | ArrowLook::Bounce => Some(Style::Bad),
        ArrowLook::Redirect => Some(Style::Doubtful),
        ArrowLook::Connect => Some(Style::Faint),
    }
}

fn note_style(look: NoteLook) -> Style {
    match look {
        NoteLook::State | NoteLook::Operator => Style::Bold,
        NoteLook::Fault | NoteLook::Bad | NoteLook::Finding => Style::Bad,
        NoteLook::Healed | NoteLook::Good => Style::Good,
        NoteLook::Held => Style::Doubtful,
    }
}

/// What the lines mean, as far as there are such.
fn legend(diagram: &Diagram, page: &Page, out: &Output) -> String {
    let glyphs = &page.glyphs;
    let lived = |wanted: Life| {
        let mut lives = diagram.columns.iter().flat_map(|column| &column.lives);
        lives.any(|(_, life)| *life == wanted)
    };
    let looks = |wanted: ArrowLook| diagram.arrows.iter().any(|arrow| arrow.look == wanted);
    let lost = diagram.arrows.iter().any(|arrow| arrow.fate == Fate::Lost);
    let entries = [
        (lived(Life::Primary), glyphs.primary.to_string(), "primary"),
        (lived(Life::Replica), glyphs.steady.to_string(), "replica"),
        (lived(Life::Stopped), glyphs.stopped.to_string(), "stopped"),
        (
            looks(ArrowLook::Bounce),
            glyphs.bounce.to_string().repeat(2),
            "bounce",
        ),
        (lost, glyphs.lost.to_string(), "lost"),
    ];
    let entries = entries.into_iter().filter(|(there, ..)| *there);
    let entries: Vec<_> = entries
        .map(|(_, glyph, word)| format!("{glyph} {word}"))
        .collect();
    let mut text = String::new();
    for line in lines(&entries.join("   "), page.width) {
        text.push('\n');
        text.push_str(&out.paint(Style::Faint, &line));
    }
    text + "\n"
}
