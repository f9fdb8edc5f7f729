//! A real server: its process, its folder, its configuration and its log.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rebound_sim::scenario::NodePlan;
use rebound_sim::valkey::Persistence;
use rustix::process::{Pid, Signal, kill_process};

use super::binary::Binary;
use super::error::LiveError;
use super::{become_server, orphans};

/// Where a server listens, and the address that others use for it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Its own port.
    pub own: u16,
    /// Its proxy's, which it announces.
    pub proxy: u16,
    /// The address from which it dials, if servers are told apart by that.
    pub from: Option<Ipv4Addr>,
}

/// A real server. Its process ends with this.
#[derive(Debug)]
pub struct Server {
    /// The node's name.
    pub name: String,
    /// Where it listens.
    pub ports: Ports,
    binary: PathBuf,
    folder: PathBuf,
    persistence: Persistence,
    child: Option<Child>,
    read: u64,
}

/// A port on which nobody listens at the moment.
///
/// # Errors
/// If there is none.
pub(crate) fn free_port() -> Result<u16, LiveError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    let address = address.map_err(|error| LiveError::new(format!("no free port: {error}")))?;
    Ok(address.port())
}

impl Server {
    /// A server that does not run yet, with its folder and its configuration, as a replica of
    /// who listens at `primary`.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn new(
        binary: &Binary,
        plan: &NodePlan,
        root: &std::path::Path,
        ports: Ports,
        primary: Option<u16>,
    ) -> Result<Server, LiveError> {
        let folder = root.join(&plan.name);
        let failed = |error: std::io::Error| {
            LiveError::new(format!("cannot write {}: {error}", folder.display()))
        };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        std::fs::write(
            folder.join("server.conf"),
            configuration(plan, &folder, ports, primary),
        )
        .map_err(failed)?;
        Ok(Server {
            name: plan.name.clone(),
            ports,
            binary: binary.path.clone(),
            folder,
            persistence: plan.config.persistence,
            child: None,
            read: 0,
        })
    }

    /// Starts its process.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self) -> Result<(), LiveError> {
        let failed = |error: std::io::Error| {
            LiveError::new(format!(
                "server {} cannot be started: {error}",
                self.binary.display()
            ))
        };
        if self.persistence == Persistence::None {
            // It is not there the first time.
            let _ = std::fs::remove_file(self.folder.join("dump.rdb"));
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let configuration = self.folder.join("server.conf").into_os_string();
        let mut command = become_server::command(&self.binary, &[configuration]).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.child = Some(orphans::spawn(&mut command).map_err(failed)?);
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn process(&self) -> Option<Pid> {
        self.child.as_ref().map(orphans::pid)
    }

    /// Whether its process runs, or is stopped.
    pub fn runs(&mut self) -> bool {
        let ended = match &mut self.child {
            None => return false,
            Some(child) => !matches!(child.try_wait(), Ok(None)),
        };
        if ended && let Some(process) = self.process() {
            orphans::ended(process);
            self.child = None;
        }
        !ended
    }

    /// Whether its process has ended without being killed.
    pub(crate) fn died(&mut self) -> bool {
        self.child.is_some() && !self.runs()
    }

    /// Stops its process, or lets it go on.
    pub fn stop(&mut self, stopped: bool) {
        let signal = if stopped { Signal::STOP } else { Signal::CONT };
        if self.runs()
            && let Some(process) = self.process()
        {
            // It may have died on its own, which is reported elsewhere.
            let _ = kill_process(process, signal);
        }
    }

    /// Kills its process.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let process = orphans::pid(&child);
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
            orphans::ended(process);
        }
    }

    /// What its log has that was not read before, line by line.
    pub(crate) fn new_log_lines(&mut self) -> Vec<String> {
        let text = self.log_from(self.read);
        let Some(end) = text.rfind('\n') else {
            return Vec::new();
        };
        self.read += end as u64 + 1;
        text[..end]
            .lines()
            .map(bare)
            .filter(|line| !line.is_empty())
            .collect()
    }

    fn log_from(&self, from: u64) -> String {
        use std::io::{Seek, SeekFrom};
        let mut text = Vec::new();
        if let Ok(mut file) = File::open(self.log_path())
            && file.seek(SeekFrom::Start(from)).is_ok()
        {
            let _ = file.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The last lines of its log, for messages.
    pub(crate) fn last_words(&self) -> String {
        let text = self.log_from(0);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let last = &lines[lines.len().saturating_sub(8)..];
        if last.is_empty() {
            return format!("{} has written no log", self.name);
        }
        let mut told = format!("the last lines of {}'s log:", self.name);
        for line in last {
            let _ = write!(told, "\n  {line}");
        }
        told
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A line of the log without process, time and level: `12:M 24 Nov 2026 18:00:00.123 * Ready`.
fn bare(line: &str) -> String {
    let mut parts = line.splitn(7, ' ');
    let is_stamped = parts.next().is_some_and(|first| first.contains(':'));
    match (is_stamped, parts.nth(5)) {
        (true, Some(text)) => text.to_owned(),
        _ => line.to_owned(),
    }
}

/// A server's configuration file.
fn configuration(
    plan: &NodePlan,
    folder: &std::path::Path,
    ports: Ports,
    primary: Option<u16>,
) -> String {
    let config = &plan.config;
    let yes = |on: bool| if on { "yes" } else { "no" };
    let seconds = |span: rebound_engine::Duration| span.as_nanos() / 1_000_000_000;
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        format!("port {}", ports.own),
        "protected-mode no".to_owned(),
        "save \"\"".to_owned(),
        "appendonly no".to_owned(),
        format!("dir {}", quoted(folder)),
        "replica-announce-ip 127.0.0.1".to_owned(),
        format!("replica-announce-port {}", ports.proxy),
        "enable-debug-command no".to_owned(),
        format!("hz {}", config.hz),
        format!(
            "repl-ping-replica-period {}",
            config.repl_ping_replica_period
        ),
        format!("repl-timeout {}", seconds(config.repl_timeout)),
        // The scenario's own delay is set when the replicas are synchronized.
        "repl-diskless-sync-delay 0".to_owned(),
        format!("repl-backlog-size {}", config.repl_backlog_size),
        format!(
            "replica-serve-stale-data {}",
            yes(config.replica_serve_stale_data)
        ),
        format!("replica-read-only {}", yes(config.replica_read_only)),
        format!("min-replicas-to-write {}", config.min_replicas_to_write),
        format!(
            "min-replicas-max-lag {}",
            seconds(config.min_replicas_max_lag)
        ),
        format!("maxclients {}", config.maxclients),
    ];
    if let Some(from) = ports.from {
        lines.push(format!("bind-source-addr {from}"));
    }
    if let Some(primary) = primary {
        lines.push(format!("replicaof 127.0.0.1 {primary}"));
    }
    lines.join("\n") + "\n"
}

/// A path as a configuration file has it.
fn quoted(path: &std::path::Path) -> String {
    format!(
        "\"{}\"",
        path.display()
            .to_string()
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
    )
}
