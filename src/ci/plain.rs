//! Text that may hold anything, such as a file's name, made fit to be printed on one line.

/// `text` with what is no visible character written out, as `\n` or `\u{1b}`: on one line, and
/// with nothing that XML forbids.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        if is_odd(char) {
            plain.extend(char.escape_debug());
        } else {
            plain.push(char);
        }
    }
    plain
}

/// Control characters, what no XML document may hold, line breaks, and what turns the direction
/// of text around, so that it reads as something else.
fn is_odd(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{fffe}' | '\u{ffff}')
        || matches!(char, '\u{2028}' | '\u{2029}')
        || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text`, cut after this many characters.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(plain("a b/ä|<日本>"), "a b/ä|<日本>");
        assert_eq!(
            plain("a\nb\u{1b}[31m\u{1}\u{ffff}\u{202e}\u{85}"),
            "a\\nb\\u{1b}[31m\\u{1}\\u{ffff}\\u{202e}\\u{85}"
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
    }
}
