//! Panics: a defect of Rebound is one message and an exit code, not a wall of addresses.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::exit::{Exit, Failure};

thread_local! {
    /// What this thread's last panic said, and where.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Lets panics be noted instead of printed. With `RUST_BACKTRACE` set they are printed as well.
pub fn listen() {
    let usual = std::panic::take_hook();
    let wordy = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    std::panic::set_hook(Box::new(move |panic| {
        LAST.with_borrow_mut(|last| *last = Some(told(panic)));
        if wordy {
            usual(panic);
        }
    }));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("no message");
    match panic.location() {
        Some(at) => format!("{message} ({}:{})", at.file(), at.line()),
        None => message.to_owned(),
    }
}

/// Does `work`, whose place in the program `what` names.
///
/// # Errors
/// If `work` panics.
pub fn guard<T>(what: impl FnOnce() -> String, work: impl FnOnce() -> T) -> Result<T, Failure> {
    // Whatever a panic leaves half-done is dropped with the program.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let said = LAST.with_borrow_mut(Option::take);
        Failure {
            exit: Exit::Internal,
            message: format!(
                "internal error {}: {}. This is a bug in Rebound; please report it.",
                what(),
                said.unwrap_or_else(|| "no message".to_owned())
            ),
        }
    })
}

/// Makes a run, which [`guard`] names by its scenario, behaviour and seed.
///
/// # Errors
/// If the model panics.
pub fn guard_seed<T>(
    plan: &Plan,
    behaviour: &Behaviour,
    seed: u64,
    run: impl FnOnce() -> T,
) -> Result<T, Failure> {
    let what = || {
        format!(
            "while running seed {seed} of {} under {}",
            plan.path, behaviour.name
        )
    };
    guard(what, run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_message_with_the_seed() {
        listen();
        let text = r#"{"name": "w", "nodes": [{"name": "a"}]}"#;
        let plan = rebound_sim::scenario::parse(text, "w.json").expect("a scenario");
        let fine = guard_seed(&plan, plan.behaviour, 1, || 5);
        assert_eq!(fine.expect("no panic"), 5);
        let failure = guard_seed(&plan, plan.behaviour, 17, || {
            assert_eq!(1, 2, "the ledger does not add up");
        })
        .expect_err("a panic");
        assert_eq!(failure.exit, Exit::Internal);
        let message = failure.message;
        let start = "internal error while running seed 17 of w.json under 8.0.0-rc1: ";
        assert!(message.starts_with(start), "{message}");
        for part in [
            "the ledger does not add up",
            "internal.rs:",
            "please report it",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("backtrace"), "{message}");
    }
}
