//! Pictures as inline SVG: colours come from the page's styles, by class.

use super::escape::escaped;

/// A picture being drawn, in its own units, which are about pixels.
pub struct Svg {
    width: f64,
    height: f64,
    marks: String,
}

/// Where a text stands to its point.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is in the middle of it.
    Middle,
    /// It ends there.
    End,
}

/// The size of text in pictures.
const TEXT: f64 = 12.0;

/// The part of its height that a letter is wide, in the widest of the fonts that pages use.
const LETTER: f64 = 0.66;

/// How wide a text is at most.
pub fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * TEXT * LETTER
}

/// `text`, shortened so that it fits.
pub fn fitted(text: &str, width: f64) -> String {
    if text_width(text) <= width {
        return text.to_owned();
    }
    let keep = (width / (TEXT * LETTER)).floor().max(2.0) as usize - 1;
    text.chars().take(keep).chain(['…']).collect()
}

impl Svg {
    /// An empty picture.
    pub fn new(width: f64, height: f64) -> Svg {
        Svg {
            width,
            height,
            marks: String::new(),
        }
    }

    /// A rectangle and its tooltip.
    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), told: &str) {
        self.marks.push_str(&format!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>",
            short(at.0),
            short(at.1),
            short(size.0),
            short(size.1),
            title(told)
        ));
    }

    /// A line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.marks.push_str(&format!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1)
        ));
    }

    /// A dot and its tooltip.
    pub fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, told: &str) {
        self.marks.push_str(&format!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\">{}</circle>",
            short(at.0),
            short(at.1),
            short(radius),
            title(told)
        ));
    }

    /// A path in SVG's own words.
    pub fn path(&mut self, class: &str, path: &str) {
        self.marks
            .push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// Text.
    pub fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.marks.push_str(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            short(at.0),
            short(at.1),
            escaped(text)
        ));
    }

    /// The picture, called `name` to those who do not see it. `attributes` are further ones of
    /// the element, already escaped.
    pub fn render(&self, name: &str, attributes: &str) -> String {
        format!(
            "<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\"{attributes}>{}</svg>\n",
            escaped(name),
            short(self.width),
            short(self.height),
            self.marks
        )
    }
}

fn title(told: &str) -> String {
    if told.is_empty() {
        return String::new();
    }
    format!("<title>{}</title>", escaped(told))
}

/// A coordinate to a tenth.
pub fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!(
            (&*short(3.0), &*short(3.04), &*short(2.96)),
            ("3", "3", "3")
        );
        assert_eq!(short(-0.25), "-0.2");
    }

    #[test]
    fn long_names_end_in_dots() {
        assert_eq!(fitted("8.0.1", 100.0), "8.0.1");
        let cut = fitted("8.0.1+target-holds+idempotent-promotion", 100.0);
        assert!(cut.ends_with('…') && text_width(&cut) <= 100.0, "{cut}");
    }
}
