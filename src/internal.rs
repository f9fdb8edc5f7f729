//! Panics: a defect of Rebound is one message and an exit code, not a wall of addresses.

use rebound_batch::Error;

use crate::exit::Failure;

/// Lets panics be noted instead of printed. With `RUST_BACKTRACE` set they are printed as well.
pub fn listen() {
    let wordy = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    rebound_batch::guard::note_panics(wordy);
}

/// Does `work`, whose place in the program `what` names.
///
/// # Errors
/// If `work` panics.
pub fn guard<T>(what: impl FnOnce() -> String, work: impl FnOnce() -> T) -> Result<T, Failure> {
    rebound_batch::guard::guard(work).map_err(|panic| {
        let what = what();
        Error::Panicked { what, panic }.into()
    })
}
