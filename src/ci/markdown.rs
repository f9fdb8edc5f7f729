//! Pieces of Markdown from text that may hold anything.

use super::plain::{cut, plain};

/// Characters of a cell, at most.
const LONGEST: usize = 500;

/// `text` as plain words on one line, in a table or outside.
pub fn words(text: &str) -> String {
    let mut escaped = String::new();
    for char in cut(&plain(text), LONGEST).chars() {
        match char {
            // An entity is safe where a backslash would not be: before a letter, and in HTML.
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // What looks like a person or an issue would be linked and notified.
            '@' => escaped.push_str("&#64;"),
            '#' => escaped.push_str("&#35;"),
            '|' => escaped.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '!' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(char);
            }
            _ => escaped.push(char),
        }
    }
    escaped
}

/// A block of lines that are shown as they are.
pub fn block(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| plain(line)).collect();
    let text = lines.join("\n");
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}console\n{text}\n{fence}\n")
}

/// A table with a head; the cells are Markdown already.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for row in rows {
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(
            words("a|b\n<img src=x> *b* `c` @d #1 [e](f) \\"),
            "a&#124;b\\\\n&lt;img src=x&gt; \\*b\\* \\`c\\` &#64;d &#35;1 \\[e\\](f) \\\\"
        );
        assert_eq!(words("8.0.0-rc1, seeds 0..20"), "8.0.0-rc1, seeds 0..20");
        assert!(words(&"x".repeat(LONGEST + 1)).ends_with('…'));
    }

    #[test]
    fn a_block_cannot_be_left() {
        let text = block(&["rebound replay 'a```b'".to_owned(), "c\nd".to_owned()]);
        assert_eq!(text, "````console\nrebound replay 'a```b'\nc\\nd\n````\n");
    }
}
