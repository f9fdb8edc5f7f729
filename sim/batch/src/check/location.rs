//! Where in a file something is written down.

use std::path::{Path, PathBuf};

use rebound_sim::scenario::{ScenarioError, position_of};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// Line and column from one, where they are known.
    pub position: Option<(usize, usize)>,
}

impl Location {
    /// A file as a whole.
    pub fn of(file: impl Into<PathBuf>) -> Location {
        Location {
            file: file.into(),
            position: None,
        }
    }

    /// Where a scenario is wrong.
    pub fn of_error(error: &ScenarioError) -> Location {
        Location {
            position: error.position,
            ..Location::of(&error.file)
        }
    }

    /// In a file with this JSON, the value at a path such as `expect[2]`; the file as a whole if
    /// there is no such value.
    pub fn inside(file: &Path, json: Option<&str>, path: &str) -> Location {
        let json = json.map(|json| json.strip_prefix('\u{feff}').unwrap_or(json));
        Location {
            position: json.and_then(|json| position_of(json, path)),
            ..Location::of(file)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_behind_a_byte_order_mark() {
        let file = Path::new("a.json");
        let found = Location::inside(file, Some("{\n\"expect\": [1,\n2]}"), "expect[1]");
        assert_eq!(found.position, Some((3, 1)));
        let bom = Location::inside(file, Some("\u{feff}{\"expect\": 5}"), "expect");
        assert_eq!(bom.position, Some((1, 12)));
    }
}
