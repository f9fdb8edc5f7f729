//! A range of seeds, as people write it.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seeds `A..B`, from A up to but not including B.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seeds(pub Range<u64>);

impl Seeds {
    /// How many seeds there are.
    pub fn count(&self) -> u64 {
        self.0.end.saturating_sub(self.0.start)
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seeds, String> {
        let Some((from, to)) = text.split_once("..") else {
            return Err("expected A..B, such as 0..1000 (B itself is excluded)".to_owned());
        };
        let number = |text: &str| {
            text.parse::<u64>().map_err(|_| {
                format!("\"{text}\" is not a seed: a seed is a whole number from 0 to 2^64-1")
            })
        };
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(format!("the range is reversed: did you mean {to}..{from}?"));
        }
        if from == to {
            return Err(format!(
                "the range is empty: B itself is excluded, so {from}..{} is one seed",
                to.saturating_add(1)
            ));
        }
        Ok(Seeds(from..to))
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.start, self.0.end)
    }
}

impl TryFrom<String> for Seeds {
    type Error = String;

    fn try_from(text: String) -> Result<Seeds, String> {
        text.parse()
    }
}

impl From<Seeds> for String {
    fn from(seeds: Seeds) -> String {
        seeds.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_half_open() {
        let seeds: Seeds = "3..10".parse().expect("readable");
        assert_eq!((seeds.0.clone(), seeds.count()), (3..10, 7));
        assert_eq!(seeds.to_string(), "3..10");
    }

    #[test]
    fn bad_ranges_say_what_is_wrong() {
        for (text, part) in [
            ("10", "expected A..B"),
            ("a..5", "\"a\" is not a seed"),
            ("1..", "\"\" is not a seed"),
            ("1..=5", "\"=5\" is not a seed"),
            ("-1..5", "\"-1\" is not a seed"),
            ("0..99999999999999999999", "is not a seed"),
            ("9..3", "did you mean 3..9?"),
            ("4..4", "4..5 is one seed"),
        ] {
            let error = text.parse::<Seeds>().expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
