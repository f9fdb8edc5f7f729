//! The program and a folder with scenarios to run it in.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use serde_json::Value;

/// A scenario in which nothing is expected to be found.
pub const CLEAN: &str = "scenarios/clean-failover.json";
/// A scenario in which clients bounce.
pub const SLOW: &str = "scenarios/handover-slow.json";

/// A scenario in which clients bounce under every server that redirects.
pub const CANARY: &str = "scenarios/canary.json";

/// A folder of its own for each test.
pub struct Lab {
    folder: tempfile::TempDir,
}

impl Lab {
    /// A folder that holds the scenarios.
    pub fn new() -> Lab {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("scenarios")).expect("a new folder");
        for name in [CLEAN, SLOW, CANARY] {
            let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
            let text = std::fs::read_to_string(own).expect("a scenario");
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
        command
            .current_dir(self.folder.path())
            .env_remove("RUST_BACKTRACE")
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("GITHUB_WORKSPACE")
            .args(arguments);
        command
    }

    /// Runs a line in a shell that finds the program by its name.
    pub fn shell(&self, line: &str) -> Ended {
        let program = Path::new(env!("CARGO_BIN_EXE_rebound"));
        let folder = program.parent().expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .current_dir(self.folder.path())
            .env("PATH", format!("{folder}:{path}"))
            .args(["-c", line]);
        Ended::new(command.output().expect("bash"))
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

/// Waits until something holds, looking again and again.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < limit, "a minute has passed before {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
