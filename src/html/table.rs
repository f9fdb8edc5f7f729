//! Tables that scroll by themselves when they are wider than the page, and can be sorted where
//! scripts run.

use super::escape::escaped;

/// A table to be written.
pub struct Table {
    caption: String,
    heads: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
    class: &'static str,
}

/// How a column is set.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Align {
    Text,
    Number,
}

/// A cell: what it shows, and by what it is sorted.
#[derive(Clone, Debug)]
pub struct Cell {
    html: String,
    key: Option<String>,
    bar: Option<u32>,
}

impl Cell {
    /// Plain text.
    pub fn text(text: &str) -> Cell {
        Cell::html(escaped(text))
    }

    /// Markup.
    pub fn html(html: String) -> Cell {
        Cell {
            html,
            key: None,
            bar: None,
        }
    }

    /// A number as it is read, and as it is sorted.
    pub fn number(shown: &str, key: f64) -> Cell {
        Cell {
            html: escaped(shown),
            key: Some(key.to_string()),
            bar: None,
        }
    }

    /// With a bar below that has this share of the cell's width, from 0 to 1.
    pub fn bar(mut self, share: f64) -> Cell {
        // Something is never drawn as nothing.
        let percent = (share.clamp(0.0, 1.0) * 1000.0).ceil();
        self.bar = Some(percent as u32);
        self
    }
}

impl Table {
    /// A table of this name and no columns.
    pub fn new(caption: &str) -> Table {
        Table {
            caption: caption.to_owned(),
            heads: Vec::new(),
            rows: Vec::new(),
            class: "",
        }
    }

    /// With a further column of text.
    pub fn text(mut self, head: &str) -> Table {
        self.heads.push((head.to_owned(), Align::Text));
        self
    }

    /// With a further column of numbers.
    pub fn number(mut self, head: &str) -> Table {
        self.heads.push((head.to_owned(), Align::Number));
        self
    }

    /// Can be sorted by each column.
    pub fn sortable(mut self) -> Table {
        self.class = " class=\"sortable\"";
        self
    }

    /// Has many columns: its rows' heads stay in view.
    pub fn wide(mut self) -> Table {
        self.class = " class=\"compared\"";
        self
    }

    /// Adds a row; its first cell is its head.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// As HTML.
    pub fn render(&self) -> String {
        // A region that scrolls must be reachable by keyboard, and then needs a name.
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{0}\">\n<table{1}>\
             <caption>{0}</caption>\n<thead><tr>",
            escaped(&self.caption),
            self.class
        );
        for (head, align) in &self.heads {
            html.push_str(&format!(
                "<th scope=\"col\"{}>{}</th>",
                align.class(),
                // A combination of remedies may be broken between them.
                escaped(head).replace('+', "+<wbr>")
            ));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (index, cell) in row.iter().enumerate() {
                let align = self
                    .heads
                    .get(index)
                    .map_or(Align::Text, |(_, align)| *align);
                html.push_str(&cell.render(index == 0, align));
            }
            html.push_str("</tr>\n");
        }
        html + "</tbody>\n</table>\n</div>\n"
    }
}

impl Align {
    const fn class(self) -> &'static str {
        match self {
            Align::Text => "",
            Align::Number => " class=\"number\"",
        }
    }
}

impl Cell {
    fn render(&self, head: bool, align: Align) -> String {
        let (open, close) = if head {
            ("th scope=\"row\"", "th")
        } else {
            ("td", "td")
        };
        let key = self
            .key
            .as_ref()
            .map_or(String::new(), |key| format!(" data-key=\"{key}\""));
        let bar = self.bar.map_or(String::new(), |tenths| {
            format!(
                "<span class=\"bar\" style=\"width:{}.{}%\" aria-hidden=\"true\"></span>",
                tenths / 10,
                tenths % 10
            )
        });
        format!("<{open}{}{key}>{}{bar}</{close}>", align.class(), self.html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_still_has_a_bar_and_what_is_nought_has_none() {
        let bar = |share| {
            Cell::number("1", 1.0)
                .bar(share)
                .render(false, Align::Number)
        };
        assert!(bar(1e-9).contains("width:0.1%"), "{}", bar(1e-9));
        assert!(bar(0.0).contains("width:0.0%"), "{}", bar(0.0));
        assert!(bar(7.0).contains("width:100.0%"), "{}", bar(7.0));
    }

    #[test]
    fn text_in_cells_stays_text() {
        let mut table = Table::new("a<b").text("x").number("n");
        table.row(vec![Cell::text("<i>"), Cell::number("2", 2.0)]);
        let html = table.render();
        assert!(html.contains("<th scope=\"row\">&lt;i&gt;</th>"), "{html}");
        assert!(
            html.contains("<td class=\"number\" data-key=\"2\">2</td>"),
            "{html}"
        );
        assert!(html.contains("<caption>a&lt;b</caption>"), "{html}");
    }
}
