//! A diagram as Mermaid's `sequenceDiagram`, for pasting into an issue.

use rebound_view::diagram::{Arrow, Diagram, Fate, Row, What};

/// The most characters that GitHub draws (Mermaid's `maxTextSize`).
const LARGEST: usize = 50_000;

/// Kept free for what is said of rows that were left out.
const RESERVE: usize = 200;

/// The diagram; rows that would make it too long for GitHub are left out, and it says so.
pub fn draw(diagram: &Diagram) -> String {
    let mut text = format!("sequenceDiagram\n    title {}\n", escaped(&diagram.title));
    for (index, column) in diagram.columns.iter().enumerate() {
        text.push_str(&format!(
            "    participant p{index} as {}\n",
            escaped(&column.name)
        ));
    }
    let mut length = text.chars().count();
    let mut left_out = diagram.cut;
    for (index, row) in diagram.rows.iter().enumerate() {
        let line = row_line(diagram, row);
        let longer = length + line.chars().count();
        if longer + RESERVE > LARGEST {
            left_out += (diagram.rows.len() - index) as u64;
            break;
        }
        text.push_str(&line);
        length = longer;
    }
    if left_out > 0 {
        let rows = crate::figures::count(left_out, "more row");
        let all = all(diagram);
        text.push_str(&format!(
            "    Note over {all}: … {rows} left out: select with --from, --until, --limit\n"
        ));
    }
    if diagram.columns.is_empty() {
        // Mermaid draws nothing at all without a participant.
        text.push_str("    participant p0 as nothing to draw\n");
    }
    text
}

/// All participants.
fn all(diagram: &Diagram) -> String {
    match diagram.columns.len() {
        0 | 1 => "p0".to_owned(),
        n => format!("p0,p{}", n - 1),
    }
}

fn row_line(diagram: &Diagram, row: &Row) -> String {
    let at = row.at;
    match &row.what {
        What::Note(note) => {
            let over = note
                .column
                .map_or_else(|| all(diagram), |c| format!("p{c}"));
            format!("    Note over {over}: {at} {}\n", escaped(&note.label))
        }
        What::Fold(fold) => {
            let over = match fold.columns[..] {
                [] => all(diagram),
                [one] => format!("p{one}"),
                [first, .., last] => format!("p{first},p{last}"),
            };
            let label = escaped(&fold.label);
            format!("    Note over {over}: {at} {label} until {}\n", fold.until)
        }
        What::Arrow(arrow) => {
            let arrow = &diagram.arrows[*arrow];
            let (line, more) = match (arrow.fate, arrow.look.answers()) {
                (Fate::Arrived(_), false) => ("->>", ""),
                (Fate::Arrived(_), true) => ("-->>", ""),
                (Fate::Lost, false) => ("-x", " (lost)"),
                (Fate::Lost, true) => ("--x", " (lost)"),
                (Fate::UnderWay, false) => ("-)", " (in flight at the end)"),
                (Fate::UnderWay, true) => ("--)", " (in flight at the end)"),
            };
            arrow_line(
                arrow,
                line,
                &format!("{at} {}{more}", escaped(&arrow.label)),
            )
        }
        What::Departs(arrow) => {
            let arrow = &diagram.arrows[*arrow];
            let to = escaped(&diagram.columns[arrow.to].name);
            let label = escaped(&arrow.label);
            format!(
                "    Note over p{}: {at} sends to {to}: {label} …\n",
                arrow.from
            )
        }
        What::Arrives(arrow) => {
            let arrow = &diagram.arrows[*arrow];
            let took = match arrow.fate {
                Fate::Arrived(at) => format!(", after {}", at.since(arrow.sent)),
                Fate::Lost | Fate::UnderWay => String::new(),
            };
            let line = if arrow.look.answers() { "-->>" } else { "->>" };
            arrow_line(
                arrow,
                line,
                &format!("{at} … {}{took}", escaped(&arrow.label)),
            )
        }
    }
}

fn arrow_line(arrow: &Arrow, line: &str, label: &str) -> String {
    format!("    p{}{line}p{}: {label}\n", arrow.from, arrow.to)
}

/// `text` without what Mermaid takes for its own.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '#' => safe.push_str("#35;"),
            ';' => safe.push_str("#59;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mermaid_would_read_is_escaped() {
        assert_eq!(escaped("GET #3; a\nb"), "GET #35;3#59; a b");
        assert_eq!(escaped("<b>"), "#lt;b#gt;");
    }
}
