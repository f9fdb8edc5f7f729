//! Nothing is left behind: every server's process and folder is known here from its first moment
//! to its last, and a signal that ends the program ends them first.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::exit::Failure;
use crate::output::complain;

/// What must not be left behind.
#[derive(Debug, Default)]
struct Ours {
    processes: Vec<Pid>,
    folders: Vec<PathBuf>,
}

static OURS: Mutex<Ours> = Mutex::new(Ours {
    processes: Vec::new(),
    folders: Vec::new(),
});

fn ours() -> MutexGuard<'static, Ours> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process. Report its end with [`ended`].
///
/// # Errors
/// As [`Command::spawn`].
pub fn spawn(command: &mut Command) -> std::io::Result<Child> {
    // Under the lock, so that no signal finds a process that nobody knows.
    let mut ours = ours();
    let child = command.spawn()?;
    ours.processes.push(pid(&child));
    Ok(child)
}

/// A child's process id.
pub fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// A process has ended and has been waited for: its number may be another's from here on.
pub fn ended(process: Pid) {
    ours().processes.retain(|known| *known != process);
}

/// A folder of servers.
#[derive(Debug)]
pub struct Folder(Option<tempfile::TempDir>);

impl Folder {
    /// A new folder among the system's temporary ones.
    ///
    /// # Errors
    /// If none can be made.
    pub fn new() -> Result<Folder, Failure> {
        let mut ours = ours();
        let folder = tempfile::Builder::new()
            .prefix("rebound-conform-")
            .tempdir();
        let folder = folder.map_err(|error| {
            Failure::usage(format!("cannot make a folder for the servers: {error}"))
        })?;
        ours.folders.push(folder.path().to_owned());
        Ok(Folder(Some(folder)))
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.0
            .as_ref()
            .map(|folder| folder.path().to_owned())
            .unwrap_or_default()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(folder) = self.0.take() {
            let path = folder.path().to_owned();
            // What cannot be removed is the system's temporary folder's.
            let _ = folder.close();
            ours().folders.retain(|known| *known != path);
        }
    }
}

/// From here on signals that end the program end its servers first, and remove their folders.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("cannot listen for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let signals = {
        let _inside = runtime.enter();
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (SignalKind::interrupt(), 130),
            (SignalKind::terminate(), 143),
            (SignalKind::hangup(), 129),
        ];
        let made: std::io::Result<Vec<_>> = kinds
            .into_iter()
            .map(|(kind, code)| Ok((signal(kind)?, code)))
            .collect();
        made.map_err(failed)?
    };
    std::thread::spawn(move || {
        let code = runtime.block_on(async {
            let (to, mut from) = tokio::sync::mpsc::unbounded_channel();
            let waiting = signals.into_iter().map(|(mut signal, code)| {
                let to = to.clone();
                async move {
                    signal.recv().await;
                    let _ = to.send(code);
                }
            });
            for each in waiting {
                tokio::spawn(each);
            }
            from.recv().await.unwrap_or(130)
        });
        complain("stopped: the servers are ended and their folders removed");
        // The lock is kept to the end, so that nothing new is started.
        let ours = ours();
        for process in &ours.processes {
            let _ = kill_process(*process, Signal::KILL);
        }
        // A dying server may write to its folder for a moment still.
        for _ in 0..50 {
            let left = ours.folders.iter().filter(|folder| folder.exists());
            if left
                .map(std::fs::remove_dir_all)
                .all(|removed| removed.is_ok())
            {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        std::process::exit(code);
    });
    Ok(())
}
