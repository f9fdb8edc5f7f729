//! The moment between two programs: this program, started again as a child of itself, asks the
//! kernel to end it when the first one ends, however that comes, and then becomes a server.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::output::complain;

/// The first argument by which the program knows that it is to become a server.
const WORD: &str = "--become-server";

/// A command that becomes a server with these arguments and dies with this program.
///
/// # Errors
/// If this program cannot find itself.
pub fn command(server: &Path, arguments: &[OsString]) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(WORD).arg(std::process::id().to_string());
    command.arg(server).args(arguments);
    Ok(command)
}

/// Becomes a server if that is what the program was started for; comes back only if not, or with
/// an exit code if it cannot.
pub fn if_asked() -> Option<u8> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let parent = arguments.next()?.to_str()?.parse::<i32>().ok()?;
    let server = arguments.next()?;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
            complain(&format!(
                "cannot make a server end with this program: {error}"
            ));
        }
        // It may have ended before.
        if getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent) {
            return Some(70);
        }
    }
    let error = Command::new(&server).args(arguments).exec();
    complain(&format!("cannot start {}: {error}", server.display()));
    Some(70)
}
