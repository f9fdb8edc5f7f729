//! The repository's files and packages, as they are in this checkout.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// A text file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is, from the repository's root, with `/` between folders.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// A file that is not on the disk, for trying a check.
    pub fn sample(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the repository's root; empty for the root itself.
    pub folder: String,
    /// Its manifest.
    pub manifest: toml::Table,
}

impl Package {
    /// A path in the package, from the repository's root.
    pub fn path(&self, inside: &str) -> String {
        if self.folder.is_empty() {
            inside.to_owned()
        } else {
            format!("{}/{inside}", self.folder)
        }
    }
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the file at `path` says.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file with this extension that is not ignored, in the order of paths.
pub fn sources(extension: &str) -> Vec<Source> {
    let mut walk = WalkBuilder::new(root());
    // Only this repository's own .gitignore counts, so that all see the same files.
    walk.parents(false)
        .git_global(false)
        .git_exclude(false)
        .require_git(false);
    let paths = walk.build().map(|entry| entry.expect("can be read"));
    let paths = paths.map(|entry| entry.into_path());
    let mut found: Vec<Source> = paths
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| {
            let path = relative(&path);
            let text = read(&path);
            Source { path, text }
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 10, "only {} .{extension} files", found.len());
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("below the root");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Every member of the workspace, the root's own package first.
pub fn packages() -> Vec<Package> {
    let workspace = manifest("");
    let members = workspace["workspace"]["members"].as_array();
    let members = members.expect("[workspace] has members");
    let folders = members.iter().map(|member| {
        let member = member.as_str().expect("members are strings");
        assert!(!member.contains('*'), "members are listed one by one");
        if member == "." { "" } else { member }
    });
    let found: Vec<Package> = folders
        .map(|folder| {
            let manifest = manifest(folder);
            let name = manifest["package"]["name"].as_str().expect("a name");
            Package {
                name: name.to_owned(),
                folder: folder.to_owned(),
                manifest,
            }
        })
        .collect();
    assert!(found.len() > 2, "only {} packages", found.len());
    found
}

fn manifest(folder: &str) -> toml::Table {
    let path = PathBuf::from(folder).join("Cargo.toml");
    let path = path.to_string_lossy();
    let text = read(&path);
    text.parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
