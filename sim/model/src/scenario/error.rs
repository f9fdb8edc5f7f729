//! What is wrong with a scenario, in one message.

use std::fmt;

use super::nearest::hint;

/// Longest message, in characters: a misplaced megabyte is not repeated.
const LONGEST: usize = 600;

/// What is wrong with a scenario: one message that says where, what was found, and what was
/// expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The file, as it was named.
    pub file: String,
    /// Line and column in it, from one, where they are known.
    pub position: Option<(usize, usize)>,
    /// The place in the document, such as `timeline[2].do.crash.node`; empty for all of it.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", shorten(&self.file))?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ScenarioError {}

/// A mistake at a place of the document; [`ScenarioError`] adds the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The place.
    pub path: String,
    /// What was found and what was expected.
    pub message: String,
}

impl Problem {
    /// A mistake at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem {
            path: path.into(),
            message: message.into(),
        }
    }

    /// A mistake at `path` that serde found.
    pub(crate) fn from_json(
        path: &str,
        error: &serde_path_to_error::Error<serde_json::Error>,
    ) -> Problem {
        let inner = error.path().to_string();
        let path = match (path, inner.as_str()) {
            (path, ".") => path.to_owned(),
            ("", inner) => inner.to_owned(),
            (path, inner) if inner.starts_with('[') => format!("{path}{inner}"),
            (path, inner) => format!("{path}.{inner}"),
        };
        Problem::new(shorten(&path), phrase(&error.inner().to_string()))
    }
}

/// `text` on one line, cut if it is very long. A name in a damaged file may hold anything.
pub(crate) fn shorten(text: &str) -> String {
    let mut short = String::new();
    for (index, char) in text.chars().enumerate() {
        if index == LONGEST {
            short.push('…');
            break;
        }
        if char.is_control() {
            short.extend(char.escape_debug());
        } else {
            short.push(char);
        }
    }
    short
}

/// Says in our words what serde says in its own.
pub fn phrase(serde: &str) -> String {
    // serde_json ends every message with its position, which stands elsewhere in ours.
    let text = match serde.rfind(" at line ") {
        Some(end) => &serde[..end],
        None => serde,
    };
    let text = unknown(text, "unknown field `", "field", "fields")
        .or_else(|| unknown(text, "unknown variant `", "value", "values"))
        .or_else(|| wrong_type(text))
        .or_else(|| single(text, "missing field `", "missing field"))
        .or_else(|| single(text, "duplicate field `", "second field"))
        .unwrap_or_else(|| text.to_owned());
    shorten(&text)
}

/// ``unknown field `x`, expected one of `a`, `b` ``
fn unknown(text: &str, start: &str, kind: &str, plural: &str) -> Option<String> {
    let rest = text.strip_prefix(start)?;
    // A name may hold anything, the words that follow it too: the last ones are serde's.
    let (found, expected) = rest
        .rsplit_once("`, expected ")
        .or_else(|| rest.rsplit_once("`, there are no "))?;
    let names: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    Some(format!(
        "unknown {kind} {}{}",
        super::nearest::quoted(found),
        hint(plural, found, &names)
    ))
}

/// ``invalid type: integer `5`, expected a string``
fn wrong_type(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix("invalid type: ")
        .or_else(|| text.strip_prefix("invalid value: "))
        .or_else(|| text.strip_prefix("invalid length "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let found = match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" => "null".to_owned(),
        // serde would read an object's fields from a list, too, if there were enough of them.
        length if length.parse::<usize>().is_ok() => match expected.contains("tuple") {
            true => format!("a list of length {length}"),
            false => "a list".to_owned(),
        },
        other => shorten_in_quotes(other),
    };
    let range = |max: u64| format!("a whole number from 0 to {max}");
    let expected = match expected {
        "u8" => range(u8::MAX.into()),
        "u16" => range(u16::MAX.into()),
        "u32" => range(u32::MAX.into()),
        "u64" => range(u64::MAX),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        other => match other.strip_prefix("a tuple of size ") {
            Some(size) => format!("a list of {size} values"),
            None => other.trim_start_matches("struct ").to_owned(),
        },
    };
    Some(format!("found {found}, expected {expected}"))
}

/// ``missing field `x` ``
fn single(text: &str, start: &str, what: &str) -> Option<String> {
    let name = text.strip_prefix(start)?.strip_suffix('`')?;
    Some(format!("{what} {}", super::nearest::quoted(name)))
}

/// `string "…very long…"` with the middle left out.
fn shorten_in_quotes(text: &str) -> String {
    match text.char_indices().nth(100) {
        None => text.replace('`', ""),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serdes_words_become_ours() {
        for (serde, ours) in [
            (
                "unknown field `nod`, expected one of `node`, `run` at line 3 column 5",
                "unknown field \"nod\" (nearest: \"node\"; fields are \"node\", \"run\")",
            ),
            (
                "unknown variant `fifos`, expected `fifo` or `seeded`",
                "unknown value \"fifos\" (nearest: \"fifo\"; values are \"fifo\", \"seeded\")",
            ),
            (
                "missing field `name` at line 1 column 2",
                "missing field \"name\"",
            ),
            (
                "invalid type: integer `5`, expected u16",
                "found integer 5, expected a whole number from 0 to 65535",
            ),
            (
                "invalid type: map, expected a boolean",
                "found an object, expected true or false",
            ),
            (
                "invalid length 1, expected a tuple of size 2",
                "found a list of length 1, expected a list of 2 values",
            ),
        ] {
            assert_eq!(phrase(serde), ours);
        }
    }

    #[test]
    fn a_name_with_a_line_break_stays_on_the_line() {
        assert_eq!(shorten("max_cha\n"), "max_cha\\n");
        let long = shorten(&"x".repeat(LONGEST + 1));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with('…'));
        let text = "{\"name\": \"w\", \"nodes\": [], \"a\\nb\": 1}";
        let error = crate::scenario::parse(text, "w.json").expect_err("no such field");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}
