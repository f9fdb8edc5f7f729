//! Where in the repository something stands.

use std::path::{Component, Path};

use rebound_batch::check::Location;
use rebound_sim::scenario::ScenarioError;

use super::plain::plain;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it lies in the repository: with `/`, and relative where it lies inside.
    pub file: String,
    /// Line and column from one, where they are known.
    pub position: Option<(usize, usize)>,
}

impl Place {
    /// A file as a whole.
    pub fn of(file: impl AsRef<Path>) -> Place {
        Place {
            file: in_repository(file.as_ref()),
            position: None,
        }
    }

    /// Where a scenario is wrong.
    pub fn of_error(error: &ScenarioError) -> Place {
        Place {
            position: error.position,
            ..Place::of(&error.file)
        }
    }

    /// File and line for a person, on one line.
    pub fn shown(&self) -> String {
        let file = plain(&self.file);
        match self.position {
            Some((line, _)) => format!("{file}:{line}"),
            None => file,
        }
    }
}

impl From<&Location> for Place {
    fn from(location: &Location) -> Place {
        Place {
            position: location.position,
            ..Place::of(&location.file)
        }
    }
}

/// The path from the repository's root. That is what `GITHUB_WORKSPACE` names, else the folder
/// that the program runs in. A file outside keeps its whole path.
fn in_repository(file: &Path) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let root = root.map_or_else(std::env::current_dir, std::path::absolute);
    let absolute = std::path::absolute(file);
    match (root, absolute) {
        (Ok(root), Ok(absolute)) => below(&root, &absolute),
        (_, _) => slashed(file),
    }
}

/// `file` as seen from `root` if it lies below.
fn below(root: &Path, file: &Path) -> String {
    let (root, file) = (without_parents(root), without_parents(file));
    slashed(file.strip_prefix(&root).unwrap_or(&file))
}

/// The path with each `..` taken out, as a reader of the name would do.
fn without_parents(path: &Path) -> std::path::PathBuf {
    let mut plain = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn files_are_named_from_the_root() {
        for (root, file, seen) in [
            ("/r", "/r/s/a.json", "s/a.json"),
            ("/r/", "/r/x/../s/./a.json", "s/a.json"),
            ("/r", "/other/a.json", "/other/a.json"),
            ("/r", "/r/../q/a.json", "/q/a.json"),
        ] {
            assert_eq!(below(Path::new(root), Path::new(file)), seen, "{file}");
        }
    }

    #[test]
    fn a_place_is_shown_on_one_line() {
        let mut place = Place {
            position: Some((3, 1)),
            ..Place::of("s/a\nb.json")
        };
        assert!(place.shown().ends_with("a\\nb.json:3"), "{}", place.shown());
        place.position = None;
        assert!(place.shown().ends_with("a\\nb.json"));
    }
}
