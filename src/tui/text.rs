//! Text with tones, broken or cut to fit. A tone never says what no word or mark says.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

/// How a piece of text looks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As the terminal likes it.
    Plain,
    /// Names and what matters most.
    Strong,
    /// What is in order.
    Good,
    /// What is not.
    Bad,
    /// What is about to change.
    Doubtful,
    /// What may be overlooked.
    Faint,
    /// Where one is.
    Here,
}

/// Whether there are colours.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Whether there are.
    pub coloured: bool,
}

impl Palette {
    /// A tone as a terminal escape.
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::default();
        let colour = |style: Style, colour| match self.coloured {
            true => style.fg(colour),
            false => style,
        };
        match tone {
            Tone::Plain => plain,
            Tone::Strong => plain.add_modifier(Modifier::BOLD),
            Tone::Good => colour(plain, Color::Green),
            Tone::Bad => colour(plain.add_modifier(Modifier::BOLD), Color::Red),
            Tone::Doubtful => colour(plain, Color::Yellow),
            Tone::Faint => plain.add_modifier(Modifier::DIM),
            Tone::Here => plain.add_modifier(Modifier::REVERSED),
        }
    }
}

/// Text in pieces of one tone each.
#[derive(Clone, Debug, Default)]
pub struct Text(Vec<(Tone, String)>);

impl Text {
    /// With one more piece at its end.
    pub fn with(mut self, tone: Tone, piece: impl Into<String>) -> Text {
        self.0.push((tone, piece.into()));
        self
    }

    /// Adds a piece at its end.
    pub fn push(&mut self, tone: Tone, piece: impl Into<String>) {
        self.0.push((tone, piece.into()));
    }

    /// On one line, with `…` for what has no room.
    pub fn cut(&self, width: usize, palette: Palette) -> Line<'static> {
        let whole: usize = self.0.iter().map(|(_, piece)| columns(piece)).sum();
        let mut left = if whole > width {
            width.saturating_sub(1)
        } else {
            width
        };
        let mut spans = Vec::new();
        for (tone, piece) in &self.0 {
            let (start, rest) = split(piece, left);
            left -= columns(start);
            spans.push(Span::styled(start.to_owned(), palette.style(*tone)));
            if !rest.is_empty() {
                spans.push(Span::styled("…", palette.style(*tone)));
                break;
            }
        }
        Line::from(spans)
    }

    /// Broken between words; what is not on the first line is indented.
    pub fn wrapped(&self, width: usize, indent: usize, palette: Palette) -> Vec<Line<'static>> {
        let indent = indent.min(width / 2);
        let mut lines: Vec<Vec<Span<'static>>> = vec![Vec::new()];
        let mut used = 0;
        for (tone, piece) in &self.0 {
            for word in piece.split_inclusive(' ') {
                let mut word = word;
                loop {
                    let first = lines.len() == 1;
                    let start = if first { 0 } else { indent };
                    let fits = used + columns(word.trim_end()) <= width;
                    if !fits && used > start {
                        lines.push(vec![Span::raw(" ".repeat(indent))]);
                        used = indent;
                        continue;
                    }
                    // A word that is longer than a line is broken anywhere.
                    let (now, rest) = if fits {
                        (word, "")
                    } else {
                        split(word, width - used)
                    };
                    let now = if columns(now) > width - used {
                        now.trim_end()
                    } else {
                        now
                    };
                    used += columns(now);
                    push(&mut lines, now, palette.style(*tone));
                    if rest.is_empty() || now.is_empty() {
                        break;
                    }
                    word = rest;
                }
            }
        }
        lines.into_iter().map(Line::from).collect()
    }
}

fn push(lines: &mut [Vec<Span<'static>>], word: &str, style: Style) {
    let Some(line) = lines.last_mut() else {
        return;
    };
    match line.last_mut() {
        Some(last) if last.style == style => last.content.to_mut().push_str(word),
        Some(_) | None => line.push(Span::styled(word.to_owned(), style)),
    }
}

/// The columns that `text` takes.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    Span::raw(text).width()
}

/// As much of the beginning of `text` as has room, and the rest.
fn split(text: &str, room: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += columns(&text[at..at + c.len_utf8()]);
        if used > room {
            return text.split_at(at);
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Palette = Palette { coloured: false };

    fn texts(lines: &[Line<'_>]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn text_is_broken_between_words() {
        let text = Text::default()
            .with(Tone::Strong, "old  ")
            .with(Tone::Plain, "replica of new, ")
            .with(Tone::Bad, "link down");
        assert_eq!(
            texts(&text.wrapped(16, 5, BARE)),
            ["old  replica of ", "     new, link ", "     down"]
        );
        assert_eq!(texts(&text.wrapped(80, 5, BARE)).len(), 1);
    }

    #[test]
    fn a_long_word_is_broken_anywhere() {
        let text = Text::default().with(Tone::Plain, "abcdefghijkl xy");
        assert_eq!(
            texts(&text.wrapped(5, 1, BARE)),
            ["abcde", " fghi", " jkl ", " xy"]
        );
        for width in 1..6 {
            for line in texts(&text.wrapped(width, 2, BARE)) {
                assert!(columns(&line) <= width, "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        let text = Text::default()
            .with(Tone::Plain, "ab")
            .with(Tone::Bad, "cdef");
        assert_eq!(text.cut(6, BARE).to_string(), "abcdef");
        assert_eq!(text.cut(5, BARE).to_string(), "abcd…");
        assert_eq!(text.cut(2, BARE).to_string(), "a…");
        let wide = Text::default().with(Tone::Plain, "日本語");
        assert_eq!(wide.cut(5, BARE).to_string(), "日本…");
        assert_eq!(wide.cut(4, BARE).to_string(), "日…");
    }

    #[test]
    fn without_colours_there_are_none() {
        for tone in [Tone::Good, Tone::Bad, Tone::Doubtful] {
            assert_eq!(BARE.style(tone).fg, None);
            assert!(Palette { coloured: true }.style(tone).fg.is_some());
        }
    }
}
