//! The program and a folder with scenarios to run it in.

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// A scenario in which nothing is expected to be found.
pub const CLEAN: &str = "scenarios/clean-failover.json";
/// A scenario in which clients bounce.
pub const SLOW: &str = "scenarios/handover-slow.json";

/// A folder of its own for each test.
pub struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    /// A folder that holds the two scenarios.
    pub fn new() -> Lab {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("scenarios")).expect("a new folder");
        for name in [CLEAN, SLOW] {
            let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            let text = std::fs::read_to_string(own).unwrap_or_else(|_| "{}".to_owned());
            std::fs::write(folder.path().join(name), text).expect("a new file");
        }
        Lab { folder }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a new file");
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a readable file")
    }

    /// The program, to be run in the folder.
    pub fn rebound(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rebound"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::new(self.rebound(arguments).output().expect("a program to run"))
    }

    /// Runs the program and reads the one object that it prints.
    pub fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let ended = self.run(&[arguments, &["--format", "json"]].concat());
        assert_eq!(ended.stderr, "", "{arguments:?}");
        let value = serde_json::from_str(&ended.stdout).expect("one JSON object");
        assert!(ended.stdout.ends_with("}\n"), "{arguments:?}");
        (ended.code, value)
    }
}

/// What a run of the program left.
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Ended {
    fn new(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code().expect("an exit code"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The exit code that goes with a verdict.
pub fn code_of(verdict: &Value) -> i32 {
    match verdict.as_str() {
        Some("clean") => 0,
        Some("flagged") => 1,
        Some("inconclusive") => 3,
        Some(_) | None => panic!("no verdict: {verdict}"),
    }
}
