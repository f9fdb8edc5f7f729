//! Ctrl-C: the first one ends long work after what is in hand, the second one ends it at once.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::exit::Failure;
use crate::output::complain;

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// The exit code of a program that was interrupted, as shells give it.
const ABORTED: i32 = 130;

/// Whether there was one.
pub fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::Relaxed) > 0
}

/// Takes note of interrupts from here on.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTS.fetch_add(1, Ordering::Relaxed) > 0 {
            std::process::exit(ABORTED);
        }
        complain("stopping after the seeds in progress; press Ctrl-C again to stop immediately");
    })
    .map_err(|error| Failure::usage(format!("cannot listen for Ctrl-C: {error}")))
}
