//! Where things go on lines of text, in the terminal as in a picture.

/// `text` in lines of at most `width` characters (at least one); a longer word is broken.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.len();
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Where a text of `length` begins that is to be centred about `middle` and to lie within
/// `from..to`.
pub fn centred(middle: usize, length: usize, from: usize, to: usize) -> usize {
    let begin = middle.saturating_sub(length / 2);
    begin.min(to.saturating_sub(length)).max(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_never_longer_than_they_may_be() {
        assert_eq!(lines("a redirect to new", 10), ["a redirect", "to new"]);
        assert_eq!(lines("unbelievable", 5), ["unbel", "ievab", "le"]);
        assert_eq!(lines("a unbelievable", 5), ["a", "unbel", "ievab", "le"]);
        assert_eq!(lines("", 5), [""]);
    }

    #[test]
    fn what_is_centred_stays_within() {
        assert_eq!(centred(10, 4, 0, 20), 8);
        assert_eq!(centred(1, 6, 0, 20), 0);
        assert_eq!(centred(19, 6, 0, 20), 14);
        assert_eq!(centred(5, 30, 3, 20), 3);
    }
}
