//! The texts of a picture: sentences without their numbers, which differ far more often.

use std::collections::BTreeMap;

use super::shape::TextTable;

/// Stands for a number in a sentence.
const GAP: char = '\u{1}';

/// A sentence: which one, and its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub sentence: u32,
    pub numbers: Vec<u64>,
}

/// A table of sentences. The order of its entries is that of their first use; the map only finds
/// them again.
#[derive(Default)]
pub(super) struct Texts {
    sentences: Vec<String>,
    places: BTreeMap<String, u32>,
}

impl Texts {
    /// `text` with its numbers taken out. Digits that a number would not give back, such as those
    /// of `007`, stay in the sentence.
    pub(super) fn numbered(&mut self, text: &str) -> Text {
        let mut sentence = String::with_capacity(text.len());
        let mut numbers = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(start);
            let length = from
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(from.len());
            let (digits, after) = from.split_at(length);
            sentence.push_str(before);
            // JavaScript's numbers are exact up to 2^53.
            match digits.parse() {
                Ok(number) if length < 16 && (length == 1 || !digits.starts_with('0')) => {
                    sentence.push(GAP);
                    numbers.push(number);
                }
                Ok(_) | Err(_) => sentence.push_str(digits),
            }
            rest = after;
        }
        sentence.push_str(rest);
        Text {
            sentence: self.place(sentence),
            numbers,
        }
    }

    /// `text` as it is.
    pub(super) fn whole(&mut self, text: &str) -> u32 {
        self.place(text.to_owned())
    }

    fn place(&mut self, sentence: String) -> u32 {
        let next = self.sentences.len() as u32;
        *self.places.entry(sentence).or_insert_with_key(|sentence| {
            self.sentences.push(sentence.clone());
            next
        })
    }

    pub(super) fn finish(self) -> TextTable {
        TextTable {
            sentences: self.sentences,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_shared_and_numbers_are_not_lost() {
        let mut texts = Texts::default();
        let one = texts.numbered("redirect 2 of GET #131 at 1.5s");
        let other = texts.numbered("redirect 17 of GET #0 at 3.25s");
        assert_eq!(one.sentence, other.sentence);
        assert_eq!(one.numbers, [2, 131, 1, 5]);
        assert_eq!(other.numbers, [17, 0, 3, 25]);
        let odd = texts.numbered("1.005s, 12345678901234567890");
        assert_eq!(odd.numbers, [1]);
        let table = texts.finish();
        assert_eq!(
            table.sentences,
            [
                "redirect \u{1} of GET #\u{1} at \u{1}.\u{1}s",
                "\u{1}.005s, 12345678901234567890"
            ]
        );
    }
}
