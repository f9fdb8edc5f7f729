//! A diagram as a self-contained picture, light or dark as its reader prefers.

use rebound_view::diagram::{
    Arrow, ArrowLook, Column, Diagram, Fate, Fold, Life, Note, NoteLook, What,
};

use super::left_out;
use super::place::lines;

const STYLE: &str = include_str!("svg.css");

/// Width of a character at 14 pixels; monospaced fonts have 0.6 of their size or a little more.
const CHARACTER: f64 = 8.5;

/// Pixels in front of the first column, for the time.
const GUTTER: f64 = 92.0;
/// Pixels between a column's line and the edge, if not more is needed.
const MARGIN: f64 = 56.0;
/// Pixels to the right of the last column's line, where notes have room.
const RIGHT: f64 = 96.0;
/// Pixels between two columns' lines.
const GAP: f64 = 178.0;
/// Width below which there is no room for notes.
const NARROWEST: f64 = 520.0;
/// Pixels of a line of text.
const LINE: f64 = 20.0;
/// Pixels of a row with an arrow.
const ARROW: f64 = 34.0;
/// By how much an arrow that takes no time to speak of goes down.
const SLANT: f64 = 7.0;

/// The picture.
pub fn draw(diagram: &Diagram) -> String {
    let page = Page::new(diagram);
    let mut ink = Ink::default();
    page.lives(diagram, &mut ink);
    // Long arrows lie below what they cross.
    for place in 0..diagram.rows.len() {
        page.long_arrow(diagram, place, &mut ink);
    }
    let mut last = None;
    for (place, row) in diagram.rows.iter().enumerate() {
        let top = page.tops[place];
        if last != Some(row.at) {
            let y = top + LINE - 5.0;
            ink.text("time", 8.0, y, &row.at.to_string());
        }
        last = Some(row.at);
        match &row.what {
            What::Arrow(arrow) => page.arrow(&diagram.arrows[*arrow], top, &mut ink),
            What::Departs(arrow) => page.departs(&diagram.arrows[*arrow], top, &mut ink),
            What::Arrives(arrow) => page.arrives(&diagram.arrows[*arrow], top, &mut ink),
            What::Note(note) => page.note(note, top, &mut ink),
            What::Fold(fold) => page.fold(fold, top, &mut ink),
        }
    }
    page.heads(diagram, &mut ink);
    page.framed(diagram, &ink.0)
}

/// Elements, one a line.
#[derive(Default)]
struct Ink(String);

impl Ink {
    fn add(&mut self, element: &str) {
        self.0.push_str(element);
        self.0.push('\n');
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.add(&format!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#,
            escaped(text)
        ));
    }

    /// Clears what lies below a text that begins at a place.
    fn clear(&mut self, x: f64, y: f64, text: &str) {
        self.add(&format!(
            r#"<rect class="page" x="{:.1}" y="{:.1}" width="{:.1}" height="16"/>"#,
            x - 3.0,
            y - 13.0,
            wide(text) + 6.0
        ));
    }

    fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.add(&format!(
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        ));
    }

    /// What belongs together, with words that a pointer brings up.
    fn group(&mut self, words: &str, draw: impl FnOnce(&mut Ink)) {
        self.add(&format!("<g><title>{}</title>", escaped(words)));
        draw(self);
        self.add("</g>");
    }
}

/// Where everything stands.
struct Page {
    width: f64,
    /// Where the columns' lines begin.
    top: f64,
    bottom: f64,
    at: Vec<f64>,
    /// Where rows begin.
    tops: Vec<f64>,
    title: Vec<String>,
}

impl Page {
    fn new(diagram: &Diagram) -> Page {
        let half = |column: &Column| wide(&column.name) / 2.0 + 10.0;
        let halves: Vec<_> = diagram.columns.iter().map(half).collect();
        let edge = |column: Option<&f64>| column.copied().unwrap_or(0.0).max(MARGIN);
        let mut at = vec![GUTTER + edge(halves.first())];
        for pair in halves.windows(2) {
            at.push(at[at.len() - 1] + (pair[0] + pair[1] + 10.0).max(GAP));
        }
        at.truncate(diagram.columns.len());
        let width = at.last().copied().unwrap_or(GUTTER) + edge(halves.last()).max(RIGHT);
        let width = width.max(NARROWEST);
        let title = lines(&diagram.title, ((width - 16.0) / CHARACTER) as usize);
        let top = 12.0 + LINE * title.len() as f64 + 44.0;
        let mut page = Page {
            width,
            top,
            bottom: 0.0,
            at,
            tops: Vec::new(),
            title,
        };
        let mut y = top + 8.0;
        for row in &diagram.rows {
            page.tops.push(y);
            y += page.height(&row.what);
        }
        page.bottom = y + 8.0;
        page
    }

    fn height(&self, what: &What) -> f64 {
        match what {
            What::Arrow(_) | What::Departs(_) | What::Arrives(_) => ARROW,
            What::Note(note) => LINE * self.note_lines(note).0.len() as f64 + 6.0,
            What::Fold(fold) => LINE * self.fold_lines(fold).len() as f64 + 12.0,
        }
    }

    fn framed(&self, diagram: &Diagram, ink: &str) -> String {
        let mut more = Ink::default();
        for (place, line) in self.title.iter().enumerate() {
            more.text("title", 8.0, 24.0 + LINE * place as f64, line);
        }
        let mut y = self.bottom + 20.0;
        let mut say = |words: &str, ink: &mut Ink| {
            for line in lines(
                words,
                ((self.width - 16.0) / (CHARACTER * 12.0 / 14.0)) as usize,
            ) {
                ink.text("small", 8.0, y, &line);
                y += LINE;
            }
        };
        if diagram.rows.is_empty() {
            say("nothing to draw", &mut more);
        }
        if let Some(words) = left_out(diagram) {
            say(&words, &mut more);
        }
        say(
            "Time runs downwards, not to scale. Thick line: a node that believes it is the primary.",
            &mut more,
        );
        let height = y - 4.0;
        let (width, title) = (self.width, escaped(&diagram.title));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" style=\"max-width:100%;height:auto\" \
             role=\"img\" aria-labelledby=\"t d\">\n\
             <title id=\"t\">{title}</title>\n<desc id=\"d\">{}</desc>\n<style>\n{STYLE}</style>\n\
             <rect class=\"page\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n{ink}{}</svg>\n",
            escaped(&description(diagram)),
            more.0
        )
    }

    /// The columns' lines, thicker or broken as their nodes live.
    fn lives(&self, diagram: &Diagram, ink: &mut Ink) {
        for (column, at) in diagram.columns.iter().zip(&self.at) {
            for (place, (row, life)) in column.lives.iter().enumerate() {
                let from = if place == 0 {
                    self.top
                } else {
                    self.tops[*row]
                };
                let next = column.lives.get(place + 1);
                let to = next.map_or(self.bottom, |(row, _)| self.tops[*row]);
                let class = match life {
                    Life::Client | Life::Sentinel | Life::Replica => "life",
                    Life::Primary => "life primary",
                    Life::Stopped => "life stopped",
                    Life::Down => "life down",
                };
                ink.line(class, (*at, from), (*at, to));
            }
        }
    }

    /// The columns' names, and what nodes are at first.
    fn heads(&self, diagram: &Diagram, ink: &mut Ink) {
        for (column, at) in diagram.columns.iter().zip(&self.at) {
            let half = wide(&column.name) / 2.0 + 8.0;
            let (x, y) = (at - half, self.top - 44.0);
            ink.add(&format!(
                r#"<rect class="box" x="{x:.1}" y="{y:.1}" width="{:.1}" height="26" rx="4"/>"#,
                half * 2.0
            ));
            ink.text("mid title", *at, self.top - 26.0, &column.name);
            let first = column.lives.first().and_then(|(_, life)| life.name());
            if let Some(role) = first {
                ink.text("mid small", *at, self.top - 4.0, role);
            }
        }
    }

    /// An arrow that begins in one row and ends in another: here is its line.
    fn long_arrow(&self, diagram: &Diagram, place: usize, ink: &mut Ink) {
        let (index, begins) = match diagram.rows[place].what {
            What::Departs(arrow) => (arrow, Some(place)),
            What::Arrives(arrow) => (arrow, None),
            What::Arrow(_) | What::Note(_) | What::Fold(_) => return,
        };
        let find = |wanted: &What| diagram.rows.iter().position(|row| row.what == *wanted);
        let ends = find(&What::Arrives(index));
        if begins.is_none() && find(&What::Departs(index)).is_some() {
            return;
        }
        let arrow = &diagram.arrows[index];
        let y1 = begins.map_or(self.top, |row| self.tops[row] + LINE + 2.0);
        let y2 = ends.map_or(self.bottom, |row| self.tops[row] + LINE + 2.0 + SLANT);
        let (from, to) = (self.at[arrow.from], self.at[arrow.to]);
        self.shaft(arrow, (from, y1), (to, y2), ends.is_some(), ink);
    }

    fn shaft(&self, arrow: &Arrow, from: (f64, f64), to: (f64, f64), headed: bool, ink: &mut Ink) {
        let class = class(arrow.look);
        let length = (to.0 - from.0).hypot(to.1 - from.1).max(1.0);
        let (dx, dy) = ((to.0 - from.0) / length, (to.1 - from.1) / length);
        if !headed {
            ink.line(&format!("arrow c-{class}"), from, to);
            return;
        }
        // The head's point is at the line's edge, and the shaft ends within the head.
        let tip = (to.0 - dx * 3.0, to.1 - dy * 3.0);
        let base = (tip.0 - dx * 11.0, tip.1 - dy * 11.0);
        ink.line(&format!("arrow c-{class}"), from, base);
        let side = 5.0;
        ink.add(&format!(
            r#"<path class="head c-{class}" d="M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z"/>"#,
            tip.0,
            tip.1,
            base.0 - dy * side,
            base.1 + dx * side,
            base.0 + dy * side,
            base.1 - dx * side
        ));
    }

    fn arrow(&self, arrow: &Arrow, top: f64, ink: &mut Ink) {
        let (from, to) = (self.at[arrow.from], self.at[arrow.to]);
        let y = top + LINE + 2.0;
        let words = format!("{} {}", arrow.sent, arrow.detail);
        ink.group(&words, |ink| match arrow.fate {
            Fate::Arrived(at) => {
                self.shaft(arrow, (from, y), (to, y + SLANT), true, ink);
                let took = at.since(arrow.sent);
                let slow = took >= rebound_engine::Duration::millis(100);
                let label = if slow {
                    format!("{} after {took}", arrow.label)
                } else {
                    arrow.label.clone()
                };
                self.label(arrow, &label, y - 3.0, ink);
            }
            Fate::Lost => {
                let end = from + (to - from) * 0.7;
                self.shaft(arrow, (from, y), (end, y + SLANT * 0.7), false, ink);
                let y2 = y + SLANT * 0.7;
                ink.line("lost", (end - 5.0, y2 - 5.0), (end + 5.0, y2 + 5.0));
                ink.line("lost", (end - 5.0, y2 + 5.0), (end + 5.0, y2 - 5.0));
                self.label(arrow, &format!("{} lost", arrow.label), y - 3.0, ink);
            }
            Fate::UnderWay => {
                let end = from + (to - from) * 0.7;
                self.shaft(arrow, (from, y), (end, y + SLANT * 0.7), false, ink);
                self.label(arrow, &format!("{} …", arrow.label), y - 3.0, ink);
            }
        });
    }

    fn departs(&self, arrow: &Arrow, top: f64, ink: &mut Ink) {
        let words = format!("{} {}", arrow.sent, arrow.detail);
        ink.group(&words, |ink| {
            self.beside(arrow, arrow.from, &format!("{} …", arrow.label), top, ink);
        });
    }

    fn arrives(&self, arrow: &Arrow, top: f64, ink: &mut Ink) {
        let took = match arrow.fate {
            Fate::Arrived(at) => format!(" after {}", at.since(arrow.sent)),
            Fate::Lost | Fate::UnderWay => String::new(),
        };
        ink.group(&arrow.detail, |ink| {
            self.beside(
                arrow,
                arrow.to,
                &format!("… {}{took}", arrow.label),
                top,
                ink,
            );
        });
    }

    /// What stands where a long arrow begins or ends, on the side from which it comes.
    fn beside(&self, arrow: &Arrow, end: usize, label: &str, top: f64, ink: &mut Ink) {
        let rightwards = (arrow.to > arrow.from) == (end == arrow.from);
        let at = self.at[end];
        let x = if rightwards {
            at + 14.0
        } else {
            (at - 14.0 - wide(label)).max(GUTTER)
        };
        ink.clear(x, top + LINE - 4.0, label);
        ink.text(
            &format!("t-{}", class(arrow.look)),
            x,
            top + LINE - 4.0,
            label,
        );
    }

    /// What stands on an arrow: about its middle, and never beyond the edges.
    fn label(&self, arrow: &Arrow, label: &str, y: f64, ink: &mut Ink) {
        let middle = f64::midpoint(self.at[arrow.from], self.at[arrow.to]);
        let x = self.within(middle, wide(label));
        ink.clear(x - wide(label) / 2.0, y, label);
        ink.text(&format!("mid t-{}", class(arrow.look)), x, y, label);
    }

    /// The middle of a text that is to be centred about `middle`.
    fn within(&self, middle: f64, width: f64) -> f64 {
        let half = width / 2.0;
        middle.min(self.width - 6.0 - half).max(GUTTER + half)
    }

    /// A note's lines, and whether they stand to the right of their column's line.
    fn note_lines(&self, note: &Note) -> (Vec<String>, bool) {
        let at = note.column.map_or(GUTTER - 12.0, |column| self.at[column]);
        let right = self.width - at - 18.0;
        let left = at - 12.0 - GUTTER;
        let to_the_right = wide(&note.label) <= right || right >= left;
        let room = if to_the_right { right } else { left };
        (
            lines(&note.label, (room / CHARACTER) as usize),
            to_the_right,
        )
    }

    fn note(&self, note: &Note, top: f64, ink: &mut Ink) {
        let (each, to_the_right) = self.note_lines(note);
        let at = note.column.map_or(GUTTER - 12.0, |column| self.at[column]);
        let class = note_class(note.look);
        ink.group(&note.detail, |ink| {
            for (place, line) in each.iter().enumerate() {
                let y = top + LINE * (place + 1) as f64 - 4.0;
                let x = if to_the_right {
                    at + 12.0
                } else {
                    at - 12.0 - wide(line)
                };
                ink.clear(x, y, line);
                ink.text(&format!("n-{class}"), x, y, line);
            }
            if note.column.is_some() {
                let y = top + LINE - 9.0;
                ink.add(&format!(
                    r#"<circle class="dot n-{class}" cx="{at:.1}" cy="{y:.1}" r="6"/>"#
                ));
            }
        });
    }

    fn fold_lines(&self, fold: &Fold) -> Vec<String> {
        let text = format!("{} until {}", fold.label, fold.until);
        lines(&text, ((self.width - GUTTER - 24.0) / CHARACTER) as usize)
    }

    fn fold(&self, fold: &Fold, top: f64, ink: &mut Ink) {
        let each = self.fold_lines(fold);
        let bounces = if fold.bounces { " bounces" } else { "" };
        let first = fold
            .columns
            .first()
            .map_or(GUTTER, |column| self.at[*column]);
        let last = fold
            .columns
            .last()
            .map_or(self.width, |column| self.at[*column]);
        let widest = each.iter().map(|line| wide(line)).fold(0.0, f64::max);
        let middle = self.within(f64::midpoint(first, last), widest + 16.0);
        let left = first.min(middle - widest / 2.0 - 8.0);
        let right = last.max(middle + widest / 2.0 + 8.0);
        let (width, height) = (right - left, LINE * each.len() as f64 + 4.0);
        ink.add(&format!(
            r#"<rect class="fold{bounces}" x="{left:.1}" y="{:.1}" width="{width:.1}" height="{height:.1}" rx="4"/>"#,
            top + 4.0
        ));
        for (place, line) in each.iter().enumerate() {
            let y = top + LINE * (place + 1) as f64;
            ink.text(&format!("mid t-fold{bounces}"), middle, y, line);
        }
    }
}

/// How wide a text is, in pixels.
fn wide(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

fn class(look: ArrowLook) -> &'static str {
    match look {
        ArrowLook::Request => "request",
        ArrowLook::Reply => "reply",
        ArrowLook::Error => "error",
        ArrowLook::Redirect => "redirect",
        ArrowLook::Bounce => "bounce",
        ArrowLook::Handshake => "handshake",
        ArrowLook::Connect => "connect",
    }
}

fn note_class(look: NoteLook) -> &'static str {
    match look {
        NoteLook::State => "state",
        NoteLook::Operator => "operator",
        NoteLook::Fault => "fault",
        NoteLook::Healed => "healed",
        NoteLook::Held => "held",
        NoteLook::Good => "good",
        NoteLook::Bad => "bad",
        NoteLook::Finding => "finding",
    }
}

/// The diagram in a sentence, for who does not see it.
fn description(diagram: &Diagram) -> String {
    let names = diagram.columns.iter().map(|column| column.name.as_str());
    let bounces = diagram.rows.iter().filter(|row| match &row.what {
        What::Arrow(arrow) => diagram.arrows[*arrow].look == ArrowLook::Bounce,
        What::Departs(_) | What::Arrives(_) | What::Note(_) | What::Fold(_) => false,
    });
    format!(
        "Sequence diagram of {}: {}, {} of them bounces.",
        names.collect::<Vec<_>>().join(", "),
        crate::figures::count(diagram.rows.len() as u64, "row"),
        bounces.count()
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}
