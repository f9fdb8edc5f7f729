//! Parts of a whole as one stacked bar, with words and numbers below it.

use super::Width;
use crate::figures::{grouped, share};
use crate::html::escape::escaped;
use crate::html::svg::Svg;

/// A part.
pub struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its class, which gives the colour.
    pub class: &'a str,
    /// How much it is.
    pub count: u64,
}

/// The bar and its legend; `name` says what the whole is.
pub fn share_bar(name: &str, parts: &[Part<'_>]) -> String {
    let whole: u64 = parts
        .iter()
        .fold(0, |sum, part| sum.saturating_add(part.count));
    let words = |part: &Part<'_>| {
        format!(
            "{} {} ({})",
            grouped(part.count),
            part.name,
            share(part.count, whole)
        )
    };
    let spoken: Vec<String> = parts.iter().map(words).collect();
    let label = format!("{name}: {}", spoken.join(", "));
    let mut html = String::from("<div class=\"shares\">\n");
    for (width, class) in [(Width::Wide, "wide"), (Width::Narrow, "narrow")] {
        let svg = bar(width, parts, whole);
        html.push_str(&svg.render(&label, &format!(" class=\"chart {class}\"")));
    }
    html.push_str("<ul class=\"legend\">");
    for (part, words) in parts.iter().zip(&spoken) {
        html.push_str(&format!(
            "<li><span class=\"swatch {}\" aria-hidden=\"true\"></span>{}</li>",
            part.class,
            escaped(words)
        ));
    }
    html + "</ul>\n</div>\n"
}

/// The minimum width of a part above zero: something is never drawn as nothing.
const LEAST: f64 = 3.0;
/// Between parts.
const GAP: f64 = 2.0;

fn bar(width: Width, parts: &[Part<'_>], whole: u64) -> Svg {
    const HEIGHT: f64 = 28.0;
    let mut svg = Svg::new(width.units(), HEIGHT);
    let there: Vec<&Part<'_>> = parts.iter().filter(|part| part.count > 0).collect();
    if there.is_empty() {
        svg.rect("empty", (0.0, 0.0), (width.units(), HEIGHT), "nothing ran");
        return svg;
    }
    let least = LEAST * there.len() as f64;
    let room = width.units() - GAP * (there.len() - 1) as f64 - least;
    let mut x = 0.0;
    for part in there {
        let wide = LEAST + room * (part.count as f64 / whole as f64);
        let told = format!("{} {}", grouped(part.count), part.name);
        svg.rect(part.class, (x, 0.0), (wide, HEIGHT), &told);
        x += wide + GAP;
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_million_is_seen() {
        let part = |class, count| Part {
            name: class,
            class,
            count,
        };
        let html = share_bar("runs", &[part("clean", 999_999), part("flagged", 1)]);
        assert!(
            html.contains("class=\"flagged\" x=\"717\" y=\"0\" width=\"3\""),
            "{html}"
        );
        assert!(html.contains("1 flagged (&lt;0.01%)"), "{html}");
        assert!(share_bar("runs", &[part("clean", 0)]).contains("nothing ran"));
    }
}
