//! Who watches a batch of runs while it is under way, and may stop it.

use std::ops::ControlFlow;

/// Watches a batch of runs, from the thread that began it. `()` watches nothing.
pub trait Observer<P> {
    /// Called before the first run and then several times a second. To break ends the work after
    /// the runs that are under way; what was finished counts, and a state that is kept is saved.
    fn progress(&mut self, progress: &P) -> ControlFlow<()>;

    /// Something went wrong that does not end the work, such as a state that cannot be written.
    fn warn(&mut self, message: &str);
}

impl<P> Observer<P> for () {
    fn progress(&mut self, _: &P) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn warn(&mut self, _: &str) {}
}
