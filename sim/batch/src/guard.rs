//! Panics: a defect of Rebound is one message, not a wall of addresses.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use rebound_sim::scenario::Plan;
use rebound_sim::valkey::Behaviour;

use crate::error::Error;

thread_local! {
    /// What this thread's last panic said, and where.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// What it said and, if [`note_panics`] was called, where.
    pub message: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// From here on, panics of the whole process are noted with their place instead of printed;
/// with `also_print`, they are printed as well.
pub fn note_panics(also_print: bool) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        LAST.with_borrow_mut(|last| *last = Some(with_place(panic)));
        if also_print {
            usual(panic);
        }
    }));
}

fn with_place(panic: &PanicHookInfo<'_>) -> String {
    let message = message(panic.payload());
    match panic.location() {
        Some(at) => format!("{message} ({}:{})", at.file(), at.line()),
        None => message.to_owned(),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or(payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// Does `work`.
///
/// # Errors
/// If `work` panics.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Panic> {
    // Whatever a panic leaves half-done is never looked at: callers drop it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let noted = LAST.with_borrow_mut(Option::take);
        Panic {
            message: noted.unwrap_or_else(|| message(&*payload).to_owned()),
        }
    })
}

/// Makes a run; if it panics, the error names its scenario, behaviour and seed.
///
/// # Errors
/// If the model panics.
pub(crate) fn guard_seed<T>(
    plan: &Plan,
    behaviour: &Behaviour,
    seed: u64,
    run: impl FnOnce() -> T,
) -> Result<T, Error> {
    guard(run).map_err(|panic| Error::Panicked {
        what: format!(
            "while running seed {seed} of {} under {}",
            plan.path, behaviour.name
        ),
        panic,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_one_message_with_the_seed() {
        note_panics(false);
        let text = r#"{"name": "w", "nodes": [{"name": "a"}]}"#;
        let plan = rebound_sim::scenario::parse(text, "w.json").expect("a scenario");
        let fine = guard_seed(&plan, plan.behaviour, 1, || 5);
        assert_eq!(fine.expect("no panic"), 5);
        let failure = guard_seed(&plan, plan.behaviour, 17, || {
            assert_eq!(1, 2, "the ledger does not add up");
        })
        .expect_err("a panic");
        let message = failure.to_string();
        let start = "internal error while running seed 17 of w.json under 8.0.0-rc1: ";
        assert!(message.starts_with(start), "{message}");
        for part in [
            "the ledger does not add up",
            "guard.rs:",
            "please report it",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("backtrace"), "{message}");
    }
}
